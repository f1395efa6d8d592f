//! Between `Str` objects and slices of code units, and the argument conversions that the methods of `str` share.

use std::borrow::Cow;

use krait_object::{PyResult, Raised, Ref, Str, StrData, Thread, Value};

use crate::errors::{memory_error, type_error, value_error};
use crate::numtext::OutOfMemory;
use crate::protocol::number;
use crate::text::{TextBuf, Unit};

/// Code units that strings are stored in.
pub trait StrUnit: Unit {
    /// The units of a string that is no wider than `Self`.
    fn units(text: &Str) -> Cow<'_, [Self]>;
    /// A string of these code points, in its narrowest kind.
    fn make(units: &[Self]) -> Ref<Str>;
}

impl StrUnit for u8 {
    fn units(text: &Str) -> Cow<'_, [u8]> {
        match text.data() {
            StrData::Ascii(units) | StrData::Latin1(units) => Cow::Borrowed(units),
            _ => unreachable!("the caller has compared the widths"),
        }
    }
    fn make(units: &[u8]) -> Ref<Str> {
        match units {
            [] => Str::empty(),
            [one] => Str::from_point(u32::from(*one)),
            _ => Str::from_latin1(units),
        }
    }
}

impl StrUnit for u16 {
    fn units(text: &Str) -> Cow<'_, [u16]> {
        match text.data() {
            StrData::Ascii(units) | StrData::Latin1(units) => Cow::Owned(units.iter().map(|&u| u.into()).collect()),
            StrData::Ucs2(units) => Cow::Borrowed(units),
            StrData::Ucs4(_) => unreachable!("the caller has compared the widths"),
        }
    }
    fn make(units: &[u16]) -> Ref<Str> {
        match units {
            [] => Str::empty(),
            [one] => Str::from_point(u32::from(*one)),
            _ => Str::from_ucs2(units),
        }
    }
}

impl StrUnit for u32 {
    fn units(text: &Str) -> Cow<'_, [u32]> {
        match text.data() {
            StrData::Ascii(units) | StrData::Latin1(units) => Cow::Owned(units.iter().map(|&u| u.into()).collect()),
            StrData::Ucs2(units) => Cow::Owned(units.iter().map(|&u| u.into()).collect()),
            StrData::Ucs4(units) => Cow::Borrowed(units),
        }
    }
    fn make(units: &[u32]) -> Ref<Str> {
        match units {
            [] => Str::empty(),
            [one] => Str::from_point(*one),
            _ => Str::from_points(units),
        }
    }
}

/// Calls a function generic in [`StrUnit`] for a width in bytes: `by_width!(text.kind().width(), find(text, …))`.
macro_rules! by_width {
    ($width:expr, $function:ident($($argument:expr),* $(,)?)) => {
        match $width {
            1 => $function::<u8>($($argument),*),
            2 => $function::<u16>($($argument),*),
            _ => $function::<u32>($($argument),*),
        }
    };
}
pub(crate) use by_width;

/// Runs an expression with the code units of a string bound to a name, whatever their width.
macro_rules! with_units {
    ($text:expr, |$units:ident| $body:expr) => {
        match $text.data() {
            ::krait_object::StrData::Ascii($units) | ::krait_object::StrData::Latin1($units) => $body,
            ::krait_object::StrData::Ucs2($units) => $body,
            ::krait_object::StrData::Ucs4($units) => $body,
        }
    };
}
pub(crate) use with_units;

/// Turns a lack of memory into MemoryError.
pub fn fit<T>(th: &mut Thread, result: Result<T, OutOfMemory>) -> PyResult<T> {
    result.map_err(|OutOfMemory| memory_error(th))
}

/// The string of a finished buffer.
pub fn from_buffer(buffer: &TextBuf) -> Ref<Str> {
    match buffer {
        TextBuf::One(units) => u8::make(units),
        TextBuf::Two(units) => u16::make(units),
        TextBuf::Four(units) => u32::make(units),
    }
}

/// Appends a whole string.
pub fn push(buffer: &mut TextBuf, text: &Str) -> Result<(), OutOfMemory> {
    with_units!(text, |units| buffer.push_units(units))
}

