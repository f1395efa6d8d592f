//! The six iterators of `dict`: keys, values and items, forward and reverse. CPython: `Objects/dictobject.c` (dictiter).
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, Dict, List, Method, PyResult, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value, ValueCell,
    type_flag,
};

use crate::errors::runtime_error;
use crate::types::iterators::{builtin, self_iter};

/// Where an iteration stands.
#[derive(Trace)]
pub struct Cursor {
    /// Given up at the end.
    pub dict: ValueCell,
    /// Forward: the next place to look at. Reverse: the place after the next.
    pub place: AtomicUsize,
    /// The dict's length at the start; `usize::MAX` after a change of it was seen.
    used: AtomicUsize,
    /// Items not yet delivered.
    left: AtomicUsize,
}

impl Cursor {
    fn new(dict: &Value, reverse: bool) -> Cursor {
        let n = dict.downcast_ref::<Dict>().map_or(0, Dict::len);
        Cursor {
            dict: ValueCell::new(Some(dict.clone())),
            place: AtomicUsize::new(if reverse { usize::MAX } else { 0 }),
            used: AtomicUsize::new(n),
            left: AtomicUsize::new(n),
        }
    }
    /// The same position in an iterator of its own.
    fn fork(&self) -> Cursor {
        Cursor {
            dict: ValueCell::new(self.dict.get()),
            place: AtomicUsize::new(self.place.load(Relaxed)),
            used: AtomicUsize::new(self.used.load(Relaxed)),
            left: AtomicUsize::new(self.left.load(Relaxed)),
        }
    }
    /// The next entry forward of an exact dict that is as long as it was at the start.
    #[inline(always)]
    fn step(&self) -> Option<(Value, Value)> {
        let left = self.left.load(Relaxed);
        if left == 0 {
            return None;
        }
        let (place, key, value) = self.dict.dict_step(self.place.load(Relaxed), self.used.load(Relaxed))?;
        self.left.store(left - 1, Relaxed);
        self.place.store(place, Relaxed);
        Some((key, value))
    }
    fn next(&self, th: &mut Thread, reverse: bool) -> PyResult<Option<(Value, Value)>> {
        if !reverse && let Some(entry) = self.step() {
            return Ok(Some(entry));
        }
        let Some(held) = self.dict.get() else { return Ok(None) };
        let Some(dict) = held.downcast_ref::<Dict>() else { return Ok(None) };
        if self.used.load(Relaxed) != dict.len() {
            self.used.store(usize::MAX, Relaxed);
            return Err(runtime_error(th, "dictionary changed size during iteration"));
        }
        let place = self.place.load(Relaxed);
        let entry = if reverse { dict.prev_entry(place) } else { dict.next_entry(place) };
        let Some((place, key, value)) = entry else {
            self.dict.set(None);
            return Ok(None);
        };
        let left = self.left.load(Relaxed);
        if left == 0 && !reverse {
            self.dict.set(None);
            return Err(runtime_error(th, "dictionary keys changed during iteration"));
        }
        self.left.store(left.saturating_sub(1), Relaxed);
        self.place.store(place, Relaxed);
        Ok(Some((key, value)))
    }
    fn length_hint(&self) -> usize {
        let same = self
            .dict
            .get()
            .is_some_and(|d| d.downcast_ref::<Dict>().is_some_and(|d| d.len() == self.used.load(Relaxed)));
        if same { self.left.load(Relaxed) } else { 0 }
    }
}

/// `(iter, ([items left],))`.
fn reduced(th: &mut Thread, cursor: &Cursor, reverse: bool, pick: fn((Value, Value)) -> Value) -> PyResult<Value> {
    let fork = cursor.fork();
    let mut items = Vec::new();
    while let Some(entry) = fork.next(th, reverse)? {
        items.push(pick(entry));
    }
    let iter = builtin(th, "iter")?;
    Ok(Tuple::of([iter, Tuple::of([List::new(items).into()]).into()]).into())
}

macro_rules! dict_iterators {
    ($($payload:ident $class:ident $layout:ident $def:ident $name:literal, $make:ident, $reverse:literal, $pick:expr;)*) => { $(
        #[derive(Trace, Payload)]
        #[payload(class = $class)]
        pub struct $payload(pub Cursor);
        static $layout: VTable = VTable::of::<$payload>();
        pub static $class: TypeObject = TypeObject::builtin($name, Some(&OBJECT), &$layout);
        pub static $def: ClassDef = ClassDef {
            methods: {
                const METHODS: &[Method] = &[
                    method("__length_hint__", "()", "An estimate of the items left.", |_, a: &Args<'_>| {
                        Ok(a.this::<$payload>().0.length_hint().into())
                    }),
                    method("__reduce__", "()", "Return state information for pickling.", |th, a: &Args<'_>| {
                        reduced(th, &a.this::<$payload>().0, $reverse, $pick)
                    }),
                ];
                METHODS
            },
            slots: SlotDefs {
                iter: Some(self_iter),
                next: Some(|th, v| {
                    let it: &$payload = v.downcast_ref().expect("the slot belongs to this iterator");
                    Ok(it.0.next(th, $reverse)?.map($pick))
                }),
                ..SlotDefs::EMPTY
            },
            flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
            ..ClassDef::new(&$class)
        };
        pub fn $make(dict: &Value) -> Value {
            Ref::new($payload(Cursor::new(dict, $reverse))).into()
        }
    )* };
}

fn key((key, _): (Value, Value)) -> Value {
    key
}
fn value((_, value): (Value, Value)) -> Value {
    value
}
fn item((key, value): (Value, Value)) -> Value {
    Tuple::of([key, value]).into()
}

dict_iterators! {
    KeyIter DICT_KEY_ITERATOR KEY_LAYOUT KEY_DEF "dict_keyiterator", keys, false, key;
    ValueIter DICT_VALUE_ITERATOR VALUE_LAYOUT VALUE_DEF "dict_valueiterator", values, false, value;
    ItemIter DICT_ITEM_ITERATOR ITEM_LAYOUT ITEM_DEF "dict_itemiterator", items, false, item;
    ReverseKeyIter DICT_REVERSE_KEY_ITERATOR REVERSE_KEY_LAYOUT REVERSE_KEY_DEF "dict_reversekeyiterator", reversed_keys, true, key;
    ReverseValueIter DICT_REVERSE_VALUE_ITERATOR REVERSE_VALUE_LAYOUT REVERSE_VALUE_DEF "dict_reversevalueiterator", reversed_values, true, value;
    ReverseItemIter DICT_REVERSE_ITEM_ITERATOR REVERSE_ITEM_LAYOUT REVERSE_ITEM_DEF "dict_reverseitemiterator", reversed_items, true, item;
}

impl ItemIter {
    /// The next key and value, as long as that needs no other code.
    #[inline(always)]
    pub fn step(&self) -> Option<[Value; 2]> {
        self.0.step().map(|(key, value)| [key, value])
    }
}
/// The next key and value.
pub fn next_pair(th: &mut Thread, it: &ItemIter) -> PyResult<Option<[Value; 2]>> {
    Ok(it.0.next(th, false)?.map(|(key, value)| [key, value]))
}

/// `dict.__iter__`.
pub fn iter_keys(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(keys(v))
}
