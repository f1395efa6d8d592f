//! Functions on any object: `getattr` and friends, `repr`, `hash`, `id`, arithmetic, `dir`, `vars`, `callable`.
use krait_object::native::{function, raw_function};
use krait_object::{Args, Dict, List, Method, PyResult, Str, Thread, Value};

use crate::errors::{type_error, value_error};
use crate::protocol::{attr, call, compare, iter, number, repr, sequence};

pub static FUNCTIONS: &[Method] = &[
    function("abs", "(x, /)", "Return the absolute value of the argument.", |th, a| number::absolute(th, &a[0])),
    function("ascii", "(obj, /)", "Return an ASCII-only representation of an object.", |th, a| {
        repr::ascii(th, &a[0]).map(Value::from)
    }),
    function(
        "bin",
        "(number, /)",
        "Return the binary representation of an integer.\n\n    >>> bin(10)\n    '0b1010'",
        |th, a| radix(th, &a[0], 2, "0b"),
    ),
    function("callable", "(obj, /)", "Return whether the object is callable (i.e., some kind of function).", |_, a| {
        Ok(Value::bool(call::is_callable(&a[0])))
    }),
    function("chr", "(i, /)", "Return a Unicode string of one character with ordinal i; 0 <= i <= 0x10ffff.", chr),
    function("delattr", "(obj, name, /)", "Deletes the named attribute from the given object.", |th, a| {
        let name = attr::name_argument(th, &a[1])?;
        attr::set_attr(th, &a[0], &name, None).map(Value::from)
    }),
    function("dir", "", "dir([object]) -> list of strings", dir),
    function("divmod", "(x, y, /)", "Return the tuple (x//y, x%y).  Invariant: div*y + mod == x.", |th, a| {
        number::binary(th, number::BinaryOp::Divmod, &a[0], &a[1])
    }),
    function("format", "(value, format_spec='', /)", "Return type(value).__format__(value, format_spec).", |th, a| {
        let spec = match a.opt(1) {
            None => Str::empty(),
            Some(s) => match s.to_ref::<Str>() {
                Some(s) => s,
                None => {
                    let class = s.class().name();
                    return Err(type_error(th, format!("format() argument 2 must be str, not {class}")));
                }
            },
        };
        repr::format(th, &a[0], &spec).map(Value::from)
    }),
    function(
        "getattr",
        "",
        "getattr(object, name[, default]) -> value\n\nGet a named attribute from an object.",
        getattr,
    ),
    function("globals", "()", "Return the dictionary containing the current scope's global variables.", |th, _| {
        Ok(crate::frames::current_globals(th).into())
    }),
    function(
        "hasattr",
        "(obj, name, /)",
        "Return whether the object has an attribute with the given name.",
        |th, a| {
            let name = attr::name_argument(th, &a[1])?;
            Ok(Value::bool(attr::get_attr_opt(th, &a[0], &name)?.is_some()))
        },
    ),
    function("hash", "(obj, /)", "Return the hash value for the given object.", |th, a| {
        compare::hash(th, &a[0]).map(Value::int)
    }),
    function(
        "hex",
        "(number, /)",
        "Return the hexadecimal representation of an integer.\n\n    >>> hex(-255)\n    '-0xff'",
        |th, a| radix(th, &a[0], 16, "0x"),
    ),
    function("id", "(obj, /)", "Return the identity of an object.", |th, a| {
        let id = krait_object::int::from_bigint(a[0].id().into());
        crate::audit::audit(th, "builtins.id", std::slice::from_ref(&id))?;
        Ok(id)
    }),
    function("len", "(obj, /)", "Return the number of items in a container.", |th, a| {
        sequence::len(th, &a[0]).map(Value::from)
    }),
    function("locals", "()", "Return a dictionary containing the current scope's local variables.", |th, _| {
        crate::frames::current_locals(th)
    }),
    function(
        "oct",
        "(number, /)",
        "Return the octal representation of an integer.\n\n    >>> oct(64)\n    '0o100'",
        |th, a| radix(th, &a[0], 8, "0o"),
    ),
    function("ord", "(c, /)", "Return the Unicode code point for a one-character string.", ord),
    function(
        "pow",
        "(base, exp, mod=None)",
        "Equivalent to base**exp with 2 arguments or base**exp % mod with 3 arguments.",
        |th, a| number::power(th, &a[0], &a[1], a.opt(2).unwrap_or(&Value::NONE)),
    ),
    function("repr", "(obj, /)", "Return the canonical string representation of the object.", |th, a| {
        repr::repr(th, &a[0]).map(Value::from)
    }),
    function("round", "(number, ndigits=None)", "Round a number to a given precision in decimal digits.", |th, a| {
        let Some(f) = attr::lookup_special(th, &a[0], "__round__")? else {
            let class = a[0].class().name();
            return Err(type_error(th, format!("type {class} doesn't define __round__ method")));
        };
        match a.opt_not_none(1) {
            Some(n) => call::call(th, &f, &[n.clone()]),
            None => call::call(th, &f, &[]),
        }
    }),
    function(
        "setattr",
        "(obj, name, value, /)",
        "Sets the named attribute on the given object to the specified value.",
        |th, a| {
            let name = attr::name_argument(th, &a[1])?;
            attr::set_attr(th, &a[0], &name, Some(&a[2])).map(Value::from)
        },
    ),
    raw_function(
        "sorted",
        "(iterable, /, *, key=None, reverse=False)",
        "Return a new list containing all items from the iterable in ascending order.",
        |th, a: &Args<'_>| {
            let [first, rest @ ..] = a.pos() else {
                return Err(type_error(th, "sorted expected 1 argument, got 0"));
            };
            if !rest.is_empty() {
                let n = rest.len() + 1;
                return Err(type_error(th, format!("sorted expected 1 argument, got {n}")));
            }
            let list = Value::from(List::new(iter::collect(th, first)?));
            let sort = attr::get_text(th, &list, "sort")?;
            let values: Vec<Value> = a.kw().map(|(_, v)| v.clone()).collect();
            call::call_kw(th, &sort, &values, a.names())?;
            Ok(list)
        },
    ),
    function("vars", "", "vars([object]) -> dictionary", |th, a: &Args<'_>| match a.pos() {
        [] => crate::frames::current_locals(th),
        [o] => match attr::get_text_opt(th, o, "__dict__")? {
            Some(d) => Ok(d),
            None => Err(type_error(th, "vars() argument must have __dict__ attribute")),
        },
        more => {
            let n = more.len();
            Err(type_error(th, format!("vars expected at most 1 argument, got {n}")))
        }
    }),
];

