//! The stacks of all threads: as text for `faulthandler`, in a signal handler or while the threads run, and as frames
//! with the world stopped.
//! UNSAFE home: reads the state of threads that may be anywhere. For the text nothing is locked, counted or allocated;
//! what is read may be stale, as in CPython.
use krait_object::refs::Object;
use krait_object::stack::VmState;
use krait_object::thread::report;
use krait_object::{Ref, Str, Thread, Value, world};
use krait_runtime::hooks::Stacks;
use krait_runtime::types::code::Code;
use krait_runtime::types::frame::Frame;

use crate::frames::{at_base, caller, instruction_on, object_of, running};
use crate::regs::{Pc, Regs, word_index};
use crate::trace::instrument;

const MAX_FRAMES: usize = 100;
const MAX_TEXT: usize = 500;

type Write<'a> = &'a dyn Fn(&[u8]);

/// Writes the stacks that are asked for.
pub fn write_stacks(write: Write<'_>, which: Stacks) {
    let mut first = true;
    report(&mut |id, current, thread| {
        if which == Stacks::Current {
            if current {
                write(b"Stack (most recent call first):\n");
                collecting(write);
                frames(write, thread);
            }
            return;
        }
        if !std::mem::take(&mut first) {
            write(b"\n");
        }
        write(if current && which == Stacks::All { b"Current thread 0x" } else { b"Thread 0x" });
        hexadecimal(write, id, 16);
        write(b" (most recent call first):\n");
        if current {
            collecting(write);
        }
        frames(write, thread);
    });
}
fn collecting(write: Write<'_>) {
    if krait_object::gc::is_running() {
        write(b"  Garbage-collecting\n");
    }
}
/// Calls with file name and line of each Python frame of the calling thread, the innermost first. Makes no object.
pub fn lines(f: &mut dyn FnMut(&Str, u32)) {
    report(&mut |_, current, thread| {
        if !current || thread.is_null() {
            return;
        }
        // SAFETY: the thread's own state.
        let vm: &VmState = unsafe { &(*thread).vm };
        if vm.base.is_null() {
            return;
        }
        let mut at = Some((Regs(vm.base), Pc(vm.pc.cast())));
        while let Some((r, pc)) = at {
            if r.has_code() {
                let code = r.code();
                let filename = code.filename_bits();
                let line = line(code, pc);
                if filename != 0 {
                    // SAFETY: a code object's file name is always a `str`.
                    f(unsafe { &(*(filename as *const Object<Str>)).payload }, line);
                }
            }
            at = caller(r);
        }
    });
}
/// Threads of other interpreters are none of this one's business.
fn same_interpreter(a: &Thread, b: &Thread) -> bool {
    std::sync::Arc::ptr_eq(&a.interp, &b.interp)
}
/// Calls with each thread's identifier, its running frame, and the exception that it handles.
pub fn threads(th: &mut Thread, f: &mut dyn FnMut(u64, Option<Ref<Frame>>, Option<Value>)) {
    let mut all = Vec::new();
    {
        let _stopped = world::stop(th);
        let own = (running(th).map(object_of), th.topmost_handled().cloned());
        report(&mut |id, current, thread| {
            let (frame, handled) = if current {
                own.clone()
            } else {
                // SAFETY: the thread is stopped or waits for its turn, and leaves its slot before it goes.
                let Some(other) = (unsafe { thread.as_ref() }).filter(|t| same_interpreter(t, th)) else { return };
                (running(other).filter(|r| r.has_code()).map(object_of), other.topmost_handled().cloned())
            };
            all.push((id, frame, handled));
        });
    }
    for (id, frame, handled) in all {
        f(id, frame, handled);
    }
}
/// Sets the profile function of every thread, or the trace function.
pub fn trace_all(th: &mut Thread, profile: bool, function: Option<&Value>) {
    let mut replaced = Vec::new();
    let mut set = |thread: &mut Thread| {
        let tracing = &mut thread.vm.tracing;
        let slot = if profile { &mut tracing.profile } else { &mut tracing.trace };
        replaced.push(std::mem::replace(slot, function.cloned()));
        instrument(thread);
    };
    set(th);
    {
        let _stopped = world::stop(th);
        report(&mut |_, current, thread| {
            // SAFETY: the thread is stopped or waits for its turn, and leaves its slot before it goes.
            if !current && unsafe { thread.as_ref() }.is_some_and(|t| same_interpreter(t, th)) {
                // SAFETY: as above; nobody else refers to it meanwhile.
                set(unsafe { &mut *thread.cast_mut() });
            }
        });
    }
    drop(replaced);
}
/// As [`at_base`], on the stacks of threads other than `th`: while threads take turns only, as the frame must stay where
/// it is.
#[cold]
pub fn at_base_on_others(th: &Thread, base: usize) -> Option<Regs> {
    if krait_object::header::multi() {
        return None;
    }
    let _stopped = world::stop(th);
    let mut found = None;
    report(&mut |_, current, thread| {
        if !current && !thread.is_null() && found.is_none() {
            // SAFETY: as in `threads`.
            found = at_base(unsafe { &*thread }, base);
        }
    });
    found
}
/// The instruction that a running frame executes which is on the stack of a thread other than `th`.
#[cold]
pub fn instruction_on_others(th: &Thread, r: Regs) -> Option<Pc> {
    let _stopped = world::stop(th);
    let mut found = None;
    report(&mut |_, current, thread| {
        if !current && !thread.is_null() && found.is_none() {
            // SAFETY: as in `threads`.
            found = instruction_on(unsafe { &*thread }, r);
        }
    });
    found
}
fn frames(write: Write<'_>, thread: *const Thread) {
    if thread.is_null() {
        return write(b"  <no Python frame>\n");
    }
    // SAFETY: the pointer is that of a thread whose frames have run, see `Shared::thread`.
    let vm: &VmState = unsafe { &(*thread).vm };
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
    decimal(write, u64::from(line(code, pc)));
    write(b" in ");
    text(write, &code.name);
    write(b"\n");
}
/// 0 while the code is being read, which a report does not wait for.
fn line(code: &Code, pc: Pc) -> u32 {
    code.known_body().map_or(0, |body| body.bytecode.positions.at(word_index(code, pc)).line)
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