/// Appends the code points `start..end`.
pub fn push_range(buffer: &mut TextBuf, text: &Str, start: usize, end: usize) -> Result<(), OutOfMemory> {
    with_units!(text, |units| buffer.push_units(&units[start..end]))
}

/// The string itself, as an exact `str`.
pub fn exact(value: &Value, text: &Str) -> Value {
    if value.is_exact(&krait_object::builtin_types::STR) { value.clone() } else { text.slice(0, text.len()).into() }
}

/// The type's name as clinic's messages show it: `None` for None.
pub fn shown_type(value: &Value) -> String {
    if value.is_none() { "None".into() } else { value.class().name().to_string() }
}

/// A string argument: `find() argument 1 must be str, not int`.
pub fn str_arg<'a>(th: &mut Thread, value: &'a Value, what: &str) -> PyResult<&'a Str> {
    match value.downcast_ref::<Str>() {
        Some(text) => Ok(text),
        None => Err(type_error(th, format!("{what} must be str, not {}", shown_type(value)))),
    }
}

/// A bound of `find` and its kin: None, or anything with `__index__`, clamped to a machine word.
fn bound(th: &mut Thread, value: Option<&Value>, default: isize) -> PyResult<isize> {
    let Some(value) = value.filter(|v| !v.is_none()) else { return Ok(default) };
    if let Some(small) = value.as_int() {
        return Ok(small as isize);
    }
    if value.as_int_ref().is_none() && !value.class().slots.index.is_set() {
        return Err(type_error(th, "slice indices must be integers or None or have an __index__ method"));
    }
    number::index_clamped(th, value)
}

/// The bounds as they are, for a length known later: negative ones still count from the end.
pub fn raw_bounds(th: &mut Thread, start: Option<&Value>, end: Option<&Value>) -> PyResult<(isize, isize)> {
    Ok((bound(th, start, 0)?, bound(th, end, isize::MAX)?))
}

/// Clamps bounds to a length. The start may still lie behind the end, or behind the text.
pub fn clamp_bounds((start, end): (isize, isize), len: usize) -> (usize, usize) {
    let len = len as isize;
    let clamp = |at: isize| if at < 0 { (at + len).max(0) } else { at };
    (clamp(start) as usize, clamp(end.min(len)) as usize)
}

/// A count such as `maxsplit`: negative means no limit.
pub fn limit(th: &mut Thread, value: Option<&Value>) -> PyResult<usize> {
    match value {
        None => Ok(usize::MAX),
        Some(value) => Ok(usize::try_from(size(th, value)?).unwrap_or(usize::MAX)),
    }
}

/// An argument that is a C `ssize_t`.
pub fn size(th: &mut Thread, value: &Value) -> PyResult<isize> {
    if let Some(small) = value.as_int() {
        return Ok(small as isize);
    }
    let value = number::index(th, value)?;
    match value.as_int_ref().and_then(|i| i.to_i64()) {
        Some(size) => Ok(size as isize),
        None => Err(crate::errors::overflow_error(th, "Python int too large to convert to C ssize_t")),
    }
}

/// Why an operation on text failed: an exception is in flight, or the memory did not suffice.
#[derive(Debug)]
pub enum Failure {
    Raised(Raised),
    Memory,
}
impl From<OutOfMemory> for Failure {
    fn from(_: OutOfMemory) -> Failure {
        Failure::Memory
    }
}
impl From<Raised> for Failure {
    fn from(raised: Raised) -> Failure {
        Failure::Raised(raised)
    }
}
impl Failure {
    pub fn raise(self, th: &mut Thread) -> Raised {
        match self {
            Failure::Raised(raised) => raised,
            Failure::Memory => memory_error(th),
        }
    }
}

/// A string argument as Rust text without NUL, as clinic's `str` converter (`const char *`) takes it.
pub fn c_string(th: &mut Thread, value: &Value, what: &str) -> PyResult<String> {
    let text = str_arg(th, value, what)?;
    let Some(utf8) = text.to_utf8() else {
        let at = text.iter().position(|c| (0xD800..0xE000).contains(&c)).unwrap_or(0);
        let object = value.clone();
        return Err(crate::errors::unicode_encode_error(th, "utf-8", object, at, at + 1, "surrogates not allowed"));
    };
    if utf8.contains('\0') {
        return Err(value_error(th, "embedded null character"));
    }
    Ok(utf8.into_owned())
}
