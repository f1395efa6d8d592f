//! Checks the register invariants of `opcodes.rs` on a code object, by abstract interpretation.
//!
//! Used by the compiler's tests over whole libraries, on code objects that Python code makes (`CodeType`, `replace`)
//! and on stored code from elsewhere (`marshal.rs`), before they may run: the VM trusts operands. CPython counterpart: none.

use crate::code::{CodeObject, Const, flags};
use crate::disassemble::jump_target;
use crate::opcodes::{
    DELEGATE, ENDS, Extra, FRAME_HEADER, Intrinsic1, Intrinsic2, JUMPS, KILL_FALL, METHOD, Op, Operand, PURE, Word,
};

/// What is known of a register: bits. Temporaries hold a value on every way to an instruction or on none; a variable that
/// does not on some way counts as unbound.
type Known = u8;
const LIVE: Known = 1;
/// Live, but perhaps UNBOUND none the less: what an instruction that raised may have moved out, the second half of the
/// method form, shadowed variables.
const MAYBE: Known = 2;
/// An exception.
const EXCEPTION: Known = 4;
/// An exception or None.
const PERHAPS: Known = 8;
/// What `PUSH_EXC_INFO` saved.
const SAVED: Known = 16;

#[derive(Clone, PartialEq, Eq)]
struct Live(Vec<Known>);

impl Live {
    fn is(&self, register: usize, what: Known) -> bool {
        self.0[register] & what != 0
    }

    fn bound(&self, register: usize) -> bool {
        self.0[register] & (LIVE | MAYBE) == LIVE
    }

    fn any_from(&self, register: usize, end: usize) -> Option<usize> {
        (register..end).find(|&register| self.is(register, LIVE))
    }
}

struct Verifier<'a> {
    code: &'a CodeObject,
    first_temp: usize,
    nregs: usize,
    /// Whether an instruction begins at a word.
    starts: Vec<bool>,
    states: Vec<Option<Live>>,
    work: Vec<usize>,
}

/// No operand names a register beyond.
pub const MOST_REGISTERS: usize = 1 << 17;

/// The first fault found: (word, message).
pub fn verify(code: &CodeObject) -> Result<(), (usize, String)> {
    let (first_temp, nregs) = (code.first_temp(), (code.nregs as usize).min(MOST_REGISTERS));
    if nregs < first_temp {
        return Err((0, "fewer registers than variables".to_owned()));
    }
    if code.cell_registers.iter().chain(&code.hidden_locals).any(|&register| register as usize >= first_temp) {
        return Err((0, "a variable in no register of variables".to_owned()));
    }
    let starts = starts(code)?;
    if code.words.first().is_none_or(|&word| word != Op::RESUME as u64) {
        return Err((0, "does not begin with RESUME".to_owned()));
    }
    let mut entry = Live(vec![0; nregs]);
    entry.0[..code.nargs().min(first_temp)].fill(LIVE);
    entry.0[code.first_free()..first_temp].fill(LIVE);
    let states = vec![None; code.words.len()];
    let mut verifier = Verifier { code, first_temp, nregs, starts, states, work: Vec::new() };
    verifier.flow(0, 0, &entry)?;
    while let Some(at) = verifier.work.pop() {
        if let Some(live) = verifier.states[at].clone() {
            verifier.instruction(at, live)?;
        }
    }
    Ok(())
}

fn starts(code: &CodeObject) -> Result<Vec<bool>, Fault> {
    let mut starts = vec![false; code.words.len()];
    let mut at = 0;
    while at < starts.len() {
        starts[at] = true;
        let byte = Word(code.words[at]).op_byte();
        let Some(op) = Op::from_u8(byte).filter(|op| op.is_emitted()) else {
            return Err((at, format!("unknown opcode {byte}")));
        };
        at += op.words();
    }
    if at == starts.len() { Ok(starts) } else { Err((at, "instruction is cut off".to_owned())) }
}

