//! `all`, `any`, `iter`, `next`, `min`, `max`, `sum`, `aiter`, `anext`.
use krait_object::native::function;
use krait_object::{Args, CmpOp, IntRef, Method, PyResult, Str, Thread, Value};

use crate::errors::{stop_iteration, type_error, value_error};
use crate::protocol::{call, compare, iter, number};

pub static FUNCTIONS: &[Method] = &[
    function("all", "(iterable, /)", "Return True if bool(x) is True for all values x in the iterable.", |th, a| {
        find_truth(th, &a[0], false).map(|found| Value::bool(!found))
    }),
    function("any", "(iterable, /)", "Return True if bool(x) is True for any x in the iterable.", |th, a| {
        find_truth(th, &a[0], true).map(Value::bool)
    }),
    function("aiter", "(async_iterable, /)", "Return an AsyncIterator for an AsyncIterable object.", |th, a| {
        let f = a[0].class().slots.aiter.get();
        let Some(f) = f else {
            let class = a[0].class().name();
            return Err(type_error(th, format!("'{class}' object is not an async iterable")));
        };
        let it = f(th, &a[0])?;
        if it.class().slots.anext.is_set() {
            return Ok(it);
        }
        let class = it.class().name();
        Err(type_error(th, format!("aiter() returned not an async iterator of type '{class}'")))
    }),
    function(
        "anext",
        "(aiterator, default=<unrepresentable>, /)",
        "Return the next item from the async iterator.",
        anext,
    )
    .raw(),
    function(
        "iter",
        "",
        "iter(iterable) -> iterator\niter(callable, sentinel) -> iterator",
        |th, a: &Args<'_>| match a.pos() {
            _ if a.has_kw() => Err(type_error(th, "iter() takes no keyword arguments")),
            [v] => iter::iter(th, v),
            [f, sentinel] => {
                if !call::is_callable(f) {
                    return Err(type_error(th, "iter(v, w): v must be callable"));
                }
                Ok(crate::types::callable_iter::new(f.clone(), sentinel.clone()))
            }
            more => {
                let n = more.len();
                let bound = if n < 1 { "at least 1 argument" } else { "at most 2 arguments" };
                Err(type_error(th, format!("iter expected {bound}, got {n}")))
            }
        },
    ),
    function(
        "max",
        "",
        "max(iterable, *[, default=obj, key=func]) -> value\nmax(arg1, arg2, *args, *[, key=func]) -> value",
        |th, a| extreme(th, a, "max", CmpOp::Gt),
    ),
    function(
        "min",
        "",
        "min(iterable, *[, default=obj, key=func]) -> value\nmin(arg1, arg2, *args, *[, key=func]) -> value",
        |th, a| extreme(th, a, "min", CmpOp::Lt),
    ),
    function("next", "", "next(iterator[, default])\n\nReturn the next item from the iterator.", next),
    function(
        "sum",
        "(iterable, /, start=0)",
        "Return the sum of a 'start' value (default: 0) plus an iterable of numbers",
        sum,
    ),
];

