//! Methods and attributes of arrays.
use krait_object::native::{class_method, getter, method};
use krait_object::{Args, Bytes, CmpOp, GetSet, List, Method, PyResult, Str, Thread, Tuple, Value};
use krait_runtime::errors::{eof_error, index_error, memory_error, runtime_error, type_error, value_error};
use krait_runtime::protocol::{attr, buffer, call, compare, iter, number};
use krait_runtime::types::generic_alias::class_getitem;
use krait_runtime::types::slice::bounds::search_bound;

use super::items::{Code, bad_character};
use super::{Array, pickle};

pub static METHODS: &[Method] = &[
    method("append", "(v, /)", "Append a new value to the end.", |th, a| {
        a.this::<Array>().push(th, &a[1])?;
        Ok(Value::NONE)
    }),
    method("buffer_info", "()", "Return the memory's address and its length in items.", |_, a| {
        let array = a.this::<Array>();
        let address = array.data.lock().as_ptr() as usize;
        Ok(Tuple::of([address.into(), array.len().into()]).into())
    }),
    method("byteswap", "()", "Reverse the bytes of each item.", byteswap),
    method("clear", "()", "Remove all items.", |th, a| {
        a.this::<Array>().resize(th, Vec::clear)?;
        Ok(Value::NONE)
    }),
    method("__copy__", "()", "Return a copy.", copy),
    method("count", "(v, /)", "Return the number of occurrences of v.", count),
    method("__deepcopy__", "(unused, /)", "Return a copy.", copy),
    method("extend", "(bb, /)", "Append items to the end.", extend),
    method("fromfile", "(f, n, /)", "Read n items from a file and append them.", from_file),
    method("fromlist", "(list, /)", "Append the items of a list.", from_list),
    method("frombytes", "(buffer, /)", "Append items given as bytes in machine order.", |th, a| {
        push_buffer(th, a.this(), &a[1])?;
        Ok(Value::NONE)
    }),
    method("fromunicode", "(ustr, /)", "Append the characters of a str; for type codes 'u' and 'w'.", from_unicode),
    method("index", "(v, start=0, stop=sys.maxsize, /)", "Return the place of the first occurrence of v.", index),
    method("insert", "(i, v, /)", "Insert a new item before place i.", insert),
    method("pop", "(i=-1, /)", "Remove the item at place i and return it.", pop),
    method("__reduce_ex__", "(value, /)", "Return state information for pickling.", pickle::reduce_ex),
    method("remove", "(v, /)", "Remove the first occurrence of v.", remove),
    method("reverse", "()", "Reverse the order of the items.", reverse),
    method("tofile", "(f, /)", "Write all items to a file as bytes.", to_file),
    method("tolist", "()", "Return the items as a list.", |th, a| list_of(th, a.this())),
    method("tobytes", "()", "Return the memory as bytes.", |_, a| {
        let data = a.this::<Array>().data.lock().clone();
        Ok(Bytes::new(&data).into())
    }),
    method("tounicode", "()", "Return the characters as a str; for type codes 'u' and 'w'.", |th, a| {
        let array = a.this::<Array>();
        if !matches!(array.code, Code::U | Code::W) {
            return Err(value_error(th, "tounicode() may only be called on unicode type arrays ('u' or 'w')"));
        }
        text_of(th, array)
    }),
    method("__sizeof__", "()", "Size of the array in memory, in bytes.", |_, a| {
        Ok((64 + a.this::<Array>().data.lock().capacity()).into())
    }),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];
pub static GETSET: &[GetSet] = &[
    getter("typecode", "the typecode character used to create the array", |_, v| Ok(Array::of(v).code.letter().into())),
    getter("itemsize", "the size, in bytes, of one array item", |_, v| Ok(Array::of(v).size().into())),
];

