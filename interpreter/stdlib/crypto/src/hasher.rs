//! What the classes of hash objects share: the running state, the methods, and the macro that declares a class.
use krait_object::buffer::flags;
use krait_object::native::Sig;
use krait_object::{Args, Bytes, Payload, PyResult, Ref, Str, Thread, Type, Value};
use krait_runtime::errors::{buffer_error, overflow_error, type_error, value_error};
use krait_runtime::protocol::buffer::{Held, get_buffer, has_buffer};
use krait_runtime::protocol::number;
use krait_runtime::world::{Exclusive, blocking};

use crate::algorithms::{Algorithm, Spec};

/// Other threads run while more than this is hashed.
const LARGE: usize = 2048;

/// A running hash of an object.
pub struct Core {
    pub spec: &'static Spec,
    /// Differs from the algorithm's for BLAKE2.
    pub digest_size: usize,
    state: Exclusive<Box<dyn Algorithm>>,
}
impl Core {
    pub fn new(spec: &'static Spec) -> Core {
        Core::with(spec, spec.digest_size, (spec.start)())
    }
    pub fn with(spec: &'static Spec, digest_size: usize, state: Box<dyn Algorithm>) -> Core {
        Core { spec, digest_size, state: Exclusive::new(state) }
    }
    pub fn update(&self, th: &mut Thread, data: &[u8]) {
        let mut state = self.state.lock(th);
        if data.len() > LARGE { blocking(th, || state.update(data)) } else { state.update(data) }
    }
    pub fn copy(&self, th: &mut Thread) -> Core {
        let state = self.state.lock(th).copy();
        Core::with(self.spec, self.digest_size, state)
    }
    /// `size` bytes of digest; any number for an extendable algorithm.
    pub fn digest(&self, th: &mut Thread, size: usize) -> Vec<u8> {
        let mut out = vec![0; size];
        let state = self.state.lock(th);
        if size > LARGE {
            blocking(th, || state.finish(&mut out))
        } else {
            state.finish(&mut out)
        }
        out
    }
}
/// A payload with a running hash.
pub trait Holder: Payload {
    fn core(&self) -> &Core;
    fn hold(core: Core) -> Self;
}

/// The bytes to hash.
pub fn input(th: &mut Thread, v: &Value) -> PyResult<Held> {
    if let Some(b) = v.to_ref::<Bytes>() {
        return Ok(Held::Bytes(b));
    }
    if v.downcast_ref::<Str>().is_some() {
        return Err(type_error(th, "Strings must be encoded before hashing"));
    }
    if !has_buffer(v) {
        return Err(type_error(th, "object supporting the buffer API required"));
    }
    let buffer = get_buffer(th, v, flags::SIMPLE)?;
    if buffer.shape.len() > 1 {
        return Err(buffer_error(th, "Buffer must be single dimension"));
    }
    Ok(Held::Copy(buffer.to_vec()))
}
pub fn hex(digest: &[u8]) -> Value {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let text: String = digest
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)] as char, DIGITS[usize::from(b & 15)] as char])
        .collect();
    Value::str(&text)
}
/// An unsigned C number as argument clinic takes it: `bits` wide.
pub fn unsigned(th: &mut Thread, v: &Value, too_large: &str) -> PyResult<u64> {
    let i = number::index(th, v)?;
    match i.as_int_ref() {
        Some(n) if n.is_negative() => Err(value_error(th, "value must be positive")),
        Some(n) => match u64::try_from(n.to_bigint()) {
            Ok(n) => Ok(n),
            Err(_) => Err(overflow_error(th, too_large)),
        },
        None => Err(type_error(th, "an integer is required")),
    }
}

pub fn update<P: Holder>(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = input(th, &a[1])?;
    a.this::<P>().core().update(th, &data);
    Ok(Value::NONE)
}
/// A copy of the same class.
pub fn copy<P: Holder>(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let core = a.this::<P>().core().copy(th);
    Ok(Ref::with_class(P::hold(core), a[0].class()).into())
}
pub fn digest<P: Holder>(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let core = a.this::<P>().core();
    Ok(Bytes::new(&core.digest(th, core.digest_size)).into())
}
pub fn hexdigest<P: Holder>(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let core = a.this::<P>().core();
    let digest = core.digest(th, core.digest_size);
    Ok(hex(&digest))
}
pub fn name<P: Holder>(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(Value::str(core::<P>(v).spec.name))
}
pub fn digest_size<P: Holder>(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(core::<P>(v).digest_size.into())
}
pub fn block_size<P: Holder>(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(core::<P>(v).spec.block_size.into())
}
pub fn core<P: Holder>(v: &Value) -> &Core {
    v.downcast_ref::<P>().expect("the descriptor checked the class of self").core()
}

