//! `_json.Scanner`: reads one JSON value out of a string.

use krait_macros::{Payload, Trace};
use krait_object::native::{Sig, member};
use krait_object::{
    Args, ClassDef, Dict, GetSet, List, PyResult, Ref, SlotDefs, Str, StrData, Thread, Tuple, Type, TypeObject, VTable,
    Value, builtin_types,
};
use krait_runtime::errors::{stop_iteration, value_error};
use krait_runtime::protocol::{attr, call, compare, number};

use super::text::{Fault, Unit, scan_number};
use super::{decode_error, expect_str, string_at};

#[derive(Trace, Payload)]
#[payload(class = SCANNER)]
pub struct Scanner {
    strict: bool,
    object_hook: Value,
    object_pairs_hook: Value,
    parse_float: Value,
    parse_int: Value,
    parse_constant: Value,
}

static LAYOUT: VTable = VTable::of::<Scanner>();
pub static SCANNER: TypeObject = TypeObject::builtin("Scanner", Some(&builtin_types::OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_json",
    doc: "Reads JSON values out of a string.",
    getset: GETSET,
    slots: SlotDefs { new: Some(new), call: Some(call_scanner), ..SlotDefs::EMPTY },
    ..ClassDef::new(&SCANNER)
};
static GETSET: &[GetSet] = &[
    member("strict", "strict", |_, v| Ok(Value::bool(this(v).strict))),
    member("object_hook", "object_hook", |_, v| Ok(this(v).object_hook.clone())),
    member("object_pairs_hook", "", |_, v| Ok(this(v).object_pairs_hook.clone())),
    member("parse_float", "parse_float", |_, v| Ok(this(v).parse_float.clone())),
    member("parse_int", "parse_int", |_, v| Ok(this(v).parse_int.clone())),
    member("parse_constant", "parse_constant", |_, v| Ok(this(v).parse_constant.clone())),
];

fn this(v: &Value) -> &Scanner {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(context)");
    let bound = SIG.bind(th, "make_scanner", "make_scanner", args, 0)?;
    let a = bound.args();
    let strict = attr::get_text(th, &a[0], "strict")?;
    let scanner = Scanner {
        strict: compare::truth(th, &strict)?,
        object_hook: attr::get_text(th, &a[0], "object_hook")?,
        object_pairs_hook: attr::get_text(th, &a[0], "object_pairs_hook")?,
        parse_float: attr::get_text(th, &a[0], "parse_float")?,
        parse_int: attr::get_text(th, &a[0], "parse_int")?,
        parse_constant: attr::get_text(th, &a[0], "parse_constant")?,
    };
    Ok(Ref::with_class(scanner, class.object()).into())
}

fn call_scanner(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(string, idx)");
    let bound = SIG.bind(th, "scan_once", "scan_once", args, 0)?;
    let a = bound.args();
    let idx = number::index_isize(th, &a[1])?;
    let whole = expect_str(th, &a[0])?;
    let Ok(idx) = usize::try_from(idx) else { return Err(value_error(th, "idx cannot be negative")) };
    let (value, end) = match whole.data() {
        StrData::Ascii(text) | StrData::Latin1(text) => scan(th, this(v), &whole, text, idx),
        StrData::Ucs2(text) => scan(th, this(v), &whole, text, idx),
        StrData::Ucs4(text) => scan(th, this(v), &whole, text, idx),
    }?;
    Ok(Tuple::from_vec(vec![value, end.into()]).into())
}

fn scan<C: Unit>(
    th: &mut Thread,
    scanner: &Scanner,
    whole: &Ref<Str>,
    text: &[C],
    idx: usize,
) -> PyResult<(Value, usize)> {
    Scan { scanner, whole, text, keys: Dict::new() }.value(th, idx)
}

/// One call of a scanner.
struct Scan<'a, C> {
    scanner: &'a Scanner,
    whole: &'a Ref<Str>,
    text: &'a [C],
    /// Keys seen so far: equal ones become one object.
    keys: Ref<Dict>,
}

