//! `_tokenize.TokenizerIter`: the tokens of the lines that a `readline` gives.
//!
//! All lines are read when the first token is asked for; the tokens themselves come from `krait_syntax::tokenize`.
use std::ops::Range;

use krait_object::builtin_types::OBJECT;
use krait_object::native::Sig;
use krait_object::{
    Args, Bytes, ClassDef, Locked, ModuleDef, PyResult, Raised, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject,
    VTable, Value, ValueCell, type_flag,
};
use krait_runtime::convert::wrong_type;
use krait_runtime::errors::{self, catch, type_error};
use krait_runtime::exceptions::{self as exc, STOP_ITERATION};
use krait_runtime::protocol::{attr, call, compare};
use krait_syntax::{Fault, Lexeme, SyntaxErrorKind, Text, tokenize};

use crate::refusal;

pub static MODULE: ModuleDef = ModuleDef { classes: &[&DEF], ..ModuleDef::new("_tokenize") };

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = TOKENIZER_ITER)]
pub struct TokenizerIter {
    readline: Value,
    encoding: Option<Value>,
    /// The line shown last, which most often is the next one's too.
    line: ValueCell,
    #[trace(skip)]
    extra: bool,
    #[trace(skip)]
    state: Locked<State>,
}
#[derive(Default)]
struct State {
    read: bool,
    source: Vec<u8>,
    tokens: Vec<Lexeme>,
    next: usize,
    fault: Option<Fault>,
    /// What `line` shows.
    line: Range<usize>,
}
static LAYOUT: VTable = VTable::of::<TokenizerIter>();
pub static TOKENIZER_ITER: TypeObject = TypeObject::builtin("TokenizerIter", Some(&OBJECT), &LAYOUT);
static DEF: ClassDef = ClassDef {
    module: "_tokenize",
    slots: SlotDefs { new: Some(new), iter: Some(|_, v| Ok(v.clone())), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::HAVE_GC,
    ..ClassDef::new(&TOKENIZER_ITER)
};

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(readline, /, *, encoding=<unrepresentable>, extra_tokens)");
    let b = SIG.bind(th, "tokenizeriter", "tokenizeriter", args, 0)?;
    let a = b.args();
    if let Some(encoding) = a.opt(1)
        && encoding.downcast_ref::<Str>().is_none()
    {
        return Err(wrong_type(th, "tokenizeriter", "argument 'encoding'", "str", encoding));
    }
    let extra = compare::truth(th, &a[2])?;
    let payload = TokenizerIter {
        readline: a[0].clone(),
        encoding: a.opt(1).cloned(),
        line: ValueCell::empty(),
        extra,
        state: Locked::default(),
    };
    Ok(Ref::with_class(payload, class.object()).into())
}

/// One line; empty at the end.
fn read_line(th: &mut Thread, it: &TokenizerIter) -> PyResult<Vec<u8>> {
    let line = match call::call(th, &it.readline.clone(), &[]) {
        Ok(line) => line,
        Err(raised) => {
            catch(th, raised, &STOP_ITERATION)?;
            return Ok(Vec::new());
        }
    };
    let text = match &it.encoding {
        Some(encoding) => {
            if line.downcast_ref::<Bytes>().is_none() {
                return Err(type_error(th, "readline() returned a non-bytes object"));
            }
            attr::call_method(th, &line, "decode", &[encoding.clone(), Value::str("replace")])?
        }
        None => line,
    };
    match text.to_ref::<Str>() {
        Some(s) => match s.to_utf8() {
            Some(text) => Ok(text.into_owned().into_bytes()),
            None => Err(errors::surrogates_not_allowed(th, &s)),
        },
        None => Err(type_error(th, "readline() returned a non-string object")),
    }
}
fn read_all(th: &mut Thread, it: &TokenizerIter) -> PyResult<()> {
    let mut source = Vec::new();
    loop {
        let line = read_line(th, it)?;
        if line.is_empty() {
            break;
        }
        if source.try_reserve(line.len()).is_err() {
            return Err(errors::memory_error(th));
        }
        source.extend(line);
    }
    let implicit = !source.is_empty() && !source.ends_with(b"\n");
    if implicit {
        source.push(b'\n');
    }
    let (tokens, fault) = tokenize(&source, it.extra, implicit);
    *it.state.lock() = State { read: true, source, tokens, next: 0, fault, line: 0..0 };
    Ok(())
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let it = v.downcast_ref::<TokenizerIter>().expect("the slot's own type");
    if !it.state.lock().read {
        read_all(th, it)?;
    }
    let mut state = it.state.lock();
    let Some(token) = state.tokens.get(state.next).cloned() else {
        let fault = state.fault.take();
        drop(state);
        return match fault {
            Some(fault) => Err(raise(th, &fault)),
            None => Ok(None),
        };
    };
    state.next += 1;
    let decode = |range: &Range<usize>| Str::new(&String::from_utf8_lossy(&state.source[range.clone()]));
    let text = match &token.text {
        Text::Source(range) => decode(range),
        Text::Fixed(text) => Str::new(text),
    };
    let shown = it.line.get().filter(|_| state.line == token.line);
    let line = shown.unwrap_or_else(|| decode(&token.line).into());
    state.line = token.line.clone();
    drop(state);
    it.line.set(Some(line.clone()));
    let pair = |(line, col): (i32, i32)| Value::from(Tuple::of([Value::from(line), col.into()]));
    let items = [Value::from(token.kind), text.into(), pair(token.start), pair(token.end), line];
    Ok(Some(Tuple::new(items).into()))
}

fn raise(th: &mut Thread, fault: &Fault) -> Raised {
    let filename = Value::str("<string>");
    let e = match fault {
        Fault::Error(e) => e,
        Fault::UnexpectedEnd(line, offset) => {
            let raised = errors::raise(th, &exc::SYNTAX_ERROR, "unexpected EOF in multi-line statement");
            if let Some(s) = th.exc.as_ref().and_then(|e| e.downcast_ref::<exc::SyntaxError>()) {
                s.filename.set(Some(filename));
                s.lineno.set(Some(Value::from(*line)));
                s.offset.set(Some(Value::from(*offset)));
                s.end_lineno.set(Some(Value::from(*line)));
            }
            return raised;
        }
    };
    let open_end =
        e.kind != SyntaxErrorKind::SyntaxError || e.location.as_ref().is_some_and(|l| l.end_lineno.is_none());
    let raised = refusal::raise(th, e, &filename);
    if open_end {
        clear_end(th, e, &filename);
    }
    raised
}
/// Faults of indentation have no end: None in the attributes and in the arguments.
fn clear_end(th: &mut Thread, e: &krait_syntax::SyntaxError, filename: &Value) {
    let (Some(place), Some(made)) = (&e.location, th.exc.clone()) else { return };
    let Some(s) = made.downcast_ref::<exc::SyntaxError>() else { return };
    s.end_lineno.set(Some(Value::NONE));
    s.end_offset.set(Some(Value::NONE));
    let details = Tuple::of([
        filename.clone(),
        Value::from(place.lineno),
        Value::from(place.offset),
        place.text.as_deref().into(),
        Value::NONE,
        Value::NONE,
    ]);
    if let Some(base) = exc::base(&made) {
        base.args.set(Some(Tuple::of([Value::str(&e.msg), details.into()]).into()));
    }
}
