//! The class `Pickler`: configuration, memo and hooks.
use std::collections::HashMap;

use krait_macros::{Payload, Trace};
use krait_object::native::{GetSet, getset, method};
use krait_object::{
    Args, ClassDef, Dict, Locked, Method, PyResult, Ref, SlotDefs, Str, Thread, Tuple, TypeObject, VTable, Value,
    ValueCell, builtin_types::OBJECT, type_flag,
};
use krait_runtime::errors::{attribute_error, type_error, value_error};
use krait_runtime::protocol::{attr, compare, number};
use krait_runtime::types::object::{generic_getattr, generic_setattr};

use super::opcode::{DEFAULT_PROTOCOL, HIGHEST_PROTOCOL};
use super::{memo, pickling_error, save};

/// What a pickler was told.
#[derive(Clone)]
pub struct Config {
    pub protocol: i32,
    pub fix_imports: bool,
    pub buffer_callback: Option<Value>,
}
impl Config {
    pub fn of(
        th: &mut Thread,
        protocol: Option<&Value>,
        fix_imports: Option<&Value>,
        buffer_callback: Option<&Value>,
    ) -> PyResult<Config> {
        let mut n = match protocol.filter(|p| !p.is_none()) {
            None => DEFAULT_PROTOCOL,
            Some(p) => number::to_i32(th, p)?,
        };
        if n < 0 {
            n = HIGHEST_PROTOCOL;
        } else if n > HIGHEST_PROTOCOL {
            return Err(value_error(th, format!("pickle protocol must be <= {HIGHEST_PROTOCOL}")));
        }
        let fix_imports = match fix_imports {
            None => true,
            Some(v) => compare::truth(th, v)?,
        };
        let buffer_callback = buffer_callback.filter(|c| !c.is_none()).cloned();
        if buffer_callback.is_some() && n < 5 {
            return Err(value_error(th, "buffer_callback needs protocol >= 5"));
        }
        Ok(Config { protocol: n, fix_imports: fix_imports && n < 3, buffer_callback })
    }
}

/// Hashes identities.
#[derive(Clone, Copy, Default)]
pub struct IdHasher;
impl std::hash::BuildHasher for IdHasher {
    type Hasher = IdHash;
    fn build_hasher(&self) -> IdHash {
        IdHash(0)
    }
}
/// Identities are addresses: one multiplication spreads them.
pub struct IdHash(u64);
impl std::hash::Hasher for IdHash {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.write_u64(b.into());
        }
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0 ^ n).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(26);
    }
}

