//! `TreeBuilder`: a tree out of start tags, text and end tags.
use krait_macros::{Payload, Trace};
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, Dict, Locked, Method, PyResult, Ref, SlotDefs, Str, StrBuilder, Thread, Tuple, TypeObject, VTable,
    Value, ValueCell, builtin_types::OBJECT, type_flag,
};
use krait_runtime::errors::index_error;
use krait_runtime::protocol::{attr, call, compare};

use super::element::{self, Element};
use super::{Factories, parse_error};
use crate::arguments::Parameters;

/// Kinds of events that are reported to a queue.
#[derive(Clone, Copy)]
pub enum Report {
    Start,
    End,
    StartNs,
    EndNs,
    Comment,
    Pi,
}

#[derive(Trace, Payload)]
#[payload(class = BUILDER)]
pub struct Builder {
    root: ValueCell,
    /// The open element; none outside.
    current: ValueCell,
    /// What text belongs to: the last element, or the tail of the one closed last.
    last: ValueCell,
    tail_of: ValueCell,
    stack: Locked<Vec<Value>>,
    data: Locked<Vec<Value>>,
    element_factory: ValueCell,
    comment_factory: ValueCell,
    pi_factory: ValueCell,
    #[trace(skip)]
    insert: Locked<(bool, bool)>,
    /// A bound `append`.
    pub events: ValueCell,
    /// Names of the events to be reported, by kind.
    pub reports: Locked<[Option<Value>; 6]>,
}
static LAYOUT: VTable = VTable::of::<Builder>();
pub static BUILDER: TypeObject = TypeObject::builtin("TreeBuilder", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "xml.etree.ElementTree",
    sig: "(element_factory=None, *, comment_factory=None, pi_factory=None, insert_comments=False, insert_pis=False)",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(|th, class, _| {
            let made = Builder::new(th);
            Ok(Ref::with_class(made, class.object()).into())
        }),
        init: Some(init),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&BUILDER)
};
static METHODS: &[Method] = &[
    method("data", "(data, /)", "", |th, a| {
        let _ = th;
        a.this::<Builder>().data(a[1].clone());
        Ok(Value::NONE)
    }),
    method("start", "(tag, attrs, /)", "", |th, a| {
        let Some(d) = a[2].to_ref::<Dict>() else {
            let class = crate::arguments::class_name(&a[2]);
            return Err(krait_runtime::errors::type_error(th, format!("start() argument 2 must be dict, not {class}")));
        };
        a.this::<Builder>().start(th, a[1].clone(), Some(d))
    }),
    method("end", "(tag, /)", "", |th, a| a.this::<Builder>().end(th)),
    method("comment", "(text, /)", "", |th, a| a.this::<Builder>().comment(th, a[1].clone())),
    method("pi", "(target, text=None, /)", "", |th, a| {
        let text = a.opt(2).cloned().unwrap_or(Value::NONE);
        a.this::<Builder>().pi(th, a[1].clone(), text)
    }),
    method("close", "()", "", |th, a| {
        let b = a.this::<Builder>();
        b.flush(th)?;
        Ok(b.root())
    }),
];

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static PARAMETERS: Parameters<5> = Parameters {
        function: "TreeBuilder()",
        names: ["element_factory", "comment_factory", "pi_factory", "insert_comments", "insert_pis"],
        required: 0,
        positional: 1,
    };
    let [element, comment, pi, comments, pis] = PARAMETERS.bind(th, args)?;
    let b = v.downcast_ref::<Builder>().expect("the slot belongs to TreeBuilder");
    let given = |v: Option<&Value>| v.filter(|v| !v.is_none()).cloned();
    b.element_factory.set(given(element));
    if let Some(f) = given(comment) {
        b.comment_factory.set(Some(f));
    }
    if let Some(f) = given(pi) {
        b.pi_factory.set(Some(f));
    }
    let mut flags = [false; 2];
    for (flag, v) in flags.iter_mut().zip([comments, pis]) {
        if let Some(v) = v {
            *flag = compare::truth(th, v)?;
        }
    }
    *b.insert.lock() = (flags[0], flags[1]);
    Ok(())
}

