//! Raising and catching. Every raise passes through [`raise_value`], the one place that sets `__context__`; the helpers
//! build instances of builtin classes directly, without calling their constructors. CPython: `Python/errors.c`.
use krait_object::{PyResult, Raised, Ref, Str, Thread, Tuple, Type, TypeObject, Value};

use crate::exceptions::{self as exc, BaseException};

/// Puts an exception instance in flight, with the exception being handled as its context.
pub fn raise_value(th: &mut Thread, exception: Value) -> Raised {
    if let Some(handled) = th.topmost_handled().cloned()
        && !handled.is(&exception)
        && let Some(base) = exc::base(&exception)
    {
        break_context_cycle(&handled, &exception);
        base.context.set(Some(handled));
    }
    Raised::set(th, exception)
}

/// Cuts the context chain of `handled` where it reaches `exception`, so that linking the two makes no cycle. A cycle that
/// exists already is found by a second pointer at half speed.
fn break_context_cycle(handled: &Value, exception: &Value) {
    let context = |v: &Value| exc::base(v).and_then(|b| b.context.get());
    let (mut at, mut slow, mut advance) = (handled.clone(), handled.clone(), false);
    while let Some(next) = context(&at) {
        if next.is(exception) {
            if let Some(b) = exc::base(&at) {
                b.context.set(None);
            }
            return;
        }
        at = next;
        if at.is(&slow) {
            return;
        }
        if advance {
            match context(&slow) {
                Some(s) => slow = s,
                None => return,
            }
        }
        advance = !advance;
    }
}

/// Raises `class(message)`.
#[cold]
pub fn raise(th: &mut Thread, class: &'static TypeObject, message: impl Into<String>) -> Raised {
    let message: String = message.into();
    let e = exc::new_exception(class, &message);
    raise_value(th, e)
}
/// Raises an instance with these arguments; for classes without members of their own.
#[cold]
pub fn raise_args(th: &mut Thread, class: &'static TypeObject, args: Vec<Value>) -> Raised {
    let e = exc::allocate(class, Tuple::from_vec(args));
    raise_value(th, e)
}

macro_rules! raisers {
    ($($name:ident $class:ident;)*) => { $(
        #[cold]
        pub fn $name(th: &mut Thread, message: impl Into<String>) -> Raised {
            raise(th, &exc::$class, message)
        }
    )* };
}
raisers! {
    arithmetic_error ARITHMETIC_ERROR;
    assertion_error ASSERTION_ERROR;
    attribute_error ATTRIBUTE_ERROR;
    buffer_error BUFFER_ERROR;
    eof_error EOF_ERROR;
    floating_point_error FLOATING_POINT_ERROR;
    import_error IMPORT_ERROR;
    index_error INDEX_ERROR;
    lookup_error LOOKUP_ERROR;
    name_error NAME_ERROR;
    not_implemented_error NOT_IMPLEMENTED_ERROR;
    overflow_error OVERFLOW_ERROR;
    permission_error PERMISSION_ERROR;
    recursion_error RECURSION_ERROR;
    reference_error REFERENCE_ERROR;
    runtime_error RUNTIME_ERROR;
    syntax_error SYNTAX_ERROR;
    system_error SYSTEM_ERROR;
    type_error TYPE_ERROR;
    unbound_local_error UNBOUND_LOCAL_ERROR;
    unicode_error UNICODE_ERROR;
    value_error VALUE_ERROR;
    zero_division_error ZERO_DIVISION_ERROR;
}

