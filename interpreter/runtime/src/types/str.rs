//! The type `str`: constructor, slots, method table. The storage is `krait_object::Str`; the algorithms are in
//! `crate::text`. CPython counterpart: `Objects/unicodeobject.c`.

use krait_object::builtin_types::STR;
use krait_object::native::{Method, Sig, method, static_method};
use krait_object::{Args, ClassDef, CmpOp, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, Value, type_flag};

use crate::errors::{index_error, memory_error, overflow_error, type_error};
use crate::protocol::slice::adjust;
use crate::protocol::{number, repr as text_of};
use crate::text::{TextBuf, escape};
use crate::types::slice::Slice;

pub mod case;
pub mod format;
pub mod iterator;
pub mod percent;
pub mod search;
pub mod shape;
#[cfg(test)]
mod tests;
pub mod units;

use units::{StrUnit, fit, from_buffer, with_units};

/// `str.isidentifier`.
pub fn is_identifier(text: &Str) -> bool {
    crate::unicode::is_identifier(text.iter())
}

pub static DEFS: &[&ClassDef] = &[&DEF, &iterator::DEF, &iterator::ASCII_DEF];

pub static DEF: ClassDef = ClassDef {
    doc: "str(object='') -> str\nstr(object=b'', encoding='utf-8', errors='strict') -> str\n\n\
          Text: an immutable sequence of Unicode code points. Of any object it is what the object says of itself\n\
          (__str__, else repr()); of bytes, with an encoding or an error handler given, the decoded text.",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(repr),
        str: Some(str),
        hash: Some(hash),
        compare: Some(compare),
        iter: Some(iterator::iter),
        remainder: Some(percent::remainder),
        sq_len: Some(len),
        mp_len: Some(len),
        sq_concat: Some(concat),
        sq_repeat: Some(repeat),
        sq_item: Some(item),
        contains: Some(search::contains),
        subscript: Some(subscript),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::UNICODE_SUBCLASS | type_flag::MATCH_SELF,
    ..ClassDef::new(&STR)
};

