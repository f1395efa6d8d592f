//! The type `bytearray`: storage, constructor, slots. The methods that change it are in the folder, those that it shares
//! with `bytes` are in `types/bytes`. CPython counterpart: `Objects/bytearrayobject.c`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::AcqRel, Ordering::Acquire};

use krait_macros::{Payload, Trace};
use krait_object::buffer::{Buffer, Export};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Method, Sig, class_method, method, static_method};
use krait_object::trace::{Trace as _, Tracer};
use krait_object::{
    Args, Bytes, ClassDef, CmpOp, Guard, Locked, PyResult, Ref, SlotDefs, Str, Thread, Type, TypeObject, VTable, Value,
    type_flag,
};

use crate::errors::{buffer_error, index_error, made, type_error};
use crate::numtext::OutOfMemory;
use crate::protocol::buffer::check_filled;
use crate::protocol::slice::adjust;
use crate::text::escape;
use crate::types::bytes::data::{argument, has_buffer};
use crate::types::bytes::methods::byte_methods;
use crate::types::bytes::{
    collect, count_of, hex, index_of, is_text, iterator, percent, search, shape, sliced, warn_doubtful, zeros,
};
use crate::types::slice::Slice;
use crate::types::str::units::{c_string, fit};

pub mod change;

/// A bytearray may not change its size while its memory is exported.
#[derive(Trace, Payload)]
#[payload(class = BYTEARRAY)]
pub struct ByteArray {
    #[trace(skip)]
    data: Locked<Vec<u8>>,
    #[trace(skip)]
    exports: AtomicUsize,
}

static LAYOUT: VTable = VTable::of::<ByteArray>();
pub static BYTEARRAY: TypeObject = TypeObject::builtin("bytearray", Some(&OBJECT), &LAYOUT);

pub static DEFS: &[&ClassDef] = &[&DEF, &iterator::BYTEARRAY_DEF];

pub static DEF: ClassDef = ClassDef {
    doc: "bytearray(iterable_of_ints) -> bytearray\nbytearray(string, encoding[, errors]) -> bytearray\n\
          bytearray(bytes_or_buffer) -> bytearray\nbytearray(int) -> bytearray of that size, all zero\n\
          bytearray() -> empty bytearray\n\nA mutable sequence of ints from 0 to 255.",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(new),
        init: Some(init),
        repr: Some(repr),
        str: Some(|th, v| {
            warn_doubtful(th, "str() on a bytearray instance")?;
            repr(th, v)
        }),
        compare: Some(compare),
        iter: Some(iterator::iter),
        buffer: Some(buffer),
        release_buffer: Some(crate::types::memoryview::release_view),
        remainder: Some(percent::bytearray_remainder),
        sq_len: Some(len),
        mp_len: Some(len),
        sq_concat: Some(shape::concat),
        sq_repeat: Some(shape::repeat),
        sq_item: Some(item),
        sq_set_item: Some(change::set_item),
        contains: Some(search::contains),
        sq_inplace_concat: Some(change::inplace_concat),
        sq_inplace_repeat: Some(change::inplace_repeat),
        subscript: Some(subscript),
        set_subscript: Some(change::set_subscript),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::MATCH_SELF,
    ..ClassDef::new(&BYTEARRAY)
};

static METHODS: &[Method] = byte_methods![
    class_method("fromhex", "(string, /)", "The bytes that hexadecimal text stands for.", hex::bytearray_fromhex),
    method("append", "(item, /)", "Adds one byte at the end.", change::append),
    method("clear", "()", "Removes everything.", change::clear),
    method("copy", "()", "A copy.", change::copy),
    method("extend", "(iterable_of_ints, /)", "Adds the bytes of an iterable or a buffer at the end.", change::extend),
    method("insert", "(index, item, /)", "Adds one byte before the index.", change::insert),
    method("pop", "(index=-1, /)", "Removes the byte at the index and returns it.", change::pop),
    method("remove", "(value, /)", "Removes the first occurrence of a byte.", change::remove),
    method("reverse", "()", "Turns the order round in place.", change::reverse),
    method("__alloc__", "()", "Number of bytes that are really allocated.", change::alloc),
    method("__reduce__", "()", "State for pickling.", change::reduce),
    method("__reduce_ex__", "(proto=0, /)", "State for pickling.", change::reduce_ex),
    method("__sizeof__", "()", "Size of the object in memory, in bytes.", change::sizeof),
];

impl ByteArray {
    /// A new exact `bytearray`.
    pub fn create(data: Vec<u8>) -> Ref<ByteArray> {
        Ref::new(ByteArray { data: Locked::new(data), exports: AtomicUsize::new(0) })
    }
    /// The bytes; no Python code may run while the guard lives, nor may the length change (see [`ByteArray::resize`]).
    pub fn lock(&self) -> Guard<'_, Vec<u8>> {
        self.data.lock()
    }
    fn is_exported(&self) -> bool {
        self.exports.load(Acquire) > 0
    }
    /// Runs `f`, which changes the length; BufferError while the memory is exported.
    pub fn resize<R>(&self, th: &mut Thread, f: impl FnOnce(&mut Vec<u8>) -> Result<R, OutOfMemory>) -> PyResult<R> {
        if self.is_exported() {
            return Err(buffer_error(th, "Existing exports of data: object cannot be re-sized"));
        }
        let result = f(&mut self.lock());
        fit(th, result)
    }
}

/// An export of a bytearray's memory.
struct ByteArrayExport(Ref<ByteArray>);

