//! Arguments to Rust values, with the TypeErrors that CPython's argument clinic words.
use krait_object::{Bytes, PyResult, Raised, Ref, Str, Thread, Value};

use crate::errors::{type_error, value_error};
use crate::protocol::{attr, buffer, call};

/// "replace() argument 1 must be str, not int".
pub fn wrong_type(th: &mut Thread, function: &str, argument: &str, wanted: &str, v: &Value) -> Raised {
    let given = if v.is_none() { "None".into() } else { v.class().name().to_string() };
    type_error(th, format!("{function}() {argument} must be {wanted}, not {given}"))
}
/// A `str` argument.
pub fn expect_str(th: &mut Thread, v: &Value, function: &str, argument: &str) -> PyResult<Ref<Str>> {
    v.to_ref::<Str>().ok_or_else(|| wrong_type(th, function, argument, "str", v))
}
/// A `str` argument as Rust text; surrogates are refused.
pub fn expect_text(th: &mut Thread, v: &Value, function: &str, argument: &str) -> PyResult<String> {
    let s = expect_str(th, v, function, argument)?;
    match s.to_utf8() {
        Some(t) => Ok(t.into_owned()),
        None => Err(crate::errors::surrogates_not_allowed(th, &s)),
    }
}
/// `os.fspath(v)`: a `str` or `bytes`.
pub fn fspath(th: &mut Thread, v: &Value) -> PyResult<Value> {
    if v.downcast_ref::<Str>().is_some() || v.downcast_ref::<Bytes>().is_some() {
        return Ok(v.clone());
    }
    let Some(f) = attr::lookup_special(th, v, "__fspath__")?.filter(|f| !f.is_none()) else {
        let class = v.class().name();
        return Err(type_error(th, format!("expected str, bytes or os.PathLike object, not {class}")));
    };
    let path = call::call(th, &f, &[])?;
    if path.downcast_ref::<Str>().is_some() || path.downcast_ref::<Bytes>().is_some() {
        return Ok(path);
    }
    let (class, given) = (v.class().name(), path.class().name());
    Err(type_error(th, format!("expected {class}.__fspath__() to return str or bytes, not {given}")))
}
/// File system bytes as text: undecodable bytes become surrogates (PEP 383).
pub fn fs_decode(bytes: &[u8]) -> Ref<Str> {
    match std::str::from_utf8(bytes) {
        Ok(s) => Str::new(s),
        Err(_) => {
            let mut points = Vec::with_capacity(bytes.len());
            for chunk in bytes.utf8_chunks() {
                points.extend(chunk.valid().chars().map(u32::from));
                points.extend(chunk.invalid().iter().map(|&b| 0xDC00 + u32::from(b)));
            }
            Str::from_points(&points)
        }
    }
}
/// Text as file system bytes; escaped bytes come back, other surrogates are refused (`None`).
pub fn fs_encode(s: &Str) -> Option<Vec<u8>> {
    if let Some(t) = s.as_ascii() {
        return Some(t.as_bytes().to_vec());
    }
    let mut out = Vec::with_capacity(s.len() * 2);
    for c in s.iter() {
        match c {
            0xDC80..=0xDCFF => out.push((c - 0xDC00) as u8),
            _ => out.extend_from_slice(char::from_u32(c)?.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Some(out)
}
/// A path argument as file system bytes. NUL bytes are refused.
pub fn path_bytes(th: &mut Thread, v: &Value) -> PyResult<Vec<u8>> {
    let path = fspath(th, v)?;
    let bytes = match (path.downcast_ref::<Str>(), path.downcast_ref::<Bytes>()) {
        (Some(s), _) => match fs_encode(s) {
            Some(b) => b,
            None => {
                let s = path.to_ref::<Str>().unwrap_or_else(Str::empty);
                return Err(crate::errors::surrogates_not_allowed(th, &s));
            }
        },
        (None, Some(b)) => b.to_vec(),
        (None, None) => Vec::new(),
    };
    if bytes.contains(&0) {
        return Err(value_error(th, "embedded null byte"));
    }
    Ok(bytes)
}
/// A file name argument as text (`PyUnicode_FSDecoder`).
pub fn fs_text(th: &mut Thread, v: &Value, _function: &str) -> PyResult<String> {
    let path = fspath(th, v)?;
    let text = match (path.downcast_ref::<Str>(), path.downcast_ref::<Bytes>()) {
        (Some(s), _) => String::from_utf8_lossy(&s.to_wtf8()).into_owned(),
        (None, Some(b)) => fs_decode(b).to_string_lossy().into_owned(),
        (None, None) => String::new(),
    };
    if text.contains('\0') {
        return Err(value_error(th, "embedded null character"));
    }
    Ok(text)
}
/// Source text for `eval` without its leading spaces and tabs.
pub fn skip_leading_space(th: &mut Thread, v: &Value) -> PyResult<Value> {
    if let Some(s) = v.downcast_ref::<Str>() {
        let n = s.iter().take_while(|&c| c == 32 || c == 9).count();
        return Ok(if n == 0 { v.clone() } else { s.slice(n, s.len()).into() });
    }
    let bytes = buffer::bytes_like(th, v)?;
    let n = bytes.iter().take_while(|&&c| c == 32 || c == 9).count();
    Ok(Bytes::new(&bytes[n..]).into())
}
