//! Signatures of native functions: parsed from their text, bound to arguments. The messages are those of CPython's
//! argument clinic, whose calling convention follows from the signature's shape.
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};

use super::Args;
use crate::dict::Dict;
use crate::str::Str;
use crate::thread::Thread;
use crate::tuple::Tuple;
use crate::value::Value;
use crate::{PyResult, Raised};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ParamKind {
    PositionalOnly,
    Normal,
    VarArgs,
    KeywordOnly,
    VarKw,
}
struct Param {
    name: Box<str>,
    kind: ParamKind,
    required: bool,
}

/// A signature by its text, `"(x=0, /, base=10)"`, parsed on first use.
pub struct Sig {
    text: &'static str,
    parsed: OnceLock<Parsed>,
    /// What [`Sig::entries`] asks, in one word: fewest and most positional arguments and the number of parameters, a byte
    /// each; 0 = not asked yet.
    arity: AtomicU32,
}
/// The arity of a signature that positional arguments alone do not satisfy: at least one and at most none.
const NOT_PLAIN: u32 = 1;
struct Parsed {
    params: Vec<Param>,
    /// Parameters that positional arguments fill.
    positional: usize,
    positional_only: usize,
    required_positional: usize,
    varargs: Option<usize>,
    varkw: Option<usize>,
    /// Neither `*args` nor `**kwargs`, and no keyword argument is required: positional arguments alone will do.
    plain: bool,
}

/// Arguments bound to a signature, one entry per parameter.
pub struct Bound(Vec<Option<Value>>);
impl Bound {
    pub fn args(&self) -> Args<'_> {
        Args::bound(&self.0)
    }
}

fn split_top_level(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0i32, 0, Vec::new());
    let mut quote = None;
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(text[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|p| !p.is_empty());
    parts
}

impl Parsed {
    fn new(text: &str) -> Parsed {
        let inner = text.trim().strip_prefix('(').and_then(|t| t.strip_suffix(')')).unwrap_or_default();
        // Optional groups, `sub[, start[, end]], /`: each parameter behind a bracket may be left out.
        let flat = inner.contains("[, ").then(|| inner.replace("[, ", ", ?").replace(']', ""));
        let inner = flat.as_deref().unwrap_or(inner);
        let mut params: Vec<Param> = Vec::new();
        let mut keyword_only = false;
        for part in split_top_level(inner) {
            match part {
                "/" => params.iter_mut().for_each(|p| p.kind = ParamKind::PositionalOnly),
                "*" => keyword_only = true,
                _ if part.starts_with('$') => {}
                _ => {
                    let (name, kind) = if let Some(name) = part.strip_prefix("**") {
                        (name, ParamKind::VarKw)
                    } else if let Some(name) = part.strip_prefix('*') {
                        keyword_only = true;
                        (name, ParamKind::VarArgs)
                    } else if keyword_only {
                        (part, ParamKind::KeywordOnly)
                    } else {
                        (part, ParamKind::Normal)
                    };
                    let (name, optional) = name.strip_prefix('?').map_or((name, false), |n| (n, true));
                    let (name, default) = name.split_once('=').map_or((name, optional), |(n, _)| (n, true));
                    let name = name.split(':').next().unwrap_or(name).trim().into();
                    let required = !default && !matches!(kind, ParamKind::VarArgs | ParamKind::VarKw);
                    params.push(Param { name, kind, required });
                }
            }
        }
        let is_positional = |p: &&Param| matches!(p.kind, ParamKind::PositionalOnly | ParamKind::Normal);
        let positional = params.iter().take_while(is_positional).count();
        Parsed {
            positional,
            positional_only: params.iter().filter(|p| p.kind == ParamKind::PositionalOnly).count(),
            required_positional: params.iter().take(positional).filter(|p| p.required).count(),
            varargs: params.iter().position(|p| p.kind == ParamKind::VarArgs),
            varkw: params.iter().position(|p| p.kind == ParamKind::VarKw),
            plain: params.iter().all(|p| is_positional(&p) || p.kind == ParamKind::KeywordOnly && !p.required),
            params,
        }
    }
    fn simple(&self) -> bool {
        self.params.len() == self.positional
    }
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

impl Sig {
    pub const fn new(text: &'static str) -> Sig {
        Sig { text, parsed: OnceLock::new(), arity: AtomicU32::new(0) }
    }
    /// The signature with this text that all users share, so that it is parsed once. For functions that are made: whoever
    /// binds one again and again keeps it.
    pub fn shared(text: &'static str) -> &'static Sig {
        static ALL: Mutex<BTreeMap<&'static str, &'static Sig>> = Mutex::new(BTreeMap::new());
        let mut all = ALL.lock().unwrap_or_else(|e| e.into_inner());
        all.entry(text).or_insert_with(|| Box::leak(Box::new(Sig::new(text))))
    }
    pub fn text(&self) -> &'static str {
        self.text
    }
    fn parsed(&self) -> &Parsed {
        self.parsed.get_or_init(|| Parsed::new(self.text))
    }

