//! `_lsprof`: the profiler behind `cProfile`. It counts and times calls through the events of `sys.monitoring`.
//! CPython: `Modules/_lsprof.c`.
use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Instant;

use krait_macros::{Payload, Trace};
use krait_object::native::{Sig, method};
use krait_object::{
    Args, ClassDef, List, Locked, Method, ModuleDef, PyResult, Ref, SlotDefs, Str, Thread, Type, TypeObject, VTable,
    Value, ValueCell, builtin_types::OBJECT, type_flag,
};
use krait_runtime::monitoring::{self, Event};
use krait_runtime::protocol::{attr, call, compare, number, repr};
use krait_runtime::types::descriptor::MethodDescriptor;
use krait_runtime::types::module::{self, Module};
use krait_runtime::types::native_function::NativeFunction;
use krait_runtime::types::structseq::{self, StructSeqDef};
use krait_runtime::{errors, exceptions};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Fast profiler",
    classes: &[&DEF],
    init: Some(|th, m| {
        let d = module::dict(m);
        d.set_text("profiler_entry", entry_class(th, &ENTRY));
        d.set_text("profiler_subentry", entry_class(th, &SUBENTRY));
        Ok(())
    }),
    ..ModuleDef::new("_lsprof")
};

const TOOL: usize = 2;
const EVENTS: [(Event, &str); 9] = [
    (Event::PyStart, "_pystart_callback"),
    (Event::PyResume, "_pystart_callback"),
    (Event::PyThrow, "_pystart_callback"),
    (Event::PyReturn, "_pyreturn_callback"),
    (Event::PyYield, "_pyreturn_callback"),
    (Event::PyUnwind, "_pyreturn_callback"),
    (Event::Call, "_ccall_callback"),
    (Event::CReturn, "_creturn_callback"),
    (Event::CRaise, "_creturn_callback"),
];

static ENTRY: StructSeqDef = StructSeqDef {
    module: "_lsprof",
    name: "profiler_entry",
    doc: "",
    fields: &[
        ("code", "code object or built-in function name"),
        ("callcount", "how many times this was called"),
        ("reccallcount", "how many times called recursively"),
        ("totaltime", "total time in this entry"),
        ("inlinetime", "inline time in this entry (not in subcalls)"),
        ("calls", "details of the calls"),
    ],
    visible: 6,
    instantiable: true,
};
static SUBENTRY: StructSeqDef = StructSeqDef {
    module: "_lsprof",
    name: "profiler_subentry",
    doc: "",
    fields: &[
        ("code", "called code object or built-in function name"),
        ("callcount", "how many times this is called"),
        ("reccallcount", "how many times this is called recursively"),
        ("totaltime", "total time spent in this call"),
        ("inlinetime", "inline time (not in further subcalls)"),
    ],
    visible: 5,
    instantiable: true,
};
#[derive(Default)]
struct Classes([OnceLock<Ref<Type>>; 2]);
fn entry_class(th: &Thread, def: &'static StructSeqDef) -> Ref<Type> {
    let classes = th.interp.extension::<Classes>();
    classes.0[usize::from(std::ptr::eq(def, &SUBENTRY))].get_or_init(|| structseq::new_type(def)).clone()
}

/// What is counted of one function, or of the calls of it by another.
#[derive(Clone, Copy, Default)]
struct Count {
    total: f64,
    inline: f64,
    calls: u64,
    recursive: u64,
    depth: u64,
}
impl Count {
    fn add(&mut self, time: f64, inline: f64) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 {
            self.total += time;
        } else {
            self.recursive += 1;
        }
        self.inline += inline;
        self.calls += 1;
    }
}
/// A function: a code object, or the name of a native one.
struct Entry {
    code: Value,
    count: Count,
    /// By index of the callee, in order of the first call.
    callees: Vec<(usize, Count)>,
}
/// A call in progress.
struct Frame {
    entry: usize,
    start: f64,
    /// Time spent in calls from here.
    below: f64,
}
#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    index: HashMap<Key, usize>,
    stack: Vec<Frame>,
    unit: f64,
    subcalls: bool,
    builtins: bool,
    enabled: bool,
}
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Code(u64),
    Method(usize),
    Name(String),
}

