//! The classes that add nothing to their base but a name; and the list of all exception classes.
use krait_object::{ClassDef, SlotDefs, type_flag};

use super::{base, group, import, lookup, os, stop, syntax, unicode};

const FLAGS: u32 = type_flag::BASE | type_flag::BASE_EXC_SUBCLASS;
const PLAIN: SlotDefs = SlotDefs { new: Some(base::new), init: Some(base::init), ..SlotDefs::EMPTY };
const OS: SlotDefs = SlotDefs { init: Some(os::init), ..SlotDefs::EMPTY };
const SYNTAX: SlotDefs = SlotDefs { init: Some(syntax::init), ..SlotDefs::EMPTY };
const IMPORT: SlotDefs = SlotDefs { init: Some(import::init), ..SlotDefs::EMPTY };
const NAME: SlotDefs = SlotDefs { init: Some(lookup::name_init), ..SlotDefs::EMPTY };

macro_rules! defs {
    ($($class:ident $slots:ident $doc:literal;)*) => { $(
        static $class: ClassDef =
            ClassDef { doc: $doc, slots: $slots, flags: FLAGS, ..ClassDef::new(&super::$class) };
    )* };
}
defs! {
    EXCEPTION PLAIN "Common base class for everything a program may want to handle.";
    GENERATOR_EXIT PLAIN "Asks a generator to finish.";
    KEYBOARD_INTERRUPT PLAIN "The user interrupted the program.";
    STOP_ASYNC_ITERATION PLAIN "An asynchronous iterator has no further item.";
    ARITHMETIC_ERROR PLAIN "Base class for arithmetic errors.";
    FLOATING_POINT_ERROR PLAIN "A floating-point operation failed.";
    OVERFLOW_ERROR PLAIN "A result is too large to be represented.";
    ZERO_DIVISION_ERROR PLAIN "The second argument of a division or modulo operation was zero.";
    ASSERTION_ERROR PLAIN "An assertion does not hold.";
    BUFFER_ERROR PLAIN "A buffer operation cannot be carried out.";
    EOF_ERROR PLAIN "Input ended while something was read.";
    MODULE_NOT_FOUND_ERROR IMPORT "There is no module of that name.";
    LOOKUP_ERROR PLAIN "Base class for failed lookups.";
    INDEX_ERROR PLAIN "A sequence index is out of range.";
    MEMORY_ERROR PLAIN "Out of memory.";
    UNBOUND_LOCAL_ERROR NAME "A local name is used before it has a value.";
    BLOCKING_IO_ERROR OS "An operation would block.";
    CHILD_PROCESS_ERROR OS "An operation on a child process failed.";
    CONNECTION_ERROR OS "Base class for failures of connections.";
    BROKEN_PIPE_ERROR OS "The other end of a pipe or connection was closed.";
    CONNECTION_ABORTED_ERROR OS "The peer aborted the connection attempt.";
    CONNECTION_REFUSED_ERROR OS "The peer refused the connection.";
    CONNECTION_RESET_ERROR OS "The peer reset the connection.";
    FILE_EXISTS_ERROR OS "The file exists already.";
    FILE_NOT_FOUND_ERROR OS "There is no such file or directory.";
    INTERRUPTED_ERROR OS "A signal interrupted a system call.";
    IS_A_DIRECTORY_ERROR OS "A file was wanted, a directory found.";
    NOT_A_DIRECTORY_ERROR OS "A directory was wanted, something else found.";
    PERMISSION_ERROR OS "The process lacks the right to do this.";
    PROCESS_LOOKUP_ERROR OS "There is no such process.";
    TIMEOUT_ERROR OS "Time ran out.";
    REFERENCE_ERROR PLAIN "A weak reference was used after its object had died.";
    RUNTIME_ERROR PLAIN "An error that fits no other class.";
    NOT_IMPLEMENTED_ERROR PLAIN "A method is left to subclasses, or not written yet.";
    PYTHON_FINALIZATION_ERROR PLAIN "An operation is not possible while the interpreter shuts down.";
    RECURSION_ERROR PLAIN "The recursion limit was exceeded.";
    INDENTATION_ERROR SYNTAX "Indentation is wrong.";
    TAB_ERROR SYNTAX "Tabs and spaces are mixed in indentation.";
    _INCOMPLETE_INPUT_ERROR SYNTAX "The input is incomplete.";
    SYSTEM_ERROR PLAIN "The interpreter itself went wrong; please report it with the program that shows it.";
    TYPE_ERROR PLAIN "An argument has the wrong type.";
    VALUE_ERROR PLAIN "An argument has the right type and a wrong value.";
    UNICODE_ERROR PLAIN "Base class for errors of encoding and decoding.";
    WARNING PLAIN "Base class for warning categories.";
    BYTES_WARNING PLAIN "Doubtful use of bytes and bytearray, mostly comparison with str.";
    DEPRECATION_WARNING PLAIN "Something deprecated is used; for developers.";
    ENCODING_WARNING PLAIN "The encoding is left to the locale.";
    FUTURE_WARNING PLAIN "Something deprecated is used; for users of the program.";
    IMPORT_WARNING PLAIN "A probable mistake in an import.";
    PENDING_DEPRECATION_WARNING PLAIN "Something will be deprecated.";
    RESOURCE_WARNING PLAIN "A resource is used doubtfully, mostly left open.";
    RUNTIME_WARNING PLAIN "Doubtful behaviour at run time.";
    SYNTAX_WARNING PLAIN "Doubtful syntax.";
    UNICODE_WARNING PLAIN "A problem with Unicode.";
    USER_WARNING PLAIN "What user code warns of unless it says otherwise.";
}

