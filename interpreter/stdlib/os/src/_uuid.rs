//! `_uuid`: UUIDs of version 1, made from the time and the network card. CPython: `Modules/_uuidmodule.c`, where libuuid
//! makes them.
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use krait_object::native::function;
use krait_object::{Bytes, Method, ModuleDef, Tuple, Value};
use krait_runtime::types::module;

pub static MODULE: ModuleDef = ModuleDef {
    functions: FUNCTIONS,
    init: Some(|_, m| {
        module::dict(m).set_text("has_uuid_generate_time_safe", 1);
        Ok(())
    }),
    ..ModuleDef::new("_uuid")
};
static FUNCTIONS: &[Method] = &[function(
    "generate_time_safe",
    "()",
    "The bytes of a UUID of version 1, and -1: no daemon keeps processes from making the same one.",
    |_, _| Ok(Tuple::of([Bytes::new(&generate()).into(), Value::int(-1)]).into()),
)];

/// Hundreds of nanoseconds from the Gregorian reform to 1970.
const GREGORIAN: u64 = 0x01B2_1DD2_1381_4000;

struct Clock {
    last: u64,
    sequence: u16,
    node: [u8; 6],
}
static CLOCK: Mutex<Option<Clock>> = Mutex::new(None);

fn random(out: &mut [u8]) {
    if krait_platform::process::getrandom(out, 0).is_err() {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.subsec_nanos());
        out.iter_mut().zip(seed.to_le_bytes().into_iter().cycle()).for_each(|(o, s)| *o = s);
    }
}
/// The address of the first network card, or a random one with the bit of multicast addresses.
fn node() -> [u8; 6] {
    let cards = std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let mut addresses: Vec<[u8; 6]> = cards
        .filter_map(|card| {
            let text = std::fs::read_to_string(card.path().join("address")).ok()?;
            let bytes: Vec<u8> = text.trim().split(':').filter_map(|b| u8::from_str_radix(b, 16).ok()).collect();
            <[u8; 6]>::try_from(bytes).ok().filter(|a| a.iter().any(|&b| b != 0))
        })
        .collect();
    addresses.sort_unstable();
    addresses.first().copied().unwrap_or_else(|| {
        let mut node = [0; 6];
        random(&mut node);
        node[0] |= 1;
        node
    })
}
fn generate() -> [u8; 16] {
    let mut clock = CLOCK.lock().unwrap_or_else(|e| e.into_inner());
    let clock = clock.get_or_insert_with(|| {
        let mut sequence = [0; 2];
        random(&mut sequence);
        Clock { last: 0, sequence: u16::from_le_bytes(sequence) & 0x3FFF, node: node() }
    });
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| (t.as_nanos() / 100) as u64) + GREGORIAN;
    // Two within one tick get following times; a clock that was set back gets another sequence.
    if now <= clock.last && clock.last - now > 10_000_000 {
        clock.sequence = (clock.sequence + 1) & 0x3FFF;
        clock.last = now;
    } else {
        clock.last = now.max(clock.last + 1);
    }
    let time = clock.last;
    let mut uuid = [0; 16];
    uuid[..4].copy_from_slice(&(time as u32).to_be_bytes());
    uuid[4..6].copy_from_slice(&((time >> 32) as u16).to_be_bytes());
    uuid[6..8].copy_from_slice(&(((time >> 48) as u16 & 0x0FFF) | 0x1000).to_be_bytes());
    uuid[8..10].copy_from_slice(&(clock.sequence | 0x8000).to_be_bytes());
    uuid[10..].copy_from_slice(&clock.node);
    uuid
}
