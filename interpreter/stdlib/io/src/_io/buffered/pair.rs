//! `BufferedRWPair`: a reader and a writer side by side.
use krait_macros::{Payload, Trace};
use krait_object::native::{Sig, getter, method};
use krait_object::{
    Args, ClassDef, Method, PyResult, Raised, Ref, SlotDefs, Thread, TypeObject, VTable, Value, ValueCell,
};
use krait_runtime::errors::{self, attribute_error, runtime_error};
use krait_runtime::protocol::{attr, call, number};

use super::super::DEFAULT_BUFFER_SIZE;
use super::super::arguments::{self, chain};
use super::super::base::{BUFFERED_IO_BASE, FLAGS, IoBase};
use super::{BUFFERED_READER, BUFFERED_WRITER};

#[repr(C)]
#[derive(Trace, Payload)]
#[payload(class = BUFFERED_RW_PAIR, extends = IoBase)]
pub struct Pair {
    base: IoBase,
    reader: ValueCell,
    writer: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Pair>();
pub static BUFFERED_RW_PAIR: TypeObject = TypeObject::builtin("BufferedRWPair", Some(&BUFFERED_IO_BASE), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_io",
    doc: "A buffered reader and writer object together.",
    sig: "(reader, writer, buffer_size=DEFAULT_BUFFER_SIZE, /)",
    methods: METHODS,
    getset: &[getter("closed", "", |th, v| {
        let pair: &Pair = v.downcast_ref().expect("the descriptor checked the class of self");
        match pair.writer.get() {
            Some(writer) => attr::get_text(th, &writer, "closed"),
            None => Err(runtime_error(th, "the BufferedRWPair object is being garbage-collected")),
        }
    })],
    slots: SlotDefs {
        new: Some(|_, class, _| {
            let pair = Pair { base: IoBase::new(), reader: ValueCell::empty(), writer: ValueCell::empty() };
            Ok(Ref::with_class(pair, class.object()).into())
        }),
        init: Some(init),
        ..SlotDefs::EMPTY
    },
    flags: FLAGS,
    ..ClassDef::new(&BUFFERED_RW_PAIR)
};
macro_rules! forwards {
    ($($side:ident $name:literal;)*) => { &[
        $(method($name, "", "", |th, a| forward(th, &a.this::<Pair>().$side, $name, &a.pos()[1..])),)*
        method("flush", "()", "", |th, a| forward(th, &a.this::<Pair>().writer, "flush", &[])),
        method("readable", "()", "", |th, a| forward(th, &a.this::<Pair>().reader, "readable", &[])),
        method("writable", "()", "", |th, a| forward(th, &a.this::<Pair>().writer, "writable", &[])),
        method("close", "()", "", |th, a| {
            let pair = a.this_ref::<Pair>();
            let closed = forward(th, &pair.writer, "close", &[]);
            chain(th, closed, |th| forward(th, &pair.reader, "close", &[]))
        }),
        method("isatty", "()", "", |th, a| {
            let pair = a.this_ref::<Pair>();
            let answer = forward(th, &pair.writer, "isatty", &[])?;
            if answer.is_false() { forward(th, &pair.reader, "isatty", &[]) } else { Ok(answer) }
        }),
    ] };
}
static METHODS: &[Method] = forwards! {
    reader "read";
    reader "peek";
    reader "read1";
    reader "readinto";
    reader "readinto1";
    writer "write";
};

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(reader, writer, buffer_size=DEFAULT_BUFFER_SIZE, /)");
    let bound = SIG.bind(th, "BufferedRWPair", "BufferedRWPair", args, 0)?;
    let a = bound.args();
    let size = a.opt(2).map_or(Ok(DEFAULT_BUFFER_SIZE as isize), |n| number::to_isize(th, n))?;
    arguments::check_readable(th, &a[0])?;
    arguments::check_writable(th, &a[1])?;
    let pair: &Pair = v.downcast_ref().expect("the slot belongs to the class");
    let size = Value::from(size as i64);
    let reader = call::call(th, &BUFFERED_READER.to_value(), &[a[0].clone(), size.clone()])?;
    let writer = call::call(th, &BUFFERED_WRITER.to_value(), &[a[1].clone(), size])?;
    pair.reader.set(Some(reader));
    pair.writer.set(Some(writer));
    Ok(())
}
fn missing(th: &mut Thread, name: &str, raised: Raised) -> Raised {
    drop(errors::take(th, raised));
    attribute_error(th, name)
}
fn forward(th: &mut Thread, side: &ValueCell, name: &str, args: &[Value]) -> PyResult<Value> {
    let Some(stream) = side.get() else { return Err(arguments::uninitialized(th)) };
    let f = match attr::get_text(th, &stream, name) {
        Ok(f) => f,
        Err(raised) => return Err(missing(th, name, raised)),
    };
    call::call(th, &f, args)
}
