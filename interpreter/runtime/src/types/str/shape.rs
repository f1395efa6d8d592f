//! Padding, joining, translation tables.

use krait_object::{Args, Dict, List, PyResult, Str, StrData, Thread, Tuple, Value};

use super::units::{exact, fit, from_buffer, push, size, str_arg, with_units};
use crate::errors::{in_flight, take, type_error, value_error};
use crate::exceptions::LOOKUP_ERROR;
use crate::protocol::{number, sequence};
use crate::text::{TextBuf, shape};
use crate::unicode::LIMIT;

fn fill_char(th: &mut Thread, value: Option<&Value>) -> PyResult<u32> {
    let Some(value) = value else { return Ok(u32::from(' ')) };
    let Some(text) = value.downcast_ref::<Str>() else {
        let name = value.class().name();
        return Err(type_error(th, format!("The fill character must be a unicode character, not {name}")));
    };
    match text.get(0) {
        Some(code) if text.len() == 1 => Ok(code),
        _ => Err(type_error(th, "The fill character must be exactly one character long")),
    }
}

fn padded(th: &mut Thread, a: &Args<'_>, padding: fn(usize, usize) -> (usize, usize)) -> PyResult<Value> {
    let text: &Str = a.this();
    let width = size(th, &a[1])?.max(0) as usize;
    let fill = fill_char(th, a.opt(2))?;
    if width <= text.len() {
        return Ok(exact(&a[0], text));
    }
    let (left, right) = padding(text.len(), width);
    let build = || {
        let mut out = TextBuf::with_capacity(width)?;
        out.push_fill(fill, left)?;
        push(&mut out, text)?;
        out.push_fill(fill, right)?;
        Ok(out)
    };
    let out = build();
    Ok(from_buffer(&fit(th, out)?).into())
}

pub fn center(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    padded(th, a, shape::center_padding)
}

pub fn ljust(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    padded(th, a, |len, width| (0, width - len))
}

pub fn rjust(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    padded(th, a, |len, width| (width - len, 0))
}

pub fn zfill(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let text: &Str = a.this();
    let width = size(th, &a[1])?.max(0) as usize;
    if width <= text.len() {
        return Ok(exact(&a[0], text));
    }
    let build = || {
        let mut out = TextBuf::with_capacity(width)?;
        with_units!(text, |units| out.push_units(&shape::zero_fill(units, width)?))?;
        Ok(out)
    };
    let out = build();
    Ok(from_buffer(&fit(th, out)?).into())
}

pub fn expandtabs(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let text: &Str = a.this();
    let tab_size = match a.opt(1) {
        Some(value) => number::to_i32(th, value)?.max(0) as usize,
        None => 8,
    };
    let build = || {
        let mut out = TextBuf::new();
        with_units!(text, |units| out.push_units(&shape::expand_tabs(units, tab_size)?))?;
        Ok(out)
    };
    let out = build();
    Ok(from_buffer(&fit(th, out)?).into())
}

pub fn join(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    join_items(th, a.this(), &a[1])
}

/// `separator.join(iterable)`.
pub fn join_items(th: &mut Thread, separator: &Str, iterable: &Value) -> PyResult<Value> {
    let joined = if let Some(list) = iterable.downcast_exact::<List>() {
        Str::join_narrow(separator, &list.lock())
    } else if let Some(tuple) = iterable.downcast_exact::<Tuple>() {
        Str::join_narrow(separator, tuple.as_slice())
    } else {
        None
    };
    if let Some(joined) = joined {
        return Ok(joined.into());
    }
    let items = sequence::to_items(th, iterable, "can only join an iterable")?;
    if let Some(joined) = Str::join_narrow(separator, &items) {
        return Ok(joined.into());
    }
    if let [only] = items.as_slice()
        && only.is_exact(&krait_object::builtin_types::STR)
    {
        return Ok(only.clone());
    }
    let mut total = separator.len().checked_mul(items.len().saturating_sub(1));
    for (index, item) in items.iter().enumerate() {
        let Some(text) = item.downcast_ref::<Str>() else {
            let name = item.class().name();
            return Err(type_error(th, format!("sequence item {index}: expected str instance, {name} found")));
        };
        total = total.and_then(|n| n.checked_add(text.len()));
    }
    let Some(total) = total.filter(|&n| n <= isize::MAX as usize) else {
        return Err(crate::errors::overflow_error(th, "join() result is too long for a Python string"));
    };
    let build = || {
        let mut out = TextBuf::with_capacity(total)?;
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                push(&mut out, separator)?;
            }
            if let Some(text) = item.downcast_ref::<Str>() {
                push(&mut out, text)?;
            }
        }
        Ok(out)
    };
    let out = build();
    Ok(from_buffer(&fit(th, out)?).into())
}