fn next(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (it, default) = match a.pos() {
        _ if a.has_kw() => return Err(type_error(th, "next() takes no keyword arguments")),
        [it] => (it, None),
        [it, default] => (it, Some(default)),
        more => {
            let n = more.len();
            let bound = if n < 1 { "at least 1 argument" } else { "at most 2 arguments" };
            return Err(type_error(th, format!("next expected {bound}, got {n}")));
        }
    };
    if let Some(default) = default {
        return match iter::next(th, it)? {
            Some(v) => Ok(v),
            None => Ok(default.clone()),
        };
    }
    // A generator's return value travels in the StopIteration.
    match crate::hooks::next_or_stop(th, it)? {
        Some(v) => Ok(v),
        None => Err(stop_iteration(th, None)),
    }
}
fn anext(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (it, default) = match a.pos() {
        _ if a.has_kw() => return Err(type_error(th, "anext() takes no keyword arguments")),
        [it] => (it, None),
        [it, default] => (it, Some(default)),
        more => {
            let n = more.len();
            let bound = if n < 1 { "at least 1 argument" } else { "at most 2 arguments" };
            return Err(type_error(th, format!("anext expected {bound}, got {n}")));
        }
    };
    let f = it.class().slots.anext.get();
    let Some(f) = f else {
        let class = it.class().name();
        return Err(type_error(th, format!("'{class}' object is not an async iterator")));
    };
    let awaitable = f(th, it)?;
    match default {
        Some(d) => crate::types::generator::anext_with_default(th, awaitable, d.clone()),
        None => Ok(awaitable),
    }
}
fn extreme(th: &mut Thread, a: &Args<'_>, name: &str, op: CmpOp) -> PyResult<Value> {
    if a.pos().is_empty() {
        return Err(type_error(th, format!("{name} expected at least 1 argument, got 0")));
    }
    let (mut key, mut default) = (None, None);
    for (k, v) in a.kw() {
        match k.downcast_ref::<Str>().map(|k| k.to_string_lossy().into_owned()).as_deref() {
            Some("key") => key = Some(v).filter(|k| !k.is_none()),
            Some("default") => default = Some(v),
            other => {
                let other = other.unwrap_or_default();
                return Err(type_error(th, format!("{name}() got an unexpected keyword argument '{other}'")));
            }
        }
    }
    let items = match a.pos() {
        [one] => iter::iter(th, one)?,
        more if default.is_none() => {
            let t = Value::from(krait_object::Tuple::from_slice(more));
            iter::iter(th, &t)?
        }
        _ => {
            let message = format!("Cannot specify a default for {name}() with multiple positional arguments");
            return Err(type_error(th, message));
        }
    };
    let mut best: Option<(Value, Value)> = None;
    loop {
        let refused = iter::feed(th, &items, &mut |item| {
            let held = best.as_mut().filter(|_| key.is_none());
            let better = held.as_ref().and_then(|held| is_better(op, &item, &held.0));
            match (held, better) {
                (Some(held), Some(true)) => *held = (item.clone(), item),
                (_, Some(false)) => {}
                _ => return Err(item),
            }
            Ok(())
        });
        let Some(item) = refused? else { break };
        let rank = match key {
            Some(key) => call::call(th, key, &[item.clone()])?,
            None => item.clone(),
        };
        let better = match &best {
            None => true,
            Some((_, held)) => {
                let r = compare::compare(th, &rank, held, op)?;
                compare::truth(th, &r)?
            }
        };
        if better {
            best = Some((item, rank));
        }
    }
    match (best, default) {
        (Some((item, _)), _) => Ok(item),
        (None, Some(d)) => Ok(d.clone()),
        (None, None) => Err(value_error(th, format!("{name}() iterable argument is empty"))),
    }
}
/// `x op y` of two ints or two floats.
fn is_better(op: CmpOp, x: &Value, y: &Value) -> Option<bool> {
    match (x.as_int(), y.as_int()) {
        (Some(x), Some(y)) => Some(op.of(x.cmp(&y))),
        _ => x.as_float()?.partial_cmp(&y.as_float()?).map(|order| op.of(order)),
    }
}
/// A running float sum with Neumaier's correction.
struct FloatSum {
    sum: f64,
    lost: f64,
}
impl FloatSum {
    fn add(&mut self, x: f64) {
        let t = self.sum + x;
        if self.sum.abs() >= x.abs() {
            self.lost += (self.sum - t) + x;
        } else {
            self.lost += (x - t) + self.sum;
        }
        self.sum = t;
    }
    fn total(&self) -> f64 {
        if self.lost != 0.0 && self.lost.is_finite() { self.sum + self.lost } else { self.sum }
    }
}
/// Whether some item is as true as `wanted`; none is asked for behind it.
fn find_truth(th: &mut Thread, iterable: &Value, wanted: bool) -> PyResult<bool> {
    let it = iter::iter(th, iterable)?;
    let mut other = |item: Value| match item.as_bool() {
        Some(t) if t != wanted => Ok(()),
        _ => Err(item),
    };
    while let Some(item) = iter::feed(th, &it, &mut other)? {
        if compare::truth(th, &item)? == wanted {
            return Ok(true);
        }
    }
    Ok(false)
}
fn sum(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = iter::iter(th, &a[0])?;
    let mut total = match a.opt(1) {
        None => Value::int(0),
        Some(v) => {
            if v.downcast_ref::<Str>().is_some() {
                return Err(type_error(th, "sum() can't sum strings [use ''.join(seq) instead]"));
            }
            if v.is_instance(&krait_object::builtin_types::BYTES) {
                return Err(type_error(th, "sum() can't sum bytes [use b''.join(seq) instead]"));
            }
            if &*v.class().name() == "bytearray" {
                return Err(type_error(th, "sum() can't sum bytearray [use b''.join(seq) instead]"));
            }
            v.clone()
        }
    };
    let mut floats: Option<FloatSum> = None;
    loop {
        let refused = iter::feed(th, &it, &mut |item| {
            if let Some(f) = &mut floats {
                match (item.as_float(), item.as_int_ref()) {
                    (Some(x), _) => f.add(x),
                    (_, Some(IntRef::Small(i))) => f.sum += i as f64,
                    _ => return Err(item),
                }
            } else if let (Some(x), Some(y)) = (total.as_int(), item.as_int().or(item.as_bool().map(i64::from))) {
                total = Value::int(x + y);
            } else if let (Some(x), Some(y)) = (total.as_float(), item.as_float()) {
                let mut f = FloatSum { sum: x, lost: 0.0 };
                f.add(y);
                floats = Some(f);
            } else {
                return Err(item);
            }
            Ok(())
        })?;
        if let Some(f) = floats.take() {
            total = Value::float(f.total());
        }
        let Some(item) = refused else { return Ok(total) };
        total = number::binary(th, number::BinaryOp::Add, &total, &item)?;
    }
}
