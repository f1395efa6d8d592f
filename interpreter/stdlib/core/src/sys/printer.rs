//! `stderrprinter`: what `sys.stderr` is until the standard streams are open. CPython counterpart: `PyStdPrinter` in
//! `Objects/fileobject.c`.
use krait_object::builtin_types::OBJECT;
use krait_object::native::{getter, method};
use krait_object::{ClassDef, GetSet, Method, Ref, SlotDefs, Str, Thread, TypeObject, VTable, Value};
use krait_runtime::errors::type_error;
use krait_runtime::types::type_::ready::ready_class;

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = PRINTER)]
struct Printer {
    #[trace(skip)]
    fd: i32,
}
static LAYOUT: VTable = VTable::of::<Printer>();
static PRINTER: TypeObject = TypeObject::builtin("stderrprinter", Some(&OBJECT), &LAYOUT);
static DEF: ClassDef = ClassDef {
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        repr: Some(|_, v| Ok(Value::from(format!("<stdprinter(fd={}) object at {:#x}>", fd(v), v.id())))),
        ..SlotDefs::EMPTY
    },
    ..ClassDef::new(&PRINTER)
};
static METHODS: &[Method] = &[
    method("write", "(text, /)", "Write the text, or what can be written of it.", |th, a| {
        let Some(text) = a[1].downcast_ref::<Str>() else {
            let class = a[1].class().name();
            return Err(type_error(th, format!("write() argument 1 must be str, not {class}")));
        };
        let text = text.to_string_lossy();
        let _ = krait_platform::fd::write(fd(&a[0]), text.as_bytes());
        Ok(Value::from(text.chars().count()))
    }),
    method("fileno", "()", "The descriptor.", |_, a| Ok(Value::from(fd(&a[0])))),
    method("isatty", "()", "Whether it is a terminal.", |_, a| Ok(Value::bool(krait_platform::fd::isatty(fd(&a[0]))))),
    method("flush", "()", "Nothing is kept back.", |_, _| Ok(Value::NONE)),
    method("close", "()", "It is not closed.", |_, _| Ok(Value::NONE)),
];
static GETSET: &[GetSet] = &[
    getter("closed", "True if the file is closed", |_, _| Ok(Value::FALSE)),
    getter("encoding", "Encoding of the file", |_, _| Ok(Value::NONE)),
    getter("mode", "String giving the file mode", |_, _| Ok(Value::str("w"))),
];

fn fd(v: &Value) -> i32 {
    v.downcast_ref::<Printer>().map_or(2, |p| p.fd)
}
/// A printer on a descriptor.
pub fn new(th: &mut Thread, fd: i32) -> Value {
    ready_class(th, &DEF);
    Ref::new(Printer { fd }).into()
}
