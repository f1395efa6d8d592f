//! Tests of the object model without a runtime: encodings, reference counts, strings, the dict, the collector.
use num_bigint::BigInt;

use crate::builtin_types::*;
use crate::thread::{Hooks, install_hooks};
use crate::*;

/// One test at a time: single mode knows one thread.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn ready() -> (Thread, std::sync::MutexGuard<'static, ()>) {
    let alone = ALONE.lock().unwrap_or_else(|e| e.into_inner());
    install_hooks(Hooks {
        eq: |_, a, b| Ok(a.is(b)),
        unhashable: |th, _| Raised::set(th, Value::NONE),
        no_memory: |th| Raised::set(th, Value::NONE),
        type_error: |th, m| Raised::set(th, Value::from(m)),
        recursion: |th, _| Raised::set(th, Value::NONE),
        weakref_callback: |_, _, _| {},
    });
    for class in [&OBJECT, &TYPE, &INT, &FLOAT, &STR, &BYTES, &TUPLE, &LIST, &DICT, &SET, &FROZENSET] {
        class.ready_layout();
    }
    (Thread::new(Interpreter::new(), 8 << 20), alone)
}

#[test]
fn immediates_round_trip() {
    let _state = ready();
    for i in [0, 1, -1, 42, (1 << 49) - 1, -(1 << 49)] {
        let v = Value::int(i);
        assert!(v.is_int() && !v.is_pointer() && !v.is_float());
        assert_eq!(v.as_int(), Some(i));
    }
    for f in [0.0, -0.0, 1.5, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY] {
        let v = Value::float(f);
        assert!(v.is_float() && !v.is_int());
        assert_eq!(v.as_float().map(f64::to_bits), Some(f.to_bits()));
    }
    for v in [Value::NONE, Value::TRUE, Value::FALSE, Value::ELLIPSIS, Value::NOT_IMPLEMENTED] {
        assert!(!v.is_int() && !v.is_float() && !v.is_pointer());
    }
}

#[test]
fn numbers_beyond_the_immediates_live_on_the_heap() {
    let _state = ready();
    let big = Value::int(1 << 49);
    assert!(big.is_pointer());
    assert_eq!(big.as_int_ref().and_then(IntRef::to_i64), Some(1 << 49));
    let back: Value = (big.as_int_ref().expect("an int").to_bigint() - BigInt::from(1)).into();
    assert_eq!(back.as_int(), Some((1 << 49) - 1));
    let nan = Value::float(f64::NAN);
    assert!(nan.is_pointer() && nan.to_f64().is_some_and(f64::is_nan));
    assert!(!nan.is(&Value::float(f64::NAN)));
}

#[test]
fn references_are_counted() {
    let _state = ready();
    let list = List::new(vec![]);
    let inner = Value::str("some text that is not interned");
    assert_eq!(inner.refcount(), 1);
    list.push(inner.clone());
    assert_eq!(inner.refcount(), 2);
    drop(list);
    assert_eq!(inner.refcount(), 1);
}

#[test]
fn strings_take_the_narrowest_kind() {
    let _state = ready();
    for (text, kind) in
        [("plain", Kind::Ascii), ("caf\u{e9}", Kind::Latin1), ("\u{20ac}5", Kind::Ucs2), ("\u{1f40d}!", Kind::Ucs4)]
    {
        let s = Str::new(text);
        assert_eq!(s.kind(), kind);
        assert_eq!(s.len(), text.chars().count());
        assert_eq!(s.to_utf8().as_deref(), Some(text));
    }
    let narrowed = Str::new("\u{1f40d}abc").slice(1, 4);
    assert_eq!((narrowed.kind(), narrowed.len()), (Kind::Ascii, 3));
    let surrogate = Str::from_points(&[0xD800]);
    assert!(surrogate.to_utf8().is_none());
    assert!(Str::from_wtf8(&surrogate.to_wtf8()).equals(&surrogate));
}

#[test]
fn a_dict_keeps_order_through_deletions() {
    let (mut th, _alone) = ready();
    let d = Dict::new();
    for i in 0..1000 {
        d.set(&mut th, Value::int(i), Value::int(i * i)).expect("ints are hashable");
    }
    for i in (0..1000).filter(|i| i % 3 != 0) {
        assert!(d.remove(&mut th, &Value::int(i)).expect("ints are hashable").is_some());
    }
    let keys: Vec<i64> = d.keys().iter().filter_map(Value::as_int).collect();
    assert_eq!(keys, (0..1000).filter(|i| i % 3 == 0).collect::<Vec<_>>());
    let found = d.get(&mut th, &Value::int(999)).expect("ints are hashable");
    assert_eq!(found.and_then(|v| v.as_int()), Some(999 * 999));
    assert!(d.get(&mut th, &Value::int(1)).expect("ints are hashable").is_none());
}

#[test]
fn a_cache_of_a_dict_ends_with_its_keys() {
    let _state = ready();
    let d = Dict::new();
    let name = intern::intern("name");
    d.set_str(&name, Value::int(1));
    let (version, place) = d.cache_entry(&name).expect("versions are not exhausted");
    assert_eq!(d.cached(version, place).and_then(|v| v.as_int()), Some(1));
    d.set_text("other", Value::int(2));
    assert!(d.cached(version, place).is_none());
    assert!(d.cached(0, 0).is_none());
}

#[test]
fn a_cycle_is_collected() {
    let (mut th, _alone) = ready();
    let marker = Value::str("held by the cycle only, and not interned");
    let list = List::new(vec![marker.clone()]);
    list.push(list.to_value());
    drop(list);
    assert_eq!(marker.refcount(), 2);
    gc::collect(&mut th, 2);
    assert_eq!(marker.refcount(), 1);
}

#[test]
fn deep_structures_are_freed_without_recursion() {
    let _state = ready();
    let mut v = Value::from(List::new(vec![]));
    for _ in 0..200_000 {
        v = List::new(vec![v]).into();
    }
    drop(v);
}
