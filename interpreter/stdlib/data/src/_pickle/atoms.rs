//! Numbers, strings and bytes into a pickle.
use krait_object::builtin_types::BYTES;
use krait_object::{Bytes, IntRef, PyResult, Str, Thread, Tuple, Value, intern::intern};
use krait_runtime::errors::overflow_error;
use krait_runtime::numtext::float_format;
use krait_runtime::protocol::{call, compare, repr};
use krait_runtime::types::bytearray::{BYTEARRAY, ByteArray};

use super::pickle_buffer;
use super::save::Saver;
use super::{imported, opcode as op, pickling_error};

impl Saver<'_> {
    pub fn save_bool(&mut self, b: bool) {
        if self.protocol() >= 2 {
            self.out.push(if b { op::NEWTRUE } else { op::NEWFALSE });
        } else {
            self.out.text(if b { "I01\n" } else { "I00\n" });
        }
    }
    pub fn save_int(&mut self, th: &mut Thread, v: &Value) -> PyResult<()> {
        let Some(n) = v.as_int_ref() else { return Ok(()) };
        if let Some(small) = n.to_i64().and_then(|n| i32::try_from(n).ok()) {
            self.save_i32(small);
            return Ok(());
        }
        if self.protocol() < 2 {
            let text = repr::repr(th, v)?;
            self.out.push(op::LONG);
            self.out.text(&text.to_string_lossy());
            self.out.text("L\n");
            return Ok(());
        }
        let bytes = match n {
            IntRef::Small(n) => num_bigint::BigInt::from(n).to_signed_bytes_le(),
            IntRef::Big(n) => n.to_signed_bytes_le(),
        };
        match u8::try_from(bytes.len()) {
            Ok(len) => self.out.extend(&[op::LONG1, len]),
            Err(_) => {
                let Ok(len) = i32::try_from(bytes.len()) else {
                    return Err(overflow_error(th, "int too large to pickle"));
                };
                self.out.push(op::LONG4);
                self.out.extend(&len.to_le_bytes());
            }
        }
        self.out.extend(&bytes);
        Ok(())
    }
    fn save_i32(&mut self, n: i32) {
        if !self.binary() {
            self.out.text(&format!("I{n}\n"));
        } else if let Ok(b) = u8::try_from(n) {
            self.out.extend(&[op::BININT1, b]);
        } else if let Ok(h) = u16::try_from(n) {
            let [a, b] = h.to_le_bytes();
            self.out.extend(&[op::BININT2, a, b]);
        } else {
            let [a, b, c, d] = n.to_le_bytes();
            self.out.extend(&[op::BININT, a, b, c, d]);
        }
    }
    pub fn save_float(&mut self, f: f64) {
        if self.binary() {
            self.out.push(op::BINFLOAT);
            self.out.extend(&f.to_be_bytes());
        } else {
            self.out.text(&format!("F{}\n", float_format::repr(f)));
        }
    }

    pub fn save_str(&mut self, th: &mut Thread, v: &Value) -> PyResult<()> {
        let Some(s) = v.downcast_ref::<Str>() else { return Ok(()) };
        if !self.binary() {
            self.out.push(op::UNICODE);
            self.out.extend(&raw_escaped(s));
            self.out.push(b'\n');
            self.memorise(v);
            return Ok(());
        }
        let text = s.to_wtf8();
        let header = sized(text.len(), op::SHORT_BINUNICODE, op::BINUNICODE, op::BINUNICODE8, self.protocol(), 4);
        let Some(header) = header else {
            let message = "serializing a string larger than 4 GiB requires pickle protocol 4 or higher";
            return Err(overflow_error(th, message));
        };
        self.out.large(th, &header, &text, None)?;
        self.memorise(v);
        Ok(())
    }
    pub fn save_bytes(&mut self, th: &mut Thread, v: &Value) -> PyResult<()> {
        let Some(b) = v.downcast_ref::<Bytes>() else { return Ok(()) };
        if self.protocol() >= 3 {
            return self.save_bytes_data(th, v, b);
        }
        // Readable by Python 2 as well: codecs.encode makes a str there.
        let reduced = if b.is_empty() {
            Tuple::of([BYTES.to_value(), Tuple::empty().into()])
        } else {
            let encode = imported(th, "codecs", "encode")?;
            let args = Tuple::of([Str::from_latin1(b).into(), intern("latin1").to_value()]);
            Tuple::of([encode, args.into()])
        };
        self.save_reduce(th, &reduced, Some(v))
    }
    fn save_bytes_data(&mut self, th: &mut Thread, v: &Value, data: &[u8]) -> PyResult<()> {
        let header = sized(data.len(), op::SHORT_BINBYTES, op::BINBYTES, op::BINBYTES8, self.protocol(), 3);
        let Some(header) = header else {
            let message = "serializing a bytes object larger than 4 GiB requires pickle protocol 4 or higher";
            return Err(overflow_error(th, message));
        };
        self.out.large(th, &header, data, Some(v))?;
        self.memorise(v);
        Ok(())
    }
    fn save_bytearray_data(&mut self, th: &mut Thread, v: &Value, data: &[u8]) -> PyResult<()> {
        let mut header = vec![op::BYTEARRAY8];
        header.extend((data.len() as u64).to_le_bytes());
        self.out.large(th, &header, data, Some(v))?;
        self.memorise(v);
        Ok(())
    }
    pub fn save_bytearray(&mut self, th: &mut Thread, v: &Value) -> PyResult<()> {
        let data = v.downcast_ref::<ByteArray>().map(|b| b.lock().to_vec()).unwrap_or_default();
        if self.protocol() >= 5 {
            return self.save_bytearray_data(th, v, &data);
        }
        let args = if data.is_empty() { Tuple::empty() } else { Tuple::of([Bytes::new(&data).into()]) };
        let reduced = Tuple::of([BYTEARRAY.to_value(), args.into()]);
        self.save_reduce(th, &reduced, Some(v))
    }
    pub fn save_picklebuffer(&mut self, th: &mut Thread, v: &Value) -> PyResult<()> {
        if self.protocol() < 5 {
            return Err(pickling_error(th, "PickleBuffer can only be pickled with protocol >= 5"));
        }
        let raw = pickle_buffer::contiguous(th, v)?;
        let Some(raw) = raw else {
            let message = "PickleBuffer can not be pickled when pointing to a non-contiguous buffer";
            return Err(pickling_error(th, message));
        };
        let mut in_band = true;
        if let Some(callback) = self.config.buffer_callback.clone() {
            let answer = call::call(th, &callback, std::slice::from_ref(v))?;
            in_band = compare::truth(th, &answer)?;
        }
        if in_band {
            let data = raw.with_bytes(<[u8]>::to_vec);
            return if raw.readonly {
                self.save_bytes_data(th, v, &data)
            } else {
                self.save_bytearray_data(th, v, &data)
            };
        }
        self.out.push(op::NEXT_BUFFER);
        if raw.readonly {
            self.out.push(op::READONLY_BUFFER);
        }
        Ok(())
    }
}

/// An opcode with a length, by size; `None` beyond what the protocol can say.
fn sized(len: usize, short: u8, middle: u8, long: u8, protocol: i32, short_from: i32) -> Option<Vec<u8>> {
    if len <= 0xFF && protocol >= short_from {
        return Some(vec![short, len as u8]);
    }
    let (code, bytes) = match u32::try_from(len) {
        Ok(n) => (middle, n.to_le_bytes().to_vec()),
        Err(_) if protocol >= 4 => (long, (len as u64).to_le_bytes().to_vec()),
        Err(_) => return None,
    };
    Some([vec![code], bytes].concat())
}
/// The encoding raw-unicode-escape, with everything escaped that would end the line or start an escape.
fn raw_escaped(s: &Str) -> Vec<u8> {
    let mut out = Vec::with_capacity(s.len());
    for c in s.iter() {
        match c {
            0 | 0x0A | 0x0D | 0x1A | 0x5C => out.extend(format!("\\u{c:04x}").bytes()),
            0..=0xFF => out.push(c as u8),
            0x100..=0xFFFF => out.extend(format!("\\u{c:04x}").bytes()),
            _ => out.extend(format!("\\U{c:08x}").bytes()),
        }
    }
    out
}
