//! `collections.deque`. Iterators are in `deque_iter`. CPython: `Modules/_collectionsmodule.c`.
use std::collections::VecDeque;
use std::sync::atomic::{AtomicIsize, AtomicU64, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, class_method, getter, method};
use krait_object::{
    Args, ClassDef, CmpOp, GetSet, List, Locked, Method, PyResult, Ref, SlotDefs, StrBuilder, Thread, Tuple, Type,
    TypeObject, VTable, Value, type_flag,
};
use krait_runtime::errors::{index_error, memory_error, runtime_error, type_error, value_error};
use krait_runtime::protocol::{attr, call, compare, iter, number, repr};
use krait_runtime::types::generic_alias::class_getitem;
use krait_runtime::types::slice::bounds::{position, search_bound, state_arg};

use super::deque_iter;

#[derive(Trace, Payload)]
#[payload(class = DEQUE)]
pub struct Deque {
    items: Locked<VecDeque<Value>>,
    /// Negative: unbounded.
    maxlen: AtomicIsize,
    /// Counts the changes that invalidate iterators.
    state: AtomicU64,
}
static LAYOUT: VTable = VTable::of::<Deque>();
pub static DEQUE: TypeObject = TypeObject::builtin("deque", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "collections",
    doc: "A list-like sequence optimized for data accesses near its endpoints.",
    sig: "([iterable[, maxlen]])",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        init: Some(init),
        repr: Some(deque_repr),
        compare: Some(richcompare),
        iter: Some(deque_iter::iter),
        sq_len: Some(|_, v| Ok(this(v).len())),
        sq_concat: Some(concat),
        sq_repeat: Some(repeat),
        sq_item: Some(item),
        sq_set_item: Some(set_item),
        contains: Some(contains),
        sq_inplace_concat: Some(inplace_concat),
        sq_inplace_repeat: Some(inplace_repeat),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::SEQUENCE | type_flag::WEAKREF | type_flag::HAVE_GC,
    ..ClassDef::new(&DEQUE)
};

static METHODS: &[Method] = &[
    method("append", "(item, /)", "Add an element to the right side of the deque.", append),
    method("appendleft", "(item, /)", "Add an element to the left side of the deque.", appendleft),
    method("clear", "()", "Remove all elements from the deque.", clear),
    method("__copy__", "()", "Return a shallow copy of a deque.", copy_method),
    method("copy", "()", "Return a shallow copy of a deque.", copy_method),
    method("count", "(value, /)", "Return number of occurrences of value.", count),
    method(
        "extend",
        "(iterable, /)",
        "Extend the right side of the deque with elements from the iterable.",
        |th, a| {
            extend(th, &a[0], &a[1], false)?;
            Ok(Value::NONE)
        },
    ),
    method(
        "extendleft",
        "(iterable, /)",
        "Extend the left side of the deque with elements from the iterable.",
        |th, a| {
            extend(th, &a[0], &a[1], true)?;
            Ok(Value::NONE)
        },
    ),
    method(
        "index",
        "(value, [start, [stop]])",
        "Return first index of value.\n\nRaises ValueError if the value is not present.",
        index,
    )
    .raw(),
    method("insert", "(index, value, /)", "Insert value before index.", insert),
    method("pop", "()", "Remove and return the rightmost element.", pop),
    method("popleft", "()", "Remove and return the leftmost element.", popleft),
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method("remove", "(value, /)", "Remove first occurrence of value.", remove),
    method("__reversed__", "()", "Return a reverse iterator over the deque.", |_, a| Ok(deque_iter::reversed(&a[0]))),
    method("reverse", "()", "Reverse *IN PLACE*.", reverse),
    method("rotate", "(n=1, /)", "Rotate the deque n steps to the right.  If n is negative, rotates left.", rotate),
    method("__sizeof__", "()", "Return the size of the deque in memory, in bytes.", |_, a| {
        Ok((216 + 8 * a.this::<Deque>().items.lock().capacity()).into())
    }),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];
static GETSET: &[GetSet] =
    &[getter("maxlen", "maximum size of a deque or None if unbounded", |_, v| Ok(this(v).maxlen_value()))];

