//! The dispatch loop, generated from the opcode table. Home of unsafe code: a byte that is no opcode is unreachable
//! UNSAFE home: the opcode byte of a verified instruction stream selects the handler.
//! (streams come from the compiler, or were verified).
use krait_bytecode::for_each_opcode;
use krait_object::Thread;

use crate::frames::read_code;
use crate::ops::{
    arith::*, attr::*, call::*, compare::*, display::*, exceptions::*, function::*, groups::*, import::*,
    intrinsics::*, item::*, iteration::*, jump::*, matching::*, text::*, unpack::*, variables::*, with::*,
};
use crate::regs::S;
use crate::trace;

macro_rules! opcode_numbers {
    ($($name:ident $handler:ident [$a:ident $b:ident $c:ident] [$($extra:ident)*] ($($flag:tt)*) $doc:literal;)*) => {
        /// The opcodes as patterns.
        mod number {
            $(pub const $name: u8 = krait_bytecode::Op::$name as u8;)*
        }
    };
}
for_each_opcode!(opcode_numbers);

macro_rules! dispatch_loop {
    ($($name:ident $handler:ident [$a:ident $b:ident $c:ident] [$($extra:ident)*] ($($flag:tt)*) $doc:literal;)*) => {
        /// Runs until a `HALT`; with `TRACED`, events are looked for before every instruction.
        #[inline(never)]
        pub fn run<const TRACED: bool>(th: &mut Thread, start: S) -> S {
            let mut s = start;
            loop {
                if TRACED {
                    s = trace::before_instruction(th, s);
                }
                let w = s.pc.word();
                let pc = s.pc.add(1);
                #[expect(unreachable_patterns, reason = "the table has a row for HALT too")]
                let next = match w.op_byte() {
                    number::HALT => return s,
                    $(number::$name => $handler(th, w, pc, s.r),)*
                    // SAFETY: every word that is reached as an instruction begins with an opcode of the table.
                    _ => unsafe { std::hint::unreachable_unchecked() },
                };
                s = if TRACED { trace::after_instruction(th, next) } else { next };
            }
        }
    };
}
for_each_opcode!(dispatch_loop);

/// Runs the frame at `s` until its entry's `HALT`, in whichever loop is wanted at the time.
pub fn run_to_halt(th: &mut Thread, start: S) -> S {
    let outer = (th.vm.tracing.active, th.vm.tracing.prev, th.vm.tracing.raised);
    th.vm.tracing.active = trace::wanted(th);
    let mut s = start;
    loop {
        s = if th.vm.tracing.active { run::<true>(th, s) } else { run::<false>(th, s) };
        match trace::switched(th, s).or_else(|| read_code(th, s)) {
            Some(next) => s = next,
            None => break,
        }
    }
    // The loop around goes on as what it is, until its next safe point.
    (th.vm.tracing.active, th.vm.tracing.prev, th.vm.tracing.raised) = outer;
    s
}
