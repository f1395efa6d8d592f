//! Objects to trees. Every attribute may be anything: what does not fit raises as CPython words it.
//!
//! Expressions are in `read/expr.rs`, statements in `read/stmt.rs`, constants in `read/constant.rs`.
mod constant;
mod expr;
mod stmt;

use krait_object::{List, PyResult, Raised, Ref, Str, Thread, Value};
use krait_runtime::errors::{raise, runtime_error, type_error, value_error};
use krait_runtime::exceptions::OVERFLOW_ERROR;
use krait_runtime::protocol::{attr, repr};
use krait_syntax::ast::{Identifier, Mod, Range, TypeIgnore, Wtf8Box, Wtf8Buf};

use super::classes::{Class, Classes};

struct Reader<'a> {
    th: &'a mut Thread,
    classes: &'a Classes,
}

/// The tree of an AST object, for `compile()` in this mode.
pub(super) fn module(th: &mut Thread, classes: &Classes, v: &Value, mode: &str) -> PyResult<Mod> {
    let wanted = match mode {
        "eval" => "Expression",
        "single" => "Interactive",
        "func_type" => "FunctionType",
        _ => "Module",
    };
    if !v.is_instance(classes.node(wanted).class.object()) {
        let class = v.class().name();
        return Err(type_error(th, format!("expected {wanted} node, got {class}")));
    }
    let mut r = Reader { th, classes };
    Ok(match wanted {
        "Expression" => Mod::Expression { body: r.expr_field(v, wanted, "body")? },
        "Interactive" => Mod::Interactive { body: r.stmts(v, wanted, "body")? },
        "FunctionType" => Mod::FunctionType {
            argtypes: r.exprs(v, wanted, "argtypes")?,
            returns: r.expr_field(v, wanted, "returns")?,
        },
        _ => Mod::Module {
            body: r.stmts(v, wanted, "body")?,
            type_ignores: r.list(v, wanted, "type_ignores", Reader::type_ignore)?,
        },
    })
}

/// Copies text, surrogates included.
pub(super) fn wtf8(s: &Str) -> Wtf8Box {
    let mut out = Wtf8Buf::new();
    match s.to_utf8() {
        Some(text) => out.push_str(&text),
        None => s.iter().for_each(|c| out.push_code_point(c)),
    }
    out.finish()
}

