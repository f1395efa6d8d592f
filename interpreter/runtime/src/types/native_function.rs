//! `builtin_function_or_method`: functions of native modules, bound native methods, and the `__new__` of builtins.
use krait_object::native::{GetSet, MethodKind, NativeFn, Sig, getset, getter, method};
use krait_object::{
    Args, ClassDef, CmpOp, Method, PyResult, Ref, SlotDefs, Str, Thread, Type, TypeObject, VTable, Value, ValueCell,
    hash, type_flag,
};

use crate::protocol::{attr, repr};
use crate::types::type_;

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = NATIVE_FUNCTION)]
pub struct NativeFunction {
    #[trace(skip)]
    def: &'static Method,
    #[trace(skip)]
    sig: &'static Sig,
    /// The bound object, the class for class methods and `__new__`, or the module.
    this: Option<Value>,
    /// The class that defines a method, for its qualified name.
    owner: Option<Ref<Type>>,
    module: ValueCell,
    #[trace(skip)]
    role: Role,
    #[trace(skip)]
    pub intrinsic: Intrinsic,
}
/// A function or method that the VM knows how to do for common arguments without a call. What it cannot do so, it calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Intrinsic {
    None,
    Len,
    IsInstance,
    Ord,
    Chr,
    Abs,
    Min,
    Max,
    ListAppend,
    ListPop,
    DictGet,
    SetAdd,
}
impl Intrinsic {
    /// Of a function of the module with this name.
    fn of_function(module: &Value, name: &str) -> Intrinsic {
        if !module.downcast_ref::<Str>().is_some_and(|m| m.eq_str("builtins")) {
            return Intrinsic::None;
        }
        match name {
            "len" => Intrinsic::Len,
            "isinstance" => Intrinsic::IsInstance,
            "ord" => Intrinsic::Ord,
            "chr" => Intrinsic::Chr,
            "abs" => Intrinsic::Abs,
            "min" => Intrinsic::Min,
            "max" => Intrinsic::Max,
            _ => Intrinsic::None,
        }
    }
    /// Of a method of a builtin class.
    pub fn of_method(owner: &TypeObject, name: &str) -> Intrinsic {
        use krait_object::builtin_types::{DICT, LIST, SET};
        match name {
            "append" if owner.is_same(&LIST) => Intrinsic::ListAppend,
            "pop" if owner.is_same(&LIST) => Intrinsic::ListPop,
            "get" if owner.is_same(&DICT) => Intrinsic::DictGet,
            "add" if owner.is_same(&SET) => Intrinsic::SetAdd,
            _ => Intrinsic::None,
        }
    }
}
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// `this` is the first argument.
    Bound,
    /// A module function or static method: `this` is only shown.
    Plain,
    /// The `__new__` of the builtin class `this`.
    New,
}

