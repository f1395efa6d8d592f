//! `bytes % values`. CPython counterpart: `_PyBytes_FormatEx`.

use std::ops::Range;

use krait_object::{Bytes, PyResult, Str, Thread, Value};

use super::data::{argument, has_buffer, has_index, make, with_data};
use crate::errors::{overflow_error, take, type_error, value_error};
use crate::numtext::percent::{Arguments, Conversion, format_float, pad_number, pad_text, parse_conversion};
use crate::protocol::{attr, number, repr};
use crate::text::{TextBuf, find};
use crate::types::bytearray::ByteArray;
use crate::types::str::percent::{Fault, Operands, int_text};
use crate::types::str::units::fit;

struct Formatting<'a, 'b> {
    th: &'a mut Thread,
    format: &'b [u8],
    operands: Operands<'b>,
    out: TextBuf,
}

impl Arguments<Fault> for Formatting<'_, '_> {
    fn key(&mut self, range: Range<usize>) -> Result<(), Fault> {
        let key: Value = Bytes::new(&self.format[range]).into();
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

/// What `%b` inserts.
fn bytes_of(th: &mut Thread, value: &Value) -> PyResult<Vec<u8>> {
    if value.downcast_ref::<Bytes>().is_some() || value.downcast_ref::<ByteArray>().is_some() {
        return Ok(with_data(value, <[u8]>::to_vec));
    }
    if let Some(made) = attr::call_special_opt(th, value, "__bytes__", &[])? {
        return match made.downcast_ref::<Bytes>() {
            Some(bytes) => Ok(bytes.to_vec()),
            None => Err(type_error(th, format!("__bytes__ returned non-bytes (type {})", made.class().name()))),
        };
    }
    if has_buffer(value) {
        return Ok(argument(th, value)?.into_owned());
    }
    let name = value.class().name();
    let message = format!("%b requires a bytes-like object, or an object that implements __bytes__, not '{name}'");
    Err(type_error(th, message))
}

impl Formatting<'_, '_> {
    fn run(&mut self) -> Result<(), Fault> {
        let format = self.format;
        let mut at = 0;
        while let Some(found) = find::find(&format[at..], b"%") {
            self.out.push_units(&format[at..at + found])?;
            at += found + 1;
            if format.get(at) == Some(&b'%') {
                self.out.push(0x25)?;
                at += 1;
                continue;
            }
            let (conversion, next) = parse_conversion(format, at, self)?;
            at = next;
            self.convert(&conversion)?;
        }
        self.out.push_units(&format[at..])?;
        if self.operands.left_over() {
            return Err(type_error(self.th, "not all arguments converted during bytes formatting").into());
        }
        Ok(())
    }

    fn convert(&mut self, conversion: &Conversion) -> Result<(), Fault> {
        let value = self.operands.take(self.th)?;
        let shown = char::from_u32(conversion.code).unwrap_or('?');
        match shown {
            'r' | 'a' => {
                let text = repr::ascii(self.th, &value)?;
                let text = text.as_ascii().unwrap_or_default();
                pad_text(text.as_bytes(), conversion, false, &mut self.out)?;
            }
            's' | 'b' => {
                let bytes = bytes_of(self.th, &value)?;
                pad_text(&bytes, conversion, false, &mut self.out)?;
            }
            'd' | 'i' | 'u' | 'o' | 'x' | 'X' => {
                let shown = if shown == 'i' { 'd' } else { shown };
                let text = int_text(self.th, &value, conversion, shown)?;
                pad_number(&text, conversion, &mut self.out)?;
            }
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                let number = match number::to_f64(self.th, &value) {
                    Ok(number) => number,
                    Err(raised) => {
                        drop(take(self.th, raised));
                        let name = value.class().name();
                        return Err(type_error(self.th, format!("float argument required, not {name}")).into());
                    }
                };
                let text = format_float(number, conversion)?;
                pad_number(&text, conversion, &mut self.out)?;
            }
            'c' => {
                let byte = self.character(&value)?;
                pad_text(&[byte], conversion, true, &mut self.out)?;
            }
            // CPython formats the character as a C `char`, which is negative here.
            _ if conversion.code >= 0x80 => {
                return Err(overflow_error(self.th, "character argument not in range(0x110000)").into());
            }
            _ => {
                let message = format!(
                    "unsupported format character '{shown}' (0x{:x}) at index {}",
                    conversion.code, conversion.index
                );
                return Err(value_error(self.th, message).into());
            }
        }
        Ok(())
    }

    fn character(&mut self, value: &Value) -> PyResult<u8> {
        let is_bytes = value.downcast_ref::<Bytes>().is_some() || value.downcast_ref::<ByteArray>().is_some();
        if is_bytes && let Some(byte) = with_data(value, |data| if let [one] = data { Some(*one) } else { None }) {
            return Ok(byte);
        }
        if is_bytes || !has_index(value) {
            return Err(type_error(self.th, "%c requires an integer in range(256) or a single byte"));
        }
        let number = number::index(self.th, value)?;
        match number.as_int_ref().and_then(|i| i.to_i64()).and_then(|i| u8::try_from(i).ok()) {
            Some(byte) => Ok(byte),
            None => Err(overflow_error(self.th, "%c arg not in range(256)")),
        }
    }
}

/// The `%` slot of `bytes`.
pub fn bytes_remainder(th: &mut Thread, left: &Value, right: &Value) -> PyResult<Value> {
    if left.downcast_ref::<Bytes>().is_some() { formatted(th, left, right) } else { Ok(Value::NOT_IMPLEMENTED) }
}

/// The `%` slot of `bytearray`.
pub fn bytearray_remainder(th: &mut Thread, left: &Value, right: &Value) -> PyResult<Value> {
    if left.downcast_ref::<ByteArray>().is_some() { formatted(th, left, right) } else { Ok(Value::NOT_IMPLEMENTED) }
}

/// The result is of the left operand's kind.
fn formatted(th: &mut Thread, left: &Value, right: &Value) -> PyResult<Value> {
    let format = with_data(left, <[u8]>::to_vec);
    let is_text = right.downcast_ref::<Bytes>().is_some()
        || right.downcast_ref::<Str>().is_some()
        || right.downcast_ref::<ByteArray>().is_some();
    let operands = Operands::new(right, is_text);
    let mut state = Formatting { th, format: &format, operands, out: TextBuf::new() };
    match state.run() {
        Ok(()) => match state.out {
            TextBuf::One(bytes) => make(state.th, left, bytes),
            _ => fit(state.th, Err(crate::numtext::OutOfMemory)),
        },
        Err(fault) => Err(fault.raise(state.th, true)),
    }
}
