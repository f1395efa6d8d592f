//! Arguments of Python functions: from a call window into the callee's registers, with CPython's TypeErrors.
//! CPython: `initialize_locals` in `Python/ceval.c`.
use std::sync::Arc;

use krait_bytecode::code::flags;
use krait_object::{Dict, PyResult, Raised, Ref, Str, Thread, Tuple, Value};
use krait_runtime::errors::{system_error, type_error};
use krait_runtime::suggestions;
use krait_runtime::types::code::Code;
use krait_runtime::types::function::Function;

use crate::regs::Regs;

/// Binds the values in `R[0..given)` of the callee, of which the last are named by `names`, in place. On failure the
/// registers are unbound again.
#[inline]
pub fn bind(th: &mut Thread, f: &Function, code: &Code, r: Regs, given: usize, names: &[Value]) -> PyResult<()> {
    let positional = given - names.len();
    if code.simple_args as usize == positional && names.is_empty() {
        return Ok(());
    }
    if let Some(fault) = code.fault() {
        r.clear(0, given.max(code.nargs as usize));
        return Err(system_error(th, fault));
    }
    let open = code.flags & (flags::VARARGS | flags::VARKEYWORDS) != 0;
    let result = if names.is_empty() && !open {
        positional_only(th, f, code, r, positional)
    } else if !open && names.len() <= FEW && positional <= code.argcount as usize {
        few_names(th, f, code, r, positional, names)
    } else {
        general(th, f, code, r, positional, names)
    };
    if result.is_err() {
        r.clear(0, given.max(code.nargs as usize));
    }
    result
}

/// No names, no `*args`, no `**kwargs`: only defaults may be missing.
fn positional_only(th: &mut Thread, f: &Function, code: &Code, r: Regs, positional: usize) -> PyResult<()> {
    let argcount = code.argcount as usize;
    if positional > argcount {
        return Err(too_many(th, f, code, 0, positional));
    }
    defaults(th, f, code, r, positional)
}

/// Fills what no argument filled.
fn defaults(th: &mut Thread, f: &Function, code: &Code, r: Regs, positional: usize) -> PyResult<()> {
    let argcount = code.argcount as usize;
    if positional < argcount {
        let defaults = f.defaults.get();
        let defaults: &[Value] =
            defaults.as_ref().and_then(|d| d.downcast_ref::<Tuple>()).map_or(&[], |t| t.as_slice());
        let first = argcount.saturating_sub(defaults.len());
        if (positional..first).any(|i| !r.is_bound(i)) {
            let missing: Vec<&Arc<str>> =
                (positional..first).filter(|&i| !r.is_bound(i)).map(|i| &code.bytecode().varnames[i]).collect();
            return Err(missing_arguments(th, f, &missing, "positional"));
        }
        let skip = defaults.len().saturating_sub(argcount);
        for i in positional.max(first)..argcount {
            if !r.is_bound(i) {
                r.put(i, defaults[skip + i - first].clone());
            }
        }
    }
    let kwonly = code.kwonlyargcount as usize;
    if kwonly > 0 {
        let kwdefaults = f.kwdefaults.get().and_then(|d| d.to_ref::<Dict>());
        let mut missing = Vec::new();
        for i in argcount..argcount + kwonly {
            if r.is_bound(i) {
                continue;
            }
            let default =
                kwdefaults.as_ref().and_then(|d| code.varnames()[i].to_ref::<Str>().and_then(|n| d.get_str(&n)));
            match default {
                Some(v) => r.put(i, v),
                None => missing.push(&code.bytecode().varnames[i]),
            }
        }
        if !missing.is_empty() {
            return Err(missing_arguments(th, f, &missing, "keyword-only"));
        }
    }
    Ok(())
}

/// Keyword arguments that [`few_names`] keeps aside.
const FEW: usize = 8;
/// Neither `*args` nor `**kwargs` nor too many positional arguments, and few names.
fn few_names(th: &mut Thread, f: &Function, code: &Code, r: Regs, positional: usize, names: &[Value]) -> PyResult<()> {
    let mut aside: [Option<Value>; FEW] = [const { None }; FEW];
    for (i, place) in aside.iter_mut().enumerate().take(names.len()) {
        *place = r.take(positional + i);
    }
    for (key, value) in names.iter().zip(aside.iter_mut()) {
        if let Some(value) = value.take() {
            keyword(th, f, code, r, (key, value), None, names)?;
        }
    }
    defaults(th, f, code, r, positional)
}

fn general(th: &mut Thread, f: &Function, code: &Code, r: Regs, positional: usize, names: &[Value]) -> PyResult<()> {
    let (argcount, kwonly) = (code.argcount as usize, code.kwonlyargcount as usize);
    let named = r.take_many(positional, names.len());
    let extra = if positional > argcount && code.flags & flags::VARARGS != 0 {
        Some(Tuple::new((argcount..positional).map(|i| r.moved(i))))
    } else {
        None
    };
    // Too many positional arguments wait aside until the keywords are judged, as CPython reports those first.
    let surplus = if extra.is_none() && positional > argcount {
        r.take_many(argcount, positional - argcount)
    } else {
        Vec::new()
    };
    let varargs_register = argcount + kwonly;
    if code.flags & flags::VARARGS != 0 {
        r.put(varargs_register, extra.unwrap_or_else(Tuple::empty).into());
    }
    let varkw = if code.flags & flags::VARKEYWORDS != 0 {
        let dict = Dict::new();
        let register = varargs_register + usize::from(code.flags & flags::VARARGS != 0);
        r.put(register, dict.to_value());
        Some(dict)
    } else {
        None
    };
    for (key, value) in names.iter().zip(named) {
        keyword(th, f, code, r, (key, value), varkw.as_ref(), names)?;
    }
    if !surplus.is_empty() {
        let kwonly_given = (argcount..argcount + kwonly).filter(|&i| r.is_bound(i)).count();
        return Err(too_many(th, f, code, kwonly_given, positional));
    }
    defaults(th, f, code, r, positional.min(argcount))
}

