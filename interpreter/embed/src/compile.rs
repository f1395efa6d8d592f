//! The compile hook: source text or AST to a code object, with SyntaxErrors and SyntaxWarnings raised as Python objects.
use std::sync::Arc;

use krait_compiler::CompileOptions;
use krait_object::{Bytes, PyResult, Raised, Str, Thread, TypeObject, Value};
use krait_runtime::errors::{self, SyntaxPlace};
use krait_runtime::exceptions as exc;
use krait_runtime::hooks::{CompileHooks, CompileRequest, install_compile};
use krait_runtime::protocol::{attr, buffer, call};
use krait_runtime::types::code::Code;
use krait_runtime::{config, import};
use krait_stdlib_language::codecs::Codecs;
use krait_syntax::{Location, Mode, ParseOptions, SyntaxError, SyntaxErrorKind, Warning};

const ONLY_AST: u32 = 0x400;
const OPTIMIZED: u32 = 0x8000;
const SOURCE_IS_UTF8: u32 = 0x100;
const DONT_IMPLY_DEDENT: u32 = 0x200;
const TYPE_COMMENTS: u32 = 0x1000;
const TOP_LEVEL_AWAIT: u32 = 0x2000;
const ALLOW_INCOMPLETE: u32 = 0x4000;
/// Not CPython's: the bytes are a script that is run.
pub const SCRIPT: u32 = 0x4000_0000;
const BARRY: u32 = 0x40_0000;
pub const FUTURES: u32 = 0x1FE_0000;

/// The sources of front end and compiler, hashed by the build script.
const FINGERPRINT: u32 = decimal(env!("KRAIT_COMPILER"));
const fn decimal(text: &str) -> u32 {
    let (mut value, mut i) = (0u32, 0);
    while i < text.len() {
        value = value.wrapping_mul(10).wrapping_add((text.as_bytes()[i] - b'0') as u32);
        i += 1;
    }
    value
}

pub fn install() {
    krait_bytecode::marshal::set_compiler(FINGERPRINT);
    install_compile(CompileHooks { compile_source });
}

fn compile_source(th: &mut Thread, r: &CompileRequest<'_>) -> PyResult<Value> {
    if r.flags & (ONLY_AST | OPTIMIZED) == ONLY_AST && krait_stdlib_language::_ast::is_node(th, r.source) {
        return Ok(r.source.clone());
    }
    if let Some(mut tree) = krait_stdlib_language::_ast::from_object(th, r.source, r.mode)? {
        if r.flags & ONLY_AST != 0 {
            krait_compiler::optimize(&mut tree, level(th, r));
            return krait_stdlib_language::_ast::to_object(th, &tree);
        }
        return finish(th, &tree, r);
    }
    let mode = match r.mode {
        "eval" => Mode::Eval,
        "single" => Mode::Single,
        "func_type" => Mode::FuncType,
        _ => Mode::Exec,
    };
    let mut options = ParseOptions::new(mode);
    options.type_comments = r.flags & TYPE_COMMENTS != 0;
    options.allow_incomplete_input = r.flags & ALLOW_INCOMPLETE != 0;
    options.dont_imply_dedent = r.flags & DONT_IMPLY_DEDENT != 0;
    options.barry_as_bdfl = r.flags & BARRY != 0;
    options.file = (r.flags & SCRIPT != 0).then_some(r.filename);
    options.int_max_str_digits = krait_runtime::types::int::limit::get(th);
    if r.flags & ONLY_AST != 0
        && let Ok(minor) = u8::try_from(r.feature_version)
    {
        options.feature_version = minor;
    }
    let parsed = if let Some(s) = r.source.downcast_ref::<Str>() {
        let Some(text) = s.to_utf8() else {
            let s = r.source.to_ref::<Str>().unwrap_or_else(Str::empty);
            return Err(errors::surrogates_not_allowed(th, &s));
        };
        krait_syntax::parse_text(&text, &options)
    } else {
        let bytes = match r.source.downcast_ref::<Bytes>() {
            Some(b) => b.to_vec(),
            None if buffer::has_buffer(r.source) => buffer::bytes_like(th, r.source)?,
            None => return Err(errors::type_error(th, "compile() arg 1 must be a string, bytes or AST object")),
        };
        let codecs = Codecs::new(th);
        options.codecs = if r.flags & SOURCE_IS_UTF8 != 0 { None } else { Some(&codecs) };
        krait_syntax::parse(&bytes, &options)
    };
    let mut parsed = match parsed {
        Ok(parsed) => parsed,
        Err(mut e) => {
            if e.kind == SyntaxErrorKind::RecursionError && r.flags & ONLY_AST != 0 {
                e.msg = "maximum recursion depth exceeded during ast construction".to_owned();
            }
            issue(th, &e.warnings, r.filename)?;
            return Err(raise(th, &e, r.filename));
        }
    };
    issue(th, &parsed.warnings, r.filename)?;
    if r.flags & ONLY_AST != 0 {
        if r.flags & OPTIMIZED != 0 {
            krait_compiler::optimize(&mut parsed.module, level(th, r));
        }
        return krait_stdlib_language::_ast::to_object(th, &parsed.module);
    }
    finish(th, &parsed.module, r)
}

