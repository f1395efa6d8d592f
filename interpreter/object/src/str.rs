//! `Str`: the storage of Python strings (PEP 393): one, two or four bytes a code point, immutable, with a cached hash.
//! Methods are in `runtime/src/types/str`. Lone surrogates are code points like any other.
use std::borrow::Cow;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering::*};

use crate::builtin_types::STR;
use crate::header::{Header, flag};
use crate::refs::{Object, Payload, Ref, new_variable};
use crate::trace::{Trace, Tracer};
use crate::type_object::TypeObject;
use crate::value::Value;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// All below 0x80: the bytes are UTF-8.
    Ascii,
    /// One byte a code point, at least one at or above 0x80.
    Latin1,
    Ucs2,
    Ucs4,
}
impl Kind {
    pub const fn width(self) -> usize {
        match self {
            Kind::Ascii | Kind::Latin1 => 1,
            Kind::Ucs2 => 2,
            Kind::Ucs4 => 4,
        }
    }
    /// The narrowest kind that holds `max`.
    pub const fn for_max(max: u32) -> Kind {
        match max {
            0..=0x7F => Kind::Ascii,
            0x80..=0xFF => Kind::Latin1,
            0x100..=0xFFFF => Kind::Ucs2,
            _ => Kind::Ucs4,
        }
    }
}

