//! `Blob`: a value in a table that is read and written in place.
use std::sync::Arc;

use krait_libraries::sqlite::{self, codes};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, Bytes, ClassDef, Locked, Method, PyResult, Raised, Ref, SlotDefs, Thread, TypeObject, VTable, Value,
    type_flag,
};
use krait_runtime::errors::{index_error, overflow_error, type_error, value_error};
use krait_runtime::protocol::buffer::hold;
use krait_runtime::protocol::{number, slice};
use krait_runtime::types::slice::Slice;
use krait_runtime::world::Exclusive;

use super::connection::Connection;
use super::errors::{self, programming};

/// Shared with the connection, whose close takes the blob out.
pub type Handle = Arc<Exclusive<Option<sqlite::Blob>>>;

#[derive(Trace, Payload)]
#[payload(class = BLOB)]
pub struct Blob {
    #[trace(skip)]
    handle: Handle,
    connection: Ref<Connection>,
    #[trace(skip)]
    offset: Locked<usize>,
}
static LAYOUT: VTable = VTable::of::<Blob>();
static BLOB: TypeObject = TypeObject::builtin("Blob", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "sqlite3",
    methods: METHODS,
    slots: SlotDefs {
        mp_len: Some(|th, v| this(v).len(th)),
        subscript: Some(subscript),
        set_subscript: Some(set_subscript),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC | type_flag::WEAKREF,
    ..ClassDef::new(&BLOB)
};
static METHODS: &[Method] = &[
    method("close", "()", "Close the blob.", |th, a| {
        let b = a.this::<Blob>();
        b.connection.check_thread(th)?;
        b.connection.db(th)?;
        close(th, &b.handle);
        Ok(Value::NONE)
    }),
    method("__enter__", "()", "Blob context manager enter.", |th, a| {
        a.this::<Blob>().len(th)?;
        Ok(a[0].clone())
    }),
    method("__exit__", "(type, val, tb, /)", "Blob context manager exit.", |th, a| {
        let b = a.this::<Blob>();
        b.len(th)?;
        close(th, &b.handle);
        Ok(Value::FALSE)
    }),
    method("read", "(length=-1, /)", "Read data at the current offset position.", |th, a| {
        let length = a.opt(1).map_or(Ok(-1), |v| number::to_i32(th, v))?;
        let b = a.this::<Blob>();
        let rest = b.len(th)?.saturating_sub(*b.offset.lock());
        let length = usize::try_from(length).map_or(rest, |n| n.min(rest));
        let offset = *b.offset.lock();
        let data = b.read(th, offset, length)?;
        *b.offset.lock() += length;
        Ok(Bytes::new(&data).into())
    }),
    method("seek", "(offset, origin=0, /)", "Set the current access position to offset.", seek),
    method("tell", "()", "Return the current access position for the blob.", |th, a| {
        let b = a.this::<Blob>();
        b.len(th)?;
        let offset = *b.offset.lock();
        Ok(offset.into())
    }),
    method("write", "(data, /)", "Write data at the current offset.", |th, a| {
        let data = hold(th, &a[1])?;
        let b = a.this::<Blob>();
        let len = b.len(th)?;
        let offset = *b.offset.lock();
        if data.len() > len.saturating_sub(offset) {
            return Err(value_error(th, "data longer than blob length"));
        }
        b.write(th, offset, &data)?;
        *b.offset.lock() += data.len();
        Ok(Value::NONE)
    }),
];
fn this(v: &Value) -> &Blob {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
/// Closes a blob, once or again.
pub fn close(th: &mut Thread, handle: &Handle) {
    let blob = handle.lock(th).take();
    drop(blob);
}
pub fn new(connection: Ref<Connection>, blob: sqlite::Blob) -> (Value, Handle) {
    let handle: Handle = Arc::new(Exclusive::new(Some(blob)));
    let v = Ref::new(Blob { handle: handle.clone(), connection, offset: Locked::new(0) });
    (v.into(), handle)
}
#[cold]
fn closed(th: &mut Thread) -> Raised {
    programming(th, "Cannot operate on a closed blob.")
}

impl Blob {
    /// The blob's length; refuses a closed one.
    fn len(&self, th: &mut Thread) -> PyResult<usize> {
        self.connection.check_thread(th)?;
        self.connection.db(th)?;
        let len = self.handle.lock(th).as_ref().map(sqlite::Blob::len);
        len.ok_or_else(|| closed(th))
    }
    fn fail<T>(&self, th: &mut Thread, _code: i32) -> PyResult<T> {
        let db = self.connection.db(th)?;
        Err(errors::from_db(th, &db))
    }
    fn read(&self, th: &mut Thread, offset: usize, length: usize) -> PyResult<Vec<u8>> {
        let mut data = vec![0; length];
        let code = self.handle.lock(th).as_ref().map(|b| b.read(&mut data, offset));
        match code {
            Some(codes::SQLITE_OK) => Ok(data),
            Some(code) => self.fail(th, code),
            None => Err(closed(th)),
        }
    }
    fn write(&self, th: &mut Thread, offset: usize, data: &[u8]) -> PyResult<()> {
        let code = self.handle.lock(th).as_mut().map(|b| b.write(data, offset));
        match code {
            Some(codes::SQLITE_OK) => Ok(()),
            Some(code) => self.fail(th, code),
            None => Err(closed(th)),
        }
    }
}

fn seek(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let offset = number::to_i32(th, &a[1])?;
    let origin = a.opt(2).map_or(Ok(0), |v| number::to_i32(th, v))?;
    let b = a.this::<Blob>();
    let len = b.len(th)? as i64;
    let base = match origin {
        0 => 0,
        1 => *b.offset.lock() as i64,
        2 => len,
        _ => return Err(value_error(th, "'origin' should be os.SEEK_SET, os.SEEK_CUR, or os.SEEK_END")),
    };
    let to = base + i64::from(offset);
    if to > i64::from(i32::MAX) {
        return Err(overflow_error(th, "seek offset results in overflow"));
    }
    if !(0..=len).contains(&to) {
        return Err(value_error(th, "offset out of blob range"));
    }
    *b.offset.lock() = to as usize;
    Ok(Value::NONE)
}
fn place(th: &mut Thread, b: &Blob, key: &Value) -> PyResult<usize> {
    let len = b.len(th)? as isize;
    let i = number::index_isize_or_index_error(th, key)?;
    let i = if i < 0 { i + len } else { i };
    if !(0..len).contains(&i) {
        return Err(index_error(th, "Blob index out of range"));
    }
    Ok(i as usize)
}
fn subscript(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Value> {
    let b = this(v);
    b.len(th)?;
    if number::has_index(key) {
        let i = place(th, b, key)?;
        return Ok(b.read(th, i, 1)?[0].into());
    }
    let Some(s) = key.downcast_ref::<Slice>() else {
        return Err(type_error(th, "Blob indices must be integers"));
    };
    let unpacked = slice::unpack(th, s)?;
    let len = b.len(th)?;
    let places: Vec<usize> = slice::fit(unpacked, len).places().collect();
    let (Some(&first), Some(&last)) = (places.iter().min(), places.iter().max()) else {
        return Ok(Bytes::new(b"").into());
    };
    let data = b.read(th, first, last - first + 1)?;
    let picked: Vec<u8> = places.iter().map(|&i| data[i - first]).collect();
    Ok(Bytes::new(&picked).into())
}
fn set_subscript(th: &mut Thread, v: &Value, key: &Value, new: Option<&Value>) -> PyResult<()> {
    let b = this(v);
    b.len(th)?;
    if number::has_index(key) {
        let Some(new) = new else { return Err(type_error(th, "Blob doesn't support item deletion")) };
        let i = place(th, b, key)?;
        let Some(n) = new.as_int_ref() else {
            let class = new.class().name();
            return Err(type_error(th, format!("'{class}' object cannot be interpreted as an integer")));
        };
        let Some(byte) = n.to_i64().and_then(|n| u8::try_from(n).ok()) else {
            return Err(value_error(th, "byte must be in range(0, 256)"));
        };
        return b.write(th, i, &[byte]);
    }
    let Some(s) = key.downcast_ref::<Slice>() else {
        return Err(type_error(th, "Blob indices must be integers"));
    };
    let Some(new) = new else { return Err(type_error(th, "Blob doesn't support slice deletion")) };
    let unpacked = slice::unpack(th, s)?;
    let len = b.len(th)?;
    let places: Vec<usize> = slice::fit(unpacked, len).places().collect();
    if places.is_empty() {
        return Ok(());
    }
    let data = hold(th, new)?;
    if data.len() != places.len() {
        return Err(index_error(th, "Blob slice assignment is wrong size"));
    }
    let (first, last) =
        (places.iter().copied().min().unwrap_or_default(), places.iter().copied().max().unwrap_or_default());
    let mut span = b.read(th, first, last - first + 1)?;
    for (&i, &byte) in places.iter().zip(data.iter()) {
        span[i - first] = byte;
    }
    b.write(th, first, &span)
}