#[derive(Trace, Payload)]
#[payload(class = PICKLER)]
pub struct Pickler {
    #[trace(skip)]
    protocol: Locked<i32>,
    #[trace(skip)]
    fix_imports: Locked<bool>,
    #[trace(skip)]
    pub fast: Locked<i32>,
    buffer_callback: ValueCell,
    /// The file's `write`; none until `__init__`.
    write: ValueCell,
    dispatch_table: ValueCell,
    /// `persistent_id` set on the instance.
    persistent_id: ValueCell,
    /// Places in the memo by identity, and what is there.
    #[trace(skip)]
    places: Locked<HashMap<u64, usize, IdHasher>>,
    kept: Locked<Vec<Value>>,
}
static LAYOUT: VTable = VTable::of::<Pickler>();
pub static PICKLER: TypeObject = TypeObject::builtin("Pickler", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_pickle",
    doc: "This takes a binary file for writing a pickle data stream.",
    sig: "(file, protocol=None, fix_imports=True, buffer_callback=None)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| {
            let config = Config { protocol: DEFAULT_PROTOCOL, fix_imports: false, buffer_callback: None };
            Ok(Ref::with_class(Pickler::new(config), class.object()).into())
        }),
        init: Some(init),
        getattr: Some(getattr),
        setattr: Some(setattr),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&PICKLER)
};
static METHODS: &[Method] = &[
    method("dump", "(obj, /)", "Write a pickled representation of the given object to the open file.", |th, a| {
        let p = a.this_ref::<Pickler>();
        if !p.write.is_set() {
            let class = a[0].class().name();
            return Err(pickling_error(th, format!("Pickler.__init__() was not called by {class}.__init__()")));
        }
        save::dump(th, Some(&a[0]), &p, &a[1])?;
        Ok(Value::NONE)
    }),
    method("clear_memo", "()", "Clears the pickler's \"memo\".", |_, a| {
        a.this::<Pickler>().clear_memo();
        Ok(Value::NONE)
    }),
    method("persistent_id", "(obj, /)", "", |_, _| Ok(Value::NONE)),
    method("__sizeof__", "()", "Returns size in memory, in bytes.", |_, a| {
        let p = a.this::<Pickler>();
        Ok((size_of::<Pickler>() + 16 + p.kept.lock().capacity() * 24).into())
    }),
];
static GETSET: &[GetSet] = &[
    getset("memo", "", |_, v| Ok(memo::pickler_proxy(v)), set_memo),
    GetSet {
        name: "bin",
        doc: "",
        get: |_, v| Ok(Value::from(i32::from(this(v).protocol() > 0))),
        set: None,
        member: true,
    },
    GetSet {
        name: "fast",
        doc: "",
        get: |_, v| Ok(this(v).fast.get().into()),
        set: Some(|th, v, new| {
            let n = match new {
                Some(new) => number::to_i32(th, new)?,
                None => return Err(type_error(th, "can't delete numeric/char attribute")),
            };
            this(v).fast.set(n);
            Ok(())
        }),
        member: true,
    },
    GetSet {
        name: "dispatch_table",
        doc: "",
        get: |th, v| match this(v).dispatch_table.get() {
            Some(table) => Ok(table),
            None => {
                let class = v.class().name();
                Err(attribute_error(th, format!("'{class}' object has no attribute 'dispatch_table'")))
            }
        },
        set: Some(|th, v, new| {
            if new.is_none() && !this(v).dispatch_table.is_set() {
                return Err(attribute_error(th, "dispatch_table"));
            }
            this(v).dispatch_table.set(new.cloned());
            Ok(())
        }),
        member: true,
    },
];
fn this(v: &Value) -> &Pickler {
    v.downcast_ref().expect("the slot belongs to Pickler")
}

