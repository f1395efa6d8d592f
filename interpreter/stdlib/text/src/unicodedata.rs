//! `unicodedata`: the Unicode character database, and the one of version 3.2.0 for IDNA.
//!
//! The tables and algorithms are in `krait_runtime::unicode`. CPython counterpart: `Modules/unicodedata.c`.

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{function, getter, method};
use krait_object::{
    Args, ClassDef, GetSet, Method, ModuleDef, PyResult, Ref, Str, Thread, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::convert::wrong_type;
use krait_runtime::errors::{key_error, value_error};
use krait_runtime::protocol::buffer::bytes_like;
use krait_runtime::types::module;
use krait_runtime::unicode::names::{self, Named};
use krait_runtime::unicode::normalize::{self, Form, Version};
use krait_runtime::unicode::{self, version_3_2};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "The Unicode Character Database: names, categories, numeric values and normal forms of characters.",
    functions: FUNCTIONS,
    classes: &[&UCD_DEF],
    init: Some(init),
    ..ModuleDef::new("unicodedata")
};

/// A database of another version than the module's; there is one, of Unicode 3.2.0.
#[derive(Trace, Payload)]
#[payload(class = UCD)]
struct Ucd {
    #[trace(skip)]
    version: Version,
}

static LAYOUT: VTable = VTable::of::<Ucd>();
static UCD: TypeObject = TypeObject::builtin("UCD", Some(&OBJECT), &LAYOUT);
static UCD_DEF: ClassDef = ClassDef {
    module: "unicodedata",
    methods: METHODS,
    getset: GETSET,
    flags: type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&UCD)
};
static GETSET: &[GetSet] = &[getter("unidata_version", "Version of the database.", |_, _| Ok("3.2.0".into()))];

fn init(_: &mut Thread, m: &Value) -> PyResult<()> {
    let namespace = module::dict(m);
    namespace.set_text("unidata_version", unicode::UNIDATA_VERSION);
    namespace.set_text("ucd_3_2_0", Ref::new(Ucd { version: Version::V3_2 }));
    Ok(())
}

const CHR: &str = "(chr, /)";
const CHR_DEFAULT: &str = "(chr, default=<unrepresentable>, /)";
const FORM: &str = "(form, unistr, /)";

/// Each function twice: of the module, on the latest version, and as a method of the older database.
macro_rules! functions {
    ($($name:ident $sig:ident $doc:literal;)*) => {
        static FUNCTIONS: &[Method] =
            &[$(function(stringify!($name), $sig, $doc, |th, a| $name(th, Version::Latest, a)),)*];
        static METHODS: &[Method] = &[$(method(stringify!($name), $sig, $doc, |th, a| {
            let version = a.this::<Ucd>().version;
            $name(th, version, &a.skip_first())
        }),)*];
    };
}

const NAME: &str = "(name, /)";
functions! {
    decimal CHR_DEFAULT "Value of a decimal digit as an int.";
    digit CHR_DEFAULT "Value of a digit as an int.";
    numeric CHR_DEFAULT "Value of a numeric character as a float.";
    category CHR "General category.";
    bidirectional CHR "Bidirectional class, empty where there is none.";
    combining CHR "Canonical combining class as an int.";
    mirrored CHR "1 if the character is mirrored in bidirectional text, else 0.";
    east_asian_width CHR "East Asian width.";
    decomposition CHR "Decomposition mapping, empty where there is none.";
    name CHR_DEFAULT "Name of the character.";
    lookup NAME "The character, or named sequence, of that name.";
    is_normalized FORM "Whether the text is in the normal form.";
    normalize FORM "The text in a normal form: 'NFC', 'NFKC', 'NFD' or 'NFKD'.";
}

/// The one character in the first argument.
fn character(th: &mut Thread, a: &Args<'_>, function: &str, argument: &str) -> PyResult<u32> {
    let text = a[0].downcast_ref::<Str>();
    match text.filter(|text| text.len() == 1).and_then(|text| text.get(0)) {
        Some(code) => Ok(code),
        None => Err(wrong_type(th, function, argument, "a unicode character", &a[0])),
    }
}

/// The value, the caller's default, or ValueError.
fn or_default(th: &mut Thread, a: &Args<'_>, value: Option<Value>, message: &str) -> PyResult<Value> {
    match value.or_else(|| a.opt(1).cloned()) {
        Some(value) => Ok(value),
        None => Err(value_error(th, message)),
    }
}

fn decimal(th: &mut Thread, version: Version, a: &Args<'_>) -> PyResult<Value> {
    let code = character(th, a, "decimal", "argument 1")?;
    let value = if version == Version::V3_2 { version_3_2::decimal(code) } else { unicode::decimal(code) };
    or_default(th, a, value.map(Value::from), "not a decimal")
}

fn digit(th: &mut Thread, _: Version, a: &Args<'_>) -> PyResult<Value> {
    let code = character(th, a, "digit", "argument 1")?;
    or_default(th, a, unicode::digit(code).map(Value::from), "not a digit")
}

fn numeric(th: &mut Thread, version: Version, a: &Args<'_>) -> PyResult<Value> {
    let code = character(th, a, "numeric", "argument 1")?;
    let value = unicode::numeric(code).filter(|_| !is_newer(version, code));
    or_default(th, a, value.map(Value::from), "not a numeric character")
}

