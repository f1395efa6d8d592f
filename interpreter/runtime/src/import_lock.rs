//! The global import lock: re-entrant, owned by a thread. A fork waits for it, so that no import is under way in the child.
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use krait_object::Thread;

use crate::world;

/// Owner and how often it holds the lock; 0 = free.
#[derive(Default)]
pub struct ImportLock {
    owner: Mutex<(u64, u32)>,
    free: Condvar,
}
impl ImportLock {
    fn id(th: &Thread) -> u64 {
        Arc::as_ptr(&th.shared) as u64
    }
    fn lock(&self) -> MutexGuard<'_, (u64, u32)> {
        self.owner.lock().unwrap_or_else(|e| e.into_inner())
    }
    pub fn held(&self) -> bool {
        self.lock().1 > 0
    }
    pub fn acquire(&self, th: &mut Thread) {
        let id = Self::id(th);
        let mut owner = self.lock();
        if owner.1 == 0 || owner.0 == id {
            *owner = (id, owner.1 + 1);
            return;
        }
        drop(owner);
        world::blocking(th, || {
            let mut owner = self.lock();
            while owner.1 > 0 {
                owner = self.free.wait(owner).unwrap_or_else(|e| e.into_inner());
            }
            *owner = (id, 1);
        });
    }
    /// False: this thread does not hold it.
    pub fn release(&self, th: &Thread) -> bool {
        let mut owner = self.lock();
        if owner.1 == 0 || owner.0 != Self::id(th) {
            return false;
        }
        owner.1 -= 1;
        if owner.1 == 0 {
            self.free.notify_one();
        }
        true
    }
}
