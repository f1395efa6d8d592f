//! `_local`: an object whose attributes differ between threads.
use std::collections::HashMap;

use krait_object::builtin_types::OBJECT;
use krait_object::native::getter;
use krait_object::{
    Args, ClassDef, Dict, GetSet, Locked, PyResult, Ref, SlotDefs, Str, Thread, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::errors::{attribute_error, type_error};
use krait_runtime::protocol::attr;
use krait_runtime::types::weakref;

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = LOCAL)]
pub(super) struct Local {
    /// The namespaces, by the address of the thread's state.
    dicts: Locked<HashMap<u64, Ref<Dict>>>,
    /// Arguments of the constructor, for `__init__` in each further thread: values, then those of `names`.
    args: Vec<Value>,
    names: Vec<Value>,
}
static LAYOUT: VTable = VTable::of::<Local>();
pub(super) static LOCAL: TypeObject = TypeObject::builtin("_local", Some(&OBJECT), &LAYOUT);

pub(super) static DEF: ClassDef = ClassDef {
    module: "_thread",
    doc: "Data of each thread's own.",
    sig: "()",
    getset: GETSET,
    slots: SlotDefs { new: Some(new), getattr: Some(getattr), setattr: Some(setattr), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC | type_flag::WEAKREF,
    ..ClassDef::new(&LOCAL)
};
static GETSET: &[GetSet] = &[getter("__dict__", "Local-data dictionary", |th, v| Ok(namespace(th, v)?.into()))];

/// The objects in which this thread has a namespace, as weak references.
#[derive(Default)]
struct Known(Vec<Value>);

/// All objects, as weak references.
#[derive(Default)]
struct All(Locked<Vec<Value>>);

fn key(th: &Thread) -> u64 {
    std::sync::Arc::as_ptr(&th.shared) as u64
}
fn new(th: &mut Thread, class: &Ref<krait_object::Type>, args: &Args<'_>) -> PyResult<Value> {
    let plain = class.slots.init.same(&OBJECT.slots.init);
    if plain && !args.is_empty() {
        return Err(type_error(th, "Initialization arguments are not supported"));
    }
    let payload = Local { dicts: Locked::default(), args: args.all().to_vec(), names: args.names().to_vec() };
    let made: Value = Ref::with_class(payload, class.object()).into();
    let (weak, all) = (weakref::new_plain(&made), th.interp.extension::<All>());
    let mut all = all.0.lock();
    all.retain(|w| weakref::target(w).is_some());
    all.push(weak);
    drop(all);
    add(th, &made);
    Ok(made)
}
fn add(th: &mut Thread, v: &Value) -> Ref<Dict> {
    let dict = Dict::new();
    let key = key(th);
    if let Some(l) = v.downcast_ref::<Local>() {
        l.dicts.lock().insert(key, dict.clone());
    }
    let weak = weakref::new_plain(v);
    let known = &mut th.extension::<Known>().0;
    known.retain(|w| weakref::target(w).is_some());
    known.push(weak);
    dict
}
/// The thread's namespace; on first use `__init__` runs.
fn namespace(th: &mut Thread, v: &Value) -> PyResult<Ref<Dict>> {
    let Some(l) = v.downcast_ref::<Local>() else {
        return Err(type_error(th, "descriptor requires a '_thread._local' object"));
    };
    let key = key(th);
    if let Some(d) = l.dicts.lock().get(&key) {
        return Ok(d.clone());
    }
    let dict = add(th, v);
    let init = v.class().slots.init.get();
    if !v.class().slots.init.same(&OBJECT.slots.init)
        && let Some(init) = init
        && let Err(raised) = init(th, v, &Args::new(&l.args, &l.names))
    {
        // The next access tries again.
        let gone = l.dicts.lock().remove(&key);
        drop(gone);
        return Err(raised);
    }
    Ok(dict)
}
/// Drops the namespaces of the thread, which ends.
pub(super) fn forget(th: &mut Thread) {
    let key = key(th);
    for weak in std::mem::take(&mut th.extension::<Known>().0) {
        let Some(v) = weakref::target(&weak) else { continue };
        let gone = v.downcast_ref::<Local>().and_then(|l| l.dicts.lock().remove(&key));
        drop(gone);
    }
}
/// Drops the namespaces of threads that never run again, at the end of the interpreter.
pub(super) fn forget_others(th: &mut Thread) {
    let key = key(th);
    let all = std::mem::take(&mut *th.interp.extension::<All>().0.lock());
    for weak in all {
        let Some(v) = weakref::target(&weak) else { continue };
        let Some(l) = v.downcast_ref::<Local>() else { continue };
        let gone: Vec<_> = l.dicts.lock().extract_if(|k, _| *k != key).collect();
        drop(gone);
    }
    if th.has_pending() {
        th.run_pending();
    }
}
fn getattr(th: &mut Thread, v: &Value, name: &Ref<Str>) -> PyResult<Option<Value>> {
    let dict = namespace(th, v)?;
    let class = v.class_ref();
    let found = class.lookup(name);
    let mut getter = None;
    if let Some(f) = &found {
        let slots = &f.class().slots;
        getter = slots.descr_get.get();
        if let Some(get) = getter
            && slots.descr_set.is_set()
        {
            return get(th, f, Some(v), Some(class.as_value())).map(Some);
        }
    }
    if let Some(own) = dict.get_str(name) {
        return Ok(Some(own));
    }
    match (found, getter) {
        (Some(f), Some(get)) => get(th, &f, Some(v), Some(class.as_value())).map(Some),
        (found, _) => Ok(found),
    }
}
fn setattr(th: &mut Thread, v: &Value, name: &Ref<Str>, value: Option<&Value>) -> PyResult<()> {
    let dict = namespace(th, v)?;
    if name.eq_str("__dict__") {
        let class = v.class().name();
        return Err(attribute_error(th, format!("'{class}' object attribute '__dict__' is read-only")));
    }
    let name = &krait_object::intern::intern_ref(name);
    if let Some(d) = v.class().lookup(name)
        && let Some(set) = d.class().slots.descr_set.get()
    {
        return set(th, &d, v, value);
    }
    match value {
        Some(value) => dict.set_str(name, value.clone()),
        None if dict.remove_str(name).is_some() => {}
        None => return Err(attr::missing(th, v, name)),
    }
    Ok(())
}
