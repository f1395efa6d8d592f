//! Native functions: how Rust functions are declared to Python (`Method`, `GetSet`, `ClassDef`, `ModuleDef`), how their
//! arguments arrive (`Args`), and the one place that binds arguments to a signature with CPython's exact TypeErrors.
use std::ops::Index;

mod signature;
pub use signature::{Bound, Sig};

use crate::refs::{Payload, Ref};
use crate::slots::SlotDefs;
use crate::thread::Thread;
use crate::type_object::{DictCellFn, TypeObject};
use crate::value::Value;
use crate::{PyResult, str::Str};

/// Arguments borrowed from the caller's registers. For a bound native: one entry per parameter of its signature in
/// order (`*args` a tuple, `**kwargs` a dict), after `self` for methods. For raw natives and slots: the positional
/// arguments, then the values of `names`.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    values: &'a [Option<Value>],
    names: &'a [Value],
}

impl<'a> Args<'a> {
    /// Positional arguments followed by one value for each of `names` (exact strings).
    #[inline(always)]
    pub fn new(all: &'a [Value], names: &'a [Value]) -> Args<'a> {
        debug_assert!(names.len() <= all.len());
        // SAFETY: `Value` is a transparent non-zero word, so `Option<Value>` has its layout with `Some` as the same bits.
        let values = unsafe { std::slice::from_raw_parts(all.as_ptr().cast::<Option<Value>>(), all.len()) };
        Args { values, names }
    }
    #[inline(always)]
    pub fn bound(values: &'a [Option<Value>]) -> Args<'a> {
        Args { values, names: &[] }
    }
    /// All values, keyword values included: only for arguments made by [`Args::new`].
    #[inline(always)]
    pub fn all(&self) -> &'a [Value] {
        debug_assert!(self.values.iter().all(Option::is_some));
        // SAFETY: made by `Args::new` (debug-asserted), so every entry is `Some`, whose bits are the value's.
        unsafe { std::slice::from_raw_parts(self.values.as_ptr().cast::<Value>(), self.values.len()) }
    }
    /// The positional arguments (raw natives).
    #[inline(always)]
    pub fn pos(&self) -> &'a [Value] {
        &self.all()[..self.values.len() - self.names.len()]
    }
    /// Names of the keyword arguments (raw natives).
    #[inline(always)]
    pub fn names(&self) -> &'a [Value] {
        self.names
    }
    pub fn has_kw(&self) -> bool {
        !self.names.is_empty()
    }
    /// Keyword arguments (raw natives).
    pub fn kw(&self) -> impl Iterator<Item = (&'a Value, &'a Value)> + use<'a> {
        self.names.iter().zip(&self.all()[self.values.len() - self.names.len()..])
    }
    pub fn kw_get(&self, name: &str) -> Option<&'a Value> {
        self.kw().find(|(k, _)| k.downcast_ref::<Str>().is_some_and(|s| s.eq_str(name))).map(|(_, v)| v)
    }
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.values.len()
    }
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
    /// An optional argument; `None` where the caller left it out.
    #[inline(always)]
    pub fn opt(&self, i: usize) -> Option<&'a Value> {
        self.values.get(i)?.as_ref()
    }
    /// An optional argument where Python's `None` means "left out" too.
    #[inline(always)]
    pub fn opt_not_none(&self, i: usize) -> Option<&'a Value> {
        self.opt(i).filter(|v| !v.is_none())
    }
    /// A required argument.
    #[inline(always)]
    pub fn get(&self, i: usize) -> &'a Value {
        self.opt(i).expect("the signature makes this argument required")
    }
    /// The payload of `self`, which the method descriptor has checked.
    #[inline(always)]
    pub fn this<T: Payload>(&self) -> &'a T {
        self.get(0).downcast_ref().expect("the descriptor checked the class of self")
    }
    pub fn this_ref<T: Payload>(&self) -> Ref<T> {
        self.get(0).to_ref().expect("the descriptor checked the class of self")
    }
    /// Without the first value.
    pub fn skip_first(&self) -> Args<'a> {
        Args { values: &self.values[1..], names: self.names }
    }
}
impl Index<usize> for Args<'_> {
    type Output = Value;
    #[inline(always)]
    fn index(&self, i: usize) -> &Value {
        self.get(i)
    }
}

pub type NativeFn = fn(&mut Thread, &Args<'_>) -> PyResult<Value>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MethodKind {
    /// `self` first.
    Instance,
    /// The class first.
    Class,
    /// No `self`: static methods and module functions.
    Static,
    /// As `Instance`, but declared as a slot's coexisting method (`__contains__`, `__getitem__`): replaces the wrapper.
    Coexist,
}