static LAYOUT: VTable = VTable::of::<NativeFunction>();
pub static NATIVE_FUNCTION: TypeObject =
    TypeObject::builtin("builtin_function_or_method", Some(&krait_object::builtin_types::OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        call: Some(call),
        repr: Some(show),
        compare: Some(compare),
        hash: Some(|th, v| {
            let f = this(v);
            let own = match &f.this {
                Some(o) if f.role == Role::Bound => hash::pointer(o.bits() as usize),
                _ => 0,
            };
            let _ = th;
            Ok(hash::fix(own ^ hash::pointer(std::ptr::from_ref(f.def) as usize)))
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::WEAKREF,
    ..ClassDef::new(&NATIVE_FUNCTION)
};

static METHODS: &[Method] = &[method("__reduce__", "()", "", |th, a| {
    let f = this(&a[0]);
    match (&f.this, f.role) {
        (Some(o), Role::Bound | Role::New) if o.downcast_ref::<crate::types::module::Module>().is_none() => {
            let getattr = crate::functions::builtin(th, "getattr")?;
            let args = krait_object::Tuple::from_slice(&[o.clone(), Value::str(f.def.name)]);
            Ok(krait_object::Tuple::from_slice(&[getattr, args.into()]).into())
        }
        (_, Role::Plain) if let Some(owner) = &f.owner => {
            let getattr = crate::functions::builtin(th, "getattr")?;
            let args = krait_object::Tuple::from_slice(&[owner.to_value(), Value::str(f.def.name)]);
            Ok(krait_object::Tuple::from_slice(&[getattr, args.into()]).into())
        }
        _ => Ok(Value::str(f.def.name)),
    }
})];

static GETSET: &[GetSet] = &[
    getter("__name__", "", |_, v| Ok(Value::str(this(v).def.name))),
    getter("__qualname__", "", |th, v| qualname(th, this(v))),
    getter("__doc__", "", |_, v| Ok(doc(this(v).def))),
    getter("__self__", "", |_, v| {
        let f = this(v);
        Ok(match f.role {
            Role::Plain if f.owner.is_some() => Value::NONE,
            _ => f.this.clone().into(),
        })
    }),
    getter("__text_signature__", "", |_, v| Ok(text_signature(this(v)))),
    getset(
        "__module__",
        "",
        |_, v| Ok(this(v).module.get().into()),
        |_, v, value| {
            this(v).module.set(Some(value.cloned().unwrap_or(Value::NONE)));
            Ok(())
        },
    ),
];

fn this(v: &Value) -> &NativeFunction {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
/// A method's `__doc__`.
pub fn doc(def: &Method) -> Value {
    if def.doc.is_empty() { Value::NONE } else { Value::str(def.doc) }
}
/// A signature with the hidden first parameter, as `inspect` reads it.
pub fn signature_with(def: &Method, first: &str) -> Value {
    match def.sig.strip_prefix('(').filter(|_| !def.hidden) {
        None => Value::NONE,
        Some(")") if !first.is_empty() => Value::from(format!("({first}, /)")),
        Some(rest) if first.is_empty() => Value::from(format!("({rest}")),
        // The hidden parameter is positional-only: a `/` must follow it unless one comes later.
        Some(rest) if def.sig.contains(", /") || def.sig.contains("/)") => Value::from(format!("({first}, {rest}")),
        Some(rest) => Value::from(format!("({first}, /, {rest}")),
    }
}
fn text_signature(f: &NativeFunction) -> Value {
    match (f.role, f.def.kind) {
        (Role::New, _) => Value::str("($type, *args, **kwargs)"),
        (Role::Bound, MethodKind::Class) => signature_with(f.def, "$type"),
        (Role::Bound, _) => signature_with(f.def, "$self"),
        (Role::Plain, _) if f.owner.is_some() => signature_with(f.def, ""),
        (Role::Plain, _) => signature_with(f.def, "$module"),
    }
}
fn qualname(th: &mut Thread, f: &NativeFunction) -> PyResult<Value> {
    let class = match (&f.owner, &f.this, f.role) {
        (Some(owner), _, Role::Plain) => owner.clone().into(),
        (_, Some(o), Role::New) => o.clone(),
        (_, Some(o), Role::Bound) if o.downcast_ref::<Type>().is_some() => o.clone(),
        (_, Some(o), Role::Bound) => o.class_ref().into(),
        _ => return Ok(Value::str(f.def.name)),
    };
    let q = attr::get_text(th, &class, "__qualname__")?;
    let q = repr::str(th, &q)?;
    Ok(Value::from(format!("{q}.{}", f.def.name)))
}

impl NativeFunction {
    fn make(def: &'static Method, this: Option<Value>, owner: Option<Ref<Type>>, module: Value, role: Role) -> Value {
        Self::make_with(def, Sig::shared(def.sig), this, owner, module, role)
    }
    fn make_with(
        def: &'static Method,
        sig: &'static Sig,
        this: Option<Value>,
        owner: Option<Ref<Type>>,
        module: Value,
        role: Role,
    ) -> Value {
        let intrinsic = match role {
            Role::Plain if owner.is_none() => Intrinsic::of_function(&module, def.name),
            _ => Intrinsic::None,
        };
        Ref::new(NativeFunction { def, sig, this, owner, module: ValueCell::new(Some(module)), role, intrinsic }).into()
    }
    /// A function of a module.
    pub fn new_function(def: &'static Method, module: &Value, name: &Value) -> Value {
        Self::make(def, Some(module.clone()), None, name.clone(), Role::Plain)
    }
    /// A method bound to an object (or a class method to its class), with the signature of `def`.
    pub fn new_bound(def: &'static Method, sig: &'static Sig, object: &Value, owner: &Ref<Type>) -> Value {
        Self::make_with(def, sig, Some(object.clone()), Some(owner.clone()), Value::NONE, Role::Bound)
    }
    /// A static method's function.
    pub fn new_static(def: &'static Method, owner: &Ref<Type>, _module: &str) -> Value {
        Self::make(def, None, Some(owner.clone()), Value::NONE, Role::Plain)
    }
    /// The `__new__` of a builtin class.
    pub fn new_new(def: &'static Method, owner: &Ref<Type>) -> Value {
        Self::make(def, Some(owner.to_value()), None, Value::NONE, Role::New)
    }
    /// The native behind a call with `given` positional arguments: `self` to be put before them, if any, and the number
    /// of entries that it is called with ([`Sig::entries`]). `None` where the call is to be judged by [`call`].
    #[inline]
    pub fn direct(&self, given: usize) -> Option<(NativeFn, Option<&Value>, usize)> {
        let (first, lead) = match (self.role, &self.this) {
            (Role::Plain, _) | (Role::Bound, None) => (None, 0),
            (Role::Bound, Some(this)) => (Some(this), 1),
            (Role::New, _) => return None,
        };
        Some((self.def.func, first, self.sig.entries(self.def, given + lead, lead)?))
    }
    pub fn name(&self) -> &'static str {
        self.def.name
    }
    pub fn def(&self) -> &'static Method {
        self.def
    }
    /// The builtin class whose `__new__` this is.
    pub fn new_owner(&self) -> Option<Ref<Type>> {
        if self.role == Role::New { self.this.as_ref()?.to_ref() } else { None }
    }
    pub fn bound_object(&self) -> Option<&Value> {
        self.this.as_ref()
    }
    fn full_name(&self) -> String {
        // A bound method goes by the class of its object.
        if let (Role::Bound, Some(o)) = (self.role, &self.this) {
            let class = o.to_ref::<Type>().unwrap_or_else(|| o.class_ref());
            return format!("{}.{}", type_::qualified_name(&class), self.def.name);
        }
        match (&self.owner, self.module.get().and_then(|m| m.downcast::<Str>().ok())) {
            (Some(owner), _) => format!("{}.{}", owner.name(), self.def.name),
            (None, Some(m)) if !m.eq_str("builtins") => format!("{m}.{}", self.def.name),
            _ => self.def.name.to_owned(),
        }
    }
}

/// Calls a native function; the VM calls it directly.
pub fn call(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    let f = v.downcast_ref::<NativeFunction>().expect("the class's slot");
    let result = match (f.role, &f.this) {
        (Role::Plain, _) => f.sig.call(th, f.def, || f.full_name(), args, 0),
        (Role::New, Some(owner)) => {
            let owner = owner.to_ref::<Type>().expect("made with a class");
            type_::call_new(th, &owner, args)
        }
        (_, Some(o)) => {
            let given = args.all();
            let mut all = Vec::with_capacity(given.len() + 1);
            all.push(o.clone());
            all.extend_from_slice(given);
            f.sig.call(th, f.def, || f.full_name(), &Args::new(&all, args.names()), 1)
        }
        (_, None) => f.sig.call(th, f.def, || f.full_name(), args, 0),
    };
    if th.has_pending() {
        th.run_pending();
    }
    result
}
fn show(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let f = this(v);
    Ok(match &f.this {
        Some(o) if f.role != Role::Plain && o.downcast_ref::<crate::types::module::Module>().is_none() => {
            Value::from(format!("<built-in method {} of {} object at {:#x}>", f.def.name, o.class().name(), o.id()))
        }
        _ => Value::from(format!("<built-in function {}>", f.def.name)),
    })
}
fn compare(_: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(x), Some(y)) = (a.downcast_ref::<NativeFunction>(), b.downcast_ref::<NativeFunction>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let same_self = match (&x.this, &y.this) {
        (Some(p), Some(q)) => p.is(q),
        (None, None) => true,
        _ => false,
    };
    let same = std::ptr::eq(x.def, y.def) && same_self;
    Ok(match op {
        CmpOp::Eq => Value::bool(same),
        CmpOp::Ne => Value::bool(!same),
        _ => Value::NOT_IMPLEMENTED,
    })
}
