//! `LZMACompressor`.
use krait_libraries::lzma::{self as l, LzmaOptions, Options, Stream};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, method};
use krait_object::{
    Args, Bytes, ClassDef, PyResult, Raised, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::errors::{memory_error, value_error};
use krait_runtime::protocol::buffer::hold;
use krait_runtime::protocol::number;
use krait_runtime::world::{Exclusive, blocking};

use super::{FORMAT_ALONE, FORMAT_RAW, FORMAT_XZ, bad_preset, error, filters, is_error, to_u32};
use crate::output::{NoMemory, Output};

struct State {
    stream: Stream,
    flushed: bool,
}
#[derive(Trace, Payload)]
#[payload(class = COMPRESSOR)]
pub struct LzmaCompressor {
    #[trace(skip)]
    state: Exclusive<State>,
}
static LAYOUT: VTable = VTable::of::<LzmaCompressor>();
static COMPRESSOR: TypeObject = TypeObject::builtin("LZMACompressor", Some(&OBJECT), &LAYOUT);
const SIG: &str = "(format=FORMAT_XZ, check=-1, preset=None, filters=None)";
pub static DEF: ClassDef = ClassDef {
    module: "_lzma",
    doc: "Compress data that come in pieces.\n\nformat is the container, check the integrity check, preset the level or filters a chain of filter specifiers.",
    sig: SIG,
    methods: &[
        method("compress", "(data, /)", "Compress data; returns what is ready.", |th, a| {
            let data = hold(th, &a[1])?;
            run(th, a, &data, false)
        }),
        method(
            "flush",
            "()",
            "Compress what is held back and end the stream.\n\nThe compressor cannot be used any more.",
            |th, a| run(th, a, &[], true),
        ),
    ],
    slots: SlotDefs { new: Some(new), ..SlotDefs::EMPTY },
    flags: type_flag::IMMUTABLE,
    ..ClassDef::new(&COMPRESSOR)
};

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static BINDER: Sig = Sig::new(SIG);
    let bound = BINDER.bind(th, "LZMACompressor", "LZMACompressor", args, 0)?;
    let a = bound.args();
    let format = a.opt(0).map_or(Ok(FORMAT_XZ), |v| number::to_i32(th, v))?;
    let check = a.opt(1).map_or(Ok(-1), |v| number::to_i32(th, v))?;
    let (preset, specs) = (a.opt_not_none(2), a.opt_not_none(3));
    if preset.is_some() && specs.is_some() {
        return Err(value_error(th, "Cannot specify both preset and filter chain"));
    }
    let preset = preset.map_or(Ok(l::LZMA_PRESET_DEFAULT), |p| to_u32(th, p, "uint32_t"))?;
    if format != FORMAT_XZ && check != -1 && check != l::LZMA_CHECK_NONE as i32 {
        return Err(value_error(th, "Integrity checks are only supported by FORMAT_XZ"));
    }
    let made = match format {
        FORMAT_XZ => {
            let check = if check == -1 { l::LZMA_CHECK_CRC64 } else { check as u32 };
            match specs {
                None => Stream::easy_encoder(preset, check),
                Some(specs) => Stream::stream_encoder(&filters::parse_chain(th, specs)?, check),
            }
        }
        FORMAT_ALONE => match alone_options(th, preset, specs)? {
            Some(options) => Stream::alone_encoder(&options),
            None => return Err(bad_chain(th)),
        },
        FORMAT_RAW => match specs {
            None => return Err(value_error(th, "Must specify filters for FORMAT_RAW")),
            Some(specs) => Stream::raw_encoder(&filters::parse_chain(th, specs)?),
        },
        _ => return Err(value_error(th, format!("Invalid container format: {format}"))),
    };
    match made {
        Ok(stream) => {
            let state = Exclusive::new(State { stream, flushed: false });
            Ok(Ref::with_class(LzmaCompressor { state }, class.object()).into())
        }
        Err(code) => Err(error(th, code)),
    }
}
#[cold]
fn bad_chain(th: &mut Thread) -> Raised {
    value_error(th, "Invalid filter chain for FORMAT_ALONE - must be a single LZMA1 filter")
}
fn alone_options(th: &mut Thread, preset: u32, specs: Option<&Value>) -> PyResult<Option<LzmaOptions>> {
    let Some(specs) = specs else {
        return match LzmaOptions::preset(preset) {
            Some(o) => Ok(Some(o)),
            None => Err(bad_preset(th, preset)),
        };
    };
    Ok(match filters::parse_chain(th, specs)?.as_slice() {
        [f] if f.id == l::LZMA_FILTER_LZMA1 => match f.options {
            Options::Lzma(o) => Some(o),
            _ => None,
        },
        _ => None,
    })
}

fn code(stream: &mut Stream, data: &[u8], finish: bool, out: &mut Output) -> Result<Result<(), u32>, NoMemory> {
    let action = if finish { l::LZMA_FINISH } else { l::LZMA_RUN };
    let mut read = 0;
    loop {
        let step = stream.step(&data[read..], out.room()?, action);
        read += step.read;
        out.wrote(step.written);
        // No progress without input and with room is no error.
        let idle = step.code == l::LZMA_BUF_ERROR && data.is_empty() && out.has_room();
        if is_error(step.code) && !idle {
            return Ok(Err(step.code));
        }
        if if finish { step.code == l::LZMA_STREAM_END } else { read == data.len() } {
            return Ok(Ok(()));
        }
    }
}
fn run(th: &mut Thread, a: &Args<'_>, data: &[u8], finish: bool) -> PyResult<Value> {
    let mut s = a.this::<LzmaCompressor>().state.lock(th);
    if s.flushed {
        drop(s);
        let message = if finish { "Repeated call to flush()" } else { "Compressor has been flushed" };
        return Err(value_error(th, message));
    }
    s.flushed = finish;
    let mut out = Output::new(-1);
    let done = blocking(th, || code(&mut s.stream, data, finish, &mut out));
    drop(s);
    match done {
        Err(NoMemory) => Err(memory_error(th)),
        Ok(Err(code)) => Err(error(th, code)),
        Ok(Ok(())) => Ok(Bytes::new(&out.finish()).into()),
    }
}
