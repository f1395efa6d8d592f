//! `_lzma`: compressor and decompressor of the formats .xz and .lzma and of raw streams. CPython: `Modules/_lzmamodule.c`.
mod compressor;
mod decompressor;
mod filters;

use krait_libraries::lzma as l;
use krait_object::native::function;
use krait_object::{Args, Bytes, ClassDef, Method, ModuleDef, PyResult, Raised, Thread, TypeObject, Value, type_flag};
use krait_runtime::errors::{memory_error, overflow_error, raise, take};
use krait_runtime::exceptions::EXCEPTION;
use krait_runtime::protocol::buffer::bytes_like;
use krait_runtime::protocol::number;
use krait_runtime::types::module;

pub static MODULE: ModuleDef = ModuleDef {
    functions: FUNCTIONS,
    classes: &[&compressor::DEF, &decompressor::DEF, &ERROR_DEF],
    init: Some(init),
    ..ModuleDef::new("_lzma")
};
static ERROR: TypeObject = TypeObject::builtin_like("LZMAError", &EXCEPTION);
static ERROR_DEF: ClassDef =
    ClassDef { module: "_lzma", doc: "Call to liblzma failed.", flags: type_flag::BASE, ..ClassDef::new(&ERROR) };

const FORMAT_AUTO: i32 = 0;
const FORMAT_XZ: i32 = 1;
const FORMAT_ALONE: i32 = 2;
const FORMAT_RAW: i32 = 3;
const CHECK_UNKNOWN: u32 = 16;

static FUNCTIONS: &[Method] = &[
    function("is_check_supported", "(check_id, /)", "Whether this integrity check is available.", |th, a| {
        let id = number::to_i32(th, &a[0])?;
        Ok(Value::bool(u32::try_from(id).is_ok_and(l::is_check_supported)))
    }),
    function(
        "_encode_filter_properties",
        "(filter, /)",
        "The options of a filter as bytes, without its ID.",
        |th, a| {
            let filter = filters::parse(th, &a[0])?;
            match l::encode_properties(&filter) {
                Ok(bytes) => Ok(Bytes::new(&bytes).into()),
                Err(code) => Err(error(th, code)),
            }
        },
    ),
    function(
        "_decode_filter_properties",
        "(filter_id, encoded_props, /)",
        "The filter specifier, a dict, that these bytes describe.",
        decode,
    ),
];
fn decode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let id = number::to_u64(th, &a[0])?;
    let properties = bytes_like(th, &a[1])?;
    match l::decode_properties(id, &properties) {
        Ok(filter) => filters::show(th, &filter),
        Err(code) => Err(error(th, code)),
    }
}

fn init(_: &mut Thread, m: &Value) -> PyResult<()> {
    let d = module::dict(m);
    let numbers: &[(&str, u64)] = &[
        ("FORMAT_AUTO", FORMAT_AUTO as u64),
        ("FORMAT_XZ", FORMAT_XZ as u64),
        ("FORMAT_ALONE", FORMAT_ALONE as u64),
        ("FORMAT_RAW", FORMAT_RAW as u64),
        ("CHECK_NONE", l::LZMA_CHECK_NONE.into()),
        ("CHECK_CRC32", l::LZMA_CHECK_CRC32.into()),
        ("CHECK_CRC64", l::LZMA_CHECK_CRC64.into()),
        ("CHECK_SHA256", l::LZMA_CHECK_SHA256.into()),
        ("CHECK_ID_MAX", 15),
        ("CHECK_UNKNOWN", CHECK_UNKNOWN.into()),
        ("FILTER_LZMA1", l::LZMA_FILTER_LZMA1),
        ("FILTER_LZMA2", l::LZMA_FILTER_LZMA2),
        ("FILTER_DELTA", l::LZMA_FILTER_DELTA),
        ("FILTER_X86", l::LZMA_FILTER_X86),
        ("FILTER_IA64", l::LZMA_FILTER_IA64),
        ("FILTER_ARM", l::LZMA_FILTER_ARM),
        ("FILTER_ARMTHUMB", l::LZMA_FILTER_ARMTHUMB),
        ("FILTER_SPARC", l::LZMA_FILTER_SPARC),
        ("FILTER_POWERPC", l::LZMA_FILTER_POWERPC),
        ("MF_HC3", l::LZMA_MF_HC3.into()),
        ("MF_HC4", l::LZMA_MF_HC4.into()),
        ("MF_BT2", l::LZMA_MF_BT2.into()),
        ("MF_BT3", l::LZMA_MF_BT3.into()),
        ("MF_BT4", l::LZMA_MF_BT4.into()),
        ("MODE_FAST", l::LZMA_MODE_FAST.into()),
        ("MODE_NORMAL", l::LZMA_MODE_NORMAL.into()),
        ("PRESET_DEFAULT", l::LZMA_PRESET_DEFAULT.into()),
        ("PRESET_EXTREME", l::LZMA_PRESET_EXTREME.into()),
    ];
    for &(name, value) in numbers {
        d.set_text(name, value);
    }
    Ok(())
}

/// The exception of a result code that is an error.
#[cold]
fn error(th: &mut Thread, code: u32) -> Raised {
    let message = match code {
        l::LZMA_UNSUPPORTED_CHECK => "Unsupported integrity check",
        l::LZMA_MEM_ERROR => return memory_error(th),
        l::LZMA_MEMLIMIT_ERROR => "Memory usage limit exceeded",
        l::LZMA_FORMAT_ERROR => "Input format not supported by decoder",
        l::LZMA_OPTIONS_ERROR => "Invalid or unsupported options",
        l::LZMA_DATA_ERROR => "Corrupt input data",
        l::LZMA_BUF_ERROR => "Insufficient buffer space",
        l::LZMA_PROG_ERROR => "Internal error",
        _ => return raise(th, &ERROR, format!("Unrecognized error from liblzma: {code}")),
    };
    raise(th, &ERROR, message)
}
fn is_error(code: u32) -> bool {
    !matches!(code, l::LZMA_OK | l::LZMA_GET_CHECK | l::LZMA_NO_CHECK | l::LZMA_STREAM_END)
}
/// A number of 32 bits; `name` is its C type in the message.
fn to_u32(th: &mut Thread, v: &Value, name: &str) -> PyResult<u32> {
    match number::to_u64(th, v) {
        Ok(n) => match u32::try_from(n) {
            Ok(n) => Ok(n),
            Err(_) => Err(overflow_error(th, format!("Value too large for {name} type"))),
        },
        Err(raised) => Err(raised),
    }
}
#[cold]
fn bad_preset(th: &mut Thread, preset: u32) -> Raised {
    raise(th, &ERROR, format!("Invalid compression preset: {preset}"))
}
/// Drops the exception in flight, to raise another one in its place.
fn forget(th: &mut Thread, raised: Raised) {
    drop(take(th, raised));
}
