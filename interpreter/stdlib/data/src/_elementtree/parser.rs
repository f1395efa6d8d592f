//! `XMLParser`: events of `expat` to a target.
use krait_macros::{Payload, Trace};
use krait_object::native::{member, method};
use krait_object::{
    Args, Bytes, ClassDef, Dict, GetSet, Locked, Method, PyResult, Ref, SlotDefs, Str, Thread, Tuple, TypeObject,
    VTable, Value, ValueCell, builtin_types::OBJECT, type_flag,
};
use krait_runtime::errors::{overflow_error, type_error, value_error};
use krait_runtime::exceptions::RUNTIME_WARNING;
use krait_runtime::protocol::{attr, buffer, call, sequence};
use krait_runtime::warnings::warn;

use super::builder::{BUILDER, Builder, Report};
use super::parse_error;
use crate::arguments::{Parameters, text};
use crate::expat::{Code, Engine, Event, Step, code};

/// Methods of the target, in the order of [`NAMES`].
#[derive(Clone, Copy)]
enum Target {
    Start,
    End,
    StartNs,
    EndNs,
    Data,
    Comment,
    Pi,
    Doctype,
    Close,
}
const NAMES: [&str; 9] = ["start", "end", "start_ns", "end_ns", "data", "comment", "pi", "doctype", "close"];

#[derive(Trace, Payload)]
#[payload(class = PARSER)]
pub struct Parser {
    #[trace(skip)]
    engine: Locked<Option<Engine>>,
    target: ValueCell,
    entity: ValueCell,
    methods: Locked<[Option<Value>; 9]>,
    /// Names of expat to names with braces.
    names: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Parser>();
pub static PARSER: TypeObject = TypeObject::builtin("XMLParser", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "xml.etree.ElementTree",
    sig: "(*, target=None, encoding=None)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| {
            let made = Parser {
                engine: Locked::new(None),
                target: ValueCell::empty(),
                entity: ValueCell::empty(),
                methods: Locked::new([const { None }; 9]),
                names: ValueCell::empty(),
            };
            Ok(Ref::with_class(made, class.object()).into())
        }),
        init: Some(init),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&PARSER)
};
static GETSET: &[GetSet] = &[
    member("entity", "", |_, v| Ok(this(v).entity.get().into())),
    member("target", "", |_, v| Ok(this(v).target.get().into())),
    krait_object::native::getter("version", "", |_, _| Ok("Expat 2.6.3".into())),
];
fn this(v: &Value) -> &Parser {
    v.downcast_ref().expect("the slot belongs to XMLParser")
}
static METHODS: &[Method] = &[
    method("feed", "(data, /)", "", |th, a| {
        ready(th, &a[0])?;
        feed_value(th, &a[0], &a[1], false)?;
        Ok(Value::NONE)
    }),
    method("flush", "()", "", |th, a| {
        ready(th, &a[0])?;
        let old = with_engine(&a[0], |e| std::mem::replace(&mut e.deferral, false));
        let done = feed(th, &a[0], &[], false);
        with_engine(&a[0], |e| e.deferral = old.unwrap_or(true));
        done?;
        Ok(Value::NONE)
    }),
    method("close", "()", "", |th, a| {
        ready(th, &a[0])?;
        feed(th, &a[0], &[], true)?;
        if let Some(b) = this(&a[0]).builder() {
            return attr::call_method(th, b.as_value(), "close", &[]);
        }
        match this(&a[0]).method(Target::Close) {
            Some(f) => call::call(th, &f, &[]),
            None => Ok(Value::NONE),
        }
    }),
    method("_parse_whole", "(file, /)", "", parse_whole),
    method("_setevents", "(events_queue, events_to_report=None, /)", "", set_events),
];
fn ready(th: &mut Thread, v: &Value) -> PyResult<()> {
    if this(v).target.is_set() {
        return Ok(());
    }
    Err(value_error(th, "XMLParser.__init__() wasn't called"))
}
fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static PARAMETERS: Parameters<2> =
        Parameters { function: "XMLParser()", names: ["target", "encoding"], required: 0, positional: 0 };
    let [target, encoding] = PARAMETERS.bind(th, args)?;
    let encoding = match encoding.filter(|e| !e.is_none()) {
        Some(e) => Some(text(th, e, "XMLParser()", 2)?.to_string_lossy().into_owned()),
        None => None,
    };
    let p = this(v);
    let target = match target.filter(|t| !t.is_none()) {
        Some(t) => t.clone(),
        None => Ref::new(Builder::new(th)).into(),
    };
    let mut methods = [const { None }; 9];
    for (slot, name) in methods.iter_mut().zip(NAMES) {
        *slot = attr::get_text_opt(th, &target, name)?;
    }
    *p.methods.lock() = methods;
    p.entity.set(Some(Dict::new().into()));
    p.names.set(Some(Dict::new().into()));
    *p.engine.lock() = Some(Engine::new(encoding, Some(Some('}'))));
    p.target.set(Some(target));
    Ok(())
}
fn with_engine<R>(v: &Value, f: impl FnOnce(&mut Engine) -> R) -> Option<R> {
    this(v).engine.lock().as_mut().map(f)
}
impl Parser {
    fn method(&self, which: Target) -> Option<Value> {
        self.methods.lock()[which as usize].clone()
    }
    /// The target where it is a tree builder and nothing else: it is filled without calls.
    fn builder(&self) -> Option<Ref<Builder>> {
        self.target.get().filter(|t| t.is_exact(&BUILDER))?.downcast().ok()
    }
    /// A name as `{uri}local`.
    fn universal(&self, th: &mut Thread, name: &str) -> PyResult<Value> {
        let key = Value::str(name);
        let names = self.names.get().and_then(|v| v.downcast::<Dict>().ok());
        let Some(names) = names else { return Ok(key) };
        if let Some(found) = names.get(th, &key)? {
            return Ok(found);
        }
        let made = if name.contains('}') { Value::from(format!("{{{name}")) } else { key.clone() };
        names.set(th, key, made.clone())?;
        Ok(made)
    }
}