/// The code units of a string.
#[derive(Clone, Copy, Debug)]
pub enum StrData<'a> {
    Ascii(&'a [u8]),
    Latin1(&'a [u8]),
    Ucs2(&'a [u16]),
    Ucs4(&'a [u32]),
}

#[repr(C)]
pub struct Str {
    /// Hash plus one; 0 = not computed.
    hash: AtomicU64,
    len: usize,
    kind: Kind,
}

// SAFETY: STR is built with this payload's vtable.
unsafe impl Payload for Str {
    #[inline(always)]
    fn class() -> &'static TypeObject {
        &STR
    }
}
// SAFETY: holds no reference.
unsafe impl Trace for Str {
    const TRACED: bool = false;
    fn trace(&self, _: &mut Tracer<'_>) {}
}

/// # Safety
/// `h` is a live string.
pub(crate) unsafe fn block_len(h: *const Header) -> usize {
    // SAFETY: by the caller's promise.
    let s = unsafe { &(*h.cast::<Object<Str>>()).payload };
    size_of::<Object<Str>>() + s.len * s.kind.width()
}

fn max_of(units: impl Iterator<Item = u32>) -> u32 {
    // The union of the bits has the same narrowest kind as the maximum, and vectorises.
    units.fold(0, |a, b| a | b)
}

impl Str {
    pub fn new(text: &str) -> Ref<Str> {
        if text.is_ascii() {
            return Self::from_units(Kind::Ascii, text.as_bytes());
        }
        let points: Vec<u32> = text.chars().map(u32::from).collect();
        Self::from_points(&points)
    }
    /// From code points, each at most 0x10FFFF, in the narrowest kind.
    pub fn from_points(points: &[u32]) -> Ref<Str> {
        match Kind::for_max(max_of(points.iter().copied())) {
            kind @ (Kind::Ascii | Kind::Latin1) => {
                Self::from_units(kind, &points.iter().map(|&c| c as u8).collect::<Vec<_>>())
            }
            Kind::Ucs2 => Self::from_units(Kind::Ucs2, &points.iter().map(|&c| c as u16).collect::<Vec<_>>()),
            Kind::Ucs4 => Self::from_units(Kind::Ucs4, points),
        }
    }
    /// From bytes that are code points below 0x100.
    pub fn from_latin1(bytes: &[u8]) -> Ref<Str> {
        let kind = if bytes.is_ascii() { Kind::Ascii } else { Kind::Latin1 };
        Self::from_units(kind, bytes)
    }
    pub fn from_ucs2(units: &[u16]) -> Ref<Str> {
        match Kind::for_max(max_of(units.iter().map(|&c| c.into()))) {
            kind @ (Kind::Ascii | Kind::Latin1) => {
                Self::from_units(kind, &units.iter().map(|&c| c as u8).collect::<Vec<_>>())
            }
            _ => Self::from_units(Kind::Ucs2, units),
        }
    }
    /// From generalized UTF-8, in which surrogates are encoded as three bytes; what is no such sequence becomes U+FFFD.
    pub fn from_wtf8(bytes: &[u8]) -> Ref<Str> {
        match std::str::from_utf8(bytes) {
            Ok(s) => Self::new(s),
            Err(_) => Self::from_points(&decode_wtf8(bytes)),
        }
    }
    /// A one-character string.
    pub fn from_point(c: u32) -> Ref<Str> {
        crate::intern::single(c).unwrap_or_else(|| Self::from_points(&[c]))
    }
    pub fn empty() -> Ref<Str> {
        crate::intern::empty()
    }
    fn from_units<T: Copy>(kind: Kind, units: &[T]) -> Ref<Str> {
        match Self::try_from_units(kind, units, &STR) {
            Some(s) => s,
            None => std::alloc::handle_alloc_error(std::alloc::Layout::new::<Str>()),
        }
    }
    fn try_from_units<T: Copy>(kind: Kind, units: &[T], class: &TypeObject) -> Option<Ref<Str>> {
        debug_assert!(size_of::<T>() == kind.width());
        let payload = Str { hash: AtomicU64::new(0), len: units.len(), kind };
        let object = new_variable(payload, std::mem::size_of_val(units), class)?;
        // SAFETY: the block has room for the units behind the payload; the new reference owns the object.
        unsafe {
            let data = object.as_ptr().add(1).cast::<T>();
            std::ptr::copy_nonoverlapping(units.as_ptr(), data, units.len());
            Some(Ref::from_bits(object.as_ptr() as u64))
        }
    }
    /// A copy as an instance of `class`, a subclass of `str`.
    pub fn with_class(&self, class: &TypeObject) -> Option<Ref<Str>> {
        let made = match self.data() {
            StrData::Ascii(u) | StrData::Latin1(u) => Self::try_from_units(self.kind, u, class),
            StrData::Ucs2(u) => Self::try_from_units(self.kind, u, class),
            StrData::Ucs4(u) => Self::try_from_units(self.kind, u, class),
        }?;
        crate::refs::publish_variable(made.object());
        Some(made)
    }
    /// Whether this is the one object with its text (see `intern`).
    pub fn is_interned(&self) -> bool {
        let object = std::ptr::from_ref(self).wrapping_byte_sub(size_of::<Header>()).cast::<Header>();
        // SAFETY: a `Str` exists only as the payload behind an object's header.
        unsafe { &*object }.flags() & flag::INTERNED != 0
    }
    /// Length in code points.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    #[inline(always)]
    pub fn kind(&self) -> Kind {
        self.kind
    }
    #[inline(always)]
    pub fn data(&self) -> StrData<'_> {
        let start = std::ptr::from_ref(self).wrapping_add(1);
        // SAFETY: `len` units of the kind's width follow the payload, as `try_from_units` wrote them.
        unsafe {
            match self.kind {
                Kind::Ascii => StrData::Ascii(std::slice::from_raw_parts(start.cast(), self.len)),
                Kind::Latin1 => StrData::Latin1(std::slice::from_raw_parts(start.cast(), self.len)),
                Kind::Ucs2 => StrData::Ucs2(std::slice::from_raw_parts(start.cast(), self.len)),
                Kind::Ucs4 => StrData::Ucs4(std::slice::from_raw_parts(start.cast(), self.len)),
            }
        }
    }
    /// The text, where all of it is ASCII.
    #[inline(always)]
    pub fn as_ascii(&self) -> Option<&str> {
        match self.data() {
            // SAFETY: ASCII bytes are UTF-8.
            StrData::Ascii(b) => Some(unsafe { std::str::from_utf8_unchecked(b) }),
            _ => None,
        }
    }
    /// As Rust text; `None` where a lone surrogate stands in it.
    pub fn to_utf8(&self) -> Option<Cow<'_, str>> {
        match self.as_ascii() {
            Some(s) => Some(Cow::Borrowed(s)),
            None => self.iter().map(char::from_u32).collect::<Option<String>>().map(Cow::Owned),
        }
    }
    /// As Rust text, with U+FFFD for lone surrogates: for messages only.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        match self.as_ascii() {
            Some(s) => Cow::Borrowed(s),
            None => Cow::Owned(self.iter().map(|c| char::from_u32(c).unwrap_or('\u{FFFD}')).collect()),
        }
    }
    /// As generalized UTF-8 (surrogates as three bytes): loses nothing.
    pub fn to_wtf8(&self) -> Cow<'_, [u8]> {
        match self.as_ascii() {
            Some(s) => Cow::Borrowed(s.as_bytes()),
            None => {
                let mut out = Vec::with_capacity(self.len * 2);
                self.iter().for_each(|c| push_wtf8(&mut out, c));
                Cow::Owned(out)
            }
        }
    }
    /// The code point at `i`.
    #[inline]
    pub fn get(&self, i: usize) -> Option<u32> {
        match self.data() {
            StrData::Ascii(u) | StrData::Latin1(u) => u.get(i).map(|&c| c.into()),
            StrData::Ucs2(u) => u.get(i).map(|&c| c.into()),
            StrData::Ucs4(u) => u.get(i).copied(),
        }
    }
    pub fn iter(&self) -> Points<'_> {
        Points { data: self.data(), at: 0, end: self.len }
    }
    /// The code points `from..to`; both are clamped to the length.
    pub fn slice(&self, from: usize, to: usize) -> Ref<Str> {
        let to = to.min(self.len);
        let from = from.min(to);
        match to - from {
            0 => return Self::empty(),
            1 => return Self::from_point(self.get(from).unwrap_or(0)),
            _ => {}
        }
        match self.data() {
            StrData::Ascii(u) => Self::from_units(Kind::Ascii, &u[from..to]),
            StrData::Latin1(u) => Self::from_latin1(&u[from..to]),
            StrData::Ucs2(u) => Self::from_ucs2(&u[from..to]),
            StrData::Ucs4(u) => Self::from_points(&u[from..to]),
        }
    }
    pub fn concat(&self, other: &Str) -> Option<Ref<Str>> {
        if let (Some(a), Some(b)) = (self.as_ascii(), other.as_ascii()) {
            return Self::from_ascii_pieces(a.len().checked_add(b.len())?, [a, b]);
        }
        let total = self.len.checked_add(other.len)?;
        let mut out = StrBuilder::new();
        out.try_reserve(total, self.kind.max(other.kind)).ok()?;
        out.push_str(self);
        out.push_str(other);
        Some(out.finish())
    }
    /// Pieces of ASCII text behind each other, `total` bytes together; `None` without memory.
    #[inline]
    pub fn from_ascii_pieces<'a>(total: usize, pieces: impl IntoIterator<Item = &'a str>) -> Option<Ref<Str>> {
        match total {
            0 => return Some(Self::empty()),
            1 => return Some(Self::from_point(pieces.into_iter().flat_map(str::bytes).next().unwrap_or(0).into())),
            _ => {}
        }
        let object = new_variable(Str { hash: AtomicU64::new(0), len: total, kind: Kind::Ascii }, total, &STR)?;
        let mut left = total;
        // SAFETY: the block has room for `total` bytes behind the payload, which the pieces fill: what they have beyond is not
        // written, and what they lack is zero.
        unsafe {
            let mut to = object.as_ptr().add(1).cast::<u8>();
            for piece in pieces {
                debug_assert!(piece.is_ascii());
                let n = piece.len().min(left);
                std::ptr::copy_nonoverlapping(piece.as_ptr(), to, n);
                to = to.add(n);
                left -= n;
            }
            to.write_bytes(0, left);
            Some(Ref::from_bits(object.as_ptr() as u64))
        }
    }
    /// The parts with the separator between them, put together at once; `None` where a part is no `str`, one of them has more
    /// than a byte a code point, or there is no memory.
    pub fn join_narrow(separator: &Str, parts: &[Value]) -> Option<Ref<Str>> {
        let bytes = |text: &'_ Str| match text.data() {
            StrData::Ascii(u) | StrData::Latin1(u) => Some((u.as_ptr(), u.len())),
            _ => None,
        };
        let (between, gap) = bytes(separator)?;
        let mut kind = if parts.len() > 1 { separator.kind } else { Kind::Ascii };
        let mut total = gap.checked_mul(parts.len().checked_sub(1)?)?;
        for part in parts {
            let text = part.downcast_ref::<Str>()?;
            kind = kind.max(text.kind);
            total = total.checked_add(text.len)?;
        }
        if kind.width() > 1 || total < 2 || parts.len() < 2 {
            return None;
        }
        let object = new_variable(Str { hash: AtomicU64::new(0), len: total, kind }, total, &STR)?;
        // SAFETY: the block has room for `total` bytes behind the payload, which the parts and what is between them fill;
        // they have not changed since they were added up, as strings do not.
        unsafe {
            let mut to = object.as_ptr().add(1).cast::<u8>();
            for (i, part) in parts.iter().enumerate() {
                if i > 0 {
                    std::ptr::copy_nonoverlapping(between, to, gap);
                    to = to.add(gap);
                }
                if let Some((from, n)) = part.downcast_ref::<Str>().and_then(bytes) {
                    std::ptr::copy_nonoverlapping(from, to, n);
                    to = to.add(n);
                }
            }
            Some(Ref::from_bits(object.as_ptr() as u64))
        }
    }
    /// `text` with `other` behind it, in the same memory as far as that can grow: only for a long string that nobody else
    /// refers to, so that building a string piece by piece takes time in proportion to its length. `Err`: as it was.
    pub fn append(text: Ref<Str>, other: &Str) -> Result<Ref<Str>, Ref<Str>> {
        let header = NonNull::from(&text.object().header);
        let (kind, len, more) = (text.kind, text.len, other.len);
        let alone = text.as_value().is_exact(&STR) && text.as_value().is_unique() && !text.is_interned();
        // A block of its own, and units that hold those of `other`.
        if !alone || crate::header::multi() || other.kind > kind || std::ptr::eq(&*text, other) {
            return Err(text);
        }
        // SAFETY: the object is live and a `str`.
        let old = unsafe { crate::refs::block_size(header, &STR) };
        if !crate::heap::is_large(old) {
            return Err(text);
        }
        let Some(size) = len.checked_add(more).and_then(|n| n.checked_mul(kind.width())) else { return Err(text) };
        let Some(size) = size.checked_add(size_of::<Object<Str>>() + 7) else { return Err(text) };
        // SAFETY: the one reference is `text`, which is given up for the block that comes back.
        unsafe {
            let Some(block) = crate::heap::grow(header.cast(), old, size & !7) else { return Err(text) };
            std::mem::forget(text);
            let object = block.cast::<Object<Str>>().as_ptr();
            (*object).payload.hash = AtomicU64::new(0);
            let end = object.add(1).cast::<u8>().add(len * kind.width());
            match (kind.width(), other.data()) {
                (1, StrData::Ascii(u) | StrData::Latin1(u)) => std::ptr::copy_nonoverlapping(u.as_ptr(), end, u.len()),
                (1, _) => unreachable!("the other's kind is not wider"),
                (2, _) => other.copy_units(end.cast::<u16>()),
                (_, _) => other.copy_units(end.cast::<u32>()),
            }
            (*object).payload.len = len + more;
            Ok(Ref::from_bits(object as u64))
        }
    }
    /// # Safety
    /// There is room for all units at `to`, and `T` holds them.
    unsafe fn copy_units<T: TryFrom<u32>>(&self, to: *mut T) {
        for (i, c) in self.iter().enumerate() {
            if let Ok(unit) = T::try_from(c) {
                // SAFETY: by the caller's promise.
                unsafe { to.add(i).write(unit) }
            }
        }
    }
    pub fn repeat(&self, n: usize) -> Option<Ref<Str>> {
        fn fill<T: Copy>(kind: Kind, unit: &[T], n: usize) -> Option<Ref<Str>> {
            let mut out = Vec::new();
            out.try_reserve_exact(unit.len().checked_mul(n)?).ok()?;
            (0..n).for_each(|_| out.extend_from_slice(unit));
            Str::try_from_units(kind, &out, &STR)
        }
        match self.data() {
            StrData::Ascii(u) | StrData::Latin1(u) => fill(self.kind, u, n),
            StrData::Ucs2(u) => fill(self.kind, u, n),
            StrData::Ucs4(u) => fill(self.kind, u, n),
        }
    }
    /// Python's `hash`, cached.
    #[inline]
    pub fn hash(&self) -> i64 {
        let h = self.hash.load(Relaxed);
        if h != 0 {
            return h.wrapping_sub(1) as i64;
        }
        self.compute_hash()
    }
    #[cold]
    fn compute_hash(&self) -> i64 {
        let h = match self.data() {
            StrData::Ascii(u) | StrData::Latin1(u) => crate::hash::bytes(u),
            StrData::Ucs2(u) => crate::hash::bytes(&u.iter().flat_map(|c| c.to_ne_bytes()).collect::<Vec<_>>()),
            StrData::Ucs4(u) => crate::hash::bytes(&u.iter().flat_map(|c| c.to_ne_bytes()).collect::<Vec<_>>()),
        };
        self.hash.store((h as u64).wrapping_add(1), Relaxed);
        h
    }
    /// Equality of content.
    #[inline]
    pub fn equals(&self, other: &Str) -> bool {
        if std::ptr::eq(self, other) {
            return true;
        }
        if self.len != other.len || self.kind != other.kind {
            return false;
        }
        match (self.data(), other.data()) {
            (StrData::Ascii(a), StrData::Ascii(b)) | (StrData::Latin1(a), StrData::Latin1(b)) => a == b,
            (StrData::Ucs2(a), StrData::Ucs2(b)) => a == b,
            (StrData::Ucs4(a), StrData::Ucs4(b)) => a == b,
            _ => false,
        }
    }
    pub fn eq_str(&self, text: &str) -> bool {
        match self.as_ascii() {
            Some(s) => s == text,
            None => self.iter().eq(text.chars().map(u32::from)),
        }
    }
    /// Order by code points.
    pub fn order(&self, other: &Str) -> std::cmp::Ordering {
        match (self.data(), other.data()) {
            (StrData::Ascii(a) | StrData::Latin1(a), StrData::Ascii(b) | StrData::Latin1(b)) => a.cmp(b),
            _ => self.iter().cmp(other.iter()),
        }
    }
}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Kind {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (*self as u8).cmp(&(*other as u8))
    }
}

