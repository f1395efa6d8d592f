//! `itertools.islice`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, List, Locked, Method, PyResult, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value, ValueCell,
    type_flag,
};
use krait_runtime::errors::value_error;
use krait_runtime::protocol::{iter, number};
use krait_runtime::types::iterators::self_iter;

use super::{positional, reduced_with_state, warn_pickle};

/// Counts of items of the source.
#[derive(Trace, Clone, Copy)]
struct Position {
    /// Where the next item to deliver stands.
    next: usize,
    /// Items read so far.
    read: usize,
}

#[derive(Trace, Payload)]
#[payload(class = ISLICE)]
pub struct Islice {
    /// Given up at the end.
    iterator: ValueCell,
    stop: Option<usize>,
    step: usize,
    position: Locked<Position>,
}
static LAYOUT: VTable = VTable::of::<Islice>();
pub static ISLICE: TypeObject = TypeObject::builtin("islice", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "islice(iterable, stop) --> islice object\nislice(iterable, start, stop[, step]) --> islice object\n\nReturn an iterator whose next() method returns selected values from an\niterable.  If start is specified, will skip all preceding elements;\notherwise, start defaults to zero.  Step defaults to one.  Works like a\nslice() on a list but returns an iterator.",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&ISLICE)
};
static METHODS: &[Method] = &[
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", setstate),
];

/// A count argument: `None` where it is None, a negative number where it is no index at all.
fn count(th: &mut Thread, v: &Value) -> Option<isize> {
    if v.is_none() {
        return None;
    }
    match number::index_isize(th, v) {
        Ok(n) => Some(n),
        Err(_) => {
            drop(th.take_exc());
            Some(-1)
        }
    }
}

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    const STOP: &str = "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
    const INDICES: &str = "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
    let (iterable, start, stop, step) = match positional(th, cls, &ISLICE, args, 2, 4)? {
        [iterable, stop] => (iterable, &Value::NONE, stop, &Value::NONE),
        [iterable, start, stop] => (iterable, start, stop, &Value::NONE),
        [iterable, start, stop, step] => (iterable, start, stop, step),
        _ => unreachable!("two to four arguments"),
    };
    let start = count(th, start).unwrap_or(0);
    let stop = count(th, stop);
    if stop == Some(-1) {
        return Err(value_error(th, STOP));
    }
    if start < 0 || stop.is_some_and(|s| s < 0) {
        return Err(value_error(th, INDICES));
    }
    let step = count(th, step).unwrap_or(1);
    if step < 1 {
        return Err(value_error(th, "Step for islice() must be a positive integer or None."));
    }
    let iterator = iter::iter(th, iterable)?.into();
    let payload = Islice {
        iterator,
        stop: stop.map(|s| s as usize),
        step: step as usize,
        position: Locked::new(Position { next: start as usize, read: 0 }),
    };
    Ok(Ref::with_class(payload, cls.object()).into())
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let s: &Islice = v.downcast_ref().expect("the slot belongs to islice");
    let Some(it) = s.iterator.get() else { return Ok(None) };
    let found = advance(th, s, &it);
    if !matches!(found, Ok(Some(_))) {
        s.iterator.set(None);
    }
    found
}

fn advance(th: &mut Thread, s: &Islice, it: &Value) -> PyResult<Option<Value>> {
    loop {
        let at = s.position.get();
        if at.read < at.next {
            if iter::next(th, it)?.is_none() {
                return Ok(None);
            }
            s.position.lock().read += 1;
            continue;
        }
        if s.stop.is_some_and(|stop| at.read >= stop) {
            return Ok(None);
        }
        let Some(item) = iter::next(th, it)? else { return Ok(None) };
        let mut at = s.position.lock();
        at.read += 1;
        at.next = at.next.saturating_add(s.step).min(s.stop.unwrap_or(isize::MAX as usize));
        return Ok(Some(item));
    }
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let s = a.this::<Islice>();
    let Some(it) = s.iterator.get() else {
        let empty = iter::iter(th, &List::new(Vec::new()).into())?;
        return Ok(reduced_with_state(&a[0], [empty, Value::int(0)], Value::int(0)));
    };
    let at = s.position.get();
    let args = [it, at.next.into(), s.stop.into(), s.step.into()];
    Ok(reduced_with_state(&a[0], args, at.read.into()))
}

fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let read = krait_runtime::types::slice::bounds::state_arg(th, &a[1])?;
    a.this::<Islice>().position.lock().read = read.max(0) as usize;
    Ok(Value::NONE)
}