/// Raises the ParseError of a code where the parser is.
fn fail(th: &mut Thread, v: &Value, code: Code, message: Option<String>) -> krait_object::Raised {
    let place = with_engine(v, |e| {
        let p = e.position();
        (p.line, p.column)
    });
    let (line, column) = place.unwrap_or((0, 0));
    let message = message.unwrap_or_else(|| crate::pyexpat::error_text(code).to_owned());
    parse_error(th, &message, code, line, column)
}
fn feed_value(th: &mut Thread, v: &Value, data: &Value, last: bool) -> PyResult<()> {
    if let Some(s) = data.downcast_ref::<Str>() {
        let Some(text) = s.to_utf8() else {
            let text = s.slice(0, s.len());
            return Err(krait_runtime::errors::surrogates_not_allowed(th, &text));
        };
        with_engine(v, Engine::force_utf8);
        return feed(th, v, text.as_bytes(), last);
    }
    let bytes = buffer::bytes_like(th, data)?;
    feed(th, v, &bytes, last)
}
fn feed(th: &mut Thread, v: &Value, data: &[u8], last: bool) -> PyResult<()> {
    if data.len() > i32::MAX as usize {
        return Err(overflow_error(th, "size does not fit in an int"));
    }
    if let Some(Err(code)) = with_engine(v, |e| e.feed(data, last)) {
        return Err(fail(th, v, code, None));
    }
    loop {
        let step = with_engine(v, Engine::next);
        match step {
            None | Some(Ok(Step::More | Step::Done)) => return Ok(()),
            Some(Err(code)) => return Err(fail(th, v, code, None)),
            Some(Ok(Step::Event(event))) => {
                if let Err(raised) = dispatch(th, v, event) {
                    with_engine(v, |e| e.fail(code::ABORTED));
                    return Err(raised);
                }
            }
        }
    }
}
fn parse_whole(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    ready(th, &a[0])?;
    let read = attr::get_text(th, &a[1], "read")?;
    loop {
        let piece = call::call(th, &read, &[(64 * 1024).into()])?;
        if let Some(s) = piece.downcast_ref::<Str>() {
            if s.is_empty() {
                break;
            }
            with_engine(&a[0], Engine::force_utf8);
            let bytes = s.to_wtf8();
            feed(th, &a[0], &bytes, false)?;
        } else if let Some(b) = piece.downcast_exact::<Bytes>() {
            if b.is_empty() {
                break;
            }
            feed(th, &a[0], b, false)?;
        } else {
            break;
        }
    }
    feed(th, &a[0], &[], true)?;
    match this(&a[0]).builder() {
        Some(b) => attr::call_method(th, b.as_value(), "close", &[]),
        None => Ok(Value::NONE),
    }
}
fn set_events(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    ready(th, &a[0])?;
    let Some(b) = this(&a[0]).builder() else {
        return Err(type_error(th, "event handling only supported for ElementTree.TreeBuilder targets"));
    };
    let append = attr::get_text(th, &a[1], "append")?;
    b.events.set(Some(append));
    let mut reports = [const { None }; 6];
    match a.opt_not_none(2) {
        None => reports[Report::End as usize] = Some("end".into()),
        Some(wanted) => {
            for name in sequence::to_items(th, wanted, "events must be a sequence")? {
                let Some(s) = name.downcast_ref::<Str>() else {
                    return Err(value_error(th, "invalid events sequence"));
                };
                let kind = match &*s.to_string_lossy() {
                    "start" => Report::Start,
                    "end" => Report::End,
                    "start-ns" => Report::StartNs,
                    "end-ns" => Report::EndNs,
                    "comment" => Report::Comment,
                    "pi" => Report::Pi,
                    other => return Err(value_error(th, format!("unknown event '{other}'"))),
                };
                reports[kind as usize] = Some(name.clone());
            }
        }
    }
    *b.reports.lock() = reports;
    Ok(Value::NONE)
}

