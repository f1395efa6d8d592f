//! Cuts a Python program down while a property of it holds: statements level by level, then branches, decorators and
//! bases, then arguments and sub-expressions, until nothing more goes.
//!
//! Every cut is an edit of the text, so that what stays, stays as it was written.

use std::collections::HashSet;
use std::io;

use super::tree::{Span, Statement};

/// Parses a candidate; None when it is no Python.
pub type Parser<'a> = dyn Fn(&str) -> io::Result<Option<Vec<Statement>>> + 'a;
/// Does the property hold? Counted and bounded by the minimiser.
pub type Property<'a> = dyn FnMut(&str) -> io::Result<bool> + 'a;

pub struct Minimiser<'a> {
    parser: &'a Parser<'a>,
    property: &'a mut Property<'a>,
    tried: HashSet<String>,
    pub source: String,
    pub attempts: usize,
    /// No attempt is made beyond this many.
    pub most: usize,
}

#[derive(Clone, Debug)]
struct Edit {
    span: Span,
    text: String,
    /// Edits of one block: when all its statements go, one `pass` must stay.
    block: usize,
}

impl<'a> Minimiser<'a> {
    /// `source` must have the property.
    pub fn new(source: &str, parser: &'a Parser<'a>, property: &'a mut Property<'a>) -> Minimiser<'a> {
        Minimiser { parser, property, tried: HashSet::new(), source: source.to_owned(), attempts: 0, most: 1500 }
    }

    pub fn run(&mut self) -> io::Result<()> {
        loop {
            let before = self.source.clone();
            self.thin(&examples(&self.source))?;
            self.statements()?;
            self.one_by_one(branches)?;
            self.one_by_one(unwrapped)?;
            self.one_by_one(ornaments)?;
            self.one_by_one(members)?;
            self.one_by_one(parts)?;
            self.one_by_one(dedented)?;
            self.one_by_one(blank)?;
            if self.source == before || self.attempts >= self.most {
                return Ok(());
            }
        }
    }

    /// Offers a text of the caller's own making, such as a guess of what is needed.
    pub fn offer(&mut self, candidate: &str) -> io::Result<bool> {
        if candidate == self.source || self.attempts >= self.most || !self.tried.insert(candidate.to_owned()) {
            return Ok(false);
        }
        if (self.parser)(candidate)?.is_none() {
            return Ok(false);
        }
        self.attempts += 1;
        let holds = (self.property)(candidate)?;
        if holds {
            self.source = candidate.to_owned();
        }
        Ok(holds)
    }

    fn tree(&self) -> io::Result<Vec<Statement>> {
        Ok((self.parser)(&self.source)?.unwrap_or_default())
    }

    /// Removes statements, the outermost level first.
    fn statements(&mut self) -> io::Result<()> {
        let mut depth = 0;
        loop {
            let tree = self.tree()?;
            let edits = level(&tree, depth);
            if edits.is_empty() {
                return Ok(());
            }
            self.thin(&edits)?;
            depth += 1;
        }
    }

    /// Makes as many of these removals as can be, which must not overlap: halves, then quarters, down to single ones.
    fn thin(&mut self, edits: &[Edit]) -> io::Result<()> {
        let base = self.source.clone();
        let mut kept: Vec<usize> = (0..edits.len()).collect();
        let mut chunk = edits.len();
        while chunk > 0 {
            let mut at = 0;
            while at < kept.len() {
                let end = (at + chunk).min(kept.len());
                let trial: Vec<usize> = kept[..at].iter().chain(&kept[end..]).copied().collect();
                if self.offer(&without(&base, edits, &trial))? {
                    kept = trial;
                } else {
                    at = end;
                }
            }
            chunk /= 2;
        }
        Ok(())
    }

    /// Tries the edits of one kind singly, from the last to the first, and finds them anew after each that holds.
    fn one_by_one(&mut self, find: fn(&str, &[Statement]) -> Vec<Edit>) -> io::Result<()> {
        let mut edits = find(&self.source, &self.tree()?);
        let mut at = edits.len();
        while at > 0 {
            at -= 1;
            let edit = &edits[at];
            let candidate = format!("{}{}{}", &self.source[..edit.span.0], edit.text, &self.source[edit.span.1..]);
            if self.offer(&candidate)? {
                edits = find(&self.source, &self.tree()?);
                at = edits.len().min(at + 1);
            }
        }
        Ok(())
    }
}

