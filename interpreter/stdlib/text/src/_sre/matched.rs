//! `re.Match`.

use krait_macros::{Payload, Trace};
use krait_object::native::{class_method, getter, member, method};
use krait_object::{
    Args, ClassDef, Dict, GetSet, Method, PyResult, Ref, SlotDefs, StrBuilder, Thread, Tuple, TypeObject, VTable,
    Value, ValueCell, type_flag,
};
use krait_runtime::errors::{index_error, type_error};
use krait_runtime::protocol::{number, repr};
use krait_runtime::types::generic_alias::class_getitem;

use super::engine::Scratch;
use super::pattern::{Pattern, wrong_span};
use super::subject::Subject;
use super::template::compile_template;

#[derive(Trace, Payload)]
#[payload(class = MATCH)]
pub struct Match {
    pattern: Ref<Pattern>,
    string: Value,
    /// Bounds of the match and of its groups.
    #[trace(skip)]
    spans: Box<[Option<(usize, usize)>]>,
    lastindex: Option<usize>,
    pos: usize,
    endpos: usize,
    regs: ValueCell,
}

static LAYOUT: VTable = VTable::of::<Match>();
pub static MATCH: TypeObject = TypeObject::builtin("Match", Some(&krait_object::builtin_types::OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "re",
    doc: "What match() and search() found. A match object is always true.",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs { repr: Some(match_repr), subscript: Some(get_item), ..SlotDefs::EMPTY },
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&MATCH)
};

static METHODS: &[Method] = &[
    method(
        "group",
        "",
        "group([group1, ...]) -> str or tuple.\n\nThe text of the groups, by number or name; 0 is the whole match.",
        group,
    ),
    method("start", "(group=0, /)", "Where the group begins, or -1.", start),
    method("end", "(group=0, /)", "Where the group ends, or -1.", end),
    method("span", "(group=0, /)", "Where the group begins and ends.", span),
    method("groups", "(default=None)", "The text of all groups as a tuple.", groups),
    method("groupdict", "(default=None)", "The text of all named groups by name.", groupdict),
    method("expand", "(template)", "Fill the groups into a replacement template, as sub() does.", expand),
    method("__copy__", "()", "Return the match itself.", itself),
    method("__deepcopy__", "(memo, /)", "Return the match itself.", itself),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];
static GETSET: &[GetSet] = &[
    getter("lastindex", "The integer index of the last matched capturing group.", |_, v| {
        Ok(this(v).lastindex.map_or(Value::NONE, Value::from))
    }),
    getter("lastgroup", "The name of the last matched capturing group.", lastgroup),
    getter("regs", "", regs),
    member("string", "The string passed to match() or search().", |_, v| Ok(this(v).string.clone())),
    member("re", "The regular expression object.", |_, v| Ok(this(v).pattern.to_value())),
    member("pos", "Where in the string the search began.", |_, v| Ok(this(v).pos.into())),
    member("endpos", "Where in the string the search had to end.", |_, v| Ok(this(v).endpos.into())),
];

