//! BaseExceptionGroup and ExceptionGroup: splitting, and what `except*` needs. CPython: `BaseExceptionGroup_*` of
//! `Objects/exceptions.c`, `_PyEval_ExceptionGroupMatch` of `Python/ceval.c`.
use std::collections::HashSet;

use krait_object::native::{class_method, member, method};
use krait_object::{
    Args, ClassDef, List, Method, PyResult, Ref, SlotDefs, StrBuilder, Thread, Tuple, Type, TypeObject, Value,
    builtin_types::{DICT, STR, TYPE},
    type_flag,
};

use super::base::{init, payload};
use super::{BASE_EXCEPTION_GROUP, BaseExceptionGroup, EXCEPTION, EXCEPTION_GROUP, allocate, is_exception};
use crate::errors::{matches, type_error, value_error};
use crate::protocol::{attr, call, compare, iter, repr};
use crate::types::generic_alias::class_getitem;

pub static BASE: ClassDef = ClassDef {
    doc: "Several unrelated exceptions at once.",
    methods: METHODS,
    getset: &[
        member("message", "exception message", |_, v| Ok(group(v).message.get().into())),
        member("exceptions", "nested exceptions", |_, v| Ok(group(v).exceptions.get().into())),
    ],
    slots: SlotDefs { new: Some(new), init: Some(init), str: Some(str_slot), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::BASE_EXC_SUBCLASS,
    ..ClassDef::new(&BASE_EXCEPTION_GROUP)
};
/// Derives from `Exception` too: see [`bases`].
pub static DEF: ClassDef = ClassDef {
    flags: type_flag::BASE | type_flag::BASE_EXC_SUBCLASS | type_flag::WEAKREF,
    // Made as a Python class is.
    attributes: Some(|_| {
        let weakref = crate::types::descriptor::weakref_descriptor(&Ref::from_object(&EXCEPTION_GROUP));
        vec![("__module__", Value::str("builtins")), ("__weakref__", weakref)]
    }),
    ..ClassDef::new(&EXCEPTION_GROUP)
};
static METHODS: &[Method] = &[
    class_method("__class_getitem__", "(object, /)", "See PEP 585.", class_getitem),
    method("derive", "(object, /)", "Return a group with the same message around other exceptions.", derive),
    method("split", "(object, /)", "Return the parts that match and that do not.", split_method),
    method("subgroup", "(object, /)", "Return the part that matches, or None.", subgroup),
];

/// The bases of ExceptionGroup, the one builtin class that has two.
pub fn bases(class: &'static TypeObject) -> Option<[&'static TypeObject; 2]> {
    class.is_same(&EXCEPTION_GROUP).then_some([&BASE_EXCEPTION_GROUP, &EXCEPTION])
}

fn group(v: &Value) -> &BaseExceptionGroup {
    payload(v)
}
/// `isinstance(v, BaseExceptionGroup)`.
pub fn is_group(v: &Value) -> bool {
    v.is_instance(&BASE_EXCEPTION_GROUP)
}
fn members(v: &Value) -> Ref<Tuple> {
    group(v).exceptions.get().and_then(|t| t.downcast().ok()).unwrap_or_else(Tuple::empty)
}

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let [message, exceptions] = args.pos() else {
        let n = args.pos().len();
        return Err(type_error(th, format!("BaseExceptionGroup.__new__() takes exactly 2 arguments ({n} given)")));
    };
    if !message.is_instance(&STR) {
        let class = if message.is_none() { "None".into() } else { message.class().name().to_string() };
        return Err(type_error(th, format!("BaseExceptionGroup.__new__() argument 1 must be str, not {class}")));
    }
    let slots = &exceptions.class().slots;
    if exceptions.is_instance(&DICT) || !slots.sq_item.is_set() {
        return Err(type_error(th, "second argument (exceptions) must be a sequence"));
    }
    let items = iter::collect(th, exceptions)?;
    if items.is_empty() {
        return Err(value_error(th, "second argument (exceptions) must be a non-empty sequence"));
    }
    if let Some(i) = items.iter().position(|e| !is_exception(e)) {
        return Err(value_error(th, format!("Item {i} of second argument (exceptions) is not an exception")));
    }
    let all_plain = items.iter().all(|e| e.is_instance(&EXCEPTION));
    let chosen = if class.is(&BASE_EXCEPTION_GROUP) && all_plain { &EXCEPTION_GROUP } else { class.object() };
    if !all_plain && chosen.is_subtype(&EXCEPTION) {
        return Err(type_error(
            th,
            match class.is(&EXCEPTION_GROUP) {
                true => "Cannot nest BaseExceptions in an ExceptionGroup".to_owned(),
                false => format!("Cannot nest BaseExceptions in '{}'", class.name()),
            },
        ));
    }
    let made = allocate(chosen, Tuple::from_slice(args.pos()));
    let g = group(&made);
    g.message.set(Some(message.clone()));
    g.exceptions.set(Some(Tuple::from_vec(items).into()));
    Ok(made)
}
/// `BaseExceptionGroup(message, exceptions)`.
pub fn create(th: &mut Thread, message: &str, exceptions: Value) -> PyResult<Value> {
    let class = BASE_EXCEPTION_GROUP.to_value();
    call::call(th, &class, &[message.into(), exceptions])
}

