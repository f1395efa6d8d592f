//! Inline caches of attribute instructions.
//! UNSAFE home: reads inline caches and instance words without the checks that the cache words already stand for. It calls
//! `krait_object::instance::cache`, whose conditions it guarantees by writing both cache words together for one state of a class,
//! and reading them so.
//!
//! Word 0: complement of a version id (high; so that an empty word, 0, names no version) and a shape id or a place in a
//! dict (low). Word 1: kind (bits 0..8), place in the instance: tail offset in words (8..16) and slot offset in bytes
//! (16..32), and a number (32..64).
use krait_object::instance::cache::{self, Place};
use krait_object::instance::shape_of;
use krait_object::{Ref, Str, Thread, Type, Value};
use krait_runtime::types::module::Module;

use crate::regs::Pc;

/// What an instruction has learnt.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// An attribute in a slot of the instance, by its shape.
    Slot = 1,
    /// A `__slots__` member.
    Member,
    /// An entry of the class's method table; the instance, by its shape, has no attribute of that name.
    Class,
    /// As `Class`, where instances have no attributes of their own.
    ClassOnly,
    /// An entry of the method table of the class that the object itself is; its own class has the version in word 0.
    OfType,
    /// As `OfType`, an object: bits 16..64 are its address, a multiple of 16.
    ObjectOfType,
    /// An entry of a module's namespace, by the version of its keys.
    Module,
    /// An attribute in the instance's dict, at the place in word 0.
    Hint,
    /// A data descriptor of the class, in the method table, whose `__get__` is called with the instance.
    Data,
    /// Storing adds an attribute in a slot and steps to the shape in the high half.
    Add,
    /// What `LOAD_METHOD` finds and calls with the instance, in the class's method table: bits 16..64 are its address, a
    /// multiple of 16. The instance, by its shape, has no attribute of that name.
    Method,
    /// As `Method`, where instances have no attributes of their own.
    MethodOnly,
}

#[inline(always)]
fn kind(detail: u64) -> u8 {
    detail as u8
}
#[inline(always)]
fn place(detail: u64) -> Place {
    Place { tail: ((detail >> 8) as u8 as u16) << 3, slot: (detail >> 16) as u16 }
}
#[inline(always)]
fn number(detail: u64) -> u32 {
    (detail >> 32) as u32
}
#[inline(always)]
fn version(word: u64) -> u32 {
    !((word >> 32) as u32)
}

/// What an instruction has learnt: both words, as they were written together.
#[derive(Clone, Copy)]
pub struct Learnt {
    word: u64,
    detail: u64,
}

/// The words of the instruction. Another thread may write them meanwhile: word 0 changes before word 1 does and is never again what
/// it was ([`write`]), so that the same word 0 before and after says that word 1 is its own.
#[inline(always)]
pub fn learnt(pc: Pc) -> Learnt {
    let (word, detail) = (pc.extra_acquire(0), pc.extra_acquire(1));
    if pc.extra_acquire(0) != word {
        std::hint::cold_path();
        return Learnt { word: 0, detail: 0 };
    }
    Learnt { word, detail }
}