pub const CONSTRUCTOR: &str = "(string=b'', *, usedforsecurity=True)";

/// `md5(string=b'', *, usedforsecurity=True)`, with arguments that are bound.
pub fn make<P: Holder>(th: &mut Thread, spec: &'static Spec, a: &Args<'_>) -> PyResult<Value> {
    let held = start(th, spec, a.opt(0), a.opt(1))?;
    Ok(Ref::new(P::hold(held)).into())
}
/// A hash that has taken the first data.
pub fn start(th: &mut Thread, spec: &'static Spec, data: Option<&Value>, security: Option<&Value>) -> PyResult<Core> {
    if let Some(flag) = security {
        krait_runtime::protocol::compare::truth(th, flag)?;
    }
    let core = Core::new(spec);
    if let Some(data) = data {
        let data = input(th, data)?;
        core.update(th, &data);
    }
    Ok(core)
}
/// `sha3_224([data], *, usedforsecurity=True)`, where the class is the constructor.
pub fn construct<P: Holder>(
    th: &mut Thread,
    spec: &'static Spec,
    class: &Ref<Type>,
    args: &Args<'_>,
) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(data=b'', /, *, usedforsecurity=True)");
    let bound = SIG.bind(th, spec.name, spec.name, args, 0)?;
    let a = bound.args();
    let core = start(th, spec, a.opt(0), a.opt(1))?;
    Ok(Ref::with_class(P::hold(core), class.object()).into())
}

/// Declares the payload and the class of a hash object: `Name CLASS DEF, "module" "name", …`, then fields of its `ClassDef`.
#[macro_export]
macro_rules! hash_class {
    ($payload:ident $class:ident $def:ident, $module:literal $name:literal { $($field:ident: $value:expr),* $(,)? }) => {
        #[derive(krait_macros::Trace, krait_macros::Payload)]
        #[payload(class = $class)]
        pub struct $payload {
            #[trace(skip)]
            core: $crate::hasher::Core,
        }
        impl $crate::hasher::Holder for $payload {
            fn core(&self) -> &$crate::hasher::Core {
                &self.core
            }
            fn hold(core: $crate::hasher::Core) -> Self {
                $payload { core }
            }
        }
        pub static $class: krait_object::TypeObject = {
            static LAYOUT: krait_object::VTable = krait_object::VTable::of::<$payload>();
            krait_object::TypeObject::builtin($name, Some(&krait_object::builtin_types::OBJECT), &LAYOUT)
        };
        pub static $def: krait_object::ClassDef =
            krait_object::ClassDef { module: $module, $($field: $value,)* ..krait_object::ClassDef::new(&$class) };
    };
}
/// The methods of a hash object with a digest of fixed size; `$argument` is how `update` calls its argument.
#[macro_export]
macro_rules! hash_methods {
    ($payload:ident, $argument:literal) => {
        &[
            krait_object::native::method("copy", "()", "A copy of the hash object.", $crate::hasher::copy::<$payload>),
            krait_object::native::method(
                "digest",
                "()",
                "The digest of the data so far, as bytes.",
                $crate::hasher::digest::<$payload>,
            ),
            krait_object::native::method(
                "hexdigest",
                "()",
                "The digest of the data so far, in hexadecimal.",
                $crate::hasher::hexdigest::<$payload>,
            ),
            krait_object::native::method(
                "update",
                $argument,
                "Go on with the bytes of the argument.",
                $crate::hasher::update::<$payload>,
            ),
        ]
    };
}
/// The attributes of every hash object.
#[macro_export]
macro_rules! hash_attributes {
    ($payload:ident $(, $more:expr)*) => {
        &[
            krait_object::native::getter("block_size", "", $crate::hasher::block_size::<$payload>),
            krait_object::native::getter("name", "", $crate::hasher::name::<$payload>),
            krait_object::native::getter("digest_size", "", $crate::hasher::digest_size::<$payload>),
            $($more),*
        ]
    };
}
