//! Method resolution order (C3) and the choice of the base that determines the layout.
use krait_object::builtin_types::{OBJECT, TYPE};
use krait_object::intern::intern;
use krait_object::{PyResult, Ref, Thread, Tuple, Type, Value, type_flag};

use crate::errors::type_error;
use crate::protocol::{attr, call, sequence};

/// The class's MRO by C3, the class itself first.
pub fn c3(th: &mut Thread, class: &Ref<Type>, bases: &[Value]) -> PyResult<Vec<Value>> {
    for (i, base) in bases.iter().enumerate() {
        if bases[..i].iter().any(|b| b.is(base)) {
            let name = base.downcast_ref::<Type>().map(|t| t.name().to_string()).unwrap_or_default();
            return Err(type_error(th, format!("duplicate base class {name}")));
        }
    }
    let mut lists: Vec<Vec<Value>> = Vec::new();
    for base in bases {
        let Some(t) = base.downcast_ref::<Type>() else { continue };
        match t.mro() {
            Some(mro) => lists.push(mro.to_vec()),
            None => {
                let name = t.name();
                return Err(type_error(th, format!("Cannot extend an incomplete type '{name}'")));
            }
        }
    }
    lists.push(bases.to_vec());
    let mut out = vec![class.to_value()];
    let mut at = vec![0usize; lists.len()];
    loop {
        let mut pending = false;
        let mut chosen = None;
        for (list, &i) in lists.iter().zip(&at) {
            let Some(candidate) = list.get(i) else { continue };
            pending = true;
            let in_tail = lists.iter().zip(&at).any(|(l, &j)| l.iter().skip(j + 1).any(|c| c.is(candidate)));
            if !in_tail {
                chosen = Some(candidate.clone());
                break;
            }
        }
        match chosen {
            Some(c) => {
                for (list, i) in lists.iter().zip(&mut at) {
                    if list.get(*i).is_some_and(|x| x.is(&c)) {
                        *i += 1;
                    }
                }
                out.push(c);
            }
            None if pending => return Err(inconsistent(th, &lists, &at)),
            None => return Ok(out),
        }
    }
}
fn inconsistent(th: &mut Thread, lists: &[Vec<Value>], at: &[usize]) -> krait_object::Raised {
    let mut names: Vec<String> = Vec::new();
    let mut seen: Vec<u64> = Vec::new();
    for (list, &i) in lists.iter().zip(at) {
        if let Some(c) = list.get(i)
            && !seen.contains(&c.bits())
        {
            seen.push(c.bits());
            names.push(c.downcast_ref::<Type>().map(|t| t.name().to_string()).unwrap_or_default());
        }
    }
    let message = format!("Cannot create a consistent method resolution order (MRO) for bases {}", names.join(", "));
    type_error(th, message)
}

/// Computes and stores the MRO, through the metaclass's `mro` if it overrides it. False: that method has set another one
/// meanwhile, which stays.
pub fn set_mro(th: &mut Thread, class: &Ref<Type>) -> PyResult<bool> {
    let before = class.mro();
    let bases = class.bases().map(|b| b.to_vec()).unwrap_or_default();
    let meta = class.as_value().class_ref();
    let custom = if meta.is(&TYPE) {
        None
    } else {
        meta.lookup(&intern("mro")).filter(|f| TYPE.lookup(&intern("mro")).is_none_or(|own| !own.is(f)))
    };
    let items = match custom {
        None => c3(th, class, &bases)?,
        Some(_) => {
            let f = attr::lookup_special(th, class.as_value(), "mro")?.unwrap_or(Value::NONE);
            let result = call::call(th, &f, &[])?;
            let items = sequence::to_items(th, &result, "mro() must return a sequence")?;
            check_custom(th, class, &items)?;
            items
        }
    };
    let same = match (&before, class.mro()) {
        (Some(a), Some(b)) => a.ptr_eq(&b),
        (None, None) => true,
        _ => false,
    };
    if same {
        class.set_mro(Some(Tuple::from_vec(items)));
    }
    Ok(same)
}
fn check_custom(th: &mut Thread, class: &Ref<Type>, items: &[Value]) -> PyResult<()> {
    let solid = solid_base(class);
    for item in items {
        let Some(t) = item.to_ref::<Type>() else {
            let name = item.class().name();
            return Err(type_error(th, format!("mro() returned a non-class ('{name}')")));
        };
        if !solid.object().is_subtype(solid_base(&t).object()) {
            let name = t.name();
            return Err(type_error(th, format!("mro() returned base with unsuitable layout ('{name}')")));
        }
    }
    Ok(())
}

/// The nearest class that adds to the layout: a builtin with its own payload, or a class with new `__slots__` members.
pub fn solid_base(class: &Ref<Type>) -> Ref<Type> {
    let mut at = class.clone();
    loop {
        if at.is_static() {
            return at.solid().map_or(at.clone(), Ref::from_object);
        }
        let Some(base) = at.base() else { return at };
        if at.fixed_slots() > base.fixed_slots() {
            return at;
        }
        at = base;
    }
}
/// The base whose layout the new class takes.
pub fn best_base(th: &mut Thread, bases: &[Value]) -> PyResult<Ref<Type>> {
    let mut winner: Option<(Ref<Type>, Ref<Type>)> = None;
    for base in bases {
        let Some(base) = base.to_ref::<Type>() else {
            return Err(type_error(th, "bases must be types"));
        };
        if !base.has_flag(type_flag::BASE) {
            let name = super::full_name(&base);
            return Err(type_error(th, format!("type '{name}' is not an acceptable base type")));
        }
        let solid = solid_base(&base);
        winner = match winner {
            None => Some((base, solid)),
            Some((b, s)) if s.object().is_subtype(solid.object()) => Some((b, s)),
            Some((_, s)) if solid.object().is_subtype(s.object()) => Some((base, solid)),
            Some(_) => return Err(type_error(th, "multiple bases have instance lay-out conflict")),
        };
    }
    Ok(winner.map_or_else(|| Ref::from_object(&OBJECT), |(b, _)| b))
}
