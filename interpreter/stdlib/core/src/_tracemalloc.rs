//! `_tracemalloc`: where objects were made that still exist. The heap tells of every block while tracing is on
//! (`krait_object::heap::tracing`); what containers take from the system for their items is not seen. CPython
//! counterpart: `Modules/_tracemalloc.c`, `Python/tracemalloc.c`.
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use krait_object::heap::tracing;
use krait_object::native::function;
use krait_object::{Args, List, Method, ModuleDef, PyResult, Thread, Tuple, Value};
use krait_runtime::errors::value_error;
use krait_runtime::hooks;
use krait_runtime::protocol::number;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Traces of the memory that objects take.",
    functions: FUNCTIONS,
    ..ModuleDef::new("_tracemalloc")
};

/// Frames that a traceback counts at most.
const MOST_FRAMES: usize = 65535;

/// Frames, the innermost first, and how many there were in all.
#[derive(PartialEq, Eq, Hash)]
struct Traceback {
    frames: Vec<(Arc<str>, u32)>,
    total: usize,
}
struct Block {
    size: usize,
    traceback: Arc<Traceback>,
}
/// What is known of the process's memory.
struct Traces {
    blocks: Option<HashMap<usize, Block>>,
    tracebacks: Option<HashSet<Arc<Traceback>>>,
    files: Option<HashSet<Arc<str>>>,
    /// Frames that are kept of a traceback.
    limit: usize,
    now: usize,
    peak: usize,
}
static TRACES: Mutex<Traces> =
    Mutex::new(Traces { blocks: None, tracebacks: None, files: None, limit: 1, now: 0, peak: 0 });
/// No object is made while this is held.
fn traces() -> MutexGuard<'static, Traces> {
    TRACES.lock().unwrap_or_else(|e| e.into_inner())
}
thread_local! {
    /// What is made for an answer of this module is not recorded.
    static ANSWERING: Cell<bool> = const { Cell::new(false) };
}
fn answering<R>(f: impl FnOnce() -> R) -> R {
    let before = ANSWERING.replace(true);
    let result = f();
    ANSWERING.set(before);
    result
}

impl Traces {
    fn clear(&mut self) {
        (self.blocks, self.tracebacks, self.files) = (None, None, None);
        (self.now, self.peak) = (0, 0);
    }
    fn remove(&mut self, address: usize) {
        if let Some(block) = self.blocks.get_or_insert_default().remove(&address) {
            self.now -= block.size;
        }
    }
    fn traceback(&mut self) -> Arc<Traceback> {
        let (limit, mut total, mut frames) = (self.limit, 0, Vec::new());
        let files = self.files.get_or_insert_default();
        (hooks::vm().lines)(&mut |file, line| {
            total += 1;
            if frames.len() < limit {
                let text = file.to_string_lossy();
                let known = files.get(&*text).cloned().unwrap_or_else(|| {
                    let new: Arc<str> = Arc::from(&*text);
                    files.insert(new.clone());
                    new
                });
                frames.push((known, line));
            }
        });
        if frames.is_empty() {
            frames.push((Arc::from("<unknown>"), 0));
            total = 1;
        }
        let made = Arc::new(Traceback { frames, total: total.min(MOST_FRAMES) });
        let all = self.tracebacks.get_or_insert_default();
        if let Some(known) = all.get(&made) {
            return known.clone();
        }
        all.insert(made.clone());
        made
    }
}
fn allocated(address: usize, size: usize) {
    if ANSWERING.get() {
        return;
    }
    let mut t = traces();
    t.remove(address);
    let traceback = t.traceback();
    t.blocks.get_or_insert_default().insert(address, Block { size, traceback });
    t.now += size;
    t.peak = t.peak.max(t.now);
}
fn freed(address: usize) {
    traces().remove(address);
}

