//! Results of CPython 3.13's `struct`.

use super::codec::{Item, get, put_float, put_int, range_message};
use super::format::{Fault, Format, parse};

fn size(text: &str) -> Result<usize, Fault> {
    parse(text.as_bytes()).map(|f| f.size)
}

fn one(text: &str) -> Format {
    parse(text.as_bytes()).unwrap()
}

#[test]
fn sizes_and_faults() {
    for (text, wanted) in [("bP", 16), ("Pb0P", 16), ("<qb", 9), ("  h  h", 4), ("0s", 0), ("2h3s", 7)] {
        assert_eq!(size(text), Ok(wanted), "{text}");
    }
    assert_eq!(size("9223372036854775807s"), Ok(isize::MAX as usize));
    for text in ["99999999999999999999s", "9223372036854775807q", "9223372036854775807s5s"] {
        assert_eq!(size(text), Err("total struct size too long"));
    }
    for text in ["z", "10z", "1 s", " @h", "h@", "<n", ">P"] {
        assert_eq!(size(text), Err("bad char in struct format"));
    }
    assert_eq!(size("x3"), Err("repeat count given without format specifier"));
    assert_eq!(size("h\0"), Err("embedded null character"));
    assert_eq!(one("0p0sh").values, 3);
}

#[test]
fn ranges() {
    assert_eq!(range_message(&one("b").fields[0]), "'b' format requires -128 <= number <= 127");
    assert_eq!(range_message(&one("<Q").fields[0]), "'Q' format requires 0 <= number <= 18446744073709551615");
}

fn float(text: &str, value: f64) -> Option<Vec<u8>> {
    let format = one(text);
    let mut out = vec![0; format.size];
    put_float(value, &format.fields[0], format.big_endian, format.native, &mut out).then_some(out)
}

#[test]
fn floats() {
    let cases: [(f64, &[u8]); 9] = [
        (f64::NAN, b"\x7e\x00"),
        (-0.0, b"\x80\x00"),
        (65519.99, b"\x7b\xff"),
        (1e-8, b"\x00\x00"),
        (5.96e-8, b"\x00\x01"),
        (1.0, b"\x3c\x00"),
        (f64::NEG_INFINITY, b"\xfc\x00"),
        (6.103515625e-05, b"\x04\x00"),
        (6.1e-05, b"\x03\xff"),
    ];
    for (value, wanted) in cases {
        assert_eq!(float(">e", value).as_deref(), Some(wanted), "{value}");
    }
    assert_eq!(float(">e", 65520.0), None);
    assert_eq!(float("<f", 1e300), None);
    assert_eq!(float("@f", 1e300), Some(vec![0, 0, 0x80, 0x7f]));
    let half = one(">e");
    for bits in 0..0x7c00u16 {
        let Item::Float(value) = get(&half.fields[0], &bits.to_be_bytes(), true) else { panic!() };
        assert_eq!(float(">e", value), Some(bits.to_be_bytes().to_vec()));
    }
}

#[test]
fn integers() {
    let mut out = [0; 3];
    put_int(-2, true, &mut out);
    assert_eq!(out, [0xff, 0xff, 0xfe]);
    assert_eq!(get(&one(">h").fields[0], &[0xff, 0xfe], true), Item::Int(-2));
    assert_eq!(get(&one("<Q").fields[0], &[0xff; 8], false), Item::Unsigned(u64::MAX));
    assert_eq!(get(&one("3p").fields[0], b"\x09ab", false), Item::Bytes(b"ab"));
}