impl Pickler {
    pub fn new(config: Config) -> Pickler {
        Pickler {
            protocol: Locked::new(config.protocol),
            fix_imports: Locked::new(config.fix_imports),
            fast: Locked::new(0),
            buffer_callback: ValueCell::new(config.buffer_callback),
            write: ValueCell::empty(),
            dispatch_table: ValueCell::empty(),
            persistent_id: ValueCell::empty(),
            places: Locked::new(HashMap::default()),
            kept: Locked::new(Vec::new()),
        }
    }
    pub fn set_file(&self, th: &mut Thread, file: &Value) -> PyResult<()> {
        match attr::get_text_opt(th, file, "write")? {
            Some(write) => {
                self.write.set(Some(write));
                Ok(())
            }
            None => Err(type_error(th, "file must have a 'write' attribute")),
        }
    }
    pub fn protocol(&self) -> i32 {
        self.protocol.get()
    }
    pub fn config(&self) -> Config {
        Config {
            protocol: self.protocol.get(),
            fix_imports: self.fix_imports.get(),
            buffer_callback: self.buffer_callback.get(),
        }
    }
    pub fn write(&self) -> Option<Value> {
        self.write.get()
    }
    pub fn dispatch_table(&self) -> Option<Value> {
        self.dispatch_table.get()
    }
    pub fn own_persistent_id(&self) -> Option<Value> {
        self.persistent_id.get()
    }
    pub fn memo_place(&self, v: &Value) -> Option<usize> {
        self.places.lock().get(&v.bits()).copied()
    }
    /// Memorises an object and returns its number.
    pub fn memorise(&self, v: &Value) -> usize {
        let mut kept = self.kept.lock();
        let place = kept.len();
        kept.push(v.clone());
        self.places.lock().insert(v.bits(), place);
        place
    }
    pub fn clear_memo(&self) {
        let old = (std::mem::take(&mut *self.places.lock()), std::mem::take(&mut *self.kept.lock()));
        drop(old);
    }
    /// `{id: (number, object)}`.
    pub fn memo_dict(&self, th: &mut Thread) -> PyResult<Ref<Dict>> {
        let d = Dict::new();
        let places: Vec<(u64, usize)> = self.places.lock().iter().map(|(&k, &v)| (k, v)).collect();
        for (_, place) in places {
            let Some(v) = self.kept.lock().get(place).cloned() else { continue };
            let key = num_bigint::BigInt::from(v.id());
            d.set(th, key.into(), Tuple::of([place.into(), v]).into())?;
        }
        Ok(d)
    }
    fn replace_memo(&self, entries: Vec<(usize, Value)>) {
        self.clear_memo();
        let most = entries.iter().map(|(n, _)| n + 1).max().unwrap_or(0);
        let mut kept = vec![Value::NONE; most.max(entries.len())];
        let mut places = HashMap::default();
        for (n, v) in entries {
            places.insert(v.bits(), n);
            kept[n] = v;
        }
        *self.kept.lock() = kept;
        *self.places.lock() = places;
    }
}

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static PARAMETERS: crate::arguments::Parameters<4> = crate::arguments::Parameters {
        function: "Pickler()",
        names: ["file", "protocol", "fix_imports", "buffer_callback"],
        required: 1,
        positional: 4,
    };
    let [file, protocol, fix_imports, callback] = PARAMETERS.bind(th, args)?;
    let p = this(v);
    let config = Config::of(th, protocol, fix_imports, callback)?;
    p.write.set(None);
    p.set_file(th, file.expect("it is required"))?;
    p.protocol.set(config.protocol);
    p.fix_imports.set(config.fix_imports);
    p.buffer_callback.set(config.buffer_callback);
    p.fast.set(0);
    p.clear_memo();
    // A class may state a table for all its instances.
    let table = attr::get_text_opt(th, v, "dispatch_table")?;
    p.dispatch_table.set(table);
    Ok(())
}
fn getattr(th: &mut Thread, v: &Value, name: &Ref<Str>) -> PyResult<Option<Value>> {
    if name.eq_str("persistent_id")
        && let Some(own) = this(v).persistent_id.get()
    {
        return Ok(Some(own));
    }
    generic_getattr(th, v, name)
}
fn setattr(th: &mut Thread, v: &Value, name: &Ref<Str>, value: Option<&Value>) -> PyResult<()> {
    if name.eq_str("persistent_id") {
        if value.is_none() && !this(v).persistent_id.is_set() {
            return Err(attribute_error(th, "persistent_id"));
        }
        this(v).persistent_id.set(value.cloned());
        return Ok(());
    }
    generic_setattr(th, v, name, value)
}
fn set_memo(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let Some(new) = new else { return Err(type_error(th, "attribute deletion is not supported")) };
    if let Some(other) = memo::proxied_pickler(new) {
        let kept = other.kept.get();
        let places: Vec<usize> = other.places.lock().values().copied().collect();
        let entries = places.into_iter().filter_map(|n| kept.get(n).map(|v| (n, v.clone()))).collect();
        this(v).replace_memo(entries);
        return Ok(());
    }
    let Some(d) = new.downcast_ref::<Dict>() else {
        let class = new.class().name();
        let message = format!("'memo' attribute must be a PicklerMemoProxy object or dict, not {class}");
        return Err(type_error(th, message));
    };
    let mut entries = Vec::new();
    for (_, entry) in d.items() {
        let pair = entry.downcast_ref::<Tuple>().map(Tuple::as_slice);
        let Some([place, object]) = pair else {
            return Err(type_error(th, "'memo' values must be 2-item tuples"));
        };
        let n = number::to_isize(th, place)?;
        entries.push((usize::try_from(n).unwrap_or(0).min(1 << 24), object.clone()));
    }
    this(v).replace_memo(entries);
    Ok(())
}
