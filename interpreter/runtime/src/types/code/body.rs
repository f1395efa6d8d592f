//! What a code object has beside its head: instructions, constants, names. Read when it is first asked for where the code comes
//! from stored code; a frame is entered without it (see [`UNREAD`]).
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::*};

use krait_bytecode::opcodes::Extra;
use krait_bytecode::stored::Head;
use krait_bytecode::{CodeObject, Op, Word};
use krait_macros::Trace;
use krait_object::header::Header;
use krait_object::{Payload, Ref, Str, Tuple, Value, gc, intern::intern};

use super::{Code, constants};

/// Where a frame begins whose code was not read before: at either word that a call may enter. The dispatch loop ends there,
/// and goes on in the code's own words once they are read.
pub static UNREAD: [AtomicU64; 2] = [const { AtomicU64::new(Op::HALT as u64) }; 2];

#[derive(Trace)]
pub struct Body {
    #[trace(skip)]
    pub bytecode: Arc<CodeObject>,
    /// The instruction words with constants and names (as the bits of values that `consts` and `names` own) and caches in
    /// place. Same length as `bytecode.words`.
    #[trace(skip)]
    pub stream: Box<[AtomicU64]>,
    pub consts: Ref<Tuple>,
    pub names: Box<[Ref<Str>]>,
    pub varnames: Ref<Tuple>,
    pub cellvars: Ref<Tuple>,
    pub freevars: Ref<Tuple>,
    /// It stands for stored code that could not be read.
    #[trace(skip)]
    pub is_malformed: bool,
}

impl Body {
    pub(super) fn new(bytecode: &Arc<CodeObject>, consts: Ref<Tuple>) -> Body {
        let names: Box<[Ref<Str>]> = bytecode.names.iter().map(|n| intern(n)).collect();
        Body {
            stream: stream(bytecode, &consts, &names),
            consts,
            names,
            varnames: text_tuple(&bytecode.varnames),
            cellvars: text_tuple(&bytecode.cellvars),
            freevars: text_tuple(&bytecode.freevars),
            bytecode: bytecode.clone(),
            is_malformed: false,
        }
    }
    /// For code of which no more can be read than its head: it has the parameters, and a run of it fails.
    fn malformed(code: &Code, head: Option<Head<'_>>) -> Body {
        let mut bytecode = head.map_or_else(CodeObject::default, |head| CodeObject {
            argcount: head.argcount,
            posonlyargcount: head.posonlyargcount,
            kwonlyargcount: head.kwonlyargcount,
            firstlineno: head.firstlineno,
            filename: code.filename().to_string_lossy().into(),
            name: Arc::from(head.name),
            qualname: Arc::from(head.qualname),
            ..CodeObject::default()
        });
        (bytecode.flags, bytecode.nregs) = (code.flags, code.nregs);
        bytecode.varnames = vec![Arc::from(""); code.nlocals as usize];
        bytecode.words = vec![Op::RESUME as u64; 2];
        Body { is_malformed: true, ..Body::new(&Arc::new(bytecode), Tuple::empty()) }
    }
}

impl Code {
    /// The body, read if it was not yet.
    #[inline(always)]
    pub fn body(&self) -> &Body {
        match self.body.get() {
            Some(body) => body,
            None => self.read(),
        }
    }
    /// The body if it was read.
    pub fn known_body(&self) -> Option<&Body> {
        self.body.get().map(|body| &**body)
    }
    #[cold]
    #[inline(never)]
    fn read(&self) -> &Body {
        let body = self.body.get_or_init(|| {
            let body = self.stored_body();
            Box::new(body.unwrap_or_else(|| {
                let head = self.stored.as_ref().and_then(|stored| stored.head().ok());
                Body::malformed(self, head)
            }))
        });
        // Frames of what cannot run end where they begin, as of what is not read: `fault` says why.
        if !body.is_malformed {
            self.entry.store(body.stream.as_ptr().cast_mut(), Release);
        }
        body
    }
    fn stored_body(&self) -> Option<Body> {
        let bytecode = self.stored.as_ref()?.read().ok()?;
        let consts = constants::to_values_at_once(&bytecode.consts, &self.filename())?;
        if self.is_shared.load(Relaxed) {
            consts.iter().for_each(share_constant);
        }
        Some(Body::new(&Arc::new(bytecode), untracked(Tuple::from_vec(consts))))
    }
    /// Threads run at once from now on, and the code is immortal: so are its constants, when they are made if it is not read yet.
    pub fn share(&self) {
        self.is_shared.store(true, Relaxed);
        self.known_body().into_iter().flat_map(|body| body.consts.iter()).for_each(share_constant);
    }
    /// Where frames begin.
    #[inline(always)]
    pub fn entry(&self) -> *const AtomicU64 {
        self.entry.load(Acquire)
    }
    #[inline(always)]
    pub fn stream(&self) -> &[AtomicU64] {
        &self.body().stream
    }
    pub fn bytecode(&self) -> &Arc<CodeObject> {
        &self.body().bytecode
    }
    pub fn consts(&self) -> &Ref<Tuple> {
        &self.body().consts
    }
    #[inline(always)]
    pub fn names(&self) -> &[Ref<Str>] {
        &self.body().names
    }
    pub fn varnames(&self) -> &Ref<Tuple> {
        &self.body().varnames
    }
    pub fn cellvars(&self) -> &Ref<Tuple> {
        &self.body().cellvars
    }
    pub fn freevars(&self) -> &Ref<Tuple> {
        &self.body().freevars
    }
}

fn share_constant(constant: &Value) {
    constant.header().into_iter().for_each(Header::make_immortal);
    if let Some(items) = constant.downcast_exact::<Tuple>() {
        items.iter().for_each(share_constant);
    } else if let Some(code) = constant.downcast_exact::<Code>() {
        code.share();
    }
}

/// The head of code that was read.
pub(super) fn head(code: &CodeObject) -> Head<'_> {
    Head {
        argcount: code.argcount,
        posonlyargcount: code.posonlyargcount,
        kwonlyargcount: code.kwonlyargcount,
        flags: code.flags,
        firstlineno: code.firstlineno,
        nregs: code.nregs,
        nlocals: code.nlocals() as u32,
        first_free: code.first_free() as u32,
        filename: Some(&code.filename),
        name: &code.name,
        qualname: &code.qualname,
    }
}

fn text_tuple(all: &[Arc<str>]) -> Ref<Tuple> {
    untracked(Tuple::new(all.iter().map(|s| intern(s).into())))
}
/// What the compiler made: no cycle leads through it, and nobody is to see when it is read.
pub(super) fn untracked<T: Payload>(made: Ref<T>) -> Ref<T> {
    gc::untrack(made.as_value());
    made
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
