//! The stored form of code objects (`.pyc` bodies): plain data in and out, versioned by the opcode table's hash.
//!
//! Not `marshal.dumps`' format, which scripts see and which lives in the stdlib. Reading is total: any bytes give a
//! code object or an error. What comes from elsewhere than this program's cache is verified as it is read ([`Origin`]).
//! CPython counterpart: `Python/marshal.c` for code.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use num_bigint::BigInt;

use crate::code::{CodeObject, Const, ExceptionEntry, flags};
use crate::location::{Position, PositionTable, Run};
use crate::opcodes::table_hash;
use crate::stored::{Head, Store, StoredCode, can_wait};
use crate::verify;

/// Changes with the format below.
const VERSION: u32 = 5;
const TABLE_HASH: u32 = table_hash();
/// Stands for the compiler that makes the code objects of this process.
static COMPILER: AtomicU32 = AtomicU32::new(0);
/// Constants nest no deeper than this.
const MAX_DEPTH: u32 = 1000;

/// Says which compiler makes the code objects: what another one stored is not read. Before the first use of this module.
pub fn set_compiler(fingerprint: u32) {
    COMPILER.store(fingerprint, Relaxed);
}
/// Names opcodes, format and compiler.
fn version() -> u32 {
    TABLE_HASH ^ VERSION.wrapping_mul(0x9e37_79b9) ^ COMPILER.load(Relaxed)
}
/// Four bytes at the head of every stored code object.
pub fn magic() -> [u8; 4] {
    let hash = version();
    // CPython's magic ends in "\r\n", so that text transfers are noticed.
    [hash as u8, (hash >> 8) as u8, b'\r', b'\n']
}

/// Where stored code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// What this program stored for itself.
    Own,
    /// Anywhere else: it may run once `verify` finds no fault, and is malformed otherwise.
    Foreign,
}

/// Why bytes are no code object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// Another version's.
    BadMagic,
    /// Cut off or malformed.
    Malformed,
}

type Result<T> = std::result::Result<T, ReadError>;

/// Stores a code object.
pub fn dump(code: &CodeObject) -> Vec<u8> {
    let mut writer = Writer { out: magic().to_vec() };
    writer.out.extend(version().to_le_bytes());
    writer.code(code, "");
    writer.out
}

/// The runs that are stored; none if the bytes are malformed.
pub(crate) fn read_positions(stored: &[u8]) -> Vec<Run> {
    if stored.is_empty() {
        return Vec::new();
    }
    Reader::of(stored).positions().unwrap_or_default()
}

/// Reads a stored code object.
pub fn load(bytes: &[u8]) -> Result<CodeObject> {
    Reader::of(without_version(bytes)?).code(0)
}
/// Reads a stored code object that begins at an offset of the store; the code of functions in it is left there.
pub fn load_outer(store: &Store, at: usize, origin: Origin) -> Result<CodeObject> {
    let bytes = (**store).as_ref();
    let rest = without_version(bytes.get(at..).ok_or(ReadError::Malformed)?)?;
    Reader::of_part(rest, (store, bytes.len()), &Arc::from(""), origin).code(0)
}
fn without_version(bytes: &[u8]) -> Result<&[u8]> {
    let rest = bytes.strip_prefix(&magic()).ok_or(ReadError::BadMagic)?;
    rest.strip_prefix(&version().to_le_bytes()).ok_or(ReadError::BadMagic)
}

struct Writer {
    out: Vec<u8>,
}

