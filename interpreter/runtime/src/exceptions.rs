//! The exception hierarchy: static type objects and the payloads behind them. The methods sit in `exceptions/`, one file
//! per family; how exceptions are raised is `errors`. CPython: `Objects/exceptions.c`.
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::{Ref, Str, Tuple, TypeObject, VTable, Value, ValueCell, builtin_types::OBJECT};

mod base;
pub mod display;
pub mod group;
mod import;
mod lookup;
pub mod os;
mod simple;
mod stop;
mod syntax;
pub mod unicode;
pub mod unraisable;

pub use simple::DEFS;

/// Behind every exception.
#[repr(C)]
#[derive(Trace, Payload)]
#[payload(class = BASE_EXCEPTION)]
pub struct BaseException {
    /// A tuple, always set.
    pub args: ValueCell,
    /// Empty for `None`, as `cause` and `context`.
    pub traceback: ValueCell,
    pub cause: ValueCell,
    pub context: ValueCell,
    /// `__dict__`, made on first use.
    pub dict: ValueCell,
    #[trace(skip)]
    pub suppress_context: AtomicBool,
}

/// A payload that extends `BaseException`; its own members start empty.
pub(crate) trait FromBase: krait_object::Payload {
    fn from_base(base: BaseException) -> Self;
}

macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident = $class:ident { $($field:ident),* } $([$number:ident])*;)*) => { $(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Trace, Payload)]
        #[payload(class = $class, extends = BaseException)]
        pub struct $name {
            pub base: BaseException,
            $(pub $field: ValueCell,)*
            $(#[trace(skip)] pub $number: AtomicIsize,)*
        }
        impl FromBase for $name {
            fn from_base(base: BaseException) -> Self {
                $name { base, $($field: ValueCell::empty(),)* $($number: AtomicIsize::new(0),)* }
            }
        }
    )* };
}
payloads! {
    StopIteration = STOP_ITERATION { value };
    SystemExit = SYSTEM_EXIT { code };
    ImportError = IMPORT_ERROR { msg, name, path, name_from };
    /// `written` is one more than `characters_written`; 0 = not set.
    OsError = OS_ERROR { errno, strerror, filename, filename2 } [written];
    SyntaxError = SYNTAX_ERROR { msg, filename, lineno, offset, text, end_lineno, end_offset, print_file_and_line };
    NameError = NAME_ERROR { name };
    AttributeError = ATTRIBUTE_ERROR { obj, name };
    /// The three errors with a position have it as a payload of their own: multiple inheritance from two is a layout
    /// conflict, as in CPython.
    UnicodeDecodeError = UNICODE_DECODE_ERROR { encoding, object, reason } [start] [end];
    UnicodeEncodeError = UNICODE_ENCODE_ERROR { encoding, object, reason } [start] [end];
    UnicodeTranslateError = UNICODE_TRANSLATE_ERROR { encoding, object, reason } [start] [end];
    BaseExceptionGroup = BASE_EXCEPTION_GROUP { message, exceptions };
}

macro_rules! classes {
    (own { $($own:ident $own_text:literal $own_base:ident $payload:ident;)* }
     like { $($name:ident $text:literal $base:ident;)* }) => {
        $(pub static $own: TypeObject = {
            static LAYOUT: VTable = VTable::of::<$payload>();
            TypeObject::builtin($own_text, Some(&$own_base), &LAYOUT)
        };)*
        $(pub static $name: TypeObject = TypeObject::builtin_like($text, &$base);)*

        /// A new instance of `class`, an exception class, with these arguments and nothing else set: `__new__` and
        /// `__init__` do not run.
        pub fn allocate(class: &TypeObject, args: Ref<Tuple>) -> Value {
            let base = BaseException::with_args(args);
            let solid = class.solid();
            $(if solid.is_some_and(|s| s.is_same(&$own)) {
                return Ref::with_class($payload::from_base(base), class).into();
            })*
            unreachable!("{} is not an exception class", class.name())
        }
    };
}