impl<C: Unit> Scan<'_, C> {
    fn at(&self, i: usize) -> Option<u8> {
        self.text.get(i).and_then(|&c| u8::try_from(c.into()).ok())
    }

    fn skip_blanks(&self, mut i: usize) -> usize {
        while matches!(self.at(i), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            i += 1;
        }
        i
    }

    fn fault<T>(&self, th: &mut Thread, message: &'static str, place: usize) -> PyResult<T> {
        Err(decode_error(th, Fault(message, place), self.whole))
    }

    fn is_word(&self, i: usize, word: &str) -> bool {
        word.bytes().zip(i..).all(|(c, i)| self.at(i) == Some(c))
    }

    /// The value that begins at `i`, and the place behind it.
    fn value(&self, th: &mut Thread, i: usize) -> PyResult<(Value, usize)> {
        match self.at(i) {
            None if i >= self.text.len() => return Err(stop_iteration(th, Some(i.into()))),
            Some(b'"') => {
                let (string, end) = string_at(th, self.whole, self.text, i + 1, self.scanner.strict)?;
                return Ok((string.into(), end));
            }
            Some(b'{') => {
                th.check_native(" while decoding a JSON object from a unicode string")?;
                return self.object(th, i + 1);
            }
            Some(b'[') => {
                th.check_native(" while decoding a JSON array from a unicode string")?;
                return self.array(th, i + 1);
            }
            Some(b'n') if self.is_word(i, "null") => return Ok((Value::NONE, i + 4)),
            Some(b't') if self.is_word(i, "true") => return Ok((Value::TRUE, i + 4)),
            Some(b'f') if self.is_word(i, "false") => return Ok((Value::FALSE, i + 5)),
            _ => {}
        }
        for constant in ["NaN", "Infinity", "-Infinity"] {
            if self.is_word(i, constant) {
                let value = call::call(th, &self.scanner.parse_constant, &[Value::str(constant)])?;
                return Ok((value, i + constant.len()));
            }
        }
        self.number(th, i)
    }

    fn number(&self, th: &mut Thread, start: usize) -> PyResult<(Value, usize)> {
        let Some((end, float)) = scan_number(self.text, start) else {
            return Err(stop_iteration(th, Some(start.into())));
        };
        // All of it is ASCII.
        let digits: String = self.text[start..end].iter().map(|&c| char::from(c.into() as u8)).collect();
        let (hook, standard) = match float {
            true => (&self.scanner.parse_float, &builtin_types::FLOAT),
            false => (&self.scanner.parse_int, &builtin_types::INT),
        };
        let value = if hook.bits() != standard.to_value().bits() {
            call::call(th, hook, &[Value::str(&digits)])?
        } else if float {
            // Rust reads floats exactly, as CPython does.
            Value::float(digits.parse().unwrap_or(f64::NAN))
        } else {
            match digits.parse::<i64>() {
                Ok(i) => Value::from(i),
                Err(_) => number::int(th, &Value::str(&digits))?,
            }
        };
        Ok((value, end))
    }

    fn array(&self, th: &mut Thread, start: usize) -> PyResult<(Value, usize)> {
        let mut items = Vec::new();
        let mut i = self.skip_blanks(start);
        if self.at(i) == Some(b']') {
            return Ok((List::new(items).into(), i + 1));
        }
        loop {
            let (item, end) = self.value(th, i)?;
            items.push(item);
            i = self.skip_blanks(end);
            match self.at(i) {
                Some(b']') => return Ok((List::new(items).into(), i + 1)),
                Some(b',') => {}
                _ => return self.fault(th, "Expecting ',' delimiter", i),
            }
            let comma = i;
            i = self.skip_blanks(i + 1);
            if self.at(i) == Some(b']') {
                return self.fault(th, "Illegal trailing comma before end of array", comma);
            }
        }
    }

    fn object(&self, th: &mut Thread, start: usize) -> PyResult<(Value, usize)> {
        let with_pairs = !self.scanner.object_pairs_hook.is_none();
        let (dict, mut pairs) = (Dict::new(), Vec::new());
        let mut i = self.skip_blanks(start);
        while self.at(i) != Some(b'}') {
            let (key, value, end) = self.member(th, i)?;
            if with_pairs {
                pairs.push(Tuple::from_vec(vec![key, value]).into());
            } else {
                dict.set(th, key, value)?;
            }
            i = self.skip_blanks(end);
            match self.at(i) {
                Some(b'}') => break,
                Some(b',') => {}
                _ => return self.fault(th, "Expecting ',' delimiter", i),
            }
            let comma = i;
            i = self.skip_blanks(i + 1);
            if self.at(i) == Some(b'}') {
                return self.fault(th, "Illegal trailing comma before end of object", comma);
            }
        }
        let value = if with_pairs {
            call::call(th, &self.scanner.object_pairs_hook, &[List::new(pairs).into()])?
        } else if !self.scanner.object_hook.is_none() {
            call::call(th, &self.scanner.object_hook, &[dict.into()])?
        } else {
            dict.into()
        };
        Ok((value, i + 1))
    }

    /// Key and value at `i`, and the place behind them.
    fn member(&self, th: &mut Thread, i: usize) -> PyResult<(Value, Value, usize)> {
        if self.at(i) != Some(b'"') {
            return self.fault(th, "Expecting property name enclosed in double quotes", i);
        }
        let (key, end) = string_at(th, self.whole, self.text, i + 1, self.scanner.strict)?;
        let key = key.into_value();
        let key = self.keys.set_default(th, &key, &key)?;
        let colon = self.skip_blanks(end);
        if self.at(colon) != Some(b':') {
            return self.fault(th, "Expecting ':' delimiter", colon);
        }
        let (value, end) = self.value(th, self.skip_blanks(colon + 1))?;
        Ok((key, value, end))
    }
}
