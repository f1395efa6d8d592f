//! Weak references: the payload of `weakref.ref` and the side table from referents to their references. The table's
//! locks are leaves: nothing else is locked and no Python code runs under them.
use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::*};

use crate::dealloc::{Pending, queue};
use crate::foreign;
use crate::hash::ByWord;
use crate::header::{Header, flag};
use crate::locked::ValueCell;
use crate::refs::Object;
use crate::trace::{Trace, Tracer};
use crate::value::Value;

/// The payload of weak references and proxies. Their class is in `runtime`.
pub struct WeakRef {
    /// The referent's address; 0 when it is gone.
    target: AtomicUsize,
    pub callback: ValueCell,
    /// The referent's hash plus one, kept for when it is gone; 0 = not asked yet.
    pub hash: AtomicU64,
}
// SAFETY: the callback once; the referent is not owned.
unsafe impl Trace for WeakRef {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.callback.trace(tracer);
    }
}

const SHARDS: usize = 64;
/// By the referent's address: the addresses of the `Object<WeakRef>`s that refer to it, oldest first.
struct Shard(Mutex<Option<HashMap<usize, Vec<usize>, ByWord>>>);
static TABLE: [Shard; SHARDS] = [const { Shard(Mutex::new(None)) }; SHARDS];

fn with_shard<R>(target: usize, f: impl FnOnce(&mut HashMap<usize, Vec<usize>, ByWord>) -> R) -> R {
    let mut shard = TABLE[target >> 4 & (SHARDS - 1)].0.lock().unwrap_or_else(|e| e.into_inner());
    f(shard.get_or_insert_default())
}
fn payload_at(address: usize) -> *const WeakRef {
    // The payload of every weak reference type begins with a `WeakRef`.
    (address + size_of::<Header>()) as *const WeakRef
}

impl WeakRef {
    /// A reference that refers to nothing until [`attach`] is called on its object.
    pub fn detached(callback: Option<Value>) -> WeakRef {
        WeakRef { target: AtomicUsize::new(0), callback: ValueCell::new(callback), hash: AtomicU64::new(0) }
    }
    /// The referent, if it is alive.
    pub fn get(&self) -> Option<Value> {
        let target = self.target.load(Acquire);
        if target == 0 {
            return None;
        }
        with_shard(target, |_| {
            if self.target.load(Acquire) != target {
                return None;
            }
            // SAFETY: while `target` is set and the shard is locked, the referent's memory is not freed.
            let header = unsafe { &*(target as *const Header) };
            // SAFETY: the reference was just counted.
            header.incref_if_alive().then(|| unsafe { Value::from_bits(target as u64) })
        })
    }
    pub fn is_dead(&self) -> bool {
        self.target.load(Acquire) == 0
    }
    /// Forgets the referent and the callback.
    pub fn clear(&self) {
        self.unlink();
        self.callback.set(None);
    }
    fn unlink(&self) {
        let target = self.target.load(Acquire);
        if target == 0 {
            return;
        }
        let own = std::ptr::from_ref(self) as usize - size_of::<Header>();
        with_shard(target, |table| {
            if self.target.swap(0, AcqRel) == 0 {
                return;
            }
            if let Some(refs) = table.get_mut(&target) {
                refs.retain(|&r| r != own);
                if refs.is_empty() {
                    table.remove(&target);
                    // SAFETY: the reference was still registered, so the referent's memory is live.
                    unsafe { &*(target as *const Header) }.clear_flag(flag::WEAKREFS);
                }
            }
        });
    }
}
impl Drop for WeakRef {
    fn drop(&mut self) {
        self.unlink();
    }
}

/// Makes `reference` (an object whose payload begins with a `WeakRef`) refer to `target`. False for immediates.
pub fn attach(reference: &Value, weak: &WeakRef, target: &Value) -> bool {
    enter(reference, weak, target, false)
}
/// As [`attach`]; the reference counts as older than those that are there.
pub fn attach_first(reference: &Value, weak: &WeakRef, target: &Value) -> bool {
    enter(reference, weak, target, true)
}
fn enter(reference: &Value, weak: &WeakRef, target: &Value, first: bool) -> bool {
    let (Some(own), Some(header)) = (reference.header(), target.header()) else { return false };
    let own = std::ptr::from_ref(own) as usize;
    debug_assert!(std::ptr::eq(payload_at(own), weak));
    let address = std::ptr::from_ref(header) as usize;
    with_shard(address, |table| {
        let refs = table.entry(address).or_default();
        refs.insert(if first { 0 } else { refs.len() }, own);
        weak.target.store(address, Release);
        header.set_flag(flag::WEAKREFS);
    });
    reference.header().into_iter().for_each(|h| h.set_flag(flag::REFERENCE));
    true
}

