//! A multibyte encoding as steps of one character: the list of encodings, and those that are plain tables of two bytes.

use super::iso2022::{self, Iso2022};
use super::table::{self, Decoded, Table};
use super::{chinese, japanese, korean};

/// What a shift sequence has left behind; the bytes are what `getstate()` shows.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct State(pub [u8; 8]);

/// The outcome of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many units of the input are done.
    Took(usize),
    /// The input ends within a sequence.
    TooFew,
    /// So many units of the input stand for nothing.
    Bad(usize),
}

/// Text to encode: from the present character on, and whether no more follows later.
#[derive(Clone, Copy)]
pub struct Rest<'a> {
    pub text: &'a [u32],
    pub flush: bool,
}

pub struct Encoding {
    pub name: &'static str,
    pub form: Form,
}

/// A family of encodings that work alike.
pub enum Form {
    /// ASCII and two-byte codes of a table, xored with a mask.
    Double(fn() -> &'static Table, u16),
    Gb18030,
    Hz,
    ShiftJis,
    Cp932,
    EucJp,
    ShiftJis2004(fn() -> &'static Table),
    EucJis2004(fn() -> &'static Table),
    EucKr,
    Johab,
    Iso2022(&'static Iso2022),
}

macro_rules! encodings {
    ($list:ident: $($name:literal $form:expr,)*) => {
        pub static $list: &[Encoding] = &[$(Encoding { name: $name, form: $form }),*];
    };
}
encodings! { CN:
    "gb2312" Form::Double(|| &table::GB2312, 0x8080),
    "gbk" Form::Double(|| &table::GBK, 0),
    "gb18030" Form::Gb18030,
    "hz" Form::Hz,
}
encodings! { HK: "big5hkscs" Form::Double(|| &table::BIG5HKSCS, 0), }
encodings! { TW:
    "big5" Form::Double(|| &table::BIG5, 0),
    "cp950" Form::Double(|| &table::CP950, 0),
}
encodings! { KR:
    "euc_kr" Form::EucKr,
    "cp949" Form::Double(|| &table::CP949, 0),
    "johab" Form::Johab,
}
encodings! { JP:
    "shift_jis" Form::ShiftJis,
    "cp932" Form::Cp932,
    "euc_jp" Form::EucJp,
    "shift_jis_2004" Form::ShiftJis2004(|| &table::JISX0213),
    "euc_jis_2004" Form::EucJis2004(|| &table::JISX0213),
    "euc_jisx0213" Form::EucJis2004(|| &table::JISX0213_2000),
    "shift_jisx0213" Form::ShiftJis2004(|| &table::JISX0213_2000),
}
encodings! { ISO2022:
    "iso2022_kr" Form::Iso2022(&iso2022::KR),
    "iso2022_jp" Form::Iso2022(&iso2022::JP),
    "iso2022_jp_1" Form::Iso2022(&iso2022::JP_1),
    "iso2022_jp_2" Form::Iso2022(&iso2022::JP_2),
    "iso2022_jp_2004" Form::Iso2022(&iso2022::JP_2004),
    "iso2022_jp_3" Form::Iso2022(&iso2022::JP_3),
    "iso2022_jp_ext" Form::Iso2022(&iso2022::JP_EXT),
}

impl Encoding {
    /// The encoder's state at the start of a text.
    pub fn encode_start(&self) -> State {
        match self.form {
            Form::Iso2022(_) => iso2022::ENCODE_START,
            _ => State::default(),
        }
    }

    /// The decoder's.
    pub fn decode_start(&self) -> State {
        match self.form {
            Form::Iso2022(_) => iso2022::DECODE_START,
            _ => State::default(),
        }
    }

    /// Encodes a character, or a pair, at the start of the rest, which is not empty.
    pub fn encode(&self, state: &mut State, rest: Rest<'_>, out: &mut Vec<u8>) -> Step {
        let c = rest.text[0];
        match &self.form {
            Form::Double(table, mask) => encode_double(table(), *mask, rest, out),
            Form::Gb18030 => chinese::encode_gb18030(c, out),
            Form::Hz => chinese::encode_hz(state, c, out),
            Form::ShiftJis => japanese::encode_shift_jis(c, out),
            Form::Cp932 => japanese::encode_cp932(c, out),
            Form::EucJp => japanese::encode_euc_jp(c, out),
            Form::ShiftJis2004(table) => japanese::encode_shift_jis_2004(table(), rest, out),
            Form::EucJis2004(table) => japanese::encode_euc_jis_2004(table(), rest, out),
            Form::EucKr => korean::encode_euc_kr(c, out),
            Form::Johab => korean::encode_johab(c, out),
            Form::Iso2022(variant) => variant.encode(state, rest, out),
        }
    }

    /// Goes back to the initial state at the end of a text.
    pub fn encode_end(&self, state: &mut State, out: &mut Vec<u8>) {
        match self.form {
            Form::Hz => chinese::end_hz(state, out),
            Form::Iso2022(_) => iso2022::end(state, out),
            _ => {}
        }
    }

    /// Decodes the sequence at the start of `data`, which is not empty.
    pub fn decode(&self, state: &mut State, data: &[u8], out: &mut Vec<u32>) -> Step {
        match &self.form {
            Form::Double(table, mask) => decode_double(table(), *mask, data, out),
            Form::Gb18030 => chinese::decode_gb18030(data, out),
            Form::Hz => chinese::decode_hz(state, data, out),
            Form::ShiftJis => japanese::decode_shift_jis(data, out),
            Form::Cp932 => japanese::decode_cp932(data, out),
            Form::EucJp => japanese::decode_euc_jp(data, out),
            Form::ShiftJis2004(table) => japanese::decode_shift_jis_2004(table(), data, out),
            Form::EucJis2004(table) => japanese::decode_euc_jis_2004(table(), data, out),
            Form::EucKr => korean::decode_euc_kr(data, out),
            Form::Johab => korean::decode_johab(data, out),
            Form::Iso2022(variant) => variant.decode(state, data, out),
        }
    }

    /// Forgets shifts when a decoder is reset.
    pub fn decode_reset(&self, state: &mut State) {
        match self.form {
            Form::Hz => *state = State::default(),
            Form::Iso2022(_) => iso2022::decode_reset(state),
            _ => {}
        }
    }
}

/// Appends what a code stands for.
pub fn put(out: &mut Vec<u32>, decoded: Option<Decoded>, took: usize) -> Step {
    match decoded {
        Some(Decoded::One(c)) => out.push(c),
        Some(Decoded::Pair(a, b)) => out.extend([a, b]),
        None => return Step::Bad(1),
    }
    Step::Took(took)
}

/// The code of the rest's first character, or of its first two: the code and how many characters it is for.
pub fn lookup(table: &Table, rest: Rest<'_>) -> Result<(u16, usize), Step> {
    let c = rest.text[0];
    if table.leads_pair(c) {
        match rest.text.get(1) {
            None if !rest.flush => return Err(Step::TooFew),
            None => {}
            Some(&next) => {
                if let Some(code) = table.encode_pair(c, next) {
                    return Ok((code, 2));
                }
            }
        }
    }
    table.encode(c).map(|code| (code, 1)).ok_or(Step::Bad(1))
}

fn encode_double(table: &Table, mask: u16, rest: Rest<'_>, out: &mut Vec<u8>) -> Step {
    if let Some(step) = encode_ascii(rest.text[0], out) {
        return step;
    }
    match lookup(table, rest) {
        Ok((code, took)) => {
            out.extend((code ^ mask).to_be_bytes());
            Step::Took(took)
        }
        Err(step) => step,
    }
}

fn decode_double(table: &Table, mask: u16, data: &[u8], out: &mut Vec<u32>) -> Step {
    if let Some(step) = decode_ascii(data[0], out) {
        return step;
    }
    let Some(&trail) = data.get(1) else { return Step::TooFew };
    put(out, table.decode(u16::from_be_bytes([data[0], trail]) ^ mask), 2)
}

/// The step of an ASCII character, if it is one.
pub fn encode_ascii(c: u32, out: &mut Vec<u8>) -> Option<Step> {
    (c < 0x80).then(|| {
        out.push(c as u8);
        Step::Took(1)
    })
}

pub fn decode_ascii(byte: u8, out: &mut Vec<u32>) -> Option<Step> {
    (byte < 0x80).then(|| {
        out.push(byte.into());
        Step::Took(1)
    })
}