fn radix(th: &mut Thread, v: &Value, base: u32, prefix: &str) -> PyResult<Value> {
    let i = number::to_bigint(th, v)?;
    let text = crate::numtext::int_text::bigint_to_text(&i, base);
    Ok(Value::from(match text.strip_prefix('-') {
        Some(digits) => format!("-{prefix}{digits}"),
        None => format!("{prefix}{text}"),
    }))
}
fn chr(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let i = number::index(th, &a[0])?;
    let n = i.as_int_ref().and_then(|i| i.to_i64());
    match n {
        Some(n @ 0..=0x10FFFF) => Ok(Str::from_point(n as u32).into()),
        _ => Err(value_error(th, "chr() arg not in range(0x110000)")),
    }
}
fn ord(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let len = if let Some(s) = a[0].downcast_ref::<Str>() {
        if let (1, Some(c)) = (s.len(), s.get(0)) {
            return Ok(Value::from(c));
        }
        s.len()
    } else if crate::protocol::buffer::has_buffer(&a[0])
        && (a[0].is_instance(&krait_object::builtin_types::BYTES) || &*a[0].class().name() == "bytearray")
    {
        let b = crate::protocol::buffer::bytes_like(th, &a[0])?;
        if let [c] = b[..] {
            return Ok(Value::from(c));
        }
        b.len()
    } else {
        let class = a[0].class().name();
        return Err(type_error(th, format!("ord() expected string of length 1, but {class} found")));
    };
    Err(type_error(th, format!("ord() expected a character, but string of length {len} found")))
}
fn getattr(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a.has_kw() {
        return Err(type_error(th, "getattr() takes no keyword arguments"));
    }
    match a.pos() {
        [o, name] => {
            let name = attr::name_argument(th, name)?;
            attr::get_attr(th, o, &name)
        }
        [o, name, default] => {
            let name = attr::name_argument(th, name)?;
            Ok(attr::get_attr_opt(th, o, &name)?.unwrap_or_else(|| default.clone()))
        }
        more => {
            let n = more.len();
            let (bound, limit) = if n < 2 { ("at least", 2) } else { ("at most", 3) };
            Err(type_error(th, format!("getattr expected {bound} {limit} arguments, got {n}")))
        }
    }
}
fn dir(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let names = match a.pos() {
        [] => {
            let locals = crate::frames::current_locals(th)?;
            match locals.downcast_exact::<Dict>() {
                Some(d) => List::new(d.keys()).into(),
                None => {
                    let keys = attr::call_method(th, &locals, "keys", &[])?;
                    List::new(iter::collect(th, &keys)?).into()
                }
            }
        }
        [o] => match attr::lookup_special(th, o, "__dir__")? {
            Some(f) => call::call(th, &f, &[])?,
            None => return Err(type_error(th, "object does not provide __dir__")),
        },
        more => {
            let n = more.len();
            return Err(type_error(th, format!("dir expected at most 1 argument, got {n}")));
        }
    };
    let list = Value::from(List::new(iter::collect(th, &names)?));
    attr::call_method(th, &list, "sort", &[])?;
    Ok(list)
}
