//! `_bz2`: compressor and decompressor of the format bzip2. CPython: `Modules/_bz2module.c`.
use bzip2::{Action, Compress, Compression, Decompress, Error, Status};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{GetSet, Sig, member, method};
use krait_object::{
    Args, Bytes, ClassDef, Method, ModuleDef, PyResult, Raised, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value,
    type_flag,
};
use krait_runtime::errors::{eof_error, memory_error, raise, runtime_error, value_error};
use krait_runtime::exceptions::OS_ERROR;
use krait_runtime::protocol::buffer::hold;
use krait_runtime::protocol::number;
use krait_runtime::world::{Exclusive, blocking};

use crate::output::{Feed, NoMemory, Output, Progress};

pub static MODULE: ModuleDef = ModuleDef { classes: &[&COMPRESSOR_DEF, &DECOMPRESSOR_DEF], ..ModuleDef::new("_bz2") };

struct Writer {
    stream: Compress,
    flushed: bool,
}
#[derive(Trace, Payload)]
#[payload(class = COMPRESSOR)]
pub struct Bz2Compressor {
    #[trace(skip)]
    state: Exclusive<Writer>,
}
static COMPRESSOR_LAYOUT: VTable = VTable::of::<Bz2Compressor>();
static COMPRESSOR: TypeObject = TypeObject::builtin("BZ2Compressor", Some(&OBJECT), &COMPRESSOR_LAYOUT);
const COMPRESSOR_SIG: &str = "(compresslevel=9, /)";
static COMPRESSOR_DEF: ClassDef = ClassDef {
    module: "_bz2",
    doc: "Compress data that come in pieces, at a level from 1 to 9.",
    sig: COMPRESSOR_SIG,
    methods: &[
        method("compress", "(data, /)", "Compress data; returns what is ready.", compress),
        method(
            "flush",
            "()",
            "Compress what is held back and end the stream.\n\nThe compressor cannot be used any more.",
            flush,
        ),
    ],
    slots: SlotDefs { new: Some(new_compressor), ..SlotDefs::EMPTY },
    flags: type_flag::IMMUTABLE,
    ..ClassDef::new(&COMPRESSOR)
};