type Fault = (usize, String);

impl Verifier<'_> {
    fn flow(&mut self, from: usize, to: usize, live: &Live) -> Result<(), Fault> {
        if !self.starts.get(to).is_some_and(|&starts| starts) {
            return Err((from, format!("control leaves the instructions at {to}")));
        }
        let known = match &mut self.states[to] {
            Some(known) if known == live => return Ok(()),
            Some(known) => known,
            state @ None => {
                *state = Some(live.clone());
                self.work.push(to);
                return Ok(());
            }
        };
        let mut changed = false;
        for (register, (known, now)) in known.0.iter_mut().zip(&live.0).enumerate() {
            if (*known ^ now) & LIVE != 0 && register >= self.first_temp {
                return Err((from, format!("t{} differs at the join {to}", register - self.first_temp)));
            }
            let joined = (*known & now) | ((*known | now) & MAYBE);
            changed |= joined != *known;
            *known = joined;
        }
        if changed {
            self.work.push(to);
        }
        Ok(())
    }

    /// Checks a register number; true for a temporary.
    fn is_temp(&self, at: usize, register: usize) -> Result<bool, Fault> {
        if register >= self.nregs {
            return Err((at, format!("register {register} of {}", self.nregs)));
        }
        Ok(register >= self.first_temp)
    }

    fn read(&self, at: usize, register: usize, live: &Live) -> Result<(), Fault> {
        let temp = self.is_temp(at, register)?;
        if !live.bound(register) {
            let (letter, first) = if temp { ('t', self.first_temp) } else { ('v', 0) };
            return Err((at, format!("{letter}{} is read but not live", register - first)));
        }
        Ok(())
    }

    fn is(&self, at: usize, register: usize, what: Known, live: &Live) -> Result<(), Fault> {
        self.read(at, register, live)?;
        if live.is(register, what) { Ok(()) } else { Err((at, "not the exception that is wanted".to_owned())) }
    }

    fn put(&self, at: usize, register: usize, what: Known, live: &mut Live) -> Result<(), Fault> {
        self.is_temp(at, register)?;
        live.0[register] = what;
        Ok(())
    }

    fn write(&self, at: usize, register: usize, live: &mut Live) -> Result<(), Fault> {
        self.put(at, register, LIVE, live)
    }

    fn clear(&self, at: usize, register: usize, live: &mut Live) -> Result<(), Fault> {
        self.put(at, register, 0, live)
    }

    fn take(&self, at: usize, register: usize, live: &mut Live) -> Result<(), Fault> {
        self.read(at, register, live)?;
        if !self.is_temp(at, register)? {
            return Err((at, "a variable is moved out".to_owned()));
        }
        self.clear(at, register, live)
    }

    fn dead_from(&self, at: usize, register: usize, live: &Live) -> Result<(), Fault> {
        match live.any_from(register, self.nregs) {
            Some(register) => Err((at, format!("t{} is live above the top", register - self.first_temp))),
            None => Ok(()),
        }
    }

    fn check_words(&self, at: usize, op: Op) -> Result<(), Fault> {
        for (offset, extra) in op.info().extras.iter().enumerate() {
            let Some(&value) = self.code.words.get(at + 1 + offset) else {
                return Err((at, "instruction is cut off".to_owned()));
            };
            let bound = match extra {
                Extra::Const => self.code.consts.len(),
                Extra::Name => self.code.names.len(),
                Extra::Cache if value != 0 => return Err((at, "a cache is filled".to_owned())),
                Extra::Cache | Extra::Raw => continue,
            };
            if value as usize >= bound {
                return Err((at, "index beyond its table".to_owned()));
            }
            if op == Op::MAKE_FUNCTION && !matches!(self.code.consts[value as usize], Const::Code(_) | Const::Stored(_))
            {
                return Err((at, "a function of a constant that is no code".to_owned()));
            }
        }
        Ok(())
    }

    fn instruction(&mut self, at: usize, mut live: Live) -> Result<(), Fault> {
        let word = Word(self.code.words[at]);
        let Some(op) = Op::from_u8(word.op_byte()) else {
            return Err((at, "no such opcode".to_owned()));
        };
        self.check_words(at, op)?;
        self.names(at, op, word)?;
        let handler = self.code.handler_at(at as u32);
        let before = live.clone();
        self.operands(at, op, word, &mut live)?;
        if let Some(entry) = handler.filter(|_| op.info().flags & PURE == 0) {
            // What is live below the depth must be live there for every instruction covered.
            let mut raised = before.clone();
            let depth = entry.depth as usize;
            self.is_temp(at, depth)?;
            for register in 0..depth {
                // Operands may be gone.
                let gone = !live.is(register, LIVE) || (op == Op::SEND && register == word.b() as usize);
                if raised.is(register, LIVE) && gone {
                    raised.0[register] |= MAYBE;
                }
            }
            raised.0[depth..].fill(0);
            raised.0[depth] = LIVE | EXCEPTION | PERHAPS;
            self.flow(at, entry.handler as usize, &raised)?;
        }
        let next = at + op.words();
        let target = jump_target(at, op, word);
        let flags = op.info().flags;
        if flags & JUMPS != 0 {
            let Some(target) = target else { return Err((at, "jump to nowhere".to_owned())) };
            let mut taken = live.clone();
            match op {
                Op::FOR_ITER => {
                    self.write(at, word.b() as usize, &mut taken)?;
                    self.take(at, word.a() as usize, &mut live)?;
                }
                Op::SEND => self.take(at, word.a() as usize, &mut taken)?,
                Op::JNOTNONE | Op::JNONE if before.is(word.a() as usize, PERHAPS) => {
                    let known = if op == Op::JNONE { &mut live } else { &mut taken };
                    let a = word.a() as usize;
                    if known.is(a, LIVE) {
                        known.0[a] |= EXCEPTION;
                    }
                }
                Op::JT | Op::JF if word.flags() & KILL_FALL != 0 => {
                    self.take(at, word.a() as usize, &mut live)?;
                }
                _ => {}
            }
            self.flow(at, target, &taken)?;
        }
        if flags & ENDS == 0 {
            self.flow(at, next, &live)?;
        }
        Ok(())
    }

    fn names(&self, at: usize, op: Op, word: Word) -> Result<(), Fault> {
        let kinds = op.info().operands;
        for index in 0..3 {
            if kinds[index] == Operand::Name {
                let wide = kinds.get(index + 1) == Some(&Operand::Wide);
                let name = if wide { word.bc() as usize } else { [word.a(), word.b(), word.c()][index] as usize };
                if name >= self.code.names.len() {
                    return Err((at, "index beyond the names".to_owned()));
                }
            }
        }
        Ok(())
    }

    /// Reads, kills and writes of an instruction.
    fn operands(&self, at: usize, op: Op, word: Word, live: &mut Live) -> Result<(), Fault> {
        let kinds = op.info().operands;
        let values = [word.a() as usize, word.b() as usize, word.c() as usize];
        let mut reads = 0;
        for (kind, value) in kinds.into_iter().zip(values) {
            if kind == Operand::Read {
                let unused = op == Op::RAISE_VARARGS && reads >= word.c() as usize;
                if !unused {
                    self.read(at, value, live)?;
                }
                reads += 1;
            }
        }
        let before = live.clone();
        let (mut reads, mut killed) = (0, [None; 3]);
        for (kind, value) in kinds.into_iter().zip(values) {
            if kind == Operand::Read {
                if word.flags() & 1 << reads != 0 {
                    self.take(at, value, live)?;
                    killed[reads] = Some(value);
                } else if killed.contains(&Some(value)) && op != Op::RAISE_VARARGS {
                    return Err((at, "an operand dies that is read again".to_owned()));
                }
                reads += 1;
            }
        }
        self.special(at, op, word, live)?;
        for (kind, value) in kinds.into_iter().zip(values) {
            match kind {
                Operand::Out if op != Op::FOR_ITER => {
                    if killed.contains(&Some(value)) {
                        return Err((at, "the destination dies".to_owned()));
                    }
                    self.put(at, value, self.result(op, word, &before), live)?;
                }
                Operand::Out | Operand::Both => {
                    self.is_temp(at, value)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn take_run(&self, at: usize, first: usize, count: usize, live: &mut Live) -> Result<(), Fault> {
        (first..first + count).try_for_each(|register| self.take(at, register, live))
    }

    fn write_run(&self, at: usize, first: usize, count: usize, live: &mut Live) -> Result<(), Fault> {
        (first..first + count).try_for_each(|register| self.write(at, register, live))
    }

    /// Runs, windows and operands that are both read and written.
    fn special(&self, at: usize, op: Op, word: Word, live: &mut Live) -> Result<(), Fault> {
        let (a, b, c) = (word.a() as usize, word.b() as usize, word.c() as usize);
        let raw = || self.code.words.get(at + 1).copied().unwrap_or(0) as usize;
        match op {
            Op::BUILD_SLICE if c != 2 && c != 3 => Err((at, "a slice of other than two or three".to_owned())),
            Op::BUILD_TUPLE | Op::BUILD_LIST | Op::BUILD_SET | Op::BUILD_STRING | Op::BUILD_SLICE => {
                self.take_run(at, b, c, live)
            }
            Op::BUILD_MAP => self.take_run(at, b, 2 * c, live),
            Op::CALL_INTRINSIC_2 | Op::IMPORT_NAME => self.take_run(at, b, 2, live),
            Op::BINARY_SLICE | Op::MATCH_CLASS => self.take_run(at, c, 2, live),
            Op::STORE_SLICE => self.take_run(at, b, 2, live),
            Op::UNPACK_SEQUENCE => self.write_run(at, a, c, live),
            Op::UNPACK_EX => self.write_run(at, a, c + 1 + raw(), live),
            Op::CLEAR | Op::DELETE_FAST => self.clear(at, a, live),
            Op::POP_EXCEPT => {
                self.is(at, a + 1, SAVED, live)?;
                (a..a + 2).try_for_each(|register| self.clear(at, register, live))
            }
            Op::CHECK_BOUND | Op::MAKE_CELL => self.write(at, a, live),
            Op::MOVE_OR_CLEAR => self.clear(at, b, live),
            Op::LOAD_DEREF => self.read(at, b, live),
            Op::STORE_DEREF | Op::DELETE_DEREF | Op::JNEXC_MATCH => self.read(at, a, live),
            Op::LOAD_FROM_DICT_OR_DEREF => self.read(at, c, live),
            Op::CALL | Op::CALL_KW => self.window(at, a, FRAME_HEADER, b, live),
            Op::CALL_FUNCTION_EX => self.window(at, a, FRAME_HEADER, 1 + b, live),
            Op::CALL_METHOD | Op::CALL_METHOD_KW => {
                // The method form's second half.
                self.is_temp(at, a + FRAME_HEADER)?;
                if live.is(a + FRAME_HEADER, LIVE) {
                    self.write(at, a + FRAME_HEADER, live)?;
                }
                self.window(at, a, FRAME_HEADER, b + 1, live)
            }
            Op::LOAD_METHOD => {
                self.write(at, a, live).and_then(|()| self.put(at, a + FRAME_HEADER, LIVE | MAYBE, live))
            }
            Op::LOAD_SUPER_ATTR => {
                self.take_run(at, b, 3, live)?;
                if word.flags() & METHOD != 0 {
                    self.put(at, a + FRAME_HEADER, LIVE | MAYBE, live)?;
                }
                self.write(at, a, live)
            }
            Op::BEFORE_WITH | Op::BEFORE_ASYNC_WITH => {
                self.write_run(at, a, 2, live)?;
                self.put(at, a + 1 + FRAME_HEADER, LIVE | MAYBE, live)
            }
            Op::PREPARE_EXIT => {
                self.take(at, b, live)?;
                self.write(at, a, live)?;
                self.write_run(at, a + FRAME_HEADER, 3, live)
            }
            Op::PUSH_EXC_INFO => {
                self.is(at, a, EXCEPTION, live)?;
                self.put(at, a + 1, LIVE | SAVED, live)
            }
            Op::WITH_EXCEPT_START => self.read(at, b, live).and_then(|()| self.read(at, c, live)),
            Op::END_ASYNC_FOR => {
                self.is(at, b, EXCEPTION, live)?;
                self.take(at, a, live).and_then(|()| self.take(at, b, live))
            }
            Op::CLEANUP_THROW => self.is(at, b, EXCEPTION, live).and_then(|()| self.take(at, b, live)),
            Op::RERAISE => self.is(at, a, EXCEPTION, live).and_then(|()| self.take(at, a, live)),
            Op::YIELD_VALUE => {
                const GENERATORS: u32 = flags::GENERATOR | flags::COROUTINE | flags::ASYNC_GENERATOR;
                if self.code.flags & GENERATORS == 0 || (word.flags() & DELEGATE != 0 && b == 0) {
                    return Err((at, "a yield that belongs to no generator".to_owned()));
                }
                if self.is_temp(at, b)? {
                    self.clear(at, b, live)?;
                }
                self.dead_from(at, c, live)
            }
            Op::RETURN_VALUE | Op::RETURN_NONE => self.dead_from(at, b, live),
            Op::SEND | Op::FOR_ITER if a == b => Err((at, "one register for two values".to_owned())),
            Op::SEND => self.read(at, a, live).and_then(|()| self.read(at, b, live)),
            Op::CHECK_EG_MATCH => {
                self.is(at, b, PERHAPS, live)?;
                self.put(at, b, LIVE | PERHAPS, live)
            }
            Op::GET_ANEXT | Op::IMPORT_FROM => self.read(at, b, live),
            Op::LIST_APPEND
            | Op::SET_ADD
            | Op::MAP_ADD
            | Op::LIST_EXTEND
            | Op::SET_UPDATE
            | Op::DICT_UPDATE
            | Op::FOR_ITER
            | Op::SET_FUNCTION_ATTRIBUTE => self.read(at, a, live),
            Op::DICT_MERGE => self.read(at, a, live).and_then(|()| self.read(at, c, live)),
            _ => Ok(()),
        }
    }

    /// What an instruction's result is.
    fn result(&self, op: Op, word: Word, before: &Live) -> Known {
        let (b, c) = (word.b() as usize, word.c());
        match op {
            Op::MOVE => LIVE | before.0[b],
            // Bound or not.
            Op::MOVE_OR_CLEAR if before.bound(b) => LIVE,
            Op::MOVE_OR_CLEAR if (word.a() as usize) < self.first_temp => 0,
            Op::MOVE_OR_CLEAR => LIVE | MAYBE,
            Op::CHECK_EG_MATCH => LIVE | PERHAPS,
            Op::CALL_INTRINSIC_1 if c == Intrinsic1::StopIterationError as u16 => LIVE | before.0[b],
            Op::CALL_INTRINSIC_2 if c == Intrinsic2::PrepReraiseStar as u16 => LIVE | PERHAPS,
            _ => LIVE,
        }
    }

    fn window(&self, at: usize, base: usize, header: usize, count: usize, live: &mut Live) -> Result<(), Fault> {
        self.take(at, base, live)?;
        self.take_run(at, base + header, count, live)?;
        self.dead_from(at, base, live)
    }
}

#[cfg(test)]
mod tests;
