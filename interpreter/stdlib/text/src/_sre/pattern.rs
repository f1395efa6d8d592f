//! `re.Pattern`.

use krait_macros::{Payload, Trace};
use krait_object::native::{class_method, getter, member, method};
use krait_object::{
    Args, ClassDef, CmpOp, Dict, GetSet, List, Method, PyResult, Ref, SlotDefs, Str, Thread, Tuple, TypeObject, VTable,
    Value, type_flag,
};
use krait_runtime::errors::{system_error, type_error};
use krait_runtime::protocol::{call, compare, number, repr};
use krait_runtime::types::generic_alias::class_getitem;
use krait_runtime::types::mappingproxy;

use super::codes::flag;
use super::engine::Scratch;
use super::matched::Match;
use super::program::Program;
use super::scanner::{FindIter, Scanner};
use super::search::{Bounds, Mode};
use super::subject::{Joiner, Subject, with_scratch};
use super::template::{Template, compile_template};

#[derive(Trace, Payload)]
#[payload(class = PATTERN)]
pub struct Pattern {
    #[trace(skip)]
    pub program: Program,
    #[trace(skip)]
    pub code: Box<[u32]>,
    pub pattern: Value,
    pub flags: i32,
    pub groups: usize,
    pub groupindex: Option<Ref<Dict>>,
    pub indexgroup: Option<Ref<Tuple>>,
    /// Whether the pattern is bytes; `None` for a pattern that was not given, which takes any subject.
    #[trace(skip)]
    pub is_bytes: Option<bool>,
}

static LAYOUT: VTable = VTable::of::<Pattern>();
pub static PATTERN: TypeObject = TypeObject::builtin("Pattern", Some(&krait_object::builtin_types::OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "re",
    doc: "A compiled regular expression.",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs { repr: Some(pattern_repr), hash: Some(hash), compare: Some(compare_patterns), ..SlotDefs::EMPTY },
    flags: type_flag::WEAKREF | type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&PATTERN)
};

const BOUNDS: &str = "(string, pos=0, endpos=sys.maxsize)";
static METHODS: &[Method] = &[
    method("match", BOUNDS, "Match the pattern at the start of the string.", match_),
    method("fullmatch", BOUNDS, "Match the pattern against the whole string.", fullmatch),
    method("search", BOUNDS, "Find the first place in the string where the pattern matches.", search),
    method("sub", "(repl, string, count=0)", "Replace the matches in the string, leftmost first.", sub),
    method(
        "subn",
        "(repl, string, count=0)",
        "As sub(), but return the new string and the number of replacements.",
        subn,
    ),
    method("findall", BOUNDS, "Return a list of all matches: strings, or tuples of groups.", findall),
    method("split", "(string, maxsplit=0)", "Split the string at the matches.", split),
    method("finditer", BOUNDS, "Return an iterator over match objects for all matches.", finditer),
    method("scanner", BOUNDS, "Return an object that matches or searches step by step.", scanner),
    method("__copy__", "()", "Return the pattern itself.", itself),
    method("__deepcopy__", "(memo, /)", "Return the pattern itself.", itself),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];
static GETSET: &[GetSet] = &[
    getter("groupindex", "A dictionary mapping group names to group numbers.", groupindex),
    member("pattern", "The pattern string from which the RE object was compiled.", |_, v| Ok(this(v).pattern.clone())),
    member("flags", "The regex matching flags.", |_, v| Ok(Value::int(this(v).flags.into()))),
    member("groups", "The number of capturing groups in the pattern.", |_, v| Ok(this(v).groups.into())),
];

