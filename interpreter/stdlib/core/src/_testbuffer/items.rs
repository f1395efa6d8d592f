//! Items: packed and unpacked by the module `struct`, whatever their format.
use krait_object::builtin_types::{FLOAT, INT};
use krait_object::{Bytes, List, PyResult, Thread, Tuple, Value};
use krait_runtime::errors::value_error;
use krait_runtime::import::import_module;
use krait_runtime::protocol::{attr, call, number};

/// `struct.Struct(format)` and how many values make an item.
pub struct Codec {
    pack: Value,
    unpack: Value,
    pub itemsize: usize,
    members: usize,
}
impl Codec {
    pub fn new(th: &mut Thread, format: &Value) -> PyResult<Codec> {
        let module = import_module(th, "struct")?;
        let made = attr::call_method(th, &module, "Struct", std::slice::from_ref(format))?;
        let size = attr::get_text(th, &made, "size")?;
        let itemsize = number::to_isize(th, &size)?.max(0) as usize;
        let (pack, unpack) = (attr::get_text(th, &made, "pack")?, attr::get_text(th, &made, "unpack")?);
        let sample = call::call(th, &unpack, &[Bytes::new(&vec![0; itemsize]).into()])?;
        let members = sample.downcast_ref::<Tuple>().map_or(0, |t| t.len());
        Ok(Codec { pack, unpack, itemsize, members })
    }
    /// An item as a value, or as a tuple where it has several members.
    pub fn unpack(&self, th: &mut Thread, bytes: &[u8]) -> PyResult<Value> {
        let values = call::call(th, &self.unpack, &[Bytes::new(bytes).into()])?;
        match values.downcast_ref::<Tuple>().map(Tuple::as_slice) {
            Some([one]) => Ok(one.clone()),
            _ => Ok(values),
        }
    }
    pub fn pack(&self, th: &mut Thread, item: &Value) -> PyResult<Vec<u8>> {
        let scalar = item.downcast_ref::<Bytes>().is_some() || is_number(item);
        let values = match sequence(item) {
            _ if scalar && self.members == 1 => vec![item.clone()],
            Some(values) if values.len() == self.members => values,
            _ => return Err(value_error(th, "mismatch between initializer element and format string")),
        };
        let packed = call::call(th, &self.pack, &values)?;
        Ok(packed.downcast_ref::<Bytes>().map(|b| b.to_vec()).unwrap_or_default())
    }
}

fn is_number(v: &Value) -> bool {
    v.is_instance(&INT) || v.is_instance(&FLOAT)
}

/// The items of a list or tuple.
pub fn sequence(v: &Value) -> Option<Vec<Value>> {
    match v.downcast_ref::<List>() {
        Some(list) => Some(list.to_vec()),
        None => v.downcast_ref::<Tuple>().map(|t| t.to_vec()),
    }
}