#[derive(Trace, Payload)]
#[payload(class = PROFILER)]
pub struct Profiler {
    timer: ValueCell,
    #[trace(skip)]
    state: Locked<State>,
}
static LAYOUT: VTable = VTable::of::<Profiler>();
pub static PROFILER: TypeObject = TypeObject::builtin("Profiler", Some(&OBJECT), &LAYOUT);
static DEF: ClassDef = ClassDef {
    module: "_lsprof",
    doc: "Counts and times calls; timer is a function that answers the time, timeunit what one of its units is worth.",
    sig: "(timer=None, timeunit=0.0, subcalls=True, builtins=True)",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), init: Some(init), ..SlotDefs::EMPTY },
    flags: type_flag::BASE,
    ..ClassDef::new(&PROFILER)
};
static METHODS: &[Method] = &[
    method("enable", "(subcalls=True, builtins=True)", "Starts to collect.", enable),
    method("disable", "()", "Stops collecting.", disable),
    method("clear", "()", "Forgets everything collected so far.", |_, a| {
        let taken = {
            let mut state = this(a).state.lock();
            state.stack.clear();
            state.index.clear();
            std::mem::take(&mut state.entries)
        };
        drop(taken);
        Ok(Value::NONE)
    }),
    method("getstats", "()", "A list of profiler_entry objects.", stats),
    method("_pystart_callback", "(code, instruction_offset, /, *rest)", "", |th, a| {
        enter(th, this(a), Key::Code(a[1].bits()), |_| Ok(a[1].clone()))?;
        Ok(Value::NONE)
    }),
    method("_pyreturn_callback", "(code, instruction_offset, retval, /)", "", |th, a| {
        leave(th, this(a), &Key::Code(a[1].bits()))?;
        Ok(Value::NONE)
    }),
    method("_ccall_callback", "(code, instruction_offset, callable, self_arg, /)", "", |th, a| {
        let profiler = this(a);
        if profiler.state.lock().builtins
            && let Some((key, label)) = native(th, &a[3], &a[4])?
        {
            enter(th, profiler, key, |th| label.text(th))?;
        }
        Ok(Value::NONE)
    }),
    method("_creturn_callback", "(code, instruction_offset, callable, self_arg, /)", "", |th, a| {
        let profiler = this(a);
        if profiler.state.lock().builtins
            && let Some((key, _)) = native(th, &a[3], &a[4])?
        {
            leave(th, profiler, &key)?;
        }
        Ok(Value::NONE)
    }),
];

fn this<'a>(a: &'a Args<'_>) -> &'a Profiler {
    a[0].downcast_ref().expect("the descriptor checked the class of self")
}
fn new(_: &mut Thread, class: &Ref<Type>, _: &Args<'_>) -> PyResult<Value> {
    let state = State { subcalls: true, builtins: true, ..State::default() };
    Ok(Ref::with_class(Profiler { timer: ValueCell::empty(), state: Locked::new(state) }, class.object()).into())
}
fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(timer=None, timeunit=0.0, subcalls=True, builtins=True)");
    let bound = SIG.bind(th, "Profiler", "Profiler", args, 0)?;
    let a = bound.args();
    let unit = match a.opt(1) {
        Some(unit) => number::to_f64(th, unit)?,
        None => 0.0,
    };
    let (subcalls, builtins) = (flag(th, a.opt(2))?, flag(th, a.opt(3))?);
    let Some(profiler) = v.downcast_ref::<Profiler>() else { return Ok(()) };
    profiler.timer.set(a.opt_not_none(0).cloned());
    let mut state = profiler.state.lock();
    state.unit = unit;
    state.subcalls = subcalls.unwrap_or(true);
    state.builtins = builtins.unwrap_or(true);
    Ok(())
}
fn flag(th: &mut Thread, v: Option<&Value>) -> PyResult<Option<bool>> {
    v.map(|v| compare::truth(th, v)).transpose()
}

