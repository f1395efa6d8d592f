//! Tcl's values: made, read and counted on the thread they belong to.
use std::ffi::{CStr, CString, c_int};
use std::ptr::{NonNull, null, null_mut};

use super::api::{Big, RawObj, TCL_OK, both, lib};
use super::interp::Interp;

/// A counted value. It belongs to the thread that made it.
#[derive(Debug)]
pub struct Obj(NonNull<RawObj>);

impl Clone for Obj {
    fn clone(&self) -> Obj {
        // SAFETY: a live value of this thread.
        unsafe { (*self.0.as_ptr()).count += 1 };
        Obj(self.0)
    }
}
impl Drop for Obj {
    fn drop(&mut self) {
        let raw = self.0.as_ptr();
        // SAFETY: a live value of this thread, freed with its last count as the library's macro does.
        unsafe {
            (*raw).count -= 1;
            if (*raw).count <= 0 {
                (lib().TclFreeObj)(raw);
            }
        }
    }
}

fn length(bytes: &[u8]) -> Option<c_int> {
    c_int::try_from(bytes.len()).ok().filter(|&n| n < c_int::MAX)
}

impl Obj {
    /// # Safety
    /// A live value of this thread.
    pub(super) unsafe fn from_raw(raw: *mut RawObj) -> Option<Obj> {
        let raw = NonNull::new(raw)?;
        // SAFETY: the caller's promise.
        unsafe { (*raw.as_ptr()).count += 1 };
        Some(Obj(raw))
    }
    fn made(raw: *mut RawObj) -> Obj {
        // SAFETY: the constructors of the library answer a new value of this thread, or abort without memory.
        unsafe { Obj::from_raw(raw) }.expect("the library aborts without memory")
    }
    pub(super) fn raw(&self) -> *mut RawObj {
        self.0.as_ptr()
    }

    /// A text in Tcl's UTF-8, in which NUL is two bytes. `None` if it is too long.
    pub fn text(bytes: &[u8]) -> Option<Obj> {
        let n = length(bytes)?;
        // SAFETY: as many bytes; they are copied.
        Some(Obj::made(unsafe { (lib().Tcl_NewStringObj)(bytes.as_ptr().cast(), n) }))
    }
    pub fn bytes(bytes: &[u8]) -> Option<Obj> {
        let n = length(bytes)?;
        // SAFETY: as many bytes; they are copied.
        Some(Obj::made(unsafe { (lib().Tcl_NewByteArrayObj)(bytes.as_ptr(), n) }))
    }
    pub fn boolean(b: bool) -> Obj {
        // SAFETY: a number.
        Obj::made(unsafe { (lib().Tcl_NewBooleanObj)(b.into()) })
    }
    pub fn int(n: i64) -> Obj {
        // SAFETY: a number.
        Obj::made(unsafe { (lib().Tcl_NewLongObj)(n) })
    }
    /// An integer of any size by its decimal digits.
    pub fn integer(digits: &str) -> Option<Obj> {
        let text = Obj::text(digits.as_bytes())?;
        text.as_integer()
    }
    pub fn double(x: f64) -> Obj {
        // SAFETY: a number.
        Obj::made(unsafe { (lib().Tcl_NewDoubleObj)(x) })
    }
    /// `None` if there are too many items.
    pub fn list(items: &[Obj]) -> Option<Obj> {
        let n = c_int::try_from(items.len()).ok()?;
        let raw: Vec<*mut RawObj> = items.iter().map(Obj::raw).collect();
        // SAFETY: as many live values of this thread, which the list counts.
        Some(Obj::made(unsafe { (lib().Tcl_NewListObj)(n, raw.as_ptr()) }))
    }