/// Writes both words; nothing where the version is exhausted or the place does not fit.
pub fn fill(pc: Pc, what: Kind, version: u32, low: u32, place: Place, number: u32) -> Option<Learnt> {
    if version == 0 || place.tail >= 2048 {
        return None;
    }
    let detail = what as u64 | (place.tail as u64 >> 3) << 8 | (place.slot as u64) << 16 | (number as u64) << 32;
    Some(write(pc, Learnt { word: (!version as u64) << 32 | low as u64, detail }))
}
/// As [`fill`], of an object by its address: it is in the method table of the class that has the version. `None` also if the
/// address does not fit.
pub fn fill_object(pc: Pc, what: Kind, version: u32, low: u32, place: Place, object: &Value) -> Option<Learnt> {
    let address = object.bits();
    if version == 0 || place.tail >= 2048 || !object.is_pointer() || address & 15 != 0 {
        return None;
    }
    let detail = what as u64 | (place.tail as u64 >> 3) << 8 | address << 12;
    Some(write(pc, Learnt { word: (!version as u64) << 32 | low as u64, detail }))
}
#[inline(always)]
fn address(detail: u64) -> u64 {
    detail >> 16 << 4
}
/// Word 0 while a thread writes word 1: it names no version.
const WRITING: u64 = 1;
/// Gives the instruction what it has learnt. Where several threads run at once, only what is newer than what it has: a class's later
/// state, or a later shape of the same. So the words do not go to and fro between processors, and no reader takes a word 0 for the one
/// that it saw before another. What one thread writes meanwhile stays, too. (Whoever learns uses what it has learnt itself.)
fn write(pc: Pc, learnt: Learnt) -> Learnt {
    if !krait_object::header::multi() {
        pc.set_extra(0, learnt.word);
        pc.set_extra(1, learnt.detail);
        return learnt;
    }
    let before = pc.extra(0);
    let age = |word: u64| word ^ u64::from(u32::MAX) << 32;
    let newer = before == 0 || before != WRITING && age(learnt.word) > age(before);
    if newer && pc.exchange_extra(0, before, WRITING) {
        pc.set_extra_release(1, learnt.detail);
        pc.set_extra_release(0, learnt.word);
    }
    learnt
}
/// What an instruction does with an attribute: what one has learnt is of use to others that do the same.
#[derive(Clone, Copy)]
pub enum Access {
    Load = 1,
    Method,
    Store,
    /// The method of a class behind another one in the MRO.
    Super,
}
#[inline(always)]
fn key(access: Access, name: &Ref<Str>) -> usize {
    // Interned names live forever.
    name.address() | access as usize
}
/// What tells objects of one class apart for the caches: an instance's shape, the state of a class.
#[inline(always)]
pub fn detail_of(object: &Value) -> u32 {
    match object.downcast_ref::<Type>() {
        Some(class) => class.current_version(),
        None => shape_of(object),
    }
}
/// What another instruction, or this one on another object, has learnt of that name in objects of this class and
/// [`detail_of`] the object; the instruction is given it.
#[inline(always)]
pub fn recall(th: &Thread, pc: Pc, access: Access, object: &Value, name: &Ref<Str>) -> Option<Learnt> {
    let version = cache::heap_class(object)?.current_version();
    if version == 0 {
        return None;
    }
    let (word, detail) = th.vm.learnt.get(key(access, name), (version, detail_of(object)))?;
    Some(write(pc, Learnt { word, detail }))
}
/// Keeps what the instruction has learnt of that name in objects of this class for which
/// [`detail_of`] was the same.
pub fn keep(th: &mut Thread, learnt: Option<Learnt>, access: Access, object: &Value, before: u32, name: &Ref<Str>) {
    let (Some(Learnt { word, detail }), Some(class)) = (learnt, cache::heap_class(object)) else { return };
    let of_type = kind(detail) == Kind::OfType as u8 || kind(detail) == Kind::ObjectOfType as u8;
    let state = if of_type { word as u32 } else { version(word) };
    if state != 0 && state == class.current_version() && name.is_interned() {
        th.vm.learnt.set(key(access, name), (state, before), (word, detail));
    }
}
/// The function that `super(class, object).name` calls with the object, where that is known of objects of its class.
#[inline]
pub fn recall_super(th: &Thread, class: &Type, object: &Value, name: &Ref<Str>) -> Option<Value> {
    let version = cache::heap_class(object)?.current_version();
    let state = (version, class.current_version());
    if state.0 == 0 || state.1 == 0 {
        return None;
    }
    let (address, _) = th.vm.learnt.get(key(Access::Super, name), state)?;
    // SAFETY: `keep_super` entered what is at the address into the method table of the class that had the version.
    unsafe { cache::method(object, version, None, address) }
}
/// Keeps what was found for [`recall_super`], if the object's class still has the version that it had before the look-up.
pub fn keep_super(th: &mut Thread, class: &Type, object: &Value, version: u32, name: &Ref<Str>, found: &Value) {
    let own = object.class();
    let state = (version, class.version());
    if state.0 != 0 && state.1 != 0 && name.is_interned() && found.is_pointer() {
        let entered = own.cache_method(found).is_some();
        if entered && own.current_version() == version {
            th.vm.learnt.set(key(Access::Super, name), state, (found.bits(), 0));
        }
    }
}
pub const NO_PLACE: Place = Place { tail: 0, slot: 0 };

