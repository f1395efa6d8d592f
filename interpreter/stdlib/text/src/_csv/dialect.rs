//! `Dialect`: the settings as an object.

use krait_macros::{Payload, Trace};
use krait_object::native::{getter, member, method};
use krait_object::{
    Args, ClassDef, GetSet, PyResult, Ref, SlotDefs, Str, Thread, Type, TypeObject, VTable, Value, builtin_types,
    type_flag,
};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::protocol::{attr, compare};

use super::format::{Format, Quoting};
use super::registered;

#[derive(Trace, Payload)]
#[payload(class = DIALECT)]
pub struct Dialect {
    #[trace(skip)]
    pub format: Format,
}

static LAYOUT: VTable = VTable::of::<Dialect>();
pub static DIALECT: TypeObject = TypeObject::builtin("Dialect", Some(&builtin_types::OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_csv",
    doc: "The settings of a reader or writer.",
    methods: &[method("__reduce__", "", "", cannot_pickle), method("__reduce_ex__", "", "", cannot_pickle)],
    getset: GETSET,
    slots: SlotDefs { new: Some(new), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::IMMUTABLE,
    ..ClassDef::new(&DIALECT)
};
static GETSET: &[GetSet] = &[
    member("lineterminator", "", |_, v| Ok(Str::from_points(&this(v).format.lineterminator).into())),
    member("skipinitialspace", "", |_, v| Ok(Value::bool(this(v).format.skipinitialspace))),
    member("doublequote", "", |_, v| Ok(Value::bool(this(v).format.doublequote))),
    member("strict", "", |_, v| Ok(Value::bool(this(v).format.strict))),
    getter("delimiter", "", |_, v| Ok(Str::from_point(this(v).format.delimiter).into())),
    getter("escapechar", "", |_, v| Ok(character(this(v).format.escapechar))),
    getter("quotechar", "", |_, v| Ok(character(this(v).format.quotechar))),
    getter("quoting", "", |_, v| Ok(Value::int(this(v).format.quoting as i64))),
];

static SETTINGS: [&str; 8] =
    ["delimiter", "doublequote", "escapechar", "lineterminator", "quotechar", "quoting", "skipinitialspace", "strict"];

fn this(v: &Value) -> &Dialect {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn character(c: Option<u32>) -> Value {
    c.map_or(Value::NONE, |c| Str::from_point(c).into())
}

fn cannot_pickle(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let name = a[0].class().name();
    Err(type_error(th, format!("cannot pickle '{name:.100}' instances")))
}

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let positional = args.pos();
    if positional.len() > SETTINGS.len() + 1 {
        let count = args.len();
        return Err(type_error(th, format!("this function takes at most 9 arguments ({count} given)")));
    }
    let mut given: [Option<Value>; 8] = Default::default();
    for (slot, value) in given.iter_mut().zip(positional.iter().skip(1)) {
        *slot = Some(value.clone());
    }
    let mut dialect = positional.first().cloned();
    for (name, value) in args.kw() {
        let name = name.downcast_ref::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        match SETTINGS.iter().position(|known| *known == name) {
            Some(i) => given[i] = Some(value.clone()),
            None if name == "dialect" => dialect = Some(value.clone()),
            None => {
                return Err(type_error(th, format!("this function got an unexpected keyword argument '{name}'")));
            }
        }
    }
    build(th, class, dialect.filter(|d| !d.is_none()), given)
}

fn build(
    th: &mut Thread,
    class: &Ref<Type>,
    mut base: Option<Value>,
    mut given: [Option<Value>; 8],
) -> PyResult<Value> {
    if let Some(name) = base.as_ref().filter(|d| d.downcast_ref::<Str>().is_some()) {
        base = Some(registered(th, name)?);
    }
    if let Some(base) = &base {
        if base.class().is_subtype(&DIALECT) && given.iter().all(Option::is_none) {
            return Ok(base.clone());
        }
        for (slot, name) in given.iter_mut().zip(SETTINGS) {
            if slot.is_none() {
                // CPython takes any failure to read a setting for its absence.
                *slot = match attr::get_text(th, base, name) {
                    Ok(value) => Some(value),
                    Err(_) => {
                        th.take_exc();
                        None
                    }
                };
            }
        }
    }
    let format = read_settings(th, &given)?;
    check(th, &format)?;
    Ok(Ref::with_class(Dialect { format }, class.object()).into())
}

fn read_settings(th: &mut Thread, given: &[Option<Value>; 8]) -> PyResult<Format> {
    let [delimiter, doublequote, escapechar, lineterminator, quotechar, quoting, skipinitialspace, strict] = given;
    let delimiter = match delimiter {
        None => u32::from(','),
        Some(v) => match v.downcast_ref::<Str>() {
            None => {
                let name = v.class().name();
                return Err(type_error(th, format!("\"delimiter\" must be string, not {name:.200}")));
            }
            Some(s) => one_character(th, "delimiter", s)?,
        },
    };
    let doublequote = flag(th, doublequote, true)?;
    let escapechar = optional_character(th, "escapechar", escapechar, None)?;
    let lineterminator = match lineterminator {
        None => vec![0x0d, 0x0a],
        Some(v) => match v.downcast_ref::<Str>() {
            Some(s) => s.iter().collect(),
            None if v.is_none() => return Err(type_error(th, "lineterminator must be set")),
            None => return Err(type_error(th, "\"lineterminator\" must be a string")),
        },
    };
    let no_quotechar = quotechar.as_ref().is_some_and(Value::is_none);
    let quotechar = optional_character(th, "quotechar", quotechar, Some(u32::from('"')))?;
    let quoting = match quoting {
        None if no_quotechar => Quoting::None,
        None => Quoting::Minimal,
        Some(v) => {
            if !v.is_exact(&builtin_types::INT) {
                return Err(type_error(th, "\"quoting\" must be an integer"));
            }
            match v.as_int().and_then(Quoting::from_number) {
                Some(quoting) => quoting,
                None => return Err(type_error(th, "bad \"quoting\" value")),
            }
        }
    };
    let skipinitialspace = flag(th, skipinitialspace, false)?;
    let strict = flag(th, strict, false)?;
    Ok(Format { delimiter, quotechar, escapechar, lineterminator, quoting, doublequote, skipinitialspace, strict })
}

fn flag(th: &mut Thread, v: &Option<Value>, default: bool) -> PyResult<bool> {
    v.as_ref().map_or(Ok(default), |v| compare::truth(th, v))
}

fn one_character(th: &mut Thread, name: &str, s: &Str) -> PyResult<u32> {
    match s.get(0).filter(|_| s.len() == 1) {
        Some(c) => Ok(c),
        None => Err(type_error(th, format!("\"{name}\" must be a 1-character string"))),
    }
}

fn optional_character(th: &mut Thread, name: &str, v: &Option<Value>, default: Option<u32>) -> PyResult<Option<u32>> {
    let Some(v) = v else { return Ok(default) };
    match v.downcast_ref::<Str>() {
        Some(s) => one_character(th, name, s).map(Some),
        None if v.is_none() => Ok(None),
        None => {
            let class = v.class().name();
            Err(type_error(th, format!("\"{name}\" must be string or None, not {class:.200}")))
        }
    }
}

/// Refuses settings that contradict each other.
fn check(th: &mut Thread, format: &Format) -> PyResult<()> {
    if format.quoting != Quoting::None && format.quotechar.is_none() {
        return Err(type_error(th, "quotechar must be set if quoting enabled"));
    }
    let special = [
        ("delimiter", Some(format.delimiter), true),
        ("escapechar", format.escapechar, !format.skipinitialspace),
        ("quotechar", format.quotechar, !format.skipinitialspace),
    ];
    for (name, c, blank_allowed) in special {
        let Some(c) = c else { continue };
        if matches!(c, 0x0a | 0x0d) || c == 0x20 && !blank_allowed {
            return Err(value_error(th, format!("bad {name} value")));
        }
        if format.lineterminator.contains(&c) {
            return Err(value_error(th, format!("bad {name} or lineterminator value")));
        }
    }
    for (i, (one, a, _)) in special.iter().enumerate() {
        for (two, b, _) in &special[i + 1..] {
            if a.is_some() && a == b {
                return Err(value_error(th, format!("bad {one} or {two} value")));
            }
        }
    }
    Ok(())
}

impl Dialect {
    /// The dialect of a reader's or writer's arguments: a name, object or nothing, and settings by keyword.
    pub fn from_arguments(th: &mut Thread, dialect: Option<&Value>, a: &Args<'_>) -> PyResult<Ref<Dialect>> {
        let all: Vec<Value> = dialect.into_iter().chain(a.kw().map(|(_, v)| v)).cloned().collect();
        let class = Ref::from_object(&DIALECT);
        let made = new(th, &class, &Args::new(&all, a.names()))?;
        made.downcast().map_err(|_| type_error(th, "a dialect is expected"))
    }
}
