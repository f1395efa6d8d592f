//! Decimal numbers as data, contexts as data, rounding to a context. Nothing here knows Python.
use std::cmp::Ordering;
use std::sync::OnceLock;

use num_bigint::BigUint;
use num_integer::Integer;
use num_traits::{One, ToPrimitive, Zero};

/// Conditions, with libmpdec's bits.
pub mod flag {
    pub const CLAMPED: u32 = 0x1;
    pub const CONVERSION_SYNTAX: u32 = 0x2;
    pub const DIVISION_BY_ZERO: u32 = 0x4;
    pub const DIVISION_IMPOSSIBLE: u32 = 0x8;
    pub const DIVISION_UNDEFINED: u32 = 0x10;
    pub const INEXACT: u32 = 0x40;
    pub const INVALID_CONTEXT: u32 = 0x80;
    pub const INVALID_OPERATION: u32 = 0x100;
    pub const MALLOC_ERROR: u32 = 0x200;
    pub const FLOAT_OPERATION: u32 = 0x400;
    pub const OVERFLOW: u32 = 0x800;
    pub const ROUNDED: u32 = 0x1000;
    pub const SUBNORMAL: u32 = 0x2000;
    pub const UNDERFLOW: u32 = 0x4000;
    /// Everything that is an invalid operation in IEEE 754.
    pub const IEEE_INVALID: u32 = CONVERSION_SYNTAX
        | DIVISION_IMPOSSIBLE
        | DIVISION_UNDEFINED
        | 0x20
        | INVALID_CONTEXT
        | INVALID_OPERATION
        | MALLOC_ERROR;
}
use flag::*;

