//! `str.format`, `str.format_map`, `str.__format__` and the parsers that `_string` shows.
//! CPython counterpart: `Objects/stringlib/unicode_format.h`.

use krait_object::{Args, Dict, PyResult, Raised, Str, Thread, Tuple, Value};

use super::units::{fit, from_buffer, push, with_units};
use crate::errors::{index_error, key_error, overflow_error, raise_value, type_error, value_error};
use crate::exceptions::VALUE_ERROR;
use crate::numtext::spec::FormatError;
use crate::numtext::spec_format::format_str;
use crate::protocol::{attr, repr, sequence};
use crate::text::TextBuf;
use crate::unicode::decimal;

/// One step of a format string: literal text, then a field unless the string or an escaped brace ended it.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    pub literal: &'a [u32],
    pub field: Option<Field<'a>>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Field<'a> {
    pub name: &'a [u32],
    pub conversion: Option<u32>,
    pub spec: &'a [u32],
    /// The spec has fields of its own.
    pub nested: bool,
}

/// Splits a format string into pieces; an error is a ValueError's message.
pub struct Pieces<'a> {
    text: &'a [u32],
    at: usize,
}

const OPEN: u32 = 0x7B;
const CLOSE: u32 = 0x7D;

impl<'a> Pieces<'a> {
    pub fn new(text: &'a [u32]) -> Pieces<'a> {
        Pieces { text, at: 0 }
    }

    /// Goes on where another iterator over the same text stopped.
    pub fn resume(text: &'a [u32], at: usize) -> Pieces<'a> {
        Pieces { text, at }
    }

    pub fn position(&self) -> usize {
        self.at
    }

    fn take(&mut self) -> Option<u32> {
        let code = *self.text.get(self.at)?;
        self.at += 1;
        Some(code)
    }

    pub fn next_piece(&mut self) -> Result<Option<Piece<'a>>, &'static str> {
        let start = self.at;
        if start >= self.text.len() {
            return Ok(None);
        }
        let brace = loop {
            match self.take() {
                None => return Ok(Some(Piece { literal: &self.text[start..], field: None })),
                Some(code @ (OPEN | CLOSE)) => break code,
                Some(_) => {}
            }
        };
        let literal = &self.text[start..self.at - 1];
        let next = self.text.get(self.at).copied();
        if brace == CLOSE && next != Some(CLOSE) {
            return Err("Single '}' encountered in format string");
        }
        if brace == OPEN && next.is_none() {
            return Err("Single '{' encountered in format string");
        }
        if next == Some(brace) {
            let literal = &self.text[start..self.at];
            self.at += 1;
            return Ok(Some(Piece { literal, field: None }));
        }
        Ok(Some(Piece { literal, field: Some(self.field()?) }))
    }

    fn field(&mut self) -> Result<Field<'a>, &'static str> {
        let start = self.at;
        let end = loop {
            match self.take().and_then(char::from_u32) {
                Some('{') => return Err("unexpected '{' in field name"),
                Some('[') => {
                    let rest = &self.text[self.at..];
                    self.at += rest.iter().position(|&c| c == 0x5D).unwrap_or(rest.len());
                }
                Some(end @ ('}' | ':' | '!')) => break end,
                None if self.at >= self.text.len() => return Err("expected '}' before end of string"),
                _ => {}
            }
        };
        let name = &self.text[start..self.at - 1];
        let mut field = Field { name, conversion: None, spec: &[], nested: false };
        if end == '}' {
            return Ok(field);
        }
        if end == '!' {
            field.conversion = Some(self.take().ok_or("end of string while looking for conversion specifier")?);
            match self.take() {
                Some(CLOSE) => return Ok(field),
                Some(0x3A) | None => {}
                Some(_) => return Err("expected ':' after conversion specifier"),
            }
        }
        let spec_start = self.at;
        let mut depth = 1;
        while let Some(code) = self.take() {
            match code {
                OPEN => {
                    field.nested = true;
                    depth += 1;
                }
                CLOSE => {
                    depth -= 1;
                    if depth == 0 {
                        field.spec = &self.text[spec_start..self.at - 1];
                        return Ok(field);
                    }
                }
                _ => {}
            }
        }
        Err("unmatched '{' in format spec")
    }
}

/// The first part of a field name, or an index in an accessor.
#[derive(Debug, PartialEq, Eq)]
pub enum Key<'a> {
    Index(usize),
    Name(&'a [u32]),
}

const TOO_MANY_DIGITS: &str = "Too many decimal digits in format string";

/// A number in decimal digits of any script, or the text itself.
fn key(text: &[u32]) -> Result<Key<'_>, &'static str> {
    let mut value = 0usize;
    for &code in text {
        let Some(digit) = decimal(code) else { return Ok(Key::Name(text)) };
        value = value
            .checked_mul(10)
            .and_then(|n| n.checked_add(usize::from(digit)))
            .filter(|&n| n <= isize::MAX as usize)
            .ok_or(TOO_MANY_DIGITS)?;
    }
    Ok(if text.is_empty() { Key::Name(text) } else { Key::Index(value) })
}

/// `a.b[c]` as its first part and the rest.
pub fn split_field_name(name: &[u32]) -> Result<(Key<'_>, Accessors<'_>), &'static str> {
    let end = name.iter().position(|&c| c == 0x2E || c == 0x5B).unwrap_or(name.len());
    Ok((key(&name[..end])?, Accessors { text: name, at: end }))
}

/// `.name` or `[key]`.
#[derive(Debug, PartialEq, Eq)]
pub enum Accessor<'a> {
    Attribute(&'a [u32]),
    Item(Key<'a>),
}

/// The accessors behind the first part of a field name.
pub struct Accessors<'a> {
    text: &'a [u32],
    at: usize,
}

impl<'a> Accessors<'a> {
    pub fn resume(text: &'a [u32], at: usize) -> Accessors<'a> {
        Accessors { text, at }
    }

    pub fn position(&self) -> usize {
        self.at
    }

    pub fn next_accessor(&mut self) -> Result<Option<Accessor<'a>>, &'static str> {
        let Some(&code) = self.text.get(self.at) else { return Ok(None) };
        let rest = &self.text[self.at + 1..];
        let (accessor, used) = match char::from_u32(code) {
            Some('.') => {
                let len = rest.iter().position(|&c| c == 0x2E || c == 0x5B).unwrap_or(rest.len());
                (Accessor::Attribute(&rest[..len]), len + 1)
            }
            Some('[') => {
                let len = rest.iter().position(|&c| c == 0x5D).ok_or("Missing ']' in format string")?;
                (Accessor::Item(key(&rest[..len])?), len + 2)
            }
            _ => return Err("Only '.' or '[' may follow ']' in format field specifier"),
        };
        if matches!(accessor, Accessor::Attribute([]) | Accessor::Item(Key::Name([]))) {
            return Err("Empty attribute in format string");
        }
        self.at += used;
        Ok(Some(accessor))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbering {
    Unknown,
    Automatic,
    Manual,
}

/// What the fields of one call refer to.
struct Source<'a> {
    /// None for `format_map`.
    positional: Option<&'a [Value]>,
    /// The mapping of `format_map`, or the keyword arguments.
    named: Option<&'a Value>,
    numbering: Numbering,
    next: usize,
}

impl Source<'_> {
    fn number(&mut self, th: &mut Thread, given: Option<usize>) -> PyResult<usize> {
        let wanted = if given.is_some() { Numbering::Manual } else { Numbering::Automatic };
        if self.numbering == Numbering::Unknown {
            self.numbering = wanted;
        }
        match (self.numbering, wanted) {
            (Numbering::Manual, Numbering::Automatic) => {
                return Err(value_error(
                    th,
                    "cannot switch from manual field specification to automatic field numbering",
                ));
            }
            (Numbering::Automatic, Numbering::Manual) => {
                return Err(value_error(
                    th,
                    "cannot switch from automatic field numbering to manual field specification",
                ));
            }
            _ => {}
        }
        Ok(given.unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        }))
    }

