//! Saving an object: which way it takes.
use krait_object::builtin_types::{
    BYTES, DICT, ELLIPSIS_TYPE, FLOAT, FROZENSET, INT, LIST, NONE_TYPE, NOT_IMPLEMENTED_TYPE, SET, STR, TUPLE, TYPE,
};
use krait_object::{PyResult, Str, Thread, Tuple, TypeObject, Value};
use krait_runtime::exceptions::KEY_ERROR;
use krait_runtime::protocol::{attr, call, repr, sequence};
use krait_runtime::types::bytearray::BYTEARRAY;
use krait_runtime::types::function::Function;

use super::opcode as op;
use super::output::Output;
use super::pickle_buffer::PICKLE_BUFFER;
use super::pickler::{Config, PICKLER, Pickler};
use super::{imported, pickling_error};

/// One `dump`.
pub struct Saver<'a> {
    pub pickler: &'a Pickler,
    pub config: Config,
    pub out: Output,
    pub fast: bool,
    /// Depth of nested containers in fast mode, and their identities beyond a limit.
    pub nesting: usize,
    pub nested: Vec<u64>,
    persistent_id: Option<Value>,
    reducer_override: Option<Value>,
    /// `copyreg.dispatch_table`, or the pickler's own.
    dispatch_table: Value,
    own_table: bool,
}

/// Pickles one object. `this` is the pickler as an object, for its overridable methods.
pub fn dump(th: &mut Thread, this: Option<&Value>, pickler: &Pickler, object: &Value) -> PyResult<Vec<u8>> {
    let own = pickler.dispatch_table();
    let dispatch_table = match &own {
        Some(table) => table.clone(),
        None => imported(th, "copyreg", "dispatch_table")?,
    };
    let (mut persistent_id, mut reducer_override) = (pickler.own_persistent_id(), None);
    if let Some(this) = this
        && !this.is_exact(&PICKLER)
    {
        if persistent_id.is_none() {
            persistent_id = overridden(th, this, &PICKLER, "persistent_id")?;
        }
        reducer_override = attr::get_text_opt(th, this, "reducer_override")?;
    }
    let config = pickler.config();
    let mut saver = Saver {
        pickler,
        out: Output::new(pickler.write()),
        fast: pickler.fast.get() != 0,
        nesting: 0,
        nested: Vec::new(),
        persistent_id,
        reducer_override,
        dispatch_table,
        own_table: own.is_some(),
        config,
    };
    if saver.config.protocol >= 2 {
        saver.out.extend(&[op::PROTO, saver.config.protocol as u8]);
        saver.out.set_framing(saver.config.protocol >= 4);
    }
    saver.save(th, object)?;
    saver.out.push(op::STOP);
    let Saver { out, .. } = saver;
    out.finish(th)
}
/// A method of a subclass's own, bound; none where it is the base's.
pub fn overridden(th: &mut Thread, this: &Value, base: &TypeObject, name: &str) -> PyResult<Option<Value>> {
    let key = krait_object::intern::intern(name);
    let found = this.class().lookup(&key);
    let inherited = base.lookup(&key);
    let same = matches!((&found, &inherited), (Some(a), Some(b)) if a.is(b));
    let own = krait_runtime::types::object::instance_dict(this).is_some_and(|d| d.get_str(&key).is_some());
    if same && !own { Ok(None) } else { attr::get_attr_opt(th, this, &key) }
}

