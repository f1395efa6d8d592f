//! With which characters a match can begin at an instruction.
//!
//! The answer lets the engine pass over places and alternatives that would fail on their first character. It is
//! always generous: whatever cannot be told cheaply counts as unknown.

use super::program::{First, Inst, Item, Pc, Program};

/// Instructions looked at before giving up; keeps the cost of compilation linear.
const BUDGET: u32 = 256;
const DEPTH: u32 = 24;

/// The first characters at `pc`, or `None` if a match from there may be empty or its start cannot be told.
pub fn of(program: &Program, pc: Pc) -> Option<First> {
    let mut walk = Walk { program, budget: BUDGET, first: First { low: Box::new([false; 256]), high: false } };
    walk.visit(pc, DEPTH)?;
    Some(walk.first)
}

struct Walk<'a> {
    program: &'a Program,
    budget: u32,
    first: First,
}

impl Walk<'_> {
    fn visit(&mut self, mut pc: Pc, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        loop {
            self.budget = self.budget.checked_sub(1)?;
            match self.program.insts[pc as usize] {
                Inst::Failure => return Some(()),
                Inst::One(item) => return self.add(item),
                Inst::Literals(run) => return self.add(Item::Literal(self.program.literals[run as usize][0])),
                Inst::Mark(_) | Inst::At(_) => pc += 1,
                Inst::Jump(to) => pc = to,
                // The assertion can only narrow what follows.
                Inst::Assert(id) | Inst::AssertNot(id) => pc = self.program.looks[id as usize].tail,
                Inst::Branch(id) => {
                    for alternative in &self.program.branches[id as usize] {
                        self.visit(alternative.pc, depth)?;
                    }
                    return Some(());
                }
                Inst::RepeatOne(id) | Inst::MinRepeatOne(id) | Inst::PossessiveOne(id) => {
                    let single = &self.program.singles[id as usize];
                    if single.max > 0 {
                        self.add(single.item)?;
                    }
                    if single.min > 0 {
                        return Some(());
                    }
                    pc = single.tail;
                }
                Inst::Repeat(id) | Inst::PossessiveRepeat(id) => {
                    let repeat = &self.program.repeats[id as usize];
                    if repeat.max > 0 {
                        self.visit(repeat.body, depth)?;
                    }
                    if repeat.min > 0 {
                        return Some(());
                    }
                    pc = repeat.tail;
                }
                Inst::Atomic(_) => pc += 1,
                Inst::GroupRefExists(_, other) => {
                    self.visit(pc + 1, depth)?;
                    pc = other;
                }
                Inst::Success
                | Inst::MaxUntil
                | Inst::MinUntil
                | Inst::GroupRef(_)
                | Inst::GroupRefAscii(_)
                | Inst::GroupRefLocale(_)
                | Inst::GroupRefUnicode(_) => return None,
            }
        }
    }

    fn add(&mut self, item: Item) -> Option<()> {
        match item {
            Item::AnyAll => return None,
            Item::Any => self.add_all_but(10),
            Item::NotLiteral(ch) => self.add_all_but(ch),
            Item::Literal(ch) => match self.first.low.get_mut(ch as usize) {
                Some(low) => *low = true,
                None => self.first.high = true,
            },
            Item::Unit(id) => {
                let unit = &self.program.units[id as usize];
                if unit.is_dynamic() {
                    return None;
                }
                for (low, &member) in self.first.low.iter_mut().zip(unit.low()) {
                    *low |= member;
                }
                self.first.high = true;
            }
        }
        Some(())
    }

    fn add_all_but(&mut self, ch: u32) {
        for (low, n) in self.first.low.iter_mut().zip(0u32..) {
            *low |= n != ch;
        }
        self.first.high = true;
    }
}

impl First {
    #[inline]
    pub fn admits(&self, ch: u32) -> bool {
        if ch < 256 { self.low[ch as usize] } else { self.high }
    }
}
