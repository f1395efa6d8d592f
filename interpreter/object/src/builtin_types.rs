//! The static type objects of the types whose storage lives in this crate. Their methods and slots are attached by
//! `runtime` (`ClassDef`).
use crate::refs::VTable;
use crate::type_object::{Type, TypeObject};
use crate::{bytes, dict, float, int, list, set, str, tuple};

macro_rules! layouts {
    ($($name:ident: $vtable:expr;)*) => { $(static $name: VTable = $vtable;)* };
}
layouts! {
    OBJECT_LAYOUT: VTable::of::<()>();
    TYPE_LAYOUT: VTable::of::<Type>();
    INT_LAYOUT: VTable::of::<int::Int>();
    FLOAT_LAYOUT: VTable::of::<float::Float>();
    STR_LAYOUT: VTable::of::<str::Str>().variable(str::block_len);
    BYTES_LAYOUT: VTable::of::<bytes::Bytes>().variable(bytes::block_len);
    TUPLE_LAYOUT: VTable::of::<tuple::Tuple>().variable(tuple::block_len);
    LIST_LAYOUT: VTable::of::<list::List>();
    DICT_LAYOUT: VTable::of::<dict::Dict>();
    SET_LAYOUT: VTable::of::<set::Set>();
    FROZENSET_LAYOUT: VTable::of::<set::FrozenSet>();
}

pub static OBJECT: TypeObject = TypeObject::builtin("object", None, &OBJECT_LAYOUT);
pub static TYPE: TypeObject = TypeObject::builtin("type", Some(&OBJECT), &TYPE_LAYOUT);
pub static INT: TypeObject = TypeObject::builtin("int", Some(&OBJECT), &INT_LAYOUT);
pub static BOOL: TypeObject = TypeObject::builtin_like("bool", &INT);
pub static FLOAT: TypeObject = TypeObject::builtin("float", Some(&OBJECT), &FLOAT_LAYOUT);
pub static NONE_TYPE: TypeObject = TypeObject::builtin_like("NoneType", &OBJECT);
pub static NOT_IMPLEMENTED_TYPE: TypeObject = TypeObject::builtin_like("NotImplementedType", &OBJECT);
pub static ELLIPSIS_TYPE: TypeObject = TypeObject::builtin_like("ellipsis", &OBJECT);
pub static STR: TypeObject = TypeObject::builtin("str", Some(&OBJECT), &STR_LAYOUT);
pub static BYTES: TypeObject = TypeObject::builtin("bytes", Some(&OBJECT), &BYTES_LAYOUT);
pub static TUPLE: TypeObject = TypeObject::builtin("tuple", Some(&OBJECT), &TUPLE_LAYOUT);
pub static LIST: TypeObject = TypeObject::builtin("list", Some(&OBJECT), &LIST_LAYOUT);
pub static DICT: TypeObject = TypeObject::builtin("dict", Some(&OBJECT), &DICT_LAYOUT);
pub static SET: TypeObject = TypeObject::builtin("set", Some(&OBJECT), &SET_LAYOUT);
pub static FROZENSET: TypeObject = TypeObject::builtin("frozenset", Some(&OBJECT), &FROZENSET_LAYOUT);

/// The payload of plain instances: nothing. Everything is in the instance tail.
///
// SAFETY: OBJECT is built with the empty payload's vtable.
unsafe impl crate::refs::Payload for () {
    #[inline(always)]
    fn class() -> &'static TypeObject {
        &OBJECT
    }
}
