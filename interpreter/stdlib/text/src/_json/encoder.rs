//! `_json.Encoder`: writes a value as JSON.

use krait_macros::{Payload, Trace};
use krait_object::native::{Sig, member};
use krait_object::str::Kind;
use krait_object::{
    Args, ClassDef, Dict, GetSet, List, PyResult, Ref, SlotDefs, Str, StrBuilder, Thread, Tuple, Type, TypeObject,
    VTable, Value, builtin_types,
};
use krait_runtime::errors::{memory_error, system_error, type_error, value_error};
use krait_runtime::protocol::{attr, call, compare, iter, number, repr};

use super::Escapers;
use super::text::push_string;

#[derive(Trace, Payload)]
#[payload(class = ENCODER)]
pub struct Encoder {
    markers: Value,
    default: Value,
    encoder: Value,
    indent: Value,
    key_separator: Ref<Str>,
    item_separator: Ref<Str>,
    sort_keys: bool,
    skipkeys: bool,
    allow_nan: bool,
    /// Set if `encoder` is one of this module's functions: whether it escapes what is not ASCII.
    escaper: Option<bool>,
}

static LAYOUT: VTable = VTable::of::<Encoder>();
pub static ENCODER: TypeObject = TypeObject::builtin("Encoder", Some(&builtin_types::OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_json",
    doc: "Writes values as JSON.",
    getset: GETSET,
    slots: SlotDefs { new: Some(new), call: Some(call_encoder), ..SlotDefs::EMPTY },
    ..ClassDef::new(&ENCODER)
};
static GETSET: &[GetSet] = &[
    member("markers", "markers", |_, v| Ok(this(v).markers.clone())),
    member("default", "default", |_, v| Ok(this(v).default.clone())),
    member("encoder", "encoder", |_, v| Ok(this(v).encoder.clone())),
    member("indent", "indent", |_, v| Ok(this(v).indent.clone())),
    member("key_separator", "key_separator", |_, v| Ok(this(v).key_separator.to_value())),
    member("item_separator", "item_separator", |_, v| Ok(this(v).item_separator.to_value())),
    member("sort_keys", "sort_keys", |_, v| Ok(Value::bool(this(v).sort_keys))),
    member("skipkeys", "skipkeys", |_, v| Ok(Value::bool(this(v).skipkeys))),
];

fn this(v: &Value) -> &Encoder {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig =
        Sig::new("(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)");
    let bound = SIG.bind(th, "make_encoder", "make_encoder", args, 0)?;
    let a = bound.args();
    if !a[0].is_none() && a[0].downcast_ref::<Dict>().is_none() {
        let name = a[0].class().name();
        return Err(type_error(th, format!("make_encoder() argument 1 must be dict or None, not {name:.200}")));
    }
    let encoder = Encoder {
        markers: a[0].clone(),
        default: a[1].clone(),
        encoder: a[2].clone(),
        indent: a[3].clone(),
        key_separator: separator(th, &a[4], 5)?,
        item_separator: separator(th, &a[5], 6)?,
        sort_keys: compare::truth(th, &a[6])?,
        skipkeys: compare::truth(th, &a[7])?,
        allow_nan: compare::truth(th, &a[8])?,
        escaper: Escapers::find(th, &a[2]),
    };
    Ok(Ref::with_class(encoder, class.object()).into())
}

fn separator(th: &mut Thread, v: &Value, place: usize) -> PyResult<Ref<Str>> {
    match v.to_ref::<Str>() {
        Some(s) => Ok(s),
        None => {
            let name = v.class().name();
            Err(type_error(th, format!("make_encoder() argument {place} must be str, not {name:.200}")))
        }
    }
}

fn call_encoder(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(obj, _current_indent_level)");
    let bound = SIG.bind(th, "_iterencode", "_iterencode", args, 0)?;
    let a = bound.args();
    let level = number::index_isize(th, &a[1])?.max(0) as usize;
    let mut out = StrBuilder::new();
    this(v).value(th, &a[0], level, &mut out)?;
    Ok(Tuple::from_vec(vec![out.finish().into()]).into())
}

/// The key of `markers` that stands for an object.
fn marker(v: &Value) -> Value {
    Value::from(num_bigint::BigInt::from(v.id()))
}

impl Encoder {
    /// Begins the line of an item at this level, where lines are wanted.
    fn line(&self, level: usize, out: &mut StrBuilder) {
        if let Some(indent) = self.indent.downcast_ref::<Str>() {
            out.push_text("\n");
            (0..level).for_each(|_| out.push_str(indent));
        }
    }

    fn value(&self, th: &mut Thread, v: &Value, level: usize, out: &mut StrBuilder) -> PyResult<()> {
        match v {
            _ if v.is_none() => out.push_text("null"),
            _ if v.is_true() => out.push_text("true"),
            _ if v.is_false() => out.push_text("false"),
            _ => {
                if let Some(s) = v.to_ref::<Str>() {
                    return self.string(th, &s, out);
                }
                if v.as_int_ref().is_some() {
                    return int_text(th, v, out);
                }
                if v.to_f64().is_some() {
                    return self.float(th, v, out);
                }
                th.check_native(" while encoding a JSON object")?;
                if v.downcast_ref::<List>().is_some() || v.downcast_ref::<Tuple>().is_some() {
                    return self.sequence(th, v, level, out);
                }
                if let Some(dict) = v.to_ref::<Dict>() {
                    return self.mapping(th, &dict, level, out);
                }
                self.mark(th, v)?;
                let replaced = call::call(th, &self.default, std::slice::from_ref(v))?;
                self.value(th, &replaced, level, out)?;
                self.unmark(th, v)?;
            }
        }
        Ok(())
    }

    fn string(&self, th: &mut Thread, s: &Ref<Str>, out: &mut StrBuilder) -> PyResult<()> {
        if let Some(ascii) = self.escaper {
            if out.try_reserve(s.len() + 2, Kind::Ascii).is_err() {
                return Err(memory_error(th));
            }
            push_string(s, ascii, out);
            return Ok(());
        }
        let encoded = call::call(th, &self.encoder, &[s.to_value()])?;
        match encoded.downcast_ref::<Str>() {
            Some(encoded) => {
                out.push_str(encoded);
                Ok(())
            }
            None => {
                let name = encoded.class().name();
                Err(type_error(th, format!("encoder() must return a string, not {name:.80}")))
            }
        }
    }

    fn float(&self, th: &mut Thread, v: &Value, out: &mut StrBuilder) -> PyResult<()> {
        let number = v.to_f64().unwrap_or_default();
        if number.is_finite() {
            return slot_repr(th, &builtin_types::FLOAT, v, out);
        }
        if !self.allow_nan {
            let shown = repr::repr(th, v)?;
            return Err(value_error(th, format!("Out of range float values are not JSON compliant: {}", *shown)));
        }
        out.push_text(match number {
            n if n.is_nan() => "NaN",
            n if n > 0.0 => "Infinity",
            _ => "-Infinity",
        });
        Ok(())
    }

    /// Notes that the object is being written, to find circles.
    fn mark(&self, th: &mut Thread, v: &Value) -> PyResult<()> {
        let Some(markers) = self.markers.downcast_ref::<Dict>() else { return Ok(()) };
        let key = marker(v);
        if markers.contains(th, &key)? {
            return Err(value_error(th, "Circular reference detected"));
        }
        markers.set(th, key, v.clone())
    }

    fn unmark(&self, th: &mut Thread, v: &Value) -> PyResult<()> {
        let Some(markers) = self.markers.downcast_ref::<Dict>() else { return Ok(()) };
        let key = marker(v);
        match markers.remove(th, &key)? {
            Some(_) => Ok(()),
            None => Err(krait_runtime::errors::key_error(th, &key)),
        }
    }

    fn sequence(&self, th: &mut Thread, v: &Value, level: usize, out: &mut StrBuilder) -> PyResult<()> {
        // A list may change while its items are written.
        let item = |i: usize| match v.downcast_ref::<List>() {
            Some(list) => list.get(i),
            None => v.downcast_ref::<Tuple>().and_then(|tuple| tuple.get(i).cloned()),
        };
        let Some(first) = item(0) else {
            out.push_text("[]");
            return Ok(());
        };
        self.mark(th, v)?;
        out.push_text("[");
        let (mut next, mut i) = (Some(first), 0);
        while let Some(value) = next {
            if i > 0 {
                out.push_str(&self.item_separator);
            }
            self.line(level + 1, out);
            self.value(th, &value, level + 1, out)?;
            i += 1;
            next = item(i);
        }
        self.unmark(th, v)?;
        self.line(level, out);
        out.push_text("]");
        Ok(())
    }

    fn mapping(&self, th: &mut Thread, dict: &Ref<Dict>, level: usize, out: &mut StrBuilder) -> PyResult<()> {
        if dict.is_empty() {
            out.push_text("{}");
            return Ok(());
        }
        let v = dict.as_value();
        self.mark(th, v)?;
        out.push_text("{");
        let mut first = true;
        if self.sort_keys || !v.is_exact(&builtin_types::DICT) {
            for item in self.items(th, dict)? {
                let (Some(pair), 2) =
                    (item.downcast_ref::<Tuple>(), item.downcast_ref::<Tuple>().map_or(0, |p| p.len()))
                else {
                    return Err(value_error(th, "items must return 2-tuples"));
                };
                self.member(th, (&pair[0], &pair[1]), level + 1, &mut first, out)?;
            }
        } else {
            let mut place = 0;
            while let Some((next, key, value)) = dict.next_entry(place) {
                self.member(th, (&key, &value), level + 1, &mut first, out)?;
                place = next;
            }
        }
        self.unmark(th, v)?;
        if !first {
            self.line(level, out);
        }
        out.push_text("}");
        Ok(())
    }

    /// The pairs of a dict that is to be sorted or has an `items` method of its own.
    fn items(&self, th: &mut Thread, dict: &Ref<Dict>) -> PyResult<Vec<Value>> {
        let items = if dict.as_value().is_exact(&builtin_types::DICT) {
            dict.items().into_iter().map(|(key, value)| Tuple::from_vec(vec![key, value]).into()).collect()
        } else {
            let view = attr::call_method(th, dict.as_value(), "items", &[])?;
            iter::collect(th, &view)?
        };
        let list = List::new(items);
        if self.sort_keys {
            attr::call_method(th, list.as_value(), "sort", &[])?;
        }
        Ok(list.to_vec())
    }

    fn member(
        &self,
        th: &mut Thread,
        (key, value): (&Value, &Value),
        level: usize,
        first: &mut bool,
        out: &mut StrBuilder,
    ) -> PyResult<()> {
        let mut text = StrBuilder::new();
        let name = if let Some(name) = key.to_ref::<Str>() {
            name
        } else if key.to_f64().is_some() {
            self.float(th, key, &mut text)?;
            text.finish()
        } else if key.is_none() || key.as_bool().is_some() {
            self.value(th, key, level, &mut text)?;
            text.finish()
        } else if key.as_int_ref().is_some() {
            int_text(th, key, &mut text)?;
            text.finish()
        } else if self.skipkeys {
            return Ok(());
        } else {
            let name = key.class().name();
            let message = format!("keys must be str, int, float, bool or None, not {name:.100}");
            return Err(type_error(th, message));
        };
        if !std::mem::take(first) {
            out.push_str(&self.item_separator);
        }
        self.line(level, out);
        self.string(th, &name, out)?;
        out.push_str(&self.key_separator);
        self.value(th, value, level, out)
    }
}

/// `int.__repr__`, whatever a subclass says.
fn int_text(th: &mut Thread, v: &Value, out: &mut StrBuilder) -> PyResult<()> {
    match v.as_int() {
        Some(i) => {
            out.push_text(&i.to_string());
            Ok(())
        }
        None => slot_repr(th, &builtin_types::INT, v, out),
    }
}

fn slot_repr(th: &mut Thread, class: &TypeObject, v: &Value, out: &mut StrBuilder) -> PyResult<()> {
    let Some(slot) = class.slots.repr.get() else { return Err(system_error(th, "a number type without repr")) };
    let shown = slot(th, v)?;
    if let Some(shown) = shown.downcast_ref::<Str>() {
        out.push_str(shown);
    }
    Ok(())
}
