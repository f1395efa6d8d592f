//! Generators on the register stack: registers are copied in on resumption and out on a yield.
use krait_bytecode::opcodes::FRAME_HEADER;
use krait_bytecode::{Op, Word};
use krait_object::{PyResult, Raised, Ref, Thread, Value};
use krait_runtime::errors;
use krait_runtime::monitoring::Event;
use krait_runtime::types::code::Code;
use krait_runtime::types::frame::{Frame, FrameState};
use krait_runtime::types::function::Function;
use krait_runtime::types::generator::{self, Coroutine, Generator, Resume, Resumed, State};

use crate::dispatch::run_to_halt;
use crate::frames::{self, ENTRY_WORDS, SLACK, close_entry, count_call, entry_return, entry_window, has_room};
use crate::regs::{Pc, RESUMED, Regs, S, pc_at, word_index};
use crate::safepoint::after_drop;
use crate::trace;
use crate::unwind::raise_at;

/// The object for a call of a generator function whose arguments are bound in `R[0..)` of the window at `w`; the window
/// is emptied.
pub fn create(th: &mut Thread, w: Regs, code: &Code) -> Value {
    let r = w.up(FRAME_HEADER);
    let function = w.moved(0).downcast::<Function>().expect("the window's callable is a function");
    let first_free = code.first_free as usize;
    let mut registers: Vec<Option<Value>> = Vec::with_capacity(code.nregs as usize);
    registers.extend((0..code.nargs as usize).map(|i| r.take(i)));
    registers.resize_with(first_free, || None);
    if let Some(closure) = function.closure() {
        registers.extend(closure.iter().cloned().map(Some));
    }
    let code = function_code(&function, code);
    Generator::create(th, &function, &code, registers)
}
/// The object for a generator's or coroutine's code that `eval` or `exec` runs with a mapping for its names.
pub fn create_with(th: &mut Thread, function: &Ref<Function>, code: &Ref<Code>, namespace: Option<Value>) -> Value {
    let mut registers: Vec<Option<Value>> = Vec::with_capacity(code.nregs as usize);
    registers.resize_with(code.first_free as usize, || None);
    registers.extend(function.closure().iter().flat_map(|c| c.iter().cloned().map(Some)));
    let object = Generator::create(th, function, code, registers);
    if namespace.is_some()
        && let Some(generator) = generator::of(&object)
    {
        let mut saved = generator.saved.lock();
        let registers = std::mem::take(&mut saved.registers);
        let state = FrameState::Suspended { registers, word: saved.word, started: false };
        saved.frame = Some(Frame::new(function, code, namespace, state));
    }
    object
}
fn function_code(function: &Function, code: &Code) -> Ref<Code> {
    let held = function.code();
    debug_assert!(std::ptr::eq::<Code>(&*held, code));
    held
}