/// Every exception class, bases before what derives from them.
pub static DEFS: &[&ClassDef] = &[
    &base::DEF,
    &group::BASE,
    &EXCEPTION,
    &GENERATOR_EXIT,
    &KEYBOARD_INTERRUPT,
    &stop::SYSTEM_EXIT,
    &ARITHMETIC_ERROR,
    &ASSERTION_ERROR,
    &lookup::ATTRIBUTE_ERROR,
    &BUFFER_ERROR,
    &EOF_ERROR,
    &import::DEF,
    &LOOKUP_ERROR,
    &MEMORY_ERROR,
    &lookup::NAME_ERROR,
    &os::DEF,
    &REFERENCE_ERROR,
    &RUNTIME_ERROR,
    &STOP_ASYNC_ITERATION,
    &stop::STOP_ITERATION,
    &syntax::DEF,
    &SYSTEM_ERROR,
    &TYPE_ERROR,
    &VALUE_ERROR,
    &WARNING,
    &FLOATING_POINT_ERROR,
    &OVERFLOW_ERROR,
    &ZERO_DIVISION_ERROR,
    &MODULE_NOT_FOUND_ERROR,
    &INDEX_ERROR,
    &lookup::KEY_ERROR,
    &UNBOUND_LOCAL_ERROR,
    &BLOCKING_IO_ERROR,
    &CHILD_PROCESS_ERROR,
    &CONNECTION_ERROR,
    &FILE_EXISTS_ERROR,
    &FILE_NOT_FOUND_ERROR,
    &INTERRUPTED_ERROR,
    &IS_A_DIRECTORY_ERROR,
    &NOT_A_DIRECTORY_ERROR,
    &PERMISSION_ERROR,
    &PROCESS_LOOKUP_ERROR,
    &TIMEOUT_ERROR,
    &NOT_IMPLEMENTED_ERROR,
    &PYTHON_FINALIZATION_ERROR,
    &RECURSION_ERROR,
    &INDENTATION_ERROR,
    &_INCOMPLETE_INPUT_ERROR,
    &UNICODE_ERROR,
    &BYTES_WARNING,
    &DEPRECATION_WARNING,
    &ENCODING_WARNING,
    &FUTURE_WARNING,
    &IMPORT_WARNING,
    &PENDING_DEPRECATION_WARNING,
    &RESOURCE_WARNING,
    &RUNTIME_WARNING,
    &SYNTAX_WARNING,
    &UNICODE_WARNING,
    &USER_WARNING,
    &BROKEN_PIPE_ERROR,
    &CONNECTION_ABORTED_ERROR,
    &CONNECTION_REFUSED_ERROR,
    &CONNECTION_RESET_ERROR,
    &TAB_ERROR,
    &unicode::DECODE,
    &unicode::ENCODE,
    &unicode::TRANSLATE,
    &group::DEF,
];