fn keyword(
    th: &mut Thread,
    f: &Function,
    code: &Code,
    r: Regs,
    (key, value): (&Value, Value),
    varkw: Option<&Ref<Dict>>,
    names: &[Value],
) -> PyResult<()> {
    let (posonly, total) = (code.posonlyargcount as usize, (code.argcount + code.kwonlyargcount) as usize);
    let Some(text) = key.downcast_ref::<Str>() else {
        return Err(type_error(th, format!("{}() keywords must be strings", f.display_name())));
    };
    let candidates = &code.varnames()[posonly..total];
    let place = match candidates.iter().position(|name| name.is(key)) {
        Some(i) => Some(posonly + i),
        None => candidates
            .iter()
            .position(|name| name.downcast_ref::<Str>().is_some_and(|n| n.equals(text)))
            .map(|i| posonly + i),
    };
    match (place, varkw) {
        (Some(i), _) if r.is_bound(i) => {
            let message =
                format!("{}() got multiple values for argument '{}'", f.display_name(), text.to_string_lossy());
            Err(type_error(th, message))
        }
        (Some(i), _) => {
            r.put(i, value);
            Ok(())
        }
        (None, Some(dict)) => match key.to_ref::<Str>().filter(|_| key.is_exact(&krait_object::builtin_types::STR)) {
            Some(key) => {
                dict.set_str(&key, value);
                Ok(())
            }
            None => dict.set(th, key.clone(), value),
        },
        (None, None) => Err(unexpected(th, f, code, text, names)),
    }
}

#[cold]
fn unexpected(th: &mut Thread, f: &Function, code: &Code, key: &Str, names: &[Value]) -> Raised {
    let b = code.bytecode();
    let posonly = b.posonlyargcount as usize;
    let (name, key) = (f.display_name(), key.to_string_lossy());
    let given =
        |n: &&Arc<str>| names.iter().filter_map(|v| v.downcast_ref::<Str>()).any(|s| *s.to_string_lossy() == ***n);
    let wrong: Vec<&str> = b.varnames[..posonly].iter().filter(given).map(|n| &**n).collect();
    if !wrong.is_empty() {
        let wrong = wrong.join(", ");
        let message = format!("{name}() got some positional-only arguments passed as keyword arguments: '{wrong}'");
        return type_error(th, message);
    }
    let candidates = b.varnames[posonly..(b.argcount + b.kwonlyargcount) as usize].iter().map(|n| &**n);
    let message = match suggestions::nearest(&key, candidates) {
        Some(meant) => format!("{name}() got an unexpected keyword argument '{key}'. Did you mean '{meant}'?"),
        None => format!("{name}() got an unexpected keyword argument '{key}'"),
    };
    type_error(th, message)
}

/// `'a'`, `'a' and 'b'`, `'a', 'b', and 'c'`
fn listed(names: &[&Arc<str>]) -> String {
    match names {
        [one] => format!("'{one}'"),
        [one, two] => format!("'{one}' and '{two}'"),
        [most @ .., last] => {
            let most: Vec<String> = most.iter().map(|n| format!("'{n}'")).collect();
            format!("{}, and '{last}'", most.join(", "))
        }
        [] => String::new(),
    }
}

#[cold]
fn missing_arguments(th: &mut Thread, f: &Function, names: &[&Arc<str>], kind: &str) -> Raised {
    let (n, s) = (names.len(), if names.len() == 1 { "" } else { "s" });
    let message = format!("{}() missing {n} required {kind} argument{s}: {}", f.display_name(), listed(names));
    type_error(th, message)
}

#[cold]
fn too_many(th: &mut Thread, f: &Function, code: &Code, kwonly_given: usize, given: usize) -> Raised {
    let argcount = code.argcount as usize;
    let defaults = f.defaults.get().and_then(|d| d.to_ref::<Tuple>()).map_or(0, |t| t.len());
    let (plural, signature) = if defaults > 0 {
        (true, format!("from {} to {argcount}", argcount - defaults.min(argcount)))
    } else {
        (argcount != 1, argcount.to_string())
    };
    let kwonly = if kwonly_given > 0 {
        format!(
            " positional argument{} (and {kwonly_given} keyword-only argument{})",
            if given == 1 { "" } else { "s" },
            if kwonly_given == 1 { "" } else { "s" }
        )
    } else {
        String::new()
    };
    let message = format!(
        "{}() takes {signature} positional argument{} but {given}{kwonly} {} given",
        f.display_name(),
        if plural { "s" } else { "" },
        if given == 1 && kwonly_given == 0 { "was" } else { "were" }
    );
    type_error(th, message)
}