impl FromBase for BaseException {
    fn from_base(base: BaseException) -> Self {
        base
    }
}
impl BaseException {
    fn with_args(args: Ref<Tuple>) -> BaseException {
        BaseException {
            args: args.into_value().into(),
            traceback: ValueCell::empty(),
            cause: ValueCell::empty(),
            context: ValueCell::empty(),
            dict: ValueCell::empty(),
            suppress_context: AtomicBool::new(false),
        }
    }
    /// `self.args`.
    pub fn args(&self) -> Ref<Tuple> {
        self.args.get().and_then(|v| v.downcast().ok()).unwrap_or_else(Tuple::empty)
    }
    /// Sets `__cause__`, which suppresses the context.
    pub fn set_cause(&self, cause: Option<Value>) {
        self.suppress_context.store(true, Relaxed);
        self.cause.set(cause.filter(|c| !c.is_none()));
    }
}

/// Puts every exception class into a namespace, with the two old names of OSError.
pub fn add_to(dict: &krait_object::Dict) {
    for def in DEFS {
        dict.set_text(&def.class.name(), def.class.to_value());
    }
    for old in ["EnvironmentError", "IOError"] {
        dict.set_text(old, OS_ERROR.to_value());
    }
}

/// The payload of an exception instance; `None` for anything else.
#[inline]
pub fn base(v: &Value) -> Option<&BaseException> {
    v.downcast_ref()
}
/// `isinstance(v, BaseException)`.
#[inline]
pub fn is_exception(v: &Value) -> bool {
    v.is_instance(&BASE_EXCEPTION)
}
/// `isinstance(v, type) and issubclass(v, BaseException)`.
#[inline]
pub fn is_exception_class(v: &Value) -> bool {
    as_exception_class(v).is_some()
}
/// The class, if `v` is an exception class.
pub fn as_exception_class(v: &Value) -> Option<Ref<krait_object::Type>> {
    v.to_ref::<krait_object::Type>().filter(|c| c.object().is_subtype(&BASE_EXCEPTION))
}

/// A new instance of a builtin class with one text argument, as `class(message)` makes it, without Python code.
pub fn new_exception(class: &'static TypeObject, message: &str) -> Value {
    let text: Value = Str::new(message).into();
    let value = allocate(class, Tuple::of([text.clone()]));
    if let Some(e) = value.downcast_ref::<ImportError>() {
        e.msg.set(Some(text));
    } else if let Some(e) = value.downcast_ref::<SyntaxError>() {
        e.msg.set(Some(text));
    } else if let Some(e) = value.downcast_ref::<StopIteration>() {
        e.value.set(Some(text));
    } else if let Some(e) = value.downcast_ref::<SystemExit>() {
        e.code.set(Some(text));
    }
    value
}

