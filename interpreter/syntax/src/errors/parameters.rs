//! Parameters of `def` and `lambda`, and type parameters.

use super::parser::{Parser, R, Rule};
use super::token::Span;

type Nothing = Option<()>;

/// What differs between the two kinds of parameter list.
pub(super) struct Style {
    /// What ends the list.
    close: &'static str,
    annotations: bool,
}

pub(super) const DEF: Style = Style { close: ")", annotations: true };
pub(super) const LAMBDA: Style = Style { close: ":", annotations: false };

impl Parser<'_> {
    pub(super) fn params(&mut self) -> Nothing {
        self.parameter_list(&DEF)
    }

    pub(super) fn parameter_list(&mut self, style: &Style) -> Nothing {
        self.wrong(|p| p.invalid_parameters(style));
        self.parameters(style)
    }

    fn parameters(&mut self, style: &Style) -> Nothing {
        let with_slash = self.alt(|p| {
            p.slash_no_default(style)?;
            p.many(|p| p.param_no_default(style))?;
            p.many(|p| p.param_with_default(style))?;
            p.opt(|p| p.star_etc(style))
        });
        if with_slash.is_some() {
            return Some(());
        }
        let with_slash_default = self.alt(|p| {
            p.slash_with_default(style)?;
            p.many(|p| p.param_with_default(style))?;
            p.opt(|p| p.star_etc(style))
        });
        if with_slash_default.is_some() {
            return Some(());
        }
        let plain = self.alt(|p| {
            p.some(|p| p.param_no_default(style))?;
            p.many(|p| p.param_with_default(style))?;
            p.opt(|p| p.star_etc(style))
        });
        if plain.is_some() {
            return Some(());
        }
        let defaults = self.alt(|p| {
            p.some(|p| p.param_with_default(style))?;
            p.opt(|p| p.star_etc(style))
        });
        if defaults.is_some() {
            return Some(());
        }
        self.alt(|p| p.star_etc(style))
    }

    /// A comma, or the list's end ahead.
    fn param_end(&mut self, style: &Style) -> Nothing {
        if self.eat(",").is_some() {
            if style.annotations {
                // CPython looks for a type comment here and so reads one token further.
                self.peek()?;
            }
            return Some(());
        }
        self.at_text(&[style.close])
    }

    fn param(&mut self, style: &Style) -> R {
        let name = self.name()?;
        if style.annotations {
            self.opt(|p| {
                p.eat(":")?;
                p.expression()
            })?;
        }
        let start = self.nodes[name as usize].token;
        Some(self.node(super::node::NodeKind::Other, start, Vec::new()))
    }

    fn param_no_default(&mut self, style: &Style) -> R {
        let param = self.param(style)?;
        self.param_end(style)?;
        Some(param)
    }

    fn default(&mut self) -> Nothing {
        let value = self.alt(|p| {
            p.eat("=")?;
            p.expression()
        });
        if value.is_some() {
            return Some(());
        }
        self.wrong(|p| {
            let equal = p.eat("=")?;
            p.at_text(&[")", ","])?;
            p.raise_at(p.tspan(equal), "expected default value expression")
        });
        None
    }

    fn param_with_default(&mut self, style: &Style) -> Nothing {
        self.param(style)?;
        self.default()?;
        self.param_end(style)
    }

    fn param_maybe_default(&mut self, style: &Style) -> Nothing {
        self.param(style)?;
        self.opt(Self::default)?;
        self.param_end(style)
    }

    fn slash_no_default(&mut self, style: &Style) -> Nothing {
        self.some(|p| p.param_no_default(style))?;
        self.eat("/")?;
        self.param_end(style)?;
        self.since(8, "Positional-only parameters are")
    }

    fn slash_with_default(&mut self, style: &Style) -> Nothing {
        self.many(|p| p.param_no_default(style))?;
        self.some(|p| p.param_with_default(style))?;
        self.eat("/")?;
        self.param_end(style)?;
        self.since(8, "Positional-only parameters are")
    }

    fn any_slash(&mut self, style: &Style) -> Nothing {
        self.alt(|p| p.slash_no_default(style)).or_else(|| self.alt(|p| p.slash_with_default(style)))
    }

    fn star_etc(&mut self, style: &Style) -> Nothing {
        self.wrong(|p| p.invalid_star_etc(style));
        let named = self.alt(|p| {
            p.eat("*")?;
            p.param_no_default(style)?;
            p.many(|p| p.param_maybe_default(style))?;
            p.opt(|p| p.kwds(style))
        });
        if named.is_some() {
            return Some(());
        }
        if style.annotations {
            let starred = self.alt(|p| {
                p.eat("*")?;
                p.name()?;
                p.eat(":")?;
                p.star_expression()?;
                p.param_end(style)?;
                p.many(|p| p.param_maybe_default(style))?;
                p.opt(|p| p.kwds(style))
            });
            if starred.is_some() {
                return Some(());
            }
        }
        let bare = self.alt(|p| {
            p.eat("*")?;
            p.eat(",")?;
            p.some(|p| p.param_maybe_default(style))?;
            p.opt(|p| p.kwds(style))
        });
        if bare.is_some() {
            return Some(());
        }
        self.alt(|p| p.kwds(style))
    }

    fn kwds(&mut self, style: &Style) -> Nothing {
        self.wrong(|p| p.invalid_kwds(style));
        self.alt(|p| {
            p.eat("**")?;
            p.param_no_default(style)?;
            Some(())
        })
    }

    fn invalid_parameters(&mut self, style: &Style) -> Nothing {
        self.alt(|p| {
            let slash = p.eat("/")?;
            p.eat(",")?;
            p.raise_at(p.tspan(slash), "at least one argument must precede /")
        });
        self.alt(|p| {
            p.any_slash(style)?;
            p.many(|p| p.param_maybe_default(style))?;
            let slash = p.eat("/")?;
            p.raise_at(p.tspan(slash), "/ may appear only once")
        });
        self.alt(|p| {
            p.opt(|p| p.slash_no_default(style))?;
            p.many(|p| p.param_no_default(style))?;
            let slash = p.alt(|p| p.slash_with_default(style));
            if slash.is_none() {
                p.some(|p| p.param_with_default(style))?;
            }
            let param = p.param_no_default(style)?;
            let msg = "parameter without a default follows parameter with a default";
            p.raise_at(p.span(param), msg)
        });
        self.alt(|p| {
            p.many(|p| p.param_no_default(style))?;
            let open = p.eat("(")?;
            if style.annotations {
                p.some(|p| p.param_no_default(style))?;
            } else {
                p.list(|p| p.param(style))?;
            }
            p.opt(|p| p.eat(","))?;
            let close = p.eat(")")?;
            let msg = if style.annotations {
                "Function parameters cannot be parenthesized"
            } else {
                "Lambda expression parameters cannot be parenthesized"
            };
            p.raise_range(p.tspan(open), p.tspan(close), msg)
        });
        self.alt(|p| {
            p.opt(|p| p.any_slash(style))?;
            p.many(|p| p.param_maybe_default(style))?;
            p.eat("*")?;
            p.comma_or_param(style)?;
            p.many(|p| p.param_maybe_default(style))?;
            let slash = p.eat("/")?;
            p.raise_at(p.tspan(slash), "/ must be ahead of *")
        });
        self.alt(|p| {
            p.some(|p| p.param_maybe_default(style))?;
            p.eat("/")?;
            let star = p.eat("*")?;
            p.raise_at(p.tspan(star), "expected comma between / and *")
        })
    }

    fn comma_or_param(&mut self, style: &Style) -> Nothing {
        if self.eat(",").is_some() {
            return Some(());
        }
        self.alt(|p| p.param_no_default(style)).map(|_| ())
    }

    fn invalid_star_etc(&mut self, style: &Style) -> Nothing {
        self.alt(|p| {
            let star = p.eat("*")?;
            let bare = p.eat(style.close).is_some()
                || p.alt(|p| {
                    p.eat(",")?;
                    p.eat_any(&[style.close, "**"])
                })
                .is_some();
            if !bare {
                return None;
            }
            let msg = "named arguments must follow bare *";
            if style.annotations { p.raise_at(p.tspan(star), msg) } else { p.raise(msg) }
        });
        self.alt(|p| {
            p.eat("*")?;
            p.param(style)?;
            let equal = p.eat("=")?;
            p.raise_at(p.tspan(equal), "var-positional argument cannot have default value")
        });
        self.alt(|p| {
            p.eat("*")?;
            let param = p.alt(|p| p.param_no_default(style));
            if param.is_none() {
                p.eat(",")?;
            }
            p.many(|p| p.param_maybe_default(style))?;
            let star = p.eat("*")?;
            let param = p.alt(|p| p.param_no_default(style));
            if param.is_none() {
                p.eat(",")?;
            }
            p.raise_at(p.tspan(star), "* argument may appear only once")
        })
    }

    fn invalid_kwds(&mut self, style: &Style) -> Nothing {
        self.alt(|p| {
            p.eat("**")?;
            p.param(style)?;
            let equal = p.eat("=")?;
            p.raise_at(p.tspan(equal), "var-keyword argument cannot have default value")
        });
        let msg = "arguments cannot follow var-keyword argument";
        self.alt(|p| {
            p.eat("**")?;
            p.param(style)?;
            p.eat(",")?;
            let after: Span = match p.alt(|p| p.param(style)) {
                Some(param) => p.span(param),
                None => {
                    let star = p.eat_any(&["*", "**", "/"])?;
                    p.tspan(star)
                }
            };
            p.raise_at(after, msg)
        })
    }

    pub(super) fn type_params(&mut self) -> Nothing {
        self.wrong(|p| {
            p.eat("[")?;
            let close = p.eat("]")?;
            p.raise_from(p.tspan(close), "Type parameter list cannot be empty")
        });
        self.alt(|p| {
            p.eat("[")?;
            p.list(Self::type_param)?;
            p.opt(|p| p.eat(","))?;
            p.eat("]")?;
            p.since(12, "Type parameter lists are")
        })
    }

    fn type_param(&mut self) -> R {
        self.memo(Rule::TypeParam, |p| {
            let plain = p.alt(|p| {
                let name = p.name()?;
                p.opt(|p| {
                    p.eat(":")?;
                    p.expression()
                })?;
                p.opt(Self::type_param_default)?;
                Some(name)
            });
            if plain.is_some() {
                return plain;
            }
            for (star, kind) in [("*", "TypeVarTuple"), ("**", "ParamSpec")] {
                p.wrong(|p| {
                    p.eat(star)?;
                    p.name()?;
                    let colon = p.eat(":")?;
                    let bound = p.expression()?;
                    let tuple = p.nodes[bound as usize].kind == super::node::NodeKind::Tuple;
                    let what = if tuple { "constraints" } else { "bound" };
                    p.raise_from(p.tspan(colon), format!("cannot use {what} with {kind}"))
                });
            }
            let tuple = p.alt(|p| {
                p.eat("*")?;
                let name = p.name()?;
                p.opt(|p| {
                    p.eat("=")?;
                    let value = p.star_expression()?;
                    p.since(13, "Type parameter defaults are")?;
                    Some(value)
                })?;
                Some(name)
            });
            if tuple.is_some() {
                return tuple;
            }
            p.alt(|p| {
                p.eat("**")?;
                let name = p.name()?;
                p.opt(Self::type_param_default)?;
                Some(name)
            })
        })
    }

    fn type_param_default(&mut self) -> R {
        self.eat("=")?;
        let value = self.expression()?;
        self.since(13, "Type parameter defaults are")?;
        Some(value)
    }
}
