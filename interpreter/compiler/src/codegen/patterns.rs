//! `match` statements. CPython counterpart: `compiler_match`, `compiler_pattern`.
//!
//! A case keeps everything that it makes in temporaries above the subject until it has matched: captured values wait
//! there under their names, the rest is cleared; where a case fails, a chain of `CLEAR`s drops what was made so far.

use std::sync::Arc;

use krait_bytecode::location::Position;
use krait_bytecode::{Const, Op};
use krait_syntax::ast::{Expr, ExprKind, Identifier, MatchCase, Pattern, PatternKind, Range};

use super::ir::{Label, NONE, Reg};
use super::{Compiler, Val, at};
use crate::error::{Result, error};
use crate::fold;

/// What one alternative has made so far.
struct Attempt {
    /// First temporary that belongs to it.
    base: Reg,
    /// `fail[n]` is where to go with n temporaries above `base`.
    fail: Vec<Label>,
    /// Captured names and the temporaries that hold their values.
    stores: Vec<(Identifier, Reg, Range)>,
    /// Irrefutable patterns are allowed (the last case, or a guarded one).
    allow_irrefutable: bool,
}

impl<'a> Compiler<'a> {
    pub(super) fn match_stmt(&mut self, subject: &'a Expr, cases: &'a [MatchCase]) -> Result<()> {
        let base = self.u.height;
        let reg = self.push(subject)?;
        let end = self.new_label();
        for (index, case) in cases.iter().enumerate() {
            self.set_height(base + 1);
            let last = index + 1 == cases.len();
            let mut attempt = Attempt {
                base: base + 1,
                fail: Vec::new(),
                stores: Vec::new(),
                allow_irrefutable: case.guard.is_some() || last,
            };
            self.pattern(&mut attempt, &case.pattern, Val { reg, temp: false })?;
            self.settle(&attempt, at(case.pattern.range));
            for (name, value, _) in std::mem::take(&mut attempt.stores) {
                self.store_name(&name, Val { reg: value, temp: true }, case.pattern.range)?;
            }
            let height = self.u.height;
            self.set_height(base + 1);
            if let Some(guard) = &case.guard {
                let failed = self.fail_label(&mut attempt, 0);
                self.jump_if(guard, false, failed)?;
            }
            self.clear(reg, at(case.pattern.range));
            self.stmts(&case.body)?;
            self.jump(end, Position::NONE);
            self.set_height(height);
            self.bind_failures(&mut attempt, Position::NONE);
        }
        self.clear(reg, Position::NONE);
        self.bind(end);
        self.set_height(base);
        Ok(())
    }

    fn fail_label(&mut self, attempt: &mut Attempt, made: u32) -> Label {
        while attempt.fail.len() <= made as usize {
            let label = self.new_label();
            attempt.fail.push(label);
        }
        attempt.fail[made as usize]
    }

    /// Where to go if the pattern does not match now.
    fn failure(&mut self, attempt: &mut Attempt) -> Label {
        let made = self.u.height - attempt.base;
        self.fail_label(attempt, made)
    }

    /// Binds the chain that drops what a failed attempt has made.
    fn bind_failures(&mut self, attempt: &mut Attempt, pos: Position) {
        for made in (0..attempt.fail.len()).rev() {
            self.bind(attempt.fail[made]);
            if made > 0 {
                self.clear(attempt.base + made as u32 - 1, pos);
            }
        }
        self.set_height(attempt.base);
    }

    /// After success: clears everything that is not captured.
    fn settle(&mut self, attempt: &Attempt, pos: Position) {
        for reg in attempt.base..self.u.height {
            if !attempt.stores.iter().any(|store| store.1 == reg) {
                self.clear(reg, pos);
            }
        }
    }

    fn jump_if_false(&mut self, attempt: &mut Attempt, truth: Reg, pos: Position) {
        // The truth value is dead whichever way it goes.
        self.set_height(truth);
        let failed = self.failure(attempt);
        let kill = Self::kills(&[Val { reg: truth, temp: true }], NONE);
        self.emit_full(Op::JF, [truth, 0, 0], kill, 0, failed, pos);
        let next = self.new_label();
        self.bind(next);
    }