impl Builder {
    pub fn new(th: &mut Thread) -> Builder {
        let factories = th.interp.extension::<Factories>();
        Builder {
            root: ValueCell::empty(),
            current: ValueCell::empty(),
            last: ValueCell::empty(),
            tail_of: ValueCell::empty(),
            stack: Locked::new(Vec::new()),
            data: Locked::new(Vec::new()),
            element_factory: ValueCell::empty(),
            comment_factory: ValueCell::new(factories.comment.get()),
            pi_factory: ValueCell::new(factories.pi.get()),
            insert: Locked::new((false, false)),
            events: ValueCell::empty(),
            reports: Locked::new([const { None }; 6]),
        }
    }
    pub fn root(&self) -> Value {
        self.root.get().into()
    }
    pub fn data(&self, text: Value) {
        // Text before the first element belongs nowhere.
        if self.last.is_set() {
            self.data.lock().push(text);
        }
    }
    fn flush(&self, th: &mut Thread) -> PyResult<()> {
        let parts = std::mem::take(&mut *self.data.lock());
        if parts.is_empty() {
            return Ok(());
        }
        let (owner, tail) = match self.tail_of.get() {
            Some(e) => (Some(e), true),
            None => (self.last.get(), false),
        };
        let Some(owner) = owner else { return Ok(()) };
        if let Some(e) = owner.downcast_exact::<Element>() {
            let cell = if tail { &e.tail } else { &e.text };
            let text = joined(th, cell.get(), &parts)?;
            cell.set(Some(text));
            return Ok(());
        }
        let name = if tail { "tail" } else { "text" };
        let old = attr::get_text(th, &owner, name)?;
        let text = joined(th, Some(old), &parts)?;
        attr::set_text(th, &owner, name, &text)
    }
    fn add(&self, th: &mut Thread, parent: &Value, child: &Value) -> PyResult<()> {
        if let Some(e) = parent.downcast_exact::<Element>() {
            element::check_element(th, child)?;
            e.children.lock().push(child.clone());
            return Ok(());
        }
        attr::call_method(th, parent, "append", std::slice::from_ref(child)).map(drop)
    }
    pub fn report(&self, th: &mut Thread, kind: Report, what: &Value) -> PyResult<()> {
        let name = self.reports.lock()[kind as usize].clone();
        let (Some(name), Some(append)) = (name, self.events.get()) else { return Ok(()) };
        let event = Tuple::of([name, what.clone()]);
        call::call(th, &append, &[event.into()]).map(drop)
    }
    pub fn start(&self, th: &mut Thread, tag: Value, attrib: Option<Ref<Dict>>) -> PyResult<Value> {
        self.flush(th)?;
        let made = match self.element_factory.get() {
            None => element::create(tag, attrib),
            Some(f) => {
                let attrib = attrib.unwrap_or_else(Dict::new);
                call::call(th, &f, &[tag, attrib.into()])?
            }
        };
        self.tail_of.set(None);
        let parent = self.current.get();
        match &parent {
            Some(parent) => self.add(th, parent, &made)?,
            None if self.root.is_set() => return Err(parse_error(th, "multiple elements on top level", 0, 0, 0)),
            None => self.root.set(Some(made.clone())),
        }
        self.stack.lock().push(parent.into());
        self.current.set(Some(made.clone()));
        self.last.set(Some(made.clone()));
        self.report(th, Report::Start, &made)?;
        Ok(made)
    }
    pub fn end(&self, th: &mut Thread) -> PyResult<Value> {
        self.flush(th)?;
        let Some(parent) = self.stack.lock().pop() else { return Err(index_error(th, "pop from empty stack")) };
        let closed = self.current.replace(Some(parent).filter(|p| !p.is_none())).unwrap_or(Value::NONE);
        self.last.set(Some(closed.clone()));
        self.tail_of.set(Some(closed.clone()));
        self.report(th, Report::End, &closed)?;
        Ok(closed)
    }
    fn single(&self, th: &mut Thread, made: &Value, insert: bool) -> PyResult<()> {
        if insert && let Some(parent) = self.current.get() {
            self.add(th, &parent, made)?;
            self.tail_of.set(Some(made.clone()));
        }
        Ok(())
    }
    pub fn comment(&self, th: &mut Thread, text: Value) -> PyResult<Value> {
        let (insert, _) = *self.insert.lock();
        let made = match self.comment_factory.get() {
            Some(f) => {
                if insert {
                    self.flush(th)?;
                }
                let made = call::call(th, &f, &[text])?;
                self.single(th, &made, insert)?;
                made
            }
            None => text,
        };
        self.report(th, Report::Comment, &made)?;
        Ok(made)
    }
    pub fn pi(&self, th: &mut Thread, target: Value, text: Value) -> PyResult<Value> {
        let (_, insert) = *self.insert.lock();
        let made = match self.pi_factory.get() {
            Some(f) => {
                if insert {
                    self.flush(th)?;
                }
                let made = call::call(th, &f, &[target, text])?;
                self.single(th, &made, insert)?;
                made
            }
            None => Tuple::of([target, text]).into(),
        };
        self.report(th, Report::Pi, &made)?;
        Ok(made)
    }
}
/// Pieces of text, behind what is there already.
fn joined(th: &mut Thread, old: Option<Value>, parts: &[Value]) -> PyResult<Value> {
    let old = old.filter(|v| !v.is_none());
    if let (None, [only]) = (&old, parts) {
        return Ok(only.clone());
    }
    let all: Vec<Value> = old.into_iter().chain(parts.iter().cloned()).collect();
    if all.iter().all(|v| v.downcast_ref::<Str>().is_some()) {
        let mut out = StrBuilder::new();
        for s in all.iter().filter_map(|v| v.downcast_ref::<Str>()) {
            out.push_str(s);
        }
        return Ok(out.finish().into());
    }
    let empty: Value = "".into();
    attr::call_method(th, &empty, "join", &[krait_object::List::new(all).into()])
}
