//! The native modules on the runtime without a VM: what needs no Python code to run.

use std::sync::Mutex;

use krait_object::{Bytes, Dict, Interpreter, List, Str, Thread, Tuple, Value};
use krait_runtime::protocol::{attr, call, iter, repr};
use krait_runtime::types::module;

/// One test at a time: in single mode one thread runs, and the interpreters of a process share the builtin types.
static ALONE: Mutex<()> = Mutex::new(());

fn with_thread(f: impl FnOnce(&mut Thread)) {
    let _alone = ALONE.lock().unwrap_or_else(|e| e.into_inner());
    krait_runtime::start::install();
    let mut th = Thread::new(Interpreter::new(), 1 << 20);
    krait_runtime::start::start(&mut th).expect("the runtime starts");
    f(&mut th);
}

/// The representation of a result, or the class and arguments of the exception.
fn shown(th: &mut Thread, result: krait_object::PyResult<Value>) -> String {
    let value = match result {
        Ok(value) => value,
        Err(_) => th.take_exc().expect("an exception was raised"),
    };
    repr::repr(th, &value).map(|s| s.to_string()).unwrap_or_else(|_| "no repr".to_owned())
}

fn method(th: &mut Thread, v: &Value, name: &str, args: &[Value]) -> String {
    let result = attr::call_method(th, v, name, args);
    shown(th, result)
}

/// `re.compile(r"(?P<w>\w+)|,")`
fn pattern(th: &mut Thread) -> Value {
    let sre = module::from_def(th, &crate::_sre::MODULE).expect("the module is made");
    let code = [
        14,
        4,
        0,
        1,
        4294967295u32,
        7,
        17,
        17,
        0,
        24,
        9,
        1,
        4294967295,
        13,
        4,
        8,
        14,
        0,
        1,
        17,
        1,
        15,
        7,
        5,
        16,
        44,
        15,
        2,
        0,
        1,
    ];
    let code = List::new(code.iter().map(|&c| Value::int(c.into())).collect());
    let names = Dict::new();
    names.set_text("w", Value::int(1));
    let by_index = Tuple::from_vec(vec![Value::NONE, Value::str("w")]);
    let args = [Value::str(r"(?P<w>\w+)|,"), Value::int(32), code.into(), Value::int(1), names.into(), by_index.into()];
    let compile = attr::get_text(th, &sre, "compile").expect("a function of the module");
    call::call(th, &compile, &args).unwrap_or_else(|_| panic!("{:?}", th.exc))
}

#[test]
fn patterns_match() {
    with_thread(|th| {
        let p = pattern(th);
        assert_eq!(shown(th, Ok(p.clone())), r"re.compile('(?P<w>\\w+)|,')");
        let m = attr::call_method(th, &p, "match", &[Value::str("spam,eggs")]).expect("a match");
        assert_eq!(shown(th, Ok(m.clone())), "<re.Match object; span=(0, 4), match='spam'>");
        assert_eq!(method(th, &m, "group", &[Value::str("w")]), "'spam'");
        assert_eq!(method(th, &m, "groups", &[]), "('spam',)");
        assert_eq!(method(th, &m, "groupdict", &[]), "{'w': 'spam'}");
        assert_eq!(method(th, &m, "span", &[Value::int(1)]), "(0, 4)");
        assert_eq!(method(th, &m, "group", &[Value::int(2)]), "IndexError('no such group')");
        assert_eq!(method(th, &p, "findall", &[Value::str("a,b")]), "['a', '', 'b']");
        assert_eq!(method(th, &p, "split", &[Value::str("a,b")]), "['', 'a', '', None, '', 'b', '']");
        assert_eq!(method(th, &p, "sub", &[Value::str("x"), Value::str("a,b!")]), "'xxx!'");
        assert_eq!(method(th, &p, "subn", &[Value::str("x"), Value::str("!")]), "('!', 0)");
        assert_eq!(
            method(th, &p, "match", &[Value::int(1)]),
            "TypeError(\"expected string or bytes-like object, got 'int'\")"
        );
        let bytes = Bytes::new(b"x").into_value();
        let wrong = "TypeError('cannot use a string pattern on a bytes-like object')";
        assert_eq!(method(th, &p, "search", &[bytes]), wrong);
        let it = attr::call_method(th, &p, "finditer", &[Value::str("a,b")]).expect("an iterator");
        assert_eq!(iter::collect(th, &it).expect("no error").len(), 3);
    });
}