static FUNCTIONS: &[Method] = &[
    function("start", "(nframe=1, /)", "Begin to trace, keeping so many frames of each traceback.", start),
    function("stop", "()", "Trace no more, and forget what was traced.", |th, _| {
        tracing::end();
        traces().clear();
        (hooks::vm().instrument)(th);
        Ok(Value::NONE)
    }),
    function("is_tracing", "()", "Whether memory is traced.", |_, _| Ok(Value::bool(tracing::is_on()))),
    function("clear_traces", "()", "Forget what was traced so far.", |_, _| {
        traces().clear();
        Ok(Value::NONE)
    }),
    function("get_traceback_limit", "()", "How many frames of a traceback are kept.", |_, _| {
        let limit = traces().limit;
        Ok(Value::from(limit))
    }),
    function("get_traced_memory", "()", "Bytes in traced blocks, now and at most.", |_, _| {
        let (now, peak) = {
            let t = traces();
            (t.now, t.peak)
        };
        Ok(Tuple::of([Value::from(now), Value::from(peak)]).into())
    }),
    function("reset_peak", "()", "The most is what is there now.", |_, _| {
        let mut t = traces();
        t.peak = t.now;
        Ok(Value::NONE)
    }),
    function("get_tracemalloc_memory", "()", "Bytes that the traces themselves take.", |_, _| {
        let n = {
            let t = traces();
            let tracebacks = t.tracebacks.iter().flatten();
            let frames: usize =
                tracebacks.map(|t| size_of::<Traceback>() + t.frames.len() * size_of::<(Arc<str>, u32)>()).sum();
            let files: usize = t.files.iter().flatten().map(|f| f.len()).sum();
            t.blocks.as_ref().map_or(0, |b| b.capacity() * size_of::<(usize, Block)>()) + frames + files
        };
        Ok(Value::from(n))
    }),
    function("_get_traces", "()", "All traces: (domain, size, frames, number of frames in all).", |_, _| {
        let all: Vec<(usize, Arc<Traceback>)> = {
            let t = traces();
            t.blocks.iter().flatten().map(|(_, b)| (b.size, b.traceback.clone())).collect()
        };
        if !tracing::is_on() {
            return Ok(List::new(Vec::new()).into());
        }
        Ok(answering(|| {
            let (mut shown, mut tuples) = (Vec::new(), HashMap::new());
            let mut files = HashMap::new();
            for (size, traceback) in &all {
                let frames: &Value =
                    tuples.entry(Arc::as_ptr(traceback)).or_insert_with(|| frames(traceback, &mut files));
                let trace = [Value::int(0), Value::from(*size), frames.clone(), Value::from(traceback.total)];
                shown.push(Tuple::of(trace).into());
            }
            List::new(shown).into()
        }))
    }),
    function(
        "_get_object_traceback",
        "(obj, /)",
        "The frames where an object was made; None if that is not known.",
        |_, a| {
            let Some(header) = a[0].header() else { return Ok(Value::NONE) };
            let address = std::ptr::from_ref(header) as usize;
            let found = traces().blocks.as_ref().and_then(|b| b.get(&address)).map(|b| b.traceback.clone());
            Ok(answering(|| found.map(|t| frames(&t, &mut HashMap::new()))).into())
        },
    ),
];

fn frames(traceback: &Traceback, files: &mut HashMap<Arc<str>, Value>) -> Value {
    let frame = |(file, line): &(Arc<str>, u32)| {
        let name = files.entry(file.clone()).or_insert_with(|| Value::str(file)).clone();
        Tuple::of([name, Value::from(i64::from(*line))]).into()
    };
    Tuple::from_vec(traceback.frames.iter().map(frame).collect()).into()
}
fn start(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let limit = a.opt(0).map_or(Ok(1), |v| number::to_i32(th, v))?;
    if limit < 1 || limit as usize > MOST_FRAMES {
        return Err(value_error(th, format!("the number of frames must be in range [1; {MOST_FRAMES}]")));
    }
    if !tracing::is_on() {
        traces().limit = limit as usize;
        tracing::begin(tracing::Hooks { allocated, freed });
        (hooks::vm().instrument)(th);
    }
    Ok(Value::NONE)
}
