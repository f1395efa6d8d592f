//! `str % values`. Parsing a conversion and formatting numbers is `numtext::percent`.
//! CPython counterpart: `PyUnicode_Format`.

use std::ops::Range;

use krait_object::{PyResult, Raised, Str, Thread, Tuple, Value};

use super::units::{Failure, StrUnit, by_width, fit, from_buffer, push, with_units};
use crate::errors::{catch, overflow_error, take, type_error, value_error};
use crate::exceptions::TYPE_ERROR;
use crate::numtext::OutOfMemory;
use crate::numtext::percent::{
    Arguments, Conversion, PercentError, format_float, format_int, pad_number, pad_text, parse_conversion,
};
use crate::protocol::{number, repr, sequence};
use crate::text::{TextBuf, find};
use crate::types::int;

/// The values of one `%` operation, shared by str and bytes.
pub struct Operands<'a> {
    /// The tuple's items, or the one value.
    given: &'a [Value],
    /// What the last key found, which is the only argument then.
    found: Option<Value>,
    next: usize,
    /// The right operand, where `%(key)s` may look into it.
    mapping: Option<&'a Value>,
}

impl<'a> Operands<'a> {
    /// `is_text` says whether the operand is of the format's own kind, which is never a mapping.
    pub fn new(values: &'a Value, is_text: bool) -> Operands<'a> {
        let tuple = values.downcast_ref::<Tuple>();
        let mapping = tuple.is_none() && !is_text && values.class().slots.subscript.is_set();
        Operands {
            given: tuple.map_or(std::slice::from_ref(values), |items| items),
            found: None,
            next: 0,
            mapping: mapping.then_some(values),
        }
    }

    fn current(&self) -> &[Value] {
        self.found.as_ref().map_or(self.given, std::slice::from_ref)
    }
    fn peek(&self) -> Option<&Value> {
        self.current().get(self.next)
    }

    pub fn take(&mut self, th: &mut Thread) -> PyResult<Value> {
        match self.peek().cloned() {
            Some(value) => {
                self.next += 1;
                Ok(value)
            }
            None => Err(type_error(th, "not enough arguments for format string")),
        }
    }

    /// Looks a key up; the value found is the only argument until the next key.
    pub fn look_up(&mut self, th: &mut Thread, key: &Value) -> PyResult<()> {
        let Some(mapping) = self.mapping else { return Err(type_error(th, "format requires a mapping")) };
        self.found = Some(sequence::get_item(th, mapping, key)?);
        self.next = 0;
        Ok(())
    }

    pub fn need_mapping(&self, th: &mut Thread) -> PyResult<()> {
        if self.mapping.is_some() { Ok(()) } else { Err(type_error(th, "format requires a mapping")) }
    }

    /// Whether arguments are left over that had to be used.
    pub fn left_over(&self) -> bool {
        self.next < self.current().len() && self.mapping.is_none()
    }

    fn star(&mut self, th: &mut Thread) -> PyResult<Value> {
        let value = self.take(th)?;
        if value.as_int_ref().is_none() {
            return Err(type_error(th, "* wants int"));
        }
        Ok(value)
    }

    pub fn star_width(&mut self, th: &mut Thread) -> PyResult<isize> {
        let value = self.star(th)?;
        match value.as_int_ref().and_then(|i| i.to_i64()) {
            Some(width) => Ok(width as isize),
            None => Err(overflow_error(th, "Python int too large to convert to C ssize_t")),
        }
    }

    pub fn star_precision(&mut self, th: &mut Thread) -> PyResult<i32> {
        let value = self.star(th)?;
        match value.as_int_ref().and_then(|i| i.to_i64()).and_then(|i| i32::try_from(i).ok()) {
            Some(precision) => Ok(precision),
            None => Err(overflow_error(th, "Python int too large to convert to C int")),
        }
    }
}

/// Why a format failed: refused by the parser, or an exception is in flight.
pub enum Fault {
    Percent(PercentError),
    Failure(Failure),
}
impl From<PercentError> for Fault {
    fn from(error: PercentError) -> Fault {
        Fault::Percent(error)
    }
}
impl From<Raised> for Fault {
    fn from(raised: Raised) -> Fault {
        Fault::Failure(Failure::Raised(raised))
    }
}
impl From<OutOfMemory> for Fault {
    fn from(_: OutOfMemory) -> Fault {
        Fault::Failure(Failure::Memory)
    }
}
impl Fault {
    pub fn raise(self, th: &mut Thread, bytes: bool) -> Raised {
        match self {
            Fault::Percent(error) => value_error(th, error.message(bytes)),
            Fault::Failure(failure) => failure.raise(th),
        }
    }
}

/// An int conversion's number as text, by the rules that str and bytes share: a float is truncated for `d`, refused
/// for `x` and `o`.
pub fn int_text(th: &mut Thread, value: &Value, conversion: &Conversion, shown: char) -> PyResult<String> {
    let exact_only = matches!(shown, 'o' | 'x' | 'X');
    let slots = &value.class().slots;
    let is_number = slots.index.is_set() || slots.int.is_set() || slots.float.is_set();
    let converted = if value.as_int_ref().is_some() {
        Ok(value.clone())
    } else if !is_number {
        return Err(wrong_type(th, value, shown));
    } else if exact_only {
        number::index(th, value)
    } else {
        number::int(th, value)
    };
    let number = match converted {
        Ok(number) => number,
        Err(raised) => {
            drop(catch(th, raised, &TYPE_ERROR)?);
            return Err(wrong_type(th, value, shown));
        }
    };
    let Some(number) = number.as_int_ref() else { return Err(wrong_type(th, value, shown)) };
    if !exact_only {
        crate::types::int::limit::check_value(th, number)?;
    }
    let text = format_int(number, conversion);
    fit(th, text)
}

fn wrong_type(th: &mut Thread, value: &Value, shown: char) -> Raised {
    let kind = if matches!(shown, 'o' | 'x' | 'X') { "an integer" } else { "a real number" };
    type_error(th, format!("%{shown} format: {kind} is required, not {}", value.class().name()))
}

struct Formatting<'a, 'b, U> {
    th: &'a mut Thread,
    format: &'b [U],
    operands: Operands<'b>,
    out: TextBuf,
}

impl<U: StrUnit> Arguments<Fault> for Formatting<'_, '_, U> {
    fn key(&mut self, range: Range<usize>) -> Result<(), Fault> {
        let key: Value = U::make(&self.format[range]).into();
        Ok(self.operands.look_up(self.th, &key)?)
    }
    fn need_mapping(&mut self) -> Result<(), Fault> {
        Ok(self.operands.need_mapping(self.th)?)
    }
    fn star_width(&mut self) -> Result<isize, Fault> {
        Ok(self.operands.star_width(self.th)?)
    }
    fn star_precision(&mut self) -> Result<i32, Fault> {
        Ok(self.operands.star_precision(self.th)?)
    }
}

impl<U: StrUnit> Formatting<'_, '_, U> {
    fn run(&mut self) -> Result<(), Fault> {
        let format = self.format;
        let percent = [U::from_code(0x25)];
        let mut at = 0;
        while let Some(found) = find::find(&format[at..], &percent) {
            self.out.push_units(&format[at..at + found])?;
            at += found + 1;
            if format.get(at) == Some(&percent[0]) {
                self.out.push(0x25)?;
                at += 1;
                continue;
            }
            if let Some(code) = format.get(at)
                && self.plain(code.code())?
            {
                at += 1;
                continue;
            }
            let (conversion, next) = parse_conversion(format, at, self)?;
            at = next;
            self.convert(&conversion)?;
        }
        self.out.push_units(&format[at..])?;
        if self.operands.left_over() {
            return Err(type_error(self.th, "not all arguments converted during string formatting").into());
        }
        Ok(())
    }

