//! [`Object`]: a Python value held by Rust code.
use std::marker::PhantomData;

use krait_object::{Str, Value};
use krait_runtime::protocol::{attr, call, compare, iter, repr, sequence};

use crate::convert::{FromPython, ToPython};
use crate::error::Result;
use crate::python::Python;

/// A Python value. Cloning counts a reference. It stays on the thread that its interpreter runs on.
#[derive(Clone, Debug)]
pub struct Object {
    pub(crate) value: Value,
    on_one_thread: PhantomData<*const ()>,
}

impl Object {
    pub(crate) fn new(value: Value) -> Object {
        Object { value, on_one_thread: PhantomData }
    }
    /// `None`.
    pub fn none() -> Object {
        Object::new(Value::NONE)
    }
    pub fn is_none(&self) -> bool {
        self.value.is_none()
    }
    /// Python's `is`.
    pub fn is(&self, other: &Object) -> bool {
        self.value.is(&other.value)
    }
    /// The name of the value's class.
    pub fn class_name(&self) -> String {
        self.value.class().name().to_string()
    }
    /// The value as a Rust type; TypeError where it is something else, OverflowError where it does not fit.
    pub fn extract<T: FromPython>(&self, py: &mut Python<'_>) -> Result<T> {
        T::from_python(self, py)
    }
    /// `self.name`
    pub fn attr(&self, py: &mut Python<'_>, name: &str) -> Result<Object> {
        py.guarded(|th| attr::get_text(th, &self.value, name)).map(Object::new)
    }
    /// `self.name = value`
    pub fn set_attr(&self, py: &mut Python<'_>, name: &str, value: impl ToPython) -> Result<()> {
        let value = value.to_python(py)?;
        py.guarded(|th| attr::set_text(th, &self.value, name, &value.value))
    }
    /// `self[key]`
    pub fn item(&self, py: &mut Python<'_>, key: impl ToPython) -> Result<Object> {
        let key = key.to_python(py)?;
        py.guarded(|th| sequence::get_item(th, &self.value, &key.value)).map(Object::new)
    }
    /// `self(*args)`
    ///
    /// ```standalone_crate
    /// # fn main() -> Result<(), krait_embed::Error> {
    /// # let mut interpreter = krait_embed::Interpreter::new()?;
    /// # let mut py = interpreter.python();
    /// let join = py.import("os.path")?.attr(&mut py, "join")?;
    /// let path: String = join.call(&mut py, ("a", "b"))?.extract(&mut py)?;
    /// assert_eq!(path, "a/b");
    /// # Ok(())
    /// # }
    /// ```
    pub fn call(&self, py: &mut Python<'_>, args: impl crate::convert::ToArguments) -> Result<Object> {
        let args = args.to_arguments(py)?;
        py.guarded(|th| call::call(th, &self.value, &args)).map(Object::new)
    }
    /// `self.name(*args)`
    pub fn call_method(
        &self,
        py: &mut Python<'_>,
        name: &str,
        args: impl crate::convert::ToArguments,
    ) -> Result<Object> {
        let args = args.to_arguments(py)?;
        py.guarded(|th| attr::call_method(th, &self.value, name, &args)).map(Object::new)
    }
    /// The items of any iterable.
    pub fn items(&self, py: &mut Python<'_>) -> Result<Vec<Object>> {
        let items = py.guarded(|th| iter::collect(th, &self.value))?;
        Ok(items.into_iter().map(Object::new).collect())
    }
    /// `bool(self)`
    pub fn truth(&self, py: &mut Python<'_>) -> Result<bool> {
        py.guarded(|th| compare::truth(th, &self.value))
    }
    /// `repr(self)`; what is no Unicode becomes U+FFFD.
    pub fn repr(&self, py: &mut Python<'_>) -> Result<String> {
        py.guarded(|th| repr::repr(th, &self.value)).map(|s| s.to_string_lossy().into_owned())
    }
    /// `str(self)`; what is no Unicode becomes U+FFFD.
    pub fn text(&self, py: &mut Python<'_>) -> Result<String> {
        if let Some(s) = self.value.downcast_exact::<Str>() {
            return Ok(s.to_string_lossy().into_owned());
        }
        py.guarded(|th| repr::str(th, &self.value)).map(|s| s.to_string_lossy().into_owned())
    }
}
