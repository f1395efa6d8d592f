//! `zlib.Compress`, what `compressobj()` returns.
use krait_libraries::deflate::{self as z, Deflate};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{Args, ClassDef, Method, PyResult, Ref, Thread, TypeObject, VTable, Value, type_flag};
use krait_runtime::errors::{memory_error, value_error};
use krait_runtime::protocol::buffer::hold;
use krait_runtime::world::{Exclusive, blocking};

use super::{DEF_MEM_LEVEL, MAX_WBITS, bytes, deflate_into, dictionary, error, int_or, no_memory};
use crate::output::{NoMemory, Output};

#[derive(Trace, Payload)]
#[payload(class = COMPRESS)]
pub struct Compress {
    /// None once the stream is finished.
    #[trace(skip)]
    stream: Exclusive<Option<Deflate>>,
}
static LAYOUT: VTable = VTable::of::<Compress>();
static COMPRESS: TypeObject = TypeObject::builtin("Compress", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef =
    ClassDef { module: "zlib", methods: METHODS, flags: type_flag::DISALLOW_INSTANTIATION, ..ClassDef::new(&COMPRESS) };
static METHODS: &[Method] = &[
    method(
        "compress",
        "(data, /)",
        "Compress data; returns what is ready.\n\nThe rest comes later, at the latest with flush().",
        |th, a| {
            let data = hold(th, &a[1])?;
            match run(th, a.this(), &data, z::Z_NO_FLUSH)? {
                (Ok(_), out) => bytes(&out.finish()),
                (Err((code, message)), _) => Err(error(th, code, message, "while compressing data")),
            }
        },
    ),
    method(
        "flush",
        "(mode=zlib.Z_FINISH, /)",
        "Compress what is held back.\n\nAfter Z_FINISH, the default, the object cannot be used any more.",
        flush,
    ),
    method("copy", "()", "A copy of the compressor.", copy),
    method("__copy__", "()", "", copy),
    method("__deepcopy__", "(memo, /)", "", copy),
];

pub fn new(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let level = int_or(th, a.opt(0), z::Z_DEFAULT_COMPRESSION)?;
    let method = int_or(th, a.opt(1), z::Z_DEFLATED)?;
    let wbits = int_or(th, a.opt(2), MAX_WBITS)?;
    let mem_level = int_or(th, a.opt(3), DEF_MEM_LEVEL)?;
    let strategy = int_or(th, a.opt(4), z::Z_DEFAULT_STRATEGY)?;
    let zdict = match a.opt_not_none(5) {
        Some(d) => Some(dictionary(th, d)?),
        None => None,
    };
    let mut stream = match Deflate::new(level, method, wbits, mem_level, strategy) {
        Ok(s) => s,
        Err((z::Z_MEM_ERROR, _)) => return Err(no_memory(th, "Can't allocate memory for compression object")),
        Err((z::Z_STREAM_ERROR, _)) => return Err(value_error(th, "Invalid initialization option")),
        Err((code, message)) => return Err(error(th, code, message, "while creating compression object")),
    };
    if let Some(d) = zdict {
        match stream.set_dictionary(&d) {
            z::Z_OK => {}
            z::Z_STREAM_ERROR => return Err(value_error(th, "Invalid dictionary")),
            _ => return Err(value_error(th, "deflateSetDictionary()")),
        }
    }
    Ok(Ref::new(Compress { stream: Exclusive::new(Some(stream)) }).into())
}

type Outcome = Result<i32, (i32, Option<&'static str>)>;

/// One call of the stream; a finished stream is given up.
fn run(th: &mut Thread, c: &Compress, data: &[u8], flush: i32) -> PyResult<(Outcome, Output)> {
    let mut out = Output::new(-1);
    let mut guard = c.stream.lock(th);
    let Some(stream) = guard.as_mut() else { return Ok((Err((z::Z_STREAM_ERROR, None)), out)) };
    let outcome = match blocking(th, || deflate_into(stream, data, flush, &mut out)) {
        Err(NoMemory) => {
            drop(guard);
            return Err(memory_error(th));
        }
        Ok(Err(code)) => Err((code, stream.message())),
        Ok(Ok(code @ (z::Z_OK | z::Z_BUF_ERROR))) => Ok(code),
        Ok(Ok(z::Z_STREAM_END)) if flush == z::Z_FINISH => {
            *guard = None;
            Ok(z::Z_OK)
        }
        Ok(Ok(code)) => Err((code, stream.message())),
    };
    Ok((outcome, out))
}
fn flush(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mode = int_or(th, a.opt(1), z::Z_FINISH)?;
    if mode == z::Z_NO_FLUSH {
        return bytes(b"");
    }
    match run(th, a.this(), &[], mode)? {
        (Ok(_), out) => bytes(&out.finish()),
        (Err((code, message)), _) => Err(error(th, code, message, "while flushing")),
    }
}
fn copy(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mut guard = a.this::<Compress>().stream.lock(th);
    let copied = guard.as_mut().map_or(Err(z::Z_STREAM_ERROR), Deflate::try_copy);
    drop(guard);
    match copied {
        Ok(stream) => Ok(Ref::new(Compress { stream: Exclusive::new(Some(stream)) }).into()),
        Err(z::Z_STREAM_ERROR) => Err(value_error(th, "Inconsistent stream state")),
        Err(z::Z_MEM_ERROR) => Err(no_memory(th, "Can't allocate memory for compression object")),
        Err(code) => Err(error(th, code, None, "while copying compression object")),
    }
}
