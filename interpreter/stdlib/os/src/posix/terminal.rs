//! Terminals and pseudo-terminals.
use krait_object::native::function;
use krait_object::{Method, Tuple, Value};
use krait_platform::fd;
use krait_runtime::convert::fs_decode;
use krait_runtime::protocol::number;
use krait_runtime::types::structseq::StructSeqDef;

use crate::arguments::{int_or, sys};
use crate::structs;

pub(super) static TERMINAL_SIZE: StructSeqDef = StructSeqDef {
    module: "os",
    name: "terminal_size",
    doc: "A terminal's width and height in characters.",
    fields: &[
        ("columns", "width of the terminal window in characters"),
        ("lines", "height of the terminal window in characters"),
    ],
    visible: 2,
    instantiable: true,
};
pub(super) static FUNCTIONS: &[Method] = &[
    function(
        "get_terminal_size",
        "(fd=<unrepresentable>, /)",
        "Columns and lines of the terminal, by default of standard output.",
        |th, a| {
            let f = int_or(th, a.opt(0), 1)?;
            let (columns, lines) = sys(th, fd::terminal_size(f))?;
            Ok(structs::build(th, &TERMINAL_SIZE, vec![columns.into(), lines.into()]))
        },
    ),
    function("ttyname", "(fd, /)", "The path of the terminal that a descriptor refers to.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        let name = sys(th, fd::ttyname(f))?;
        Ok(fs_decode(&name).into())
    }),
    function("openpty", "()", "Make a pseudo-terminal: the descriptors (master, slave).", |th, _| {
        let (master, slave) = sys(th, fd::openpty())?;
        sys(th, fd::set_inheritable(master, false))?;
        sys(th, fd::set_inheritable(slave, false))?;
        Ok(Tuple::from_vec(vec![master.into(), slave.into()]).into())
    }),
    function("posix_openpt", "(oflag, /)", "Open a pseudo-terminal master.", |th, a| {
        let flags = number::to_i32(th, &a[0])?;
        let f = sys(th, fd::posix_openpt(flags))?;
        Ok(f.into())
    }),
    function("grantpt", "(fd, /)", "Grant access to the slave of a pseudo-terminal.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        sys(th, fd::grantpt(f))?;
        Ok(Value::NONE)
    }),
    function("unlockpt", "(fd, /)", "Unlock the slave of a pseudo-terminal.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        sys(th, fd::unlockpt(f))?;
        Ok(Value::NONE)
    }),
    function("ptsname", "(fd, /)", "The path of the slave of a pseudo-terminal.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        let name = sys(th, fd::ptsname(f))?;
        Ok(fs_decode(&name).into())
    }),
    function(
        "login_tty",
        "(fd, /)",
        "Make the terminal the one of a new session, and all standard streams.",
        |th, a| {
            let f = number::to_i32(th, &a[0])?;
            sys(th, fd::login_tty(f))?;
            Ok(Value::NONE)
        },
    ),
    function("tcgetpgrp", "(fd, /)", "The process group in the foreground of a terminal.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        let group = sys(th, fd::tcgetpgrp(f))?;
        Ok(group.into())
    }),
    function("tcsetpgrp", "(fd, pgid, /)", "Set the process group in the foreground of a terminal.", |th, a| {
        let (f, group) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
        sys(th, fd::tcsetpgrp(f, group))?;
        Ok(Value::NONE)
    }),
];
