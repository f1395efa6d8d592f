//! `ChannelID`: the number of a channel, and which end of it is meant.
use krait_object::builtin_types::OBJECT;
use krait_object::native::getter;
use krait_object::{ClassDef, CmpOp, GetSet, PyResult, Ref, SlotDefs, Thread, TypeObject, VTable, Value, type_flag};
use krait_runtime::errors::{overflow_error, type_error, value_error};
use krait_runtime::interpreters::crossing::{Crossing, Foreign};
use krait_runtime::protocol::{attr, call, compare, number, repr};

use super::state::{End, Fault, channels};

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = CHANNEL_ID)]
pub(super) struct ChannelId {
    #[trace(skip)]
    held: Held,
    #[trace(skip)]
    end: End,
    /// An object of the class registered for the end arrives in its place.
    resolve: bool,
}
/// Keeps the channel.
struct Held(i64);
impl Drop for Held {
    fn drop(&mut self) {
        let last = channels().remove_object(self.0);
        drop(last);
    }
}
static LAYOUT: VTable = VTable::of::<ChannelId>();
pub(super) static CHANNEL_ID: TypeObject = TypeObject::builtin("ChannelID", Some(&OBJECT), &LAYOUT);

pub(super) static DEF: ClassDef = ClassDef {
    module: "_interpchannels",
    doc: "The number of a channel; may be used as an int.",
    getset: GETSET,
    slots: SlotDefs {
        repr: Some(|_, v| {
            let (id, end) = parts(v);
            let end = match end {
                End::Send => ", send=True",
                End::Receive => ", recv=True",
                End::Both => "",
            };
            Ok(Value::from(format!("{}({id}{end})", v.class().name())))
        }),
        str: Some(|_, v| Ok(Value::from(parts(v).0.to_string()))),
        int: Some(|_, v| Ok(Value::from(parts(v).0))),
        index: Some(|_, v| Ok(Value::from(parts(v).0))),
        hash: Some(|th, v| krait_object::compare::hash_value(th, &Value::from(parts(v).0))),
        compare: Some(same),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&CHANNEL_ID)
};
static GETSET: &[GetSet] = &[
    getter("end", "'send', 'recv', or 'both'", |_, v| {
        Ok(Value::str(match parts(v).1 {
            End::Send => "send",
            End::Receive => "recv",
            End::Both => "both",
        }))
    }),
    getter("send", "the 'send' end of the channel", |_, v| Ok(other_end(v, End::Send))),
    getter("recv", "the 'recv' end of the channel", |_, v| Ok(other_end(v, End::Receive))),
];

fn this(v: &Value) -> &ChannelId {
    v.downcast_ref().expect("the descriptor checked the class")
}
fn parts(v: &Value) -> (i64, End) {
    (this(v).held.0, this(v).end)
}
fn other_end(v: &Value, end: End) -> Value {
    let id = this(v);
    // The channel may be gone: the object is one of it all the same.
    let _ = channels().add_object(id.held.0);
    made(id.held.0, end, id.resolve)
}
fn made(id: i64, end: End, resolve: bool) -> Value {
    Ref::new(ChannelId { held: Held(id), end, resolve }).into()
}
/// A new object; with `force` for a channel that does not exist, too.
pub(super) fn new(id: i64, end: End, force: bool, resolve: bool) -> Result<Value, Fault> {
    let added = channels().add_object(id);
    match added {
        Err(fault) if !force => Err(fault),
        _ => Ok(made(id, end, resolve)),
    }
}
fn same(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) || a.downcast_ref::<ChannelId>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    if b.downcast_ref::<ChannelId>().is_some() {
        return Ok(Value::bool((parts(a) == parts(b)) == (op == CmpOp::Eq)));
    }
    let is_number = b.as_int_ref().is_some() || b.class().slots.index.is_set() || b.class().slots.float.is_set();
    if !is_number {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    compare::compare(th, &Value::from(parts(a).0), b, op)
}

/// The channel that an argument means.
pub(super) fn argument(th: &mut Thread, v: &Value) -> PyResult<(i64, End)> {
    if v.downcast_ref::<ChannelId>().is_some() {
        return Ok(parts(v));
    }
    if !number::has_index(v) {
        let class = v.class().name();
        return Err(type_error(th, format!("channel ID must be an int, got {class}")));
    }
    let n = number::index(th, v)?;
    match n.as_int_ref().and_then(|n| n.to_i64()) {
        Some(id) if id >= 0 => Ok((id, End::Both)),
        Some(_) => {
            let shown = repr::repr(th, v)?;
            Err(value_error(th, format!("channel ID must be a non-negative int, got {shown}")))
        }
        None => Err(overflow_error(th, "int too big to convert")),
    }
}

/// A channel's number on its way.
struct OnWay {
    id: i64,
    end: End,
    resolve: bool,
    /// An object of the registered class was sent.
    object: bool,
}
/// How a `ChannelID` leaves.
pub(super) fn leave(_: &mut Thread, v: &Value) -> PyResult<Crossing> {
    let (id, end) = parts(v);
    Ok(Crossing::Foreign(Box::new(OnWay { id, end, resolve: this(v).resolve, object: false })))
}
/// How an object of a registered class leaves.
pub(super) fn leave_end(th: &mut Thread, v: &Value) -> PyResult<Crossing> {
    let id = attr::get_text(th, v, "_id")?;
    if id.downcast_ref::<ChannelId>().is_none() {
        let class = id.class().name();
        return Err(type_error(th, format!("channel ID must be a ChannelID, got {class}")));
    }
    let (id, end) = parts(&id);
    Ok(Crossing::Foreign(Box::new(OnWay { id, end, resolve: false, object: true })))
}
impl Foreign for OnWay {
    fn arrive(&self, th: &mut Thread) -> PyResult<Value> {
        super::known(th)?;
        let id = new(self.id, self.end, false, false).map_err(|fault| super::raise(th, fault, self.id))?;
        if !self.object && (self.end == End::Both || !self.resolve) {
            return Ok(id);
        }
        match super::end_class(th, self.end) {
            Ok(class) => call::call(th, &class, &[id]),
            Err(raised) if self.object => Err(raised),
            Err(raised) => {
                drop(krait_runtime::errors::take(th, raised));
                Ok(id)
            }
        }
    }
}
