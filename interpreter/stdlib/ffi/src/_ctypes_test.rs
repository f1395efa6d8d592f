//! `_ctypes_test`: where the shared library is that the tests of `ctypes` load, built from `interpreter/stdlib/ffi/ctypes-test` and put
//! beside the executable. The module is there where the library is.
use std::os::unix::ffi::OsStrExt;

use krait_object::{ModuleDef, PyResult, Thread, Value};
use krait_runtime::convert::fs_decode;
use krait_runtime::errors::import_error;
use krait_runtime::types::module;

pub static MODULE: ModuleDef = ModuleDef { init: Some(init), ..ModuleDef::new("_ctypes_test") };

const LIBRARY: &str = "lib_ctypes_test.so";

fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    let path = std::env::current_exe().map(|exe| exe.with_file_name(LIBRARY)).unwrap_or_default();
    if !path.is_file() {
        return Err(import_error(th, format!("no {LIBRARY} beside the executable")));
    }
    module::dict(m).set_text("__file__", fs_decode(path.as_os_str().as_bytes()));
    Ok(())
}
