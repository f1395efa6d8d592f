//! Generators on the register stack: registers are copied in on resumption and out on a yield.
use krait_bytecode::Op;
use krait_object::{PyResult, Raised, Thread, Value};
use krait_runtime::errors;
use krait_runtime::types::code::Code;
use krait_runtime::types::frame::FrameState;
use krait_runtime::types::function::Function;
use krait_runtime::types::generator::{self, Generator, Resume, Resumed, State};

use crate::dispatch::run_to_halt;
use crate::frames::{self, ENTRY_WORDS, close_entry, count_call, entry_return, entry_window};
use crate::regs::{Pc, Regs, S, pc_at, word_index};
use crate::unwind::raise_at;

/// The object for a call of a generator function whose arguments are bound in `R[0..)` of the window at `w`; the window
/// is emptied.
pub fn create(th: &mut Thread, w: Regs, code: &Code) -> Value {
    let r = w.up(krait_bytecode::opcodes::FRAME_HEADER);
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
fn function_code(function: &Function, code: &Code) -> krait_object::Ref<Code> {
    let held = function.code();
    debug_assert!(std::ptr::eq::<Code>(&*held, code));
    held
}

/// Goes on with a generator that is created or suspended.
pub fn resume(th: &mut Thread, object: &Value, input: Resume) -> PyResult<Resumed> {
    th.check_native("")?;
    let object = object.clone();
    let Some(generator) = generator::of(&object) else {
        return Err(errors::type_error(th, "not a generator"));
    };
    let code = generator.code.clone();
    let e = entry_window(th, code.nregs as usize)?;
    if let Err(raised) = count_call(th) {
        close_entry(th, e);
        return Err(raised);
    }
    let started = generator.state() == State::Suspended;
    generator.set_state(State::Running);
    let r = e.up(ENTRY_WORDS);
    let header = r.header();
    header.put(0, generator.function.to_value());
    r.set_return(entry_return(), 0);
    header.put(2, code.to_value());
    let word = restore(generator, r);
    th.vm.base = r.0;
    let outer = std::mem::replace(&mut th.handled, generator.handled.take());
    th.vm.outer_handled.push(outer);
    let s = begin(th, r, &code, word, started, input);
    run_to_halt(th, s);
    let own = std::mem::replace(&mut th.handled, th.vm.outer_handled.pop().flatten());
    finish(th, &object, e, own)
}

/// Copies the registers in; the word at which the generator is.
fn restore(generator: &Generator, r: Regs) -> u32 {
    let mut saved = generator.saved.lock();
    if let Some(frame) = saved.frame.take() {
        let old = std::mem::replace(&mut *frame.state.lock(), FrameState::Running { base: r.0 as usize });
        if let FrameState::Suspended { registers, .. } = old {
            saved.registers = registers;
        }
        r.header().put(3, frame.into());
    }
    for (i, v) in saved.registers.drain(..).enumerate() {
        r.replace(i, v);
    }
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

fn finish(th: &mut Thread, object: &Value, e: Regs, own: Option<Value>) -> PyResult<Resumed> {
    let Some(generator) = generator::of(object) else { return Err(Raised::pending(th)) };
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
    debug_assert!(pc.word().op_byte() == Op::YIELD as u8);
    save(generator, r, pc);
    generator.handled.set(own);
    generator.set_state(State::Suspended);
    th.depth -= 1;
    close_entry(th, e);
    Ok(Resumed::Yield(result.unwrap_or(Value::NONE)))
}

/// Copies the registers out.
fn save(generator: &Generator, r: Regs, pc: Pc) {
    let word = word_index(r.code(), pc);
    let live = pc.word().c() as usize;
    let frame = r.header().take(3).and_then(|f| f.downcast().ok());
    {
        let mut saved = generator.saved.lock();
        saved.word = word;
        let mut registers = std::mem::take(&mut saved.registers);
        registers.extend((0..live).map(|i| r.take(i)));
        match &frame {
            Some(frame) => {
                let frame: &krait_object::Ref<krait_runtime::types::frame::Frame> = frame;
                *frame.state.lock() = FrameState::Suspended { registers, word, started: true };
            }
            None => saved.registers = registers,
        }
        saved.frame = frame;
    }
    r.header().clear(0, 3);
}
