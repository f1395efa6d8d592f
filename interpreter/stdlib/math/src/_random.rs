//! `_random`: the Mersenne Twister MT19937 (Matsumoto and Nishimura). CPython: `Modules/_randommodule.c`.
use krait_macros::{Payload, Trace};
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, IntRef, Locked, Method, ModuleDef, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject,
    VTable, Value, builtin_types::OBJECT, type_flag,
};
use krait_runtime::errors::{memory_error, overflow_error, type_error, value_error};
use krait_runtime::protocol::{compare, number};
use num_bigint::BigInt;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Module implements the Mersenne Twister random number generator.",
    classes: &[&DEF],
    ..ModuleDef::new("_random")
};

#[derive(Trace, Payload)]
#[payload(class = RANDOM)]
pub struct Random {
    #[trace(skip)]
    state: Locked<Twister>,
}
static LAYOUT: VTable = VTable::of::<Random>();
pub static RANDOM: TypeObject = TypeObject::builtin("Random", Some(&OBJECT), &LAYOUT);
static DEF: ClassDef = ClassDef {
    module: "_random",
    doc: "A random number generator with a state of its own.",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), init: Some(init), ..SlotDefs::EMPTY },
    flags: type_flag::BASE,
    ..ClassDef::new(&RANDOM)
};
static METHODS: &[Method] = &[
    method("random", "()", "A random float from 0 up to but not including 1.", |_, a| {
        Ok(a.this::<Random>().state.lock().float().into())
    }),
    method(
        "seed",
        "(n=None, /)",
        "Set the state from a seed: an int, the hash of any object, or system randomness.",
        |th, a| {
            seed(th, &a[0], a.opt(1))?;
            Ok(Value::NONE)
        },
    ),
    method("getstate", "()", "The state, as a tuple of ints.", |_, a| {
        let t = a.this::<Random>().state.lock();
        let items: Vec<Value> = t.words.iter().map(|&w| w.into()).chain([Value::from(t.index)]).collect();
        drop(t);
        Ok(Tuple::from_vec(items).into())
    }),
    method("setstate", "(state, /)", "Go back to a state that getstate() returned.", set_state),
    method("getrandbits", "(k, /)", "An int of k random bits.", bits),
];

const N: usize = 624;
const M: usize = 397;

/// The generator: 624 words, used up one after the other and then renewed.
struct Twister {
    words: [u32; N],
    index: usize,
}
impl Twister {
    fn next(&mut self) -> u32 {
        if self.index >= N {
            self.renew();
        }
        let mut y = self.words[self.index];
        self.index += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9D2C_5680;
        y ^= (y << 15) & 0xEFC6_0000;
        y ^ (y >> 18)
    }
    fn renew(&mut self) {
        for i in 0..N {
            let y = (self.words[i] & 0x8000_0000) | (self.words[(i + 1) % N] & 0x7FFF_FFFF);
            let twist = if y & 1 != 0 { 0x9908_B0DF } else { 0 };
            self.words[i] = self.words[(i + M) % N] ^ (y >> 1) ^ twist;
        }
        self.index = 0;
    }
    /// 53 bits of two words.
    fn float(&mut self) -> f64 {
        let (a, b) = (self.next() >> 5, self.next() >> 6);
        (f64::from(a) * 67_108_864.0 + f64::from(b)) * (1.0 / 9_007_199_254_740_992.0)
    }
    fn start(&mut self, seed: u32) {
        self.words[0] = seed;
        for i in 1..N {
            let last = self.words[i - 1];
            self.words[i] = 1_812_433_253u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(i as u32);
        }
        self.index = N;
    }
    fn start_by_key(&mut self, key: &[u32]) {
        self.start(19_650_218);
        let (mut i, mut j) = (1, 0);
        let mixed = |words: &[u32; N], i: usize, factor: u32| {
            let last = words[i - 1];
            words[i] ^ (last ^ (last >> 30)).wrapping_mul(factor)
        };
        for _ in 0..N.max(key.len()) {
            self.words[i] = mixed(&self.words, i, 1_664_525).wrapping_add(key[j]).wrapping_add(j as u32);
            i += 1;
            j = (j + 1) % key.len();
            if i >= N {
                self.words[0] = self.words[N - 1];
                i = 1;
            }
        }
        for _ in 0..N - 1 {
            self.words[i] = mixed(&self.words, i, 1_566_083_941).wrapping_sub(i as u32);
            i += 1;
            if i >= N {
                self.words[0] = self.words[N - 1];
                i = 1;
            }
        }
        self.words[0] = 0x8000_0000;
    }
}

