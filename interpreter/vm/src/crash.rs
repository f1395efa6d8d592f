//! The stacks of all threads as text, for `faulthandler`: in a signal handler, or while the threads run.
//! UNSAFE home: reads the state of threads that may be anywhere. Nothing is locked, counted or allocated; what is read may
//! be stale, as in CPython.
use krait_object::Str;
use krait_object::refs::Object;
use krait_object::stack::VmState;
use krait_object::thread::report;
use krait_runtime::hooks::Stacks;

use crate::frames::caller;
use crate::regs::{Pc, Regs, word_index};

const MAX_FRAMES: usize = 100;
const MAX_TEXT: usize = 500;

type Write<'a> = &'a dyn Fn(&[u8]);

/// Writes the stacks that are asked for.
pub fn write_stacks(write: Write<'_>, which: Stacks) {
    let mut first = true;
    report(&mut |id, current, vm| {
        if which == Stacks::Current {
            if current {
                write(b"Stack (most recent call first):\n");
                frames(write, vm);
            }
            return;
        }
        if !std::mem::take(&mut first) {
            write(b"\n");
        }
        write(if current && which == Stacks::All { b"Current thread 0x" } else { b"Thread 0x" });
        hexadecimal(write, id, 16);
        write(b" (most recent call first):\n");
        frames(write, vm);
    });
}
fn frames(write: Write<'_>, vm: *const VmState) {
    // SAFETY: the pointer is null or that of a thread whose frames run, see `Shared::vm`.
    let Some(vm) = (unsafe { vm.as_ref() }) else { return write(b"  <no Python frame>\n") };
    if vm.base.is_null() {
        return write(b"  <no Python frame>\n");
    }
    let mut at = Some((Regs(vm.base), Pc(vm.pc.cast())));
    for _ in 0..MAX_FRAMES {
        let Some((r, pc)) = at else { return };
        frame(write, r, pc);
        at = caller(r);
    }
    if at.is_some() {
        write(b"  ...\n");
    }
}
fn frame(write: Write<'_>, r: Regs, pc: Pc) {
    if !r.has_code() {
        return;
    }
    let code = r.code();
    write(b"  File ");
    let filename = code.filename_bits();
    if filename == 0 {
        write(b"???");
    } else {
        write(b"\"");
        // SAFETY: a code object's file name is always a `str`.
        text(write, unsafe { &(*(filename as *const Object<Str>)).payload });
        write(b"\"");
    }
    write(b", line ");
    decimal(write, u64::from(code.bytecode.positions.at(word_index(code, pc)).line));
    write(b" in ");
    text(write, &code.name);
    write(b"\n");
}
/// ASCII, with escapes for the rest; long text is cut.
fn text(write: Write<'_>, s: &Str) {
    for c in s.iter().take(MAX_TEXT) {
        match u8::try_from(c) {
            Ok(b) if (b' '..=b'~').contains(&b) => write(&[b]),
            Ok(b) => {
                write(b"\\x");
                hexadecimal(write, u64::from(b), 2);
            }
            Err(_) if c <= 0xffff => {
                write(b"\\u");
                hexadecimal(write, u64::from(c), 4);
            }
            Err(_) => {
                write(b"\\U");
                hexadecimal(write, u64::from(c), 8);
            }
        }
    }
    if s.len() > MAX_TEXT {
        write(b"...");
    }
}
fn digits(write: Write<'_>, mut n: u64, base: u64, width: usize) {
    let mut buffer = [b'0'; 20];
    let mut at = buffer.len();
    while n != 0 || at == buffer.len() {
        at -= 1;
        buffer[at] = b"0123456789abcdef"[(n % base) as usize];
        n /= base;
    }
    write(&buffer[at.min(buffer.len() - width)..]);
}
fn decimal(write: Write<'_>, n: u64) {
    digits(write, n, 10, 1);
}
fn hexadecimal(write: Write<'_>, n: u64, width: usize) {
    digits(write, n, 16, width);
}
