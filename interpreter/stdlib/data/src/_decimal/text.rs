//! Decimals as text: parsing, scientific and engineering notation, format specifications.
use num_bigint::BigUint;
use num_traits::Zero;

use super::arith::rescale;
use super::num::{Dec, Kind, MAX_EMAX, MAX_PREC, MIN_EMIN, Rest, Round, rounds_up, shift_right};

/// What a numeric string says; `None` where it is none. Blanks are stripped already.
pub fn parse(text: &[u8]) -> Option<Dec> {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let lower = rest.to_ascii_lowercase();
    if lower == b"inf" || lower == b"infinity" {
        return Some(Dec::infinity(negative));
    }
    for (word, kind) in [(&b"snan"[..], Kind::Signaling), (b"nan", Kind::Quiet)] {
        if let Some(payload) = lower.strip_prefix(word) {
            if !payload.iter().all(u8::is_ascii_digit) {
                return None;
            }
            let coeff = if payload.is_empty() { BigUint::zero() } else { BigUint::parse_bytes(payload, 10)? };
            return Some(Dec { negative, kind, coeff, exp: 0 });
        }
    }
    let (mantissa, exp) = match lower.iter().position(|&b| b == b'e') {
        Some(i) => (&lower[..i], exponent(&lower[i + 1..])?),
        None => (&lower[..], 0),
    };
    let point = mantissa.iter().position(|&b| b == b'.');
    let digits: Vec<u8> = match point {
        Some(i) => [&mantissa[..i], &mantissa[i + 1..]].concat(),
        None => mantissa.to_vec(),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let behind = point.map_or(0, |i| mantissa.len() - i - 1) as i64;
    Some(Dec::new(negative, BigUint::parse_bytes(&digits, 10)?, exp.saturating_sub(behind)))
}
fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let n = digits.iter().fold(0i64, |n, d| n.saturating_mul(10).saturating_add(i64::from(d - b'0')));
    let n = n.min(i64::MAX / 4);
    Some(if negative { -n } else { n })
}
/// The number, if it can be held exactly.
pub fn in_range(d: Dec) -> Option<Dec> {
    if !d.is_finite() {
        return Some(d);
    }
    let least = MIN_EMIN - (MAX_PREC - 1);
    if d.coeff.is_zero() {
        return (least..=MAX_EMAX).contains(&d.exp).then_some(d);
    }
    (d.adjusted() <= MAX_EMAX && d.exp >= least).then_some(d)
}

fn special(d: &Dec) -> Option<String> {
    let sign = if d.negative { "-" } else { "" };
    let payload = || if d.coeff.is_zero() { String::new() } else { d.coeff.to_string() };
    match d.kind {
        Kind::Finite => None,
        Kind::Infinite => Some(format!("{sign}Infinity")),
        Kind::Quiet => Some(format!("{sign}NaN{}", payload())),
        Kind::Signaling => Some(format!("{sign}sNaN{}", payload())),
    }
}
/// `str(d)`, or engineering notation.
pub fn to_text(d: &Dec, engineering: bool, capitals: bool) -> String {
    if let Some(text) = special(d) {
        return text;
    }
    let digits = d.coeff.to_string();
    let left = d.exp + digits.len() as i64;
    // Where the point goes, counted from the first digit.
    let point = if d.exp <= 0 && left > -6 {
        left
    } else if !engineering {
        1
    } else if d.coeff.is_zero() {
        (left + 1).rem_euclid(3) - 1
    } else {
        (left - 1).rem_euclid(3) + 1
    };
    let (whole, fraction) = split(&digits, point);
    let mut out = String::from(if d.negative { "-" } else { "" });
    out.push_str(&whole);
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(&fraction);
    }
    if left != point {
        out.push(if capitals { 'E' } else { 'e' });
        out.push_str(&format!("{:+}", left - point));
    }
    out
}
fn split(digits: &str, point: i64) -> (String, String) {
    let len = digits.len() as i64;
    if point <= 0 {
        ("0".into(), format!("{}{digits}", "0".repeat((-point) as usize)))
    } else if point >= len {
        (format!("{digits}{}", "0".repeat((point - len) as usize)), String::new())
    } else {
        let (a, b) = digits.split_at(point as usize);
        (a.into(), b.into())
    }
}

