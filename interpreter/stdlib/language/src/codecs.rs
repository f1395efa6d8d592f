//! Source encodings that the front end does not know, through Python's codec registry.
use std::cell::RefCell;

use krait_object::{Bytes, Str, Thread, Value};
use krait_runtime::errors;
use krait_runtime::exceptions as exc;
use krait_runtime::protocol::{attr, repr};
use krait_syntax::{CodecHook, SyntaxError};

/// The registry, for the time of one parse.
pub struct Codecs<'a> {
    th: RefCell<&'a mut Thread>,
}
impl<'a> Codecs<'a> {
    pub fn new(th: &'a mut Thread) -> Self {
        Codecs { th: RefCell::new(th) }
    }
}
impl CodecHook for Codecs<'_> {
    fn decode(&self, encoding: &str, bytes: &[u8]) -> Result<Option<String>, SyntaxError> {
        let th: &mut Thread = &mut self.th.borrow_mut();
        let source = Value::from(Bytes::new(bytes));
        match attr::call_method(th, &source, "decode", &[Value::str(encoding)]) {
            Ok(v) => Ok(v.downcast_ref::<Str>().map(|s| s.to_string_lossy().into_owned())),
            Err(raised) => {
                let e = errors::take(th, raised);
                if e.is_instance(&exc::LOOKUP_ERROR) {
                    return Ok(None);
                }
                let message = match repr::str(th, &e) {
                    Ok(text) => text.to_string(),
                    Err(raised) => {
                        drop(errors::take(th, raised));
                        String::new()
                    }
                };
                Err(SyntaxError::nowhere(message))
            }
        }
    }
}
