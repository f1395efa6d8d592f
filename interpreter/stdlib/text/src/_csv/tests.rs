//! Results of CPython 3.13's `csv`.

use super::format::{FieldKind, Format, Quoting, Record};
use super::parse::{Field, Parser};

fn excel() -> Format {
    Format {
        delimiter: u32::from(','),
        quotechar: Some(u32::from('"')),
        escapechar: None,
        lineterminator: vec![13, 10],
        quoting: Quoting::Minimal,
        doublequote: true,
        skipinitialspace: false,
        strict: false,
    }
}

/// The fields of one row, as `text`, `#number` and `-`; or the message.
fn read(lines: &[&str], format: &Format) -> Result<Vec<String>, String> {
    let mut parser = Parser::new();
    for line in lines {
        for c in line.chars().map(|c| Some(u32::from(c))).chain([None]) {
            parser.feed(c, format, 131_072)?;
        }
        if parser.is_done() {
            break;
        }
    }
    if !parser.is_done() && parser.is_open() {
        parser.finish(format);
    }
    let text = |points: &[u32]| -> String { points.iter().filter_map(|&c| char::from_u32(c)).collect() };
    Ok(parser
        .fields
        .iter()
        .map(|field| match field {
            Field::Text(points) => text(points),
            Field::Number(points) => format!("#{}", text(points)),
            Field::Null => "-".to_owned(),
        })
        .collect())
}

fn fields(line: &str, format: &Format) -> Vec<String> {
    read(&[line], format).unwrap()
}

#[test]
fn rows_are_read_as_cpython_does() {
    let plain = excel();
    assert_eq!(fields("a,\"b\",,\"\",1\n", &plain), ["a", "b", "", "", "1"]);
    assert!(fields("\r\n", &plain).is_empty());
    assert_eq!(fields("a\"b\"c", &plain), ["a\"b\"c"]);
    assert_eq!(fields("\"a\"b", &plain), ["ab"]);
    assert_eq!(read(&["\"abc", "d\"e"], &plain).unwrap(), ["abcde"]);
    assert!(read(&["a\rb"], &plain).unwrap_err().starts_with("new-line character seen in unquoted field"));
    let strict = Format { strict: true, ..excel() };
    assert_eq!(read(&["\"a\"b"], &strict).unwrap_err(), "',' expected after '\"'");
    let escaping = Format { escapechar: Some(u32::from('\\')), ..excel() };
    assert_eq!(fields("a\\", &escaping), ["a\n"]);
    assert_eq!(read(&["a\\\n", "b"], &escaping).unwrap(), ["a\nb"]);
    for (quoting, wanted) in [
        (Quoting::NonNumeric, ["#1", "", "#2", ""]),
        (Quoting::Strings, ["#1", "-", "#2", ""]),
        (Quoting::NotNull, ["1", "-", "2", ""]),
    ] {
        assert_eq!(fields("1,,2,\"\"", &Format { quoting, ..excel() }), wanted);
    }
}

fn write(row: &[Option<&str>], format: &Format) -> Result<String, &'static str> {
    let mut record = Record::default();
    let mut last = FieldKind::Other;
    for field in row {
        last = if field.is_some() { FieldKind::Str } else { FieldKind::None };
        let mut points = field.map(|text| text.chars().map(u32::from));
        record.push(points.as_mut().map(|p| p as &mut dyn Iterator<Item = u32>), last, format)?;
    }
    let line = record.finish(last, format)?;
    Ok(line.iter().filter_map(|&c| char::from_u32(c)).collect())
}

#[test]
fn rows_are_written_as_cpython_does() {
    let plain = excel();
    assert_eq!(
        write(&[Some("x,y"), Some("q\"q"), None, Some("\n")], &plain),
        Ok("\"x,y\",\"q\"\"q\",,\"\n\"\r\n".into())
    );
    assert_eq!(write(&[None], &plain), Ok("\"\"\r\n".into()));
    assert_eq!(write(&[], &plain), Ok("\r\n".into()));
    let strings = Format { quoting: Quoting::Strings, ..excel() };
    assert_eq!(write(&[Some("a"), None], &strings), Ok("\"a\",\r\n".into()));
    assert_eq!(write(&[None], &strings), Err("single empty field record must be quoted"));
    let bare = Format { quoting: Quoting::None, ..excel() };
    assert_eq!(write(&[Some("a,b")], &bare), Err("need to escape, but no escapechar set"));
    let blank = Format { delimiter: u32::from(' '), skipinitialspace: true, ..excel() };
    assert_eq!(write(&[Some("a"), Some(""), Some(" ")], &blank), Ok("a \"\" \" \"\r\n".into()));
}