impl Ref<Str> {
    #[inline(always)]
    pub fn is_interned(&self) -> bool {
        self.object().header.flags() & flag::INTERNED != 0
    }
}
impl std::fmt::Display for Str {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_string_lossy())
    }
}

impl std::fmt::Display for Ref<Str> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

/// Iterates over code points from both ends.
#[derive(Clone)]
pub struct Points<'a> {
    data: StrData<'a>,
    at: usize,
    end: usize,
}
impl Points<'_> {
    #[inline(always)]
    fn unit(&self, i: usize) -> u32 {
        match self.data {
            StrData::Ascii(u) | StrData::Latin1(u) => u[i].into(),
            StrData::Ucs2(u) => u[i].into(),
            StrData::Ucs4(u) => u[i],
        }
    }
}
impl Iterator for Points<'_> {
    type Item = u32;
    #[inline(always)]
    fn next(&mut self) -> Option<u32> {
        if self.at == self.end {
            return None;
        }
        self.at += 1;
        Some(self.unit(self.at - 1))
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.at, Some(self.end - self.at))
    }
}
impl DoubleEndedIterator for Points<'_> {
    fn next_back(&mut self) -> Option<u32> {
        if self.at == self.end {
            return None;
        }
        self.end -= 1;
        Some(self.unit(self.end))
    }
}
impl ExactSizeIterator for Points<'_> {}