    fn first(&mut self, th: &mut Thread, key: &Key<'_>) -> PyResult<Value> {
        let given = match key {
            Key::Name([]) => None,
            Key::Index(index) => Some(*index),
            Key::Name(name) => {
                let name: Value = Str::from_points(name).into();
                return match self.named {
                    None => Err(key_error(th, &name)),
                    Some(named) => sequence::get_item(th, named, &name),
                };
            }
        };
        let index = self.number(th, given)?;
        let Some(positional) = self.positional else {
            return Err(value_error(th, "Format string contains positional fields"));
        };
        match positional.get(index) {
            Some(value) => Ok(value.clone()),
            None => {
                let message = format!("Replacement index {index} out of range for positional args tuple");
                Err(index_error(th, message))
            }
        }
    }

    fn object(&mut self, th: &mut Thread, name: &[u32]) -> PyResult<Value> {
        let split = split_field_name(name);
        let (key, mut accessors) = split.map_err(|message| value_error(th, message))?;
        let mut object = self.first(th, &key)?;
        loop {
            let accessor = accessors.next_accessor().map_err(|message| value_error(th, message))?;
            object = match accessor {
                None => return Ok(object),
                Some(Accessor::Attribute(name)) => attr::get_attr(th, &object, &Str::from_points(name))?,
                Some(Accessor::Item(Key::Index(index))) => sequence::get_item(th, &object, &index.into())?,
                Some(Accessor::Item(Key::Name(name))) => {
                    sequence::get_item(th, &object, &Str::from_points(name).into())?
                }
            };
        }
    }
}

