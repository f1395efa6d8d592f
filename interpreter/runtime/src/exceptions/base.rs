//! BaseException: construction, text, `args`, traceback, cause, context, notes and pickling.
use std::sync::atomic::Ordering::Relaxed;

use krait_object::native::{getset, method};
use krait_object::{
    Args, ClassDef, Dict, GetSet, List, Method, PyResult, Raised, Ref, SlotDefs, Str, StrBuilder, Thread, Tuple, Type,
    Value, ValueCell, type_flag,
};

use super::{BASE_EXCEPTION, BaseException, allocate, base, is_exception};
use crate::errors::{attribute_error, type_error};
use crate::protocol::{attr, iter, repr};

pub static DEF: ClassDef = ClassDef {
    doc: "Common base class for all exceptions",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs { new: Some(new), init: Some(init), repr: Some(repr_slot), str: Some(str_slot), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::BASE_EXC_SUBCLASS,
    dict_cell: Some(dict_cell),
    ..ClassDef::new(&BASE_EXCEPTION)
};

static METHODS: &[Method] = &[
    method("__reduce__", "()", "Return class, arguments and attributes, for pickling.", reduce),
    method("__setstate__", "(object, /)", "Set attributes from a dict.", set_state),
    method("with_traceback", "(object, /)", "Set self.__traceback__ to the argument and return self.", with_traceback),
    method("add_note", "(object, /)", "Append a line that is shown below the message.", add_note),
];

static GETSET: &[GetSet] = &[
    GetSet { name: "__suppress_context__", doc: "", get: get_suppress, set: Some(set_suppress), member: true },
    getset("__dict__", "", get_dict, set_dict),
    getset("args", "", get_args, set_args),
    getset("__traceback__", "", get_traceback, set_traceback),
    getset("__context__", "", get_context, set_context),
    getset("__cause__", "", get_cause, set_cause),
];

fn dict_cell(v: &Value) -> Option<&ValueCell> {
    base(v).map(|b| &b.dict)
}

/// The payload of `self`, which whoever calls a slot or a descriptor has checked.
pub(super) fn payload<T: krait_object::Payload>(v: &Value) -> &T {
    v.downcast_ref().expect("the caller checked the class of self")
}
fn this(v: &Value) -> &BaseException {
    payload(v)
}

/// `BaseException.__new__`: keyword arguments are `__init__`'s business.
pub(super) fn new(_: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    Ok(allocate(class.object(), Tuple::from_slice(args.pos())))
}
/// `BaseException.__init__`.
pub(super) fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    no_keywords(th, v, args)?;
    set_arguments(v, args);
    Ok(())
}
pub(super) fn no_keywords(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    if args.has_kw() {
        let name = v.class().name();
        return Err(type_error(th, format!("{name}() takes no keyword arguments")));
    }
    Ok(())
}
/// Makes the positional arguments `self.args`.
pub(super) fn set_arguments(v: &Value, args: &Args<'_>) {
    this(v).args.set(Some(Tuple::from_slice(args.pos()).into()));
}

/// `BaseException.__str__`.
pub(super) fn str_of(th: &mut Thread, v: &Value) -> PyResult<Ref<Str>> {
    let args = this(v).args();
    match &args[..] {
        [] => Ok(Str::empty()),
        [one] => repr::str(th, one),
        _ => repr::str(th, args.as_value()),
    }
}
pub(super) fn str_slot(th: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(str_of(th, v)?.into())
}
fn repr_slot(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let args = this(v).args();
    let mut out = StrBuilder::new();
    out.push_text(&short_name(v));
    match &args[..] {
        [one] => {
            out.push(u32::from('('));
            out.push_str(&*repr::repr(th, one)?);
            out.push(u32::from(')'));
        }
        _ => out.push_str(&*repr::repr(th, args.as_value())?),
    }
    Ok(out.finish().into())
}
/// The class's name without a module.
pub(super) fn short_name(v: &Value) -> String {
    let name = v.class().name();
    name.rsplit('.').next().unwrap_or_default().to_owned()
}