fn this(v: &Value) -> &Pattern {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn itself(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(a[0].clone())
}

/// A match or search to be made: the subject and the part of it that counts.
pub struct Task {
    pub subject: Subject,
    pub string: Value,
    pub pos: usize,
    pub endpos: usize,
}

impl Task {
    /// From `(self, string, pos, endpos)`, arguments 1 to 3.
    pub fn from_args(th: &mut Thread, pattern: &Pattern, a: &Args<'_>) -> PyResult<Task> {
        let pos = a.opt(2).map_or(Ok(0), |v| number::to_isize(th, v))?;
        let endpos = a.opt(3).map_or(Ok(isize::MAX), |v| number::to_isize(th, v))?;
        Task::new(th, pattern, &a[1], pos, endpos)
    }

    pub fn new(th: &mut Thread, pattern: &Pattern, string: &Value, pos: isize, endpos: isize) -> PyResult<Task> {
        let subject = Subject::new(th, string)?;
        match (subject.is_bytes(), pattern.is_bytes) {
            (true, Some(false)) => {
                return Err(type_error(th, "cannot use a string pattern on a bytes-like object"));
            }
            (false, Some(true)) => {
                return Err(type_error(th, "cannot use a bytes pattern on a string-like object"));
            }
            _ => {}
        }
        let clamp = |i: isize| usize::try_from(i).unwrap_or(0).min(subject.len());
        let (pos, endpos) = (clamp(pos), clamp(endpos));
        Ok(Task { subject, string: string.clone(), pos, endpos })
    }

    pub fn bounds(&self) -> Bounds {
        Bounds { start: self.pos, end: self.endpos, must_advance: false }
    }

    fn slice(&self, start: usize, end: usize) -> Value {
        self.subject.slice(&self.string, start, end)
    }

    /// Group `n` of the match in `scratch`.
    fn group(&self, th: &mut Thread, scratch: &Scratch, n: usize) -> PyResult<Option<Value>> {
        match scratch.group(n) {
            None => Ok(None),
            Some((start, end)) if start > end => Err(wrong_span(th)),
            Some((start, end)) => Ok(Some(self.slice(start, end))),
        }
    }
}

/// What CPython says of a span that a quirk of its engine turned around.
pub fn wrong_span(th: &mut Thread) -> krait_object::Raised {
    system_error(th, "The span of capturing group is wrong, please report a bug for the re module.")
}

fn once(th: &mut Thread, a: &Args<'_>, mode: Mode) -> PyResult<Value> {
    let pattern = a.this_ref::<Pattern>();
    let task = Task::from_args(th, &pattern, a)?;
    with_scratch(th, |th, scratch| {
        if !task.subject.execute(th, &pattern.program, task.bounds(), mode, scratch)? {
            return Ok(Value::NONE);
        }
        Match::from_scratch(th, &pattern, &task.string, (task.pos, task.endpos), scratch)
    })
}

fn match_(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    once(th, a, Mode::Match)
}

fn fullmatch(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    once(th, a, Mode::FullMatch)
}

fn search(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    once(th, a, Mode::Search)
}

/// Searches on from `bounds` and moves them behind the match.
fn step(
    th: &mut Thread,
    pattern: &Pattern,
    subject: &Subject,
    bounds: &mut Bounds,
    scratch: &mut Scratch,
) -> PyResult<bool> {
    if bounds.start > bounds.end || !subject.execute(th, &pattern.program, *bounds, Mode::Search, scratch)? {
        return Ok(false);
    }
    bounds.start = scratch.end;
    bounds.must_advance = scratch.end == scratch.start;
    Ok(true)
}

fn findall(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let pattern = a.this_ref::<Pattern>();
    let task = Task::from_args(th, &pattern, a)?;
    let mut found = Vec::new();
    let mut bounds = task.bounds();
    with_scratch(th, |th, scratch| -> PyResult<()> {
        let empty = task.slice(0, 0);
        while step(th, &pattern, &task.subject, &mut bounds, scratch)? {
            let mut group = |n| Ok(task.group(th, scratch, n)?.unwrap_or_else(|| empty.clone()));
            found.push(match pattern.groups {
                0 => task.slice(scratch.start, scratch.end),
                1 => group(1)?,
                groups => {
                    let items: PyResult<Vec<Value>> = (1..=groups).map(group).collect();
                    Tuple::from_vec(items?).into()
                }
            });
        }
        Ok(())
    })?;
    Ok(List::new(found).into())
}

fn split(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let pattern = a.this_ref::<Pattern>();
    let maxsplit = a.opt(2).map_or(Ok(0), |v| number::to_isize(th, v))?;
    let task = Task::new(th, &pattern, &a[1], 0, isize::MAX)?;
    let mut parts = Vec::new();
    let (mut last, mut count) = (0, 0);
    let mut bounds = task.bounds();
    with_scratch(th, |th, scratch| -> PyResult<()> {
        while (maxsplit == 0 || count < maxsplit) && step(th, &pattern, &task.subject, &mut bounds, scratch)? {
            parts.push(task.slice(last, scratch.start));
            for n in 1..=pattern.groups {
                parts.push(task.group(th, scratch, n)?.unwrap_or(Value::NONE));
            }
            last = scratch.end;
            count += 1;
        }
        Ok(())
    })?;
    parts.push(task.slice(last, task.endpos));
    Ok(List::new(parts).into())
}

/// What a match is replaced by.
enum Replacement {
    Literal(Value),
    Template(Ref<Template>),
    Function(Value),
}

fn replacement(th: &mut Thread, pattern: &Ref<Pattern>, repl: &Value) -> PyResult<Replacement> {
    if call::is_callable(repl) {
        return Ok(Replacement::Function(repl.clone()));
    }
    let literal = match Subject::new(th, repl) {
        Ok(Subject::Str(s)) => !s.iter().any(|c| c == 0x5c),
        Ok(Subject::Bytes(bytes)) => !bytes.contains(&b'\\'),
        Ok(Subject::Buffer(buffer)) => buffer.with_bytes(|bytes| !bytes.contains(&b'\\')),
        Err(_) => {
            th.take_exc();
            false
        }
    };
    if literal {
        return Ok(Replacement::Literal(repl.clone()));
    }
    let template = compile_template(th, pattern, repl)?;
    Ok(if template.items.is_empty() {
        Replacement::Literal(template.literal.clone())
    } else {
        Replacement::Template(template)
    })
}

/// The new string and the number of replacements.
fn substitute(th: &mut Thread, a: &Args<'_>) -> PyResult<(Value, usize)> {
    let pattern = a.this_ref::<Pattern>();
    let limit = a.opt(3).map_or(Ok(0), |v| number::to_isize(th, v))?;
    let replacement = replacement(th, &pattern, &a[1])?;
    let task = Task::new(th, &pattern, &a[2], 0, isize::MAX)?;
    let mut out = Joiner::new(task.subject.is_bytes());
    let (mut last, mut count) = (0, 0usize);
    let mut bounds = task.bounds();
    with_scratch(th, |th, scratch| -> PyResult<()> {
        while (limit == 0 || (count as isize) < limit) && step(th, &pattern, &task.subject, &mut bounds, scratch)? {
            if last < scratch.start {
                out.push_slice(th, &task.subject, last, scratch.start)?;
            }
            last = scratch.end;
            count += 1;
            let matched = |th: &mut Thread, scratch: &Scratch| {
                Match::from_scratch(th, &pattern, &task.string, (task.pos, task.endpos), scratch)
            };
            let item = match &replacement {
                Replacement::Literal(value) => value.clone(),
                Replacement::Template(template) => {
                    let matched = matched(th, scratch)?;
                    template.expand(th, super::matched::this(&matched))?
                }
                Replacement::Function(function) => {
                    let matched = matched(th, scratch)?;
                    call::call(th, function, &[matched])?
                }
            };
            if !item.is_none() {
                out.push_value(th, &item)?;
            }
        }
        Ok(())
    })?;
    if count == 0 {
        return Ok((task.slice(0, task.endpos), 0));
    }
    if last < task.endpos {
        out.push_slice(th, &task.subject, last, task.endpos)?;
    }
    Ok((out.finish(th)?, count))
}

fn sub(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(substitute(th, a)?.0)
}

fn subn(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (string, count) = substitute(th, a)?;
    Ok(Tuple::from_vec(vec![string, count.into()]).into())
}

fn scanner(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let pattern = a.this_ref::<Pattern>();
    let task = Task::from_args(th, &pattern, a)?;
    Ok(Ref::new(Scanner::new(pattern, task)).into())
}

fn finditer(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let pattern = a.this_ref::<Pattern>();
    let task = Task::from_args(th, &pattern, a)?;
    Ok(Ref::new(FindIter::new(Ref::new(Scanner::new(pattern, task)))).into())
}

fn groupindex(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(match &this(v).groupindex {
        Some(dict) => mappingproxy::new(dict.to_value()),
        None => Dict::new().into(),
    })
}

/// Names of flags, in the order in which they are shown.
const FLAG_NAMES: [(u32, &str); 8] = [
    (flag::IGNORECASE, "re.IGNORECASE"),
    (flag::LOCALE, "re.LOCALE"),
    (flag::MULTILINE, "re.MULTILINE"),
    (flag::DOTALL, "re.DOTALL"),
    (flag::UNICODE, "re.UNICODE"),
    (flag::VERBOSE, "re.VERBOSE"),
    (flag::DEBUG, "re.DEBUG"),
    (flag::ASCII, "re.ASCII"),
];

fn pattern_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let pattern = this(v);
    let mut flags = pattern.flags as u32;
    let type_flags = flag::LOCALE | flag::UNICODE | flag::ASCII;
    if pattern.is_bytes == Some(false) && flags & type_flags == flag::UNICODE {
        flags &= !flag::UNICODE;
    }
    let mut shown: Vec<String> = Vec::new();
    for (bit, name) in FLAG_NAMES {
        if flags & bit != 0 {
            shown.push(name.to_owned());
            flags &= !bit;
        }
    }
    if flags != 0 {
        shown.push(format!("{flags:#x}"));
    }
    let source = repr::repr(th, &pattern.pattern)?;
    let mut out = krait_object::StrBuilder::new();
    out.push_text("re.compile(");
    out.push_str(&source.slice(0, 200));
    if !shown.is_empty() {
        out.push_text(", ");
        out.push_text(&shown.join("|"));
    }
    out.push_text(")");
    Ok(out.finish().into())
}

