//! Bound methods. CPython: `Objects/classobject.c` (`method`; `instancemethod` is not here).
use krait_macros::{Payload, Trace};
use krait_object::native::{getter, member, method};
use krait_object::slots::CmpOp;
use krait_object::{
    Args, ClassDef, GetSet, Method as NativeMethod, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject,
    VTable, Value, builtin_types::OBJECT, intern::intern, native::Sig, type_flag,
};

use crate::errors;
use crate::protocol::{attr, call, compare, repr};

/// `function` with its first argument.
#[derive(Trace, Payload)]
#[payload(class = METHOD)]
pub struct Method {
    pub function: Value,
    pub instance: Value,
}
static LAYOUT: VTable = VTable::of::<Method>();
pub static METHOD: TypeObject = TypeObject::builtin("method", Some(&OBJECT), &LAYOUT);

impl Method {
    pub fn new(function: Value, instance: Value) -> Ref<Method> {
        Ref::new(Method { function, instance })
    }
}

pub static DEF: ClassDef = ClassDef {
    doc: "A function bound to the instance that becomes its first argument.",
    sig: "(function, instance, /)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        call: Some(call_method),
        repr: Some(method_repr),
        hash: Some(hash),
        compare: Some(rich_compare),
        getattr: Some(getattr),
        descr_get: Some(descr_get),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::WEAKREF,
    ..ClassDef::new(&METHOD)
};

static METHODS: &[NativeMethod] = &[method("__reduce__", "()", "Helper for pickle.", reduce)];
static GETSET: &[GetSet] = &[
    member("__func__", "The function that implements the method.", |_, v| Ok(this(v).function.clone())),
    member("__self__", "The instance to which the method is bound.", |_, v| Ok(this(v).instance.clone())),
    getter("__doc__", "", |th, v| attr::get_text(th, &this(v).function.clone(), "__doc__")),
];

fn this(v: &Value) -> &Method {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn new(th: &mut Thread, _: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(function, instance, /)");
    let bound = SIG.bind(th, "method", "method", args, 0)?;
    let a = bound.args();
    if !call::is_callable(&a[0]) {
        return Err(errors::type_error(th, "first argument must be callable"));
    }
    if a[1].is_none() {
        return Err(errors::type_error(th, "instance must not be None"));
    }
    Ok(Method::new(a[0].clone(), a[1].clone()).into())
}

fn call_method(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    let m = this(v);
    let (function, mut all) = (m.function.clone(), Vec::with_capacity(args.len() + 1));
    all.push(m.instance.clone());
    all.extend_from_slice(args.all());
    call::call_args(th, &function, &Args::new(&all, args.names()))
}

/// Attributes that the method lacks are those of its function.
fn getattr(th: &mut Thread, v: &Value, name: &Ref<Str>) -> PyResult<Option<Value>> {
    if let Some(descriptor) = METHOD.lookup(name) {
        let get = descriptor.class().slots.descr_get.get();
        return match get {
            Some(get) => get(th, &descriptor, Some(v), Some(v.class_ref().as_value())).map(Some),
            None => Ok(Some(descriptor)),
        };
    }
    let function = this(v).function.clone();
    attr::get_attr(th, &function, name).map(Some)
}

/// A bound method stays as it is.
fn descr_get(_: &mut Thread, v: &Value, _: Option<&Value>, _: Option<&Value>) -> PyResult<Value> {
    Ok(v.clone())
}

fn method_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let (function, instance) = (this(v).function.clone(), this(v).instance.clone());
    let mut name = attr::get_text_opt(th, &function, "__qualname__")?;
    if name.is_none() {
        name = attr::get_text_opt(th, &function, "__name__")?;
    }
    let name = name.and_then(|n| n.to_ref::<Str>()).map_or("?".into(), |n| n.to_string_lossy().into_owned());
    let instance = repr::repr(th, &instance)?;
    Ok(format!("<bound method {name} of {}>", instance.to_string_lossy()).into())
}

fn hash(th: &mut Thread, v: &Value) -> PyResult<i64> {
    let (function, instance) = (this(v).function.clone(), this(v).instance.clone());
    let of_function = compare::hash(th, &function)?;
    let address = (instance.id() as u64).rotate_right(4) as i64;
    let mixed = address ^ of_function;
    Ok(if mixed == -1 { -2 } else { mixed })
}

/// Equal: the same instance and equal functions.
fn rich_compare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(x), Some(y)) = (a.downcast_ref::<Method>(), b.downcast_ref::<Method>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (f, g) = (x.function.clone(), y.function.clone());
    let same = x.instance.is(&y.instance) && compare::eq(th, &f, &g)?;
    Ok((same == (op == CmpOp::Eq)).into())
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let m = a.this_ref::<Method>();
    let name = attr::get_text(th, &m.function, "__name__")?;
    let getattr = match th.interp.builtins.get().and_then(|b| b.to_ref::<krait_object::Dict>()) {
        Some(builtins) => builtins.get_str(&intern("getattr")),
        None => None,
    };
    let Some(getattr) = getattr else { return Err(errors::runtime_error(th, "lost builtins.getattr")) };
    Ok(Tuple::of([getattr, Tuple::of([m.instance.clone(), name]).into()]).into())
}