classes! {
    own {
    BASE_EXCEPTION "BaseException" OBJECT BaseException;
    STOP_ITERATION "StopIteration" EXCEPTION StopIteration;
    SYSTEM_EXIT "SystemExit" BASE_EXCEPTION SystemExit;
    IMPORT_ERROR "ImportError" EXCEPTION ImportError;
    OS_ERROR "OSError" EXCEPTION OsError;
    SYNTAX_ERROR "SyntaxError" EXCEPTION SyntaxError;
    NAME_ERROR "NameError" EXCEPTION NameError;
    ATTRIBUTE_ERROR "AttributeError" EXCEPTION AttributeError;
    UNICODE_DECODE_ERROR "UnicodeDecodeError" UNICODE_ERROR UnicodeDecodeError;
    UNICODE_ENCODE_ERROR "UnicodeEncodeError" UNICODE_ERROR UnicodeEncodeError;
    UNICODE_TRANSLATE_ERROR "UnicodeTranslateError" UNICODE_ERROR UnicodeTranslateError;
    BASE_EXCEPTION_GROUP "BaseExceptionGroup" BASE_EXCEPTION BaseExceptionGroup;
    }
    like {
    EXCEPTION "Exception" BASE_EXCEPTION;
    GENERATOR_EXIT "GeneratorExit" BASE_EXCEPTION;
    KEYBOARD_INTERRUPT "KeyboardInterrupt" BASE_EXCEPTION;
    EXCEPTION_GROUP "ExceptionGroup" BASE_EXCEPTION_GROUP;
    STOP_ASYNC_ITERATION "StopAsyncIteration" EXCEPTION;
    ARITHMETIC_ERROR "ArithmeticError" EXCEPTION;
    FLOATING_POINT_ERROR "FloatingPointError" ARITHMETIC_ERROR;
    OVERFLOW_ERROR "OverflowError" ARITHMETIC_ERROR;
    ZERO_DIVISION_ERROR "ZeroDivisionError" ARITHMETIC_ERROR;
    ASSERTION_ERROR "AssertionError" EXCEPTION;
    BUFFER_ERROR "BufferError" EXCEPTION;
    EOF_ERROR "EOFError" EXCEPTION;
    MODULE_NOT_FOUND_ERROR "ModuleNotFoundError" IMPORT_ERROR;
    LOOKUP_ERROR "LookupError" EXCEPTION;
    INDEX_ERROR "IndexError" LOOKUP_ERROR;
    KEY_ERROR "KeyError" LOOKUP_ERROR;
    MEMORY_ERROR "MemoryError" EXCEPTION;
    UNBOUND_LOCAL_ERROR "UnboundLocalError" NAME_ERROR;
    BLOCKING_IO_ERROR "BlockingIOError" OS_ERROR;
    CHILD_PROCESS_ERROR "ChildProcessError" OS_ERROR;
    CONNECTION_ERROR "ConnectionError" OS_ERROR;
    BROKEN_PIPE_ERROR "BrokenPipeError" CONNECTION_ERROR;
    CONNECTION_ABORTED_ERROR "ConnectionAbortedError" CONNECTION_ERROR;
    CONNECTION_REFUSED_ERROR "ConnectionRefusedError" CONNECTION_ERROR;
    CONNECTION_RESET_ERROR "ConnectionResetError" CONNECTION_ERROR;
    FILE_EXISTS_ERROR "FileExistsError" OS_ERROR;
    FILE_NOT_FOUND_ERROR "FileNotFoundError" OS_ERROR;
    INTERRUPTED_ERROR "InterruptedError" OS_ERROR;
    IS_A_DIRECTORY_ERROR "IsADirectoryError" OS_ERROR;
    NOT_A_DIRECTORY_ERROR "NotADirectoryError" OS_ERROR;
    PERMISSION_ERROR "PermissionError" OS_ERROR;
    PROCESS_LOOKUP_ERROR "ProcessLookupError" OS_ERROR;
    TIMEOUT_ERROR "TimeoutError" OS_ERROR;
    REFERENCE_ERROR "ReferenceError" EXCEPTION;
    RUNTIME_ERROR "RuntimeError" EXCEPTION;
    NOT_IMPLEMENTED_ERROR "NotImplementedError" RUNTIME_ERROR;
    PYTHON_FINALIZATION_ERROR "PythonFinalizationError" RUNTIME_ERROR;
    RECURSION_ERROR "RecursionError" RUNTIME_ERROR;
    INDENTATION_ERROR "IndentationError" SYNTAX_ERROR;
    TAB_ERROR "TabError" INDENTATION_ERROR;
    _INCOMPLETE_INPUT_ERROR "_IncompleteInputError" SYNTAX_ERROR;
    SYSTEM_ERROR "SystemError" EXCEPTION;
    TYPE_ERROR "TypeError" EXCEPTION;
    VALUE_ERROR "ValueError" EXCEPTION;
    UNICODE_ERROR "UnicodeError" VALUE_ERROR;
    WARNING "Warning" EXCEPTION;
    BYTES_WARNING "BytesWarning" WARNING;
    DEPRECATION_WARNING "DeprecationWarning" WARNING;
    ENCODING_WARNING "EncodingWarning" WARNING;
    FUTURE_WARNING "FutureWarning" WARNING;
    IMPORT_WARNING "ImportWarning" WARNING;
    PENDING_DEPRECATION_WARNING "PendingDeprecationWarning" WARNING;
    RESOURCE_WARNING "ResourceWarning" WARNING;
    RUNTIME_WARNING "RuntimeWarning" WARNING;
    SYNTAX_WARNING "SyntaxWarning" WARNING;
    UNICODE_WARNING "UnicodeWarning" WARNING;
    USER_WARNING "UserWarning" WARNING;
    }
}
