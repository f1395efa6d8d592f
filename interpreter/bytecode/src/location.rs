//! Source positions of instruction words (PEP 657) and CPython's line table format.
//!
//! CPython counterpart: `Objects/locations.md`, `Python/assemble.c` (writer), `Objects/codeobject.c` (reader).

use std::sync::OnceLock;

/// A source range. Lines count from 1, columns are UTF-8 byte offsets from 0. No lines: no position, see
/// [`Position::has_line`]; `col < 0`: no column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// First line, 0 if unknown.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// Column of the start, -1 if unknown.
    pub col: i32,
    /// Column after the end, -1 if unknown.
    pub end_col: i32,
}

impl Position {
    /// Belongs to no line.
    pub const NONE: Position = Position { line: 0, end_line: 0, col: -1, end_col: -1 };

    /// Where a module begins: before its first line.
    pub const MODULE: Position = Position { line: 0, end_line: 1, col: 0, end_col: 0 };

    /// Whether there is a position; a module's entry has line 0.
    pub fn has_line(&self) -> bool {
        self.line != 0 || self.end_line != 0
    }

    /// A line without columns.
    pub fn line_only(line: u32) -> Position {
        Position { line, end_line: line, col: -1, end_col: -1 }
    }
}

impl Default for Position {
    fn default() -> Position {
        Position::NONE
    }
}

/// A run of words with one position: its first word; it ends where the next begins.
pub type Run = (u32, Position);

/// Positions of all words, as ascending runs. Those of stored code are read when they are first asked for, which most
/// never are.
#[derive(Clone, Debug, Default)]
pub struct PositionTable {
    runs: OnceLock<Vec<Run>>,
    /// What [`crate::marshal`] stored, until it is read.
    stored: Box<[u8]>,
}
impl PartialEq for PositionTable {
    fn eq(&self, other: &PositionTable) -> bool {
        self.runs() == other.runs()
    }
}
impl Eq for PositionTable {}

impl PositionTable {
    /// The table that was stored as these bytes; an empty one if they are malformed.
    pub(crate) fn from_stored(stored: &[u8]) -> PositionTable {
        PositionTable { runs: OnceLock::new(), stored: stored.into() }
    }
    fn runs_mut(&mut self) -> &mut Vec<Run> {
        let runs = self.runs.take().unwrap_or_else(|| crate::marshal::read_positions(&self.stored));
        self.stored = Box::default();
        self.runs = OnceLock::from(runs);
        self.runs.get_mut().expect("it was just set")
    }

    /// Says that words from `word` on, which is not below any before, have this position.
    pub fn push(&mut self, word: u32, position: Position) {
        let runs = self.runs_mut();
        match runs.last_mut() {
            Some((_, last)) if *last == position => {}
            Some((start, last)) if *start == word => *last = position,
            _ => runs.push((word, position)),
        }
    }

    /// Position of a word.
    pub fn at(&self, word: u32) -> Position {
        let runs = self.runs();
        let index = runs.partition_point(|&(start, _)| start <= word);
        if index == 0 { Position::NONE } else { runs[index - 1].1 }
    }

    /// Keeps lines only.
    pub fn forget_columns(&mut self) {
        for (_, position) in self.runs_mut().iter_mut().filter(|run| run.1.has_line()) {
            *position = Position::line_only(position.line);
        }
    }

    /// The runs: (first word, position).
    pub fn runs(&self) -> &[Run] {
        self.runs.get_or_init(|| crate::marshal::read_positions(&self.stored))
    }

    /// CPython's `co_linetable` for `words` code units.
    pub fn to_linetable(&self, firstlineno: u32, words: u32) -> Vec<u8> {
        let mut out = Vec::new();
        let mut previous = firstlineno as i64;
        for (index, &(start, position)) in self.runs().iter().enumerate() {
            let end = self.runs().get(index + 1).map_or(words, |next| next.0);
            let mut left = end.saturating_sub(start);
            while left > 0 {
                let units = left.min(8);
                write_entry(&mut out, position, &mut previous, units);
                left -= units;
            }
        }
        out
    }

