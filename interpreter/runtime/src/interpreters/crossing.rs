//! What may go from one interpreter to another, and in which form: immutable values of builtin classes as they are, tuples
//! item by item, the memory of a `memoryview`, and instances of classes that a module registers.
use std::sync::{Arc, Weak};

use krait_object::buffer::{Buffer, flags};
use krait_object::builtin_types::{BOOL, BYTES, FLOAT, INT, OBJECT, STR, TUPLE};
use krait_object::{
    Bytes, ClassDef, Interpreter, Locked, PyResult, Raised, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value,
    type_flag,
};

use super::NOT_SHAREABLE_ERROR;
use crate::errors::{buffer_error, in_flight, overflow_error, raise, suppress};
use crate::protocol::{buffer, repr};
use crate::types::memoryview::{self, MEMORYVIEW};
use crate::types::type_::ready::ready_class;
use crate::types::weakref;

/// A value on its way. It belongs to no interpreter.
pub enum Crossing {
    /// Immutable, without references to others: the process's.
    Plain(Value),
    Tuple(Vec<Crossing>),
    Foreign(Box<dyn Foreign>),
}
/// What has a form of its own on the way.
pub trait Foreign: Send {
    /// The value in the interpreter that runs.
    fn arrive(&self, th: &mut Thread) -> PyResult<Value>;
}

impl Crossing {
    /// Takes a value from the interpreter that runs; NotShareableError or OverflowError where it cannot leave.
    pub fn leave(th: &mut Thread, v: &Value) -> PyResult<Crossing> {
        let class = v.class();
        if class.is_same(&INT) {
            if v.as_int_ref().and_then(|n| n.to_i64()).is_none() {
                return Err(overflow_error(th, "try sending as bytes"));
            }
            return Ok(Crossing::Plain(v.clone()));
        }
        if v.is_none() || [&BOOL, &FLOAT, &STR, &BYTES].into_iter().any(|c| class.is_same(c)) {
            return Ok(Crossing::Plain(v.clone()));
        }
        if let Some(tuple) = v.downcast_exact::<Tuple>() {
            let items = tuple.to_vec();
            return th.nested(" while sharing a tuple", |th| {
                let items: PyResult<Vec<Crossing>> = items.iter().map(|i| Crossing::leave(th, i)).collect();
                items.map(Crossing::Tuple)
            });
        }
        if class.is_same(&MEMORYVIEW) {
            let lent = Lent::new(th, v)?;
            return Ok(Crossing::Foreign(Box::new(lent)));
        }
        match registered(th, v) {
            Some(leave) => leave(th, v),
            None => Err(not_shareable(th, v)),
        }
    }
    /// The value in the interpreter that runs.
    pub fn arrive(&self, th: &mut Thread) -> PyResult<Value> {
        match self {
            // Bytes arrive as a copy: a program may tell.
            Crossing::Plain(v) => Ok(v.downcast_exact::<Bytes>().map_or_else(|| v.clone(), |b| Bytes::new(b).into())),
            Crossing::Tuple(items) => {
                let items: PyResult<Vec<Value>> = items.iter().map(|i| i.arrive(th)).collect();
                Ok(Tuple::from_vec(items?).into())
            }
            Crossing::Foreign(f) => f.arrive(th),
        }
    }
}
fn not_shareable(th: &mut Thread, v: &Value) -> Raised {
    super::errors::ready(th);
    match repr::str(th, v) {
        Ok(shown) => raise(th, &NOT_SHAREABLE_ERROR, format!("{shown} does not support cross-interpreter data")),
        Err(raised) => raised,
    }
}
/// Whether values of the class of `v` can leave, whatever this one's value.
pub fn is_shareable(th: &mut Thread, v: &Value) -> bool {
    let class = v.class();
    v.is_none()
        || [&BOOL, &INT, &FLOAT, &STR, &BYTES, &TUPLE, &MEMORYVIEW].into_iter().any(|c| class.is_same(c))
        || registered(th, v).is_some()
}
/// Whether the error in flight is NotShareableError.
pub fn is_not_shareable(th: &Thread) -> bool {
    in_flight(th, &NOT_SHAREABLE_ERROR)
}

