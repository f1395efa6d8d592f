//! `code(...)` and `code.replace(...)`.
use std::sync::Arc;

use krait_bytecode::location::PositionTable;
use krait_bytecode::{CodeObject, Const, ExceptionEntry, verify};
use krait_object::native::Sig;
use krait_object::{Args, Bytes, Dict, PyResult, Ref, Str, Thread, Tuple, Type, Value};

use super::attributes::text_of;
use super::{Code, OwnParts, constants};
use crate::errors;
use crate::protocol::number;

pub(super) fn new(th: &mut Thread, _: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new(
        "(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags, codestring, constants, names, varnames, filename, name, qualname, firstlineno, linetable, exceptiontable, freevars=(), cellvars=(), /)",
    );
    let bound = SIG.bind(th, "code", "code", args, 0)?;
    let a = bound.args();
    const FIELDS: [&str; 18] = [
        "co_argcount",
        "co_posonlyargcount",
        "co_kwonlyargcount",
        "co_nlocals",
        "co_stacksize",
        "co_flags",
        "co_code",
        "co_consts",
        "co_names",
        "co_varnames",
        "co_filename",
        "co_name",
        "co_qualname",
        "co_firstlineno",
        "co_linetable",
        "co_exceptiontable",
        "co_freevars",
        "co_cellvars",
    ];
    let mut draft = Draft { code: CodeObject::default(), consts: Tuple::empty(), linetable: None, nlocals: None };
    for (i, field) in FIELDS.into_iter().enumerate() {
        if let Some(v) = a.opt(i) {
            draft.set(th, field, v, "code")?;
        }
    }
    draft.finish(th)
}

pub(super) fn replace(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let code = a.this_ref::<Code>();
    let mut draft =
        Draft { code: (**code.bytecode()).clone(), consts: code.consts().clone(), linetable: None, nlocals: None };
    draft.linetable = code.own.as_ref().and_then(|own| own.linetable.clone()).map(Vec::from);
    let changes = a.opt(1).and_then(|d| d.to_ref::<Dict>()).map(|d| d.items()).unwrap_or_default();
    for (key, value) in changes {
        let key = text_of(&key).unwrap_or_default();
        if key == "co_firstlineno" && draft.linetable.is_none() {
            // Lines count from the first one.
            draft.linetable = Some(code.bytecode().linetable());
        }
        draft.set(th, &key, &value, "replace")?;
    }
    draft.finish(th)
}

struct Draft {
    code: CodeObject,
    consts: Ref<Tuple>,
    linetable: Option<Vec<u8>>,
    nlocals: Option<u32>,
}

impl Draft {
    fn set(&mut self, th: &mut Thread, field: &str, v: &Value, function: &str) -> PyResult<()> {
        let c = &mut self.code;
        match field {
            "co_argcount" => c.argcount = count(th, v)?,
            "co_posonlyargcount" => c.posonlyargcount = count(th, v)?,
            "co_kwonlyargcount" => c.kwonlyargcount = count(th, v)?,
            "co_nlocals" => self.nlocals = Some(count(th, v)?),
            "co_stacksize" => c.nregs = c.nregs.max(c.first_temp() as u32 + count(th, v)?),
            "co_flags" => c.flags = count(th, v)?,
            "co_firstlineno" => c.firstlineno = count(th, v)?,
            "co_code" => {
                let code = bytes(th, v, function, field)?;
                c.words = words(th, &code)?;
            }
            "co_consts" => {
                let Some(tuple) = v.to_ref::<Tuple>() else { return Err(wrong(th, function, field, "tuple", v)) };
                c.consts = tuple.iter().map(|v| constants::from_value(v).unwrap_or(Const::None)).collect();
                self.consts = tuple;
            }
            "co_names" => c.names = texts(th, v, function, field)?,
            "co_varnames" => c.varnames = texts(th, v, function, field)?,
            "co_freevars" => c.freevars = texts(th, v, function, field)?,
            "co_cellvars" => c.cellvars = texts(th, v, function, field)?,
            "co_filename" => c.filename = text(th, v, function, field)?,
            "co_name" => c.name = text(th, v, function, field)?,
            "co_qualname" => c.qualname = text(th, v, function, field)?,
            "co_linetable" => self.linetable = Some(bytes(th, v, function, field)?),
            "co_exceptiontable" => {
                let table = bytes(th, v, function, field)?;
                let first_temp = c.first_temp() as u32;
                if table != c.exceptiontable() {
                    c.exceptions = read_exceptions(&table, first_temp).unwrap_or_default();
                }
            }
            _ => {
                let message = format!("{function}() got an unexpected keyword argument '{field}'");
                return Err(errors::type_error(th, message));
            }
        }
        Ok(())
    }

