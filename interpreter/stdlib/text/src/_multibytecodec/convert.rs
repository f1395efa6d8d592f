//! Whole conversions: an encoding's steps, and the error handlers between them.

use krait_object::{Bytes, PyResult, Str, Thread, Tuple, Value};
use krait_runtime::codecs::registry;
use krait_runtime::convert::wrong_type;
use krait_runtime::errors::{index_error, raise_value, suppress, type_error, value_error};
use krait_runtime::exceptions::{OVERFLOW_ERROR, unicode};
use krait_runtime::protocol::{call, number};

use super::coding::{Encoding, Rest, State, Step};

const ILLEGAL: &str = "illegal multibyte sequence";
const INCOMPLETE: &str = "incomplete multibyte sequence";

/// What to do about errors.
#[derive(Clone)]
pub enum Errors {
    Strict,
    Ignore,
    Replace,
    Named(Box<str>),
}

impl Errors {
    pub fn from_name(name: &str) -> Errors {
        match name {
            "strict" => Errors::Strict,
            "ignore" => Errors::Ignore,
            "replace" => Errors::Replace,
            name => Errors::Named(name.into()),
        }
    }

    /// An `errors` argument of a function, which may be left out or None.
    pub fn from_argument(th: &mut Thread, value: Option<&Value>, function: &str) -> PyResult<Errors> {
        let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(Errors::Strict) };
        let Some(text) = value.downcast_ref::<Str>() else {
            return Err(wrong_type(th, function, "argument 'errors'", "str or None", value));
        };
        let name = text.to_string_lossy();
        if name.contains('\0') {
            return Err(value_error(th, "embedded null character"));
        }
        Ok(Errors::from_name(&name))
    }

    pub fn name(&self) -> &str {
        match self {
            Errors::Strict => "strict",
            Errors::Ignore => "ignore",
            Errors::Replace => "replace",
            Errors::Named(name) => name,
        }
    }

    /// Calls the handler, or raises the exception: the replacement, and where to go on in an input of that length.
    fn handle(&self, th: &mut Thread, exception: Value, len: usize, bytes: bool) -> PyResult<(Value, usize)> {
        let Errors::Named(name) = self else { return Err(raise_value(th, exception)) };
        let handler = registry::lookup_error(th, name)?;
        let answer = call::call(th, &handler, &[exception])?;
        let parts = answer.downcast_ref::<Tuple>().filter(|parts| {
            let replaces =
                |v: &Value| v.downcast_ref::<Str>().is_some() || bytes && v.downcast_ref::<Bytes>().is_some();
            parts.len() == 2 && replaces(&parts[0]) && parts[1].as_int_ref().is_some()
        });
        let Some(parts) = parts else {
            let coding = if bytes { "encoding" } else { "decoding" };
            return Err(type_error(th, format!("{coding} error handler must return (str, int) tuple")));
        };
        let position = number::to_isize(th, &parts[1]);
        let position = match suppress(th, position, &OVERFLOW_ERROR)? {
            Some(position) if position < 0 => position + len as isize,
            Some(position) => position,
            None => -1,
        };
        match usize::try_from(position).ok().filter(|&position| position <= len) {
            Some(place) => Ok((parts[0].clone(), place)),
            None => Err(index_error(th, format!("position {position} from error handler out of bounds"))),
        }
    }
}

/// Whether more text follows later, and whether the state goes back to the start afterwards.
#[derive(Clone, Copy)]
pub struct Ending {
    pub flush: bool,
    pub reset: bool,
}
pub const WHOLE: Ending = Ending { flush: true, reset: true };

/// An encoding with its error handling.
pub struct Conversion<'a> {
    pub encoding: &'static Encoding,
    pub errors: &'a Errors,
}

