//! `module`.
use krait_object::builtin_types::OBJECT;
use krait_object::intern::intern;
use krait_object::native::{Sig, getset, method};
use krait_object::{
    Args, ClassDef, Dict, FrozenSet, GetSet, Method, ModuleDef, PyResult, Raised, Ref, Set, SlotDefs, Str, Thread,
    TypeObject, VTable, Value, ValueCell, type_flag,
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
        let shown = crate::protocol::attr::get_text(th, &a[0], "__dict__")?;
        let Some(d) = shown.to_ref::<Dict>() else {
            let class = a[0].class().name();
            return Err(type_error(th, format!("{class}.__dict__ is not a dictionary")));
        };
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
        let origin = crate::import::origin(th, &spec)?;
        let shadowing = origin.as_ref().is_some_and(|o| may_shadow(th, &o.to_string_lossy()));
        let file = origin.as_ref().map(|o| o.to_string()).unwrap_or_default();
        if shadowing && is_standard(th, module.as_value())? {
            return Ok(format!(
                "module '{module}' has no attribute '{name}' (consider renaming '{file}' since it has the same name as the \
                 standard library module named '{module}' and the import system gives it precedence)"
            ));
        }
        let initializing = attr::get_text_opt(th, &spec, "_initializing")?;
        if let Some(i) = initializing
            && compare::truth(th, &i)?
        {
            return Ok(if shadowing {
                format!(
                    "module '{module}' has no attribute '{name}' (consider renaming '{file}' if it has the same name as a \
                     third-party module you intended to import)"
                )
            } else {
                let from = if origin.is_some() { format!(" from '{file}'") } else { String::new() };
                format!(
                    "partially initialized module '{module}'{from} has no attribute '{name}' (most likely due to a \
                     circular import)"
                )
            });
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
/// Whether the module is in the folder that start-up put in front of `sys.path`, where it may hide another.
fn may_shadow(th: &mut Thread, origin: &str) -> bool {
    if crate::config::get(th).flags.safe_path {
        return false;
    }
    let Some(first) = th.interp.extension::<crate::config::FirstPath>().0.get() else { return false };
    let first = if first.is_empty() {
        std::env::current_dir().unwrap_or_default().to_string_lossy().into_owned()
    } else {
        first
    };
    let file = origin.strip_suffix("/__init__.py").unwrap_or(origin);
    file.rsplit_once('/').is_some_and(|(folder, _)| folder == first)
}
/// Whether the name is in `sys.stdlib_module_names`.
fn is_standard(th: &mut Thread, name: &Value) -> PyResult<bool> {
    let sys = th.interp.sys.get().and_then(|s| s.downcast::<Dict>().ok());
    let Some(names) = sys.and_then(|s| s.get_text("stdlib_module_names")) else { return Ok(false) };
    if names.downcast_ref::<FrozenSet>().is_none() && names.downcast_ref::<Set>().is_none() {
        return Ok(false);
    }
    crate::protocol::sequence::contains(th, &names, name)
}