/// Raises `KeyError(key)`; a tuple stays one argument.
#[cold]
pub fn key_error(th: &mut Thread, key: &Value) -> Raised {
    raise_args(th, &exc::KEY_ERROR, vec![key.clone()])
}
#[cold]
pub fn memory_error(th: &mut Thread) -> Raised {
    raise_args(th, &exc::MEMORY_ERROR, Vec::new())
}
/// What was made where there was memory for it.
pub fn made<T>(th: &mut Thread, made: Option<T>) -> PyResult<T> {
    made.ok_or_else(|| memory_error(th))
}
/// Raises `StopIteration(value)`, or `StopIteration()`.
pub fn stop_iteration(th: &mut Thread, value: Option<Value>) -> Raised {
    let e = exc::allocate(&exc::STOP_ITERATION, Tuple::from_vec(value.iter().cloned().collect()));
    if let Some(s) = e.downcast_ref::<exc::StopIteration>() {
        s.value.set(value);
    }
    raise_value(th, e)
}
pub fn stop_async_iteration(th: &mut Thread) -> Raised {
    raise_args(th, &exc::STOP_ASYNC_ITERATION, Vec::new())
}
/// "maximum recursion depth exceeded" and what was being done: " in comparison".
#[cold]
pub fn recursion_limit(th: &mut Thread, doing: &str) -> Raised {
    recursion_error(th, format!("maximum recursion depth exceeded{doing}"))
}
/// Raises NameError with its `name`.
#[cold]
pub fn undefined_name(th: &mut Thread, message: impl Into<String>, name: &Ref<Str>) -> Raised {
    let message: String = message.into();
    let e = exc::new_exception(&exc::NAME_ERROR, &message);
    if let Some(n) = e.downcast_ref::<exc::NameError>() {
        n.name.set(Some(name.to_value()));
    }
    raise_value(th, e)
}
/// Raises AttributeError with its `obj` and `name`.
#[cold]
pub fn missing_attribute(th: &mut Thread, object: &Value, name: &Ref<Str>, message: impl Into<String>) -> Raised {
    let message: String = message.into();
    let e = exc::new_exception(&exc::ATTRIBUTE_ERROR, &message);
    if let Some(a) = e.downcast_ref::<exc::AttributeError>() {
        a.obj.set(Some(object.clone()));
        a.name.set(Some(name.to_value()));
    }
    raise_value(th, e)
}
/// Raises `class`, ImportError or a subclass, with its members.
#[cold]
pub fn import_error_for(
    th: &mut Thread,
    class: &'static TypeObject,
    message: impl Into<String>,
    name: Option<Value>,
    path: Option<Value>,
    name_from: Option<Value>,
) -> Raised {
    let message: String = message.into();
    let e = exc::new_exception(class, &message);
    if let Some(i) = e.downcast_ref::<exc::ImportError>() {
        i.name.set(name);
        i.path.set(path);
        i.name_from.set(name_from);
    }
    raise_value(th, e)
}

/// A new instance of the class that the error number selects: `OSError(errno, strerror[, filename[, None, filename2]])`.
pub fn new_os_error(errno: i32, text: &str, filename: Option<&Value>, filename2: Option<&Value>) -> Value {
    let (number, text): (Value, Value) = (errno.into(), text.into());
    let e = exc::allocate(exc::os::class_of_errno(errno), Tuple::of([number.clone(), text.clone()]));
    if let Some(o) = e.downcast_ref::<exc::OsError>() {
        o.errno.set(Some(number));
        o.strerror.set(Some(text));
        o.filename.set(filename.filter(|f| !f.is_none()).cloned());
        o.filename2.set(filename2.filter(|f| !f.is_none()).cloned());
    }
    e
}
/// Raises the OSError of an error number, with the platform's text.
#[cold]
pub fn os_error(th: &mut Thread, errno: i32, filename: Option<&Value>) -> Raised {
    os_error2(th, errno, filename, None)
}
#[cold]
pub fn os_error2(th: &mut Thread, errno: i32, filename: Option<&Value>, filename2: Option<&Value>) -> Raised {
    let text = krait_platform::errno::strerror(errno);
    let e = new_os_error(errno, &text, filename, filename2);
    raise_value(th, e)
}
/// Raises the OSError that `error` describes; `OSError(message)` where it has no number.
#[cold]
pub fn io_error(th: &mut Thread, error: &std::io::Error, filename: Option<&Value>) -> Raised {
    match error.raw_os_error() {
        Some(errno) => os_error(th, errno, filename),
        None => raise(th, &exc::OS_ERROR, error.to_string()),
    }
}

