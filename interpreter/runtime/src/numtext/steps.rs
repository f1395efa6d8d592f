//! The products and quotients that a conversion between ints and text consists of: at once, or so that they can fail, as
//! `types/int/huge.rs` does them.
use std::convert::Infallible;

use num_bigint::BigUint;
use num_integer::Integer;

/// How a conversion multiplies and divides.
pub trait Steps {
    /// Why it ends early.
    type Fault;
    /// `x * y`
    fn multiply(&mut self, x: &BigUint, y: &BigUint) -> Result<BigUint, Self::Fault>;
    /// Quotient and rest.
    fn divide(&mut self, x: &BigUint, y: &BigUint) -> Result<(BigUint, BigUint), Self::Fault>;
}

/// To the end.
pub struct AtOnce;
impl Steps for AtOnce {
    type Fault = Infallible;
    fn multiply(&mut self, x: &BigUint, y: &BigUint) -> Result<BigUint, Infallible> {
        Ok(x * y)
    }
    fn divide(&mut self, x: &BigUint, y: &BigUint) -> Result<(BigUint, BigUint), Infallible> {
        Ok(x.div_rem(y))
    }
}