fn json(th: &mut Thread, name: &str, args: &[Value]) -> String {
    let json = module::from_def(th, &crate::_json::MODULE).expect("the module is made");
    method(th, &json, name, args)
}

#[test]
fn json_strings() {
    with_thread(|th| {
        let text = Value::str("a\"\\\n\u{1}\u{e9}\u{1f600}");
        let ascii = r#"'"a\\"\\\\\\n\\u0001\\u00e9\\ud83d\\ude00"'"#;
        assert_eq!(json(th, "encode_basestring_ascii", &[text.clone()]), ascii);
        assert_eq!(json(th, "encode_basestring", &[text]), r#"'"a\\"\\\\\\n\\u0001é😀"'"#);
        let escaped = Value::str(r#""x\ud83d\ude00\ud83dy\n" tail"#);
        let found = json(th, "scanstring", &[escaped, Value::int(1)]);
        assert_eq!(found, "('x😀\\ud83dy\\n', 24)");
        assert_eq!(json(th, "scanstring", &[Value::str("x"), Value::int(5)]), "ValueError('end is out of bounds')");
    });
}

#[test]
fn csv_rows() {
    with_thread(|th| {
        let csv = module::from_def(th, &crate::_csv::MODULE).expect("the module is made");
        let lines = List::new(vec![Value::str("a,\"b\"\"c\"\r\n"), Value::str("1,\"x\n"), Value::str("y\"\n")]);
        let reader = attr::call_method(th, &csv, "reader", &[lines.into()]).expect("a reader");
        let rows = iter::collect(th, &reader).unwrap_or_else(|_| panic!("{:?}", th.exc));
        assert_eq!(shown(th, Ok(List::new(rows).into())), r#"[['a', 'b"c'], ['1', 'x\ny']]"#);
        let dialect = method(th, &csv, "get_dialect", &[Value::str("nope")]);
        assert_eq!(dialect, "Error('unknown dialect')");
    });
}

#[test]
fn binascii_functions() {
    with_thread(|th| {
        let binascii = module::from_def(th, &crate::binascii::MODULE).expect("the module is made");
        let bytes = |b: &[u8]| Bytes::new(b).into_value();
        assert_eq!(method(th, &binascii, "hexlify", &[bytes(b"abc"), Value::str(":")]), "b'61:62:63'");
        assert_eq!(method(th, &binascii, "unhexlify", &[Value::str("6")]), "Error('Odd-length string')");
        assert_eq!(method(th, &binascii, "a2b_base64", &[Value::str("YQ==")]), "b'a'");
        assert_eq!(method(th, &binascii, "crc32", &[bytes(b"hello"), Value::int(-1)]), "265137764");
    });
}

#[test]
fn format_strings() {
    with_thread(|th| {
        let string = module::from_def(th, &crate::_string::MODULE).expect("the module is made");
        let pieces =
            attr::call_method(th, &string, "formatter_parser", &[Value::str("a{b!r:c}d")]).expect("an iterator");
        let pieces = iter::collect(th, &pieces).expect("no error");
        assert_eq!(shown(th, Ok(List::new(pieces).into())), "[('a', 'b', 'c', 'r'), ('d', None, None, None)]");
        let name = Str::new("a.b[0]").into_value();
        let split = attr::call_method(th, &string, "formatter_field_name_split", &[name]).expect("a pair");
        assert_eq!(split.downcast_ref::<Tuple>().map(|t| t.len()), Some(2));
    });
}
