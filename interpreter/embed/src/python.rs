//! [`Python`]: an interpreter that has been entered.
use krait_object::{Dict, PyResult, Ref, Thread, Value};
use krait_runtime::hooks::{self, CompileRequest};
use krait_runtime::import;
use krait_runtime::types::code::Code;
use krait_runtime::types::module;

use crate::convert::ToPython;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::object::Object;

/// An interpreter that has been entered: what Rust code does with Python goes through it.
pub struct Python<'a> {
    pub(crate) th: &'a mut Thread,
    /// Rust code that Python called: the limits of the outermost call are in force.
    nested: bool,
}

impl<'a> Python<'a> {
    pub(crate) fn outermost(th: &'a mut Thread) -> Python<'a> {
        Python { th, nested: false }
    }
    pub(crate) fn nested(th: &'a mut Thread) -> Python<'a> {
        Python { th, nested: true }
    }
    /// Runs `f` under the interpreter's limits; what it raised becomes an [`Error`].
    pub(crate) fn guarded<R>(&mut self, f: impl FnOnce(&mut Thread) -> PyResult<R>) -> Result<R> {
        if self.nested {
            return f(self.th).map_err(|raised| Error::take(self.th, raised));
        }
        let limits = self.th.interp.extension::<Limits>();
        limits.begin(self.th);
        let result = f(self.th);
        limits.end(self.th);
        let result = result.map_err(|raised| Error::take(self.th, raised));
        if self.th.has_pending() {
            self.th.run_pending();
        }
        result
    }
    /// Runs statements in the namespace of `__main__`.
    pub fn run(&mut self, source: &str) -> Result<()> {
        self.guarded(|th| execute(th, source, "<embedded>", "exec")).map(|_| ())
    }
    /// As [`Python::run`], with the file name that tracebacks show.
    pub fn run_named(&mut self, source: &str, filename: &str) -> Result<()> {
        self.guarded(|th| execute(th, source, filename, "exec")).map(|_| ())
    }
    /// The value of an expression in the namespace of `__main__`.
    pub fn eval(&mut self, expression: &str) -> Result<Object> {
        self.guarded(|th| execute(th, expression, "<embedded>", "eval")).map(Object::new)
    }
    /// `import name`: the module itself, a sub-module too.
    pub fn import(&mut self, name: &str) -> Result<Object> {
        self.guarded(|th| import::import_module(th, name)).map(Object::new)
    }
    /// A name of `__main__`; `None` where it has none.
    pub fn global(&mut self, name: &str) -> Result<Option<Object>> {
        self.guarded(|th| Ok(globals(th)?.get_text(name))).map(|v| v.map(Object::new))
    }
    /// Sets a name of `__main__`.
    pub fn set_global(&mut self, name: &str, value: impl ToPython) -> Result<()> {
        let value = value.to_python(self)?.value;
        self.guarded(|th| {
            globals(th)?.set_text(name, value);
            Ok(())
        })
    }
}

fn globals(th: &mut Thread) -> PyResult<Ref<Dict>> {
    import::import_module(th, "__main__").map(|main| module::dict(&main))
}
fn execute(th: &mut Thread, source: &str, filename: &str, mode: &str) -> PyResult<Value> {
    let source = Value::str(source);
    let request = CompileRequest { source: &source, filename, mode, flags: 0, optimize: -1, feature_version: -1 };
    let code = hooks::compile(th, &request)?;
    let Some(code) = code.to_ref::<Code>() else { return Ok(Value::NONE) };
    let names = globals(th)?;
    (hooks::vm().eval_code)(th, &code, &names, Some(names.as_value()), None, None)
}
