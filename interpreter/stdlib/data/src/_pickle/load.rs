//! Running a pickle: the loop over opcodes, and those that push plain values. Opcodes that call or fill objects are in
//! `load_build`.
use krait_object::{Bytes, Dict, List, PyResult, Ref, Set, Str, Thread, Tuple, Value};
use krait_runtime::codecs;
use krait_runtime::errors::{catch, eof_error, raise, value_error};
use krait_runtime::numtext::float_parse;
use krait_runtime::protocol::{iter, number};
use krait_runtime::types::bytearray::ByteArray;
use krait_runtime::types::int as int_type;
use num_bigint::BigInt;

use super::input::Input;
use super::save::overridden;
use super::stack::Stack;
use super::unpickler::{Options, UNPICKLER, Unpickler};
use super::{UNPICKLING_ERROR, opcode as op, unpickling_error};

/// One `load`.
pub struct Loader<'a> {
    pub unpickler: &'a Unpickler,
    /// The unpickler as an object, where a subclass may override `find_class`.
    pub this: Option<&'a Value>,
    pub input: Input,
    pub stack: Stack,
    options: Options,
    persistent_load: Option<Value>,
}

/// Reads one pickle; gives the input back, which may go on.
pub fn load(th: &mut Thread, this: Option<&Value>, unpickler: &Unpickler, input: Input) -> (PyResult<Value>, Input) {
    let mut loader = Loader {
        unpickler,
        this: this.filter(|v| !v.is_exact(&UNPICKLER)),
        input,
        stack: Stack::default(),
        options: unpickler.options.get(),
        persistent_load: unpickler.own_persistent_load(),
    };
    unpickler.protocol.set(0);
    let result = loader.run(th);
    (result, loader.input)
}