fn str_slot(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let (message, n) = (Value::from(group(v).message.get()), members(v).len());
    let mut out = StrBuilder::new();
    out.push_str(&*repr::str(th, &message)?);
    out.push_text(&format!(" ({n} sub-exception{})", if n > 1 { "s" } else { "" }));
    Ok(out.finish().into())
}
fn derive(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let message = group(&a[0]).message.get().into();
    call::call(th, &BASE_EXCEPTION_GROUP.to_value(), &[message, a[1].clone()])
}

/// What selects exceptions of a group.
enum Matcher<'a> {
    /// An exception class or a tuple of them.
    Types(&'a Value),
    Predicate(&'a Value),
    /// Leaves, by identity.
    Leaves(&'a HashSet<u64>),
}
impl Matcher<'_> {
    fn of<'a>(th: &mut Thread, v: &'a Value) -> PyResult<Matcher<'a>> {
        if call::is_callable(v) && !v.is_instance(&TYPE) {
            return Ok(Matcher::Predicate(v));
        }
        let types = match v.downcast_exact::<Tuple>() {
            Some(all) => all.iter().all(super::is_exception_class),
            None => super::is_exception_class(v),
        };
        if types {
            return Ok(Matcher::Types(v));
        }
        let message = "expected an exception type, a tuple of exception types, or a callable (other than a class)";
        Err(type_error(th, message))
    }
    fn selects(&self, th: &mut Thread, e: &Value) -> PyResult<bool> {
        match self {
            Matcher::Types(types) => Ok(matches(e, types)),
            Matcher::Predicate(f) => {
                let answer = call::call(th, f, std::slice::from_ref(e))?;
                compare::truth(th, &answer)
            }
            Matcher::Leaves(leaves) => Ok(!is_group(e) && leaves.contains(&e.bits())),
        }
    }
}

/// The matching and the remaining part of an exception.
type Parts = (Option<Value>, Option<Value>);

