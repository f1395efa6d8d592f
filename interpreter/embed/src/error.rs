//! [`Error`]: a Python exception in Rust's hands, or one that Rust code wants raised.
use std::fmt;

use krait_object::{Raised, Thread, Type, Value};
use krait_runtime::exceptions;
use krait_runtime::protocol::{call, repr};
use krait_runtime::{errors, functions};

use crate::object::Object;
use crate::python::Python;

pub type Result<T> = std::result::Result<T, Error>;

/// A Python exception. `Display` shows it as the last line of a traceback.
#[derive(Clone, Debug)]
pub struct Error {
    /// `None`: made by Rust code and not raised yet, or there is no interpreter that could raise it.
    exception: Option<Object>,
    /// Its class and that class's bases, by name.
    classes: Vec<String>,
    message: String,
}

impl Error {
    /// An exception of a builtin class for a Rust function to return.
    ///
    /// ```standalone_crate
    /// # fn main() -> Result<(), krait_embed::Error> {
    /// # let mut interpreter = krait_embed::Interpreter::new()?;
    /// # let mut py = interpreter.python();
    /// let fail = py.function("fail", |_, _| -> Result<(), _> {
    ///     Err(krait_embed::Error::raise("LookupError", "no such thing"))
    /// });
    /// py.set_global("fail", fail)?;
    /// py.run("try:\n    fail()\nexcept LookupError as e:\n    said = str(e)")?;
    /// assert_eq!(py.eval("said")?.extract::<String>(&mut py)?, "no such thing");
    /// # Ok(())
    /// # }
    /// ```
    pub fn raise(class: &str, message: impl Into<String>) -> Error {
        Error { exception: None, classes: vec![class.to_owned()], message: message.into() }
    }
    /// Takes the exception in flight.
    pub(crate) fn take(th: &mut Thread, raised: Raised) -> Error {
        let exception = errors::take(th, raised);
        let classes = exception.class().mro().map_or_else(Vec::new, |mro| {
            mro.iter().filter_map(|c| c.downcast_ref::<Type>()).map(|c| c.name().to_string()).collect()
        });
        let message = match repr::str(th, &exception) {
            Ok(text) => text.to_string_lossy().into_owned(),
            Err(raised) => {
                drop(errors::take(th, raised));
                "<exception str() failed>".to_owned()
            }
        };
        Error { exception: Some(Object::new(exception)), classes, message }
    }
    /// Puts the exception in flight.
    pub(crate) fn put(self, th: &mut Thread) -> Raised {
        if let Some(exception) = self.exception {
            return errors::raise_value(th, exception.value);
        }
        let class = self.classes.first().map_or("RuntimeError", String::as_str);
        let made = functions::builtin(th, class)
            .and_then(|class| call::call(th, &class, &[Value::str(&self.message)]))
            .map(|made| if made.is_instance(&exceptions::BASE_EXCEPTION) { Some(made) } else { None });
        match made {
            Ok(Some(exception)) => errors::raise_value(th, exception),
            Ok(None) => errors::type_error(th, format!("{class} is no exception class")),
            Err(raised) => raised,
        }
    }
    /// Whether the exception is an instance of the class with this name.
    pub fn is(&self, class: &str) -> bool {
        self.classes.iter().any(|c| c == class)
    }
    /// The name of the exception's class.
    pub fn class_name(&self) -> &str {
        self.classes.first().map_or("", String::as_str)
    }
    /// `str(exception)`
    pub fn message(&self) -> &str {
        &self.message
    }
    /// The exception object, if it was raised.
    pub fn exception(&self) -> Option<&Object> {
        self.exception.as_ref()
    }
    /// The whole traceback, as Python prints it.
    pub fn traceback(&self, py: &mut Python<'_>) -> Result<String> {
        let Some(exception) = &self.exception else { return Ok(format!("{self}\n")) };
        let format = py.import("traceback")?.attr(py, "format_exception")?;
        let lines: Vec<String> = format.call(py, (exception.clone(),))?.extract(py)?;
        Ok(lines.concat())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.class_name())?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}
impl std::error::Error for Error {}