/// The statements at one depth, as removals.
fn level(tree: &[Statement], depth: usize) -> Vec<Edit> {
    fn go(block: &[Statement], depth: usize, blocks: &mut usize, out: &mut Vec<Edit>) {
        if depth == 0 {
            *blocks += 1;
            let edit = |one: &Statement| Edit { span: one.span, text: String::new(), block: *blocks };
            out.extend(block.iter().map(edit));
        } else {
            block.iter().flat_map(|one| &one.blocks).for_each(|inner| go(inner, depth - 1, blocks, out));
        }
    }
    let mut out = Vec::new();
    go(tree, depth, &mut 0, &mut out);
    out
}

/// The text with only the `kept` of these statements; an emptied block keeps a `pass`.
fn without(source: &str, edits: &[Edit], kept: &[usize]) -> String {
    let kept: HashSet<usize> = kept.iter().copied().collect();
    let filled: HashSet<usize> = kept.iter().map(|&index| edits[index].block).collect();
    let mut holding: HashSet<usize> = HashSet::new();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    for (index, edit) in edits.iter().enumerate() {
        if kept.contains(&index) {
            continue;
        }
        // A module may be empty; a body may not.
        let indented = line_start(source, edit.span.0) != edit.span.0;
        let must_hold = indented && !filled.contains(&edit.block) && holding.insert(edit.block);
        let (span, text) = match whole_lines(source, edit.span) {
            Some(lines) if !must_hold => (lines, ""),
            _ => (edit.span, "pass"),
        };
        if span.0 < at {
            continue;
        }
        out.push_str(&source[at..span.0]);
        out.push_str(text);
        at = span.1;
    }
    out.push_str(&source[at..]);
    out
}

/// Doctest examples, wherever they stand: from their prompt to the next one, or to the line that ends the string.
fn examples(source: &str) -> Vec<Edit> {
    let mut out: Vec<Edit> = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        let text = line.trim();
        let begins = text == ">>>" || text.starts_with(">>> ");
        if begins || text == "'''" || text == "\"\"\"" {
            if let Some(start) = open.take() {
                // Without the last newline, as statements have it.
                out.push(cut((start, at - 1)));
            }
            open = begins.then_some(at);
        }
        at += line.len();
    }
    out
}

fn line_start(source: &str, at: usize) -> usize {
    source[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

fn line_end(source: &str, at: usize) -> usize {
    source[at..].find('\n').map_or(source.len(), |newline| at + newline + 1)
}

/// The lines that the span fills, if it shares them with nothing but a comment.
fn whole_lines(source: &str, span: Span) -> Option<Span> {
    let (start, end) = (line_start(source, span.0), line_end(source, span.1));
    let rest = source[span.1..end].trim();
    (source[start..span.0].trim().is_empty() && (rest.is_empty() || rest.starts_with('#'))).then_some((start, end))
}

fn every<'t>(tree: &'t [Statement], out: &mut Vec<&'t Statement>) {
    for one in tree {
        out.push(one);
        one.blocks.iter().for_each(|block| every(block, out));
    }
}

fn all(tree: &[Statement]) -> Vec<&Statement> {
    let mut out = Vec::new();
    every(tree, &mut out);
    out
}

fn cut(span: Span) -> Edit {
    Edit { span, text: String::new(), block: 0 }
}

/// `else`, `except` and `finally` parts: from the end of the part before to their own.
fn branches(_: &str, tree: &[Statement]) -> Vec<Edit> {
    let end = |block: &[Statement]| block.last().map_or(0, |last| last.span.1);
    let mut out = Vec::new();
    for one in all(tree) {
        for pair in one.blocks.windows(2) {
            out.push(cut((end(&pair[0]), end(&pair[1]))));
        }
    }
    out
}

/// Compound statements whose body begins on a line of its own, each with the first statement of its body and its head.
fn with_bodies<'t>(source: &'t str, tree: &'t [Statement]) -> Vec<(&'t Statement, &'t Statement, &'t str)> {
    let split = |one: &'t Statement| {
        let first = one.blocks.first()?.first()?;
        let head = source.get(one.span.0..line_start(source, first.span.0))?;
        (!head.is_empty()).then_some((one, first, head))
    };
    all(tree).into_iter().filter_map(split).collect()
}

