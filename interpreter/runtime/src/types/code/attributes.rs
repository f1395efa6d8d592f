//! Attributes and methods of code objects.
use krait_bytecode::Word;
use krait_object::native::{GetSet, Method, getter, member, method};
use krait_object::slots::CmpOp;
use krait_object::{Args, Bytes, List, PyResult, Ref, Str, Thread, Tuple, Value, hash as hashing};

use super::{Code, construct};
use crate::errors;
use crate::exceptions;
use crate::protocol::{compare, iter};
use crate::warnings;

pub(super) static METHODS: &[Method] = &[
    method("co_lines", "()", "Ranges of the code with the lines they belong to: (start, end, line or None).", co_lines),
    method("co_positions", "()", "For each code unit (line, end line, column, end column).", co_positions),
    method("replace", "(**changes)", "A copy with some attributes changed.", construct::replace),
    method("__replace__", "(**changes)", "As replace().", construct::replace),
    method("_varname_from_oparg", "(oparg)", "Name of the variable in a register.", varname_from_oparg),
    method("__sizeof__", "()", "Bytes of memory.", sizeof),
];

pub(super) static GETSET: &[GetSet] = &[
    member("co_argcount", "", |_, v| Ok(this(v).argcount.into())),
    member("co_posonlyargcount", "", |_, v| Ok(this(v).posonlyargcount.into())),
    member("co_kwonlyargcount", "", |_, v| Ok(this(v).kwonlyargcount.into())),
    member("co_stacksize", "", |_, v| Ok((this(v).nregs as usize - this(v).bytecode().first_temp()).into())),
    member("co_flags", "", |_, v| Ok(this(v).flags.into())),
    member("co_names", "", |_, v| Ok(Tuple::new(this(v).names().iter().map(Ref::to_value)).into())),
    member("co_filename", "", |_, v| Ok(this(v).filename().into())),
    member("co_name", "", |_, v| Ok(this(v).name.to_value())),
    member("co_qualname", "", |_, v| Ok(this(v).qualname.to_value())),
    member("co_firstlineno", "", |_, v| Ok(this(v).bytecode().firstlineno.into())),
    member("co_linetable", "", |_, v| {
        let given = this(v).own.as_ref().and_then(|own| own.linetable.as_deref());
        Ok(given.map_or_else(|| Bytes::new(&this(v).bytecode().linetable()), Bytes::new).into())
    }),
    member("co_exceptiontable", "", |_, v| Ok(Bytes::new(&this(v).bytecode().exceptiontable()).into())),
    member("co_consts", "", |_, v| Ok(this(v).consts().to_value())),
    getter("co_lnotab", "", co_lnotab),
    getter("_co_code_adaptive", "", |_, v| Ok(Bytes::new(&code_bytes(this(v))).into())),
    getter("co_varnames", "", |_, v| Ok(this(v).varnames().to_value())),
    getter("co_cellvars", "", |_, v| Ok(this(v).cellvars().to_value())),
    getter("co_freevars", "", |_, v| Ok(this(v).freevars().to_value())),
    getter("co_nlocals", "", |_, v| Ok(this(v).nlocals.into())),
    getter("co_code", "", |_, v| Ok(Bytes::new(&code_bytes(this(v))).into())),
];

