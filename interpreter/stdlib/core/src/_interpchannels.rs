//! `_interpchannels`: channels between interpreters, of which each interpreter uses an end. The channels are in
//! `_interpchannels/state.rs`, their numbers as objects in `id.rs`. CPython counterpart: `Modules/_interpchannelsmodule.c`.
mod id;
mod state;

use std::sync::Mutex;
use std::time::Duration;

use krait_object::native::function;
use krait_object::{Args, List, Locked, Method, ModuleDef, PyResult, Raised, Ref, Str, Thread, Tuple, Type, Value};
use krait_runtime::errors::{self, overflow_error, raise as raise_builtin, runtime_error, type_error, value_error};
use krait_runtime::exceptions::{RUNTIME_ERROR, TIMEOUT_ERROR};
use krait_runtime::interpreters::crossing::{self, Crossing};
use krait_runtime::interpreters::{self, new_exception_class, raise_of};
use krait_runtime::protocol::{attr, compare};
use krait_runtime::seconds::{Rounding, nanoseconds};
use krait_runtime::types::structseq::{self, StructSeqDef};
use krait_runtime::types::{memoryview, module};
use krait_runtime::{import, world};

use crate::_interpqueues::{unbound, unbound_argument};
use state::{End, Fault, Waiting, channels};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Channels that pass values from one interpreter to another.",
    functions: FUNCTIONS,
    classes: &[&id::DEF],
    init: Some(init),
    ..ModuleDef::new("_interpchannels")
};

static INFO: StructSeqDef = StructSeqDef {
    module: "_interpchannels",
    name: "ChannelInfo",
    doc: "The state of a channel.",
    fields: &[
        ("open", "both ends are open"),
        ("closing", "nothing more is sent, something is left to be received"),
        ("closed", "both ends are closed"),
        ("count", "values on their way"),
        ("num_interp_send", "interpreters that use the sending end only"),
        ("num_interp_send_released", "interpreters that used the sending end only"),
        ("num_interp_recv", "interpreters that use the receiving end only"),
        ("num_interp_recv_released", "interpreters that used the receiving end only"),
        ("num_interp_both", "interpreters that use both ends"),
        ("num_interp_both_released", "interpreters that used both ends"),
        ("num_interp_both_send_released", "interpreters that released the sending end only"),
        ("num_interp_both_recv_released", "interpreters that released the receiving end only"),
        ("send_associated", "this interpreter uses the sending end"),
        ("send_released", "this interpreter has released the sending end"),
        ("recv_associated", "this interpreter uses the receiving end"),
        ("recv_released", "this interpreter has released the receiving end"),
    ],
    visible: 8,
    instantiable: true,
};

/// The classes of an interpreter, and those that its Python code registered for the ends.
#[derive(Clone)]
struct Known {
    info: Ref<Type>,
    not_found: Value,
    closed: Value,
    empty: Value,
    not_empty: Value,
    send: Option<Value>,
    receive: Option<Value>,
}
#[derive(Default)]
struct Classes(Locked<Option<Known>>);
/// The Python module that registers its classes.
static REGISTRANT: Mutex<Option<String>> = Mutex::new(None);

fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    let d = module::dict(m);
    let class = |th: &mut Thread, name: &str, base: &Value| {
        let made = new_exception_class(th, "_interpchannels", name, None, vec![base.clone()])?;
        d.set_text(name, made.clone());
        Ok(made)
    };
    let error = class(th, "ChannelError", &RUNTIME_ERROR.to_value())?;
    let known = Known {
        info: structseq::new_type(&INFO),
        not_found: class(th, "ChannelNotFoundError", &error)?,
        closed: class(th, "ChannelClosedError", &error)?,
        empty: class(th, "ChannelEmptyError", &error)?,
        not_empty: class(th, "ChannelNotEmptyError", &error)?,
        send: None,
        receive: None,
    };
    d.set_text("ChannelInfo", known.info.to_value());
    th.interp.extension::<Classes>().0.set(Some(known));
    crossing::register(th, &id::CHANNEL_ID.to_value(), id::leave);
    interpreters::at_end(th, state::forget_interpreter);
    Ok(())
}
/// The classes of the interpreter that runs.
fn known(th: &mut Thread) -> PyResult<Known> {
    let classes = th.interp.extension::<Classes>();
    if let Some(known) = classes.0.lock().clone() {
        return Ok(known);
    }
    import::import_module(th, "_interpchannels")?;
    let found = classes.0.lock().clone();
    found.ok_or_else(|| runtime_error(th, "_interpchannels module not imported yet"))
}
/// The class registered for an end; the module that registers it is imported where need be.
fn end_class(th: &mut Thread, end: End) -> PyResult<Value> {
    let of = |k: Known| if end == End::Send { k.send } else { k.receive };
    if let Some(class) = of(known(th)?) {
        return Ok(class);
    }
    let registrant = REGISTRANT.lock().unwrap_or_else(|e| e.into_inner()).clone();
    if let Some(name) = registrant {
        import::import_module(th, &name)?;
    }
    of(known(th)?).ok_or_else(|| runtime_error(th, "no class of channel ends is registered"))
}
fn raise(th: &mut Thread, fault: Fault, id: i64) -> Raised {
    let known = match known(th) {
        Ok(k) => k,
        Err(raised) => return raised,
    };
    let (class, message) = match fault {
        Fault::NotFound => (known.not_found, format!("channel {id} not found")),
        Fault::Closed => (known.closed, format!("channel {id} is closed")),
        Fault::ClosedWaiting => (known.closed, format!("channel {id} has closed")),
        Fault::Released => (known.closed, format!("channel {id} is already closed")),
        Fault::Empty => (known.empty, format!("channel {id} is empty")),
        Fault::NotEmpty => (known.not_empty, format!("channel {id} may not be closed if not empty (try force=True)")),
    };
    raise_of(th, &class, message)
}
fn checked<T>(th: &mut Thread, id: i64, result: Result<T, Fault>) -> PyResult<T> {
    result.map_err(|fault| raise(th, fault, id))
}
fn truth(th: &mut Thread, v: Option<&Value>) -> PyResult<bool> {
    v.map_or(Ok(false), |v| compare::truth(th, v))
}
fn own_id(th: &Thread) -> i64 {
    interpreters::current(th).id()
}

