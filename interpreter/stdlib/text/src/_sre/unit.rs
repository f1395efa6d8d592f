//! Items that match exactly one character: sets, categories and the case-insensitive literals.
//!
//! A unit decides characters below 256 by a table made once at compilation, the others by its rule. Units that
//! depend on the C locale have no table, as the locale may change between two matches.

use super::chars;
use super::text::Char;

/// One member of a set, in the order of the code array; the first that applies decides.
#[derive(Debug)]
pub enum SetItem {
    Literal(u32),
    Range(u32, u32),
    /// The character, already in lower case, or its upper case lies in the range.
    RangeIgnore(u32, u32),
    Category(u32),
    /// 256 bits.
    Bitmap(Box<[u32]>),
    /// Index of a block of 256 bits for each high byte of a character below 0x10000.
    Blocks {
        index: Box<[u8; 256]>,
        bits: Box<[u32]>,
    },
    Negate,
}

/// How a character is changed before it is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    Exact,
    Ascii,
    Unicode,
    Locale,
}

#[derive(Debug)]
pub enum Rule {
    Literal(u32),
    Category(u32),
    Set(Box<[SetItem]>),
}

#[derive(Debug)]
pub struct Unit {
    rule: Rule,
    fold: Fold,
    negated: bool,
    dynamic: bool,
    low: Box<[bool; 256]>,
}

fn bit(words: &[u32], n: u32) -> bool {
    words.get((n >> 5) as usize).is_some_and(|w| w >> (n & 31) & 1 == 1)
}

fn set_contains(items: &[SetItem], ch: u32) -> bool {
    let mut hit = true;
    for item in items {
        let found = match item {
            SetItem::Negate => {
                hit = !hit;
                false
            }
            SetItem::Literal(c) => ch == *c,
            SetItem::Range(lo, hi) => (*lo..=*hi).contains(&ch),
            SetItem::RangeIgnore(lo, hi) => {
                (*lo..=*hi).contains(&ch) || (*lo..=*hi).contains(&chars::upper_unicode(ch))
            }
            SetItem::Category(code) => chars::in_category(*code, ch),
            SetItem::Bitmap(words) => ch < 256 && bit(words, ch),
            SetItem::Blocks { index, bits } => {
                ch < 0x10000 && bit(bits, u32::from(index[(ch >> 8) as usize]) * 256 + (ch & 255))
            }
        };
        if found {
            return hit;
        }
    }
    !hit
}

impl Unit {
    pub fn new(rule: Rule, fold: Fold, negated: bool) -> Unit {
        let dynamic = fold == Fold::Locale
            || match &rule {
                Rule::Literal(_) => false,
                Rule::Category(code) => is_locale_category(*code),
                Rule::Set(items) => {
                    items.iter().any(|item| matches!(item, SetItem::Category(code) if is_locale_category(*code)))
                }
            };
        let mut unit = Unit { rule, fold, negated, dynamic, low: Box::new([false; 256]) };
        for ch in 0..256u32 {
            unit.low[ch as usize] = unit.decide(ch);
        }
        unit
    }

    /// Whether the answer may change with the C locale.
    pub fn is_dynamic(&self) -> bool {
        self.dynamic
    }

    /// Answers for the characters below 256, unless the unit is dynamic.
    pub fn low(&self) -> &[bool; 256] {
        &self.low
    }

    fn contains(&self, ch: u32) -> bool {
        match &self.rule {
            Rule::Literal(c) => ch == *c,
            Rule::Category(code) => chars::in_category(*code, ch),
            Rule::Set(items) => set_contains(items, ch),
        }
    }

    fn decide(&self, ch: u32) -> bool {
        let found = match self.fold {
            Fold::Exact => self.contains(ch),
            Fold::Ascii => self.contains(chars::lower_ascii(ch)),
            Fold::Unicode => self.contains(chars::lower_unicode(ch)),
            Fold::Locale => match self.rule {
                Rule::Literal(c) => chars::same_locale(c, ch),
                _ => {
                    let (lower, upper) = (chars::lower_locale(ch), chars::upper_locale(ch));
                    self.contains(lower) || upper != lower && self.contains(upper)
                }
            },
        };
        found != self.negated
    }

    #[inline]
    pub fn matches<C: Char>(&self, c: C) -> bool {
        let ch = c.code();
        if ch < 256 && !self.dynamic { self.low[ch as usize] } else { self.decide(ch) }
    }

    /// Length of the longest start of `text` whose characters all match.
    pub fn span<C: Char>(&self, text: &[C]) -> usize {
        text.iter().position(|&c| !self.matches(c)).unwrap_or(text.len())
    }
}

fn is_locale_category(code: u32) -> bool {
    code & !1 == super::codes::category::LOC_WORD
}