    /// Reads CPython's `co_linetable` (for `code.replace(co_linetable=…)`); `None` if it is malformed.
    pub fn from_linetable(table: &[u8], firstlineno: u32) -> Option<PositionTable> {
        let mut bytes = table.iter().copied().peekable();
        let mut result = PositionTable::default();
        let (mut word, mut line) = (0u32, firstlineno as i64);
        while let Some(first) = bytes.next() {
            let units = (first & 7) as u32 + 1;
            let position = match (first >> 3) & 15 {
                15 => Position::NONE,
                14 => {
                    line += read_signed(&mut bytes)?;
                    let end_line = line + read_varint(&mut bytes)? as i64;
                    let col = read_varint(&mut bytes)? as i32 - 1;
                    let end_col = read_varint(&mut bytes)? as i32 - 1;
                    Position { line: line as u32, end_line: end_line as u32, col, end_col }
                }
                13 => {
                    line += read_signed(&mut bytes)?;
                    Position::line_only(line as u32)
                }
                code @ 10..=12 => {
                    line += code as i64 - 10;
                    let (col, end_col) = (bytes.next()? as i32, bytes.next()? as i32);
                    Position { line: line as u32, end_line: line as u32, col, end_col }
                }
                code => {
                    let second = bytes.next()?;
                    let col = (code as i32) << 3 | (second >> 4) as i32;
                    Position { line: line as u32, end_line: line as u32, col, end_col: col + (second & 15) as i32 }
                }
            };
            result.push(word, position);
            word += units;
        }
        Some(result)
    }
}

fn write_entry(out: &mut Vec<u8>, position: Position, previous: &mut i64, units: u32) {
    let first = |out: &mut Vec<u8>, code: u8| out.push(0x80 | code << 3 | (units - 1) as u8);
    if !position.has_line() {
        return first(out, 15);
    }
    let delta = position.line as i64 - *previous;
    *previous = position.line as i64;
    let (col, end_col) = (position.col, position.end_col);
    if col < 0 || end_col < 0 {
        if position.end_line == position.line {
            first(out, 13);
            write_signed(out, delta);
            return;
        }
    } else if position.end_line == position.line {
        if delta == 0 && col < 80 && (0..16).contains(&(end_col - col)) {
            first(out, (col >> 3) as u8);
            out.push(((col & 7) << 4 | (end_col - col)) as u8);
            return;
        }
        if (0..3).contains(&delta) && col < 128 && end_col < 128 {
            first(out, 10 + delta as u8);
            out.extend([col as u8, end_col as u8]);
            return;
        }
    }
    first(out, 14);
    write_signed(out, delta);
    write_varint(out, position.end_line.saturating_sub(position.line));
    write_varint(out, (col + 1).max(0) as u32);
    write_varint(out, (end_col + 1).max(0) as u32);
}

/// Little-endian groups of six bits, bit 6 says that more follow.
fn write_varint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 64 {
        out.push(0x40 | (value & 0x3f) as u8);
        value >>= 6;
    }
    out.push(value as u8);
}

fn write_signed(out: &mut Vec<u8>, value: i64) {
    let magnitude = (value.unsigned_abs() as u32) << 1;
    write_varint(out, magnitude | (value < 0) as u32);
}

fn read_varint(bytes: &mut impl Iterator<Item = u8>) -> Option<u32> {
    let (mut value, mut shift) = (0u32, 0);
    loop {
        let byte = bytes.next()?;
        value |= ((byte & 0x3f) as u32).checked_shl(shift)?;
        if byte & 0x40 == 0 {
            return Some(value);
        }
        shift += 6;
    }
}

fn read_signed(bytes: &mut impl Iterator<Item = u8>) -> Option<i64> {
    let value = read_varint(bytes)?;
    let magnitude = (value >> 1) as i64;
    Some(if value & 1 != 0 { -magnitude } else { magnitude })
}
