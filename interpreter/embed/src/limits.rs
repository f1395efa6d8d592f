//! Limits of time and memory for what Rust code asks an interpreter to do. A watchdog thread looks every few milliseconds
//! and sets the breaker bit of the thread that runs; the exception is raised at its next safe point, and at each one after
//! that, so that a handler in the script does not get the better of it.
use std::sync::atomic::{AtomicU8, Ordering::*};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};

use krait_object::Thread;
use krait_object::thread::{Shared, breaker};
use krait_runtime::exceptions::TIMEOUT_ERROR;
use krait_runtime::{errors, safepoint};

/// How often the watchdog looks.
const LOOK: Duration = Duration::from_millis(5);

/// Which limit was reached.
const NONE: u8 = 0;
const TIME: u8 = 1;
const MEMORY: u8 = 2;

/// The limits of one interpreter.
#[derive(Default)]
pub struct Limits {
    set: OnceLock<Set>,
    watch: Arc<Watch>,
}
struct Set {
    time: Option<Duration>,
    /// Bytes of resident memory more than at the call's begin.
    memory: Option<usize>,
}
#[derive(Default)]
struct Watch {
    task: Mutex<Task>,
    changed: Condvar,
    reached: AtomicU8,
}
#[derive(Default)]
struct Task {
    current: Option<Watched>,
    started: bool,
    ended: bool,
}
struct Watched {
    thread: Arc<Shared>,
    deadline: Option<Instant>,
    most_memory: Option<usize>,
}

/// Installs the handler of the breaker bit, once per process.
pub fn install() {
    safepoint::install(breaker::LIMIT, |th| {
        let limits = th.interp.extension::<Limits>();
        match limits.watch.reached.load(Acquire) {
            TIME => Err(errors::raise(th, &TIMEOUT_ERROR, "the time limit is reached")),
            MEMORY => Err(errors::memory_error(th)),
            _ => {
                th.clear_breaker(breaker::LIMIT);
                Ok(())
            }
        }
    });
}

impl Limits {
    /// Once, before the first call.
    pub fn set(&self, time: Option<Duration>, memory: Option<usize>) {
        let _ = self.set.set(Set { time, memory });
    }
    pub fn any(&self) -> bool {
        self.set.get().is_some_and(|s| s.time.is_some() || s.memory.is_some())
    }
    /// An outermost call begins.
    pub fn begin(&self, th: &Thread) {
        let Some(set) = self.set.get().filter(|_| self.any()) else { return };
        let mut task = self.watch.task.lock().unwrap_or_else(|e| e.into_inner());
        task.current = Some(Watched {
            thread: th.shared.clone(),
            deadline: set.time.map(|t| Instant::now() + t),
            most_memory: set.memory.map(|m| resident().saturating_add(m)),
        });
        if !task.started {
            let watch = self.watch.clone();
            let spawned = std::thread::Builder::new().name("krait-limits".to_owned()).spawn(move || watch.run());
            task.started = spawned.is_ok();
        }
        self.watch.changed.notify_one();
    }
    /// It ends.
    pub fn end(&self, th: &Thread) {
        if self.set.get().is_none() {
            return;
        }
        let mut task = self.watch.task.lock().unwrap_or_else(|e| e.into_inner());
        task.current = None;
        self.watch.reached.store(NONE, Release);
        th.clear_breaker(breaker::LIMIT);
    }
}
impl Drop for Limits {
    fn drop(&mut self) {
        self.watch.task.lock().unwrap_or_else(|e| e.into_inner()).ended = true;
        self.watch.changed.notify_one();
    }
}
impl Watch {
    fn run(&self) {
        let mut task = self.task.lock().unwrap_or_else(|e| e.into_inner());
        while !task.ended {
            task = match &task.current {
                None => self.changed.wait(task).unwrap_or_else(|e| e.into_inner()),
                Some(watched) => {
                    let late = watched.deadline.is_some_and(|d| Instant::now() >= d);
                    if late || watched.most_memory.is_some_and(|most| resident() > most) {
                        self.reached.store(if late { TIME } else { MEMORY }, Release);
                        watched.thread.breaker.fetch_or(breaker::LIMIT, SeqCst);
                    }
                    self.changed.wait_timeout(task, LOOK).unwrap_or_else(|e| e.into_inner()).0
                }
            };
        }
    }
}

/// The process's resident memory in bytes, 0 where it cannot be told (`/proc/self/statm`, pages of 4 KiB or as the system
/// says).
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = text.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    pages * krait_platform::memory::page_size()
}