/// An entity that the document does not define: the parser's user may have.
fn entity(th: &mut Thread, v: &Value, name: &str) -> PyResult<()> {
    let table = this(v).entity.get().and_then(|e| e.downcast::<Dict>().ok());
    let found = match table {
        Some(d) => d.get(th, &Value::str(name))?,
        None => None,
    };
    match found {
        Some(text) => data(th, v, text),
        None => Err(fail(th, v, code::UNDEFINED_ENTITY, Some(format!("undefined entity &{name};")))),
    }
}
fn data(th: &mut Thread, v: &Value, text: Value) -> PyResult<()> {
    if let Some(b) = this(v).builder() {
        b.data(text);
        return Ok(());
    }
    match this(v).method(Target::Data) {
        Some(f) => call::call(th, &f, &[text]).map(drop),
        None => Ok(()),
    }
}
fn dispatch(th: &mut Thread, v: &Value, event: Event) -> PyResult<()> {
    let p = this(v);
    let builder = p.builder();
    let (which, args): (Target, Vec<Value>) = match event {
        Event::StartElement { name, attributes, .. } => {
            let tag = p.universal(th, &name)?;
            let attrib = if attributes.is_empty() { None } else { Some(Dict::new()) };
            if let Some(d) = &attrib {
                for (key, value) in attributes {
                    let key = p.universal(th, &key)?;
                    d.set(th, key, value.into())?;
                }
            }
            if let Some(b) = builder {
                return b.start(th, tag, attrib).map(drop);
            }
            (Target::Start, vec![tag, attrib.unwrap_or_else(Dict::new).into()])
        }
        Event::EndElement(name) => {
            if let Some(b) = builder {
                return b.end(th).map(drop);
            }
            (Target::End, vec![p.universal(th, &name)?])
        }
        Event::Text(text) => return data(th, v, text.into()),
        Event::Comment(text) => {
            if let Some(b) = builder {
                return b.comment(th, text.into()).map(drop);
            }
            (Target::Comment, vec![text.into()])
        }
        Event::Pi { target, data } => {
            if let Some(b) = builder {
                return b.pi(th, target.into(), data.into()).map(drop);
            }
            (Target::Pi, vec![target.into(), data.into()])
        }
        Event::StartNamespace { prefix, uri } => {
            let args = [prefix.unwrap_or_default().into(), uri.unwrap_or_default().into()];
            if let Some(b) = builder {
                return b.report(th, Report::StartNs, &Tuple::new(args).into());
            }
            (Target::StartNs, args.to_vec())
        }
        Event::EndNamespace(prefix) => {
            if let Some(b) = builder {
                return b.report(th, Report::EndNs, &Value::NONE);
            }
            (Target::EndNs, vec![prefix.unwrap_or_default().into()])
        }
        Event::StartDoctype { name, system, public, .. } => {
            return doctype(th, v, &[name.into(), public.into(), system.into()]);
        }
        Event::SkippedEntity { name, parameter: false } => return entity(th, v, &name),
        Event::ExternalEntityRef { context: Some(context), .. } => {
            let name = context.rsplit('\u{c}').next().unwrap_or_default().to_owned();
            return entity(th, v, &name);
        }
        Event::UnknownEncoding(name) => {
            let table = crate::pyexpat::encoding_table(th, &name)?;
            // An encoding that nobody knows is an error of the document.
            with_engine(v, |e| e.set_table(table).is_ok());
            return Ok(());
        }
        _ => return Ok(()),
    };
    match p.method(which) {
        Some(f) => call::call(th, &f, &args).map(drop),
        None => Ok(()),
    }
}
fn doctype(th: &mut Thread, v: &Value, args: &[Value]) -> PyResult<()> {
    if let Some(f) = this(v).method(Target::Doctype) {
        return call::call(th, &f, args).map(drop);
    }
    if attr::get_text_opt(th, v, "doctype")?.is_some() {
        let message =
            "The doctype() method of XMLParser is ignored.  Define doctype() method on the TreeBuilder target.";
        warn(th, &RUNTIME_WARNING, message, 1)?;
    }
    Ok(())
}
