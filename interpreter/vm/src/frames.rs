//! Frames on the register stack: entering, leaving, walking, and the frame objects made for them. This module alone
//! places windows above the running frame and checks that the stack has room for them.
//!
//! # Entry windows
//!
//! A call from native code gets a window above the running frame:
//!
//! ```text
//! E[0] result   E[1] pc of the frame below   E[2] its base   E[3..7] window header   E[7..] registers of the callee
//! ```
//! Its return address is [`ENTRY`], a call instruction followed by `HALT`.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use krait_bytecode::Op;
use krait_bytecode::opcodes::FRAME_HEADER;
use krait_object::{Args, Dict, PyResult, Raised, Ref, Thread, Tuple, Value};
use krait_runtime::errors;
use krait_runtime::types::code::{Code, UNREAD};
use krait_runtime::types::frame::{Frame, FrameState};
use krait_runtime::types::function::Function;

use crate::regs::{INIT_CALL, Pc, RESUMED, Regs, S, SPECIAL, pc_at, word_index};
use crate::unwind::fail;

/// Words kept free above every frame: room to insert `self` into a window before the callee is entered.
pub const SLACK: usize = 8;
/// Registers of an entry window before the callee's.
pub const ENTRY_WORDS: usize = 3 + FRAME_HEADER;

const fn word(op: Op, a: u64, b: u64, c: u64) -> AtomicU64 {
    AtomicU64::new(op as u64 | a << 16 | b << 32 | c << 48)
}
static ENTRY: [AtomicU64; 3] = [word(Op::CALL, 3, 0, 0), AtomicU64::new(0), word(Op::HALT, 0, 0, 0)];
static SWITCH: [AtomicU64; 1] = [word(Op::HALT, 0, 0, 0)];

/// Where a frame that native code entered returns to.
#[inline(always)]
pub fn entry_return() -> Pc {
    Pc(ENTRY.as_ptr().wrapping_add(2))
}
/// Leaves the dispatch loop without leaving the frame.
pub fn switch_pc() -> Pc {
    Pc(SWITCH.as_ptr())
}

/// The running frame.
#[inline(always)]
pub fn running(th: &Thread) -> Option<Regs> {
    if th.vm.base.is_null() { None } else { Some(Regs(th.vm.base)) }
}
/// Says which instruction the running frame executes; `pc` is after its first word.
#[inline(always)]
pub fn publish(th: &mut Thread, pc: Pc) {
    th.vm.pc = pc.back(1).0.cast();
}
#[inline(always)]
pub fn published(th: &Thread) -> Pc {
    Pc(th.vm.pc.cast())
}

/// First free word above the running frame.
fn top(th: &mut Thread) -> Option<Regs> {
    match running(th) {
        Some(r) => Some(r.up(r.code().nregs as usize + SLACK)),
        None if th.vm.prepare() => {
            let thread = std::ptr::from_mut(th);
            th.shared.thread.store(thread, std::sync::atomic::Ordering::Release);
            Some(Regs(th.vm.start))
        }
        None => None,
    }
}

/// A window for a call from native code, with room for `words` registers; see the file's header.
pub fn entry_window(th: &mut Thread, words: usize) -> PyResult<Regs> {
    let Some(e) = top(th) else { return Err(errors::memory_error(th)) };
    if !has_room(th, e, ENTRY_WORDS + words + SLACK) {
        return Err(errors::recursion_limit(th, ""));
    }
    e.put(1, Value::small_int_unchecked(th.vm.pc as i64));
    e.put(2, Value::small_int_unchecked(th.vm.base as i64));
    Ok(e)
}
/// Gives an entry window back and makes the frame below the running one again.
pub fn close_entry(th: &mut Thread, e: Regs) {
    let below = |v: Option<Value>| v.and_then(|v| v.as_int()).unwrap_or(0);
    th.vm.pc = below(e.take(1)) as *const u64;
    th.vm.base = below(e.take(2)) as *mut u64;
}

#[inline(always)]
pub fn has_room(th: &Thread, at: Regs, words: usize) -> bool {
    (at.0 as usize) + words * 8 <= th.vm.limit as usize
}

/// Counts a call against the recursion limit.
#[inline(always)]
pub fn count_call(th: &mut Thread) -> PyResult<()> {
    if th.depth >= th.interp.recursion_limit.load(Relaxed) {
        return Err(too_deep(th));
    }
    th.depth += 1;
    Ok(())
}
#[cold]
#[inline(never)]
pub fn too_deep(th: &mut Thread) -> Raised {
    errors::recursion_limit(th, "")
}

/// Enters a frame whose arguments are bound: window at `w` with function and code in place, `ret` where the caller goes
/// on. The window's return word is unbound.
#[inline(always)]
pub fn enter(th: &mut Thread, w: Regs, function: &Function, code: &Code, ret: Pc, flags: u64) -> S {
    let r = w.up(FRAME_HEADER);
    r.set_return(ret, flags);
    if function.closure.is_set() {
        copy_closure(r, function, code);
    }
    th.vm.base = r.0;
    let start = if th.breaker() == 0 { 1 } else { 0 };
    S { pc: Pc(code.entry().wrapping_add(start)), r }
}
#[inline(always)]
fn copy_closure(r: Regs, function: &Function, code: &Code) {
    let first = code.first_free as usize;
    for (i, cell) in function.closure().iter().flat_map(|c| c.iter()).enumerate() {
        r.put(first + i, cell.clone());
    }
}

