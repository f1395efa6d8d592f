//! Checks the register invariants of `opcodes.rs` on a code object, by abstract interpretation.
//!
//! Used by the compiler's tests over whole libraries, and on code objects from outside (`marshal`, `CodeType`) before
//! they may run: the VM trusts operands. CPython counterpart: none.

use crate::code::CodeObject;
use crate::disassemble::jump_target;
use crate::opcodes::{ENDS, Extra, FRAME_HEADER, JUMPS, KILL_FALL, METHOD, Op, Operand, PURE, Word};

/// Which temporaries hold something, as bits.
#[derive(Clone, PartialEq, Eq)]
struct Live(Vec<u64>);

impl Live {
    fn get(&self, register: usize) -> bool {
        self.0[register / 64] & 1 << (register % 64) != 0
    }

    fn set(&mut self, register: usize, live: bool) {
        let bit = 1 << (register % 64);
        let word = &mut self.0[register / 64];
        *word = if live { *word | bit } else { *word & !bit };
    }

    fn any_from(&self, register: usize, end: usize) -> Option<usize> {
        (register..end).find(|&register| self.get(register))
    }
}

struct Verifier<'a> {
    code: &'a CodeObject,
    first_temp: usize,
    nregs: usize,
    states: Vec<Option<Live>>,
    work: Vec<usize>,
}

/// The first fault found: (word, message).
pub fn verify(code: &CodeObject) -> Result<(), (usize, String)> {
    let (first_temp, nregs) = (code.first_temp(), code.nregs as usize);
    if nregs < first_temp {
        return Err((0, "fewer registers than variables".to_owned()));
    }
    let empty = Live(vec![0; nregs.div_ceil(64) + 1]);
    let mut verifier = Verifier { code, first_temp, nregs, states: vec![None; code.words.len()], work: Vec::new() };
    verifier.flow(0, 0, &empty)?;
    while let Some(at) = verifier.work.pop() {
        if let Some(live) = verifier.states[at].clone() {
            verifier.instruction(at, live)?;
        }
    }
    Ok(())
}

type Fault = (usize, String);