    /// `subject` is borrowed: it stays until the attempt ends.
    fn pattern(&mut self, attempt: &mut Attempt, pattern: &'a Pattern, subject: Val) -> Result<()> {
        self.limit.check()?;
        let pos = at(pattern.range);
        match &pattern.kind {
            PatternKind::MatchValue { value } => {
                if !matches!(value.kind, ExprKind::Attribute { .. }) && self.folder.fold(value).is_none() {
                    return Err(error(pattern.range, "patterns may only match literals and attribute lookups"));
                }
                let height = self.u.height;
                let value = self.expr(value)?;
                self.set_height(height);
                let failed = self.failure(attempt);
                let kill = Self::kills(&[Val { temp: false, ..subject }, value], NONE);
                self.emit_full(Op::JNEQ, [subject.reg, value.reg, 0], kill, 0, failed, pos);
                let next = self.new_label();
                self.bind(next);
                Ok(())
            }
            PatternKind::MatchSingleton { value } => {
                let height = self.u.height;
                let failed = self.failure(attempt);
                let constant = self.push_const(fold::constant(value), pos);
                let kill = Self::kills(&[Val { temp: false, ..subject }, Val { reg: constant, temp: true }], NONE);
                self.emit_full(Op::JNIS, [subject.reg, constant, 0], kill, 0, failed, pos);
                let next = self.new_label();
                self.bind(next);
                self.set_height(height);
                Ok(())
            }
            PatternKind::MatchSequence { patterns } => self.sequence_pattern(attempt, pattern, patterns, subject),
            PatternKind::MatchMapping { keys, patterns, rest } => {
                self.mapping_pattern(attempt, pattern, keys, patterns, rest.as_ref(), subject)
            }
            PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } => {
                self.class_pattern(attempt, pattern, cls, patterns, kwd_attrs, kwd_patterns, subject)
            }
            PatternKind::MatchStar { name } => self.capture(attempt, name.as_ref(), subject, pattern.range),
            PatternKind::MatchAs { pattern: inner, name } => {
                let Some(inner) = inner else {
                    if !attempt.allow_irrefutable {
                        return Err(error(pattern.range, irrefutable(name.as_ref())));
                    }
                    return self.capture(attempt, name.as_ref(), subject, pattern.range);
                };
                self.pattern(attempt, inner, subject)?;
                self.capture(attempt, name.as_ref(), subject, pattern.range)
            }
            PatternKind::MatchOr { patterns } => self.or_pattern(attempt, pattern, patterns, subject),
        }
    }

    fn subpattern(&mut self, attempt: &mut Attempt, pattern: &'a Pattern, subject: Val) -> Result<()> {
        let allowed = std::mem::replace(&mut attempt.allow_irrefutable, true);
        let result = self.pattern(attempt, pattern, subject);
        attempt.allow_irrefutable = allowed;
        result
    }

    fn capture(&mut self, attempt: &mut Attempt, name: Option<&Identifier>, subject: Val, range: Range) -> Result<()> {
        let Some(name) = name else { return Ok(()) };
        self.forbid_debug(name, range)?;
        if attempt.stores.iter().any(|store| store.0 == *name) {
            return Err(error(range, format!("multiple assignments to name '{name}' in pattern")));
        }
        let held = attempt.stores.iter().any(|store| store.1 == subject.reg);
        let reg = if subject.temp && !held {
            subject.reg
        } else {
            let reg = self.reserve();
            self.emit(Op::MOVE, [reg, subject.reg, 0], 0, at(range));
            reg
        };
        attempt.stores.push((Arc::clone(name), reg, range));
        Ok(())
    }

    fn sequence_pattern(
        &mut self,
        attempt: &mut Attempt,
        pattern: &'a Pattern,
        patterns: &'a [Pattern],
        subject: Val,
    ) -> Result<()> {
        let pos = at(pattern.range);
        let is_star = |pattern: &Pattern| matches!(pattern.kind, PatternKind::MatchStar { .. });
        let mut stars = (0..patterns.len()).filter(|&index| is_star(&patterns[index]));
        let star = stars.next();
        if stars.next().is_some() {
            return Err(error(pattern.range, "multiple starred names in sequence pattern"));
        }
        let count = patterns.len();
        let truth = self.reserve();
        self.emit(Op::MATCH_SEQUENCE, [truth, subject.reg, 0], 0, pos);
        self.jump_if_false(attempt, truth, pos);
        let wanted = count - star.is_some() as usize;
        if star.is_none() || wanted > 0 {
            self.length_check(attempt, subject, wanted, star.is_some(), pos)?;
        }
        let is_wildcard = |pattern: &Pattern| {
            matches!(
                pattern.kind,
                PatternKind::MatchAs { pattern: None, name: None } | PatternKind::MatchStar { name: None }
            )
        };
        if patterns.iter().all(is_wildcard) {
            return Ok(());
        }
        if count > u16::MAX as usize / 2 || star.is_some_and(|star| star >= 1 << 8) {
            return Err(error(pattern.range, "too many expressions in star-unpacking sequence pattern"));
        }
        if let Some(star) = star.filter(|&star| is_wildcard(&patterns[star]) && count <= i16::MAX as usize) {
            return self.indexed_patterns(attempt, patterns, star, is_wildcard, subject, pos);
        }
        let first = self.u.height;
        self.set_height(first + count as u32);
        match star {
            Some(star) => {
                let after = (count - star - 1) as u32;
                self.emit_full(Op::UNPACK_EX, [first, subject.reg, star as u32], 0, after, NONE, pos);
            }
            None => {
                self.emit(Op::UNPACK_SEQUENCE, [first, subject.reg, count as u32], 0, pos);
            }
        }
        for (index, inner) in patterns.iter().enumerate() {
            self.subpattern(attempt, inner, Val { reg: first + index as u32, temp: true })?;
        }
        Ok(())
    }

    /// The items around a `*_` are taken by index: what lies between is not looked at.
    fn indexed_patterns(
        &mut self,
        attempt: &mut Attempt,
        patterns: &'a [Pattern],
        star: usize,
        skipped: impl Fn(&Pattern) -> bool,
        subject: Val,
        pos: Position,
    ) -> Result<()> {
        for (index, inner) in patterns.iter().enumerate().filter(|(_, inner)| !skipped(inner)) {
            let item = self.reserve();
            if index < star {
                self.emit(Op::BINARY_SUBSCR_I, [item, subject.reg, index as u32], 0, pos);
            } else {
                self.emit(Op::GET_LEN, [item, subject.reg, 0], 0, pos);
                self.emit(Op::SUB_I, [item, item, (patterns.len() - index) as u32], 0, pos);
                self.emit(Op::BINARY_SUBSCR, [item, subject.reg, item], 0, pos);
            }
            self.subpattern(attempt, inner, Val { reg: item, temp: true })?;
        }
        Ok(())
    }

    fn length_check(
        &mut self,
        attempt: &mut Attempt,
        subject: Val,
        wanted: usize,
        at_least: bool,
        pos: Position,
    ) -> Result<()> {
        let length = self.reserve();
        self.emit(Op::GET_LEN, [length, subject.reg, 0], 0, pos);
        self.set_height(length);
        let failed = self.failure(attempt);
        let kill = Self::kills(&[Val { reg: length, temp: true }], NONE);
        if let Ok(small) = i16::try_from(wanted) {
            let op = if at_least { Op::JNGE_I } else { Op::JNEQ_I };
            self.emit_full(op, [length, small as u16 as u32, 0], kill, 0, failed, pos);
        } else {
            self.set_height(length + 1);
            let constant = self.push_const(Const::Int(wanted as i64), pos);
            let op = if at_least { Op::JNGE } else { Op::JNEQ };
            self.emit_full(op, [length, constant, 0], kill | 2, 0, failed, pos);
            self.set_height(length);
        }
        let next = self.new_label();
        self.bind(next);
        Ok(())
    }

    fn mapping_pattern(
        &mut self,
        attempt: &mut Attempt,
        pattern: &'a Pattern,
        keys: &'a [Expr],
        patterns: &'a [Pattern],
        rest: Option<&Identifier>,
        subject: Val,
    ) -> Result<()> {
        let pos = at(pattern.range);
        if keys.len() != patterns.len() {
            let msg =
                format!("keys ({}) / patterns ({}) length mismatch in mapping pattern", keys.len(), patterns.len());
            return Err(error(pattern.range, msg));
        }
        let truth = self.reserve();
        self.emit(Op::MATCH_MAPPING, [truth, subject.reg, 0], 0, pos);
        self.jump_if_false(attempt, truth, pos);
        if keys.is_empty() && rest.is_none() {
            return Ok(());
        }
        if !keys.is_empty() {
            self.length_check(attempt, subject, keys.len(), true, pos)?;
        }
        if keys.len() > 10_000 {
            return Err(error(pattern.range, "too many sub-patterns in mapping pattern"));
        }
        self.check_repeated_keys(pattern, keys)?;
        let tuple = self.u.height;
        for key in keys {
            self.push(key)?;
        }
        self.emit(Op::BUILD_TUPLE, [tuple, tuple, keys.len() as u32], 0, pos);
        self.set_height(tuple + 1);
        let values = self.reserve();
        self.emit(Op::MATCH_KEYS, [values, subject.reg, tuple], 0, pos);
        let failed = self.failure(attempt);
        self.emit_full(Op::JNONE, [values, 0, 0], 0, 0, failed, pos);
        let next = self.new_label();
        self.bind(next);
        let first = self.u.height;
        self.set_height(first + keys.len() as u32);
        self.emit(Op::UNPACK_SEQUENCE, [first, values, keys.len() as u32], 0, pos);
        if let Some(name) = rest {
            let dict = self.reserve();
            self.emit(Op::BUILD_MAP, [dict, dict, 0], 0, pos);
            self.emit(Op::DICT_UPDATE, [dict, subject.reg, 0], 0, pos);
            let height = self.u.height;
            self.set_height(height + keys.len() as u32);
            self.emit(Op::UNPACK_SEQUENCE, [height, tuple, keys.len() as u32], 0, pos);
            for index in 0..keys.len() as u32 {
                let key = Val { reg: height + index, temp: true };
                let kill = Self::kills(&[Val { reg: dict, temp: false }, key], NONE);
                self.emit(Op::DELETE_SUBSCR, [dict, key.reg, 0], kill, pos);
            }
            self.set_height(height);
            self.capture(attempt, Some(name), Val { reg: dict, temp: true }, pattern.range)?;
        }
        for (index, inner) in patterns.iter().enumerate() {
            self.subpattern(attempt, inner, Val { reg: first + index as u32, temp: true })?;
        }
        Ok(())
    }

    fn check_repeated_keys(&self, pattern: &Pattern, keys: &[Expr]) -> Result<()> {
        let mut seen: Vec<Const> = Vec::new();
        for key in keys {
            let Some(value) = self.folder.fold(key) else {
                if matches!(key.kind, ExprKind::Attribute { .. }) {
                    continue;
                }
                let msg = "mapping pattern keys may only match literals and attribute lookups";
                return Err(error(pattern.range, msg));
            };
            let known = seen.iter().any(|other| fold::equal(other, &value));
            if known {
                let shown = fold::repr(&value);
                let msg = format!("mapping pattern checks duplicate key ({shown})");
                return Err(error(pattern.range, msg));
            }
            seen.push(value);
        }
        Ok(())
    }

    fn class_pattern(
        &mut self,
        attempt: &mut Attempt,
        pattern: &'a Pattern,
        cls: &'a Expr,
        patterns: &'a [Pattern],
        attrs: &'a [Identifier],
        attr_patterns: &'a [Pattern],
        subject: Val,
    ) -> Result<()> {
        let pos = at(pattern.range);
        if attrs.len() != attr_patterns.len() {
            let msg = format!(
                "kwd_attrs ({}) / kwd_patterns ({}) length mismatch in class pattern",
                attrs.len(),
                attr_patterns.len()
            );
            return Err(error(pattern.range, msg));
        }
        if patterns.len() + attrs.len() > 10_000 {
            return Err(error(pattern.range, "too many sub-patterns in class pattern"));
        }
        for (index, attr) in attrs.iter().enumerate() {
            self.forbid_debug(attr, pattern.range)?;
            if attrs[index + 1..].contains(attr) {
                let range = attr_patterns.get(index + 1).map_or(pattern.range, |later| later.range);
                return Err(error(range, format!("attribute name repeated in class pattern: {attr}")));
            }
        }
        let class = self.push(cls)?;
        let names = attrs.iter().map(|attr| Const::str(attr)).collect();
        self.push_const(Const::Tuple(names), pos);
        self.set_height(class + 1);
        let positional = patterns.len() as u32;
        self.emit_full(Op::MATCH_CLASS, [class, subject.reg, class], 0, positional, NONE, pos);
        let failed = self.failure(attempt);
        self.emit_full(Op::JNONE, [class, 0, 0], 0, 0, failed, pos);
        let next = self.new_label();
        self.bind(next);
        let count = patterns.len() + attrs.len();
        let first = self.u.height;
        self.set_height(first + count as u32);
        self.emit(Op::UNPACK_SEQUENCE, [first, class, count as u32], 0, pos);
        for (index, inner) in patterns.iter().chain(attr_patterns).enumerate() {
            self.subpattern(attempt, inner, Val { reg: first + index as u32, temp: true })?;
        }
        Ok(())
    }

    /// Each alternative puts what it captures into the same registers, reserved before.
    fn or_pattern(
        &mut self,
        attempt: &mut Attempt,
        pattern: &'a Pattern,
        patterns: &'a [Pattern],
        subject: Val,
    ) -> Result<()> {
        let pos = at(pattern.range);
        let mut names: Vec<Identifier> = Vec::new();
        if let Some(first) = patterns.first() {
            captured_names(first, &mut names);
        }
        let slots = self.u.height;
        self.set_height(slots + names.len() as u32);
        let end = self.new_label();
        for (index, alternative) in patterns.iter().enumerate() {
            let base = slots + names.len() as u32;
            self.set_height(base);
            let last = index + 1 == patterns.len();
            let mut inner = Attempt {
                base,
                fail: Vec::new(),
                stores: Vec::new(),
                allow_irrefutable: attempt.allow_irrefutable && last,
            };
            self.pattern(&mut inner, alternative, Val { temp: false, ..subject })?;
            let same = inner.stores.len() == names.len()
                && names.iter().all(|name| inner.stores.iter().any(|store| store.0 == *name));
            if !same {
                return Err(error(pattern.range, "alternative patterns bind different names"));
            }
            self.settle(&inner, pos);
            for (name, reg, _) in &inner.stores {
                let slot = names.iter().position(|other| other == name).expect("the names are the same");
                self.move_to(slots + slot as u32, Val { reg: *reg, temp: true }, pos);
            }
            self.jump(end, pos);
            self.bind_failures(&mut inner, pos);
        }
        self.set_height(slots + names.len() as u32);
        let failed = self.failure(attempt);
        self.jump(failed, pos);
        self.bind(end);
        for (index, name) in names.into_iter().enumerate() {
            if attempt.stores.iter().any(|store| store.0 == name) {
                return Err(error(pattern.range, format!("multiple assignments to name '{name}' in pattern")));
            }
            attempt.stores.push((name, slots + index as u32, pattern.range));
        }
        Ok(())
    }
}