/// What a codec could not do. `start` and `end` are places in `object`.
#[cold]
pub fn unicode_decode_error(
    th: &mut Thread,
    encoding: &str,
    object: Value,
    start: usize,
    end: usize,
    reason: &str,
) -> Raised {
    let e = exc::unicode::new_decode_error(encoding, object, start as isize, end as isize, reason);
    raise_value(th, e)
}
#[cold]
pub fn unicode_encode_error(
    th: &mut Thread,
    encoding: &str,
    object: Value,
    start: usize,
    end: usize,
    reason: &str,
) -> Raised {
    let e = exc::unicode::new_encode_error(encoding, object, start as isize, end as isize, reason);
    raise_value(th, e)
}
#[cold]
pub fn unicode_translate_error(th: &mut Thread, object: Value, start: usize, end: usize, reason: &str) -> Raised {
    let e = exc::unicode::new_translate_error(object, start as isize, end as isize, reason);
    raise_value(th, e)
}

/// Where a SyntaxError points; lines and offsets count from 1.
pub struct SyntaxPlace<'a> {
    pub filename: Option<Value>,
    pub lineno: i64,
    pub offset: i64,
    pub end_lineno: Option<i64>,
    pub end_offset: Option<i64>,
    pub text: Option<&'a str>,
}
/// A new SyntaxError (or subclass) with its place.
pub fn new_syntax_error(class: &'static TypeObject, message: &str, place: SyntaxPlace<'_>) -> Value {
    let text: Value = message.into();
    let details = [
        Value::from(place.filename),
        place.lineno.into(),
        place.offset.into(),
        place.text.into(),
        Value::from(place.end_lineno),
        Value::from(place.end_offset),
    ];
    let e = exc::allocate(class, Tuple::of([text.clone(), Tuple::from_slice(&details).into()]));
    if let Some(s) = e.downcast_ref::<exc::SyntaxError>() {
        s.msg.set(Some(text));
        let cells = [&s.filename, &s.lineno, &s.offset, &s.text, &s.end_lineno, &s.end_offset];
        for (cell, value) in cells.into_iter().zip(details) {
            cell.set(Some(value));
        }
    }
    e
}

/// Takes the exception out of flight.
#[inline]
pub fn take(th: &mut Thread, _: Raised) -> Value {
    th.exc.take().expect("Raised says that an exception is in flight")
}
/// Takes the exception if it is an instance of `class`; passes it on otherwise.
pub fn catch(th: &mut Thread, raised: Raised, class: &'static TypeObject) -> PyResult<Value> {
    if th.exc.as_ref().is_some_and(|e| e.is_instance(class)) { Ok(take(th, raised)) } else { Err(raised) }
}
/// Whether the exception in flight is an instance of `class`.
pub fn in_flight(th: &Thread, class: &'static TypeObject) -> bool {
    th.exc.as_ref().is_some_and(|e| e.is_instance(class))
}
/// `None` instead of an exception of `class`.
pub fn suppress<T>(th: &mut Thread, result: PyResult<T>, class: &'static TypeObject) -> PyResult<Option<T>> {
    match result {
        Ok(v) => Ok(Some(v)),
        Err(raised) => {
            drop(catch(th, raised, class)?);
            Ok(None)
        }
    }
}

/// Whether an exception (instance or class) matches a class or a tuple of classes, nested at will. What is not an
/// exception class matches only itself.
pub fn matches(exception: &Value, wanted: &Value) -> bool {
    if let Some(all) = wanted.downcast_ref::<Tuple>() {
        return all.iter().any(|w| matches(exception, w));
    }
    let class = match exc::is_exception(exception) {
        true => Some(exception.class_ref()),
        false => exc::as_exception_class(exception),
    };
    match (class, exc::as_exception_class(wanted)) {
        (Some(class), Some(wanted)) => class.object().is_subtype(wanted.object()),
        _ => exception.is(wanted),
    }
}
/// What an `except` clause tests: as [`matches`], refusing what is not an exception class.
pub fn except_matches(th: &mut Thread, exception: &Value, wanted: &Value) -> PyResult<bool> {
    check_catchable(th, wanted)?;
    Ok(matches(exception, wanted))
}
fn check_catchable(th: &mut Thread, wanted: &Value) -> PyResult<()> {
    let fits = match wanted.downcast_ref::<Tuple>() {
        Some(all) => all.iter().all(exc::is_exception_class),
        None => exc::is_exception_class(wanted),
    };
    if fits {
        return Ok(());
    }
    Err(type_error(th, "catching classes that do not inherit from BaseException is not allowed"))
}
/// What an `except*` clause tests besides: exception groups cannot be caught by it.
pub fn check_except_star(th: &mut Thread, wanted: &Value) -> PyResult<()> {
    check_catchable(th, wanted)?;
    let is_group =
        |v: &Value| exc::as_exception_class(v).is_some_and(|c| c.object().is_subtype(&exc::BASE_EXCEPTION_GROUP));
    let group = match wanted.downcast_ref::<Tuple>() {
        Some(all) => all.iter().any(is_group),
        None => is_group(wanted),
    };
    if group {
        return Err(type_error(th, "catching ExceptionGroup with except* is not allowed. Use except instead."));
    }
    Ok(())
}

