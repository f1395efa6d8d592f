//! Argument conversions and errors that the classes of `_io` share, with the messages of CPython's `_iomodule.c`.
use krait_object::buffer::{Buffer, flags};
use krait_object::native::{GetFn, GetSet, SetFn};
use krait_object::{PyResult, Raised, Str, Thread, Tuple, Value, ValueCell};
use krait_platform::errno::EINTR;
use krait_runtime::errors::{self, catch, in_flight, overflow_error, raise_value, type_error, value_error};
use krait_runtime::exceptions::{BUFFER_ERROR, OS_ERROR, OVERFLOW_ERROR, OsError, TYPE_ERROR};
use krait_runtime::protocol::{attr, buffer, call, compare, number};

/// What the module keeps per interpreter.
#[derive(Default)]
pub struct IoState {
    /// `UnsupportedOperation`.
    pub unsupported: ValueCell,
}

/// Raises `UnsupportedOperation(message)`.
#[cold]
pub fn unsupported(th: &mut Thread, message: &str) -> Raised {
    let Some(class) = th.interp.extension::<IoState>().unsupported.get() else {
        return value_error(th, message);
    };
    match call::call(th, &class, &[Value::str(message)]) {
        Ok(exception) => raise_value(th, exception),
        Err(raised) => raised,
    }
}
#[cold]
pub fn closed_file(th: &mut Thread) -> Raised {
    value_error(th, "I/O operation on closed file.")
}
#[cold]
pub fn uninitialized(th: &mut Thread) -> Raised {
    value_error(th, "I/O operation on uninitialized object")
}

/// A size: an int or `None`, which stands for `default`.
pub fn size_or(th: &mut Thread, v: Option<&Value>, default: isize) -> PyResult<isize> {
    let Some(v) = v.filter(|v| !v.is_none()) else { return Ok(default) };
    if !number::has_index(v) {
        let class = v.class().name();
        return Err(type_error(th, format!("argument should be integer or None, not '{class}'")));
    }
    number::index_isize(th, v)
}
/// A size that is an int, `default` where it is left out.
pub fn size(th: &mut Thread, v: Option<&Value>, default: isize) -> PyResult<isize> {
    match v {
        Some(v) => number::to_isize(th, v),
        None => Ok(default),
    }
}
/// A file offset: ValueError where it does not fit.
pub fn offset(th: &mut Thread, v: &Value) -> PyResult<i64> {
    match number::index_isize(th, v) {
        Ok(n) => Ok(n as i64),
        Err(raised) => {
            let class = v.class().name();
            catch(th, raised, &OVERFLOW_ERROR)?;
            Err(value_error(th, format!("cannot fit '{class}' into an index-sized integer")))
        }
    }
}
/// The `whence` of a seek.
pub fn whence(th: &mut Thread, v: Option<&Value>) -> PyResult<i32> {
    v.map_or(Ok(0), |v| number::to_i32(th, v))
}
/// A writable buffer argument.
pub fn writable(th: &mut Thread, v: &Value, function: &str) -> PyResult<Buffer> {
    let raised = match buffer::get_buffer(th, v, flags::WRITABLE) {
        Ok(b) if !b.readonly => return Ok(b),
        Ok(_) => None,
        Err(raised) => Some(raised),
    };
    if let Some(raised) = raised {
        if !in_flight(th, &TYPE_ERROR) && !in_flight(th, &BUFFER_ERROR) {
            return Err(raised);
        }
        drop(errors::take(th, raised));
    }
    Err(krait_runtime::convert::wrong_type(th, function, "argument", "read-write bytes-like object", v))
}
/// An optional `str` that clinic takes as `str(accept={str, NoneType})`.
pub fn text_or_none(th: &mut Thread, v: Option<&Value>, function: &str, name: &str) -> PyResult<Option<String>> {
    let Some(v) = v.filter(|v| !v.is_none()) else { return Ok(None) };
    let Some(s) = v.to_ref::<Str>() else {
        let class = v.class().name();
        return Err(type_error(th, format!("{function}() argument '{name}' must be str or None, not {class}")));
    };
    let Some(text) = s.to_utf8().map(std::borrow::Cow::into_owned) else {
        return Err(errors::surrogates_not_allowed(th, &s));
    };
    if text.contains('\0') {
        return Err(value_error(th, "embedded null character"));
    }
    Ok(Some(text))
}

