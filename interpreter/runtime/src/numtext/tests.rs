//! Values checked against the reference interpreter.

use super::float_format::{Options, Style, format_double};
use super::int_parse::Int;
use super::*;
use num_bigint::BigInt;

fn format(value: f64, code: u8, precision: usize) -> String {
    format_double(value, &Options::from_code(code, precision)).unwrap()
}

#[test]
fn shortest_floats() {
    let cases = [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1e16, "1e+16"),
        (9999999999999998.0, "9999999999999998.0"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (f64::from_bits(0x42b7_d211_1c79_4cd0), "26190997649740.812"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
    ];
    for (value, text) in cases {
        assert_eq!(float_format::repr(value), text);
    }
}

#[test]
fn styled_floats() {
    assert_eq!(format(2.5, b'f', 0), "2");
    assert_eq!(format(0.125, b'f', 2), "0.12");
    assert_eq!(format(99.5, b'E', 1), "1.0E+02");
    assert_eq!(format(1e22, b'f', 1), "10000000000000000000000.0");
    assert_eq!(format(0.1, b'f', 30), "0.100000000000000005551115123126");
    assert_eq!(format(123456.0, b'g', 3), "1.23e+05");
    assert_eq!(format(f64::INFINITY, b'F', 3), "INF");
    let general = Options { alternate: true, plus: true, ..Options::new(Style::General, 4) };
    assert_eq!(format_double(1.5, &general).unwrap(), "+1.500");
    let zero = Options { no_negative_zero: true, ..Options::new(Style::Fixed, 1) };
    assert_eq!(format_double(-0.01, &zero).unwrap(), "0.0");
    assert_eq!(digits::round_to(2.675, 2), Some(2.67));
    assert_eq!(digits::round_to(25.0, -1), Some(20.0));
    assert_eq!(digits::round_to(1.7976931348623157e308, -308), None);
}

#[test]
fn hexadecimal_floats() {
    assert_eq!(float_hex::hex(-0.1), "-0x1.999999999999ap-4");
    assert_eq!(float_hex::hex(5e-324), "0x0.0000000000001p-1022");
    assert_eq!(float_hex::from_hex(b"0x1.8p3"), Ok(12.0));
    assert_eq!(float_hex::from_hex(b"0x0.00000000000008p-1022"), Ok(0.0));
    assert_eq!(float_hex::from_hex(b"0x1.ffffffffffffffp1023"), Err(float_hex::HexError::TooLarge));
    assert_eq!(float_hex::from_hex(b"0x"), Err(float_hex::HexError::Invalid));
}

#[test]
fn parsing() {
    assert_eq!(float_parse::parse_float(b"1_0.0_1e1_0"), Some(10.01e10));
    assert_eq!(float_parse::parse_float(b"1__0"), None);
    assert_eq!(float_parse::parse_float(b"-Infinity"), Some(f64::NEG_INFINITY));
    assert_eq!(complex::parse_complex(b" ( -1.5+j ) "), Some((-1.5, 1.0)));
    assert_eq!(complex::parse_complex(b"1+2"), None);
    assert_eq!(complex::repr(-0.0, f64::NAN), "(-0+nanj)");
    let int = |text: &str, base| int_parse::scan(text.as_bytes(), base).map(|s| s.value());
    assert_eq!(int(" 0x_ff ", 0), Some(Int::Small(255)));
    assert_eq!(int("0_0", 0), Some(Int::Small(0)));
    assert_eq!(int("010", 0), None);
    assert_eq!(int("-9223372036854775808", 10), Some(Int::Small(i64::MIN)));
    assert_eq!(int("9223372036854775808", 10), Some(Int::Big(BigInt::from(1u64 << 63))));
    assert_eq!(int("1_", 10), None);
    assert_eq!(int("0b1", 16), Some(Int::Small(0xB1)));
}

#[test]
fn long_ints_round_trip() {
    for exponent in [2999u32, 3000, 20_011] {
        let value = BigInt::from(7) - BigInt::from(10).pow(exponent);
        let text = int_text::bigint_to_text(&value, 10);
        assert_eq!(text.len(), exponent as usize + 1);
        let Some(Int::Big(back)) = int_parse::scan(text.as_bytes(), 10).map(|s| s.value()) else { panic!("no int") };
        assert_eq!(back, value);
    }
    assert_eq!(int_text::i64_to_text(i64::MIN, 36), "-1y2p0ij32e8e8");
}

#[test]
fn exact_conversions() {
    let one = BigInt::from(1);
    assert_eq!(exact::bigint_to_f64(&((&one << 53u8) + 1)), Some(9007199254740992.0));
    assert_eq!(exact::bigint_to_f64(&((&one << 53u8) + 3)), Some(9007199254740996.0));
    assert_eq!(exact::bigint_to_f64(&(&one << 1024u32)), None);
    assert_eq!(exact::bigint_to_f64(&((&one << 1024u32) - (&one << 970u32))), None);
    assert_eq!(exact::true_divide(&one, &(&one << 1074u32)), Ok(5e-324));
    assert_eq!(exact::true_divide(&one, &(&one << 1075u32)), Ok(0.0));
    assert_eq!(exact::true_divide(&(&one << 1024u32), &one), Err(exact::DivisionError::TooLarge));
    assert_eq!(exact::integer_ratio(0.75), (BigInt::from(3), BigInt::from(4)));
    assert_eq!(exact::f64_to_bigint(-1e20), -BigInt::from(10).pow(20));
}

fn formatted(result: Result<(), spec::FormatError>, out: &crate::text::TextBuf) -> String {
    match result {
        Ok(()) => out.to_string_lossy(),
        Err(spec::FormatError::Value(message)) => message.to_string_lossy(),
        Err(other) => format!("{other:?}"),
    }
}

#[test]
fn format_specs() {
    let int = |value: i64, text: &str| {
        let mut out = crate::text::TextBuf::new();
        let value = krait_object::IntRef::Small(value);
        let result = spec_format::format_int(value, text.as_bytes(), "int", spec_layout::NumberLocale::c, &mut out);
        formatted(result, &out)
    };
    let float = |value: f64, text: &str| {
        let mut out = crate::text::TextBuf::new();
        let result = spec_format::format_float(value, text.as_bytes(), "float", spec_layout::NumberLocale::c, &mut out);
        formatted(result, &out)
    };
    assert_eq!(int(1234567, "020,"), "0,000,000,001,234,567");
    assert_eq!(int(255, "#010x"), "0x000000ff");
    assert_eq!(int(-5, "*^+8d"), "***-5***");
    assert_eq!(int(12345678, "_b"), "1011_1100_0110_0001_0100_1110");
    assert_eq!(int(5, ".3d"), "Precision not allowed in integer format specifier");
    assert_eq!(int(5, ",s"), "Cannot specify ',' with 's'.");
    assert_eq!(int(5, "d5"), "Invalid format specifier 'd5' for object of type 'int'");
    assert_eq!(float(1234567.891, ",.2f"), "1,234,567.89");
    assert_eq!(float(f64::NAN, "+010,"), "+000000nan");
    assert_eq!(float(-0.0001, "z.1f"), "0.0");
    assert_eq!(float(10.0, ".3"), "10.0");
    assert_eq!(float(0.5, ".0%"), "50%");
    assert_eq!(float(1.5, "d"), "Unknown format code 'd' for object of type 'float'");
    let mut out = crate::text::TextBuf::new();
    let result = spec_format::format_complex(1.0, -2.0, b"^+12", "complex", spec_layout::NumberLocale::c, &mut out);
    assert_eq!(formatted(result, &out), "  (+1-2j)   ");
}
