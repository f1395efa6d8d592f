//! `_functools`: `reduce`, and the types `partial`, `cmp_to_key`'s keys and `lru_cache`'s wrapper, one file each in the
//! folder. CPython: `Modules/_functoolsmodule.c`.
use krait_object::native::function;
use krait_object::{Args, Method, ModuleDef, PyResult, Thread, Value};
use krait_runtime::errors::type_error;
use krait_runtime::exceptions::TYPE_ERROR;
use krait_runtime::protocol::{call, iter};

mod key_wrapper;
mod lru_cache;
mod partial;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Tools that operate on functions.",
    functions: FUNCTIONS,
    classes: &[&partial::DEF, &lru_cache::DEF],
    init: Some(|th, _| {
        krait_runtime::types::type_::ready::ready_class(th, &key_wrapper::DEF);
        Ok(())
    }),
    ..ModuleDef::new("_functools")
};

static FUNCTIONS: &[Method] = &[
    function(
        "reduce",
        "",
        "reduce(function, iterable[, initial], /) -> value\n\nApply a function of two arguments cumulatively to the items of an iterable, from left to right.\n\nreduce(lambda x, y: x+y, [1, 2, 3, 4, 5]) calculates ((((1+2)+3)+4)+5). The initial\nvalue stands before the items, and is the result for an empty iterable.",
        reduce,
    ),
    function("cmp_to_key", "(mycmp)", "Convert a cmp= function into a key= function.", |_, a| {
        Ok(key_wrapper::new(a[0].clone()))
    }),
];

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a.has_kw() {
        return Err(type_error(th, "_functools.reduce() takes no keyword arguments"));
    }
    let (function, iterable, initial) = match a.pos() {
        [f, v] => (f, v, None),
        [f, v, initial] => (f, v, Some(initial.clone())),
        few @ ([] | [_]) => {
            let message = format!("reduce expected at least 2 arguments, got {}", few.len());
            return Err(type_error(th, message));
        }
        many => return Err(type_error(th, format!("reduce expected at most 3 arguments, got {}", many.len()))),
    };
    let it = match iter::iter(th, iterable) {
        Ok(it) => it,
        Err(e) => {
            if !th.exc.as_ref().is_some_and(|exc| exc.is_instance(&TYPE_ERROR)) {
                return Err(e);
            }
            drop(th.take_exc());
            return Err(type_error(th, "reduce() arg 2 must support iteration"));
        }
    };
    let mut result = initial;
    while let Some(item) = iter::next(th, &it)? {
        result = Some(match result {
            None => item,
            Some(so_far) => call::call(th, function, &[so_far, item])?,
        });
    }
    result.ok_or_else(|| type_error(th, "reduce() of empty iterable with no initial value"))
}
