//! Opcodes that find, make and fill objects.
use krait_object::builtin_types::{DICT, LIST, SET, TYPE};
use krait_object::{Args, Dict, List, PyResult, Set, Str, Thread, Tuple, Type, Value, intern};
use krait_runtime::errors::{runtime_error, value_error};
use krait_runtime::protocol::{attr, call, sequence};

use super::load::Loader;
use super::unpickler::find_class;
use super::{imported, opcode as op, unpickling_error};
use crate::arguments::class_name;

impl Loader<'_> {
    pub fn step_object(&mut self, th: &mut Thread, code: u8) -> PyResult<()> {
        match code {
            op::GLOBAL => {
                let v = self.named(th)?;
                self.stack.push(v);
                Ok(())
            }
            op::STACK_GLOBAL => self.load_stack_global(th),
            op::EXT1 => {
                let n = self.input.byte(th)?;
                self.load_extension(th, n.into())
            }
            op::EXT2 => {
                let n = u16::from_le_bytes(self.input.array(th)?);
                self.load_extension(th, n.into())
            }
            op::EXT4 => {
                let n = i32::from_le_bytes(self.input.array(th)?);
                self.load_extension(th, n.into())
            }
            op::REDUCE => {
                let args = self.stack.pop(th)?;
                let function = self.stack.pop(th)?;
                let Some(given) = args.downcast_ref::<Tuple>() else {
                    let class = class_name(&args);
                    let message = format!("argument list must be a tuple, not {class}");
                    return Err(krait_runtime::errors::type_error(th, message));
                };
                let v = call::call(th, &function, given)?;
                self.stack.push(v);
                Ok(())
            }
            op::NEWOBJ => {
                let args = self.stack.pop(th)?;
                let class = self.stack.pop(th)?;
                self.load_newobj(th, "NEWOBJ", &class, &args, None)
            }
            op::NEWOBJ_EX => {
                let named = self.stack.pop(th)?;
                let args = self.stack.pop(th)?;
                let class = self.stack.pop(th)?;
                self.load_newobj(th, "NEWOBJ_EX", &class, &args, Some(&named))
            }
            op::INST => {
                let args = self.stack.pop_mark(th)?;
                let class = self.named(th)?;
                self.instantiate(th, &class, &args)
            }
            op::OBJ => {
                let mut args = self.stack.pop_mark(th)?;
                if args.is_empty() {
                    return Err(unpickling_error(th, "unpickling stack underflow"));
                }
                let class = args.remove(0);
                self.instantiate(th, &class, &args)
            }
            op::APPEND => {
                let item = self.stack.pop(th)?;
                let list = self.stack.last(th)?;
                append(th, &list, vec![item])
            }
            op::APPENDS => {
                let (list, items) = self.stack.pop_mark_above(th)?;
                append(th, &list, items)
            }
            op::SETITEM => {
                let value = self.stack.pop(th)?;
                let key = self.stack.pop(th)?;
                let dict = self.stack.last(th)?;
                set_items(th, &dict, &[key, value])
            }
            op::SETITEMS => {
                let (dict, items) = self.stack.pop_mark_above(th)?;
                set_items(th, &dict, &items)
            }
            op::ADDITEMS => {
                let (set, items) = self.stack.pop_mark_above(th)?;
                add_items(th, &set, items)
            }
            op::BUILD => {
                let state = self.stack.pop(th)?;
                let object = self.stack.last(th)?;
                build(th, &object, &state)
            }
            _ => {
                let shown = match code {
                    b'\'' => "\\x27".to_owned(),
                    b'\\' => "\\x5c".to_owned(),
                    0x20..=0x7E => char::from(code).to_string(),
                    _ => format!("\\x{code:02x}"),
                };
                Err(unpickling_error(th, format!("invalid load key, '{shown}'.")))
            }
        }
    }

    /// The object that two lines name.
    fn named(&mut self, th: &mut Thread) -> PyResult<Value> {
        let module = self.line_of_text(th)?;
        let name = self.line_of_text(th)?;
        self.find(th, &module, &name)
    }
    fn line_of_text(&mut self, th: &mut Thread) -> PyResult<Value> {
        let line = self.input.line(th)?;
        if line.is_empty() {
            return Err(super::input::truncated(th));
        }
        krait_runtime::codecs::decode_bytes(th, &line, None, Some("utf-8"), None)
    }
    fn find(&mut self, th: &mut Thread, module: &Value, name: &Value) -> PyResult<Value> {
        match self.this {
            Some(this) => attr::call_method(th, this, "find_class", &[module.clone(), name.clone()]),
            None => find_class(th, self.unpickler, module, name),
        }
    }
    fn load_stack_global(&mut self, th: &mut Thread) -> PyResult<()> {
        let name = self.stack.pop(th)?;
        let module = self.stack.pop(th)?;
        let text = |v: &Value| v.is_exact(&krait_object::builtin_types::STR);
        if !text(&name) || !text(&module) {
            return Err(unpickling_error(th, "STACK_GLOBAL requires str"));
        }
        let v = self.find(th, &module, &name)?;
        self.stack.push(v);
        Ok(())
    }
    fn load_extension(&mut self, th: &mut Thread, code: i64) -> PyResult<()> {
        if code <= 0 {
            return Err(unpickling_error(th, "EXT specifies code <= 0"));
        }
        let key = Value::int(code);
        let cache = imported(th, "copyreg", "_extension_cache")?;
        let Some(cache) = cache.downcast_ref::<Dict>() else {
            return Err(runtime_error(th, "copyreg._extension_cache should be a dict"));
        };
        if let Some(v) = cache.get(th, &key)? {
            self.stack.push(v);
            return Ok(());
        }
        let inverted = imported(th, "copyreg", "_inverted_registry")?;
        let pair = match inverted.downcast_ref::<Dict>() {
            Some(d) => d.get(th, &key)?,
            None => None,
        };
        let Some(pair) = pair else { return Err(value_error(th, format!("unregistered extension code {code}"))) };
        let (module, name) = match pair.downcast_ref::<Tuple>().map(Tuple::as_slice) {
            Some([m, n]) if m.downcast_ref::<Str>().is_some() && n.downcast_ref::<Str>().is_some() => (m, n),
            _ => {
                return Err(value_error(th, format!("_inverted_registry[{code}] isn't a 2-tuple of strings")));
            }
        };
        let v = self.find(th, module, name)?;
        cache.set(th, key, v.clone())?;
        self.stack.push(v);
        Ok(())
    }
    fn load_newobj(
        &mut self,
        th: &mut Thread,
        opcode: &str,
        class: &Value,
        args: &Value,
        named: Option<&Value>,
    ) -> PyResult<()> {
        let Some(t) = class.to_ref::<Type>() else {
            let given = class_name(class);
            return Err(unpickling_error(th, format!("{opcode} class argument must be a type, not {given}")));
        };
        let Some(new) = t.slots.new.get() else {
            let name = t.name();
            return Err(unpickling_error(th, format!("{opcode} class argument '{name}' doesn't have __new__")));
        };
        let Some(given) = args.downcast_ref::<Tuple>() else {
            let class = class_name(args);
            return Err(unpickling_error(th, format!("{opcode} args argument must be a tuple, not {class}")));
        };
        let mut all = given.to_vec();
        let mut names = Vec::new();
        if let Some(named) = named {
            let Some(d) = named.downcast_ref::<Dict>() else {
                let class = class_name(named);
                return Err(unpickling_error(th, format!("{opcode} kwargs argument must be a dict, not {class}")));
            };
            for (k, v) in d.items() {
                if k.downcast_ref::<Str>().is_none() {
                    return Err(krait_runtime::errors::type_error(th, "keywords must be strings"));
                }
                names.push(k);
                all.push(v);
            }
        }
        let v = new(th, &t, &Args::new(&all, &names))?;
        self.stack.push(v);
        Ok(())
    }
    /// As Python 2 made instances: without arguments `__init__` is not called.
    fn instantiate(&mut self, th: &mut Thread, class: &Value, args: &[Value]) -> PyResult<()> {
        let plain =
            args.is_empty() && class.is_instance(&TYPE) && attr::get_text_opt(th, class, "__getinitargs__")?.is_none();
        let v = if plain {
            attr::call_method(th, class, "__new__", std::slice::from_ref(class))?
        } else {
            call::call(th, class, args)?
        };
        self.stack.push(v);
        Ok(())
    }
}