const RANGE: &str = "(sub[, start[, end]], /)";
static METHODS: &[Method] = &[
    method("encode", "(encoding='utf-8', errors='strict')", "The text as bytes in an encoding.", encode),
    method(
        "replace",
        "(old, new, /, count=-1)",
        "A copy with occurrences of old replaced, at most count.",
        search::replace,
    ),
    method(
        "split",
        "(sep=None, maxsplit=-1)",
        "The parts between separators, or between runs of whitespace.",
        search::split,
    ),
    method("rsplit", "(sep=None, maxsplit=-1)", "As split, counting the splits from the right.", search::rsplit),
    method("join", "(iterable, /)", "The strings of an iterable with this string between them.", shape::join),
    method("capitalize", "()", "First character in title case, the rest in lower case.", case::capitalize),
    method("casefold", "()", "The text for comparisons that ignore case.", case::casefold),
    method("title", "()", "Each word with a title-case first letter, the rest in lower case.", case::title),
    method("center", "(width, fillchar=' ', /)", "Centred in a field of this width.", shape::center),
    method("count", RANGE, "How often sub occurs without overlap in [start:end].", search::count),
    method("expandtabs", "(tabsize=8)", "Tabs replaced by spaces up to the next column.", shape::expandtabs),
    method("find", RANGE, "Lowest index of sub in [start:end], or -1.", search::find),
    method(
        "partition",
        "(sep, /)",
        "What is before the first separator, the separator, and what follows.",
        search::partition,
    ),
    method("index", RANGE, "Lowest index of sub in [start:end]; ValueError if there is none.", search::index),
    method("ljust", "(width, fillchar=' ', /)", "Left-aligned in a field of this width.", shape::ljust),
    method("lower", "()", "In lower case.", case::lower),
    method(
        "lstrip",
        "(chars=None, /)",
        "Without leading whitespace, or without leading characters of chars.",
        search::lstrip,
    ),
    method("rfind", RANGE, "Highest index of sub in [start:end], or -1.", search::rfind),
    method("rindex", RANGE, "Highest index of sub in [start:end]; ValueError if there is none.", search::rindex),
    method("rjust", "(width, fillchar=' ', /)", "Right-aligned in a field of this width.", shape::rjust),
    method(
        "rstrip",
        "(chars=None, /)",
        "Without trailing whitespace, or without trailing characters of chars.",
        search::rstrip,
    ),
    method("rpartition", "(sep, /)", "As partition, at the last separator.", search::rpartition),
    method("splitlines", "(keepends=False)", "The lines, without their ends unless keepends.", search::splitlines),
    method(
        "strip",
        "(chars=None, /)",
        "Without whitespace at both ends, or without characters of chars.",
        search::strip,
    ),
    method("swapcase", "()", "Upper case to lower and the reverse.", case::swapcase),
    method(
        "translate",
        "(table, /)",
        "Each character replaced by what the table says of its code point.",
        shape::translate,
    ),
    method("upper", "()", "In upper case.", case::upper),
    method(
        "startswith",
        "(prefix[, start[, end]], /)",
        "Whether [start:end] begins with the prefix, or one of a tuple.",
        search::startswith,
    ),
    method(
        "endswith",
        "(suffix[, start[, end]], /)",
        "Whether [start:end] ends with the suffix, or one of a tuple.",
        search::endswith,
    ),
    method("removeprefix", "(prefix, /)", "Without the prefix, if it is there.", search::removeprefix),
    method("removesuffix", "(suffix, /)", "Without the suffix, if it is there.", search::removesuffix),
    method("isascii", "()", "Whether all characters are ASCII.", case::isascii),
    method("islower", "()", "Whether all cased characters are lower case and there is one.", case::islower),
    method("isupper", "()", "Whether all cased characters are upper case and there is one.", case::isupper),
    method("istitle", "()", "Whether words begin in upper case and go on in lower case.", case::istitle),
    method("isspace", "()", "Whether all characters are whitespace and there is one.", case::isspace),
    method("isdecimal", "()", "Whether all characters are decimal digits and there is one.", case::isdecimal),
    method("isdigit", "()", "Whether all characters are digits and there is one.", case::isdigit),
    method("isnumeric", "()", "Whether all characters are numeric and there is one.", case::isnumeric),
    method("isalpha", "()", "Whether all characters are letters and there is one.", case::isalpha),
    method("isalnum", "()", "Whether all characters are letters or numbers and there is one.", case::isalnum),
    method("isidentifier", "()", "Whether the text is an identifier (keywords included).", case::isidentifier),
    method("isprintable", "()", "Whether repr() would escape no character.", case::isprintable),
    method("zfill", "(width, /)", "Zeros in front up to this width, behind a sign.", shape::zfill),
    method("format", "(*args, **kwargs)", "The text with its {fields} replaced by the arguments.", format::format)
        .raw(),
    method("format_map", "(mapping, /)", "The text with its {fields} looked up in the mapping.", format::format_map),
    method("__format__", "(format_spec, /)", "The text laid out by a format spec.", format::dunder_format),
    static_method(
        "maketrans",
        "(x, y=<unrepresentable>, z=<unrepresentable>, /)",
        "A table for translate.",
        shape::maketrans,
    ),
    method("__sizeof__", "()", "Size of the object in memory, in bytes.", shape::sizeof),
    method("__getnewargs__", "()", "Arguments for unpickling.", getnewargs),
];

static NEW: Sig = Sig::new("(object='', encoding='utf-8', errors='strict')");

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    if args.names().is_empty() && args.len() > 3 {
        return Err(type_error(th, format!("str expected at most 3 arguments, got {}", args.len())));
    }
    let bound = NEW.bind(th, "str", "str", args, 0)?;
    let a = bound.args();
    // Without keywords CPython takes another way, which words the refusal of None differently.
    if cls.is(&STR) && args.names().is_empty() {
        for (index, name) in [(1, "encoding"), (2, "errors")] {
            if a.opt(index).is_some_and(Value::is_none) {
                return Err(type_error(th, format!("str() argument '{name}' must be str, not NoneType")));
            }
        }
    }
    let made = construct(th, &a)?;
    if cls.is(&STR) {
        return Ok(made);
    }
    let Some(text) = made.downcast_ref::<Str>() else { return Ok(made) };
    match text.with_class(cls.object()) {
        Some(instance) => Ok(instance.into()),
        None => Err(memory_error(th)),
    }
}

/// `str(object, encoding, errors)` before a subclass copies it.
fn construct(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let argument = |th: &mut Thread, index, name: &str| match a.opt(index) {
        Some(value) => units::c_string(th, value, &format!("str() argument '{name}'")).map(Some),
        None => Ok(None),
    };
    let encoding = argument(th, 1, "encoding")?;
    let errors = argument(th, 2, "errors")?;
    let Some(object) = a.opt(0) else { return Ok(Str::empty().into()) };
    if encoding.is_none() && errors.is_none() {
        return Ok(text_of::str(th, object)?.into());
    }
    crate::codecs::decode_object(th, object, encoding.as_deref(), errors.as_deref())
}

fn encode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let argument = |th: &mut Thread, index, name: &str| match a.opt(index) {
        Some(value) => units::c_string(th, value, &format!("encode() argument '{name}'")).map(Some),
        None => Ok(None),
    };
    let encoding = argument(th, 1, "encoding")?;
    let errors = argument(th, 2, "errors")?;
    crate::codecs::encode_text(th, &a[0], encoding.as_deref(), errors.as_deref())
}

