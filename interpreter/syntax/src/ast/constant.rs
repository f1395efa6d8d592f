//! The values of literals, as plain data. CPython counterpart: the `constant` type of `Python.asdl`.

use num_bigint::BigInt;

use super::Wtf8Box;

/// A constant. The front end makes no `Tuple` and no `FrozenSet`; trees built by scripts and folding do.
///
/// Equality is Rust's (`-0.0 == 0.0`, NaN differs from itself): constant tables need a key of their own.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    None,
    Bool(bool),
    Ellipsis,
    Int(i64),
    /// Only for what does not fit into `Int`.
    BigInt(Box<BigInt>),
    Float(f64),
    Complex {
        real: f64,
        imag: f64,
    },
    Str(Wtf8Box),
    Bytes(Box<[u8]>),
    Tuple(Vec<Constant>),
    FrozenSet(Vec<Constant>),
}

impl Constant {
    /// The normalised integer constant: small where it fits.
    pub fn from_bigint(value: BigInt) -> Constant {
        match i64::try_from(&value) {
            Ok(small) => Constant::Int(small),
            Err(_) => Constant::BigInt(Box::new(value)),
        }
    }
}
