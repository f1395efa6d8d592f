//! Compound statements and blocks, with the rules for wrong ones.

use super::parser::{Parser, Rule};
use super::targets::Targets;
use super::token::Kind;
use crate::error::SyntaxErrorKind;

type Nothing = Option<()>;

impl Parser<'_> {
    pub(super) fn statements(&mut self) -> Nothing {
        self.some(Self::statement)?;
        Some(())
    }

    fn statement(&mut self) -> Nothing {
        self.alt(Self::compound_stmt).or_else(|| self.alt(Self::simple_stmts))
    }

    /// The mode `single`: one statement.
    pub(super) fn interactive(&mut self) -> Nothing {
        let compound = self.alt(|p| {
            p.compound_stmt()?;
            p.eat_kind(Kind::Newline)?;
            Some(())
        });
        if compound.is_some() {
            return compound;
        }
        let simple = self.alt(Self::simple_stmts);
        if simple.is_some() {
            return simple;
        }
        if self.eat_kind(Kind::Newline).is_some() {
            return Some(());
        }
        self.ahead(|p| p.eat_kind(Kind::End));
        None
    }

    pub(super) fn block(&mut self) -> Nothing {
        self.memo(Rule::Block, |p| {
            let indented = p.alt(|p| {
                p.eat_kind(Kind::Newline)?;
                p.eat_kind(Kind::Indent)?;
                p.statements()?;
                p.eat_kind(Kind::Dedent)?;
                Some(0)
            });
            if indented.is_some() {
                return indented;
            }
            if p.alt(Self::simple_stmts).is_some() {
                return Some(0);
            }
            p.wrong(|p| {
                p.eat_kind(Kind::Newline)?;
                p.not(|p| p.eat_kind(Kind::Indent))?;
                p.raise_last(SyntaxErrorKind::IndentationError, "expected an indented block")
            });
            None
        })
        .map(|_| ())
    }

    /// `':' NEWLINE !INDENT` after a header: the body is missing.
    fn no_body(&mut self, what: &str, keyword: usize) -> Nothing {
        self.eat(":")?;
        self.eat_kind(Kind::Newline)?;
        self.not(|p| p.eat_kind(Kind::Indent))?;
        self.raise_block(what, keyword)
    }

    /// `NEWLINE` where a header needs its colon.
    fn no_colon(&mut self) -> Nothing {
        self.eat_kind(Kind::Newline)?;
        self.raise("expected ':'")
    }

    fn compound_stmt(&mut self) -> Nothing {
        let token = self.peek()?;
        let found = match token.text {
            "def" => self.alt(Self::function_def_raw),
            "class" => self.alt(Self::class_def_raw),
            "@" => self.alt(Self::decorated),
            "if" => self.if_stmt("if"),
            "with" => self.with_stmt(),
            "for" => self.for_stmt(),
            "try" => self.try_stmt(),
            "while" => self.while_stmt(),
            "async" => self.alt(Self::function_def_raw).or_else(|| self.with_stmt()).or_else(|| self.for_stmt()),
            _ => None,
        };
        if found.is_some() || token.kind != Kind::Name {
            return found;
        }
        self.match_stmt()
    }

    fn decorated(&mut self) -> Nothing {
        self.some(|p| {
            p.eat("@")?;
            p.named_expression()?;
            p.eat_kind(Kind::Newline)
        })?;
        self.alt(Self::function_def_raw).or_else(|| self.alt(Self::class_def_raw))
    }

    fn class_def_raw(&mut self) -> Nothing {
        self.wrong(|p| {
            p.class_header()?;
            p.no_colon()
        });
        self.wrong(|p| {
            let keyword = p.mark;
            p.class_header()?;
            p.no_body("class definition", keyword)
        });
        self.alt(|p| {
            p.class_header()?;
            p.eat(":")?;
            p.block()
        })
    }

    fn class_header(&mut self) -> Nothing {
        self.eat("class")?;
        self.name()?;
        self.opt(Self::type_params)?;
        self.opt(|p| {
            p.eat("(")?;
            p.opt(Self::arguments)?;
            p.eat(")")
        })?;
        Some(())
    }

    fn function_def_raw(&mut self) -> Nothing {
        self.wrong(|p| {
            p.opt(|p| p.eat("async"))?;
            let keyword = p.eat("def")?;
            p.name()?;
            p.opt(Self::type_params)?;
            p.eat("(")?;
            p.opt(Self::params)?;
            p.eat(")")?;
            p.opt(Self::return_annotation)?;
            p.no_body("function definition", keyword)
        });
        self.wrong(|p| {
            p.opt(|p| p.eat("async"))?;
            p.eat("def")?;
            p.name()?;
            p.opt(Self::type_params)?;
            p.force("(")?;
            p.opt(Self::params)?;
            p.eat(")")?;
            p.opt(Self::return_annotation)?;
            p.force(":")?;
            p.block()
        });
        self.alt(|p| {
            let is_async = p.maybe_async()?;
            p.eat("def")?;
            p.name()?;
            p.opt(Self::type_params)?;
            p.eat("(")?;
            p.opt(Self::params)?;
            p.eat(")")?;
            p.opt(Self::return_annotation)?;
            p.eat(":")?;
            p.block()?;
            if is_async { p.since(5, "Async functions are") } else { Some(()) }
        })
    }

    fn return_annotation(&mut self) -> Nothing {
        self.eat("->")?;
        self.expression()?;
        Some(())
    }

    /// `if` and `elif`.
    fn if_stmt(&mut self, word: &'static str) -> Nothing {
        self.wrong(|p| {
            p.eat(word)?;
            p.named_expression()?;
            p.no_colon()
        });
        self.wrong(|p| {
            let keyword = p.eat(word)?;
            p.named_expression()?;
            p.no_body(&format!("'{word}' statement"), keyword)
        });
        self.alt(|p| {
            p.eat(word)?;
            p.named_expression()?;
            p.eat(":")?;
            p.block()?;
            if p.ahead(|p| p.eat("elif")) && p.if_stmt("elif").is_some() {
                return Some(());
            }
            p.opt(Self::else_block)?;
            Some(())
        })
    }

    fn else_block(&mut self) -> Nothing {
        self.wrong(|p| {
            let keyword = p.eat("else")?;
            p.no_body("'else' statement", keyword)
        });
        self.alt(|p| {
            p.eat("else")?;
            p.force(":")?;
            p.block()
        })
    }

    fn while_stmt(&mut self) -> Nothing {
        self.wrong(|p| {
            p.eat("while")?;
            p.named_expression()?;
            p.no_colon()
        });
        self.wrong(|p| {
            let keyword = p.eat("while")?;
            p.named_expression()?;
            p.no_body("'while' statement", keyword)
        });
        self.alt(|p| {
            p.eat("while")?;
            p.named_expression()?;
            p.eat(":")?;
            p.block()?;
            p.opt(Self::else_block)?;
            Some(())
        })
    }

    /// Up to the iterable; gives the keyword.
    fn for_header(&mut self) -> Option<usize> {
        self.opt(|p| p.eat("async"))?;
        let keyword = self.eat("for")?;
        self.star_targets()?;
        self.eat("in")?;
        self.star_expressions()?;
        Some(keyword)
    }

    fn for_stmt(&mut self) -> Nothing {
        self.wrong(|p| {
            p.for_header()?;
            p.no_colon()
        });
        self.wrong(|p| {
            let keyword = p.for_header()?;
            p.no_body("'for' statement", keyword)
        });
        let mut committed = false;
        let found = self.alt(|p| {
            let is_async = p.maybe_async()?;
            p.eat("for")?;
            p.star_targets()?;
            p.eat("in")?;
            committed = true;
            p.star_expressions()?;
            p.eat(":")?;
            p.block()?;
            p.opt(Self::else_block)?;
            if is_async { p.since(5, "Async for loops are") } else { Some(()) }
        });
        if found.is_none() && !committed {
            self.wrong(Self::invalid_for_target);
        }
        found
    }

    fn with_item(&mut self) -> Nothing {
        let named = self.alt(|p| {
            p.expression()?;
            p.eat("as")?;
            p.star_target()?;
            p.at_text(&[",", ")", ":"])
        });
        if named.is_some() {
            return named;
        }
        self.wrong(|p| {
            p.expression()?;
            p.eat("as")?;
            let target = p.expression()?;
            p.at_text(&[",", ")", ":"])?;
            p.raise_invalid_target(Targets::Star, target)
        });
        self.alt(Self::expression).map(|_| ())
    }

    fn as_star_target(&mut self) -> Nothing {
        self.opt(|p| {
            p.eat("as")?;
            p.star_target()
        })?;
        Some(())
    }

    fn loose_items(&mut self) -> Option<usize> {
        self.opt(|p| p.eat("async"))?;
        let keyword = self.eat("with")?;
        self.list(|p| {
            p.expression()?;
            p.as_star_target()
        })?;
        Some(keyword)
    }

    fn loose_group(&mut self) -> Option<usize> {
        self.opt(|p| p.eat("async"))?;
        let keyword = self.eat("with")?;
        self.eat("(")?;
        self.list(|p| {
            p.expressions()?;
            p.as_star_target()
        })?;
        self.opt(|p| p.eat(","))?;
        self.eat(")")?;
        Some(keyword)
    }

    fn with_stmt(&mut self) -> Nothing {
        self.wrong(|p| {
            let keyword = p.loose_items()?;
            p.no_body("'with' statement", keyword)
        });
        self.wrong(|p| {
            let keyword = p.loose_group()?;
            p.no_body("'with' statement", keyword)
        });
        let group = self.alt(|p| {
            let is_async = p.maybe_async()?;
            p.eat("with")?;
            p.eat("(")?;
            p.list(Self::with_item)?;
            p.opt(|p| p.eat(","))?;
            p.eat(")")?;
            p.eat(":")?;
            p.block()?;
            if is_async { p.since(5, "Async with statements are") } else { Some(()) }
        });
        if group.is_some() {
            return group;
        }
        let plain = self.alt(|p| {
            let is_async = p.maybe_async()?;
            p.eat("with")?;
            p.list(Self::with_item)?;
            p.eat(":")?;
            p.block()?;
            if is_async { p.since(5, "Async with statements are") } else { Some(()) }
        });
        if plain.is_none() {
            self.wrong(|p| {
                p.loose_items()?;
                p.no_colon()
            });
            self.wrong(|p| {
                p.loose_group()?;
                p.no_colon()
            });
        }
        plain
    }

    fn try_stmt(&mut self) -> Nothing {
        self.wrong(Self::invalid_try_stmt);
        let finally = self.alt(|p| {
            p.eat("try")?;
            p.force(":")?;
            p.block()?;
            p.finally_block()
        });
        if finally.is_some() {
            return finally;
        }
        let handlers = self.alt(|p| {
            p.eat("try")?;
            p.force(":")?;
            p.block()?;
            p.some(Self::except_block)?;
            p.after_handlers()
        });
        if handlers.is_some() {
            return handlers;
        }
        self.alt(|p| {
            p.eat("try")?;
            p.force(":")?;
            p.block()?;
            p.some(Self::except_star_block)?;
            p.after_handlers()?;
            p.since(11, "Exception groups are")
        })
    }

    fn after_handlers(&mut self) -> Nothing {
        self.opt(Self::else_block)?;
        self.opt(Self::finally_block)?;
        Some(())
    }

    fn finally_block(&mut self) -> Nothing {
        self.wrong(|p| {
            let keyword = p.eat("finally")?;
            p.no_body("'finally' statement", keyword)
        });
        self.alt(|p| {
            p.eat("finally")?;
            p.force(":")?;
            p.block()
        })
    }

    fn invalid_try_stmt(&mut self) -> Nothing {
        self.alt(|p| {
            let keyword = p.eat("try")?;
            p.no_body("'try' statement", keyword)
        });
        self.alt(|p| {
            p.eat("try")?;
            p.eat(":")?;
            p.block()?;
            p.not_text(&["except", "finally"])?;
            p.raise("expected 'except' or 'finally' block")
        });
        let msg = "cannot have both 'except' and 'except*' on the same 'try'";
        self.alt(|p| {
            p.eat("try")?;
            p.eat(":")?;
            p.many(Self::block)?;
            p.some(Self::except_block)?;
            let except = p.eat("except")?;
            let star = p.eat("*")?;
            p.expression()?;
            p.as_name_opt()?;
            p.eat(":")?;
            p.raise_range(p.tspan(except), p.tspan(star), msg)
        });
        self.alt(|p| {
            p.eat("try")?;
            p.eat(":")?;
            p.many(Self::block)?;
            p.some(Self::except_star_block)?;
            let except = p.eat("except")?;
            p.opt(|p| {
                p.expression()?;
                p.as_name_opt()
            })?;
            p.eat(":")?;
            p.raise_at(p.tspan(except), msg)
        })
    }

    fn as_name_opt(&mut self) -> Nothing {
        self.opt(|p| {
            p.eat("as")?;
            p.name()
        })?;
        Some(())
    }

    fn except_block(&mut self) -> Nothing {
        self.wrong(|p| {
            let keyword = p.eat("except")?;
            p.expression()?;
            p.as_name_opt()?;
            p.no_body("'except' statement", keyword)
        });
        self.wrong(|p| {
            let keyword = p.eat("except")?;
            p.no_body("'except' statement", keyword)
        });
        let typed = self.alt(|p| {
            p.eat("except")?;
            p.expression()?;
            p.as_name_opt()?;
            p.eat(":")?;
            p.block()
        });
        if typed.is_some() {
            return typed;
        }
        let bare = self.alt(|p| {
            p.eat("except")?;
            p.eat(":")?;
            p.block()
        });
        if bare.is_none() {
            self.wrong(Self::invalid_except_stmt);
        }
        bare
    }

    fn except_star_block(&mut self) -> Nothing {
        self.wrong(|p| {
            let keyword = p.eat("except")?;
            p.eat("*")?;
            p.expression()?;
            p.as_name_opt()?;
            p.no_body("'except*' statement", keyword)
        });
        let typed = self.alt(|p| {
            p.eat("except")?;
            p.eat("*")?;
            p.expression()?;
            p.as_name_opt()?;
            p.eat(":")?;
            p.block()
        });
        if typed.is_none() {
            self.wrong(Self::invalid_except_stmt);
        }
        typed
    }

    fn invalid_except_stmt(&mut self) -> Nothing {
        self.alt(|p| {
            p.eat("except")?;
            p.opt(|p| p.eat("*"))?;
            let first = p.expression()?;
            p.eat(",")?;
            p.expressions()?;
            p.as_name_opt()?;
            p.eat(":")?;
            p.raise_from(p.span(first), "multiple exception types must be parenthesized")
        });
        self.alt(|p| {
            p.eat("except")?;
            p.opt(|p| p.eat("*"))?;
            p.expression()?;
            p.as_name_opt()?;
            p.no_colon()
        });
        self.alt(|p| {
            p.eat("except")?;
            p.no_colon()
        });
        self.alt(|p| {
            p.eat("except")?;
            p.eat("*")?;
            if p.eat_kind(Kind::Newline).is_none() {
                p.eat(":")?;
            }
            p.raise("expected one or more exception types")
        })
    }

    fn match_stmt(&mut self) -> Nothing {
        let found = self.alt(|p| {
            p.eat_soft("match")?;
            p.subject_expr()?;
            p.eat(":")?;
            p.eat_kind(Kind::Newline)?;
            p.eat_kind(Kind::Indent)?;
            p.some(Self::case_block)?;
            p.eat_kind(Kind::Dedent)?;
            p.since(10, "Pattern matching is")
        });
        if found.is_none() {
            self.wrong(|p| {
                p.eat_soft("match")?;
                p.subject_expr()?;
                p.no_colon()
            });
            self.wrong(|p| {
                let keyword = p.eat_soft("match")?;
                p.subject_expr()?;
                p.no_body("'match' statement", keyword)
            });
        }
        found
    }

    fn subject_expr(&mut self) -> Nothing {
        let tuple = self.alt(|p| {
            p.star_named_expression()?;
            p.eat(",")?;
            p.opt(Self::star_named_expressions)
        });
        if tuple.is_some() {
            return Some(());
        }
        self.alt(Self::named_expression).map(|_| ())
    }

    fn case_header(&mut self) -> Option<usize> {
        let keyword = self.eat_soft("case")?;
        self.patterns()?;
        self.opt(|p| {
            p.eat("if")?;
            p.named_expression()
        })?;
        Some(keyword)
    }

    fn case_block(&mut self) -> Nothing {
        self.wrong(|p| {
            p.case_header()?;
            p.no_colon()
        });
        self.wrong(|p| {
            let keyword = p.case_header()?;
            p.no_body("'case' statement", keyword)
        });
        self.alt(|p| {
            p.case_header()?;
            p.eat(":")?;
            p.block()
        })
    }
}
