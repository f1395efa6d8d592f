//! `module`.
use krait_object::builtin_types::OBJECT;
use krait_object::intern::intern;
use krait_object::native::{Sig, getset, method};
use krait_object::{
    Args, ClassDef, Dict, GetSet, Method, ModuleDef, PyResult, Raised, Ref, SlotDefs, Str, Thread, TypeObject, VTable,
    Value, ValueCell, type_flag,
};

use crate::errors::{attribute_error, missing_attribute as missing_name, type_error};
use crate::protocol::{attr, call, compare};
use crate::types::native_function::NativeFunction;
use crate::types::object::generic_getattr;

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = MODULE)]
pub struct Module {
    dict: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Module>();
pub static MODULE: TypeObject = TypeObject::builtin("module", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "Create a module object.\n\nThe name must be a string; the optional docstring can have any type.",
    sig: "(name, doc=None)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| {
            let payload = Module { dict: ValueCell::new(Some(Dict::new().into())) };
            Ok(Ref::with_class(payload, class.object()).into())
        }),
        init: Some(init),
        repr: Some(show),
        getattr: Some(getattr),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::WEAKREF | type_flag::HAVE_GC,
    dict_cell: Some(|v| v.downcast_ref::<Module>().map(|m| &m.dict)),
    ..ClassDef::new(&MODULE)
};
static METHODS: &[Method] =
    &[method("__dir__", "()", "__dir__() -> list\nspecialized dir() implementation", |th, a| {
        let d = dict(&a[0]);
        if let Some(f) = d.get_text("__dir__") {
            return call::call(th, &f, &[]);
        }
        Ok(krait_object::List::new(d.keys()).into())
    })];
static GETSET: &[GetSet] = &[
    krait_object::native::member("__dict__", "", |_, v| Ok(dict(v).into())),
    getset(
        "__annotations__",
        "",
        |_, v| {
            let d = dict(v);
            Ok(d.get_text("__annotations__").unwrap_or_else(|| {
                let made = Value::from(Dict::new());
                d.set_text("__annotations__", made.clone());
                made
            }))
        },
        |th, v, value| {
            let d = dict(v);
            match value {
                Some(x) => d.set_text("__annotations__", x.clone()),
                None => {
                    if d.remove_text("__annotations__").is_none() {
                        return Err(attribute_error(th, "__annotations__"));
                    }
                }
            }
            Ok(())
        },
    ),
];

impl Module {
    /// The namespace, if it was made already.
    #[inline(always)]
    pub fn namespace(&self) -> &ValueCell {
        &self.dict
    }
}
/// A module's namespace.
pub fn dict(v: &Value) -> Ref<Dict> {
    let m = v.downcast_ref::<Module>().expect("a module");
    m.dict.get_or_set(Dict::new().into()).downcast().unwrap_or_else(|_| Dict::new())
}
/// A module with `__name__`, `__doc__` and the import attributes set.
pub fn new(name: &str, doc: Value) -> Value {
    let d = Dict::new();
    d.set_text("__name__", name);
    d.set_text("__doc__", doc);
    d.set_text("__package__", Value::NONE);
    d.set_text("__loader__", Value::NONE);
    d.set_text("__spec__", Value::NONE);
    Ref::new(Module { dict: ValueCell::new(Some(d.into())) }).into()
}
/// A native module with its functions and classes.
pub fn from_def(th: &mut Thread, def: &'static ModuleDef) -> PyResult<Value> {
    let doc = if def.doc.is_empty() { Value::NONE } else { Value::str(def.doc) };
    let module = new(def.name, doc);
    fill(th, &module, def)?;
    Ok(module)
}
/// Adds the functions, classes and constants of a native module to a module object.
pub fn fill(th: &mut Thread, module: &Value, def: &'static ModuleDef) -> PyResult<()> {
    let d = dict(module);
    let name: Value = intern(def.name).into();
    for f in def.functions {
        d.set_text(f.name, NativeFunction::new_function(f, module, &name));
    }
    for class in def.classes {
        crate::types::type_::ready::ready_class(th, class);
        d.set_text(&class.class.name(), class.class.to_value());
    }
    match def.init {
        Some(init) => init(th, module),
        None => Ok(()),
    }
}
fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(name, doc=None)");
    let bound = SIG.bind(th, "module", "module", args, 0)?;
    let a = bound.args();
    if a[0].downcast_ref::<Str>().is_none() {
        let class = a[0].class().name();
        return Err(type_error(th, format!("module() argument 'name' must be str, not {class}")));
    }
    let d = dict(v);
    d.set_text("__name__", a[0].clone());
    d.set_text("__doc__", a.opt(1).unwrap_or(&Value::NONE).clone());
    d.set_text("__package__", Value::NONE);
    d.set_text("__loader__", Value::NONE);
    d.set_text("__spec__", Value::NONE);
    Ok(())
}
fn show(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let importlib = th.interp.importlib.get();
    if let Some(bootstrap) = importlib {
        return attr::call_method(th, &bootstrap, "_module_repr", &[v.clone()]);
    }
    let name = dict(v).get_text("__name__").and_then(|n| n.downcast::<Str>().ok());
    Ok(Value::from(format!("<module '{}'>", name.map_or_else(|| "?".to_owned(), |n| n.to_string()))))
}
fn getattr(th: &mut Thread, v: &Value, name: &Ref<Str>) -> PyResult<Option<Value>> {
    if let Some(found) = generic_getattr(th, v, name)? {
        return Ok(Some(found));
    }
    match dict(v).get_text("__getattr__") {
        Some(f) => call::call(th, &f, &[name.to_value()]).map(Some),
        None => Ok(None),
    }
}
/// The AttributeError for a name that a module lacks, with CPython's hints.
pub fn missing_attribute(th: &mut Thread, o: &Value, _: &Module, name: &Ref<Str>) -> Raised {
    match message(th, o, name) {
        Ok(message) => missing_name(th, o, name, message),
        Err(raised) => raised,
    }
}
fn message(th: &mut Thread, o: &Value, name: &Ref<Str>) -> PyResult<String> {
    let d = dict(o);
    let Some(module) = d.get_text("__name__").and_then(|n| n.downcast::<Str>().ok()) else {
        return Ok(format!("module has no attribute '{name}'"));
    };
    if let Some(spec) = d.get_text("__spec__").filter(|s| !s.is_none()) {
        let initializing = attr::get_text_opt(th, &spec, "_initializing")?;
        if let Some(i) = initializing
            && compare::truth(th, &i)?
        {
            return Ok(format!(
                "partially initialized module '{module}' has no attribute '{name}' (most likely due to a circular import)"
            ));
        }
        if let Some(pending) = attr::get_text_opt(th, &spec, "_uninitialized_submodules")?
            && crate::protocol::sequence::contains(th, &pending, name.as_value())?
        {
            return Ok(format!(
                "cannot access submodule '{name}' of module '{module}' (most likely due to a circular import)"
            ));
        }
    }
    Ok(format!("module '{module}' has no attribute '{name}'"))
}
