//! `str`, `bytes` and `bytearray` on the runtime without a VM; values checked against the reference interpreter.

use krait_object::{Bytes, Dict, Interpreter, List, PyResult, Thread, Tuple, Value};

use crate::protocol::number::{BinaryOp, binary};
use crate::protocol::{attr, repr, sequence};
use crate::types::bytearray::ByteArray;

/// The representation of a result, or the class and text of the exception.
fn shown(th: &mut Thread, result: PyResult<Value>) -> String {
    let result = result.and_then(|value| repr::ascii(th, &value));
    match result {
        Ok(text) => text.to_string(),
        Err(_) => {
            let exception = th.take_exc().expect("an exception was raised");
            let text = repr::str(th, &exception).expect("exceptions have a text");
            format!("{}: {text}", exception.class().name())
        }
    }
}

fn call(th: &mut Thread, value: impl Into<Value>, name: &str, arguments: &[Value]) -> String {
    let result = attr::call_method(th, &value.into(), name, arguments);
    shown(th, result)
}

fn bytes(text: &str) -> Value {
    Bytes::new(text.as_bytes()).into()
}

/// One test: threads of one process would share the builtin types.
#[test]
fn methods_and_messages() {
    crate::start::install();
    let mut thread = Thread::new(Interpreter::new(), 1 << 20);
    let th = &mut thread;
    crate::start::start(th).expect("the runtime starts");
    texts(th);
    formats(th);
    byte_strings(th);
    codecs(th);
}

fn texts(th: &mut Thread) {
    assert_eq!(call(th, "aXbXc", "split", &["X".into(), 1.into()]), "['a', 'bXc']");
    assert_eq!(call(th, "日a日", "replace", &["日".into(), "é".into()]), r"'\xe9a\xe9'");
    assert_eq!(call(th, "abc", "find", &["c".into(), (-1).into()]), "2");
    assert_eq!(call(th, "abc", "find", &[1.into()]), "TypeError: find() argument 1 must be str, not int");
    assert_eq!(call(th, "abc", "index", &["x".into()]), "ValueError: substring not found");
    assert_eq!(
        call(th, "abc", "replace", &["a".into()]),
        "TypeError: replace() takes at least 2 positional arguments (1 given)"
    );
    assert_eq!(call(th, "Straße", "swapcase", &[]), "'sTRASSE'");
    assert_eq!(call(th, "a", "center", &[4.into(), "*".into()]), "'*a**'");
    let items = List::new(vec!["x".into(), 1.into()]);
    let message = "TypeError: sequence item 1: expected str instance, int found";
    assert_eq!(call(th, ",", "join", &[items.into()]), message);
    let slice = sequence::get_item(th, &"abc".into(), &"x".into());
    assert_eq!(shown(th, slice), "TypeError: string indices must be integers, not 'str'");
    let sum = binary(th, BinaryOp::Add, &"a".into(), &1.into());
    assert_eq!(shown(th, sum), "TypeError: can only concatenate str (not \"int\") to str");
}

fn formats(th: &mut Thread) {
    assert_eq!(
        call(th, "{0[0]}{1:>{2}}{0}", "format", &[Tuple::of([7.into()]).into(), "x".into(), 3.into()]),
        "'7  x(7,)'"
    );
    assert_eq!(
        call(th, "{}{0}", "format", &[1.into()]),
        "ValueError: cannot switch from automatic field numbering to manual field specification"
    );
    assert_eq!(call(th, "{a.b", "format", &[]), "ValueError: expected '}' before end of string");
    let mapping = Dict::new();
    mapping.set_text("a", 5);
    assert_eq!(call(th, "{a:03d}", "format_map", &[mapping.to_value()]), "'005'");
    let percent = |th: &mut Thread, format: Value, values: Value| {
        let result = binary(th, BinaryOp::Remainder, &format, &values);
        shown(th, result)
    };
    assert_eq!(percent(th, "%(a)5d|%%".into(), mapping.to_value()), "'    5|%'");
    assert_eq!(percent(th, "%x %s".into(), Tuple::of([255.into(), "é".into()]).into()), r"'ff \xe9'");
    assert_eq!(percent(th, "%x".into(), 1.5.into()), "TypeError: %x format: an integer is required, not float");
    assert_eq!(percent(th, "%q".into(), 1.into()), "ValueError: unsupported format character 'q' (0x71) at index 1");
    assert_eq!(percent(th, bytes("%b-%d"), Tuple::of([bytes("x"), 3.into()]).into()), "b'x-3'");
}

fn byte_strings(th: &mut Thread) {
    assert_eq!(call(th, bytes("abcde"), "hex", &[":".into(), 2.into()]), "'61:6263:6465'");
    assert_eq!(call(th, bytes("abc"), "find", &[98.into()]), "1");
    assert_eq!(
        call(th, bytes("abc"), "find", &["b".into()]),
        "TypeError: argument should be integer or bytes-like object, not 'str'"
    );
    assert_eq!(call(th, bytes("a b"), "split", &[]), "[b'a', b'b']");
    let array: Value = ByteArray::create(b"a'b".to_vec()).into();
    assert_eq!(call(th, array.clone(), "append", &[256.into()]), "ValueError: byte must be in range(0, 256)");
    let set = sequence::set_item(th, &array, &0.into(), &90.into()).map(|()| array.clone());
    assert_eq!(shown(th, set), r#"bytearray(b"Z\'b")"#);
    let export = crate::protocol::buffer::get_buffer(th, &array, 0).expect("bytearrays have a buffer");
    assert_eq!(
        call(th, array.clone(), "append", &[1.into()]),
        "BufferError: Existing exports of data: object cannot be re-sized"
    );
    drop(export);
    assert_eq!(call(th, array, "pop", &[]), "98");
}

fn codecs(th: &mut Thread) {
    assert_eq!(
        call(th, "é\u{1F600}", "encode", &["ascii".into(), "namereplace".into()]),
        r"b'\\N{LATIN SMALL LETTER E WITH ACUTE}\\N{GRINNING FACE}'"
    );
    assert_eq!(
        call(th, "aé", "encode", &["ascii".into()]),
        r"UnicodeEncodeError: 'ascii' codec can't encode character '\xe9' in position 1: ordinal not in range(128)"
    );
    let data: Value = Bytes::new(b"a\xffb").into();
    assert_eq!(call(th, data.clone(), "decode", &["utf-8".into(), "surrogateescape".into()]), r"'a\udcffb'");
    assert_eq!(
        call(th, data.clone(), "decode", &[]),
        "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 1: invalid start byte"
    );
    assert_eq!(
        call(th, data, "decode", &["ascii".into(), "nope".into()]),
        "LookupError: unknown error handler name 'nope'"
    );
}
