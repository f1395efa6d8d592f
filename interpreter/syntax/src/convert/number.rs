//! Number literals, read from the source text.

use num_bigint::BigInt;
use ruff_python_ast::{ExprNumberLiteral, Number};

use super::Converter;
use crate::ast::Constant;

/// What may follow a number at once.
const KEYWORDS: [&[u8]; 8] = [b"and", b"else", b"for", b"if", b"in", b"is", b"not", b"or"];

impl Converter<'_> {
    pub(super) fn number(&mut self, node: &ExprNumberLiteral) -> Constant {
        let rest = &self.text().as_bytes()[usize::from(node.range.end())..];
        if rest.first().is_some_and(u8::is_ascii_alphabetic) {
            if KEYWORDS.iter().any(|keyword| rest.starts_with(keyword)) {
                self.warn_of_keyword(node);
            } else {
                let range = self.range(node);
                self.refuse("invalid decimal literal", range);
            }
        }
        match &node.value {
            Number::Int(int) => match int.as_u64().and_then(|value| i64::try_from(value).ok()) {
                Some(small) => Constant::Int(small),
                None => self.big_int(node),
            },
            Number::Float(value) => Constant::Float(*value),
            Number::Complex { real, imag } => Constant::Complex { real: *real, imag: *imag },
        }
    }

    /// A keyword that follows a number at once, as in `1if x else y`.
    fn warn_of_keyword(&mut self, node: &ExprNumberLiteral) {
        let text = self.text()[node.range].to_ascii_lowercase();
        let kind = match (text.get(..2), text.ends_with('j')) {
            (Some("0x"), _) => "hexadecimal",
            (Some("0o"), _) => "octal",
            (Some("0b"), _) => "binary",
            (_, true) => "imaginary",
            _ => "decimal",
        };
        let range = self.range(node);
        self.warn(format!("invalid {kind} literal"), range);
    }

    fn big_int(&mut self, node: &ExprNumberLiteral) -> Constant {
        let digits: String = self.text()[node.range].chars().filter(|c| *c != '_').collect();
        let lower = digits.to_ascii_lowercase();
        let (radix, digits) = match lower.get(..2) {
            Some("0x") => (16, &lower[2..]),
            Some("0o") => (8, &lower[2..]),
            Some("0b") => (2, &lower[2..]),
            _ => (10, lower.as_str()),
        };
        let limit = self.options.int_max_str_digits;
        if radix == 10 && limit != 0 && digits.len() > limit {
            let msg = format!(
                "Exceeds the limit ({limit} digits) for integer string conversion: value has {} digits; use \
                 sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for huge integer \
                 literals to avoid decimal conversion limits.",
                digits.len()
            );
            let range = self.range(node);
            self.refuse(msg, range);
            return Constant::Int(0);
        }
        match BigInt::parse_bytes(digits.as_bytes(), radix) {
            Some(value) => Constant::from_bigint(value),
            None => {
                let range = self.range(node);
                self.refuse("invalid decimal literal", range);
                Constant::Int(0)
            }
        }
    }
}
