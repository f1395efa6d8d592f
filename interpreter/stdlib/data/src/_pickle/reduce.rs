//! Objects by what `__reduce__` returned: how to make them again, and their state.
use krait_object::builtin_types::TYPE;
use krait_object::{Dict, PyResult, Str, Thread, Tuple, Value};
use krait_runtime::protocol::{attr, call};

use super::opcode as op;
use super::save::Saver;
use super::{imported, pickling_error};
use crate::arguments::class_name;

/// The parts of a reduced object.
struct Parts {
    function: Value,
    args: Value,
    state: Option<Value>,
    items: Option<Value>,
    pairs: Option<Value>,
    state_setter: Option<Value>,
}

impl Saver<'_> {
    fn parts(&self, th: &mut Thread, reduced: &Tuple) -> PyResult<Parts> {
        if !(2..=6).contains(&reduced.len()) {
            let message = "tuple returned by __reduce__ must contain 2 through 6 elements";
            return Err(pickling_error(th, message));
        }
        let part = |i: usize| reduced.get(i).filter(|v| !v.is_none()).cloned();
        let parts = Parts {
            function: reduced[0].clone(),
            args: reduced[1].clone(),
            state: part(2),
            items: part(3),
            pairs: part(4),
            state_setter: part(5),
        };
        if !call::is_callable(&parts.function) {
            return Err(pickling_error(th, "first item of the tuple returned by __reduce__ must be callable"));
        }
        if parts.args.downcast_ref::<Tuple>().is_none() {
            return Err(pickling_error(th, "second item of the tuple returned by __reduce__ must be a tuple"));
        }
        if let Some(items) = &parts.items {
            self.check_iterator(th, items, "fourth")?;
        }
        if let Some(pairs) = &parts.pairs {
            self.check_iterator(th, pairs, "fifth")?;
        }
        if let Some(f) = &parts.state_setter
            && !call::is_callable(f)
        {
            let class = class_name(f);
            let message = format!("sixth element of the tuple returned by __reduce__ must be a function, not {class}");
            return Err(pickling_error(th, message));
        }
        Ok(parts)
    }
    /// Writes an object by its reduced form; memorises `object` if there is one.
    pub fn save_reduce(&mut self, th: &mut Thread, reduced: &Tuple, object: Option<&Value>) -> PyResult<()> {
        let parts = self.parts(th, reduced)?;
        let args: Vec<Value> = parts.args.downcast_ref::<Tuple>().map(|t| t.to_vec()).unwrap_or_default();
        let name = match self.protocol() >= 2 {
            true => attr::get_text_opt(th, &parts.function, "__name__")?,
            false => None,
        };
        let name = name.as_ref().and_then(|n| n.downcast_ref::<Str>());
        if name.is_some_and(|n| n.eq_str("__newobj_ex__")) {
            self.save_newobj_ex(th, &args)?;
        } else if name.is_some_and(|n| n.eq_str("__newobj__")) {
            self.save_newobj(th, &args, object)?;
        } else {
            self.save(th, &parts.function)?;
            self.save(th, &parts.args)?;
            self.out.push(op::REDUCE);
        }
        if let Some(v) = object {
            // Making the object may have led back to it, through a tuple subclass for one.
            if let Some(place) = self.pickler.memo_place(v) {
                self.out.push(op::POP);
                self.write_get(place);
                return Ok(());
            }
            self.memorise(v);
        }
        if let Some(items) = &parts.items {
            self.batch_list(th, items)?;
        }
        if let Some(pairs) = &parts.pairs {
            self.batch_dict(th, pairs)?;
        }
        let Some(state) = &parts.state else { return Ok(()) };
        match (&parts.state_setter, object) {
            (Some(setter), Some(v)) => {
                self.save(th, setter)?;
                self.save(th, v)?;
                self.save(th, state)?;
                self.out.extend(&[op::TUPLE2, op::REDUCE, op::POP]);
            }
            _ => {
                self.save(th, state)?;
                self.out.push(op::BUILD);
            }
        }
        Ok(())
    }
    fn save_newobj_ex(&mut self, th: &mut Thread, args: &[Value]) -> PyResult<()> {
        let [class, positional, named] = args else {
            let n = args.len();
            let message = format!("length of the NEWOBJ_EX argument tuple must be exactly 3, not {n}");
            return Err(pickling_error(th, message));
        };
        let wrong = |th: &mut Thread, which: &str, wanted: &str, v: &Value| {
            let given = class_name(v);
            let message = format!("{which} item from NEWOBJ_EX argument tuple must be a {wanted}, not {given}");
            Err(pickling_error(th, message))
        };
        if !class.is_instance(&TYPE) {
            return wrong(th, "first", "class", class);
        }
        let Some(given) = positional.downcast_ref::<Tuple>() else {
            return wrong(th, "second", "tuple", positional);
        };
        let Some(keywords) = named.downcast_ref::<Dict>() else { return wrong(th, "third", "dict", named) };
        if self.protocol() >= 4 {
            self.save(th, class)?;
            self.save(th, positional)?;
            self.save(th, named)?;
            self.out.push(op::NEWOBJ_EX);
            return Ok(());
        }
        // Keywords travel in a partial.
        let partial = imported(th, "functools", "partial")?;
        let mut all = vec![attr::get_text(th, class, "__new__")?, class.clone()];
        all.extend(given.iter().cloned());
        let (mut names, pairs) = (Vec::new(), keywords.items());
        for (k, v) in pairs {
            names.push(k);
            all.push(v);
        }
        let function = call::call_kw(th, &partial, &all, &names)?;
        self.save(th, &function)?;
        self.save(th, &Tuple::empty().into())?;
        self.out.push(op::REDUCE);
        Ok(())
    }
    fn save_newobj(&mut self, th: &mut Thread, args: &[Value], object: Option<&Value>) -> PyResult<()> {
        let Some((class, rest)) = args.split_first() else {
            return Err(pickling_error(th, "__newobj__ arglist is empty"));
        };
        if !class.is_instance(&TYPE) {
            return Err(pickling_error(th, "args[0] from __newobj__ args is not a type"));
        }
        if let Some(v) = object
            && !attr::get_text(th, v, "__class__")?.is(class)
        {
            return Err(pickling_error(th, "args[0] from __newobj__ args has the wrong class"));
        }
        self.save(th, class)?;
        self.save(th, &Tuple::from_slice(rest).into())?;
        self.out.push(op::NEWOBJ);
        Ok(())
    }
}
