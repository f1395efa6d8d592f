//! Filter specifiers: dicts on the Python side, [`Filter`] on the library's.
use krait_libraries::lzma::{self as l, FILTERS_MAX, Filter, LzmaOptions, Options};
use krait_object::{Dict, PyResult, Raised, Str, Thread, Value};
use krait_runtime::errors::{suppress, type_error, value_error};
use krait_runtime::exceptions::KEY_ERROR;
use krait_runtime::protocol::{number, sequence};

use super::{bad_preset, forget, to_u32};

fn item(th: &mut Thread, spec: &Value, key: &str) -> PyResult<Option<Value>> {
    let found = sequence::get_item(th, spec, &Value::str(key));
    suppress(th, found, &KEY_ERROR)
}
#[cold]
fn invalid(th: &mut Thread, kind: &str) -> Raised {
    value_error(th, format!("Invalid filter specifier for {kind} filter"))
}
/// The numbers of a specifier, each into its place. Whatever is wrong with them becomes one ValueError.
fn numbers(th: &mut Thread, spec: &Value, kind: &str, mut places: Vec<(&str, Option<&mut u32>)>) -> PyResult<()> {
    let Some(dict) = spec.to_ref::<Dict>() else { return Err(invalid(th, kind)) };
    for (key, value) in dict.items() {
        let name = key.downcast_ref::<Str>().map(|k| k.to_string_lossy().into_owned()).unwrap_or_default();
        match places.iter_mut().find(|(n, _)| *n == name) {
            None => return Err(invalid(th, kind)),
            Some((_, None)) => {}
            Some((_, Some(place))) => match to_u32(th, &value, "uint32_t") {
                Ok(n) => **place = n,
                Err(raised) => {
                    forget(th, raised);
                    return Err(invalid(th, kind));
                }
            },
        }
    }
    Ok(())
}
fn parse_lzma(th: &mut Thread, spec: &Value) -> PyResult<Options> {
    let preset = match item(th, spec, "preset")? {
        Some(p) => to_u32(th, &p, "uint32_t")?,
        None => l::LZMA_PRESET_DEFAULT,
    };
    let Some(mut o) = LzmaOptions::preset(preset) else { return Err(bad_preset(th, preset)) };
    let places = vec![
        ("id", None),
        ("preset", None),
        ("dict_size", Some(&mut o.dict_size)),
        ("lc", Some(&mut o.lc)),
        ("lp", Some(&mut o.lp)),
        ("pb", Some(&mut o.pb)),
        ("mode", Some(&mut o.mode)),
        ("nice_len", Some(&mut o.nice_len)),
        ("mf", Some(&mut o.mf)),
        ("depth", Some(&mut o.depth)),
    ];
    numbers(th, spec, "LZMA", places)?;
    Ok(Options::Lzma(o))
}

/// One filter specifier.
pub fn parse(th: &mut Thread, spec: &Value) -> PyResult<Filter> {
    if !spec.class().slots.subscript.is_set() {
        return Err(type_error(th, "Filter specifier must be a dict or dict-like object"));
    }
    let Some(id) = item(th, spec, "id")? else {
        return Err(value_error(th, "Filter specifier must have an \"id\" entry"));
    };
    let id = number::to_u64(th, &id)?;
    let options = match id {
        l::LZMA_FILTER_LZMA1 | l::LZMA_FILTER_LZMA2 => parse_lzma(th, spec)?,
        l::LZMA_FILTER_DELTA => {
            let mut dist = 1;
            numbers(th, spec, "delta", vec![("id", None), ("dist", Some(&mut dist))])?;
            Options::Delta(dist)
        }
        l::LZMA_FILTER_X86..=l::LZMA_FILTER_SPARC => {
            let mut start = 0;
            numbers(th, spec, "BCJ", vec![("id", None), ("start_offset", Some(&mut start))])?;
            Options::Branch(Some(start))
        }
        _ => return Err(value_error(th, format!("Invalid filter ID: {id}"))),
    };
    Ok(Filter { id, options })
}
/// A chain of filters, a sequence of specifiers.
pub fn parse_chain(th: &mut Thread, specs: &Value) -> PyResult<Vec<Filter>> {
    if !sequence::is_sequence(specs) {
        let class = specs.class().name();
        return Err(type_error(th, format!("{class} is not a sequence")));
    }
    let n = sequence::len(th, specs)?;
    if n > FILTERS_MAX {
        let message = format!("Too many filters - liblzma supports a maximum of {FILTERS_MAX}");
        return Err(value_error(th, message));
    }
    let mut chain = Vec::with_capacity(n);
    for i in 0..n {
        let spec = sequence::get_item(th, specs, &Value::from(i))?;
        chain.push(parse(th, &spec)?);
    }
    Ok(chain)
}
/// The specifier of a filter whose options came from stored properties.
pub fn show(th: &mut Thread, filter: &Filter) -> PyResult<Value> {
    let d = Dict::new();
    d.set_text("id", filter.id);
    match (filter.id, filter.options) {
        (l::LZMA_FILTER_LZMA1, Options::Lzma(o)) => {
            for (name, n) in [("lc", o.lc), ("lp", o.lp), ("pb", o.pb), ("dict_size", o.dict_size)] {
                d.set_text(name, n);
            }
        }
        (_, Options::Lzma(o)) => d.set_text("dict_size", o.dict_size),
        (_, Options::Delta(dist)) => d.set_text("dist", dist),
        (l::LZMA_FILTER_X86..=l::LZMA_FILTER_SPARC, Options::Branch(start)) => {
            if let Some(start) = start {
                d.set_text("start_offset", start);
            }
        }
        (id, _) => return Err(value_error(th, format!("Invalid filter ID: {id}"))),
    }
    Ok(d.into())
}