    /// Binds raw arguments. `lead` values at the front are `self` and pass through. `name` is the function's name,
    /// `full` its name with the class (`list.append`), as messages show them.
    pub fn bind(&self, th: &mut Thread, name: &str, full: &str, args: &Args<'_>, lead: usize) -> PyResult<Bound> {
        self.bind_with(th, name, || full.to_owned(), args, lead)
    }
    fn bind_with(
        &self,
        th: &mut Thread,
        name: &str,
        full: impl FnOnce() -> String,
        args: &Args<'_>,
        lead: usize,
    ) -> PyResult<Bound> {
        let p = self.parsed();
        let all = args.pos();
        let (head, pos) = all.split_at(lead.min(all.len()));
        let mut out: Vec<Option<Value>> = Vec::with_capacity(lead + p.params.len());
        out.extend(head.iter().cloned().map(Some));
        if p.positional_only + usize::from(p.varargs.is_some()) == p.params.len() {
            check_positional(th, p, name, full, pos.len(), args)?;
        } else {
            check_keywords(th, p, name, pos.len(), args)?;
        }
        let n = pos.len().min(p.positional);
        out.extend(pos[..n].iter().cloned().map(Some));
        out.resize_with(lead + p.params.len(), || None);
        if let Some(i) = p.varargs {
            out[lead + i] = Some(Tuple::from_slice(&pos[n..]).into());
        }
        let extra = p.varkw.map(|i| {
            let d = Dict::new();
            out[lead + i] = Some(d.to_value());
            d
        });
        // What is missing is complained of first.
        let mut unknown: Option<Value> = None;
        for (key, value) in args.kw() {
            let text = key.downcast_ref::<Str>();
            let at = p.params.iter().position(|q| {
                matches!(q.kind, ParamKind::Normal | ParamKind::KeywordOnly) && text.is_some_and(|t| t.eq_str(&q.name))
            });
            match (at, &extra) {
                (Some(i), _) if out[lead + i].is_none() => out[lead + i] = Some(value.clone()),
                (Some(i), _) => {
                    let message = format!(
                        "argument for {name}() given by name ('{}') and position ({})",
                        p.params[i].name,
                        i + 1
                    );
                    return Err(type_error(th, message));
                }
                (None, Some(d)) => d.set(th, key.clone(), value.clone())?,
                (None, None) => {
                    unknown.get_or_insert_with(|| key.clone());
                }
            }
        }
        check_required(th, p, name, &out[lead..])?;
        match unknown {
            Some(key) => Err(unexpected(th, p, name, &key)),
            None => Ok(Bound(out)),
        }
    }

