//! Values checked against the reference interpreter.

use super::codec::utf16::ByteOrder;
use super::codec::*;
use super::*;
use crate::numtext::OutOfMemory;

/// Reports errors as text; `Some` replaces them instead.
struct Errors(Option<&'static str>);

#[derive(Debug, PartialEq)]
struct Report(String);

impl From<OutOfMemory> for Report {
    fn from(_: OutOfMemory) -> Report {
        Report("memory".into())
    }
}

fn report(encoding: &str, start: usize, end: usize, reason: &str) -> Report {
    Report(format!("{encoding} {start}-{end}: {reason}"))
}

impl DecodeErrors for Errors {
    type Error = Report;
    fn handle(
        &mut self,
        encoding: &str,
        _: &[u8],
        start: usize,
        end: usize,
        reason: &str,
    ) -> Result<Replacement, Report> {
        let text = self.0.ok_or_else(|| report(encoding, start, end, reason))?;
        Ok(Replacement { text: TextBuf::from(text), position: end, input: None })
    }
}

impl EncodeErrors for Errors {
    type Error = Report;
    fn handle(&mut self, encoding: &str, start: usize, end: usize, reason: &str) -> Result<(Encoded, usize), Report> {
        let text = self.0.ok_or_else(|| report(encoding, start, end, reason))?;
        Ok((Encoded::Text(text.chars().map(u32::from).collect()), end))
    }
    fn fail(&mut self, encoding: &str, start: usize, end: usize, reason: &str) -> Report {
        report(encoding, start, end, reason)
    }
}

fn strict() -> Errors {
    Errors(None)
}

fn shown(result: Result<(TextBuf, usize), Report>) -> (String, usize) {
    result.map_or_else(|e| (e.0, 0), |(text, used)| (text.to_string_lossy(), used))
}

#[test]
fn buffer_stays_narrow() {
    let mut buffer = TextBuf::from("aé");
    assert!(matches!(buffer, TextBuf::One(_)));
    buffer.push_str("日").unwrap();
    assert!(matches!(buffer, TextBuf::Two(_)));
    buffer.push_units(&[0x1F600u32]).unwrap();
    buffer.push_fill(0x2A, 2).unwrap();
    assert_eq!(buffer, TextBuf::Four(vec![0x61, 0xE9, 0x65E5, 0x1F600, 0x2A, 0x2A]));
    assert_eq!(buffer.push_fill(0x20, usize::MAX / 2), Err(OutOfMemory));
    buffer.truncate(2);
    assert!(matches!(buffer, TextBuf::One(_)));
}

#[test]
fn searching() {
    let hay: Vec<u16> = "abababababababc".encode_utf16().collect();
    let needle: Vec<u16> = "ababababababc".encode_utf16().collect();
    assert_eq!((find::find(&hay, &needle), find::rfind(&hay, &needle)), (Some(2), Some(2)));
    assert_eq!(find::find(b"abc", b""), Some(0));
    assert_eq!(find::count(&[1u32, 1, 1, 1, 1], &[1, 1]), 2);
    assert_eq!(find::count(b"abc", b""), 4);
    assert_eq!(find::replace(b"aaa", b"", b"-", 2).unwrap().unwrap(), b"-a-aa");
    assert_eq!(find::replace(b"aXbXc", b"X", b"--", 1).unwrap().unwrap(), b"a--bXc");
    assert_eq!(find::replace(b"abc", b"x", b"y", usize::MAX).unwrap(), None);
}

#[test]
fn splitting() {
    let space = split::is_byte_space;
    assert_eq!(split::split_space(b" a b  c ", space, 1), [1..2, 3..8]);
    assert_eq!(split::rsplit_space(b" a b  c ", space, 1), [0..4, 6..7]);
    assert_eq!(split::split_on(b"a,b,c", b",", 1), [0..1, 2..5]);
    assert_eq!(split::rsplit_on(b"a,b,c", b",", 1), [0..3, 4..5]);
    assert_eq!(split::split_lines(b"a\r\n\nb", split::is_byte_line_break, false), [0..1, 3..3, 4..5]);
    assert_eq!(split::strip(b"  a ", true, true, |b| b == b' '), 2..3);
    assert_eq!(shape::expand_tabs(b"a\tb\n\t", 4).unwrap(), b"a   b\n    ");
    assert_eq!(shape::zero_fill(b"-7", 5).unwrap(), b"-0007");
    assert_eq!(shape::center_padding(1, 4), (1, 2));
}

#[test]
fn escaping() {
    let repr = |text: &[u32], ascii| escape::repr(text, ascii).unwrap().to_string_lossy();
    assert_eq!(repr(&[0x27, 0xE9, 0x0A, 0x378], false), r#""'é\n\u0378""#);
    assert_eq!(repr(&[0x27, 0x22, 0xE9, 0x1F600], true), r#"'\'"\xe9\U0001f600'"#);
    assert_eq!(escape::bytes_repr(b"'\\\x7f\xff").unwrap(), r#"b"'\\\x7f\xff""#);
}

#[test]
fn utf8() {
    let decode = |bytes: &[u8], incremental| shown(utf8::decode(bytes, incremental, &mut strict()));
    assert_eq!(decode("aé日😀".as_bytes(), false), ("aé日😀".into(), 10));
    assert_eq!(decode(b"a\xffb", false).0, "utf-8 1-2: invalid start byte");
    assert_eq!(decode(b"\xe2\x28", false).0, "utf-8 0-1: invalid continuation byte");
    assert_eq!(decode(b"\xf0\x9f\x98", false).0, "utf-8 0-3: unexpected end of data");
    assert_eq!(decode(b"a\xf0\x9f\x98", true), ("a".into(), 1));
    assert_eq!(decode(b"\xed\xa0", true), (String::new(), 0));
    assert_eq!(
        utf8::encode(&[0x61u32, 0xD800, 0xDC00], &mut strict()),
        Err(report("utf-8", 1, 3, "surrogates not allowed"))
    );
    assert_eq!(utf8::encode(&[0xD800u16], &mut Errors(Some("?"))).unwrap(), b"?");
}

#[test]
fn wide_forms() {
    let utf16 = |bytes: &[u8]| {
        shown(utf16::decode(bytes, ByteOrder::Native, false, &mut strict()).map(|(text, used, _)| (text, used)))
    };
    assert_eq!(utf16(b"\xfe\xff\xd8\x3d\xde\x00"), ("😀".into(), 6));
    assert_eq!(utf16(b"\0").0, "utf-16-le 0-1: truncated data");
    assert_eq!(utf16(b"\0\xd8a\0").0, "utf-16-le 0-2: illegal UTF-16 surrogate");
    assert_eq!(utf16::encode(&[0x1F600u32], ByteOrder::Native, &mut strict()).unwrap(), b"\xff\xfe\x3d\xd8\x00\xde");
    let utf32 = utf32::decode(b"\0\0\xd8\0", ByteOrder::Big, false, &mut strict()).map(|(text, used, _)| (text, used));
    assert_eq!(shown(utf32).0, "utf-32-be 0-4: code point in surrogate code point range(0xd800, 0xe000)");
}

#[test]
fn utf7_sections() {
    let decode = |bytes: &[u8], incremental| shown(utf7::decode(bytes, incremental, &mut strict()));
    assert_eq!(decode(b"a+AOk-b+-", false).0, "aéb+");
    assert_eq!(decode(b"+AA", false).0, "utf7 0-3: unterminated shift sequence");
    assert_eq!(decode(b"x+AOkA", true), ("x".into(), 1));
    assert_eq!(utf7::encode(&[0x61u32, 0xE9, 0x2D, 0x2B, 0x1F600]).unwrap(), b"a+AOk--+-+2D3eAA-");
}

#[test]
fn escape_codecs() {
    let decode =
        |bytes: &[u8]| shown(escapes::decode_unicode(bytes, false, &mut strict()).map(|(text, used, _)| (text, used)));
    assert_eq!(
        decode(
            br"\x41\u00e9\N{BULLET}\101\
\q"
        ),
        (r"Aé•A\q".into(), 28)
    );
    assert_eq!(decode(br"\N{nope}").0, "unicodeescape 0-8: unknown Unicode character name");
    assert_eq!(decode(br"\U00110000").0, r"unicodeescape 0-10: illegal Unicode character");
    assert_eq!(escapes::encode_unicode(&[0x0Au32, 0x5C, 0xE9, 0x1F600]).unwrap(), br"\n\\\xe9\U0001f600");
    let fault = escapes::decode_bytes(br"a\x1", escapes::BytesEscapeErrors::Strict);
    assert_eq!(fault, Err(escapes::BytesEscapeFault::Hex(1)));
}
