//! Constant folding: the value of an expression that is constant, with CPython's limits on sizes.
//!
//! An expression that would raise is left alone. CPython counterpart: `Python/ast_opt.c`.

use std::sync::Arc;

use krait_bytecode::Const;
use krait_syntax::ast::{Constant, Expr, ExprContext, ExprKind, Operator, UnaryOperator};
use num_bigint::BigInt;

const MAX_INT_BITS: u64 = 128;
const MAX_COLLECTION: usize = 256;
const MAX_STR: usize = 4096;

/// Folding stops here; deeper trees are compiled as they stand.
const MAX_DEPTH: u32 = 200;

/// What folding needs to know.
#[derive(Clone, Copy)]
pub(crate) struct Folder {
    /// `__debug__`
    pub(crate) debug: bool,
}

/// A literal's value.
pub(crate) fn constant(value: &Constant) -> Const {
    match value {
        Constant::None => Const::None,
        Constant::Bool(value) => Const::Bool(*value),
        Constant::Ellipsis => Const::Ellipsis,
        Constant::Int(value) => Const::Int(*value),
        Constant::BigInt(value) => Const::BigInt((**value).clone()),
        Constant::Float(value) => Const::Float(*value),
        Constant::Complex { real, imag } => Const::Complex(*real, *imag),
        Constant::Str(value) => Const::Str(value.as_bytes().into()),
        Constant::Bytes(value) => Const::Bytes((**value).into()),
        Constant::Tuple(items) => Const::Tuple(items.iter().map(constant).collect()),
        Constant::FrozenSet(items) => Const::FrozenSet(items.iter().map(constant).collect()),
    }
}

/// Truth of a constant.
pub(crate) fn truth(value: &Const) -> bool {
    match value {
        Const::None => false,
        Const::Bool(value) => *value,
        Const::Int(value) => *value != 0,
        Const::Float(value) => *value != 0.0,
        Const::Complex(real, imag) => *real != 0.0 || *imag != 0.0,
        Const::Str(text) | Const::Bytes(text) => !text.is_empty(),
        Const::Tuple(items) | Const::FrozenSet(items) => !items.is_empty(),
        Const::Ellipsis | Const::BigInt(_) | Const::Code(_) | Const::Stored(_) => true,
    }
}

impl Folder {
    /// The value, if the expression is constant.
    pub(crate) fn fold(self, expr: &Expr) -> Option<Const> {
        self.fold_at(expr, 0)
    }

    fn fold_at(self, expr: &Expr, depth: u32) -> Option<Const> {
        if depth > MAX_DEPTH {
            return None;
        }
        match &expr.kind {
            ExprKind::Constant { value, .. } => Some(constant(value)),
            ExprKind::Name { id, ctx: ExprContext::Load } if &**id == "__debug__" => Some(Const::Bool(self.debug)),
            ExprKind::UnaryOp { op, operand } => unary(*op, self.fold_at(operand, depth + 1)?),
            ExprKind::BinOp { left, op, right } => {
                let right = self.fold_at(right, depth + 1)?;
                binary(self.fold_at(left, depth + 1)?, *op, right)
            }
            ExprKind::Tuple { elts, ctx: ExprContext::Load } => {
                elts.iter().map(|elt| self.fold_at(elt, depth + 1)).collect::<Option<Vec<Const>>>().map(tuple)
            }
            ExprKind::Subscript { value, slice, ctx: ExprContext::Load } => {
                let index = self.fold_at(slice, depth + 1)?;
                subscript(self.fold_at(value, depth + 1)?, index)
            }
            _ => None,
        }
    }

    /// The iterable of a loop or the right side of `in`, where a list or set display can be a constant.
    pub(crate) fn fold_iterable(self, expr: &Expr) -> Option<Const> {
        let (elts, is_set) = match &expr.kind {
            ExprKind::List { elts, .. } => (elts, false),
            ExprKind::Set { elts } => (elts, true),
            _ => return None,
        };
        let items: Vec<Const> = elts.iter().map(|elt| self.fold(elt)).collect::<Option<_>>()?;
        Some(if is_set { frozenset(items)? } else { tuple(items) })
    }
}

fn tuple(items: Vec<Const>) -> Const {
    Const::Tuple(items.into())
}

/// A frozenset of constants whose equality is certain; mixed numbers (`1`, `1.0`, `True`) are left to run time.
pub(crate) fn frozenset(items: Vec<Const>) -> Option<Const> {
    let mut unique: Vec<Const> = Vec::with_capacity(items.len());
    for item in items {
        if !unique.iter().any(|other| equal(other, &item)) {
            unique.push(item);
        }
    }
    Some(Const::FrozenSet(unique.into()))
}

