//! The error handlers of the codecs at work: the standard ones without a detour through Python, others called with the
//! exception object. CPython counterparts: `unicode_decode_call_errorhandler_*`, `unicode_encode_call_errorhandler`.

use krait_object::{Bytes, PyResult, Raised, Str, Thread, Tuple, Value};

use super::registry;
use crate::errors::{index_error, type_error};
use crate::exceptions as exc;
use crate::protocol::{call, number};
use crate::text::TextBuf;
use crate::text::codec::handlers::{
    PassEncoding, Standard, backslash_bytes, backslash_text, escape_surrogates, escaped_bytes, name_escapes,
    xml_references,
};
use crate::text::codec::{DecodeErrors, EncodeErrors, Encoded, Replacement};
use crate::types::str::units::{Failure, push};

/// A handler by name, looked up when it is first needed.
struct Chosen<'a> {
    name: &'a str,
    standard: Option<Standard>,
    custom: Option<Value>,
}

impl<'a> Chosen<'a> {
    fn new(errors: Option<&'a str>) -> Chosen<'a> {
        let name = errors.unwrap_or("strict");
        Chosen { name, standard: Standard::from_name(name), custom: None }
    }

    /// Calls the registered handler: its replacement and where to go on, still relative to `len`.
    fn call(&mut self, th: &mut Thread, exception: &Value, wanted: &str) -> PyResult<(Value, isize)> {
        let handler = match &self.custom {
            Some(handler) => handler.clone(),
            None => {
                let found = registry::lookup_error(th, self.name)?;
                self.custom = Some(found.clone());
                found
            }
        };
        let answer = call::call(th, &handler, std::slice::from_ref(exception))?;
        let parts = answer.downcast_ref::<Tuple>().filter(|parts| parts.len() == 2);
        let Some(parts) = parts else { return Err(type_error(th, wanted)) };
        if !number::has_index(&parts[1]) {
            return Err(type_error(th, wanted));
        }
        let position = number::to_isize(th, &parts[1])?;
        Ok((parts[0].clone(), position))
    }
}

fn position_within(th: &mut Thread, position: isize, len: usize) -> PyResult<usize> {
    let at = if position < 0 { position + len as isize } else { position };
    match usize::try_from(at).ok().filter(|&at| at <= len) {
        Some(at) => Ok(at),
        None => Err(index_error(th, format!("position {at} from error handler out of bounds"))),
    }
}

/// The decoding handler in use.
pub struct DecodeWith<'a> {
    pub th: &'a mut Thread,
    chosen: Chosen<'a>,
    /// The bytes object that exceptions show; made from the input when there is none.
    object: Option<Value>,
}

impl<'a> DecodeWith<'a> {
    pub fn new(th: &'a mut Thread, object: Option<&Value>, errors: Option<&'a str>) -> DecodeWith<'a> {
        DecodeWith { th, chosen: Chosen::new(errors), object: object.cloned() }
    }

    fn exception(&mut self, encoding: &str, input: &[u8], start: usize, end: usize, reason: &str) -> Value {
        let object = self.object.get_or_insert_with(|| Bytes::new(input).into()).clone();
        exc::unicode::new_decode_error(encoding, object, start as isize, end as isize, reason)
    }

    fn custom(&mut self, exception: &Value, len: usize) -> PyResult<Replacement> {
        const WANTED: &str = "decoding error handler must return (str, int) tuple";
        let (answer, position) = self.chosen.call(self.th, exception, WANTED)?;
        let Some(text) = answer.downcast_ref::<Str>() else { return Err(type_error(self.th, WANTED)) };
        let object = exception.downcast_ref::<exc::UnicodeDecodeError>().and_then(|e| e.object.get());
        let changed = object.filter(|object| self.object.as_ref().is_none_or(|held| !held.is(object)));
        let input = match &changed {
            None => None,
            Some(object) => match object.downcast_ref::<Bytes>() {
                Some(bytes) => Some(bytes.to_vec()),
                None => return Err(type_error(self.th, "object attribute must be bytes")),
            },
        };
        if changed.is_some() {
            self.object = changed;
        }
        let position = position_within(self.th, position, input.as_ref().map_or(len, Vec::len))?;
        let mut buffer = TextBuf::new();
        let pushed = push(&mut buffer, text);
        crate::types::str::units::fit(self.th, pushed)?;
        Ok(Replacement { text: buffer, position, input })
    }
}

