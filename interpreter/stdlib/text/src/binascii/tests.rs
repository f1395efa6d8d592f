//! Results of CPython 3.13's `binascii`.

use super::checksum::{crc_hqx, crc32};
use super::quoted_printable::Style;
use super::{base64, quoted_printable, uu};

fn decoded(data: &[u8], strict: bool) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    base64::decode(data, strict, &mut out).map(|()| out)
}

#[test]
fn base64_decodes_as_cpython() {
    let lenient: &[(&[u8], &[u8])] = &[
        (b"", b""),
        (b"=", b""),
        (b"YQ==", b"a"),
        (b"YW=Jj", b"abc"),
        (b"YQ==YQ==", b"a"),
        (b"Y\nQ==", b"a"),
        (b"YWJj====", b"abc"),
        (b"YW=J=j", b"ab"),
    ];
    for (data, wanted) in lenient {
        assert_eq!(decoded(data, false).as_deref(), Ok(*wanted));
    }
    let refused: &[(&[u8], &str)] = &[
        (b"=", "Leading padding not allowed"),
        (b"YWJj=", "Excess padding not allowed"),
        (b"YW=Jj", "Discontinuous padding not allowed"),
        (b"YQ==YQ==", "Excess data after padding"),
        (b"Y\nQ==", "Only base64 data is allowed"),
        (b"YQ=", "Incorrect padding"),
    ];
    for (data, message) in refused {
        assert_eq!(decoded(data, true), Err((*message).to_owned()));
    }
    let five = "Invalid base64-encoded string: number of data characters (5) cannot be 1 more than a multiple of 4";
    assert_eq!(decoded(b"YWJjZ", false), Err(five.to_owned()));
}

#[test]
fn base64_encodes() {
    let mut out = Vec::new();
    for data in [&b""[..], b"a", b"ab", b"abc"] {
        base64::encode(data, true, &mut out);
    }
    assert_eq!(out, b"\nYQ==\nYWI=\nYWJj\n");
}

#[test]
fn uu_lines() {
    assert_eq!(uu::decode(b""), Ok(vec![0; 32]));
    assert_eq!(uu::decode(b"#86)C``\n"), Ok(b"abc".to_vec()));
    assert_eq!(uu::decode(b"#86)C x"), Err("Trailing garbage"));
    assert_eq!(uu::decode(b"#\0"), Err("Illegal char"));
    assert_eq!(uu::encode(b"a\0b\0", true), Ok(b"$80!B````\n".to_vec()));
    assert_eq!(uu::encode(b"", false), Ok(b" \n".to_vec()));
}

#[test]
fn quoted_printable_text() {
    assert_eq!(quoted_printable::decode(b"a=3D=\r\nb=\nc=x=4 __", false), b"a=bc=x=4 __");
    assert_eq!(quoted_printable::decode(b"=\rx\ny", true), b"y");
    let style = Style { quotetabs: false, istext: true, header: false };
    let encode = quoted_printable::encode;
    assert_eq!(encode(b".\n.x\n..\n.", style), b"=2E\n.x\n..\n=2E");
    assert_eq!(encode(b"a \r\nb\t\nc d ", Style { quotetabs: true, ..style }), b"a=20\r\nb=09\r\nc=20d=20");
    assert_eq!(encode(b"a \r\nb\t\nc d ", Style { istext: false, ..style }), b"a =0D=0Ab\t=0Ac d=20");
    assert_eq!(encode(b"a_b c", Style { header: true, ..style }), b"a=5Fb_c");
    let broken = [&[b'x'; 75][..], b"=\n", &[b'x'; 5]].concat();
    assert_eq!(encode(&[b'x'; 80], style), broken);
}

#[test]
fn checksums() {
    assert_eq!(crc32(b"hello", 0), 907_060_870);
    assert_eq!(crc32(b"hello", u32::MAX), 265_137_764);
    assert_eq!(crc32(b"lo there, world", crc32(b"hel", 0)), crc32(b"hello there, world", 0));
    assert_eq!(crc_hqx(b"hello", 0), 50018);
}
