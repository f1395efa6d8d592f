//! Conversions between Rust types and Python values.
use std::collections::{BTreeMap, HashMap};

use krait_object::{Bytes, Dict, List, Str, Tuple, Value};
use krait_runtime::protocol::{call, number};

use crate::error::{Error, Result};
use crate::object::Object;
use crate::python::Python;

/// What becomes a Python value: numbers, text, sequences (`list`), maps (`dict`), tuples, options (`None`).
pub trait ToPython {
    fn to_python(self, py: &mut Python<'_>) -> Result<Object>;
}
/// What a Python value can be extracted as.
pub trait FromPython: Sized {
    fn from_python(object: &Object, py: &mut Python<'_>) -> Result<Self>;
}
/// The positional arguments of a call: a tuple, `()` for none, or a slice of objects.
pub trait ToArguments {
    fn to_arguments(self, py: &mut Python<'_>) -> Result<Vec<Value>>;
}

macro_rules! plain {
    ($($type:ty),*) => { $(impl ToPython for $type {
        fn to_python(self, _: &mut Python<'_>) -> Result<Object> {
            Ok(Object::new(Value::from(self)))
        }
    })* };
}
plain!(i8, i16, i32, i64, u8, u16, u32, u64, usize, f64, bool, &str, String, ());

impl ToPython for Object {
    fn to_python(self, _: &mut Python<'_>) -> Result<Object> {
        Ok(self)
    }
}
impl ToPython for &Object {
    fn to_python(self, _: &mut Python<'_>) -> Result<Object> {
        Ok(self.clone())
    }
}
/// A `bytes`.
impl ToPython for &[u8] {
    fn to_python(self, _: &mut Python<'_>) -> Result<Object> {
        Ok(Object::new(Bytes::new(self).into()))
    }
}
impl<T: ToPython> ToPython for Option<T> {
    fn to_python(self, py: &mut Python<'_>) -> Result<Object> {
        self.map_or_else(|| Ok(Object::none()), |v| v.to_python(py))
    }
}
impl<T: ToPython> ToPython for Vec<T> {
    fn to_python(self, py: &mut Python<'_>) -> Result<Object> {
        let items = self.into_iter().map(|v| v.to_python(py).map(|o| o.value)).collect::<Result<Vec<_>>>()?;
        Ok(Object::new(List::new(items).into()))
    }
}
fn dict<K: ToPython, V: ToPython>(py: &mut Python<'_>, entries: impl Iterator<Item = (K, V)>) -> Result<Object> {
    let made = Dict::new();
    for (key, value) in entries {
        let (key, value) = (key.to_python(py)?.value, value.to_python(py)?.value);
        py.guarded(|th| made.set(th, key, value))?;
    }
    Ok(Object::new(made.into()))
}
impl<K: ToPython, V: ToPython, S> ToPython for HashMap<K, V, S> {
    fn to_python(self, py: &mut Python<'_>) -> Result<Object> {
        dict(py, self.into_iter())
    }
}
impl<K: ToPython, V: ToPython> ToPython for BTreeMap<K, V> {
    fn to_python(self, py: &mut Python<'_>) -> Result<Object> {
        dict(py, self.into_iter())
    }
}

macro_rules! tuples {
    ($($(#[$doc:meta])* ($($name:ident . $place:tt),+);)*) => { $(
        impl<$($name: ToPython),+> ToPython for ($($name,)+) {
            fn to_python(self, py: &mut Python<'_>) -> Result<Object> {
                Ok(Object::new(Tuple::from_vec(self.to_arguments(py)?).into()))
            }
        }
        impl<$($name: ToPython),+> ToArguments for ($($name,)+) {
            fn to_arguments(self, py: &mut Python<'_>) -> Result<Vec<Value>> {
                Ok(vec![$(self.$place.to_python(py)?.value),+])
            }
        }
    )* };
}
tuples! {
    (A.0);
    (A.0, B.1);
    (A.0, B.1, C.2);
    (A.0, B.1, C.2, D.3);
    (A.0, B.1, C.2, D.3, E.4);
    (A.0, B.1, C.2, D.3, E.4, F.5);
}
impl ToArguments for () {
    fn to_arguments(self, _: &mut Python<'_>) -> Result<Vec<Value>> {
        Ok(Vec::new())
    }
}
impl ToArguments for &[Object] {
    fn to_arguments(self, _: &mut Python<'_>) -> Result<Vec<Value>> {
        Ok(self.iter().map(|o| o.value.clone()).collect())
    }
}

fn wrong(object: &Object, wanted: &str) -> Error {
    Error::raise("TypeError", format!("expected {wanted}, not {}", object.class_name()))
}
macro_rules! ints {
    ($($type:ty),*) => { $(impl FromPython for $type {
        fn from_python(object: &Object, py: &mut Python<'_>) -> Result<Self> {
            let index = py.guarded(|th| number::index(th, &object.value))?;
            let fits = index.as_int_ref().and_then(|i| i.to_bigint().try_into().ok());
            let name = stringify!($type);
            fits.ok_or_else(|| Error::raise("OverflowError", format!("int does not fit in {name}")))
        }
    })* };
}
ints!(i8, i16, i32, i64, u8, u16, u32, u64, usize);

impl FromPython for f64 {
    fn from_python(object: &Object, py: &mut Python<'_>) -> Result<Self> {
        py.guarded(|th| number::to_f64(th, &object.value))
    }
}
impl FromPython for bool {
    fn from_python(object: &Object, _: &mut Python<'_>) -> Result<Self> {
        object.value.as_bool().ok_or_else(|| wrong(object, "bool"))
    }
}
/// A `str`; lone surrogates are refused.
impl FromPython for String {
    fn from_python(object: &Object, _: &mut Python<'_>) -> Result<Self> {
        let text = object.value.downcast_ref::<Str>().ok_or_else(|| wrong(object, "str"))?;
        match text.to_utf8() {
            Some(text) => Ok(text.into_owned()),
            None => Err(Error::raise("ValueError", "surrogates are not allowed in Rust text")),
        }
    }
}
impl FromPython for Object {
    fn from_python(object: &Object, _: &mut Python<'_>) -> Result<Self> {
        Ok(object.clone())
    }
}
impl FromPython for () {
    fn from_python(object: &Object, _: &mut Python<'_>) -> Result<Self> {
        if object.is_none() { Ok(()) } else { Err(wrong(object, "None")) }
    }
}
impl<T: FromPython> FromPython for Option<T> {
    fn from_python(object: &Object, py: &mut Python<'_>) -> Result<Self> {
        if object.is_none() { Ok(None) } else { T::from_python(object, py).map(Some) }
    }
}
/// The items of any iterable but `str`.
impl<T: FromPython> FromPython for Vec<T> {
    fn from_python(object: &Object, py: &mut Python<'_>) -> Result<Self> {
        if object.value.downcast_ref::<Str>().is_some() {
            return Err(wrong(object, "an iterable of values"));
        }
        object.items(py)?.iter().map(|item| T::from_python(item, py)).collect()
    }
}
impl<K: FromPython + Ord, V: FromPython> FromPython for BTreeMap<K, V> {
    fn from_python(object: &Object, py: &mut Python<'_>) -> Result<Self> {
        let items = py.guarded(|th| {
            let items = krait_runtime::protocol::attr::get_text(th, &object.value, "items")?;
            call::call(th, &items, &[])
        })?;
        let mut made = BTreeMap::new();
        for pair in Object::new(items).items(py)? {
            let pair = pair.items(py)?;
            let [key, value] = &pair[..] else { return Err(Error::raise("ValueError", "items() are to be pairs")) };
            made.insert(K::from_python(key, py)?, V::from_python(value, py)?);
        }
        Ok(made)
    }
}
