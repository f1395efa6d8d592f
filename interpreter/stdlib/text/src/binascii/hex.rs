//! Hexadecimal digits.

/// The bytes that pairs of digits stand for.
pub fn decode(data: &[u8]) -> Result<Vec<u8>, &'static str> {
    if !data.len().is_multiple_of(2) {
        return Err("Odd-length string");
    }
    let digit = |c: u8| char::from(c).to_digit(16).map(|d| d as u8).ok_or("Non-hexadecimal digit found");
    data.chunks_exact(2).map(|pair| Ok(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Digits of the bytes, with `separator` after every `every` bytes: counted from the right, or from the left if negative.
pub fn encode(data: &[u8], separator: Option<u8>, every: i32) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let group = every.unsigned_abs() as usize;
    let mut out = Vec::with_capacity(data.len() * 2 + data.len().checked_div(group).unwrap_or(0));
    for (i, &byte) in data.iter().enumerate() {
        let counted = if every > 0 { data.len() - i } else { i };
        if let Some(separator) = separator
            && i > 0
            && group > 0
            && counted.is_multiple_of(group)
        {
            out.push(separator);
        }
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
    out
}