impl Writer {
    fn number(&mut self, value: u64) {
        let mut value = value;
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    fn signed(&mut self, value: i64) {
        self.number(((value << 1) ^ (value >> 63)) as u64);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    fn names(&mut self, names: &[Arc<str>]) {
        self.number(names.len() as u64);
        names.iter().for_each(|name| self.bytes(name.as_bytes()));
    }

    fn float(&mut self, value: f64) {
        self.out.extend(value.to_bits().to_le_bytes());
    }

    fn constants(&mut self, items: &[Const], filename: &str) {
        self.number(items.len() as u64);
        items.iter().for_each(|item| self.constant(item, filename));
    }

    /// `filename` is that of the code object around it.
    fn constant(&mut self, value: &Const, filename: &str) {
        match value {
            Const::None => self.out.push(b'N'),
            Const::Bool(value) => self.out.push(if *value { b'T' } else { b'F' }),
            Const::Ellipsis => self.out.push(b'.'),
            Const::Int(value) => {
                self.out.push(b'i');
                self.signed(*value);
            }
            Const::BigInt(value) => {
                self.out.push(b'l');
                self.bytes(&value.to_signed_bytes_le());
            }
            Const::Float(value) => {
                self.out.push(b'g');
                self.float(*value);
            }
            Const::Complex(real, imag) => {
                self.out.push(b'y');
                self.float(*real);
                self.float(*imag);
            }
            Const::Str(text) => {
                self.out.push(b'u');
                self.bytes(text);
            }
            Const::Bytes(text) => {
                self.out.push(b's');
                self.bytes(text);
            }
            Const::Tuple(items) => {
                self.out.push(b'(');
                self.constants(items, filename);
            }
            Const::FrozenSet(items) => {
                self.out.push(b'>');
                self.constants(items, filename);
            }
            Const::Code(code) => {
                self.out.push(if can_wait(code) { b'c' } else { b'C' });
                let mut nested = Writer { out: Vec::new() };
                nested.code(code, filename);
                self.bytes(&nested.out);
            }
            Const::Stored(code) if **code.around() == *filename => {
                self.out.push(b'c');
                self.bytes(code.bytes());
            }
            // What cannot be read is as malformed in the copy.
            Const::Stored(code) => match code.read() {
                Ok(read) => self.constant(&Const::Code(Arc::new(read)), filename),
                Err(_) => self.out.push(0),
            },
        }
    }

    fn code(&mut self, code: &CodeObject, around: &str) {
        let counts =
            [code.argcount, code.posonlyargcount, code.kwonlyargcount, code.flags, code.firstlineno, code.nregs];
        let numbers = counts.into_iter().chain([code.nlocals() as u32, code.first_free() as u32]);
        numbers.for_each(|number| self.number(number as u64));
        // Nearly always the same: an empty name stands for it.
        self.bytes(if *code.filename == *around { b"" } else { code.filename.as_bytes() });
        [&code.name, &code.qualname].iter().for_each(|text| self.bytes(text.as_bytes()));
        [&code.names, &code.varnames, &code.cellvars, &code.freevars].iter().for_each(|names| self.names(names));
        for registers in [&code.cell_registers, &code.hidden_locals] {
            self.number(registers.len() as u64);
            registers.iter().for_each(|&register| self.number(register as u64));
        }
        self.number(code.words.len() as u64);
        code.words.iter().for_each(|word| self.out.extend(word.to_le_bytes()));
        self.number(code.exceptions.len() as u64);
        for entry in &code.exceptions {
            let numbers = [entry.start, entry.end, entry.handler, entry.depth as u32];
            numbers.iter().for_each(|&number| self.number(number as u64));
        }
        let mut positions = Writer { out: Vec::new() };
        positions.positions(code.positions.runs());
        self.bytes(&positions.out);
        self.constants(&code.consts, &code.filename);
    }

    fn positions(&mut self, runs: &[Run]) {
        self.number(runs.len() as u64);
        let (mut word, mut line) = (0, 0);
        for &(start, position) in runs {
            self.number((start - word) as u64);
            self.signed(position.line as i64 - line);
            self.signed(position.end_line as i64 - position.line as i64);
            self.signed(position.col as i64);
            self.signed(position.end_col as i64 - position.col as i64);
            (word, line) = (start, position.line as i64);
        }
    }
}

pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// That of the code object being read.
    filename: Arc<str>,
    /// What holds the bytes, where code of functions may stay unread, and where they end in it.
    store: Option<(&'a Store, usize)>,
    origin: Origin,
}

impl<'a> Reader<'a> {
    fn of(rest: &'a [u8]) -> Reader<'a> {
        Reader { rest, filename: Arc::from(""), store: None, origin: Origin::Own }
    }

    /// For bytes of a store, with where they end in it, within code of the file `around`.
    pub(crate) fn of_part(rest: &'a [u8], store: (&'a Store, usize), around: &Arc<str>, origin: Origin) -> Reader<'a> {
        Reader { rest, filename: around.clone(), store: Some(store), origin }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(ReadError::Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    #[inline]
    fn number(&mut self) -> Result<u64> {
        if let [byte @ 0..0x80, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        self.long_number()
    }

    fn long_number(&mut self) -> Result<u64> {
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let byte = self.byte()?;
            if shift >= 64 {
                return Err(ReadError::Malformed);
            }
            value |= ((byte & 0x7f) as u64) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
            shift += 7;
        }
    }

    fn small<T: TryFrom<u64>>(&mut self) -> Result<T> {
        T::try_from(self.number()?).map_err(|_| ReadError::Malformed)
    }

    fn signed(&mut self) -> Result<i64> {
        let value = self.number()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A count of things that take at least one byte each, so that it cannot ask for more memory than was given.
    fn count(&mut self) -> Result<usize> {
        let count: usize = self.small()?;
        if count <= self.rest.len() { Ok(count) } else { Err(ReadError::Malformed) }
    }

    fn bytes(&mut self) -> Result<&'a [u8]> {
        let count = self.count()?;
        self.take(count)
    }

    fn str(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| ReadError::Malformed)
    }

    fn text(&mut self) -> Result<Arc<str>> {
        self.str().map(Arc::from)
    }

    fn many<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.count()?;
        let mut all = Vec::with_capacity(count);
        for _ in 0..count {
            all.push(one(self)?);
        }
        Ok(all)
    }

    fn float(&mut self) -> Result<f64> {
        Ok(f64::from_bits(self.word()?))
    }

    fn words(&mut self) -> Result<Vec<u64>> {
        let count = self.count()?;
        let bytes = self.take(count.checked_mul(8).ok_or(ReadError::Malformed)?)?;
        Ok(bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect())
    }

    fn word(&mut self) -> Result<u64> {
        let bytes = self.take(8)?;
        Ok(u64::from_le_bytes(bytes.try_into().expect("eight bytes were taken")))
    }

    fn constant(&mut self, depth: u32) -> Result<Const> {
        if depth > MAX_DEPTH {
            return Err(ReadError::Malformed);
        }
        Ok(match self.byte()? {
            b'N' => Const::None,
            b'T' => Const::Bool(true),
            b'F' => Const::Bool(false),
            b'.' => Const::Ellipsis,
            b'i' => Const::Int(self.signed()?),
            b'l' => Const::BigInt(BigInt::from_signed_bytes_le(self.bytes()?)),
            b'g' => Const::Float(self.float()?),
            b'y' => Const::Complex(self.float()?, self.float()?),
            b'u' => Const::Str(self.bytes()?.into()),
            b's' => Const::Bytes(self.bytes()?.into()),
            b'(' => Const::Tuple(self.many(|reader| reader.constant(depth + 1))?.into()),
            b'>' => Const::FrozenSet(self.many(|reader| reader.constant(depth + 1))?.into()),
            tag @ (b'c' | b'C') => self.nested(tag == b'c', depth + 1)?,
            _ => return Err(ReadError::Malformed),
        })
    }

    fn nested(&mut self, may_wait: bool, depth: u32) -> Result<Const> {
        let bytes = self.bytes()?;
        let end = self.store.map(|(store, end)| (store, end - self.rest.len()));
        if let Some((store, end)) = end.filter(|_| may_wait) {
            let code = StoredCode::new(store, end - bytes.len()..end, &self.filename, self.origin)?;
            return Ok(Const::Stored(Arc::new(code)));
        }
        let mut reader = Reader { rest: bytes, filename: self.filename.clone(), store: end, origin: self.origin };
        Ok(Const::Code(Arc::new(reader.code(depth)?)))
    }

    pub(crate) fn head(&mut self) -> Result<Head<'a>> {
        let head = Head {
            argcount: self.small()?,
            posonlyargcount: self.small()?,
            kwonlyargcount: self.small()?,
            flags: self.small()?,
            firstlineno: self.small()?,
            nregs: self.small()?,
            nlocals: self.small()?,
            first_free: self.small()?,
            filename: Some(self.str()?).filter(|name| !name.is_empty()),
            name: self.str()?,
            qualname: self.str()?,
        };
        // Frames are entered by these numbers before the rest is read.
        let named = u64::from(head.argcount) + u64::from(head.kwonlyargcount);
        let packed = [flags::VARARGS, flags::VARKEYWORDS].iter().filter(|&&flag| head.flags & flag != 0).count();
        let fits = head.posonlyargcount <= head.argcount
            && named + packed as u64 <= u64::from(head.nlocals)
            && head.nlocals <= head.first_free
            && head.first_free <= head.nregs
            && head.nregs as usize <= verify::MOST_REGISTERS;
        if fits { Ok(head) } else { Err(ReadError::Malformed) }
    }

