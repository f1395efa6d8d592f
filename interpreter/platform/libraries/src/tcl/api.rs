//! The functions of Tcl 8.6 and Tk 8.6 that are used, found in the system's libraries when they are first asked for.
use std::ffi::{c_char, c_double, c_int, c_long, c_uchar};
use std::sync::OnceLock;

use crate::dynamic::{Seen, api, open};

pub use crate::dynamic::P;

pub type CommandProc = unsafe extern "C" fn(P, P, c_int, *const *mut RawObj) -> c_int;
pub type DataProc = unsafe extern "C" fn(P);
pub type FileProc = unsafe extern "C" fn(P, c_int);
pub type EventProc = unsafe extern "C" fn(*mut Event, c_int) -> c_int;

/// `Tcl_Obj`
#[repr(C)]
pub struct RawObj {
    pub count: c_int,
    pub bytes: *mut c_char,
    pub length: c_int,
    pub class: *const ObjType,
    /// The largest member is two pointers; the first word may be a double.
    pub representation: [u64; 2],
}
/// The part of `Tcl_ObjType` that is looked at.
#[repr(C)]
pub struct ObjType {
    pub name: *const c_char,
}
/// The header of `Tcl_Event`; what follows is its maker's.
#[repr(C)]
pub struct Event {
    pub proc: Option<EventProc>,
    pub next: *mut Event,
}
/// Room for a `mp_int`, whose parts are not looked at.
pub type Big = [u64; 8];

pub const TCL_OK: c_int = 0;
pub const TCL_ERROR: c_int = 1;
pub const TCL_GLOBAL_ONLY: c_int = 1;
pub const TCL_LEAVE_ERR_MSG: c_int = 0x200;
pub const TCL_NO_EVAL: c_int = 0x10000;
pub const TCL_EVAL_GLOBAL: c_int = 0x20000;
pub const TCL_EVAL_DIRECT: c_int = 0x40000;
pub const TCL_QUEUE_TAIL: c_int = 0;

