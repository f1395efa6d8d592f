//! `_suggestions`: the nearest of some names, for `traceback`.
use krait_object::native::function;
use krait_object::{Args, List, Method, ModuleDef, PyResult, Str, Thread, Value};
use krait_runtime::errors::type_error;
use krait_runtime::suggestions::nearest;

pub static MODULE: ModuleDef = ModuleDef { functions: FUNCTIONS, ..ModuleDef::new("_suggestions") };

static FUNCTIONS: &[Method] = &[function(
    "_generate_suggestions",
    "(candidates, item, /)",
    "Returns the candidate in candidates that's closest to item",
    generate,
)];

fn generate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(item) = a[1].downcast_ref::<Str>() else {
        let class = a[1].class().name();
        return Err(type_error(th, format!("_generate_suggestions() argument 2 must be str, not {class}")));
    };
    let Some(list) = a[0].downcast_exact::<List>() else {
        return Err(type_error(th, "candidates must be a list"));
    };
    let mut names = Vec::new();
    for v in list.to_vec() {
        match v.downcast_ref::<Str>() {
            Some(s) => names.push(s.to_string_lossy().into_owned()),
            None => return Err(type_error(th, "all elements in 'candidates' must be strings")),
        }
    }
    Ok(nearest(&item.to_string_lossy(), names.iter().map(String::as_str)).into())
}
