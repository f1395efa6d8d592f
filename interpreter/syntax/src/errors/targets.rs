//! Assignment, `for`, `with` and `del` targets, and the search for what is wrong in one.

use super::node::{Id, NodeKind};
use super::parser::{Parser, R, Rule};

type Nothing = Option<()>;

/// For whom a target is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Targets {
    Star,
    Del,
    For,
}

const TRAILERS: &[&str] = &["(", "[", "."];

impl Parser<'_> {
    pub(super) fn star_targets(&mut self) -> R {
        let single = self.alt(|p| {
            let target = p.star_target()?;
            p.not_text(&[","])?;
            Some(target)
        });
        if single.is_some() {
            return single;
        }
        self.alt(|p| {
            let start = p.mark;
            let kids = p.list(Self::star_target)?;
            p.opt(|p| p.eat(","))?;
            Some(p.node(NodeKind::Tuple, start, kids))
        })
    }

    pub(super) fn star_target(&mut self) -> R {
        self.memo(Rule::StarTarget, |p| {
            let start = p.mark;
            let starred = p.alt(|p| {
                p.eat("*")?;
                p.not_text(&["*"])?;
                let target = p.star_target()?;
                Some(p.node(NodeKind::Starred, start, vec![target]))
            });
            if starred.is_some() { starred } else { p.alt(Self::target_with_star_atom) }
        })
    }

    fn target_with_star_atom(&mut self) -> R {
        self.memo(Rule::TargetWithStarAtom, |p| {
            p.alt(Self::single_subscript_attribute_target).or_else(|| p.alt(Self::star_atom))
        })
    }

    pub(super) fn single_subscript_attribute_target(&mut self) -> R {
        let start = self.mark;
        let attribute = self.alt(|p| {
            p.t_primary()?;
            p.eat(".")?;
            p.name()?;
            p.not_text(TRAILERS)?;
            Some(p.node(NodeKind::Attribute, start, Vec::new()))
        });
        if attribute.is_some() {
            return attribute;
        }
        self.alt(|p| {
            p.t_primary()?;
            p.eat("[")?;
            p.slices()?;
            p.eat("]")?;
            p.not_text(TRAILERS)?;
            Some(p.node(NodeKind::Subscript, start, Vec::new()))
        })
    }

    fn star_atom(&mut self) -> R {
        let start = self.mark;
        if let Some(name) = self.alt(Self::name) {
            return Some(name);
        }
        let group = self.alt(|p| {
            p.eat("(")?;
            let target = p.target_with_star_atom()?;
            p.eat(")")?;
            Some(target)
        });
        if group.is_some() {
            return group;
        }
        let tuple = self.alt(|p| {
            p.eat("(")?;
            p.opt(|p| {
                p.star_target()?;
                p.eat(",")?;
                p.opt(|p| {
                    p.list(Self::star_target)?;
                    p.opt(|p| p.eat(","))
                })
            })?;
            p.eat(")")?;
            Some(p.node(NodeKind::Tuple, start, Vec::new()))
        });
        if tuple.is_some() {
            return tuple;
        }
        self.alt(|p| {
            p.eat("[")?;
            p.opt(|p| {
                p.list(Self::star_target)?;
                p.opt(|p| p.eat(","))
            })?;
            p.eat("]")?;
            Some(p.node(NodeKind::List, start, Vec::new()))
        })
    }

    pub(super) fn single_target(&mut self) -> R {
        if let Some(target) = self.alt(Self::single_subscript_attribute_target).or_else(|| self.alt(Self::name)) {
            return Some(target);
        }
        self.alt(|p| {
            p.eat("(")?;
            let target = p.single_target()?;
            p.eat(")")?;
            Some(target)
        })
    }

    pub(super) fn del_targets(&mut self) -> Nothing {
        self.list(Self::del_target)?;
        self.opt(|p| p.eat(","))?;
        Some(())
    }

    fn del_target(&mut self) -> R {
        self.memo(Rule::DelTarget, |p| {
            let start = p.mark;
            if let Some(target) = p.alt(Self::single_subscript_attribute_target).or_else(|| p.alt(Self::name)) {
                return Some(target);
            }
            let group = p.alt(|p| {
                p.eat("(")?;
                let target = p.del_target()?;
                p.eat(")")?;
                Some(target)
            });
            if group.is_some() {
                return group;
            }
            for (open, close, kind) in [("(", ")", NodeKind::Tuple), ("[", "]", NodeKind::List)] {
                let display = p.alt(|p| {
                    p.eat(open)?;
                    p.opt(Self::del_targets)?;
                    p.eat(close)?;
                    Some(p.node(kind, start, Vec::new()))
                });
                if display.is_some() {
                    return display;
                }
            }
            None
        })
    }

    /// Raises at the part of `id` that is no target, if there is one.
    pub(super) fn raise_invalid_target(&mut self, targets: Targets, id: Id) -> Nothing {
        let wrong = self.invalid_target(targets, id)?;
        let verb = if targets == Targets::Del { "delete" } else { "assign to" };
        let msg = format!("cannot {verb} {}", self.describe(wrong));
        self.raise_at(self.span(wrong), msg)
    }

    fn invalid_target(&self, targets: Targets, id: Id) -> R {
        let node = &self.nodes[id as usize];
        match node.kind {
            NodeKind::List | NodeKind::Tuple => node.kids.iter().find_map(|&kid| self.invalid_target(targets, kid)),
            NodeKind::Starred if targets == Targets::Del => Some(id),
            NodeKind::Starred => self.invalid_target(targets, *node.kids.first()?),
            NodeKind::Compare if targets == Targets::For => self.invalid_target(targets, *node.kids.first()?),
            NodeKind::Name | NodeKind::Subscript | NodeKind::Attribute => None,
            _ => Some(id),
        }
    }

    pub(super) fn invalid_for_target(&mut self) -> Nothing {
        self.opt(|p| p.eat("async"))?;
        self.eat("for")?;
        let target = self.star_expressions()?;
        self.raise_invalid_target(Targets::For, target)
    }
}
