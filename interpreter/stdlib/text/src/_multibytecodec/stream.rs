//! `MultibyteStreamReader` and `MultibyteStreamWriter`: an encoding over a stream of bytes.

use krait_macros::{Payload, Trace};
use krait_object::native::{Sig, getset, member, method};
use krait_object::{
    Args, Bytes, ClassDef, GetSet, Method, PyResult, Ref, SlotDefs, Str, Thread, Type, TypeObject, VTable, Value,
    builtin_types, type_flag,
};
use krait_runtime::errors::type_error;
use krait_runtime::protocol::{attr, sequence};

use super::codec::of_class;
use super::incremental::{Decoder, Encoder, errors_or_strict, size_argument};

#[derive(Trace, Payload)]
#[payload(class = READER)]
struct Reader {
    #[trace(skip)]
    context: Decoder,
    stream: Value,
}
static READER_LAYOUT: VTable = VTable::of::<Reader>();
static READER: TypeObject = TypeObject::builtin("MultibyteStreamReader", Some(&builtin_types::OBJECT), &READER_LAYOUT);
pub static READER_DEF: ClassDef = ClassDef {
    module: "_multibytecodec",
    methods: READER_METHODS,
    getset: READER_GETSET,
    slots: SlotDefs { new: Some(new_reader), init: Some(|_, _, _| Ok(())), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::IMMUTABLE | type_flag::HAVE_GC,
    ..ClassDef::new(&READER)
};
static READER_METHODS: &[Method] = &[
    method("read", "(sizeobj=None, /)", "The text of that many bytes, or of all.", |th, a| {
        let size = size_argument(th, a.opt(1))?;
        read(th, a.this(), "read", size)
    }),
    method("readline", "(sizeobj=None, /)", "The text of the next line.", |th, a| {
        let size = size_argument(th, a.opt(1))?;
        read(th, a.this(), "readline", size)
    }),
    method("readlines", "(sizehintobj=None, /)", "The lines of the text.", |th, a| {
        let size = size_argument(th, a.opt(1))?;
        let text = read(th, a.this(), "read", size)?;
        attr::call_method(th, &text, "splitlines", &[Value::bool(true)])
    }),
    method("reset", "()", "Go back to the start.", |_, a| {
        a.this::<Reader>().context.reset();
        Ok(Value::NONE)
    }),
];
static READER_GETSET: &[GetSet] = &[
    getset(
        "errors",
        "how to treat errors",
        |_, v| Ok(reader(v).context.errors_name()),
        |th, v, value| reader(v).context.set_errors(th, value),
    ),
    member("stream", "", |_, v| Ok(reader(v).stream.clone())),
];

fn reader(v: &Value) -> &Reader {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn new_reader(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(stream, errors='strict')");
    let bound = SIG.bind(th, "StreamReader", "StreamReader", args, 0)?;
    let a = bound.args();
    let errors = errors_or_strict(th, a.opt(1), "StreamReader")?;
    let encoding = of_class(th, class)?;
    let reader = Reader { context: Decoder::start(encoding, errors), stream: a[0].clone() };
    Ok(Ref::with_class(reader, class.object()).into())
}

/// Reads with a method of the stream until there is text; a negative size is all.
fn read(th: &mut Thread, reader: &Reader, method: &str, mut size: isize) -> PyResult<Value> {
    let mut text = Vec::new();
    while size != 0 {
        let arguments = [Value::from(size as i64)];
        let got = attr::call_method(th, &reader.stream, method, if size < 0 { &[] } else { &arguments })?;
        let Some(data) = got.downcast_ref::<Bytes>() else {
            let name = got.class().name();
            return Err(type_error(th, format!("stream function returned a non-bytes object ({name})")));
        };
        let nothing = data.is_empty() && reader.context.pending.lock().is_empty();
        reader.context.decode(th, data, data.is_empty() || size < 0, &mut text)?;
        if size < 0 || !text.is_empty() || nothing {
            break;
        }
        size = 1;
    }
    Ok(Str::from_points(&text).into())
}

#[derive(Trace, Payload)]
#[payload(class = WRITER)]
struct Writer {
    #[trace(skip)]
    context: Encoder,
    stream: Value,
}
static WRITER_LAYOUT: VTable = VTable::of::<Writer>();
static WRITER: TypeObject = TypeObject::builtin("MultibyteStreamWriter", Some(&builtin_types::OBJECT), &WRITER_LAYOUT);
pub static WRITER_DEF: ClassDef = ClassDef {
    module: "_multibytecodec",
    methods: WRITER_METHODS,
    getset: WRITER_GETSET,
    slots: SlotDefs { new: Some(new_writer), init: Some(|_, _, _| Ok(())), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::IMMUTABLE | type_flag::HAVE_GC,
    ..ClassDef::new(&WRITER)
};
static WRITER_METHODS: &[Method] = &[
    method("write", "(strobj, /)", "Write a text.", |th, a| {
        write(th, a.this(), &a[1])?;
        Ok(Value::NONE)
    }),
    method("writelines", "(lines, /)", "Write a sequence of texts.", write_lines),
    method("reset", "()", "Write what waits, and go back to the start.", |th, a| {
        let writer = a.this::<Writer>();
        if let Some(bytes) = writer.context.finish(th)?
            && !bytes.is_empty()
        {
            attr::call_method(th, &writer.stream, "write", &[Bytes::new(&bytes).into()])?;
        }
        Ok(Value::NONE)
    }),
];
static WRITER_GETSET: &[GetSet] = &[
    getset(
        "errors",
        "how to treat errors",
        |_, v| Ok(writer(v).context.errors_name()),
        |th, v, value| writer(v).context.set_errors(th, value),
    ),
    member("stream", "", |_, v| Ok(writer(v).stream.clone())),
];

fn writer(v: &Value) -> &Writer {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn new_writer(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(stream, errors='strict')");
    let bound = SIG.bind(th, "StreamWriter", "StreamWriter", args, 0)?;
    let a = bound.args();
    let errors = errors_or_strict(th, a.opt(1), "StreamWriter")?;
    let encoding = of_class(th, class)?;
    let writer = Writer { context: Encoder::start(encoding, errors), stream: a[0].clone() };
    Ok(Ref::with_class(writer, class.object()).into())
}

fn write(th: &mut Thread, writer: &Writer, text: &Value) -> PyResult<()> {
    let bytes = writer.context.encode(th, text, false)?;
    attr::call_method(th, &writer.stream, "write", &[Bytes::new(&bytes).into()])?;
    Ok(())
}

fn write_lines(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if !sequence::is_sequence(&a[1]) {
        return Err(type_error(th, "arg must be a sequence object"));
    }
    // The length may change while lines are written.
    let mut index = 0;
    while index < sequence::len(th, &a[1])? {
        let line = sequence::get_item(th, &a[1], &index.into())?;
        write(th, a.this(), &line)?;
        index += 1;
    }
    Ok(Value::NONE)
}
