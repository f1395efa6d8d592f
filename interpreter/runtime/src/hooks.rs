//! The hooks table: how builtins and native modules reach what is built on top of this crate. `vm` installs [`VmHooks`],
//! `embed` installs [`CompileHooks`]; each once per process.
use std::sync::OnceLock;

use krait_object::{Args, Dict, PyResult, Ref, Str, Thread, Tuple, Value};

use crate::errors;
use crate::types::code::Code;
use crate::types::frame::Frame;
use crate::types::generator::{Resume, Resumed};

/// Hands items on until one comes back.
pub type Feed = fn(&mut Thread, &Value, &mut dyn FnMut(Value) -> Result<(), Value>) -> PyResult<Option<Value>>;

/// What the VM offers.
pub struct VmHooks {
    /// Calls a Python function object.
    pub call_function: fn(&mut Thread, &Value, &Args<'_>) -> PyResult<Value>,
    /// Runs a code object: `globals`, then the namespace (none for code with fast locals), builtins (those of `globals`
    /// if none), closure.
    pub eval_code:
        fn(&mut Thread, &Ref<Code>, &Ref<Dict>, Option<&Value>, Option<&Value>, Option<&Ref<Tuple>>) -> PyResult<Value>,
    /// Goes on with a generator, coroutine or asynchronous generator.
    pub resume_generator: fn(&mut Thread, &Value, Resume) -> PyResult<Resumed>,
    /// Runs a generator that is created or suspended, see [`crate::protocol::iter::feed`].
    pub feed_from_generator: Feed,
    /// Runs something while a suspended generator's frame is on the stack.
    pub on_stack: fn(&mut Thread, &Value, &mut dyn FnMut(&mut Thread)),
    /// The frame `depth` calls up from the running one, made into an object.
    pub frame_at: fn(&mut Thread, usize) -> Option<Ref<Frame>>,
    /// Calls with each thread's identifier, its running frame, and the exception that it handles.
    pub threads: fn(&mut Thread, &mut dyn FnMut(u64, Option<Ref<Frame>>, Option<Value>)),
    /// Sets the trace function, or the profile function, of every thread.
    pub trace_all: fn(&mut Thread, bool, Option<&Value>),
    /// The frame that called this one, while it runs.
    pub frame_back: fn(&mut Thread, &Ref<Frame>) -> Option<Ref<Frame>>,
    /// Register of a frame that is running or suspended.
    pub frame_read: fn(&mut Thread, &Frame, usize) -> Option<Value>,
    /// Stores into a variable's register; the old value is handed back.
    pub frame_write: fn(&mut Thread, &Frame, usize, Option<Value>) -> Option<Value>,
    /// Word index of the instruction that a frame executes.
    pub frame_word: fn(&mut Thread, &Frame) -> u32,
    /// Goes on at one of these words in a frame that is being traced; ValueError where that is not possible.
    pub frame_jump: fn(&mut Thread, &Frame, &[u32]) -> PyResult<()>,
    /// Globals of the running Python frame.
    pub current_globals: fn(&mut Thread) -> Option<Ref<Dict>>,
    /// Builtins of the running Python frame.
    pub current_builtins: fn(&mut Thread) -> Option<Value>,
    /// Trace functions, profile functions or monitoring events were changed.
    pub instrument: fn(&mut Thread),
    /// Writes Python stacks as text. May be called in a signal handler, and while other threads run.
    pub write_stacks: fn(&dyn Fn(&[u8]), Stacks),
    /// Calls with file name and line of each Python frame of the calling thread, the innermost first. Makes no object.
    pub lines: fn(&mut dyn FnMut(&Str, u32)),
}

/// Which stacks are written when something went badly wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stacks {
    /// That of the calling thread.
    Current,
    /// All, the calling thread's named as such.
    All,
    /// All, written by a thread that runs no Python code.
    Others,
}

/// What is to be compiled, see `compile()`.
pub struct CompileRequest<'a> {
    /// `str`, bytes-like or AST object.
    pub source: &'a Value,
    pub filename: &'a str,
    /// "exec", "eval", "single" or "func_type".
    pub mode: &'a str,
    /// `PyCF_*` and `CO_FUTURE_*` bits.
    pub flags: u32,
    pub optimize: i32,
    pub feature_version: i32,
}

/// What the compiler and the AST offer.
pub struct CompileHooks {
    /// A code object; an AST object when the flags say so.
    pub compile_source: fn(&mut Thread, &CompileRequest<'_>) -> PyResult<Value>,
}

static VM: OnceLock<VmHooks> = OnceLock::new();
static COMPILE: OnceLock<CompileHooks> = OnceLock::new();

pub fn install_vm(hooks: VmHooks) {
    let _ = VM.set(hooks);
}
pub fn install_compile(hooks: CompileHooks) {
    let _ = COMPILE.set(hooks);
}

/// The VM.
#[inline(always)]
pub fn vm() -> &'static VmHooks {
    VM.get().expect("the VM installs its hooks before the first code runs")
}

/// Compiles source text or an AST.
pub fn compile(th: &mut Thread, request: &CompileRequest<'_>) -> PyResult<Value> {
    match COMPILE.get() {
        Some(hooks) => (hooks.compile_source)(th, request),
        None => Err(errors::not_implemented_error(th, "no compiler is installed")),
    }
}

/// Runs a class body with its namespace; what it returns is the `__class__` cell or None.
pub fn eval_class_body(th: &mut Thread, function: &Value, namespace: &Value) -> PyResult<Value> {
    let Some(function) = function.to_ref::<crate::types::function::Function>() else {
        return Err(errors::type_error(th, "__build_class__: func must be a function"));
    };
    let (code, builtins) = (function.code(), function.builtins.clone());
    let closure = function.closure();
    (vm().eval_code)(th, &code, &function.globals, Some(namespace), Some(&builtins), closure.as_ref())
}

/// The next item; the StopIteration of a generator that returned a value stays an error, with that value.
pub fn next_or_stop(th: &mut Thread, iterator: &Value) -> PyResult<Option<Value>> {
    let next = iterator.class().slots.next.get();
    match next {
        Some(next) => next(th, iterator),
        None => {
            let message = format!("'{}' object is not an iterator", iterator.class().name());
            Err(errors::type_error(th, message))
        }
    }
}
