//! `_zoneinfo`: the class `ZoneInfo` with its caches. What a zone does is in `zone`, its rules beyond the last transition
//! in `rules`. CPython: `Modules/_zoneinfo.c`.
mod rules;
mod zone;

use krait_macros::{Payload, Trace};
use krait_object::native::{class_method, getter, method};
use krait_object::{
    Args, ClassDef, GetSet, Locked, Method, ModuleDef, PyResult, Ref, SlotDefs, StrBuilder, Thread, Tuple, Type,
    TypeObject, VTable, Value, ValueCell, type_flag,
};
use krait_runtime::errors::{raise_value, type_error, value_error};
use krait_runtime::import::import_module;
use krait_runtime::protocol::{attr, call, compare, iter, repr};
use krait_runtime::types::type_::full_name;

use crate::_datetime::datetime::DateTime;
use crate::_datetime::datetime_arith;
use crate::_datetime::tzinfo::{TZINFO, TzInfo};
use crate::arguments::{Parameters, class_name};
use zone::Zone;

pub static MODULE: ModuleDef =
    ModuleDef { doc: "C implementation of the zoneinfo module", classes: &[&DEF], ..ModuleDef::new("_zoneinfo") };

/// Where a zone came from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    NoCache = 0,
    Cache = 1,
    File = 2,
}
#[derive(Trace, Payload)]
#[repr(C)]
#[payload(class = ZONE_INFO, extends = TzInfo)]
pub struct ZoneInfo {
    base: TzInfo,
    key: Value,
    /// The repr of the file that it was read from.
    file: Value,
    #[trace(skip)]
    source: Locked<Source>,
    zone: Zone,
}
static LAYOUT: VTable = VTable::of::<ZoneInfo>();
static ZONE_INFO: TypeObject = TypeObject::builtin("ZoneInfo", Some(&TZINFO), &LAYOUT);
static DEF: ClassDef = ClassDef {
    module: "zoneinfo",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(show),
        str: Some(|th, v| {
            let key = ZoneInfo::of(v).key.clone();
            if key.is_none() { show(th, v) } else { repr::str(th, &key).map(Value::from) }
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::WEAKREF | type_flag::HAVE_GC,
    ..ClassDef::new(&ZONE_INFO)
};
static GETSET: &[GetSet] = &[getter("key", "", |_, v| Ok(ZoneInfo::of(v).key.clone()))];
static METHODS: &[Method] = &[
    class_method("clear_cache", "(*, only_keys=None)", "Clear the ZoneInfo cache.", clear_cache),
    class_method("no_cache", "(key)", "Get a new instance of ZoneInfo, bypassing the cache.", |th, a| {
        create(th, &a.this_ref::<Type>(), &a[1], Source::NoCache)
    }),
    class_method("from_file", "(file_obj, /, key=None)", "Create a ZoneInfo file from a file object.", |th, a| {
        let file = repr::repr(th, &a[1])?.to_value();
        let zone = read(th, &a[1])?;
        let key = a.opt(2).cloned().unwrap_or(Value::NONE);
        let made = ZoneInfo { base: TzInfo {}, key, file, source: Locked::new(Source::File), zone };
        Ok(Ref::with_class(made, a.this_ref::<Type>().object()).into())
    }),
    class_method("_unpickle", "(key, from_cache, /)", "Private method used in unpickling.", |th, a| {
        if compare::truth(th, &a[2])? {
            return call::call(th, &a[0], &[a[1].clone()]);
        }
        create(th, &a.this_ref::<Type>(), &a[1], Source::NoCache)
    }),
    class_method("__init_subclass__", "(**kwargs)", "Function to initialize subclasses.", |th, a| {
        let cache = weak_dict(th)?;
        attr::set_text(th, &a[0], "_weak_cache", &cache)?;
        Ok(Value::NONE)
    }),
    method(
        "utcoffset",
        "(dt, /)",
        "Retrieve a timedelta representing the UTC offset in a zone at the given datetime.",
        |th, a| {
            let found = find(th, a)?;
            Ok(found.map(|i| i.offset).into())
        },
    ),
    method(
        "dst",
        "(dt, /)",
        "Retrieve a timedelta representing the amount of DST applied in a zone at the given datetime.",
        |th, a| {
            let found = find(th, a)?;
            Ok(found.map(|i| i.dst).into())
        },
    ),
    method(
        "tzname",
        "(dt, /)",
        "Retrieve a string containing the abbreviation for the time zone that applies in a zone at a given datetime.",
        |th, a| {
            let found = find(th, a)?;
            Ok(found.map(|i| i.name).into())
        },
    ),
    method(
        "fromutc",
        "(dt, /)",
        "Given a datetime with local time in UTC, retrieve an adjusted datetime in local time.",
        from_utc,
    ),
    method("__reduce__", "()", "Function for serialization with the pickle protocol.", reduce),
];

impl ZoneInfo {
    fn of(v: &Value) -> &ZoneInfo {
        v.downcast_ref().expect("the slot belongs to ZoneInfo")
    }
}

/// The caches of the class itself: subclasses have a weak one each.
#[derive(Default)]
struct Caches {
    weak: ValueCell,
    /// Used last comes first.
    strong: Locked<Vec<(Value, Value)>>,
}
const STRONG_SIZE: usize = 8;

fn weak_dict(th: &mut Thread) -> PyResult<Value> {
    let module = import_module(th, "weakref")?;
    attr::call_method(th, &module, "WeakValueDictionary", &[])
}
fn weak_cache(th: &mut Thread, class: &Ref<Type>) -> PyResult<Value> {
    if !class.is(&ZONE_INFO) {
        return attr::get_text(th, class.as_value(), "_weak_cache");
    }
    let caches = th.interp.extension::<Caches>();
    match caches.weak.get() {
        Some(cache) => Ok(cache),
        None => {
            let made = weak_dict(th)?;
            Ok(caches.weak.get_or_set(made))
        }
    }
}
/// Takes an entry out of the strong cache.
fn take_strong(th: &mut Thread, class: &Ref<Type>, key: &Value) -> PyResult<Option<Value>> {
    if !class.is(&ZONE_INFO) {
        return Ok(None);
    }
    let caches = th.interp.extension::<Caches>();
    let entries = caches.strong.get();
    for (k, v) in entries {
        if compare::eq(th, &k, key)? {
            caches.strong.lock().retain(|(other, _)| !other.is(&k));
            return Ok(Some(v));
        }
    }
    Ok(None)
}
fn put_strong(th: &mut Thread, class: &Ref<Type>, key: &Value, v: &Value) {
    if class.is(&ZONE_INFO) {
        let caches = th.interp.extension::<Caches>();
        let mut strong = caches.strong.lock();
        strong.insert(0, (key.clone(), v.clone()));
        let old = if strong.len() > STRONG_SIZE { strong.pop() } else { None };
        drop(strong);
        drop(old);
    }
}
fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static PARAMETERS: Parameters<1> = Parameters { function: "function", names: ["key"], required: 1, positional: 1 };
    let [key] = PARAMETERS.bind(th, args)?;
    let key = key.expect("it is required");
    if let Some(v) = take_strong(th, class, key)? {
        put_strong(th, class, key, &v);
        return Ok(v);
    }
    let weak = weak_cache(th, class)?;
    let mut v = attr::call_method(th, &weak, "get", &[key.clone(), Value::NONE])?;
    if v.is_none() {
        let made = create(th, class, key, Source::Cache)?;
        v = attr::call_method(th, &weak, "setdefault", &[key.clone(), made])?;
    }
    // Reading the file may have filled the cache with this key.
    take_strong(th, class, key)?;
    put_strong(th, class, key, &v);
    Ok(v)
}
fn clear_cache(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let class = a.this_ref::<Type>();
    let weak = weak_cache(th, &class)?;
    let Some(keys) = a.opt_not_none(1) else {
        attr::call_method(th, &weak, "clear", &[])?;
        if class.is(&ZONE_INFO) {
            let old = std::mem::take(&mut *th.interp.extension::<Caches>().strong.lock());
            drop(old);
        }
        return Ok(Value::NONE);
    };
    let keys = iter::iter(th, keys)?;
    while let Some(key) = iter::next(th, &keys)? {
        take_strong(th, &class, &key)?;
        attr::call_method(th, &weak, "pop", &[key, Value::NONE])?;
    }
    Ok(Value::NONE)
}
/// A zone by its key, from the files of the system or the package `tzdata`.
fn create(th: &mut Thread, class: &Ref<Type>, key: &Value, source: Source) -> PyResult<Value> {
    let paths = import_module(th, "zoneinfo._tzpath")?;
    let path = attr::call_method(th, &paths, "find_tzfile", std::slice::from_ref(key))?;
    let file = if path.is_none() {
        let common = import_module(th, "zoneinfo._common")?;
        attr::call_method(th, &common, "load_tzdata", std::slice::from_ref(key))?
    } else {
        let io = import_module(th, "io")?;
        attr::call_method(th, &io, "open", &[path, "rb".into()])?
    };
    let zone = read(th, &file);
    let earlier = th.take_exc();
    let closed = attr::call_method(th, &file, "close", &[]);
    if zone.is_err() {
        th.exc = earlier;
    } else {
        closed?;
    }
    let made =
        ZoneInfo { base: TzInfo {}, key: key.clone(), file: Value::NONE, source: Locked::new(source), zone: zone? };
    Ok(Ref::with_class(made, class.object()).into())
}
fn read(th: &mut Thread, file: &Value) -> PyResult<Zone> {
    let common = import_module(th, "zoneinfo._common")?;
    let data = attr::call_method(th, &common, "load_data", std::slice::from_ref(file))?;
    match data.downcast_ref::<Tuple>() {
        Some(t) if t.len() == 6 => Zone::of(th, t),
        _ => {
            let shown = repr::repr(th, &data)?;
            Err(type_error(th, format!("Invalid data result type: {shown}")))
        }
    }
}
fn find(th: &mut Thread, a: &Args<'_>) -> PyResult<Option<zone::Info>> {
    let zone = &ZoneInfo::of(&a[0]).zone;
    if a[1].is_none() {
        return Ok(zone.fixed());
    }
    match a[1].downcast_ref::<DateTime>() {
        Some(dt) => Ok(Some(zone.local(dt.ymd(), dt.clock, dt.fold()))),
        None => {
            let class = class_name(&a[1]);
            Err(type_error(th, format!("argument must be a datetime instance or None, not {class}")))
        }
    }
}
fn from_utc(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(dt) = a[1].downcast_ref::<DateTime>() else {
        return Err(type_error(th, "fromutc: argument must be a datetime instance"));
    };
    if !dt.tzinfo().is(&a[0]) {
        return Err(value_error(th, "fromutc: dt.tzinfo is not self"));
    }
    let (info, fold) = ZoneInfo::of(&a[0]).zone.local_of_utc(dt.ymd(), dt.clock);
    let made = datetime_arith::shift(th, &a[1], i128::from(info.seconds) * 1_000_000)?;
    if !fold {
        return Ok(made);
    }
    match made.downcast_exact::<DateTime>() {
        Some(dt) => {
            dt.set_fold(1);
            Ok(made)
        }
        None => {
            let replace = attr::get_text(th, &made, "replace")?;
            call::call_kw(th, &replace, &[1.into()], &["fold".into()])
        }
    }
}
fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let zone = ZoneInfo::of(&a[0]);
    let source = zone.source.get();
    if source == Source::File {
        let pickle = import_module(th, "pickle")?;
        let message = "Cannot pickle a ZoneInfo file created from a file stream.";
        let made = attr::call_method(th, &pickle, "PicklingError", &[message.into()])?;
        return Err(raise_value(th, made));
    }
    let function = attr::get_text(th, a[0].class_ref().as_value(), "_unpickle")?;
    let args = Tuple::of([zone.key.clone(), (source as i32).into()]);
    Ok(Tuple::of([function, args.into()]).into())
}
fn show(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let (zone, class) = (ZoneInfo::of(v), full_name(&v.class_ref()));
    let mut out = StrBuilder::new();
    if zone.key.is_none() {
        out.push_text(&format!("{class}.from_file("));
        out.push_str(&*repr::str(th, &zone.file)?);
    } else {
        out.push_text(&format!("{class}(key="));
        out.push_str(&*repr::repr(th, &zone.key)?);
    }
    out.push_text(")");
    Ok(out.finish().into())
}
