//! `_posixshmem`: shared memory by name.
use krait_object::native::function;
use krait_object::{Method, ModuleDef, Value};
use krait_platform::path as platform;
use krait_runtime::errors::os_error;
use krait_runtime::protocol::number;
use krait_runtime::world::retry;

use crate::arguments::{c_text, int_or};

pub static MODULE: ModuleDef =
    ModuleDef { doc: "Shared memory by name.", functions: FUNCTIONS, ..ModuleDef::new("_posixshmem") };
const O_CLOEXEC: i32 = 0o2000000;

static FUNCTIONS: &[Method] = &[
    function("shm_open", "(path, flags, mode=511)", "Open shared memory; its descriptor.", |th, a| {
        let name = c_text(th, &a[0], "shm_open", "argument 'path'")?;
        let flags = number::to_i32(th, &a[1])?;
        let mode = int_or(th, a.opt(2), 0o777)?;
        match retry(th, || platform::shm_open(&name, flags | O_CLOEXEC, mode as u32))? {
            Ok(fd) => Ok(fd.into()),
            Err(e) => Err(os_error(th, e, Some(&a[0]))),
        }
    }),
    function("shm_unlink", "(path)", "Remove shared memory.", |th, a| {
        let name = c_text(th, &a[0], "shm_unlink", "argument 'path'")?;
        match retry(th, || platform::shm_unlink(&name))? {
            Ok(_) => Ok(Value::NONE),
            Err(e) => Err(os_error(th, e, Some(&a[0]))),
        }
    }),
];
