//! Lines, columns and bytes of the document, counted on demand.
use super::decode::Encoding;

pub struct Position {
    /// Everything before this offset of the text is counted.
    pub upto: usize,
    pub line: usize,
    pub column: usize,
    pub byte: usize,
    /// A carriage return was counted last: a newline behind it is the same line end.
    after_return: bool,
}
impl Position {
    pub fn new() -> Position {
        Position { upto: 0, line: 1, column: 0, byte: 0, after_return: false }
    }
    /// Counts up to an offset, which must not lie before what is counted.
    pub fn advance(&mut self, text: &str, to: usize, encoding: &Encoding) {
        if to <= self.upto {
            return;
        }
        let part = &text[self.upto..to];
        self.byte += encoding.width(part);
        for c in part.chars() {
            match c {
                '\n' if self.after_return => {}
                '\n' | '\r' => {
                    self.line += 1;
                    self.column = 0;
                }
                _ => self.column += 1,
            }
            self.after_return = c == '\r';
        }
        self.upto = to;
    }
}
