//! What is asked of frames, and exceptions that are shown or written off. CPython: `Modules/_testcapi/frame.c` and
//! `exceptions.c`.
use krait_object::native::function;
use krait_object::{Args, Bytes, Dict, Method, PyResult, Ref, Str, Thread, Value};
use krait_runtime::errors::{self, name_error, type_error};
use krait_runtime::exceptions;
use krait_runtime::protocol::{attr, repr};
use krait_runtime::types::code::Code;
use krait_runtime::types::frame::{Frame, FrameState};
use krait_runtime::types::function::Function;
use krait_runtime::types::generator;

pub static FUNCTIONS: &[Method] = &[
    function("frame_getlocals", "(frame, /)", "", |th, a| field(th, &a[0], "f_locals")),
    function("frame_getglobals", "(frame, /)", "", |th, a| field(th, &a[0], "f_globals")),
    function("frame_getbuiltins", "(frame, /)", "", |th, a| field(th, &a[0], "f_builtins")),
    function("frame_getlasti", "(frame, /)", "", |th, a| field(th, &a[0], "f_lasti")),
    function("frame_getvar", "(frame, name, /)", "", |th, a| match a[1].to_ref::<Str>() {
        Some(name) => variable(th, &a[0], &name),
        None => {
            let message = format!("name must be str, not {}", a[1].class().name());
            Err(type_error(th, message))
        }
    }),
    function("frame_getvarstring", "(frame, name, /)", "", |th, a| {
        let name = bytes(th, &a[1])?;
        variable(th, &a[0], &Str::new(&String::from_utf8_lossy(&name)))
    }),
    function("frame_new", "(code, globals, locals, /)", "A frame that nothing runs.", |th, a| {
        let (Some(code), Some(globals)) = (a[0].to_ref::<Code>(), a[1].to_ref::<Dict>()) else {
            return Err(type_error(th, "a code object and a dict are required"));
        };
        let function = Function::new(th, &code, &globals, None);
        let state = FrameState::Done { registers: Vec::new(), word: 0 };
        Ok(Frame::new(&function, &code, Some(a[2].clone()), state).into())
    }),
    function("frame_getgenerator", "(frame, /)", "The generator whose frame it is.", |th, a| {
        let frame = frame(th, &a[0])?;
        Ok(generator::owner_of(th, &frame).into())
    }),
    function("raise_SIGINT_then_send_None", "(gen, /)", "The handler runs in the generator.", |th, a| {
        if let Err(e) = krait_platform::signal::raise(krait_platform::signal::SIGINT) {
            return Err(errors::os_error(th, e, None));
        }
        attr::call_method(th, &a[0], "send", &[Value::NONE])
    }),
    function("exception_print", "(exception, legacy=0, /)", "", |th, a| {
        if exceptions::base(&a[0]).is_none() {
            return Err(type_error(th, "an exception is required"));
        }
        exceptions::display::show(th, &a[0]);
        Ok(Value::NONE)
    }),
    function("err_formatunraisable", "(exception, format, object=None, /)", "", format_unraisable),
];

fn frame(th: &mut Thread, v: &Value) -> PyResult<Ref<Frame>> {
    v.to_ref::<Frame>().ok_or_else(|| type_error(th, "argument must be a frame"))
}
fn field(th: &mut Thread, v: &Value, name: &str) -> PyResult<Value> {
    frame(th, v)?;
    attr::get_text(th, v, name)
}
fn variable(th: &mut Thread, v: &Value, name: &Ref<Str>) -> PyResult<Value> {
    let frame = frame(th, v)?;
    let found = frame.variables().into_iter().find(|(_, n)| n.equals(name));
    match found.and_then(|(register, _)| frame.variable(th, register)) {
        Some(value) => Ok(value),
        None => {
            let quoted = repr::repr(th, name.as_value())?;
            Err(name_error(th, format!("variable {quoted} does not exist")))
        }
    }
}
fn bytes(th: &mut Thread, v: &Value) -> PyResult<Vec<u8>> {
    match v.downcast_ref::<Bytes>() {
        Some(b) => Ok(b.as_slice().to_vec()),
        None => Err(type_error(th, "a bytes object is required")),
    }
}

/// `PyErr_FormatUnraisable`: of the directives `%R`, `%S` and `%%`, for the one object that there can be.
fn format_unraisable(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let format = match a.opt_not_none(1) {
        Some(v) => match v.downcast_ref::<Str>() {
            Some(text) => Some(text.to_string_lossy().into_owned()),
            None => Some(String::from_utf8_lossy(&bytes(th, v)?).into_owned()),
        },
        None => None,
    };
    let message = match format {
        Some(format) => Some(expand(th, &format, a.opt(2))?),
        None => None,
    };
    if exceptions::base(&a[0]).is_some() {
        th.exc = Some(a[0].clone());
    }
    errors::write_unraisable_message(th, message.as_deref(), None);
    Ok(Value::NONE)
}
fn expand(th: &mut Thread, format: &str, object: Option<&Value>) -> PyResult<String> {
    let (mut out, mut rest) = (String::new(), format);
    while let Some((before, after)) = rest.split_once('%') {
        out += before;
        let text = match (after.chars().next(), object) {
            (Some('R'), Some(object)) => repr::repr(th, object)?.to_string_lossy().into_owned(),
            (Some('S'), Some(object)) => repr::str(th, object)?.to_string_lossy().into_owned(),
            (Some('%'), _) => "%".to_owned(),
            _ => return Err(errors::system_error(th, "invalid format string")),
        };
        out += &text;
        rest = &after[1..];
    }
    Ok(out + rest)
}