fn getnewargs(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let text: &Str = a.this();
    Ok(Tuple::of([copy(text)]).into())
}

/// An exact `str` of the same text.
fn copy(text: &Str) -> Value {
    text.slice(0, text.len()).into()
}

fn this(value: &Value) -> &Str {
    value.downcast_ref().expect("the slot belongs to str")
}

fn repr(th: &mut Thread, value: &Value) -> PyResult<Value> {
    let made = with_units!(this(value), |units| escape::repr(units, false));
    Ok(from_buffer(&fit(th, made)?).into())
}

fn str(_: &mut Thread, value: &Value) -> PyResult<Value> {
    Ok(units::exact(value, this(value)))
}

fn hash(_: &mut Thread, value: &Value) -> PyResult<i64> {
    Ok(this(value).hash())
}

fn compare(_: &mut Thread, left: &Value, right: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(left), Some(right)) = (left.downcast_ref::<Str>(), right.downcast_ref::<Str>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    Ok(Value::bool(match op {
        CmpOp::Eq => left.equals(right),
        CmpOp::Ne => !left.equals(right),
        _ => op.of(left.order(right)),
    }))
}

fn len(_: &mut Thread, value: &Value) -> PyResult<usize> {
    Ok(this(value).len())
}

fn concat(th: &mut Thread, left: &Value, right: &Value) -> PyResult<Value> {
    let text = this(left);
    let Some(other) = right.downcast_ref::<Str>() else {
        let name = right.class().name();
        return Err(type_error(th, format!("can only concatenate str (not \"{name}\") to str")));
    };
    if other.is_empty() {
        return Ok(units::exact(left, text));
    }
    if text.is_empty() {
        return Ok(units::exact(right, other));
    }
    match text.concat(other) {
        Some(made) => Ok(made.into()),
        None => Err(memory_error(th)),
    }
}

fn repeat(th: &mut Thread, value: &Value, count: isize) -> PyResult<Value> {
    let text = this(value);
    let count = count.max(0) as usize;
    if count == 1 || text.is_empty() {
        return Ok(units::exact(value, text));
    }
    if count == 0 {
        return Ok(Str::empty().into());
    }
    if text.len().checked_mul(count).is_none_or(|n| n > isize::MAX as usize) {
        return Err(overflow_error(th, "repeated string is too long"));
    }
    match text.repeat(count) {
        Some(made) => Ok(made.into()),
        None => Err(memory_error(th)),
    }
}

fn item(th: &mut Thread, value: &Value, index: isize) -> PyResult<Value> {
    let code = usize::try_from(index).ok().and_then(|index| this(value).get(index));
    match code {
        Some(code) => Ok(Str::from_point(code).into()),
        None => Err(index_error(th, "string index out of range")),
    }
}

fn sliced<U: StrUnit>(text: &Str, start: usize, step: isize, len: usize) -> Ref<Str> {
    let units = U::units(text);
    let picked: Vec<U> = (0..len).map(|i| units[start.wrapping_add_signed(step * i as isize)]).collect();
    U::make(&picked)
}

fn subscript(th: &mut Thread, value: &Value, key: &Value) -> PyResult<Value> {
    let text = this(value);
    if let Some(slice) = key.downcast_ref::<Slice>() {
        let at = adjust(th, slice, text.len())?;
        if at.len == text.len() && at.step == 1 {
            return Ok(units::exact(value, text));
        }
        if at.step == 1 || at.len == 0 {
            let start = at.start as usize;
            return Ok(text.slice(start, start + at.len).into());
        }
        return Ok(units::by_width!(text.kind().width(), sliced(text, at.start as usize, at.step, at.len)).into());
    }
    let index = match key.as_int() {
        Some(index) => index,
        None if key.as_int_ref().is_none() && !key.class().slots.index.is_set() => {
            let name = key.class().name();
            return Err(type_error(th, format!("string indices must be integers, not '{name}'")));
        }
        None => match number::index(th, key)?.as_int_ref().and_then(|i| i.to_i64()) {
            Some(index) => index,
            None => return Err(index_error(th, "cannot fit 'int' into an index-sized integer")),
        },
    };
    let index = if index < 0 { index.saturating_add(text.len() as i64) } else { index };
    item(th, value, index as isize)
}

/// `ascii(text)`: the repr with what is not ASCII escaped.
pub fn ascii(th: &mut Thread, text: &Str) -> PyResult<Ref<Str>> {
    let made: Result<TextBuf, _> = with_units!(text, |units| escape::repr(units, true));
    Ok(from_buffer(&fit(th, made)?))
}
