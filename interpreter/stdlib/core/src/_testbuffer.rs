//! `_testbuffer`: an exporter of every shape that the buffer protocol (PEP 3118) allows, and functions that look at
//! exports as a consumer sees them. The arrays are in `ndarray`, what they show of their memory in `layout`, items in
//! `items`, the functions in `inspect`. CPython counterpart: `Modules/_testbuffer.c`.
mod access;
mod construct;
mod inspect;
mod items;
mod layout;
mod ndarray;
mod static_array;

use krait_object::ModuleDef;
use krait_object::buffer::flags as request;
use krait_runtime::types::module;

pub static MODULE: ModuleDef = ModuleDef {
    functions: inspect::FUNCTIONS,
    classes: &[&ndarray::DEF, &static_array::DEF],
    init: Some(|_, m| {
        let d = module::dict(m);
        for &(name, value) in CONSTANTS {
            d.set_text(name, i64::from(value));
        }
        Ok(())
    }),
    ..ModuleDef::new("_testbuffer")
};

/// What an array is told at its making and what `flags` shows, with CPython's values.
mod nd {
    pub const VAREXPORT: i32 = 0x001;
    pub const WRITABLE: i32 = 0x002;
    pub const FORTRAN: i32 = 0x004;
    pub const SCALAR: i32 = 0x008;
    pub const PIL: i32 = 0x010;
    pub const REDIRECT: i32 = 0x020;
    pub const GETBUF_FAIL: i32 = 0x040;
    pub const GETBUF_UNDEFINED: i32 = 0x080;
    /// Contiguous in C order; not for callers.
    pub const C: i32 = 0x100;
    pub const MAX_NDIM: usize = 128;
}
/// The argument of `get_contiguous`.
const READ: u32 = 0x100;
const WRITE: u32 = 0x200;

static CONSTANTS: &[(&str, u32)] = &[
    ("ND_MAX_NDIM", nd::MAX_NDIM as u32),
    ("ND_VAREXPORT", nd::VAREXPORT as u32),
    ("ND_WRITABLE", nd::WRITABLE as u32),
    ("ND_FORTRAN", nd::FORTRAN as u32),
    ("ND_SCALAR", nd::SCALAR as u32),
    ("ND_PIL", nd::PIL as u32),
    ("ND_GETBUF_FAIL", nd::GETBUF_FAIL as u32),
    ("ND_GETBUF_UNDEFINED", nd::GETBUF_UNDEFINED as u32),
    ("ND_REDIRECT", nd::REDIRECT as u32),
    ("PyBUF_SIMPLE", request::SIMPLE),
    ("PyBUF_WRITABLE", request::WRITABLE),
    ("PyBUF_FORMAT", request::FORMAT),
    ("PyBUF_ND", request::ND),
    ("PyBUF_STRIDES", request::STRIDES),
    ("PyBUF_INDIRECT", request::INDIRECT),
    ("PyBUF_C_CONTIGUOUS", request::C_CONTIGUOUS),
    ("PyBUF_F_CONTIGUOUS", request::F_CONTIGUOUS),
    ("PyBUF_ANY_CONTIGUOUS", request::ANY_CONTIGUOUS),
    ("PyBUF_FULL", request::FULL),
    ("PyBUF_FULL_RO", request::FULL_RO),
    ("PyBUF_RECORDS", request::STRIDES | request::WRITABLE | request::FORMAT),
    ("PyBUF_RECORDS_RO", request::STRIDES | request::FORMAT),
    ("PyBUF_STRIDED", request::STRIDES | request::WRITABLE),
    ("PyBUF_STRIDED_RO", request::STRIDES),
    ("PyBUF_CONTIG", request::ND | request::WRITABLE),
    ("PyBUF_CONTIG_RO", request::ND),
    ("PyBUF_READ", READ),
    ("PyBUF_WRITE", WRITE),
];
