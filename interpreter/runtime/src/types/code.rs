//! Code objects: the compiler's plain data with constants and names as values, and the executable stream derived from
//! it. Attributes are in `code/attributes.rs`, the constructor in `code/construct.rs`, constants in `code/constants.rs`.
//! CPython: `Objects/codeobject.c`.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use krait_bytecode::code::flags;
use krait_bytecode::opcodes::Extra;
use krait_bytecode::{CodeObject, Op, Word};
use krait_macros::{Payload, Trace};
use krait_object::{
    ClassDef, PyResult, Ref, SlotDefs, Str, Thread, Tuple, TypeObject, VTable, Value, ValueCell, builtin_types::OBJECT,
    intern::intern, type_flag,
};

use crate::monitoring::CodeEvents;

mod attributes;
mod constants;
mod construct;

#[derive(Trace, Payload)]
#[payload(class = CODE)]
pub struct Code {
    #[trace(skip)]
    pub bytecode: Arc<CodeObject>,
    /// The instruction words with constants and names (as the bits of values that `consts` and `names` own) and caches in
    /// place. Same length as `bytecode.words`.
    #[trace(skip)]
    pub stream: Box<[AtomicU64]>,
    pub nregs: u32,
    /// Registers that arguments fill.
    pub nargs: u32,
    /// Positional parameters where a call with exactly so many positional arguments enters the frame at once; `u32::MAX`
    /// where there are other parameters, for generators, and for what cannot run.
    pub simple_args: u32,
    pub nlocals: u32,
    pub first_free: u32,
    pub flags: u32,
    pub consts: Ref<Tuple>,
    pub names: Box<[Ref<Str>]>,
    pub varnames: Ref<Tuple>,
    pub cellvars: Ref<Tuple>,
    pub freevars: Ref<Tuple>,
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

fn text_tuple(all: &[Arc<str>]) -> Ref<Tuple> {
    Tuple::new(all.iter().map(|s| intern(s).into()))
}

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
        let consts = Tuple::from_vec(constants::to_values(th, &bytecode.consts, (bytecode, filename))?);
        if crate::config::get(th).no_debug_ranges {
            let mut bytecode = CodeObject::clone(bytecode);
            bytecode.positions.forget_columns();
            return Ok(Self::with_consts(&Arc::new(bytecode), filename, consts, None));
        }
        Ok(Self::with_consts(bytecode, filename, consts, None))
    }
    /// As [`Code::new`], with values for the constants, of which `bytecode` holds those that it can.
    fn with_consts(
        bytecode: &Arc<CodeObject>,
        filename: &Ref<Str>,
        consts: Ref<Tuple>,
        own: Option<OwnParts>,
    ) -> Ref<Code> {
        let names: Box<[Ref<Str>]> = bytecode.names.iter().map(|n| intern(n)).collect();
        let varargs = bytecode.flags & flags::VARARGS != 0;
        let varkw = bytecode.flags & flags::VARKEYWORDS != 0;
        let suspends = bytecode.flags & (flags::GENERATOR | flags::COROUTINE | flags::ASYNC_GENERATOR) != 0;
        let simple = !varargs && !varkw && bytecode.kwonlyargcount == 0 && !suspends;
        Ref::new(Code {
            stream: stream(bytecode, &consts, &names),
            nregs: bytecode.nregs,
            nargs: bytecode.argcount + bytecode.kwonlyargcount + varargs as u32 + varkw as u32,
            simple_args: if simple && own.as_ref().is_none_or(|own| own.fault.is_none()) {
                bytecode.argcount
            } else {
                u32::MAX
            },
            nlocals: bytecode.nlocals() as u32,
            first_free: bytecode.first_free() as u32,
            flags: bytecode.flags,
            consts,
            names,
            varnames: text_tuple(&bytecode.varnames),
            cellvars: text_tuple(&bytecode.cellvars),
            freevars: text_tuple(&bytecode.freevars),
            filename: filename.to_value().into(),
            name: intern(&bytecode.name),
            qualname: intern(&bytecode.qualname),
            bytecode: bytecode.clone(),
            monitoring: OnceLock::new(),
            extra: ValueCell::empty(),
            own: own.map(Box::new),
        })
    }
    /// The docstring, if the first constant is one.
    pub fn doc(&self) -> Value {
        match self.consts.first() {
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
        for nested in self.consts.iter().filter_map(|c| c.downcast_ref::<Code>()) {
            if old.as_ref().is_some_and(|o| o.equals(&nested.filename())) {
                nested.set_filename(filename);
            }
        }
    }
    /// Why the bytecode cannot run.
    pub fn fault(&self) -> Option<&str> {
        self.own.as_ref()?.fault.as_deref()
    }
    /// Line of an instruction word; 0 = none.
    pub fn line_of(&self, word: u32) -> u32 {
        self.bytecode.positions.at(word).line
    }
    pub fn is_generator(&self) -> bool {
        self.flags & (flags::GENERATOR | flags::COROUTINE | flags::ASYNC_GENERATOR) != 0
    }
    /// Name of the variable in a register; `None` for a temporary.
    pub fn variable(&self, register: usize) -> Option<Ref<Str>> {
        self.bytecode.variable_name(register).map(|n| intern(n))
    }
    /// The word that instruction `word` begins with holds this opcode.
    pub fn op_at(&self, word: u32) -> Option<Op> {
        self.bytecode.words.get(word as usize).and_then(|&w| Op::from_u8(Word(w).op_byte()))
    }
}

/// The executable words.
fn stream(bytecode: &CodeObject, consts: &Ref<Tuple>, names: &[Ref<Str>]) -> Box<[AtomicU64]> {
    let stream: Box<[AtomicU64]> = bytecode.words.iter().map(|&w| AtomicU64::new(w)).collect();
    let mut at = 0;
    while at < stream.len() {
        let Some(op) = Op::from_u8(Word(bytecode.words[at]).op_byte()) else { break };
        for (i, extra) in op.info().extras.iter().enumerate() {
            let Some(cell) = stream.get(at + 1 + i) else { break };
            let index = cell.load(Relaxed) as usize;
            match extra {
                Extra::Cache => cell.store(0, Relaxed),
                Extra::Const => cell.store(consts.get(index).map_or(0, |v| v.bits()), Relaxed),
                Extra::Name => cell.store(names.get(index).map_or(0, |n| n.as_value().bits()), Relaxed),
                Extra::Raw => {}
            }
        }
        at += op.words();
    }
    stream
}