pub const MAX_PREC: i64 = 999_999_999_999_999_999;
pub const MAX_EMAX: i64 = 999_999_999_999_999_999;
pub const MIN_EMIN: i64 = -999_999_999_999_999_999;
/// Coefficients beyond this are a MemoryError rather than an attempt.
const MAX_DIGITS: i64 = 425_000_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Round {
    Up,
    Down,
    Ceiling,
    Floor,
    HalfUp,
    HalfDown,
    HalfEven,
    ZeroFiveUp,
}
pub const ROUNDINGS: [(&str, Round); 8] = [
    ("ROUND_UP", Round::Up),
    ("ROUND_DOWN", Round::Down),
    ("ROUND_CEILING", Round::Ceiling),
    ("ROUND_FLOOR", Round::Floor),
    ("ROUND_HALF_UP", Round::HalfUp),
    ("ROUND_HALF_DOWN", Round::HalfDown),
    ("ROUND_HALF_EVEN", Round::HalfEven),
    ("ROUND_05UP", Round::ZeroFiveUp),
];
#[derive(Clone, Copy, Debug)]
pub struct Ctx {
    pub prec: i64,
    pub emin: i64,
    pub emax: i64,
    pub round: Round,
    pub clamp: bool,
    pub capitals: bool,
    pub traps: u32,
    pub flags: u32,
}
impl Ctx {
    pub fn etiny(&self) -> i64 {
        self.emin - self.prec + 1
    }
    pub fn etop(&self) -> i64 {
        self.emax - self.prec + 1
    }
    /// The widest context: nothing is rounded in it.
    pub fn max() -> Ctx {
        Ctx {
            prec: MAX_PREC,
            emin: MIN_EMIN,
            emax: MAX_EMAX,
            round: Round::HalfEven,
            clamp: false,
            capitals: true,
            traps: 0,
            flags: 0,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Finite,
    Infinite,
    Quiet,
    Signaling,
}
/// `(-1)^negative * coeff * 10^exp`; the coefficient of a NaN is its payload.
#[derive(Clone, Debug)]
pub struct Dec {
    pub negative: bool,
    pub kind: Kind,
    pub coeff: BigUint,
    pub exp: i64,
}

pub fn pow10(n: i64) -> BigUint {
    static KNOWN: OnceLock<Vec<BigUint>> = OnceLock::new();
    match u32::try_from(n) {
        Ok(n) if n < 256 => {
            let powers = || std::iter::successors(Some(BigUint::one()), |p| Some(p * 10u32)).take(256).collect();
            KNOWN.get_or_init(powers)[n as usize].clone()
        }
        Ok(n) => BigUint::from(10u32).pow(n),
        Err(_) => BigUint::one(),
    }
}
/// Decimal digits; 1 for zero.
pub fn digits(n: &BigUint) -> i64 {
    if let Some(small) = n.to_u64() {
        return i64::from(small.checked_ilog10().unwrap_or(0)) + 1;
    }
    let bits = n.bits() as i64;
    if let Some(small) = n.to_u128() {
        return i64::from(small.checked_ilog10().unwrap_or(0)) + 1;
    }
    // log10(2), rounded down; off by one at most, which one comparison settles.
    let guess = ((i128::from(bits) - 1) * 30_102_999_566_398_119 / 100_000_000_000_000_000) as i64;
    if *n >= pow10(guess + 1) { guess + 2 } else { guess + 1 }
}
/// How a truncated number goes on: zero, below half, half, above half.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Rest {
    Zero,
    Less,
    Half,
    More,
}
/// The quotient by `10^n` and the rest.
pub fn shift_right(n: &BigUint, places: i64) -> (BigUint, Rest) {
    if places <= 0 {
        return (n.clone(), Rest::Zero);
    }
    if places > digits(n) {
        return (BigUint::zero(), if n.is_zero() { Rest::Zero } else { Rest::Less });
    }
    if let Some(small) = n.to_u128().filter(|_| places <= 38) {
        let power = 10u128.pow(places as u32);
        let (q, r) = (small / power, small % power);
        return (q.into(), rest_of(r == 0, r.cmp(&(power - r))));
    }
    let power = pow10(places);
    let (q, r) = n.div_rem(&power);
    (q, rest_of(r.is_zero(), (&r << 1u32).cmp(&power)))
}
fn rest_of(is_zero: bool, against_half: Ordering) -> Rest {
    match against_half {
        _ if is_zero => Rest::Zero,
        Ordering::Less => Rest::Less,
        Ordering::Equal => Rest::Half,
        Ordering::Greater => Rest::More,
    }
}
/// Whether to add one to a truncated coefficient.
pub fn rounds_up(round: Round, rest: Rest, negative: bool, coeff: &BigUint) -> bool {
    if rest == Rest::Zero {
        return false;
    }
    match round {
        Round::Up => true,
        Round::Down => false,
        Round::Ceiling => !negative,
        Round::Floor => negative,
        Round::HalfUp => rest >= Rest::Half,
        Round::HalfDown => rest > Rest::Half,
        Round::HalfEven => rest > Rest::Half || (rest == Rest::Half && coeff.bit(0)),
        Round::ZeroFiveUp => (coeff % 5u32).is_zero(),
    }
}

impl Dec {
    pub fn new(negative: bool, coeff: BigUint, exp: i64) -> Dec {
        Dec { negative, kind: Kind::Finite, coeff, exp }
    }
    pub fn small(n: i64) -> Dec {
        Dec::new(n < 0, n.unsigned_abs().into(), 0)
    }
    pub fn zero(negative: bool, exp: i64) -> Dec {
        Dec::new(negative, BigUint::zero(), exp)
    }
    pub fn one() -> Dec {
        Dec::small(1)
    }
    pub fn infinity(negative: bool) -> Dec {
        Dec { negative, kind: Kind::Infinite, coeff: BigUint::zero(), exp: 0 }
    }
    pub fn nan() -> Dec {
        Dec { negative: false, kind: Kind::Quiet, coeff: BigUint::zero(), exp: 0 }
    }
    pub fn is_finite(&self) -> bool {
        self.kind == Kind::Finite
    }
    pub fn is_infinite(&self) -> bool {
        self.kind == Kind::Infinite
    }
    pub fn is_nan(&self) -> bool {
        matches!(self.kind, Kind::Quiet | Kind::Signaling)
    }
    pub fn is_signaling(&self) -> bool {
        self.kind == Kind::Signaling
    }
    pub fn is_zero(&self) -> bool {
        self.is_finite() && self.coeff.is_zero()
    }
    pub fn digits(&self) -> i64 {
        digits(&self.coeff)
    }
    pub fn adjusted(&self) -> i64 {
        self.exp + self.digits() - 1
    }
    pub fn is_integer(&self) -> bool {
        self.is_finite()
            && (self.exp >= 0 || self.coeff.is_zero() || shift_right(&self.coeff, -self.exp).1 == Rest::Zero)
    }
    /// Of an integer: whether it is odd.
    pub fn is_odd(&self) -> bool {
        match self.exp {
            0 => self.coeff.bit(0),
            e if e > 0 => false,
            e => shift_right(&self.coeff, -e).0.bit(0),
        }
    }
    pub fn negated(mut self) -> Dec {
        self.negative = !self.negative;
        self
    }
    pub fn abs(mut self) -> Dec {
        self.negative = false;
        self
    }
    /// The coefficient with `n` zeros behind it.
    pub fn shifted(&self, n: i64, status: &mut u32) -> BigUint {
        if n <= 0 || self.coeff.is_zero() {
            return self.coeff.clone();
        }
        if n > MAX_DIGITS {
            *status |= MALLOC_ERROR;
            return self.coeff.clone();
        }
        &self.coeff * pow10(n)
    }
    fn overflow(&self, ctx: &Ctx, status: &mut u32) -> Dec {
        *status |= OVERFLOW | INEXACT | ROUNDED;
        let finite = match ctx.round {
            Round::Down | Round::ZeroFiveUp => true,
            Round::Ceiling => self.negative,
            Round::Floor => !self.negative,
            _ => false,
        };
        if !finite {
            return Dec::infinity(self.negative);
        }
        if ctx.prec > MAX_DIGITS {
            *status |= MALLOC_ERROR;
            return Dec::nan();
        }
        Dec::new(self.negative, pow10(ctx.prec) - 1u32, ctx.etop())
    }
    /// A NaN with a payload that fits.
    pub fn fix_nan(mut self, ctx: &Ctx) -> Dec {
        let room = ctx.prec - i64::from(ctx.clamp);
        if self.digits() > room {
            self.coeff = if room <= 0 { BigUint::zero() } else { &self.coeff % pow10(room) };
        }
        self
    }
    /// Rounded to the context.
    pub fn finalize(self, ctx: &Ctx, status: &mut u32) -> Dec {
        self.finalize_with(Rest::Zero, ctx, status)
    }
    /// Rounded to the context; `more` is what follows the coefficient's last digit.
    pub fn finalize_with(mut self, more: Rest, ctx: &Ctx, status: &mut u32) -> Dec {
        match self.kind {
            Kind::Infinite => return self,
            Kind::Quiet | Kind::Signaling => return self.fix_nan(ctx),
            Kind::Finite => {}
        }
        let (etiny, etop) = (ctx.etiny(), ctx.etop());
        if self.coeff.is_zero() && more == Rest::Zero {
            let most = if ctx.clamp { etop } else { ctx.emax };
            let exp = self.exp.clamp(etiny, most.max(etiny));
            if exp != self.exp {
                *status |= CLAMPED;
                self.exp = exp;
            }
            return self;
        }
        let len = self.digits();
        let mut least = len + self.exp - ctx.prec;
        if least > etop {
            return self.overflow(ctx, status);
        }
        let subnormal = least < etiny;
        if subnormal {
            least = etiny;
        }
        if self.exp < least || more != Rest::Zero {
            let n = least - self.exp;
            let (mut coeff, mut rest) = shift_right(&self.coeff, n);
            if n > 0 && more != Rest::Zero {
                rest = match rest {
                    Rest::Zero => Rest::Less,
                    Rest::Half => Rest::More,
                    other => other,
                };
            } else if n <= 0 {
                rest = more;
            }
            let mut exp = self.exp.max(least);
            if rounds_up(ctx.round, rest, self.negative, &coeff) {
                coeff += 1u32;
                if digits(&coeff) > ctx.prec {
                    coeff /= 10u32;
                    exp += 1;
                }
            }
            let changed = rest != Rest::Zero;
            if exp > etop {
                return self.overflow(ctx, status);
            }
            if changed {
                *status |= INEXACT;
                if subnormal {
                    *status |= UNDERFLOW;
                }
            }
            if subnormal {
                *status |= SUBNORMAL;
            }
            *status |= ROUNDED;
            if coeff.is_zero() {
                *status |= CLAMPED;
            }
            self.coeff = coeff;
            self.exp = exp;
            return self.fold_down(ctx, status);
        }
        if subnormal {
            *status |= SUBNORMAL;
        }
        self.fold_down(ctx, status)
    }
    /// With clamp, the exponent stays where the format's exponent field can hold it.
    fn fold_down(mut self, ctx: &Ctx, status: &mut u32) -> Dec {
        let etop = ctx.etop();
        if ctx.clamp && self.exp > etop && !self.coeff.is_zero() {
            *status |= CLAMPED;
            self.coeff = self.shifted(self.exp - etop, status);
            self.exp = etop;
        }
        self
    }
    /// Without trailing zeros, as far as `most` allows the exponent to grow.
    pub fn stripped(mut self, most: i64) -> Dec {
        if self.coeff.is_zero() {
            return self;
        }
        // Big steps first: a power of ten has as many factors of two.
        loop {
            let zeros = self.coeff.trailing_zeros().unwrap_or(0) as i64;
            let mut step = zeros.min(most - self.exp);
            let mut went = false;
            while step > 0 {
                let power = pow10(step);
                let r = &self.coeff % &power;
                if r.is_zero() {
                    self.coeff /= power;
                    self.exp += step;
                    went = true;
                    break;
                }
                step /= 2;
            }
            if !went {
                return self;
            }
        }
    }
}
/// What an operation with a NaN among its operands gives.
pub fn nan_of(operands: &[&Dec], ctx: &Ctx, status: &mut u32) -> Option<Dec> {
    let found = operands.iter().find(|d| d.is_signaling()).or_else(|| operands.iter().find(|d| d.is_nan()))?;
    let mut made = (*found).clone();
    if made.is_signaling() {
        *status |= INVALID_OPERATION;
        made.kind = Kind::Quiet;
    }
    Some(made.fix_nan(ctx))
}
pub fn invalid(status: &mut u32, condition: u32) -> Dec {
    *status |= condition;
    Dec::nan()
}
