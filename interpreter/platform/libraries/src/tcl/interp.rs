//! Interpreters: scripts, variables, commands.
use std::ffi::{CStr, c_int};
use std::ops::Deref;
use std::ptr::{NonNull, null};
use std::rc::Rc;

use super::api::{
    P, RawObj, TCL_ERROR, TCL_EVAL_DIRECT, TCL_EVAL_GLOBAL, TCL_GLOBAL_ONLY, TCL_LEAVE_ERR_MSG, TCL_NO_EVAL, TCL_OK,
    both, lib,
};
use super::object::{Obj, pointer};

/// An interpreter, on the thread that made it.
#[derive(Debug)]
pub struct Interp(NonNull<std::ffi::c_void>);

/// The owner of an interpreter, which ends with it.
#[derive(Debug)]
pub struct Owned(Interp);
impl Deref for Owned {
    type Target = Interp;
    fn deref(&self) -> &Interp {
        &self.0
    }
}
impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: made by `Owned::new` on this thread and not deleted since.
        unsafe { (lib().Tcl_DeleteInterp)(self.0.raw()) }
    }
}
impl Owned {
    /// A bare interpreter.
    pub fn new() -> Option<Owned> {
        // SAFETY: the libraries are loaded and initialized.
        NonNull::new(unsafe { (lib().Tcl_CreateInterp)() }).map(|raw| Owned(Interp(raw)))
    }
}

/// What a script calls: the arguments to a result; `None` is an error.
pub type Command = dyn Fn(&Interp, &[Obj]) -> Option<Obj>;

/// Whether a name is one of all scripts or of the procedure that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Current,
    Global,
}
impl Scope {
    fn flags(self) -> c_int {
        TCL_LEAVE_ERR_MSG | if self == Scope::Global { TCL_GLOBAL_ONLY } else { 0 }
    }
}

unsafe extern "C" fn command(data: P, interp: P, n: c_int, values: *const *mut RawObj) -> c_int {
    let Some(interp) = NonNull::new(interp) else { return TCL_ERROR };
    let interp = Interp(interp);
    let data = data.cast::<Rc<Command>>();
    // SAFETY: the data is what `create_command` gave; the command may be deleted while it runs, so the closure is counted.
    let run = unsafe { (*data).clone() };
    // SAFETY: as many live values of this thread, the name first.
    let args: Option<Vec<Obj>> =
        unsafe { (1..usize::try_from(n).unwrap_or(0)).map(|i| Obj::from_raw(*values.add(i))).collect() };
    match args.and_then(|args| run(&interp, &args)) {
        Some(result) => {
            // SAFETY: a live interpreter and value.
            unsafe { (lib().Tcl_SetObjResult)(interp.raw(), result.raw()) };
            TCL_OK
        }
        None => TCL_ERROR,
    }
}
unsafe extern "C" fn command_deleted(data: P) {
    // SAFETY: made by `create_command`; the library calls this once.
    drop(unsafe { Box::from_raw(data.cast::<Rc<Command>>()) });
}

