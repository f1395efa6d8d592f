//! Type objects as data: name, bases, MRO, namespace, slots, layout and the method cache. How types are built, inherit
//! and dispatch to dunder methods is `runtime/src/types/type`.
mod found;
pub(crate) mod methods;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU16, AtomicU32, Ordering::*};

use crate::dict::Dict;
use crate::header::Header;
use crate::instance::{TAIL_HEADER, shape::ShapeRoot};
use crate::locked::{Locked, ValueCell};
use crate::refs::{Object, Payload, Ref, VTable};
use crate::slots::Slots;
use crate::str::Str;
use crate::trace::{Trace, Tracer};
use crate::tuple::Tuple;
use crate::value::Value;
use found::FoundNames;
use methods::Methods;

pub type TypeObject = Object<Type>;

/// Type flags, with CPython's values where Python sees them in `__flags__`.
pub mod type_flag {
    pub const SEQUENCE: u32 = 1 << 5;
    pub const MAPPING: u32 = 1 << 6;
    pub const DISALLOW_INSTANTIATION: u32 = 1 << 7;
    pub const IMMUTABLE: u32 = 1 << 8;
    pub const HEAP: u32 = 1 << 9;
    /// May be subclassed.
    pub const BASE: u32 = 1 << 10;
    pub const READY: u32 = 1 << 12;
    /// The namespace of the class, or of a base, has keys that are no strings: a lookup may have to ask their `__eq__`.
    pub const ODD_KEYS: u32 = 1 << 13;
    pub const HAVE_GC: u32 = 1 << 14;
    pub const METHOD_DESCRIPTOR: u32 = 1 << 17;
    pub const ABSTRACT: u32 = 1 << 20;
    pub const MATCH_SELF: u32 = 1 << 22;
    pub const LONG_SUBCLASS: u32 = 1 << 24;
    pub const LIST_SUBCLASS: u32 = 1 << 25;
    pub const TUPLE_SUBCLASS: u32 = 1 << 26;
    pub const BYTES_SUBCLASS: u32 = 1 << 27;
    pub const UNICODE_SUBCLASS: u32 = 1 << 28;
    pub const DICT_SUBCLASS: u32 = 1 << 29;
    pub const BASE_EXC_SUBCLASS: u32 = 1 << 30;
    pub const TYPE_SUBCLASS: u32 = 1 << 31;
    /// Instances carry a `__dict__` in their tail.
    pub const TAIL_DICT: u32 = 1 << 4;
    /// Instances accept weak references.
    pub const WEAKREF: u32 = 1 << 3;
}

/// Where a builtin payload keeps the `__dict__` of its instances.
pub type DictCellFn = for<'a> fn(&'a Value) -> Option<&'a ValueCell>;

pub struct Type {
    static_name: &'static str,
    /// The name of a heap type, or of a builtin after assignment to `__name__`.
    heap_name: Locked<Option<Arc<str>>>,
    pub slots: Slots,
    flags: AtomicU32,
    /// Layout of instances; null until readied for a builtin that shares its base's.
    vtable: AtomicPtr<VTable>,
    /// The builtin type that determines the layout of instances.
    solid: AtomicPtr<TypeObject>,
    static_base: Option<&'static TypeObject>,
    base: ValueCell,
    bases: ValueCell,
    mro: ValueCell,
    dict: ValueCell,
    /// Weak references to direct subclasses, maintained by `runtime`.
    pub subclasses: ValueCell,
    pub qualname: ValueCell,
    pub module: ValueCell,
    pub dict_cell: crate::slots::SlotCell<DictCellFn>,
    /// `__slots__` members in the instance tail, the bases' included.
    fixed_slots: AtomicU16,
    pub(crate) shape_root: ShapeRoot,
    /// Names this state of the type for caches; 0 = none given yet. Never reused.
    version: AtomicU32,
    cache: FoundNames,
    /// Class attributes that inline caches name by index, valid for the present version.
    methods: Methods,
}

// SAFETY: every mutable part is an atomic or locked.
unsafe impl Sync for Type {}
// SAFETY: as above.
unsafe impl Send for Type {}

// SAFETY: the type object of `Type` is `builtin_types::TYPE`, built with its vtable.
unsafe impl Payload for Type {
    #[inline(always)]
    fn class() -> &'static TypeObject {
        &crate::builtin_types::TYPE
    }
}
// SAFETY: each cell once; the cache holds counted values too.
unsafe impl Trace for Type {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        for cell in [&self.base, &self.bases, &self.mro, &self.dict, &self.subclasses, &self.qualname, &self.module] {
            cell.trace(tracer);
        }
        self.cache.trace(tracer);
        self.methods.trace(tracer);
    }
}

