//! `functools._lru_cache_wrapper`: a function with a cache of its results. The cache is a dict in order of use, the least
//! recent first.
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::{INT, OBJECT, STR};
use krait_object::native::{Sig, method};
use krait_object::{
    Args, ClassDef, Dict, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, ValueCell,
    type_flag,
};
use krait_runtime::errors::type_error;
use krait_runtime::protocol::{attr, call, compare, number};

#[derive(Trace, Payload)]
#[payload(class = LRU_CACHE_WRAPPER)]
pub struct LruCache {
    function: Value,
    /// `None`: unbounded.
    maxsize: Option<usize>,
    typed: bool,
    info_class: Value,
    cache: Ref<Dict>,
    /// Separates positional from keyword parts of a key; equal to nothing else.
    mark: Value,
    hits: AtomicUsize,
    misses: AtomicUsize,
    attributes: ValueCell,
}
static LAYOUT: VTable = VTable::of::<LruCache>();
pub static LRU_CACHE_WRAPPER: TypeObject = TypeObject::builtin("_lru_cache_wrapper", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "functools",
    doc: "Create a cached callable that wraps another function.\n\nuser_function:      the function being cached\n\nmaxsize:  0         for no caching\n          None      for unlimited cache size\n          n         for a bounded cache\n\ntyped:    False     cache f(3) and f(3.0) as identical calls\n          True      cache f(3) and f(3.0) as distinct calls\n\ncache_info_type:    namedtuple class with the fields:\n                        hits misses currsize maxsize\n",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), call: Some(call_cached), descr_get: Some(descr_get), ..SlotDefs::EMPTY },
    flags: type_flag::METHOD_DESCRIPTOR | type_flag::WEAKREF | type_flag::HAVE_GC,
    dict_cell: Some(|v| v.downcast_ref::<LruCache>().map(|c| &c.attributes)),
    ..ClassDef::new(&LRU_CACHE_WRAPPER)
};
static METHODS: &[Method] = &[
    method("cache_info", "()", "Report cache statistics", cache_info),
    method("cache_clear", "()", "Clear the cache and cache statistics", cache_clear),
    method("__reduce__", "()", "", |th, a| attr::get_text(th, &a[0], "__qualname__")),
    method("__copy__", "", "", |_, a| Ok(a.pos()[0].clone())),
    method("__deepcopy__", "", "", |_, a| Ok(a.pos()[0].clone())),
];

fn this(v: &Value) -> &LruCache {
    v.downcast_ref().expect("the slot belongs to _lru_cache_wrapper")
}

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(user_function, maxsize, typed, cache_info_type)");
    let b = SIG.bind(th, "lru_cache", "lru_cache", args, 0)?;
    let a = b.args();
    if !call::is_callable(&a[0]) {
        return Err(type_error(th, "the first argument must be callable"));
    }
    let maxsize = if a[1].is_none() {
        None
    } else if number::has_index(&a[1]) {
        Some(number::index_isize(th, &a[1])?.max(0) as usize)
    } else {
        return Err(type_error(th, "maxsize should be integer or None"));
    };
    let payload = LruCache {
        function: a[0].clone(),
        maxsize,
        typed: compare::truth(th, &a[2])?,
        info_class: a[3].clone(),
        cache: Dict::new(),
        mark: Ref::new(()).into(),
        hits: AtomicUsize::new(0),
        misses: AtomicUsize::new(0),
        attributes: ValueCell::empty(),
    };
    Ok(Ref::with_class(payload, cls.object()).into())
}

/// What the arguments are remembered by.
fn key(c: &LruCache, args: &Args<'_>) -> Value {
    if !c.typed
        && let [one] = args.all()
        && !args.has_kw()
        && (one.is_exact(&INT) || one.is_exact(&STR))
    {
        return one.clone();
    }
    let mut parts = args.pos().to_vec();
    if args.has_kw() {
        parts.push(c.mark.clone());
        for (name, value) in args.kw() {
            parts.push(name.clone());
            parts.push(value.clone());
        }
    }
    if c.typed {
        parts.extend(args.all().iter().map(|v| v.class_ref().into_value()));
    }
    Tuple::from_vec(parts).into()
}

fn call_cached(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    let c = this(v);
    if c.maxsize == Some(0) {
        c.misses.fetch_add(1, Relaxed);
        return call::call_args(th, &c.function, args);
    }
    let key = key(c, args);
    let hash = compare::hash(th, &key)?;
    let bounded = c.maxsize.is_some();
    let hit = c.cache.with_place(th, &key, hash, |table, place| {
        let i = place?;
        if !bounded || table.next_place(i + 1).is_none() {
            return table.at(i).map(|(_, value)| value.clone());
        }
        // To the end: the most recently used.
        let (key, value) = table.remove_at(i)?;
        table.push(hash, key, value.clone());
        Some(value)
    })?;
    if let Some(value) = hit {
        c.hits.fetch_add(1, Relaxed);
        return Ok(value);
    }
    c.misses.fetch_add(1, Relaxed);
    let result = call::call_args(th, &c.function, args)?;
    // The call may have filled the cache, with this very key even; then that entry stays.
    let maxsize = c.maxsize.unwrap_or(usize::MAX);
    let (stored, kept) = (result.clone(), key.clone());
    let evicted = c.cache.with_place(th, &key, hash, |table, place| {
        if place.is_some() {
            return None;
        }
        let oldest = if table.len() >= maxsize { table.next_place(0) } else { None };
        let evicted = oldest.and_then(|i| table.remove_at(i));
        table.push(hash, kept, stored);
        evicted
    })?;
    drop(evicted);
    Ok(result)
}

fn descr_get(_: &mut Thread, v: &Value, object: Option<&Value>, _: Option<&Value>) -> PyResult<Value> {
    match object {
        Some(object) if !object.is_none() => {
            Ok(krait_runtime::types::method::Method::new(v.clone(), object.clone()).into())
        }
        _ => Ok(v.clone()),
    }
}

fn cache_info(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let c = this(&a[0]);
    let numbers: [Value; 4] =
        [c.hits.load(Relaxed).into(), c.misses.load(Relaxed).into(), c.maxsize.into(), c.cache.len().into()];
    call::call(th, &c.info_class, &numbers)
}

fn cache_clear(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let c = this(&a[0]);
    c.hits.store(0, Relaxed);
    c.misses.store(0, Relaxed);
    c.cache.clear();
    Ok(Value::NONE)
}
