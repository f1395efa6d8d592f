//! The `SyntaxWarning`s of the compiler. CPython counterpart: `check_caller`, `check_subscripter`, `check_index`.

use krait_syntax::ast::{Constant, Expr, ExprKind};

use super::Compiler;

/// Type name of a constant, as messages write it.
pub(super) fn constant_type(value: &Constant) -> &'static str {
    match value {
        Constant::None => "NoneType",
        Constant::Bool(_) => "bool",
        Constant::Ellipsis => "ellipsis",
        Constant::Int(_) | Constant::BigInt(_) => "int",
        Constant::Float(_) => "float",
        Constant::Complex { .. } => "complex",
        Constant::Str(_) => "str",
        Constant::Bytes(_) => "bytes",
        Constant::Tuple(_) => "tuple",
        Constant::FrozenSet(_) => "frozenset",
    }
}

/// Type name of what a display or literal evaluates to.
fn inferred_type(expr: &Expr) -> Option<&'static str> {
    Some(match &expr.kind {
        ExprKind::Tuple { .. } => "tuple",
        ExprKind::List { .. } | ExprKind::ListComp { .. } => "list",
        ExprKind::Dict { .. } | ExprKind::DictComp { .. } => "dict",
        ExprKind::Set { .. } | ExprKind::SetComp { .. } => "set",
        ExprKind::GeneratorExp { .. } => "generator",
        ExprKind::Lambda { .. } => "function",
        ExprKind::JoinedStr { .. } | ExprKind::FormattedValue { .. } => "str",
        ExprKind::Constant { value, .. } => constant_type(value),
        _ => return None,
    })
}

impl Compiler<'_> {
    /// `"text" (…)`
    pub(super) fn check_caller(&mut self, func: &Expr) {
        let callable = matches!(func.kind, ExprKind::Lambda { .. });
        if let Some(kind) = inferred_type(func).filter(|_| !callable) {
            self.warn(func.range, format!("'{kind}' object is not callable; perhaps you missed a comma?"));
        }
    }

    /// `1 [0]`
    pub(super) fn check_subscripter(&mut self, value: &Expr) {
        let kind = match &value.kind {
            ExprKind::Constant {
                value:
                    value @ (Constant::None
                    | Constant::Bool(_)
                    | Constant::Ellipsis
                    | Constant::Int(_)
                    | Constant::BigInt(_)
                    | Constant::Float(_)
                    | Constant::Complex { .. }
                    | Constant::FrozenSet(_)),
                ..
            } => constant_type(value),
            ExprKind::Set { .. } | ExprKind::SetComp { .. } => "set",
            ExprKind::GeneratorExp { .. } => "generator",
            ExprKind::Lambda { .. } => "function",
            _ => return,
        };
        self.warn(value.range, format!("'{kind}' object is not subscriptable; perhaps you missed a comma?"));
    }

    /// `[…]["text"]`
    pub(super) fn check_index(&mut self, value: &Expr, index: &Expr) {
        let Some(index_type) = inferred_type(index) else { return };
        let is_int = matches!(index_type, "int" | "bool");
        let sequence = match &value.kind {
            ExprKind::Constant {
                value: value @ (Constant::Str(_) | Constant::Bytes(_) | Constant::Tuple(_)), ..
            } => constant_type(value),
            ExprKind::Tuple { .. } => "tuple",
            ExprKind::List { .. } | ExprKind::ListComp { .. } => "list",
            ExprKind::JoinedStr { .. } | ExprKind::FormattedValue { .. } => "str",
            _ => return,
        };
        if !is_int {
            let msg =
                format!("{sequence} indices must be integers or slices, not {index_type}; perhaps you missed a comma?");
            self.warn(value.range, msg);
        }
    }
}
