//! `binascii`: bytes to text encodings and back, checksums.
//!
//! The codecs are in the submodules, which know of bytes only. CPython counterpart: `Modules/binascii.c`.

mod base64;
mod checksum;
mod hex;
mod quoted_printable;
#[cfg(test)]
mod tests;
mod uu;

use krait_object::buffer::flags;
use krait_object::native::function;
use krait_object::{
    Args, Bytes, ClassDef, Method, ModuleDef, PyResult, Raised, Str, StrData, Thread, TypeObject, Value, type_flag,
};
use krait_runtime::errors::{memory_error, raise, type_error, value_error};
use krait_runtime::exceptions::{EXCEPTION, VALUE_ERROR};
use krait_runtime::protocol::buffer::{get_buffer, with_bytes};
use krait_runtime::protocol::{compare, number, sequence};
use quoted_printable::Style;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Conversions between binary data and ASCII",
    functions: FUNCTIONS,
    classes: &[&ERROR_DEF, &INCOMPLETE_DEF],
    ..ModuleDef::new("binascii")
};

static ERROR: TypeObject = TypeObject::builtin_like("Error", &VALUE_ERROR);
static ERROR_DEF: ClassDef = ClassDef { module: "binascii", flags: type_flag::BASE, ..ClassDef::new(&ERROR) };
static INCOMPLETE: TypeObject = TypeObject::builtin_like("Incomplete", &EXCEPTION);
static INCOMPLETE_DEF: ClassDef = ClassDef { module: "binascii", flags: type_flag::BASE, ..ClassDef::new(&INCOMPLETE) };

static FUNCTIONS: &[Method] = &[
    function("a2b_uu", "(data, /)", "Decode a line of uuencoded data.", a2b_uu),
    function("b2a_uu", "(data, /, *, backtick=False)", "Uuencode a line of data.", b2a_uu),
    function(
        "a2b_base64",
        "(data, /, *, strict_mode=False)",
        "Decode base64 data.\n\nIn strict mode nothing but valid base64 without excess data is taken.",
        a2b_base64,
    ),
    function("b2a_base64", "(data, /, *, newline=True)", "Encode data as one line of base64.", b2a_base64),
    function("a2b_hex", "(hexstr, /)", UNHEX_DOC, a2b_hex),
    function("b2a_hex", HEX_SIGNATURE, HEX_DOC, b2a_hex),
    function("hexlify", HEX_SIGNATURE, HEX_DOC, b2a_hex),
    function("unhexlify", "(hexstr, /)", UNHEX_DOC, a2b_hex),
    function("crc_hqx", "(data, crc, /)", "Go on from crc with the CRC-CCITT of the data.", crc_hqx),
    function("crc32", "(data, crc=0, /)", "Go on from crc with the CRC-32 of the data.", crc32),
    function("a2b_qp", "(data, header=False)", "Decode quoted-printable data.", a2b_qp),
    function(
        "b2a_qp",
        "(data, quotetabs=False, istext=True, header=False)",
        "Encode data as quoted-printable.\n\nquotetabs says that blanks and tabs are quoted, istext that line ends stay, header that blanks become\nunderscores.",
        b2a_qp,
    ),
];

const HEX_SIGNATURE: &str = "(data, sep=<unrepresentable>, bytes_per_sep=1)";
const HEX_DOC: &str = "Hexadecimal digits of the data, as bytes.\n\nsep is put after every bytes_per_sep bytes, counted from the right, or from the left if that is negative.";
const UNHEX_DOC: &str = "The bytes that the hexadecimal digits stand for.";

fn bytes(v: &[u8]) -> PyResult<Value> {
    Ok(Bytes::new(v).into())
}

fn error(th: &mut Thread, message: impl Into<String>) -> Raised {
    raise(th, &ERROR, message)
}

/// Runs `f` on the bytes of a bytes-like argument or an ASCII string.
fn with_ascii<R>(th: &mut Thread, v: &Value, f: impl FnOnce(&[u8]) -> R) -> PyResult<R> {
    if let Some(s) = v.downcast_ref::<Str>() {
        return match s.data() {
            StrData::Ascii(text) => Ok(f(text)),
            _ => Err(value_error(th, "string argument should contain only ASCII characters")),
        };
    }
    if let Some(bytes) = v.downcast_ref::<Bytes>() {
        return Ok(f(bytes));
    }
    match get_buffer(th, v, flags::SIMPLE) {
        Ok(buffer) => Ok(buffer.with_bytes(f)),
        Err(_) => {
            th.take_exc();
            let name = v.class().name();
            Err(type_error(th, format!("argument should be bytes, buffer or ASCII string, not '{name:.100}'")))
        }
    }
}