/// The attribute of `LOAD_ATTR` where the cache knows it as one in a slot of the instance.
#[inline(always)]
pub fn load_slot(learnt: Learnt, object: &Value) -> Option<Value> {
    let Learnt { word, detail } = learnt;
    if kind(detail) != Kind::Slot as u8 {
        return None;
    }
    // SAFETY: the words were written together for the class state that has this version.
    unsafe { cache::get(object, version(word), word as u32, place(detail)) }
}
/// The attribute of `LOAD_ATTR` where the cache knows it.
#[inline(always)]
pub fn load(learnt: Learnt, object: &Value, name: impl FnOnce() -> Ref<Str>) -> Option<Value> {
    load_slot(learnt, object).or_else(|| load_other(learnt, object, name))
}
/// As [`load`], but for what [`load_slot`] knows.
#[inline]
pub fn load_other(learnt: Learnt, object: &Value, name: impl FnOnce() -> Ref<Str>) -> Option<Value> {
    let Learnt { word, detail } = learnt;
    let class = cache::heap_class(object)?;
    const MEMBER: u8 = Kind::Member as u8;
    const CLASS: u8 = Kind::Class as u8;
    const CLASS_ONLY: u8 = Kind::ClassOnly as u8;
    const OF_TYPE: u8 = Kind::OfType as u8;
    const OBJECT_OF_TYPE: u8 = Kind::ObjectOfType as u8;
    const MODULE: u8 = Kind::Module as u8;
    const HINT: u8 = Kind::Hint as u8;
    match kind(detail) {
        // SAFETY: as in `load`.
        MEMBER => unsafe { cache::member(object, version(word), place(detail)) }?.get(),
        CLASS => {
            // SAFETY: as in `load`.
            let fits = unsafe { cache::has_shape(object, version(word), word as u32, place(detail)) };
            if fits { class.cached_method(version(word), number(detail) as u16) } else { None }
        }
        CLASS_ONLY => class.cached_method(version(word), number(detail) as u16),
        OF_TYPE => {
            if class.current_version() != word as u32 {
                return None;
            }
            object.downcast_ref::<Type>()?.cached_method(version(word), number(detail) as u16)
        }
        // SAFETY: as in `load`; the object's class had this version when the object was seen to be a class.
        OBJECT_OF_TYPE => unsafe { cache::of_type(object, word as u32, version(word), address(detail)) },
        MODULE => object.downcast_exact::<Module>()?.namespace().cached_item(version(word), word as u32),
        HINT if class.current_version() == version(word) => {
            krait_object::instance::dict_if_made(object)?.at_hint(word as u32, &name())
        }
        _ => None,
    }
}

/// Whether the cache knows a data descriptor, a property as a rule.
#[inline(always)]
pub fn knows_descriptor(pc: Pc) -> bool {
    kind(pc.extra(1)) == Kind::Data as u8
}
/// The data descriptor that `LOAD_ATTR` reads through, a property as a rule, where the cache knows it.
#[inline(always)]
pub fn descriptor(learnt: Learnt, object: &Value) -> Option<Value> {
    let Learnt { word, detail } = learnt;
    if kind(detail) != Kind::Data as u8 {
        return None;
    }
    cache::heap_class(object)?.cached_method(version(word), number(detail) as u16)
}

/// The function of `LOAD_METHOD`, which is called with the object, where the cache knows it.
#[inline(always)]
pub fn load_method(learnt: Learnt, object: &Value) -> Option<Value> {
    let Learnt { word, detail } = learnt;
    if kind(detail) == Kind::Method as u8 {
        // SAFETY: the words were written together for the class state that has this version.
        return unsafe { cache::method(object, version(word), Some((word as u32, place(detail))), address(detail)) };
    }
    if kind(detail) == Kind::MethodOnly as u8 {
        // SAFETY: as above.
        return unsafe { cache::method(object, version(word), None, address(detail)) };
    }
    None
}

/// Stores where the cache knows how; the value comes back otherwise.
#[inline(always)]
pub fn store(
    learnt: Learnt,
    object: &Value,
    value: Value,
    name: impl FnOnce() -> Ref<Str>,
) -> Result<Option<Value>, Value> {
    let Learnt { word, detail } = learnt;
    if kind(detail) == Kind::Slot as u8 {
        // SAFETY: the words were written together for the class state that has this version.
        return unsafe { cache::set(object, version(word), word as u32, place(detail), value) };
    }
    if kind(detail) == Kind::Add as u8 {
        let shapes = (word as u32, number(detail));
        // SAFETY: as above.
        return unsafe { cache::add(object, version(word), shapes, place(detail), value) }.map(|()| None);
    }
    store_other(word, detail, object, value, name)
}
#[inline(never)]
fn store_other(
    word: u64,
    detail: u64,
    object: &Value,
    value: Value,
    name: impl FnOnce() -> Ref<Str>,
) -> Result<Option<Value>, Value> {
    if kind(detail) == Kind::Member as u8 {
        // SAFETY: as in `store`.
        return match unsafe { cache::member(object, version(word), place(detail)) } {
            Some(cell) => Ok(cell.replace(Some(value))),
            None => Err(value),
        };
    }
    if kind(detail) == Kind::Hint as u8
        && cache::heap_class(object).is_some_and(|c| c.current_version() == version(word))
        && let Some(dict) = krait_object::instance::dict_if_made(object)
    {
        return dict.set_at_hint(word as u32, &name(), value).map(Some);
    }
    Err(value)
}

/// `CALL`'s cache word: complement of a class's version and the index of its `__init__` in the method table.
#[inline(always)]
pub fn init_of(pc: Pc, class: &Type) -> Option<Value> {
    let word = pc.extra(0);
    class.cached_method(version(word), word as u16)
}
pub fn fill_init(pc: Pc, class: &Type, init: &Value) {
    let version = class.version();
    if version != 0
        && let Some(index) = class.cache_method(init)
    {
        pc.set_extra(0, (!version as u64) << 32 | index as u64);
    }
}
