//! `_locale`: the C library's locale.
use std::ffi::CString;

use krait_object::native::function;
use krait_object::{Dict, List, Locked, Method, ModuleDef, PyResult, Raised, Ref, Str, Thread, Type, Value};
use krait_platform::locale as platform;
use krait_runtime::convert::{expect_str, fs_decode};
use krait_runtime::errors::{os_error, raise_value, value_error};
use krait_runtime::exceptions::EXCEPTION;
use krait_runtime::protocol::{call, number};
use krait_runtime::types::module;

use crate::arguments::{c_text, fs_string};
use crate::constants;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Support for POSIX locales.",
    functions: FUNCTIONS,
    init: Some(|th, m| {
        constants::add(m, constants::locale::TABLE);
        let error = crate::_signal::new_exception(th, "Error", "locale", EXCEPTION.to_value())?;
        th.interp.extension::<ErrorClass>().0.set(error.to_ref());
        module::dict(m).set_text("Error", error);
        Ok(())
    }),
    ..ModuleDef::new("_locale")
};
#[derive(Default)]
struct ErrorClass(Locked<Option<Ref<Type>>>);

fn error(th: &mut Thread, message: &str) -> Raised {
    let Some(class) = th.interp.extension::<ErrorClass>().0.get() else { return value_error(th, message) };
    match call::call(th, class.as_value(), &[message.into()]) {
        Ok(e) => raise_value(th, e),
        Err(raised) => raised,
    }
}
static FUNCTIONS: &[Method] = &[
    function(
        "setlocale",
        "(category, locale=<unrepresentable>, /)",
        "Set, or ask for, the locale of a category.",
        |th, a| {
            let category = number::to_i32(th, &a[0])?;
            if !(0..=12).contains(&category) {
                return Err(error(th, "invalid locale category"));
            }
            match a.opt_not_none(1) {
                None => match platform::set(category, None) {
                    Some(name) => Ok(fs_decode(&name).into()),
                    None => Err(error(th, "locale query failed")),
                },
                Some(v) => {
                    let name = c_text(th, v, "setlocale", "argument 2")?;
                    match platform::set(category, Some(&name)) {
                        Some(name) => Ok(fs_decode(&name).into()),
                        None => Err(error(th, "unsupported locale setting")),
                    }
                }
            }
        },
    ),
    function("localeconv", "()", "The conventions of the locale for numbers and money.", |_, _| {
        let c = platform::conventions();
        let d = Dict::new();
        for (name, text) in c.texts {
            if name.ends_with("grouping") {
                d.set_text(name, grouping(&text));
            } else {
                d.set_text(name, fs_decode(&text));
            }
        }
        for (name, n) in c.numbers {
            d.set_text(name, n);
        }
        Ok(d.into())
    }),
    function("strcoll", "(os1, os2, /)", "Compare two texts as the locale orders them.", |th, a| {
        let (x, y) = (c_text(th, &a[0], "strcoll", "argument 1")?, c_text(th, &a[1], "strcoll", "argument 2")?);
        Ok(platform::collate(&x, &y).into())
    }),
    function("strxfrm", "(string, /)", "A text that compares as the locale orders this one.", |th, a| {
        let x = c_text(th, &a[0], "strxfrm", "argument")?;
        Ok(Str::from_latin1(&platform::transform(&x)).into())
    }),
    function("nl_langinfo", "(key, /)", "A text of the locale.", |th, a| {
        let key = number::to_i32(th, &a[0])?;
        if !constants::locale::TABLE.iter().any(|(n, v)| *v == i64::from(key) && !n.starts_with("LC_")) {
            return Err(value_error(th, "unsupported langinfo constant"));
        }
        Ok(fs_decode(&platform::langinfo(key)).into())
    }),
    function("getencoding", "()", "The encoding of the locale.", |_, _| Ok(Value::str("UTF-8"))),
    function("gettext", "(msg, /)", "The translation of a message.", |th, a| translate(th, None, &a[0], LC_MESSAGES)),
    function("dgettext", "(domain, msg, /)", "The translation of a message of a domain.", |th, a| {
        translate(th, Some(&a[0]), &a[1], LC_MESSAGES)
    }),
    function(
        "dcgettext",
        "(domain, msg, category, /)",
        "The translation of a message of a domain in a category.",
        |th, a| {
            let category = number::to_i32(th, &a[2])?;
            translate(th, Some(&a[0]), &a[1], category)
        },
    ),
    function("textdomain", "(domain, /)", "Set the domain of messages; the present one.", |th, a| {
        let domain = optional_text(th, &a[0], "textdomain")?;
        match platform::text_domain(domain.as_deref()) {
            Some(d) => Ok(fs_decode(&d).into()),
            None => Err(os_error(th, krait_platform::errno::last(), None)),
        }
    }),
    function("bindtextdomain", "(domain, dir, /)", "Set where a domain's messages are.", |th, a| {
        let domain = c_text(th, &a[0], "bindtextdomain", "argument 1")?;
        if domain.is_empty() {
            return Err(error(th, "domain must be a non-empty string"));
        }
        let dir = if a[1].is_none() { None } else { Some(fs_string(th, &a[1])?) };
        match platform::bind_domain(&domain, dir.as_deref()) {
            Some(d) => Ok(fs_decode(&d).into()),
            None => Err(os_error(th, krait_platform::errno::last(), None)),
        }
    }),
    function("bind_textdomain_codeset", "(domain, codeset, /)", "Set the encoding of a domain's messages.", |th, a| {
        let domain = c_text(th, &a[0], "bind_textdomain_codeset", "argument 1")?;
        let codeset = optional_text(th, &a[1], "bind_textdomain_codeset")?;
        Ok(platform::bind_codeset(&domain, codeset.as_deref()).map(|c| fs_decode(&c)).into())
    }),
];
const LC_MESSAGES: i32 = 5;

/// Group sizes; the last one repeats (0) or ends the grouping (CHAR_MAX).
fn grouping(text: &[u8]) -> Value {
    if text.is_empty() {
        return List::new(Vec::new()).into();
    }
    let mut sizes: Vec<Value> = text.iter().map(|&b| Value::from(b as i8)).collect();
    if text.last() != Some(&0x7f) {
        sizes.push(Value::int(0));
    }
    List::new(sizes).into()
}
fn optional_text(th: &mut Thread, v: &Value, function: &str) -> PyResult<Option<CString>> {
    if v.is_none() { Ok(None) } else { c_text(th, v, function, "argument").map(Some) }
}
fn translate(th: &mut Thread, domain: Option<&Value>, message: &Value, category: i32) -> PyResult<Value> {
    let domain = match domain {
        None => None,
        Some(d) => optional_text(th, d, "dgettext")?,
    };
    expect_str(th, message, "gettext", "argument")?;
    let message = c_text(th, message, "gettext", "argument")?;
    Ok(fs_decode(&platform::translate(domain.as_deref(), &message, category)).into())
}
