//! Laying a number out in its field: sign, prefix, grouped digits, decimal point, padding.
//! CPython counterparts: `calc_number_widths`, `fill_number`, `_PyUnicode_InsertThousandsGrouping`.

use super::OutOfMemory;
use super::spec::{FormatSpec, Grouping};
use crate::text::TextBuf;

/// What `localeconv()` says of plain numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberLocale {
    pub decimal_point: String,
    pub thousands_sep: String,
    /// Group sizes from the right; the last repeats, 127 ends the grouping.
    pub grouping: Vec<u8>,
}

impl NumberLocale {
    /// The C locale.
    pub fn c() -> NumberLocale {
        NumberLocale { decimal_point: ".".into(), thousands_sep: String::new(), grouping: Vec::new() }
    }

    /// What a spec asks for when its type is not `n`.
    pub(super) fn of(grouping: Grouping) -> NumberLocale {
        let (separator, size) = match grouping {
            Grouping::None => return NumberLocale::c(),
            Grouping::Comma => (",", 3),
            Grouping::Underscore => ("_", 3),
            Grouping::UnderscoreByFour => ("_", 4),
        };
        NumberLocale { decimal_point: ".".into(), thousands_sep: separator.into(), grouping: vec![size] }
    }
}

/// The text of a number in parts.
pub(super) struct NumberText<'a> {
    pub negative: bool,
    pub prefix: &'a str,
    /// Digits before the decimal point; none for `inf` and `nan`.
    pub digits: &'a str,
    pub has_decimal: bool,
    /// Everything behind the decimal point, exponent and `%` included.
    pub remainder: &'a str,
}

/// Left and right padding of `len` units in the spec's field; `=` counts as right alignment.
pub(super) fn padding(len: usize, spec: &FormatSpec) -> (usize, usize) {
    let total = spec.width.unwrap_or(0).saturating_sub(len);
    match spec.align {
        b'<' => (0, total),
        b'^' => (total / 2, total - total / 2),
        _ => (total, 0),
    }
}

/// Group sizes from the right, without end when the last one repeats.
fn group_sizes(grouping: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let mut index = 0;
    std::iter::from_fn(move || {
        let size = *grouping.get(index).or(grouping.last())?;
        let size = if size == 0 { *grouping.get(index.checked_sub(1)?)? } else { size };
        index += usize::from(index < grouping.len());
        (size != 127 && size != 0).then_some(usize::from(size))
    })
}

/// Groups `digits`, with zeros in front until at least `min_width` units are there.
fn group(digits: &str, min_width: usize, locale: &NumberLocale) -> Result<String, OutOfMemory> {
    let separator_len = locale.thousands_sep.chars().count() as isize;
    let mut remaining = digits;
    let mut wanted = min_width.min(isize::MAX as usize) as isize;
    // Pieces from the right: zeros in front of a piece of the digits.
    let mut pieces: Vec<(usize, &str)> = Vec::new();
    let mut sizes = group_sizes(&locale.grouping);
    loop {
        let size = sizes.next();
        let len = size.unwrap_or(usize::MAX).min(remaining.len().max(wanted.max(1) as usize));
        let (head, tail) = remaining.split_at(remaining.len() - len.min(remaining.len()));
        pieces.try_reserve(1)?;
        pieces.push((len - tail.len(), tail));
        remaining = head;
        wanted -= len as isize;
        if size.is_none() || (remaining.is_empty() && wanted <= 0) {
            break;
        }
        wanted -= separator_len;
    }
    let mut text = String::new();
    let total: usize = pieces.iter().map(|(zeros, piece)| zeros + piece.len() + locale.thousands_sep.len()).sum();
    text.try_reserve(total)?;
    for (index, (zeros, piece)) in pieces.iter().rev().enumerate() {
        if index > 0 {
            text.push_str(&locale.thousands_sep);
        }
        text.extend(std::iter::repeat_n('0', *zeros));
        text.push_str(piece);
    }
    Ok(text)
}

/// Appends the number as the spec wants it.
pub(super) fn lay_out(
    number: &NumberText<'_>,
    spec: &FormatSpec,
    locale: &NumberLocale,
    out: &mut TextBuf,
) -> Result<(), OutOfMemory> {
    let sign = match (number.negative, spec.sign) {
        (true, _) => "-",
        (false, b'+') => "+",
        (false, b' ') => " ",
        _ => "",
    };
    let decimal_point = if number.has_decimal { locale.decimal_point.as_str() } else { "" };
    let fixed = sign.len() + number.prefix.len() + decimal_point.chars().count() + number.remainder.len();
    let zero_filled = spec.fill == u32::from('0') && spec.align == b'=';
    let min_width = if zero_filled { spec.width.unwrap_or(0).saturating_sub(fixed) } else { 0 };
    let plain = locale.grouping.is_empty() && min_width <= number.digits.len();
    let grouped;
    let digits = if number.digits.is_empty() || plain {
        number.digits
    } else {
        grouped = group(number.digits, min_width, locale)?;
        &grouped
    };
    let (mut left, right) = padding(fixed + digits.chars().count(), spec);
    let mut inner = 0;
    if spec.align == b'=' {
        inner = std::mem::take(&mut left);
    }
    out.push_fill(spec.fill, left)?;
    out.push_str(sign)?;
    out.push_str(number.prefix)?;
    out.push_fill(spec.fill, inner)?;
    out.push_str(digits)?;
    out.push_str(decimal_point)?;
    out.push_str(number.remainder)?;
    out.push_fill(spec.fill, right)
}
