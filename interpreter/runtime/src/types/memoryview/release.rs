//! `__release_buffer__`, both ways: what builtins do in it, and how a Python class's is called once its memory is given
//! back (PEP 688).
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use krait_object::buffer::{Buffer, Export};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Method, Sig, method};
use krait_object::trace::{Trace as _, Tracer};
use krait_object::{PyResult, Ref, Thread, Value};

use super::{MemoryView, export, from_buffer, release, this};
use crate::errors::{type_error, value_error, write_unraisable};
use crate::types::native_function::NativeFunction;
use crate::types::type_::dispatch;

/// The release slot of builtins: gives back the view, which must be one of this object's memory.
pub fn release_view(th: &mut Thread, owner: &Value, view: &Value) -> PyResult<()> {
    let Some(m) = view.downcast_ref::<MemoryView>() else {
        return Err(type_error(th, "expected a memoryview object"));
    };
    let held = m.window.lock().as_ref().map(|w| w.owner.clone());
    match held {
        None => Err(value_error(th, "memoryview's buffer has already been released")),
        Some(o) if !o.is(owner) => Err(value_error(th, "memoryview's buffer is not this object")),
        Some(_) => release(th, view),
    }
}

/// Whether the class wants to hear of the release in Python.
pub fn is_python(owner: &Value) -> bool {
    let slot = owner.class().slots.release_buffer.get();
    slot.is_some_and(|f| f as usize == dispatch::release_buffer as *const () as usize)
}

/// What a builtin exports for an instance of a Python class that overrides `__release_buffer__` alone.
pub fn with_release(th: &mut Thread, owner: &Value, exported: Buffer, request: u32) -> PyResult<Buffer> {
    let view = from_buffer(exported);
    let mut again = export(th, &view, request)?;
    again.owner = owner.clone();
    Ok(notify(again, &RELEASE_OWN, owner, &view))
}

/// The same buffer; when it is given back, the owner's `__release_buffer__` gets the view.
pub fn notifying(buffer: Buffer, owner: &Value, view: &Value) -> Buffer {
    notify(buffer, &RELEASE, owner, view)
}
fn notify(mut buffer: Buffer, call: &'static Method, owner: &Value, view: &Value) -> Buffer {
    let callback = NativeFunction::new_bound(call, Sig::shared(call.sig), owner, &Ref::from_object(&OBJECT));
    let inner = Some(buffer.export);
    buffer.export = Arc::new(Notifying { inner, callback, view: view.clone() });
    buffer
}

struct Notifying {
    /// Empty once the release has begun.
    inner: Option<Arc<dyn Export>>,
    callback: Value,
    view: Value,
}
impl Export for Notifying {
    fn read(&self, f: &mut dyn FnMut(&[u8])) {
        match &self.inner {
            Some(inner) => inner.read(f),
            None => f(&[]),
        }
    }
    fn write(&self, f: &mut dyn FnMut(&mut [u8])) {
        if let Some(inner) = &self.inner {
            inner.write(f);
        }
    }
    fn trace(&self, tracer: &mut Tracer<'_>) {
        if let Some(inner) = &self.inner {
            inner.trace(tracer);
        }
        self.callback.trace(tracer);
        self.view.trace(tracer);
    }
}
impl Drop for Notifying {
    fn drop(&mut self) {
        drop(self.inner.take());
        krait_object::dealloc::queue_call(self.callback.clone(), self.view.clone());
    }
}

/// The view is the class's own: what becomes of it is its business.
static RELEASE: Method = method("__release_buffer__", "(buffer, /)", "", |th, a| {
    if dispatch::release_buffer(th, &a[0], &a[1]).is_err() {
        write_unraisable(th, Some(&a[0]));
    }
    Ok(Value::NONE)
});
/// The view was made for the call alone.
static RELEASE_OWN: Method = method("__release_buffer__", "(buffer, /)", "", |th, a| {
    let (owner, view) = (a[0].clone(), a[1].clone());
    this(&view).restricted.store(true, Relaxed);
    if dispatch::release_buffer(th, &owner, &view).is_err() {
        write_unraisable(th, Some(&owner));
    }
    this(&view).restricted.store(false, Relaxed);
    release(th, &view)?;
    Ok(Value::NONE)
});