static FUNCTIONS: &[Method] = &[
    function("create", "(unboundop)", "Make a channel; its number.", |th, a| {
        let unbound = unbound_argument(th, &a[0])?;
        let cid = channels().create(unbound);
        let made = id::new(cid, End::Both, false, false);
        checked(th, cid, made)
    }),
    function("destroy", "(cid)", "Drop the channel and what is in it.", |th, a| {
        let (cid, _) = id::argument(th, &a[0])?;
        let destroyed = channels().destroy(cid);
        checked(th, cid, destroyed)?;
        Ok(Value::NONE)
    }),
    function("list_all", "()", "The numbers of all channels, each with what it does with unbound items.", |th, _| {
        let all = channels().list();
        let mut shown = Vec::new();
        for (cid, unbound) in all {
            let made = id::new(cid, End::Both, false, false);
            shown.push(Tuple::of([checked(th, cid, made)?, Value::from(unbound)]).into());
        }
        Ok(List::new(shown).into())
    }),
    function("list_interpreters", "(cid, *, send)", "The numbers of the interpreters that use an end.", |th, a| {
        let (cid, _) = id::argument(th, &a[0])?;
        let send = truth(th, a.opt(1))?;
        let mut shown = Vec::new();
        for interp in interpreters::all() {
            let other = interpreters::identity(&interp).id();
            let uses = channels().uses(cid, other, send);
            if checked(th, cid, uses)? {
                shown.push(Value::from(other));
            }
        }
        Ok(List::new(shown).into())
    }),
    function(
        "send",
        "(cid, obj, unboundop=3, *, blocking=True, timeout=None)",
        "Send a value; wait until it is received.",
        |th, a| send(th, a, a[1].clone()),
    ),
    function(
        "send_buffer",
        "(cid, obj, unboundop=3, *, blocking=True, timeout=None)",
        "Send an object's memory; wait until it is received.",
        |th, a| {
            let view = memoryview::of(th, &a[1], krait_object::buffer::flags::FULL_RO)?;
            send(th, a, view)
        },
    ),
    function(
        "recv",
        "(cid, default=<unrepresentable>)",
        "The next value: (value, None), or (None, what to do) for an unbound one.",
        receive,
    ),
    function(
        "close",
        "(cid, *, send=False, recv=False, force=False)",
        "Close the channel for all interpreters. One that is not empty is closed with force; for sending only, and wholly \
         once it is empty, with send.",
        |th, a| {
            let (cid, _) = id::argument(th, &a[0])?;
            let (send, receive, force) = (truth(th, a.opt(1))?, truth(th, a.opt(2))?, truth(th, a.opt(3))?);
            let closed = channels().close(cid, End::of(send, receive), force);
            checked(th, cid, closed)?;
            Ok(Value::NONE)
        },
    ),
    function(
        "release",
        "(cid, *, send=False, recv=False, force=False)",
        "This interpreter uses the ends no more; both unless one is named.",
        |th, a| {
            let (cid, _) = id::argument(th, &a[0])?;
            let (send, receive) = (truth(th, a.opt(1))?, truth(th, a.opt(2))?);
            let released = channels().release(cid, own_id(th), End::of(send, receive));
            checked(th, cid, released)?;
            Ok(Value::NONE)
        },
    ),
    function("get_count", "(cid)", "How many values are on their way.", |th, a| {
        let (cid, _) = id::argument(th, &a[0])?;
        let n = channels().count(cid);
        checked(th, cid, n).map(Value::from)
    }),
    function("get_info", "(cid)", "The state of the channel.", |th, a| {
        let (cid, _) = id::argument(th, &a[0])?;
        let info = channels().info(cid, own_id(th));
        let info = checked(th, cid, info)?;
        let mut fields: Vec<Value> = [0, -1, 1].iter().map(|c| Value::bool(info.closed == *c)).collect();
        fields.push(Value::from(info.count));
        fields.extend(info.users.iter().map(|n| Value::from(*n)));
        fields.extend([info.sends == 1, info.sends == -1, info.receives == 1, info.receives == -1].map(Value::bool));
        let class = known(th)?.info;
        Ok(structseq::build(&class, fields, INFO.visible))
    }),
    function("get_channel_defaults", "(cid)", "What the channel does with unbound items.", |th, a| {
        let (cid, _) = id::argument(th, &a[0])?;
        let unbound = channels().open(cid).map(|c| c.unbound);
        checked(th, cid, unbound).map(Value::from)
    }),
    function(
        "_channel_id",
        "(id, *, send=<unrepresentable>, recv=<unrepresentable>, force=False, _resolve=False)",
        "A number as an object, for an end.",
        |th, a| {
            let (cid, mut end) = id::argument(th, &a[0])?;
            let send = a.opt(1).map(|v| compare::truth(th, v)).transpose()?;
            let receive = a.opt(2).map(|v| compare::truth(th, v)).transpose()?;
            if send == Some(false) && receive == Some(false) {
                return Err(value_error(th, "'send' and 'recv' cannot both be False"));
            }
            if send == Some(true) || receive == Some(true) {
                end = End::of(send == Some(true), receive == Some(true));
            }
            let (force, resolve) = (truth(th, a.opt(3))?, truth(th, a.opt(4))?);
            let made = id::new(cid, end, force, resolve);
            checked(th, cid, made)
        },
    ),
    function("_register_end_types", "(send, recv)", "Use these classes for ends of channels that arrive.", register),
];