pub fn this(v: &Value) -> &Match {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn itself(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(a[0].clone())
}

impl Match {
    /// The match that `scratch` holds.
    pub fn from_scratch(
        th: &mut Thread,
        pattern: &Ref<Pattern>,
        string: &Value,
        (pos, endpos): (usize, usize),
        scratch: &Scratch,
    ) -> PyResult<Value> {
        let mut spans = Vec::with_capacity(pattern.groups + 1);
        spans.push(Some((scratch.start, scratch.end)));
        spans.extend((1..=pattern.groups).map(|n| scratch.group(n)));
        if spans.iter().flatten().any(|(start, end)| start > end) {
            return Err(wrong_span(th));
        }
        let found = Match {
            pattern: pattern.clone(),
            string: string.clone(),
            spans: spans.into(),
            lastindex: usize::try_from(scratch.lastindex).ok(),
            pos,
            endpos,
            regs: ValueCell::empty(),
        };
        Ok(Ref::new(found).into())
    }

    /// Groups, the whole match included.
    pub fn count(&self) -> usize {
        self.spans.len()
    }

    /// The text of group `n`, which exists; `None` if it did not take part.
    pub fn text(&self, th: &mut Thread, n: usize) -> PyResult<Option<Value>> {
        let Some((start, end)) = self.spans[n] else { return Ok(None) };
        if self.string.is_none() {
            return Ok(None);
        }
        let subject = Subject::new(th, &self.string)?;
        Ok(Some(subject.slice(&self.string, start, end)))
    }

    /// The number of a group given by number or name.
    fn index(&self, th: &mut Thread, group: &Value) -> PyResult<usize> {
        let number = if group.class().slots.index.is_set() || group.as_int_ref().is_some() {
            number::index(th, group)?.as_int()
        } else if let Some(names) = &self.pattern.groupindex {
            names.get(th, group)?.and_then(|n| n.as_int_ref().and_then(|n| n.to_i64()))
        } else {
            None
        };
        match number.and_then(|n| usize::try_from(n).ok()).filter(|&n| n < self.count()) {
            Some(n) => Ok(n),
            None => Err(index_error(th, "no such group")),
        }
    }

    fn text_of(&self, th: &mut Thread, group: &Value, default: &Value) -> PyResult<Value> {
        let n = self.index(th, group)?;
        Ok(self.text(th, n)?.unwrap_or_else(|| default.clone()))
    }

    /// The bounds as Python shows them, -1 for a group that did not take part.
    fn bounds(&self, n: usize) -> (Value, Value) {
        match self.spans[n] {
            Some((start, end)) => (start.into(), end.into()),
            None => (Value::int(-1), Value::int(-1)),
        }
    }

    fn pair(&self, n: usize) -> Value {
        let (start, end) = self.bounds(n);
        Tuple::from_vec(vec![start, end]).into()
    }

    fn bounds_of(&self, th: &mut Thread, group: Option<&Value>) -> PyResult<usize> {
        group.map_or(Ok(0), |group| self.index(th, group))
    }
}

fn group(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a.has_kw() {
        return Err(type_error(th, "Match.group() takes no keyword arguments"));
    }
    let (me, wanted) = (a.this::<Match>(), &a.pos()[1..]);
    match wanted {
        [] => Ok(me.text(th, 0)?.unwrap_or(Value::NONE)),
        [one] => me.text_of(th, one, &Value::NONE),
        many => {
            let texts: PyResult<Vec<Value>> = many.iter().map(|group| me.text_of(th, group, &Value::NONE)).collect();
            Ok(Tuple::from_vec(texts?).into())
        }
    }
}

fn get_item(th: &mut Thread, v: &Value, group: &Value) -> PyResult<Value> {
    this(v).text_of(th, group, &Value::NONE)
}

fn start(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let me = a.this::<Match>();
    let n = me.bounds_of(th, a.opt(1))?;
    Ok(me.bounds(n).0)
}

fn end(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let me = a.this::<Match>();
    let n = me.bounds_of(th, a.opt(1))?;
    Ok(me.bounds(n).1)
}

fn span(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let me = a.this::<Match>();
    let n = me.bounds_of(th, a.opt(1))?;
    Ok(me.pair(n))
}

fn groups(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let me = a.this::<Match>();
    let default = a.opt(1).cloned().unwrap_or(Value::NONE);
    let texts: PyResult<Vec<Value>> =
        (1..me.count()).map(|n| Ok(me.text(th, n)?.unwrap_or_else(|| default.clone()))).collect();
    Ok(Tuple::from_vec(texts?).into())
}

fn groupdict(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let me = a.this::<Match>();
    let default = a.opt(1).cloned().unwrap_or(Value::NONE);
    let result = Dict::new();
    if let Some(names) = &me.pattern.groupindex {
        for name in names.keys() {
            let text = me.text_of(th, &name, &default)?;
            result.set(th, name, text)?;
        }
    }
    Ok(result.into())
}

fn expand(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let me = a.this::<Match>();
    let template = compile_template(th, &me.pattern, &a[1])?;
    template.expand(th, me)
}

fn lastgroup(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let me = this(v);
    let name = match (&me.pattern.indexgroup, me.lastindex) {
        (Some(names), Some(n)) => names.get(n).cloned(),
        _ => None,
    };
    Ok(name.unwrap_or(Value::NONE))
}

fn regs(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let me = this(v);
    Ok(me.regs.get().unwrap_or_else(|| {
        let all: Vec<Value> = (0..me.count()).map(|n| me.pair(n)).collect();
        me.regs.get_or_set(Tuple::from_vec(all).into())
    }))
}

fn match_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let me = this(v);
    let text = me.text(th, 0)?.unwrap_or(Value::NONE);
    let text = repr::repr(th, &text)?;
    let (start, end) = me.spans[0].unwrap_or_default();
    let mut out = StrBuilder::new();
    out.push_text(&format!("<re.Match object; span=({start}, {end}), match="));
    out.push_str(&text.slice(0, 50));
    out.push_text(">");
    Ok(out.finish().into())
}
