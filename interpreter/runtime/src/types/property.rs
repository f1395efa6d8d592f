//! `property`.
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, getset, getter, member, method, raw_method};
use krait_object::{
    Args, ClassDef, GetSet, Method, PyResult, Ref, SlotDefs, Thread, TypeObject, VTable, Value, ValueCell, type_flag,
};

use crate::errors::attribute_error;
use crate::protocol::{attr, call, repr};
use crate::types::staticmethod::is_abstract;

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = PROPERTY)]
pub struct Property {
    get: ValueCell,
    set: ValueCell,
    del: ValueCell,
    doc: ValueCell,
    /// From `__set_name__`.
    name: ValueCell,
    /// The doc is the getter's.
    doc_from_getter: std::sync::atomic::AtomicBool,
}
static LAYOUT: VTable = VTable::of::<Property>();
pub static PROPERTY: TypeObject = TypeObject::builtin("property", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "Property attribute.\n\n  fget\n    function to be used for getting an attribute value\n  fset\n    function to be used for setting an attribute value\n  fdel\n    function to be used for del'ing an attribute\n  doc\n    docstring",
    sig: "(fget=None, fset=None, fdel=None, doc=None)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| Ok(Ref::with_class(blank(), class.object()).into())),
        init: Some(init),
        descr_get: Some(descr_get),
        descr_set: Some(descr_set),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&PROPERTY)
};

/// What an exact `property` calls with the instance.
pub fn getter_of(v: &Value) -> Option<Value> {
    v.downcast_exact::<Property>()?.get.get().filter(|get| !get.is_none())
}

static METHODS: &[Method] = &[
    method("getter", "(object, /)", "Descriptor to obtain a copy of the property with a different getter.", |th, a| {
        copy(th, &a[0], Some(&a[1]), None, None)
    }),
    method("setter", "(object, /)", "Descriptor to obtain a copy of the property with a different setter.", |th, a| {
        copy(th, &a[0], None, Some(&a[1]), None)
    }),
    method(
        "deleter",
        "(object, /)",
        "Descriptor to obtain a copy of the property with a different deleter.",
        |th, a| copy(th, &a[0], None, None, Some(&a[1])),
    ),
    raw_method("__set_name__", "(owner, name, /)", "Method to set name of a property.", |th, a: &Args<'_>| {
        if a.has_kw() {
            return Err(crate::errors::type_error(th, "__set_name__() takes no keyword arguments"));
        }
        if a.len() != 3 {
            let n = a.len().saturating_sub(1);
            return Err(crate::errors::type_error(
                th,
                format!("__set_name__() takes 2 positional arguments but {n} were given"),
            ));
        }
        this(&a[0]).name.set(Some(a[2].clone()));
        Ok(Value::NONE)
    }),
];
static GETSET: &[GetSet] = &[
    member("fget", "", |_, v| Ok(shown(&this(v).get))),
    member("fset", "", |_, v| Ok(shown(&this(v).set))),
    member("fdel", "", |_, v| Ok(shown(&this(v).del))),
    getset(
        "__doc__",
        "",
        |_, v| Ok(shown(&this(v).doc)),
        |_, v, value| {
            this(v).doc.set(Some(value.cloned().unwrap_or(Value::NONE)));
            Ok(())
        },
    ),
    getset(
        "__name__",
        "",
        |th, v| match name(th, v)? {
            Some(n) => Ok(n),
            None => Err(attribute_error(th, "'property' object has no attribute '__name__'")),
        },
        |_, v, value| {
            this(v).name.set(value.cloned());
            Ok(())
        },
    ),
    getter("__isabstractmethod__", "", |th, v| {
        for cell in [&this(v).get, &this(v).set, &this(v).del] {
            let r = is_abstract(th, cell.get())?;
            if r.is_true() {
                return Ok(r);
            }
        }
        Ok(Value::FALSE)
    }),
];

