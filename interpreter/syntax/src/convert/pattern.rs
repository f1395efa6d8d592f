//! `match` cases and their patterns.

use ruff_python_ast as ruff;
use ruff_text_size::Ranged;

use super::Converter;
use crate::ast::{Constant, Expr, MatchCase, Pattern, PatternKind};

impl Converter<'_> {
    pub(super) fn match_case(&mut self, case: &ruff::MatchCase) -> MatchCase {
        MatchCase {
            pattern: self.pattern(&case.pattern),
            guard: self.opt_expr(case.guard.as_deref()),
            body: self.body(&case.body),
        }
    }

    fn patterns(&mut self, patterns: &[ruff::Pattern]) -> Vec<Pattern> {
        patterns.iter().map(|p| self.pattern(p)).collect()
    }

    fn key(&mut self, key: &ruff::Expr) -> Expr {
        if self.rewritten.is_key(key.range())
            && let Ok(parsed) = ruff_python_parser::parse_expression_range(self.lines.text, key.range())
        {
            return self.expr(parsed.expr());
        }
        self.expr(key)
    }

    fn pattern(&mut self, pattern: &ruff::Pattern) -> Pattern {
        let range = self.range(pattern);
        let kind = match pattern {
            ruff::Pattern::MatchValue(p) => {
                if !is_value(&p.value) {
                    self.refuse("invalid syntax", range);
                }
                PatternKind::MatchValue { value: self.boxed(&p.value) }
            }
            ruff::Pattern::MatchSingleton(p) => PatternKind::MatchSingleton {
                value: match p.value {
                    ruff::Singleton::None => Constant::None,
                    ruff::Singleton::True => Constant::Bool(true),
                    ruff::Singleton::False => Constant::Bool(false),
                },
            },
            ruff::Pattern::MatchSequence(p) => PatternKind::MatchSequence { patterns: self.patterns(&p.patterns) },
            ruff::Pattern::MatchMapping(p) => PatternKind::MatchMapping {
                keys: p.keys.iter().map(|key| self.key(key)).collect(),
                patterns: self.patterns(&p.patterns),
                rest: p.rest.as_ref().map(|name| self.identifier(name)),
            },
            ruff::Pattern::MatchClass(p) => PatternKind::MatchClass {
                cls: self.boxed(&p.cls),
                patterns: self.patterns(&p.arguments.patterns),
                kwd_attrs: p.arguments.keywords.iter().map(|k| self.identifier(&k.attr)).collect(),
                kwd_patterns: p.arguments.keywords.iter().map(|k| self.pattern(&k.pattern)).collect(),
            },
            ruff::Pattern::MatchStar(p) => {
                PatternKind::MatchStar { name: p.name.as_ref().map(|name| self.identifier(name)) }
            }
            ruff::Pattern::MatchAs(p) => PatternKind::MatchAs {
                pattern: p.pattern.as_deref().map(|inner| Box::new(self.pattern(inner))),
                name: p.name.as_ref().map(|name| self.identifier(name)),
            },
            ruff::Pattern::MatchOr(p) => PatternKind::MatchOr { patterns: self.patterns(&p.patterns) },
        };
        Pattern { kind, range }
    }
}

/// What the grammar takes for a value: strings, dotted names, signed numbers and sums of them. The parser takes more.
fn is_value(value: &ruff::Expr) -> bool {
    match value {
        ruff::Expr::BinOp(sum) => {
            matches!(sum.op, ruff::Operator::Add | ruff::Operator::Sub)
                && is_signed_number(&sum.left)
                && sum.right.is_number_literal_expr()
                // No brackets around either.
                && (sum.start(), sum.end()) == (sum.left.start(), sum.right.end())
        }
        _ if is_signed_number(value) => true,
        ruff::Expr::Attribute(dotted) => is_dotted_name(&dotted.value),
        _ => value.is_string_literal_expr() || value.is_bytes_literal_expr() || value.is_f_string_expr(),
    }
}

fn is_signed_number(value: &ruff::Expr) -> bool {
    match value {
        ruff::Expr::UnaryOp(minus) => minus.op == ruff::UnaryOp::USub && minus.operand.is_number_literal_expr(),
        _ => value.is_number_literal_expr(),
    }
}

fn is_dotted_name(value: &ruff::Expr) -> bool {
    match value {
        ruff::Expr::Attribute(dotted) => is_dotted_name(&dotted.value),
        _ => value.is_name_expr(),
    }
}