fn is_newer(version: Version, code: u32) -> bool {
    version == Version::V3_2 && version_3_2::is_newer(code)
}

fn category(th: &mut Thread, version: Version, a: &Args<'_>) -> PyResult<Value> {
    let code = character(th, a, "category", "argument")?;
    let answer = if version == Version::V3_2 { version_3_2::category(code) } else { unicode::category(code) };
    Ok(answer.into())
}

fn bidirectional(th: &mut Thread, version: Version, a: &Args<'_>) -> PyResult<Value> {
    let code = character(th, a, "bidirectional", "argument")?;
    let old = version == Version::V3_2;
    Ok(if old { version_3_2::bidirectional(code) } else { unicode::bidirectional(code) }.into())
}

fn combining(th: &mut Thread, version: Version, a: &Args<'_>) -> PyResult<Value> {
    let code = character(th, a, "combining", "argument")?;
    Ok(if version == Version::V3_2 { version_3_2::combining(code) } else { unicode::combining(code) }.into())
}

fn mirrored(th: &mut Thread, version: Version, a: &Args<'_>) -> PyResult<Value> {
    let code = character(th, a, "mirrored", "argument")?;
    let old = version == Version::V3_2;
    let answer = if old { version_3_2::is_mirrored(code) } else { unicode::is_mirrored(code) };
    Ok(i32::from(answer).into())
}

fn east_asian_width(th: &mut Thread, version: Version, a: &Args<'_>) -> PyResult<Value> {
    let code = character(th, a, "east_asian_width", "argument")?;
    let old = version == Version::V3_2;
    Ok(if old { version_3_2::east_asian_width(code) } else { unicode::east_asian_width(code) }.into())
}

fn decomposition(th: &mut Thread, version: Version, a: &Args<'_>) -> PyResult<Value> {
    let code = character(th, a, "decomposition", "argument")?;
    if is_newer(version, code) {
        return Ok("".into());
    }
    Ok(normalize::decomposition(code).into())
}

fn name(th: &mut Thread, version: Version, a: &Args<'_>) -> PyResult<Value> {
    let code = character(th, a, "name", "argument 1")?;
    let value = names::name(code).filter(|_| !is_newer(version, code));
    or_default(th, a, value.map(Value::from), "no such name")
}

/// Longer names than this are refused before they are looked up.
const LONGEST: usize = 256;

fn lookup(th: &mut Thread, version: Version, a: &Args<'_>) -> PyResult<Value> {
    let bytes = match a[0].downcast_ref::<Str>() {
        Some(text) => text.to_wtf8().into_owned(),
        None => bytes_like(th, &a[0])?,
    };
    if bytes.len() > LONGEST {
        return Err(key_error(th, &"name too long".into()));
    }
    let name = String::from_utf8_lossy(&bytes);
    // Version 3.2 knew neither aliases nor named sequences.
    let known_then = |found: &Named| match found {
        Named::Character(code) => names::name(*code).is_some_and(|n| n.eq_ignore_ascii_case(&name)),
        Named::Sequence(_) => false,
    };
    match names::lookup(&name).filter(|found| version != Version::V3_2 || known_then(found)) {
        Some(Named::Character(code)) => Ok(Str::from_point(code).into()),
        Some(Named::Sequence(units)) => Ok(Str::from_ucs2(units).into()),
        None => Err(key_error(th, &format!("undefined character name '{name}'").into())),
    }
}

/// The two arguments of the normalising functions; the form is checked after the text is.
fn form_and_text<'a>(th: &mut Thread, a: &Args<'a>, function: &str) -> PyResult<(Option<Form>, &'a Str)> {
    let Some(form) = a.get(0).downcast_ref::<Str>() else {
        return Err(wrong_type(th, function, "argument 1", "str", &a[0]));
    };
    let Some(text) = a.get(1).downcast_ref::<Str>() else {
        return Err(wrong_type(th, function, "argument 2", "str", &a[1]));
    };
    Ok((Form::from_name(&form.to_string_lossy()), text))
}

fn is_normalized(th: &mut Thread, version: Version, a: &Args<'_>) -> PyResult<Value> {
    let (form, text) = form_and_text(th, a, "is_normalized")?;
    if text.is_empty() {
        return Ok(Value::TRUE);
    }
    let Some(form) = form else { return Err(value_error(th, "invalid normalization form")) };
    Ok(Value::bool(match version {
        Version::Latest => normalize::is_normalized(form, text.iter()),
        // The quick check's data is of the latest version only.
        Version::V3_2 => normalize::normalize_by(version, form, text.iter()).into_iter().eq(text.iter()),
    }))
}

fn normalize(th: &mut Thread, version: Version, a: &Args<'_>) -> PyResult<Value> {
    let (form, text) = form_and_text(th, a, "normalize")?;
    if text.is_empty() {
        return Ok(a[1].clone());
    }
    let Some(form) = form else { return Err(value_error(th, "invalid normalization form")) };
    let quick = || normalize::quick_check(form, text.iter()) == normalize::QuickCheck::Yes;
    if version == Version::Latest && quick() {
        return Ok(a[1].clone());
    }
    Ok(Str::from_points(&normalize::normalize_by(version, form, text.iter())).into())
}