    fn finish(mut self, th: &mut Thread) -> PyResult<Value> {
        let c = &mut self.code;
        if self.nlocals.is_some_and(|n| n as usize != c.varnames.len()) {
            return Err(errors::value_error(th, "code: co_nlocals != len(co_varnames)"));
        }
        if c.posonlyargcount > c.argcount || c.nargs() > c.varnames.len() {
            return Err(errors::value_error(th, "code: varnames is too small"));
        }
        if let Some(table) = &self.linetable {
            match PositionTable::from_linetable(table, c.firstlineno) {
                Some(positions) => c.positions = positions,
                None => return Err(errors::value_error(th, "code: malformed line table")),
            }
        }
        c.cell_registers = cell_registers(c);
        c.nregs = c.nregs.max(c.first_temp() as u32);
        let malformed = |(word, fault)| format!("malformed bytecode in {} at {}: {fault}", c.name, 2 * word);
        let fault = verify::verify(c).map_err(malformed).err().map(String::into_boxed_str);
        audit_new(th, c, self.nlocals)?;
        let own = OwnParts { fault, linetable: self.linetable.map(Vec::into_boxed_slice) };
        let filename = Str::new(&self.code.filename);
        Ok(Code::with_consts(&Arc::new(self.code), &filename, self.consts, Some(own)).into())
    }
}

fn audit_new(th: &mut Thread, c: &CodeObject, nlocals: Option<u32>) -> PyResult<()> {
    if !crate::audit::active() {
        return Ok(());
    }
    let words: Vec<u8> = c.words.iter().flat_map(|w| w.to_le_bytes()).collect();
    let args = [
        Bytes::new(&words).into(),
        Value::str(&c.filename),
        Value::str(&c.name),
        c.argcount.into(),
        c.posonlyargcount.into(),
        c.kwonlyargcount.into(),
        nlocals.unwrap_or(c.varnames.len() as u32).into(),
        (c.nregs as usize - c.first_temp()).into(),
        c.flags.into(),
    ];
    crate::audit::audit(th, "code.__new__", &args)
}

/// Cells that are arguments are in their argument's register, all others follow the locals.
fn cell_registers(c: &CodeObject) -> Vec<u16> {
    let mut next = c.varnames.len();
    let place = |cell: &Arc<str>| match c.varnames.iter().position(|v| v == cell) {
        Some(i) => i as u16,
        None => {
            next += 1;
            (next - 1) as u16
        }
    };
    c.cellvars.iter().map(place).collect()
}

fn read_exceptions(table: &[u8], first_temp: u32) -> Option<Vec<ExceptionEntry>> {
    let mut bytes = table.iter().copied();
    let mut out = Vec::new();
    let number = |bytes: &mut dyn Iterator<Item = u8>| -> Option<u32> {
        let mut byte = bytes.next()?;
        let mut n = (byte & 0x3f) as u32;
        while byte & 0x40 != 0 {
            byte = bytes.next()?;
            n = n.checked_shl(6)? | (byte & 0x3f) as u32;
        }
        Some(n)
    };
    while let Some(start) = number(&mut bytes) {
        let (length, handler, depth) = (number(&mut bytes)?, number(&mut bytes)?, number(&mut bytes)?);
        let depth = u16::try_from(first_temp + (depth >> 1)).ok()?;
        out.push(ExceptionEntry { start, end: start.checked_add(length)?, handler, depth });
    }
    Some(out)
}

fn wrong(th: &mut Thread, function: &str, field: &str, want: &str, got: &Value) -> krait_object::Raised {
    let message = format!("{function}() argument '{field}' must be {want}, not {}", got.class().name());
    errors::type_error(th, message)
}
fn count(th: &mut Thread, v: &Value) -> PyResult<u32> {
    let n = number::to_i32(th, v)?;
    u32::try_from(n).map_err(|_| errors::value_error(th, "code: argument must be >= 0"))
}
fn text(th: &mut Thread, v: &Value, function: &str, field: &str) -> PyResult<Arc<str>> {
    match v.downcast_ref::<Str>() {
        Some(s) => Ok(s.to_string_lossy().into()),
        None => Err(wrong(th, function, field, "str", v)),
    }
}
fn texts(th: &mut Thread, v: &Value, function: &str, field: &str) -> PyResult<Vec<Arc<str>>> {
    let Some(tuple) = v.to_ref::<Tuple>() else { return Err(wrong(th, function, field, "tuple", v)) };
    let mut out = Vec::with_capacity(tuple.len());
    for item in tuple.iter() {
        let Some(s) = item.downcast_ref::<Str>() else {
            let message = format!("name tuples must contain only strings, not '{}'", item.class().name());
            return Err(errors::type_error(th, message));
        };
        out.push(s.to_string_lossy().into());
    }
    Ok(out)
}
fn bytes(th: &mut Thread, v: &Value, function: &str, field: &str) -> PyResult<Vec<u8>> {
    match v.downcast_ref::<Bytes>() {
        Some(b) => Ok(b.as_slice().to_vec()),
        None => Err(wrong(th, function, field, "bytes", v)),
    }
}
fn words(th: &mut Thread, code: &[u8]) -> PyResult<Vec<u64>> {
    let (words, rest) = code.as_chunks::<8>();
    if words.is_empty() || !rest.is_empty() {
        return Err(errors::value_error(th, "code: co_code is malformed"));
    }
    Ok(words.iter().map(|w| u64::from_le_bytes(*w)).collect())
}