impl Loader<'_> {
    fn run(&mut self, th: &mut Thread) -> PyResult<Value> {
        if self.persistent_load.is_none()
            && let Some(this) = self.this
        {
            self.persistent_load = overridden(th, this, &UNPICKLER, "persistent_load")?;
        }
        loop {
            let code = match self.input.byte(th) {
                Ok(code) => code,
                Err(raised) => {
                    catch(th, raised, &UNPICKLING_ERROR)?;
                    return Err(eof_error(th, "Ran out of input"));
                }
            };
            if code == op::STOP {
                break;
            }
            self.step(th, code)?;
        }
        let result = self.stack.pop(th)?;
        self.input.settle(th)?;
        Ok(result)
    }
    fn push<T: Into<Value>>(&mut self, v: T) -> PyResult<()> {
        self.stack.push(v.into());
        Ok(())
    }
    fn step(&mut self, th: &mut Thread, code: u8) -> PyResult<()> {
        match code {
            op::NONE => self.push(Value::NONE),
            op::NEWTRUE => self.push(true),
            op::NEWFALSE => self.push(false),
            op::BININT => {
                let n = i32::from_le_bytes(self.input.array(th)?);
                self.push(n)
            }
            op::BININT1 => {
                let n = self.input.byte(th)?;
                self.push(n)
            }
            op::BININT2 => {
                let n = u16::from_le_bytes(self.input.array(th)?);
                self.push(n)
            }
            op::INT => self.load_int(th),
            op::LONG => self.load_long(th),
            op::LONG1 => {
                let n = self.input.byte(th)?;
                self.load_counted_long(th, n.into())
            }
            op::LONG4 => {
                let n = i32::from_le_bytes(self.input.array(th)?);
                match usize::try_from(n) {
                    Ok(n) => self.load_counted_long(th, n),
                    Err(_) => Err(unpickling_error(th, "LONG pickle has negative byte count")),
                }
            }
            op::FLOAT => self.load_float(th),
            op::BINFLOAT => {
                let f = f64::from_be_bytes(self.input.array(th)?);
                self.push(f)
            }
            op::SHORT_BINBYTES | op::BINBYTES | op::BINBYTES8 => {
                let n = self.size(th, code, "BINBYTES")?;
                let v = Bytes::new(self.input.take(th, n)?);
                self.push(v)
            }
            op::BYTEARRAY8 => {
                let n = self.size(th, code, "BYTEARRAY8")?;
                let v = ByteArray::create(self.input.take(th, n)?.to_vec());
                self.push(v)
            }
            op::NEXT_BUFFER => self.next_buffer(th),
            op::READONLY_BUFFER => self.readonly_buffer(th),
            op::SHORT_BINUNICODE | op::BINUNICODE | op::BINUNICODE8 => {
                let n = self.size(th, code, "BINUNICODE")?;
                self.load_utf8(th, n)
            }
            op::UNICODE => self.load_unicode(th),
            op::STRING => self.load_string(th),
            op::BINSTRING => {
                let n = i32::from_le_bytes(self.input.array(th)?);
                match usize::try_from(n) {
                    Ok(n) => self.load_counted_string(th, n),
                    Err(_) => Err(unpickling_error(th, "BINSTRING pickle has negative byte count")),
                }
            }
            op::SHORT_BINSTRING => {
                let n = self.input.byte(th)?;
                self.load_counted_string(th, n.into())
            }
            op::EMPTY_TUPLE => self.push(Tuple::empty()),
            op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => {
                let items = self.stack.split(th, usize::from(code - op::TUPLE1) + 1)?;
                self.push(Tuple::from_vec(items))
            }
            op::TUPLE => {
                let items = self.stack.pop_mark(th)?;
                self.push(Tuple::from_vec(items))
            }
            op::EMPTY_LIST => self.push(List::new(Vec::new())),
            op::LIST => {
                let items = self.stack.pop_mark(th)?;
                self.push(List::new(items))
            }
            op::EMPTY_DICT => self.push(Dict::new()),
            op::DICT => self.load_dict(th),
            op::EMPTY_SET => self.push(Set::new()),
            op::FROZENSET => self.load_frozenset(th),
            op::MARK => {
                self.stack.mark();
                Ok(())
            }
            op::POP => self.stack.pop_or_unmark(th),
            op::POP_MARK => self.stack.pop_mark(th).map(drop),
            op::DUP => {
                let v = self.stack.last(th)?;
                self.push(v)
            }
            op::GET | op::BINGET | op::LONG_BINGET => self.load_get(th, code),
            op::PUT | op::BINPUT | op::LONG_BINPUT | op::MEMOIZE => self.load_put(th, code),
            op::PROTO => self.load_proto(th),
            op::FRAME => {
                let n = u64::from_le_bytes(self.input.array(th)?);
                if n > isize::MAX as u64 {
                    let message = format!("FRAME length exceeds system's maximum of {} bytes", isize::MAX);
                    return Err(raise(th, &krait_runtime::exceptions::OVERFLOW_ERROR, message));
                }
                self.input.frame(th, n as usize)
            }
            op::PERSID => {
                let line = self.input.line(th)?;
                match std::str::from_utf8(&line).ok().filter(|t| t.is_ascii()) {
                    Some(text) => self.load_persistent(th, Value::str(text)),
                    None => Err(unpickling_error(th, "persistent IDs in protocol 0 must be ASCII strings")),
                }
            }
            op::BINPERSID => {
                let id = self.stack.pop(th)?;
                self.load_persistent(th, id)
            }
            _ => self.step_object(th, code),
        }
    }
    fn load_persistent(&mut self, th: &mut Thread, id: Value) -> PyResult<()> {
        let Some(f) = self.persistent_load.clone() else {
            let message =
                "A load persistent id instruction was encountered, but no persistent_load function was specified.";
            return Err(unpickling_error(th, message));
        };
        let v = krait_runtime::protocol::call::call(th, &f, &[id])?;
        self.push(v)
    }

    /// The length behind an opcode; its width is 1, 4 or 8.
    fn size(&mut self, th: &mut Thread, code: u8, what: &str) -> PyResult<usize> {
        let n = match code {
            op::SHORT_BINBYTES | op::SHORT_BINUNICODE => self.input.byte(th)?.into(),
            op::BINBYTES | op::BINUNICODE => u32::from_le_bytes(self.input.array(th)?).into(),
            _ => u64::from_le_bytes(self.input.array(th)?),
        };
        if n > isize::MAX as u64 {
            let message = format!("{what} exceeds system's maximum size of {} bytes", isize::MAX);
            return Err(raise(th, &krait_runtime::exceptions::OVERFLOW_ERROR, message));
        }
        Ok(n as usize)
    }
    fn load_int(&mut self, th: &mut Thread) -> PyResult<()> {
        let line = self.input.line(th)?;
        match line.as_slice() {
            b"00" => return self.push(false),
            b"01" => return self.push(true),
            _ => {}
        }
        self.push_int(th, &line)
    }
    fn load_long(&mut self, th: &mut Thread) -> PyResult<()> {
        let line = self.input.line(th)?;
        let digits = line.strip_suffix(b"L").unwrap_or(&line).to_vec();
        if digits.is_empty() {
            return Err(value_error(th, "invalid literal for int() with base 0: ''"));
        }
        self.push_int(th, &digits)
    }
    fn push_int(&mut self, th: &mut Thread, text: &[u8]) -> PyResult<()> {
        let trimmed = text.trim_ascii();
        let small = std::str::from_utf8(trimmed).ok().and_then(|t| t.parse::<i64>().ok());
        if let Some(n) = small.filter(|_| !trimmed.starts_with(b"0") || trimmed.len() == 1) {
            return self.push(n);
        }
        let shown: Value = Str::from_latin1(text).into();
        let v = int_type::from_bytes_text(th, &shown, text, 0)?;
        self.push(v)
    }
    fn load_counted_long(&mut self, th: &mut Thread, n: usize) -> PyResult<()> {
        let v: Value = BigInt::from_signed_bytes_le(self.input.take(th, n)?).into();
        self.push(v)
    }
    fn load_float(&mut self, th: &mut Thread) -> PyResult<()> {
        let line = self.input.line(th)?;
        match float_parse::parse_float(line.trim_ascii()) {
            Some(f) if !line.is_empty() => self.push(f),
            _ => Err(value_error(th, "could not convert string to float")),
        }
    }
    fn load_utf8(&mut self, th: &mut Thread, n: usize) -> PyResult<()> {
        let data = self.input.take(th, n)?;
        let v: Value = match std::str::from_utf8(data) {
            Ok(text) => Str::new(text).into(),
            Err(_) => {
                let data = data.to_vec();
                codecs::decode_bytes(th, &data, None, Some("utf-8"), Some("surrogatepass"))?
            }
        };
        self.push(v)
    }
    fn load_unicode(&mut self, th: &mut Thread) -> PyResult<()> {
        let line = self.input.line(th)?;
        let v = codecs::decode_bytes(th, &line, None, Some("raw-unicode-escape"), None)?;
        self.push(v)
    }
    fn load_string(&mut self, th: &mut Thread) -> PyResult<()> {
        let line = self.input.line(th)?;
        let quoted = match line.as_slice() {
            [first @ (b'\'' | b'"'), inner @ .., last] if first == last => inner,
            _ => return Err(unpickling_error(th, "the STRING opcode argument must be quoted")),
        };
        let escape_decode = super::imported(th, "_codecs", "escape_decode")?;
        let pair = krait_runtime::protocol::call::call(th, &escape_decode, &[Bytes::new(quoted).into()])?;
        let data = pair.downcast_ref::<Tuple>().and_then(|t| t.first()?.downcast_ref::<Bytes>().map(|b| b.to_vec()));
        self.push_old_string(th, &data.unwrap_or_default())
    }
    fn load_counted_string(&mut self, th: &mut Thread, n: usize) -> PyResult<()> {
        let data = self.input.take(th, n)?.to_vec();
        self.push_old_string(th, &data)
    }
    /// An eight-bit string of Python 2.
    fn push_old_string(&mut self, th: &mut Thread, data: &[u8]) -> PyResult<()> {
        if self.options.encoding == "bytes" {
            return self.push(Bytes::new(data));
        }
        let (encoding, errors) = (self.options.encoding.clone(), self.options.errors.clone());
        let v = codecs::decode_bytes(th, data, None, Some(&encoding), Some(&errors))?;
        self.push(v)
    }
    fn next_buffer(&mut self, th: &mut Thread) -> PyResult<()> {
        let Some(buffers) = self.options.buffers.clone() else {
            let message = "pickle stream refers to out-of-band data but no *buffers* argument was given";
            return Err(unpickling_error(th, message));
        };
        match iter::next(th, &buffers)? {
            Some(v) => self.push(v),
            None => Err(unpickling_error(th, "not enough out-of-band buffers")),
        }
    }
    fn readonly_buffer(&mut self, th: &mut Thread) -> PyResult<()> {
        let v = self.stack.pop(th)?;
        let view = krait_runtime::types::memoryview::of(th, &v, krait_object::buffer::flags::FULL_RO)?;
        let readonly = krait_runtime::protocol::attr::get_text(th, &view, "readonly")?;
        if readonly.is_true() {
            return self.push(v);
        }
        let view = krait_runtime::protocol::attr::call_method(th, &view, "toreadonly", &[])?;
        self.push(view)
    }

    fn place_in_line(&mut self, th: &mut Thread) -> PyResult<i64> {
        let line = self.input.line(th)?;
        let shown: Value = Str::from_latin1(&line).into();
        let v = int_type::from_bytes_text(th, &shown, &line, 10)?;
        number::to_i64(th, &v)
    }
    fn load_get(&mut self, th: &mut Thread, code: u8) -> PyResult<()> {
        let n = match code {
            op::GET => self.place_in_line(th)?,
            op::BINGET => self.input.byte(th)?.into(),
            _ => u32::from_le_bytes(self.input.array(th)?).into(),
        };
        let found = u64::try_from(n).ok().and_then(|n| self.unpickler.memo.lock().get(n));
        match found {
            Some(v) => self.push(v),
            None => Err(unpickling_error(th, format!("Memo value not found at index {n}"))),
        }
    }
    fn load_put(&mut self, th: &mut Thread, code: u8) -> PyResult<()> {
        let n = match code {
            op::PUT => self.place_in_line(th)?,
            op::BINPUT => self.input.byte(th)?.into(),
            op::LONG_BINPUT => u32::from_le_bytes(self.input.array(th)?).into(),
            _ => self.unpickler.memo.lock().len() as i64,
        };
        let v = self.stack.last(th)?;
        match u64::try_from(n) {
            Ok(n) => {
                let old = self.unpickler.memo.lock().put(n, v);
                drop(old);
                Ok(())
            }
            Err(_) => Err(value_error(th, "negative PUT argument")),
        }
    }
    fn load_proto(&mut self, th: &mut Thread) -> PyResult<()> {
        let protocol = self.input.byte(th)?;
        if i32::from(protocol) > op::HIGHEST_PROTOCOL {
            return Err(value_error(th, format!("unsupported pickle protocol: {protocol}")));
        }
        self.unpickler.protocol.set(protocol.into());
        Ok(())
    }
    fn load_dict(&mut self, th: &mut Thread) -> PyResult<()> {
        let items = self.stack.pop_mark(th)?;
        if items.len() % 2 != 0 {
            return Err(unpickling_error(th, "odd number of items for DICT"));
        }
        let d = Dict::new();
        for pair in items.chunks_exact(2) {
            d.set(th, pair[0].clone(), pair[1].clone())?;
        }
        self.push(d)
    }
    fn load_frozenset(&mut self, th: &mut Thread) -> PyResult<()> {
        let items = self.stack.pop_mark(th)?;
        let class: Ref<krait_object::Type> = Ref::from_object(&krait_object::builtin_types::FROZENSET);
        let v = crate::arguments::construct(th, &class, &[List::new(items).into()])?;
        self.push(v)
    }
}