/// A type's name: shared, printable, dereferences to `str`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Name {
    Static(&'static str),
    Shared(Arc<str>),
}
impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        match self {
            Name::Static(s) => s,
            Name::Shared(s) => s,
        }
    }
}
impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self)
    }
}

static NEXT_VERSION: AtomicU32 = AtomicU32::new(1);

/// A fresh version id, or 0 when they are exhausted (then nothing is cached any more).
pub fn next_version() -> u32 {
    NEXT_VERSION.fetch_update(Relaxed, Relaxed, |v| v.checked_add(1)).unwrap_or(0)
}

impl Type {
    const fn blank(name: &'static str, base: Option<&'static TypeObject>) -> Type {
        Type {
            static_name: name,
            heap_name: Locked::new(None),
            slots: Slots::empty(),
            flags: AtomicU32::new(0),
            vtable: AtomicPtr::new(std::ptr::null_mut()),
            solid: AtomicPtr::new(std::ptr::null_mut()),
            static_base: base,
            base: ValueCell::empty(),
            bases: ValueCell::empty(),
            mro: ValueCell::empty(),
            dict: ValueCell::empty(),
            subclasses: ValueCell::empty(),
            qualname: ValueCell::empty(),
            module: ValueCell::empty(),
            dict_cell: crate::slots::SlotCell::empty(),
            fixed_slots: AtomicU16::new(0),
            shape_root: ShapeRoot::new(),
            version: AtomicU32::new(0),
            cache: FoundNames::new(),
            methods: Methods::new(),
        }
    }
    pub fn name(&self) -> Name {
        match &*self.heap_name.lock() {
            Some(n) => Name::Shared(n.clone()),
            None => Name::Static(self.static_name),
        }
    }
    pub fn set_name(&self, name: Arc<str>) {
        *self.heap_name.lock() = Some(name);
    }
    #[inline(always)]
    pub fn flags(&self) -> u32 {
        self.flags.load(Relaxed)
    }
    pub fn has_flag(&self, f: u32) -> bool {
        self.flags() & f != 0
    }
    pub fn set_flags(&self, f: u32) {
        self.flags.fetch_or(f, Relaxed);
    }
    pub fn clear_flags(&self, f: u32) {
        self.flags.fetch_and(!f, Relaxed);
    }
    #[inline(always)]
    pub fn vtable(&self) -> &'static VTable {
        let p = self.vtable.load(Relaxed);
        debug_assert!(!p.is_null(), "type {} is not ready", self.static_name);
        // SAFETY: set once, from a static, before the first instance exists.
        unsafe { &*p }
    }
    /// Whether the type is a static (builtin) type object.
    #[inline(always)]
    pub fn is_static(&self) -> bool {
        self.flags() & type_flag::HEAP == 0
    }
    #[inline(always)]
    pub fn has_finalizer(&self) -> bool {
        self.slots.finalize.is_set()
    }
    /// `tp_base`.
    pub fn base(&self) -> Option<Ref<Type>> {
        match self.static_base {
            Some(base) => Some(Ref::from_object(base)),
            None => self.base.get().and_then(|v| v.downcast().ok()),
        }
    }
    /// The base that a builtin type object was declared with.
    pub fn static_base(&self) -> Option<&'static TypeObject> {
        self.static_base
    }
    pub fn set_base(&self, base: &Ref<Type>) {
        self.base.set(Some(base.to_value()));
    }
    pub fn bases(&self) -> Option<Ref<Tuple>> {
        self.bases.get().and_then(|v| v.downcast().ok())
    }
    pub fn set_bases(&self, bases: Option<Ref<Tuple>>) {
        self.bases.set(bases.map(Into::into));
    }
    /// The MRO; `None` while the type is being built.
    pub fn mro(&self) -> Option<Ref<Tuple>> {
        self.mro.get().and_then(|v| v.downcast().ok())
    }
    /// Whether the MRO has this class; `None` while there is no MRO.
    #[inline]
    pub fn has_ancestor(&self, class: &Value) -> Option<bool> {
        self.has_in_mro(class.bits())
    }
    #[inline]
    fn has_in_mro(&self, bits: u64) -> Option<bool> {
        self.mro.with(|mro| Some(mro.downcast_ref::<Tuple>()?.iter().any(|c| c.bits() == bits)))
    }
    pub fn set_mro(&self, mro: Option<Ref<Tuple>>) {
        self.mro.set(mro.map(Into::into));
    }
    /// The namespace. Whoever changes it calls [`Type::modified`].
    pub fn dict(&self) -> Option<Ref<Dict>> {
        self.dict.get().and_then(|v| v.downcast().ok())
    }
    pub fn set_dict(&self, dict: Ref<Dict>) {
        self.dict.set(Some(dict.into()));
    }
    pub fn fixed_slots(&self) -> u16 {
        self.fixed_slots.load(Relaxed)
    }
    pub fn set_fixed_slots(&self, n: u16) {
        self.fixed_slots.store(n, Relaxed);
    }
    /// Bytes of instance tail behind the payload of a new instance; 0 = no tail.
    pub fn tail_size(&self) -> usize {
        let fixed = self.fixed_slots() as usize;
        if self.flags() & type_flag::TAIL_DICT != 0 {
            TAIL_HEADER + 8 * (fixed + self.shape_root.capacity() as usize)
        } else if fixed != 0 {
            TAIL_HEADER + 8 * fixed
        } else {
            0
        }
    }
    /// Whether instances have the payload of the builtin type `target` (or an extension of it).
    #[inline]
    pub fn has_layout_of(&self, target: &'static TypeObject) -> bool {
        let wanted = target.payload.vtable.load(Relaxed);
        let mut solid = self.solid.load(Relaxed).cast_const();
        loop {
            if std::ptr::eq(solid, target) {
                return true;
            }
            if solid.is_null() {
                return false;
            }
            // SAFETY: solid types are static.
            let class = unsafe { &*solid };
            // Two builtin types may state one layout (`getset_descriptor`, `member_descriptor`).
            if class.payload.vtable.load(Relaxed) == wanted {
                return true;
            }
            solid = match class.payload.static_base {
                Some(base) => base.payload.solid.load(Relaxed).cast_const(),
                None => return false,
            };
        }
    }
    /// Whether instances have the same payload as those of `other`.
    pub fn has_same_layout(&self, other: &Type) -> bool {
        std::ptr::eq(self.vtable.load(Relaxed), other.vtable.load(Relaxed))
    }
    /// The builtin type that determines the layout.
    pub fn solid(&self) -> Option<&'static TypeObject> {
        // SAFETY: solid types are static.
        unsafe { self.solid.load(Relaxed).cast_const().as_ref() }
    }
    /// Takes the instance layout of `base`.
    pub fn inherit_layout(&self, base: &Type) {
        if self.vtable.load(Relaxed).is_null() {
            self.vtable.store(base.vtable.load(Relaxed), Relaxed);
        }
        if self.solid.load(Relaxed).is_null() {
            self.solid.store(base.solid.load(Relaxed), Relaxed);
        }
    }

    /// The id of the type's present state for caches, given on demand; 0 = uncacheable.
    pub fn version(&self) -> u32 {
        let v = self.version.load(Acquire);
        if v != 0 {
            return v;
        }
        // Not while `modified` is about to forget what was found in the state before.
        let _writing = self.methods.write();
        let v = self.version.load(Acquire);
        if v != 0 {
            return v;
        }
        let new = next_version();
        self.version.store(new, Release);
        new
    }
    /// The id given so far, 0 = none.
    #[inline(always)]
    pub fn current_version(&self) -> u32 {
        self.version.load(Relaxed)
    }
    /// As [`Type::current_version`], before whatever is read after it.
    pub(crate) fn version_now(&self) -> u32 {
        self.version.load(Acquire)
    }
    /// Invalidates the caches of this type alone; `runtime` walks the subclasses.
    pub fn modified(&self) {
        let writing = self.methods.write();
        self.version.store(0, Release);
        self.cache.clear();
        self.methods.clear(writing);
    }
    /// Gives a class attribute an index for inline caches, valid as long as [`Type::version`] stays.
    pub fn cache_method(&self, value: &Value) -> Option<u16> {
        self.methods.enter(value)
    }
    /// The class attribute with this index, if the type is still in the state that `version` (not 0) names.
    #[inline(always)]
    pub fn cached_method(&self, version: u32, index: u16) -> Option<Value> {
        if self.current_version() != version {
            return None;
        }
        let value = self.methods.get(index);
        // Another thread may have changed the type meanwhile, and given the index away again.
        if crate::header::multi() && self.version.load(Acquire) != version { None } else { value }
    }
    /// Instances to come get room for `n` attributes.
    pub fn reserve_slots(&self, n: u16) {
        self.shape_root.note_size(n);
    }
    /// Attributes that new instances have room for.
    pub fn slot_capacity(&self) -> u16 {
        self.shape_root.capacity()
    }
    /// An attribute of the classes in MRO order, without descriptors: `_PyType_Lookup`. `name` must be interned for the
    /// cache to be used.
    pub fn lookup(&self, name: &Ref<Str>) -> Option<Value> {
        if !name.is_interned() {
            return self.lookup_uncached(name);
        }
        let key = name.address();
        if let Some(found) = self.cache.get(key) {
            return found;
        }
        let generation = self.cache.generation();
        let found = self.lookup_uncached(name);
        self.cache.enter(key, found.clone(), generation);
        found
    }
    fn lookup_uncached(&self, name: &Ref<Str>) -> Option<Value> {
        let mro = self.mro()?;
        for class in mro.iter() {
            if let Some(class) = class.downcast_ref::<Type>()
                && let Some(dict) = class.dict()
                && let Some(v) = dict.get_str(name)
            {
                return Some(v);
            }
        }
        None
    }
}