    /// `%s` and, of a small int, `%d`, which most conversions are; false leaves it to [`Self::convert`].
    fn plain(&mut self, code: u32) -> Result<bool, Fault> {
        let small = self.operands.peek().and_then(Value::as_int);
        match (code, small) {
            (0x73 | 0x64, Some(i)) => {
                self.operands.next += 1;
                push(&mut self.out, &int::decimal(i))?;
            }
            (0x73, None) => {
                let value = self.operands.take(self.th)?;
                match value.downcast_exact::<Str>() {
                    Some(text) => push(&mut self.out, text)?,
                    None => push(&mut self.out, &*repr::str(self.th, &value)?)?,
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn convert(&mut self, conversion: &Conversion) -> Result<(), Fault> {
        let value = self.operands.take(self.th)?;
        let shown = char::from_u32(conversion.code).unwrap_or('?');
        match shown {
            's' | 'r' | 'a' => {
                let text = match shown {
                    's' => repr::str(self.th, &value)?,
                    'r' => repr::repr(self.th, &value)?,
                    _ => repr::ascii(self.th, &value)?,
                };
                if conversion.width.is_none() && conversion.precision.is_none() {
                    push(&mut self.out, &text)?;
                } else {
                    with_units!(text, |units| pad_text(units, conversion, false, &mut self.out))?;
                }
            }
            'd' | 'i' | 'u' | 'o' | 'x' | 'X' => {
                let text = int_text(self.th, &value, conversion, shown)?;
                pad_number(&text, conversion, &mut self.out)?;
            }
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                let number = number::to_f64(self.th, &value)?;
                let text = format_float(number, conversion)?;
                pad_number(&text, conversion, &mut self.out)?;
            }
            'c' => {
                let code = self.character(&value)?;
                pad_text(&[code], conversion, true, &mut self.out)?;
            }
            _ => {
                let printable = (31..=126).contains(&conversion.code);
                let message = format!(
                    "unsupported format character '{}' (0x{:x}) at index {}",
                    if printable { shown } else { '?' },
                    conversion.code,
                    conversion.index
                );
                return Err(value_error(self.th, message).into());
            }
        }
        Ok(())
    }

    fn character(&mut self, value: &Value) -> PyResult<u32> {
        const WANTED: &str = "%c requires int or char";
        if let Some(text) = value.downcast_ref::<Str>() {
            return match text.get(0) {
                Some(code) if text.len() == 1 => Ok(code),
                _ => Err(type_error(self.th, WANTED)),
            };
        }
        let number = match number::index(self.th, value) {
            Ok(number) => number,
            Err(raised) => {
                if !value.class().slots.index.is_set() {
                    drop(take(self.th, raised));
                    return Err(type_error(self.th, WANTED));
                }
                return Err(raised);
            }
        };
        let code = number.as_int_ref().and_then(|i| i.to_i64()).and_then(|i| u32::try_from(i).ok());
        match code.filter(|&code| code < crate::unicode::LIMIT) {
            Some(code) => Ok(code),
            None => Err(overflow_error(self.th, "%c arg not in range(0x110000)")),
        }
    }
}

fn formatted<U: StrUnit>(th: &mut Thread, format: &Str, values: &Value) -> PyResult<Value> {
    let units = U::units(format);
    let operands = Operands::new(values, values.downcast_ref::<Str>().is_some());
    let mut state = Formatting { th, format: &units, operands, out: TextBuf::new() };
    match state.run() {
        Ok(()) => Ok(from_buffer(&state.out).into()),
        Err(fault) => Err(fault.raise(state.th, false)),
    }
}

/// The `%` slot.
pub fn remainder(th: &mut Thread, left: &Value, right: &Value) -> PyResult<Value> {
    match left.downcast_ref::<Str>() {
        Some(format) => by_width!(format.kind().width(), formatted(th, format, right)),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}
