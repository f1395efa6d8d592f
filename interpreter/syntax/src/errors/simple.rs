//! Simple statements, with the rules for wrong ones.

use super::node::Id;
use super::parser::{Parser, R, Rule};
use super::targets::Targets;
use super::token::Kind;

type Nothing = Option<()>;

const AUGMENTED: &[&str] = &["+=", "-=", "*=", "@=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "**=", "//="];

impl Parser<'_> {
    pub(super) fn simple_stmts(&mut self) -> Nothing {
        let single = self.alt(|p| {
            p.simple_stmt()?;
            p.not_text(&[";"])?;
            p.eat_kind(Kind::Newline)?;
            Some(())
        });
        if single.is_some() {
            return single;
        }
        self.alt(|p| {
            p.simple_stmt()?;
            p.many(|p| {
                p.eat(";")?;
                p.simple_stmt()
            })?;
            p.opt(|p| p.eat(";"))?;
            p.eat_kind(Kind::Newline)?;
            Some(())
        })
    }

    fn simple_stmt(&mut self) -> R {
        self.memo(Rule::SimpleStmt, |p| p.simple_statement().map(|()| 0))
    }

    fn simple_statement(&mut self) -> Nothing {
        let first = self.alt(Self::assignment).or_else(|| self.alt(Self::type_alias));
        if first.is_some() {
            return first;
        }
        if self.alt(Self::star_expressions).is_some() {
            return Some(());
        }
        match self.peek()?.text {
            "return" => self.alt(|p| {
                p.eat("return")?;
                p.opt(Self::star_expressions)?;
                Some(())
            }),
            "import" | "from" => self.import_stmt(),
            "raise" => self.raise_stmt(),
            "pass" | "break" | "continue" => {
                self.mark += 1;
                Some(())
            }
            "del" => self.del_stmt(),
            "yield" => self.yield_expr().map(|_| ()),
            "assert" => self.alt(|p| {
                p.eat("assert")?;
                p.expression()?;
                p.opt(|p| {
                    p.eat(",")?;
                    p.expression()
                })?;
                Some(())
            }),
            "global" | "nonlocal" => self.alt(|p| {
                p.mark += 1;
                p.list(Self::name)?;
                Some(())
            }),
            _ => None,
        }
    }

    fn raise_stmt(&mut self) -> Nothing {
        let from = self.alt(|p| {
            p.eat("raise")?;
            p.expression()?;
            p.eat("from")?;
            p.expression()?;
            Some(())
        });
        if from.is_some() {
            return from;
        }
        self.alt(|p| {
            p.eat("raise")?;
            p.opt(Self::expression)?;
            Some(())
        })
    }

    fn del_stmt(&mut self) -> Nothing {
        let found = self.alt(|p| {
            p.eat("del")?;
            p.del_targets()?;
            (p.at_text(&[";"]).is_some() || p.ahead(|p| p.eat_kind(Kind::Newline))).then_some(())
        });
        if found.is_none() {
            self.wrong(|p| {
                p.eat("del")?;
                let target = p.star_expressions()?;
                p.raise_invalid_target(Targets::Del, target)
            });
        }
        found
    }

    fn type_alias(&mut self) -> Nothing {
        self.eat_soft("type")?;
        self.name()?;
        self.opt(Self::type_params)?;
        self.eat("=")?;
        self.expression()?;
        self.since(12, "Type statement is")
    }

    fn assignment(&mut self) -> Nothing {
        let annotated = self.alt(|p| {
            p.name()?;
            p.annotation_and_value()
        });
        if annotated.is_some() {
            return annotated;
        }
        let annotated = self.alt(|p| {
            let group = p.alt(|p| {
                p.eat("(")?;
                p.single_target()?;
                p.eat(")")
            });
            if group.is_none() {
                p.single_subscript_attribute_target()?;
            }
            p.annotation_and_value()
        });
        if annotated.is_some() {
            return annotated;
        }
        let plain = self.alt(|p| {
            p.some(Self::target_and_equal)?;
            p.yield_or_star_expressions()?;
            p.not_text(&["="])
        });
        if plain.is_some() {
            return plain;
        }
        let mut committed = false;
        let augmented = self.alt(|p| {
            p.single_target()?;
            p.eat_any(AUGMENTED)?;
            committed = true;
            p.yield_or_star_expressions()?;
            Some(())
        });
        if augmented.is_none() && !committed {
            self.wrong(Self::invalid_assignment);
        }
        augmented
    }

    fn annotation_and_value(&mut self) -> Nothing {
        self.eat(":")?;
        self.expression()?;
        self.opt(|p| {
            p.eat("=")?;
            p.yield_or_star_expressions()
        })?;
        self.since(6, "Variable annotation syntax is")
    }

    fn target_and_equal(&mut self) -> R {
        let target = self.star_targets()?;
        self.eat("=")?;
        Some(target)
    }

    fn invalid_assignment(&mut self) -> Nothing {
        self.alt(|p| {
            let target = p.invalid_ann_assign_target()?;
            p.eat(":")?;
            p.expression()?;
            let msg = format!("only single target (not {}) can be annotated", p.describe(target));
            p.raise_at(p.span(target), msg)
        });
        self.alt(|p| {
            let first = p.star_named_expression()?;
            p.eat(",")?;
            p.many(Self::star_named_expressions)?;
            p.eat(":")?;
            p.expression()?;
            p.raise_at(p.span(first), "only single target (not tuple) can be annotated")
        });
        self.alt(|p| {
            let target = p.expression()?;
            p.eat(":")?;
            p.expression()?;
            p.raise_at(p.span(target), "illegal target for annotation")
        });
        self.alt(|p| {
            p.many(Self::target_and_equal)?;
            let target = p.star_expressions()?;
            p.eat("=")?;
            p.raise_invalid_target(Targets::Star, target)
        });
        self.alt(|p| {
            p.many(Self::target_and_equal)?;
            let target = p.yield_expr()?;
            p.eat("=")?;
            p.raise_at(p.span(target), "assignment to yield expression not possible")
        });
        self.alt(|p| {
            let target = p.star_expressions()?;
            p.eat_any(AUGMENTED)?;
            p.yield_or_star_expressions()?;
            let what = p.describe(target);
            p.raise_at(p.span(target), format!("'{what}' is an illegal expression for augmented assignment"))
        })
    }

    fn invalid_ann_assign_target(&mut self) -> Option<Id> {
        if let Some(found) = self.alt(Self::list_display).or_else(|| self.alt(Self::tuple_display)) {
            return Some(found);
        }
        self.alt(|p| {
            p.eat("(")?;
            let target = p.invalid_ann_assign_target()?;
            p.eat(")")?;
            Some(target)
        })
    }

    fn import_stmt(&mut self) -> Nothing {
        self.wrong(|p| {
            let import = p.eat("import")?;
            p.list(Self::dotted_name)?;
            p.eat("from")?;
            p.dotted_name()?;
            p.raise_from(p.tspan(import), "Did you mean to use 'from ... import ...' instead?")
        });
        self.wrong(|p| {
            p.eat("import")?;
            p.missing_names()
        });
        let import = self.alt(|p| {
            p.eat("import")?;
            p.list(|p| {
                p.dotted_name()?;
                p.as_name()
            })?;
            Some(())
        });
        if import.is_some() {
            return import;
        }
        self.alt(|p| {
            p.eat("from")?;
            let dots = p.many(|p| p.eat_any(&[".", "..."]))?;
            let module = p.opt(Self::dotted_name)?;
            if dots.is_empty() && module.is_none() {
                return None;
            }
            p.eat("import")?;
            p.import_from_targets()
        })
    }

    fn missing_names(&mut self) -> Nothing {
        let newline = self.eat_kind(Kind::Newline)?;
        self.raise_from(self.tspan(newline), "Expected one or more names after 'import'")
    }

    fn dotted_name(&mut self) -> Nothing {
        self.name()?;
        self.many(|p| {
            p.eat(".")?;
            p.name()
        })?;
        Some(())
    }

    fn as_name(&mut self) -> Nothing {
        self.opt(|p| {
            p.eat("as")?;
            p.name()
        })?;
        Some(())
    }

    fn import_from_as_names(&mut self) -> Nothing {
        self.list(|p| {
            p.name()?;
            p.as_name()
        })?;
        Some(())
    }

    fn import_from_targets(&mut self) -> Nothing {
        let parenthesised = self.alt(|p| {
            p.eat("(")?;
            p.import_from_as_names()?;
            p.opt(|p| p.eat(","))?;
            p.eat(")")?;
            Some(())
        });
        if parenthesised.is_some() {
            return parenthesised;
        }
        let plain = self.alt(|p| {
            p.import_from_as_names()?;
            p.not_text(&[","])
        });
        if plain.is_some() {
            return plain;
        }
        if self.eat("*").is_some() {
            return Some(());
        }
        self.wrong(|p| {
            p.import_from_as_names()?;
            p.eat(",")?;
            p.eat_kind(Kind::Newline)?;
            p.raise("trailing comma not allowed without surrounding parentheses")
        });
        self.wrong(Self::missing_names);
        None
    }
}
