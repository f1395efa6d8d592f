//! `Element`: tag, attributes, text, tail. Its children as a sequence are in `children`, searching in `find`.
use krait_macros::{Payload, Trace};
use krait_object::native::{getset, method};
use krait_object::{
    Args, ClassDef, Dict, GetSet, Locked, Method, PyResult, Ref, SlotDefs, StrBuilder, Thread, TypeObject, VTable,
    Value, ValueCell, builtin_types::OBJECT, type_flag,
};
use krait_runtime::errors::{attribute_error, runtime_error, type_error};
use krait_runtime::exceptions::DEPRECATION_WARNING;
use krait_runtime::protocol::{attr, repr};
use krait_runtime::warnings::warn;

use super::{children, copy, dict_or_new, find, iterator};
use crate::arguments::class_name;

#[derive(Trace, Payload)]
#[payload(class = ELEMENT)]
pub struct Element {
    pub tag: ValueCell,
    /// A dict, or nothing yet.
    pub attrib: ValueCell,
    pub text: ValueCell,
    pub tail: ValueCell,
    pub children: Locked<Vec<Value>>,
}
static LAYOUT: VTable = VTable::of::<Element>();
pub static ELEMENT: TypeObject = TypeObject::builtin("Element", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "xml.etree.ElementTree",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| Ok(Ref::with_class(Element::new(Value::NONE), class.object()).into())),
        init: Some(init),
        repr: Some(show),
        bool: Some(|th, v| {
            let message = "Testing an element's truth value will always return True in future versions.  Use specific \
                           'len(elem)' or 'elem is not None' test instead.";
            warn(th, &DEPRECATION_WARNING, message, 1)?;
            Ok(!Element::of(v).children.lock().is_empty())
        }),
        sq_len: Some(children::len),
        sq_item: Some(children::item),
        sq_set_item: Some(children::set_item),
        mp_len: Some(children::len),
        subscript: Some(children::subscript),
        set_subscript: Some(children::set_subscript),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::WEAKREF | type_flag::HAVE_GC,
    ..ClassDef::new(&ELEMENT)
};

static METHODS: &[Method] = &[
    method("clear", "()", "", |_, a| {
        let e = a.this::<Element>();
        let old = std::mem::take(&mut *e.children.lock());
        drop(old);
        for cell in [&e.attrib, &e.text, &e.tail] {
            cell.set(None);
        }
        Ok(Value::NONE)
    }),
    method("get", "(key, default=None)", "", |th, a| {
        let attrib = a.this::<Element>().attrib.get();
        let found = match attrib.and_then(|d| d.to_ref::<Dict>()) {
            Some(d) => d.get(th, &a[1])?,
            None => None,
        };
        Ok(found.unwrap_or_else(|| a.opt(2).cloned().unwrap_or(Value::NONE)))
    }),
    method("find", "(path, namespaces=None)", "", find::find),
    method("findtext", "(path, default=None, namespaces=None)", "", find::findtext),
    method("findall", "(path, namespaces=None)", "", find::findall),
    method("iterfind", "(path, namespaces=None)", "", find::iterfind),
    method("append", "(subelement, /)", "", |th, a| {
        expect_element(th, &a[1], "append() argument 1")?;
        a.this::<Element>().children.lock().push(a[1].clone());
        Ok(Value::NONE)
    }),
    method("extend", "(elements, /)", "", |th, a| {
        for item in children::elements(th, &a[1])? {
            check_element(th, &item)?;
            a.this::<Element>().children.lock().push(item);
        }
        Ok(Value::NONE)
    }),
    method("insert", "(index, subelement, /)", "", |th, a| {
        let index = krait_runtime::protocol::number::index_isize(th, &a[1])?;
        expect_element(th, &a[2], "insert() argument 2")?;
        let mut all = a.this::<Element>().children.lock();
        let len = all.len() as isize;
        let at = if index < 0 { (index + len).max(0) } else { index.min(len) };
        all.insert(at as usize, a[2].clone());
        Ok(Value::NONE)
    }),
    method("remove", "(subelement, /)", "", children::remove),
    method("iter", "(tag=None)", "", |th, a| {
        let tag = a.opt(1).cloned().unwrap_or(Value::NONE);
        let any = tag.downcast_ref::<krait_object::Str>().is_some_and(|s| s.eq_str("*"));
        let _ = th;
        Ok(iterator::create(&a[0], if any { Value::NONE } else { tag }, false))
    }),
    method("itertext", "()", "", |_, a| Ok(iterator::create(&a[0], Value::NONE, true))),
    method("items", "()", "", |th, a| {
        let d = a.this::<Element>().dict();
        attr::call_method(th, d.as_value(), "items", &[])
    }),
    method("keys", "()", "", |th, a| {
        let d = a.this::<Element>().dict();
        attr::call_method(th, d.as_value(), "keys", &[])
    }),
    method("set", "(key, value, /)", "", |th, a| {
        a.this::<Element>().dict().set(th, a[1].clone(), a[2].clone())?;
        Ok(Value::NONE)
    }),
    method("makeelement", "(tag, attrib, /)", "", |th, a| {
        let Some(d) = a[2].downcast_ref::<Dict>() else {
            let class = class_name(&a[2]);
            return Err(type_error(th, format!("makeelement() argument 2 must be dict, not {class}")));
        };
        Ok(create(a[1].clone(), Some(d.copy())))
    }),
    method("__copy__", "()", "", copy::shallow),
    method("__deepcopy__", "(memo, /)", "", copy::deep),
    method("__getstate__", "()", "", copy::getstate),
    method("__setstate__", "(state, /)", "", copy::setstate),
    method("__sizeof__", "()", "", |_, a| {
        let e = a.this::<Element>();
        let extra = if e.attrib.is_set() { 64 } else { 0 };
        Ok((size_of::<Element>() + 16 + extra + e.children.lock().capacity() * 8).into())
    }),
];
macro_rules! plain {
    ($name:literal $field:ident) => {
        getset(
            $name,
            "A string",
            |_, v| Ok(Element::of(v).$field.get().into()),
            |th, v, new| {
                let new = given(th, new)?;
                let old = Element::of(v).$field.replace(Some(new));
                drop(old);
                Ok(())
            },
        )
    };
}
static GETSET: &[GetSet] = &[
    plain!("tag" tag),
    plain!("text" text),
    plain!("tail" tail),
    getset(
        "attrib",
        "A dictionary containing the element's attributes",
        |_, v| Ok(Element::of(v).dict().into()),
        |th, v, new| {
            let new = given(th, new)?;
            if new.downcast_ref::<Dict>().is_none() {
                let class = class_name(&new);
                return Err(type_error(th, format!("attrib must be dict, not {class}")));
            }
            Element::of(v).attrib.set(Some(new));
            Ok(())
        },
    ),
];
fn given(th: &mut Thread, new: Option<&Value>) -> PyResult<Value> {
    new.cloned().ok_or_else(|| attribute_error(th, "can't delete element attribute"))
}

