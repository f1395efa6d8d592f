//! Traceback objects: one per frame that an exception passed through. How they are printed is `exceptions/display`.
//! CPython: `Python/traceback.c`.
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::native::{Sig, getset, getter, member, method};
use krait_object::{
    Args, ClassDef, List, PyResult, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value, ValueCell,
    builtin_types::OBJECT,
};

use crate::errors::{type_error, value_error};
use crate::protocol::number;
use crate::types::frame::{FRAME, Frame};

#[derive(Trace, Payload)]
#[payload(class = TRACEBACK)]
pub struct Traceback {
    /// The traceback one call further in; empty at the place of the raise.
    pub next: ValueCell,
    pub frame: Value,
    /// The instruction's place in the code, as `f_lasti`.
    #[trace(skip)]
    pub lasti: AtomicI64,
    /// -1 = found through `lasti` when asked for.
    #[trace(skip)]
    pub lineno: AtomicI64,
}
static LAYOUT: VTable = VTable::of::<Traceback>();
pub static TRACEBACK: TypeObject = TypeObject::builtin("traceback", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "A frame that an exception passed through.",
    sig: "(tb_next, tb_frame, tb_lasti, tb_lineno)",
    methods: &[method("__dir__", "()", "The names of the attributes.", dir)],
    getset: &[
        getset("tb_next", "", get_next, set_next),
        member("tb_frame", "", |th, v| {
            crate::audit::audit_read(th, v, "tb_frame")?;
            Ok(payload(v).frame.clone())
        }),
        member("tb_lasti", "", |_, v| Ok(payload(v).lasti.load(Relaxed).into())),
        getter("tb_lineno", "", get_lineno),
    ],
    slots: SlotDefs { new: Some(new), ..SlotDefs::EMPTY },
    ..ClassDef::new(&TRACEBACK)
};

fn payload(v: &Value) -> &Traceback {
    v.downcast_ref().expect("the caller checked the class of self")
}

/// The line number of an entry whose line is found by the instruction when it is asked for.
pub const BY_PLACE: i32 = -1;

impl Traceback {
    /// A traceback for `frame`, in front of `next`.
    pub fn new(next: Option<Value>, frame: Value, lasti: i32, lineno: i32) -> Ref<Traceback> {
        let (lasti, lineno) = (i64::from(lasti).into(), i64::from(lineno).into());
        Ref::new(Traceback { next: ValueCell::new(next), frame, lasti, lineno })
    }
    pub fn frame(&self) -> Option<&Frame> {
        self.frame.downcast_ref()
    }
    /// The line, or -1 where only the code object knows.
    /// `tb_lineno`
    pub fn line(&self) -> Option<i64> {
        let noted = self.lineno.load(Relaxed);
        if noted != i64::from(BY_PLACE) { Some(noted) } else { self.line_by_place().map(i64::from) }
    }
    /// The line of the instruction; `None` where it has none.
    fn line_by_place(&self) -> Option<u32> {
        let code = &self.frame()?.code;
        let word = u32::try_from(self.lasti.load(Relaxed) / 2).ok()?;
        let known = (word as usize) < code.bytecode().words.len();
        known.then(|| code.line_of(word)).filter(|&line| line != 0)
    }
}
/// The tracebacks from the outermost call inwards.
pub fn entries(first: Option<Value>) -> Vec<Value> {
    let mut all = Vec::new();
    let mut at = first;
    while let Some(tb) = at {
        at = tb.downcast_ref::<Traceback>().and_then(|t| t.next.get());
        all.push(tb);
    }
    all
}
/// Chains tracebacks in this order and returns the first.
pub fn relink(all: Vec<Value>) -> Option<Value> {
    let mut next = None;
    for tb in all.into_iter().rev() {
        if let Some(t) = tb.downcast_ref::<Traceback>() {
            t.next.set(next);
        }
        next = Some(tb);
    }
    next
}
/// The file of a traceback's code.
pub fn filename_of(tb: &Value) -> String {
    let frame = tb.downcast_ref::<Traceback>().and_then(Traceback::frame);
    frame.map(|f| f.code.filename().to_string_lossy().into_owned()).unwrap_or_default()
}
/// The function of a traceback's code.
pub fn function_of(tb: &Value) -> String {
    let frame = tb.downcast_ref::<Traceback>().and_then(Traceback::frame);
    frame.map(|f| f.code.name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn new(th: &mut Thread, _: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(tb_next, tb_frame, tb_lasti, tb_lineno)");
    let bound = SIG.bind(th, "traceback", "traceback", args, 0)?;
    let a = bound.args();
    if !a[1].is_exact(&FRAME) {
        let class = a[1].class().name();
        let shown = if a[1].is_none() { "None" } else { &*class };
        return Err(type_error(th, format!("traceback() argument 'tb_frame' must be frame, not {shown}")));
    }
    let lasti = number::to_i32(th, &a[2])?;
    let lineno = number::to_i32(th, &a[3])?;
    let next = check_next(th, &a[0], " or None")?;
    Ok(Traceback::new(next, a[1].clone(), lasti, lineno).into())
}
fn check_next(th: &mut Thread, v: &Value, or_none: &str) -> PyResult<Option<Value>> {
    if v.is_none() {
        return Ok(None);
    }
    if !v.is_exact(&TRACEBACK) {
        let class = v.class().name();
        return Err(type_error(th, format!("expected traceback object{or_none}, got '{class}'")));
    }
    Ok(Some(v.clone()))
}
fn dir(_: &mut Thread, _: &Args<'_>) -> PyResult<Value> {
    let names = ["tb_frame", "tb_next", "tb_lasti", "tb_lineno"];
    Ok(List::new(names.iter().map(|n| Value::from(*n)).collect()).into())
}
fn get_next(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(payload(v).next.get().into())
}
fn set_next(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let Some(new) = new else { return Err(type_error(th, "can't delete tb_next attribute")) };
    let next = check_next(th, new, "")?;
    let mut at = next.clone();
    while let Some(tb) = at {
        if tb.is(v) {
            return Err(value_error(th, "traceback loop detected"));
        }
        at = tb.downcast_ref::<Traceback>().and_then(|t| t.next.get());
    }
    payload(v).next.set(next);
    Ok(())
}
/// The line, through the code object's table where it was not noted; `None` where the code has none there.
fn get_lineno(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(payload(v).line().map_or(Value::NONE, Value::from))
}
