//! Expressions from `star_expressions` down to `primary`, with the rules for wrong ones.

use super::node::{Id, NodeKind};
use super::parser::{Parser, R, Rule};
use super::token::Kind;

type Nothing = Option<()>;

impl Parser<'_> {
    pub(super) fn expressions(&mut self) -> R {
        self.tuple_of(Self::expression)
    }

    pub(super) fn star_expressions(&mut self) -> R {
        self.tuple_of(Self::star_expression)
    }

    /// One item, or a tuple without parentheses.
    fn tuple_of(&mut self, item: fn(&mut Self) -> R) -> R {
        self.alt(|p| {
            let start = p.mark;
            let first = item(p)?;
            let more = p.many(|p| {
                p.eat(",")?;
                item(p)
            })?;
            let comma = p.opt(|p| p.eat(","))?;
            if more.is_empty() && comma.is_none() {
                return Some(first);
            }
            let mut kids = vec![first];
            kids.extend(more);
            Some(p.node(NodeKind::Tuple, start, kids))
        })
    }

    pub(super) fn star_expression(&mut self) -> R {
        self.memo(Rule::StarExpression, |p| p.starred_or(Self::bitwise_or, Self::expression))
    }

    pub(super) fn star_named_expression(&mut self) -> R {
        self.starred_or(Self::bitwise_or, Self::named_expression)
    }

    fn starred_or(&mut self, starred: fn(&mut Self) -> R, plain: fn(&mut Self) -> R) -> R {
        let star = self.alt(|p| {
            let start = p.mark;
            p.eat("*")?;
            let value = starred(p)?;
            Some(p.node(NodeKind::Starred, start, vec![value]))
        });
        if star.is_some() {
            return star;
        }
        self.alt(plain)
    }

    pub(super) fn star_named_expressions(&mut self) -> Option<Vec<Id>> {
        let items = self.list(Self::star_named_expression)?;
        self.opt(|p| p.eat(","))?;
        Some(items)
    }

    pub(super) fn yield_expr(&mut self) -> R {
        self.alt(|p| {
            let start = p.mark;
            p.eat("yield")?;
            let from = p.alt(|p| {
                p.eat("from")?;
                p.expression()
            });
            if from.is_none() {
                p.opt(Self::star_expressions)?;
            }
            Some(p.node(NodeKind::Yield, start, Vec::new()))
        })
    }

    /// `annotated_rhs`
    pub(super) fn yield_or_star_expressions(&mut self) -> R {
        self.alt(Self::yield_expr).or_else(|| self.alt(Self::star_expressions))
    }

    pub(super) fn expression(&mut self) -> R {
        self.memo(Rule::Expression, |p| {
            p.wrong(Self::invalid_expression);
            p.wrong(Self::invalid_legacy_expression);
            p.plain_expression()
        })
    }

    fn plain_expression(&mut self) -> R {
        let conditional = self.alt(|p| {
            let start = p.mark;
            p.disjunction()?;
            p.eat("if")?;
            p.disjunction()?;
            p.eat("else")?;
            p.expression()?;
            Some(p.node(NodeKind::IfExp, start, Vec::new()))
        });
        if conditional.is_some() {
            return conditional;
        }
        self.alt(Self::disjunction).or_else(|| self.alt(Self::lambdef))
    }

    /// The name is CPython's: no rule for wrong input is tried below.
    fn expression_without_invalid(&mut self) -> R {
        let special = std::mem::replace(&mut self.special, false);
        let result = self.plain_expression();
        self.special = special;
        result
    }

    fn invalid_legacy_expression(&mut self) -> Nothing {
        let name = self.name()?;
        self.not_text(&["("])?;
        let value = self.star_expressions()?;
        if let Some(word) = self.legacy_statement(name) {
            let msg = format!("Missing parentheses in call to '{word}'. Did you mean {word}(...)?");
            return self.raise_range(self.span(name), self.span(value), msg);
        }
        None
    }

    fn legacy_statement(&self, id: Id) -> Option<&'static str> {
        if self.nodes[id as usize].kind != NodeKind::Name {
            return None;
        }
        ["print", "exec"].into_iter().find(|word| word.as_bytes() == self.text(id))
    }

    fn invalid_expression(&mut self) -> Nothing {
        self.alt(|p| {
            p.not(|p| {
                p.alt(|p| {
                    p.eat_kind(Kind::Name)?;
                    p.eat_kind(Kind::Str)
                })
                .or_else(|| p.soft_keyword())
            })?;
            let first = p.disjunction()?;
            let second = p.expression_without_invalid()?;
            if p.legacy_statement(first).is_none() && p.tokens[p.mark - 1].level != 0 {
                let msg = "invalid syntax. Perhaps you forgot a comma?";
                return p.raise_range(p.span(first), p.span(second), msg);
            }
            None
        });
        self.alt(|p| {
            let first = p.disjunction()?;
            p.eat("if")?;
            let test = p.disjunction()?;
            p.not_text(&["else", ":"])?;
            p.raise_range(p.span(first), p.span(test), "expected 'else' after 'if' expression")
        });
        self.alt(|p| {
            let lambda = p.eat("lambda")?;
            p.opt(Self::lambda_params)?;
            let colon = p.eat(":")?;
            if !p.ahead(|p| p.eat_kind(Kind::FMiddle)) {
                return None;
            }
            let msg = "f-string: lambda expressions are not allowed without parentheses";
            p.raise_range(p.tspan(lambda), p.tspan(colon), msg)
        })
    }

    pub(super) fn soft_keyword(&mut self) -> Option<usize> {
        let token = self.peek()?;
        let name = &self.tok.src[token.start..token.end];
        // CPython 3.13 compares over the length of the name only: `c` passes for `case`.
        let found = ["_", "case", "match", "type"].iter().any(|word| word.as_bytes().starts_with(name));
        if token.kind != Kind::Name || !found {
            return None;
        }
        self.mark += 1;
        Some(self.mark - 1)
    }

    pub(super) fn assignment_expression(&mut self) -> R {
        self.alt(|p| {
            let start = p.mark;
            p.name()?;
            p.eat(":=")?;
            p.expression()?;
            p.since(8, "Assignment expressions are")?;
            Some(p.node(NodeKind::Named, start, Vec::new()))
        })
    }

    pub(super) fn named_expression(&mut self) -> R {
        let start = self.mark;
        if let Some(found) = self.assignment_expression() {
            return Some(found);
        }
        // After the walrus CPython does not try the other alternatives.
        if self.after_walrus(start) {
            return None;
        }
        self.wrong(|p| {
            p.memo(Rule::InvalidNamedExpression, |p| {
                p.invalid_named_expression();
                None
            });
            None
        });
        self.alt(|p| {
            let value = p.expression()?;
            p.not_text(&[":="])?;
            Some(value)
        })
    }

    fn after_walrus(&mut self, start: usize) -> bool {
        debug_assert_eq!(self.mark, start, "a failed alternative restores the mark");
        self.ahead(|p| {
            p.name()?;
            p.eat(":=")
        })
    }

    fn invalid_named_expression(&mut self) -> Nothing {
        self.alt(|p| {
            let target = p.expression()?;
            p.eat(":=")?;
            p.expression()?;
            let what = p.describe(target);
            p.raise_at(p.span(target), format!("cannot use assignment expressions with {what}"))
        });
        self.alt(|p| {
            let name = p.name()?;
            p.eat("=")?;
            let value = p.bitwise_or()?;
            p.not_text(&["=", ":="])?;
            let msg = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
            p.raise_range(p.span(name), p.span(value), msg)
        });
        self.alt(|p| {
            p.not(|p| {
                p.alt(Self::list_display)
                    .or_else(|| p.alt(Self::tuple_display))
                    .or_else(|| p.alt(Self::genexp))
                    .or_else(|| p.eat_any(&["True", "None", "False"]).map(|_| 0))
            })?;
            let target = p.bitwise_or()?;
            p.eat("=")?;
            p.bitwise_or()?;
            p.not_text(&["=", ":="])?;
            let what = p.describe(target);
            let msg = format!("cannot assign to {what} here. Maybe you meant '==' instead of '='?");
            p.raise_at(p.span(target), msg)
        })
    }

    pub(super) fn describe(&self, id: Id) -> &'static str {
        self.nodes[id as usize].kind.describe()
    }

    pub(super) fn disjunction(&mut self) -> R {
        self.memo(Rule::Disjunction, |p| p.chain("or", Self::conjunction))
    }

    fn conjunction(&mut self) -> R {
        self.memo(Rule::Conjunction, |p| p.chain("and", Self::inversion))
    }

    fn chain(&mut self, word: &str, operand: fn(&mut Self) -> R) -> R {
        let start = self.mark;
        let first = operand(self)?;
        let more = self.many(|p| {
            p.eat(word)?;
            operand(p)
        })?;
        if more.is_empty() { Some(first) } else { Some(self.node(NodeKind::Operation, start, Vec::new())) }
    }

    pub(super) fn inversion(&mut self) -> R {
        self.memo(Rule::Inversion, |p| {
            let start = p.mark;
            let not = p.alt(|p| {
                p.eat("not")?;
                p.inversion()?;
                Some(p.node(NodeKind::Operation, start, Vec::new()))
            });
            if not.is_some() { not } else { p.alt(Self::comparison) }
        })
    }

    fn comparison(&mut self) -> R {
        let start = self.mark;
        let left = self.bitwise_or()?;
        let mut first_in = None;
        let pairs = self.many(|p| {
            let operator = p.comparison_operator()?;
            first_in.get_or_insert(operator == "in");
            p.bitwise_or()
        })?;
        if pairs.is_empty() {
            return Some(left);
        }
        let kids = if first_in == Some(true) { vec![left] } else { Vec::new() };
        Some(self.node(NodeKind::Compare, start, kids))
    }

    fn comparison_operator(&mut self) -> Option<&'static str> {
        let token = self.peek()?;
        match token.text {
            "==" | "!=" | "<=" | "<" | ">=" | ">" | "in" => {
                self.mark += 1;
                Some(token.text)
            }
            "not" => {
                self.mark += 1;
                self.eat("in").map(|_| "not in")
            }
            "is" => {
                self.mark += 1;
                self.opt(|p| p.eat("not"))?;
                Some("is")
            }
            _ => None,
        }
    }

    pub(super) fn bitwise_or(&mut self) -> R {
        self.memo(Rule::BitwiseOr, |p| p.binary(&["|"], Self::bitwise_xor))
    }

    fn bitwise_xor(&mut self) -> R {
        self.binary(&["^"], Self::bitwise_and)
    }

    fn bitwise_and(&mut self) -> R {
        self.binary(&["&"], Self::shift_expr)
    }

    fn shift_expr(&mut self) -> R {
        self.wrong(|p| {
            p.sum()?;
            p.eat_any(&["+", "-", "*", "/", "%", "//", "@"])?;
            let not = p.eat("not")?;
            let operand = p.inversion()?;
            p.raise_range(p.tspan(not), p.span(operand), "'not' after an operator must be parenthesized")
        });
        self.binary(&["<<", ">>"], Self::sum)
    }

    fn sum(&mut self) -> R {
        self.binary(&["+", "-"], Self::term)
    }

    fn term(&mut self) -> R {
        self.wrong(|p| {
            p.eat_any(&["+", "-", "~"])?;
            let not = p.eat("not")?;
            let operand = p.factor()?;
            p.raise_range(p.tspan(not), p.span(operand), "'not' after an operator must be parenthesized")
        });
        self.binary(&["*", "/", "//", "%", "@"], Self::factor)
    }

    fn binary(&mut self, operators: &[&str], operand: fn(&mut Self) -> R) -> R {
        let start = self.mark;
        let first = operand(self)?;
        let more = self.many(|p| {
            let operator = p.eat_any(operators)?;
            let right = operand(p)?;
            if p.tokens[operator].text == "@" {
                p.since(5, "The '@' operator is")?;
            }
            Some(right)
        })?;
        if more.is_empty() { Some(first) } else { Some(self.node(NodeKind::Operation, start, Vec::new())) }
    }

    pub(super) fn factor(&mut self) -> R {
        self.memo(Rule::Factor, |p| {
            let start = p.mark;
            let signed = p.alt(|p| {
                p.eat_any(&["+", "-", "~"])?;
                p.factor()?;
                Some(p.node(NodeKind::Operation, start, Vec::new()))
            });
            if signed.is_some() { signed } else { p.alt(Self::power) }
        })
    }

    fn power(&mut self) -> R {
        let start = self.mark;
        let base = self.await_primary()?;
        let exponent = self.opt(|p| {
            p.eat("**")?;
            p.factor()
        })?;
        if exponent.is_none() { Some(base) } else { Some(self.node(NodeKind::Operation, start, Vec::new())) }
    }

    fn await_primary(&mut self) -> R {
        self.memo(Rule::AwaitPrimary, |p| {
            let start = p.mark;
            let awaited = p.alt(|p| {
                p.eat("await")?;
                p.primary()?;
                p.since(5, "Await expressions are")?;
                Some(p.node(NodeKind::Await, start, Vec::new()))
            });
            if awaited.is_some() { awaited } else { p.alt(Self::primary) }
        })
    }

    pub(super) fn primary(&mut self) -> R {
        self.memo(Rule::Primary, |p| {
            let start = p.mark;
            let mut value = p.atom()?;
            while let Some(kind) = p.alt(Self::trailer) {
                value = p.node(kind, start, Vec::new());
            }
            if p.error.is_some() { None } else { Some(value) }
        })
    }

    /// What may follow a primary: an attribute, a call or a subscript.
    fn trailer(&mut self) -> Option<NodeKind> {
        let attribute = self.alt(|p| {
            p.eat(".")?;
            p.name()?;
            Some(NodeKind::Attribute)
        });
        if attribute.is_some() {
            return attribute;
        }
        if self.alt(Self::genexp).is_some() {
            return Some(NodeKind::Call);
        }
        let call = self.alt(|p| {
            p.eat("(")?;
            p.opt(Self::arguments)?;
            p.eat(")")?;
            Some(NodeKind::Call)
        });
        if call.is_some() {
            return call;
        }
        self.alt(|p| {
            p.eat("[")?;
            p.slices()?;
            p.eat("]")?;
            Some(NodeKind::Subscript)
        })
    }

    /// `t_primary`: a primary that a trailer follows.
    pub(super) fn t_primary(&mut self) -> R {
        self.memo(Rule::TPrimary, |p| {
            let start = p.mark;
            let mut value = p.atom()?;
            p.at_text(&["(", "[", "."])?;
            while let Some(kind) = p.alt(|p| {
                let kind = p.trailer()?;
                p.at_text(&["(", "[", "."])?;
                Some(kind)
            }) {
                value = p.node(kind, start, Vec::new());
            }
            if p.error.is_some() { None } else { Some(value) }
        })
    }

    pub(super) fn slices(&mut self) -> Nothing {
        let single = self.alt(|p| {
            p.slice()?;
            p.not_text(&[","])
        });
        if single.is_some() {
            return single;
        }
        self.alt(|p| {
            p.list(|p| {
                p.alt(Self::slice).or_else(|| {
                    p.alt(|p| {
                        p.starred_expression()?;
                        Some(())
                    })
                })
            })?;
            p.opt(|p| p.eat(","))?;
            Some(())
        })
    }

    fn slice(&mut self) -> Nothing {
        let slice = self.alt(|p| {
            p.opt(Self::expression)?;
            p.eat(":")?;
            p.opt(Self::expression)?;
            p.opt(|p| {
                p.eat(":")?;
                p.opt(Self::expression)
            })?;
            Some(())
        });
        if slice.is_some() {
            return slice;
        }
        self.alt(Self::named_expression).map(|_| ())
    }

    fn lambdef(&mut self) -> R {
        self.memo(Rule::Lambda, |p| {
            let start = p.mark;
            p.eat("lambda")?;
            p.opt(Self::lambda_params)?;
            p.eat(":")?;
            p.expression()?;
            Some(p.node(NodeKind::Lambda, start, Vec::new()))
        })
    }

    fn lambda_params(&mut self) -> Nothing {
        self.parameter_list(&super::parameters::LAMBDA)
    }
}
