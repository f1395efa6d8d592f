//! `zlib`: the module's functions, checksums and constants; the stream objects are in the submodules. CPython:
//! `Modules/zlibmodule.c`.
mod compress;
mod decompress;
mod decompressor;

use krait_libraries::deflate::{self as z, Deflate, Inflate};
use krait_object::native::function;
use krait_object::{Args, Bytes, ClassDef, Method, ModuleDef, PyResult, Raised, Thread, TypeObject, Value, type_flag};
use krait_runtime::errors::{memory_error, raise, value_error};
use krait_runtime::exceptions::EXCEPTION;
use krait_runtime::protocol::buffer::{hold, with_bytes};
use krait_runtime::protocol::number;
use krait_runtime::types::module;
use krait_runtime::types::type_::ready::ready_class;
use krait_runtime::world::blocking;

use crate::output::{NoMemory, Output};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Compression that is compatible with gzip, and the checksums that go with it.",
    functions: FUNCTIONS,
    classes: &[&decompressor::DEF, &ERROR_DEF],
    init: Some(init),
    ..ModuleDef::new("zlib")
};
static ERROR: TypeObject = TypeObject::builtin_like("error", &EXCEPTION);
static ERROR_DEF: ClassDef = ClassDef { module: "zlib", flags: type_flag::BASE, ..ClassDef::new(&ERROR) };

const MAX_WBITS: i32 = 15;
const DEF_MEM_LEVEL: i32 = 8;
const DEF_BUF_SIZE: i32 = 16 * 1024;

static FUNCTIONS: &[Method] = &[
    function("adler32", "(data, value=1, /)", "The Adler-32 checksum of the data, going on from value.", |th, a| {
        checksum(th, a, 1, z::adler32)
    }),
    function(
        "compress",
        "(data, /, level=Z_DEFAULT_COMPRESSION, wbits=MAX_WBITS)",
        "The data, compressed.\n\nlevel is 0 to 9 or -1; wbits gives window size and container.",
        compress_all,
    ),
    function(
        "compressobj",
        "(level=Z_DEFAULT_COMPRESSION, method=DEFLATED, wbits=MAX_WBITS,\n            memLevel=DEF_MEM_LEVEL, strategy=Z_DEFAULT_STRATEGY, zdict=None)",
        "A compressor for data that come in pieces.",
        compress::new,
    ),
    function("crc32", "(data, value=0, /)", "The CRC-32 of the data, going on from value.", |th, a| {
        checksum(th, a, 0, z::crc32)
    }),
    function(
        "decompress",
        "(data, /, wbits=MAX_WBITS, bufsize=DEF_BUF_SIZE)",
        "The data, decompressed.\n\nwbits gives window size and container.",
        decompress_all,
    ),
    function(
        "decompressobj",
        "(wbits=MAX_WBITS, zdict=b'')",
        "A decompressor for data that come in pieces.",
        decompress::new,
    ),
];

fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    ready_class(th, &compress::DEF);
    ready_class(th, &decompress::DEF);
    let d = module::dict(m);
    for (name, value) in [
        ("MAX_WBITS", MAX_WBITS),
        ("DEFLATED", z::Z_DEFLATED),
        ("DEF_MEM_LEVEL", DEF_MEM_LEVEL),
        ("DEF_BUF_SIZE", DEF_BUF_SIZE),
        ("Z_NO_COMPRESSION", z::Z_NO_COMPRESSION),
        ("Z_BEST_SPEED", z::Z_BEST_SPEED),
        ("Z_BEST_COMPRESSION", z::Z_BEST_COMPRESSION),
        ("Z_DEFAULT_COMPRESSION", z::Z_DEFAULT_COMPRESSION),
        ("Z_FILTERED", z::Z_FILTERED),
        ("Z_HUFFMAN_ONLY", z::Z_HUFFMAN_ONLY),
        ("Z_RLE", z::Z_RLE),
        ("Z_FIXED", z::Z_FIXED),
        ("Z_DEFAULT_STRATEGY", z::Z_DEFAULT_STRATEGY),
        ("Z_NO_FLUSH", z::Z_NO_FLUSH),
        ("Z_PARTIAL_FLUSH", z::Z_PARTIAL_FLUSH),
        ("Z_SYNC_FLUSH", z::Z_SYNC_FLUSH),
        ("Z_FULL_FLUSH", z::Z_FULL_FLUSH),
        ("Z_FINISH", z::Z_FINISH),
        ("Z_BLOCK", z::Z_BLOCK),
        ("Z_TREES", z::Z_TREES),
    ] {
        d.set_text(name, value);
    }
    d.set_text("ZLIB_VERSION", z::version());
    d.set_text("ZLIB_RUNTIME_VERSION", z::version());
    d.set_text("__version__", "1.0");
    Ok(())
}

/// `error("Error -3 while …: incorrect header check")`.
#[cold]
fn error(th: &mut Thread, code: i32, message: Option<&str>, doing: &str) -> Raised {
    let why = match code {
        z::Z_VERSION_ERROR => Some("library version mismatch"),
        _ => message,
    };
    let why = why.or(match code {
        z::Z_BUF_ERROR => Some("incomplete or truncated stream"),
        z::Z_STREAM_ERROR => Some("inconsistent stream state"),
        z::Z_DATA_ERROR => Some("invalid input data"),
        _ => None,
    });
    let text = match why {
        Some(why) => format!("Error {code} {doing}: {why}"),
        None => format!("Error {code} {doing}"),
    };
    raise(th, &ERROR, text)
}
fn no_memory(th: &mut Thread, message: &str) -> Raised {
    raise(th, &krait_runtime::exceptions::MEMORY_ERROR, message)
}
fn bytes(data: &[u8]) -> PyResult<Value> {
    Ok(Bytes::new(data).into())
}
fn int_or(th: &mut Thread, v: Option<&Value>, default: i32) -> PyResult<i32> {
    v.map_or(Ok(default), |v| number::to_i32(th, v))
}