/// A generator whose frame is on the stack to run until it yields, returns or raises.
struct Mounted {
    /// The entry window.
    e: Regs,
    r: Regs,
    /// Where the generator was put aside, if it has begun.
    word: u32,
    started: bool,
    traced: (*const u64, *const u64),
}
#[inline(always)]
fn mount(th: &mut Thread, generator: &Generator) -> PyResult<Mounted> {
    th.check_native("")?;
    let code = &generator.code;
    let e = entry_window(th, code.nregs as usize)?;
    if let Err(raised) = count_call(th) {
        close_entry(th, e);
        return Err(raised);
    }
    let Some(was) = generator.claim() else {
        // Another thread was faster.
        th.depth -= 1;
        close_entry(th, e);
        return Err(errors::value_error(th, "generator already executing"));
    };
    let r = e.up(ENTRY_WORDS);
    r.header().put(0, generator.function.to_value());
    r.set_return(entry_return(), 0);
    r.set_code(code.object());
    let word = restore(generator, r);
    th.vm.base = r.0;
    let outer = std::mem::replace(&mut th.handled, generator.handled.take());
    th.vm.outer_handled.push(outer);
    let traced = (th.vm.tracing.prev, th.vm.tracing.raised);
    Ok(Mounted { e, r, word, started: was == State::Suspended, traced })
}
/// Ends what [`mount`] began, after the frame ran.
#[inline(always)]
fn unmount(th: &mut Thread, object: &Value, generator: &Generator, m: &Mounted) -> PyResult<Resumed> {
    (th.vm.tracing.prev, th.vm.tracing.raised) = m.traced;
    let own = std::mem::replace(&mut th.handled, th.vm.outer_handled.pop().flatten());
    finish(th, object, generator, m.e, own)
}
/// Goes on with a generator that is created or suspended.
pub fn resume(th: &mut Thread, object: &Value, input: Resume) -> PyResult<Resumed> {
    let object = object.clone();
    let Some(generator) = generator::of(&object) else {
        return Err(errors::type_error(th, "not a generator"));
    };
    let m = mount(th, generator)?;
    let s = begin(th, m.r, &generator.code, m.word, m.started, input);
    run_to_halt(th, s);
    unmount(th, &object, generator, &m)
}
/// Runs a generator that is created or suspended and hands what it yields to `each`, which runs no Python code, as long as
/// `each` takes it. The frame stays on the stack meanwhile. What `each` gave back; `None`: the generator is done.
pub fn feed(
    th: &mut Thread,
    object: &Value,
    each: &mut dyn FnMut(Value) -> Result<(), Value>,
) -> PyResult<Option<Value>> {
    let object = object.clone();
    let Some(generator) = generator::of(&object) else {
        return Err(errors::type_error(th, "not a generator"));
    };
    let m = mount(th, generator)?;
    let mut s = begin(th, m.r, &generator.code, m.word, m.started, Resume::Send(Value::NONE));
    let refused = loop {
        run_to_halt(th, s);
        if !m.r.has_code() {
            break None;
        }
        if let Err(refused) = each(m.e.take(0).unwrap_or(Value::NONE)) {
            break Some(refused);
        }
        let pc = frames::published(th);
        m.r.replace(pc.word().a() as usize, Some(Value::NONE));
        s = S { pc: pc.add(1), r: m.r };
    };
    unmount(th, &object, generator, &m)?;
    Ok(refused)
}

/// Runs `f` while the frame of a suspended generator is on the stack, at the `YIELD_VALUE` where it is.
pub fn on_stack(th: &mut Thread, object: &Value, f: &mut dyn FnMut(&mut Thread)) {
    let Some(generator) = generator::of(object) else { return f(th) };
    let code = generator.code.clone();
    let Ok(e) = entry_window(th, code.nregs as usize) else {
        // What `f` does will raise it again.
        drop(th.exc.take());
        return f(th);
    };
    let r = e.up(ENTRY_WORDS);
    let header = r.header();
    header.put(0, generator.function.to_value());
    r.set_return(entry_return(), 0);
    r.set_code(code.object());
    let word = restore(generator, r);
    let pc = pc_at(&code, word);
    th.vm.base = r.0;
    th.vm.pc = pc.0.cast();
    f(th);
    save(generator, r, pc);
    r.clear_header();
    close_entry(th, e);
}

