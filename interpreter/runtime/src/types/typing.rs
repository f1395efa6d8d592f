//! The native half of `typing`: type variables, type aliases, `Generic`, and the constructors that the compiler's
//! intrinsics call (PEP 695, PEP 696). What needs the rules of the type system is left to `typing` itself.
//!
//! One file per type in `typing/`. CPython counterpart: `Objects/typevarobject.c`.
mod alias;
mod generic;
mod no_default;
mod param_spec;
mod type_var;
mod type_var_tuple;

use krait_object::{ClassDef, PyResult, Str, Thread, Tuple, TypeObject, Value, ValueCell};

use crate::errors::type_error;
use crate::import::import_module;
use crate::protocol::{attr, call, repr, sequence};
use crate::types::frame;

pub use alias::{TYPE_ALIAS, make_type_alias};
pub use generic::generic;
pub use no_default::no_default;
pub use param_spec::{PARAM_SPEC, PARAM_SPEC_ARGS, PARAM_SPEC_KWARGS, make_param_spec};
pub use type_var::{TYPE_VAR, make_type_var, make_type_var_with_bound, make_type_var_with_constraints};
pub use type_var_tuple::{TYPE_VAR_TUPLE, make_type_var_tuple};

/// All classes of this file, for the module `_typing`.
pub static DEFS: &[&ClassDef] = &[
    &no_default::DEF,
    &type_var::DEF,
    &param_spec::DEF,
    &param_spec::ARGS_DEF,
    &param_spec::KWARGS_DEF,
    &type_var_tuple::DEF,
    &alias::DEF,
];
/// Those that `_typing` shows; `Generic` is made at run time.
pub static SHOWN: &[&TypeObject] =
    &[&TYPE_VAR, &TYPE_VAR_TUPLE, &PARAM_SPEC, &PARAM_SPEC_ARGS, &PARAM_SPEC_KWARGS, &TYPE_ALIAS];

/// `Generic[params]` as the base that a class with type parameters gets.
pub fn subscript_generic(th: &mut Thread, params: &Value) -> PyResult<Value> {
    let unpacked = match params.downcast_ref::<Tuple>() {
        Some(t) => unpack_tuples(th, t)?,
        None => params.clone(),
    };
    let generic = generic(th)?;
    call_typing(th, "_GenericAlias", &[generic, unpacked])
}
/// Gives a type parameter its default, to be computed by a function.
pub fn set_default(th: &mut Thread, param: &Value, evaluate: &Value) -> PyResult<Value> {
    let default = if let Some(t) = param.downcast_ref::<type_var::TypeVar>() {
        &t.default
    } else if let Some(p) = param.downcast_ref::<param_spec::ParamSpec>() {
        &p.default
    } else if let Some(t) = param.downcast_ref::<type_var_tuple::TypeVarTuple>() {
        &t.default
    } else {
        return Err(type_error(th, format!("Expected a type param, got {}", param.class().name())));
    };
    default.evaluate.set(Some(evaluate.clone()));
    Ok(param.clone())
}

/// A value that a function computes when it is first asked for.
#[derive(krait_macros::Trace, Default)]
pub(super) struct Lazy {
    value: ValueCell,
    evaluate: ValueCell,
}
impl Lazy {
    fn known(value: Option<Value>) -> Lazy {
        Lazy { value: ValueCell::new(value), evaluate: ValueCell::empty() }
    }
    fn computed(evaluate: Value) -> Lazy {
        Lazy { value: ValueCell::empty(), evaluate: ValueCell::new(Some(evaluate)) }
    }
    /// The value, `None` where there is none. What raises is computed again next time.
    fn get(&self, th: &mut Thread) -> PyResult<Option<Value>> {
        if let Some(v) = self.value.get() {
            return Ok(Some(v));
        }
        let Some(f) = self.evaluate.get() else { return Ok(None) };
        let v = call::call(th, &f, &[])?;
        self.value.set(Some(v.clone()));
        Ok(Some(v))
    }
    /// The default of a type parameter.
    fn or_no_default(&self, th: &mut Thread) -> PyResult<Value> {
        Ok(self.get(th)?.unwrap_or_else(no_default))
    }
    fn is_set(&self) -> bool {
        self.evaluate.is_set() || self.value.get().is_some_and(|v| !v.is(&no_default()))
    }
}

