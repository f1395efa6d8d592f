//! The builtin types: one file or folder each, named as in Python. [`CLASSES`] is what start-up makes ready,
//! [`BUILTINS`] what `builtins` shows.
pub mod bool_;
pub mod bytearray;
pub mod bytes;
pub mod callable_iter;
pub mod capsule;
pub mod cell;
pub mod classmethod;
pub mod code;
pub mod complex;
pub mod descriptor;
pub mod dict;
pub mod ellipsis;
pub mod enumerate;
pub mod filter;
pub mod float;
pub mod frame;
pub mod function;
pub mod generator;
pub mod generic_alias;
pub mod int;
pub mod iterators;
pub mod list;
pub mod map;
pub mod mappingproxy;
pub mod memoryview;
pub mod method;
pub mod module;
pub mod native_function;
pub mod none;
pub mod not_implemented;
pub mod number_format;
pub mod object;
pub mod property;
pub mod range;
pub mod reduce;
pub mod reversed;
pub mod seq_iter;
pub mod set;
pub mod simple_namespace;
pub mod slice;
pub mod staticmethod;
pub mod str;
pub mod structseq;
pub mod super_;
pub mod traceback;
pub mod tuple;
pub mod type_;
pub mod typing;
pub mod union_type;
pub mod weakref;
pub mod zip;

use krait_object::builtin_types as t;
use krait_object::{ClassDef, Thread, TypeObject};

/// Every builtin class, bases before their subclasses.
pub static CLASSES: &[&[&ClassDef]] = &[
    &[&object::DEF, &type_::DEF],
    descriptor::DEFS,
    &[
        &native_function::DEF,
        &staticmethod::DEF,
        &classmethod::DEF,
        &property::DEF,
        &super_::DEF,
        &module::DEF,
        &simple_namespace::DEF,
        &generic_alias::DEF,
        &generic_alias::iterator::DEF,
        &union_type::DEF,
        &cell::DEF,
        &code::DEF,
        &function::DEF,
        &method::DEF,
        &frame::DEF,
        &frame::proxy::DEF,
        &traceback::DEF,
        &int::DEF,
        &bool_::DEF,
        &float::DEF,
        &complex::DEF,
        &none::DEF,
        &not_implemented::DEF,
        &capsule::DEF,
        &ellipsis::DEF,
        &slice::DEF,
        &enumerate::DEF,
        &zip::DEF,
        &map::DEF,
        &filter::DEF,
        &reversed::DEF,
        &mappingproxy::DEF,
    ],
    weakref::DEFS,
    typing::DEFS,
    generator::DEFS,
    str::DEFS,
    bytes::DEFS,
    bytearray::DEFS,
    list::DEFS,
    tuple::DEFS,
    dict::DEFS,
    set::DEFS,
    range::DEFS,
    seq_iter::DEFS,
    callable_iter::DEFS,
    memoryview::DEFS,
    crate::exceptions::DEFS,
];

/// The types that `builtins` shows under their names; exceptions come from `exceptions`.
pub static BUILTINS: &[&TypeObject] = &[
    &t::OBJECT,
    &t::TYPE,
    &t::INT,
    &t::BOOL,
    &t::FLOAT,
    &complex::COMPLEX,
    &t::STR,
    &t::BYTES,
    &bytearray::BYTEARRAY,
    &memoryview::MEMORYVIEW,
    &t::TUPLE,
    &t::LIST,
    &t::DICT,
    &t::SET,
    &t::FROZENSET,
    &range::RANGE,
    &slice::SLICE,
    &enumerate::ENUMERATE,
    &zip::ZIP,
    &map::MAP,
    &filter::FILTER,
    &reversed::REVERSED,
    &staticmethod::STATICMETHOD,
    &classmethod::CLASSMETHOD,
    &property::PROPERTY,
    &super_::SUPER,
];

/// Makes every builtin class ready. Cheap after the first interpreter of the process.
pub fn ready_all(th: &mut Thread) {
    descriptor::MEMBER_DESCRIPTOR.share_layout(&descriptor::GETSET_DESCRIPTOR);
    for class in CLASSES.iter().flat_map(|group| group.iter()) {
        class.class.ready_layout();
    }
    for class in CLASSES.iter().flat_map(|group| group.iter()) {
        type_::ready::ready_class(th, class);
    }
}
