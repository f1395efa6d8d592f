//! Values checked against the reference interpreter.

use super::names::{Named, lookup, name};
use super::normalize::{Form, is_normalized, normalize};
use super::*;

fn codes(text: &str) -> Vec<u32> {
    text.chars().map(u32::from).collect()
}

fn text(codes: Vec<u32>) -> String {
    codes.into_iter().filter_map(char::from_u32).collect()
}

fn mapped(f: impl Fn(&dyn Fn(usize) -> u32, usize, &mut dyn FnMut(u32)), s: &str) -> String {
    let input = codes(s);
    let mut out = Vec::new();
    f(&|i| input[i], input.len(), &mut |c| out.push(c));
    text(out)
}

/// A checksum over all code points, so that one number stands for the reference's whole answer.
fn checksum(f: impl Fn(u32) -> u32) -> u64 {
    (0..LIMIT).fold(0u64, |sum, code| (sum * 31 + u64::from(f(code))) % 1_000_000_007)
}

#[test]
fn classes() {
    let flags: [fn(u32) -> bool; 12] = [
        is_alpha,
        is_decimal,
        is_digit,
        is_numeric,
        is_space,
        is_lower,
        is_upper,
        is_printable,
        is_xid_start,
        is_xid_continue,
        is_alnum,
        is_mirrored,
    ];
    assert_eq!(checksum(|c| flags.iter().enumerate().map(|(i, f)| u32::from(f(c)) << i).sum()), CLASSES);
    assert_eq!(checksum(|c| u32::from(combining(c)) + category(c).bytes().map(u32::from).sum::<u32>()), COMBINING);
    assert!(is_line_break(0x85) && is_line_break(0x2028) && !is_line_break(0x1F));
    assert_eq!((category(0x378), bidirectional(0x378), east_asian_width(0x3042)), ("Cn", "", "W"));
    assert_eq!((numeric(0xBD), digit(0xB2), decimal(0x0663), decimal(0xB2)), (Some(0.5), Some(2), Some(3), None));
    assert!(is_identifier(codes("été_1").into_iter()) && !is_identifier(codes("1a").into_iter()));
}

#[test]
fn cases() {
    let full: [fn(u32) -> case::Mapped; 4] = [case::lower, case::upper, case::title, case::fold];
    let sum = checksum(|c| full.iter().flat_map(|f| f(c).as_slice().to_vec()).fold(0, |a, b| (a * 7 + b) % 65_521));
    assert_eq!(sum, CASES);
    assert_eq!(mapped(|t, n, o| case::lower_text(t, n, o), "ΑΣ ΑΣΑ Σ Α.Σ'"), "ας ασα σ α.ς'");
    assert_eq!(mapped(|t, n, o| case::title_text(t, n, o), "ǆungla ßen they're"), "ǅungla Ssen They'Re");
    assert_eq!(mapped(|t, n, o| case::capitalize_text(t, n, o), "ǆUNGLA"), "ǅungla");
    assert_eq!(mapped(|t, n, o| case::swapcase_text(t, n, o), "Straße Σ"), "sTRASSE σ");
    assert_eq!((case::simple_upper(0xDF), case::simple_lower(0x130)), (u32::from('S'), u32::from('i')));
}

#[test]
fn normal_forms() {
    assert_eq!(text(normalize(Form::Nfkc, codes("ﬁ ①x̧̌ 각").into_iter())), "fi 1x̧̌ 각");
    assert_eq!(normalize(Form::Nfd, codes("ế각").into_iter()), [0x65, 0x302, 0x301, 0x1100, 0x1161, 0x11A8]);
    assert_eq!(normalize(Form::Nfc, [0x65, 0x302, 0x301, 0x1100, 0x1161, 0x11A8].into_iter()), [0x1EBF, 0xAC01]);
    assert!(is_normalized(Form::Nfc, codes("é").into_iter()));
    assert!(!is_normalized(Form::Nfc, [0x65, 0x301].into_iter()));
    assert!(!is_normalized(Form::Nfkc, [0x1E9B].into_iter()));
    assert_eq!(normalize::decomposition(0xBD), "<fraction> 0031 2044 0032");
    for form in [Form::Nfc, Form::Nfd, Form::Nfkc, Form::Nfkd] {
        for code in 0..LIMIT {
            let same = normalize(form, std::iter::once(code)) == [code];
            assert_eq!(is_normalized(form, std::iter::once(code)), same, "{code:X} {form:?}");
        }
    }
}

#[test]
fn names_both_ways() {
    let sum = checksum(|c| name(c).map_or(0, |n| n.bytes().fold(0u32, |a, b| (a * 7 + u32::from(b)) % 65_521)));
    assert_eq!(sum, NAMES);
    for code in (0..LIMIT).filter(|c| c % 7 == 0) {
        if let Some(n) = name(code) {
            assert_eq!(lookup(&n), Some(Named::Character(code)), "{n}");
        }
    }
    assert_eq!(lookup("latin small letter a"), Some(Named::Character(97)));
    assert_eq!(lookup("line feed"), Some(Named::Character(10)));
    assert_eq!(lookup("HANGUL SYLLABLE GAGG"), Some(Named::Character(0xAC02)));
    assert_eq!(lookup("hangul syllable ga"), None);
    assert_eq!(lookup("CJK UNIFIED IDEOGRAPH-04E00"), Some(Named::Character(0x4E00)));
    assert_eq!(lookup("cjk compatibility ideograph-f900"), Some(Named::Character(0xF900)));
    assert_eq!(lookup("KEYCAP NUMBER SIGN"), Some(Named::Sequence(&[35, 0xFE0F, 0x20E3])));
    assert_eq!(lookup("nothing of that kind"), None);
}

const CLASSES: u64 = 146001091;
const COMBINING: u64 = 524120417;
const CASES: u64 = 661928818;
const NAMES: u64 = 570743129;