/// Appends one code point as generalized UTF-8.
pub fn push_wtf8(out: &mut Vec<u8>, c: u32) {
    match c {
        0..=0x7F => out.push(c as u8),
        0x80..=0x7FF => out.extend([0xC0 | (c >> 6) as u8, 0x80 | (c & 63) as u8]),
        0x800..=0xFFFF => out.extend([0xE0 | (c >> 12) as u8, 0x80 | (c >> 6 & 63) as u8, 0x80 | (c & 63) as u8]),
        _ => out.extend([
            0xF0 | (c >> 18) as u8,
            0x80 | (c >> 12 & 63) as u8,
            0x80 | (c >> 6 & 63) as u8,
            0x80 | (c & 63) as u8,
        ]),
    }
}
fn decode_wtf8(bytes: &[u8]) -> Vec<u32> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let b = bytes[i];
        let (n, first) = match b {
            0..=0x7F => (0, u32::from(b)),
            0xC2..=0xDF => (1, u32::from(b & 31)),
            0xE0..=0xEF => (2, u32::from(b & 15)),
            0xF0..=0xF4 => (3, u32::from(b & 7)),
            _ => (0, 0xFFFD),
        };
        match bytes.get(i + 1..=i + n) {
            Some(rest) if rest.iter().all(|r| r & 0xC0 == 0x80) => {
                out.push(rest.iter().fold(first, |c, r| c << 6 | u32::from(r & 63)));
                i += n + 1;
            }
            _ => {
                out.push(0xFFFD);
                i += 1;
            }
        }
    }
    out
}