/// A compound statement's head becomes `if 1:`, and what follows its first block goes.
fn unwrapped(source: &str, tree: &[Statement]) -> Vec<Edit> {
    let mut out = Vec::new();
    for (one, _, head) in with_bodies(source, tree) {
        let body = one.span.0 + head.len();
        if matches!(&*one.kind, "def" | "class" | "match") || head.trim() == "if 1:" {
            continue;
        }
        let end = one.blocks[0].last().map_or(one.span.1, |last| last.span.1);
        out.push(Edit { span: one.span, text: format!("if 1:\n{}", &source[body..end]), block: 0 });
    }
    out
}

/// `if 1:` around lines that can stand without it.
fn dedented(source: &str, tree: &[Statement]) -> Vec<Edit> {
    let mut out = Vec::new();
    for (one, first, head) in with_bodies(source, tree) {
        let body = one.span.0 + head.len();
        if one.kind != "if" || head.trim() != "if 1:" {
            continue;
        }
        let from = line_start(source, one.span.0);
        let by = (first.span.0 - body).saturating_sub(one.span.0 - from);
        let strip = |line: &str| {
            let spaces = line.len() - line.trim_start_matches(' ').len();
            line[spaces.min(by)..].to_owned()
        };
        let text: Vec<String> = source[body..one.span.1].lines().map(strip).collect();
        out.push(Edit { span: (from, one.span.1), text: text.join("\n"), block: 0 });
    }
    out
}

/// Decorators, base classes, and base classes exchanged for the plain test case.
fn ornaments(source: &str, tree: &[Statement]) -> Vec<Edit> {
    let mut out = Vec::new();
    for one in all(tree) {
        for &span in &one.decorators {
            if let Some(lines) = whole_lines(source, span) {
                out.push(cut(lines));
            }
        }
        if one.bases.len() > 1 {
            out.extend((0..one.bases.len()).map(|index| cut(member(&one.bases, index))));
        }
        if let (Some(first), Some(last)) = (one.bases.first(), one.bases.last()) {
            let span = (first.0, last.1);
            if &source[span.0..span.1] != "unittest.TestCase" {
                out.push(Edit { span, text: "unittest.TestCase".to_owned(), block: 0 });
            }
        }
    }
    out
}

/// The span of a list's member with the comma that parts it from its neighbour.
fn member(list: &[Span], index: usize) -> Span {
    match (index, list.get(index + 1)) {
        (_, Some(next)) => (list[index].0, next.0),
        (0, None) => list[0],
        _ => (list[index - 1].1, list[index].1),
    }
}

/// Members of argument lists and displays, and whole lists at once.
fn members(_: &str, tree: &[Statement]) -> Vec<Edit> {
    let mut out = Vec::new();
    for list in all(tree).into_iter().flat_map(|one| &one.lists) {
        out.extend((0..list.len()).map(|index| cut(member(list, index))));
        if let ([first, _, ..], Some(last)) = (list.as_slice(), list.last()) {
            out.push(cut((first.0, last.1)));
        }
    }
    out
}

fn parts(source: &str, tree: &[Statement]) -> Vec<Edit> {
    let edit = |(whole, part): &(Span, Span)| Edit { span: *whole, text: source[part.0..part.1].to_owned(), block: 0 };
    all(tree).into_iter().flat_map(|one| &one.parts).map(edit).collect()
}

/// Empty lines and lines of comment. One within a string counts as the text it is: the property must hold without it.
fn blank(source: &str, _: &[Statement]) -> Vec<Edit> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut lone = Vec::new();
    for line in source.split_inclusive('\n') {
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            lone.push((start, start + line.len()));
        }
        start += line.len();
    }
    out.extend(lone.iter().map(|&span| cut(span)));
    // All at once comes first, because edits are tried from the last on.
    if lone.len() > 1 {
        let mut text = String::new();
        for line in source.split_inclusive('\n') {
            let bare = line.trim();
            if !bare.is_empty() && !bare.starts_with('#') {
                text.push_str(line);
            }
        }
        out.push(Edit { span: (0, source.len()), text, block: 0 });
    }
    out
}