/// Whether two constants are equal as Python compares them.
pub(crate) fn equal(x: &Const, y: &Const) -> bool {
    if let (Const::Complex(..), _) | (_, Const::Complex(..)) = (x, y) {
        return as_complex(x).is_some() && as_complex(x) == as_complex(y);
    }
    match (as_float(x), as_float(y)) {
        (Some(a), Some(b)) => a == b && (as_int(x).is_none() || as_int(y).is_none() || as_int(x) == as_int(y)),
        _ => x.same(y),
    }
}

fn as_int(value: &Const) -> Option<BigInt> {
    match value {
        Const::Int(value) => Some((*value).into()),
        Const::BigInt(value) => Some(value.clone()),
        Const::Bool(value) => Some((*value as i64).into()),
        _ => None,
    }
}

/// Exact conversions only.
fn as_float(value: &Const) -> Option<f64> {
    match value {
        Const::Float(value) => Some(*value),
        Const::Int(value) if value.unsigned_abs() <= 1 << 53 => Some(*value as f64),
        Const::Bool(value) => Some(*value as i64 as f64),
        _ => None,
    }
}

fn int(value: BigInt) -> Const {
    match i64::try_from(&value) {
        Ok(small) => Const::Int(small),
        Err(_) => Const::BigInt(value),
    }
}

fn unary(op: UnaryOperator, operand: Const) -> Option<Const> {
    Some(match (op, &operand) {
        (UnaryOperator::Not, _) => Const::Bool(!truth(&operand)),
        (UnaryOperator::UAdd, Const::Float(_) | Const::Complex(..)) => operand,
        (UnaryOperator::USub, Const::Float(value)) => Const::Float(-value),
        (UnaryOperator::USub, Const::Complex(real, imag)) => Const::Complex(-real, -imag),
        (UnaryOperator::UAdd, _) => int(as_int(&operand)?),
        (UnaryOperator::USub, _) => int(-as_int(&operand)?),
        // `~True` warns at run time.
        (UnaryOperator::Invert, Const::Bool(_)) => return None,
        (UnaryOperator::Invert, _) => int(-as_int(&operand)? - 1),
    })
}

fn binary(left: Const, op: Operator, right: Const) -> Option<Const> {
    if let (Some(x), Some(y)) = (as_int(&left), as_int(&right)) {
        if let (Const::Bool(x), Const::Bool(y)) = (&left, &right) {
            match op {
                Operator::BitAnd => return Some(Const::Bool(x & y)),
                Operator::BitOr => return Some(Const::Bool(x | y)),
                Operator::BitXor => return Some(Const::Bool(x ^ y)),
                _ => {}
            }
        }
        return int_binary(x, op, y);
    }
    if let (Some(x), Some(y)) = (as_float(&left), as_float(&right)) {
        return float_binary(x, op, y);
    }
    if let (Some(x), Some(y)) = (as_complex(&left), as_complex(&right)) {
        return complex_binary(&left, x, op, &right, y);
    }
    match (&left, op, &right) {
        (Const::Str(x), Operator::Add, Const::Str(y)) => Some(Const::Str(joined(x, y))),
        (Const::Bytes(x), Operator::Add, Const::Bytes(y)) => Some(Const::Bytes(joined(x, y))),
        (Const::Tuple(x), Operator::Add, Const::Tuple(y)) => Some(tuple(x.iter().chain(y.iter()).cloned().collect())),
        (sequence, Operator::Mult, count) | (count, Operator::Mult, sequence) if as_int(count).is_some() => {
            repeat(sequence, usize::try_from(as_int(count)?.max(0.into())).ok()?)
        }
        _ => None,
    }
}

fn joined(x: &[u8], y: &[u8]) -> Arc<[u8]> {
    [x, y].concat().into()
}

fn repeat(sequence: &Const, count: usize) -> Option<Const> {
    let fits = |length: usize, limit: usize| length.checked_mul(count).is_some_and(|total| total <= limit);
    match sequence {
        Const::Str(text) if fits(text.len(), MAX_STR) => Some(Const::Str(text.repeat(count).into())),
        Const::Bytes(text) if fits(text.len(), MAX_STR) => Some(Const::Bytes(text.repeat(count).into())),
        Const::Tuple(items) if fits(items.len(), MAX_COLLECTION) => {
            Some(tuple(std::iter::repeat_n(&items[..], count).flatten().cloned().collect()))
        }
        _ => None,
    }
}

