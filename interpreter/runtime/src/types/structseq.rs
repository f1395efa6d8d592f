//! Struct sequences: tuples with named fields, some of them hidden from the sequence (`os.stat_result`, `sys.flags`).
//! CPython counterpart: `Objects/structseq.c`.
use krait_object::builtin_types::{TUPLE, TYPE};
use krait_object::intern::intern;
use krait_object::native::{method, raw_method};
use krait_object::{
    Args, Dict, Method, PyResult, Ref, Str, Thread, Tuple, Type, TypeObject, Value, instance, type_flag,
};

use crate::errors::{type_error, value_error};
use crate::protocol::{repr, sequence};
use crate::types::{descriptor, type_};

/// A struct sequence type to be made. Fields from `visible` on are hidden from the sequence; a field named `""` has no
/// attribute.
pub struct StructSeqDef {
    pub module: &'static str,
    pub name: &'static str,
    pub doc: &'static str,
    pub fields: &'static [(&'static str, &'static str)],
    pub visible: usize,
    /// False for types such as `sys.flags` that Python code cannot instantiate.
    pub instantiable: bool,
}

static METHODS: &[Method] = &[
    method("__reduce__", "()", "", |_, a| {
        let (visible, hidden) = parts(&a[0]);
        let state = Dict::new();
        let names = field_names(a[0].class());
        for (name, value) in names.iter().skip(visible.len()).zip(hidden) {
            state.set_text(name, value);
        }
        let args = Tuple::from_vec(vec![Tuple::from_vec(visible).into(), state.into()]);
        Ok(Tuple::from_vec(vec![a[0].class_ref().into(), args.into()]).into())
    }),
    raw_method(
        "__replace__",
        "(**changes)",
        "Return a copy of the structure with new values for the specified fields.",
        |th, a: &Args<'_>| {
            let this = &a.pos()[0];
            let names = field_names(this.class());
            let (visible, hidden) = parts(this);
            let n = visible.len();
            let class = this.class_ref();
            if a.len() - a.names().len() != 1 {
                let given = a.len() - a.names().len() - 1;
                return Err(type_error(th, format!("__replace__() takes no positional arguments ({given} given)")));
            }
            if names.iter().any(String::is_empty) {
                let name = type_::full_name(&class);
                let message = format!("__replace__() is not supported for {name} because it has unnamed field(s)");
                return Err(type_error(th, message));
            }
            let mut all: Vec<Value> = visible.into_iter().chain(hidden).collect();
            let mut unknown = Vec::new();
            for (k, v) in a.kw() {
                let key = k.downcast_ref::<Str>().map(|k| k.to_string_lossy().into_owned()).unwrap_or_default();
                match names.iter().position(|n| *n == key) {
                    Some(i) => all[i] = v.clone(),
                    None => unknown.push(k.clone()),
                }
            }
            if !unknown.is_empty() {
                let shown = repr::repr(th, krait_object::List::new(unknown).as_value())?;
                return Err(type_error(th, format!("Got unexpected field name(s): {shown}")));
            }
            Ok(build(&class, all, n))
        },
    ),
];

