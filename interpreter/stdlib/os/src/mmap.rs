//! `mmap`: files in memory.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use krait_object::buffer::{Buffer, Export, flags as request};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, getter, method};
use krait_object::{
    Args, Bytes, ClassDef, GetSet, Locked, Method, ModuleDef, PyResult, Ref, SlotDefs, Thread, Type, TypeObject,
    VTable, Value, type_flag,
};
use krait_platform::map::Map;
use krait_platform::{errno, fd, fs};
use krait_runtime::audit::audit;
use krait_runtime::errors::{buffer_error, index_error, os_error, overflow_error, type_error, value_error};
use krait_runtime::exceptions::OS_ERROR;
use krait_runtime::protocol::{buffer, number, slice};
use krait_runtime::types::module;
use krait_runtime::types::slice::Slice;

use crate::arguments::{flag, int_or};
use crate::constants;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Files in memory.",
    classes: &[&DEF],
    init: Some(|_, m| {
        constants::add(m, constants::mmap::TABLE);
        module::dict(m).set_text("error", OS_ERROR.to_value());
        Ok(())
    }),
    ..ModuleDef::new("mmap")
};
const MAP_SHARED: i32 = 1;
const MAP_PRIVATE: i32 = 2;
const MAP_ANONYMOUS: i32 = 32;
const PROT_READ: i32 = 1;
const PROT_WRITE: i32 = 2;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Default,
    Read,
    Write,
    Copy,
}
/// The mapping, shared with exports of it.
struct State {
    /// `None` = closed.
    map: Locked<Option<Map>>,
    exports: AtomicUsize,
}
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = MMAP)]
struct Mmap {
    #[trace(skip)]
    state: Arc<State>,
    #[trace(skip)]
    fd: i32,
    /// `trackfd`: the file may be resized with the map.
    #[trace(skip)]
    tracked: bool,
    #[trace(skip)]
    access: Access,
    #[trace(skip)]
    offset: i64,
    #[trace(skip)]
    writable: bool,
    position: AtomicUsize,
}
impl Drop for Mmap {
    fn drop(&mut self) {
        if self.fd >= 0 {
            let _ = fd::close(self.fd);
        }
    }
}
static LAYOUT: VTable = VTable::of::<Mmap>();
static MMAP: TypeObject = TypeObject::builtin("mmap", Some(&OBJECT), &LAYOUT);
static DEF: ClassDef = ClassDef {
    module: "mmap",
    doc: "Maps a file, or memory of its own (fileno -1), into memory; length 0 is the whole file.",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(show),
        buffer: Some(export),
        sq_len: Some(size),
        mp_len: Some(size),
        sq_item: Some(item),
        subscript: Some(subscript),
        set_subscript: Some(set_subscript),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::WEAKREF,
    ..ClassDef::new(&MMAP)
};
fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(fileno, length, flags=1, prot=3, access=0, offset=0, *, trackfd=True)");
    let bound = SIG.bind(th, "mmap", "mmap", args, 0)?;
    let a = bound.args();
    let f = number::to_i32(th, &a[0])?;
    let mut length = number::index_isize(th, &a[1])?;
    let mut kind = int_or(th, a.opt(2), MAP_SHARED)?;
    let mut protection = int_or(th, a.opt(3), PROT_READ | PROT_WRITE)?;
    let access = int_or(th, a.opt(4), 0)?;
    let offset = a.opt(5).map_or(Ok(0), |o| number::to_i64(th, o))?;
    let track = flag(th, a.opt(6), true)?;
    if length < 0 {
        return Err(overflow_error(th, "memory mapped length must be positive"));
    }
    if offset < 0 {
        return Err(overflow_error(th, "memory mapped offset must be positive"));
    }
    if access != 0 && (a.opt(2).is_some() || a.opt(3).is_some()) {
        return Err(value_error(th, "mmap can't specify both access and flags, prot."));
    }
    let access = match access {
        0 => Access::Default,
        1 => {
            (kind, protection) = (MAP_SHARED, PROT_READ);
            Access::Read
        }
        2 => {
            (kind, protection) = (MAP_SHARED, PROT_READ | PROT_WRITE);
            Access::Write
        }
        3 => {
            (kind, protection) = (MAP_PRIVATE, PROT_READ | PROT_WRITE);
            Access::Copy
        }
        _ => return Err(value_error(th, "mmap invalid access parameter.")),
    };
    audit(th, "mmap.__new__", &[f.into(), length.into_value(), i32::from(access as u8).into(), offset.into()])?;
    if f != -1 {
        let st = match fs::fstat(f) {
            Ok(st) => st,
            Err(e) => return Err(os_error(th, e, None)),
        };
        if st.st_mode & 0o170000 == 0o100000 {
            if length == 0 {
                if st.st_size == 0 {
                    return Err(value_error(th, "cannot mmap an empty file"));
                }
                if offset >= st.st_size {
                    return Err(value_error(th, "mmap offset is greater than file size"));
                }
                length = (st.st_size - offset) as isize;
            } else if offset > st.st_size || st.st_size - offset < length as i64 {
                return Err(value_error(th, "mmap length is greater than file size"));
            }
        }
    }
    let own = match f {
        -1 => {
            kind |= MAP_ANONYMOUS;
            -1
        }
        f if track => match fd::dup_inheritable(f, false) {
            Ok(copy) => copy,
            Err(e) => return Err(os_error(th, e, None)),
        },
        _ => -1,
    };
    let map = match Map::new(length as usize, protection, kind, f, offset) {
        Ok(m) => m,
        Err(e) => {
            if own >= 0 {
                let _ = fd::close(own);
            }
            return Err(os_error(th, e, None));
        }
    };
    let state = Arc::new(State { map: Locked::new(Some(map)), exports: AtomicUsize::new(0) });
    let writable = access != Access::Read && protection & PROT_WRITE != 0;
    let made = Mmap { state, fd: own, tracked: track, access, offset, writable, position: AtomicUsize::new(0) };
    Ok(Ref::with_class(made, class.object()).into())
}
/// `isize` has no conversion of its own.
trait IntoValue {
    fn into_value(self) -> Value;
}
impl IntoValue for isize {
    fn into_value(self) -> Value {
        Value::int(self as i64)
    }
}
fn this(v: &Value) -> &Mmap {
    v.downcast_ref().expect("the descriptor checked the class")
}
/// Runs `f` on the mapping; ValueError if it is closed.
fn with<R>(th: &mut Thread, v: &Value, f: impl FnOnce(&Map) -> R) -> PyResult<R> {
    let result = this(v).state.map.lock().as_ref().map(f);
    result.ok_or_else(|| value_error(th, "mmap closed or invalid"))
}
fn size(th: &mut Thread, v: &Value) -> PyResult<usize> {
    with(th, v, Map::len)
}
fn require_writable(th: &mut Thread, v: &Value) -> PyResult<()> {
    if this(v).writable { Ok(()) } else { Err(type_error(th, "mmap can't modify a readonly memory map.")) }
}
fn require_resizable(th: &mut Thread, v: &Value) -> PyResult<()> {
    if this(v).state.exports.load(SeqCst) > 0 {
        return Err(buffer_error(th, "mmap can't resize with extant pointers exported."));
    }
    if matches!(this(v).access, Access::Default | Access::Write) {
        return Ok(());
    }
    Err(type_error(th, "mmap can't resize a readonly or copy-on-write memory map."))
}

