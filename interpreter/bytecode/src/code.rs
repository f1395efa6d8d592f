//! Code objects as plain data: constants, names, flags, words, tables.
//!
//! Not here: positions (`location.rs`), how they are stored (`marshal.rs`) or shown (`disassemble.rs`).
//! CPython counterpart: `Objects/codeobject.c`, `Include/cpython/code.h`.

use std::sync::Arc;

use num_bigint::BigInt;

use crate::location::PositionTable;
use crate::stored::StoredCode;

/// A constant.
#[derive(Clone, Debug)]
pub enum Const {
    /// `None`
    None,
    /// `True`, `False`
    Bool(bool),
    /// `...`
    Ellipsis,
    /// An integer that fits.
    Int(i64),
    /// An integer that does not fit `Int`.
    BigInt(BigInt),
    /// Equal only by bits.
    Float(f64),
    /// Real and imaginary part.
    Complex(f64, f64),
    /// WTF-8: UTF-8 in which lone surrogates may stand as three bytes.
    Str(Arc<[u8]>),
    /// `bytes`
    Bytes(Arc<[u8]>),
    /// `tuple`
    Tuple(Arc<[Const]>),
    /// `frozenset`, without repetitions
    FrozenSet(Arc<[Const]>),
    /// Code of a nested function, class or scope.
    Code(Arc<CodeObject>),
    /// The same, not read yet.
    Stored(Arc<StoredCode>),
}

impl Const {
    /// A string constant.
    pub fn str(text: &str) -> Const {
        Const::Str(text.as_bytes().into())
    }

    /// Whether two constants are interchangeable: same types, floats equal by bits, code by identity.
    pub fn same(&self, other: &Const) -> bool {
        match (self, other) {
            (Const::None, Const::None) | (Const::Ellipsis, Const::Ellipsis) => true,
            (Const::Bool(x), Const::Bool(y)) => x == y,
            (Const::Int(x), Const::Int(y)) => x == y,
            (Const::BigInt(x), Const::BigInt(y)) => x == y,
            (Const::Float(x), Const::Float(y)) => x.to_bits() == y.to_bits(),
            (Const::Complex(a, b), Const::Complex(x, y)) => a.to_bits() == x.to_bits() && b.to_bits() == y.to_bits(),
            (Const::Str(x), Const::Str(y)) | (Const::Bytes(x), Const::Bytes(y)) => x == y,
            (Const::Tuple(x), Const::Tuple(y)) | (Const::FrozenSet(x), Const::FrozenSet(y)) => {
                x.len() == y.len() && x.iter().zip(y.iter()).all(|(x, y)| x.same(y))
            }
            (Const::Code(x), Const::Code(y)) => Arc::ptr_eq(x, y),
            (Const::Stored(x), Const::Stored(y)) => Arc::ptr_eq(x, y),
            _ => false,
        }
    }
}

/// `CO_*` bits of `co_flags`, with CPython's values.
pub mod flags {
    /// Locals are registers.
    pub const OPTIMIZED: u32 = 0x1;
    /// The frame has a namespace of its own.
    pub const NEWLOCALS: u32 = 0x2;
    /// Has `*args`.
    pub const VARARGS: u32 = 0x4;
    /// Has `**kwargs`.
    pub const VARKEYWORDS: u32 = 0x8;
    /// Defined within a function.
    pub const NESTED: u32 = 0x10;
    /// Generator function.
    pub const GENERATOR: u32 = 0x20;
    /// `async def` without `yield`.
    pub const COROUTINE: u32 = 0x80;
    /// Generator that may be awaited (`types.coroutine`).
    pub const ITERABLE_COROUTINE: u32 = 0x100;
    /// `async def` with `yield`.
    pub const ASYNC_GENERATOR: u32 = 0x200;
    /// `from __future__ import division`
    pub const FUTURE_DIVISION: u32 = 0x20000;
    /// `from __future__ import absolute_import`
    pub const FUTURE_ABSOLUTE_IMPORT: u32 = 0x40000;
    /// `from __future__ import with_statement`
    pub const FUTURE_WITH_STATEMENT: u32 = 0x80000;
    /// `from __future__ import print_function`
    pub const FUTURE_PRINT_FUNCTION: u32 = 0x100000;
    /// `from __future__ import unicode_literals`
    pub const FUTURE_UNICODE_LITERALS: u32 = 0x200000;
    /// `from __future__ import barry_as_FLUFL`
    pub const FUTURE_BARRY_AS_BDFL: u32 = 0x400000;
    /// `from __future__ import generator_stop`
    pub const FUTURE_GENERATOR_STOP: u32 = 0x800000;
    /// `from __future__ import annotations`
    pub const FUTURE_ANNOTATIONS: u32 = 0x1000000;
    /// No `sys.monitoring` events.
    pub const NO_MONITORING_EVENTS: u32 = 0x2000000;
}

/// One entry of the exception table; word indices, `end` exclusive. Inner entries come before outer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExceptionEntry {
    /// First word covered.
    pub start: u32,
    /// First word no longer covered.
    pub end: u32,
    /// Word of the handler.
    pub handler: u32,
    /// Registers from here on are dropped; the exception goes into `R[depth]`.
    pub depth: u16,
}