impl Deque {
    pub fn len(&self) -> usize {
        self.items.lock().len()
    }
    pub fn get(&self, i: usize) -> Option<Value> {
        self.items.lock().get(i).cloned()
    }
    pub fn state(&self) -> u64 {
        self.state.load(Relaxed)
    }
    fn changed(&self) {
        self.state.fetch_add(1, Relaxed);
    }
    fn maxlen(&self) -> Option<usize> {
        usize::try_from(self.maxlen.load(Relaxed)).ok()
    }
    fn maxlen_value(&self) -> Value {
        self.maxlen().into()
    }
    fn with_maxlen(maxlen: isize) -> Deque {
        Deque { items: Locked::default(), maxlen: AtomicIsize::new(maxlen), state: AtomicU64::new(0) }
    }
    fn to_vec(&self) -> Vec<Value> {
        self.items.lock().iter().cloned().collect()
    }
    /// Adds at one end; a full deque loses the item at the other.
    fn push(&self, th: &mut Thread, v: Value, left: bool) -> PyResult<()> {
        let mut items = self.items.lock();
        if items.try_reserve(1).is_err() {
            drop(items);
            return Err(memory_error(th));
        }
        let full = self.maxlen().is_some_and(|max| items.len() >= max);
        let lost = if left {
            items.push_front(v);
            if full { items.pop_back() } else { None }
        } else {
            items.push_back(v);
            if full { items.pop_front() } else { None }
        };
        drop(items);
        self.changed();
        drop(lost);
        Ok(())
    }
}

fn this(v: &Value) -> &Deque {
    v.downcast_ref().expect("the slot belongs to deque")
}

fn new(_: &mut Thread, cls: &Ref<Type>, _: &Args<'_>) -> PyResult<Value> {
    Ok(Ref::with_class(Deque::with_maxlen(-1), cls.object()).into())
}

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(iterable=(), maxlen=None)");
    let b = SIG.bind(th, "deque", "deque", args, 0)?;
    let a = b.args();
    let maxlen = match a.opt_not_none(1) {
        None => -1,
        Some(max) => match state_arg(th, max)? {
            max if max < 0 => return Err(value_error(th, "maxlen must be non-negative")),
            max => max,
        },
    };
    let d = this(v);
    d.maxlen.store(maxlen, Relaxed);
    clear_items(d);
    match a.opt(0) {
        Some(iterable) => extend(th, v, iterable, false),
        None => Ok(()),
    }
}

fn clear_items(d: &Deque) {
    let old = std::mem::take(&mut *d.items.lock());
    if !old.is_empty() {
        d.changed();
    }
}

pub fn extend(th: &mut Thread, v: &Value, iterable: &Value, left: bool) -> PyResult<()> {
    let d = this(v);
    if iterable.is(v) {
        for item in d.to_vec() {
            d.push(th, item, left)?;
        }
        return Ok(());
    }
    let it = iter::iter(th, iterable)?;
    while let Some(item) = iter::next(th, &it)? {
        if d.maxlen() != Some(0) {
            d.push(th, item, left)?;
        }
    }
    Ok(())
}

fn deque_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    repr::with_repr(th, v, "[...]", |th| {
        let list = List::new(iter::collect(th, v)?).into_value();
        let mut out = StrBuilder::new();
        out.push_text(&v.class().name());
        out.push_text("(");
        out.push_str(&*repr::repr(th, &list)?);
        if let Some(max) = this(v).maxlen() {
            out.push_text(&format!(", maxlen={max}"));
        }
        out.push_text(")");
        Ok(out.finish().into())
    })
}

fn richcompare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(x), Some(y)) = (a.downcast_ref::<Deque>(), b.downcast_ref::<Deque>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    match op {
        CmpOp::Eq if a.is(b) => return Ok(Value::TRUE),
        CmpOp::Ne if a.is(b) => return Ok(Value::FALSE),
        CmpOp::Eq | CmpOp::Ne if x.len() != y.len() => return Ok(Value::bool(op == CmpOp::Ne)),
        _ => {}
    }
    let (left, right) = (iter::iter(th, a)?, iter::iter(th, b)?);
    loop {
        let p = iter::next(th, &left)?;
        let q = iter::next(th, &right)?;
        match (p, q) {
            (Some(p), Some(q)) => {
                if !compare::compare_bool(th, &p, &q, CmpOp::Eq)? {
                    return match op {
                        CmpOp::Eq => Ok(Value::FALSE),
                        CmpOp::Ne => Ok(Value::TRUE),
                        _ => compare::compare_bool(th, &p, &q, op).map(Value::bool),
                    };
                }
            }
            (p, q) => return Ok(Value::bool(op.of(p.is_some().cmp(&q.is_some())))),
        }
    }
}