/// The live weak references to `target`, oldest first.
pub fn refs_to(target: &Value) -> Vec<Value> {
    let Some(header) = target.header() else { return Vec::new() };
    if header.flags() & flag::WEAKREFS == 0 {
        return Vec::new();
    }
    let address = std::ptr::from_ref(header) as usize;
    with_shard(address, |table| {
        let refs = table.get(&address).map(Vec::as_slice).unwrap_or_default();
        // SAFETY: registered references unlink themselves under this lock before their memory goes; the count is
        // taken only if they are alive.
        refs.iter()
            .filter(|&&r| unsafe { &*(r as *const Header) }.incref_if_alive())
            // SAFETY: just counted.
            .map(|&r| unsafe { Value::from_bits(r as u64) })
            .collect()
    })
}

/// A weak reference is about to be freed: it forgets its referent. False: another thread has come by the reference.
pub(crate) fn release(h: NonNull<Header>) -> bool {
    // SAFETY: the object is whole, and its payload begins with a `WeakRef`.
    let (header, weak) = unsafe { (h.as_ref(), &*payload_at(h.as_ptr() as usize)) };
    let target = weak.target.load(Acquire);
    if target != 0 && with_shard(target, |_| weak.target.load(Acquire) == target && foreign::must_wait(header)) {
        return false;
    }
    weak.unlink();
    true
}
/// Whether a traced object is a weak reference that refers to something, with a callback.
pub(crate) fn has_callback(h: NonNull<Header>) -> bool {
    // SAFETY: a live object; among traced objects the flag is that of weak references alone.
    unsafe {
        h.as_ref().flags() & flag::REFERENCE != 0 && (*h.as_ptr().cast::<Object<WeakRef>>()).payload.callback.is_set()
    }
}
/// Clears the references to an object about to be freed and queues their callbacks, newest first. False: another thread has
/// come by the object through one of them.
pub(crate) fn clear_refs(h: NonNull<Header>) -> bool {
    clear_refs_but(h, true, |_| false) != Cleared::Waits
}
/// What became of an object's weak references.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cleared {
    /// They stay until what other threads counted is known.
    Waits,
    Silently,
    /// Their callbacks are queued.
    WithCallbacks,
}
/// As [`clear_refs`], of an object that somebody holds if it is not `dying`; the callbacks of references that `silent` names are
/// dropped: those references are garbage themselves.
pub(crate) fn clear_refs_but(h: NonNull<Header>, dying: bool, silent: impl Fn(&Header) -> bool) -> Cleared {
    let address = h.as_ptr() as usize;
    let mut callbacks = Vec::new();
    let cleared = with_shard(address, |table| {
        // SAFETY: the object is whole.
        if dying && foreign::must_wait(unsafe { h.as_ref() }) {
            return Cleared::Waits;
        }
        for r in table.remove(&address).unwrap_or_default().into_iter().rev() {
            // SAFETY: registered references unlink themselves under this lock before their memory goes.
            let (header, weak) = unsafe { (&(*(r as *const Object<WeakRef>)).header, &*payload_at(r)) };
            weak.target.store(0, Release);
            if weak.callback.is_set() && !silent(header) && header.incref_if_alive() {
                // SAFETY: just counted.
                callbacks.push(unsafe { Value::from_bits(r as u64) });
            }
        }
        if callbacks.is_empty() { Cleared::Silently } else { Cleared::WithCallbacks }
    });
    for weakref in callbacks {
        // SAFETY: the value keeps the object alive; its payload begins with a `WeakRef`.
        let weak = unsafe { &*payload_at(weakref.bits() as usize) };
        if let Some(callback) = weak.callback.take() {
            queue(Pending::Callback { callback, weakref });
        }
    }
    cleared
}
