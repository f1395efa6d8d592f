//! Frame objects: made lazily for a running frame, a suspended generator or a traceback. While the frame runs its
//! variables are in the VM's registers; when it is left they move here. Attributes are in `frame/attributes.rs`.
//! CPython: `Objects/frameobject.c`.
use std::sync::atomic::AtomicBool;

use krait_macros::{Payload, Trace};
use krait_object::{
    ClassDef, Dict, Locked, PyResult, Ref, SlotDefs, Str, Thread, TypeObject, VTable, Value, ValueCell,
    builtin_types::OBJECT,
};

mod attributes;
mod jump;
pub mod proxy;

use crate::hooks;
use crate::types::cell::Cell;
use crate::types::code::Code;
use crate::types::function::Function;

#[derive(Trace, Payload)]
#[payload(class = FRAME)]
pub struct Frame {
    pub code: Ref<Code>,
    /// Globals and builtins are the function's.
    pub function: Ref<Function>,
    /// The mapping of a module, class body or `exec`; empty for code with fast locals.
    pub namespace: ValueCell,
    pub state: Locked<FrameState>,
    /// The frame below, once this one was left.
    pub back: ValueCell,
    /// `f_trace`
    pub trace: ValueCell,
    #[trace(skip)]
    pub trace_lines: AtomicBool,
    #[trace(skip)]
    pub trace_opcodes: AtomicBool,
    /// Keys that `f_locals` was given which are no variables.
    pub extra_locals: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Frame>();
pub static FRAME: TypeObject = TypeObject::builtin("frame", Some(&OBJECT), &LAYOUT);

/// Where a frame's variables are.
#[derive(Trace)]
pub enum FrameState {
    /// On the register stack of the thread that runs it; the address of its first register.
    Running { base: usize },
    /// Put aside by a generator; `word` is the `YIELD_VALUE`.
    Suspended { registers: Vec<Option<Value>>, word: u32, started: bool },
    /// Left for good.
    Done { registers: Vec<Option<Value>>, word: u32 },
}

impl Frame {
    pub fn new(function: &Ref<Function>, code: &Ref<Code>, namespace: Option<Value>, state: FrameState) -> Ref<Frame> {
        Ref::new(Frame {
            code: code.clone(),
            function: function.clone(),
            namespace: ValueCell::new(namespace),
            state: Locked::new(state),
            back: ValueCell::empty(),
            trace: ValueCell::empty(),
            trace_lines: AtomicBool::new(true),
            trace_opcodes: AtomicBool::new(false),
            extra_locals: ValueCell::empty(),
        })
    }
    pub fn is_running(&self) -> bool {
        matches!(&*self.state.lock(), FrameState::Running { .. })
    }
    /// Word of the instruction that the frame is at.
    pub fn word(&self, th: &mut Thread) -> u32 {
        match &*self.state.lock() {
            FrameState::Suspended { word, .. } | FrameState::Done { word, .. } => return *word,
            FrameState::Running { .. } => {}
        }
        (hooks::vm().frame_word)(th, self)
    }
    pub fn lineno(&self, th: &mut Thread) -> u32 {
        let word = self.word(th);
        self.code.line_of(word)
    }
    fn register(&self, th: &mut Thread, i: usize) -> Option<Value> {
        match &*self.state.lock() {
            FrameState::Suspended { registers, .. } | FrameState::Done { registers, .. } => {
                return registers.get(i).cloned().flatten();
            }
            FrameState::Running { .. } => {}
        }
        (hooks::vm().frame_read)(th, self, i)
    }
    fn set_register(&self, th: &mut Thread, i: usize, value: Option<Value>) -> Option<Value> {
        match &mut *self.state.lock() {
            FrameState::Suspended { registers, .. } | FrameState::Done { registers, .. } => {
                if registers.len() <= i {
                    registers.resize_with(i + 1, || None);
                }
                return std::mem::replace(&mut registers[i], value);
            }
            FrameState::Running { .. } => {}
        }
        (hooks::vm().frame_write)(th, self, i, value)
    }
    fn holds_cell(&self, register: usize) -> bool {
        let b = self.code.bytecode();
        register >= self.code.first_free as usize || b.cell_registers.iter().any(|&c| c as usize == register)
    }
    /// Value of the variable in a register, through its cell if it has one.
    pub fn variable(&self, th: &mut Thread, register: usize) -> Option<Value> {
        let held = self.register(th, register)?;
        match held.downcast_ref::<Cell>() {
            Some(cell) if self.holds_cell(register) => cell.content.get(),
            _ => Some(held),
        }
    }
    /// Binds the variable in a register, through its cell if it has one; the old value is handed back.
    pub fn set_variable(&self, th: &mut Thread, register: usize, value: Value) -> Option<Value> {
        if self.holds_cell(register)
            && let Some(held) = self.register(th, register)
            && let Some(cell) = held.downcast_ref::<Cell>()
        {
            return cell.content.replace(Some(value));
        }
        self.set_register(th, register, Some(value))
    }
    /// Registers of the variables that `f_locals` shows, with their names.
    pub fn variables(&self) -> Vec<(usize, Ref<Str>)> {
        let end = self.code.bytecode().first_temp();
        let hidden = &self.code.bytecode().hidden_locals;
        // Where names live in a namespace, only those of comprehensions are in registers.
        let in_namespace = self.namespace.get().is_some();
        (0..end)
            .filter(|r| hidden.iter().any(|&h| h as usize == *r) == in_namespace)
            .filter_map(|r| self.code.variable(r).map(|n| (r, n)))
            .collect()
    }
    /// A new dict of the variables that are bound, and of what else was put into `f_locals`.
    pub fn snapshot(&self, th: &mut Thread) -> PyResult<Ref<Dict>> {
        let dict = Dict::new();
        for (register, name) in self.variables() {
            if let Some(v) = self.variable(th, register) {
                dict.set_str(&name, v);
            }
        }
        if let Some(extra) = self.extra_locals.get().and_then(|d| d.to_ref::<Dict>()) {
            for (k, v) in extra.items() {
                dict.set(th, k, v)?;
            }
        }
        Ok(dict)
    }
    /// What `locals()` answers in this frame.
    pub fn locals(&self, th: &mut Thread) -> PyResult<Value> {
        match self.namespace.get() {
            Some(namespace) => Ok(self.with_hidden(th, &namespace).map_or(namespace, Value::from)),
            None => self.snapshot(th).map(Into::into),
        }
    }
    /// Whether a comprehension in a module or class body runs, whose variables are not in the namespace.
    pub fn has_hidden(&self, th: &mut Thread) -> bool {
        let hidden = &self.code.bytecode().hidden_locals;
        !hidden.is_empty() && hidden.iter().any(|&register| self.variable(th, register as usize).is_some())
    }
    /// Within a comprehension in a module or class body: a copy of the namespace with the comprehension's variables.
    pub fn with_hidden(&self, th: &mut Thread, namespace: &Value) -> Option<Ref<Dict>> {
        let hidden = self.code.bytecode().hidden_locals.clone();
        let mut bound = Vec::new();
        for register in hidden {
            let name = self.code.variable(register as usize);
            if let (Some(name), Some(value)) = (name, self.variable(th, register as usize)) {
                bound.push((name, value));
            }
        }
        if bound.is_empty() {
            return None;
        }
        let dict = namespace.downcast_ref::<Dict>()?.copy();
        for (name, value) in bound {
            dict.set_str(&name, value);
        }
        Some(dict)
    }
    /// The frame that called this one.
    pub fn caller(th: &mut Thread, frame: &Ref<Frame>) -> Option<Ref<Frame>> {
        if frame.is_running() {
            return (hooks::vm().frame_back)(th, frame);
        }
        frame.back.get().and_then(|f| f.to_ref())
    }
}

pub static DEF: ClassDef = ClassDef {
    doc: "",
    methods: attributes::METHODS,
    getset: attributes::GETSET,
    slots: SlotDefs { repr: Some(attributes::repr), ..SlotDefs::EMPTY },
    flags: krait_object::type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&FRAME)
};

/// The frame `depth` calls up from the running one.
pub fn current(th: &mut Thread, depth: usize) -> Option<Ref<Frame>> {
    (hooks::vm().frame_at)(th, depth)
}
