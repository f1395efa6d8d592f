//! Marshal's bytes to objects. Any bytes give an object or an error.
use std::borrow::Cow;

use krait_object::intern::intern_ref;
use krait_object::{Bytes, Dict, FrozenSet, List, PyResult, Raised, Ref, Set, Str, Thread, Tuple, Value};
use krait_runtime::errors::{eof_error, memory_error, type_error, value_error};
use krait_runtime::exceptions::STOP_ITERATION;
use krait_runtime::protocol::{attr, buffer};
use krait_runtime::types::complex;
use num_bigint::{BigInt, Sign};

use super::{FLAG_REF, MAX_DEPTH, STORED_CODE};

enum Source<'a> {
    Memory(&'a [u8]),
    /// Something with `read`.
    File(Value),
}
struct Reader<'a> {
    source: Source<'a>,
    /// Flagged objects; `None` while their content is being read.
    refs: Vec<Option<Value>>,
    allow_code: bool,
    depth: u32,
}

pub(super) fn loads(th: &mut Thread, data: &[u8], allow_code: bool) -> PyResult<Value> {
    let mut r = Reader { source: Source::Memory(data), refs: Vec::new(), allow_code, depth: 0 };
    r.value(th)
}
pub(super) fn load(th: &mut Thread, file: &Value, allow_code: bool) -> PyResult<Value> {
    // An empty read tells binary files from text files.
    let probe = attr::call_method(th, file, "read", &[Value::int(0)])?;
    if probe.downcast_ref::<Bytes>().is_none() {
        let class = probe.class().name();
        return Err(type_error(th, format!("file.read() returned not bytes but {class}")));
    }
    let mut r = Reader { source: Source::File(file.clone()), refs: Vec::new(), allow_code, depth: 0 };
    r.value(th)
}

fn bad(th: &mut Thread, what: &str) -> Raised {
    value_error(th, format!("bad marshal data ({what})"))
}
fn too_short(th: &mut Thread) -> Raised {
    eof_error(th, "marshal data too short")
}

