//! Atoms: names, literals, displays, comprehensions, call arguments, with the rules for wrong ones.

use super::node::{Id, NodeKind};
use super::parser::{Parser, R, Rule};
use super::token::Kind;

type Nothing = Option<()>;

impl Parser<'_> {
    pub(super) fn atom(&mut self) -> R {
        self.memo(Rule::Atom, |p| {
            let start = p.mark;
            let token = p.peek()?;
            match token.kind {
                Kind::Name => p.name(),
                Kind::Str | Kind::FStart => p.strings(),
                Kind::Number => {
                    p.mark += 1;
                    if p.tok.src[token.start..token.end].contains(&b'_') {
                        p.since(6, "Underscores in numeric literals are")?;
                    }
                    Some(p.leaf(NodeKind::Literal, start))
                }
                _ => match token.text {
                    "True" => p.word(NodeKind::True),
                    "False" => p.word(NodeKind::False),
                    "None" => p.word(NodeKind::None),
                    "..." => p.word(NodeKind::Ellipsis),
                    "(" => p.parenthesised(),
                    "[" => p.alt(Self::listcomp).or_else(|| p.alt(Self::list_display)),
                    "{" => p.braces(),
                    _ => None,
                },
            }
        })
    }

    fn word(&mut self, kind: NodeKind) -> R {
        self.mark += 1;
        Some(self.leaf(kind, self.mark - 1))
    }

    /// Generator, tuple or group, in this order.
    fn parenthesised(&mut self) -> R {
        if let Some(found) = self.alt(Self::genexp).or_else(|| self.alt(Self::tuple_display)) {
            return Some(found);
        }
        let group = self.alt(|p| {
            p.eat("(")?;
            let inner = p.alt(Self::yield_expr).or_else(|| p.alt(Self::named_expression))?;
            p.eat(")")?;
            Some(inner)
        });
        if group.is_none() {
            self.wrong(|p| {
                p.eat("(")?;
                let starred = p.starred_expression()?;
                p.eat(")")?;
                p.raise_at(p.span(starred), "cannot use starred expression here")
            });
            self.wrong(|p| {
                p.eat("(")?;
                let stars = p.eat("**")?;
                p.expression()?;
                p.eat(")")?;
                p.raise_at(p.tspan(stars), "cannot use double starred expression here")
            });
        }
        group
    }

    pub(super) fn list_display(&mut self) -> R {
        let start = self.mark;
        self.eat("[")?;
        let kids = self.opt(Self::star_named_expressions)?.unwrap_or_default();
        self.eat("]")?;
        Some(self.node(NodeKind::List, start, kids))
    }

    pub(super) fn tuple_display(&mut self) -> R {
        let start = self.mark;
        self.eat("(")?;
        let kids = self.opt(|p| {
            let first = p.star_named_expression()?;
            p.eat(",")?;
            let mut kids = vec![first];
            kids.extend(p.opt(Self::star_named_expressions)?.unwrap_or_default());
            Some(kids)
        })?;
        self.eat(")")?;
        Some(self.node(NodeKind::Tuple, start, kids.unwrap_or_default()))
    }

    fn listcomp(&mut self) -> R {
        self.comprehension("[", "]", NodeKind::ListComp, Self::named_expression)
    }

    pub(super) fn genexp(&mut self) -> R {
        self.comprehension("(", ")", NodeKind::Generator, Self::argument_value)
    }

    /// `assignment_expression | expression !':='`
    fn argument_value(&mut self) -> R {
        if let Some(found) = self.assignment_expression() {
            return Some(found);
        }
        self.alt(|p| {
            let value = p.expression()?;
            p.not_text(&[":="])?;
            Some(value)
        })
    }

    fn comprehension(&mut self, open: &str, close: &str, kind: NodeKind, element: fn(&mut Self) -> R) -> R {
        let start = self.mark;
        let found = self.alt(|p| {
            p.eat(open)?;
            element(p)?;
            p.for_if_clauses()?;
            p.eat(close)?;
            Some(p.node(kind, start, Vec::new()))
        });
        if found.is_none() {
            self.wrong(Self::invalid_comprehension);
        }
        found
    }

    fn invalid_comprehension(&mut self) -> Nothing {
        self.alt(|p| {
            p.eat_any(&["[", "(", "{"])?;
            let starred = p.starred_expression()?;
            p.for_if_clauses()?;
            p.raise_at(p.span(starred), "iterable unpacking cannot be used in comprehension")
        });
        let msg = "did you forget parentheses around the comprehension target?";
        self.alt(|p| {
            p.eat_any(&["[", "{"])?;
            let first = p.star_named_expression()?;
            p.eat(",")?;
            let rest = p.star_named_expressions()?;
            p.for_if_clauses()?;
            let last = *rest.last()?;
            p.raise_range(p.span(first), p.span(last), msg)
        });
        self.alt(|p| {
            p.eat_any(&["[", "{"])?;
            let first = p.star_named_expression()?;
            let comma = p.eat(",")?;
            p.for_if_clauses()?;
            p.raise_range(p.span(first), p.tspan(comma), msg)
        })
    }

    /// The clauses; the last one's node spans its last part.
    pub(super) fn for_if_clauses(&mut self) -> Option<Id> {
        self.some(Self::for_if_clause)?.last().copied()
    }

    fn for_if_clause(&mut self) -> R {
        let mut committed = false;
        let clause = self.alt(|p| {
            let is_async = p.maybe_async()?;
            p.eat("for")?;
            p.star_targets()?;
            p.eat("in")?;
            committed = true;
            let mut last = p.disjunction()?;
            let tests = p.many(|p| {
                p.eat("if")?;
                p.disjunction()
            })?;
            if let Some(test) = tests.last() {
                last = *test;
            }
            if is_async {
                p.since(6, "Async comprehensions are")?;
            }
            let span = p.span(last);
            let token = p.nodes[last as usize].token;
            Some(p.push(super::node::Node { kind: NodeKind::Clause, span, kids: Vec::new(), token }))
        });
        if clause.is_some() || committed {
            return clause;
        }
        self.always_wrong(|p| {
            p.opt(|p| p.eat("async"))?;
            p.eat("for")?;
            p.bitwise_or()?;
            p.many(|p| {
                p.eat(",")?;
                p.bitwise_or()
            })?;
            p.opt(|p| p.eat(","))?;
            p.not_text(&["in"])?;
            p.raise("'in' expected after for-loop variables")
        });
        self.wrong(Self::invalid_for_target);
        None
    }

    /// Dict and set displays and comprehensions.
    fn braces(&mut self) -> R {
        let start = self.mark;
        let dictcomp = self.alt(|p| {
            p.eat("{")?;
            p.kvpair()?;
            p.for_if_clauses()?;
            p.eat("}")?;
            Some(p.node(NodeKind::DictComp, start, Vec::new()))
        });
        if dictcomp.is_some() {
            return dictcomp;
        }
        self.wrong(|p| {
            p.eat("{")?;
            let stars = p.eat("**")?;
            p.bitwise_or()?;
            p.for_if_clauses()?;
            p.eat("}")?;
            p.raise_at(p.tspan(stars), "dict unpacking cannot be used in dict comprehension")
        });
        let setcomp = self.comprehension("{", "}", NodeKind::SetComp, Self::named_expression);
        if setcomp.is_some() {
            return setcomp;
        }
        let dict = self.alt(|p| {
            p.eat("{")?;
            p.opt(|p| {
                p.list(Self::double_starred_kvpair)?;
                p.opt(|p| p.eat(","))
            })?;
            p.eat("}")?;
            Some(p.node(NodeKind::Dict, start, Vec::new()))
        });
        if dict.is_some() {
            return dict;
        }
        // CPython tries this one in the first pass already.
        self.alt(|p| {
            p.eat("{")?;
            p.invalid_double_starred_kvpairs()
        });
        self.alt(|p| {
            p.eat("{")?;
            let kids = p.star_named_expressions()?;
            p.eat("}")?;
            Some(p.node(NodeKind::Set, start, kids))
        })
    }

    fn double_starred_kvpair(&mut self) -> Nothing {
        let unpacked = self.alt(|p| {
            p.eat("**")?;
            p.bitwise_or()
        });
        if unpacked.is_some() { Some(()) } else { self.alt(Self::kvpair) }
    }

    fn kvpair(&mut self) -> Nothing {
        self.expression()?;
        self.eat(":")?;
        self.expression()?;
        Some(())
    }

    fn invalid_double_starred_kvpairs(&mut self) -> Nothing {
        self.alt(|p| {
            p.list(Self::double_starred_kvpair)?;
            p.eat(",")?;
            p.invalid_kvpair()
        });
        self.invalid_dict_value()
    }

    fn invalid_kvpair(&mut self) -> Nothing {
        self.alt(|p| {
            let key = p.expression()?;
            p.not_text(&[":"])?;
            let span = p.span(key);
            let kind = crate::error::SyntaxErrorKind::SyntaxError;
            p.raise_known(kind, "':' expected after dictionary key", span.line, span.end_col, span.end_line, 0)
        });
        self.invalid_dict_value()
    }

    fn invalid_dict_value(&mut self) -> Nothing {
        self.alt(|p| {
            p.expression()?;
            p.eat(":")?;
            let star = p.eat("*")?;
            p.bitwise_or()?;
            p.raise_from(p.tspan(star), "cannot use a starred expression in a dictionary value")
        });
        self.alt(|p| {
            p.expression()?;
            let colon = p.eat(":")?;
            p.at_text(&["}", ","])?;
            p.raise_at(p.tspan(colon), "expression expected after dictionary key and ':'")
        })
    }

    pub(super) fn starred_expression(&mut self) -> R {
        self.wrong(|p| {
            let star = p.eat("*")?;
            p.expression()?;
            p.eat("=")?;
            let value = p.expression()?;
            p.raise_range(p.tspan(star), p.span(value), "cannot assign to iterable argument unpacking")
        });
        let found = self.alt(|p| {
            let start = p.mark;
            p.eat("*")?;
            let value = p.expression()?;
            Some(p.node(NodeKind::Starred, start, vec![value]))
        });
        if found.is_none() {
            self.always_wrong(|p| {
                p.eat("*")?;
                p.raise("Invalid star expression")
            });
        }
        found
    }

    pub(super) fn arguments(&mut self) -> R {
        self.memo(Rule::Arguments, |p| {
            let found = p.alt(|p| {
                let args = p.args()?;
                p.opt(|p| p.eat(","))?;
                p.at_text(&[")"])?;
                Some(args)
            });
            if found.is_none() {
                p.wrong(Self::invalid_arguments);
            }
            found
        })
    }

    fn positional(&mut self) -> R {
        if let Some(starred) = self.alt(Self::starred_expression) {
            return Some(starred);
        }
        self.alt(|p| {
            let value = p.argument_value()?;
            p.not_text(&["="])?;
            Some(value)
        })
    }

    /// `args`: positional arguments as children, starred ones among keywords included.
    fn args(&mut self) -> R {
        let start = self.mark;
        let found = self.alt(|p| {
            let mut kids = p.list(Self::positional)?;
            let rest = p.opt(|p| {
                p.eat(",")?;
                p.kwargs()
            })?;
            let (more, unpack) = rest.unwrap_or_default();
            kids.extend(more);
            let kind = if unpack { NodeKind::ArgsUnpack } else { NodeKind::Args };
            Some(p.node(kind, start, kids))
        });
        if found.is_some() {
            return found;
        }
        self.alt(|p| {
            let (kids, unpack) = p.kwargs()?;
            let kind = if unpack { NodeKind::ArgsUnpack } else { NodeKind::Args };
            Some(p.node(kind, start, kids))
        })
    }

    /// The starred arguments among the keywords and whether there is a `**`.
    fn kwargs(&mut self) -> Option<(Vec<Id>, bool)> {
        let both = self.alt(|p| {
            let starred = p.list(Self::kwarg_or_starred)?;
            p.eat(",")?;
            let unpacked = p.list(Self::kwarg_or_double_starred)?;
            Some((starred.into_iter().flatten().collect(), unpacked.contains(&true)))
        });
        if both.is_some() {
            return both;
        }
        let starred = self.alt(|p| p.list(Self::kwarg_or_starred));
        if let Some(starred) = starred {
            return Some((starred.into_iter().flatten().collect(), false));
        }
        let unpacked = self.alt(|p| p.list(Self::kwarg_or_double_starred))?;
        Some((Vec::new(), unpacked.contains(&true)))
    }

    fn keyword_argument(&mut self) -> Nothing {
        self.name()?;
        self.eat("=")?;
        self.expression()?;
        Some(())
    }

    fn kwarg_or_starred(&mut self) -> Option<R> {
        self.wrong(Self::invalid_kwarg);
        if self.alt(Self::keyword_argument).is_some() {
            return Some(None);
        }
        self.alt(Self::starred_expression).map(Some)
    }

    fn kwarg_or_double_starred(&mut self) -> Option<bool> {
        self.wrong(Self::invalid_kwarg);
        if self.alt(Self::keyword_argument).is_some() {
            return Some(false);
        }
        self.alt(|p| {
            p.eat("**")?;
            p.expression()?;
            Some(true)
        })
    }

    fn invalid_kwarg(&mut self) -> Nothing {
        self.alt(|p| {
            let word = p.eat_any(&["True", "False", "None"])?;
            let equal = p.eat("=")?;
            let msg = format!("cannot assign to {}", p.tokens[word].text);
            p.raise_range(p.tspan(word), p.tspan(equal), msg)
        });
        self.alt(Self::invalid_keyword_generator);
        self.alt(|p| {
            p.not(|p| {
                p.name()?;
                p.eat("=")
            })?;
            let target = p.expression()?;
            let equal = p.eat("=")?;
            let msg = "expression cannot contain assignment, perhaps you meant \"==\"?";
            p.raise_range(p.span(target), p.tspan(equal), msg)
        });
        self.alt(|p| {
            let stars = p.eat("**")?;
            p.expression()?;
            p.eat("=")?;
            let value = p.expression()?;
            p.raise_range(p.tspan(stars), p.span(value), "cannot assign to keyword argument unpacking")
        })
    }

    /// `f(x=y for y in z)`
    fn invalid_keyword_generator(&mut self) -> Nothing {
        let name = self.name()?;
        let equal = self.eat("=")?;
        self.expression()?;
        self.for_if_clauses()?;
        let msg = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
        self.raise_range(self.span(name), self.tspan(equal), msg)
    }

    fn invalid_arguments(&mut self) -> Nothing {
        self.alt(|p| {
            let mixed = p.alt(|p| {
                p.list(Self::positional)?;
                p.eat(",")?;
                p.kwargs()
            });
            if mixed.is_none() {
                p.kwargs()?;
            }
            let comma = p.eat(",")?;
            p.list(|p| {
                p.starred_expression()?;
                p.not_text(&["="])
            })?;
            p.raise_from(p.tspan(comma), "iterable argument unpacking follows keyword argument unpacking")
        });
        let unparenthesised = "Generator expression must be parenthesized";
        self.alt(|p| {
            let element = p.expression()?;
            let clauses = p.for_if_clauses()?;
            p.eat(",")?;
            p.opt(|p| {
                p.alt(Self::args).or_else(|| {
                    p.alt(|p| {
                        p.expression()?;
                        p.for_if_clauses()
                    })
                })
            })?;
            p.raise_range(p.span(element), p.span(clauses), unparenthesised)
        });
        self.alt(Self::invalid_keyword_generator);
        self.alt(|p| {
            p.opt(|p| {
                p.args()?;
                p.eat(",")
            })?;
            let name = p.name()?;
            let equal = p.eat("=")?;
            p.at_text(&[",", ")"])?;
            p.raise_range(p.span(name), p.tspan(equal), "expected argument value expression")
        });
        self.alt(|p| {
            let args = p.args()?;
            let clauses = p.for_if_clauses()?;
            let kids = &p.nodes[args as usize].kids;
            if kids.len() <= 1 {
                return None;
            }
            let last = *kids.last()?;
            p.raise_range(p.span(last), p.span(clauses), unparenthesised)
        });
        self.alt(|p| {
            p.args()?;
            p.eat(",")?;
            let element = p.expression()?;
            let clauses = p.for_if_clauses()?;
            p.raise_range(p.span(element), p.span(clauses), unparenthesised)
        });
        self.alt(|p| {
            let args = p.args()?;
            p.eat(",")?;
            p.args()?;
            p.raise(if p.nodes[args as usize].kind == NodeKind::ArgsUnpack {
                "positional argument follows keyword argument unpacking"
            } else {
                "positional argument follows keyword argument"
            })
        })
    }
}
