//! Code objects: the compiler's plain data with constants and names as values, and the executable stream derived from
//! it (`code/body.rs`). Attributes are in `code/attributes.rs`, the constructor in `code/construct.rs`, constants in
//! `code/constants.rs`.
//! CPython: `Objects/codeobject.c`.
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64};
use std::sync::{Arc, OnceLock};

use krait_bytecode::code::flags;
use krait_bytecode::stored::{Head, StoredCode};
use krait_bytecode::{CodeObject, Op, Word};
use krait_macros::{Payload, Trace};
use krait_object::{
    ClassDef, PyResult, Ref, SlotDefs, Str, Thread, Tuple, TypeObject, VTable, Value, ValueCell, builtin_types::OBJECT,
    intern::intern, type_flag,
};

use crate::monitoring::CodeEvents;

mod attributes;
mod body;
mod constants;
mod construct;

pub use body::{Body, UNREAD};
use body::{head, untracked};

#[derive(Trace, Payload)]
#[payload(class = CODE)]
pub struct Code {
    /// The first word of the body's stream, or of [`UNREAD`].
    #[trace(skip)]
    entry: AtomicPtr<AtomicU64>,
    pub nregs: u32,
    /// Registers that arguments fill.
    pub nargs: u32,
    /// Positional parameters where a call with exactly so many positional arguments enters the frame at once; `u32::MAX`
    /// where there are other parameters, for generators, and for what cannot run.
    pub simple_args: u32,
    pub nlocals: u32,
    pub first_free: u32,
    pub flags: u32,
    pub argcount: u32,
    pub posonlyargcount: u32,
    pub kwonlyargcount: u32,
    body: OnceLock<Box<Body>>,
    /// Where the body is read from when it is first asked for.
    #[trace(skip)]
    stored: Option<Arc<StoredCode>>,
    /// See [`Code::share`].
    #[trace(skip)]
    is_shared: AtomicBool,
    /// A `str`, always set.
    filename: ValueCell,
    pub name: Ref<Str>,
    pub qualname: Ref<Str>,
    /// What tools of `sys.monitoring` want of this code alone, and what they have switched off in it.
    #[trace(skip)]
    pub monitoring: OnceLock<Box<CodeEvents>>,
    /// What tools attached to the code object.
    pub extra: ValueCell,
    #[trace(skip)]
    own: Option<Box<OwnParts>>,
}
/// What code has that a script put together.
#[derive(Default)]
struct OwnParts {
    /// What is wrong with the bytecode: it can be looked at, and a call of it fails.
    fault: Option<Box<str>>,
    /// `co_linetable` as it was given.
    linetable: Option<Box<[u8]>>,
}
static LAYOUT: VTable = VTable::of::<Code>();
pub static CODE: TypeObject = TypeObject::builtin("code", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "Compiled code.",
    sig: "(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags, codestring, constants, names, varnames, filename, name, qualname, firstlineno, linetable, exceptiontable, freevars=(), cellvars=(), /)",
    methods: attributes::METHODS,
    getset: attributes::GETSET,
    slots: SlotDefs {
        new: Some(construct::new),
        repr: Some(attributes::repr),
        hash: Some(attributes::hash),
        compare: Some(attributes::rich_compare),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::WEAKREF,
    ..ClassDef::new(&CODE)
};

impl Code {
    /// The word of the file name's value, borrowed: for reports of crashes, which count no references.
    pub fn filename_bits(&self) -> u64 {
        self.filename.bits()
    }
    /// The code object for what the compiler made.
    pub fn new(th: &mut Thread, bytecode: &Arc<CodeObject>) -> PyResult<Ref<Code>> {
        Self::new_within(th, bytecode, &Str::new(&bytecode.filename))
    }
    /// As [`Code::new`], with the name of the file.
    fn new_within(th: &mut Thread, bytecode: &Arc<CodeObject>, filename: &Ref<Str>) -> PyResult<Ref<Code>> {
        let consts = untracked(Tuple::from_vec(constants::to_values(th, &bytecode.consts, (bytecode, filename))?));
        if crate::config::get(th).no_debug_ranges {
            let mut bytecode = CodeObject::clone(bytecode);
            bytecode.positions.forget_columns();
            return Ok(untracked(Self::with_consts(&Arc::new(bytecode), filename, consts, None)));
        }
        Ok(untracked(Self::with_consts(bytecode, filename, consts, None)))
    }
    /// As [`Code::new`], with values for the constants, of which `bytecode` holds those that it can.
    fn with_consts(
        bytecode: &Arc<CodeObject>,
        filename: &Ref<Str>,
        consts: Ref<Tuple>,
        own: Option<OwnParts>,
    ) -> Ref<Code> {
        let runs = own.as_ref().is_none_or(|own| own.fault.is_none());
        let body = Box::new(Body::new(bytecode, consts));
        let code = Self::of_head(&head(bytecode), filename, runs);
        Ref::new(Code {
            entry: AtomicPtr::new(body.stream.as_ptr().cast_mut()),
            body: OnceLock::from(body),
            own: own.map(Box::new),
            ..code
        })
    }
    /// The code object for what is stored; `None` if it is malformed.
    fn of_stored(stored: &Arc<StoredCode>, around: &Ref<Str>) -> Option<Ref<Code>> {
        let head = stored.head().ok()?;
        let code = match head.filename {
            Some(own) => Self::of_head(&head, &Str::new(own), true),
            None => Self::of_head(&head, around, true),
        };
        Some(untracked(Ref::new(Code { stored: Some(stored.clone()), ..code })))
    }
    fn of_head(head: &Head<'_>, filename: &Ref<Str>, runs: bool) -> Code {
        let varargs = head.flags & flags::VARARGS != 0;
        let varkw = head.flags & flags::VARKEYWORDS != 0;
        let suspends = head.flags & (flags::GENERATOR | flags::COROUTINE | flags::ASYNC_GENERATOR) != 0;
        let simple = !varargs && !varkw && head.kwonlyargcount == 0 && !suspends && runs;
        let name = intern(head.name);
        Code {
            entry: AtomicPtr::new(UNREAD.as_ptr().cast_mut()),
            nregs: head.nregs,
            nargs: head.argcount + head.kwonlyargcount + varargs as u32 + varkw as u32,
            simple_args: if simple { head.argcount } else { u32::MAX },
            nlocals: head.nlocals,
            first_free: head.first_free,
            flags: head.flags,
            argcount: head.argcount,
            posonlyargcount: head.posonlyargcount,
            kwonlyargcount: head.kwonlyargcount,
            body: OnceLock::new(),
            stored: None,
            is_shared: AtomicBool::new(false),
            filename: filename.to_value().into(),
            qualname: if head.qualname == head.name { name.clone() } else { intern(head.qualname) },
            name,
            monitoring: OnceLock::new(),
            extra: ValueCell::empty(),
            own: None,
        }
    }
    /// The docstring, if the first constant is one.
    pub fn doc(&self) -> Value {
        match self.consts().first() {
            Some(first) if first.downcast_ref::<Str>().is_some() && self.flags & flags::OPTIMIZED != 0 => first.clone(),
            _ => Value::NONE,
        }
    }
    /// `co_filename`
    pub fn filename(&self) -> Ref<Str> {
        self.filename.get().and_then(|f| f.downcast().ok()).unwrap_or_else(Str::empty)
    }
    /// Changes `co_filename` here and in the nested code objects that had the same (`_imp._fix_co_filename`).
    pub fn set_filename(&self, filename: &str) {
        let old = self.filename.replace(Some(Value::str(filename)));
        let old = old.and_then(|o| o.to_ref::<Str>());
        // What is not read yet will have the new name.
        let Some(body) = self.body.get() else { return };
        for nested in body.consts.iter().filter_map(|c| c.downcast_ref::<Code>()) {
            if old.as_ref().is_some_and(|o| o.equals(&nested.filename())) {
                nested.set_filename(filename);
            }
        }
    }
    /// Why the bytecode cannot run, as far as that is known without reading it.
    pub fn fault(&self) -> Option<&str> {
        let own = self.own.as_ref().and_then(|own| own.fault.as_deref());
        own.or_else(|| self.body.get()?.is_malformed.then_some("stored code is malformed"))
    }
    /// Line of an instruction word; 0 = none.
    pub fn line_of(&self, word: u32) -> u32 {
        self.bytecode().positions.at(word).line
    }
    pub fn is_generator(&self) -> bool {
        self.flags & (flags::GENERATOR | flags::COROUTINE | flags::ASYNC_GENERATOR) != 0
    }
    /// Name of the variable in a register; `None` for a temporary.
    pub fn variable(&self, register: usize) -> Option<Ref<Str>> {
        self.bytecode().variable_name(register).map(|n| intern(n))
    }
    /// The word that instruction `word` begins with holds this opcode.
    pub fn op_at(&self, word: u32) -> Option<Op> {
        self.bytecode().words.get(word as usize).and_then(|&w| Op::from_u8(Word(w).op_byte()))
    }
}
