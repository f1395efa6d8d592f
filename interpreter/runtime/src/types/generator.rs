//! Generators, coroutines and asynchronous generators: one payload, three types. `send`, `throw`, `close` as Rust
//! functions are here; the Python-visible parts are in `generator/`. How frames are put aside is `vm`.
//! CPython: `Objects/genobject.c`.
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::AcqRel, Ordering::Relaxed, Ordering::Release};

use krait_bytecode::opcodes::{DELEGATE, Intrinsic1};
use krait_bytecode::{Op, Word};
use krait_macros::{Payload, Trace};
use krait_object::{
    ClassDef, Locked, PyResult, Ref, Str, Thread, TypeObject, VTable, Value, ValueCell, builtin_types::OBJECT,
    header::flag,
};

mod anext;
pub mod async_gen;
pub mod async_steps;
mod attributes;
pub mod coroutine;
pub mod finalize;
pub mod throw;

use crate::errors;
use crate::exceptions;
use crate::hooks;
use crate::types::code::Code;
use crate::types::frame::{Frame, FrameState};
use crate::types::function::Function;

pub use anext::anext_with_default;
pub use finalize::{AsyncGenHooks, get_hooks, origin_depth, set_hooks, set_origin_depth};
pub use throw::{close, throw_exception};

/// The payload of generators, and within `Coroutine` and `AsyncGenerator` of the others.
#[derive(Trace, Payload)]
#[payload(class = GENERATOR)]
pub struct Generator {
    pub code: Ref<Code>,
    pub function: Ref<Function>,
    pub name: ValueCell,
    pub qualname: ValueCell,
    pub saved: Locked<Saved>,
    #[trace(skip)]
    state: AtomicU8,
    /// The exception that the generator was handling when it was put aside.
    pub handled: ValueCell,
    /// `cr_origin`
    pub origin: ValueCell,
    /// What `sys.set_asyncgen_hooks` said when iteration began.
    pub finalizer: ValueCell,
    #[trace(skip)]
    pub hooks_ready: AtomicBool,
    /// `ag_running`
    #[trace(skip)]
    pub running_async: AtomicBool,
    #[trace(skip)]
    pub closed: AtomicBool,
}

