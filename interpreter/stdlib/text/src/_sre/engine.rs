//! The matcher: runs a `Program` against a text, going forward here and back in `backtrack`.
//!
//! No native recursion and no limit but memory: every choice is a `Frame` on an explicit stack. Which marks are
//! restored when a choice is tried again follows CPython exactly, quirks included: the marks' contents only inside of a
//! repeat, their count and `lastindex` always. CPython counterpart: `SRE(match)` of `Modules/_sre/sre_lib.h`.

use super::chars;
use super::program::{At, Inst, Item, Pc, Program, Single, Words};
use super::text::Char;

/// A match cannot go on, for a reason other than the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The stack cannot grow.
    Memory,
    /// The host's check asked for a stop.
    Interrupted,
    /// The program is inconsistent ("internal error in regular expression engine").
    State,
}

/// "No such place": of a mark that is not set, of a repeat that has not begun.
pub const NOWHERE: usize = usize::MAX;
/// "No repeat", "no barrier".
pub const NONE: u32 = u32::MAX;

/// Steps between two calls of the host's check.
const CHECK_EVERY: u32 = 0x1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Branch,
    RepeatOne,
    MinRepeatOne,
    Repeat,
    /// The body was entered for the required count.
    MaxRequired,
    /// The body was entered once more; the tail is the other way.
    MaxMore,
    /// The tail was entered.
    MaxTail,
    MinRequired,
    MinTail,
    MinMore,
    // Barriers: what runs above them is independent, its success drops all frames down to the barrier.
    PossessiveRequired,
    PossessiveMore,
    Atomic,
    Assert,
    AssertNot,
}

/// A choice to come back to, or something to undo when coming back.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    pub kind: Kind,
    /// The marks' contents were saved.
    pub saves: bool,
    /// For a barrier: whether the conditions on the whole match applied outside of it.
    pub top_level: bool,
    /// Index of the side table that belongs to the kind, or the repeat's record.
    pub id: u32,
    pub lastmark: i32,
    pub lastindex: i32,
    pub ptr: usize,
    pub count: usize,
    /// `last_ptr` of a repeat, or the enclosing barrier.
    pub link: usize,
    /// Length of `saved` before this frame.
    pub base: usize,
    /// For a barrier: the repeat and the number of records outside of it.
    pub repeat: u32,
    pub records: u32,
}

/// A repeat under way.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// Items matched so far; -1 before the first arrival at the `UNTIL`.
    pub count: isize,
    pub id: u32,
    pub outer: u32,
    /// Where the last optional item began: an empty item ends the repeat.
    pub last_ptr: usize,
}

/// Buffers of a matcher, kept from match to match, and the outcome of the last one.
#[derive(Debug, Default)]
pub struct Scratch {
    pub marks: Vec<usize>,
    /// Highest mark that is set, or -1; the marks above it count as unset.
    pub lastmark: i32,
    /// Group closed last, or -1.
    pub lastindex: i32,
    /// Bounds of the match.
    pub start: usize,
    pub end: usize,
    pub(super) frames: Vec<Frame>,
    pub(super) saved: Vec<usize>,
    pub(super) records: Vec<Record>,
}

impl Scratch {
    /// Bounds of group `n` (from 1), unless it did not take part in the match.
    pub fn group(&self, n: usize) -> Option<(usize, usize)> {
        let i = (n - 1) * 2;
        if i as isize >= self.lastmark as isize {
            return None;
        }
        let (start, end) = (*self.marks.get(i)?, *self.marks.get(i + 1)?);
        if start == NOWHERE || end == NOWHERE { None } else { Some((start, end)) }
    }

    /// Gives back memory beyond `frames` frames.
    pub fn shrink(&mut self, frames: usize) {
        self.frames.clear();
        self.frames.shrink_to(frames);
        self.saved.clear();
        self.saved.shrink_to(frames);
        self.records.clear();
        self.records.shrink_to(frames);
    }
}

/// Where to go on: instruction and place in the text.
pub type Next = Option<(Pc, usize)>;