/// Builds a string of any kind; starts narrow and widens when it must.
#[derive(Default)]
pub struct StrBuilder {
    units: Units,
}
enum Units {
    /// With the union of all bytes, to tell ASCII from Latin-1.
    One(Vec<u8>, u8),
    Two(Vec<u16>),
    Four(Vec<u32>),
}
impl Default for Units {
    fn default() -> Self {
        Units::One(Vec::new(), 0)
    }
}
impl StrBuilder {
    pub fn new() -> Self {
        Self::default()
    }
    pub fn with_capacity(n: usize) -> Self {
        StrBuilder { units: Units::One(Vec::with_capacity(n), 0) }
    }
    /// Room for `n` more code points, already in `kind`.
    pub fn try_reserve(&mut self, n: usize, kind: Kind) -> Result<(), std::collections::TryReserveError> {
        match kind {
            Kind::Ucs2 => self.widen(0x100),
            Kind::Ucs4 => self.widen(0x10000),
            _ => {}
        }
        match &mut self.units {
            Units::One(v, _) => v.try_reserve(n),
            Units::Two(v) => v.try_reserve(n),
            Units::Four(v) => v.try_reserve(n),
        }
    }
    pub fn len(&self) -> usize {
        match &self.units {
            Units::One(v, _) => v.len(),
            Units::Two(v) => v.len(),
            Units::Four(v) => v.len(),
        }
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    fn widen(&mut self, max: u32) {
        self.units = match (std::mem::take(&mut self.units), max) {
            (Units::One(v, _), 0x100..=0xFFFF) => Units::Two(v.into_iter().map(u16::from).collect()),
            (Units::One(v, _), 0x10000..) => Units::Four(v.into_iter().map(u32::from).collect()),
            (Units::Two(v), 0x10000..) => Units::Four(v.into_iter().map(u32::from).collect()),
            (same, _) => same,
        };
    }
    #[inline]
    pub fn push(&mut self, c: u32) {
        match &mut self.units {
            Units::One(v, union) if c < 0x100 => {
                v.push(c as u8);
                *union |= c as u8;
            }
            Units::Two(v) if c < 0x10000 => v.push(c as u16),
            Units::Four(v) => v.push(c),
            _ => {
                self.widen(c);
                self.push(c);
            }
        }
    }
    pub fn push_char(&mut self, c: char) {
        self.push(c.into());
    }
    pub fn push_text(&mut self, text: &str) {
        if text.is_ascii()
            && let Units::One(v, _) = &mut self.units
        {
            v.extend_from_slice(text.as_bytes());
            return;
        }
        text.chars().for_each(|c| self.push(c.into()));
    }
    pub fn push_str(&mut self, s: &Str) {
        match (&mut self.units, s.data()) {
            (Units::One(v, _), StrData::Ascii(u)) => v.extend_from_slice(u),
            (Units::One(v, union), StrData::Latin1(u)) => {
                v.extend_from_slice(u);
                *union |= 0x80;
            }
            (Units::Two(v), StrData::Ucs2(u)) => v.extend_from_slice(u),
            (Units::Four(v), StrData::Ucs4(u)) => v.extend_from_slice(u),
            (Units::One(..), StrData::Ucs2(_)) => {
                self.widen(0x100);
                self.push_str(s);
            }
            (Units::One(..) | Units::Two(_), StrData::Ucs4(_)) => {
                self.widen(0x10000);
                self.push_str(s);
            }
            (Units::Two(v), StrData::Ascii(u) | StrData::Latin1(u)) => v.extend(u.iter().map(|&c| u16::from(c))),
            (Units::Four(v), StrData::Ascii(u) | StrData::Latin1(u)) => v.extend(u.iter().map(|&c| u32::from(c))),
            (Units::Four(v), StrData::Ucs2(u)) => v.extend(u.iter().map(|&c| u32::from(c))),
        }
    }
    pub fn push_points(&mut self, points: impl IntoIterator<Item = u32>) {
        points.into_iter().for_each(|c| self.push(c));
    }
    pub fn finish(self) -> Ref<Str> {
        if self.is_empty() {
            return Str::empty();
        }
        match self.units {
            Units::One(v, union) => Str::from_units(if union < 0x80 { Kind::Ascii } else { Kind::Latin1 }, &v),
            Units::Two(v) => Str::from_ucs2(&v),
            Units::Four(v) => Str::from_points(&v),
        }
    }
}
impl std::fmt::Write for StrBuilder {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        self.push_text(s);
        Ok(())
    }
}
