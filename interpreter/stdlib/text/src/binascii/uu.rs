//! One line of uuencoded data.

/// Decodes a line. A line that ends early is filled up with zeros, since mailers strip trailing blanks.
pub fn decode(data: &[u8]) -> Result<Vec<u8>, &'static str> {
    // CPython reads the terminating NUL of an empty line as its length.
    let (&first, mut rest) = data.split_first().unwrap_or((&0, &[]));
    let wanted = usize::from(first.wrapping_sub(b' ') & 63);
    let mut out = Vec::with_capacity(wanted);
    let (mut bits, mut count) = (0u32, 0);
    while out.len() < wanted {
        let c = rest.split_first().map_or(b' ', |(&c, tail)| {
            rest = tail;
            c
        });
        let value = match c {
            b'\n' | b'\r' => 0,
            b' '..=b'`' => (c - b' ') & 63,
            _ => return Err("Illegal char"),
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    if rest.iter().all(|c| matches!(c, b' ' | b'`' | b'\n' | b'\r')) { Ok(out) } else { Err("Trailing garbage") }
}

/// Encodes at most 45 bytes as a line; zeros become backticks if asked for.
pub fn encode(data: &[u8], backtick: bool) -> Result<Vec<u8>, &'static str> {
    if data.len() > 45 {
        return Err("At most 45 bytes at once");
    }
    let digit = |six: u32| if backtick && six == 0 { b'`' } else { b' ' + six as u8 };
    let mut out = Vec::with_capacity(2 + data.len().div_ceil(3) * 4);
    out.push(digit(data.len() as u32));
    for three in data.chunks(3) {
        let byte = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        out.extend((0..4).map(|i| digit(bits >> (18 - 6 * i) & 63)));
    }
    out.push(b'\n');
    Ok(out)
}
