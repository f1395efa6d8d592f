//! `Display` of code objects: one line per instruction, nested code objects after their parent.
//!
//! The form is for snapshots and for people; `dis` in `interpreter/lib` is its Python counterpart.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use crate::code::{CodeObject, Const};
use crate::opcodes::{Extra, Op, Operand, Word};

impl Display for Const {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let list = |f: &mut Formatter<'_>, items: &[Const], open: &str, close: &str| {
            f.write_str(open)?;
            for (index, item) in items.iter().enumerate() {
                write!(f, "{}{item}", if index > 0 { ", " } else { "" })?;
            }
            f.write_str(close)
        };
        match self {
            Const::None => f.write_str("None"),
            Const::Bool(true) => f.write_str("True"),
            Const::Bool(false) => f.write_str("False"),
            Const::Ellipsis => f.write_str("Ellipsis"),
            Const::Int(value) => write!(f, "{value}"),
            Const::BigInt(value) => write!(f, "{value}"),
            Const::Float(value) => write!(f, "{value:?}"),
            Const::Complex(real, imag) => write!(f, "({real:?}, {imag:?}j)"),
            Const::Str(text) => write!(f, "{:?}", String::from_utf8_lossy(text)),
            Const::Bytes(text) => write!(f, "b\"{}\"", text.escape_ascii()),
            Const::Tuple(items) => list(f, items, "(", ")"),
            Const::FrozenSet(items) => list(f, items, "frozenset(", ")"),
            Const::Code(code) => write!(f, "<code {}>", code.qualname),
            Const::Stored(code) => write!(f, "<code {}>", code.head().map_or("?", |head| head.qualname)),
        }
    }
}

/// Walks the instructions: (word index, opcode, word). Stops at a byte that is no opcode.
pub fn instructions(code: &CodeObject) -> impl Iterator<Item = (usize, Op, Word)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let word = Word(*code.words.get(at)?);
        let op = Op::from_u8(word.op_byte())?;
        let index = at;
        at += op.words();
        Some((index, op, word))
    })
}

/// Target of a jump instruction at a word index.
pub fn jump_target(index: usize, op: Op, word: Word) -> Option<usize> {
    let kinds = op.info().operands;
    let offset = if kinds[1] == Operand::Jump {
        word.bc() as i32 as i64
    } else if kinds[2] == Operand::Jump {
        word.sc() as i64
    } else {
        return None;
    };
    usize::try_from(index as i64 + 1 + offset).ok()
}

impl Display for CodeObject {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "code {} ({} registers, flags {:#x})", self.qualname, self.nregs, self.flags)?;
        let names = |f: &mut Formatter<'_>, label: &str, names: &[std::sync::Arc<str>]| {
            if names.is_empty() { Ok(()) } else { writeln!(f, "  {label}: {}", names.join(" ")) }
        };
        names(f, "locals", &self.varnames)?;
        names(f, "cells", &self.cellvars)?;
        names(f, "free", &self.freevars)?;
        let mut labels: BTreeSet<usize> =
            instructions(self).filter_map(|(index, op, word)| jump_target(index, op, word)).collect();
        labels.extend(self.exceptions.iter().map(|entry| entry.handler as usize));
        let mut line = 0;
        for (index, op, word) in instructions(self) {
            let position = self.positions.at(index as u32);
            let shown = if position.line != line { position.line.to_string() } else { String::new() };
            line = position.line;
            let mark = if labels.contains(&index) { ">" } else { " " };
            write!(f, "{shown:>5} {mark}{index:4} {:<22}", op.info().name)?;
            self.write_operands(f, index, op, word)?;
            writeln!(f)?;
        }
        for entry in &self.exceptions {
            let depth = self.register(entry.depth);
            writeln!(f, "  except {}..{} -> {} at {depth}", entry.start, entry.end, entry.handler)?;
        }
        for constant in &self.consts {
            if let Const::Code(code) = constant {
                write!(f, "\n{code}")?;
            }
        }
        Ok(())
    }
}

impl CodeObject {
    /// A register as people read it: a variable's name or `tN`.
    fn register(&self, register: u16) -> String {
        match self.variable_name(register as usize) {
            Some(name) => name.to_string(),
            None => format!("t{}", register as usize - self.first_temp().min(register as usize)),
        }
    }

    fn write_operands(&self, f: &mut Formatter<'_>, index: usize, op: Op, word: Word) -> fmt::Result {
        let kinds = op.info().operands;
        let values = [word.a(), word.b(), word.c()];
        let mut reads = 0;
        for (at, kind) in kinds.into_iter().enumerate() {
            let value = values[at];
            match kind {
                Operand::None | Operand::Wide => continue,
                Operand::Out | Operand::Both | Operand::Moved | Operand::Outs | Operand::Window => {
                    write!(f, " {}", self.register(value))?;
                }
                Operand::Read => {
                    let dies = word.flags() & 1 << reads != 0;
                    reads += 1;
                    write!(f, " {}{}", self.register(value), if dies { "!" } else { "" })?;
                }
                Operand::Imm => write!(f, " #{}", value as i16)?,
                Operand::Count => write!(f, " {value}")?,
                Operand::Name => {
                    let wide = kinds.get(at + 1) == Some(&Operand::Wide);
                    let name = if wide { word.bc() as usize } else { value as usize };
                    write!(f, " .{}", self.names.get(name).map_or("?", |name| name))?;
                }
                Operand::Jump => match jump_target(index, op, word) {
                    Some(target) => write!(f, " -> {target}")?,
                    None => f.write_str(" -> ?")?,
                },
            }
        }
        let rest = word.flags() & !7;
        if rest != 0 {
            write!(f, " flags={rest:#x}")?;
        }
        for (offset, extra) in op.info().extras.iter().enumerate() {
            let Some(&value) = self.words.get(index + 1 + offset) else { continue };
            match extra {
                Extra::Cache => {}
                Extra::Const => match self.consts.get(value as usize) {
                    Some(constant) => write!(f, " {constant}")?,
                    None => f.write_str(" ?")?,
                },
                Extra::Name => write!(f, " .{}", self.names.get(value as usize).map_or("?", |name| name))?,
                Extra::Raw => write!(f, " {value}")?,
            }
        }
        Ok(())
    }
}