    /// How many entries `method` is called with for `given` positional arguments, `lead` of them `self`: the arguments
    /// as they are, followed by as many left out. `None` where they must be bound, or refused, one by one.
    #[inline]
    pub fn entries(&self, method: &'static super::Method, given: usize, lead: usize) -> Option<usize> {
        if method.raw {
            return Some(given);
        }
        let mut arity = self.arity.load(Relaxed);
        if arity == 0 {
            arity = self.find_arity();
        }
        let [least, most, all, _] = arity.to_le_bytes().map(usize::from);
        let fits = given >= lead + least && given <= lead + most;
        fits.then_some(lead + all)
    }
    #[cold]
    #[inline(never)]
    fn find_arity(&self) -> u32 {
        let p = self.parsed();
        let arity = if p.plain && p.params.len() <= 255 {
            // Bit 24 tells the arity of no parameters from the word that was not asked for.
            u32::from_le_bytes([p.required_positional as u8, p.positional as u8, p.params.len() as u8, 1])
        } else {
            NOT_PLAIN
        };
        self.arity.store(arity, Relaxed);
        arity
    }
    /// Calls `func` with bound arguments. The common case, all positional and none left out, copies nothing.
    #[inline]
    pub fn call(
        &self,
        th: &mut Thread,
        method: &'static super::Method,
        full: impl FnOnce() -> String,
        args: &Args<'_>,
        lead: usize,
    ) -> PyResult<Value> {
        if method.raw {
            return (method.func)(th, args);
        }
        let p = self.parsed();
        if p.simple() && !args.has_kw() && args.len() == lead + p.params.len() {
            return (method.func)(th, args);
        }
        let bound = self.bind_with(th, method.name, full, args, lead)?;
        (method.func)(th, &bound.args())
    }
}

#[cold]
fn type_error(th: &mut Thread, message: String) -> Raised {
    (th.hooks().type_error)(th, message)
}

/// `bound` has one entry per parameter.
fn check_required(th: &mut Thread, p: &Parsed, name: &str, bound: &[Option<Value>]) -> PyResult<()> {
    for (i, q) in p.params.iter().enumerate() {
        if q.required && bound[i].is_none() {
            let message = match q.kind {
                ParamKind::KeywordOnly => format!("{name}() missing required keyword-only argument: '{}'", q.name),
                _ => format!("{name}() missing required argument '{}' (pos {})", q.name, i + 1),
            };
            return Err(type_error(th, message));
        }
    }
    Ok(())
}
#[cold]
fn unexpected(th: &mut Thread, p: &Parsed, name: &str, key: &Value) -> Raised {
    let key = key.downcast_ref::<Str>().map(|t| t.to_string_lossy().into_owned()).unwrap_or_default();
    let message = if p.params.iter().any(|q| q.kind == ParamKind::PositionalOnly && *q.name == *key) {
        format!("{name}() got some positional-only arguments passed as keyword arguments: '{key}'")
    } else {
        format!("{name}() got an unexpected keyword argument '{key}'")
    };
    type_error(th, message)
}

/// The conventions without keywords: no argument, exactly one, several positional.
fn check_positional(
    th: &mut Thread,
    p: &Parsed,
    name: &str,
    full: impl FnOnce() -> String,
    given: usize,
    args: &Args<'_>,
) -> PyResult<()> {
    if args.has_kw() {
        return Err(type_error(th, format!("{}() takes no keyword arguments", full())));
    }
    let max = if p.varargs.is_some() { usize::MAX } else { p.positional };
    let min = p.required_positional;
    if (min..=max).contains(&given) {
        return Ok(());
    }
    let message = if max == 0 {
        format!("{}() takes no arguments ({given} given)", full())
    } else if max == 1 && min == 1 {
        format!("{}() takes exactly one argument ({given} given)", full())
    } else {
        let (bound, n) = if min == max {
            ("", min)
        } else if given < min {
            ("at least ", min)
        } else {
            ("at most ", max)
        };
        format!("{name} expected {bound}{n} argument{}, got {given}", plural(n))
    };
    Err(type_error(th, message))
}

/// Too many arguments, or too few positional ones, where keywords are possible.
fn check_keywords(th: &mut Thread, p: &Parsed, name: &str, given: usize, args: &Args<'_>) -> PyResult<()> {
    let required_only = p.params.iter().filter(|q| q.kind == ParamKind::PositionalOnly && q.required).count();
    let total = p.params.len() - usize::from(p.varargs.is_some()) - usize::from(p.varkw.is_some());
    let named = args.names().len();
    let message = if given + named > total && p.varargs.is_none() && p.varkw.is_none() {
        let keyword = if given == 0 { "keyword " } else { "" };
        format!("{name}() takes at most {total} {keyword}argument{} ({} given)", plural(total), given + named)
    } else if given > p.positional && p.varargs.is_none() {
        if p.positional == 0 {
            format!("{name}() takes no positional arguments")
        } else {
            let bound = if p.required_positional == p.positional { "exactly" } else { "at most" };
            let n = p.positional;
            format!("{name}() takes {bound} {n} positional argument{} ({given} given)", plural(n))
        }
    } else if given < required_only {
        let bound = if required_only < p.positional { "at least" } else { "exactly" };
        format!("{name}() takes {bound} {required_only} positional argument{} ({given} given)", plural(required_only))
    } else {
        return Ok(());
    };
    Err(type_error(th, message))
}
