//! Decompositions and the four normalisation forms.
//! CPython counterpart: `nfd_nfkd`, `nfc_nfkc` and `is_normalized_quickcheck` of `Modules/unicodedata.c`.

use super::generated::normalization as data;
use super::{LIMIT, combining, version_3_2};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}

impl Form {
    pub fn from_name(name: &str) -> Option<Form> {
        match name {
            "NFC" => Some(Form::Nfc),
            "NFD" => Some(Form::Nfd),
            "NFKC" => Some(Form::Nfkc),
            "NFKD" => Some(Form::Nfkd),
            _ => None,
        }
    }

    fn compatibility(self) -> bool {
        matches!(self, Form::Nfkc | Form::Nfkd)
    }

    fn composes(self) -> bool {
        matches!(self, Form::Nfc | Form::Nfkc)
    }
}

pub(super) const HANGUL_FIRST: u32 = 0xAC00;
pub(super) const HANGUL_COUNT: u32 = 11172;
const LEAD: u32 = 0x1100;
const VOWEL: u32 = 0x1161;
const TRAIL: u32 = 0x11A7;
pub(super) const VOWELS: u32 = 21;
pub(super) const TRAILS: u32 = 28;
const LEADS: u32 = 19;

/// One character's decomposition mapping: its tag (`""` or `"<compat>"` and so on) and its characters in UTF-16.
fn mapping(code: u32) -> Option<(&'static str, &'static [u16])> {
    if code >= LIMIT {
        return None;
    }
    let block = data::OFFSET_FIRST[code as usize >> data::OFFSET_SHIFT] as usize;
    let low = code as usize & ((1 << data::OFFSET_SHIFT) - 1);
    let offset = data::OFFSET_SECOND[(block << data::OFFSET_SHIFT) + low] as usize;
    if offset == 0 {
        return None;
    }
    let head = data::POOL[offset];
    let len = usize::from(head & 0xFF);
    Some((data::TAGS[usize::from(head >> 8)], &data::POOL[offset + 1..offset + 1 + len]))
}

fn utf16(units: &[u16]) -> impl Iterator<Item = u32> + '_ {
    char::decode_utf16(units.iter().copied())
        .map(|unit| unit.map_or_else(|e| u32::from(e.unpaired_surrogate()), u32::from))
}

/// `unicodedata.decomposition`: tag and code points in hexadecimal, empty when there is none (Hangul included).
pub fn decomposition(code: u32) -> String {
    let Some((tag, units)) = mapping(code) else { return String::new() };
    let mut text = String::from(tag);
    for part in utf16(units) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&format!("{part:04X}"));
    }
    text
}

/// The version of Unicode to normalise by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Latest,
    V3_2,
}

fn decompose_into(code: u32, compatibility: bool, version: Version, out: &mut Vec<u32>) {
    if version == Version::V3_2 {
        if version_3_2::is_newer(code) {
            return out.push(code);
        }
        if let Some(code) = version_3_2::correction(code) {
            return decompose_into(code, compatibility, version, out);
        }
    }
    if (HANGUL_FIRST..HANGUL_FIRST + HANGUL_COUNT).contains(&code) {
        let index = code - HANGUL_FIRST;
        out.push(LEAD + index / (VOWELS * TRAILS));
        out.push(VOWEL + index % (VOWELS * TRAILS) / TRAILS);
        if !index.is_multiple_of(TRAILS) {
            out.push(TRAIL + index % TRAILS);
        }
        return;
    }
    match mapping(code) {
        // A decomposition refers to characters further down only, so the recursion is a few levels deep.
        Some((tag, units)) if compatibility || tag.is_empty() => {
            utf16(units).for_each(|part| decompose_into(part, compatibility, version, out));
        }
        _ => out.push(code),
    }
}

/// Sorts each run of characters with a combining class by that class, stably.
fn reorder(codes: &mut [u32]) {
    let mut start = 0;
    while start < codes.len() {
        if combining(codes[start]) == 0 {
            start += 1;
            continue;
        }
        let end = codes[start..].iter().position(|&c| combining(c) == 0).map_or(codes.len(), |n| start + n);
        codes[start..end].sort_by_key(|&c| combining(c));
        start = end;
    }
}

