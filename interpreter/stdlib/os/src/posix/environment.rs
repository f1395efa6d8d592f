//! The environment of programs started later, file mode mask, error texts, random bytes.
use krait_object::native::function;
use krait_object::{Bytes, Method, Str, Value};
use krait_platform::{errno, path, process};
use krait_runtime::audit::audit;
use krait_runtime::convert::fs_decode;
use krait_runtime::errors::value_error;
use krait_runtime::protocol::number;
use krait_runtime::world::retry;

use super::io::zeroed;
use crate::arguments::{fs_string, int_or, sys};

pub(super) static FUNCTIONS: &[Method] = &[
    function("putenv", "(name, value, /)", "Set a variable of the environment.", |th, a| {
        let (name, value) = (fs_string(th, &a[0])?, fs_string(th, &a[1])?);
        if name.as_bytes().contains(&b'=') {
            return Err(value_error(th, "illegal environment variable name"));
        }
        audit(th, "os.putenv", &[Bytes::new(name.as_bytes()).into(), Bytes::new(value.as_bytes()).into()])?;
        sys(th, path::setenv(&name, &value))?;
        Ok(Value::NONE)
    }),
    function("unsetenv", "(name, /)", "Remove a variable of the environment.", |th, a| {
        let name = fs_string(th, &a[0])?;
        audit(th, "os.unsetenv", &[Bytes::new(name.as_bytes()).into()])?;
        sys(th, path::unsetenv(&name))?;
        Ok(Value::NONE)
    }),
    function("umask", "(mask, /)", "Set the file mode mask; the one before.", |th, a| {
        let mask = number::to_i32(th, &a[0])?;
        Ok(process::umask(mask as u32).into())
    }),
    function("strerror", "(code, /)", "The text of an error number.", |th, a| {
        let code = number::to_i32(th, &a[0])?;
        Ok(errno::message(code).into())
    }),
    function("urandom", "(size, /)", "Random bytes that are fit for cryptography.", |th, a| {
        let n = number::index_isize(th, &a[0])?;
        if n < 0 {
            return Err(value_error(th, "negative argument not allowed"));
        }
        let mut out = zeroed(th, n as usize)?;
        let mut filled = 0;
        while filled < out.len() {
            let got = retry(th, || process::getrandom(&mut out[filled..], 0))?;
            filled += sys(th, got)?;
        }
        Ok(Bytes::new(&out).into())
    }),
    function("getrandom", "(size, flags=0)", "At most that many random bytes from the kernel.", |th, a| {
        let n = number::index_isize(th, &a[0])?;
        let flags = int_or(th, a.opt(1), 0)?;
        if n < 0 {
            return Err(krait_runtime::errors::os_error(th, errno::EINVAL, None));
        }
        let mut out = zeroed(th, n as usize)?;
        let got = retry(th, || process::getrandom(&mut out, flags as u32))?;
        let got = sys(th, got)?;
        Ok(Bytes::new(&out[..got]).into())
    }),
    function("getlogin", "()", "The name of the user logged in on the terminal.", |th, _| {
        let name = sys(th, process::getlogin())?;
        Ok(fs_decode(&name).into())
    }),
    function("ctermid", "()", "The path of the terminal.", |_, _| Ok(Str::new("/dev/tty").into())),
    function("_inputhook", "()", "Calls the input hook: there is none.", |_, _| Ok(Value::int(0))),
    function("_is_inputhook_installed", "()", "Whether there is an input hook.", |_, _| Ok(Value::FALSE)),
];