fn enable(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (subcalls, builtins) = (flag(th, a.opt(1))?, flag(th, a.opt(2))?);
    if monitoring::tool_name(th, TOOL).is_some() {
        return Err(errors::value_error(th, "Another profiling tool is already active"));
    }
    monitoring::use_tool(th, TOOL, &Value::str("cProfile"))?;
    {
        let mut state = this(a).state.lock();
        state.subcalls = subcalls.unwrap_or(true);
        state.builtins = builtins.unwrap_or(true);
        state.enabled = true;
    }
    let mut set = 0;
    for (event, name) in EVENTS {
        let callback = attr::get_text(th, &a[0], name)?;
        drop(monitoring::register(th, TOOL, event as usize, Some(callback)));
        set |= 1 << event as i32;
    }
    monitoring::set_events(th, TOOL, set)?;
    Ok(Value::NONE)
}
fn disable(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let profiler = this(a);
    if std::mem::take(&mut profiler.state.lock().enabled) {
        monitoring::set_events(th, TOOL, 0)?;
        for (event, _) in EVENTS {
            drop(monitoring::register(th, TOOL, event as usize, None));
        }
        monitoring::free_tool(th, TOOL);
    }
    // Calls that have not returned end here.
    let now = time(th, profiler)?;
    let mut state = profiler.state.lock();
    while let Some(frame) = state.stack.pop() {
        stop(&mut state, frame, now);
    }
    Ok(Value::NONE)
}

/// The native function that is called, if it is one, and where its name comes from.
fn native(th: &mut Thread, callable: &Value, first: &Value) -> PyResult<Option<(Key, Label)>> {
    if let Some(descriptor) = callable.downcast_exact::<MethodDescriptor>() {
        if first.is(&monitoring::missing(th)) {
            return Ok(None);
        }
        let key = Key::Method(std::ptr::from_ref(descriptor.def) as usize);
        return Ok(Some((key, Label::Repr(callable.clone()))));
    }
    if callable.downcast_ref::<NativeFunction>().is_none() {
        return Ok(None);
    }
    let this = attr::get_text(th, callable, "__self__")?;
    let name = attr::get_text(th, callable, "__name__")?;
    let name = name.downcast_ref::<Str>().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    if !this.is_none() && this.downcast_ref::<Module>().is_none() {
        let class = this.class_ref();
        return Ok(Some(match class.lookup(&krait_object::intern::intern(&name)) {
            Some(found) => match found.downcast_exact::<MethodDescriptor>() {
                Some(d) => (Key::Method(std::ptr::from_ref(d.def) as usize), Label::Repr(found.clone())),
                None => (Key::Name(format!("{}.{name}", class.name())), Label::Repr(found.clone())),
            },
            None => {
                let text = format!("<built-in method {name}>");
                (Key::Name(text.clone()), Label::Text(text))
            }
        }));
    }
    let owner = attr::get_text(th, callable, "__module__")?;
    let text = match owner.downcast_ref::<Str>() {
        Some(module) => format!("<built-in method {}.{name}>", module.to_string_lossy()),
        None => format!("<built-in method {name}>"),
    };
    Ok(Some((Key::Name(text.clone()), Label::Text(text))))
}
enum Label {
    Repr(Value),
    Text(String),
}
impl Label {
    fn text(self, th: &mut Thread) -> PyResult<Value> {
        match self {
            Label::Repr(v) => repr::repr(th, &v).map(Into::into),
            Label::Text(text) => Ok(text.into()),
        }
    }
}