api! {
    struct Tcl {
        fn Tcl_FindExecutable(*const c_char);
        fn Tcl_CreateInterp() -> P;
        fn Tcl_DeleteInterp(P);
        fn Tcl_Init(P) -> c_int;
        fn Tcl_Preserve(P);
        fn Tcl_Release(P);
        fn Tcl_Alloc(u32) -> P;
        fn Tcl_Free(P);
        fn Tcl_GetCurrentThread() -> P;
        fn Tcl_ThreadQueueEvent(P, *mut Event, c_int);
        fn Tcl_ThreadAlert(P);
        fn Tcl_DoOneEvent(c_int) -> c_int;
        fn Tcl_CreateTimerHandler(c_int, DataProc, P) -> P;
        fn Tcl_DeleteTimerHandler(P);
        fn Tcl_CreateFileHandler(c_int, c_int, FileProc, P);
        fn Tcl_DeleteFileHandler(c_int);
        fn Tcl_Eval(P, *const c_char) -> c_int;
        fn Tcl_EvalFile(P, *const c_char) -> c_int;
        fn Tcl_EvalObjv(P, c_int, *const *mut RawObj, c_int) -> c_int;
        fn Tcl_RecordAndEval(P, *const c_char, c_int) -> c_int;
        fn Tcl_AddErrorInfo(P, *const c_char);
        fn Tcl_ExprString(P, *const c_char) -> c_int;
        fn Tcl_ExprLong(P, *const c_char, *mut c_long) -> c_int;
        fn Tcl_ExprDouble(P, *const c_char, *mut c_double) -> c_int;
        fn Tcl_ExprBoolean(P, *const c_char, *mut c_int) -> c_int;
        fn Tcl_GetObjResult(P) -> *mut RawObj;
        fn Tcl_SetObjResult(P, *mut RawObj);
        fn Tcl_ResetResult(P);
        fn Tcl_SetVar2(P, *const c_char, *const c_char, *const c_char, c_int) -> *const c_char;
        fn Tcl_SetVar2Ex(P, *const c_char, *const c_char, *mut RawObj, c_int) -> *mut RawObj;
        fn Tcl_GetVar2Ex(P, *const c_char, *const c_char, c_int) -> *mut RawObj;
        fn Tcl_UnsetVar2(P, *const c_char, *const c_char, c_int) -> c_int;
        fn Tcl_CreateObjCommand(P, *const c_char, CommandProc, P, Option<DataProc>) -> P;
        fn Tcl_DeleteCommand(P, *const c_char) -> c_int;
        fn Tcl_SplitList(P, *const c_char, *mut c_int, *mut *mut *const c_char) -> c_int;
        fn Tcl_GetDouble(P, *const c_char, *mut c_double) -> c_int;
        fn Tcl_GetBoolean(P, *const c_char, *mut c_int) -> c_int;
        fn Tcl_GetObjType(*const c_char) -> *const ObjType;
        fn Tcl_NewStringObj(*const c_char, c_int) -> *mut RawObj;
        fn Tcl_NewByteArrayObj(*const c_uchar, c_int) -> *mut RawObj;
        fn Tcl_NewBooleanObj(c_int) -> *mut RawObj;
        fn Tcl_NewLongObj(c_long) -> *mut RawObj;
        fn Tcl_NewDoubleObj(c_double) -> *mut RawObj;
        fn Tcl_NewBignumObj(*mut Big) -> *mut RawObj;
        fn Tcl_NewListObj(c_int, *const *mut RawObj) -> *mut RawObj;
        fn Tcl_GetStringFromObj(*mut RawObj, *mut c_int) -> *const c_char;
        fn Tcl_GetByteArrayFromObj(*mut RawObj, *mut c_int) -> *const c_uchar;
        fn Tcl_GetBooleanFromObj(P, *mut RawObj, *mut c_int) -> c_int;
        fn Tcl_GetDoubleFromObj(P, *mut RawObj, *mut c_double) -> c_int;
        fn Tcl_GetWideIntFromObj(P, *mut RawObj, *mut i64) -> c_int;
        fn Tcl_GetBignumFromObj(P, *mut RawObj, *mut Big) -> c_int;
        fn Tcl_ListObjGetElements(P, *mut RawObj, *mut c_int, *mut *mut *mut RawObj) -> c_int;
        fn TclFreeObj(*mut RawObj);
    }
    struct Tk {
        fn Tk_Init(P) -> c_int;
        fn Tk_GetNumMainWindows() -> c_int;
    }
}

pub struct Api {
    pub tcl: Tcl,
    pub tk: Tk,
    /// The type "double", whose representation is the number.
    pub double: *const ObjType,
}
// SAFETY: functions, and the address of a static of the library.
unsafe impl Send for Api {}
// SAFETY: as above.
unsafe impl Sync for Api {}

/// The libraries; `None` where the system has no Tcl 8.6 and Tk 8.6.
pub fn api() -> Option<&'static Api> {
    static API: OnceLock<Option<Api>> = OnceLock::new();
    API.get_or_init(|| {
        let tcl = open(&[c"libtcl8.6.so", c"libtcl8.6.so.0"], Seen::ByAll)?;
        let tk = open(&[c"libtk8.6.so", c"libtk8.6.so.0"], Seen::ByAll)?;
        // SAFETY: the names say that they are these libraries in version 8.6, whose interface is stable.
        let (tcl, tk) = unsafe { (Tcl::load(tcl)?, Tk::load(tk)?) };
        // SAFETY: the first call of all, as the library demands; it makes the types known.
        let double = unsafe {
            (tcl.Tcl_FindExecutable)(std::ptr::null());
            (tcl.Tcl_GetObjType)(c"double".as_ptr())
        };
        Some(Api { tcl, tk, double })
    })
    .as_ref()
}
/// The libraries, where a module that needs them was loaded.
pub fn lib() -> &'static Tcl {
    &both().tcl
}
pub fn both() -> &'static Api {
    api().expect("nothing is made of a library that is not there")
}