/// Resumes the generator that `FOR_ITER` or `SEND` at `pc` holds in its register A, as a frame above the running one, without native
/// recursion. `Err`: it is not one that can be resumed so; nothing happened, and the value comes back.
#[inline(always)]
pub fn resume_inline(th: &mut Thread, value: Value, pc: Pc, r: Regs) -> Result<S, Value> {
    let object = r.get(pc.back(1).word().a() as usize);
    let Some(generator) = resumable(object) else { return Err(value) };
    let started = match generator.state() {
        State::Suspended => true,
        State::Created if value.is_none() => false,
        _ => return Err(value),
    };
    let code = &generator.code;
    let below = r.up(r.code().nregs as usize + SLACK);
    if !has_room(th, below, code.nregs as usize + 2 * FRAME_HEADER + 2 * SLACK) || count_call(th).is_err() {
        // The slow path raises the error.
        drop(th.exc.take());
        return Err(value);
    }
    if generator.claim().is_none() {
        th.depth -= 1;
        return Err(value);
    }
    below.put(0, Value::small_int_unchecked(r.0 as i64));
    let window = below.up(1);
    // The generator keeps both, and the frame below keeps the generator.
    window.lend(0, generator.function.as_value());
    let callee = window.up(FRAME_HEADER);
    callee.set_code(code.object());
    callee.set_return(pc, RESUMED);
    let word = restore(generator, callee);
    th.vm.base = callee.0;
    let outer = std::mem::replace(&mut th.handled, generator.handled.take());
    th.vm.outer_handled.push(outer);
    let at = pc_at(code, word);
    if !started {
        return Ok(S { pc: at, r: callee });
    }
    callee.replace(at.word().a() as usize, Some(value));
    Ok(S { pc: at.add(1), r: callee })
}
/// The generator or coroutine.
#[inline(always)]
fn resumable(object: &Value) -> Option<&Generator> {
    object.downcast_exact::<Generator>().or_else(|| object.downcast_exact::<Coroutine>().map(|c| &c.0))
}
/// Ends what `resume_inline` began: the frame that resumed, its instruction, and what the generator handles.
#[inline(always)]
fn leave_inline(th: &mut Thread, r: Regs, ret: Pc) -> (Regs, Word, Option<Value>) {
    let header = r.header();
    header.unlend(0);
    r.forget_return();
    header.unlend(2);
    let base = header.down(1).take(0).and_then(|v| v.as_int()).unwrap_or(0);
    let below = Regs(base as *mut u64);
    th.vm.base = below.0;
    th.depth -= 1;
    let own = std::mem::replace(&mut th.handled, th.vm.outer_handled.pop().flatten());
    (below, ret.back(1).word(), own)
}
/// A generator that was resumed inline yields: `pc` is after its `YIELD_VALUE`.
#[inline(always)]
pub fn yielded(th: &mut Thread, r: Regs, pc: Pc, ret: Pc, value: Value) -> S {
    let below = caller_of(r);
    let w = ret.back(1).word();
    let generator = resumable(below.get(w.a() as usize));
    if let Some(generator) = generator {
        save(generator, r, pc.back(1));
        generator.set_state(State::Suspended);
    }
    let (below, w, own) = leave_inline(th, r, ret);
    if own.is_some()
        && let Some(generator) = generator
    {
        generator.handled.set(own);
    }
    let freed = match below.replace(w.b() as usize, Some(value)) {
        Some(old) => old.release(),
        None => false,
    };
    after_drop(th, ret, freed);
    if w.op_byte() == Op::FOR_ITER as u8 {
        return S { pc: ret.offset(w.sc() as isize), r: below };
    }
    S { pc: ret, r: below }
}
/// The frame that resumed a generator inline.
#[inline(always)]
fn caller_of(r: Regs) -> Regs {
    let base = r.header().down(1).opt(0).and_then(|v| v.as_int()).unwrap_or(0);
    Regs(base as *mut u64)
}
/// A generator that was resumed inline returns; its registers are dropped already.
#[inline(never)]
pub fn returned(th: &mut Thread, r: Regs, ret: Pc, value: Value) -> S {
    let (below, w, own) = leave_inline(th, r, ret);
    finish_inline(below, w);
    drop(own);
    let mut freed = false;
    let next = if w.op_byte() == Op::FOR_ITER as u8 {
        freed |= value.release();
        ret
    } else {
        below.replace(w.b() as usize, Some(value));
        ret.offset(w.sc() as isize)
    };
    freed |= below.kill(w.a() as usize);
    after_drop(th, ret, freed);
    S { pc: next, r: below }
}
/// A generator that was resumed inline is left by an exception; the frame that resumed it.
pub fn abandon(th: &mut Thread, r: Regs) -> Regs {
    let (ret, _) = r.return_pc();
    let (below, w, own) = leave_inline(th, r, ret);
    finish_inline(below, w);
    drop(own);
    below
}
/// Nothing is left of the generator that the instruction `w` resumed.
fn finish_inline(below: Regs, w: Word) {
    let object = below.get(w.a() as usize);
    if let Some(generator) = resumable(object) {
        generator.finish(object);
    }
}

