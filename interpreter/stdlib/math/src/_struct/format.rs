//! Format strings: what is packed where.

/// How one item is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Pad,
    Int {
        signed: bool,
    },
    /// An address: a native integer that wraps negative numbers.
    Pointer,
    Char,
    Bool,
    Half,
    Float,
    Double,
    /// `s`: the field's items are the bytes of one value.
    Bytes,
    /// `p`: as `s`, with a length byte in front.
    Pascal,
}

/// Some items of one kind that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The format character, for messages.
    pub code: u8,
    pub kind: Kind,
    /// Bytes of one item.
    pub size: usize,
    pub repeat: usize,
    /// Place of the first item.
    pub offset: usize,
}

impl Field {
    /// Values that the field takes or gives.
    pub fn values(&self) -> usize {
        match self.kind {
            Kind::Pad => 0,
            Kind::Bytes | Kind::Pascal => 1,
            _ => self.repeat,
        }
    }
}

/// A format, worked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    pub size: usize,
    pub values: usize,
    pub fields: Box<[Field]>,
    pub big_endian: bool,
    /// Native mode: a float that is too large packs as infinity.
    pub native: bool,
}

/// Message of `struct.error`.
pub type Fault = &'static str;

const TOO_LONG: Fault = "total struct size too long";

/// Kind, standard size and native size; a standard size of 0 means that only native mode has the code.
fn item(code: u8) -> Option<(Kind, usize, usize)> {
    const WORD: usize = size_of::<usize>();
    // C's `long` is 4 bytes on Windows and on 32-bit systems.
    const LONG: usize = if cfg!(windows) { 4 } else { WORD };
    let int = |signed, standard, native| (Kind::Int { signed }, standard, native);
    Some(match code {
        b'x' => (Kind::Pad, 1, 1),
        b'c' => (Kind::Char, 1, 1),
        b's' => (Kind::Bytes, 1, 1),
        b'p' => (Kind::Pascal, 1, 1),
        b'?' => (Kind::Bool, 1, 1),
        b'b' => int(true, 1, 1),
        b'B' => int(false, 1, 1),
        b'h' => int(true, 2, 2),
        b'H' => int(false, 2, 2),
        b'i' => int(true, 4, 4),
        b'I' => int(false, 4, 4),
        b'l' => int(true, 4, LONG),
        b'L' => int(false, 4, LONG),
        b'q' => int(true, 8, 8),
        b'Q' => int(false, 8, 8),
        b'n' => int(true, 0, WORD),
        b'N' => int(false, 0, WORD),
        b'P' => (Kind::Pointer, 0, WORD),
        b'e' => (Kind::Half, 2, 2),
        b'f' => (Kind::Float, 4, 4),
        b'd' => (Kind::Double, 8, 8),
        _ => return None,
    })
}

/// Reads a format string.
pub fn parse(text: &[u8]) -> Result<Format, Fault> {
    if text.contains(&0) {
        return Err("embedded null character");
    }
    let (native, big_endian, mut rest) = match text.split_first() {
        Some((b'@', rest)) => (true, cfg!(target_endian = "big"), rest),
        Some((b'=', rest)) => (false, cfg!(target_endian = "big"), rest),
        Some((b'<', rest)) => (false, false, rest),
        Some((b'>' | b'!', rest)) => (false, true, rest),
        _ => (true, cfg!(target_endian = "big"), text),
    };
    let aligned = native;
    let (mut size, mut values, mut fields) = (0usize, 0usize, Vec::new());
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if matches!(first, b' ' | 9..=13) {
            continue;
        }
        let (mut repeat, mut code) = (1usize, first);
        if first.is_ascii_digit() {
            (repeat, code, rest) = count(first, tail)?;
        }
        let (kind, standard, native_size) = item(code).ok_or("bad char in struct format")?;
        let item_size = if native { native_size } else { standard };
        if item_size == 0 {
            return Err("bad char in struct format");
        }
        if aligned && kind != Kind::Pad {
            size = size.checked_next_multiple_of(item_size).ok_or(TOO_LONG)?;
        }
        let field = Field { code, kind, size: item_size, repeat, offset: size };
        let bytes = repeat.checked_mul(item_size).ok_or(TOO_LONG)?;
        size = size.checked_add(bytes).filter(|&n| isize::try_from(n).is_ok()).ok_or(TOO_LONG)?;
        values += field.values();
        if field.values() > 0 && kind != Kind::Pad {
            fields.push(field);
        }
    }
    Ok(Format { size, values, fields: fields.into(), big_endian, native })
}

/// A repeat count that begins with the digit `first`, and the code after it.
fn count(first: u8, mut rest: &[u8]) -> Result<(usize, u8, &[u8]), Fault> {
    let mut repeat = usize::from(first - b'0');
    while let Some((&c, tail)) = rest.split_first() {
        rest = tail;
        if !c.is_ascii_digit() {
            return Ok((repeat, c, rest));
        }
        let next = repeat.checked_mul(10).and_then(|n| n.checked_add(usize::from(c - b'0')));
        repeat = next.filter(|&n| isize::try_from(n).is_ok()).ok_or(TOO_LONG)?;
    }
    Err("repeat count given without format specifier")
}
