//! OSError and its family: which error number makes which class. CPython: `OSError_*` of `Objects/exceptions.c`.
use std::sync::atomic::Ordering::Relaxed;

use krait_object::native::{getset, method};
use krait_object::{
    Args, ClassDef, PyResult, Ref, SlotDefs, StrBuilder, Thread, Tuple, Type, TypeObject, Value, type_flag,
};
use krait_platform::errno as e;

use super::base::{self, no_keywords, object_member, payload};
use super::{self as exc, OsError};
use crate::errors::{type_error, value_error};
use crate::protocol::{number, repr};

/// The class that `OSError(errno, …)` makes.
pub fn class_of_errno(errno: i32) -> &'static TypeObject {
    if errno == e::EWOULDBLOCK {
        return &exc::BLOCKING_IO_ERROR;
    }
    match errno {
        e::EAGAIN | e::EALREADY | e::EINPROGRESS => &exc::BLOCKING_IO_ERROR,
        e::EPIPE | e::ESHUTDOWN => &exc::BROKEN_PIPE_ERROR,
        e::ECHILD => &exc::CHILD_PROCESS_ERROR,
        e::ECONNABORTED => &exc::CONNECTION_ABORTED_ERROR,
        e::ECONNREFUSED => &exc::CONNECTION_REFUSED_ERROR,
        e::ECONNRESET => &exc::CONNECTION_RESET_ERROR,
        e::EEXIST => &exc::FILE_EXISTS_ERROR,
        e::ENOENT => &exc::FILE_NOT_FOUND_ERROR,
        e::EISDIR => &exc::IS_A_DIRECTORY_ERROR,
        e::ENOTDIR => &exc::NOT_A_DIRECTORY_ERROR,
        e::EINTR => &exc::INTERRUPTED_ERROR,
        e::EACCES | e::EPERM => &exc::PERMISSION_ERROR,
        e::ESRCH => &exc::PROCESS_LOOKUP_ERROR,
        e::ETIMEDOUT => &exc::TIMEOUT_ERROR,
        _ => &exc::OS_ERROR,
    }
}

pub static DEF: ClassDef = ClassDef {
    doc: "Base class for errors of the operating system and of input and output.",
    methods: &[method("__reduce__", "()", "Return class, arguments and attributes, for pickling.", reduce)],
    getset: &[
        object_member!(OsError, errno, "POSIX exception code"),
        object_member!(OsError, strerror, "exception strerror"),
        object_member!(OsError, filename, "exception filename"),
        object_member!(OsError, filename2, "second exception filename"),
        getset("characters_written", "", get_written, set_written),
    ],
    slots: SlotDefs { new: Some(new), init: Some(init), str: Some(str_slot), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::BASE_EXC_SUBCLASS,
    ..ClassDef::new(&exc::OS_ERROR)
};

/// A subclass that overrides `__init__` and not `__new__` gets its arguments through `__init__` alone; all others
/// through `__new__`, which must see them to choose the class.
fn arguments_come_in_init(class: &TypeObject) -> bool {
    !class.slots.init.same(&exc::OS_ERROR.slots.init) && class.slots.new.same(&exc::OS_ERROR.slots.new)
}

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    if arguments_come_in_init(class.object()) {
        return Ok(exc::allocate(class.object(), Tuple::empty()));
    }
    if args.has_kw() {
        let name = class.name();
        return Err(type_error(th, format!("{name}() takes no keyword arguments")));
    }
    let errno = match args.pos() {
        [errno, _] | [errno, _, _] | [errno, _, _, _] | [errno, _, _, _, _] => errno.as_int_ref(),
        _ => None,
    };
    let chosen = match errno.and_then(|e| e.to_i64()).and_then(|e| i32::try_from(e).ok()) {
        Some(errno) if class.is(&exc::OS_ERROR) => class_of_errno(errno),
        _ => class.object(),
    };
    let e = exc::allocate(chosen, Tuple::empty());
    fill(th, &e, args.pos())?;
    Ok(e)
}
pub(super) fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    if !arguments_come_in_init(v.class()) {
        return Ok(());
    }
    no_keywords(th, v, args)?;
    fill(th, v, args.pos())
}
fn fill(th: &mut Thread, v: &Value, args: &[Value]) -> PyResult<()> {
    let e = payload::<OsError>(v);
    let mut kept = args;
    if (2..=5).contains(&args.len()) {
        e.errno.set(Some(args[0].clone()));
        e.strerror.set(Some(args[1].clone()));
        if let Some(filename) = args.get(2).filter(|f| !f.is_none()) {
            if v.is_exact(&exc::BLOCKING_IO_ERROR) && is_number(filename) {
                let n = index_or_value_error(th, filename)?;
                e.written.store(n + 1, Relaxed);
            } else {
                e.filename.set(Some(filename.clone()));
                e.filename2.set(args.get(4).filter(|f| !f.is_none()).cloned());
                kept = &args[..2];
            }
        }
    }
    e.base.args.set(Some(Tuple::from_slice(kept).into()));
    Ok(())
}
fn is_number(v: &Value) -> bool {
    let slots = &v.class().slots;
    slots.index.is_set() || slots.int.is_set() || slots.float.is_set()
}
fn index_or_value_error(th: &mut Thread, v: &Value) -> PyResult<isize> {
    let i = number::index(th, v)?;
    match i.as_int_ref().and_then(|i| i.to_i64()) {
        Some(i) => Ok(i as isize),
        None => Err(value_error(th, "cannot fit 'int' into an index-sized integer")),
    }
}

fn str_slot(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let e = payload::<OsError>(v);
    let (errno, strerror, filename) = (e.errno.get(), e.strerror.get(), e.filename.get());
    if filename.is_none() && (errno.is_none() || strerror.is_none()) {
        return base::str_slot(th, v);
    }
    let mut out = StrBuilder::new();
    out.push_text("[Errno ");
    out.push_str(&*repr::str(th, &errno.into())?);
    out.push_text("] ");
    out.push_str(&*repr::str(th, &strerror.into())?);
    if let Some(filename) = filename {
        out.push_text(": ");
        out.push_str(&*repr::repr(th, &filename)?);
        if let Some(second) = e.filename2.get() {
            out.push_text(" -> ");
            out.push_str(&*repr::repr(th, &second)?);
        }
    }
    Ok(out.finish().into())
}
/// The file names go back to where the constructor takes them.
fn reduce(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let e = payload::<OsError>(&a[0]);
    let mut args = e.base.args();
    if args.len() == 2
        && let Some(filename) = e.filename.get()
    {
        let mut items = args.to_vec();
        items.push(filename);
        if let Some(second) = e.filename2.get() {
            items.extend([Value::NONE, second]);
        }
        args = Tuple::from_vec(items);
    }
    Ok(base::reduced(&a[0], args.into(), e.base.dict.get()))
}
fn get_written(th: &mut Thread, v: &Value) -> PyResult<Value> {
    match payload::<OsError>(v).written.load(Relaxed) {
        0 => Err(base::no_attribute(th, "characters_written")),
        n => Ok(((n - 1) as i64).into()),
    }
}
fn set_written(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let e = payload::<OsError>(v);
    let n = match new {
        Some(new) => index_or_value_error(th, new)? + 1,
        None if e.written.load(Relaxed) == 0 => return Err(base::no_attribute(th, "characters_written")),
        None => 0,
    };
    e.written.store(n, Relaxed);
    Ok(())
}