/// Seconds; those of a timer that counts in units, or answers a float.
fn time(th: &mut Thread, profiler: &Profiler) -> PyResult<f64> {
    static START: OnceLock<Instant> = OnceLock::new();
    let Some(timer) = profiler.timer.get() else {
        return Ok(START.get_or_init(Instant::now).elapsed().as_secs_f64());
    };
    let unit = profiler.state.lock().unit;
    let answer = call::call(th, &timer, &[]).and_then(|v| number::to_f64(th, &v));
    match answer {
        Ok(t) if unit > 0.0 => Ok(t * unit),
        Ok(t) => Ok(t),
        Err(raised) => {
            let exception = errors::take(th, raised);
            debug_assert!(exceptions::is_exception(&exception));
            drop(krait_object::Raised::set(th, exception));
            errors::write_unraisable(th, Some(&timer));
            Ok(0.0)
        }
    }
}

fn enter(
    th: &mut Thread,
    profiler: &Profiler,
    key: Key,
    code: impl FnOnce(&mut Thread) -> PyResult<Value>,
) -> PyResult<()> {
    let known = profiler.state.lock().index.get(&key).copied();
    let entry = match known {
        Some(entry) => entry,
        None => {
            let code = code(th)?;
            let mut state = profiler.state.lock();
            state.entries.push(Entry { code, count: Count::default(), callees: Vec::new() });
            let entry = state.entries.len() - 1;
            state.index.insert(key, entry);
            entry
        }
    };
    {
        let mut state = profiler.state.lock();
        let caller = state.stack.last().map(|f| f.entry).filter(|_| state.subcalls);
        state.entries[entry].count.depth += 1;
        if let Some(caller) = caller {
            let callees = &mut state.entries[caller].callees;
            let at = callees.iter().position(|(e, _)| *e == entry).unwrap_or_else(|| {
                callees.push((entry, Count::default()));
                callees.len() - 1
            });
            callees[at].1.depth += 1;
        }
    }
    let start = time(th, profiler)?;
    profiler.state.lock().stack.push(Frame { entry, start, below: 0.0 });
    Ok(())
}
fn leave(th: &mut Thread, profiler: &Profiler, key: &Key) -> PyResult<()> {
    let now = time(th, profiler)?;
    let mut state = profiler.state.lock();
    if state.index.contains_key(key)
        && let Some(frame) = state.stack.pop()
    {
        stop(&mut state, frame, now);
    }
    Ok(())
}
fn stop(state: &mut State, frame: Frame, now: f64) {
    let time = now - frame.start;
    let inline = time - frame.below;
    let subcalls = state.subcalls;
    let caller = state.stack.last_mut().map(|caller| {
        caller.below += time;
        caller.entry
    });
    if let Some(entry) = state.entries.get_mut(frame.entry) {
        entry.count.add(time, inline);
    }
    if subcalls
        && let Some(caller) = caller.and_then(|c| state.entries.get_mut(c))
        && let Some((_, count)) = caller.callees.iter_mut().find(|(e, _)| *e == frame.entry)
    {
        count.add(time, inline);
    }
}

fn stats(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (entry, subentry) = (entry_class(th, &ENTRY), entry_class(th, &SUBENTRY));
    let state = this(a).state.lock();
    let numbers = |code: &Value, c: &Count| -> Vec<Value> {
        vec![
            code.clone(),
            (c.calls as i64).into(),
            (c.recursive as i64).into(),
            Value::from(c.total),
            Value::from(c.inline),
        ]
    };
    let mut all = Vec::new();
    for e in state.entries.iter().filter(|e| e.count.calls > 0) {
        let mut values = numbers(&e.code, &e.count);
        let mut calls = Vec::new();
        for (callee, count) in e.callees.iter().filter(|(_, c)| c.calls > 0) {
            calls.push(structseq::build(&subentry, numbers(&state.entries[*callee].code, count), 5));
        }
        values.push(if e.callees.is_empty() { Value::NONE } else { List::new(calls).into() });
        all.push(structseq::build(&entry, values, 6));
    }
    Ok(List::new(all).into())
}