/// After a failed call: goes on if a signal interrupted it (its handlers have run), passes the error on otherwise.
pub fn retry_interrupted(th: &mut Thread, raised: Raised) -> PyResult<()> {
    let errno = th.exc.as_ref().and_then(|e| e.downcast_ref::<OsError>()).and_then(|e| e.errno.get());
    if errno.and_then(|e| e.as_int()) == Some(i64::from(EINTR)) {
        drop(catch(th, raised, &OS_ERROR)?);
        return Ok(());
    }
    Err(raised)
}
/// Runs pending signal handlers; an error is what one of them raised.
pub fn run_signal_handlers(th: &mut Thread) -> PyResult<()> {
    if th.breaker() & krait_object::thread::breaker::SIGNAL != 0 {
        krait_runtime::signals::run_pending(th)
    } else {
        Ok(())
    }
}

/// `o.name()` as a truth value.
pub fn ask(th: &mut Thread, o: &Value, name: &str) -> PyResult<bool> {
    let answer = attr::call_method(th, o, name, &[])?;
    compare::truth(th, &answer)
}
fn require(th: &mut Thread, o: &Value, name: &str, message: &str) -> PyResult<Value> {
    let answer = attr::call_method(th, o, name, &[])?;
    if answer.is_true() { Ok(answer) } else { Err(unsupported(th, message)) }
}
pub fn check_readable(th: &mut Thread, o: &Value) -> PyResult<Value> {
    require(th, o, "readable", "File or stream is not readable.")
}
pub fn check_writable(th: &mut Thread, o: &Value) -> PyResult<Value> {
    require(th, o, "writable", "File or stream is not writable.")
}
pub fn check_seekable(th: &mut Thread, o: &Value) -> PyResult<Value> {
    require(th, o, "seekable", "File or stream is not seekable.")
}
/// ValueError where the attribute `closed` is true.
pub fn check_closed(th: &mut Thread, o: &Value) -> PyResult<()> {
    if let Some(closed) = attr::get_text_opt(th, o, "closed")?
        && compare::truth(th, &closed)?
    {
        return Err(closed_file(th));
    }
    Ok(())
}

/// The class's name as C's `tp_name` has it: with the module for builtin classes.
pub fn type_name(v: &Value) -> String {
    let class = v.class();
    if class.is_static() { format!("_io.{}", class.name()) } else { class.name().to_string() }
}
/// `__reduce__` of objects that hold on to the operating system.
pub fn cannot_pickle(th: &mut Thread, v: &Value) -> Raised {
    let class = v.class().name();
    type_error(th, format!("cannot pickle '{class}' instances"))
}
/// The result of a close that ran `first` and `then`: both errors are kept, the later one in front.
pub fn chain(
    th: &mut Thread,
    first: PyResult<Value>,
    then: impl FnOnce(&mut Thread) -> PyResult<Value>,
) -> PyResult<Value> {
    let Err(raised) = first else { return then(th) };
    let earlier = errors::take(th, raised);
    match then(th) {
        Ok(_) => Err(Raised::set(th, earlier)),
        Err(raised) => {
            let later = errors::take(th, raised);
            let mut at = later.clone();
            // The earlier error goes to the end of the later one's context chain.
            while let Some(next) = krait_runtime::exceptions::base(&at).and_then(|b| b.context.get()) {
                if next.is(&earlier) {
                    return Err(Raised::set(th, later));
                }
                at = next;
            }
            if let Some(base) = krait_runtime::exceptions::base(&at).filter(|_| !at.is(&earlier)) {
                base.context.set(Some(earlier));
            }
            Err(Raised::set(th, later))
        }
    }
}
/// Drops the exception in flight.
pub fn forget(th: &mut Thread, raised: Raised) {
    drop(errors::take(th, raised));
}
pub fn too_large(th: &mut Thread) -> Raised {
    overflow_error(th, "new position too large")
}
/// `(a, b)` of a decoder's state.
pub fn pair(v: &Value) -> Option<(Value, Value)> {
    let t = v.downcast_ref::<Tuple>().filter(|t| t.len() == 2)?;
    Some((t[0].clone(), t[1].clone()))
}
/// A writable member.
pub const fn writable_member(name: &'static str, get: GetFn, set: SetFn) -> GetSet {
    GetSet { name, doc: "", get, set: Some(set), member: true }
}
/// The value to set, for members that cannot be deleted.
pub fn required<'a>(th: &mut Thread, new: Option<&'a Value>) -> PyResult<&'a Value> {
    new.ok_or_else(|| type_error(th, "can't delete numeric/char attribute"))
}
