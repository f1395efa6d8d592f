//! Iterators made of a function and an iterable: `dropwhile`, `takewhile`, `filterfalse`, `starmap`.
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::{BOOL, OBJECT};
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::protocol::{call, compare, iter};
use krait_runtime::types::iterators::self_iter;

use super::{positional, reduced, reduced_with_state, warn_pickle};

macro_rules! pair_types {
    ($($payload:ident $class:ident $layout:ident $def:ident $name:literal $sig:literal $doc:literal $methods:ident $next:ident;)*) => { $(
        #[derive(Trace, Payload)]
        #[payload(class = $class)]
        pub struct $payload {
            function: Value,
            iterator: Value,
            /// dropwhile: items pass; takewhile: no more items.
            switched: AtomicBool,
        }
        static $layout: VTable = VTable::of::<$payload>();
        pub static $class: TypeObject = TypeObject::builtin($name, Some(&OBJECT), &$layout);
        pub static $def: ClassDef = ClassDef {
            module: "itertools",
            doc: $doc,
            sig: $sig,
            methods: $methods,
            slots: SlotDefs {
                new: Some(|th, cls, args| {
                    let (function, iterator) = operands(th, cls, &$class, args)?;
                    let payload = $payload { function, iterator, switched: AtomicBool::new(false) };
                    Ok(Ref::with_class(payload, cls.object()).into())
                }),
                iter: Some(self_iter),
                next: Some(|th, v| {
                    let s: &$payload = v.downcast_ref().expect("the slot belongs to this type");
                    $next(th, &s.function, &s.iterator, &s.switched)
                }),
                ..SlotDefs::EMPTY
            },
            flags: type_flag::BASE | type_flag::HAVE_GC,
            ..ClassDef::new(&$class)
        };
    )* };
}

pair_types! {
    DropWhile DROPWHILE DROPWHILE_LAYOUT DROPWHILE_DEF "dropwhile" "(predicate, iterable, /)"
        "Drop items from the iterable while predicate(item) is true.\n\nAfterwards, return every element until the iterable is exhausted."
        DROPWHILE_METHODS drop_next;
    TakeWhile TAKEWHILE TAKEWHILE_LAYOUT TAKEWHILE_DEF "takewhile" "(predicate, iterable, /)"
        "Return successive entries from an iterable as long as the predicate evaluates to true for each entry."
        TAKEWHILE_METHODS take_next;
    FilterFalse FILTERFALSE FILTERFALSE_LAYOUT FILTERFALSE_DEF "filterfalse" "(function, iterable, /)"
        "Return those items of iterable for which function(item) is false.\n\nIf function is None, return the items that are false."
        FILTERFALSE_METHODS filter_next;
    StarMap STARMAP STARMAP_LAYOUT STARMAP_DEF "starmap" "(function, iterable, /)"
        "Return an iterator whose values are returned from the function evaluated with an argument tuple taken from the given sequence."
        STARMAP_METHODS star_next;
}

fn operands(th: &mut Thread, cls: &Ref<Type>, base: &'static TypeObject, args: &Args<'_>) -> PyResult<(Value, Value)> {
    let given = positional(th, cls, base, args, 2, 2)?;
    let iterator = iter::iter(th, &given[1])?;
    Ok((given[0].clone(), iterator))
}

macro_rules! switched_methods {
    ($name:ident $payload:ident) => {
        static $name: &[Method] = &[
            method("__reduce__", "()", "Return state information for pickling.", |th, a| {
                warn_pickle(th)?;
                let s = a.this::<$payload>();
                let state = s.switched.load(Relaxed).into();
                Ok(reduced_with_state(&a[0], [s.function.clone(), s.iterator.clone()], state))
            }),
            method("__setstate__", "(object, /)", "Set state information for unpickling.", |th, a| {
                warn_pickle(th)?;
                let state = compare::truth(th, &a[1])?;
                a.this::<$payload>().switched.store(state, Relaxed);
                Ok(Value::NONE)
            }),
        ];
    };
}
switched_methods!(DROPWHILE_METHODS DropWhile);
switched_methods!(TAKEWHILE_METHODS TakeWhile);

static FILTERFALSE_METHODS: &[Method] =
    &[method("__reduce__", "()", "Return state information for pickling.", |th, a| {
        warn_pickle(th)?;
        let s = a.this::<FilterFalse>();
        Ok(reduced(&a[0], [s.function.clone(), s.iterator.clone()]))
    })];
static STARMAP_METHODS: &[Method] = &[method("__reduce__", "()", "Return state information for pickling.", |th, a| {
    warn_pickle(th)?;
    let s = a.this::<StarMap>();
    Ok(reduced(&a[0], [s.function.clone(), s.iterator.clone()]))
})];

fn holds(th: &mut Thread, function: &Value, item: &Value) -> PyResult<bool> {
    let answer = call::call(th, function, std::slice::from_ref(item))?;
    compare::truth(th, &answer)
}

fn drop_next(th: &mut Thread, function: &Value, it: &Value, passing: &AtomicBool) -> PyResult<Option<Value>> {
    while let Some(item) = iter::next(th, it)? {
        if passing.load(Relaxed) || !holds(th, function, &item)? {
            passing.store(true, Relaxed);
            return Ok(Some(item));
        }
    }
    Ok(None)
}

fn take_next(th: &mut Thread, function: &Value, it: &Value, stopped: &AtomicBool) -> PyResult<Option<Value>> {
    if stopped.load(Relaxed) {
        return Ok(None);
    }
    let Some(item) = iter::next(th, it)? else { return Ok(None) };
    if holds(th, function, &item)? {
        return Ok(Some(item));
    }
    stopped.store(true, Relaxed);
    Ok(None)
}

fn filter_next(th: &mut Thread, function: &Value, it: &Value, _: &AtomicBool) -> PyResult<Option<Value>> {
    let plain = function.is_none() || function.bits() == BOOL.to_value().bits();
    while let Some(item) = iter::next(th, it)? {
        let good = if plain { compare::truth(th, &item)? } else { holds(th, function, &item)? };
        if !good {
            return Ok(Some(item));
        }
    }
    Ok(None)
}

fn star_next(th: &mut Thread, function: &Value, it: &Value, _: &AtomicBool) -> PyResult<Option<Value>> {
    let Some(args) = iter::next(th, it)? else { return Ok(None) };
    if let Some(t) = args.downcast_exact::<Tuple>() {
        return call::call(th, function, t).map(Some);
    }
    let args = iter::collect(th, &args)?;
    call::call(th, function, &args).map(Some)
}