/// The struct sequence type, new for each interpreter.
pub fn new_type(def: &'static StructSeqDef) -> Ref<Type> {
    let class = TypeObject::new_heap(&TYPE, def.name.into(), &Ref::from_object(&TUPLE));
    let dict = Dict::new();
    class.set_bases(Some(Tuple::from_slice(&[TUPLE.to_value()])));
    class.set_fixed_slots((def.fields.len() - def.visible) as u16);
    dict.set_text("__module__", def.module);
    dict.set_text("__doc__", if def.doc.is_empty() { Value::NONE } else { Value::str(def.doc) });
    dict.set_text("n_sequence_fields", def.visible);
    dict.set_text("n_fields", def.fields.len());
    dict.set_text("n_unnamed_fields", def.fields.iter().filter(|f| f.0.is_empty()).count());
    let mut names: Vec<Value> = Vec::new();
    for (i, (name, doc)) in def.fields.iter().enumerate() {
        if !name.is_empty() {
            if i < def.visible {
                names.push(Value::str(name));
            }
            dict.set_text(name, descriptor::sequence_field(&class, name, doc, i, def.visible));
        }
    }
    dict.set_text("__match_args__", Tuple::from_vec(names));
    for m in METHODS {
        dict.set_text(m.name, descriptor::method_descriptor(&class, m));
    }
    class.set_dict(dict.clone());
    let mut mro = vec![class.to_value()];
    mro.extend(TUPLE.mro().iter().flat_map(|m| m.iter().cloned()));
    class.set_mro(Some(Tuple::from_vec(mro)));
    type_::ready::inherit_hidden(&class, &Ref::from_object(&TUPLE));
    type_::ready::fix_slots(&class);
    class.slots.repr.set(Some(show));
    class.slots.new.set(if def.instantiable { Some(new) } else { None });
    for w in type_::slotdefs::wrappers().filter(|w| w.name == "__repr__") {
        dict.set_text(w.name, descriptor::wrapper_descriptor(&class, w));
    }
    if def.instantiable {
        dict.set_text("__new__", type_::new_function(&class));
    } else {
        class.set_flags(type_flag::DISALLOW_INSTANTIATION);
    }
    // Those of `sys` are static types in CPython.
    if def.module == "sys" {
        class.set_flags(type_flag::IMMUTABLE);
    }
    type_::ready::register_subclass(class.object());
    class
}
fn field_names(class: &Type) -> Vec<String> {
    let Some(dict) = class.dict() else { return Vec::new() };
    let mut named: Vec<(usize, String)> = Vec::new();
    for (k, v) in dict.items() {
        if let (Some(i), Some(k)) = (descriptor::sequence_field_index(&v), k.downcast_ref::<Str>()) {
            named.push((i, k.to_string_lossy().into_owned()));
        }
    }
    named.sort();
    let total = dict.get_text("n_fields").and_then(|n| n.as_int()).unwrap_or(0) as usize;
    let mut out = vec![String::new(); total];
    for (i, name) in named {
        out[i] = name;
    }
    out
}
/// The visible and the hidden values.
fn parts(v: &Value) -> (Vec<Value>, Vec<Value>) {
    let visible = v.downcast_ref::<Tuple>().map(|t| t.to_vec()).unwrap_or_default();
    let hidden = (0..v.class().fixed_slots())
        .map(|i| instance::member(v, i).and_then(|c| c.get()).unwrap_or(Value::NONE))
        .collect();
    (visible, hidden)
}
/// An instance from all field values; `visible` of them form the sequence.
pub fn build(class: &Ref<Type>, mut values: Vec<Value>, visible: usize) -> Value {
    let hidden = values.split_off(visible.min(values.len()));
    let Some(t) = Tuple::try_new(values, class.object()) else { return Value::NONE };
    for (i, v) in hidden.into_iter().enumerate() {
        if let Some(cell) = instance::member(t.as_value(), i as u16) {
            cell.set(Some(v));
        }
    }
    t.into()
}
fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: krait_object::native::Sig = krait_object::native::Sig::new("(sequence, dict=None)");
    let name = type_::full_name(class);
    let bound = SIG.bind(th, &class.name(), &class.name(), args, 0)?;
    let a = bound.args();
    let mut items = sequence::to_items(th, &a[0], "constructor requires a sequence")?;
    let get = |key: &str| class.lookup(&intern(key)).and_then(|n| n.as_int()).unwrap_or(0) as usize;
    let (min, max) = (get("n_sequence_fields"), get("n_fields"));
    let given = items.len();
    if given < min || given > max {
        let message = if min == max {
            format!("{name}() takes a {min}-sequence ({given}-sequence given)")
        } else {
            let (bound, n) = if given < min { ("at least", min) } else { ("at most", max) };
            format!("{name}() takes an {bound} {n}-sequence ({given}-sequence given)")
        };
        return Err(type_error(th, message));
    }
    let dict = match a.opt(1) {
        None => None,
        Some(d) => match d.to_ref::<Dict>() {
            Some(d) => Some(d),
            None => return Err(type_error(th, format!("{name}() takes a dict as second arg, if any"))),
        },
    };
    let mut used = 0;
    for field in field_names(class).iter().skip(given) {
        let found = dict.as_ref().filter(|_| !field.is_empty()).and_then(|d| d.get_text(field));
        used += usize::from(found.is_some());
        items.push(found.into());
    }
    if dict.is_some_and(|d| d.len() > used) {
        return Err(type_error(th, format!("{name}() got duplicate or unexpected field name(s)")));
    }
    if items.len() != max {
        return Err(value_error(th, "wrong number of fields"));
    }
    Ok(build(class, items, min))
}
fn show(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let class = v.class_ref();
    let names = field_names(&class);
    let items = v.downcast_ref::<Tuple>().map(|t| t.to_vec()).unwrap_or_default();
    let mut shown = Vec::new();
    for (name, item) in names.iter().zip(&items) {
        shown.push(format!("{name}={}", repr::repr(th, item)?));
    }
    let module = class.dict().and_then(|d| d.get_text("__module__"));
    let module = module.as_ref().and_then(|m| m.downcast_ref::<Str>()).map(|m| format!("{m}.")).unwrap_or_default();
    Ok(Value::from(format!("{module}{}({})", class.name(), shown.join(", "))))
}
