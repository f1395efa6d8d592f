//! The class `Context`: attributes, and which context is the current one. Its arithmetic is in `context_methods`.
use std::sync::Arc;

use krait_macros::{Payload, Trace};
use krait_object::intern::intern;
use krait_object::native::getset;
use krait_object::{
    Args, ClassDef, GetSet, Locked, PyResult, Ref, SlotDefs, Str, Thread, TypeObject, VTable, Value, ValueCell,
    builtin_types::OBJECT, type_flag,
};
use krait_runtime::errors::{attribute_error, type_error, value_error};
use krait_runtime::protocol::{attr, number};
use krait_runtime::types::object;

use super::num::{Ctx, MAX_EMAX, MAX_PREC, MIN_EMIN, ROUNDINGS, Round, flag::*};
use super::{State, context_methods, signals};
use crate::arguments::Parameters;

#[derive(Trace, Payload)]
#[payload(class = CONTEXT)]
pub struct Context {
    /// Shared with the mappings that show flags and traps.
    #[trace(skip)]
    pub data: Arc<Locked<Ctx>>,
    /// The mappings, made when they are first asked for.
    flags: ValueCell,
    traps: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Context>();
pub static CONTEXT: TypeObject = TypeObject::builtin("Context", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "decimal",
    doc: "What operations go by: precision, rounding, the range of exponents, and which\nsignals raise exceptions.\n\n    >>> Context(prec=3).divide(Decimal(1), Decimal(3))\n    Decimal('0.333')",
    sig: "(prec=None, rounding=None, Emin=None, Emax=None, capitals=None, clamp=None, flags=None, traps=None)",
    methods: context_methods::METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|th, class, _| {
            let state = th.interp.extension::<State>();
            let template = state.default_context.get().and_then(|v| v.to_ref::<Context>());
            let mut data = template.map_or_else(|| templates()[0], |t| t.data.get());
            data.flags = 0;
            Ok(Ref::with_class(Context::new(data), class.object()).into())
        }),
        init: Some(init),
        repr: Some(show),
        getattr: Some(getattr),
        setattr: Some(setattr),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE,
    ..ClassDef::new(&CONTEXT)
};
/// The contexts that the module offers.
pub fn templates() -> [Ctx; 3] {
    let default = Ctx {
        prec: 28,
        emin: -999_999,
        emax: 999_999,
        round: Round::HalfEven,
        clamp: false,
        capitals: true,
        traps: IEEE_INVALID | DIVISION_BY_ZERO | OVERFLOW,
        flags: 0,
    };
    let traps = default.traps | UNDERFLOW | CLAMPED;
    let basic = Ctx { prec: 9, round: Round::HalfUp, traps, ..default };
    [default, basic, Ctx { prec: 9, traps: 0, ..default }]
}
impl Context {
    pub fn create(data: Ctx) -> Ref<Context> {
        Ref::new(Context::new(data))
    }
    fn new(data: Ctx) -> Context {
        Context { data: Arc::new(Locked::new(data)), flags: ValueCell::empty(), traps: ValueCell::empty() }
    }
    fn mapping(&self, th: &mut Thread, traps: bool) -> Value {
        let cell = if traps { &self.traps } else { &self.flags };
        cell.get().unwrap_or_else(|| {
            let made = signals::view(th, self.data.clone(), traps);
            cell.set(Some(made.clone()));
            made
        })
    }
}
pub fn of(v: &Value) -> Option<Ref<Context>> {
    v.to_ref::<Context>()
}
fn this(v: &Value) -> &Context {
    v.downcast_ref().expect("the slot belongs to Context")
}

/// The context in force.
pub fn current(th: &mut Thread) -> PyResult<Ref<Context>> {
    let state = th.interp.extension::<State>();
    let Some(variable) = state.variable.get() else {
        return Err(krait_runtime::errors::runtime_error(th, "_decimal is not initialised"));
    };
    let held = attr::call_method(th, &variable, "get", &[Value::NONE])?;
    if let Some(ctx) = of(&held) {
        return Ok(ctx);
    }
    let template = state.default_context.get().and_then(|v| v.to_ref::<Context>());
    let mut data = template.map_or_else(|| templates()[0], |t| t.data.get());
    data.flags = 0;
    let made = Context::create(data);
    attr::call_method(th, &variable, "set", &[made.to_value()])?;
    Ok(made)
}
pub fn set_current(th: &mut Thread, v: &Value) -> PyResult<()> {
    let Some(ctx) = of(v) else { return Err(type_error(th, "argument must be a context")) };
    let state = th.interp.extension::<State>();
    let template = [&state.default_context, &state.basic_context, &state.extended_context];
    let is_template = template.iter().any(|t| t.get().is_some_and(|t| t.is(v)));
    let used = if is_template { Context::create(Ctx { flags: 0, ..ctx.data.get() }) } else { ctx };
    if let Some(variable) = state.variable.get() {
        attr::call_method(th, &variable, "set", &[used.to_value()])?;
    }
    Ok(())
}
/// A context argument, or the one in force.
pub fn argument(th: &mut Thread, v: Option<&Value>) -> PyResult<Ref<Context>> {
    match v.filter(|v| !v.is_none()) {
        None => current(th),
        Some(v) => of(v).ok_or_else(|| type_error(th, "optional argument must be a context")),
    }
}

