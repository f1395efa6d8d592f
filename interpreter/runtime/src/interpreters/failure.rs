//! A snapshot of an exception that ends code run in another interpreter: text only, so that no object crosses.
use krait_object::{Raised, Str, Thread, Value};

use crate::errors::take;
use crate::exceptions::MEMORY_ERROR;
use crate::import;
use crate::protocol::{attr, call, repr};
use crate::types::simple_namespace;

/// The class of the exception, as it calls itself.
struct Class {
    name: String,
    qualname: String,
    module: String,
}

/// What is known of the exception; nothing where it could not even be shown.
#[derive(Default)]
pub struct Failure {
    class: Option<Class>,
    message: Option<String>,
    /// The whole traceback.
    display: Option<String>,
}

impl Failure {
    /// Takes the exception in flight.
    pub fn take(th: &mut Thread, raised: Raised) -> Failure {
        let exception = take(th, raised);
        Failure::of(th, &exception)
    }
    pub fn of(th: &mut Thread, exception: &Value) -> Failure {
        if exception.is_instance(&MEMORY_ERROR) {
            return Failure::default();
        }
        let mut failure = Failure::default();
        let class = exception.class_ref().to_value();
        let mut text = |name| match attr::get_text(th, &class, name) {
            Ok(v) => v.downcast_ref::<Str>().map(|t| t.to_string_lossy().into_owned()),
            Err(raised) => {
                drop(take(th, raised));
                None
            }
        };
        if let (Some(name), Some(qualname), module) = (text("__name__"), text("__qualname__"), text("__module__")) {
            let module = module.unwrap_or_else(|| "<unknown>".to_owned());
            failure.class = Some(Class { name, qualname, module });
        }
        match repr::str(th, exception) {
            Ok(message) => failure.message = Some(message.to_string_lossy().into_owned()),
            Err(raised) => drop(take(th, raised)),
        }
        match display(th, exception) {
            Ok(display) => failure.display = display,
            Err(raised) => drop(take(th, raised)),
        }
        failure
    }
    /// The last line of the traceback.
    pub fn formatted(&self) -> Option<String> {
        let message = self.message.clone();
        let Some(class) = &self.class else { return message };
        let module = class.module.clone();
        let mut shown = if matches!(&*module, "builtins" | "__main__") { String::new() } else { module + "." };
        shown.push_str(&class.qualname);
        Some(match message {
            Some(message) => format!("{shown}: {message}"),
            None => shown,
        })
    }
    /// As a namespace: `type`, `msg`, `formatted`, `errdisplay`.
    pub fn to_value(&self) -> Value {
        let text = |t: &Option<String>| Value::from(t.as_deref().map(Value::str));
        let class = self.class.as_ref().map(|c| {
            simple_namespace::new(&[
                ("__name__", Value::str(&c.name)),
                ("__qualname__", Value::str(&c.qualname)),
                ("__module__", Value::str(&c.module)),
            ])
        });
        let mut items = vec![
            ("type", Value::from(class)),
            ("msg", text(&self.message)),
            ("formatted", Value::from(self.formatted().map(Value::from))),
        ];
        if self.display.is_some() {
            items.push(("errdisplay", text(&self.display)));
        }
        simple_namespace::new(&items)
    }
}

/// `traceback.TracebackException` of the exception, as text without the last end of line.
fn display(th: &mut Thread, exception: &Value) -> krait_object::PyResult<Option<String>> {
    let traceback = import::import_module(th, "traceback")?;
    let class = attr::get_text(th, &traceback, "TracebackException")?;
    let make = attr::get_text(th, &class, "from_exception")?;
    let names = [Value::str("save_exc_type"), Value::str("lookup_lines")];
    let snapshot = call::call_kw(th, &make, &[exception.clone(), Value::FALSE, Value::FALSE], &names)?;
    let lines = attr::call_method(th, &snapshot, "format", &[])?;
    let joined = attr::call_method(th, &Value::str(""), "join", &[lines])?;
    Ok(joined.downcast_ref::<Str>().map(|t| {
        let text = t.to_string_lossy();
        text.strip_suffix('\n').unwrap_or(&text).to_owned()
    }))
}