impl Saver<'_> {
    pub fn protocol(&self) -> i32 {
        self.config.protocol
    }
    pub fn binary(&self) -> bool {
        self.config.protocol > 0
    }
    pub fn save(&mut self, th: &mut Thread, v: &Value) -> PyResult<()> {
        if let Some(f) = self.persistent_id.clone() {
            let id = call::call(th, &f, std::slice::from_ref(v))?;
            if !id.is_none() {
                return self.save_persistent(th, &id);
            }
        }
        self.save_object(th, v)
    }
    fn save_persistent(&mut self, th: &mut Thread, id: &Value) -> PyResult<()> {
        if self.binary() {
            self.save_object(th, id)?;
            self.out.push(op::BINPERSID);
            return Ok(());
        }
        let text = repr::str(th, id)?;
        match text.as_ascii() {
            Some(ascii) => {
                self.out.push(op::PERSID);
                self.out.text(ascii);
                self.out.push(b'\n');
                Ok(())
            }
            None => Err(pickling_error(th, "persistent IDs in protocol 0 must be ASCII strings")),
        }
    }
    /// Saves an object whose persistent id is out of the question.
    fn save_object(&mut self, th: &mut Thread, v: &Value) -> PyResult<()> {
        self.out.boundary(th)?;
        if self.save_atom(th, v)? {
            return Ok(());
        }
        if let Some(place) = self.pickler.memo_place(v) {
            self.write_get(place);
            return Ok(());
        }
        let class = v.class();
        let exact = |t: &TypeObject| std::ptr::eq(class, t);
        if exact(&BYTES) {
            return self.save_bytes(th, v);
        }
        if exact(&STR) {
            return self.save_str(th, v);
        }
        th.check_native(" while pickling an object")?;
        if exact(&DICT) {
            self.save_dict(th, v)
        } else if exact(&SET) {
            self.save_set(th, v)
        } else if exact(&FROZENSET) {
            self.save_frozenset(th, v)
        } else if exact(&LIST) {
            self.save_list(th, v)
        } else if exact(&TUPLE) {
            self.save_tuple(th, v)
        } else if exact(&BYTEARRAY) {
            self.save_bytearray(th, v)
        } else if exact(&PICKLE_BUFFER) {
            self.save_picklebuffer(th, v)
        } else {
            self.save_other(th, v)
        }
    }
    /// None, bools, exact ints and floats.
    fn save_atom(&mut self, th: &mut Thread, v: &Value) -> PyResult<bool> {
        if v.is_none() {
            self.out.push(op::NONE);
        } else if let Some(b) = v.as_bool() {
            self.save_bool(b);
        } else if v.is_exact(&INT) {
            self.save_int(th, v)?;
        } else if v.is_exact(&FLOAT) {
            self.save_float(v.to_f64().unwrap_or(0.0));
        } else {
            return Ok(false);
        }
        Ok(true)
    }
    /// What has no opcodes of its own: hooks, classes and functions by name, everything else by `__reduce_ex__`.
    fn save_other(&mut self, th: &mut Thread, v: &Value) -> PyResult<()> {
        if let Some(f) = self.reducer_override.clone() {
            let reduced = call::call(th, &f, std::slice::from_ref(v))?;
            if !reduced.is_not_implemented() {
                return self.save_reduced(th, v, &reduced);
            }
        }
        if v.is_exact(&TYPE) {
            return self.save_type(th, v);
        }
        if v.downcast_exact::<Function>().is_some() {
            return self.save_global(th, v, None);
        }
        if let Some(f) = self.dispatched(th, v)? {
            let reduced = call::call(th, &f, std::slice::from_ref(v))?;
            return self.save_reduced(th, v, &reduced);
        }
        if v.is_instance(&TYPE) {
            return self.save_global(th, v, None);
        }
        let reduced = if let Some(f) = attr::get_text_opt(th, v, "__reduce_ex__")? {
            call::call(th, &f, &[self.protocol().into()])?
        } else if let Some(f) = attr::get_text_opt(th, v, "__reduce__")? {
            call::call(th, &f, &[])?
        } else {
            let (class, shown) = (crate::arguments::class_name(v), repr::repr(th, v)?);
            return Err(pickling_error(th, format!("can't pickle '{class}' object: {shown}")));
        };
        self.save_reduced(th, v, &reduced)
    }
    fn dispatched(&mut self, th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
        let (table, class) = (self.dispatch_table.clone(), v.class_ref().to_value());
        if let Some(d) = table.downcast_exact::<krait_object::Dict>() {
            return d.get(th, &class);
        }
        let found = if self.own_table {
            sequence::get_item(th, &table, &class)
        } else {
            attr::call_method(th, &table, "get", &[class]).map(|v| if v.is_none() { Value::NONE } else { v })
        };
        match found {
            Ok(v) if v.is_none() && !self.own_table => Ok(None),
            Ok(v) => Ok(Some(v)),
            Err(raised) => {
                krait_runtime::errors::catch(th, raised, &KEY_ERROR)?;
                Ok(None)
            }
        }
    }
    fn save_type(&mut self, th: &mut Thread, v: &Value) -> PyResult<()> {
        let single = |t: &TypeObject| v.bits() == t.to_value().bits();
        let singleton = if single(&NONE_TYPE) {
            Value::NONE
        } else if single(&NOT_IMPLEMENTED_TYPE) {
            Value::NOT_IMPLEMENTED
        } else if single(&ELLIPSIS_TYPE) {
            Value::ELLIPSIS
        } else {
            return self.save_global(th, v, None);
        };
        let reduced = Tuple::of([TYPE.to_value(), Tuple::of([singleton]).into()]);
        self.save_reduce(th, &reduced, Some(v))
    }
    fn save_reduced(&mut self, th: &mut Thread, v: &Value, reduced: &Value) -> PyResult<()> {
        if reduced.downcast_ref::<Str>().is_some() {
            return self.save_global(th, v, Some(reduced));
        }
        match reduced.downcast_ref::<Tuple>() {
            Some(t) => self.save_reduce(th, t, Some(v)),
            None => Err(pickling_error(th, "__reduce__ must return a string or tuple")),
        }
    }

    /// Writes the memo's number of an object that was written before.
    pub fn write_get(&mut self, place: usize) {
        if !self.binary() {
            self.out.text(&format!("g{place}\n"));
        } else if let Ok(n) = u8::try_from(place) {
            self.out.extend(&[op::BINGET, n]);
        } else {
            self.out.push(op::LONG_BINGET);
            self.out.extend(&(place as u32).to_le_bytes());
        }
    }
    /// Memorises what was just written.
    pub fn memorise(&mut self, v: &Value) {
        if self.fast {
            return;
        }
        let place = self.pickler.memorise(v);
        if self.protocol() >= 4 {
            self.out.push(op::MEMOIZE);
        } else if !self.binary() {
            self.out.text(&format!("p{place}\n"));
        } else if let Ok(n) = u8::try_from(place) {
            self.out.extend(&[op::BINPUT, n]);
        } else {
            self.out.push(op::LONG_BINPUT);
            self.out.extend(&(place as u32).to_le_bytes());
        }
    }
}
