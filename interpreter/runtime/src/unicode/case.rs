//! Case mappings: full ones as `str.lower` and its kin need them, simple ones for `re`.
//! CPython counterparts: `_PyUnicode_ToLowerFull` and neighbours, `do_title` and neighbours of `unicodeobject.c`.

use super::generated::case as data;
use super::{LIMIT, is_case_ignorable, is_cased, is_lower, is_upper};

/// The result of a full mapping: one to three code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    codes: [u32; 3],
    len: u8,
}

impl Mapped {
    #[inline]
    fn one(code: u32) -> Mapped {
        Mapped { codes: [code, 0, 0], len: 1 }
    }

    #[inline]
    pub fn as_slice(&self) -> &[u32] {
        &self.codes[..self.len as usize]
    }
}

#[inline]
fn record(code: u32) -> &'static (i32, i32, i32, i32) {
    let code = if code < LIMIT { code } else { LIMIT - 1 } as usize;
    let block = data::RECORD_FIRST[code >> data::RECORD_SHIFT] as usize;
    let low = code & ((1 << data::RECORD_SHIFT) - 1);
    &data::RECORDS[data::RECORD_SECOND[(block << data::RECORD_SHIFT) + low] as usize]
}

fn apply(code: u32, entry: i32) -> Mapped {
    if entry < LIMIT as i32 {
        return Mapped::one(code.wrapping_add_signed(entry));
    }
    let packed = (entry - LIMIT as i32) as usize;
    let (offset, len) = (packed >> 2, packed & 3);
    let mut codes = [0; 3];
    for (to, from) in codes.iter_mut().zip(&data::POOL[offset..offset + len]) {
        *to = u32::from(*from);
    }
    Mapped { codes, len: len as u8 }
}

/// CPython's simple mappings are the first character of the full ones.
fn first(code: u32, entry: i32) -> u32 {
    if entry < LIMIT as i32 {
        code.wrapping_add_signed(entry)
    } else {
        u32::from(data::POOL[(entry - LIMIT as i32) as usize >> 2])
    }
}

pub fn lower(code: u32) -> Mapped {
    apply(code, record(code).0)
}

pub fn upper(code: u32) -> Mapped {
    apply(code, record(code).1)
}

pub fn title(code: u32) -> Mapped {
    apply(code, record(code).2)
}

pub fn fold(code: u32) -> Mapped {
    apply(code, record(code).3)
}

#[inline]
pub fn simple_lower(code: u32) -> u32 {
    first(code, record(code).0)
}

#[inline]
pub fn simple_upper(code: u32) -> u32 {
    first(code, record(code).1)
}

#[inline]
pub fn simple_title(code: u32) -> u32 {
    first(code, record(code).2)
}

const SIGMA: u32 = 0x3A3;
const FINAL_SIGMA: u32 = 0x3C2;
const SMALL_SIGMA: u32 = 0x3C3;

/// Which small sigma the capital sigma at `index` becomes: the final one after a cased letter with no cased letter
/// behind it, case-ignorable characters skipped.
fn sigma(text: &impl Fn(usize) -> u32, len: usize, index: usize) -> u32 {
    let before = (0..index).rev().map(text).find(|&code| !is_case_ignorable(code));
    if !before.is_some_and(is_cased) {
        return SMALL_SIGMA;
    }
    let after = (index + 1..len).map(text).find(|&code| !is_case_ignorable(code));
    if after.is_some_and(is_cased) { SMALL_SIGMA } else { FINAL_SIGMA }
}

fn lower_at(text: &impl Fn(usize) -> u32, len: usize, index: usize) -> Mapped {
    let code = text(index);
    if code == SIGMA { Mapped::one(sigma(text, len, index)) } else { lower(code) }
}

/// `str.lower` of the `len` code points that `text` yields by index.
pub fn lower_text(text: impl Fn(usize) -> u32, len: usize, mut out: impl FnMut(u32)) {
    for index in 0..len {
        lower_at(&text, len, index).as_slice().iter().for_each(|&c| out(c));
    }
}

pub fn upper_text(text: impl Fn(usize) -> u32, len: usize, mut out: impl FnMut(u32)) {
    for index in 0..len {
        upper(text(index)).as_slice().iter().for_each(|&c| out(c));
    }
}

pub fn fold_text(text: impl Fn(usize) -> u32, len: usize, mut out: impl FnMut(u32)) {
    for index in 0..len {
        fold(text(index)).as_slice().iter().for_each(|&c| out(c));
    }
}

pub fn title_text(text: impl Fn(usize) -> u32, len: usize, mut out: impl FnMut(u32)) {
    let mut previous_cased = false;
    for index in 0..len {
        let code = text(index);
        let mapped = if previous_cased { lower_at(&text, len, index) } else { title(code) };
        mapped.as_slice().iter().for_each(|&c| out(c));
        previous_cased = is_cased(code);
    }
}

pub fn capitalize_text(text: impl Fn(usize) -> u32, len: usize, mut out: impl FnMut(u32)) {
    for index in 0..len {
        let mapped = if index == 0 { title(text(0)) } else { lower_at(&text, len, index) };
        mapped.as_slice().iter().for_each(|&c| out(c));
    }
}

pub fn swapcase_text(text: impl Fn(usize) -> u32, len: usize, mut out: impl FnMut(u32)) {
    for index in 0..len {
        let code = text(index);
        let mapped = if is_upper(code) {
            lower_at(&text, len, index)
        } else if is_lower(code) {
            upper(code)
        } else {
            Mapped::one(code)
        };
        mapped.as_slice().iter().for_each(|&c| out(c));
    }
}
