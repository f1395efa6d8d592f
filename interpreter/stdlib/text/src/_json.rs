//! `_json`: the accelerator behind the package `json`.
//!
//! `text` knows of characters only, `scanner` and `encoder` are the two types. CPython counterpart: `Modules/_json.c`.

mod encoder;
mod scanner;
mod text;

use krait_object::native::function;
use krait_object::{
    Args, Method, ModuleDef, PyResult, Raised, Ref, Str, StrBuilder, StrData, Thread, Tuple, Value, ValueCell,
};
use krait_runtime::errors::{raise_value, type_error, value_error};
use krait_runtime::import::import_module;
use krait_runtime::protocol::{attr, call, compare, number};
use krait_runtime::types::type_::ready::ready_class;

use text::{Fault, Scanned, scan_string};

pub static MODULE: ModuleDef =
    ModuleDef { doc: "Fast parts of json.", functions: FUNCTIONS, init: Some(init), ..ModuleDef::new("_json") };

static FUNCTIONS: &[Method] = &[
    function("encode_basestring_ascii", "(string, /)", "The string as JSON writes it, in ASCII only.", |th, a| {
        escaped(th, a, true)
    }),
    function("encode_basestring", "(string, /)", "The string as JSON writes it.", |th, a| escaped(th, a, false)),
    function(
        "scanstring",
        "(string, end, strict=True, /)",
        "Read the JSON string whose opening quote stands before end.\n\nReturns the string and the place behind its closing quote. Control characters are refused if strict.",
        scanstring,
    ),
];

/// The functions that an encoder may be told to use, which it then need not call.
#[derive(Default)]
pub struct Escapers {
    ascii: ValueCell,
    unicode: ValueCell,
}

impl Escapers {
    /// Whether `f` is one of them, and then whether it escapes what is not ASCII.
    pub fn find(th: &Thread, f: &Value) -> Option<bool> {
        let known = th.interp.extension::<Escapers>();
        if known.ascii.bits() == f.bits() {
            return Some(true);
        }
        (known.unicode.bits() == f.bits()).then_some(false)
    }
}

fn init(th: &mut Thread, module: &Value) -> PyResult<()> {
    ready_class(th, &scanner::DEF);
    ready_class(th, &encoder::DEF);
    attr::set_text(th, module, "make_scanner", &scanner::SCANNER.to_value())?;
    attr::set_text(th, module, "make_encoder", &encoder::ENCODER.to_value())?;
    let ascii = attr::get_text(th, module, "encode_basestring_ascii")?;
    let unicode = attr::get_text(th, module, "encode_basestring")?;
    let known = th.interp.extension::<Escapers>();
    known.ascii.set(Some(ascii));
    known.unicode.set(Some(unicode));
    Ok(())
}

fn expect_str(th: &mut Thread, v: &Value) -> PyResult<Ref<Str>> {
    match v.to_ref::<Str>() {
        Some(s) => Ok(s),
        None => {
            let name = v.class().name();
            Err(type_error(th, format!("first argument must be a string, not {name:.80}")))
        }
    }
}

fn escaped(th: &mut Thread, a: &Args<'_>, ascii: bool) -> PyResult<Value> {
    let s = expect_str(th, &a[0])?;
    let mut out = StrBuilder::with_capacity(s.len() + 2);
    text::push_string(&s, ascii, &mut out);
    Ok(out.finish().into())
}

fn scanstring(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let end = number::index_isize(th, &a[1])?;
    let strict = a.opt(2).map_or(Ok(true), |v| compare::truth(th, v))?;
    let s = expect_str(th, &a[0])?;
    let Some(begin) = usize::try_from(end).ok().filter(|&i| i <= s.len()) else {
        return Err(value_error(th, "end is out of bounds"));
    };
    let (string, end) = match s.data() {
        StrData::Ascii(text) | StrData::Latin1(text) => string_at(th, &s, text, begin, strict),
        StrData::Ucs2(text) => string_at(th, &s, text, begin, strict),
        StrData::Ucs4(text) => string_at(th, &s, text, begin, strict),
    }?;
    Ok(Tuple::from_vec(vec![string.into(), end.into()]).into())
}

/// The JSON string at `begin`, as a string, and the place behind it.
fn string_at<C: text::Unit>(
    th: &mut Thread,
    whole: &Ref<Str>,
    text: &[C],
    begin: usize,
    strict: bool,
) -> PyResult<(Ref<Str>, usize)> {
    match scan_string(text, begin, strict) {
        Ok((Scanned::Plain { from, to }, end)) => Ok((whole.slice(from, to), end)),
        Ok((Scanned::Unescaped(out), end)) => Ok((out.finish(), end)),
        Err(fault) => Err(decode_error(th, fault, whole)),
    }
}

/// Raises `json.decoder.JSONDecodeError`.
fn decode_error(th: &mut Thread, Fault(message, place): Fault, whole: &Ref<Str>) -> Raised {
    let made = import_module(th, "json.decoder")
        .and_then(|decoder| attr::get_text(th, &decoder, "JSONDecodeError"))
        .and_then(|class| call::call(th, &class, &[Value::str(message), whole.to_value(), place.into()]));
    match made {
        Ok(error) => raise_value(th, error),
        Err(raised) => raised,
    }
}