fn this(v: &Value) -> &Property {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn shown(cell: &ValueCell) -> Value {
    cell.get().into()
}
fn blank() -> Property {
    Property {
        get: ValueCell::empty(),
        set: ValueCell::empty(),
        del: ValueCell::empty(),
        doc: ValueCell::empty(),
        name: ValueCell::empty(),
        doc_from_getter: false.into(),
    }
}
fn name(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let p = this(v);
    if let Some(n) = p.name.get() {
        return Ok(Some(n));
    }
    match p.get.get() {
        Some(f) => attr::get_text_opt(th, &f, "__name__"),
        None => Ok(None),
    }
}
fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(fget=None, fset=None, fdel=None, doc=None)");
    let bound = SIG.bind(th, "property", "property", args, 0)?;
    let a = bound.args();
    let p = this(v);
    p.get.set(a.opt_not_none(0).cloned());
    p.set.set(a.opt_not_none(1).cloned());
    p.del.set(a.opt_not_none(2).cloned());
    p.name.set(None);
    let mut doc = a.opt_not_none(3).cloned();
    p.doc_from_getter.store(false, std::sync::atomic::Ordering::Relaxed);
    if doc.is_none()
        && let Some(get) = a.opt_not_none(0)
    {
        doc = attr::get_text_opt(th, get, "__doc__")?.filter(|d| !d.is_none());
        p.doc_from_getter.store(doc.is_some(), std::sync::atomic::Ordering::Relaxed);
    }
    p.doc.set(doc.clone());
    if v.is_exact(&PROPERTY) {
        return Ok(());
    }
    // Instances of subclasses keep the doc in their dict, where the class's own `__doc__` does not hide it.
    match attr::set_text(th, v, "__doc__", &doc.clone().unwrap_or(Value::NONE)) {
        Ok(()) => Ok(()),
        // A class without room for it loses a doc that was given, but not one that the getter has.
        Err(raised) if !p.doc_from_getter.load(std::sync::atomic::Ordering::Relaxed) => {
            crate::errors::catch(th, raised, &crate::exceptions::ATTRIBUTE_ERROR)?;
            Ok(())
        }
        Err(raised) => Err(raised),
    }
}
fn descr_get(th: &mut Thread, v: &Value, o: Option<&Value>, _: Option<&Value>) -> PyResult<Value> {
    let Some(o) = o else { return Ok(v.clone()) };
    match this(v).get.get() {
        Some(f) => call::call(th, &f, &[o.clone()]),
        None => Err(refuse(th, v, o, "getter")),
    }
}
fn descr_set(th: &mut Thread, v: &Value, o: &Value, value: Option<&Value>) -> PyResult<()> {
    let (f, what) = match value {
        Some(_) => (this(v).set.get(), "setter"),
        None => (this(v).del.get(), "deleter"),
    };
    let Some(f) = f else { return Err(refuse(th, v, o, what)) };
    match value {
        Some(x) => call::call(th, &f, &[o.clone(), x.clone()])?,
        None => call::call(th, &f, &[o.clone()])?,
    };
    Ok(())
}
fn refuse(th: &mut Thread, v: &Value, o: &Value, what: &str) -> krait_object::Raised {
    let class = o.class_ref();
    let parts = (|| -> PyResult<(Option<String>, String)> {
        let name = match name(th, v)? {
            Some(n) => Some(repr::repr(th, &n)?.to_string_lossy().into_owned()),
            None => None,
        };
        let q = attr::get_text(th, class.as_value(), "__qualname__")?;
        Ok((name, repr::repr(th, &q)?.to_string_lossy().into_owned()))
    })();
    match parts {
        Ok((Some(n), q)) => attribute_error(th, format!("property {n} of {q} object has no {what}")),
        Ok((None, q)) => attribute_error(th, format!("property of {q} object has no {what}")),
        Err(raised) => raised,
    }
}
fn copy(th: &mut Thread, v: &Value, get: Option<&Value>, set: Option<&Value>, del: Option<&Value>) -> PyResult<Value> {
    let p = this(v);
    let pick = |new: Option<&Value>, old: &ValueCell| match new {
        Some(n) if !n.is_none() => n.clone(),
        _ => old.get().into(),
    };
    let from_getter = p.doc_from_getter.load(std::sync::atomic::Ordering::Relaxed);
    let new_get = pick(get, &p.get);
    let doc = if from_getter && !new_get.is_none() { Value::NONE } else { p.doc.get().into() };
    let args = [new_get, pick(set, &p.set), pick(del, &p.del), doc];
    let made = call::call(th, v.class_ref().as_value(), &args)?;
    if let Some(n) = made.downcast_ref::<Property>() {
        n.name.set(p.name.get());
    }
    Ok(made)
}