fn copy(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let d = this(v);
    if v.is_exact(&DEQUE) {
        let made = Deque::with_maxlen(d.maxlen.load(Relaxed));
        *made.items.lock() = d.items.lock().clone();
        return Ok(Ref::new(made).into());
    }
    let class = v.class_ref().into_value();
    let made = match d.maxlen() {
        None => call::call(th, &class, std::slice::from_ref(v))?,
        Some(max) => call::call(th, &class, &[v.clone(), max.into()])?,
    };
    if made.is_instance(&DEQUE) {
        return Ok(made);
    }
    let message = format!("{}() must return a deque, not {}", v.class().name(), made.class().name());
    Err(type_error(th, message))
}
fn copy_method(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    copy(th, &a[0])
}

fn concat(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if !b.is_instance(&DEQUE) {
        let message = format!("can only concatenate deque (not \"{}\") to deque", b.class().name());
        return Err(type_error(th, message));
    }
    let made = copy(th, a)?;
    extend(th, &made, b, false)?;
    Ok(made)
}
fn inplace_concat(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    extend(th, a, b, false)?;
    Ok(a.clone())
}

fn repeat(th: &mut Thread, v: &Value, n: isize) -> PyResult<Value> {
    let made = copy(th, v)?;
    inplace_repeat(th, &made, n)
}
fn inplace_repeat(th: &mut Thread, v: &Value, n: isize) -> PyResult<Value> {
    let d = this(v);
    let items = d.to_vec();
    if n <= 0 {
        clear_items(d);
        return Ok(v.clone());
    }
    if n == 1 || items.is_empty() {
        return Ok(v.clone());
    }
    // What a bounded deque would drop again is not built at all.
    let rounds = match d.maxlen() {
        Some(max) => (n as usize).min(max.div_ceil(items.len()) + 1),
        None => n as usize,
    };
    let room = items.len().checked_mul(rounds - 1).is_some_and(|more| d.items.lock().try_reserve(more).is_ok());
    if !room {
        return Err(memory_error(th));
    }
    for _ in 1..rounds {
        for item in &items {
            d.push(th, item.clone(), false)?;
        }
    }
    Ok(v.clone())
}

fn out_of_range(th: &mut Thread) -> krait_object::Raised {
    index_error(th, "deque index out of range")
}

fn item(th: &mut Thread, v: &Value, i: isize) -> PyResult<Value> {
    match usize::try_from(i).ok().and_then(|i| this(v).get(i)) {
        Some(item) => Ok(item),
        None => Err(out_of_range(th)),
    }
}
fn set_item(th: &mut Thread, v: &Value, i: isize, value: Option<&Value>) -> PyResult<()> {
    let d = this(v);
    let mut items = d.items.lock();
    let at = usize::try_from(i).ok().filter(|&i| i < items.len());
    let old = match (at, value) {
        (Some(i), Some(new)) => Some(std::mem::replace(&mut items[i], new.clone())),
        (Some(i), None) => {
            d.changed();
            items.remove(i)
        }
        (None, _) => None,
    };
    drop(items);
    match old {
        Some(_) => Ok(()),
        None => Err(out_of_range(th)),
    }
}

/// The place of the first item equal to `value` in `from..to`; changes during the search are refused.
fn find(th: &mut Thread, d: &Deque, value: &Value, from: usize, to: usize) -> PyResult<Option<usize>> {
    let state = d.state();
    for i in from..to {
        let Some(item) = d.get(i) else { break };
        if compare::eq(th, &item, value)? {
            return Ok(Some(i));
        }
        if d.state() != state {
            return Err(runtime_error(th, "deque mutated during iteration"));
        }
    }
    Ok(None)
}

fn contains(th: &mut Thread, v: &Value, value: &Value) -> PyResult<bool> {
    Ok(find(th, this(v), value, 0, this(v).len())?.is_some())
}

