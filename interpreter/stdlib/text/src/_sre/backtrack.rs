//! The way back: the stack of choices, the general repeats and the independent groups.
//!
//! A frame that is exhausted restores what it saved and fails further down; the comments name CPython's jump points
//! where an order of restoring is copied from there. CPython counterpart: the `DO_JUMP` continuations of
//! `Modules/_sre/sre_lib.h`.

use super::engine::{Fault, Frame, Kind, Matcher, NONE, NOWHERE, Next, reserve};
use super::program::{Inst, Pc};
use super::text::Char;

impl<C: Char> Matcher<'_, C> {
    fn frame(&self, kind: Kind, id: u32, ptr: usize, count: usize) -> Frame {
        Frame {
            kind,
            saves: false,
            top_level: self.top_level,
            id,
            lastmark: self.scratch.lastmark,
            lastindex: self.scratch.lastindex,
            ptr,
            count,
            link: NOWHERE,
            base: self.scratch.saved.len(),
            repeat: self.repeat,
            records: self.scratch.records.len() as u32,
        }
    }

    fn put(&mut self, mut frame: Frame, saves: bool) -> Result<(), Fault> {
        let s = &mut *self.scratch;
        if saves && s.lastmark >= 0 {
            let marks = &s.marks[..=s.lastmark as usize];
            reserve(&mut s.saved, marks.len())?;
            s.saved.extend_from_slice(marks);
            frame.saves = true;
        }
        reserve(&mut s.frames, 1)?;
        s.frames.push(frame);
        Ok(())
    }

    /// Pushes a choice; inside of a repeat it saves the marks.
    pub(super) fn push(&mut self, kind: Kind, id: u32, ptr: usize, count: usize) -> Result<(), Fault> {
        let saves = self.repeat != NONE && kind != Kind::Repeat;
        self.put(self.frame(kind, id, ptr, count), saves)
    }

    /// Pushes a barrier and steps behind it.
    pub(super) fn push_barrier(
        &mut self,
        kind: Kind,
        id: u32,
        ptr: usize,
        count: usize,
        saves: bool,
    ) -> Result<(), Fault> {
        let mut frame = self.frame(kind, id, ptr, count);
        frame.link = self.barrier as usize;
        let index = u32::try_from(self.scratch.frames.len()).ok().filter(|&n| n != NONE).ok_or(Fault::Memory)?;
        self.put(frame, saves)?;
        self.barrier = index;
        self.top_level = false;
        Ok(())
    }

    /// Restores the marks as they were at the frame, keeping what it saved.
    fn restore(&mut self, frame: &Frame) {
        let s = &mut *self.scratch;
        s.lastmark = frame.lastmark;
        s.lastindex = frame.lastindex;
        if frame.saves {
            let count = frame.lastmark as usize + 1;
            s.marks[..count].copy_from_slice(&s.saved[frame.base..frame.base + count]);
        }
        // Whatever frames above had saved is gone with them.
        let kept = if frame.saves { frame.lastmark as usize + 1 } else { 0 };
        s.saved.truncate(frame.base + kept);
    }

    /// Takes the frame off the stack, with what it saved.
    fn pop(&mut self, frame: &Frame) {
        self.scratch.frames.pop();
        self.scratch.saved.truncate(frame.base);
    }

    fn update(&mut self, ptr: usize, count: usize) {
        if let Some(frame) = self.scratch.frames.last_mut() {
            frame.ptr = ptr;
            frame.count = count;
        }
    }

    /// Goes back to the latest choice that has another way; `None` when there is none left.
    #[inline(never)]
    pub(super) fn back(&mut self) -> Result<Next, Fault> {
        while let Some(&frame) = self.scratch.frames.last() {
            let next = match frame.kind {
                Kind::RepeatOne => self.retry_repeat_one(&frame),
                Kind::Branch => self.retry_branch(&frame),
                Kind::MinRepeatOne => self.retry_min_repeat_one(&frame),
                Kind::Repeat => {
                    self.pop(&frame);
                    self.repeat = frame.repeat;
                    self.scratch.records.truncate(frame.id as usize);
                    None
                }
                Kind::MaxRequired | Kind::MinRequired => {
                    self.pop(&frame);
                    self.repeat = frame.repeat;
                    self.scratch.records[frame.repeat as usize].count = frame.count as isize - 1;
                    None
                }
                Kind::MaxMore => self.max_tail(&frame)?,
                Kind::MaxTail => {
                    self.pop(&frame);
                    self.repeat = frame.id;
                    None
                }
                Kind::MinTail => self.min_more(&frame)?,
                Kind::MinMore => {
                    self.pop(&frame);
                    self.repeat = frame.repeat;
                    let record = &mut self.scratch.records[frame.repeat as usize];
                    record.last_ptr = frame.link;
                    record.count = frame.count as isize - 1;
                    None
                }
                Kind::PossessiveRequired | Kind::Atomic | Kind::Assert => {
                    self.drop_barrier(&frame);
                    None
                }
                Kind::PossessiveMore => {
                    self.restore(&frame);
                    self.drop_barrier(&frame);
                    Some((self.program.repeats[frame.id as usize].tail, frame.ptr))
                }
                Kind::AssertNot => {
                    self.restore(&frame);
                    self.drop_barrier(&frame);
                    Some((self.program.looks[frame.id as usize].tail, frame.ptr))
                }
            };
            if next.is_some() {
                return Ok(next);
            }
        }
        Ok(None)
    }

    fn retry_repeat_one(&mut self, frame: &Frame) -> Next {
        self.restore(frame);
        let single = &self.program.singles[frame.id as usize];
        let from = frame.ptr - frame.count;
        let left = match frame.count.checked_sub(1) {
            Some(extra) => self.last_start(single, from, extra),
            None => None,
        };
        let Some(left) = left else {
            self.pop(frame);
            return None;
        };
        if left == 0 && !self.program.possessive {
            self.pop(frame);
        } else {
            self.update(from + left, left);
        }
        Some((single.tail, from + left))
    }

    fn retry_min_repeat_one(&mut self, frame: &Frame) -> Next {
        self.restore(frame);
        let single = &self.program.singles[frame.id as usize];
        let more = self.one_more(single, frame.ptr, frame.count);
        let Some((at, count)) = more.and_then(|(at, count)| self.next_start(single, at, count)) else {
            self.pop(frame);
            return None;
        };
        self.update(at, count);
        Some((single.tail, at))
    }

    pub(super) fn branch(&mut self, id: u32, ptr: usize) -> Result<Next, Fault> {
        let Some(first) = self.viable(id, 0, ptr) else { return Ok(None) };
        let alternatives = &self.program.branches[id as usize];
        let second = self.viable(id, first + 1, ptr);
        if second.is_some() || self.program.possessive {
            self.push(Kind::Branch, id, ptr, second.unwrap_or(alternatives.len()))?;
        }
        Ok(Some((alternatives[first].pc, ptr)))
    }

    fn retry_branch(&mut self, frame: &Frame) -> Next {
        self.restore(frame);
        let alternatives = &self.program.branches[frame.id as usize];
        let Some(alternative) = alternatives.get(frame.count) else {
            self.pop(frame);
            return None;
        };
        match self.viable(frame.id, frame.count + 1, frame.ptr) {
            Some(next) => self.update(frame.ptr, next),
            None if self.program.possessive => self.update(frame.ptr, alternatives.len()),
            None => self.pop(frame),
        }
        Some((alternative.pc, frame.ptr))
    }

    /// First alternative from `from` on that the character at `ptr` may begin.
    fn viable(&self, id: u32, from: usize, ptr: usize) -> Option<usize> {
        let c = self.text.get(ptr).map(|c| c.code());
        let alternatives = self.program.branches[id as usize].get(from..)?;
        let admits = alternatives.iter().position(|alternative| match (&alternative.first, c) {
            (None, _) => true,
            (Some(first), Some(c)) => first.admits(c),
            (Some(_), None) => false,
        });
        admits.map(|n| from + n)
    }

    pub(super) fn max_until(&mut self, tail: Pc, ptr: usize) -> Result<Next, Fault> {
        let index = self.repeat;
        let Some(&record) = self.scratch.records.get(index as usize) else { return Err(Fault::State) };
        let repeat = &self.program.repeats[record.id as usize];
        let count = (record.count + 1) as usize;
        if count < repeat.min {
            self.scratch.records[index as usize].count += 1;
            self.put(self.frame(Kind::MaxRequired, record.id, ptr, count), false)?;
            return Ok(Some((repeat.body, ptr)));
        }
        if count < repeat.max && ptr != record.last_ptr {
            let mut frame = self.frame(Kind::MaxMore, record.id, ptr, count);
            frame.link = record.last_ptr;
            self.put(frame, true)?;
            let record = &mut self.scratch.records[index as usize];
            record.count += 1;
            record.last_ptr = ptr;
            return Ok(Some((repeat.body, ptr)));
        }
        self.enter_tail(index, tail, ptr)
    }

    /// `JUMP_MAX_UNTIL_2` failed: no more items here, so the tail must match.
    fn max_tail(&mut self, frame: &Frame) -> Result<Next, Fault> {
        self.restore(frame);
        self.pop(frame);
        self.repeat = frame.repeat;
        let record = &mut self.scratch.records[frame.repeat as usize];
        record.last_ptr = frame.link;
        record.count = frame.count as isize - 1;
        let tail = self.program.repeats[frame.id as usize].tail;
        self.enter_tail(frame.repeat, tail, frame.ptr)
    }

    fn enter_tail(&mut self, index: u32, tail: Pc, ptr: usize) -> Result<Next, Fault> {
        self.put(self.frame(Kind::MaxTail, index, ptr, 0), false)?;
        self.repeat = self.scratch.records[index as usize].outer;
        Ok(Some((tail, ptr)))
    }

    pub(super) fn min_until(&mut self, tail: Pc, ptr: usize) -> Result<Next, Fault> {
        let index = self.repeat;
        let Some(&record) = self.scratch.records.get(index as usize) else { return Err(Fault::State) };
        let repeat = &self.program.repeats[record.id as usize];
        let count = (record.count + 1) as usize;
        if count < repeat.min {
            self.scratch.records[index as usize].count += 1;
            self.put(self.frame(Kind::MinRequired, record.id, ptr, count), false)?;
            return Ok(Some((repeat.body, ptr)));
        }
        let mut frame = self.frame(Kind::MinTail, record.id, ptr, count);
        frame.repeat = index;
        self.put(frame, record.outer != NONE)?;
        self.repeat = record.outer;
        Ok(Some((tail, ptr)))
    }

    /// `JUMP_MIN_UNTIL_2` failed: the tail does not match here, so one more item must.
    fn min_more(&mut self, frame: &Frame) -> Result<Next, Fault> {
        self.restore(frame);
        self.pop(frame);
        self.repeat = frame.repeat;
        let repeat = &self.program.repeats[frame.id as usize];
        let last_ptr = self.scratch.records[frame.repeat as usize].last_ptr;
        if frame.count >= repeat.max || frame.ptr == last_ptr {
            return Ok(None);
        }
        let mut more = self.frame(Kind::MinMore, frame.id, frame.ptr, frame.count);
        more.link = last_ptr;
        self.put(more, false)?;
        let record = &mut self.scratch.records[frame.repeat as usize];
        record.count = frame.count as isize;
        record.last_ptr = frame.ptr;
        Ok(Some((repeat.body, frame.ptr)))
    }

    /// The next round of a possessive repeat of which `count` have matched up to `ptr`.
    pub(super) fn possessive_repeat(&mut self, id: u32, count: usize, ptr: usize) -> Result<Next, Fault> {
        let repeat = &self.program.repeats[id as usize];
        if count < repeat.min {
            self.push_barrier(Kind::PossessiveRequired, id, ptr, count, false)?;
        } else if count < repeat.max {
            self.push_barrier(Kind::PossessiveMore, id, ptr, count, true)?;
        } else {
            return Ok(Some((repeat.tail, ptr)));
        }
        Ok(Some((repeat.body, ptr)))
    }

    fn drop_barrier(&mut self, frame: &Frame) {
        self.pop(frame);
        self.barrier = frame.link as u32;
        self.top_level = frame.top_level;
        self.repeat = frame.repeat;
    }

    /// What runs above the innermost barrier has succeeded at `ptr`.
    pub(super) fn leave_barrier(&mut self, ptr: usize) -> Result<Next, Fault> {
        let frame = self.scratch.frames[self.barrier as usize];
        self.scratch.frames.truncate(self.barrier as usize + 1);
        self.scratch.records.truncate(frame.records as usize);
        self.drop_barrier(&frame);
        Ok(match frame.kind {
            Kind::Atomic => match self.program.insts[frame.id as usize] {
                Inst::Atomic(tail) => Some((tail, ptr)),
                _ => return Err(Fault::State),
            },
            Kind::Assert => Some((self.program.looks[frame.id as usize].tail, frame.ptr)),
            Kind::PossessiveRequired => self.possessive_repeat(frame.id, frame.count + 1, ptr)?,
            // An empty round ends the repeat.
            Kind::PossessiveMore if ptr == frame.ptr => Some((self.program.repeats[frame.id as usize].tail, ptr)),
            Kind::PossessiveMore => self.possessive_repeat(frame.id, frame.count + 1, ptr)?,
            // The body of a negative assertion matched: a failure.
            _ => None,
        })
    }
}
