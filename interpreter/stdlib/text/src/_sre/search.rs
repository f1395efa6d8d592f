//! Searching: finding the places where a match may begin, and trying there.
//!
//! CPython counterpart: `SRE(search)` of `Modules/_sre/sre_lib.h`, and `state_init` and `state_reset` of `sre.c`.

use super::engine::{Fault, Matcher, NONE, NOWHERE, Scratch};
use super::lower::mark_count;
use super::program::{First, Pc, Program, Start};
use super::text::{Char, Text};

/// What is asked of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A match at the start.
    Match,
    /// A match from the start to the end.
    FullMatch,
    /// The first match from the start on.
    Search,
}

/// Part of the text to look at; what lies before `start` can be seen by look-behinds, what lies after `end` by nothing.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub start: usize,
    pub end: usize,
    /// An empty match at `start` does not count.
    pub must_advance: bool,
}

/// Runs a program; on success the bounds and groups are in `scratch`.
///
/// `interrupted` is asked every few thousand steps and stops the match by answering true.
pub fn execute(
    program: &Program,
    text: Text<'_>,
    bounds: Bounds,
    mode: Mode,
    scratch: &mut Scratch,
    interrupted: &mut dyn FnMut() -> bool,
) -> Result<bool, Fault> {
    match text {
        Text::Narrow(text) => execute_on(program, text, bounds, mode, scratch, interrupted),
        Text::Medium(text) => execute_on(program, text, bounds, mode, scratch, interrupted),
        Text::Wide(text) => execute_on(program, text, bounds, mode, scratch, interrupted),
    }
}

fn execute_on<C: Char>(
    program: &Program,
    text: &[C],
    bounds: Bounds,
    mode: Mode,
    scratch: &mut Scratch,
    interrupted: &mut dyn FnMut() -> bool,
) -> Result<bool, Fault> {
    let text = &text[..bounds.end.min(text.len())];
    // CPython quirk: an empty match is found beyond the end, but not searched for.
    match text.len().checked_sub(bounds.start) {
        Some(width) if width < program.min_width => return Ok(false),
        None if mode == Mode::Search => return Ok(false),
        _ => {}
    }
    let marks = mark_count(program.groups);
    if scratch.marks.len() < marks {
        let more = marks - scratch.marks.len();
        scratch.marks.try_reserve(more).map_err(|_| Fault::Memory)?;
        scratch.marks.resize(marks, NOWHERE);
    }
    let mut matcher = Matcher {
        program,
        text,
        scratch,
        interrupted,
        start: bounds.start,
        must_advance: bounds.must_advance,
        match_all: mode == Mode::FullMatch,
        steps: 0,
        repeat: NONE,
        barrier: NONE,
        top_level: true,
    };
    match mode {
        Mode::Match | Mode::FullMatch => matcher.attempt(0, bounds.start, bounds.start, true),
        Mode::Search => matcher.search(bounds.start),
    }
}

impl<C: Char> Matcher<'_, C> {
    /// Tries a match that begins at `start`, of which the part before `ptr` is known to match.
    fn attempt(&mut self, pc: Pc, start: usize, ptr: usize, top_level: bool) -> Result<bool, Fault> {
        self.scratch.lastmark = -1;
        self.scratch.lastindex = -1;
        self.scratch.start = start;
        self.start = start;
        self.run(pc, ptr, top_level)
    }

    fn search(&mut self, from: usize) -> Result<bool, Fault> {
        let program = self.program;
        match &program.start {
            Start::Prefix { literals, skip, pc, whole } => self.search_prefix(from, literals, *skip, *pc, *whole),
            Start::First(first) => self.search_first(from, first),
            Start::Anchored => self.attempt(0, from, from, true),
            Start::Anywhere => self.search_anywhere(from),
        }
    }

    fn search_prefix(
        &mut self,
        from: usize,
        literals: &[u32],
        skip: usize,
        pc: Pc,
        whole: bool,
    ) -> Result<bool, Fault> {
        let text = self.text;
        // A literal that the width cannot hold matches nowhere.
        let Some(needle) = literals.iter().map(|&c| C::from_code(c)).collect::<Option<Vec<C>>>() else {
            return Ok(false);
        };
        let mut at = from;
        while let Some(found) = text.get(at..).and_then(|rest| match *needle {
            [c] => C::find(rest, c),
            _ => C::find_run(rest, &needle),
        }) {
            at += found;
            if whole {
                self.scratch.lastmark = -1;
                self.scratch.lastindex = -1;
                self.scratch.start = at;
                self.scratch.end = at + skip;
                return Ok(true);
            }
            if self.attempt(pc, at, at + skip, false)? {
                return Ok(true);
            }
            at += 1;
        }
        Ok(false)
    }

    fn search_first(&mut self, from: usize, first: &First) -> Result<bool, Fault> {
        let text = self.text;
        let mut at = from;
        while let Some(found) = text[at..].iter().position(|c| first.admits(c.code())) {
            at += found;
            if self.attempt(0, at, at, false)? {
                return Ok(true);
            }
            at += 1;
        }
        Ok(false)
    }

    fn search_anywhere(&mut self, from: usize) -> Result<bool, Fault> {
        let last = self.text.len().saturating_sub(self.program.min_width.saturating_sub(1)).max(from);
        if self.attempt(0, from, from, true)? {
            return Ok(true);
        }
        // Whatever begins further on advances.
        for at in from + 1..=last {
            if self.attempt(0, at, at, false)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