/// What a translation table says of one character.
enum Translated {
    Same,
    Gone,
    Code(u32),
    Text(Value),
}

fn look_up(th: &mut Thread, table: &Value, code: u32) -> PyResult<Translated> {
    let key = Value::int(i64::from(code));
    let found = match sequence::get_item(th, table, &key) {
        Ok(found) => found,
        Err(raised) if in_flight(th, &LOOKUP_ERROR) => {
            drop(take(th, raised));
            return Ok(Translated::Same);
        }
        Err(raised) => return Err(raised),
    };
    if found.is_none() {
        return Ok(Translated::Gone);
    }
    if let Some(number) = found.as_int_ref() {
        return match number.to_i64().and_then(|n| u32::try_from(n).ok()).filter(|&n| n < LIMIT) {
            Some(code) => Ok(Translated::Code(code)),
            None => Err(value_error(th, format!("character mapping must be in range(0x{LIMIT:x})"))),
        };
    }
    if found.downcast_ref::<Str>().is_some() {
        return Ok(Translated::Text(found));
    }
    Err(type_error(th, "character mapping must return integer, None or str"))
}

pub fn translate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let text: &Str = a.this();
    let mut out = TextBuf::new();
    // Characters that map to one are asked for once; CPython does so for ASCII text too.
    let mut known = [u32::MAX; 128];
    for code in text.iter() {
        if let Some(&mapped) = known.get(code as usize)
            && mapped != u32::MAX
        {
            let pushed = out.push(mapped);
            fit(th, pushed)?;
            continue;
        }
        let pushed = match look_up(th, &a[1], code)? {
            Translated::Gone => Ok(()),
            Translated::Text(value) => value.downcast_ref::<Str>().map_or(Ok(()), |text| push(&mut out, text)),
            one => {
                let mapped = if let Translated::Code(mapped) = one { mapped } else { code };
                if let Some(slot) = known.get_mut(code as usize) {
                    *slot = mapped;
                }
                out.push(mapped)
            }
        };
        fit(th, pushed)?;
    }
    Ok(from_buffer(&out).into())
}

fn table_of_texts(th: &mut Thread, a: &Args<'_>, from: &Str) -> PyResult<Value> {
    let to = str_arg(th, &a[1], "maketrans() argument 2")?;
    let gone = match a.opt(2) {
        Some(value) => Some(str_arg(th, value, "maketrans() argument 3")?),
        None => None,
    };
    if from.len() != to.len() {
        return Err(value_error(th, "the first two maketrans arguments must have equal length"));
    }
    let table = Dict::new();
    for (from, to) in from.iter().zip(to.iter()) {
        table.set(th, Value::int(from.into()), Value::int(to.into()))?;
    }
    for code in gone.iter().flat_map(|text| text.iter()) {
        table.set(th, Value::int(code.into()), Value::NONE)?;
    }
    Ok(table.into())
}

pub fn maketrans(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a.opt(1).is_some() {
        let Some(from) = a[0].downcast_ref::<Str>() else {
            str_arg(th, &a[1], "maketrans() argument 2")?;
            return Err(type_error(th, "first maketrans argument must be a string if there is a second argument"));
        };
        return table_of_texts(th, a, from);
    }
    let Some(given) = a[0].downcast_exact::<Dict>() else {
        return Err(type_error(th, "if you give only one argument to maketrans it must be a dict"));
    };
    let table = Dict::new();
    for (key, value) in given.items() {
        let key = match key.downcast_ref::<Str>() {
            None if key.as_int_ref().is_some() => key,
            None => return Err(type_error(th, "keys in translate table must be strings or integers")),
            Some(text) => match text.get(0) {
                Some(code) if text.len() == 1 => Value::int(code.into()),
                _ => return Err(value_error(th, "string keys in translate table must be of length 1")),
            },
        };
        table.set(th, key, value)?;
    }
    Ok(table.into())
}

/// Bytes that CPython's object of the same text takes.
pub fn sizeof(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let text: &Str = a.this();
    let (head, width) = match text.data() {
        StrData::Ascii(_) => (40, 1),
        StrData::Latin1(_) => (56, 1),
        StrData::Ucs2(_) => (56, 2),
        StrData::Ucs4(_) => (56, 4),
    };
    Ok((head + (text.len() + 1) * width).into())
}
