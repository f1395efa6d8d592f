//! What an interpreter may do (`PyInterpreterConfig`), and its forms in Python: a name, or the attributes of a namespace.
use krait_object::{Dict, PyResult, Raised, Ref, Str, Thread, Value};

use crate::errors::{type_error, value_error};
use crate::protocol::{attr, repr};
use crate::types::simple_namespace;

/// Whose lock the interpreter's threads take turns with. Krait's are the process's all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gil {
    Default,
    Shared,
    Own,
}
impl Gil {
    fn text(self) -> &'static str {
        match self {
            Gil::Default => "default",
            Gil::Shared => "shared",
            Gil::Own => "own",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Features {
    pub use_main_obmalloc: bool,
    pub allow_fork: bool,
    pub allow_exec: bool,
    pub allow_threads: bool,
    pub allow_daemon_threads: bool,
    pub check_multi_interp_extensions: bool,
    pub gil: Gil,
}

impl Features {
    pub const ISOLATED: Features = Features {
        use_main_obmalloc: false,
        allow_fork: false,
        allow_exec: false,
        allow_threads: true,
        allow_daemon_threads: false,
        check_multi_interp_extensions: true,
        gil: Gil::Own,
    };
    pub const LEGACY: Features = Features {
        use_main_obmalloc: true,
        allow_fork: true,
        allow_exec: true,
        allow_threads: true,
        allow_daemon_threads: true,
        check_multi_interp_extensions: false,
        gil: Gil::Shared,
    };
    pub const EMPTY: Features = Features {
        use_main_obmalloc: false,
        allow_fork: false,
        allow_exec: false,
        allow_threads: false,
        allow_daemon_threads: false,
        check_multi_interp_extensions: false,
        gil: Gil::Default,
    };
    /// Those of the interpreter that comes with the process.
    pub const MAIN: Features = Features { gil: Gil::Own, ..Features::LEGACY };

    /// Why no interpreter can be like this.
    pub fn fault(&self) -> Option<&'static str> {
        (!self.use_main_obmalloc && !self.check_multi_interp_extensions)
            .then_some("per-interpreter obmalloc does not support single-phase init extension modules")
    }
    /// As they are once an interpreter has them.
    pub fn settled(self) -> Features {
        Features { gil: if self.gil == Gil::Own { Gil::Own } else { Gil::Shared }, ..self }
    }
    pub fn named(th: &mut Thread, name: &str) -> PyResult<Features> {
        match name {
            "" | "default" | "isolated" => Ok(Features::ISOLATED),
            "legacy" => Ok(Features::LEGACY),
            "empty" => Ok(Features::EMPTY),
            _ => Err(value_error(th, format!("unsupported config name '{name}'"))),
        }
    }
    /// From an argument: None, a name, or an object with the fields as attributes.
    pub fn from_object(th: &mut Thread, v: Option<&Value>) -> PyResult<Features> {
        let Some(v) = v.filter(|v| !v.is_none()) else { return Ok(Features::ISOLATED) };
        if let Some(name) = v.downcast_ref::<Str>() {
            return Features::named(th, &name.to_string_lossy());
        }
        let Some(fields) = attr::get_text_opt(th, v, "__dict__")?.and_then(|d| d.to_ref::<Dict>()) else {
            let shown = repr::repr(th, v)?;
            return Err(type_error(th, format!("bad config {shown}")));
        };
        let mut features = Features::EMPTY;
        features.update(th, &fields, false)?;
        Ok(features)
    }
    /// Sets the fields that `given` names; all of them unless `partial`.
    pub fn update(&mut self, th: &mut Thread, given: &Ref<Dict>, partial: bool) -> PyResult<()> {
        let rest = given.copy();
        for (name, field) in self.flags() {
            match rest.remove_text(name) {
                Some(v) if v.is(&Value::TRUE) || v.is(&Value::FALSE) => *field = v.is(&Value::TRUE),
                Some(_) => return Err(type_error(th, format!("invalid config type: {name}"))),
                None if partial => {}
                None => return Err(missing(th, name)),
            }
        }
        match rest.remove_text("gil") {
            Some(v) => {
                let Some(text) = v.downcast_ref::<Str>().map(|t| t.to_string_lossy().into_owned()) else {
                    return Err(type_error(th, "invalid config type: gil"));
                };
                let known = [Gil::Default, Gil::Shared, Gil::Own].into_iter().find(|g| g.text() == text);
                self.gil = known
                    .ok_or_else(|| value_error(th, format!("unsupported interpreter config .gil value '{text}'")))?;
            }
            None if partial => {}
            None => return Err(missing(th, "gil")),
        }
        if rest.is_empty() {
            return Ok(());
        }
        let shown = repr::repr(th, rest.as_value())?;
        let (n, s) = (rest.len(), if rest.len() == 1 { "" } else { "s" });
        Err(value_error(th, format!("config dict has {n} extra item{s} ({shown})")))
    }
    fn flags(&mut self) -> [(&'static str, &mut bool); 6] {
        [
            ("use_main_obmalloc", &mut self.use_main_obmalloc),
            ("allow_fork", &mut self.allow_fork),
            ("allow_exec", &mut self.allow_exec),
            ("allow_threads", &mut self.allow_threads),
            ("allow_daemon_threads", &mut self.allow_daemon_threads),
            ("check_multi_interp_extensions", &mut self.check_multi_interp_extensions),
        ]
    }
    /// As a namespace.
    pub fn to_value(mut self) -> Value {
        let gil = Value::str(self.gil.text());
        let mut items: Vec<(&str, Value)> = self.flags().into_iter().map(|(n, f)| (n, Value::bool(*f))).collect();
        items.push(("gil", gil));
        simple_namespace::new(&items)
    }
    /// CPython's bits for all but the last field.
    pub fn bits(&self) -> u64 {
        u64::from(self.use_main_obmalloc) << 5
            | u64::from(self.check_multi_interp_extensions) << 8
            | u64::from(self.allow_threads) << 10
            | u64::from(self.allow_daemon_threads) << 11
            | u64::from(self.allow_fork) << 15
            | u64::from(self.allow_exec) << 16
    }
}
fn missing(th: &mut Thread, name: &str) -> Raised {
    value_error(th, format!("missing config key: {name}"))
}