fn count(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let d = a.this::<Deque>();
    let (mut n, mut from) = (0usize, 0);
    let state = d.state();
    while let Some(i) = find(th, d, &a[1], from, d.len())? {
        if d.state() != state {
            return Err(runtime_error(th, "deque mutated during iteration"));
        }
        n += 1;
        from = i + 1;
    }
    Ok(n.into())
}

fn not_found(th: &mut Thread, value: &Value) -> PyResult<Value> {
    let shown = repr::repr(th, value)?;
    Err(value_error(th, format!("{} is not in deque", &*shown)))
}

fn index(th: &mut Thread, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(value, start=0, stop=sys.maxsize, /)");
    let b = SIG.bind(th, "index", "deque.index", args, 1)?;
    let a = b.args();
    let start = search_bound(th, a.opt(2), 0)?;
    let stop = search_bound(th, a.opt(3), isize::MAX)?;
    let d = a.this::<Deque>();
    let n = d.len() as isize;
    let clip = |i: isize| if i < 0 { i.saturating_add(n).max(0) } else { i.min(n) } as usize;
    match find(th, d, &a[1], clip(start), clip(stop))? {
        Some(i) => Ok(i.into()),
        None => not_found(th, &a[1]),
    }
}

fn remove(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let d = a.this::<Deque>();
    let (state, n) = (d.state(), d.len());
    for i in 0..n {
        let Some(item) = d.get(i) else { break };
        let same = compare::eq(th, &item, &a[1])?;
        if d.state() != state {
            return Err(index_error(th, "deque mutated during remove()."));
        }
        if same {
            let old = d.items.lock().remove(i);
            d.changed();
            drop(old);
            return Ok(Value::NONE);
        }
    }
    not_found(th, &a[1])
}

fn append(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let d = a.this::<Deque>();
    if d.maxlen() != Some(0) {
        d.push(th, a[1].clone(), false)?;
    }
    Ok(Value::NONE)
}
fn appendleft(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let d = a.this::<Deque>();
    if d.maxlen() != Some(0) {
        d.push(th, a[1].clone(), true)?;
    }
    Ok(Value::NONE)
}
fn clear(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    clear_items(a.this::<Deque>());
    Ok(Value::NONE)
}

fn taken(th: &mut Thread, d: &Deque, item: Option<Value>) -> PyResult<Value> {
    match item {
        Some(v) => {
            d.changed();
            Ok(v)
        }
        None => Err(index_error(th, "pop from an empty deque")),
    }
}
fn pop(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let d = a.this::<Deque>();
    let item = d.items.lock().pop_back();
    taken(th, d, item)
}
fn popleft(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let d = a.this::<Deque>();
    let item = d.items.lock().pop_front();
    taken(th, d, item)
}

fn insert(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let at = number::to_isize(th, &a[1])?;
    let d = a.this::<Deque>();
    let n = d.len();
    if d.maxlen() == Some(n) {
        return Err(index_error(th, "deque already at its maximum size"));
    }
    let at = match position(at, n) {
        Some(at) => at,
        None if at < 0 => 0,
        None => n,
    };
    d.items.lock().insert(at, a[2].clone());
    d.changed();
    Ok(Value::NONE)
}

fn reverse(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    a.this::<Deque>().items.lock().make_contiguous().reverse();
    Ok(Value::NONE)
}

fn rotate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let n = match a.opt(1) {
        Some(n) => number::to_isize(th, n)?,
        None => 1,
    };
    let d = a.this::<Deque>();
    let mut items = d.items.lock();
    if items.len() > 1 {
        let by = n.rem_euclid(items.len() as isize) as usize;
        items.rotate_right(by);
        d.changed();
    }
    Ok(Value::NONE)
}

/// `(type(self), ((), maxlen), state, iterator)`.
fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let state = attr::call_method(th, &a[0], "__getstate__", &[])?;
    let it = iter::iter(th, &a[0])?;
    let args = match a.this::<Deque>().maxlen() {
        None => Tuple::empty(),
        Some(max) => Tuple::of([Tuple::empty().into(), max.into()]),
    };
    Ok(Tuple::of([a[0].class_ref().into(), args.into(), state, it]).into())
}
