//! What the VM does itself for common arguments of a few builtin functions and methods: no Python code, no exception.
//! `None` leaves it to the call.
use krait_object::builtin_types::{BOOL, DICT, FLOAT, INT, LIST, SET, STR, TUPLE, TYPE};
use krait_object::list::try_copy;
use krait_object::{Dict, List, Set, Str, Tuple, Type, TypeObject, Value, intern};
use krait_runtime::types::int;
use krait_runtime::types::native_function::Intrinsic;
use krait_runtime::types::range::{RANGE, Range};

/// The result of a call with these arguments (a method's `self` first).
#[inline(never)]
pub fn result(what: Intrinsic, args: &[Value]) -> Option<Value> {
    match (what, args) {
        (Intrinsic::IsInstance, [x, class]) => is_instance(x, class).map(Value::bool),
        (Intrinsic::Ord, [x]) => {
            let text = x.downcast_exact::<Str>()?;
            if text.len() == 1 { Some(Value::int(text.get(0)?.into())) } else { None }
        }
        (Intrinsic::Chr, [x]) => Some(intern::single(u32::try_from(x.as_int()?).ok()?)?.into()),
        (Intrinsic::Abs, [x]) => match x.as_int() {
            Some(i) => Some(Value::int(i.abs())),
            None => Some(Value::float(x.as_float()?.abs())),
        },
        (Intrinsic::Min, [x, y]) => Some(if is_below(y, x)? { y.clone() } else { x.clone() }),
        (Intrinsic::Max, [x, y]) => Some(if is_below(x, y)? { y.clone() } else { x.clone() }),
        (Intrinsic::ListPop, [list]) => list.downcast_exact::<List>()?.lock().pop(),
        (Intrinsic::DictGet, [dict, key]) => {
            dict.downcast_exact::<Dict>()?.get_quick(key).ok().map(|v| v.unwrap_or(Value::NONE))
        }
        (Intrinsic::DictGet, [dict, key, default]) => {
            dict.downcast_exact::<Dict>()?.get_quick(key).ok().map(|v| v.unwrap_or_else(|| default.clone()))
        }
        (Intrinsic::SetAdd, [set, item]) => {
            set.downcast_exact::<Set>()?.add_quick(item).ok()?;
            Some(Value::NONE)
        }
        _ => None,
    }
}
/// What calling a builtin class makes of plain values: conversions to themselves or each other, the class of a value, ranges,
/// empty containers and copies.
#[inline]
pub fn construct(class: &Type, args: &[Value]) -> Option<Value> {
    let is = |wanted: &TypeObject| std::ptr::eq(class, &raw const wanted.payload);
    match args {
        [x] if is(&TYPE) => Some(x.class_ref().into()),
        [stop] if is(&RANGE) => range(&Value::int(0), stop),
        [start, stop] if is(&RANGE) => range(start, stop),
        [x] if is(&STR) => match x.as_int() {
            Some(i) => Some(int::decimal(i).into()),
            None => x.downcast_exact::<Str>().map(|_| x.clone()),
        },
        [x] if is(&INT) => match x.as_float() {
            Some(f) if f.abs() < 1e14 => Some(Value::int(f as i64)),
            Some(_) => None,
            None => x.as_int().map(Value::int),
        },
        [x] if is(&FLOAT) => match x.as_int() {
            Some(i) => Some(Value::float(i as f64)),
            None => x.as_float().map(Value::float),
        },
        [x] if is(&BOOL) => x.as_bool().or_else(|| length(x).map(|n| n != 0)).map(Value::bool),
        [] if is(&LIST) => Some(List::new(Vec::new()).into()),
        [] if is(&DICT) => Some(Dict::new().into()),
        [] if is(&SET) => Some(Set::new().into()),
        [x] if is(&LIST) => match x.downcast_exact::<List>() {
            Some(list) => Some(List::new(list.try_to_vec()?).into()),
            None => Some(List::new(try_copy(x.downcast_exact::<Tuple>()?)?).into()),
        },
        [x] if is(&TUPLE) => match x.downcast_exact::<List>() {
            Some(list) => Some(Tuple::from_vec(list.try_to_vec()?).into()),
            None => x.downcast_exact::<Tuple>().map(|_| x.clone()),
        },
        _ => None,
    }
}
fn range(start: &Value, stop: &Value) -> Option<Value> {
    let plain = start.as_int().is_some() && stop.as_int().is_some();
    plain.then(|| Range::new(start.clone(), stop.clone(), Value::int(1)).into())
}
/// The length of a builtin container.
#[inline]
pub fn length(x: &Value) -> Option<usize> {
    Some(if let Some(list) = x.downcast_exact::<List>() {
        list.len()
    } else if let Some(text) = x.downcast_exact::<Str>() {
        text.len()
    } else if let Some(dict) = x.downcast_exact::<Dict>() {
        dict.len()
    } else {
        x.downcast_exact::<Tuple>()?.len()
    })
}
/// `isinstance` of a class whose metaclass has no say.
#[inline]
fn is_instance(x: &Value, class: &Value) -> Option<bool> {
    let wanted = class.downcast_exact::<Type>()?;
    let own = x.class();
    if std::ptr::eq(&raw const own.payload, wanted) {
        return Some(true);
    }
    let found = own.has_ancestor(class)?;
    // An instance of a Python class may claim another class.
    if found || own.is_static() { Some(found) } else { None }
}
/// `x < y` of two ints or two floats.
fn is_below(x: &Value, y: &Value) -> Option<bool> {
    match (x.as_int(), y.as_int()) {
        (Some(x), Some(y)) => Some(x < y),
        _ => Some(x.as_float()? < y.as_float()?),
    }
}