impl ByteArrayExport {
    fn new(array: Ref<ByteArray>) -> ByteArrayExport {
        array.exports.fetch_add(1, AcqRel);
        ByteArrayExport(array)
    }
}
impl Drop for ByteArrayExport {
    fn drop(&mut self) {
        self.0.exports.fetch_sub(1, AcqRel);
    }
}
impl Export for ByteArrayExport {
    fn read(&self, f: &mut dyn FnMut(&[u8])) {
        f(&self.0.lock());
    }
    fn write(&self, f: &mut dyn FnMut(&mut [u8])) {
        f(&mut self.0.lock());
    }
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.0.trace(tracer);
    }
}

fn new(_: &mut Thread, cls: &Ref<Type>, _: &Args<'_>) -> PyResult<Value> {
    let empty = ByteArray { data: Locked::new(Vec::new()), exports: AtomicUsize::new(0) };
    Ok(Ref::with_class(empty, cls.object()).into())
}

static INIT: Sig = Sig::new("(source=b'', encoding='utf-8', errors='strict')");

fn init(th: &mut Thread, value: &Value, args: &Args<'_>) -> PyResult<()> {
    let bound = INIT.bind(th, "bytearray", "bytearray", args, 0)?;
    let a = bound.args();
    if let Some(source) = a.opt(0)
        && a.opt(1).is_none()
        && a.opt(2).is_none()
        && source.class().slots.next.is_set()
        && !has_buffer(source)
    {
        // What an iterator has given so far can be seen while it runs.
        this(value).resize(th, |all| {
            all.clear();
            Ok(())
        })?;
        while let Some(item) = crate::protocol::iter::next(th, source)? {
            let byte = crate::types::bytes::data::byte(th, &item)?;
            this(value).resize(th, |all| {
                all.try_reserve(1).map_err(OutOfMemory::from)?;
                all.push(byte);
                Ok(())
            })?;
        }
        return Ok(());
    }
    let data = content(th, &a)?;
    this(value).resize(th, |all| {
        *all = data;
        Ok(())
    })
}

fn content(th: &mut Thread, a: &Args<'_>) -> PyResult<Vec<u8>> {
    let text = |th: &mut Thread, index, name: &str| match a.opt(index) {
        Some(value) => c_string(th, value, &format!("bytearray() argument '{name}'")).map(Some),
        None => Ok(None),
    };
    let encoding = text(th, 1, "encoding")?;
    let errors = text(th, 2, "errors")?;
    let source = a.opt(0);
    if let Some(source) = source
        && source.downcast_ref::<Str>().is_some()
    {
        if encoding.is_none() {
            return Err(type_error(th, "string argument without an encoding"));
        }
        let made = crate::codecs::encode_text(th, source, encoding.as_deref(), errors.as_deref())?;
        return Ok(argument(th, &made)?.into_owned());
    }
    if encoding.is_some() {
        return Err(type_error(th, "encoding without a string argument"));
    }
    if errors.is_some() {
        return Err(type_error(th, "errors without a string argument"));
    }
    let Some(source) = source else { return Ok(Vec::new()) };
    if let Some(count) = count_of(th, source)? {
        let made = zeros(count);
        return fit(th, made);
    }
    collect(th, source, "bytearray", "byte must be in range(0, 256)")
}

fn this(value: &Value) -> &ByteArray {
    value.downcast_ref().expect("the slot belongs to bytearray")
}

/// CPython escapes a single quote here even between double quotes.
fn repr(th: &mut Thread, value: &Value) -> PyResult<Value> {
    let text = {
        let data = this(value).lock();
        let quote = if data.contains(&b'\'') && !data.contains(&b'"') { '"' } else { '\'' };
        let mut text = format!("{}(b{quote}", value.class().name());
        escape::escape_bytes(&data, b'\'', &mut text).map(|()| {
            text.push(quote);
            text.push(')');
            text
        })
    };
    Ok(Str::new(&fit(th, text)?).into())
}

fn compare(th: &mut Thread, left: &Value, right: &Value, op: CmpOp) -> PyResult<Value> {
    let fits = |v: &Value| v.downcast_ref::<Bytes>().is_some() || has_buffer(v);
    if !fits(left) || !fits(right) {
        if matches!(op, CmpOp::Eq | CmpOp::Ne) && (is_text(left) || is_text(right)) {
            warn_doubtful(th, "Comparison between bytearray and string")?;
        }
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let left = argument(th, left)?;
    let right = argument(th, right)?;
    Ok(Value::bool(op.of(left.cmp(&right))))
}

fn len(_: &mut Thread, value: &Value) -> PyResult<usize> {
    Ok(this(value).lock().len())
}

fn item(th: &mut Thread, value: &Value, index: isize) -> PyResult<Value> {
    let byte = usize::try_from(index).ok().and_then(|index| this(value).lock().get(index).copied());
    match byte {
        Some(byte) => Ok(byte.into()),
        None => Err(index_error(th, "bytearray index out of range")),
    }
}

fn subscript(th: &mut Thread, value: &Value, key: &Value) -> PyResult<Value> {
    let len = this(value).lock().len();
    if let Some(slice) = key.downcast_ref::<Slice>() {
        let at = adjust(th, slice, len)?;
        // The conversion of the bounds may have run code that changed the length.
        let part = {
            let data = this(value).lock();
            if at.len == 0 || data.len() != len { Some(Vec::new()) } else { sliced(&data, at.start, at.step, at.len) }
        };
        return Ok(ByteArray::create(made(th, part)?).into());
    }
    let index = index_of(th, key, len, "bytearray")?;
    item(th, value, index)
}

fn buffer(th: &mut Thread, value: &Value, wanted: u32) -> PyResult<Buffer> {
    check_filled(th, wanted, false)?;
    let array = value.to_ref::<ByteArray>().expect("the slot belongs to bytearray");
    let len = array.lock().len();
    Ok(Buffer::bytes(value.clone(), Arc::new(ByteArrayExport::new(array)), len, false))
}
