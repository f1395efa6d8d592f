//! The settings of a reader or writer, and the writer's quoting.

/// When fields are quoted; the numbers are those of the `csv` module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoting {
    Minimal,
    All,
    NonNumeric,
    None,
    Strings,
    NotNull,
}

impl Quoting {
    pub const ALL: [(&'static str, Quoting); 6] = [
        ("QUOTE_MINIMAL", Quoting::Minimal),
        ("QUOTE_ALL", Quoting::All),
        ("QUOTE_NONNUMERIC", Quoting::NonNumeric),
        ("QUOTE_NONE", Quoting::None),
        ("QUOTE_STRINGS", Quoting::Strings),
        ("QUOTE_NOTNULL", Quoting::NotNull),
    ];

    pub fn from_number(n: i64) -> Option<Quoting> {
        Self::ALL.get(usize::try_from(n).ok()?).map(|(_, quoting)| *quoting)
    }
}

#[derive(Clone, Debug)]
pub struct Format {
    pub delimiter: u32,
    pub quotechar: Option<u32>,
    pub escapechar: Option<u32>,
    pub lineterminator: Vec<u32>,
    pub quoting: Quoting,
    pub doublequote: bool,
    pub skipinitialspace: bool,
    pub strict: bool,
}

impl Format {
    /// Whether a reader takes `c` for a quote.
    pub fn is_quote(&self, c: u32) -> bool {
        Some(c) == self.quotechar && self.quoting != Quoting::None
    }
}

/// A field to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    Str,
    None,
    Number,
    Other,
}

/// A record under construction.
#[derive(Debug, Default)]
pub struct Record {
    pub text: Vec<u32>,
    fields: usize,
}

impl Record {
    /// Appends a field; `text` is nothing for `None`. An `Err` is the message of `csv.Error`.
    pub fn push(
        &mut self,
        text: Option<&mut dyn Iterator<Item = u32>>,
        kind: FieldKind,
        format: &Format,
    ) -> Result<(), &'static str> {
        let mut quoted = match format.quoting {
            Quoting::NonNumeric => kind != FieldKind::Number,
            Quoting::All => true,
            Quoting::Strings => kind == FieldKind::Str,
            Quoting::NotNull => kind != FieldKind::None,
            Quoting::Minimal | Quoting::None => false,
        };
        if self.fields > 0 {
            self.text.push(format.delimiter);
        }
        let begin = self.text.len();
        let is_null = text.is_none();
        for c in text.into_iter().flatten() {
            self.push_char(c, format, &mut quoted)?;
        }
        // An empty field between blanks that are skipped would be lost.
        if self.text.len() == begin && format.delimiter == 0x20 && format.skipinitialspace {
            let unquotable = format.quoting == Quoting::None
                || is_null && matches!(format.quoting, Quoting::Strings | Quoting::NotNull);
            if unquotable {
                return Err("empty field must be quoted if delimiter is a space and skipinitialspace is true");
            }
            quoted = true;
        }
        if quoted && let Some(quote) = format.quotechar {
            self.text.insert(begin, quote);
            self.text.push(quote);
        }
        self.fields += 1;
        Ok(())
    }

    fn push_char(&mut self, c: u32, format: &Format, quoted: &mut bool) -> Result<(), &'static str> {
        let special = c == format.delimiter
            || Some(c) == format.escapechar
            || Some(c) == format.quotechar
            || matches!(c, 0x0a | 0x0d)
            || format.lineterminator.contains(&c);
        if special {
            let mut escape = false;
            if format.quoting == Quoting::None {
                escape = true;
            } else {
                if Some(c) == format.quotechar {
                    if format.doublequote {
                        self.text.push(c);
                    } else {
                        escape = true;
                    }
                } else if Some(c) == format.escapechar {
                    escape = true;
                }
                if !escape {
                    *quoted = true;
                }
            }
            if escape {
                self.text.push(format.escapechar.ok_or("need to escape, but no escapechar set")?);
            }
        }
        self.text.push(c);
        Ok(())
    }

    /// Ends the record. A record of one empty field is quoted, or it would read as none at all.
    pub fn finish(mut self, last: FieldKind, format: &Format) -> Result<Vec<u32>, &'static str> {
        if self.fields > 0 && self.text.is_empty() {
            let unquotable = format.quoting == Quoting::None
                || last == FieldKind::None && matches!(format.quoting, Quoting::Strings | Quoting::NotNull);
            match format.quotechar {
                Some(quote) if !unquotable => self.text.extend([quote, quote]),
                _ => return Err("single empty field record must be quoted"),
            }
        }
        self.text.extend_from_slice(&format.lineterminator);
        Ok(self.text)
    }
}