impl Verifier<'_> {
    fn flow(&mut self, from: usize, to: usize, live: &Live) -> Result<(), Fault> {
        match self.states.get_mut(to) {
            None => Err((from, format!("control leaves the code at {to}"))),
            Some(Some(known)) if known == live => Ok(()),
            Some(Some(known)) => {
                let register = (0..self.nregs).find(|&register| known.get(register) != live.get(register));
                let shown = register.unwrap_or(0) as i64 - self.first_temp as i64;
                Err((from, format!("t{shown} differs at the join {to}")))
            }
            Some(state @ None) => {
                *state = Some(live.clone());
                self.work.push(to);
                Ok(())
            }
        }
    }

    /// Checks a register number; true for a temporary.
    fn is_temp(&self, at: usize, register: usize) -> Result<bool, Fault> {
        if register >= self.nregs {
            return Err((at, format!("register {register} of {}", self.nregs)));
        }
        Ok(register >= self.first_temp)
    }

    fn read(&self, at: usize, register: usize, live: &Live) -> Result<(), Fault> {
        if self.is_temp(at, register)? && !live.get(register) {
            return Err((at, format!("t{} is read but not live", register - self.first_temp)));
        }
        Ok(())
    }

    fn write(&self, at: usize, register: usize, live: &mut Live) -> Result<(), Fault> {
        if self.is_temp(at, register)? {
            live.set(register, true);
        }
        Ok(())
    }

    fn take(&self, at: usize, register: usize, live: &mut Live) -> Result<(), Fault> {
        self.read(at, register, live)?;
        if !self.is_temp(at, register)? {
            return Err((at, "a variable is moved out".to_owned()));
        }
        live.set(register, false);
        Ok(())
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
                Extra::Cache | Extra::Raw => continue,
            };
            if value as usize >= bound {
                return Err((at, "index beyond its table".to_owned()));
            }
        }
        Ok(())
    }

    fn instruction(&mut self, at: usize, mut live: Live) -> Result<(), Fault> {
        let word = Word(self.code.words[at]);
        let Some(op) = Op::from_u8(word.op_byte()).filter(|op| op.is_emitted()) else {
            return Err((at, "no such opcode".to_owned()));
        };
        self.check_words(at, op)?;
        self.names(at, op, word)?;
        let handler = self.code.handler_at(at as u32);
        let before = live.clone();
        self.operands(at, op, word, &mut live)?;
        if let Some(entry) = handler.filter(|_| op.info().flags & PURE == 0) {
            // What is live below the depth must be live there for every instruction covered.
            let mut raised = before;
            let depth = entry.depth as usize;
            self.is_temp(at, depth)?;
            (depth..self.nregs).for_each(|register| raised.set(register, false));
            raised.set(depth, true);
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
        let mut reads = 0;
        for (kind, value) in kinds.into_iter().zip(values) {
            if kind == Operand::Read {
                if word.flags() & 1 << reads != 0 {
                    self.take(at, value, live)?;
                }
                reads += 1;
            }
        }
        self.special(at, op, word, live)?;
        for (kind, value) in kinds.into_iter().zip(values) {
            match kind {
                Operand::Out if op != Op::FOR_ITER => self.write(at, value, live)?,
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
            Op::BUILD_TUPLE | Op::BUILD_LIST | Op::BUILD_SET | Op::BUILD_STRING | Op::BUILD_SLICE => {
                self.take_run(at, b, c, live)
            }
            Op::BUILD_MAP => self.take_run(at, b, 2 * c, live),
            Op::CALL_INTRINSIC_2 | Op::IMPORT_NAME => self.take_run(at, b, 2, live),
            Op::BINARY_SLICE | Op::MATCH_CLASS => self.take_run(at, c, 2, live),
            Op::STORE_SLICE => self.take_run(at, b, 2, live),
            Op::UNPACK_SEQUENCE => self.write_run(at, a, c, live),
            Op::UNPACK_EX => self.write_run(at, a, c + 1 + raw(), live),
            Op::CLEAR | Op::DELETE_FAST | Op::POP_EXCEPT => {
                for register in a..=a + (op == Op::POP_EXCEPT) as usize {
                    if self.is_temp(at, register)? {
                        live.set(register, false);
                    }
                }
                Ok(())
            }
            Op::MOVE_OR_CLEAR => {
                if self.is_temp(at, b)? {
                    live.set(b, false);
                }
                Ok(())
            }
            Op::CALL | Op::CALL_KW => self.window(at, a, FRAME_HEADER, b, live),
            Op::CALL_FUNCTION_EX => self.window(at, a, FRAME_HEADER, 1 + b, live),
            Op::CALL_METHOD | Op::CALL_METHOD_KW => self.window(at, a, FRAME_HEADER, b + 1, live),
            Op::LOAD_METHOD => self.write(at, a, live).and_then(|()| self.write(at, a + FRAME_HEADER, live)),
            Op::LOAD_SUPER_ATTR => {
                self.take_run(at, b, 3, live)?;
                if word.flags() & METHOD != 0 {
                    self.write(at, a + FRAME_HEADER, live)?;
                }
                self.write(at, a, live)
            }
            Op::BEFORE_WITH | Op::BEFORE_ASYNC_WITH => {
                [a, a + 1, a + 1 + FRAME_HEADER].into_iter().try_for_each(|register| self.write(at, register, live))
            }
            Op::PREPARE_EXIT => {
                self.take(at, b, live)?;
                self.write(at, a, live)?;
                self.write_run(at, a + FRAME_HEADER, 3, live)
            }
            Op::PUSH_EXC_INFO => {
                self.read(at, a, live)?;
                self.write(at, a + 1, live)
            }
            Op::WITH_EXCEPT_START => self.read(at, b, live).and_then(|()| self.read(at, c, live)),
            Op::END_ASYNC_FOR => self.take(at, a, live).and_then(|()| self.take(at, b, live)),
            Op::CLEANUP_THROW => self.take(at, b, live),
            Op::RERAISE => self.take(at, a, live),
            Op::YIELD_VALUE => {
                if self.is_temp(at, b)? {
                    live.set(b, false);
                }
                self.dead_from(at, c, live)
            }
            Op::RETURN_VALUE | Op::RETURN_NONE => self.dead_from(at, b, live),
            Op::SEND => self.read(at, a, live).and_then(|()| self.read(at, b, live)),
            Op::CHECK_EG_MATCH | Op::GET_ANEXT | Op::IMPORT_FROM => self.read(at, b, live),
            Op::LIST_APPEND
            | Op::SET_ADD
            | Op::MAP_ADD
            | Op::LIST_EXTEND
            | Op::SET_UPDATE
            | Op::DICT_UPDATE
            | Op::DICT_MERGE
            | Op::FOR_ITER
            | Op::SET_FUNCTION_ATTRIBUTE => self.read(at, a, live),
            _ => Ok(()),
        }
    }

    fn window(&self, at: usize, base: usize, header: usize, count: usize, live: &mut Live) -> Result<(), Fault> {
        self.take(at, base, live)?;
        self.take_run(at, base + header, count, live)?;
        self.dead_from(at, base, live)
    }
}