fn append(th: &mut Thread, list: &Value, items: Vec<Value>) -> PyResult<()> {
    if list.is_exact(&LIST)
        && let Some(l) = list.downcast_ref::<List>()
    {
        l.lock().extend(items);
        return Ok(());
    }
    if let Some(extend) = attr::get_text_opt(th, list, "extend")? {
        call::call(th, &extend, &[List::new(items).into()])?;
        return Ok(());
    }
    let append = attr::get_text(th, list, "append")?;
    for item in items {
        call::call(th, &append, &[item])?;
    }
    Ok(())
}
fn set_items(th: &mut Thread, dict: &Value, items: &[Value]) -> PyResult<()> {
    if !items.len().is_multiple_of(2) {
        return Err(unpickling_error(th, "odd number of items for SETITEMS"));
    }
    let exact = dict.downcast_ref::<Dict>().filter(|_| dict.is_exact(&DICT));
    for pair in items.chunks_exact(2) {
        match exact {
            Some(d) => d.set(th, pair[0].clone(), pair[1].clone())?,
            None => sequence::set_item(th, dict, &pair[0], &pair[1])?,
        }
    }
    Ok(())
}
fn add_items(th: &mut Thread, set: &Value, items: Vec<Value>) -> PyResult<()> {
    if set.is_exact(&SET)
        && let Some(s) = set.downcast_ref::<Set>()
    {
        for item in items {
            s.add(th, item)?;
        }
        return Ok(());
    }
    let add = attr::get_text(th, set, "add")?;
    for item in items {
        call::call(th, &add, &[item])?;
    }
    Ok(())
}
fn build(th: &mut Thread, object: &Value, state: &Value) -> PyResult<()> {
    if let Some(setstate) = attr::get_text_opt(th, object, "__setstate__")? {
        call::call(th, &setstate, std::slice::from_ref(state))?;
        return Ok(());
    }
    let (state, slots) = match state.downcast_ref::<Tuple>().map(Tuple::as_slice) {
        Some([state, slots]) => (state, Some(slots)),
        _ => (state, None),
    };
    if !state.is_none() {
        let Some(d) = state.downcast_ref::<Dict>() else {
            return Err(unpickling_error(th, "state is not a dictionary"));
        };
        let dict = attr::get_text(th, object, "__dict__")?;
        for (key, value) in d.items() {
            // Attribute names are shared among the instances of a class.
            let key = match key.to_ref::<Str>() {
                Some(s) if key.is_exact(&krait_object::builtin_types::STR) => intern::intern_ref(&s).to_value(),
                _ => key,
            };
            sequence::set_item(th, &dict, &key, &value)?;
        }
    }
    if let Some(slots) = slots.filter(|s| !s.is_none()) {
        let Some(d) = slots.downcast_ref::<Dict>() else {
            return Err(unpickling_error(th, "slot state is not a dictionary"));
        };
        for (key, value) in d.items() {
            let name = attr::name_argument(th, &key)?;
            attr::set_attr(th, object, &name, Some(&value))?;
        }
    }
    Ok(())
}