pub struct Matcher<'a, C> {
    pub program: &'a Program,
    /// The text up to the end of the search.
    pub text: &'a [C],
    pub scratch: &'a mut Scratch,
    /// Asked now and then; true stops the match.
    pub interrupted: &'a mut dyn FnMut() -> bool,
    /// Where the match under way began.
    pub start: usize,
    /// A match of no characters at `start` does not count.
    pub must_advance: bool,
    /// Only a match up to the end of the text counts.
    pub match_all: bool,
    pub(super) steps: u32,
    pub(super) repeat: u32,
    pub(super) barrier: u32,
    /// `must_advance` and `match_all` apply here.
    pub(super) top_level: bool,
}

impl<C: Char> Matcher<'_, C> {
    /// Tries to match at `ptr`, beginning with the instruction `pc`; on success the end is in `scratch.end`.
    pub fn run(&mut self, mut pc: Pc, mut ptr: usize, top_level: bool) -> Result<bool, Fault> {
        self.scratch.frames.clear();
        self.scratch.saved.clear();
        self.scratch.records.clear();
        self.repeat = NONE;
        self.barrier = NONE;
        self.top_level = top_level;
        let program = self.program;
        let text = self.text;
        loop {
            self.steps = self.steps.wrapping_add(1);
            if self.steps.is_multiple_of(CHECK_EVERY) && (self.interrupted)() {
                return Err(Fault::Interrupted);
            }
            let next = match program.insts[pc as usize] {
                Inst::One(item) => match text.get(ptr) {
                    Some(&c) if self.item_matches(item, c) => Some((pc + 1, ptr + 1)),
                    _ => None,
                },
                Inst::Literals(run) => self.literals(run, ptr).map(|ptr| (pc + 1, ptr)),
                Inst::Mark(mark) => {
                    self.mark(mark as usize, ptr);
                    Some((pc + 1, ptr))
                }
                Inst::At(at) => self.at(at, ptr).then_some((pc + 1, ptr)),
                Inst::Jump(to) => Some((to, ptr)),
                Inst::Branch(id) => self.branch(id, ptr)?,
                Inst::RepeatOne(id) => self.repeat_one(id, ptr)?,
                Inst::MinRepeatOne(id) => self.min_repeat_one(id, ptr)?,
                Inst::PossessiveOne(id) => self.possessive_one(id, ptr),
                Inst::Repeat(id) => self.enter_repeat(id, ptr)?,
                Inst::MaxUntil => self.max_until(pc + 1, ptr)?,
                Inst::MinUntil => self.min_until(pc + 1, ptr)?,
                Inst::PossessiveRepeat(id) => self.possessive_repeat(id, 0, ptr)?,
                Inst::Atomic(_) => {
                    self.push_barrier(Kind::Atomic, pc, ptr, 0, false)?;
                    Some((pc + 1, ptr))
                }
                Inst::Assert(id) => self.assert(id, ptr)?,
                Inst::AssertNot(id) => self.assert_not(id, ptr)?,
                Inst::GroupRef(group) => self.group_ref(group, ptr, |c| c).map(|ptr| (pc + 1, ptr)),
                Inst::GroupRefAscii(group) => self.group_ref(group, ptr, chars::lower_ascii).map(|ptr| (pc + 1, ptr)),
                Inst::GroupRefLocale(group) => self.group_ref(group, ptr, chars::lower_locale).map(|ptr| (pc + 1, ptr)),
                Inst::GroupRefUnicode(group) => {
                    self.group_ref(group, ptr, chars::lower_unicode).map(|ptr| (pc + 1, ptr))
                }
                Inst::GroupRefExists(group, other) => {
                    Some((if self.group_span(group).is_some() { pc + 1 } else { other }, ptr))
                }
                Inst::Success => {
                    if self.barrier != NONE {
                        self.leave_barrier(ptr)?
                    } else if self.rejects(ptr) {
                        None
                    } else {
                        self.scratch.end = ptr;
                        return Ok(true);
                    }
                }
                Inst::Failure => None,
            };
            match next {
                Some(to) => (pc, ptr) = to,
                None => match self.back()? {
                    Some(to) => (pc, ptr) = to,
                    None => return Ok(false),
                },
            }
        }
    }

    /// The conditions on a whole match.
    fn rejects(&self, ptr: usize) -> bool {
        self.top_level && (self.match_all && ptr != self.text.len() || self.must_advance && ptr == self.start)
    }

    #[inline]
    pub(super) fn item_matches(&self, item: Item, c: C) -> bool {
        match item {
            Item::Literal(ch) => c.code() == ch,
            Item::NotLiteral(ch) => c.code() != ch,
            Item::Any => c.code() != 10,
            Item::AnyAll => true,
            Item::Unit(id) => self.program.units[id as usize].matches(c),
        }
    }

    #[inline]
    fn literals(&self, run: u32, ptr: usize) -> Option<usize> {
        let run = &self.program.literals[run as usize];
        let end = ptr + run.len();
        let here = self.text.get(ptr..end)?;
        here.iter().zip(run).all(|(c, &ch)| c.code() == ch).then_some(end)
    }

    fn mark(&mut self, mark: usize, ptr: usize) {
        let s = &mut *self.scratch;
        if mark & 1 == 1 {
            s.lastindex = (mark / 2 + 1) as i32;
        }
        if mark as i32 > s.lastmark {
            // The marks passed over have not been met: whatever they hold is of another try.
            s.marks[(s.lastmark + 1) as usize..mark].fill(NOWHERE);
            s.lastmark = mark as i32;
        }
        s.marks[mark] = ptr;
    }

    fn at(&self, at: At, ptr: usize) -> bool {
        let text = self.text;
        let newline = |i: usize| text.get(i).is_some_and(|c| c.code() == 10);
        match at {
            At::Beginning => ptr == 0,
            At::BeginningLine => ptr == 0 || newline(ptr - 1),
            At::End => ptr == text.len() || ptr + 1 == text.len() && newline(ptr),
            At::EndLine => ptr == text.len() || newline(ptr),
            At::EndString => ptr == text.len(),
            At::Boundary(words, wanted) => {
                // CPython 3.13: neither `\b` nor `\B` matches an empty text.
                if text.is_empty() {
                    return false;
                }
                let word = match words {
                    Words::Ascii => chars::word_ascii,
                    Words::Locale => chars::word_locale,
                    Words::Unicode => chars::word_unicode,
                };
                let before = ptr > 0 && text.get(ptr - 1).is_some_and(|c| word(c.code()));
                let after = text.get(ptr).is_some_and(|c| word(c.code()));
                (before != after) == wanted
            }
        }
    }

    /// Marks of the group (from 0), if both are set in order.
    fn group_span(&self, group: u32) -> Option<(usize, usize)> {
        self.scratch.group(group as usize + 1).filter(|(start, end)| start <= end)
    }

    fn group_ref(&self, group: u32, ptr: usize, fold: impl Fn(u32) -> u32) -> Option<usize> {
        let (start, end) = self.group_span(group)?;
        let stop = ptr + (end - start);
        let here = self.text.get(ptr..stop)?;
        let same = |(a, b): (&C, &C)| a == b || fold(a.code()) == fold(b.code());
        here.iter().zip(&self.text[start..end]).all(same).then_some(stop)
    }

    /// How often, up to `max`, the item matches from `ptr` on.
    pub(super) fn count(&self, item: Item, ptr: usize, max: usize) -> usize {
        let rest = self.text.get(ptr..).unwrap_or_default();
        let rest = &rest[..max.min(rest.len())];
        let found = match item {
            Item::AnyAll => None,
            Item::Any => C::from_code(10).and_then(|c| C::find(rest, c)),
            Item::NotLiteral(ch) => C::from_code(ch).and_then(|c| C::find(rest, c)),
            Item::Literal(ch) => rest.iter().position(|c| c.code() != ch),
            Item::Unit(id) => return self.program.units[id as usize].span(rest),
        };
        found.unwrap_or(rest.len())
    }

    fn repeat_one(&mut self, id: u32, ptr: usize) -> Result<Next, Fault> {
        let single = &self.program.singles[id as usize];
        if single.min > self.text.len().saturating_sub(ptr) {
            return Ok(None);
        }
        let count = self.count(single.item, ptr, single.max);
        let Some(extra) = count.checked_sub(single.min) else { return Ok(None) };
        let Some(left) = self.last_start(single, ptr + single.min, extra) else { return Ok(None) };
        let at = ptr + single.min + left;
        if left > 0 || self.program.possessive {
            self.push(Kind::RepeatOne, id, at, left)?;
        }
        Ok(Some((single.tail, at)))
    }

    /// Largest `n <= extra` such that the tail may begin at `from + n`.
    pub(super) fn last_start(&self, single: &Single, from: usize, extra: usize) -> Option<usize> {
        use super::program::TailFirst;
        let here = self.text.get(from..self.text.len().min(from + extra + 1)).unwrap_or_default();
        match &single.tail_first {
            TailFirst::Unknown => Some(extra),
            TailFirst::Literal(ch) => C::rfind(here, C::from_code(*ch)?),
            TailFirst::Set(first) => here.iter().rposition(|c| first.admits(c.code())),
        }
    }

    fn min_repeat_one(&mut self, id: u32, ptr: usize) -> Result<Next, Fault> {
        let single = &self.program.singles[id as usize];
        if single.min > self.text.len().saturating_sub(ptr) || self.count(single.item, ptr, single.min) < single.min {
            return Ok(None);
        }
        let Some((at, count)) = self.next_start(single, ptr + single.min, single.min) else { return Ok(None) };
        self.push(Kind::MinRepeatOne, id, at, count)?;
        Ok(Some((single.tail, at)))
    }

    /// First place from `at` on, where `count` items have matched, that the tail may begin at.
    pub(super) fn next_start(&self, single: &Single, mut at: usize, mut count: usize) -> Option<(usize, usize)> {
        use super::program::TailFirst;
        if let (TailFirst::Literal(ch), Item::Any | Item::AnyAll) = (&single.tail_first, single.item) {
            let wanted = C::from_code(*ch)?;
            let stop = if single.item == Item::Any { C::from_code(10)? } else { wanted };
            let rest = self.text.get(at..)?;
            let rest = &rest[..rest.len().min((single.max - count.min(single.max)).saturating_add(1))];
            let found = C::find_either(rest, wanted, stop)?;
            return (rest[found] == wanted).then_some((at + found, count + found));
        }
        loop {
            let c = self.text.get(at).copied();
            let admits = match &single.tail_first {
                TailFirst::Unknown => true,
                TailFirst::Literal(ch) => c.is_some_and(|c| c.code() == *ch),
                TailFirst::Set(first) => c.is_some_and(|c| first.admits(c.code())),
            };
            if admits {
                return Some((at, count));
            }
            (at, count) = self.one_more(single, at, count)?;
        }
    }

    /// One more item at `at`, if there may be and is one.
    pub(super) fn one_more(&self, single: &Single, at: usize, count: usize) -> Option<(usize, usize)> {
        if count >= single.max {
            return None;
        }
        let c = *self.text.get(at)?;
        self.item_matches(single.item, c).then_some((at + 1, count + 1))
    }

    fn possessive_one(&self, id: u32, ptr: usize) -> Next {
        let single = &self.program.singles[id as usize];
        let count = self.count(single.item, ptr, single.max);
        (count >= single.min).then_some((single.tail, ptr + count))
    }

    fn enter_repeat(&mut self, id: u32, ptr: usize) -> Result<Next, Fault> {
        let repeat = &self.program.repeats[id as usize];
        let record = Record { count: -1, id, outer: self.repeat, last_ptr: NOWHERE };
        let index = self.scratch.records.len() as u32;
        reserve(&mut self.scratch.records, 1)?;
        self.scratch.records.push(record);
        self.push(Kind::Repeat, index, ptr, 0)?;
        self.repeat = index;
        // Zero items may be enough: the first instruction run is the `UNTIL`, which stands before the tail.
        Ok(Some((repeat.tail - 1, ptr)))
    }

    fn assert(&mut self, id: u32, ptr: usize) -> Result<Next, Fault> {
        let look = &self.program.looks[id as usize];
        let Some(at) = ptr.checked_sub(look.back) else { return Ok(None) };
        self.push_barrier(Kind::Assert, id, ptr, 0, false)?;
        Ok(Some((look.body, at)))
    }

    fn assert_not(&mut self, id: u32, ptr: usize) -> Result<Next, Fault> {
        let look = &self.program.looks[id as usize];
        let Some(at) = ptr.checked_sub(look.back) else { return Ok(Some((look.tail, ptr))) };
        let saves = self.repeat != NONE;
        self.push_barrier(Kind::AssertNot, id, ptr, 0, saves)?;
        Ok(Some((look.body, at)))
    }
}

/// Makes room in a stack, as script input may need any amount.
pub(super) fn reserve<T>(stack: &mut Vec<T>, more: usize) -> Result<(), Fault> {
    if stack.capacity() - stack.len() < more { stack.try_reserve(more).map_err(|_| Fault::Memory) } else { Ok(()) }
}