fn convert(th: &mut Thread, object: Value, conversion: Option<u32>) -> PyResult<Value> {
    let Some(code) = conversion else { return Ok(object) };
    match char::from_u32(code) {
        Some('r') => Ok(repr::repr(th, &object)?.into()),
        Some('s') => Ok(repr::str(th, &object)?.into()),
        Some('a') => Ok(repr::ascii(th, &object)?.into()),
        Some(c) if code > 32 && code < 127 => Err(value_error(th, format!("Unknown conversion specifier {c}"))),
        _ => Err(value_error(th, format!("Unknown conversion specifier \\x{code:x}"))),
    }
}

fn build(th: &mut Thread, text: &[u32], source: &mut Source<'_>, depth: u32, out: &mut TextBuf) -> PyResult<()> {
    if depth == 0 {
        return Err(value_error(th, "Max string recursion exceeded"));
    }
    let mut pieces = Pieces::new(text);
    while let Some(piece) = pieces.next_piece().map_err(|message| value_error(th, message))? {
        let pushed = out.push_units(piece.literal);
        fit(th, pushed)?;
        let Some(field) = piece.field else { continue };
        let object = source.object(th, field.name)?;
        let object = convert(th, object, field.conversion)?;
        if field.spec.is_empty()
            && object.is_exact(&krait_object::builtin_types::STR)
            && let Some(text) = object.downcast_ref::<Str>()
        {
            let pushed = push(out, text);
            fit(th, pushed)?;
            continue;
        }
        let spec = if field.nested {
            let mut spec = TextBuf::new();
            build(th, field.spec, source, depth - 1, &mut spec)?;
            from_buffer(&spec)
        } else {
            Str::from_points(field.spec)
        };
        let text = repr::format(th, &object, &spec)?;
        let pushed = push(out, &text);
        fit(th, pushed)?;
    }
    Ok(())
}

fn run(th: &mut Thread, text: &Str, mut source: Source<'_>) -> PyResult<Value> {
    let codes: Vec<u32> = text.iter().collect();
    let mut out = TextBuf::new();
    build(th, &codes, &mut source, 2, &mut out)?;
    Ok(from_buffer(&out).into())
}

/// `str.format(*args, **kwargs)`; raw arguments.
pub fn format(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(text) = a.pos().first().and_then(|v| v.to_ref::<Str>()) else {
        return Err(type_error(th, "unbound method str.format() needs an argument"));
    };
    let named = if a.has_kw() {
        let named = Dict::new();
        for (name, value) in a.kw() {
            named.set(th, name.clone(), value.clone())?;
        }
        Some(Value::from(named))
    } else {
        None
    };
    let source =
        Source { positional: Some(&a.pos()[1..]), named: named.as_ref(), numbering: Numbering::Unknown, next: 0 };
    run(th, &text, source)
}

pub fn format_map(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let source = Source { positional: None, named: Some(&a[1]), numbering: Numbering::Unknown, next: 0 };
    run(th, a.this(), source)
}

/// Raises what a formatter of `numtext` reports.
pub fn raise_format_error(th: &mut Thread, error: FormatError) -> Raised {
    match error {
        FormatError::Memory => crate::errors::memory_error(th),
        FormatError::Overflow(message) => overflow_error(th, message),
        FormatError::Value(message) => {
            let text: Value = from_buffer(&message).into();
            let exception = crate::exceptions::allocate(&VALUE_ERROR, Tuple::of([text]));
            raise_value(th, exception)
        }
    }
}

/// `str.__format__(spec)`.
pub fn dunder_format(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(spec) = a[1].downcast_ref::<Str>() else {
        let name = super::units::shown_type(&a[1]);
        return Err(type_error(th, format!("__format__() argument must be str, not {name}")));
    };
    if spec.is_empty() {
        return Ok(repr::str(th, &a[0])?.into());
    }
    let text: &Str = a.this();
    let type_name = a[0].class().name();
    let mut out = TextBuf::new();
    let done = with_units!(text, |text| with_units!(spec, |spec| format_str(text, spec, &type_name, &mut out)));
    done.map_err(|error| raise_format_error(th, error))?;
    Ok(from_buffer(&out).into())
}

/// A key as `_string` shows it.
pub fn key_value(key: &Key<'_>) -> Value {
    match key {
        Key::Index(index) => (*index).into(),
        Key::Name(name) => Str::from_points(name).into(),
    }
}
