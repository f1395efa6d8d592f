//! The unpickler's stack of values, fenced by marks.
use krait_object::{PyResult, Raised, Thread, Value};

use super::unpickling_error;

#[derive(Default)]
pub struct Stack {
    items: Vec<Value>,
    marks: Vec<usize>,
    /// Where the items above the last mark begin.
    fence: usize,
}
impl Stack {
    #[cold]
    fn underflow(&self, th: &mut Thread) -> Raised {
        let message = if self.marks.is_empty() { "unpickling stack underflow" } else { "unexpected MARK found" };
        unpickling_error(th, message)
    }
    #[inline]
    pub fn push(&mut self, v: Value) {
        self.items.push(v);
    }
    pub fn mark(&mut self) {
        self.marks.push(self.items.len());
        self.fence = self.items.len();
    }
    /// Takes the last mark away: where it was.
    pub fn marker(&mut self, th: &mut Thread) -> PyResult<usize> {
        match self.marks.pop() {
            Some(at) => {
                self.fence = self.marks.last().copied().unwrap_or(0);
                Ok(at)
            }
            None => Err(unpickling_error(th, "could not find MARK")),
        }
    }
    #[inline]
    pub fn pop(&mut self, th: &mut Thread) -> PyResult<Value> {
        if self.items.len() <= self.fence {
            return Err(self.underflow(th));
        }
        self.items.pop().ok_or_else(|| unpickling_error(th, "unpickling stack underflow"))
    }
    pub fn last(&self, th: &mut Thread) -> PyResult<Value> {
        match self.items.last() {
            Some(v) if self.items.len() > self.fence => Ok(v.clone()),
            _ => Err(self.underflow(th)),
        }
    }
    /// The opcode POP: a value, or else a mark.
    pub fn pop_or_unmark(&mut self, th: &mut Thread) -> PyResult<()> {
        if self.marks.last() == Some(&self.items.len()) {
            self.marker(th)?;
            return Ok(());
        }
        self.pop(th).map(drop)
    }
    /// The last `n` values.
    pub fn split(&mut self, th: &mut Thread, n: usize) -> PyResult<Vec<Value>> {
        if self.items.len() < self.fence + n {
            return Err(self.underflow(th));
        }
        Ok(self.items.split_off(self.items.len() - n))
    }
    /// All values above the last mark, which goes.
    pub fn pop_mark(&mut self, th: &mut Thread) -> PyResult<Vec<Value>> {
        let at = self.marker(th)?;
        Ok(self.items.split_off(at))
    }
    /// As [`Stack::pop_mark`], and there must be a value below the mark.
    pub fn pop_mark_above(&mut self, th: &mut Thread) -> PyResult<(Value, Vec<Value>)> {
        let at = self.marker(th)?;
        if at <= self.fence {
            return Err(self.underflow(th));
        }
        let values = self.items.split_off(at);
        let below = self.last(th)?;
        Ok((below, values))
    }
}