impl Object<Type> {
    /// A builtin type object with a payload layout of its own. Its methods and slots come from a `ClassDef`.
    pub const fn builtin(name: &'static str, base: Option<&'static TypeObject>, vtable: &'static VTable) -> TypeObject {
        let mut payload = Type::blank(name, base);
        payload.vtable = AtomicPtr::new(std::ptr::from_ref(vtable).cast_mut());
        Object { header: Header::immortal(&crate::builtin_types::TYPE), payload }
    }
    /// A builtin type object whose instances have its base's payload.
    pub const fn builtin_like(name: &'static str, base: &'static TypeObject) -> TypeObject {
        Object { header: Header::immortal(&crate::builtin_types::TYPE), payload: Type::blank(name, Some(base)) }
    }
    /// As [`Object::builtin_like`], an instance of a builtin metaclass.
    pub const fn builtin_of(
        name: &'static str,
        base: &'static TypeObject,
        metaclass: &'static TypeObject,
    ) -> TypeObject {
        Object { header: Header::immortal(metaclass), payload: Type::blank(name, Some(base)) }
    }
    /// Fixes the layout of a builtin: its own, or its base's.
    pub fn ready_layout(&'static self) {
        if self.payload.vtable.load(Relaxed).is_null() {
            if let Some(base) = self.payload.static_base {
                base.ready_layout();
                self.payload.inherit_layout(&base.payload);
            }
        } else if self.payload.solid.load(Relaxed).is_null() {
            self.payload.solid.store(std::ptr::from_ref(self).cast_mut(), Relaxed);
        }
    }
    /// Gives instances the payload of `other`, which is no base of this class.
    pub fn share_layout(&'static self, other: &'static TypeObject) {
        other.ready_layout();
        self.payload.vtable.store(other.payload.vtable.load(Relaxed), Relaxed);
        self.payload.solid.store(other.payload.solid.load(Relaxed), Relaxed);
    }
    /// `issubclass(self, other)` by the MRO.
    #[inline]
    pub fn is_subtype(&self, other: &TypeObject) -> bool {
        if std::ptr::eq(self, other) {
            return true;
        }
        match self.payload.has_in_mro(std::ptr::from_ref(other) as u64) {
            Some(found) => found,
            None => {
                let mut at = self.payload.base();
                while let Some(class) = at {
                    if class.is(other) {
                        return true;
                    }
                    at = class.base();
                }
                false
            }
        }
    }
    /// A new heap type, an instance of `metaclass`, with the layout of `base` and an empty namespace.
    pub fn new_heap(metaclass: &TypeObject, name: Arc<str>, base: &Ref<Type>) -> Ref<Type> {
        let payload = Type::blank("", None);
        payload.set_name(name);
        payload.set_flags(type_flag::HEAP);
        payload.inherit_layout(base);
        payload.set_base(base);
        payload.set_fixed_slots(base.fixed_slots());
        Ref::with_class(payload, metaclass)
    }
}

impl Deref for Object<Type> {
    type Target = Type;
    #[inline(always)]
    fn deref(&self) -> &Type {
        &self.payload
    }
}