/// Copies the registers in; the word at which the generator is.
#[inline(always)]
fn restore(generator: &Generator, r: Regs) -> u32 {
    let mut saved = generator.saved.lock();
    if saved.frame.is_some()
        && let Some(frame) = saved.frame.take()
    {
        let old = std::mem::replace(&mut *frame.state.lock(), FrameState::Running { base: r.0 as usize });
        if let FrameState::Suspended { registers, .. } = old {
            saved.registers = registers;
        }
        r.header().put(3, frame.into());
    }
    r.load(&mut saved.registers);
    saved.word
}

/// Where to go on: with the value sent, or at the handler of the exception thrown.
fn begin(th: &mut Thread, r: Regs, code: &Code, word: u32, started: bool, input: Resume) -> S {
    let pc = pc_at(code, word);
    match input {
        Resume::Throw(exception) => {
            frames::publish(th, pc.add(1));
            // The context is what the generator itself handles, not what its caller does.
            let raised = match th.handled {
                Some(_) => errors::raise_value(th, exception),
                None => Raised::set(th, exception),
            };
            if trace::wanted(th) {
                trace::exception_event(th, r, word, Event::PyThrow);
            }
            raise_at(th, raised, pc.add(1), r)
        }
        Resume::Send(value) if started => {
            let out = pc.word().a() as usize;
            r.replace(out, Some(value));
            S { pc: pc.add(1), r }
        }
        Resume::Send(_) => S { pc, r },
    }
}

#[inline(always)]
fn finish(th: &mut Thread, object: &Value, generator: &Generator, e: Regs, own: Option<Value>) -> PyResult<Resumed> {
    let r = e.up(ENTRY_WORDS);
    let result = e.take(0);
    if !r.has_code() {
        close_entry(th, e);
        generator.finish(object);
        return match result {
            Some(v) => Ok(Resumed::Return(v)),
            None => Err(Raised::pending(th)),
        };
    }
    let pc = Pc(th.vm.pc.cast());
    debug_assert!(pc.word().op_byte() == Op::YIELD_VALUE as u8);
    save(generator, r, pc);
    r.clear_header();
    if own.is_some() {
        generator.handled.set(own);
    }
    generator.set_state(State::Suspended);
    th.depth -= 1;
    close_entry(th, e);
    Ok(Resumed::Yield(result.unwrap_or(Value::NONE)))
}

/// Copies the registers out.
#[inline(always)]
fn save(generator: &Generator, r: Regs, pc: Pc) {
    if r.header().is_bound(3) {
        return save_into_frame(generator, r, pc);
    }
    let mut saved = generator.saved.lock();
    saved.word = word_index(r.code(), pc);
    r.unload(pc.word().c() as usize, &mut saved.registers);
}
/// As [`save`], where there is a frame object.
#[cold]
#[inline(never)]
fn save_into_frame(generator: &Generator, r: Regs, pc: Pc) {
    let word = word_index(r.code(), pc);
    let live = pc.word().c() as usize;
    let frame: Option<Ref<Frame>> = r.header().take(3).and_then(|f| f.downcast().ok());
    let mut saved = generator.saved.lock();
    saved.word = word;
    let mut registers = std::mem::take(&mut saved.registers);
    r.unload(live, &mut registers);
    match &frame {
        Some(frame) => *frame.state.lock() = FrameState::Suspended { registers, word, started: true },
        None => saved.registers = registers,
    }
    saved.frame = frame;
}