/// Raises `class(message)` in place of the exception in flight, which becomes cause and context.
#[cold]
pub fn raise_from_current(
    th: &mut Thread,
    raised: Raised,
    class: &'static TypeObject,
    message: impl Into<String>,
) -> Raised {
    let cause = take(th, raised);
    let message: String = message.into();
    let e = exc::new_exception(class, &message);
    chain(&e, &cause);
    let raised = raise_value(th, e);
    if let Some(base) = th.exc.as_ref().and_then(exc::base) {
        base.context.set(Some(cause));
    }
    raised
}
/// Makes `cause` the cause and context of `exception`.
pub fn chain(exception: &Value, cause: &Value) {
    if let Some(base) = exc::base(exception) {
        base.set_cause(Some(cause.clone()));
        base.context.set(Some(cause.clone()));
    }
}
/// Appends the exception in flight to the context chain of what a clean-up raised: `_PyErr_ChainExceptions`. `earlier`
/// was in flight before; it stays so if nothing was raised since.
pub fn chain_earlier(th: &mut Thread, earlier: Option<Value>) {
    let Some(earlier) = earlier else { return };
    match th.exc.as_ref().and_then(exc::base) {
        Some(base) => base.context.set(Some(earlier)),
        None => th.exc = Some(earlier),
    }
}

/// Sets `__cause__` from the operand of `raise … from cause`, which is an instance or None already.
pub fn set_cause(exception: &Value, cause: Option<Value>) {
    if let Some(base) = exc::base(exception) {
        base.set_cause(cause);
    }
}

/// The payload of the exception in flight.
pub fn current(th: &Thread) -> Option<&BaseException> {
    th.exc.as_ref().and_then(exc::base)
}
/// The class of the exception in flight.
pub fn current_class(th: &Thread) -> Option<Ref<Type>> {
    th.exc.as_ref().map(Value::class_ref)
}

/// Appends a note to the exception in flight.
pub fn add_note(th: &mut Thread, note: &str) {
    let Some(e) = th.exc.take() else { return };
    if let Err(raised) = crate::protocol::attr::call_method(th, &e, "add_note", &[note.into()]) {
        drop(take(th, raised));
    }
    th.exc = Some(e);
}
/// Text that UTF-8 cannot encode: the UnicodeEncodeError of its first run of surrogates.
#[cold]
pub fn surrogates_not_allowed(th: &mut Thread, text: &Ref<Str>) -> Raised {
    let is_surrogate = |i: usize| text.get(i).is_some_and(|c| (0xD800..0xE000).contains(&c));
    let start = (0..text.len()).find(|&i| is_surrogate(i)).unwrap_or(0);
    let end = (start..text.len()).find(|&i| !is_surrogate(i)).unwrap_or(text.len());
    unicode_encode_error(th, "utf-8", text.to_value(), start, end, "surrogates not allowed")
}
/// Reports the exception in flight through `sys.unraisablehook`, as nobody can handle it; `object` is what it came from.
pub fn write_unraisable(th: &mut Thread, object: Option<&Value>) {
    write_unraisable_message(th, None, object);
}
/// As [`write_unraisable`], with a message in place of "Exception ignored in".
pub fn write_unraisable_message(th: &mut Thread, message: Option<&str>, object: Option<&Value>) {
    if let Some(e) = th.exc.take() {
        crate::exceptions::unraisable::report(th, e, message, object);
    }
}
