//! Character names both ways, aliases and named sequences: for `\N{…}` and `unicodedata.name`/`lookup`.
//! A name is a row of words from one table; CJK ideographs and Hangul syllables are computed.
//! CPython counterpart: `_getucname`, `_getcode` of `Modules/unicodedata.c`.

use super::generated::names as data;
use super::normalize::{HANGUL_COUNT, HANGUL_FIRST, TRAILS, VOWELS};

const SYLLABLE: &str = "HANGUL SYLLABLE ";
const IDEOGRAPH: &str = "CJK UNIFIED IDEOGRAPH-";

const LEAD_NAMES: [&str; 19] =
    ["G", "GG", "N", "D", "DD", "R", "M", "B", "BB", "S", "SS", "", "J", "JJ", "C", "K", "T", "P", "H"];
const VOWEL_NAMES: [&str; 21] = [
    "A", "AE", "YA", "YAE", "EO", "E", "YEO", "YE", "O", "WA", "WAE", "OE", "YO", "U", "WEO", "WE", "WI", "YU", "EU",
    "YI", "I",
];
const TRAIL_NAMES: [&str; 28] = [
    "", "G", "GG", "GS", "N", "NJ", "NH", "D", "L", "LG", "LM", "LB", "LS", "LT", "LP", "LH", "M", "B", "BS", "S",
    "SS", "NG", "J", "C", "K", "T", "P", "H",
];

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    Character(u32),
    /// A named sequence, in UTF-16 without surrogates; `\N{…}` does not accept these.
    Sequence(&'static [u16]),
}

fn word(id: usize) -> &'static str {
    let group = data::WORD_GROUPS.partition_point(|group| usize::from(group.2) <= id) - 1;
    let (_, len, first, offset) = data::WORD_GROUPS[group];
    let start = offset as usize + (id - usize::from(first)) * usize::from(len);
    &data::WORD_POOL[start..start + usize::from(len)]
}

fn symbol(byte: u8) -> usize {
    usize::from(if byte == b'!' { b'\\' } else { byte } - 0x23)
}

/// Decodes the name with this index into `out` (which is emptied first).
fn decode(index: usize, out: &mut String) {
    out.clear();
    let phrases = &data::PHRASES.as_bytes()[data::PHRASE_STARTS[index / 8] as usize..];
    let Some(phrase) = phrases.split(|&b| b == b' ').nth(index % 8) else { return };
    let mut symbols = phrase.iter().map(|&b| symbol(b));
    let mut next = || symbols.next();
    let mut glue = true;
    while let Some(first) = next() {
        let id = if first < data::ONE_SYMBOL {
            first
        } else if first < data::ONE_SYMBOL + data::TWO_SYMBOLS {
            data::ONE_SYMBOL + (first - data::ONE_SYMBOL) * 92 + next().unwrap_or(0)
        } else {
            let base = data::ONE_SYMBOL + data::TWO_SYMBOLS * 92;
            let lead = first - data::ONE_SYMBOL - data::TWO_SYMBOLS;
            base + (lead * 92 + next().unwrap_or(0)) * 92 + next().unwrap_or(0)
        };
        let word = word(id);
        if word == "-" {
            out.push('-');
            glue = true;
            continue;
        }
        if !glue {
            out.push(' ');
        }
        out.push_str(word);
        glue = false;
    }
}

/// `unicodedata.name`.
pub fn name(code: u32) -> Option<String> {
    if (HANGUL_FIRST..HANGUL_FIRST + HANGUL_COUNT).contains(&code) {
        let index = code - HANGUL_FIRST;
        let lead = LEAD_NAMES[(index / (VOWELS * TRAILS)) as usize];
        let vowel = VOWEL_NAMES[(index / TRAILS % VOWELS) as usize];
        return Some(format!("{SYLLABLE}{lead}{vowel}{}", TRAIL_NAMES[(index % TRAILS) as usize]));
    }
    if let Some((_, _, prefix)) = data::COMPUTED.iter().find(|run| (run.0..=run.1).contains(&code)) {
        return Some(format!("{prefix}{code:X}"));
    }
    let range = data::RANGES.partition_point(|range| range.0 <= code).checked_sub(1)?;
    let (first, last, index) = data::RANGES[range];
    if code > last {
        return None;
    }
    let mut out = String::with_capacity(data::LONGEST);
    decode(usize::from(index) + (code - first) as usize, &mut out);
    Some(out)
}

fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811C_9DC5, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193))
}

fn longest(rest: &str, names: &[&str]) -> (usize, usize) {
    let mut best = (0, 0);
    for (index, name) in names.iter().enumerate() {
        if rest.starts_with(name) && (name.len() > best.1 || name.is_empty() && best.1 == 0) {
            best = (index, name.len());
        }
    }
    best
}

fn hangul(rest: &str) -> Option<u32> {
    let (lead, len) = longest(rest, &LEAD_NAMES);
    let rest = &rest[len..];
    let (vowel, len) = longest(rest, &VOWEL_NAMES);
    if len == 0 {
        return None;
    }
    let rest = &rest[len..];
    let (trail, len) = longest(rest, &TRAIL_NAMES);
    (len == rest.len()).then(|| HANGUL_FIRST + (lead as u32 * VOWELS + vowel as u32) * TRAILS + trail as u32)
}

fn computed(name: &str) -> Option<u32> {
    data::COMPUTED.iter().filter(|run| run.2 != IDEOGRAPH).find_map(|&(first, last, prefix)| {
        let digits = name.strip_prefix(prefix)?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        ((first..=last).contains(&code) && format!("{code:X}") == digits).then_some(code)
    })
}

/// `unicodedata.lookup`. Case does not matter, save in the two computed families that CPython spells out by hand.
pub fn lookup(name: &str) -> Option<Named> {
    if let Some(rest) = name.strip_prefix(SYLLABLE)
        && let Some(code) = hangul(rest)
    {
        return Some(Named::Character(code));
    }
    if let Some(digits) = name.strip_prefix(IDEOGRAPH) {
        let plain = matches!(digits.len(), 4 | 5) && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'));
        let code = u32::from_str_radix(digits, 16).ok().filter(|_| plain)?;
        return data::COMPUTED
            .iter()
            .any(|run| run.2 == IDEOGRAPH && (run.0..=run.1).contains(&code))
            .then_some(Named::Character(code));
    }
    if name.len() > data::LONGEST || !name.is_ascii() {
        return None;
    }
    let name = name.to_ascii_uppercase();
    if let Some(code) = computed(&name) {
        return Some(Named::Character(code));
    }
    let bucket = (hash(&name) >> 20) as usize;
    let (start, end) = (usize::from(data::HASH_BUCKETS[bucket]), usize::from(data::HASH_BUCKETS[bucket + 1]));
    let mut candidate = String::with_capacity(data::LONGEST);
    for &index in &data::HASH_ORDER[start..end] {
        decode(usize::from(index), &mut candidate);
        if candidate == name {
            return Some(target(usize::from(index)));
        }
    }
    None
}

fn target(index: usize) -> Named {
    if index < data::NAMED {
        let range = data::RANGES.partition_point(|range| usize::from(range.2) <= index) - 1;
        let (first, _, at) = data::RANGES[range];
        return Named::Character(first + (index - usize::from(at)) as u32);
    }
    let index = index - data::NAMED;
    if index < data::ALIASES {
        return Named::Character(data::ALIAS_TARGETS[index]);
    }
    let index = index - data::ALIASES;
    let bounds = usize::from(data::SEQUENCE_OFFSETS[index])..usize::from(data::SEQUENCE_OFFSETS[index + 1]);
    Named::Sequence(&data::SEQUENCE_POOL[bounds])
}
