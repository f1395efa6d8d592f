//! `repr` and `ascii` of texts and bytes. CPython counterparts: `unicode_repr`, `PyBytes_Repr`.

use super::buffer::{TextBuf, Unit};
use crate::numtext::OutOfMemory;
use crate::unicode;

/// Single quotes unless the text has one and no double quote.
fn quote_for(mut codes: impl Iterator<Item = u32>) -> u32 {
    let mut single = false;
    let double = codes.any(|code| {
        single |= code == 0x27;
        code == 0x22
    });
    if single && !double { 0x22 } else { 0x27 }
}

/// The escape of a code point as `\xXX`, `\uXXXX` or `\UXXXXXXXX`.
pub fn numeric_escape(code: u32) -> String {
    match code {
        0..=0xFF => format!("\\x{code:02x}"),
        0x100..=0xFFFF => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}

/// `repr(text)`; with `ascii` what is not ASCII is escaped too.
pub fn repr<U: Unit>(text: &[U], ascii: bool) -> Result<TextBuf, OutOfMemory> {
    let quote = quote_for(text.iter().map(|u| u.code()));
    let mut out = TextBuf::with_capacity(text.len() + 2)?;
    out.push(quote)?;
    for unit in text {
        let code = unit.code();
        match code {
            0x09 => out.push_str("\\t")?,
            0x0A => out.push_str("\\n")?,
            0x0D => out.push_str("\\r")?,
            _ if code == quote || code == 0x5C => {
                out.push(0x5C)?;
                out.push(code)?;
            }
            0x20..=0x7E => out.push(code)?,
            0x80.. if !ascii && unicode::is_printable(code) => out.push(code)?,
            _ => out.push_str(&numeric_escape(code))?,
        }
    }
    out.push(quote)?;
    Ok(out)
}

/// The escaped bytes of a bytes literal without prefix and quotes.
pub fn escape_bytes(bytes: &[u8], quote: u8, out: &mut String) -> Result<(), OutOfMemory> {
    out.try_reserve(bytes.len() + 3)?;
    for &byte in bytes {
        out.try_reserve(4)?;
        match byte {
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            _ if byte == quote || byte == b'\\' => {
                out.push('\\');
                out.push(byte as char);
            }
            0x20..=0x7E => out.push(byte as char),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    Ok(())
}

/// `repr(bytes)`.
pub fn bytes_repr(bytes: &[u8]) -> Result<String, OutOfMemory> {
    let quote = quote_for(bytes.iter().map(|&b| u32::from(b))) as u8;
    let mut out = String::from("b");
    out.push(quote as char);
    escape_bytes(bytes, quote, &mut out)?;
    out.push(quote as char);
    Ok(out)
}
