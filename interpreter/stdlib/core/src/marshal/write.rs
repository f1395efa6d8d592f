//! Objects to marshal's bytes.
use std::collections::HashMap;

use krait_bytecode::marshal as stored;
use krait_object::builtin_types::FLOAT;
use krait_object::{Bytes, Dict, FrozenSet, IntRef, List, PyResult, Raised, Set, Str, Thread, Tuple, Value};
use krait_runtime::errors::{memory_error, value_error};
use krait_runtime::exceptions::STOP_ITERATION;
use krait_runtime::protocol::{buffer, repr};
use krait_runtime::types::code::Code;
use krait_runtime::types::complex;
use num_bigint::Sign;

use super::{FLAG_REF, MAX_DEPTH, STORED_CODE};

struct Writer {
    out: Vec<u8>,
    /// Numbers of the objects that were flagged, by identity.
    numbers: HashMap<u64, u32>,
    version: i32,
    allow_code: bool,
    depth: u32,
    /// Keeps what `numbers` names alive: an address must not be used again meanwhile.
    held: Vec<Value>,
}

pub(super) fn dumps(th: &mut Thread, v: &Value, version: i32, allow_code: bool) -> PyResult<Vec<u8>> {
    let mut w = Writer { out: Vec::new(), numbers: HashMap::new(), version, allow_code, depth: 0, held: Vec::new() };
    w.object(th, v)?;
    Ok(w.out)
}

fn unmarshallable(th: &mut Thread) -> Raised {
    value_error(th, "unmarshallable object")
}