static PARAMETERS: Parameters<8> = Parameters { function: "Context()", names: NAMES, required: 0, positional: 8 };
pub const NAMES: [&str; 8] = ["prec", "rounding", "Emin", "Emax", "capitals", "clamp", "flags", "traps"];
fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    let given = PARAMETERS.bind(th, args)?;
    for (name, new) in NAMES.iter().zip(given) {
        if let Some(new) = new.filter(|n| !n.is_none()) {
            set(th, this(v), name, new)?;
        }
    }
    Ok(())
}
fn integer(th: &mut Thread, v: &Value) -> PyResult<i64> {
    if v.as_int_ref().is_none() {
        return Err(type_error(th, "an integer is required"));
    }
    number::to_isize(th, v).map(|n| n as i64)
}
fn within(th: &mut Thread, v: &Value, low: i64, high: i64, message: &str) -> PyResult<i64> {
    let n = integer(th, v)?;
    if (low..=high).contains(&n) { Ok(n) } else { Err(value_error(th, message)) }
}
pub fn rounding(th: &mut Thread, v: &Value) -> PyResult<Round> {
    let message = "valid values for rounding are:\n  [ROUND_CEILING, ROUND_FLOOR, ROUND_UP, ROUND_DOWN,\n   ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_HALF_EVEN,\n   ROUND_05UP]";
    let found = v.downcast_ref::<Str>().and_then(|s| ROUNDINGS.iter().find(|(name, _)| s.eq_str(name)));
    found.map(|(_, round)| *round).ok_or_else(|| type_error(th, message))
}
/// `flags` and `traps` are no descriptors of the class.
fn is_mapping(name: &Str) -> Option<bool> {
    if name.eq_str("flags") {
        return Some(false);
    }
    name.eq_str("traps").then_some(true)
}
fn getattr(th: &mut Thread, v: &Value, name: &Ref<Str>) -> PyResult<Option<Value>> {
    match is_mapping(name) {
        Some(traps) => Ok(Some(this(v).mapping(th, traps))),
        None => object::generic_getattr(th, v, name),
    }
}
fn setattr(th: &mut Thread, v: &Value, name: &Ref<Str>, new: Option<&Value>) -> PyResult<()> {
    match (is_mapping(name), new) {
        (None, _) => object::generic_setattr(th, v, name, new),
        (Some(_), None) => Err(attribute_error(th, "context attributes cannot be deleted")),
        (Some(traps), Some(new)) => {
            let flags = signals::flags_of_mapping(th, new)?;
            let mut data = this(v).data.lock();
            *(if traps { &mut data.traps } else { &mut data.flags }) = flags;
            Ok(())
        }
    }
}
/// Sets an attribute.
pub fn set(th: &mut Thread, ctx: &Context, name: &str, v: &Value) -> PyResult<()> {
    match name {
        "prec" => {
            let n = within(th, v, 1, MAX_PREC, "valid range for prec is [1, MAX_PREC]")?;
            ctx.data.lock().prec = n;
        }
        "Emin" => {
            let n = within(th, v, MIN_EMIN, 0, "valid range for Emin is [MIN_EMIN, 0]")?;
            ctx.data.lock().emin = n;
        }
        "Emax" => {
            let n = within(th, v, 0, MAX_EMAX, "valid range for Emax is [0, MAX_EMAX]")?;
            ctx.data.lock().emax = n;
        }
        "capitals" => {
            let n = within(th, v, 0, 1, "valid values for capitals are 0 or 1")?;
            ctx.data.lock().capitals = n == 1;
        }
        "clamp" => {
            let n = within(th, v, 0, 1, "valid values for clamp are 0 or 1")?;
            ctx.data.lock().clamp = n == 1;
        }
        "rounding" => {
            let round = rounding(th, v)?;
            ctx.data.lock().round = round;
        }
        "flags" => {
            let flags = signals::flags_of(th, v)?;
            ctx.data.lock().flags = flags;
        }
        "traps" => {
            let traps = signals::flags_of(th, v)?;
            ctx.data.lock().traps = traps;
        }
        _ => return Err(attribute_error(th, format!("'decimal.Context' object has no attribute '{name}'"))),
    }
    Ok(())
}
macro_rules! attribute {
    ($name:literal $get:expr) => {
        getset(
            $name,
            "",
            |th, v| {
                let get: fn(&mut Thread, &Value, Ctx) -> Value = $get;
                let data = this(v).data.get();
                Ok(get(th, v, data))
            },
            |th, v, new| match new {
                Some(new) => set(th, this(v), $name, new),
                None => Err(attribute_error(th, "context attributes cannot be deleted")),
            },
        )
    };
}
pub fn rounding_name(round: Round) -> &'static str {
    ROUNDINGS.iter().find(|(_, r)| *r == round).map_or("", |(name, _)| name)
}
static GETSET: &[GetSet] = &[
    attribute!("prec" | _, _, c | c.prec.into()),
    attribute!("rounding" | _, _, c | intern(rounding_name(c.round)).into()),
    attribute!("Emin" | _, _, c | c.emin.into()),
    attribute!("Emax" | _, _, c | c.emax.into()),
    attribute!("capitals" | _, _, c | i32::from(c.capitals).into()),
    attribute!("clamp" | _, _, c | i32::from(c.clamp).into()),
];
fn show(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let c = this(v).data.get();
    let names = |flags: u32| {
        // By bit, the invalid operations as one.
        let mut all: Vec<&str> = Vec::new();
        for bit in (0..15).map(|i| 1 << i).filter(|bit| flags & bit != 0) {
            let name = signals::SIGNALS.iter().find(|s| s.1 & bit != 0).map_or("", |s| s.0);
            if !all.contains(&name) {
                all.push(name);
            }
        }
        all.join(", ")
    };
    Ok(format!(
        "Context(prec={}, rounding={}, Emin={}, Emax={}, capitals={}, clamp={}, flags=[{}], traps=[{}])",
        c.prec,
        rounding_name(c.round),
        c.emin,
        c.emax,
        i32::from(c.capitals),
        i32::from(c.clamp),
        names(c.flags),
        names(c.traps)
    )
    .into())
}
