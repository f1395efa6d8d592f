//! The `SyntaxWarning`s of the compiler. CPython counterpart: `check_caller`, `check_subscripter`, `check_index`.

use krait_bytecode::Const;
use krait_syntax::ast::{Expr, ExprKind};

use super::Compiler;

/// Type name of a constant, as messages write it.
pub(super) fn constant_type(value: &Const) -> &'static str {
    match value {
        Const::None => "NoneType",
        Const::Bool(_) => "bool",
        Const::Ellipsis => "ellipsis",
        Const::Int(_) | Const::BigInt(_) => "int",
        Const::Float(_) => "float",
        Const::Complex(..) => "complex",
        Const::Str(_) => "str",
        Const::Bytes(_) => "bytes",
        Const::Tuple(_) => "tuple",
        Const::FrozenSet(_) => "frozenset",
        Const::Code(_) | Const::Stored(_) => "code",
    }
}

/// Type name of what a display evaluates to.
fn display_type(expr: &Expr) -> Option<&'static str> {
    Some(match &expr.kind {
        ExprKind::Tuple { .. } => "tuple",
        ExprKind::List { .. } | ExprKind::ListComp { .. } => "list",
        ExprKind::Dict { .. } | ExprKind::DictComp { .. } => "dict",
        ExprKind::Set { .. } | ExprKind::SetComp { .. } => "set",
        ExprKind::GeneratorExp { .. } => "generator",
        ExprKind::Lambda { .. } => "function",
        ExprKind::JoinedStr { .. } | ExprKind::FormattedValue { .. } => "str",
        _ => return None,
    })
}

impl Compiler<'_> {
    /// Type name of what a literal or display evaluates to.
    fn inferred_type(&self, expr: &Expr) -> Option<&'static str> {
        match self.folder.fold(expr) {
            Some(value) => Some(constant_type(&value)),
            None => display_type(expr),
        }
    }

    /// `"text" (…)`
    pub(super) fn check_caller(&mut self, func: &Expr) {
        let callable = matches!(func.kind, ExprKind::Lambda { .. });
        if let Some(kind) = self.inferred_type(func).filter(|_| !callable) {
            self.warn(func.range, format!("'{kind}' object is not callable; perhaps you missed a comma?"));
        }
    }

    /// `1 [0]`
    pub(super) fn check_subscripter(&mut self, value: &Expr) {
        let Some(kind) = self.inferred_type(value) else { return };
        if !matches!(kind, "str" | "bytes" | "tuple" | "list" | "dict") {
            self.warn(value.range, format!("'{kind}' object is not subscriptable; perhaps you missed a comma?"));
        }
    }

    /// `[…]["text"]`
    pub(super) fn check_index(&mut self, value: &Expr, index: &Expr) {
        let Some(index_type) = self.inferred_type(index).filter(|kind| !matches!(*kind, "int" | "bool")) else {
            return;
        };
        let Some(sequence) = self.inferred_type(value) else { return };
        if matches!(sequence, "str" | "bytes" | "tuple" | "list") {
            let msg =
                format!("{sequence} indices must be integers or slices, not {index_type}; perhaps you missed a comma?");
            self.warn(value.range, msg);
        }
    }
}