fn int_binary(x: BigInt, op: Operator, y: BigInt) -> Option<Const> {
    let zero = BigInt::ZERO;
    Some(match op {
        Operator::Add => int(x + y),
        Operator::Sub => int(x - y),
        Operator::Mult if x.bits() + y.bits() <= MAX_INT_BITS => int(x * y),
        Operator::BitAnd => int(x & y),
        Operator::BitOr => int(x | y),
        Operator::BitXor => int(x ^ y),
        Operator::FloorDiv if y != zero => int(floor_div(&x, &y)),
        Operator::Mod if y != zero => int(&x - floor_div(&x, &y) * &y),
        Operator::Div if y != zero => {
            let (a, b) = (as_float(&int(x))?, as_float(&int(y))?);
            Const::Float(a / b)
        }
        Operator::LShift => {
            let shift = u64::try_from(&y).ok()?;
            if x != zero && (shift > MAX_INT_BITS || x.bits() > MAX_INT_BITS - shift) {
                return None;
            }
            int(x << shift)
        }
        Operator::RShift => int(x >> u64::try_from(&y).ok()?),
        Operator::Pow => {
            let exponent = u32::try_from(&y).ok()?;
            if exponent > 0 && x.bits() > MAX_INT_BITS / exponent as u64 {
                return None;
            }
            int(x.pow(exponent))
        }
        _ => return None,
    })
}

fn floor_div(x: &BigInt, y: &BigInt) -> BigInt {
    let quotient = x / y;
    let exact = &quotient * y == *x;
    if !exact && (x.sign() != y.sign()) { quotient - 1 } else { quotient }
}

fn float_binary(x: f64, op: Operator, y: f64) -> Option<Const> {
    Some(Const::Float(match op {
        Operator::Add => x + y,
        Operator::Sub => x - y,
        Operator::Mult => x * y,
        Operator::Div if y != 0.0 => x / y,
        _ => return None,
    }))
}

fn as_complex(value: &Const) -> Option<(f64, f64)> {
    match value {
        Const::Complex(real, imag) => Some((*real, *imag)),
        _ => as_float(value).map(|real| (real, 0.0)),
    }
}

fn complex_binary(left: &Const, x: (f64, f64), op: Operator, right: &Const, y: (f64, f64)) -> Option<Const> {
    // Mixed operands convert the real one, as CPython 3.13 does.
    debug_assert!(matches!(left, Const::Complex(..)) || matches!(right, Const::Complex(..)));
    Some(match op {
        Operator::Add => Const::Complex(x.0 + y.0, x.1 + y.1),
        Operator::Sub => Const::Complex(x.0 - y.0, x.1 - y.1),
        Operator::Mult => Const::Complex(x.0 * y.0 - x.1 * y.1, x.0 * y.1 + x.1 * y.0),
        _ => return None,
    })
}

fn subscript(value: Const, index: Const) -> Option<Const> {
    let index = i64::try_from(as_int(&index)?).ok()?;
    let at = |length: usize| {
        let index = if index < 0 { index + length as i64 } else { index };
        usize::try_from(index).ok().filter(|&index| index < length)
    };
    match &value {
        Const::Tuple(items) => Some(items[at(items.len())?].clone()),
        Const::Bytes(text) => Some(Const::Int(text[at(text.len())?] as i64)),
        Const::Str(text) => {
            let starts: Vec<usize> = (0..text.len()).filter(|&index| text[index] & 0xc0 != 0x80).collect();
            let index = at(starts.len())?;
            let end = starts.get(index + 1).copied().unwrap_or(text.len());
            Some(Const::Str(text[starts[index]..end].into()))
        }
        _ => None,
    }
}

/// A constant as `repr` shows it, for messages.
pub(crate) fn repr(value: &Const) -> String {
    match value {
        Const::None => "None".to_owned(),
        Const::Bool(true) => "True".to_owned(),
        Const::Bool(false) => "False".to_owned(),
        Const::Ellipsis => "Ellipsis".to_owned(),
        Const::Int(value) => value.to_string(),
        Const::BigInt(value) => value.to_string(),
        Const::Float(value) => format!("{value:?}"),
        Const::Complex(real, imag) if *real == 0.0 => format!("{imag}j"),
        Const::Complex(real, imag) => format!("({real}{imag:+}j)"),
        Const::Str(text) => format!("'{}'", String::from_utf8_lossy(text)),
        Const::Bytes(text) => format!("b'{}'", text.escape_ascii()),
        Const::Tuple(_) | Const::FrozenSet(_) | Const::Code(_) | Const::Stored(_) => "...".to_owned(),
    }
}