/// A native method or function.
pub struct Method {
    pub name: &'static str,
    /// `"(sub, start=None, /, *, key=None)"`: what `inspect.signature` shows and what binds the arguments, without `self`.
    /// "" = raw: the function gets the arguments as they came and has no `__text_signature__`.
    pub sig: &'static str,
    pub doc: &'static str,
    pub func: NativeFn,
    pub kind: MethodKind,
    /// The arguments come unbound although there is a signature to show.
    pub raw: bool,
    /// The signature is for binding only: CPython has none to show.
    pub hidden: bool,
}
/// An instance method.
pub const fn method(name: &'static str, sig: &'static str, doc: &'static str, func: NativeFn) -> Method {
    Method { name, sig, doc, func, kind: MethodKind::Instance, raw: sig.is_empty(), hidden: false }
}
pub const fn class_method(name: &'static str, sig: &'static str, doc: &'static str, func: NativeFn) -> Method {
    Method { name, sig, doc, func, kind: MethodKind::Class, raw: sig.is_empty(), hidden: false }
}
pub const fn static_method(name: &'static str, sig: &'static str, doc: &'static str, func: NativeFn) -> Method {
    Method { name, sig, doc, func, kind: MethodKind::Static, raw: sig.is_empty(), hidden: false }
}
/// An instance method whose arguments come unbound, with a signature to show.
pub const fn raw_method(name: &'static str, sig: &'static str, doc: &'static str, func: NativeFn) -> Method {
    Method { raw: true, ..method(name, sig, doc, func) }
}
/// As [`raw_method`], of the class.
pub const fn raw_class_method(name: &'static str, sig: &'static str, doc: &'static str, func: NativeFn) -> Method {
    Method { raw: true, ..class_method(name, sig, doc, func) }
}
/// As [`raw_method`], of a module.
pub const fn raw_function(name: &'static str, sig: &'static str, doc: &'static str, func: NativeFn) -> Method {
    Method { raw: true, ..function(name, sig, doc, func) }
}
/// A function of a module.
pub const fn function(name: &'static str, sig: &'static str, doc: &'static str, func: NativeFn) -> Method {
    static_method(name, sig, doc, func)
}
impl Method {
    /// The arguments arrive as they came; the signature is only shown.
    pub const fn raw(mut self) -> Method {
        self.raw = true;
        self
    }
    /// The signature binds the arguments and is not shown.
    pub const fn hidden(mut self) -> Method {
        self.hidden = true;
        self
    }
    pub const fn coexist(mut self) -> Method {
        self.kind = MethodKind::Coexist;
        self
    }
}

pub type GetFn = fn(&mut Thread, &Value) -> PyResult<Value>;
/// `None` deletes.
pub type SetFn = fn(&mut Thread, &Value, Option<&Value>) -> PyResult<()>;

/// A computed attribute.
pub struct GetSet {
    pub name: &'static str,
    pub doc: &'static str,
    pub get: GetFn,
    pub set: Option<SetFn>,
    /// Shown as `member_descriptor` rather than `getset_descriptor`.
    pub member: bool,
}
pub const fn getter(name: &'static str, doc: &'static str, get: GetFn) -> GetSet {
    GetSet { name, doc, get, set: None, member: false }
}
pub const fn getset(name: &'static str, doc: &'static str, get: GetFn, set: SetFn) -> GetSet {
    GetSet { name, doc, get, set: Some(set), member: false }
}
/// A read-only member.
pub const fn member(name: &'static str, doc: &'static str, get: GetFn) -> GetSet {
    GetSet { name, doc, get, set: None, member: true }
}

/// A builtin class: everything that is attached to its static type object.
pub struct ClassDef {
    pub class: &'static TypeObject,
    /// `__module__`.
    pub module: &'static str,
    /// `__doc__`; "" = None.
    pub doc: &'static str,
    /// The constructor's `__text_signature__`; "" = none.
    pub sig: &'static str,
    pub methods: &'static [Method],
    pub getset: &'static [GetSet],
    pub slots: SlotDefs,
    /// See `type_flag`; READY is added.
    pub flags: u32,
    pub dict_cell: Option<DictCellFn>,
    /// Class attributes that are not functions, added when the class is readied.
    pub attributes: Option<fn(&mut Thread) -> Vec<(&'static str, Value)>>,
}
impl ClassDef {
    /// `ClassDef { class: &LIST, doc: "…", ..ClassDef::new(&LIST) }`
    pub const fn new(class: &'static TypeObject) -> ClassDef {
        ClassDef {
            class,
            module: "builtins",
            doc: "",
            sig: "",
            methods: &[],
            getset: &[],
            slots: SlotDefs::EMPTY,
            flags: 0,
            dict_cell: None,
            attributes: None,
        }
    }
}

/// A native module.
pub struct ModuleDef {
    /// The import name.
    pub name: &'static str,
    pub doc: &'static str,
    pub functions: &'static [Method],
    /// Classes that appear in the module under their own names; readied when it is first imported.
    pub classes: &'static [&'static ClassDef],
    /// Adds everything else to the module object.
    pub init: Option<fn(&mut Thread, &Value) -> PyResult<()>>,
}
impl ModuleDef {
    pub const fn new(name: &'static str) -> ModuleDef {
        ModuleDef { name, doc: "", functions: &[], classes: &[], init: None }
    }
}