pub fn list_of(th: &mut Thread, array: &Array) -> PyResult<Value> {
    let mut all = Vec::new();
    if all.try_reserve(array.len()).is_err() {
        return Err(memory_error(th));
    }
    while let Some(v) = array.get_value(th, all.len())? {
        all.push(v);
    }
    Ok(List::new(all).into())
}
pub fn text_of(th: &mut Thread, array: &Array) -> PyResult<Value> {
    let points: Vec<u32> =
        array.data.lock().chunks_exact(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect();
    match points.iter().find(|&&c| c > 0x10_FFFF) {
        Some(&c) => Err(bad_character(th, c)),
        None => Ok(Str::from_points(&points).into()),
    }
}
pub fn push_text(th: &mut Thread, array: &Array, s: &Str) -> PyResult<()> {
    let bytes: Vec<u8> = s.iter().flat_map(u32::to_le_bytes).collect();
    array.push_bytes(th, &bytes)
}
/// Appends items given as bytes.
pub fn push_buffer(th: &mut Thread, array: &Array, v: &Value) -> PyResult<()> {
    let b = buffer::get_buffer(th, v, krait_object::buffer::flags::SIMPLE)?;
    if b.itemsize != 1 {
        return Err(type_error(th, "a bytes-like object is required"));
    }
    let bytes = b.to_vec();
    drop(b);
    if !bytes.len().is_multiple_of(array.size()) {
        return Err(value_error(th, "bytes length not a multiple of item size"));
    }
    array.push_bytes(th, &bytes)
}

fn byteswap(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let array = a.this::<Array>();
    array.data.lock().chunks_exact_mut(array.size()).for_each(<[u8]>::reverse);
    Ok(Value::NONE)
}
fn copy(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let array = a.this::<Array>();
    let data = array.data.lock().clone();
    Ok(Array::create(array.code, data))
}
/// The first place from `from` whose item equals `v`.
pub fn find(th: &mut Thread, array: &Array, v: &Value, from: usize, to: usize) -> PyResult<Option<usize>> {
    let mut i = from;
    while i < to
        && let Some(item) = array.get_value(th, i)?
    {
        let equal = compare::compare(th, &item, v, CmpOp::Eq)?;
        if compare::truth(th, &equal)? {
            return Ok(Some(i));
        }
        i += 1;
    }
    Ok(None)
}
fn count(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let array = a.this::<Array>();
    let (mut n, mut from) = (0i64, 0);
    while let Some(i) = find(th, array, &a[1], from, usize::MAX)? {
        n += 1;
        from = i + 1;
    }
    Ok(n.into())
}
fn index(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let array = a.this::<Array>();
    let start = search_bound(th, a.opt(2), 0)?;
    let stop = search_bound(th, a.opt(3), isize::MAX)?;
    let len = array.len() as isize;
    let fit = |i: isize| if i < 0 { (i.saturating_add(len)).max(0) as usize } else { i as usize };
    match find(th, array, &a[1], fit(start), fit(stop))? {
        Some(i) => Ok(i.into()),
        None => Err(value_error(th, "array.index(x): x not in array")),
    }
}
pub fn remove_at(th: &mut Thread, array: &Array, i: usize) -> PyResult<()> {
    let size = array.size();
    array.resize(th, |data| {
        if (i + 1) * size <= data.len() {
            data.drain(i * size..(i + 1) * size);
        }
    })
}
fn remove(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let array = a.this::<Array>();
    match find(th, array, &a[1], 0, usize::MAX)? {
        Some(i) => remove_at(th, array, i)?,
        None => return Err(value_error(th, "array.remove(x): x not in array")),
    }
    Ok(Value::NONE)
}
fn pop(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let array = a.this::<Array>();
    let i = a.opt(1).map_or(Ok(-1), |i| number::to_isize(th, i))?;
    let len = array.len() as isize;
    if len == 0 {
        return Err(index_error(th, "pop from empty array"));
    }
    let i = if i < 0 { i + len } else { i };
    if !(0..len).contains(&i) {
        return Err(index_error(th, "pop index out of range"));
    }
    let item = array.get_value(th, i as usize)?;
    remove_at(th, array, i as usize)?;
    Ok(item.into())
}
fn insert(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let array = a.this::<Array>();
    let i = number::to_isize(th, &a[1])?;
    let item = array.code.store(th, &a[2])?;
    let size = array.size();
    let done = array.resize(th, |data| {
        let len = (data.len() / size) as isize;
        let i = if i < 0 { (i.saturating_add(len)).max(0) } else { i.min(len) } as usize;
        let room = data.try_reserve(size).is_ok();
        if room {
            data.splice(i * size..i * size, item[..size].iter().copied());
        }
        room
    })?;
    if done { Ok(Value::NONE) } else { Err(memory_error(th)) }
}
fn reverse(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let array = a.this::<Array>();
    let size = array.size();
    let mut data = array.data.lock();
    // Turning all bytes round and then those of each item leaves the items turned round.
    data.reverse();
    data.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    Ok(Value::NONE)
}
pub fn extend_by(th: &mut Thread, array: &Array, v: &Value) -> PyResult<()> {
    if let Some(other) = v.downcast_ref::<Array>() {
        if other.code != array.code {
            return Err(type_error(th, "can only extend with array of same kind"));
        }
        let bytes = other.data.lock().clone();
        return array.push_bytes(th, &bytes);
    }
    iter::for_each(th, v, |th, v| array.push(th, &v))
}
fn extend(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    extend_by(th, a.this(), &a[1])?;
    Ok(Value::NONE)
}
fn from_list(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let array = a.this::<Array>();
    let Some(list) = a[1].downcast_ref::<List>() else { return Err(type_error(th, "arg must be list")) };
    let (items, size) = (list.to_vec(), array.size());
    // All or nothing: what cannot be converted leaves the array as it was.
    let mut bytes = Vec::with_capacity(items.len() * size);
    for v in &items {
        bytes.extend_from_slice(&array.code.store(th, v)?[..size]);
        if list.len() != items.len() {
            return Err(runtime_error(th, "list changed size during iteration"));
        }
    }
    array.push_bytes(th, &bytes)?;
    Ok(Value::NONE)
}
fn from_unicode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let array = a.this::<Array>();
    let Some(s) = a[1].downcast_ref::<Str>() else {
        let class = if a[1].is_none() { "None".into() } else { a[1].class().name().to_string() };
        return Err(type_error(th, format!("fromunicode() argument must be str, not {class}")));
    };
    if !matches!(array.code, Code::U | Code::W) {
        return Err(value_error(th, "fromunicode() may only be called on unicode type arrays ('u' or 'w')"));
    }
    push_text(th, array, s)?;
    Ok(Value::NONE)
}
fn from_file(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let array = a.this::<Array>();
    let n = number::to_isize(th, &a[2])?;
    let Ok(n) = usize::try_from(n) else { return Err(value_error(th, "negative count")) };
    let Some(wanted) = n.checked_mul(array.size()) else { return Err(memory_error(th)) };
    let data = attr::call_method(th, &a[1], "read", &[wanted.into()])?;
    let Some(bytes) = data.to_ref::<Bytes>() else {
        return Err(type_error(th, "read() didn't return bytes"));
    };
    push_buffer(th, array, bytes.as_value())?;
    if bytes.len() != wanted {
        return Err(eof_error(th, "read() didn't return enough bytes"));
    }
    Ok(Value::NONE)
}
fn to_file(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    const BLOCK: usize = 64 * 1024;
    let write = attr::get_text(th, &a[1], "write")?;
    let data = a.this::<Array>().data.lock().clone();
    for block in data.chunks(BLOCK) {
        call::call(th, &write, &[Bytes::new(block).into()])?;
    }
    Ok(Value::NONE)
}