impl DecodeErrors for DecodeWith<'_> {
    type Error = Failure;

    fn handle(
        &mut self,
        encoding: &str,
        input: &[u8],
        start: usize,
        end: usize,
        reason: &str,
    ) -> Result<Replacement, Failure> {
        let bad = &input[start..end];
        let mut position = end;
        let text = match self.chosen.standard {
            Some(Standard::Ignore) => Some(TextBuf::new()),
            Some(Standard::Replace) => Some(TextBuf::from("\u{FFFD}")),
            Some(Standard::BackslashReplace) => Some(TextBuf::from(backslash_bytes(bad).as_str())),
            Some(Standard::SurrogateEscape) => match escape_surrogates(bad) {
                Some(codes) => {
                    position = start + codes.len();
                    let mut text = TextBuf::new();
                    text.push_units(&codes)?;
                    Some(text)
                }
                None => None,
            },
            Some(Standard::SurrogatePass) => {
                let found = PassEncoding::from_name(encoding).and_then(|encoding| encoding.decode(&input[start..]));
                match found {
                    Some((code, len)) => {
                        position = start + len;
                        let mut text = TextBuf::new();
                        text.push(code)?;
                        Some(text)
                    }
                    None => None,
                }
            }
            Some(Standard::Strict) => None,
            Some(Standard::XmlCharRefReplace | Standard::NameReplace) | None => {
                let exception = self.exception(encoding, input, start, end, reason);
                return Ok(self.custom(&exception, input.len())?);
            }
        };
        match text {
            Some(text) => Ok(Replacement { text, position, input: None }),
            None => {
                let exception = self.exception(encoding, input, start, end, reason);
                Err(crate::errors::raise_value(self.th, exception).into())
            }
        }
    }
}

/// The encoding handler in use.
pub struct EncodeWith<'a> {
    pub th: &'a mut Thread,
    chosen: Chosen<'a>,
    text: Value,
}

impl<'a> EncodeWith<'a> {
    pub fn new(th: &'a mut Thread, text: &Value, errors: Option<&'a str>) -> EncodeWith<'a> {
        EncodeWith { th, chosen: Chosen::new(errors), text: text.clone() }
    }

    fn len(&self) -> usize {
        self.text.downcast_ref::<Str>().map_or(0, Str::len)
    }

    fn codes(&self, start: usize, end: usize) -> Vec<u32> {
        let text = self.text.downcast_ref::<Str>();
        text.map_or_else(Vec::new, |text| (start..end).filter_map(|i| text.get(i)).collect())
    }

    fn custom(&mut self, exception: &Value) -> PyResult<(Encoded, usize)> {
        const WANTED: &str = "encoding error handler must return (str/bytes, int) tuple";
        let (answer, position) = self.chosen.call(self.th, exception, WANTED)?;
        let encoded = if let Some(text) = answer.downcast_ref::<Str>() {
            Encoded::Text(text.iter().collect())
        } else if let Some(bytes) = answer.downcast_ref::<Bytes>() {
            Encoded::Bytes(bytes.to_vec())
        } else {
            return Err(type_error(self.th, WANTED));
        };
        let len = self.len();
        Ok((encoded, position_within(self.th, position, len)?))
    }

    fn raise(&mut self, encoding: &str, start: usize, end: usize, reason: &str) -> Raised {
        let text = self.text.clone();
        crate::errors::unicode_encode_error(self.th, encoding, text, start, end, reason)
    }
}

fn text(s: &str) -> Encoded {
    Encoded::Text(s.chars().map(u32::from).collect())
}

impl EncodeErrors for EncodeWith<'_> {
    type Error = Failure;

    fn handle(&mut self, encoding: &str, start: usize, end: usize, reason: &str) -> Result<(Encoded, usize), Failure> {
        let Some(standard) = self.chosen.standard else {
            let object = self.text.clone();
            let exception = exc::unicode::new_encode_error(encoding, object, start as isize, end as isize, reason);
            return Ok(self.custom(&exception)?);
        };
        let codes = self.codes(start, end);
        let answer = match standard {
            Standard::Strict => None,
            Standard::Ignore => Some((Encoded::Bytes(Vec::new()), end)),
            Standard::Replace => Some((Encoded::Text(vec![0x3F; end - start]), end)),
            Standard::BackslashReplace => Some((text(&backslash_text(&codes)), end)),
            Standard::XmlCharRefReplace => Some((text(&xml_references(&codes)), end)),
            Standard::NameReplace => Some((text(&name_escapes(&codes)), end)),
            Standard::SurrogateEscape => {
                let bytes = escaped_bytes(&codes);
                let next = start + bytes.len();
                (next > start).then_some((Encoded::Bytes(bytes), next))
            }
            Standard::SurrogatePass => PassEncoding::from_name(encoding)
                .and_then(|encoding| encoding.encode(&codes))
                .map(|bytes| (Encoded::Bytes(bytes), end)),
        };
        answer.ok_or_else(|| self.raise(encoding, start, end, reason).into())
    }

    fn fail(&mut self, encoding: &str, start: usize, end: usize, reason: &str) -> Failure {
        self.raise(encoding, start, end, reason).into()
    }
}
