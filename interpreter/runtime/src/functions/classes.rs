//! `isinstance`, `issubclass`, `__build_class__`.
use krait_object::native::function;
use krait_object::{Args, Dict, Method, PyResult, Ref, Str, Thread, Tuple, Type, Value};

use crate::errors::type_error;
use crate::protocol::{attr, call, compare};
use crate::types::type_::calculate_metaclass;
use crate::types::union_type::Union;

pub static FUNCTIONS: &[Method] = &[
    function(
        "__build_class__",
        "",
        "__build_class__(func, name, /, *bases, [metaclass], **kwds) -> class\n\nInternal helper function used by the class statement.",
        build_class,
    ),
    function(
        "isinstance",
        "(obj, class_or_tuple, /)",
        "Return whether an object is an instance of a class or of a subclass thereof.",
        |th, a| is_instance(th, &a[0], &a[1]).map(Value::bool),
    ),
    function(
        "issubclass",
        "(cls, class_or_tuple, /)",
        "Return whether 'cls' is derived from another class or is the same class.",
        |th, a| is_subclass(th, &a[0], &a[1]).map(Value::bool),
    ),
];

/// `isinstance(o, class)`, with `__instancecheck__`.
pub fn is_instance(th: &mut Thread, o: &Value, class: &Value) -> PyResult<bool> {
    if o.class().as_ptr_eq(class) {
        return Ok(true);
    }
    if class.is_exact(&krait_object::builtin_types::TYPE) {
        return real_isinstance(th, o, class);
    }
    if let Some(u) = class.downcast_ref::<Union>() {
        return is_instance(th, o, u.args.clone().as_value());
    }
    th.nested(" in __instancecheck__", |th| is_instance_of(th, o, class))
}
fn is_instance_of(th: &mut Thread, o: &Value, class: &Value) -> PyResult<bool> {
    if let Some(t) = class.downcast_ref::<Tuple>() {
        for c in t.iter() {
            if is_instance(th, o, c)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if let Some(f) = attr::lookup_special(th, class, "__instancecheck__")? {
        let r = call::call(th, &f, &[o.clone()])?;
        return compare::truth(th, &r);
    }
    real_isinstance(th, o, class)
}
trait PtrEq {
    fn as_ptr_eq(&self, v: &Value) -> bool;
}
impl PtrEq for krait_object::TypeObject {
    fn as_ptr_eq(&self, v: &Value) -> bool {
        v.bits() == std::ptr::from_ref(self) as u64
    }
}
/// `type.__instancecheck__`.
pub fn real_isinstance(th: &mut Thread, o: &Value, class: &Value) -> PyResult<bool> {
    if let Some(t) = class.to_ref::<Type>() {
        if o.is_instance(t.object()) {
            return Ok(true);
        }
        if let Some(c) = attr::get_text_opt(th, o, "__class__")?
            && let Some(c) = c.to_ref::<Type>()
            && !c.is(o.class())
        {
            return Ok(c.object().is_subtype(t.object()));
        }
        return Ok(false);
    }
    check_class(th, class, "isinstance() arg 2 must be a type, a tuple of types, or a union")?;
    match attr::get_text_opt(th, o, "__class__")? {
        Some(c) => abstract_issubclass(th, &c, class),
        None => Ok(false),
    }
}
/// `issubclass(c, class)`, with `__subclasscheck__`.
pub fn is_subclass(th: &mut Thread, c: &Value, class: &Value) -> PyResult<bool> {
    if class.is_exact(&krait_object::builtin_types::TYPE) {
        if c.is(class) {
            return Ok(true);
        }
        return real_issubclass(th, c, class);
    }
    if let Some(u) = class.downcast_ref::<Union>() {
        return is_subclass(th, c, u.args.clone().as_value());
    }
    th.nested(" in __subclasscheck__", |th| is_subclass_of(th, c, class))
}
fn is_subclass_of(th: &mut Thread, c: &Value, class: &Value) -> PyResult<bool> {
    if let Some(t) = class.downcast_ref::<Tuple>() {
        for x in t.iter() {
            if is_subclass(th, c, x)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if let Some(f) = attr::lookup_special(th, class, "__subclasscheck__")? {
        let r = call::call(th, &f, &[c.clone()])?;
        return compare::truth(th, &r);
    }
    real_issubclass(th, c, class)
}
/// `type.__subclasscheck__`.
pub fn real_issubclass(th: &mut Thread, c: &Value, class: &Value) -> PyResult<bool> {
    if let (Some(a), Some(b)) = (c.to_ref::<Type>(), class.to_ref::<Type>()) {
        return Ok(a.object().is_subtype(b.object()));
    }
    check_class(th, c, "issubclass() arg 1 must be a class")?;
    check_class(th, class, "issubclass() arg 2 must be a class, a tuple of classes, or a union")?;
    abstract_issubclass(th, c, class)
}
fn abstract_bases(th: &mut Thread, c: &Value) -> PyResult<Option<Ref<Tuple>>> {
    Ok(attr::get_text_opt(th, c, "__bases__")?.and_then(|b| b.downcast().ok()))
}
fn check_class(th: &mut Thread, c: &Value, message: &str) -> PyResult<()> {
    if abstract_bases(th, c)?.is_some() { Ok(()) } else { Err(type_error(th, message)) }
}
fn abstract_issubclass(th: &mut Thread, c: &Value, class: &Value) -> PyResult<bool> {
    let mut c = c.clone();
    loop {
        if c.is(class) {
            return Ok(true);
        }
        let Some(bases) = abstract_bases(th, &c)? else { return Ok(false) };
        match bases.as_slice() {
            [] => return Ok(false),
            // Single inheritance needs no native stack.
            [only] => c = only.clone(),
            several => {
                for base in several {
                    if th.nested(" in __issubclass__", |th| abstract_issubclass(th, base, class))? {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
        }
        if th.has_pending() {
            th.run_pending();
        }
    }
}

/// Bases with `__mro_entries__` applied; `None` when none has it.
pub fn resolve_bases(th: &mut Thread, bases: &[Value]) -> PyResult<Option<Vec<Value>>> {
    let mut resolved: Option<Vec<Value>> = None;
    for (i, base) in bases.iter().enumerate() {
        let entries =
            if base.downcast_ref::<Type>().is_some() { None } else { attr::get_text_opt(th, base, "__mro_entries__")? };
        match entries {
            None => {
                if let Some(out) = &mut resolved {
                    out.push(base.clone());
                }
            }
            Some(f) => {
                let r = call::call(th, &f, &[Tuple::from_slice(bases).into()])?;
                let Some(t) = r.downcast_ref::<Tuple>() else {
                    return Err(type_error(th, "__mro_entries__ must return a tuple"));
                };
                resolved.get_or_insert_with(|| bases[..i].to_vec()).extend(t.iter().cloned());
            }
        }
    }
    Ok(resolved)
}

fn build_class(th: &mut Thread, args: &Args<'_>) -> PyResult<Value> {
    let pos = args.pos();
    let [f, name, original @ ..] = pos else {
        return Err(type_error(th, "__build_class__: not enough arguments"));
    };
    if f.downcast_ref::<crate::types::function::Function>().is_none() {
        return Err(type_error(th, "__build_class__: func must be a function"));
    }
    if name.downcast_ref::<Str>().is_none() {
        return Err(type_error(th, "__build_class__: name is not a string"));
    }
    let resolved = resolve_bases(th, original)?;
    let bases = Tuple::from_slice(resolved.as_deref().unwrap_or(original));
    let (mut names, mut values, mut explicit) = (Vec::new(), Vec::new(), None);
    for (k, v) in args.kw() {
        if k.downcast_ref::<Str>().is_some_and(|k| k.eq_str("metaclass")) {
            explicit = Some(v.clone());
        } else {
            names.push(k.clone());
            values.push(v.clone());
        }
    }
    let mut meta = match &explicit {
        Some(m) => m.clone(),
        None => match bases.first() {
            Some(base) => base.class_ref().into(),
            None => Ref::from_object(&krait_object::builtin_types::TYPE).into(),
        },
    };
    if let Some(m) = meta.to_ref::<Type>() {
        meta = calculate_metaclass(th, &m, &bases)?.into();
    }
    let with_kw = |first: &[Value]| -> Vec<Value> { first.iter().chain(&values).cloned().collect() };
    let namespace = match attr::get_text_opt(th, &meta, "__prepare__")? {
        None => Dict::new().into(),
        Some(p) => call::call_kw(th, &p, &with_kw(&[name.clone(), bases.to_value()]), &names)?,
    };
    if !namespace.class().slots.subscript.is_set() {
        let shown = meta.downcast_ref::<Type>().map_or("<metaclass>".to_owned(), |t| t.name().to_string());
        let given = namespace.class().name();
        let message = format!("{shown}.__prepare__() must return a mapping, not {given}");
        return Err(type_error(th, message));
    }
    let cell = crate::hooks::eval_class_body(th, f, &namespace)?;
    if resolved.is_some() {
        let original = Value::from(Tuple::from_slice(original));
        crate::protocol::sequence::set_item(th, &namespace, &Value::str("__orig_bases__"), &original)?;
    }
    let class = call::call_kw(th, &meta, &with_kw(&[name.clone(), bases.into(), namespace]), &names)?;
    if let Some(cell) = cell.downcast_ref::<crate::types::cell::Cell>()
        && class.downcast_ref::<Type>().is_some()
    {
        check_cell(th, name, cell.content.get(), &class)?;
    }
    Ok(class)
}
/// `__class__` must have been set by `type.__new__`, to the class that came out.
fn check_cell(th: &mut Thread, name: &Value, content: Option<Value>, class: &Value) -> PyResult<()> {
    let shown = crate::protocol::repr::repr(th, name)?;
    match content {
        None => {
            let message =
                format!("__class__ not set defining {shown} as {}. Was __classcell__ propagated to type.__new__?", {
                    crate::protocol::repr::repr(th, class)?
                });
            Err(crate::errors::runtime_error(th, message))
        }
        Some(c) if !c.is(class) => {
            let (set, made) = (crate::protocol::repr::repr(th, &c)?, crate::protocol::repr::repr(th, class)?);
            Err(type_error(th, format!("__class__ set to {set} defining {shown} as {made}")))
        }
        Some(_) => Ok(()),
    }
}