fn new(_: &mut Thread, class: &Ref<Type>, _: &Args<'_>) -> PyResult<Value> {
    let state = Locked::new(Twister { words: [0; N], index: N });
    Ok(Ref::with_class(Random { state }, class.object()).into())
}
fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    if v.is_exact(&RANDOM) && args.has_kw() {
        return Err(type_error(th, "Random() takes no keyword arguments"));
    }
    match args.pos() {
        [] => seed(th, v, None),
        [s] => seed(th, v, Some(s)),
        _ => Err(type_error(th, "Random() requires 0 or 1 argument")),
    }
}
fn seed(th: &mut Thread, v: &Value, given: Option<&Value>) -> PyResult<()> {
    let random = v.downcast_ref::<Random>().expect("the descriptor checked the class of self");
    let number = match given.filter(|s| !s.is_none()) {
        None => {
            let mut key = [0u8; 4 * N];
            system_bytes(&mut key);
            let key: Vec<u32> = key.chunks_exact(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect();
            random.state.lock().start_by_key(&key);
            return Ok(());
        }
        // The hash of a float and the like is taken as an unsigned number.
        Some(s) => match s.as_int_ref() {
            Some(i) => i.to_bigint(),
            None => BigInt::from(compare::hash(th, s)? as u64),
        },
    };
    let (_, mut key) = number.to_u32_digits();
    if key.is_empty() {
        key.push(0);
    }
    random.state.lock().start_by_key(&key);
    Ok(())
}
fn system_bytes(out: &mut [u8]) {
    use std::hash::{BuildHasher, RandomState};
    for (i, chunk) in out.chunks_mut(8).enumerate() {
        let word = RandomState::new().hash_one(i).to_le_bytes();
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
}
fn set_state(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(state) = a[1].downcast_ref::<Tuple>() else {
        return Err(type_error(th, "state vector must be a tuple"));
    };
    if state.len() != N + 1 {
        return Err(value_error(th, "state vector is the wrong size"));
    }
    let mut words = [0u32; N];
    for (word, v) in words.iter_mut().zip(state.iter()) {
        *word = match v.as_int_ref() {
            None => return Err(type_error(th, "an integer is required")),
            Some(i) if i.is_negative() => {
                return Err(overflow_error(th, "can't convert negative value to unsigned int"));
            }
            Some(i) => match i.to_i64() {
                Some(i) => i as u32,
                None => return Err(overflow_error(th, "Python int too large to convert to C unsigned long")),
            },
        };
    }
    let index = number::to_i64(th, &state[N])?;
    if !(0..=N as i64).contains(&index) {
        return Err(value_error(th, "invalid state"));
    }
    *a.this::<Random>().state.lock() = Twister { words, index: index as usize };
    Ok(Value::NONE)
}
fn bits(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let k = number::index(th, &a[1])?;
    let k = match k.as_int_ref() {
        Some(k) if k.is_negative() => return Err(value_error(th, "number of bits must be non-negative")),
        Some(IntRef::Small(k)) => match i32::try_from(k) {
            Ok(k) => k as usize,
            Err(_) => return Err(overflow_error(th, "signed integer is greater than maximum")),
        },
        _ => return Err(overflow_error(th, "Python int too large to convert to C int")),
    };
    let mut twister = a.this::<Random>().state.lock();
    if k == 0 {
        return Ok(Value::int(0));
    }
    if k <= 32 {
        return Ok((twister.next() >> (32 - k)).into());
    }
    let count = k.div_ceil(32);
    let mut words = Vec::new();
    if words.try_reserve_exact(count).is_err() {
        drop(twister);
        return Err(memory_error(th));
    }
    // The least significant word first; the last gives its high bits.
    for i in 0..count {
        let rest = k - 32 * i;
        let word = twister.next();
        words.push(if rest < 32 { word >> (32 - rest) } else { word });
    }
    drop(twister);
    Ok(BigInt::new(num_bigint::Sign::Plus, words).into())
}
