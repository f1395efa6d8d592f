//! Stopping the world. Every thread that runs Python code is attached; it stops at safe points. A thread that blocks in the
//! operating system detaches first and touches no value until it is attached again.
use std::sync::atomic::Ordering::*;
use std::sync::{Arc, Condvar, Mutex};

use crate::foreign;
use crate::thread::{Shared, Thread, breaker};

struct World {
    threads: Vec<Arc<Shared>>,
    /// The thread that stopped the world, by the address of its shared part; 0 = running.
    stopper: usize,
    depth: u32,
}
static WORLD: Mutex<World> = Mutex::new(World { threads: Vec::new(), stopper: 0, depth: 0 });
static CHANGED: Condvar = Condvar::new();

fn id(shared: &Arc<Shared>) -> usize {
    Arc::as_ptr(shared) as usize
}
fn lock() -> std::sync::MutexGuard<'static, World> {
    WORLD.lock().unwrap_or_else(|e| e.into_inner())
}
fn wait(world: std::sync::MutexGuard<'static, World>) -> std::sync::MutexGuard<'static, World> {
    CHANGED.wait(world).unwrap_or_else(|e| e.into_inner())
}

/// A new thread joins, attached; waits while the world is stopped.
pub(crate) fn join(shared: &Arc<Shared>) {
    let mut world = lock();
    while world.stopper != 0 {
        world = wait(world);
    }
    shared.attached.store(true, Release);
    world.threads.push(shared.clone());
}
pub(crate) fn leave(shared: &Arc<Shared>) {
    let mut world = lock();
    world.threads.retain(|t| !Arc::ptr_eq(t, shared));
    shared.attached.store(false, Release);
    CHANGED.notify_all();
}
/// Threads of all interpreters.
pub fn threads() -> Vec<Arc<Shared>> {
    lock().threads.clone()
}
/// After `fork`, in the child: only the calling thread is left.
pub fn after_fork(th: &Thread) {
    let mut world = lock();
    world.threads.retain(|t| Arc::ptr_eq(t, &th.shared));
    world.stopper = 0;
    world.depth = 0;
    foreign::after_fork(th.number());
    CHANGED.notify_all();
}

/// The world stays stopped while this lives. In single mode threads take turns (`runtime::world`), and whoever runs is
/// alone already.
pub struct Stopped {
    real: bool,
}

/// Whether no other thread runs Python code at the moment.
pub(crate) fn is_alone(th: &Thread) -> bool {
    let own = id(&th.shared);
    !lock().threads.iter().any(|t| id(t) != own && t.attached.load(Acquire))
}
/// Stops every other attached thread at its next safe point; then the counts of all objects are exact, and this thread counts
/// plainly. Nested stops by the same thread are counted.
pub fn stop(th: &Thread) -> Stopped {
    if !crate::header::multi() {
        return Stopped { real: false };
    }
    let own = id(&th.shared);
    let mut world = lock();
    if world.stopper == own {
        world.depth += 1;
        return Stopped { real: true };
    }
    while world.stopper != 0 {
        // Somebody else stops the world: this thread counts as stopped meanwhile.
        th.shared.attached.store(false, Release);
        CHANGED.notify_all();
        world = wait(world);
    }
    th.shared.attached.store(true, Release);
    world.stopper = own;
    world.depth = 1;
    for t in world.threads.iter().filter(|t| id(t) != own) {
        t.breaker.fetch_or(breaker::STOP, AcqRel);
    }
    while world.threads.iter().any(|t| id(t) != own && t.attached.load(Acquire)) {
        world = wait(world);
    }
    drop(world);
    foreign::set_alone(true);
    foreign::merge();
    Stopped { real: true }
}
impl Drop for Stopped {
    fn drop(&mut self) {
        if !self.real {
            return;
        }
        let mut world = lock();
        world.depth -= 1;
        if world.depth > 0 {
            return;
        }
        foreign::set_alone(false);
        world.stopper = 0;
        for t in &world.threads {
            t.breaker.fetch_and(!breaker::STOP, AcqRel);
        }
        CHANGED.notify_all();
    }
}
/// What a safe point does when `breaker::STOP` is set: waits until the world runs again.
pub fn park(th: &Thread) {
    let own = id(&th.shared);
    let mut world = lock();
    if world.stopper == 0 || world.stopper == own {
        return;
    }
    th.shared.attached.store(false, Release);
    CHANGED.notify_all();
    while world.stopper != 0 {
        world = wait(world);
    }
    th.shared.attached.store(true, Release);
}
/// Runs blocking code that touches no value; the world may be stopped meanwhile.
pub fn detached<R>(th: &Thread, f: impl FnOnce() -> R) -> R {
    if !crate::header::multi() {
        return f();
    }
    detach(th);
    let result = f();
    attach(th);
    result
}
/// The thread touches no value until [`attach`].
pub fn detach(th: &Thread) {
    let leaves_work = foreign::has_work();
    th.shared.attached.store(false, Release);
    let world = lock();
    if leaves_work {
        for t in world.threads.iter().filter(|t| t.attached.load(Acquire)) {
            t.breaker.fetch_or(breaker::GC, AcqRel);
        }
    }
    drop(world);
    CHANGED.notify_all();
}
/// Waits while the world is stopped.
pub fn attach(th: &Thread) {
    let own = id(&th.shared);
    let mut world = lock();
    while world.stopper != 0 && world.stopper != own {
        // A new thread is attached already.
        th.shared.attached.store(false, Release);
        CHANGED.notify_all();
        world = wait(world);
    }
    th.shared.attached.store(true, Release);
    if foreign::is_asked() {
        th.shared.breaker.fetch_or(breaker::GC, AcqRel);
    }
}
