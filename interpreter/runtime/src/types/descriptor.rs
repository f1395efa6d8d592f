//! Descriptors of builtin classes: `method_descriptor`, `classmethod_descriptor`, `wrapper_descriptor` (a slot as a
//! method) with `method-wrapper`, `getset_descriptor`, `member_descriptor`. CPython counterpart: `Objects/descrobject.c`.
use krait_object::builtin_types::OBJECT;
use krait_object::instance;
use krait_object::native::{GetFn, NativeFn, SetFn, Sig, getter, method};
use krait_object::{
    Args, ClassDef, CmpOp, GetSet, Method, PyResult, Raised, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject,
    VTable, Value, hash, type_flag,
};

use super::native_function::{Intrinsic, NativeFunction, doc, signature_with};
use super::type_::slotdefs::WrapperDef;
use crate::errors::{attribute_error, type_error};
use crate::protocol::{attr, repr};

/// `list.append` as found in the class.
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = METHOD_DESCRIPTOR)]
pub struct MethodDescriptor {
    pub owner: Ref<Type>,
    #[trace(skip)]
    pub def: &'static Method,
    #[trace(skip)]
    pub sig: &'static Sig,
    #[trace(skip)]
    pub intrinsic: Intrinsic,
}
/// `dict.fromkeys` as found in the class.
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = CLASSMETHOD_DESCRIPTOR)]
pub struct ClassMethodDescriptor {
    pub owner: Ref<Type>,
    #[trace(skip)]
    pub def: &'static Method,
    #[trace(skip)]
    sig: &'static Sig,
}
/// `int.__add__` as found in the class.
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = WRAPPER_DESCRIPTOR)]
pub struct Wrapper {
    pub owner: Ref<Type>,
    #[trace(skip)]
    pub def: &'static WrapperDef,
}
/// `(1).__add__`.
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = METHOD_WRAPPER)]
pub struct MethodWrapper {
    pub wrapper: Ref<Wrapper>,
    pub this: Value,
}
/// A computed attribute: `type.__name__`; or a `__slots__` member.
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = GETSET_DESCRIPTOR)]
pub struct GetSetDescriptor {
    pub owner: Ref<Type>,
    name: Ref<Str>,
    #[trace(skip)]
    kind: Computed,
}
#[derive(Clone, Copy)]
enum Computed {
    Native(&'static GetSet),
    Function {
        get: GetFn,
        set: SetFn,
        doc: &'static str,
    },
    /// The `__slots__` member at this place of the instance tail.
    Member(u16),
    /// A field of a struct sequence: its number, how many are items of the tuple, its doc.
    Field {
        index: usize,
        visible: usize,
        doc: &'static str,
    },
}

impl MethodDescriptor {
    /// The native behind a call with these positional arguments, and the number of entries that it is called with
    /// ([`Sig::entries`]); `None` where the call is to be judged by [`call_method_descriptor`].
    #[inline]
    pub fn direct(&self, args: &[Value]) -> Option<(NativeFn, usize)> {
        let class = args.first()?.class();
        if !std::ptr::eq(class, self.owner.object()) && !class.is_subtype(self.owner.object()) {
            return None;
        }
        Some((self.def.func, self.sig.entries(self.def, args.len(), 1)?))
    }
}

impl GetSetDescriptor {
    /// The place of a `__slots__` member.
    pub fn member_index(&self) -> Option<u16> {
        match self.kind {
            Computed::Member(index) => Some(index),
            _ => None,
        }
    }
}

static METHOD_LAYOUT: VTable = VTable::of::<MethodDescriptor>();
static CLASSMETHOD_LAYOUT: VTable = VTable::of::<ClassMethodDescriptor>();
static WRAPPER_LAYOUT: VTable = VTable::of::<Wrapper>();
static METHOD_WRAPPER_LAYOUT: VTable = VTable::of::<MethodWrapper>();
static GETSET_LAYOUT: VTable = VTable::of::<GetSetDescriptor>();
pub static METHOD_DESCRIPTOR: TypeObject = TypeObject::builtin("method_descriptor", Some(&OBJECT), &METHOD_LAYOUT);
pub static CLASSMETHOD_DESCRIPTOR: TypeObject =
    TypeObject::builtin("classmethod_descriptor", Some(&OBJECT), &CLASSMETHOD_LAYOUT);
pub static WRAPPER_DESCRIPTOR: TypeObject = TypeObject::builtin("wrapper_descriptor", Some(&OBJECT), &WRAPPER_LAYOUT);
pub static METHOD_WRAPPER: TypeObject = TypeObject::builtin("method-wrapper", Some(&OBJECT), &METHOD_WRAPPER_LAYOUT);
pub static GETSET_DESCRIPTOR: TypeObject = TypeObject::builtin("getset_descriptor", Some(&OBJECT), &GETSET_LAYOUT);
pub static MEMBER_DESCRIPTOR: TypeObject = TypeObject::builtin("member_descriptor", Some(&OBJECT), &GETSET_LAYOUT);

pub static DEFS: &[&ClassDef] =
    &[&METHOD_DEF, &CLASSMETHOD_DEF, &WRAPPER_DEF, &METHOD_WRAPPER_DEF, &GETSET_DEF, &MEMBER_DEF];

const FLAGS: u32 = type_flag::DISALLOW_INSTANTIATION;

static METHOD_DEF: ClassDef = ClassDef {
    methods: REDUCE,
    getset: &[
        getter("__name__", "", |_, v| Ok(Value::str(this::<MethodDescriptor>(v).def.name))),
        getter("__qualname__", "", qualname),
        getter("__objclass__", "", |_, v| Ok(this::<MethodDescriptor>(v).owner.clone().into())),
        getter("__doc__", "", |_, v| Ok(doc(this::<MethodDescriptor>(v).def))),
        getter("__text_signature__", "", |_, v| Ok(signature_with(this::<MethodDescriptor>(v).def, "$self"))),
    ],
    slots: SlotDefs {
        call: Some(call_method_descriptor),
        repr: Some(|_, v| {
            let d = this::<MethodDescriptor>(v);
            Ok(Value::from(format!("<method '{}' of '{}' objects>", d.def.name, d.owner.name())))
        }),
        descr_get: Some(|th, v, o, _| {
            let d = this::<MethodDescriptor>(v);
            let Some(o) = o else { return Ok(v.clone()) };
            check_instance(th, d.def.name, &d.owner, o)?;
            Ok(NativeFunction::new_bound(d.def, d.sig, o, &d.owner))
        }),
        ..SlotDefs::EMPTY
    },
    flags: FLAGS | type_flag::METHOD_DESCRIPTOR,
    ..ClassDef::new(&METHOD_DESCRIPTOR)
};
static CLASSMETHOD_DEF: ClassDef = ClassDef {
    getset: &[
        getter("__name__", "", |_, v| Ok(Value::str(this::<ClassMethodDescriptor>(v).def.name))),
        getter("__qualname__", "", qualname),
        getter("__objclass__", "", |_, v| Ok(this::<ClassMethodDescriptor>(v).owner.clone().into())),
        getter("__doc__", "", |_, v| Ok(doc(this::<ClassMethodDescriptor>(v).def))),
        getter("__text_signature__", "", |_, v| Ok(signature_with(this::<ClassMethodDescriptor>(v).def, "$type"))),
    ],
    slots: SlotDefs {
        call: Some(call_classmethod_descriptor),
        repr: Some(|_, v| {
            let d = this::<ClassMethodDescriptor>(v);
            Ok(Value::from(format!("<method '{}' of '{}' objects>", d.def.name, d.owner.name())))
        }),
        descr_get: Some(get_classmethod),
        ..SlotDefs::EMPTY
    },
    flags: FLAGS,
    ..ClassDef::new(&CLASSMETHOD_DESCRIPTOR)
};
static WRAPPER_DEF: ClassDef = ClassDef {
    methods: REDUCE,
    getset: &[
        getter("__name__", "", |_, v| Ok(Value::str(this::<Wrapper>(v).def.name))),
        getter("__qualname__", "", qualname),
        getter("__objclass__", "", |_, v| Ok(this::<Wrapper>(v).owner.clone().into())),
        getter("__doc__", "", |_, v| Ok(Value::str(this::<Wrapper>(v).def.doc))),
        getter("__text_signature__", "", |_, v| Ok(wrapper_signature(this::<Wrapper>(v).def))),
    ],
    slots: SlotDefs {
        call: Some(call_wrapper),
        repr: Some(|_, v| {
            let d = this::<Wrapper>(v);
            Ok(Value::from(format!("<slot wrapper '{}' of '{}' objects>", d.def.name, d.owner.name())))
        }),
        descr_get: Some(|th, v, o, _| {
            let w = v.to_ref::<Wrapper>().expect("the class's slot");
            let Some(o) = o else { return Ok(v.clone()) };
            check_instance(th, w.def.name, &w.owner, o)?;
            Ok(Ref::new(MethodWrapper { wrapper: w, this: o.clone() }).into())
        }),
        ..SlotDefs::EMPTY
    },
    flags: FLAGS | type_flag::METHOD_DESCRIPTOR,
    ..ClassDef::new(&WRAPPER_DESCRIPTOR)
};
static METHOD_WRAPPER_DEF: ClassDef = ClassDef {
    methods: &[method("__reduce__", "()", "", |th, a| {
        let w = this::<MethodWrapper>(&a[0]);
        let getattr = crate::functions::builtin(th, "getattr")?;
        let args = Tuple::from_slice(&[w.this.clone(), Value::str(w.wrapper.def.name)]);
        Ok(Tuple::from_slice(&[getattr, args.into()]).into())
    })],
    getset: &[
        getter("__self__", "", |_, v| Ok(this::<MethodWrapper>(v).this.clone())),
        getter("__objclass__", "", |_, v| Ok(this::<MethodWrapper>(v).wrapper.owner.clone().into())),
        getter("__name__", "", |_, v| Ok(Value::str(this::<MethodWrapper>(v).wrapper.def.name))),
        getter("__qualname__", "", |th, v| qualname(th, this::<MethodWrapper>(v).wrapper.as_value())),
        getter("__doc__", "", |_, v| Ok(Value::str(this::<MethodWrapper>(v).wrapper.def.doc))),
        getter("__text_signature__", "", |_, v| Ok(wrapper_signature(this::<MethodWrapper>(v).wrapper.def))),
    ],
    slots: SlotDefs {
        call: Some(|th, v, args| {
            let w = this::<MethodWrapper>(v);
            let mut all = Vec::with_capacity(args.len() + 1);
            all.push(w.this.clone());
            all.extend_from_slice(args.all());
            run_wrapper(th, &w.wrapper, &Args::new(&all, args.names()))
        }),
        repr: Some(|_, v| {
            let w = this::<MethodWrapper>(v);
            let (class, id) = (w.this.class().name(), w.this.id());
            Ok(Value::from(format!("<method-wrapper '{}' of {class} object at {id:#x}>", w.wrapper.def.name)))
        }),
        compare: Some(|_, a, b, op| {
            let (Some(x), Some(y)) = (a.downcast_ref::<MethodWrapper>(), b.downcast_ref::<MethodWrapper>()) else {
                return Ok(Value::NOT_IMPLEMENTED);
            };
            let same = x.wrapper.ptr_eq(&y.wrapper) && x.this.is(&y.this);
            Ok(match op {
                CmpOp::Eq => Value::bool(same),
                CmpOp::Ne => Value::bool(!same),
                _ => Value::NOT_IMPLEMENTED,
            })
        }),
        hash: Some(|_, v| {
            let w = this::<MethodWrapper>(v);
            Ok(hash::fix(hash::pointer(w.this.bits() as usize) ^ hash::pointer(w.wrapper.address())))
        }),
        ..SlotDefs::EMPTY
    },
    flags: FLAGS,
    ..ClassDef::new(&METHOD_WRAPPER)
};
static COMPUTED: &[GetSet] = &[
    getter("__name__", "", |_, v| Ok(this::<GetSetDescriptor>(v).name.to_value())),
    getter("__qualname__", "", qualname),
    getter("__objclass__", "", |_, v| Ok(this::<GetSetDescriptor>(v).owner.clone().into())),
    getter("__doc__", "", |_, v| {
        Ok(match this::<GetSetDescriptor>(v).kind {
            Computed::Native(g) if !g.doc.is_empty() => Value::str(g.doc),
            Computed::Function { doc, .. } | Computed::Field { doc, .. } if !doc.is_empty() => Value::str(doc),
            _ => Value::NONE,
        })
    }),
];
const COMPUTED_SLOTS: SlotDefs = SlotDefs {
    repr: Some(|_, v| {
        let d = this::<GetSetDescriptor>(v);
        let what = if v.is_exact(&MEMBER_DESCRIPTOR) { "member" } else { "attribute" };
        Ok(Value::from(format!("<{what} '{}' of '{}' objects>", d.name, d.owner.name())))
    }),
    descr_get: Some(get_computed),
    descr_set: Some(set_computed),
    ..SlotDefs::EMPTY
};
static GETSET_DEF: ClassDef =
    ClassDef { getset: COMPUTED, slots: COMPUTED_SLOTS, flags: FLAGS, ..ClassDef::new(&GETSET_DESCRIPTOR) };
static MEMBER_DEF: ClassDef = ClassDef {
    methods: REDUCE,
    getset: COMPUTED,
    slots: COMPUTED_SLOTS,
    flags: FLAGS,
    ..ClassDef::new(&MEMBER_DESCRIPTOR)
};

static REDUCE: &[Method] = &[method("__reduce__", "()", "", |th, a| {
    let getattr = crate::functions::builtin(th, "getattr")?;
    let owner = attr::get_text(th, &a[0], "__objclass__")?;
    let name = attr::get_text(th, &a[0], "__name__")?;
    let args = Tuple::from_slice(&[owner, name]);
    Ok(Tuple::from_slice(&[getattr, args.into()]).into())
})];

fn this<T: krait_object::Payload>(v: &Value) -> &T {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn wrapper_signature(def: &WrapperDef) -> Value {
    match def.sig {
        "()" => Value::str("($self, /)"),
        sig if def.variadic => Value::from(format!("($self, /, {}", sig.trim_start_matches('('))),
        sig => Value::from(format!("($self, {}", sig.trim_start_matches('('))),
    }
}
fn qualname(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let owner = attr::get_text(th, v, "__objclass__")?;
    let owner = attr::get_text(th, &owner, "__qualname__")?;
    let name = attr::get_text(th, v, "__name__")?;
    let (owner, name) = (repr::str(th, &owner)?, repr::str(th, &name)?);
    Ok(Value::from(format!("{owner}.{name}")))
}
pub fn method_descriptor(owner: &Ref<Type>, def: &'static Method) -> Value {
    let intrinsic = Intrinsic::of_method(owner.object(), def.name);
    Ref::new(MethodDescriptor { owner: owner.clone(), def, sig: Sig::shared(def.sig), intrinsic }).into()
}
pub fn classmethod_descriptor(owner: &Ref<Type>, def: &'static Method) -> Value {
    Ref::new(ClassMethodDescriptor { owner: owner.clone(), def, sig: Sig::shared(def.sig) }).into()
}
pub fn wrapper_descriptor(owner: &Ref<Type>, def: &'static WrapperDef) -> Value {
    Ref::new(Wrapper { owner: owner.clone(), def }).into()
}
pub fn getset_descriptor(owner: &Ref<Type>, def: &'static GetSet) -> Value {
    let name = krait_object::intern::intern(def.name);
    let payload = GetSetDescriptor { owner: owner.clone(), name, kind: Computed::Native(def) };
    let class = if def.member { &MEMBER_DESCRIPTOR } else { &GETSET_DESCRIPTOR };
    Ref::with_class(payload, class).into()
}
/// A `__slots__` member.
pub fn slot_member(owner: &Ref<Type>, name: &Ref<Str>, index: u16) -> Value {
    let payload = GetSetDescriptor { owner: owner.clone(), name: name.clone(), kind: Computed::Member(index) };
    Ref::with_class(payload, &MEMBER_DESCRIPTOR).into()
}
pub fn is_slot_member(v: &Value) -> bool {
    v.downcast_ref::<GetSetDescriptor>().is_some_and(|d| matches!(d.kind, Computed::Member(_)))
}
/// The place of a `__slots__` member, for inline caches.
pub fn slot_member_index(v: &Value) -> Option<u16> {
    match v.downcast_ref::<GetSetDescriptor>()?.kind {
        Computed::Member(i) => Some(i),
        _ => None,
    }
}
/// A field of a struct sequence.
pub fn sequence_field(owner: &Ref<Type>, name: &str, doc: &'static str, index: usize, visible: usize) -> Value {
    let name = krait_object::intern::intern(name);
    let payload = GetSetDescriptor { owner: owner.clone(), name, kind: Computed::Field { index, visible, doc } };
    Ref::with_class(payload, &MEMBER_DESCRIPTOR).into()
}
pub fn sequence_field_index(v: &Value) -> Option<usize> {
    match v.downcast_ref::<GetSetDescriptor>()?.kind {
        Computed::Field { index, .. } => Some(index),
        _ => None,
    }
}
/// `__dict__` of instances of a Python class.
pub fn instance_dict_descriptor(owner: &Ref<Type>) -> Value {
    let name = krait_object::intern::intern("__dict__");
    let kind = Computed::Function {
        get: |th, o| {
            if let Some((d, get, _)) = builtin_dict_descriptor(o) {
                let class = o.class_ref();
                return get(th, &d, Some(o), Some(class.as_value()));
            }
            match super::object::instance_dict(o) {
                Some(d) => Ok(d.into()),
                None => Err(attribute_error(th, "This object has no __dict__")),
            }
        },
        set: set_instance_dict,
        doc: "dictionary for instance variables",
    };
    Ref::new(GetSetDescriptor { owner: owner.clone(), name, kind }).into()
}
/// The `__dict__` descriptor of the builtin class that keeps the dicts of such instances itself (`type`, modules).
fn builtin_dict_descriptor(o: &Value) -> Option<(Value, krait_object::slots::DescrGetFn, bool)> {
    let mut at = Some(o.class_ref());
    while let Some(class) = at {
        if class.is_static() {
            let d = class.dict()?.get_text("__dict__");
            if let Some(d) = d {
                let native = d.downcast_ref::<GetSetDescriptor>().and_then(|g| match g.kind {
                    Computed::Native(n) => Some(n.set.is_some()),
                    _ => None,
                });
                return Some((d.clone(), d.class().slots.descr_get.get()?, native?));
            }
        }
        at = class.base();
    }
    None
}
/// Assignment to `__dict__`.
pub fn set_instance_dict(th: &mut Thread, o: &Value, value: Option<&Value>) -> PyResult<()> {
    if let Some((d, _, settable)) = builtin_dict_descriptor(o) {
        if settable && let Some(set) = d.class().slots.descr_set.get() {
            return set(th, &d, o, value);
        }
        let class = o.class().name();
        return Err(attribute_error(th, format!("attribute '__dict__' of '{class}' objects is not writable")));
    }
    let dict = match value {
        None if o.class().dict_cell.is_set() => return Err(type_error(th, "cannot delete __dict__")),
        None => krait_object::Dict::new(),
        Some(v) => match v.to_ref::<krait_object::Dict>() {
            Some(d) => d,
            None => {
                let class = v.class().name();
                return Err(type_error(th, format!("__dict__ must be set to a dictionary, not a '{class}'")));
            }
        },
    };
    if let Some(cell) = o.class().dict_cell.get().and_then(|f| f(o)) {
        cell.set(Some(dict.into()));
        return Ok(());
    }
    if instance::set_dict(o, dict) { Ok(()) } else { Err(attribute_error(th, "This object has no __dict__")) }
}
/// `__weakref__` of instances of a Python class.
pub fn weakref_descriptor(owner: &Ref<Type>) -> Value {
    let name = krait_object::intern::intern("__weakref__");
    let kind = Computed::Function {
        get: |_, o| Ok(krait_object::weakref::refs_to(o).into_iter().next().into()),
        set: |th, o, _| {
            let class = o.class().name();
            Err(attribute_error(th, format!("attribute '__weakref__' of '{class}' objects is not writable")))
        },
        doc: "list of weak references to the object",
    };
    Ref::new(GetSetDescriptor { owner: owner.clone(), name, kind }).into()
}

/// Module and qualified name, the module left out for builtins and `__main__`.
fn full_type_name(class: &Type) -> String {
    let qualname = super::type_::qualified_name(class);
    let module = class.module.get().and_then(|m| m.downcast::<Str>().ok());
    match module.or_else(|| super::type_::module_in_namespace(class)) {
        Some(m) if !m.eq_str("builtins") && !m.eq_str("__main__") => format!("{m}.{qualname}"),
        _ => qualname,
    }
}

#[cold]
fn wrong_instance(th: &mut Thread, name: &str, owner: &Ref<Type>, o: &Value) -> Raised {
    let (owner, given) = (owner.name(), o.class().name());
    type_error(th, format!("descriptor '{name}' for '{owner}' objects doesn't apply to a '{given}' object"))
}
fn check_instance(th: &mut Thread, name: &str, owner: &Ref<Type>, o: &Value) -> PyResult<()> {
    if o.is_instance(owner.object()) { Ok(()) } else { Err(wrong_instance(th, name, owner, o)) }
}
/// Calls `list.append(list, x)`; the VM calls it directly for method calls.
pub fn call_method_descriptor(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    let d = v.downcast_ref::<MethodDescriptor>().expect("the class's slot");
    let Some(first) = args.pos().first() else {
        let message = format!("unbound method {}.{}() needs an argument", d.owner.name(), d.def.name);
        return Err(type_error(th, message));
    };
    check_instance(th, d.def.name, &d.owner, first)?;
    let result = d.sig.call(th, d.def, || format!("{}.{}", d.owner.name(), d.def.name), args, 1);
    if th.has_pending() {
        th.run_pending();
    }
    result
}
fn call_classmethod_descriptor(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    let d = this::<ClassMethodDescriptor>(v);
    let Some(first) = args.pos().first() else {
        let message = format!("descriptor '{}' of '{}' object needs an argument", d.def.name, d.owner.name());
        return Err(type_error(th, message));
    };
    let bound = get_classmethod(th, v, None, Some(first))?;
    crate::protocol::call::call_args(th, &bound, &args.skip_first())
}
fn get_classmethod(th: &mut Thread, v: &Value, o: Option<&Value>, class: Option<&Value>) -> PyResult<Value> {
    let d = this::<ClassMethodDescriptor>(v);
    let (name, owner) = (d.def.name, d.owner.name());
    let class = match (class, o) {
        (Some(c), _) => c.clone(),
        (None, Some(o)) => o.class_ref().into(),
        (None, None) => {
            return Err(type_error(
                th,
                format!("descriptor '{name}' for type '{owner}' needs either an object or a type"),
            ));
        }
    };
    let Some(given) = class.to_ref::<Type>() else {
        let given = class.class().name();
        let message = format!("descriptor '{name}' for type '{owner}' needs a type, not a '{given}' as arg 2");
        return Err(type_error(th, message));
    };
    if !given.object().is_subtype(d.owner.object()) {
        let given = given.name();
        return Err(type_error(
            th,
            format!("descriptor '{name}' requires a subtype of '{owner}' but received '{given}'"),
        ));
    }
    Ok(NativeFunction::new_bound(d.def, d.sig, &class, &d.owner))
}
/// Calls `int.__add__(1, 2)`.
pub fn call_wrapper(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    let w = v.to_ref::<Wrapper>().expect("the class's slot");
    let Some(first) = args.pos().first() else {
        let message = format!("descriptor '{}' of '{}' object needs an argument", w.def.name, w.owner.name());
        return Err(type_error(th, message));
    };
    if !first.is_instance(w.owner.object()) {
        let message = format!(
            "descriptor '{}' requires a '{}' object but received a '{}'",
            w.def.name,
            w.owner.name(),
            first.class().name()
        );
        return Err(type_error(th, message));
    }
    run_wrapper(th, &w, args)
}
fn run_wrapper(th: &mut Thread, w: &Ref<Wrapper>, args: &Args<'_>) -> PyResult<Value> {
    let def = w.def;
    if !def.variadic {
        if args.has_kw() {
            return Err(type_error(th, format!("wrapper {}() takes no keyword arguments", def.name)));
        }
        let n = args.len() - 1;
        if n < def.min || n > def.max {
            // CPython checks several arguments under an empty name.
            let lead = if def.max > 1 { " " } else { "" };
            let message = if def.min == def.max {
                let plural = if def.min == 1 { "" } else { "s" };
                format!("{lead}expected {} argument{plural}, got {n}", def.min)
            } else {
                let (bound, limit) = if n < def.min { ("at least", def.min) } else { ("at most", def.max) };
                let plural = if limit == 1 { "" } else { "s" };
                format!("{lead}expected {bound} {limit} argument{plural}, got {n}")
            };
            return Err(type_error(th, message));
        }
    }
    let result = (def.call)(th, &w.owner, args);
    if th.has_pending() {
        th.run_pending();
    }
    result
}
fn get_computed(th: &mut Thread, v: &Value, o: Option<&Value>, _: Option<&Value>) -> PyResult<Value> {
    let d = this::<GetSetDescriptor>(v);
    let Some(o) = o else { return Ok(v.clone()) };
    if !o.is_instance(d.owner.object()) {
        let name = d.name.to_string_lossy().into_owned();
        return Err(wrong_instance(th, &name, &d.owner, o));
    }
    match d.kind {
        Computed::Native(g) => (g.get)(th, o),
        Computed::Function { get, .. } => get(th, o),
        Computed::Field { index, visible, .. } => {
            let value = if index < visible {
                o.downcast_ref::<Tuple>().and_then(|t| t.get(index).cloned())
            } else {
                instance::member(o, (index - visible) as u16).and_then(|c| c.get())
            };
            Ok(value.into())
        }
        Computed::Member(i) => match instance::member(o, i).and_then(|c| c.get()) {
            Some(value) => Ok(value),
            None => {
                let class = full_type_name(o.class());
                let message = format!("'{class}' object has no attribute '{}'", d.name);
                Err(crate::errors::missing_attribute(th, o, &d.name, message))
            }
        },
    }
}
fn set_computed(th: &mut Thread, v: &Value, o: &Value, value: Option<&Value>) -> PyResult<()> {
    let d = this::<GetSetDescriptor>(v);
    if !o.is_instance(d.owner.object()) {
        let name = d.name.to_string_lossy().into_owned();
        return Err(wrong_instance(th, &name, &d.owner, o));
    }
    match d.kind {
        Computed::Native(GetSet { set: Some(set), .. }) => set(th, o, value),
        Computed::Native(GetSet { member: true, .. }) => Err(attribute_error(th, "readonly attribute")),
        Computed::Native(_) => {
            let owner = d.owner.name();
            let message = format!("attribute '{}' of '{owner}' objects is not writable", d.name);
            Err(attribute_error(th, message))
        }
        Computed::Function { set, .. } => set(th, o, value),
        Computed::Field { .. } => Err(attribute_error(th, "readonly attribute")),
        Computed::Member(i) => {
            let Some(cell) = instance::member(o, i) else { return Err(wrong_instance(th, "slot", &d.owner, o)) };
            let old = cell.replace(value.cloned());
            if value.is_none() && old.is_none() {
                let message = format!("'{}' object has no attribute '{}'", full_type_name(o.class()), d.name);
                return Err(crate::errors::missing_attribute(th, o, &d.name, message));
            }
            drop(old);
            Ok(())
        }
    }
}
