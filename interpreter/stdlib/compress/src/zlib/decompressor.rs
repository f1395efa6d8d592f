//! `zlib._ZlibDecompressor`: the decompressor that `gzip` reads with; it keeps the input that does not fit.
use krait_libraries::deflate::{self as z, Inflate};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{GetSet, Sig, member, method};
use krait_object::{Args, ClassDef, Method, PyResult, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value};
use krait_runtime::errors::eof_error;
use krait_runtime::protocol::buffer::hold;
use krait_runtime::protocol::number;
use krait_runtime::world::{Exclusive, blocking};

use super::{MAX_WBITS, bytes, error, int_or, new_inflate};
use crate::output::{Feed, Progress};

struct State {
    stream: Option<Inflate>,
    zdict: Option<Vec<u8>>,
    feed: Feed,
}
#[derive(Trace, Payload)]
#[payload(class = DECOMPRESSOR)]
pub struct ZlibDecompressor {
    #[trace(skip)]
    state: Exclusive<State>,
}
static LAYOUT: VTable = VTable::of::<ZlibDecompressor>();
static DECOMPRESSOR: TypeObject = TypeObject::builtin("_ZlibDecompressor", Some(&OBJECT), &LAYOUT);
const SIG: &str = "(wbits=MAX_WBITS, zdict=b'')";
pub static DEF: ClassDef = ClassDef {
    module: "zlib",
    doc: "A decompressor for data that come in pieces.\n\nwbits gives window size and container, zdict the predefined dictionary.",
    sig: SIG,
    methods: METHODS,
    getset: MEMBERS,
    slots: SlotDefs { new: Some(new), ..SlotDefs::EMPTY },
    ..ClassDef::new(&DECOMPRESSOR)
};
static METHODS: &[Method] = &[method(
    "decompress",
    "(data, max_length=-1)",
    "Decompress data; returns at most max_length bytes if that is not negative.\n\nWhat does not fit is kept for the next call: needs_input is False then.",
    decompress,
)];
static MEMBERS: &[GetSet] = &[
    member("eof", "True once the end of the stream was reached.", |th, v| {
        Ok(Value::bool(this(v).state.lock(th).feed.eof))
    }),
    member("unused_data", "The input behind the end of the stream.", |th, v| {
        let unused = this(v).state.lock(th).feed.unused.clone();
        bytes(&unused)
    }),
    member("needs_input", "True if more input is needed before more can be decompressed.", |th, v| {
        Ok(Value::bool(this(v).state.lock(th).feed.needs_input))
    }),
];
fn this(v: &Value) -> &ZlibDecompressor {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static BINDER: Sig = Sig::new(SIG);
    let bound = BINDER.bind(th, "_ZlibDecompressor", "_ZlibDecompressor", args, 0)?;
    let a = bound.args();
    let wbits = int_or(th, a.opt(0), MAX_WBITS)?;
    let (stream, zdict) = new_inflate(th, wbits, a.opt(1))?;
    let state = Exclusive::new(State { stream: Some(stream), zdict, feed: Feed::new() });
    Ok(Ref::with_class(ZlibDecompressor { state }, class.object()).into())
}

type Failure = (i32, Option<&'static str>, &'static str);

fn step(stream: &mut Inflate, zdict: Option<&Vec<u8>>, input: &[u8], output: &mut [u8]) -> Result<Progress, Failure> {
    let mut s = stream.step(input, output, z::Z_SYNC_FLUSH);
    let progress = |s: z::Step| Progress { read: s.read, written: s.written, end: s.code == z::Z_STREAM_END };
    if s.code == z::Z_NEED_DICT
        && let Some(d) = zdict
    {
        let code = stream.set_dictionary(d);
        if code != z::Z_OK {
            return Err((code, stream.message(), "while setting zdict"));
        }
        let more = stream.step(&input[s.read..], &mut output[s.written..], z::Z_SYNC_FLUSH);
        s = z::Step { code: more.code, read: s.read + more.read, written: s.written + more.written };
    }
    match s.code {
        z::Z_OK | z::Z_BUF_ERROR | z::Z_STREAM_END => Ok(progress(s)),
        code => Err((code, stream.message(), "while decompressing data")),
    }
}
fn decompress(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = hold(th, &a[1])?;
    let limit = match a.opt(2) {
        Some(v) => number::index_isize(th, v)?,
        None => -1,
    };
    let mut s = a.this::<ZlibDecompressor>().state.lock(th);
    if s.feed.eof {
        drop(s);
        return Err(eof_error(th, "End of stream already reached"));
    }
    let done = blocking(th, || {
        let State { stream, zdict, feed } = &mut *s;
        feed.decompress(&data, limit, false, |input, output| match stream {
            Some(stream) => step(stream, zdict.as_ref(), input, output),
            None => Err((z::Z_STREAM_ERROR, None, "while decompressing data")),
        })
    });
    if s.feed.eof {
        s.stream = None;
    }
    drop(s);
    match done {
        Ok(out) => bytes(&out),
        Err(stop) => {
            let (code, message, doing) = stop.library(th)?;
            Err(error(th, code, message, doing))
        }
    }
}
