//! The reader's state machine: one character after the other into fields.

use super::format::{Format, Quoting};

/// An `Err` is the message of `csv.Error`.
pub type Parsed<T> = Result<T, String>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    StartRecord,
    StartField,
    Escaped,
    InField,
    InQuoted,
    EscapedInQuoted,
    QuoteInQuoted,
    EatNewline,
    AfterEscapedNewline,
}

/// A finished field.
#[derive(Debug, PartialEq, Eq)]
pub enum Field {
    Text(Vec<u32>),
    /// Not quoted, which makes it a number in this dialect.
    Number(Vec<u32>),
    /// Empty and not quoted, which makes it `None` in this dialect.
    Null,
}

#[derive(Debug)]
pub struct Parser {
    state: State,
    field: Vec<u32>,
    unquoted: bool,
    pub fields: Vec<Field>,
}

impl Parser {
    pub fn new() -> Parser {
        Parser { state: State::StartRecord, field: Vec::new(), unquoted: false, fields: Vec::new() }
    }

    /// Forgets the record under way.
    pub fn reset(&mut self) {
        *self = Parser::new();
    }

    /// The record is complete.
    pub fn is_done(&self) -> bool {
        self.state == State::StartRecord
    }

    /// The input has ended here: whether something of a record is left, which `finish` may take as it is.
    pub fn is_open(&self) -> bool {
        !self.field.is_empty() || self.state == State::InQuoted
    }

    /// Ends the last field where the input ended.
    pub fn finish(&mut self, format: &Format) {
        self.save(format);
    }

    fn save(&mut self, format: &Format) {
        let text = std::mem::take(&mut self.field);
        self.fields.push(match format.quoting {
            Quoting::Strings | Quoting::NotNull if self.unquoted && text.is_empty() => Field::Null,
            Quoting::Strings | Quoting::NonNumeric if self.unquoted && !text.is_empty() => Field::Number(text),
            _ => Field::Text(text),
        });
    }

    fn add(&mut self, c: u32, limit: usize) -> Parsed<()> {
        if self.field.len() >= limit {
            return Err(format!("field larger than field limit ({limit})"));
        }
        self.field.push(c);
        Ok(())
    }

    /// Takes one character, or the end of a line of input (`None`).
    pub fn feed(&mut self, c: Option<u32>, format: &Format, limit: usize) -> Parsed<()> {
        let newline = matches!(c, Some(0x0a | 0x0d));
        match self.state {
            State::StartRecord if c.is_none() => {}
            State::StartRecord if newline => self.state = State::EatNewline,
            State::StartRecord | State::StartField => self.start_field(c, format, limit)?,
            State::Escaped => match c {
                Some(c) if newline => {
                    self.add(c, limit)?;
                    self.state = State::AfterEscapedNewline;
                }
                _ => {
                    self.add(c.unwrap_or(0x0a), limit)?;
                    self.state = State::InField;
                }
            },
            State::AfterEscapedNewline if c.is_none() => {}
            State::AfterEscapedNewline | State::InField => match c {
                _ if c.is_none() || newline => self.end_record(c, format),
                Some(c) if Some(c) == format.escapechar => self.state = State::Escaped,
                Some(c) if c == format.delimiter => self.next_field(format),
                Some(c) => {
                    self.add(c, limit)?;
                    self.state = State::InField;
                }
                None => {}
            },
            State::InQuoted => match c {
                None => {}
                Some(c) if Some(c) == format.escapechar => self.state = State::EscapedInQuoted,
                Some(c) if format.is_quote(c) => {
                    self.state = if format.doublequote { State::QuoteInQuoted } else { State::InField };
                }
                Some(c) => self.add(c, limit)?,
            },
            State::EscapedInQuoted => {
                self.add(c.unwrap_or(0x0a), limit)?;
                self.state = State::InQuoted;
            }
            State::QuoteInQuoted => self.after_quote(c, newline, format, limit)?,
            State::EatNewline => match c {
                _ if newline => {}
                None => self.state = State::StartRecord,
                Some(_) => {
                    return Err("new-line character seen in unquoted field - \
                                do you need to open the file with newline=''?"
                        .into());
                }
            },
        }
        Ok(())
    }

    fn start_field(&mut self, c: Option<u32>, format: &Format, limit: usize) -> Parsed<()> {
        self.unquoted = true;
        self.state = State::StartField;
        match c {
            None | Some(0x0a | 0x0d) => self.end_record(c, format),
            Some(c) if format.is_quote(c) => {
                self.unquoted = false;
                self.state = State::InQuoted;
            }
            Some(c) if Some(c) == format.escapechar => self.state = State::Escaped,
            Some(0x20) if format.skipinitialspace => {}
            Some(c) if c == format.delimiter => self.save(format),
            Some(c) => {
                self.add(c, limit)?;
                self.state = State::InField;
            }
        }
        Ok(())
    }

    fn after_quote(&mut self, c: Option<u32>, newline: bool, format: &Format, limit: usize) -> Parsed<()> {
        match c {
            _ if c.is_none() || newline => self.end_record(c, format),
            Some(c) if format.is_quote(c) => {
                self.add(c, limit)?;
                self.state = State::InQuoted;
            }
            Some(c) if c == format.delimiter => self.next_field(format),
            Some(c) if !format.strict => {
                self.add(c, limit)?;
                self.state = State::InField;
            }
            _ => {
                let show = |c: u32| char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER);
                let quote = format.quotechar.unwrap_or(0);
                return Err(format!("'{}' expected after '{}'", show(format.delimiter), show(quote)));
            }
        }
        Ok(())
    }

    fn next_field(&mut self, format: &Format) {
        self.save(format);
        self.state = State::StartField;
    }

    fn end_record(&mut self, c: Option<u32>, format: &Format) {
        self.save(format);
        self.state = if c.is_none() { State::StartRecord } else { State::EatNewline };
    }
}