/// `(class, args)` or `(class, args, state)`.
pub(super) fn reduced(v: &Value, args: Value, state: Option<Value>) -> Value {
    let mut items = vec![v.class_ref().into(), args];
    items.extend(state);
    Tuple::from_vec(items).into()
}
fn reduce(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let e = this(&a[0]);
    Ok(reduced(&a[0], e.args().into(), e.dict.get()))
}
fn set_state(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a[1].is_none() {
        return Ok(Value::NONE);
    }
    let Some(state) = a[1].downcast_ref::<Dict>() else {
        return Err(type_error(th, "state is not a dictionary"));
    };
    for (key, value) in state.items() {
        let Some(name) = key.to_ref::<Str>() else {
            let class = key.class().name();
            return Err(type_error(th, format!("attribute name must be string, not '{class}'")));
        };
        attr::set_attr(th, &a[0], &name, Some(&value))?;
    }
    Ok(Value::NONE)
}
fn with_traceback(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    set_traceback(th, &a[0], Some(&a[1]))?;
    Ok(a[0].clone())
}
fn add_note(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if !a[1].is_instance(&krait_object::builtin_types::STR) {
        let class = a[1].class().name();
        return Err(type_error(th, format!("note must be a str, not '{class}'")));
    }
    match attr::get_text_opt(th, &a[0], "__notes__")? {
        None => attr::set_text(th, &a[0], "__notes__", &List::new(vec![a[1].clone()]).into())?,
        Some(notes) => match notes.downcast_ref::<List>() {
            Some(list) => list.push(a[1].clone()),
            None => return Err(type_error(th, "Cannot add note: __notes__ is not a list")),
        },
    }
    Ok(Value::NONE)
}

fn get_suppress(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(this(v).suppress_context.load(Relaxed).into())
}
fn set_suppress(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let Some(new) = new else { return Err(type_error(th, "can't delete numeric/char attribute")) };
    let Some(flag) = new.as_bool() else { return Err(type_error(th, "attribute value type must be bool")) };
    this(v).suppress_context.store(flag, Relaxed);
    Ok(())
}
fn get_dict(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let cell = &this(v).dict;
    Ok(cell.get().unwrap_or_else(|| cell.get_or_set(Dict::new().into())))
}
fn set_dict(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let Some(new) = new else { return Err(type_error(th, "cannot delete __dict__")) };
    if new.downcast_ref::<Dict>().is_none() {
        let class = new.class().name();
        return Err(type_error(th, format!("__dict__ must be set to a dictionary, not a '{class}'")));
    }
    this(v).dict.set(Some(new.clone()));
    Ok(())
}
fn get_args(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(this(v).args().into())
}
fn set_args(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let Some(new) = new else { return Err(type_error(th, "args may not be deleted")) };
    let args = Tuple::from_vec(iter::collect(th, new)?);
    this(v).args.set(Some(args.into()));
    Ok(())
}
fn undeletable(th: &mut Thread, name: &str) -> Raised {
    type_error(th, format!("{name} may not be deleted"))
}
fn get_traceback(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(this(v).traceback.get().into())
}
fn set_traceback(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let Some(new) = new else { return Err(undeletable(th, "__traceback__")) };
    if !new.is_none() && !new.is_exact(&crate::types::traceback::TRACEBACK) {
        return Err(type_error(th, "__traceback__ must be a traceback or None"));
    }
    this(v).traceback.set(Some(new.clone()).filter(|t| !t.is_none()));
    Ok(())
}
fn get_context(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(this(v).context.get().into())
}
fn set_context(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let Some(new) = new else { return Err(undeletable(th, "__context__")) };
    if !new.is_none() && !is_exception(new) {
        return Err(type_error(th, "exception context must be None or derive from BaseException"));
    }
    this(v).context.set(Some(new.clone()).filter(|c| !c.is_none()));
    Ok(())
}
fn get_cause(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(this(v).cause.get().into())
}
fn set_cause(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let Some(new) = new else { return Err(undeletable(th, "__cause__")) };
    if !new.is_none() && !is_exception(new) {
        return Err(type_error(th, "exception cause must be None or derive from BaseException"));
    }
    this(v).set_cause(Some(new.clone()));
    Ok(())
}

/// A member that holds any object: unset reads as None, deleting unsets.
macro_rules! object_member {
    ($payload:ty, $field:ident, $doc:literal) => {
        krait_object::GetSet {
            name: stringify!($field),
            doc: $doc,
            get: |_, v| Ok($crate::exceptions::base::payload::<$payload>(v).$field.get().into()),
            set: Some(|_, v, new| {
                $crate::exceptions::base::payload::<$payload>(v).$field.set(new.cloned());
                Ok(())
            }),
            member: true,
        }
    };
}
pub(super) use object_member;

/// The value of an `int` that must fit a word; for members and counts.
pub(super) fn word(th: &mut Thread, v: &Value) -> PyResult<isize> {
    match v.as_int_ref() {
        None => Err(type_error(th, "an integer is required")),
        Some(i) => match i.to_i64() {
            Some(i) => Ok(i as isize),
            None => Err(crate::errors::overflow_error(th, "Python int too large to convert to C ssize_t")),
        },
    }
}
pub(super) fn no_attribute(th: &mut Thread, name: &str) -> Raised {
    attribute_error(th, name)
}
