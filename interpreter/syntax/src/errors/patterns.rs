//! Patterns of `case`, with the rules for wrong ones.

use super::node::NodeKind;
use super::parser::{Parser, R, Rule};
use super::token::Kind;

type Nothing = Option<()>;

impl Parser<'_> {
    pub(super) fn patterns(&mut self) -> Nothing {
        self.alt(Self::open_sequence_pattern).or_else(|| self.alt(Self::pattern).map(|_| ()))
    }

    fn pattern(&mut self) -> R {
        let start = self.mark;
        let named = self.alt(|p| {
            p.or_pattern()?;
            p.eat("as")?;
            p.pattern_capture_target()?;
            Some(p.node(NodeKind::Other, start, Vec::new()))
        });
        if named.is_some() {
            return named;
        }
        self.wrong(|p| {
            p.or_pattern()?;
            p.eat("as")?;
            let target = p.eat_soft("_")?;
            p.raise_at(p.tspan(target), "cannot use '_' as a target")
        });
        self.wrong(|p| {
            p.or_pattern()?;
            p.eat("as")?;
            p.not(Self::name)?;
            let target = p.expression()?;
            p.raise_at(p.span(target), "invalid pattern target")
        });
        self.alt(Self::or_pattern)
    }

    fn or_pattern(&mut self) -> R {
        let start = self.mark;
        self.closed_pattern()?;
        self.many(|p| {
            p.eat("|")?;
            p.closed_pattern()
        })?;
        Some(self.node(NodeKind::Other, start, Vec::new()))
    }

    fn closed_pattern(&mut self) -> R {
        self.memo(Rule::ClosedPattern, |p| p.closed().map(|()| 0))
    }

    fn closed(&mut self) -> Nothing {
        if self.alt(Self::literal_pattern).is_some() || self.alt(Self::pattern_capture_target).is_some() {
            return Some(());
        }
        if self.eat_soft("_").is_some() {
            return Some(());
        }
        let value = self.alt(|p| {
            p.attr()?;
            p.not_text(&[".", "(", "="])
        });
        if value.is_some() {
            return value;
        }
        let group = self.alt(|p| {
            p.eat("(")?;
            p.pattern()?;
            p.eat(")")?;
            Some(())
        });
        if group.is_some() {
            return group;
        }
        self.sequence_pattern().or_else(|| self.mapping_pattern()).or_else(|| self.class_pattern())
    }

    fn literal_pattern(&mut self) -> Nothing {
        let number = self.alt(|p| {
            p.signed_number()?;
            p.not_text(&["+", "-"])
        });
        if number.is_some() {
            return number;
        }
        if let Some(()) = self.alt(Self::complex_number) {
            return Some(());
        }
        if matches!(self.peek()?.kind, Kind::Str | Kind::FStart) {
            return self.strings().map(|_| ());
        }
        self.eat_any(&["None", "True", "False"]).map(|_| ())
    }

    fn signed_number(&mut self) -> Nothing {
        self.opt(|p| p.eat("-"))?;
        self.eat_kind(Kind::Number)?;
        Some(())
    }

    fn is_imaginary(&self, token: usize) -> bool {
        let token = self.tokens[token];
        matches!(self.tok.src[token.end - 1], b'j' | b'J')
    }

    fn complex_number(&mut self) -> Nothing {
        self.opt(|p| p.eat("-"))?;
        let real = self.eat_kind(Kind::Number)?;
        if self.is_imaginary(real) {
            return self.raise_at(self.tspan(real), "real number required in complex literal");
        }
        self.eat_any(&["+", "-"])?;
        let imaginary = self.eat_kind(Kind::Number)?;
        if !self.is_imaginary(imaginary) {
            return self.raise_at(self.tspan(imaginary), "imaginary number required in complex literal");
        }
        Some(())
    }

    fn pattern_capture_target(&mut self) -> R {
        self.not(|p| p.eat_soft("_"))?;
        let name = self.name()?;
        self.not_text(&[".", "(", "="])?;
        Some(name)
    }

    fn attr(&mut self) -> Nothing {
        self.name()?;
        self.some(|p| {
            p.eat(".")?;
            p.name()
        })?;
        Some(())
    }

    fn name_or_attr(&mut self) -> Nothing {
        self.name()?;
        self.many(|p| {
            p.eat(".")?;
            p.name()
        })?;
        Some(())
    }

    fn sequence_pattern(&mut self) -> Nothing {
        let list = self.alt(|p| {
            p.eat("[")?;
            p.opt(Self::maybe_sequence_pattern)?;
            p.eat("]")?;
            Some(())
        });
        if list.is_some() {
            return list;
        }
        self.alt(|p| {
            p.eat("(")?;
            p.opt(Self::open_sequence_pattern)?;
            p.eat(")")?;
            Some(())
        })
    }

    fn open_sequence_pattern(&mut self) -> Nothing {
        self.maybe_star_pattern()?;
        self.eat(",")?;
        self.opt(Self::maybe_sequence_pattern)?;
        Some(())
    }

    fn maybe_sequence_pattern(&mut self) -> Nothing {
        self.list(Self::maybe_star_pattern)?;
        self.opt(|p| p.eat(","))?;
        Some(())
    }

    fn maybe_star_pattern(&mut self) -> Nothing {
        let star = self.memo(Rule::StarPattern, |p| {
            p.eat("*")?;
            if p.alt(Self::pattern_capture_target).is_none() {
                p.eat_soft("_")?;
            }
            Some(0)
        });
        if star.is_some() { Some(()) } else { self.alt(Self::pattern).map(|_| ()) }
    }

    fn mapping_pattern(&mut self) -> Nothing {
        self.alt(|p| {
            p.eat("{")?;
            p.opt(|p| {
                p.list(|p| p.alt(Self::key_value_pattern))?;
                p.opt(|p| {
                    p.eat(",")?;
                    p.double_star_pattern()
                })
            })?;
            p.opt(Self::double_star_pattern)?;
            p.opt(|p| p.eat(","))?;
            p.eat("}")?;
            Some(())
        })
    }

    fn double_star_pattern(&mut self) -> R {
        self.eat("**")?;
        self.pattern_capture_target()
    }

    fn key_value_pattern(&mut self) -> Nothing {
        if self.alt(Self::literal_pattern).is_none() {
            self.attr()?;
        }
        self.eat(":")?;
        self.pattern()?;
        Some(())
    }

    fn keyword_pattern(&mut self) -> Nothing {
        self.name()?;
        self.eat("=")?;
        self.pattern()?;
        Some(())
    }

    fn class_pattern(&mut self) -> Nothing {
        let found = self.alt(|p| {
            p.name_or_attr()?;
            p.eat("(")?;
            let positional = p.opt(|p| {
                p.list(Self::pattern)?;
                Some(())
            })?;
            if positional.is_some() {
                p.opt(|p| {
                    p.eat(",")?;
                    p.list(Self::keyword_pattern)
                })?;
            } else {
                p.opt(|p| p.list(Self::keyword_pattern))?;
            }
            p.opt(|p| p.eat(","))?;
            p.eat(")")?;
            Some(())
        });
        if found.is_none() {
            self.wrong(|p| {
                p.name_or_attr()?;
                p.eat("(")?;
                p.opt(|p| {
                    p.list(Self::pattern)?;
                    p.eat(",")
                })?;
                p.list(Self::keyword_pattern)?;
                p.eat(",")?;
                let late = p.list(Self::pattern)?;
                let (first, last) = (*late.first()?, *late.last()?);
                p.raise_range(p.span(first), p.span(last), "positional patterns follow keyword patterns")
            });
        }
        found
    }
}
