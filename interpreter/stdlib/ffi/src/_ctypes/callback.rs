//! Python functions as C functions. CPython: `Modules/_ctypes/callbacks.c`.

use std::ptr::null_mut;
use std::sync::OnceLock;

use krait_macros::{Payload, Trace};
use krait_object::{ClassDef, PyResult, Ref, Thread, Type, TypeObject, VTable, Value, builtin_types, type_flag};
use krait_runtime::errors::{self, memory_error, runtime_error};
use krait_runtime::protocol::{call as protocol, repr};
use libffi_sys as ffi;

use super::call::{ForeignType, Returned, Signature, with_current};
use super::data::{CData, is_plain_simple, this};
use super::info;
use super::{memory, simple};

/// A Python function as a C function made at run time; C gets the address of this object's payload.
#[derive(Trace, Payload)]
#[payload(class = THUNK)]
pub struct Thunk {
    callable: Value,
    arguments: Vec<Value>,
    /// The class of the result.
    returned: Option<Value>,
    #[trace(skip)]
    closure: OnceLock<Closure>,
}
static LAYOUT: VTable = VTable::of::<Thunk>();
static THUNK: TypeObject = TypeObject::builtin("CThunkObject", Some(&builtin_types::OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_ctypes",
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&THUNK)
};

/// The executable part.
struct Closure {
    closure: *mut ffi::ffi_closure,
    code: usize,
    #[expect(dead_code, reason = "the closure points to it")]
    signature: Box<Signature>,
}
// SAFETY: the closure is not written to once it is made.
unsafe impl Send for Closure {}
// SAFETY: as above.
unsafe impl Sync for Closure {}

impl Drop for Closure {
    fn drop(&mut self) {
        // SAFETY: allocated in `make`.
        unsafe { ffi::ffi_closure_free(self.closure.cast()) };
    }
}

impl Thunk {
    pub fn make(th: &mut Thread, callable: &Value, arguments: Vec<Value>, returned: Returned) -> PyResult<Ref<Thunk>> {
        let types = arguments.iter().map(|class| ForeignType::of_class(th, class)).collect();
        let (result, class) = match &returned {
            Returned::Nothing => (ForeignType::void(), None),
            Returned::Class(class) => (ForeignType::of_class(th, class), Some(class.clone())),
            Returned::Callable(_) => (ForeignType::of_code('i'), None),
        };
        let Some(signature) = Signature::new(types, result, None) else {
            return Err(runtime_error(th, "ffi_prep_cif failed"));
        };
        let mut signature = Box::new(signature);
        let (callable, closure) = (callable.clone(), OnceLock::new());
        let thunk = Ref::new(Thunk { callable, arguments, returned: class, closure });
        let mut code = null_mut();
        // SAFETY: the size is that of a closure.
        let closure = unsafe { ffi::ffi_closure_alloc(size_of::<ffi::ffi_closure>(), &mut code) };
        if closure.is_null() {
            return Err(memory_error(th));
        }
        let closure = closure.cast::<ffi::ffi_closure>();
        let data = std::ptr::from_ref::<Thunk>(&thunk).cast_mut().cast();
        // SAFETY: the signature is boxed and the thunk does not move; both live as long as the closure.
        let status = unsafe { ffi::ffi_prep_closure_loc(closure, signature.cif(), Some(enter), data, code) };
        let _ = thunk.closure.set(Closure { closure, code: code as usize, signature });
        if status != ffi::ffi_status_FFI_OK {
            return Err(runtime_error(th, "ffi_prep_closure failed"));
        }
        Ok(thunk)
    }

    /// The address of the C function.
    pub fn entry(&self) -> usize {
        self.closure.get().map_or(0, |closure| closure.code)
    }
}

/// Where C arrives.
unsafe extern "C" fn enter(
    _: *mut ffi::ffi_cif,
    result: *mut libc::c_void,
    arguments: *mut *mut libc::c_void,
    data: *mut libc::c_void,
) {
    // SAFETY: the closure was prepared with a thunk, which lives as long as the closure can be called.
    let target = unsafe { &*data.cast::<Thunk>() };
    // SAFETY: libffi gives one pointer per argument of the signature.
    let places: Vec<usize> = (0..target.arguments.len()).map(|i| unsafe { *arguments.add(i) } as usize).collect();
    with_current(|th| {
        let exc = th.exc.take();
        serve(th, target, &places, result as usize);
        th.exc = exc;
    });
}

fn serve(th: &mut Thread, target: &Thunk, places: &[usize], result: usize) {
    let answer = arguments(th, target, places).and_then(|all| protocol::call(th, &target.callable, &all));
    let (doing, failed) = match answer {
        Err(_) => ("calling ctypes callback function", true),
        Ok(value) => {
            let stored = match &target.returned {
                Some(class) => store_result(th, class, result, &value),
                None => Ok(()),
            };
            ("converting result of ctypes callback function", stored.is_err())
        }
    };
    if failed {
        let error = th.exc.take();
        let shown = repr::repr(th, &target.callable).map(|shown| shown.to_string_lossy().into_owned());
        let shown = shown.unwrap_or_default();
        th.exc = error;
        errors::write_unraisable_message(th, Some(&format!("Exception ignored on {doing} {shown}")), None);
    }
}

fn arguments(th: &mut Thread, target: &Thunk, places: &[usize]) -> PyResult<Vec<Value>> {
    let mut all = Vec::with_capacity(places.len());
    for (class, &place) in target.arguments.iter().zip(places) {
        let info = info::required(th, class)?;
        let Some(reference) = class.to_ref::<Type>() else { continue };
        if is_plain_simple(&reference, &info) {
            all.push(simple::get(th, &info, place)?);
            continue;
        }
        let made = CData::owned(th, &Ref::from_object(reference.object()))?;
        memory::store(this(&made).address(), &memory::load(place, info.size));
        all.push(made);
    }
    Ok(all)
}

/// Small integers fill a whole word, as libffi wants it.
fn store_result(th: &mut Thread, class: &Value, result: usize, value: &Value) -> PyResult<()> {
    let info = info::required(th, class)?;
    let (mut bytes, _, block) = simple::encode(th, &info, value)?;
    if simple::is_integer(info.code) && info.size < 8 {
        let raw = u64::from_le_bytes(std::array::from_fn(|i| bytes[i]));
        let shift = 64 - 8 * info.size as u32;
        let wide =
            if simple::is_signed(info.code) { ((raw << shift) as i64 >> shift) as u64 } else { raw << shift >> shift };
        bytes[..8].copy_from_slice(&wide.to_le_bytes());
    }
    if info.code == 'O' {
        std::mem::forget(value.clone());
    }
    // The caller gets the pointer for good.
    std::mem::forget(block);
    let size = if info.size > 8 { info.size } else { 8 };
    memory::store(result, &bytes[..size]);
    Ok(())
}
