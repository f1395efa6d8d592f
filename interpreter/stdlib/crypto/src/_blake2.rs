//! `_blake2`: the hashes BLAKE2b and BLAKE2s with all their parameters. CPython: `Modules/_blake2/`.
use krait_object::native::Sig;
use krait_object::{Args, ModuleDef, PyResult, Ref, SlotDefs, Thread, Type, Value, type_flag};
use krait_runtime::errors::{overflow_error, value_error};
use krait_runtime::protocol::buffer::{Held, hold};
use krait_runtime::protocol::{compare, number};
use krait_runtime::types::module;

use crate::algorithms::{self, Algorithm, Spec};
use crate::hasher::{Core, Holder, input, unsigned};
use crate::{hash_attributes, hash_class, hash_methods};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "BLAKE2b and BLAKE2s for hashlib.",
    classes: &[&BLAKE2B_DEF, &BLAKE2S_DEF],
    init: Some(|_, m| {
        for (prefix, l) in [("BLAKE2B", &LIMITS_B), ("BLAKE2S", &LIMITS_S)] {
            for (name, value) in l.constants() {
                module::dict(m).set_text(&format!("{prefix}_{name}"), value);
            }
        }
        Ok(())
    }),
    ..ModuleDef::new("_blake2")
};
/// What the two differ in.
struct Limits {
    salt: usize,
    person: usize,
    key: usize,
    digest: usize,
    offset: u64,
}
static LIMITS_B: Limits = Limits { salt: 16, person: 16, key: 64, digest: 64, offset: u64::MAX };
static LIMITS_S: Limits = Limits { salt: 8, person: 8, key: 32, digest: 32, offset: (1 << 48) - 1 };
impl Limits {
    fn constants(&self) -> [(&'static str, usize); 4] {
        [
            ("SALT_SIZE", self.salt),
            ("PERSON_SIZE", self.person),
            ("MAX_KEY_SIZE", self.key),
            ("MAX_DIGEST_SIZE", self.digest),
        ]
    }
}

const SIG_B: &str = "(data=b'', /, *, digest_size=_blake2.blake2b.MAX_DIGEST_SIZE,\n        key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0,\n        node_offset=0, node_depth=0, inner_size=0, last_node=False,\n        usedforsecurity=True)";
const SIG_S: &str = "(data=b'', /, *, digest_size=_blake2.blake2s.MAX_DIGEST_SIZE,\n        key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0,\n        node_offset=0, node_depth=0, inner_size=0, last_node=False,\n        usedforsecurity=True)";

hash_class!(Blake2b BLAKE2B BLAKE2B_DEF, "_blake2" "blake2b" {
    doc: "A hash object for BLAKE2b.",
    sig: SIG_B,
    methods: hash_methods!(Blake2b, "(data, /)"),
    getset: hash_attributes!(Blake2b),
    slots: SlotDefs {
        new: Some(|th, class, args| {
            static SIG: Sig = Sig::new(SIG_B);
            let bound = SIG.bind(th, "blake2b", "blake2b", args, 0)?;
            make::<Blake2b>(th, class, &algorithms::BLAKE2B, &LIMITS_B, &bound.args(), |p| {
                let mut params = blake2b_simd::Params::new();
                params.hash_length(p.digest_size).key(&p.key).salt(&p.salt).personal(&p.person);
                params.fanout(p.fanout).max_depth(p.depth).max_leaf_length(p.leaf_size).node_offset(p.node_offset);
                params.node_depth(p.node_depth).inner_hash_length(p.inner_size).last_node(p.last_node);
                Box::new(params.to_state())
            })
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::IMMUTABLE,
    attributes: Some(|_| LIMITS_B.constants().map(|(name, n)| (name, n.into())).into()),
});
hash_class!(Blake2s BLAKE2S BLAKE2S_DEF, "_blake2" "blake2s" {
    doc: "A hash object for BLAKE2s.",
    sig: SIG_S,
    methods: hash_methods!(Blake2s, "(data, /)"),
    getset: hash_attributes!(Blake2s),
    slots: SlotDefs {
        new: Some(|th, class, args| {
            static SIG: Sig = Sig::new(SIG_S);
            let bound = SIG.bind(th, "blake2s", "blake2s", args, 0)?;
            make::<Blake2s>(th, class, &algorithms::BLAKE2S, &LIMITS_S, &bound.args(), |p| {
                let mut params = blake2s_simd::Params::new();
                params.hash_length(p.digest_size).key(&p.key).salt(&p.salt).personal(&p.person);
                params.fanout(p.fanout).max_depth(p.depth).max_leaf_length(p.leaf_size).node_offset(p.node_offset);
                params.node_depth(p.node_depth).inner_hash_length(p.inner_size).last_node(p.last_node);
                Box::new(params.to_state())
            })
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::IMMUTABLE,
    attributes: Some(|_| LIMITS_S.constants().map(|(name, n)| (name, n.into())).into()),
});

/// Checked parameters.
struct Params {
    digest_size: usize,
    key: Vec<u8>,
    salt: Vec<u8>,
    person: Vec<u8>,
    fanout: u8,
    depth: u8,
    leaf_size: u32,
    node_offset: u64,
    node_depth: u8,
    inner_size: usize,
    last_node: bool,
}

fn int(th: &mut Thread, v: Option<&Value>, default: i32) -> PyResult<i32> {
    v.map_or(Ok(default), |v| number::to_i32(th, v))
}
fn held(th: &mut Thread, v: Option<&Value>) -> PyResult<Vec<u8>> {
    v.map_or(Ok(Vec::new()), |v| Ok(hold(th, v)?.to_vec()))
}
fn byte(th: &mut Thread, n: i32, least: u8, name: &str) -> PyResult<u8> {
    match u8::try_from(n) {
        Ok(n) if n >= least => Ok(n),
        _ => Err(value_error(th, format!("{name} must be between {least} and 255"))),
    }
}
fn longest(th: &mut Thread, bytes: &[u8], most: usize, name: &str) -> PyResult<()> {
    if bytes.len() > most {
        return Err(value_error(th, format!("maximum {name} length is {most} bytes")));
    }
    Ok(())
}
/// Reads the parameters in CPython's order, so that the same one is refused.
fn params(th: &mut Thread, l: &Limits, a: &Args<'_>) -> PyResult<Params> {
    let digest_size = int(th, a.opt(1), l.digest as i32)?;
    let (key, salt, person) = (held(th, a.opt(2))?, held(th, a.opt(3))?, held(th, a.opt(4))?);
    let (fanout, depth) = (int(th, a.opt(5), 1)?, int(th, a.opt(6), 1)?);
    let too_long = "Python int too large to convert to C unsigned long";
    let leaf_size = a.opt(7).map_or(Ok(0), |v| unsigned(th, v, too_long))?;
    let node_offset = a.opt(8).map_or(Ok(0), |v| unsigned(th, v, "int too big to convert"))?;
    let (node_depth, inner_size) = (int(th, a.opt(9), 0)?, int(th, a.opt(10), 0)?);
    let last_node = a.opt(11).map_or(Ok(false), |v| compare::truth(th, v))?;
    if let Some(security) = a.opt(12) {
        compare::truth(th, security)?;
    }
    if digest_size <= 0 || digest_size as usize > l.digest {
        let message = format!("digest_size must be between 1 and {} bytes", l.digest);
        return Err(value_error(th, message));
    }
    longest(th, &salt, l.salt, "salt")?;
    longest(th, &person, l.person, "person")?;
    let fanout = byte(th, fanout, 0, "fanout")?;
    let depth = byte(th, depth, 1, "depth")?;
    let Ok(leaf_size) = u32::try_from(leaf_size) else { return Err(overflow_error(th, "leaf_size is too large")) };
    if node_offset > l.offset {
        return Err(overflow_error(th, "node_offset is too large"));
    }
    let node_depth = byte(th, node_depth, 0, "node_depth")?;
    if inner_size < 0 || inner_size as usize > l.digest {
        return Err(value_error(th, format!("inner_size must be between 0 and is {}", l.digest)));
    }
    longest(th, &key, l.key, "key")?;
    Ok(Params {
        digest_size: digest_size as usize,
        key,
        salt,
        person,
        fanout,
        depth,
        leaf_size,
        node_offset,
        node_depth,
        inner_size: inner_size as usize,
        last_node,
    })
}
fn make<P: Holder>(
    th: &mut Thread,
    class: &Ref<Type>,
    spec: &'static Spec,
    limits: &Limits,
    a: &Args<'_>,
    start: fn(&Params) -> Box<dyn Algorithm>,
) -> PyResult<Value> {
    let p = params(th, limits, a)?;
    let data: Option<Held> = a.opt(0).map(|d| input(th, d)).transpose()?;
    let core = Core::with(spec, p.digest_size, start(&p));
    if let Some(data) = data {
        core.update(th, &data);
    }
    Ok(Ref::with_class(P::hold(core), class.object()).into())
}