fn flag(th: &mut Thread, v: Option<&Value>, default: bool) -> PyResult<bool> {
    v.map_or(Ok(default), |v| compare::truth(th, v))
}

fn a2b_uu(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    match with_ascii(th, &a[0], uu::decode)? {
        Ok(data) => bytes(&data),
        Err(message) => Err(error(th, message)),
    }
}

fn b2a_uu(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let backtick = flag(th, a.opt(1), false)?;
    match with_bytes(th, &a[0], |data| uu::encode(data, backtick))? {
        Ok(line) => bytes(&line),
        Err(message) => Err(error(th, message)),
    }
}

fn a2b_base64(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let strict = flag(th, a.opt(1), false)?;
    let mut out = Vec::new();
    let decoded = with_ascii(th, &a[0], |data| {
        let room = out.try_reserve(data.len() / 4 * 3 + 3);
        room.map(|()| base64::decode(data, strict, &mut out))
    })?;
    match decoded {
        Ok(Ok(())) => bytes(&out),
        Ok(Err(message)) => Err(error(th, message)),
        Err(_) => Err(memory_error(th)),
    }
}

fn b2a_base64(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let newline = flag(th, a.opt(1), true)?;
    let mut out = Vec::new();
    let encoded = with_bytes(th, &a[0], |data| {
        let room = out.try_reserve(data.len() / 3 * 4 + 5);
        room.map(|()| base64::encode(data, newline, &mut out))
    })?;
    match encoded {
        Ok(()) => bytes(&out),
        Err(_) => Err(memory_error(th)),
    }
}

fn a2b_hex(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    match with_ascii(th, &a[0], hex::decode)? {
        Ok(data) => bytes(&data),
        Err(message) => Err(error(th, message)),
    }
}

fn b2a_hex(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let every = a.opt(2).map_or(Ok(1), |v| number::to_i32(th, v))?;
    let separator = a.opt(1).map(|sep| separator(th, sep)).transpose()?;
    let out = with_bytes(th, &a[0], |data| hex::encode(data, separator, every))?;
    bytes(&out)
}

fn separator(th: &mut Thread, sep: &Value) -> PyResult<u8> {
    if sequence::len(th, sep)? != 1 {
        return Err(value_error(th, "sep must be length 1."));
    }
    if let Some(s) = sep.downcast_ref::<Str>() {
        return match s.data() {
            StrData::Ascii(text) | StrData::Latin1(text) => Ok(text[0]),
            _ => Err(value_error(th, "sep must be ASCII.")),
        };
    }
    match sep.downcast_ref::<Bytes>() {
        Some(bytes) => Ok(bytes[0]),
        None => Err(type_error(th, "sep must be str or bytes.")),
    }
}

/// An unsigned C int of which only the low bits are taken.
fn masked(th: &mut Thread, v: &Value) -> PyResult<u32> {
    Ok(number::to_masked(th, v, 32)? as u32)
}

fn crc_hqx(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let crc = masked(th, &a[1])? as u16;
    let crc = with_bytes(th, &a[0], |data| checksum::crc_hqx(data, crc))?;
    Ok(Value::int(crc.into()))
}

fn crc32(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let crc = a.opt(1).map_or(Ok(0), |v| masked(th, v))?;
    let crc = with_bytes(th, &a[0], |data| checksum::crc32(data, crc))?;
    Ok(Value::int(crc.into()))
}

fn a2b_qp(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let header = flag(th, a.opt(1), false)?;
    let out = with_ascii(th, &a[0], |data| quoted_printable::decode(data, header))?;
    bytes(&out)
}

fn b2a_qp(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let style = Style {
        quotetabs: flag(th, a.opt(1), false)?,
        istext: flag(th, a.opt(2), true)?,
        header: flag(th, a.opt(3), false)?,
    };
    let out = with_bytes(th, &a[0], |data| quoted_printable::encode(data, style))?;
    bytes(&out)
}