struct Reader {
    /// None once the end was reached.
    stream: Option<Decompress>,
    feed: Feed,
}
#[derive(Trace, Payload)]
#[payload(class = DECOMPRESSOR)]
pub struct Bz2Decompressor {
    #[trace(skip)]
    state: Exclusive<Reader>,
}
static DECOMPRESSOR_LAYOUT: VTable = VTable::of::<Bz2Decompressor>();
static DECOMPRESSOR: TypeObject = TypeObject::builtin("BZ2Decompressor", Some(&OBJECT), &DECOMPRESSOR_LAYOUT);
static DECOMPRESSOR_DEF: ClassDef = ClassDef {
    module: "_bz2",
    doc: "Decompress data that come in pieces.",
    sig: "()",
    methods: DECOMPRESSOR_METHODS,
    getset: MEMBERS,
    slots: SlotDefs { new: Some(new_decompressor), ..SlotDefs::EMPTY },
    flags: type_flag::IMMUTABLE,
    ..ClassDef::new(&DECOMPRESSOR)
};
static DECOMPRESSOR_METHODS: &[Method] = &[method(
    "decompress",
    "(data, max_length=-1)",
    "Decompress data; returns at most max_length bytes if that is not negative.\n\nWhat does not fit is kept for the next call: needs_input is False then.",
    decompress,
)];
static MEMBERS: &[GetSet] = &[
    member("eof", "True once the end of the stream was reached.", |th, v| {
        Ok(Value::bool(reader(v).state.lock(th).feed.eof))
    }),
    member("unused_data", "The input behind the end of the stream.", |th, v| {
        let unused = reader(v).state.lock(th).feed.unused.clone();
        Ok(Bytes::new(&unused).into())
    }),
    member("needs_input", "True if more input is needed before more can be decompressed.", |th, v| {
        Ok(Value::bool(reader(v).state.lock(th).feed.needs_input))
    }),
];
fn reader(v: &Value) -> &Bz2Decompressor {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

#[cold]
fn error(th: &mut Thread, e: Error) -> Raised {
    match e {
        Error::Param => value_error(th, "Internal error - invalid parameters passed to libbzip2"),
        Error::Data | Error::DataMagic => raise(th, &OS_ERROR, "Invalid data stream"),
        Error::Sequence => runtime_error(th, "Internal error - Invalid sequence of commands sent to libbzip2"),
    }
}

fn new_compressor(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new(COMPRESSOR_SIG);
    let bound = SIG.bind(th, "BZ2Compressor", "BZ2Compressor", args, 0)?;
    let level = bound.args().opt(0).map_or(Ok(9), |v| number::to_i32(th, v))?;
    if !(1..=9).contains(&level) {
        return Err(value_error(th, "compresslevel must be between 1 and 9"));
    }
    let stream = Compress::new(Compression::new(level as u32), 0);
    let state = Exclusive::new(Writer { stream, flushed: false });
    Ok(Ref::with_class(Bz2Compressor { state }, class.object()).into())
}
fn run(stream: &mut Compress, data: &[u8], finish: bool, out: &mut Output) -> Result<Result<(), Error>, NoMemory> {
    let action = if finish { Action::Finish } else { Action::Run };
    let mut read = 0;
    loop {
        let (before_in, before_out) = (stream.total_in(), stream.total_out());
        let status = match stream.compress(&data[read..], out.room()?, action) {
            Ok(status) => status,
            Err(e) => return Ok(Err(e)),
        };
        read += (stream.total_in() - before_in) as usize;
        out.wrote((stream.total_out() - before_out) as usize);
        if if finish { status == Status::StreamEnd } else { read == data.len() } {
            return Ok(Ok(()));
        }
    }
}
fn compress(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = hold(th, &a[1])?;
    write(th, a, &data, false)
}
fn flush(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    write(th, a, &[], true)
}
fn write(th: &mut Thread, a: &Args<'_>, data: &[u8], finish: bool) -> PyResult<Value> {
    let mut w = a.this::<Bz2Compressor>().state.lock(th);
    if w.flushed {
        drop(w);
        let message = if finish { "Repeated call to flush()" } else { "Compressor has been flushed" };
        return Err(value_error(th, message));
    }
    w.flushed = finish;
    let mut out = Output::new(-1);
    let done = blocking(th, || run(&mut w.stream, data, finish, &mut out));
    drop(w);
    match done {
        Err(NoMemory) => Err(memory_error(th)),
        Ok(Err(e)) => Err(error(th, e)),
        Ok(Ok(())) => Ok(Bytes::new(&out.finish()).into()),
    }
}

fn new_decompressor(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("()");
    SIG.bind(th, "BZ2Decompressor", "BZ2Decompressor", args, 0)?;
    let state = Exclusive::new(Reader { stream: Some(Decompress::new(false)), feed: Feed::new() });
    Ok(Ref::with_class(Bz2Decompressor { state }, class.object()).into())
}
fn decompress(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = hold(th, &a[1])?;
    let limit = a.opt(2).map_or(Ok(-1), |v| number::index_isize(th, v))?;
    let mut r = a.this::<Bz2Decompressor>().state.lock(th);
    if r.feed.eof {
        drop(r);
        return Err(eof_error(th, "End of stream already reached"));
    }
    let done = blocking(th, || {
        let Reader { stream, feed } = &mut *r;
        feed.decompress(&data, limit, false, |input, output| {
            let Some(s) = stream else { return Err(Some(Error::Sequence)) };
            let (before_in, before_out) = (s.total_in(), s.total_out());
            let status = s.decompress(input, output).map_err(Some)?;
            let (read, written) = ((s.total_in() - before_in) as usize, (s.total_out() - before_out) as usize);
            match status {
                Status::MemNeeded => Err(None),
                status => Ok(Progress { read, written, end: status == Status::StreamEnd }),
            }
        })
    });
    if r.feed.eof {
        r.stream = None;
    }
    drop(r);
    match done {
        Ok(out) => Ok(Bytes::new(&out).into()),
        Err(stop) => match stop.library(th)? {
            Some(e) => Err(error(th, e)),
            None => Err(memory_error(th)),
        },
    }
}