/// The `-O` level that the request asks for.
fn level(th: &mut Thread, r: &CompileRequest<'_>) -> u8 {
    let level = if r.optimize < 0 { config::get(th).flags.optimize } else { r.optimize };
    level.clamp(0, 2) as u8
}

fn finish(th: &mut Thread, tree: &krait_syntax::ast::Mod, r: &CompileRequest<'_>) -> PyResult<Value> {
    let options = CompileOptions {
        optimize: level(th, r),
        interactive: r.mode == "single",
        top_level_await: r.flags & TOP_LEVEL_AWAIT != 0,
        future: r.flags & FUTURES,
        stack_budget: th.native_left() / 2,
    };
    match krait_compiler::compile(tree, r.filename, &options) {
        Ok(compiled) => {
            issue(th, &compiled.warnings, r.filename)?;
            Ok(Code::new(th, &Arc::new(compiled.code))?.into())
        }
        Err(e) => {
            issue(th, &e.warnings, r.filename)?;
            Err(raise(th, &e, r.filename))
        }
    }
}

/// Raises the front end's error as its Python exception.
pub fn raise(th: &mut Thread, e: &SyntaxError, filename: &str) -> Raised {
    let class: &'static TypeObject = match e.kind {
        SyntaxErrorKind::SyntaxError => &exc::SYNTAX_ERROR,
        SyntaxErrorKind::IndentationError => &exc::INDENTATION_ERROR,
        SyntaxErrorKind::TabError => &exc::TAB_ERROR,
        SyntaxErrorKind::IncompleteInputError => &exc::_INCOMPLETE_INPUT_ERROR,
        SyntaxErrorKind::MemoryError => return errors::raise(th, &exc::MEMORY_ERROR, e.msg.clone()),
        SyntaxErrorKind::RecursionError => return errors::raise(th, &exc::RECURSION_ERROR, e.msg.clone()),
        SyntaxErrorKind::ValueError => return errors::raise(th, &exc::VALUE_ERROR, e.msg.clone()),
        SyntaxErrorKind::OverflowError => return errors::raise(th, &exc::OVERFLOW_ERROR, e.msg.clone()),
        SyntaxErrorKind::UnicodeEncodeError => {
            let text = Str::from_wtf8(e.object.as_ref().map_or(&[], |text| text.as_bytes()));
            return errors::surrogates_not_allowed(th, &text);
        }
    };
    match &e.location {
        None => errors::raise(th, class, e.msg.clone()),
        Some(place) => {
            let error = errors::new_syntax_error(class, &e.msg, place_of(place, filename));
            errors::raise_value(th, error)
        }
    }
}
fn place_of<'a>(place: &'a Location, filename: &'a str) -> SyntaxPlace<'a> {
    SyntaxPlace {
        filename: Some(Value::str(filename)),
        lineno: place.lineno.into(),
        offset: place.offset.into(),
        end_lineno: place.end_lineno.map(i64::from),
        end_offset: place.end_offset.map(i64::from),
        text: place.text.as_deref(),
    }
}
/// The interactive loop parses a text more than once: only one of these parses warns.
#[derive(Default)]
pub(crate) struct Quiet(pub std::sync::atomic::AtomicBool);

/// Issues SyntaxWarnings; one that the filters turn into an error is raised as a SyntaxError at its place.
fn issue(th: &mut Thread, warnings: &[Warning], filename: &str) -> PyResult<()> {
    if warnings.is_empty() || th.interp.extension::<Quiet>().0.load(std::sync::atomic::Ordering::Relaxed) {
        return Ok(());
    }
    for w in warnings {
        let module = match import::import_module(th, "warnings") {
            Ok(m) => m,
            Err(raised) => {
                drop(errors::take(th, raised));
                return Ok(());
            }
        };
        let f = attr::get_text(th, &module, "warn_explicit")?;
        let args =
            [Value::str(&w.msg), exc::SYNTAX_WARNING.to_value(), Value::str(filename), Value::from(w.location.lineno)];
        if let Err(raised) = call::call(th, &f, &args) {
            errors::catch(th, raised, &exc::SYNTAX_WARNING)?;
            let error = errors::new_syntax_error(&exc::SYNTAX_ERROR, &w.msg, place_of(&w.location, filename));
            return Err(errors::raise_value(th, error));
        }
    }
    Ok(())
}
