//! Base64, as `a2b_base64` and `b2a_base64` do it.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const VALUES: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut i = 0;
    while i < 64 {
        table[ALPHABET[i] as usize] = i as u8;
        i += 1;
    }
    table
};

/// Decodes; characters outside of the alphabet are skipped unless `strict`. The error is the message of
/// `binascii.Error`.
pub fn decode(data: &[u8], strict: bool, out: &mut Vec<u8>) -> Result<(), String> {
    if strict && data.first() == Some(&b'=') {
        return Err("Leading padding not allowed".into());
    }
    // Characters of the group of four read so far, the bits left over from them, and the padding seen.
    let (mut filled, mut left, mut pads) = (0, 0u8, 0);
    let mut padding_begun = false;
    let (mut groups, mut finished) = (0usize, false);
    for (i, &c) in data.iter().enumerate() {
        if c == b'=' {
            padding_begun = true;
            if strict && filled == 0 {
                return Err("Excess padding not allowed".into());
            }
            if filled >= 2 {
                pads += 1;
                if filled + pads >= 4 {
                    if strict && i + 1 < data.len() {
                        return Err("Excess data after padding".into());
                    }
                    finished = true;
                    break;
                }
            }
            continue;
        }
        let value = VALUES[usize::from(c)];
        if value >= 64 {
            if strict {
                return Err("Only base64 data is allowed".into());
            }
            continue;
        }
        if strict && padding_begun {
            return Err("Discontinuous padding not allowed".into());
        }
        pads = 0;
        match filled {
            0 => {}
            1 => out.push(left << 2 | value >> 4),
            2 => out.push(left << 4 | value >> 2),
            _ => {
                out.push(left << 6 | value);
                groups += 1;
            }
        }
        left = value;
        filled = (filled + 1) & 3;
    }
    match filled {
        _ if finished => Ok(()),
        0 => Ok(()),
        1 => Err(format!(
            "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than a multiple of 4",
            groups * 4 + 1
        )),
        _ => Err("Incorrect padding".into()),
    }
}

/// Encodes with padding.
pub fn encode(data: &[u8], newline: bool, out: &mut Vec<u8>) {
    for three in data.chunks(3) {
        let byte = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let six = ALPHABET[(bits >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= three.len() { six } else { b'=' });
        }
    }
    if newline {
        out.push(b'\n');
    }
}
