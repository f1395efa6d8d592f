//! Bytes to text: the encoding is detected, declared or given from outside.

/// What each byte of a single-byte encoding stands for.
pub type Table = Box<[Option<char>; 256]>;

pub enum Encoding {
    Utf8,
    Latin1,
    Ascii,
    Utf16 { big: bool },
    Table(Table),
}
impl Encoding {
    pub fn by_name(name: &str) -> Option<Encoding> {
        Some(match name.to_ascii_lowercase().as_str() {
            "utf-8" => Encoding::Utf8,
            "iso-8859-1" => Encoding::Latin1,
            "us-ascii" => Encoding::Ascii,
            "utf-16" | "utf-16be" => Encoding::Utf16 { big: true },
            "utf-16le" => Encoding::Utf16 { big: false },
            _ => return None,
        })
    }
    pub fn wide(&self) -> bool {
        matches!(self, Encoding::Utf16 { .. })
    }
    /// The bytes that a text took in the encoding.
    pub fn width(&self, text: &str) -> usize {
        match self {
            Encoding::Utf8 => text.len(),
            Encoding::Utf16 { .. } => text.encode_utf16().count() * 2,
            _ => text.chars().count(),
        }
    }
    /// Moves what is complete from `bytes` to `text`. Returns whether an illegal byte is next.
    pub fn decode(&self, bytes: &mut Vec<u8>, text: &mut String) -> bool {
        let (used, bad) = match self {
            Encoding::Utf8 => match std::str::from_utf8(bytes) {
                Ok(all) => {
                    text.push_str(all);
                    (bytes.len(), false)
                }
                Err(e) => {
                    let valid = e.valid_up_to();
                    text.push_str(std::str::from_utf8(&bytes[..valid]).unwrap_or_default());
                    (valid, e.error_len().is_some())
                }
            },
            Encoding::Latin1 => {
                text.extend(bytes.iter().map(|&b| char::from(b)));
                (bytes.len(), false)
            }
            Encoding::Ascii => {
                let n = bytes.iter().take_while(|b| b.is_ascii()).count();
                text.extend(bytes[..n].iter().map(|&b| char::from(b)));
                (n, n < bytes.len())
            }
            Encoding::Table(table) => {
                let n = bytes.iter().take_while(|&&b| table[usize::from(b)].is_some()).count();
                text.extend(bytes[..n].iter().filter_map(|&b| table[usize::from(b)]));
                (n, n < bytes.len())
            }
            Encoding::Utf16 { big } => decode_utf16(bytes, *big, text),
        };
        bytes.drain(..used);
        bad
    }
}
fn decode_utf16(bytes: &[u8], big: bool, text: &mut String) -> (usize, bool) {
    let unit = |i: usize| -> Option<u16> {
        let pair = [*bytes.get(i)?, *bytes.get(i + 1)?];
        Some(if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    };
    let mut at = 0;
    while let Some(u) = unit(at) {
        match u {
            0xD800..=0xDBFF => match unit(at + 2) {
                None => return (at, false),
                Some(low @ 0xDC00..=0xDFFF) => {
                    let c = 0x10000 + ((u32::from(u) - 0xD800) << 10) + (u32::from(low) - 0xDC00);
                    text.extend(char::from_u32(c));
                    at += 4;
                }
                Some(_) => return (at, true),
            },
            0xDC00..=0xDFFF => return (at, true),
            _ => {
                text.extend(char::from_u32(u.into()));
                at += 2;
            }
        }
    }
    (at, false)
}
/// The encoding that the first bytes show, and the length of a byte order mark; `None` where more are needed.
pub fn detect(bytes: &[u8], complete: bool) -> Option<(Encoding, usize)> {
    let plain = Some((Encoding::Utf8, 0));
    match bytes {
        [0xEF, 0xBB, 0xBF, ..] => Some((Encoding::Utf8, 3)),
        [0xFE, 0xFF, ..] => Some((Encoding::Utf16 { big: true }, 2)),
        [0xFF, 0xFE, ..] => Some((Encoding::Utf16 { big: false }, 2)),
        [b'<', 0, ..] => Some((Encoding::Utf16 { big: false }, 0)),
        [0, _, ..] => Some((Encoding::Utf16 { big: true }, 0)),
        [] | [0xFE | 0xFF | 0 | b'<'] | [0xEF] | [0xEF, 0xBB] if !complete => None,
        _ => plain,
    }
}
