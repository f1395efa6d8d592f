//! `itertools.accumulate`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, method};
use krait_object::{
    Args, ClassDef, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, ValueCell,
    type_flag,
};
use krait_runtime::protocol::number::{self, BinaryOp};
use krait_runtime::protocol::{call, iter};
use krait_runtime::types::iterators::self_iter;

use super::{chain, class_of, islice, reduced_with_state, warn_pickle};

#[derive(Trace, Payload)]
#[payload(class = ACCUMULATE)]
pub struct Accumulate {
    iterator: Value,
    /// Empty: addition.
    function: Option<Value>,
    total: ValueCell,
    /// The start value, until it is delivered.
    initial: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Accumulate>();
pub static ACCUMULATE: TypeObject = TypeObject::builtin("accumulate", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "Return series of accumulated sums (or other binary function results).",
    sig: "(iterable, func=None, *, initial=None)",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&ACCUMULATE)
};
static METHODS: &[Method] = &[
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", |th, a| {
        warn_pickle(th)?;
        a.this::<Accumulate>().total.set(Some(a[1].clone()));
        Ok(Value::NONE)
    }),
];

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(iterable, func=None, *, initial=None)");
    let b = SIG.bind(th, "accumulate", "accumulate", args, 0)?;
    let a = b.args();
    let iterator = iter::iter(th, &a[0])?;
    let payload = Accumulate {
        iterator,
        function: a.opt_not_none(1).cloned(),
        total: ValueCell::empty(),
        initial: ValueCell::new(a.opt_not_none(2).cloned()),
    };
    Ok(Ref::with_class(payload, cls.object()).into())
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let s: &Accumulate = v.downcast_ref().expect("the slot belongs to accumulate");
    if let Some(initial) = s.initial.take() {
        s.total.set(Some(initial.clone()));
        return Ok(Some(initial));
    }
    let Some(item) = iter::next(th, &s.iterator)? else { return Ok(None) };
    let total = match s.total.get() {
        None => item,
        Some(total) => match &s.function {
            None => number::binary(th, BinaryOp::Add, &total, &item)?,
            Some(f) => call::call(th, f, &[total, item])?,
        },
    };
    s.total.set(Some(total.clone()));
    Ok(Some(total))
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let s = a.this::<Accumulate>();
    let function = s.function.clone().unwrap_or(Value::NONE);
    if let Some(initial) = s.initial.get() {
        let first = Tuple::of([initial]).into_value();
        let it = call::call(th, &class_of(&chain::CHAIN), &[first, s.iterator.clone()])?;
        return Ok(reduced_with_state(&a[0], [it, function], Value::NONE));
    }
    match s.total.get() {
        // None cannot travel as the total: it stands before the items, and is skipped.
        Some(total) if total.is_none() => {
            let first = Tuple::of([total]).into_value();
            let it = call::call(th, &class_of(&chain::CHAIN), &[first, s.iterator.clone()])?;
            let again = call::call(th, &class_of(&ACCUMULATE), &[it, function])?;
            let args = Tuple::of([again, Value::int(1), Value::NONE]);
            Ok(Tuple::of([class_of(&islice::ISLICE), args.into()]).into())
        }
        total => Ok(reduced_with_state(&a[0], [s.iterator.clone(), function], total.unwrap_or(Value::NONE))),
    }
}
