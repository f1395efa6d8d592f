//! `_stat`: file modes taken apart.
use krait_object::native::function;
use krait_object::{Args, Method, ModuleDef, PyResult, Thread, Value};
use krait_runtime::errors::overflow_error;
use krait_runtime::protocol::number;

use crate::constants;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Bits of file modes, and functions that take modes apart.",
    functions: FUNCTIONS,
    init: Some(|_, m| {
        constants::add(m, constants::stat::TABLE);
        Ok(())
    }),
    ..ModuleDef::new("_stat")
};
const FORMAT: u32 = 0o170000;

fn mode(th: &mut Thread, a: &Args<'_>) -> PyResult<u32> {
    let n = number::to_bigint(th, &a[0])?;
    match u64::try_from(&n) {
        Ok(n) => u32::try_from(n).map_err(|_| overflow_error(th, "mode out of range")),
        Err(_) if n.sign() == num_bigint::Sign::Minus => {
            Err(overflow_error(th, "can't convert negative value to unsigned int"))
        }
        Err(_) => Err(overflow_error(th, "Python int too large to convert to C unsigned long")),
    }
}
macro_rules! kinds {
    ($($name:literal $doc:literal $bits:literal;)*) => { &[
        $(function($name, "(object, /)", $doc, |th, a| Ok(Value::bool($bits != 0 && mode(th, a)? & FORMAT == $bits))),)*
        function("S_IMODE", "(object, /)", "The permission bits of the mode.", |th, a| Ok(Value::from(mode(th, a)? & 0o7777))),
        function("S_IFMT", "(object, /)", "The file type bits of the mode.", |th, a| Ok(Value::from(mode(th, a)? & FORMAT))),
        function("filemode", "(object, /)", "The mode in the style of ls: '-rwxr-xr-x'.", |th, a| Ok(Value::from(show(mode(th, a)?)))),
    ] };
}
static FUNCTIONS: &[Method] = kinds! {
    "S_ISDIR" "Whether the mode is a folder's." 0o040000;
    "S_ISCHR" "Whether the mode is a character device's." 0o020000;
    "S_ISBLK" "Whether the mode is a block device's." 0o060000;
    "S_ISREG" "Whether the mode is a regular file's." 0o100000;
    "S_ISFIFO" "Whether the mode is a named pipe's." 0o010000;
    "S_ISLNK" "Whether the mode is a symbolic link's." 0o120000;
    "S_ISSOCK" "Whether the mode is a socket's." 0o140000;
    "S_ISDOOR" "Whether the mode is a door's: never here." 0;
    "S_ISPORT" "Whether the mode is an event port's: never here." 0;
    "S_ISWHT" "Whether the mode is a whiteout's: never here." 0;
};

fn show(mode: u32) -> String {
    let kind = match mode & FORMAT {
        0o100000 => '-',
        0o040000 => 'd',
        0o120000 => 'l',
        0o060000 => 'b',
        0o020000 => 'c',
        0o010000 => 'p',
        0o140000 => 's',
        _ => '?',
    };
    let mut out = String::from(kind);
    for (shift, special, set, unset) in [(6, 0o4000, 's', 'S'), (3, 0o2000, 's', 'S'), (0, 0o1000, 't', 'T')] {
        let bits = mode >> shift & 7;
        out.push(if bits & 4 != 0 { 'r' } else { '-' });
        out.push(if bits & 2 != 0 { 'w' } else { '-' });
        out.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => set,
            (true, false) => unset,
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    out
}