impl Interp {
    pub(super) fn raw(&self) -> P {
        self.0.as_ptr()
    }
    pub fn address(&self) -> usize {
        self.raw() as usize
    }
    /// Runs something during which the interpreter is not freed.
    fn run(&self, f: impl FnOnce() -> c_int) -> bool {
        super::sweep();
        // SAFETY: a live interpreter; preserved and released in pairs.
        unsafe { (lib().Tcl_Preserve)(self.raw()) };
        let code = f();
        // SAFETY: as above.
        unsafe { (lib().Tcl_Release)(self.raw()) };
        code != TCL_ERROR
    }
    /// Makes Tcl's own commands and variables.
    pub fn init(&self) -> bool {
        // SAFETY: a live interpreter.
        self.run(|| unsafe { (lib().Tcl_Init)(self.raw()) })
    }
    /// Makes Tk's, with a main window.
    pub fn init_tk(&self) -> bool {
        // SAFETY: a live interpreter.
        self.run(|| unsafe { (both().tk.Tk_Init)(self.raw()) })
    }
    /// What the last call answered or why it failed.
    pub fn result(&self) -> Obj {
        // SAFETY: a live interpreter always has a result.
        unsafe { Obj::from_raw((lib().Tcl_GetObjResult)(self.raw())) }.expect("an interpreter has a result")
    }
    pub fn reset_result(&self) {
        // SAFETY: a live interpreter.
        unsafe { (lib().Tcl_ResetResult)(self.raw()) }
    }
    pub fn eval(&self, script: &CStr) -> bool {
        // SAFETY: a live interpreter and a C string.
        self.run(|| unsafe { (lib().Tcl_Eval)(self.raw(), script.as_ptr()) })
    }
    pub fn eval_file(&self, path: &CStr) -> bool {
        // SAFETY: as above.
        self.run(|| unsafe { (lib().Tcl_EvalFile)(self.raw(), path.as_ptr()) })
    }
    /// Adds a script to the history and does not run it.
    pub fn record(&self, script: &CStr) -> bool {
        // SAFETY: as above.
        self.run(|| unsafe { (lib().Tcl_RecordAndEval)(self.raw(), script.as_ptr(), TCL_NO_EVAL) })
    }
    /// Runs one command, given by its words, at the outermost level.
    pub fn call(&self, words: &[Obj]) -> bool {
        let raw: Vec<*mut RawObj> = words.iter().map(Obj::raw).collect();
        let n = c_int::try_from(raw.len()).unwrap_or(c_int::MAX);
        // SAFETY: a live interpreter and as many live values, counted by `words` during the call.
        self.run(|| unsafe { (lib().Tcl_EvalObjv)(self.raw(), n, raw.as_ptr(), TCL_EVAL_DIRECT | TCL_EVAL_GLOBAL) })
    }
    pub fn add_error_info(&self, text: &CStr) {
        // SAFETY: a live interpreter and a C string.
        unsafe { (lib().Tcl_AddErrorInfo)(self.raw(), text.as_ptr()) }
    }
    /// Evaluates an expression; the result is a text.
    pub fn expr_string(&self, text: &CStr) -> bool {
        // SAFETY: as above.
        self.run(|| unsafe { (lib().Tcl_ExprString)(self.raw(), text.as_ptr()) })
    }
    pub fn expr_long(&self, text: &CStr) -> Option<i64> {
        let mut n = 0;
        // SAFETY: as above.
        self.run(|| unsafe { (lib().Tcl_ExprLong)(self.raw(), text.as_ptr(), &mut n) }).then_some(n)
    }
    pub fn expr_double(&self, text: &CStr) -> Option<f64> {
        let mut x = 0.0;
        // SAFETY: as above.
        self.run(|| unsafe { (lib().Tcl_ExprDouble)(self.raw(), text.as_ptr(), &mut x) }).then_some(x)
    }
    pub fn expr_boolean(&self, text: &CStr) -> Option<bool> {
        let mut b = 0;
        // SAFETY: as above.
        self.run(|| unsafe { (lib().Tcl_ExprBoolean)(self.raw(), text.as_ptr(), &mut b) }).then_some(b != 0)
    }
    /// Sets a global variable, or an element of a global array, to a text.
    pub fn set_text(&self, name: &CStr, element: Option<&CStr>, value: &CStr) {
        // SAFETY: a live interpreter and C strings.
        unsafe { (lib().Tcl_SetVar2)(self.raw(), name.as_ptr(), pointer(element), value.as_ptr(), TCL_GLOBAL_ONLY) };
    }
    pub fn set_var(&self, name: &CStr, element: Option<&CStr>, value: &Obj, scope: Scope) -> bool {
        self.run(|| {
            // SAFETY: a live interpreter, C strings and a live value.
            let set = unsafe {
                (lib().Tcl_SetVar2Ex)(self.raw(), name.as_ptr(), pointer(element), value.raw(), scope.flags())
            };
            if set.is_null() { TCL_ERROR } else { TCL_OK }
        })
    }
    pub fn var(&self, name: &CStr, element: Option<&CStr>, scope: Scope) -> Option<Obj> {
        let mut found = None;
        self.run(|| {
            // SAFETY: a live interpreter and C strings; the answer is null or a live value.
            found = unsafe {
                Obj::from_raw((lib().Tcl_GetVar2Ex)(self.raw(), name.as_ptr(), pointer(element), scope.flags()))
            };
            TCL_OK
        });
        found
    }
    pub fn unset_var(&self, name: &CStr, element: Option<&CStr>, scope: Scope) -> bool {
        // SAFETY: a live interpreter and C strings.
        self.run(|| unsafe { (lib().Tcl_UnsetVar2)(self.raw(), name.as_ptr(), pointer(element), scope.flags()) })
    }
    /// Whether the command could be made; it is dropped when it is deleted or made anew.
    pub fn create_command(&self, name: &CStr, run: Rc<Command>) -> bool {
        let data = Box::into_raw(Box::new(run));
        let mut token = null::<std::ffi::c_void>();
        self.run(|| {
            // SAFETY: a live interpreter and a C string; the data is what the procedures take it for.
            token = unsafe {
                (lib().Tcl_CreateObjCommand)(self.raw(), name.as_ptr(), command, data.cast(), Some(command_deleted))
            };
            TCL_OK
        });
        if token.is_null() {
            // SAFETY: the library did not take the box.
            drop(unsafe { Box::from_raw(data) });
        }
        !token.is_null()
    }
    /// Whether there was such a command.
    pub fn delete_command(&self, name: &CStr) -> bool {
        let mut gone = false;
        self.run(|| {
            // SAFETY: a live interpreter and a C string.
            gone = unsafe { (lib().Tcl_DeleteCommand)(self.raw(), name.as_ptr()) } == 0;
            TCL_OK
        });
        gone
    }
}