impl Conversion<'_> {
    /// Encodes a `str`: the bytes, and how many characters are done.
    pub fn encode(
        &self,
        th: &mut Thread,
        state: &mut State,
        text: &Value,
        ending: Ending,
    ) -> PyResult<(Vec<u8>, usize)> {
        let points: Vec<u32> = text.downcast_ref::<Str>().map_or_else(Vec::new, |text| text.iter().collect());
        let mut out = Vec::with_capacity(points.len() * 2);
        let mut at = 0;
        while at < points.len() {
            let rest = Rest { text: &points[at..], flush: ending.flush };
            match self.encoding.encode(state, rest, &mut out) {
                Step::Took(count) => at += count,
                Step::TooFew if !ending.flush => break,
                Step::TooFew => {
                    at = self.encode_error(th, state, text, (at, points.len()), INCOMPLETE, &mut out)?;
                    break;
                }
                Step::Bad(count) => {
                    let end = (at + count).min(points.len());
                    at = self.encode_error(th, state, text, (at, end), ILLEGAL, &mut out)?;
                }
            }
        }
        if ending.reset {
            self.encoding.encode_end(state, &mut out);
        }
        Ok((out, at))
    }

    /// Where to go on.
    fn encode_error(
        &self,
        th: &mut Thread,
        state: &mut State,
        text: &Value,
        (start, end): (usize, usize),
        reason: &str,
        out: &mut Vec<u8>,
    ) -> PyResult<usize> {
        match self.errors {
            Errors::Ignore => return Ok(end),
            Errors::Replace => {
                let mark = Rest { text: &[b'?'.into()], flush: false };
                if !matches!(self.encoding.encode(state, mark, out), Step::Took(_)) {
                    out.push(b'?');
                }
                return Ok(end);
            }
            _ => {}
        }
        let name = self.encoding.name;
        let exception = unicode::new_encode_error(name, text.clone(), start as isize, end as isize, reason);
        let len = text.downcast_ref::<Str>().map_or(0, |text| text.len());
        let (replacement, place) = self.errors.handle(th, exception, len, true)?;
        match replacement.downcast_ref::<Bytes>() {
            Some(bytes) => out.extend(bytes.as_slice()),
            None => {
                let strict = Conversion { encoding: self.encoding, errors: &Errors::Strict };
                let ending = Ending { flush: true, reset: false };
                out.extend(strict.encode(th, state, &replacement, ending)?.0);
            }
        }
        Ok(place)
    }

    /// Decodes bytes: appends the text and answers how many bytes are done. What is incomplete at the end is an error
    /// if `whole`, else it is left.
    pub fn decode(
        &self,
        th: &mut Thread,
        state: &mut State,
        data: &[u8],
        whole: bool,
        out: &mut Vec<u32>,
    ) -> PyResult<usize> {
        let mut at = 0;
        while at < data.len() {
            match self.encoding.decode(state, &data[at..], out) {
                Step::Took(count) => at += count,
                Step::TooFew if !whole => break,
                Step::TooFew => at = self.decode_error(th, data, (at, data.len()), INCOMPLETE, out)?,
                Step::Bad(count) => {
                    let end = (at + count).min(data.len());
                    at = self.decode_error(th, data, (at, end), ILLEGAL, out)?;
                }
            }
        }
        Ok(at)
    }

    pub fn incomplete(&self, th: &mut Thread, data: &[u8], at: usize, out: &mut Vec<u32>) -> PyResult<usize> {
        self.decode_error(th, data, (at, data.len()), INCOMPLETE, out)
    }

    fn decode_error(
        &self,
        th: &mut Thread,
        data: &[u8],
        (start, end): (usize, usize),
        reason: &str,
        out: &mut Vec<u32>,
    ) -> PyResult<usize> {
        match self.errors {
            Errors::Ignore => return Ok(end),
            Errors::Replace => {
                out.push(0xFFFD);
                return Ok(end);
            }
            _ => {}
        }
        let object = Bytes::new(data).into();
        let exception = unicode::new_decode_error(self.encoding.name, object, start as isize, end as isize, reason);
        let (replacement, place) = self.errors.handle(th, exception, data.len(), false)?;
        if let Some(text) = replacement.downcast_ref::<Str>() {
            out.extend(text.iter());
        }
        Ok(place)
    }
}

/// The text to encode: any object counts as what `str()` makes of it.
pub fn text_of(th: &mut Thread, value: &Value) -> PyResult<Value> {
    if value.downcast_ref::<Str>().is_some() {
        return Ok(value.clone());
    }
    Ok(krait_runtime::protocol::repr::str(th, value)?.into())
}