fn split(th: &mut Thread, e: &Value, matcher: &Matcher<'_>, with_rest: bool) -> PyResult<Parts> {
    if matcher.selects(th, e)? {
        return Ok((Some(e.clone()), None));
    }
    if !is_group(e) {
        return Ok((None, with_rest.then(|| e.clone())));
    }
    let (mut chosen, mut rest) = (Vec::new(), Vec::new());
    for item in members(e).iter() {
        let (yes, no) = th.nested(" in exceptiongroup_split_recursive", |th| split(th, item, matcher, with_rest))?;
        chosen.extend(yes);
        rest.extend(no);
    }
    let chosen = subset(th, e, chosen)?;
    let rest = if with_rest { subset(th, e, rest)? } else { None };
    Ok((chosen, rest))
}
/// A group of these members of `e`, with the traceback, cause, context and notes of `e`; `None` around nothing.
fn subset(th: &mut Thread, e: &Value, items: Vec<Value>) -> PyResult<Option<Value>> {
    if items.is_empty() {
        return Ok(None);
    }
    let made = attr::call_method(th, e, "derive", &[List::new(items).into()])?;
    if !is_group(&made) {
        return Err(type_error(th, "derive must return an instance of BaseExceptionGroup"));
    }
    let (from, to) = (&group(e).base, &group(&made).base);
    if let Some(tb) = from.traceback.get() {
        to.traceback.set(Some(tb));
    }
    to.context.set(from.context.get());
    to.set_cause(from.cause.get());
    if let Some(notes) = attr::get_text_opt(th, e, "__notes__")?
        && notes.class().slots.sq_item.is_set()
        && !notes.is_instance(&DICT)
    {
        let copy = List::new(iter::collect(th, &notes)?);
        attr::set_text(th, &made, "__notes__", &copy.into())?;
    }
    Ok(Some(made))
}
/// What of the group `e` matches `wanted` (class, tuple, predicate), and what is left.
pub fn split_group(th: &mut Thread, e: &Value, wanted: &Value) -> PyResult<Parts> {
    let matcher = Matcher::of(th, wanted)?;
    split(th, e, &matcher, true)
}
fn split_method(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (yes, no) = split_group(th, &a[0], &a[1])?;
    Ok(Tuple::of([yes.into(), no.into()]).into())
}
fn subgroup(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let matcher = Matcher::of(th, &a[1])?;
    Ok(split(th, &a[0], &matcher, false)?.0.into())
}

/// What an `except* wanted` clause takes from `e` and leaves of it; `None` values stand for nothing. A naked exception
/// is wrapped.
pub fn except_star_match(th: &mut Thread, e: &Value, wanted: &Value) -> PyResult<(Value, Value)> {
    if e.is_none() {
        return Ok((Value::NONE, Value::NONE));
    }
    if matches(e, wanted) {
        let taken = if is_group(e) { e.clone() } else { create(th, "", Tuple::of([e.clone()]).into())? };
        return Ok((taken, Value::NONE));
    }
    if !is_group(e) {
        return Ok((Value::NONE, e.clone()));
    }
    let parts = attr::call_method(th, e, "split", std::slice::from_ref(wanted))?;
    let class = e.class().name();
    let Some(pair) = parts.downcast_exact::<Tuple>() else {
        let given = parts.class().name();
        return Err(type_error(th, format!("{class}.split must return a tuple, not {given}")));
    };
    match &pair[..] {
        [yes, no, ..] => Ok((yes.clone(), no.clone())),
        short => {
            let n = short.len();
            Err(type_error(th, format!("{class}.split must return a 2-tuple, got tuple of size {n}")))
        }
    }
}

fn leaves(th: &mut Thread, e: &Value, out: &mut HashSet<u64>) -> PyResult<()> {
    if !is_group(e) {
        out.insert(e.bits());
        return Ok(());
    }
    for item in members(e).iter() {
        th.nested(" in collect_exception_group_leaf_ids", |th| leaves(th, item, out))?;
    }
    Ok(())
}
fn same_metadata(a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (super::base(a), super::base(b)) else { return false };
    a.traceback.bits() == b.traceback.bits() && a.cause.bits() == b.cause.bits() && a.context.bits() == b.context.bits()
}

/// What to raise at the end of a `try`-`except*`: `orig` was caught, `raised` is what the clauses raised or raised
/// again. Parts that were raised again keep their nesting in `orig`. `None` when nothing is left to raise.
pub fn prep_reraise_star(th: &mut Thread, orig: &Value, raised: &[Value]) -> PyResult<Value> {
    let Some(first) = raised.iter().find(|e| !e.is_none()) else { return Ok(Value::NONE) };
    if !is_group(orig) {
        return Ok(first.clone());
    }
    let (mut again, mut fresh) = (HashSet::new(), Vec::new());
    for e in raised.iter().filter(|e| !e.is_none()) {
        if same_metadata(e, orig) { leaves(th, e, &mut again)? } else { fresh.push(e.clone()) }
    }
    let (kept, _) = split(th, orig, &Matcher::Leaves(&again), false)?;
    if fresh.is_empty() {
        return Ok(kept.into());
    }
    fresh.extend(kept);
    match &fresh[..] {
        [one] => Ok(one.clone()),
        _ => create(th, "", List::new(fresh).into()),
    }
}
