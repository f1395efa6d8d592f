//! Exceptions that nobody can handle: `sys.unraisablehook`, its arguments and its default. CPython: the second half of
//! `Python/errors.c`.
use krait_object::{Dict, Locked, PyResult, Ref, Str, Thread, Type, Value};

use super::base;
use super::display::{Output, class_title, print_traceback};
use crate::audit::audit;
use crate::errors::take;
use crate::protocol::{call, repr};
use crate::types::frame;
use crate::types::structseq::{self, StructSeqDef};
use crate::types::traceback::Traceback;

static ARGS: StructSeqDef = StructSeqDef {
    module: "",
    name: "UnraisableHookArgs",
    doc: "UnraisableHookArgs\n\nThe argument of sys.unraisablehook.",
    fields: &[
        ("exc_type", "Exception type"),
        ("exc_value", "Exception value"),
        ("exc_traceback", "Exception traceback"),
        ("err_msg", "Error message"),
        ("object", "Object causing the exception"),
    ],
    visible: 5,
    instantiable: true,
};

#[derive(Default)]
struct ArgsType(Locked<Option<Ref<Type>>>);

/// `sys.UnraisableHookArgs`.
pub fn args_type(th: &Thread) -> Ref<Type> {
    let held = th.interp.extension::<ArgsType>();
    if let Some(class) = held.0.get() {
        return class;
    }
    let class = structseq::new_type(&ARGS);
    held.0.set(Some(class.clone()));
    class
}

/// Reports an exception through `sys.unraisablehook`.
pub(crate) fn report(th: &mut Thread, exception: Value, message: Option<&str>, object: Option<&Value>) {
    let class = args_type(th);
    let mut traceback = base(&exception).and_then(|b| b.traceback.get());
    if traceback.is_none()
        && let Some(frame) = frame::current(th, 0)
    {
        // It was never raised in a frame: the one that runs says where it happened.
        let (word, line) = (frame.word(th), frame.lineno(th));
        traceback = Some(Traceback::new(None, frame.into(), word as i32 * 2, line as i32).into());
        if let Some(base) = base(&exception) {
            base.traceback.set(traceback.clone());
        }
    }
    let fields =
        vec![exception.class_ref().into(), exception, traceback.into(), message.into(), object.cloned().into()];
    let args = structseq::build(&class, fields, 5);
    let hook = th.interp.sys.get().and_then(|s| s.downcast::<Dict>().ok()).and_then(|s| s.get_text("unraisablehook"));
    let failed = match hook {
        Some(hook) if !hook.is_none() => {
            let audited = audit(th, "sys.unraisablehook", &[hook.clone(), args.clone()]);
            match audited.and_then(|()| call::call(th, &hook, std::slice::from_ref(&args))) {
                Ok(_) => return,
                Err(raised) => Some((take(th, raised), hook)),
            }
        }
        _ => None,
    };
    let shown = match failed {
        None => show(th, &args),
        Some((second, hook)) => {
            let traceback = base(&second).and_then(|b| b.traceback.get());
            let message = "Exception ignored in sys.unraisablehook".into();
            let fields = vec![second.class_ref().into(), second, traceback.into(), message, hook];
            let args = structseq::build(&class, fields, 5);
            show(th, &args)
        }
    };
    if let Err(raised) = shown {
        drop(take(th, raised));
    }
}

/// The default `sys.unraisablehook(unraisable, /)`.
pub fn default_hook(th: &mut Thread, args: &Value) -> PyResult<Value> {
    if !args.is_exact(args_type(th).object()) {
        return Err(crate::errors::type_error(th, "sys.unraisablehook argument type must be UnraisableHookArgs"));
    }
    show(th, args)?;
    Ok(Value::NONE)
}

fn show(th: &mut Thread, args: &Value) -> PyResult<()> {
    let Some(out) = Output::stderr(th) else { return Ok(()) };
    let Some(fields) = args.downcast_ref::<krait_object::Tuple>().map(|t| t.to_vec()) else { return Ok(()) };
    let [class, value, traceback, message, object] = &fields[..] else { return Ok(()) };
    if !object.is_none() {
        if message.is_none() {
            out.text(th, "Exception ignored in: ")?;
        } else {
            out.shown(th, message)?;
            out.text(th, ": ")?;
        }
        match repr::repr(th, object) {
            Ok(s) => out.write(th, &s)?,
            Err(raised) => {
                drop(take(th, raised));
                out.text(th, "<object repr() failed>")?;
            }
        }
        out.text(th, "\n")?;
    } else if !message.is_none() {
        out.shown(th, message)?;
        out.text(th, ":\n")?;
    }
    if !traceback.is_none() {
        print_traceback(th, &out, traceback, "")?;
    }
    let Some(class) = class.to_ref::<Type>() else { return Ok(()) };
    let title: Ref<Str> = class_title(th, &class)?;
    out.write(th, &title)?;
    if !value.is_none() {
        out.text(th, ": ")?;
        match repr::str(th, value) {
            Ok(s) => out.write(th, &s)?,
            Err(raised) => {
                drop(take(th, raised));
                out.text(th, "<exception str() failed>")?;
            }
        }
    }
    out.text(th, "\n")?;
    out.flush(th);
    Ok(())
}
