//! Hashing as CPython hashes: SipHash-1-3 for text and bytes with the seed expansion of `PYTHONHASHSEED`, modular
//! arithmetic for numbers, so that equal numbers of different types hash equal.
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;

use num_bigint::BigInt;
use num_traits::ToPrimitive;

/// The Mersenne prime that numbers are reduced by.
pub const MODULUS: u64 = (1 << 61) - 1;
pub const INF: i64 = 314_159;

static KEY: OnceLock<(u64, u64)> = OnceLock::new();

/// Fixes the key: `Some(0)` disables randomisation, `Some(n)` is a given seed, `None` asks the system. Only the first call
/// in a process counts.
pub fn set_seed(seed: Option<u32>) {
    let _ = KEY.get_or_init(|| match seed {
        Some(0) => (0, 0),
        Some(n) => {
            // The linear congruential generator by which CPython expands a seed.
            let mut x = n;
            let mut bytes = [0u8; 16];
            for b in &mut bytes {
                x = x.wrapping_mul(214_013).wrapping_add(2_531_011);
                *b = (x >> 16) as u8;
            }
            let half = |at: usize| bytes[at..at + 8].iter().rev().fold(0u64, |k, &b| k << 8 | u64::from(b));
            (half(0), half(8))
        }
        None => random_key(),
    });
}
fn random_key() -> (u64, u64) {
    use std::hash::{BuildHasher, RandomState};
    let word = || RandomState::new().hash_one(0u8);
    (word(), word())
}

/// The hash of a byte string; never -1.
pub fn bytes(data: &[u8]) -> i64 {
    if data.is_empty() {
        return 0;
    }
    let &(k0, k1) = KEY.get_or_init(random_key);
    let mut h = siphasher::sip::SipHasher13::new_with_keys(k0, k1);
    h.write(data);
    fix(h.finish() as i64)
}
/// -1 is reserved.
pub fn fix(h: i64) -> i64 {
    if h == -1 { -2 } else { h }
}
pub fn int(i: i64) -> i64 {
    let m = (i.unsigned_abs() % MODULUS) as i64;
    fix(if i < 0 { -m } else { m })
}
pub fn bigint(i: &BigInt) -> i64 {
    let m = (i.magnitude() % MODULUS).to_i64().unwrap_or(0);
    fix(if i.sign() == num_bigint::Sign::Minus { -m } else { m })
}
/// The hash of a float that is not a NaN.
pub fn float(f: f64) -> i64 {
    if f.is_infinite() {
        return if f > 0.0 { INF } else { -INF };
    }
    if f.fract() == 0.0 && f.abs() < 9e15 {
        return int(f as i64);
    }
    let bits = f.to_bits();
    let raw = (bits >> 52 & 0x7FF) as i64;
    let (mantissa, exponent) =
        if raw == 0 { (bits & ((1 << 52) - 1), -1074) } else { (bits & ((1 << 52) - 1) | 1 << 52, raw - 1075) };
    // mantissa * 2^exponent modulo 2^61 - 1 is a rotation of 61 bits.
    let shift = exponent.rem_euclid(61) as u32;
    let x = mantissa % MODULUS;
    let x = (x << shift & MODULUS | x >> (61 - shift)) % MODULUS;
    fix(if f < 0.0 { -(x as i64) } else { x as i64 })
}
/// The hash of an address.
pub fn pointer(address: usize) -> i64 {
    fix(address.rotate_right(4) as i64)
}
/// The hash of a tuple from those of its items (xxHash-like, as CPython combines them).
pub fn tuple(items: impl ExactSizeIterator<Item = i64>) -> i64 {
    const P1: u64 = 11_400_714_785_074_694_791;
    const P2: u64 = 14_029_467_366_897_019_727;
    const P5: u64 = 2_870_177_450_012_600_261;
    let len = items.len() as u64;
    let mut acc = P5;
    for lane in items {
        acc = acc.wrapping_add((lane as u64).wrapping_mul(P2));
        acc = acc.rotate_left(31).wrapping_mul(P1);
    }
    acc = acc.wrapping_add(len ^ (P5 ^ 3_527_539));
    if acc == u64::MAX { 1_546_275_796 } else { acc as i64 }
}
/// The order-independent hash of a set from those of its items.
pub fn set(items: impl ExactSizeIterator<Item = i64>) -> i64 {
    let n = items.len() as u64;
    let shuffle = |h: u64| ((h ^ 89_869_747) ^ (h << 16)).wrapping_mul(3_644_798_167);
    let mut hash = items.fold(0u64, |acc, h| acc ^ shuffle(h as u64));
    hash ^= (n + 1).wrapping_mul(1_927_868_237);
    hash ^= (hash >> 11) ^ (hash >> 25);
    hash = hash.wrapping_mul(69_069).wrapping_add(907_133_923);
    if hash == u64::MAX { 590_923_713 } else { hash as i64 }
}
/// SipHash-1-3 of a source text with a given key, as `.pyc` files that are checked by hash store it.
pub fn source_hash(key: u64, data: &[u8]) -> u64 {
    let mut h = siphasher::sip::SipHasher13::new_with_keys(key, 0);
    h.write(data);
    h.finish()
}

/// For tables whose keys are addresses, values' bits or type ids: one multiplication. Ints that a script chooses are no better
/// guarded in its dicts.
#[derive(Default)]
pub struct WordHasher(u64);
/// See [`WordHasher`].
pub type ByWord = BuildHasherDefault<WordHasher>;
impl Hasher for WordHasher {
    #[inline]
    fn write_u64(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        // The table looks at the lowest and the highest bits.
        self.0 = mixed ^ mixed >> 32;
    }
    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            self.write_u64(chunk.iter().fold(0, |word, &b| word << 8 | u64::from(b)));
        }
    }
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}
