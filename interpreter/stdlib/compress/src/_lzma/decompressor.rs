//! `LZMADecompressor`.
use krait_libraries::lzma::{self as l, Stream};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{GetSet, Sig, member, method};
use krait_object::{
    Args, Bytes, ClassDef, PyResult, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::errors::{eof_error, value_error};
use krait_runtime::protocol::buffer::hold;
use krait_runtime::protocol::number;
use krait_runtime::world::{Exclusive, blocking};

use super::{CHECK_UNKNOWN, FORMAT_ALONE, FORMAT_AUTO, FORMAT_RAW, FORMAT_XZ, error, filters, is_error};
use crate::output::{Feed, Progress};

struct State {
    stream: Option<Stream>,
    check: u32,
    feed: Feed,
}
#[derive(Trace, Payload)]
#[payload(class = DECOMPRESSOR)]
pub struct LzmaDecompressor {
    #[trace(skip)]
    state: Exclusive<State>,
}
static LAYOUT: VTable = VTable::of::<LzmaDecompressor>();
static DECOMPRESSOR: TypeObject = TypeObject::builtin("LZMADecompressor", Some(&OBJECT), &LAYOUT);
const SIG: &str = "(format=FORMAT_AUTO, memlimit=None, filters=None)";
pub static DEF: ClassDef = ClassDef {
    module: "_lzma",
    doc: "Decompress data that come in pieces.\n\nformat is the container, memlimit a limit of memory, filters the chain of a raw stream.",
    sig: SIG,
    methods: &[method(
        "decompress",
        "(data, max_length=-1)",
        "Decompress data; returns at most max_length bytes if that is not negative.\n\nWhat does not fit is kept for the next call: needs_input is False then.",
        decompress,
    )],
    getset: MEMBERS,
    slots: SlotDefs { new: Some(new), ..SlotDefs::EMPTY },
    flags: type_flag::IMMUTABLE,
    ..ClassDef::new(&DECOMPRESSOR)
};
static MEMBERS: &[GetSet] = &[
    member("check", "The integrity check of the stream, CHECK_UNKNOWN before it is read.", |th, v| {
        Ok(this(v).state.lock(th).check.into())
    }),
    member("eof", "True once the end of the stream was reached.", |th, v| {
        Ok(Value::bool(this(v).state.lock(th).feed.eof))
    }),
    member("needs_input", "True if more input is needed before more can be decompressed.", |th, v| {
        Ok(Value::bool(this(v).state.lock(th).feed.needs_input))
    }),
    member("unused_data", "The input behind the end of the stream.", |th, v| {
        let unused = this(v).state.lock(th).feed.unused.clone();
        Ok(Bytes::new(&unused).into())
    }),
];
fn this(v: &Value) -> &LzmaDecompressor {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static BINDER: Sig = Sig::new(SIG);
    let bound = BINDER.bind(th, "LZMADecompressor", "LZMADecompressor", args, 0)?;
    let a = bound.args();
    let format = a.opt(0).map_or(Ok(FORMAT_AUTO), |v| number::to_i32(th, v))?;
    let memlimit = match a.opt_not_none(1) {
        Some(_) if format == FORMAT_RAW => {
            return Err(value_error(th, "Cannot specify memory limit with FORMAT_RAW"));
        }
        Some(v) => number::to_u64(th, v)?,
        None => u64::MAX,
    };
    let specs = a.opt_not_none(2);
    if format == FORMAT_RAW && specs.is_none() {
        return Err(value_error(th, "Must specify filters for FORMAT_RAW"));
    }
    if format != FORMAT_RAW && specs.is_some() {
        return Err(value_error(th, "Cannot specify filters except with FORMAT_RAW"));
    }
    let flags = l::LZMA_TELL_ANY_CHECK | l::LZMA_TELL_NO_CHECK;
    let (made, check) = match (format, specs) {
        (FORMAT_AUTO, _) => (Stream::auto_decoder(memlimit, flags), CHECK_UNKNOWN),
        (FORMAT_XZ, _) => (Stream::stream_decoder(memlimit, flags), CHECK_UNKNOWN),
        (FORMAT_ALONE, _) => (Stream::alone_decoder(memlimit), l::LZMA_CHECK_NONE),
        (FORMAT_RAW, Some(specs)) => (Stream::raw_decoder(&filters::parse_chain(th, specs)?), l::LZMA_CHECK_NONE),
        _ => return Err(value_error(th, format!("Invalid container format: {format}"))),
    };
    match made {
        Ok(stream) => {
            let state = Exclusive::new(State { stream: Some(stream), check, feed: Feed::new() });
            Ok(Ref::with_class(LzmaDecompressor { state }, class.object()).into())
        }
        Err(code) => Err(error(th, code)),
    }
}
fn decompress(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = hold(th, &a[1])?;
    let limit = a.opt(2).map_or(Ok(-1), |v| number::index_isize(th, v))?;
    let mut s = a.this::<LzmaDecompressor>().state.lock(th);
    if s.feed.eof {
        drop(s);
        return Err(eof_error(th, "Already at end of stream"));
    }
    let done = blocking(th, || {
        let State { stream, check, feed } = &mut *s;
        feed.decompress(&data, limit, true, |input, output| {
            let Some(stream) = stream else { return Err(l::LZMA_PROG_ERROR) };
            let mut step = stream.step(input, output, l::LZMA_RUN);
            if matches!(step.code, l::LZMA_GET_CHECK | l::LZMA_NO_CHECK) {
                // The stream stopped only to tell that, maybe before anything was read.
                *check = stream.check();
                let (read, written) = (step.read, step.written);
                step = stream.step(&input[read..], &mut output[written..], l::LZMA_RUN);
                (step.read, step.written) = (step.read + read, step.written + written);
            }
            let idle = step.code == l::LZMA_BUF_ERROR && step.read == input.len() && step.written < output.len();
            if is_error(step.code) && !idle {
                return Err(step.code);
            }
            Ok(Progress { read: step.read, written: step.written, end: step.code == l::LZMA_STREAM_END })
        })
    });
    if s.feed.eof {
        s.stream = None;
    }
    drop(s);
    match done {
        Ok(out) => Ok(Bytes::new(&out).into()),
        Err(stop) => {
            let code = stop.library(th)?;
            Err(error(th, code))
        }
    }
}
