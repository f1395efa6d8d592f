//! `import` and `from … import`.
use krait_bytecode::Word;
use krait_object::{Dict, PyResult, Ref, Str, Thread, Value};
use krait_runtime::errors;
use krait_runtime::exceptions::{IMPORT_ERROR, KEY_ERROR};
use krait_runtime::import;
use krait_runtime::protocol::{attr, call, repr, sequence};
use krait_runtime::well_known::names;

use super::{a, b, finish0, ok};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};

pub fn op_import_name(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (level, fromlist) = (r.moved(b(w)), r.moved(b(w) + 1));
    let value = ok!(import_name(th, r, pc.name(0), &level, &fromlist), th, pc, r);
    drop((level, fromlist));
    finish0(th, a(w), pc, pc.add(1), r, value)
}
/// Calls `builtins.__import__`, whatever that is now.
fn import_name(th: &mut Thread, r: Regs, name: &Ref<Str>, level: &Value, fromlist: &Value) -> PyResult<Value> {
    let function = r.function();
    let (globals, builtins) = (function.globals.to_value(), function.builtins.clone());
    let import = match builtins.downcast_exact::<Dict>() {
        Some(dict) => dict.get_str(&names().import),
        None => {
            let found = sequence::get_item(th, &builtins, names().import.as_value());
            errors::suppress(th, found, &KEY_ERROR)?
        }
    };
    let Some(import) = import else { return Err(errors::raise(th, &IMPORT_ERROR, "__import__ not found")) };
    let locals = r.namespace().unwrap_or(Value::NONE);
    call::call(th, &import, &[name.to_value(), globals, locals, fromlist.clone(), level.clone()])
}
pub fn op_import_from(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (module, name) = (r.get(b(w)).clone(), pc.name(0));
    let value = ok!(import::import_from(th, &module, name), th, pc, r);
    drop(module);
    finish0(th, a(w), pc, pc.add(1), r, value)
}
/// `from module import *` into a namespace.
pub fn import_star(th: &mut Thread, module: &Value, namespace: &Value) -> PyResult<()> {
    let (all, skip_private) = match attr::get_attr_opt(th, module, &names().all)? {
        Some(all) => (all, false),
        None => {
            let Some(dict) = attr::get_attr_opt(th, module, &names().dict)? else {
                let message = "from-import-* object has no __dict__ and no __all__";
                return Err(errors::raise(th, &IMPORT_ERROR, message));
            };
            (attr::call_method(th, &dict, "keys", &[])?, true)
        }
    };
    for name in krait_runtime::protocol::iter::collect(th, &all)? {
        let Some(text) = name.to_ref::<Str>() else {
            let module_name = attr::get_attr(th, module, &names().name)?;
            let module_name = repr::str(th, &module_name)?;
            let (place, what) = if skip_private { ("Key in", "__dict__") } else { ("Item in", "__all__") };
            let message =
                format!("{place} {}.{what} must be str, not {}", module_name.to_string_lossy(), name.class().name());
            return Err(errors::type_error(th, message));
        };
        if skip_private && text.get(0) == Some(u32::from('_')) {
            continue;
        }
        let text = attr::name_argument(th, &name)?;
        let value = attr::get_attr(th, module, &text)?;
        match namespace.downcast_exact::<Dict>() {
            Some(dict) => dict.set(th, name, value)?,
            None => sequence::set_item(th, namespace, &name, &value)?,
        }
    }
    Ok(())
}