fn irrefutable(name: Option<&Identifier>) -> String {
    match name {
        Some(name) => format!("name capture '{name}' makes remaining patterns unreachable"),
        None => "wildcard makes remaining patterns unreachable".to_owned(),
    }
}

/// Names that a pattern binds, in order; depth is bounded by the walks before.
fn captured_names(pattern: &Pattern, names: &mut Vec<Identifier>) {
    let mut add = |name: &Option<Identifier>| {
        if let Some(name) = name
            && !names.contains(name)
        {
            names.push(Arc::clone(name));
        }
    };
    match &pattern.kind {
        PatternKind::MatchValue { .. } | PatternKind::MatchSingleton { .. } => {}
        PatternKind::MatchStar { name } => add(name),
        PatternKind::MatchSequence { patterns } => patterns.iter().for_each(|inner| captured_names(inner, names)),
        PatternKind::MatchMapping { patterns, rest, .. } => {
            add(rest);
            patterns.iter().for_each(|inner| captured_names(inner, names));
        }
        PatternKind::MatchClass { patterns, kwd_patterns, .. } => {
            patterns.iter().chain(kwd_patterns).for_each(|inner| captured_names(inner, names));
        }
        PatternKind::MatchAs { pattern, name } => {
            if let Some(inner) = pattern {
                captured_names(inner, names);
            }
            if let Some(name) = name
                && !names.contains(name)
            {
                names.push(Arc::clone(name));
            }
        }
        PatternKind::MatchOr { patterns } => {
            if let Some(first) = patterns.first() {
                captured_names(first, names);
            }
        }
    }
}