impl Writer {
    fn byte(&mut self, b: u8) {
        self.out.push(b);
    }
    fn long(&mut self, n: i32) {
        self.out.extend(n.to_le_bytes());
    }
    /// A length; what the format cannot hold is refused.
    fn size(&mut self, th: &mut Thread, n: usize) -> PyResult<()> {
        match i32::try_from(n) {
            Ok(n) => {
                self.long(n);
                Ok(())
            }
            Err(_) => Err(unmarshallable(th)),
        }
    }
    fn sized(&mut self, th: &mut Thread, bytes: &[u8]) -> PyResult<()> {
        self.size(th, bytes.len())?;
        if self.out.try_reserve(bytes.len()).is_err() {
            return Err(memory_error(th));
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }
    fn object(&mut self, th: &mut Thread, v: &Value) -> PyResult<()> {
        self.depth += 1;
        let result = if self.depth > MAX_DEPTH {
            Err(value_error(th, "object too deeply nested to marshal"))
        } else {
            self.shallow(th, v)
        };
        self.depth -= 1;
        result
    }
    fn shallow(&mut self, th: &mut Thread, v: &Value) -> PyResult<()> {
        let code = if v.is_none() {
            b'N'
        } else if v.is(&STOP_ITERATION.to_value()) {
            b'S'
        } else if v.is(&Value::ELLIPSIS) {
            b'.'
        } else if let Some(b) = v.as_bool() {
            if b { b'T' } else { b'F' }
        } else {
            return match self.reference(v) {
                Some(flag) => self.complex_object(th, v, flag),
                None => Ok(()),
            };
        };
        self.byte(code);
        Ok(())
    }
    /// Writes a back reference (`None`), or says whether the object is to be flagged.
    fn reference(&mut self, v: &Value) -> Option<u8> {
        if self.version < 3 {
            return Some(0);
        }
        let interned = v.downcast_exact::<Str>().is_some_and(Str::is_interned);
        if v.is_unique() && !interned {
            return Some(0);
        }
        if let Some(&number) = self.numbers.get(&v.bits()) {
            self.byte(b'r');
            self.long(number as i32);
            return None;
        }
        let number = self.numbers.len() as u32;
        self.numbers.insert(v.bits(), number);
        self.held.push(v.clone());
        Some(FLAG_REF)
    }
    fn complex_object(&mut self, th: &mut Thread, v: &Value, flag: u8) -> PyResult<()> {
        if v.is_exact(&krait_object::builtin_types::INT)
            && let Some(i) = v.as_int_ref()
        {
            return self.int(th, i, flag);
        }
        if v.is_exact(&FLOAT)
            && let Some(f) = v.to_f64()
        {
            return self.float(th, f, flag, b'g', b'f');
        }
        if let Some((re, im)) = complex::parts(v).filter(|_| v.is_exact(&complex::COMPLEX)) {
            self.float(th, re, flag, b'y', b'x')?;
            return self.float_body(th, im);
        }
        if let Some(b) = v.downcast_exact::<Bytes>() {
            self.byte(b's' | flag);
            return self.sized(th, b);
        }
        if let Some(s) = v.downcast_exact::<Str>() {
            return self.text(th, s, flag);
        }
        if let Some(t) = v.downcast_exact::<Tuple>() {
            if self.version >= 4 && t.len() < 256 {
                self.byte(b')' | flag);
                self.byte(t.len() as u8);
            } else {
                self.byte(b'(' | flag);
                self.size(th, t.len())?;
            }
            return t.iter().try_for_each(|x| self.object(th, x));
        }
        if let Some(l) = v.downcast_exact::<List>() {
            let items = l.to_vec();
            self.byte(b'[' | flag);
            self.size(th, items.len())?;
            return items.iter().try_for_each(|x| self.object(th, x));
        }
        if let Some(d) = v.downcast_exact::<Dict>() {
            self.byte(b'{' | flag);
            for (key, value) in d.items() {
                self.object(th, &key)?;
                self.object(th, &value)?;
            }
            self.byte(b'0');
            return Ok(());
        }
        if let Some(s) = v.downcast_exact::<Set>() {
            return self.set(th, s.to_vec(), b'<' | flag);
        }
        if let Some(s) = v.downcast_exact::<FrozenSet>() {
            return self.set(th, s.0.to_vec(), b'>' | flag);
        }
        if let Some(c) = v.downcast_ref::<Code>() {
            if !self.allow_code {
                return Err(value_error(th, "marshalling code objects is disallowed"));
            }
            self.byte(STORED_CODE | flag);
            let data = stored::dump(c.bytecode());
            return self.sized(th, &data);
        }
        if buffer::has_buffer(v) {
            let Ok(data) = buffer::bytes_like(th, v) else {
                th.exc = None;
                return Err(unmarshallable(th));
            };
            self.byte(b's' | flag);
            return self.sized(th, &data);
        }
        Err(unmarshallable(th))
    }
    fn int(&mut self, th: &mut Thread, i: IntRef<'_>, flag: u8) -> PyResult<()> {
        if let Some(small) = i.to_i64().and_then(|n| i32::try_from(n).ok()) {
            self.byte(b'i' | flag);
            self.long(small);
            return Ok(());
        }
        self.byte(b'l' | flag);
        let (sign, bytes) = i.to_bigint().to_bytes_le();
        let mut digits: Vec<u16> = Vec::with_capacity(bytes.len() * 8 / 15 + 1);
        let (mut bits, mut held) = (0u32, 0u32);
        for b in bytes {
            held |= u32::from(b) << bits;
            bits += 8;
            if bits >= 15 {
                digits.push((held & 0x7fff) as u16);
                held >>= 15;
                bits -= 15;
            }
        }
        if held != 0 {
            digits.push(held as u16);
        }
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let Ok(n) = i32::try_from(digits.len()) else { return Err(unmarshallable(th)) };
        self.long(if sign == Sign::Minus { -n } else { n });
        digits.iter().for_each(|d| self.out.extend(d.to_le_bytes()));
        Ok(())
    }
    fn float(&mut self, th: &mut Thread, f: f64, flag: u8, binary: u8, text: u8) -> PyResult<()> {
        self.byte(flag | if self.version > 1 { binary } else { text });
        self.float_body(th, f)
    }
    fn float_body(&mut self, th: &mut Thread, f: f64) -> PyResult<()> {
        if self.version > 1 {
            self.out.extend(f.to_le_bytes());
            return Ok(());
        }
        let text = repr::repr(th, &Value::float(f))?.to_string();
        self.byte(text.len() as u8);
        self.out.extend(text.as_bytes());
        Ok(())
    }
    fn text(&mut self, th: &mut Thread, s: &Str, flag: u8) -> PyResult<()> {
        let interned = s.is_interned();
        if self.version >= 4
            && let Some(ascii) = s.as_ascii()
        {
            if let Ok(n) = u8::try_from(ascii.len()) {
                self.byte(flag | if interned { b'Z' } else { b'z' });
                self.byte(n);
                self.out.extend(ascii.as_bytes());
                return Ok(());
            }
            self.byte(flag | if interned { b'A' } else { b'a' });
            return self.sized(th, ascii.as_bytes());
        }
        self.byte(flag | if self.version >= 3 && interned { b't' } else { b'u' });
        self.sized(th, &s.to_wtf8())
    }
    /// Elements in the order of their written forms, so that equal sets give equal bytes.
    fn set(&mut self, th: &mut Thread, items: Vec<Value>, code: u8) -> PyResult<()> {
        self.byte(code);
        self.size(th, items.len())?;
        let mut keyed = Vec::with_capacity(items.len());
        for item in items {
            keyed.push((dumps(th, &item, self.version, self.allow_code)?, item));
        }
        keyed.sort_by(|x, y| x.0.cmp(&y.0));
        keyed.iter().try_for_each(|(_, item)| self.object(th, item))
    }
}
