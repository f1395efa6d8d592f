//! Runs a script with nothing but the builtins: for work on the VM without the standard library.
#![forbid(unsafe_code)]
use std::io::Write;
use std::sync::Arc;

use krait_object::native::{Method, function};
use krait_object::{Args, Dict, Interpreter, PyResult, Thread, Value};
use krait_runtime::exceptions;
use krait_runtime::hooks::{CompileHooks, CompileRequest, install_compile};
use krait_runtime::protocol::repr;
use krait_runtime::types::code::Code;
use krait_runtime::types::native_function::NativeFunction;
use krait_runtime::types::traceback;
use krait_runtime::{errors, hooks, start, types::module};
use krait_syntax::{Mode, ParseOptions};

static PRINT: Method = function("print", "", "Prints its arguments.", print);

fn print(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mut out = Vec::new();
    for (i, v) in a.pos().iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(&repr::str(th, v)?.to_wtf8());
    }
    out.push(b'\n');
    let _ = std::io::stdout().write_all(&out);
    Ok(Value::NONE)
}

fn compile(th: &mut Thread, r: &CompileRequest<'_>) -> PyResult<Value> {
    let mode = match r.mode {
        "eval" => Mode::Eval,
        "single" => Mode::Single,
        _ => Mode::Exec,
    };
    let text = repr::str(th, r.source)?.to_string_lossy().into_owned();
    let parsed = match krait_syntax::parse_text(&text, &ParseOptions::new(mode)) {
        Ok(parsed) => parsed,
        Err(e) => return Err(errors::syntax_error(th, format!("{e:?}"))),
    };
    match krait_compiler::compile(&parsed.module, r.filename, &krait_compiler::CompileOptions::default()) {
        Ok(compiled) => {
            if std::env::var_os("DIS").is_some() {
                println!("{}", compiled.code);
            }
            Ok(Code::new(th, &Arc::new(compiled.code))?.into())
        }
        Err(e) => Err(errors::syntax_error(th, format!("{e:?}"))),
    }
}

fn run(path: &str) -> bool {
    start::install();
    krait_vm::install();
    install_compile(CompileHooks { compile_source: compile });
    let mut thread = Thread::new(Interpreter::new(), 60 << 20);
    let th = &mut thread;
    let result = (|| {
        start::start(th)?;
        let builtins = th.interp.builtins.get().and_then(|b| b.to_ref::<Dict>()).expect("start makes builtins");
        let module: Value = module::new("builtins", Value::NONE);
        builtins.set_text("print", NativeFunction::new_function(&PRINT, &module, &Value::str("builtins")));
        let source = std::fs::read_to_string(path).expect("the script can be read");
        let request = CompileRequest {
            source: &Value::str(&source),
            filename: path,
            mode: "exec",
            flags: 0,
            optimize: -1,
            feature_version: -1,
        };
        let code = hooks::compile(th, &request)?.to_ref::<Code>().expect("compiling gives code");
        let globals = Dict::new();
        globals.set_text("__name__", "__main__");
        globals.set_text("__builtins__", builtins.to_value());
        krait_vm::eval_code(th, &code, &globals, Some(globals.as_value()), None, None)
    })();
    if let Err(raised) = result {
        let e = errors::take(th, raised);
        let mut at = exceptions::base(&e).and_then(|b| b.traceback.get());
        while let Some(t) = at.and_then(|t| t.to_ref::<traceback::Traceback>()) {
            if let Some(f) = t.frame.to_ref::<krait_runtime::types::frame::Frame>() {
                println!("  line {} in {}", t.line().unwrap_or(0), f.code.name.to_string_lossy());
            }
            at = t.next.get();
        }
        let text = repr::str(th, &e).map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        println!("{}: {text}", e.class().name());
        return false;
    }
    true
}

fn main() {
    let path = std::env::args().nth(1).expect("a script");
    let child = std::thread::Builder::new().stack_size(64 << 20).spawn(move || run(&path));
    let ok = child.expect("a thread starts").join().unwrap_or(false);
    std::process::exit(if ok { 0 } else { 1 });
}