/// How an instance of a registered class leaves.
pub type Leave = fn(&mut Thread, &Value) -> PyResult<Crossing>;
/// Classes whose instances can leave, each by a weak reference; their subclasses cannot.
#[derive(Default)]
struct Registered(Locked<Vec<(Value, Leave)>>);

/// Instances of the class can leave this interpreter from now on.
pub fn register(th: &mut Thread, class: &Value, leave: Leave) {
    let weak = weakref::new_plain(class);
    let known = th.interp.extension::<Registered>();
    let mut known = known.0.lock();
    known.retain(|(w, _)| weakref::target(w).is_some_and(|c| !c.is(class)));
    known.push((weak, leave));
}
pub fn unregister(th: &mut Thread, class: &Value) {
    let known = th.interp.extension::<Registered>();
    known.0.lock().retain(|(w, _)| weakref::target(w).is_some_and(|c| !c.is(class)));
}
fn registered(th: &mut Thread, v: &Value) -> Option<Leave> {
    let class = v.class_ref().to_value();
    let known = th.interp.extension::<Registered>();
    let known = known.0.lock();
    known.iter().find(|(w, _)| weakref::target(w).is_some_and(|c| c.is(&class))).map(|(_, leave)| *leave)
}

/// Values that other interpreters gave back, for the owner to drop: a finaliser runs where its object is at home.
#[derive(Default)]
struct Returned(Locked<Vec<Value>>);

/// Drops what other interpreters gave back to the one that runs.
pub fn release_returned(th: &mut Thread) {
    let returned = th.interp.extension::<Returned>();
    let values = std::mem::take(&mut *returned.0.lock());
    drop(values);
}

/// A buffer of one interpreter's object that others see.
#[derive(Clone)]
pub struct Lent {
    view: Arc<Home>,
}
/// Goes back to its interpreter in the end.
struct Home {
    view: Option<Value>,
    owner: Weak<Interpreter>,
}
impl Drop for Home {
    fn drop(&mut self) {
        if let (Some(owner), Some(view)) = (self.owner.upgrade(), self.view.take()) {
            owner.extension::<Returned>().0.lock().push(view);
        }
    }
}
impl Lent {
    fn new(th: &mut Thread, v: &Value) -> PyResult<Lent> {
        let view = memoryview::of(th, v, flags::FULL_RO)?;
        Ok(Lent { view: Arc::new(Home { view: Some(view), owner: Arc::downgrade(&th.interp) }) })
    }
}
impl Foreign for Lent {
    fn arrive(&self, th: &mut Thread) -> PyResult<Value> {
        ready_class(th, &VIEW_DEF);
        let object: Value = Ref::new(BufferView { lent: self.clone() }).into();
        memoryview::of(th, &object, flags::FULL_RO)
    }
}

/// The exporter, in the other interpreters, of memory that is at home in one.
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = VIEW)]
struct BufferView {
    #[trace(skip)]
    lent: Lent,
}
static VIEW_LAYOUT: VTable = VTable::of::<BufferView>();
pub static VIEW: TypeObject = TypeObject::builtin("CrossInterpreterBufferView", Some(&OBJECT), &VIEW_LAYOUT);
pub static VIEW_DEF: ClassDef = ClassDef {
    module: "_interpreters",
    slots: SlotDefs { buffer: Some(export), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&VIEW)
};
fn export(th: &mut Thread, v: &Value, request: u32) -> PyResult<Buffer> {
    let view = v.downcast_ref::<BufferView>().and_then(|b| b.lent.view.view.as_ref());
    let Some(view) = view else { return Err(buffer_error(th, "the buffer is gone")) };
    let exported = buffer::get_buffer(th, view, request)?;
    Ok(Buffer { owner: v.clone(), ..exported })
}

/// Drops an error about values that cannot leave; other errors stay.
pub fn unless_not_shareable<T>(th: &mut Thread, result: PyResult<T>) -> PyResult<Option<T>> {
    suppress(th, result, &NOT_SHAREABLE_ERROR)
}
