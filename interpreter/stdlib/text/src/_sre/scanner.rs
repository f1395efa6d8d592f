//! `_sre.SRE_Scanner`, and the iterator that `finditer` returns.

use std::sync::atomic::{AtomicBool, Ordering};

use krait_macros::{Payload, Trace};
use krait_object::native::{member, method};
use krait_object::{
    Args, ClassDef, GetSet, Locked, Method, PyResult, Ref, SlotDefs, Thread, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::errors::value_error;

use super::matched::Match;
use super::pattern::{Pattern, Task};
use super::search::{Bounds, Mode};
use super::subject::{Subject, with_scratch};

#[derive(Trace, Payload)]
#[payload(class = SCANNER)]
pub struct Scanner {
    pattern: Ref<Pattern>,
    string: Value,
    #[trace(skip)]
    subject: Subject,
    pos: usize,
    endpos: usize,
    /// Where to go on; `None` once there was no match.
    #[trace(skip)]
    next: Locked<Option<Bounds>>,
    executing: AtomicBool,
}

static SCANNER_LAYOUT: VTable = VTable::of::<Scanner>();
pub static SCANNER: TypeObject =
    TypeObject::builtin("SRE_Scanner", Some(&krait_object::builtin_types::OBJECT), &SCANNER_LAYOUT);
pub static SCANNER_DEF: ClassDef = ClassDef {
    module: "_sre",
    methods: METHODS,
    getset: GETSET,
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&SCANNER)
};
static METHODS: &[Method] =
    &[method("match", "()", "Match at the present place.", match_), method("search", "()", "Search on.", search)];
static GETSET: &[GetSet] = &[member("pattern", "", |_, v| Ok(this(v).pattern.to_value()))];

fn this(v: &Value) -> &Scanner {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

impl Scanner {
    pub fn new(pattern: Ref<Pattern>, task: Task) -> Scanner {
        let bounds = task.bounds();
        Scanner {
            pattern,
            string: task.string,
            subject: task.subject,
            pos: task.pos,
            endpos: task.endpos,
            next: Locked::new(Some(bounds)),
            executing: AtomicBool::new(false),
        }
    }

    fn step(&self, th: &mut Thread, mode: Mode) -> PyResult<Value> {
        // A signal handler that runs during the match may come back here.
        if self.executing.swap(true, Ordering::Acquire) {
            return Err(value_error(th, "regular expression scanner already executing"));
        }
        let result = self.step_alone(th, mode);
        self.executing.store(false, Ordering::Release);
        result
    }

    fn step_alone(&self, th: &mut Thread, mode: Mode) -> PyResult<Value> {
        let Some(bounds) = self.next.get() else { return Ok(Value::NONE) };
        with_scratch(th, |th, scratch| {
            if !self.subject.execute(th, &self.pattern.program, bounds, mode, scratch)? {
                self.next.set(None);
                return Ok(Value::NONE);
            }
            let must_advance = scratch.end == scratch.start;
            self.next.set(Some(Bounds { start: scratch.end, end: bounds.end, must_advance }));
            Match::from_scratch(th, &self.pattern, &self.string, (self.pos, self.endpos), scratch)
        })
    }
}

fn match_(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    a.this::<Scanner>().step(th, Mode::Match)
}

fn search(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    a.this::<Scanner>().step(th, Mode::Search)
}

/// CPython makes `iter(scanner.search, None)`, hence the name of the type; this does the same without the calls.
#[derive(Trace, Payload)]
#[payload(class = FIND_ITER)]
pub struct FindIter {
    scanner: Locked<Option<Ref<Scanner>>>,
}

static FIND_ITER_LAYOUT: VTable = VTable::of::<FindIter>();
pub static FIND_ITER: TypeObject =
    TypeObject::builtin("callable_iterator", Some(&krait_object::builtin_types::OBJECT), &FIND_ITER_LAYOUT);
pub static FIND_ITER_DEF: ClassDef = ClassDef {
    slots: SlotDefs { iter: Some(|_, v| Ok(v.clone())), next: Some(find_next), ..SlotDefs::EMPTY },
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&FIND_ITER)
};

impl FindIter {
    pub fn new(scanner: Ref<Scanner>) -> FindIter {
        FindIter { scanner: Locked::new(Some(scanner)) }
    }
}

fn find_next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let me = v.downcast_ref::<FindIter>().expect("the slot belongs to this class");
    let Some(scanner) = me.scanner.get() else { return Ok(None) };
    let found = scanner.step(th, Mode::Search)?;
    if found.is_none() {
        me.scanner.set(None);
        return Ok(None);
    }
    Ok(Some(found))
}