impl Reader<'_> {
    fn type_error<T>(&mut self, message: String) -> PyResult<T> {
        Err(type_error(self.th, message))
    }
    fn value_error<T>(&mut self, message: impl Into<String>) -> PyResult<T> {
        Err(value_error(self.th, message))
    }
    /// "expected some sort of expr, but got …".
    fn unexpected(&mut self, group: &str, v: &Value) -> Raised {
        match repr::repr(self.th, v) {
            Ok(shown) => type_error(self.th, format!("expected some sort of {group}, but got {shown}")),
            Err(raised) => raised,
        }
    }
    /// The constructor of an object that must belong to `group`.
    fn class_of(&mut self, v: &Value, group: &str) -> PyResult<&'static str> {
        match self.classes.class_of(v) {
            Some(Class { name, group: of, .. }) if *of == group => Ok(name),
            _ => Err(self.unexpected(group, v)),
        }
    }
    fn opt(&mut self, o: &Value, name: &str) -> PyResult<Option<Value>> {
        Ok(attr::get_text_opt(self.th, o, name)?.filter(|v| !v.is_none()))
    }
    /// A field that must be there; it may be None.
    fn required(&mut self, o: &Value, class: &str, name: &str) -> PyResult<Value> {
        match attr::get_text_opt(self.th, o, name)? {
            Some(v) => Ok(v),
            None => self.type_error(format!("required field \"{name}\" missing from {class}")),
        }
    }
    /// A field that must be there and not be None.
    fn present(&mut self, o: &Value, class: &str, name: &str) -> PyResult<Value> {
        let v = self.required(o, class, name)?;
        if v.is_none() {
            return self.value_error(format!("field '{name}' is required for {class}"));
        }
        Ok(v)
    }
    /// A list field; a missing one is empty.
    fn list<T>(
        &mut self,
        o: &Value,
        class: &str,
        name: &str,
        mut item: impl FnMut(&mut Self, &Value) -> PyResult<T>,
    ) -> PyResult<Vec<T>> {
        let Some(v) = attr::get_text_opt(self.th, o, name)? else { return Ok(Vec::new()) };
        let Some(list) = v.to_ref::<List>() else {
            let given = v.class().name();
            return self.type_error(format!("{class} field \"{name}\" must be a list, not a {given}"));
        };
        let n = list.len();
        let mut out = Vec::with_capacity(n);
        for i in 0..n {
            let Some(v) = list.get(i) else { break };
            out.push(item(self, &v)?);
            if list.len() != n {
                let message = format!("{class} field \"{name}\" changed size during iteration");
                return Err(runtime_error(self.th, message));
            }
        }
        Ok(out)
    }
    fn identifier(&mut self, v: &Value) -> PyResult<Identifier> {
        let Some(s) = v.downcast_exact::<Str>() else {
            return self.type_error("AST identifier must be of type str".to_owned());
        };
        match s.to_utf8() {
            Some(text) => Ok(Identifier::from(&*text)),
            None => {
                let s: Ref<Str> = v.to_ref().unwrap_or_else(Str::empty);
                Err(krait_runtime::errors::surrogates_not_allowed(self.th, &s))
            }
        }
    }
    fn identifier_field(&mut self, o: &Value, class: &str, name: &str) -> PyResult<Identifier> {
        let v = self.present(o, class, name)?;
        self.identifier(&v)
    }
    fn opt_identifier(&mut self, o: &Value, name: &str) -> PyResult<Option<Identifier>> {
        match self.opt(o, name)? {
            Some(v) => self.identifier(&v).map(Some),
            None => Ok(None),
        }
    }
    fn identifiers(&mut self, o: &Value, class: &str, name: &str) -> PyResult<Vec<Identifier>> {
        self.list(o, class, name, |r, v| r.identifier(v))
    }
    fn opt_string(&mut self, o: &Value, name: &str) -> PyResult<Option<Wtf8Box>> {
        match self.opt(o, name)? {
            Some(v) => self.string(&v).map(Some),
            None => Ok(None),
        }
    }
    fn string(&mut self, v: &Value) -> PyResult<Wtf8Box> {
        match v.downcast_exact::<Str>() {
            Some(s) => Ok(wtf8(s)),
            None => self.type_error("AST string must be of type str".to_owned()),
        }
    }
    fn int(&mut self, v: &Value) -> PyResult<i32> {
        let Some(i) = v.as_int_ref() else {
            let shown = repr::repr(self.th, v)?;
            return self.value_error(format!("invalid integer value: {shown}"));
        };
        match i.to_i64().and_then(|i| i32::try_from(i).ok()) {
            Some(i) => Ok(i),
            None => Err(raise(self.th, &OVERFLOW_ERROR, "Python int too large to convert to C int")),
        }
    }
    fn int_field(&mut self, o: &Value, class: &str, name: &str) -> PyResult<i32> {
        let v = self.required(o, class, name)?;
        self.int(&v)
    }
    /// The position attributes, checked. `exact`: the end is required.
    fn range(&mut self, o: &Value, group: &str, exact: bool) -> PyResult<Range> {
        let line = self.int_field(o, group, "lineno")?;
        let col = self.int_field(o, group, "col_offset")?;
        let (end_line, end_col) = if exact {
            (self.int_field(o, group, "end_lineno")?, self.int_field(o, group, "end_col_offset")?)
        } else {
            let end_line = match self.opt(o, "end_lineno")? {
                Some(v) => self.int(&v)?,
                None => line,
            };
            let end_col = match self.opt(o, "end_col_offset")? {
                Some(v) => self.int(&v)?,
                None => col,
            };
            (end_line, end_col)
        };
        if line > end_line {
            return self.value_error(format!("AST node line range ({line}, {end_line}) is not valid"));
        }
        if (line < 0 && end_line != line) || (col < 0 && col != end_col) {
            return self.value_error(format!(
                "AST node column range ({col}, {end_col}) for line range ({line}, {end_line}) is not valid"
            ));
        }
        if line == end_line && col > end_col {
            return self.value_error(format!("line {line}, column {col}-{end_col} is not a valid range"));
        }
        Ok(Range {
            lineno: line.max(0) as u32,
            col_offset: col.max(0) as u32,
            end_lineno: end_line.max(0) as u32,
            end_col_offset: end_col.max(0) as u32,
        })
    }
    fn type_ignore(&mut self, v: &Value) -> PyResult<TypeIgnore> {
        let class = self.class_of(v, "type_ignore")?;
        let lineno = self.int_field(v, class, "lineno")?;
        let tag = self.present(v, class, "tag")?;
        Ok(TypeIgnore { lineno: lineno.max(0) as u32, tag: self.string(&tag)? })
    }
}