    pub(crate) fn code(&mut self, depth: u32) -> Result<CodeObject> {
        let head = self.head()?;
        if let Some(filename) = head.filename {
            self.filename = Arc::from(filename);
        }
        let mut code = CodeObject {
            argcount: head.argcount,
            posonlyargcount: head.posonlyargcount,
            kwonlyargcount: head.kwonlyargcount,
            flags: head.flags,
            firstlineno: head.firstlineno,
            nregs: head.nregs,
            filename: self.filename.clone(),
            name: Arc::from(head.name),
            qualname: Arc::from(head.qualname),
            names: self.many(Self::text)?,
            varnames: self.many(Self::text)?,
            cellvars: self.many(Self::text)?,
            freevars: self.many(Self::text)?,
            cell_registers: self.many(Self::small)?,
            hidden_locals: self.many(Self::small)?,
            words: self.words()?,
            exceptions: self.many(|reader| {
                Ok(ExceptionEntry {
                    start: reader.small()?,
                    end: reader.small()?,
                    handler: reader.small()?,
                    depth: reader.small()?,
                })
            })?,
            ..CodeObject::default()
        };
        code.positions = PositionTable::from_stored(self.bytes()?);
        code.consts = self.many(|reader| reader.constant(depth + 1))?;
        let agree = code.nlocals() == head.nlocals as usize && code.first_free() == head.first_free as usize;
        if code.cell_registers.len() != code.cellvars.len() || !agree {
            return Err(ReadError::Malformed);
        }
        if self.origin == Origin::Foreign {
            verify::verify(&code).map_err(|_| ReadError::Malformed)?;
        }
        Ok(code)
    }

    fn positions(&mut self) -> Result<Vec<Run>> {
        let count = self.count()?;
        let mut runs = Vec::with_capacity(count);
        let (mut word, mut line) = (0u32, 0i64);
        let fit = |value: i64| i32::try_from(value).map_err(|_| ReadError::Malformed);
        for _ in 0..count {
            word = word.checked_add(self.small()?).ok_or(ReadError::Malformed)?;
            line = line.checked_add(self.signed()?).ok_or(ReadError::Malformed)?;
            let end_line = line.checked_add(self.signed()?).ok_or(ReadError::Malformed)?;
            let col = self.signed()?;
            let end_col = col.checked_add(self.signed()?).ok_or(ReadError::Malformed)?;
            let position = Position {
                line: fit(line)? as u32,
                end_line: fit(end_line)? as u32,
                col: fit(col)?,
                end_col: fit(end_col)?,
            };
            runs.push((word, position));
        }
        Ok(runs)
    }
}