impl<'a> Reader<'a> {
    fn take(&mut self, th: &mut Thread, n: usize) -> PyResult<Cow<'a, [u8]>> {
        match &mut self.source {
            Source::Memory(rest) => match rest.split_at_checked(n) {
                Some((taken, after)) => {
                    *rest = after;
                    Ok(Cow::Borrowed(taken))
                }
                None => Err(too_short(th)),
            },
            Source::File(file) => {
                let file = file.clone();
                let (data, got) = read_into(th, &file, n)?;
                if got > n {
                    let message = format!("read() returned too much data: {n} bytes requested, {got} returned");
                    return Err(value_error(th, message));
                }
                if data.len() < n { Err(too_short(th)) } else { Ok(Cow::Owned(data)) }
            }
        }
    }
    fn byte(&mut self, th: &mut Thread) -> PyResult<u8> {
        Ok(self.take(th, 1)?[0])
    }
    fn short(&mut self, th: &mut Thread) -> PyResult<i16> {
        let b = self.take(th, 2)?;
        Ok(i16::from_le_bytes([b[0], b[1]]))
    }
    fn long(&mut self, th: &mut Thread) -> PyResult<i32> {
        let b = self.take(th, 4)?;
        Ok(i32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }
    fn size(&mut self, th: &mut Thread, what: &str) -> PyResult<usize> {
        let n = self.long(th)?;
        usize::try_from(n).map_err(|_| bad(th, what))
    }
    fn float(&mut self, th: &mut Thread) -> PyResult<f64> {
        let b = self.take(th, 8)?;
        let bytes = <[u8; 8]>::try_from(&*b).expect("eight bytes were taken");
        Ok(f64::from_le_bytes(bytes))
    }
    fn float_text(&mut self, th: &mut Thread) -> PyResult<f64> {
        let n = self.byte(th)?;
        let text = self.take(th, n.into())?;
        let text = Value::str(&String::from_utf8_lossy(&text));
        krait_runtime::protocol::number::float(th, &text).map(|v| v.to_f64().unwrap_or_default())
    }
    /// The outermost object.
    fn value(&mut self, th: &mut Thread) -> PyResult<Value> {
        match self.object(th)? {
            Some(v) => Ok(v),
            None => Err(type_error(th, "NULL object in marshal data for object")),
        }
    }
    /// An item of a container.
    fn item(&mut self, th: &mut Thread, container: &str) -> PyResult<Value> {
        match self.object(th)? {
            Some(v) => Ok(v),
            None => Err(type_error(th, format!("NULL object in marshal data for {container}"))),
        }
    }
    /// `None` is the NULL that ends a dict.
    fn object(&mut self, th: &mut Thread) -> PyResult<Option<Value>> {
        let code = match &self.source {
            Source::Memory([]) => return Err(eof_error(th, "EOF read where object expected")),
            Source::Memory(_) => self.byte(th)?,
            Source::File(_) => match self.byte(th) {
                Ok(b) => b,
                Err(raised) => {
                    krait_runtime::errors::catch(th, raised, &krait_runtime::exceptions::EOF_ERROR)?;
                    return Err(eof_error(th, "EOF read where object expected"));
                }
            },
        };
        self.depth += 1;
        let result = if self.depth > MAX_DEPTH {
            Err(value_error(th, "recursion limit exceeded"))
        } else {
            self.body(th, code & !FLAG_REF, code & FLAG_REF != 0)
        };
        self.depth -= 1;
        result
    }
    fn body(&mut self, th: &mut Thread, code: u8, flagged: bool) -> PyResult<Option<Value>> {
        let v = match code {
            b'0' => return Ok(None),
            b'N' => return Ok(Some(Value::NONE)),
            b'S' => return Ok(Some(STOP_ITERATION.to_value())),
            b'.' => return Ok(Some(Value::ELLIPSIS)),
            b'F' => return Ok(Some(Value::FALSE)),
            b'T' => return Ok(Some(Value::TRUE)),
            b'r' => {
                let n = self.long(th)?;
                return match usize::try_from(n).ok().and_then(|n| self.refs.get(n)) {
                    Some(Some(v)) => Ok(Some(v.clone())),
                    _ => Err(bad(th, "invalid reference")),
                };
            }
            b'(' | b')' | b'[' | b'{' | b'<' | b'>' | STORED_CODE => {
                return self.container(th, code, flagged).map(Some);
            }
            _ => self.plain(th, code)?,
        };
        if flagged {
            self.refs.push(Some(v.clone()));
        }
        Ok(Some(v))
    }
    fn plain(&mut self, th: &mut Thread, code: u8) -> PyResult<Value> {
        Ok(match code {
            b'i' => Value::from(self.long(th)?),
            b'I' => {
                let b = self.take(th, 8)?;
                Value::int(i64::from_le_bytes(<[u8; 8]>::try_from(&*b).expect("eight bytes were taken")))
            }
            b'l' => self.int(th)?,
            b'f' => Value::float(self.float_text(th)?),
            b'g' => Value::float(self.float(th)?),
            b'x' => complex::new(self.float_text(th)?, self.float_text(th)?),
            b'y' => complex::new(self.float(th)?, self.float(th)?),
            b's' => {
                let n = self.size(th, "bytes object size out of range")?;
                Bytes::new(&self.take(th, n)?).into()
            }
            b'z' | b'Z' => {
                let n = self.byte(th)?;
                self.latin(th, n.into(), code == b'Z')?
            }
            b'a' | b'A' => {
                let n = self.size(th, "string size out of range")?;
                self.latin(th, n, code == b'A')?
            }
            b'u' | b't' => {
                let n = self.size(th, "string size out of range")?;
                let data = self.take(th, n)?;
                let s = text(th, &data)?;
                if code == b't' { intern_ref(&s).into() } else { s.into() }
            }
            b'c' => return Err(bad(th, "code object of another interpreter")),
            _ => return Err(bad(th, "unknown type code")),
        })
    }
    fn latin(&mut self, th: &mut Thread, n: usize, interned: bool) -> PyResult<Value> {
        let data = self.take(th, n)?;
        let s = Str::from_latin1(&data);
        Ok(if interned { intern_ref(&s).into() } else { s.into() })
    }
    fn int(&mut self, th: &mut Thread) -> PyResult<Value> {
        let n = self.long(th)?;
        if n == i32::MIN {
            return Err(bad(th, "long size out of range"));
        }
        let count = n.unsigned_abs() as usize;
        let mut out: Vec<u8> = Vec::new();
        let (mut held, mut bits) = (0u32, 0u32);
        for i in 0..count {
            let digit = self.short(th)?;
            if digit < 0 {
                return Err(bad(th, "digit out of range in long"));
            }
            if digit == 0 && i + 1 == count {
                return Err(bad(th, "unnormalized long data"));
            }
            held |= (digit as u32) << bits;
            bits += 15;
            while bits >= 8 {
                out.push(held as u8);
                held >>= 8;
                bits -= 8;
            }
        }
        out.push(held as u8);
        let sign = if n < 0 { Sign::Minus } else { Sign::Plus };
        Ok(BigInt::from_bytes_le(sign, &out).into())
    }
    /// Takes the next number for an object whose content follows.
    fn reserve(&mut self, flagged: bool) -> Option<usize> {
        flagged.then(|| {
            self.refs.push(None);
            self.refs.len() - 1
        })
    }
    fn fill(&mut self, place: Option<usize>, v: &Value) {
        if let Some(i) = place {
            self.refs[i] = Some(v.clone());
        }
    }
    fn items(&mut self, th: &mut Thread, n: usize, container: &str) -> PyResult<Vec<Value>> {
        let mut items = Vec::new();
        for _ in 0..n {
            if items.try_reserve(1).is_err() {
                return Err(memory_error(th));
            }
            items.push(self.item(th, container)?);
        }
        Ok(items)
    }
    fn container(&mut self, th: &mut Thread, code: u8, flagged: bool) -> PyResult<Value> {
        match code {
            b'(' | b')' => {
                let n = if code == b')' { self.byte(th)?.into() } else { self.size(th, "tuple size out of range")? };
                let place = self.reserve(flagged);
                let v = Tuple::from_vec(self.items(th, n, "tuple")?).into();
                self.fill(place, &v);
                Ok(v)
            }
            b'[' => {
                let n = self.size(th, "list size out of range")?;
                let list = List::new(Vec::new());
                let place = self.reserve(flagged);
                self.fill(place, list.as_value());
                for _ in 0..n {
                    let v = self.item(th, "list")?;
                    list.push(v);
                }
                Ok(list.into())
            }
            b'{' => {
                let dict = Dict::new();
                let place = self.reserve(flagged);
                self.fill(place, dict.as_value());
                while let Some(key) = self.object(th)? {
                    let Some(value) = self.object(th)? else { break };
                    dict.set(th, key, value)?;
                }
                Ok(dict.into())
            }
            b'<' | b'>' => self.set(th, code == b'>', flagged),
            _ => self.code(th, flagged),
        }
    }
    fn set(&mut self, th: &mut Thread, frozen: bool, flagged: bool) -> PyResult<Value> {
        let n = self.size(th, "set size out of range")?;
        let set = Set::new();
        let place = self.reserve(flagged);
        if !frozen {
            self.fill(place, set.as_value());
        }
        for _ in 0..n {
            let v = self.item(th, "set")?;
            set.add(th, v)?;
        }
        if !frozen {
            return Ok(set.into());
        }
        let v = Value::from(Ref::new(FrozenSet(Set::from_table(set.copy_table()))));
        self.fill(place, &v);
        Ok(v)
    }
    fn code(&mut self, th: &mut Thread, flagged: bool) -> PyResult<Value> {
        if !self.allow_code {
            return Err(value_error(th, "unmarshalling code objects is disallowed"));
        }
        let place = self.reserve(flagged);
        let n = self.size(th, "bytes object size out of range")?;
        let data = self.take(th, n)?;
        match krait_runtime::frozen::code_from(th, data.into_owned()) {
            Some(code) => {
                let v = Value::from(code?);
                self.fill(place, &v);
                Ok(v)
            }
            None => Err(bad(th, "code object of another interpreter")),
        }
    }
}

/// `file.readinto` of `n` bytes: what was read, and how many bytes the file says that it read.
fn read_into(th: &mut Thread, file: &Value, n: usize) -> PyResult<(Vec<u8>, usize)> {
    let class = krait_object::Ref::from_object(&krait_runtime::types::bytearray::BYTEARRAY).to_value();
    let room = krait_runtime::protocol::call::call(th, &class, &[Value::from(n)])?;
    let got = attr::call_method(th, file, "readinto", &[room.clone()])?;
    let got = krait_runtime::protocol::number::index_isize(th, &got)?.max(0) as usize;
    let mut data = buffer::bytes_like(th, &room)?;
    data.truncate(got);
    Ok((data, got))
}

/// UTF-8 in which surrogates may stand.
fn text(th: &mut Thread, data: &[u8]) -> PyResult<Ref<Str>> {
    match std::str::from_utf8(data) {
        Ok(s) => Ok(Str::new(s)),
        Err(_) => {
            let decoded = attr::call_method(
                th,
                Bytes::new(data).as_value(),
                "decode",
                &[Value::str("utf-8"), Value::str("surrogatepass")],
            )?;
            Ok(decoded.to_ref::<Str>().unwrap_or_else(Str::empty))
        }
    }
}