/// The frame that called `r`, and the call's instruction; `None` at the bottom of the stack.
pub fn caller(r: Regs) -> Option<(Regs, Pc)> {
    let (ret, flags) = r.return_pc();
    if ret == entry_return() {
        let e = r.down(ENTRY_WORDS);
        let pc = Pc(e.opt(1)?.as_int()? as *const AtomicU64);
        let base = Regs(e.opt(2)?.as_int()? as *mut u64);
        return if base.0.is_null() { None } else { Some((base, pc)) };
    }
    if flags & (RESUMED | SPECIAL) != 0 {
        let base = r.header().down(1).opt(0)?.as_int()?;
        return Some((Regs(base as *mut u64), ret.back(1)));
    }
    let call = ret.back(2);
    let below = if flags & INIT_CALL != 0 { FRAME_HEADER + 1 } else { FRAME_HEADER };
    Some((r.down(below + call.word().a() as usize), call))
}

/// The frame object of a frame that runs, made on first use.
pub fn object_of(r: Regs) -> Ref<Frame> {
    if let Some(frame) = r.header().opt(3).and_then(|v| v.to_ref::<Frame>()) {
        return frame;
    }
    let namespace = r.header().take(3).or_else(|| r.implied_namespace());
    let state = FrameState::Running { base: r.0 as usize };
    let frame = Frame::new(&r.function_ref(), &r.code_ref(), namespace, state);
    r.header().put(3, frame.to_value());
    frame
}

/// The frame `depth` calls up from the running one.
pub fn at_depth(th: &Thread, depth: usize) -> Option<Regs> {
    let mut r = running(th)?;
    for _ in 0..depth {
        r = caller(r)?.0;
    }
    Some(r)
}

/// The frame on the stack of `th` whose registers start at an address.
pub fn at_base(th: &Thread, base: usize) -> Option<Regs> {
    let mut at = running(th)?;
    while at.0 as usize != base {
        at = caller(at)?.0;
    }
    Some(at)
}
/// The instruction that a running frame executes; the frame may be another thread's.
pub fn instruction_of(th: &Thread, r: Regs) -> Pc {
    instruction_on(th, r).or_else(|| crate::crash::instruction_on_others(th, r)).unwrap_or_else(|| pc_at(r.code(), 0))
}
/// As [`instruction_of`], for a frame on the stack of `th`.
pub fn instruction_on(th: &Thread, r: Regs) -> Option<Pc> {
    let mut at = running(th)?;
    let mut pc = published(th);
    while at != r {
        (at, pc) = caller(at)?;
    }
    Some(pc)
}

/// Moves the variables of a frame that is left into its frame object, if anybody else holds that.
#[cold]
#[inline(never)]
pub fn detach_object(r: Regs, word: u32) {
    let Some(extra) = r.header().take(3) else { return };
    let Ok(frame) = extra.downcast::<Frame>() else { return };
    if frame.as_value().is_unique() {
        return;
    }
    let registers = (0..r.code().bytecode().first_temp()).map(|i| r.take(i)).collect();
    if let Some((below, _)) = caller(r) {
        frame.back.set(Some(object_of(below).into()));
    }
    *frame.state.lock() = FrameState::Done { registers, word };
}

/// Runs a code object in a new frame: modules, class bodies, `exec`, and functions called without arguments.
pub fn eval_code(
    th: &mut Thread,
    code: &Ref<Code>,
    globals: &Ref<Dict>,
    locals: Option<&Value>,
    builtins: Option<&Value>,
    closure: Option<&Ref<Tuple>>,
) -> PyResult<Value> {
    let builtins = match builtins {
        Some(b) => b.clone(),
        None => krait_runtime::types::function::builtins_of(th, globals),
    };
    if let Some(fault) = code.fault() {
        return Err(krait_runtime::errors::system_error(th, fault));
    }
    if code.nargs > 0 {
        // A function's code, which has parameters: the defaults were the function's.
        let function = Function::with_builtins(code, globals, builtins, closure.cloned());
        return crate::hooks::call_function(th, &function.to_value(), &Args::new(&[], &[]));
    }
    let function = Function::for_frame(code, globals, builtins, closure.cloned());
    // A function's code has its variables in registers, whatever mapping it is run with.
    let namespace = locals.filter(|_| code.flags & krait_bytecode::code::flags::OPTIMIZED == 0).cloned();
    if code.is_generator() {
        return Ok(crate::generators::create_with(th, &function, code, namespace));
    }
    th.check_native("")?;
    let e = entry_window(th, code.nregs as usize)?;
    if let Err(raised) = count_call(th) {
        close_entry(th, e);
        return Err(raised);
    }
    let window = e.up(3);
    window.put(0, function.to_value());
    if let Some(namespace) = namespace {
        window.put(3, namespace);
    }
    window.up(FRAME_HEADER).set_code(code.object());
    let s = enter(th, window, &function, code, entry_return(), 0);
    finish_entry(th, e, s)
}

/// Where a frame goes on that was entered before its code was read; `None` elsewhere.
#[cold]
pub fn read_code(th: &mut Thread, s: S) -> Option<S> {
    let word = (s.pc.0 as usize).wrapping_sub(UNREAD.as_ptr() as usize) / 8;
    if word >= UNREAD.len() {
        return None;
    }
    let pc = pc_at(s.r.code(), word as u32);
    let Some(fault) = s.r.code().fault() else { return Some(S { pc, r: s.r }) };
    let raised = errors::system_error(th, fault);
    Some(fail(th, raised, pc.add(1), s.r))
}

/// Runs an entered frame to its end and closes its entry window.
pub fn finish_entry(th: &mut Thread, e: Regs, s: S) -> PyResult<Value> {
    crate::dispatch::run_to_halt(th, s);
    let result = e.take(0);
    close_entry(th, e);
    result.ok_or_else(|| Raised::pending(th))
}

/// What the frame's `f_lasti` counts.
pub fn word_of(th: &Thread, r: Regs) -> u32 {
    word_index(r.code(), instruction_of(th, r))
}