fn hash(th: &mut Thread, v: &Value) -> PyResult<i64> {
    let pattern = this(v);
    let bytes: Vec<u8> = pattern.code.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let is_bytes = pattern.is_bytes.map_or(-1, i64::from);
    let mixed = compare::hash(th, &pattern.pattern)?
        ^ krait_object::hash::bytes(&bytes)
        ^ i64::from(pattern.flags)
        ^ is_bytes
        ^ pattern.code.len() as i64;
    Ok(if mixed == -1 { -2 } else { mixed })
}

fn compare_patterns(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let wanted = match op {
        CmpOp::Eq => true,
        CmpOp::Ne => false,
        _ => return Ok(Value::NOT_IMPLEMENTED),
    };
    let Some(other) = b.downcast_ref::<Pattern>() else { return Ok(Value::NOT_IMPLEMENTED) };
    if a.is(b) {
        return Ok(Value::bool(wanted));
    }
    let one = this(a);
    // Groups and their names follow from the pattern; the code may differ by the locale it was compiled under.
    let same = one.flags == other.flags
        && one.is_bytes == other.is_bytes
        && one.code == other.code
        && compare::eq(th, &one.pattern, &other.pattern)?;
    Ok(Value::bool(same == wanted))
}

/// Whether a string argument is bytes; the error of `Subject::new` if it is neither.
pub fn is_bytes(th: &mut Thread, pattern: &Value) -> PyResult<Option<bool>> {
    if pattern.is_none() {
        return Ok(None);
    }
    Ok(Some(pattern.downcast_ref::<Str>().is_none() && Subject::new(th, pattern)?.is_bytes()))
}