fn this(v: &Value) -> &Code {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn code_bytes(code: &Code) -> Vec<u8> {
    code.bytecode().words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

pub(super) fn repr(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let code = this(v);
    let line = if code.bytecode().firstlineno == 0 { -1 } else { code.bytecode().firstlineno as i64 };
    let (name, file) = (code.name.to_string_lossy(), code.filename());
    let file = file.to_string_lossy();
    Ok(format!("<code object {name} at {:#x}, file \"{file}\", line {line}>", v.id()).into())
}

/// Units of two bytes of one word each, counted as CPython's offsets: twice the word index.
fn co_lines(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let code = a.this::<Code>();
    let words = code.bytecode().words.len() as u32;
    let runs = code.bytecode().positions.runs();
    let mut lines: Vec<(u32, u32, Option<u32>)> = Vec::new();
    for (i, (start, position)) in runs.iter().enumerate() {
        let end = runs.get(i + 1).map_or(words, |r| r.0);
        let line = position.has_line().then_some(position.line);
        match lines.last_mut() {
            Some(last) if last.2 == line => last.1 = end,
            _ => lines.push((*start, end, line)),
        }
    }
    let entries = lines.into_iter().map(|(start, end, line)| {
        let line = line.map_or(Value::NONE, Value::from);
        Tuple::of([Value::from(start * 2), (end * 2).into(), line]).into()
    });
    iter::iter(th, List::new(entries.collect()).as_value())
}
fn co_positions(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let code = a.this::<Code>();
    let known = |n: i64, least: i64| if n < least { Value::NONE } else { Value::int(n) };
    // A table of a script's own may be empty.
    let known_words = if code.bytecode().positions.runs().is_empty() { 0 } else { code.bytecode().words.len() };
    let entries = (0..known_words as u32).map(|word| {
        let p = code.bytecode().positions.at(word);
        Tuple::of([
            if p.has_line() { p.line.into() } else { Value::NONE },
            known(p.end_line.into(), 1),
            known(p.col.into(), 0),
            known(p.end_col.into(), 0),
        ])
        .into()
    });
    iter::iter(th, List::new(entries.collect()).as_value())
}

/// The old line table: pairs of (bytes of code, lines), for tools that still read it.
fn co_lnotab(th: &mut Thread, v: &Value) -> PyResult<Value> {
    warnings::warn(th, &exceptions::DEPRECATION_WARNING, "co_lnotab is deprecated, use co_lines instead.", 1)?;
    let code = this(v);
    let (mut out, mut line, mut offset) = (Vec::new(), code.bytecode().firstlineno as i64, 0i64);
    for (start, position) in code.bytecode().positions.runs() {
        if position.line == 0 || position.line as i64 == line {
            continue;
        }
        let mut bytes = *start as i64 * 2 - offset;
        let mut lines = position.line as i64 - line;
        (line, offset) = (position.line as i64, *start as i64 * 2);
        while bytes > 254 {
            out.extend([254, 0]);
            bytes -= 254;
        }
        while !(-128..=127).contains(&lines) {
            let step = lines.clamp(-128, 127);
            out.extend([bytes as u8, step as i8 as u8]);
            (bytes, lines) = (0, lines - step);
        }
        out.extend([bytes as u8, lines as i8 as u8]);
    }
    Ok(Bytes::new(&out).into())
}

fn varname_from_oparg(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let register = crate::protocol::number::index_isize(th, &a[1])?;
    match usize::try_from(register).ok().and_then(|r| a.this::<Code>().variable(r)) {
        Some(name) => Ok(name.into()),
        None => Err(errors::index_error(th, "tuple index out of range")),
    }
}
fn sizeof(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let code = a.this::<Code>();
    Ok((size_of::<Code>() + code.stream().len() * 16 + code.names().len() * 8).into())
}

/// What two equal code objects agree in, beside their constants.
fn plain_part(code: &Code) -> impl PartialEq {
    let b = &code.bytecode();
    let exceptions: Vec<_> = b.exceptions.iter().map(|e| (e.start, e.end, e.handler, e.depth)).collect();
    (
        (b.argcount, b.posonlyargcount, b.kwonlyargcount, b.flags, b.firstlineno),
        (b.name.clone(), b.qualname.clone(), b.words.clone(), b.names.clone()),
        (b.varnames.clone(), b.cellvars.clone(), b.freevars.clone(), b.positions.clone(), exceptions),
    )
}

pub(super) fn rich_compare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(x), Some(y)) = (a.to_ref::<Code>(), b.to_ref::<Code>()) else { return Ok(Value::NOT_IMPLEMENTED) };
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let same = x.ptr_eq(&y) || (plain_part(&x) == plain_part(&y) && same_consts(th, x.consts(), y.consts())?);
    Ok((same == (op == CmpOp::Eq)).into())
}

/// Constants are the same only with equal types all the way down: `1`, `1.0` and `True` differ, so do `0.0` and `-0.0`.
fn same_consts(th: &mut Thread, x: &Ref<Tuple>, y: &Ref<Tuple>) -> PyResult<bool> {
    if x.len() != y.len() {
        return Ok(false);
    }
    for (a, b) in x.iter().zip(y.iter()) {
        if a.is(b) {
            continue;
        }
        if !a.class().is_same(b.class()) {
            return Ok(false);
        }
        let same = match (a.to_ref::<Tuple>(), b.to_ref::<Tuple>()) {
            (Some(a), Some(b)) => same_consts(th, &a, &b)?,
            _ => match (a.to_f64(), b.to_f64()) {
                (Some(a), Some(b)) => a.to_bits() == b.to_bits(),
                _ => compare::eq(th, a, b)?,
            },
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) fn hash(_: &mut Thread, v: &Value) -> PyResult<i64> {
    let code = this(v);
    let mut mixed = code.name.hash() as u64;
    let mut eat = |n: u64| mixed = (mixed ^ n).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    let b = &code.bytecode();
    [b.argcount, b.posonlyargcount, b.kwonlyargcount, b.flags, b.firstlineno].iter().for_each(|&n| eat(n.into()));
    b.words.iter().for_each(|&w| eat(Word(w).0));
    code.names().iter().for_each(|n| eat(n.hash() as u64));
    let mixed = hashing::int((mixed >> 3) as i64);
    Ok(mixed)
}

/// `Ref<Str>` of an attribute that must be a `str`.
pub(super) fn text_of(v: &Value) -> Option<String> {
    v.downcast_ref::<Str>().map(|s| s.to_string_lossy().into_owned())
}
