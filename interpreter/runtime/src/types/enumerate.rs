//! `enumerate`. CPython: `Objects/enumobject.c`.
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, class_method, method};
use krait_object::{
    Args, ClassDef, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, ValueCell,
    type_flag,
};

use crate::errors::type_error;
use crate::protocol::iter;
use crate::protocol::number::{self, BinaryOp};
use crate::types::generic_alias::class_getitem;
use crate::types::iterators::self_iter;
use crate::types::list::iterators::ListIter;
use crate::types::slice::bounds::exact_index;

#[derive(Trace, Payload)]
#[payload(class = ENUMERATE)]
pub struct Enumerate {
    pub iterator: Value,
    /// The next number, if it is below [`MAX_INDEX`]; `big` is empty then.
    pub index: AtomicI64,
    big: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Enumerate>();
pub static ENUMERATE: TypeObject = TypeObject::builtin("enumerate", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "Return an enumerate object.\n\n  iterable\n    an object supporting iteration\n\nThe enumerate object yields pairs of a count (from start, which defaults to zero) and an item of the iterable.",
    sig: "(iterable, start=0)",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&ENUMERATE)
};
static METHODS: &[Method] = &[
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];

/// The largest count kept in machine form: immediates only.
const MAX_INDEX: i64 = krait_object::value::INT_LIMIT - 1;

/// The arguments by CPython's own rules for `enumerate`, whose messages are unlike those of other types.
fn arguments<'a>(th: &mut Thread, args: &Args<'a>) -> PyResult<(&'a Value, Option<&'a Value>)> {
    let (pos, given) = (args.pos(), args.len());
    if given > 2 {
        return Err(type_error(th, format!("enumerate() takes at most 2 arguments ({given} given)")));
    }
    let (mut iterable, mut start) = (pos.first(), pos.get(1));
    for (name, value) in args.kw() {
        let text = name.downcast_ref::<krait_object::Str>();
        let is = |wanted: &str| text.is_some_and(|t| t.eq_str(wanted));
        if is("iterable") && iterable.is_none() {
            iterable = Some(value);
        } else if is("start") && start.is_none() && (given == 2 || !pos.is_empty()) {
            start = Some(value);
        } else {
            let shown = text.map(|t| t.to_string_lossy().into_owned()).unwrap_or_default();
            return Err(type_error(th, format!("'{shown}' is an invalid keyword argument for enumerate()")));
        }
    }
    match iterable {
        Some(iterable) => Ok((iterable, start)),
        None => Err(type_error(th, "enumerate() missing required argument 'iterable'")),
    }
}

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let (iterable, start) = if cls.is(&ENUMERATE) {
        let (iterable, start) = arguments(th, args)?;
        (iterable.clone(), start.cloned())
    } else {
        static SIG: Sig = Sig::new("(iterable, start=0)");
        let b = SIG.bind(th, "enumerate", "enumerate", args, 0)?;
        let a = b.args();
        (a[0].clone(), a.opt(1).cloned())
    };
    let start = match start {
        Some(start) => exact_index(th, &start)?,
        None => Value::int(0),
    };
    let iterator = iter::iter(th, &iterable)?;
    let payload = match start.as_int() {
        Some(i) if i < MAX_INDEX => Enumerate { iterator, index: i.into(), big: ValueCell::empty() },
        _ => Enumerate { iterator, index: MAX_INDEX.into(), big: ValueCell::new(Some(start)) },
    };
    Ok(Ref::with_class(payload, cls.object()).into())
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let e: &Enumerate = v.downcast_ref().expect("the slot belongs to enumerate");
    Ok(next_pair(th, e)?.map(|pair| Tuple::of(pair).into()))
}
impl Enumerate {
    /// The next count and item of a list, as long as that needs no other code.
    #[inline(always)]
    pub fn step(&self) -> Option<[Value; 2]> {
        let i = self.index.load(Relaxed);
        if i >= MAX_INDEX {
            return None;
        }
        let item = self.iterator.downcast_exact::<ListIter>()?.step()?;
        self.index.store(i + 1, Relaxed);
        Some([Value::small_int_unchecked(i), item])
    }
}
/// The next count and item.
pub fn next_pair(th: &mut Thread, e: &Enumerate) -> PyResult<Option<[Value; 2]>> {
    let Some(item) = iter::next(th, &e.iterator)? else { return Ok(None) };
    let count = match e.big.get() {
        Some(count) => {
            let after = number::binary(th, BinaryOp::Add, &count, &Value::int(1))?;
            e.big.set(Some(after));
            count
        }
        None => {
            let i = e.index.load(Relaxed);
            if i == MAX_INDEX {
                e.big.set(Some(Value::int(i + 1)))
            } else {
                e.index.store(i + 1, Relaxed)
            }
            Value::int(i)
        }
    };
    Ok(Some([count, item]))
}

fn reduce(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let e = a.this::<Enumerate>();
    let count = e.big.get().unwrap_or_else(|| Value::int(e.index.load(Relaxed)));
    let args = Tuple::of([e.iterator.clone(), count]);
    Ok(Tuple::of([a[0].class_ref().into(), args.into()]).into())
}