impl Element {
    pub fn new(tag: Value) -> Element {
        Element {
            tag: ValueCell::new(Some(tag)),
            attrib: ValueCell::empty(),
            text: ValueCell::empty(),
            tail: ValueCell::empty(),
            children: Locked::new(Vec::new()),
        }
    }
    pub fn of(v: &Value) -> &Element {
        v.downcast_ref().expect("the slot belongs to Element")
    }
    /// The attributes, made now if need be.
    pub fn dict(&self) -> Ref<Dict> {
        if !self.attrib.is_set() {
            self.attrib.set(Some(Dict::new().into()));
        }
        dict_or_new(self.attrib.get())
    }
    pub fn child(&self, i: usize) -> Option<Value> {
        self.children.lock().get(i).cloned()
    }
}
/// A new exact element.
pub fn create(tag: Value, attrib: Option<Ref<Dict>>) -> Value {
    let e = Element::new(tag);
    if let Some(d) = attrib.filter(|d| !d.is_empty()) {
        e.attrib.set(Some(d.into()));
    }
    Ref::new(e).into()
}
pub fn check_element(th: &mut Thread, v: &Value) -> PyResult<()> {
    if v.downcast_ref::<Element>().is_some() {
        return Ok(());
    }
    let class = class_name(v);
    Err(type_error(th, format!("expected an Element, not \"{class}\"")))
}
fn expect_element(th: &mut Thread, v: &Value, what: &str) -> PyResult<()> {
    if v.downcast_ref::<Element>().is_some() {
        return Ok(());
    }
    let class = class_name(v);
    Err(type_error(th, format!("{what} must be xml.etree.ElementTree.Element, not {class}")))
}
/// Attributes of a positional dict and of keywords, in a dict of their own.
pub fn attributes(
    th: &mut Thread,
    function: &str,
    place: usize,
    attrib: Option<&Value>,
    a: &Args<'_>,
) -> PyResult<Option<Ref<Dict>>> {
    let named = a.kw_get("attrib");
    let Some(v) = attrib.or(named) else {
        if !a.has_kw() {
            return Ok(None);
        }
        let d = Dict::new();
        for (k, v) in a.kw() {
            d.set(th, k.clone(), v.clone())?;
        }
        return Ok(Some(d));
    };
    let Some(d) = v.downcast_ref::<Dict>() else {
        let class = class_name(v);
        let message = match attrib {
            Some(_) => format!("{function}() argument {place} must be dict, not {class}"),
            None => format!("attrib must be dict, not {class}"),
        };
        return Err(type_error(th, message));
    };
    let d = d.copy();
    for (k, v) in a.kw() {
        let own = attrib.is_none() && k.downcast_ref::<krait_object::Str>().is_some_and(|k| k.eq_str("attrib"));
        if !own {
            d.set(th, k.clone(), v.clone())?;
        }
    }
    Ok(Some(d))
}
fn init(th: &mut Thread, v: &Value, a: &Args<'_>) -> PyResult<()> {
    let (tag, attrib) = match a.pos() {
        [tag] => (tag, None),
        [tag, attrib] => (tag, Some(attrib)),
        more => {
            let (bound, n) = (if more.is_empty() { "at least 1 argument" } else { "at most 2 arguments" }, more.len());
            return Err(type_error(th, format!("Element() takes {bound} ({n} given)")));
        }
    };
    let attrib = attributes(th, "Element", 2, attrib, a)?;
    let e = Element::of(v);
    e.tag.set(Some(tag.clone()));
    e.attrib.set(attrib.map(Value::from));
    e.text.set(None);
    e.tail.set(None);
    Ok(())
}
fn show(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let tag = Element::of(v).tag.get().unwrap_or(Value::NONE);
    if !repr::enter_repr(th, v) {
        let class = class_name(v);
        return Err(runtime_error(th, format!("reentrant call inside {class}.__repr__")));
    }
    let shown = repr::repr(th, &tag);
    repr::leave_repr(th, v);
    let mut out = StrBuilder::new();
    out.push_text("<Element ");
    out.push_str(&*shown?);
    out.push_text(&format!(" at {:#x}>", v.id()));
    Ok(out.finish().into())
}