/// One export; the mapping cannot be closed while there is one.
struct MapExport(Arc<State>, bool);
impl Export for MapExport {
    fn read(&self, f: &mut dyn FnMut(&[u8])) {
        match self.0.map.lock().as_ref() {
            Some(m) => f(m.bytes()),
            None => f(&[]),
        }
    }
    fn write(&self, f: &mut dyn FnMut(&mut [u8])) {
        if self.1
            && let Some(m) = self.0.map.lock().as_ref()
        {
            f(m.bytes_mut());
        }
    }
}
impl Drop for MapExport {
    fn drop(&mut self) {
        self.0.exports.fetch_sub(1, SeqCst);
    }
}
fn export(th: &mut Thread, v: &Value, wanted: u32) -> PyResult<Buffer> {
    let n = size(th, v)?;
    let m = this(v);
    if wanted & request::WRITABLE != 0 && !m.writable {
        return Err(buffer_error(th, "Object is not writable."));
    }
    m.state.exports.fetch_add(1, SeqCst);
    Ok(Buffer::bytes(v.clone(), Arc::new(MapExport(m.state.clone(), m.writable)), n, !m.writable))
}
fn show(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let m = this(v);
    let class = krait_runtime::types::type_::full_name(&v.class_ref());
    let length = m.state.map.lock().as_ref().map(Map::len);
    let Some(length) = length else { return Ok(Value::from(format!("<{class} closed=True>"))) };
    let access = match m.access {
        Access::Default => "ACCESS_DEFAULT",
        Access::Read => "ACCESS_READ",
        Access::Write => "ACCESS_WRITE",
        Access::Copy => "ACCESS_COPY",
    };
    let (position, offset) = (m.position.load(SeqCst), m.offset);
    Ok(Value::from(format!(
        "<{class} closed=False, access={access}, length={length}, pos={position}, offset={offset}>"
    )))
}
fn item(th: &mut Thread, v: &Value, i: isize) -> PyResult<Value> {
    let byte = with(th, v, |m| usize::try_from(i).ok().and_then(|i| m.bytes().get(i).copied()))?;
    byte.map(Value::from).ok_or_else(|| index_error(th, "mmap index out of range"))
}
fn place(th: &mut Thread, v: &Value, key: &Value) -> PyResult<usize> {
    let i = number::index_isize_or_index_error(th, key)?;
    let n = size(th, v)? as isize;
    let i = if i < 0 { i + n } else { i };
    if (0..n).contains(&i) { Ok(i as usize) } else { Err(index_error(th, "mmap index out of range")) }
}
fn subscript(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Value> {
    if number::has_index(key) {
        let i = place(th, v, key)?;
        return item(th, v, i as isize);
    }
    let Some(s) = key.to_ref::<Slice>() else { return Err(type_error(th, "mmap indices must be integers")) };
    let n = size(th, v)?;
    let at = slice::adjust(th, &s, n)?;
    let bytes = with(th, v, |m| {
        let b = m.bytes();
        (0..at.len).filter_map(|k| b.get((at.start + k as isize * at.step) as usize).copied()).collect::<Vec<u8>>()
    })?;
    Ok(Bytes::new(&bytes).into())
}
fn set_subscript(th: &mut Thread, v: &Value, key: &Value, value: Option<&Value>) -> PyResult<()> {
    size(th, v)?;
    require_writable(th, v)?;
    if number::has_index(key) {
        let i = place(th, v, key)?;
        let Some(value) = value else { return Err(type_error(th, "mmap object doesn't support item deletion")) };
        if !number::has_index(value) {
            return Err(type_error(th, "mmap item value must be an int"));
        }
        let byte = number::index_isize(th, value)?;
        let Ok(byte) = u8::try_from(byte) else {
            return Err(value_error(th, "mmap item value must be in range(0, 256)"));
        };
        return with(th, v, |m| {
            if let Some(slot) = m.bytes_mut().get_mut(i) {
                *slot = byte;
            }
        });
    }
    let Some(s) = key.to_ref::<Slice>() else { return Err(type_error(th, "mmap indices must be integers")) };
    let Some(value) = value else { return Err(type_error(th, "mmap object doesn't support slice deletion")) };
    let n = size(th, v)?;
    let at = slice::adjust(th, &s, n)?;
    let data = buffer::bytes_like(th, value)?;
    if data.len() != at.len {
        return Err(index_error(th, "mmap slice assignment is wrong size"));
    }
    with(th, v, |m| {
        let b = m.bytes_mut();
        for (k, byte) in data.iter().enumerate() {
            if let Some(slot) = b.get_mut((at.start + k as isize * at.step) as usize) {
                *slot = *byte;
            }
        }
    })
}
static GETSET: &[GetSet] = &[getter("closed", "", |_, v| Ok(Value::bool(this(v).state.map.lock().is_none())))];
static METHODS: &[Method] = &[
    method("close", "()", "Close the map.", |th, a| {
        if this(&a[0]).state.exports.load(SeqCst) > 0 {
            return Err(buffer_error(th, "cannot close exported pointers exist"));
        }
        let map = this(&a[0]).state.map.lock().take();
        drop(map);
        Ok(Value::NONE)
    }),
    method("__enter__", "()", "The map itself.", |th, a| {
        size(th, &a[0])?;
        Ok(a[0].clone())
    }),
    method("__exit__", "(exc_type, exc_value, traceback, /)", "Close the map.", |th, a| {
        krait_runtime::protocol::attr::call_method(th, &a[0], "close", &[])
    }),
    method("find", "(sub[, start[, end]], /)", "The lowest place of a subsequence; -1 if there is none.", |th, a| {
        find(th, a, false)
    }),
    method("rfind", "(sub[, start[, end]], /)", "The highest place of a subsequence; -1 if there is none.", |th, a| {
        find(th, a, true)
    }),
    method("flush", "([, offset[, size]], /)", "Write changes to the file.", |th, a| {
        let n = size(th, &a[0])?;
        let offset = a.opt(1).map_or(Ok(0), |o| number::index_isize(th, o))?;
        let length = a.opt(2).map_or(Ok(n as isize - offset), |o| number::index_isize(th, o))?;
        if offset < 0 || length < 0 || (offset + length) as usize > n {
            return Err(value_error(th, "flush values out of range"));
        }
        if matches!(this(&a[0]).access, Access::Read | Access::Copy) {
            return Ok(Value::NONE);
        }
        match with(th, &a[0], |m| m.flush(offset as usize, length as usize))? {
            Ok(_) => Ok(Value::NONE),
            Err(e) => Err(os_error(th, e, None)),
        }
    }),
    method("madvise", "(option[, start[, length]], /)", "Announce how the map will be used.", |th, a| {
        let option = number::to_i32(th, &a[1])?;
        let n = size(th, &a[0])? as isize;
        let start = a.opt(2).map_or(Ok(0), |o| number::index_isize(th, o))?;
        let length = a.opt(3).map_or(Ok(n), |o| number::index_isize(th, o))?;
        if start < 0 || start >= n {
            return Err(value_error(th, "madvise start out of bounds"));
        }
        if length < 0 {
            return Err(value_error(th, "madvise length invalid"));
        }
        if isize::MAX - start < length {
            return Err(overflow_error(th, "madvise length too large"));
        }
        match with(th, &a[0], |m| m.advise(start as usize, length.min(n - start) as usize, option))? {
            Ok(_) => Ok(Value::NONE),
            Err(e) => Err(os_error(th, e, None)),
        }
    }),
    method("move", "(dest, src, count, /)", "Copy bytes inside the map.", |th, a| {
        let n = size(th, &a[0])?;
        let mut given = [0usize; 3];
        let mut good = true;
        for (slot, i) in given.iter_mut().zip(1..) {
            match usize::try_from(number::index_isize(th, &a[i])?) {
                Ok(x) => *slot = x,
                Err(_) => good = false,
            }
        }
        require_writable(th, &a[0])?;
        let [to, from, count] = given;
        if !good || n.saturating_sub(to) < count || n.saturating_sub(from) < count {
            return Err(value_error(th, "source, destination, or count out of range"));
        }
        with(th, &a[0], |m| m.bytes_mut().copy_within(from..from + count, to))?;
        Ok(Value::NONE)
    }),
    method("read", "([, n], /)", "Read bytes from the position on.", |th, a| {
        let wanted = match a.opt_not_none(1) {
            None => -1,
            Some(n) => number::index_isize(th, n)?,
        };
        let at = this(&a[0]).position.load(SeqCst);
        let data = with(th, &a[0], |m| {
            let rest = m.bytes().get(at..).unwrap_or_default();
            rest[..usize::try_from(wanted).map_or(rest.len(), |w| w.min(rest.len()))].to_vec()
        })?;
        this(&a[0]).position.store(at + data.len(), SeqCst);
        Ok(Bytes::new(&data).into())
    }),
    method("read_byte", "()", "Read a byte, as an int.", |th, a| {
        let at = this(&a[0]).position.load(SeqCst);
        match with(th, &a[0], |m| m.bytes().get(at).copied())? {
            Some(b) => {
                this(&a[0]).position.store(at + 1, SeqCst);
                Ok(b.into())
            }
            None => Err(value_error(th, "read byte out of range")),
        }
    }),
    method("readline", "()", "Read a line, with its end.", |th, a| {
        let at = this(&a[0]).position.load(SeqCst);
        let line = with(th, &a[0], |m| {
            let rest = m.bytes().get(at..).unwrap_or_default();
            rest[..rest.iter().position(|&b| b == b'\n').map_or(rest.len(), |p| p + 1)].to_vec()
        })?;
        this(&a[0]).position.store(at + line.len(), SeqCst);
        Ok(Bytes::new(&line).into())
    }),
    method("resize", "(newsize, /)", "Resize the map and the file.", |th, a| {
        size(th, &a[0])?;
        let n = number::index_isize(th, &a[1])?;
        require_resizable(th, &a[0])?;
        let m = this(&a[0]);
        let Ok(n) = usize::try_from(n).map_err(|_| ()) else { return Err(value_error(th, "new size out of range")) };
        if m.fd < 0 && !m.tracked {
            return Err(value_error(th, "mmap can't resize with trackfd=False."));
        }
        if m.fd >= 0
            && let Err(e) = fd::ftruncate(m.fd, m.offset + n as i64)
        {
            return Err(os_error(th, e, None));
        }
        let done = m.state.map.lock().as_mut().map_or(Err(errno::EINVAL), |map| map.resize(n));
        match done {
            Ok(()) => Ok(Value::NONE),
            Err(e) => Err(os_error(th, e, None)),
        }
    }),
    method("seek", "(pos[, whence], /)", "Set the position.", |th, a| {
        let to = number::index_isize(th, &a[1])?;
        let whence = int_or(th, a.opt(2), 0)?;
        let n = size(th, &a[0])? as isize;
        let at = match whence {
            0 => to,
            1 => (this(&a[0]).position.load(SeqCst) as isize).saturating_add(to),
            2 => n.saturating_add(to),
            _ => return Err(value_error(th, "unknown seek type")),
        };
        if !(0..=n).contains(&at) {
            return Err(value_error(th, "seek out of range"));
        }
        this(&a[0]).position.store(at as usize, SeqCst);
        Ok(at.into_value())
    }),
    method("seekable", "()", "Whether the position can be set: always.", |_, _| Ok(Value::TRUE)),
    method("size", "()", "The size of the file.", |th, a| {
        size(th, &a[0])?;
        match fs::fstat(this(&a[0]).fd) {
            Ok(st) => Ok(st.st_size.into()),
            Err(e) => Err(os_error(th, e, None)),
        }
    }),
    method("tell", "()", "The position.", |th, a| {
        size(th, &a[0])?;
        Ok(this(&a[0]).position.load(SeqCst).into())
    }),
    method("write", "(bytes, /)", "Write bytes at the position; their number.", |th, a| {
        size(th, &a[0])?;
        let data = buffer::bytes_like(th, &a[1])?;
        require_writable(th, &a[0])?;
        let at = this(&a[0]).position.load(SeqCst);
        let fits = with(th, &a[0], |m| match m.bytes_mut().get_mut(at..at + data.len()) {
            Some(room) => {
                room.copy_from_slice(&data);
                true
            }
            None => false,
        })?;
        if !fits {
            return Err(value_error(th, "data out of range"));
        }
        this(&a[0]).position.store(at + data.len(), SeqCst);
        Ok(data.len().into())
    }),
    method("write_byte", "(byte, /)", "Write a byte, given as an int, at the position.", |th, a| {
        size(th, &a[0])?;
        let byte = number::index_isize(th, &a[1])?;
        let Ok(byte) = u8::try_from(byte) else {
            let small = byte < 0;
            let message = if small {
                "unsigned byte integer is less than minimum"
            } else {
                "unsigned byte integer is greater than maximum"
            };
            return Err(overflow_error(th, message));
        };
        require_writable(th, &a[0])?;
        let at = this(&a[0]).position.load(SeqCst);
        let done = with(th, &a[0], |m| m.bytes_mut().get_mut(at).map(|slot| *slot = byte).is_some())?;
        if !done {
            return Err(value_error(th, "write byte out of range"));
        }
        this(&a[0]).position.store(at + 1, SeqCst);
        Ok(Value::NONE)
    }),
    method("__sizeof__", "()", "Size in memory, in bytes.", |_, _| Ok(Value::int(96))),
];
fn find(th: &mut Thread, a: &Args<'_>, last: bool) -> PyResult<Value> {
    let n = size(th, &a[0])? as isize;
    let sub = buffer::bytes_like(th, &a[1])?;
    let from = if last { 0 } else { this(&a[0]).position.load(SeqCst) as isize };
    let clamp = |i: isize| if i < 0 { (i + n).max(0) } else { i.min(n) };
    let start = clamp(a.opt(2).map_or(Ok(from), |v| number::index_isize(th, v))?) as usize;
    let end = clamp(a.opt(3).map_or(Ok(n), |v| number::index_isize(th, v))?) as usize;
    let found = with(th, &a[0], |m| {
        let part = m.bytes().get(start..end).unwrap_or_default();
        if start > end || sub.len() > part.len() {
            return None;
        }
        let mut places = 0..=part.len() - sub.len();
        let fits = |&i: &usize| part[i..i + sub.len()] == sub[..];
        let at = if last { places.rev().find(fits) } else { places.find(fits) };
        at.map(|i| i + start)
    })?;
    Ok(found.map_or(Value::int(-1), Value::from))
}