    /// The name of the type; `None` of a plain text.
    pub fn type_name(&self) -> Option<&CStr> {
        // SAFETY: a live value; types and their names are statics of libraries that stay.
        unsafe { (*self.raw()).class.as_ref().map(|class| CStr::from_ptr(class.name)) }
    }
    /// The value as text in Tcl's UTF-8.
    pub fn as_text(&self) -> &[u8] {
        let mut n = 0;
        // SAFETY: a live value of this thread; its text stays as long as it is not written to, which nothing here does.
        unsafe {
            let start = (lib().Tcl_GetStringFromObj)(self.raw(), &mut n);
            std::slice::from_raw_parts(start.cast(), usize::try_from(n).unwrap_or(0))
        }
    }
    pub fn as_bytes(&self) -> Vec<u8> {
        let mut n = 0;
        // SAFETY: a live value of this thread; the bytes are copied at once.
        unsafe {
            let start = (lib().Tcl_GetByteArrayFromObj)(self.raw(), &mut n);
            std::slice::from_raw_parts(start, usize::try_from(n).unwrap_or(0)).to_vec()
        }
    }
    /// The number of a double, NaN too, which the library's own function refuses.
    pub fn as_exact_double(&self) -> Option<f64> {
        // SAFETY: a live value; the representation of the type "double" is the number.
        unsafe { ((*self.raw()).class == both().double).then(|| f64::from_bits((*self.raw()).representation[0])) }
    }
    pub fn as_wide(&self) -> Option<i64> {
        let mut n = 0;
        // SAFETY: a live value; no message is asked for.
        let done = unsafe { (lib().Tcl_GetWideIntFromObj)(null_mut(), self.raw(), &mut n) };
        (done == TCL_OK).then_some(n)
    }
    fn as_integer(&self) -> Option<Obj> {
        integer(null_mut(), self)
    }
}

/// What is no integer is `None`, with a message in the interpreter if one is given.
fn integer(interp: super::api::P, obj: &Obj) -> Option<Obj> {
    let mut big: Big = [0; 8];
    // SAFETY: a live value; the number is written to room that is large enough and goes on into the new value, which
    // takes its digits over.
    unsafe {
        if (lib().Tcl_GetBignumFromObj)(interp, obj.raw(), &mut big) != TCL_OK {
            return None;
        }
        let made = Obj::made((lib().Tcl_NewBignumObj)(&mut big));
        Some(made)
    }
}

/// Conversions that leave their message in the interpreter: `None` means that it has one.
impl Interp {
    /// The value as an integer that is written with decimal digits.
    pub fn integer(&self, obj: &Obj) -> Option<Obj> {
        integer(self.raw(), obj)
    }
    pub fn boolean(&self, obj: &Obj) -> Option<bool> {
        let mut b = 0;
        // SAFETY: a live value and interpreter of this thread.
        let done = unsafe { (lib().Tcl_GetBooleanFromObj)(self.raw(), obj.raw(), &mut b) };
        (done == TCL_OK).then_some(b != 0)
    }
    pub fn double(&self, obj: &Obj) -> Option<f64> {
        let mut x = 0.0;
        // SAFETY: as above.
        let done = unsafe { (lib().Tcl_GetDoubleFromObj)(self.raw(), obj.raw(), &mut x) };
        (done == TCL_OK).then_some(x)
    }
    pub fn double_of_text(&self, text: &CStr) -> Option<f64> {
        let mut x = 0.0;
        // SAFETY: a C string and a live interpreter.
        let done = unsafe { (lib().Tcl_GetDouble)(self.raw(), text.as_ptr(), &mut x) };
        (done == TCL_OK).then_some(x)
    }
    pub fn boolean_of_text(&self, text: &CStr) -> Option<bool> {
        let mut b = 0;
        // SAFETY: as above.
        let done = unsafe { (lib().Tcl_GetBoolean)(self.raw(), text.as_ptr(), &mut b) };
        (done == TCL_OK).then_some(b != 0)
    }
    pub fn items(&self, obj: &Obj) -> Option<Vec<Obj>> {
        let (mut n, mut items) = (0, null_mut());
        // SAFETY: a live value and interpreter; the items are counted before anything else happens to the list.
        unsafe {
            if (lib().Tcl_ListObjGetElements)(self.raw(), obj.raw(), &mut n, &mut items) != TCL_OK {
                return None;
            }
            (0..usize::try_from(n).unwrap_or(0)).map(|i| Obj::from_raw(*items.add(i))).collect()
        }
    }
    /// The words of a list that is a text.
    pub fn split(&self, text: &CStr) -> Option<Vec<CString>> {
        let (mut n, mut words) = (0, null_mut());
        // SAFETY: a C string; the words are C strings in one block, which is freed after they were copied.
        unsafe {
            if (lib().Tcl_SplitList)(self.raw(), text.as_ptr(), &mut n, &mut words) != TCL_OK {
                return None;
            }
            let out = (0..usize::try_from(n).unwrap_or(0)).map(|i| CStr::from_ptr(*words.add(i)).to_owned()).collect();
            (lib().Tcl_Free)(words.cast());
            Some(out)
        }
    }
}

/// A C string or null.
pub(super) fn pointer(text: Option<&CStr>) -> *const std::ffi::c_char {
    text.map_or(null(), CStr::as_ptr)
}
