//! ISO 8601 text to dates and times, as far as `fromisoformat` takes it.
use super::calendar::{Clock, Ymd};

/// A parsed time of day, with its offset from UTC in seconds and microseconds if there is one.
pub struct ParsedTime {
    pub clock: Clock,
    pub offset: Option<(i32, i32)>,
}

/// Reads `n` digits.
fn digits(text: &[u8], at: &mut usize, n: usize) -> Option<i32> {
    let part = text.get(*at..*at + n)?;
    if !part.iter().all(u8::is_ascii_digit) {
        return None;
    }
    *at += n;
    Some(part.iter().fold(0, |sum, d| sum * 10 + i32::from(d - b'0')))
}

/// `YYYY-MM-DD`, `YYYYMMDD`, `YYYY-Www[-D]`, `YYYYWww[D]`. What follows a complete date is not looked at.
pub fn date(text: &str) -> Option<Ymd> {
    let text = text.as_bytes();
    let mut at = 0;
    let year = digits(text, &mut at, 4)?;
    let separated = text.get(at) == Some(&b'-');
    let skip = |at: &mut usize| {
        let ok = !separated || text.get(*at) == Some(&b'-');
        *at += usize::from(separated);
        ok.then_some(())
    };
    skip(&mut at)?;
    if text.get(at) == Some(&b'W') {
        at += 1;
        let week = digits(text, &mut at, 2)?;
        let mut day = 1;
        if at < text.len() {
            skip(&mut at)?;
            day = digits(text, &mut at, 1)?;
        }
        return Ymd::from_iso(year, week, day).ok();
    }
    let month = digits(text, &mut at, 2)?;
    skip(&mut at)?;
    let day = digits(text, &mut at, 2)?;
    Some(Ymd { year, month, day })
}

/// Where the date ends in a text that has a time behind it; at least seven bytes long.
pub fn separator(text: &[u8]) -> Option<usize> {
    let (len, digit) = (text.len(), |i: usize| text.get(i).is_some_and(u8::is_ascii_digit));
    if len == 7 {
        return Some(7);
    }
    if text[4] == b'-' {
        if text[5] != b'W' {
            return Some(10);
        }
        if len > 8 && text[8] == b'-' {
            // YYYY-Www-D, or YYYY-Www and a time: a digit at 10 makes the hyphen the separator.
            return match len {
                9 => None,
                _ if digit(10) => Some(8),
                _ => Some(10),
            };
        }
        return Some(8);
    }
    if text[4] != b'W' {
        return Some(8);
    }
    // YYYYWww or YYYYWwwd, by the number of digits.
    let end = (7..len).find(|&i| !digit(i)).unwrap_or(len);
    Some(if end < 9 {
        end
    } else if end % 2 == 0 {
        7
    } else {
        8
    })
}

/// `HH[:MM[:SS[.ffffff]]]` or the same without colons, up to `end`. The flag says whether something else follows there.
fn clock(text: &[u8], start: usize, end: usize) -> Option<(Clock, bool)> {
    let (mut at, mut parts, mut micro) = (start, [0; 3], 0);
    let part = &text[..end];
    let byte = |i: usize| text.get(i).copied().unwrap_or(0);
    let mut colons = true;
    let done = |parts: [i32; 3], micro| Clock { hour: parts[0], minute: parts[1], second: parts[2], micro };
    for i in 0..3 {
        parts[i] = digits(part, &mut at, 2)?;
        let c = byte(at);
        at += 1;
        if i == 0 {
            colons = c == b':';
        }
        if at >= end {
            // One character is left, or none.
            return if at == end { Some((done(parts, 0), true)) } else { Some((done(parts, 0), c != 0)) };
        }
        match c {
            b':' if colons => {
                if i == 2 {
                    return None;
                }
            }
            b'.' | b',' => {
                if i < 2 {
                    return None;
                }
                break;
            }
            _ if !colons => at -= 1,
            _ => return None,
        }
    }
    let n = (end - at).min(6);
    micro += digits(part, &mut at, n)?;
    for _ in n..6 {
        micro *= 10;
    }
    while at < text.len() && byte(at).is_ascii_digit() {
        at += 1;
    }
    Some((done(parts, micro), at < text.len()))
}

/// A time of day, perhaps with an offset.
pub fn time(text: &[u8]) -> Option<ParsedTime> {
    let zone = text.iter().position(|c| matches!(c, b'+' | b'-' | b'Z')).unwrap_or(text.len());
    let (time, more) = clock(text, 0, zone)?;
    if zone == text.len() {
        return if more { None } else { Some(ParsedTime { clock: time, offset: None }) };
    }
    if text[zone] == b'Z' {
        return (zone + 1 == text.len()).then_some(ParsedTime { clock: time, offset: Some((0, 0)) });
    }
    let (offset, more) = clock(text, zone + 1, text.len())?;
    if more {
        return None;
    }
    let sign = if text[zone] == b'-' { -1 } else { 1 };
    Some(ParsedTime { clock: time, offset: Some((sign * offset.seconds(), sign * offset.micro)) })
}