/// Arguments from here on are summed up while other threads run.
const LARGE: usize = 5 * 1024;

fn checksum(th: &mut Thread, a: &Args<'_>, start: u32, sum: fn(u32, &[u8]) -> u32) -> PyResult<Value> {
    let value = match a.opt(1) {
        Some(v) => number::to_masked(th, v, 32)? as u32,
        None => start,
    };
    let large = a[0].downcast_ref::<Bytes>().is_some_and(|b| b.len() > LARGE);
    let sum = if large {
        let data = hold(th, &a[0])?;
        blocking(th, || sum(value, &data))
    } else {
        with_bytes(th, &a[0], |data| sum(value, data))?
    };
    Ok(sum.into())
}

/// Runs the whole input through a compressor. The inner error is the code.
fn deflate_into(s: &mut Deflate, data: &[u8], flush: i32, out: &mut Output) -> Result<Result<i32, i32>, NoMemory> {
    let mut read = 0;
    loop {
        let step = s.step(&data[read..], out.room()?, flush);
        read += step.read;
        out.wrote(step.written);
        if step.code == z::Z_STREAM_ERROR {
            return Ok(Err(step.code));
        }
        if read == data.len() && out.has_room() {
            return Ok(Ok(step.code));
        }
    }
}

fn compress_all(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = hold(th, &a[0])?;
    let level = int_or(th, a.opt(1), z::Z_DEFAULT_COMPRESSION)?;
    let wbits = int_or(th, a.opt(2), MAX_WBITS)?;
    let mut s = match Deflate::new(level, z::Z_DEFLATED, wbits, DEF_MEM_LEVEL, z::Z_DEFAULT_STRATEGY) {
        Ok(s) => s,
        Err((z::Z_MEM_ERROR, _)) => return Err(no_memory(th, "Out of memory while compressing data")),
        Err((z::Z_STREAM_ERROR, _)) => return Err(raise(th, &ERROR, "Bad compression level")),
        Err((code, message)) => return Err(error(th, code, message, "while compressing data")),
    };
    let mut out = Output::new(-1);
    match blocking(th, || deflate_into(&mut s, &data, z::Z_FINISH, &mut out)) {
        Err(NoMemory) => Err(memory_error(th)),
        Ok(Err(code)) => Err(error(th, code, s.message(), "while compressing data")),
        Ok(Ok(_)) => bytes(&out.finish()),
    }
}

fn decompress_all(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = hold(th, &a[0])?;
    let wbits = int_or(th, a.opt(1), MAX_WBITS)?;
    if a.opt(2).map_or(Ok(0), |v| number::index_isize(th, v))? < 0 {
        return Err(value_error(th, "bufsize must be non-negative"));
    }
    let mut s = match Inflate::new(wbits) {
        Ok(s) => s,
        Err((z::Z_MEM_ERROR, _)) => return Err(no_memory(th, "Out of memory while decompressing data")),
        Err((code, message)) => return Err(error(th, code, message, "while preparing to decompress data")),
    };
    let mut out = Output::new(-1);
    let done = blocking(th, || {
        let mut read = 0;
        loop {
            let step = s.step(&data[read..], out.room()?, z::Z_SYNC_FLUSH);
            read += step.read;
            out.wrote(step.written);
            match step.code {
                z::Z_OK | z::Z_BUF_ERROR => {}
                code => return Ok(code),
            }
            if out.has_room() && read == data.len() {
                return Ok(z::Z_BUF_ERROR);
            }
        }
    });
    match done {
        Err(NoMemory) => Err(memory_error(th)),
        Ok(z::Z_STREAM_END) => bytes(&out.finish()),
        Ok(z::Z_MEM_ERROR) => Err(no_memory(th, "Out of memory while decompressing data")),
        Ok(code) => Err(error(th, code, s.message(), "while decompressing data")),
    }
}

/// The bytes of a dictionary argument.
fn dictionary(th: &mut Thread, v: &Value) -> PyResult<Vec<u8>> {
    let bytes = krait_runtime::protocol::buffer::bytes_like(th, v)?;
    if u32::try_from(bytes.len()).is_err() {
        let message = "zdict length does not fit in an unsigned int";
        return Err(krait_runtime::errors::overflow_error(th, message));
    }
    Ok(bytes)
}
/// What `decompressobj()` and `_ZlibDecompressor()` begin with: the stream, and the dictionary where it is asked for later.
fn new_inflate(th: &mut Thread, wbits: i32, zdict: Option<&Value>) -> PyResult<(Inflate, Option<Vec<u8>>)> {
    if let Some(d) = zdict
        && !krait_runtime::protocol::buffer::has_buffer(d)
    {
        let message = "zdict argument must support the buffer protocol";
        return Err(krait_runtime::errors::type_error(th, message));
    }
    let mut s = match Inflate::new(wbits) {
        Ok(s) => s,
        Err((z::Z_STREAM_ERROR, _)) => return Err(value_error(th, "Invalid initialization option")),
        Err((z::Z_MEM_ERROR, _)) => return Err(no_memory(th, "Can't allocate memory for decompression object")),
        Err((code, message)) => return Err(error(th, code, message, "while creating decompression object")),
    };
    let zdict = zdict.map(|d| dictionary(th, d)).transpose()?;
    if let Some(d) = zdict.as_ref().filter(|_| wbits < 0) {
        let code = s.set_dictionary(d);
        if code != z::Z_OK {
            return Err(error(th, code, s.message(), "while setting zdict"));
        }
    }
    Ok((s, zdict))
}
