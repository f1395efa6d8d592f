//! Classes and functions into a pickle: by module and name.
use krait_object::{Dict, PyResult, Ref, Str, Thread, Tuple, Value};
use krait_runtime::errors::runtime_error;
use krait_runtime::exceptions::{ATTRIBUTE_ERROR, EXCEPTION};
use krait_runtime::import;
use krait_runtime::protocol::{attr, number, repr};

use super::save::Saver;
use super::{find, imported, opcode as op, pickling_error};

impl Saver<'_> {
    pub fn save_global(&mut self, th: &mut Thread, v: &Value, name: Option<&Value>) -> PyResult<()> {
        let name = match name {
            Some(name) => name.clone(),
            None => match attr::get_text_opt(th, v, "__qualname__")? {
                Some(name) => name,
                None => attr::get_text(th, v, "__name__")?,
            },
        };
        let Some(text) = name.downcast_ref::<Str>() else {
            let class = crate::arguments::class_name(&name);
            return Err(krait_runtime::errors::type_error(th, format!("must be str, not {class}")));
        };
        let module_name = find::module_of(th, v, text)?;
        let (owner, module) = self.check_global(th, v, &module_name, text)?;
        if self.protocol() >= 2
            && let Some(code) = self.extension_code(th, v, &module_name, &name)?
        {
            self.write_extension(code);
            return Ok(());
        }
        // Where the path leads through the module itself, its last part is enough.
        let parts = find::path(text).unwrap_or_default();
        let last = parts.last().map(|p| p.to_value()).unwrap_or_else(|| name.clone());
        let direct = owner.is(&module);
        let shown = if direct { &last } else { &name };
        if self.protocol() >= 4 {
            self.save(th, &module_name)?;
            self.save(th, shown)?;
            self.out.push(op::STACK_GLOBAL);
        } else if direct || parts.len() < 2 {
            self.write_global(th, &module_name, shown)?;
        } else {
            self.write_path(th, &module_name, &parts)?;
        }
        self.memorise(v);
        Ok(())
    }
    /// The object must be found again under its name. Returns its owner and its module.
    fn check_global(&self, th: &mut Thread, v: &Value, module_name: &Value, name: &Str) -> PyResult<(Value, Value)> {
        let module_text = repr::str(th, module_name)?;
        let imported = import::import_module(th, &module_text.to_string_lossy());
        let module = match imported {
            Ok(m) => m,
            Err(raised) => {
                let cause = krait_runtime::errors::catch(th, raised, &EXCEPTION)?;
                let (shown, module) = (repr::repr(th, v)?, repr::repr(th, module_name)?);
                let message = format!("Can't pickle {shown}: import of module {module} failed");
                return Err(caused(th, message, cause));
            }
        };
        let (found, owner) = match find::attribute(th, &module, name) {
            Ok(found) => found,
            Err(raised) => {
                let cause = krait_runtime::errors::catch(th, raised, &ATTRIBUTE_ERROR)?;
                let shown = repr::repr(th, v)?;
                let message = format!("Can't pickle {shown}: attribute lookup {name} on {module_text} failed");
                return Err(caused(th, message, cause));
            }
        };
        if !found.is(v) {
            let shown = repr::repr(th, v)?;
            let message = format!("Can't pickle {shown}: it's not the same object as {module_text}.{name}");
            return Err(pickling_error(th, message));
        }
        Ok((owner, module))
    }
    /// A name within a class, before protocol 4: `getattr(getattr(…, name), name)`.
    fn write_path(&mut self, th: &mut Thread, module: &Value, parts: &[Ref<Str>]) -> PyResult<()> {
        let getattr = imported(th, "builtins", "getattr")?;
        for _ in 1..parts.len() {
            self.save(th, &getattr)?;
            if self.protocol() < 2 {
                self.out.push(op::MARK);
            }
        }
        self.write_global(th, module, parts[0].as_value())?;
        for part in &parts[1..] {
            self.save(th, part.as_value())?;
            let tuple = if self.protocol() < 2 { op::TUPLE } else { op::TUPLE2 };
            self.out.extend(&[tuple, op::REDUCE]);
        }
        Ok(())
    }
    fn extension_code(&self, th: &mut Thread, v: &Value, module_name: &Value, name: &Value) -> PyResult<Option<i64>> {
        let registry = imported(th, "copyreg", "_extension_registry")?;
        let key = Tuple::of([module_name.clone(), name.clone()]);
        let Some(d) = registry.downcast_ref::<Dict>() else { return Ok(None) };
        let Some(code) = d.get(th, key.as_value())? else { return Ok(None) };
        let code = number::to_i64(th, &code)?;
        if !(1..=0x7FFF_FFFF).contains(&code) {
            let shown = repr::repr(th, v)?;
            return Err(runtime_error(th, format!("Can't pickle {shown}: extension code {code} is out of range")));
        }
        Ok(Some(code))
    }
    fn write_extension(&mut self, code: i64) {
        let bytes = (code as u32).to_le_bytes();
        let (opcode, n) = match code {
            0..=0xFF => (op::EXT1, 1),
            0x100..=0xFFFF => (op::EXT2, 2),
            _ => (op::EXT4, 4),
        };
        self.out.push(opcode);
        self.out.extend(&bytes[..n]);
    }
    /// The opcode GLOBAL, with the names of Python 2 where they are asked for.
    fn write_global(&mut self, th: &mut Thread, module: &Value, name: &Value) -> PyResult<()> {
        let (mut module, mut name) = (module.clone(), name.clone());
        if self.config.fix_imports {
            (module, name) = find::mapped(th, (&module, &name), "REVERSE_NAME_MAPPING", "REVERSE_IMPORT_MAPPING")?;
        }
        self.out.push(op::GLOBAL);
        for (what, text) in [("module", module), ("global", name)] {
            let text = repr::str(th, &text)?;
            let encoded = match text.to_utf8() {
                Some(utf8) if self.protocol() >= 3 || utf8.is_ascii() => utf8,
                _ => {
                    let protocol = self.protocol();
                    let message = format!("can't pickle {what} identifier '{text}' using pickle protocol {protocol}");
                    return Err(pickling_error(th, message));
                }
            };
            self.out.text(&encoded);
            self.out.push(b'\n');
        }
        Ok(())
    }
}
/// A PicklingError with the context of what was caught.
fn caused(th: &mut Thread, message: String, cause: Value) -> krait_object::Raised {
    let raised = pickling_error(th, message);
    if let Some(exc) = &th.exc
        && let Some(base) = krait_runtime::exceptions::base(exc)
    {
        base.context.set(Some(cause));
    }
    raised
}