/// A frame that was put aside. The registers are in the frame object once there is one.
#[derive(Trace, Default)]
pub struct Saved {
    pub registers: Vec<Option<Value>>,
    /// The `YIELD_VALUE`; 0 before the start.
    pub word: u32,
    pub frame: Option<Ref<Frame>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum State {
    Created,
    Suspended,
    Running,
    Done,
}

/// What a generator goes on with.
pub enum Resume {
    Send(Value),
    /// An exception instance.
    Throw(Value),
}
/// What came out of it; a raised exception is an `Err`.
pub enum Resumed {
    Yield(Value),
    Return(Value),
}

/// A coroutine's payload.
#[derive(Trace, Payload)]
#[payload(class = COROUTINE)]
#[repr(transparent)]
pub struct Coroutine(pub Generator);
/// An asynchronous generator's payload.
#[derive(Trace, Payload)]
#[payload(class = ASYNC_GENERATOR)]
#[repr(transparent)]
pub struct AsyncGenerator(pub Generator);

static LAYOUT: VTable = VTable::of::<Generator>();
static COROUTINE_LAYOUT: VTable = VTable::of::<Coroutine>();
static ASYNC_LAYOUT: VTable = VTable::of::<AsyncGenerator>();
pub static GENERATOR: TypeObject = TypeObject::builtin("generator", Some(&OBJECT), &LAYOUT);
pub static COROUTINE: TypeObject = TypeObject::builtin("coroutine", Some(&OBJECT), &COROUTINE_LAYOUT);
pub static ASYNC_GENERATOR: TypeObject = TypeObject::builtin("async_generator", Some(&OBJECT), &ASYNC_LAYOUT);

pub static DEFS: &[&ClassDef] = &[
    &attributes::DEF,
    &coroutine::DEF,
    &coroutine::WRAPPER_DEF,
    &async_gen::DEF,
    &async_steps::ASEND_DEF,
    &async_steps::ATHROW_DEF,
    &async_steps::WRAPPED_DEF,
    &anext::DEF,
];

/// The payload of any of the three.
#[inline]
pub fn of(v: &Value) -> Option<&Generator> {
    v.downcast_exact::<Generator>()
        .or_else(|| v.downcast_exact::<Coroutine>().map(|c| &c.0))
        .or_else(|| v.downcast_exact::<AsyncGenerator>().map(|g| &g.0))
}
pub(crate) fn expect(v: &Value) -> &Generator {
    of(v).expect("the descriptor checked the class of self")
}

impl Generator {
    /// The object that a call of a generator function makes; `registers` are the bound arguments and cells.
    pub fn create(th: &mut Thread, function: &Ref<Function>, code: &Ref<Code>, registers: Vec<Option<Value>>) -> Value {
        use krait_bytecode::code::flags;
        let generator = Generator {
            code: code.clone(),
            function: function.clone(),
            name: ValueCell::new(function.name.get().or_else(|| Some(code.name.to_value()))),
            qualname: ValueCell::new(function.qualname.get().or_else(|| Some(code.qualname.to_value()))),
            saved: Locked::new(Saved { registers, word: 0, frame: None }),
            state: AtomicU8::new(State::Created as u8),
            handled: ValueCell::empty(),
            origin: ValueCell::empty(),
            finalizer: ValueCell::empty(),
            hooks_ready: AtomicBool::new(false),
            running_async: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        };
        if code.flags & flags::COROUTINE != 0 {
            let origin = finalize::capture_origin(th);
            generator.origin.set(origin);
            return Ref::new(Coroutine(generator)).into();
        }
        if code.flags & flags::ASYNC_GENERATOR != 0 {
            return Ref::new(AsyncGenerator(generator)).into();
        }
        Ref::new(generator).into()
    }
    pub fn state(&self) -> State {
        match self.state.load(Relaxed) {
            0 => State::Created,
            1 => State::Suspended,
            2 => State::Running,
            _ => State::Done,
        }
    }
    /// Whether it is created or suspended.
    pub fn is_resumable(&self) -> bool {
        matches!(self.state(), State::Created | State::Suspended)
    }
    pub fn set_state(&self, state: State) {
        self.state.store(state as u8, Release);
    }
    /// Takes a generator that is created or suspended, to run it: what it was. `None`: it runs, on whichever thread, or is
    /// done.
    #[inline(always)]
    pub fn claim(&self) -> Option<State> {
        let was = self.state();
        if !matches!(was, State::Created | State::Suspended) {
            return None;
        }
        if krait_object::header::multi() {
            self.state.compare_exchange(was as u8, State::Running as u8, AcqRel, Relaxed).ok()?;
        } else {
            self.set_state(State::Running);
        }
        Some(was)
    }
    /// Nothing is left to finalise or go on with.
    pub fn finish(&self, object: &Value) {
        self.set_state(State::Done);
        if let Some(header) = object.header() {
            header.set_flag(flag::FINALIZED);
        }
        let (registers, frame) = {
            let mut saved = self.saved.lock();
            (std::mem::take(&mut saved.registers), saved.frame.take())
        };
        if let Some(frame) = frame {
            let left = match &mut *frame.state.lock() {
                FrameState::Suspended { registers, word, .. } => Some((std::mem::take(registers), *word)),
                _ => None,
            };
            if let Some((registers, word)) = left {
                *frame.state.lock() = FrameState::Done { registers: Vec::new(), word };
                drop(registers);
            }
        }
        drop(registers);
        self.handled.set(None);
    }
    /// What is being awaited or delegated to by a suspended generator.
    pub fn delegate(&self) -> Option<Value> {
        if self.state() != State::Suspended {
            return None;
        }
        let saved = self.saved.lock();
        let word = Word(*self.code.bytecode().words.get(saved.word as usize)?);
        if word.op_byte() != Op::YIELD_VALUE as u8 || word.flags() & DELEGATE == 0 {
            return None;
        }
        let at = (word.b() as usize).checked_sub(1)?;
        match &saved.frame {
            Some(frame) => match &*frame.state.lock() {
                FrameState::Suspended { registers, .. } => registers.get(at)?.clone(),
                _ => None,
            },
            None => saved.registers.get(at)?.clone(),
        }
    }
    /// Suspended at a `yield` within no `try` or `with`: an exception raised there would only end it.
    fn is_unguarded(&self) -> bool {
        let (code, word) = (self.code.bytecode(), self.saved.lock().word);
        let is_yield = |w: &u64| Word(*w).op_byte() == Op::YIELD_VALUE as u8 && Word(*w).flags() & DELEGATE == 0;
        if !code.words.get(word as usize).is_some_and(is_yield) {
            return false;
        }
        let Some(entry) = code.handler_at(word) else { return true };
        // The guard of the whole body turns StopIteration into RuntimeError.
        code.words.get(entry.handler as usize).is_some_and(|&w| {
            Word(w).op_byte() == Op::CALL_INTRINSIC_1 as u8 && Word(w).c() == Intrinsic1::StopIterationError as u16
        })
    }
    /// The frame object, made on demand; `None` once finished.
    pub fn frame(&self, th: &mut Thread) -> Option<Ref<Frame>> {
        if self.state() == State::Done {
            return None;
        }
        // Whoever claims the generator takes the registers under this lock.
        let mut saved = self.saved.lock();
        if self.state() == State::Running {
            drop(saved);
            return hooks_frame(th, self);
        }
        if let Some(frame) = &saved.frame {
            return Some(frame.clone());
        }
        let registers = std::mem::take(&mut saved.registers);
        let started = self.state() != State::Created;
        let state = FrameState::Suspended { registers, word: saved.word, started };
        let frame = Frame::new(&self.function, &self.code, None, state);
        saved.frame = Some(frame.clone());
        Some(frame)
    }
    /// "generator", "coroutine" or "async generator".
    pub fn kind(&self) -> &'static str {
        use krait_bytecode::code::flags;
        if self.code.flags & flags::COROUTINE != 0 {
            "coroutine"
        } else if self.code.flags & flags::ASYNC_GENERATOR != 0 {
            "async generator"
        } else {
            "generator"
        }
    }
    pub fn display_name(&self) -> String {
        let name = self.qualname.get().and_then(|n| n.to_ref::<Str>());
        name.map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// The generator that holds a frame which does not run. A frame does not know it: all objects are asked.
pub fn owner_of(th: &Thread, frame: &Ref<Frame>) -> Option<Value> {
    let holds = |v: &Value| of(v).is_some_and(|g| g.saved.lock().frame.as_ref().is_some_and(|f| f.ptr_eq(frame)));
    krait_object::gc::referrers(th, &[frame.to_value()]).into_iter().find(holds)
}
/// The frame of a generator that runs: the nearest frame of its code on this thread.
fn hooks_frame(th: &mut Thread, generator: &Generator) -> Option<Ref<Frame>> {
    if let Some(frame) = &generator.saved.lock().frame {
        return Some(frame.clone());
    }
    let mut depth = 0;
    loop {
        let frame = (hooks::vm().frame_at)(th, depth)?;
        if frame.code.ptr_eq(&generator.code) && frame.function.ptr_eq(&generator.function) {
            return Some(frame);
        }
        depth += 1;
    }
}

/// What a generator does with a value or an exception: `gen_send_ex2`.
pub fn resume(th: &mut Thread, object: &Value, input: Resume) -> PyResult<Resumed> {
    let generator = expect(object);
    match generator.state() {
        State::Created => {
            if let Resume::Send(v) = &input
                && !v.is_none()
            {
                let message = format!("can't send non-None value to a just-started {}", generator.kind());
                return Err(errors::type_error(th, message));
            }
        }
        State::Running => {
            return Err(errors::value_error(th, format!("{} already executing", generator.kind())));
        }
        State::Done => return resume_done(th, generator, input),
        State::Suspended => {}
    }
    (hooks::vm().resume_generator)(th, object, input)
}
fn resume_done(th: &mut Thread, generator: &Generator, input: Resume) -> PyResult<Resumed> {
    if generator.kind() == "coroutine"
        && !matches!(&input, Resume::Throw(e) if e.is_instance(&exceptions::GENERATOR_EXIT))
    {
        return Err(errors::runtime_error(th, "cannot reuse already awaited coroutine"));
    }
    match input {
        Resume::Send(_) => Ok(Resumed::Return(Value::NONE)),
        Resume::Throw(e) => Err(errors::raise_value(th, e)),
    }
}

/// A generator's return value as the exception that ends the iteration.
pub(crate) fn ended(th: &mut Thread, object: &Value, value: Value) -> krait_object::Raised {
    if object.downcast_exact::<AsyncGenerator>().is_some() {
        return errors::stop_async_iteration(th);
    }
    errors::stop_iteration(th, if value.is_none() { None } else { Some(value) })
}
/// `send()`: the value yielded, or the exception that ends the iteration.
pub fn send(th: &mut Thread, object: &Value, value: Value) -> PyResult<Value> {
    match resume(th, object, Resume::Send(value))? {
        Resumed::Yield(v) => Ok(v),
        Resumed::Return(v) => Err(ended(th, object, v)),
    }
}
