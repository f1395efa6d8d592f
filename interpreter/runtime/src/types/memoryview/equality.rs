//! `==` of views and other buffers: equal shapes and equal items, whatever their formats. CPython: `memory_richcompare`.
use krait_object::buffer::{Buffer, flags};
use krait_object::{Bytes, CmpOp, PyResult, Thread, Tuple, Value};

use super::{MemoryView, format};
use crate::protocol::{attr, buffer, call, compare};

pub fn richcompare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let answer = |same: bool| Ok(Value::bool(same == (op == CmpOp::Eq)));
    let released = |v: &Value| v.downcast_ref::<MemoryView>().is_some_and(|m| m.window.lock().is_none());
    if released(a) || released(b) {
        return answer(a.is(b));
    }
    let x = super::window(th, a)?;
    if b.downcast_ref::<MemoryView>().is_some() {
        let y = super::window(th, b)?;
        return answer(equal(th, &x, &y)?);
    }
    if !buffer::has_buffer(b) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    match buffer::get_buffer(th, b, flags::FULL_RO) {
        Ok(y) => answer(equal(th, &x, &y)?),
        Err(_) => {
            drop(th.take_exc());
            Ok(Value::NOT_IMPLEMENTED)
        }
    }
}

/// How the items of a format are read.
enum Reader {
    Native(u8),
    /// `struct.Struct(format).unpack`.
    Struct(Value),
}

impl Reader {
    /// `None`: `struct` does not know the format.
    fn new(th: &mut Thread, format: &str) -> PyResult<Option<Reader>> {
        if let Some(c) = format::native(format) {
            return Ok(Some(Reader::Native(c)));
        }
        let module = crate::import::import_module(th, "struct")?;
        match attr::call_method(th, &module, "Struct", &[Value::str(format)]) {
            Ok(s) => Ok(Some(Reader::Struct(attr::get_text(th, &s, "unpack")?))),
            Err(e) => {
                let raised = th.take_exc();
                let error = attr::get_text(th, &module, "error")?;
                let unknown = raised
                    .as_ref()
                    .is_some_and(|exc| exc.class().mro().is_some_and(|mro| mro.iter().any(|class| class.is(&error))));
                if unknown {
                    return Ok(None);
                }
                th.exc = raised;
                Err(e)
            }
        }
    }
    fn read(&self, th: &mut Thread, bytes: &[u8]) -> PyResult<Value> {
        match self {
            Reader::Native(c) => Ok(format::unpack(*c, bytes)),
            Reader::Struct(unpack) => {
                let items = call::call(th, unpack, &[Bytes::new(bytes).into()])?;
                match items.downcast_ref::<Tuple>().map(Tuple::as_slice) {
                    Some([one]) => Ok(one.clone()),
                    _ => Ok(items),
                }
            }
        }
    }
}

/// Dimensions after an empty one do not count.
fn same_shape(x: &[usize], y: &[usize]) -> bool {
    if x.len() != y.len() {
        return false;
    }
    for (m, n) in x.iter().zip(y) {
        if m != n {
            return false;
        }
        if *m == 0 {
            break;
        }
    }
    true
}

fn equal(th: &mut Thread, x: &Buffer, y: &Buffer) -> PyResult<bool> {
    if !same_shape(&x.shape, &y.shape) {
        return Ok(false);
    }
    let (Some(left), Some(right)) = (Reader::new(th, &x.format)?, Reader::new(th, &y.format)?) else {
        return Ok(false);
    };
    let (p, q) = (x.to_vec(), y.to_vec());
    if let (Reader::Native(c), Reader::Native(d)) = (&left, &right)
        && c == d
        && !matches!(c, b'e' | b'f' | b'd' | b'?')
    {
        return Ok(p == q);
    }
    let pairs = p.chunks_exact(x.itemsize.max(1)).zip(q.chunks_exact(y.itemsize.max(1)));
    for (p, q) in pairs {
        let (p, q) = (left.read(th, p)?, right.read(th, q)?);
        let same = compare::compare(th, &p, &q, CmpOp::Eq)?;
        if !compare::truth(th, &same)? {
            return Ok(false);
        }
    }
    Ok(true)
}
