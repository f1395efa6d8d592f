//! `-X importtime`: how long each import took, with and without the imports within it.
use std::time::{Duration, Instant};

use krait_object::{Locked, Ref, Str, Thread};

/// Imports in progress, and the time of those that ended within the innermost one.
#[derive(Default)]
struct Timing(Locked<State>);
#[derive(Clone, Copy, Default)]
struct State {
    level: usize,
    inner: Duration,
    titled: bool,
}
pub struct Timer {
    began: Instant,
    outer: Duration,
}

pub fn start(th: &mut Thread) -> Timer {
    let timing = th.interp.extension::<Timing>();
    let mut state = timing.0.lock();
    if !state.titled {
        eprintln!("import time: self [us] | cumulative | imported package");
        state.titled = true;
    }
    state.level += 1;
    Timer { began: Instant::now(), outer: std::mem::take(&mut state.inner) }
}
pub fn end(th: &mut Thread, timer: Timer, name: &Ref<Str>) {
    let all = timer.began.elapsed();
    let timing = th.interp.extension::<Timing>();
    let mut state = timing.0.lock();
    state.level -= 1;
    let own = all.saturating_sub(state.inner);
    let (own, sum, indent) = (own.as_micros(), all.as_micros(), state.level * 2);
    eprintln!("import time: {own:9} | {sum:10} | {:indent$}{name}", "");
    state.inner = timer.outer + all;
}
