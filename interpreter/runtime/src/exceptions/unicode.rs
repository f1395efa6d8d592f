//! UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError. CPython: `Unicode*Error_*` of `Objects/exceptions.c`.
use std::sync::atomic::Ordering::Relaxed;

use krait_object::{Tuple, Value};

use super as exc;

macro_rules! fill {
    ($value:expr, $payload:ident, $encoding:expr, $object:expr, $start:expr, $end:expr, $reason:expr) => {
        if let Some(p) = $value.downcast_ref::<exc::$payload>() {
            p.encoding.set($encoding);
            p.object.set(Some($object));
            p.start.store($start, Relaxed);
            p.end.store($end, Relaxed);
            p.reason.set(Some($reason));
        }
    };
}

/// A new UnicodeDecodeError; `object` is a `bytes`.
pub fn new_decode_error(encoding: &str, object: Value, start: isize, end: isize, reason: &str) -> Value {
    let (encoding, reason): (Value, Value) = (encoding.into(), reason.into());
    let args = [encoding.clone(), object.clone(), (start as i64).into(), (end as i64).into(), reason.clone()];
    let e = exc::allocate(&exc::UNICODE_DECODE_ERROR, Tuple::new(args));
    fill!(e, UnicodeDecodeError, Some(encoding), object, start, end, reason);
    e
}
/// A new UnicodeEncodeError; `object` is a `str`.
pub fn new_encode_error(encoding: &str, object: Value, start: isize, end: isize, reason: &str) -> Value {
    let (encoding, reason): (Value, Value) = (encoding.into(), reason.into());
    let args = [encoding.clone(), object.clone(), (start as i64).into(), (end as i64).into(), reason.clone()];
    let e = exc::allocate(&exc::UNICODE_ENCODE_ERROR, Tuple::new(args));
    fill!(e, UnicodeEncodeError, Some(encoding), object, start, end, reason);
    e
}
/// A new UnicodeTranslateError; `object` is a `str`.
pub fn new_translate_error(object: Value, start: isize, end: isize, reason: &str) -> Value {
    let reason: Value = reason.into();
    let args = [object.clone(), (start as i64).into(), (end as i64).into(), reason.clone()];
    let e = exc::allocate(&exc::UNICODE_TRANSLATE_ERROR, Tuple::new(args));
    fill!(e, UnicodeTranslateError, None, object, start, end, reason);
    e
}
