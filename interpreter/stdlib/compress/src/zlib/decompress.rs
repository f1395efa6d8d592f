//! `zlib.Decompress`, what `decompressobj()` returns.
use krait_libraries::deflate::{self as z, Inflate};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{GetSet, member, method};
use krait_object::{
    Args, Bytes, ClassDef, Method, PyResult, Ref, Thread, TypeObject, VTable, Value, ValueCell, type_flag,
};
use krait_runtime::errors::{memory_error, value_error};
use krait_runtime::protocol::buffer::hold;
use krait_runtime::protocol::number;
use krait_runtime::world::{Exclusive, blocking};

use super::{MAX_WBITS, bytes, error, int_or, new_inflate, no_memory};
use crate::output::{NoMemory, Output};

struct State {
    /// None once the stream is finished.
    stream: Option<Inflate>,
    zdict: Option<Vec<u8>>,
    eof: bool,
}
#[derive(Trace, Payload)]
#[payload(class = DECOMPRESS)]
pub struct Decompress {
    #[trace(skip)]
    state: Exclusive<State>,
    unused_data: ValueCell,
    unconsumed_tail: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Decompress>();
static DECOMPRESS: TypeObject = TypeObject::builtin("Decompress", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "zlib",
    methods: METHODS,
    getset: MEMBERS,
    flags: type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&DECOMPRESS)
};
static METHODS: &[Method] = &[
    method(
        "decompress",
        "(data, /, max_length=0)",
        "Decompress data; returns what is ready.\n\nAt most max_length bytes are returned if it is not 0; the input that is left then is in unconsumed_tail.",
        decompress,
    ),
    method("flush", "(length=zlib.DEF_BUF_SIZE, /)", "Decompress what is held back.", flush),
    method("copy", "()", "A copy of the decompressor.", copy),
    method("__copy__", "()", "", copy),
    method("__deepcopy__", "(memo, /)", "", copy),
];
static MEMBERS: &[GetSet] = &[
    member("unused_data", "", |_, v| Ok(this(v).unused_data.get().into())),
    member("unconsumed_tail", "", |_, v| Ok(this(v).unconsumed_tail.get().into())),
    member("eof", "", |th, v| Ok(Value::bool(this(v).state.lock(th).eof))),
];
fn this(v: &Value) -> &Decompress {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn empty() -> ValueCell {
    ValueCell::from(Value::from(Bytes::new(b"")))
}

pub fn new(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let wbits = int_or(th, a.opt(0), MAX_WBITS)?;
    let (stream, zdict) = new_inflate(th, wbits, a.opt(1))?;
    let state = Exclusive::new(State { stream: Some(stream), zdict, eof: false });
    Ok(Ref::new(Decompress { state, unused_data: empty(), unconsumed_tail: empty() }).into())
}

/// How a run ended: the code with the library's message, what was read.
struct Ended {
    code: i32,
    message: Option<&'static str>,
    doing: &'static str,
    read: usize,
}
fn run(s: &mut State, data: &[u8], out: &mut Output, flushing: bool) -> Result<Ended, NoMemory> {
    let State { stream, zdict, .. } = s;
    let mut ended = Ended { code: z::Z_STREAM_ERROR, message: None, doing: "while decompressing data", read: 0 };
    let Some(stream) = stream else { return Ok(ended) };
    let flush = if flushing { z::Z_FINISH } else { z::Z_SYNC_FLUSH };
    loop {
        let step = stream.step(&data[ended.read..], out.room()?, flush);
        ended.read += step.read;
        ended.code = step.code;
        out.wrote(step.written);
        match step.code {
            z::Z_OK | z::Z_BUF_ERROR => {}
            z::Z_NEED_DICT if zdict.is_some() && !flushing => {
                ended.code = zdict.as_ref().map_or(z::Z_NEED_DICT, |d| stream.set_dictionary(d));
                if ended.code != z::Z_OK {
                    ended.doing = "while setting zdict";
                    ended.message = stream.message();
                    return Ok(ended);
                }
                continue;
            }
            _ => {
                ended.message = stream.message();
                return Ok(ended);
            }
        }
        if out.is_full() || (out.has_room() && (ended.read == data.len() || step.code == z::Z_BUF_ERROR)) {
            return Ok(ended);
        }
    }
}
/// Stores the input that was not used: behind the stream, or held back by the limit.
fn save(d: &Decompress, rest: &[u8], at_end: bool) {
    if at_end && !rest.is_empty() {
        let mut unused =
            d.unused_data.get().and_then(|v| v.downcast_ref::<Bytes>().map(|b| b.to_vec())).unwrap_or_default();
        unused.extend_from_slice(rest);
        d.unused_data.set(Some(Bytes::new(&unused).into()));
        let tail = d.unconsumed_tail.get();
        if tail.is_some_and(|t| t.downcast_ref::<Bytes>().is_some_and(|b| !b.is_empty())) {
            d.unconsumed_tail.set(Some(Bytes::new(rest).into()));
        }
    } else {
        d.unconsumed_tail.set(Some(Bytes::new(rest).into()));
    }
}
fn decompress(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = hold(th, &a[1])?;
    let limit = match a.opt(2) {
        Some(v) => number::index_isize(th, v)?,
        None => 0,
    };
    if limit < 0 {
        return Err(value_error(th, "max_length must be non-negative"));
    }
    let d = a.this::<Decompress>();
    let mut out = Output::new(if limit == 0 { -1 } else { limit });
    let mut s = d.state.lock(th);
    let ended = blocking(th, || run(&mut s, &data, &mut out, false));
    let Ok(ended) = ended else {
        drop(s);
        return Err(memory_error(th));
    };
    let at_end = ended.code == z::Z_STREAM_END;
    s.eof |= at_end;
    drop(s);
    save(d, &data[ended.read..], at_end);
    match ended.code {
        z::Z_STREAM_END | z::Z_OK | z::Z_BUF_ERROR => bytes(&out.finish()),
        code => Err(error(th, code, ended.message, ended.doing)),
    }
}
fn flush(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if let Some(v) = a.opt(1)
        && number::index_isize(th, v)? <= 0
    {
        return Err(value_error(th, "length must be greater than zero"));
    }
    let d = a.this::<Decompress>();
    let tail =
        d.unconsumed_tail.get().map_or(Ok(Vec::new()), |t| krait_runtime::protocol::buffer::bytes_like(th, &t))?;
    let mut out = Output::new(-1);
    let mut s = d.state.lock(th);
    let ended = blocking(th, || run(&mut s, &tail, &mut out, true));
    let Ok(ended) = ended else {
        drop(s);
        return Err(memory_error(th));
    };
    let at_end = ended.code == z::Z_STREAM_END;
    if at_end {
        s.eof = true;
        s.stream = None;
    }
    drop(s);
    save(d, &tail[ended.read..], at_end);
    bytes(&out.finish())
}
fn copy(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let d = a.this::<Decompress>();
    let mut s = d.state.lock(th);
    let copied = s.stream.as_mut().map_or(Err(z::Z_STREAM_ERROR), Inflate::try_copy);
    let (zdict, eof) = (s.zdict.clone(), s.eof);
    drop(s);
    match copied {
        Ok(stream) => {
            let state = Exclusive::new(State { stream: Some(stream), zdict, eof });
            let (unused_data, unconsumed_tail) = (d.unused_data.get(), d.unconsumed_tail.get());
            let (unused_data, unconsumed_tail) = (ValueCell::new(unused_data), ValueCell::new(unconsumed_tail));
            Ok(Ref::new(Decompress { state, unused_data, unconsumed_tail }).into())
        }
        Err(z::Z_STREAM_ERROR) => Err(value_error(th, "Inconsistent stream state")),
        Err(z::Z_MEM_ERROR) => Err(no_memory(th, "Can't allocate memory for decompression object")),
        Err(code) => Err(error(th, code, None, "while copying decompression object")),
    }
}