/// Calls a function of `typing`.
fn call_typing(th: &mut Thread, name: &str, args: &[Value]) -> PyResult<Value> {
    let module = import_module(th, "typing")?;
    let f = attr::get_text(th, &module, name)?;
    call::call(th, &f, args)
}
/// A type, with None standing for its class.
fn type_check(th: &mut Thread, v: &Value, message: &str) -> PyResult<Value> {
    if v.is_none() {
        return Ok(v.class_ref().to_value());
    }
    call_typing(th, "_type_check", &[v.clone(), Value::str(message)])
}
/// `X | Y` for type variables: a `typing.Union`.
fn union(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    call_typing(th, "_make_union", &[a.clone(), b.clone()])
}
/// `typing.Unpack[v]`.
fn unpack(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let module = import_module(th, "typing")?;
    let unpack = attr::get_text(th, &module, "Unpack")?;
    sequence::get_item(th, &unpack, v)
}
/// Parameters with each TypeVarTuple unpacked.
fn unpack_tuples(th: &mut Thread, params: &[Value]) -> PyResult<Value> {
    let mut out = Vec::with_capacity(params.len());
    for p in params {
        out.push(if p.is_exact(&TYPE_VAR_TUPLE) { unpack(th, p)? } else { p.clone() });
    }
    Ok(Tuple::from_vec(out).into())
}
/// `__module__` of the running function.
fn caller(th: &mut Thread) -> PyResult<Option<Value>> {
    let Some(f) = frame::current(th, 0) else { return Ok(None) };
    Ok(f.function.globals.get_text("__name__"))
}
/// Notes the caller's module as the object's.
fn set_module(th: &mut Thread, v: &Value) -> PyResult<()> {
    let module = caller(th)?.unwrap_or(Value::NONE);
    attr::set_text(th, v, "__module__", &module)
}
fn name_argument(th: &mut Thread, function: &str, v: &Value) -> PyResult<Value> {
    if v.downcast_ref::<Str>().is_some() {
        return Ok(v.clone());
    }
    Err(crate::convert::wrong_type(th, function, "argument 'name'", "str", v))
}
fn no_subclass(th: &mut Thread, what: &str) -> PyResult<Value> {
    Err(type_error(th, format!("Cannot subclass an instance of {what}")))
}
/// `+T`, `-T`, `~T`, or the bare name where variance is inferred.
fn show(th: &mut Thread, name: &Value, v: Variance) -> PyResult<Value> {
    let name = repr::str(th, name)?;
    Ok(match v {
        Variance { infer: true, .. } => name.into(),
        Variance { covariant: true, .. } => Value::from(format!("+{name}")),
        Variance { contravariant: true, .. } => Value::from(format!("-{name}")),
        _ => Value::from(format!("~{name}")),
    })
}

#[derive(Clone, Copy, Default)]
struct Variance {
    covariant: bool,
    contravariant: bool,
    infer: bool,
}
impl Variance {
    const INFERRED: Variance = Variance { covariant: false, contravariant: false, infer: true };
    /// From the constructor's arguments.
    fn new(th: &mut Thread, covariant: bool, contravariant: bool, infer: bool) -> PyResult<Variance> {
        if covariant && contravariant {
            return Err(crate::errors::value_error(th, "Bivariant types are not supported."));
        }
        if infer && (covariant || contravariant) {
            return Err(crate::errors::value_error(th, "Variance cannot be specified with infer_variance."));
        }
        Ok(Variance { covariant, contravariant, infer })
    }
}
