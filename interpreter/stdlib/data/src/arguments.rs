//! Arguments of constructors, bound by name (`PyArg_ParseTupleAndKeywords`), and conversions of single arguments.
use krait_object::{Args, PyResult, Ref, Str, Thread, Value};
use krait_runtime::errors::type_error;
use krait_runtime::types::type_::full_name;

/// How a function takes its arguments: all parameters may be given by name.
pub struct Parameters<const N: usize> {
    /// As messages show it: `"timezone()"`, or `"function"` where CPython does not name it.
    pub function: &'static str,
    pub names: [&'static str; N],
    pub required: usize,
    /// Parameters beyond these are keyword-only.
    pub positional: usize,
}
impl<const N: usize> Parameters<N> {
    /// One entry per parameter.
    pub fn bind<'a>(&self, th: &mut Thread, args: &Args<'a>) -> PyResult<[Option<&'a Value>; N]> {
        let (pos, function) = (args.pos(), self.function);
        let mut out = [None; N];
        let total = pos.len() + args.names().len();
        if total > N {
            let keyword = if pos.is_empty() { "keyword " } else { "" };
            let plural = if N == 1 { "" } else { "s" };
            return Err(type_error(
                th,
                format!("{function} takes at most {N} {keyword}argument{plural} ({total} given)"),
            ));
        }
        if pos.len() > self.positional {
            let (n, given) = (self.positional, pos.len());
            let plural = if n == 1 { "" } else { "s" };
            let bound = if self.required == n { "exactly" } else { "at most" };
            return Err(type_error(
                th,
                format!("{function} takes {bound} {n} positional argument{plural} ({given} given)"),
            ));
        }
        for (slot, v) in out.iter_mut().zip(pos) {
            *slot = Some(v);
        }
        let mut unknown = None;
        for (key, v) in args.kw() {
            let text = key.downcast_ref::<Str>();
            match self.names.iter().position(|n| text.is_some_and(|t| t.eq_str(n))) {
                Some(i) if out[i].is_none() => out[i] = Some(v),
                Some(i) => {
                    let (name, place) = (self.names[i], i + 1);
                    let message = format!("argument for {function} given by name ('{name}') and position ({place})");
                    return Err(type_error(th, message));
                }
                None => unknown = Some(key),
            }
        }
        for (i, given) in out.iter().enumerate().take(self.required) {
            if given.is_none() {
                let (name, place) = (self.names[i], i + 1);
                return Err(type_error(th, format!("{function} missing required argument '{name}' (pos {place})")));
            }
        }
        if let Some(key) = unknown {
            let key = key.downcast_ref::<Str>().map(|k| k.to_string_lossy().into_owned()).unwrap_or_default();
            return Err(type_error(th, format!("{function} got an unexpected keyword argument '{key}'")));
        }
        Ok(out)
    }
}

/// The name of a value's class as `tp_name` has it.
pub fn class_name(v: &Value) -> String {
    full_name(&v.class_ref())
}
/// A `str` argument.
pub fn text<'a>(th: &mut Thread, v: &'a Value, function: &str, place: usize) -> PyResult<&'a Str> {
    match v.downcast_ref::<Str>() {
        Some(s) => Ok(s),
        None => {
            let class = if v.is_none() { "None".to_owned() } else { class_name(v) };
            Err(type_error(th, format!("{function} argument {place} must be str, not {class}")))
        }
    }
}
/// `cls(*args)`.
pub fn construct(th: &mut Thread, class: &Ref<krait_object::Type>, args: &[Value]) -> PyResult<Value> {
    krait_runtime::protocol::call::call(th, class.as_value(), args)
}
