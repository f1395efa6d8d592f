//! `_CData`: an object over foreign memory, and how values go in and out of it. CPython: `PyCData_*` of `_ctypes.c`.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::buffer::{Buffer, Export};
use krait_object::native::{getter, member, method};
use krait_object::{
    Args, Bytes, ClassDef, Dict, GetSet, Locked, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject,
    VTable, Value, ValueCell, builtin_types, type_flag,
};
use krait_runtime::errors::{memory_error, type_error, value_error};
use krait_runtime::protocol::{attr, call};

use super::info::{self, Info, Kind};
use super::memory::{self, Block};
use super::{classes, simple};

#[derive(Trace, Payload)]
#[payload(class = CDATA)]
pub struct CData {
    #[trace(skip)]
    address: AtomicUsize,
    #[trace(skip)]
    size: AtomicUsize,
    /// The object's own memory under key 0, else what the pointer at that address points to.
    #[trace(skip)]
    pub blocks: Locked<Vec<(usize, Block)>>,
    /// The object whose memory this one is part of, and which part.
    pub base: ValueCell,
    #[trace(skip)]
    index: usize,
    /// What the memory refers to: a dict of parts, or one object.
    pub objects: ValueCell,
    #[trace(skip)]
    length: usize,
    pub argtypes: ValueCell,
    pub restype: ValueCell,
    pub errcheck: ValueCell,
    pub paramflags: ValueCell,
}
static LAYOUT: VTable = VTable::of::<CData>();
pub static CDATA: TypeObject = TypeObject::builtin("_CData", Some(&builtin_types::OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_ctypes",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs { buffer: Some(buffer), hash: Some(krait_runtime::types::type_::unhashable), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::IMMUTABLE | type_flag::HAVE_GC | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&CDATA)
};
static METHODS: &[Method] = &[
    method("__ctypes_from_outparam__", "()", "The object itself, as the result of an output parameter.", |th, a| {
        // Simple types proper answer their value.
        match info::of_instance(th, &a[0]) {
            Some(info) if is_plain_simple(&a[0].class_ref(), &info) => {
                simple::get(th, &info, a.this::<CData>().address())
            }
            _ => Ok(a[0].clone()),
        }
    }),
    method("__reduce__", "()", "For pickling.", reduce),
    method("__setstate__", "(state, /)", "For unpickling.", set_state),
];
static GETSET: &[GetSet] = &[
    member("_b_base_", "the base object", |_, v| Ok(this(v).base.get().unwrap_or(Value::NONE))),
    member("_b_needsfree_", "whether the object owns the memory or not", |_, v| {
        Ok(Value::int(i64::from(this(v).owns_memory())))
    }),
    getter("_objects", "internal objects tree (NEVER CHANGE THIS OBJECT!)", |_, v| {
        Ok(this(v).objects.get().unwrap_or(Value::NONE))
    }),
];

pub fn this(v: &Value) -> &CData {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

impl CData {
    fn blank(address: usize, info: &Info) -> CData {
        let cell = ValueCell::empty;
        CData {
            address: AtomicUsize::new(address),
            size: AtomicUsize::new(info.size),
            blocks: Locked::new(Vec::new()),
            base: cell(),
            index: 0,
            objects: cell(),
            length: info.length,
            argtypes: cell(),
            restype: cell(),
            errcheck: cell(),
            paramflags: cell(),
        }
    }

    /// A new object with memory of its own, zeroed.
    pub fn owned(th: &mut Thread, class: &Ref<Type>) -> PyResult<Value> {
        let info = info::required(th, &class.to_value())?;
        info::seal(th, &class.to_value());
        let Some(block) = Block::new(info.size) else { return Err(memory_error(th)) };
        let data = CData::blank(block.address(), &info);
        data.blocks.lock().push((0, block));
        Ok(Ref::with_class(data, class.object()).into())
    }

    /// An object over memory that somebody else keeps.
    pub fn at(th: &mut Thread, class: &Value, address: usize) -> PyResult<Value> {
        CData::part(th, class, None, 0, address)
    }

    /// Part of another object's memory.
    pub fn part(th: &mut Thread, class: &Value, base: Option<&Value>, index: usize, address: usize) -> PyResult<Value> {
        let info = info::required(th, class)?;
        info::seal(th, class);
        let mut data = CData::blank(address, &info);
        data.index = index;
        data.base.set(base.cloned());
        let Some(class) = class.to_ref::<Type>() else { return Err(type_error(th, "expected a ctypes type")) };
        Ok(Ref::with_class(data, class.object()).into())
    }

    pub fn address(&self) -> usize {
        self.address.load(Relaxed)
    }
    pub fn size(&self) -> usize {
        self.size.load(Relaxed)
    }
    pub fn length(&self) -> usize {
        self.length
    }
    fn owns_memory(&self) -> bool {
        self.blocks.lock().first().is_some_and(|(key, _)| *key == 0)
    }
    pub fn bytes(&self) -> Vec<u8> {
        memory::load(self.address(), self.size())
    }
    /// The address that the memory holds.
    pub fn pointer(&self) -> usize {
        memory::load_word(self.address())
    }

    /// Keeps a block for as long as the object, for the pointer at an address.
    pub fn keep_block(&self, key: usize, block: Block) {
        let mut blocks = self.blocks.lock();
        let old = match blocks.iter().position(|(held, _)| *held == key) {
            Some(at) => Some(std::mem::replace(&mut blocks[at].1, block)),
            None => {
                blocks.push((key, block));
                None
            }
        };
        drop(blocks);
        drop(old);
    }

    /// `resize()`.
    pub fn resize(&self, th: &mut Thread, size: usize, smallest: usize) -> PyResult<()> {
        if size < smallest {
            return Err(value_error(th, format!("minimum size is {smallest}")));
        }
        if !self.owns_memory() {
            return Err(value_error(th, "Memory cannot be resized because this object doesn't own it"));
        }
        let Some(block) = Block::new(size) else { return Err(memory_error(th)) };
        memory::store(block.address(), &memory::load(self.address(), self.size().min(size)));
        self.address.store(block.address(), Relaxed);
        self.size.store(size, Relaxed);
        self.keep_block(0, block);
        Ok(())
    }
}

/// The object that owns the memory that `value` is part of.
pub fn container(value: &Value) -> Value {
    let mut at = value.clone();
    while let Some(base) = this(&at).base.get() {
        if base.downcast_ref::<CData>().is_none() {
            break;
        }
        at = base;
    }
    let data = this(&at);
    if !data.objects.is_set() {
        let fresh = if data.length != 0 { Dict::new().into() } else { Value::NONE };
        data.objects.set(Some(fresh));
    }
    at
}

/// What keeps the memory's referents alive.
pub fn kept(value: &Value) -> Value {
    let owner = container(value);
    this(&owner).objects.get().unwrap_or(Value::NONE)
}

/// Keeps an object alive for part `index` of `target`.
pub fn keep(th: &mut Thread, target: &Value, index: usize, object: Value) -> PyResult<()> {
    if object.is_none() {
        return Ok(());
    }
    let owner = container(target);
    let held = this(&owner).objects.get();
    let Some(dict) = held.as_ref().and_then(|held| held.downcast_ref::<Dict>()) else {
        this(&owner).objects.set(Some(object));
        return Ok(());
    };
    let mut key = format!("{index:x}");
    let mut at = target.clone();
    while let Some(base) = this(&at).base.get() {
        if base.downcast_ref::<CData>().is_none() {
            break;
        }
        key += &format!(":{:x}", this(&at).index);
        at = base;
    }
    dict.set(th, Value::str(&key), object)
}

/// Whether values of a class are seen as plain Python values: a simple type itself, not a class derived from one.
pub fn is_plain_simple(class: &Ref<Type>, info: &Info) -> bool {
    info.kind == Kind::Simple && class.base().is_some_and(|base| base.is(&classes::SIMPLE))
}

/// The value of part `index` of `owner`, which lies at an address.
pub fn get_part(th: &mut Thread, class: &Value, owner: &Value, index: usize, address: usize) -> PyResult<Value> {
    let info = info::required(th, class)?;
    if let Some(reference) = class.to_ref::<Type>()
        && is_plain_simple(&reference, &info)
    {
        return simple::get(th, &info, address);
    }
    CData::part(th, class, Some(owner), index, address)
}

/// Stores a value as part `index` of `owner`.
pub fn set_part(
    th: &mut Thread,
    class: &Value,
    owner: &Value,
    index: usize,
    address: usize,
    value: &Value,
) -> PyResult<()> {
    let kept = store_value(th, class, owner, address, value)?;
    keep(th, owner, index, kept)
}

/// Stores a value of a class at an address in `owner`'s memory; answers what must be kept alive.
fn store_value(th: &mut Thread, class: &Value, owner: &Value, address: usize, value: &Value) -> PyResult<Value> {
    let info = info::required(th, class)?;
    let Some(source) = value.downcast_ref::<CData>() else {
        if info.kind == Kind::Simple {
            return simple::set(th, &info, owner, address, value);
        }
        if let Some(items) = value.downcast_ref::<Tuple>() {
            let made = call::call(th, class, items).map_err(|raised| init_error(th, class, raised))?;
            return store_value(th, class, owner, address, &made);
        }
        if info.kind == Kind::Pointer && value.is_none() {
            memory::store(address, &0usize.to_ne_bytes());
            return Ok(Value::NONE);
        }
        let (wanted, given) = (class_name(class), value.class().name());
        return Err(type_error(th, format!("expected {wanted} instance, got {given}")));
    };
    let wanted = class.to_ref::<Type>();
    if wanted.as_ref().is_some_and(|wanted| value.is_instance(wanted.object())) {
        memory::store(address, &memory::load(source.address(), info.size.min(source.size())));
        return Ok(kept(value));
    }
    let given = info::of_instance(th, value);
    if info.kind == Kind::Pointer
        && let Some(given) = &given
        && given.kind == Kind::Array
        && given.item.as_ref().zip(info.item.as_ref()).is_some_and(|(a, b)| a.is(b))
    {
        memory::store(address, &source.address().to_ne_bytes());
        return Ok(Tuple::of([kept(value), value.clone()]).into());
    }
    let (wanted, given) = (class_name(class), value.class().name());
    Err(type_error(th, format!("incompatible types, {given} instance instead of {wanted} instance")))
}

/// A failed call of a class for a tuple shows as RuntimeError with the class's name.
fn init_error(th: &mut Thread, class: &Value, raised: krait_object::Raised) -> krait_object::Raised {
    let error = krait_runtime::errors::take(th, raised);
    let text = krait_runtime::protocol::repr::str(th, &error).map(|text| text.to_string_lossy().into_owned());
    let (name, kind) = (class_name(class), error.class().name());
    let text = text.unwrap_or_default();
    krait_runtime::errors::runtime_error(th, format!("({name}) {kind}: {text}"))
}

pub fn class_name(class: &Value) -> String {
    class.downcast_ref::<Type>().map_or_else(String::new, |class| class.name().to_string())
}

/// An export of an object's memory.
struct MemoryExport {
    owner: Value,
}
impl Export for MemoryExport {
    fn read(&self, f: &mut dyn FnMut(&[u8])) {
        let data = this(&self.owner);
        // SAFETY: the owner is kept and its memory with it.
        f(unsafe { std::slice::from_raw_parts(data.address() as *const u8, data.size()) });
    }
    fn write(&self, f: &mut dyn FnMut(&mut [u8])) {
        let data = this(&self.owner);
        // SAFETY: as above; foreign memory has no other Rust references while `f` runs, which runs no Python code.
        f(unsafe { std::slice::from_raw_parts_mut(data.address() as *mut u8, data.size()) });
    }
}

fn buffer(th: &mut Thread, v: &Value, _: u32) -> PyResult<Buffer> {
    let info = info::of_instance(th, v);
    let data = this(v);
    let mut out = Buffer::bytes(v.clone(), Arc::new(MemoryExport { owner: v.clone() }), data.size(), false);
    let Some(info) = info else { return Ok(out) };
    let mut itemsize = info.size;
    let mut item = Arc::clone(&info);
    while item.kind == Kind::Array
        && let Some(next) = item.item.as_ref().and_then(|class| info::of(th, class))
    {
        itemsize = next.size;
        item = next;
    }
    out.format = Cow::Owned(info.format.clone());
    out.itemsize = itemsize;
    out.shape = info.shape.clone();
    out.strides = (0..info.shape.len())
        .map(|dim| (itemsize * info.shape[dim + 1..].iter().product::<usize>()) as isize)
        .collect();
    // What is no array may have been made larger (`ctypes.resize`).
    if !out.shape.is_empty() {
        out.len = itemsize * out.shape.iter().product::<usize>();
    }
    Ok(out)
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = a.this::<CData>();
    let info = info::of_instance(th, &a[0]);
    if let Some(info) = info
        && (matches!(info.kind, Kind::Pointer | Kind::Function) || holds_pointers(th, &info))
    {
        return Err(value_error(th, "ctypes objects containing pointers cannot be pickled"));
    }
    let module = krait_runtime::import::import_module(th, "_ctypes")?;
    let unpickle = attr::get_text(th, &module, "_unpickle")?;
    let dict = attr::get_text_opt(th, &a[0], "__dict__")?.unwrap_or_else(|| Dict::new().into());
    let state = Tuple::of([dict, Bytes::new(&data.bytes()).into()]).into();
    let arguments = Tuple::of([a[0].class_ref().to_value(), state]).into();
    Ok(Tuple::of([unpickle, arguments]).into())
}

pub fn holds_pointers(th: &Thread, info: &Info) -> bool {
    match info.kind {
        Kind::Pointer | Kind::Function => true,
        Kind::Simple => matches!(info.code, 'z' | 'Z' | 'P' | 'O'),
        Kind::Array => item_info(th, info).is_some_and(|item| holds_pointers(th, &item)),
        Kind::Structure | Kind::Union => {
            info.members.iter().any(|member| info::of(th, member).is_some_and(|member| holds_pointers(th, &member)))
        }
    }
}

pub fn item_info(th: &Thread, info: &Info) -> Option<Arc<Info>> {
    info::of(th, info.item.as_ref()?)
}

fn set_state(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let parts = a[1].downcast_ref::<Tuple>().filter(|parts| parts.len() == 2);
    let parts = parts.and_then(|parts| Some((parts[0].clone(), parts[1].downcast_ref::<Bytes>()?)));
    let Some((dict, bytes)) = parts else { return Err(type_error(th, "__setstate__ takes a dict and bytes")) };
    let data = a.this::<CData>();
    memory::store(data.address(), &bytes.as_slice()[..bytes.len().min(data.size())]);
    if let Some(own) = attr::get_text_opt(th, &a[0], "__dict__")? {
        attr::call_method(th, &own, "update", &[dict])?;
    }
    Ok(Value::NONE)
}