fn timeout(th: &mut Thread, v: Option<&Value>, blocking: bool) -> PyResult<Option<Duration>> {
    let Some(v) = v else { return Ok(None) };
    if !blocking {
        return Err(value_error(th, "can't specify a timeout for a non-blocking call"));
    }
    match u64::try_from(nanoseconds(th, v, Rounding::Up)?) {
        Ok(ns) if ns > 9_223_372_036_000_000_000 => Err(overflow_error(th, "timeout value is too large")),
        Ok(ns) => Ok(Some(Duration::from_nanos(ns))),
        Err(_) => Err(value_error(th, "timeout value must be a non-negative number")),
    }
}
fn send(th: &mut Thread, a: &Args<'_>, value: Value) -> PyResult<Value> {
    crossing::release_returned(th);
    let (cid, _) = id::argument(th, &a[0])?;
    let unbound = a.opt(2).map_or(Ok(unbound::REPLACE), |v| unbound_argument(th, v))?;
    let blocking = a.opt(3).map_or(Ok(true), |v| compare::truth(th, v))?;
    let timeout = timeout(th, a.opt_not_none(4), blocking)?;
    let possible = channels().check_send(cid);
    checked(th, cid, possible)?;
    let data = Crossing::leave(th, &value)?;
    let waiting = blocking.then(Waiting::new);
    let sent = channels().send(cid, own_id(th), data, waiting.clone(), unbound);
    if let Err((fault, _data)) = sent {
        return Err(raise(th, fault, cid));
    }
    let Some(waiting) = waiting else { return Ok(Value::NONE) };
    let ended = world::wait(th, &waiting.done, timeout);
    if matches!(ended, Ok(true)) {
        return if waiting.is_received() { Ok(Value::NONE) } else { Err(raise(th, Fault::ClosedWaiting, cid)) };
    }
    let taken_back = channels().unsend(cid, &waiting);
    if waiting.is_received() {
        if let Err(raised) = ended {
            drop(errors::take(th, raised));
        }
        return Ok(Value::NONE);
    }
    drop(taken_back);
    ended?;
    Err(raise_builtin(th, &TIMEOUT_ERROR, "timed out"))
}
fn receive(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    crossing::release_returned(th);
    let (cid, _) = id::argument(th, &a[0])?;
    let item = channels().receive(cid, own_id(th));
    let item = match (item, a.opt(1)) {
        (Err(Fault::Empty), Some(default)) => return Ok(Tuple::of([default.clone(), Value::NONE]).into()),
        (item, _) => checked(th, cid, item)?,
    };
    let arrived = item.data.as_ref().map(|d| d.arrive(th)).transpose();
    if let Some(w) = &item.waiting {
        w.finish(arrived.is_ok());
    }
    Ok(match arrived? {
        Some(value) => Tuple::of([value, Value::NONE]).into(),
        None => Tuple::of([Value::NONE, Value::from(item.unbound)]).into(),
    })
}
fn register(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    for (at, name) in [(0, "send"), (1, "recv")] {
        if !interpreters::is_class(&a[at]) {
            return Err(type_error(th, format!("expected a type for '{name}'")));
        }
    }
    let by = attr::get_text(th, &a[0], "__module__")?.downcast_ref::<Str>().map(|m| m.to_string_lossy().into_owned());
    let classes = th.interp.extension::<Classes>();
    let before = classes.0.lock().as_mut().map(|k| (k.send.replace(a[0].clone()), k.receive.replace(a[1].clone())));
    if let Some((send, receive)) = before {
        for class in [send, receive].into_iter().flatten() {
            crossing::unregister(th, &class);
        }
    }
    for class in [&a[0], &a[1]] {
        crossing::register(th, class, id::leave_end);
    }
    *REGISTRANT.lock().unwrap_or_else(|e| e.into_inner()) = by;
    Ok(Value::NONE)
}