fn compose_pair(first: u32, second: u32) -> Option<u32> {
    if (LEAD..LEAD + LEADS).contains(&first) && (VOWEL..VOWEL + VOWELS).contains(&second) {
        return Some(HANGUL_FIRST + ((first - LEAD) * VOWELS + (second - VOWEL)) * TRAILS);
    }
    if (HANGUL_FIRST..HANGUL_FIRST + HANGUL_COUNT).contains(&first)
        && (first - HANGUL_FIRST).is_multiple_of(TRAILS)
        && (TRAIL + 1..TRAIL + TRAILS).contains(&second)
    {
        return Some(first + (second - TRAIL));
    }
    let index = data::PAIRS.binary_search_by_key(&(first, second), |pair| (pair.0, pair.1)).ok()?;
    Some(data::PAIRS[index].2)
}

fn compose(codes: &mut Vec<u32>) {
    let mut kept = 0;
    let mut starter: Option<usize> = None;
    let mut last_class = 0;
    for index in 0..codes.len() {
        let code = codes[index];
        let class = combining(code);
        if let Some(at) = starter {
            // Blocked when a character between the starter and this one has a class that is not lower.
            let adjacent = at + 1 == kept;
            if (adjacent || (last_class != 0 && last_class < class))
                && let Some(composed) = compose_pair(codes[at], code)
            {
                codes[at] = composed;
                continue;
            }
        }
        codes[kept] = code;
        if class == 0 {
            starter = Some(kept);
        }
        last_class = class;
        kept += 1;
    }
    codes.truncate(kept);
}

/// The text in the normal form asked for.
pub fn normalize(form: Form, codes: impl Iterator<Item = u32>) -> Vec<u32> {
    normalize_by(Version::Latest, form, codes)
}

/// The text in the normal form asked for, as that version of Unicode has it.
pub fn normalize_by(version: Version, form: Form, codes: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut out = Vec::with_capacity(codes.size_hint().0);
    codes.for_each(|code| decompose_into(code, form.compatibility(), version, &mut out));
    reorder(&mut out);
    if form.composes() {
        compose(&mut out);
    }
    out
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuickCheck {
    Yes,
    Maybe,
    No,
}

fn quick_check_one(form: Form, code: u32) -> QuickCheck {
    let hangul = (HANGUL_FIRST..HANGUL_FIRST + HANGUL_COUNT).contains(&code);
    if !form.composes() {
        let changed = hangul || mapping(code).is_some_and(|(tag, _)| form.compatibility() || tag.is_empty());
        return if changed { QuickCheck::No } else { QuickCheck::Yes };
    }
    let index = data::NFC_NO.partition_point(|range| range.1 < code);
    if data::NFC_NO.get(index).is_some_and(|range| range.0 <= code)
        || (form.compatibility() && mapping(code).is_some_and(|(tag, _)| !tag.is_empty()))
    {
        return QuickCheck::No;
    }
    let jamo = (VOWEL..VOWEL + VOWELS).contains(&code) || (TRAIL + 1..TRAIL + TRAILS).contains(&code);
    if jamo || data::SECONDS.binary_search(&code).is_ok() {
        return QuickCheck::Maybe;
    }
    // A canonical composite whose own parts decompose under compatibility (U+1E9B) still changes in NFKC.
    if form.compatibility() && mapping(code).is_some() && normalize(form, std::iter::once(code)) != [code] {
        return QuickCheck::No;
    }
    QuickCheck::Yes
}

/// The quick check of Unicode's annex 15; `Maybe` means that only normalising tells.
pub fn quick_check(form: Form, codes: impl Iterator<Item = u32>) -> QuickCheck {
    let mut result = QuickCheck::Yes;
    let mut last_class = 0;
    for code in codes {
        if code < 0x80 {
            last_class = 0;
            continue;
        }
        let class = combining(code);
        if class != 0 && class < last_class {
            return QuickCheck::No;
        }
        match quick_check_one(form, code) {
            QuickCheck::No => return QuickCheck::No,
            QuickCheck::Maybe => result = QuickCheck::Maybe,
            QuickCheck::Yes => {}
        }
        last_class = class;
    }
    result
}

/// `unicodedata.is_normalized`.
pub fn is_normalized(form: Form, codes: impl Iterator<Item = u32> + Clone) -> bool {
    match quick_check(form, codes.clone()) {
        QuickCheck::Yes => true,
        QuickCheck::No => false,
        QuickCheck::Maybe => normalize(form, codes.clone()).into_iter().eq(codes),
    }
}
