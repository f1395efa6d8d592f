//! Singletons and interning: equal identifiers are one object, so that attribute and name lookups compare addresses.
//! Interned strings are immortal.
use std::hash::BuildHasher;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::sync::{LazyLock, Mutex, MutexGuard, OnceLock};

use hashbrown::HashTable;

use crate::builtin_types::{BYTES, TUPLE};
use crate::bytes::Bytes;
use crate::header::flag;
use crate::refs::Ref;
use crate::str::Str;
use crate::tuple::Tuple;

/// Interned strings, by their text as WTF-8. Start-up interns nearly four thousand.
struct Table {
    strings: HashTable<Ref<Str>>,
    hasher: foldhash::fast::RandomState,
}
static TABLE: LazyLock<Mutex<Table>> = LazyLock::new(|| {
    Mutex::new(Table { strings: HashTable::with_capacity(4000), hasher: foldhash::fast::RandomState::default() })
});
fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(|e| e.into_inner())
}
impl Table {
    fn find(&self, key: &[u8]) -> Option<&Ref<Str>> {
        self.strings.find(self.hasher.hash_one(key), |s| match s.as_ascii() {
            Some(text) => text.as_bytes() == key,
            None => *s.to_wtf8() == *key,
        })
    }
    fn insert(&mut self, key: &[u8], s: Ref<Str>) {
        let hasher = &self.hasher;
        self.strings.insert_unique(hasher.hash_one(key), s, |s| hasher.hash_one(&*s.to_wtf8()));
    }
}

fn enter(key: &[u8], make: impl FnOnce() -> Ref<Str>) -> Ref<Str> {
    let mut table = table();
    if let Some(s) = table.find(key) {
        return s.clone();
    }
    let s = make();
    s.object().header.make_immortal();
    s.object().header.set_flag(flag::INTERNED);
    s.hash();
    table.insert(key, s.clone());
    s
}

/// Strings interned lately, by the address of the text that was asked for: most texts are constants of the program.
static RECENT: [AtomicU64; 1024] = [const { AtomicU64::new(0) }; 1024];

/// The one string object with this text.
pub fn intern(text: &str) -> Ref<Str> {
    let mixed = (text.as_ptr() as u64 ^ (text.len() as u64) << 48).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let recent = &RECENT[(mixed >> 54) as usize];
    let bits = recent.load(Acquire);
    if bits != 0 {
        // SAFETY: interned strings are immortal.
        let held = ManuallyDrop::new(unsafe { Ref::<Str>::from_bits(bits) });
        if held.as_ascii() == Some(text) {
            return Ref::clone(&held);
        }
    }
    let interned = enter(text.as_bytes(), || Str::new(text));
    recent.store(interned.address() as u64, Release);
    interned
}
/// The one string object equal to `s`, an exact `str` (itself, if it is the first). Instances of subclasses are copied.
pub fn intern_ref(s: &Ref<Str>) -> Ref<Str> {
    if s.is_interned() {
        return s.clone();
    }
    enter(&s.to_wtf8(), || if s.as_value().is_exact(&crate::builtin_types::STR) { s.clone() } else { s.slice_all() })
}
/// The interned string equal to `s`, if there is one.
pub fn find(s: &Ref<Str>) -> Option<Ref<Str>> {
    if s.is_interned() {
        return Some(s.clone());
    }
    table().find(&s.to_wtf8()).cloned()
}
impl Str {
    fn slice_all(&self) -> Ref<Str> {
        Str::from_points(&self.iter().collect::<Vec<_>>())
    }
}

/// The string of one Latin-1 character; `None` for others.
pub fn single(c: u32) -> Option<Ref<Str>> {
    static SINGLES: OnceLock<Vec<Ref<Str>>> = OnceLock::new();
    if c > 0xFF {
        return None;
    }
    let all = SINGLES.get_or_init(|| {
        (0..=0xFFu32).map(|c| intern(char::from_u32(c).unwrap_or('\0').encode_utf8(&mut [0; 4]))).collect()
    });
    Some(all[c as usize].clone())
}
pub fn empty() -> Ref<Str> {
    static EMPTY: OnceLock<Ref<Str>> = OnceLock::new();
    EMPTY.get_or_init(|| intern("")).clone()
}
pub fn empty_tuple() -> Ref<Tuple> {
    static EMPTY: OnceLock<Ref<Tuple>> = OnceLock::new();
    EMPTY
        .get_or_init(|| {
            let t = Tuple::allocate(std::iter::empty(), &TUPLE).expect("memory for the empty tuple");
            t.object().header.make_immortal();
            t
        })
        .clone()
}
/// `bytes` of length 0 or 1.
pub(crate) fn small_bytes(data: &[u8]) -> Ref<Bytes> {
    static SMALL: OnceLock<Vec<Ref<Bytes>>> = OnceLock::new();
    let all = SMALL.get_or_init(|| {
        (0..=256usize)
            .map(|i| {
                let data: &[u8] = if i == 256 { &[] } else { &[i as u8] };
                let b = Bytes::allocate(data, &BYTES).expect("memory for the singletons");
                b.object().header.make_immortal();
                b
            })
            .collect()
    });
    all[data.first().map_or(256, |&b| b as usize)].clone()
}
/// How many strings are interned.
pub fn interned_count() -> usize {
    table().strings.len()
}