/// A parsed format specification.
pub struct Spec {
    pub fill: char,
    pub align: Option<char>,
    pub sign: char,
    pub no_negative_zero: bool,
    pub alternate: bool,
    pub zero: bool,
    pub width: usize,
    pub grouping: Option<char>,
    pub precision: Option<i64>,
    pub kind: Option<char>,
}
impl Spec {
    pub fn parse(text: &str) -> Option<Spec> {
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        let is_align = |c: Option<&char>| c.is_some_and(|c| "<>=^".contains(*c));
        let (mut fill, mut align) = (' ', None);
        if is_align(chars.get(1)) {
            (fill, align) = (chars[0], Some(chars[1]));
            at = 2;
        } else if is_align(chars.first()) {
            align = Some(chars[0]);
            at = 1;
        }
        let eat = |set: &str, at: &mut usize| -> Option<char> {
            let c = *chars.get(*at)?;
            set.contains(c).then(|| {
                *at += 1;
                c
            })
        };
        let sign = eat("+- ", &mut at).unwrap_or('-');
        let no_negative_zero = eat("z", &mut at).is_some();
        let alternate = eat("#", &mut at).is_some();
        let mut zero = eat("0", &mut at).is_some();
        let number = |at: &mut usize| -> Option<i64> {
            let start = *at;
            let mut n = 0i64;
            while let Some(d) = chars.get(*at).and_then(|c| c.to_digit(10)) {
                n = n.saturating_mul(10).saturating_add(d.into());
                *at += 1;
            }
            (*at > start).then_some(n)
        };
        let width = number(&mut at).unwrap_or(0);
        let grouping = eat(",", &mut at);
        let precision = match eat(".", &mut at) {
            Some(_) => Some(number(&mut at)?),
            None => None,
        };
        let kind = eat("eEfFgGnN%", &mut at);
        if at != chars.len() || width > 1 << 30 || precision.is_some_and(|p| p > 1 << 30) {
            return None;
        }
        if matches!(kind, Some('n' | 'N')) && grouping.is_some() {
            return None;
        }
        if zero && align.is_some() {
            // An explicit alignment makes the zero a fill only where none is given.
            zero = false;
            if fill == ' ' && text.starts_with(['<', '>', '=', '^']) {
                fill = '0';
            }
        }
        Some(Spec {
            fill,
            align,
            sign,
            no_negative_zero,
            alternate,
            zero,
            width: width as usize,
            grouping,
            precision,
            kind,
        })
    }
}
/// Grouping sizes, as `localeconv` gives them, with separator and decimal point.
pub struct Locale {
    pub point: String,
    pub separator: String,
    pub grouping: Vec<u8>,
}
fn group(whole: &str, least: usize, locale: &Locale) -> String {
    if locale.separator.is_empty() || locale.grouping.is_empty() {
        return format!("{whole:0>least$}");
    }
    let mut parts: Vec<String> = Vec::new();
    let (mut rest, mut least) = (whole.to_owned(), least as i64);
    let mut sizes = locale.grouping.iter().copied();
    let mut size = usize::MAX;
    loop {
        match sizes.next() {
            Some(127) => size = usize::MAX,
            Some(0) | None => {}
            Some(n) => size = n.into(),
        }
        let want = rest.len().max(least.max(1) as usize).min(size);
        let cut = rest.len().saturating_sub(want);
        let part = rest.split_off(cut);
        parts.push(format!("{part:0>want$}"));
        least -= want as i64;
        if rest.is_empty() && least <= 0 {
            break;
        }
        least -= locale.separator.chars().count() as i64;
    }
    parts.reverse();
    parts.join(&locale.separator)
}
/// A decimal by a format specification.
pub fn format(d: &Dec, spec: &Spec, round: Round, capitals: bool, locale: &Locale) -> String {
    let default = if capitals { 'G' } else { 'g' };
    let kind = match spec.kind {
        None => default,
        Some('n') => 'g',
        Some('N') => 'G',
        Some(k) => k,
    };
    if let Some(text) = special(d) {
        let sign = sign_text(d.negative, spec.sign);
        let body = text.trim_start_matches('-');
        let body = if kind == '%' { format!("{body}%") } else { body.to_owned() };
        let own = Spec { fill: if spec.zero { ' ' } else { spec.fill }, zero: false, ..*spec };
        return pad(sign, &body, &own);
    }
    let mut value = d.clone();
    if kind == '%' {
        value.exp += 2;
    }
    if let Some(precision) = spec.precision {
        value = match kind {
            'e' | 'E' => to_digits(&value, precision + 1, round),
            'f' | 'F' | '%' => rescale(&value, -precision, round, &mut 0),
            _ if value.digits() > precision.max(1) => to_digits(&value, precision.max(1), round),
            _ => value,
        };
    }
    if value.coeff.is_zero() && value.exp > 0 && matches!(kind, 'f' | 'F' | '%') {
        value.exp = 0;
    }
    if spec.no_negative_zero && value.coeff.is_zero() {
        value.negative = false;
    }
    let digits = value.coeff.to_string();
    let left = value.exp + digits.len() as i64;
    let point = match kind {
        'e' | 'E' => match spec.precision {
            Some(p) if value.coeff.is_zero() => 1 - p,
            _ => 1,
        },
        'f' | 'F' | '%' => left,
        _ if value.exp <= 0 && left > -6 => left,
        _ => 1,
    };
    let (whole, mut fraction) = split(&digits, point);
    if matches!(kind, 'e' | 'E') && value.coeff.is_zero() {
        fraction = "0".repeat(spec.precision.unwrap_or(0) as usize);
    }
    let mut tail = String::new();
    if !fraction.is_empty() || spec.alternate {
        tail.push_str(&locale.point);
    }
    tail.push_str(&fraction);
    let mut exponent = left - point;
    if matches!(kind, 'e' | 'E') && value.coeff.is_zero() {
        // As libmpdec has it: the digits asked for count as shifted in.
        exponent = d.exp + spec.precision.unwrap_or(0);
    }
    if exponent != 0 || matches!(kind, 'e' | 'E') {
        let letter = if matches!(kind, 'E' | 'G') { 'E' } else { 'e' };
        tail.push_str(&format!("{letter}{exponent:+}"));
    }
    if kind == '%' {
        tail.push('%');
    }
    let sign = sign_text(value.negative, spec.sign);
    let least = if spec.zero { spec.width.saturating_sub(sign.len() + tail.chars().count()) } else { 0 };
    pad(sign, &format!("{}{tail}", group(&whole, least, locale)), spec)
}
fn sign_text(negative: bool, sign: char) -> &'static str {
    match (negative, sign) {
        (true, _) => "-",
        (_, '+') => "+",
        (_, ' ') => " ",
        _ => "",
    }
}
fn pad(sign: &str, body: &str, spec: &Spec) -> String {
    let missing = spec.width.saturating_sub(sign.chars().count() + body.chars().count());
    let fill = |n: usize| spec.fill.to_string().repeat(n);
    match spec.align.unwrap_or('>') {
        '<' => format!("{sign}{body}{}", fill(missing)),
        '=' => format!("{sign}{}{body}", fill(missing)),
        '^' => format!("{}{sign}{body}{}", fill(missing / 2), fill(missing - missing / 2)),
        _ => format!("{}{sign}{body}", fill(missing)),
    }
}
/// Rounded to a number of digits.
fn to_digits(d: &Dec, n: i64, round: Round) -> Dec {
    if d.coeff.is_zero() {
        return Dec::zero(d.negative, d.adjusted() + 1 - n);
    }
    let places = d.digits() - n;
    if places <= 0 {
        return rescale(d, d.exp + places, round, &mut 0);
    }
    let (mut coeff, rest) = shift_right(&d.coeff, places);
    if rest != Rest::Zero && rounds_up(round, rest, d.negative, &coeff) {
        coeff += 1u32;
    }
    let made = Dec::new(d.negative, coeff, d.exp + places);
    if made.digits() > n { Dec::new(made.negative, made.coeff / 10u32, made.exp + 1) } else { made }
}