/// A code object, in index form.
#[derive(Clone, Debug, Default)]
pub struct CodeObject {
    /// `co_argcount`: positional parameters, positional-only ones included.
    pub argcount: u32,
    /// `co_posonlyargcount`
    pub posonlyargcount: u32,
    /// `co_kwonlyargcount`
    pub kwonlyargcount: u32,
    /// `co_flags`
    pub flags: u32,
    /// `co_firstlineno`
    pub firstlineno: u32,
    /// Number of registers, windows of its calls included.
    pub nregs: u32,
    /// `co_filename`
    pub filename: Arc<str>,
    /// `co_name`
    pub name: Arc<str>,
    /// `co_qualname`
    pub qualname: Arc<str>,
    /// `co_consts`; a function's `__doc__` is the first if that is a string.
    pub consts: Vec<Const>,
    /// `co_names`
    pub names: Vec<Arc<str>>,
    /// `co_varnames`; local i is register i.
    pub varnames: Vec<Arc<str>>,
    /// `co_cellvars`, those that are also arguments included.
    pub cellvars: Vec<Arc<str>>,
    /// `co_freevars`
    pub freevars: Vec<Arc<str>>,
    /// Register of each of `cellvars`.
    pub cell_registers: Vec<u16>,
    /// Locals that only an inlined comprehension of a module or class body has: not part of `locals()`.
    pub hidden_locals: Vec<u16>,
    /// The instruction words.
    pub words: Vec<u64>,
    /// Where exceptions go.
    pub exceptions: Vec<ExceptionEntry>,
    /// Source position of each word.
    pub positions: PositionTable,
}

impl CodeObject {
    /// `co_nlocals`
    pub fn nlocals(&self) -> usize {
        self.varnames.len()
    }

    /// Number of registers that a call fills.
    pub fn nargs(&self) -> usize {
        let more = [flags::VARARGS, flags::VARKEYWORDS].into_iter().filter(|flag| self.flags & flag != 0).count();
        self.argcount as usize + self.kwonlyargcount as usize + more
    }

    /// Number of variables that are cells without being locals.
    pub fn ncellonly(&self) -> usize {
        self.cell_registers.iter().filter(|&&register| register as usize >= self.nlocals()).count()
    }

    /// First register of the free variables.
    pub fn first_free(&self) -> usize {
        self.nlocals() + self.ncellonly()
    }

    /// First temporary register.
    pub fn first_temp(&self) -> usize {
        self.first_free() + self.freevars.len()
    }

    /// Name of the variable in a register, `None` for a temporary.
    pub fn variable_name(&self, register: usize) -> Option<&Arc<str>> {
        if register < self.nlocals() {
            return self.varnames.get(register);
        }
        if register >= self.first_free() {
            return self.freevars.get(register - self.first_free());
        }
        let cell = self.cell_registers.iter().position(|&cell| cell as usize == register)?;
        self.cellvars.get(cell)
    }

    /// The handler for an exception at a word.
    pub fn handler_at(&self, word: u32) -> Option<ExceptionEntry> {
        self.exceptions.iter().copied().find(|entry| entry.start <= word && word < entry.end)
    }

    /// `co_linetable` in CPython's format, one code unit per word.
    pub fn linetable(&self) -> Vec<u8> {
        self.positions.to_linetable(self.firstlineno, self.words.len() as u32)
    }

    /// `co_exceptiontable` in CPython's format, one code unit per word.
    pub fn exceptiontable(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let first_temp = self.first_temp() as u32;
        for entry in self.flattened_exceptions() {
            exception_varint(&mut out, entry.start, 0x80);
            exception_varint(&mut out, entry.end - entry.start, 0);
            exception_varint(&mut out, entry.handler, 0);
            exception_varint(&mut out, (entry.depth as u32).saturating_sub(first_temp) << 1, 0);
        }
        out
    }

    /// The exception table as disjoint entries in order of address, which CPython's format wants.
    fn flattened_exceptions(&self) -> Vec<ExceptionEntry> {
        let mut cuts: Vec<u32> = self.exceptions.iter().flat_map(|entry| [entry.start, entry.end]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut flat: Vec<ExceptionEntry> = Vec::new();
        for pair in cuts.windows(2) {
            let Some(entry) = self.handler_at(pair[0]) else { continue };
            match flat.last_mut() {
                Some(last) if last.end == pair[0] && last.handler == entry.handler && last.depth == entry.depth => {
                    last.end = pair[1];
                }
                _ => flat.push(ExceptionEntry { start: pair[0], end: pair[1], ..entry }),
            }
        }
        flat
    }
}

/// Big-endian groups of six bits; bit 6 says that more follow, `start_bit` marks the first byte of an entry.
fn exception_varint(out: &mut Vec<u8>, value: u32, start_bit: u8) {
    let mut first = start_bit;
    for shift in [30, 24, 18, 12, 6] {
        if value >> shift != 0 {
            out.push(((value >> shift) & 0x3f) as u8 | 0x40 | first);
            first = 0;
        }
    }
    out.push((value & 0x3f) as u8 | first);
}
