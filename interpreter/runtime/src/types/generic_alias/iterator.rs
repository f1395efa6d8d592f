//! The iterator of a generic alias: gives the alias with a star once.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{ClassDef, Ref, SlotDefs, Tuple, TypeObject, VTable, Value, ValueCell, type_flag};

use super::{GenericAlias, this};
use crate::types::iterators::{builtin, self_iter};

#[derive(Trace, Payload)]
#[payload(class = GENERIC_ALIAS_ITERATOR)]
struct AliasIterator {
    /// Empty once the starred alias was given.
    alias: ValueCell,
}
static LAYOUT: VTable = VTable::of::<AliasIterator>();
static GENERIC_ALIAS_ITERATOR: TypeObject = TypeObject::builtin("generic_alias_iterator", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    methods: &[method("__reduce__", "()", "Return state information for pickling.", |th, a| {
        let iter = builtin(th, "iter")?;
        let rest = match a.this::<AliasIterator>().alias.get() {
            Some(alias) => alias,
            None => Tuple::empty().into(),
        };
        Ok(Tuple::of([iter, Tuple::of([rest]).into()]).into())
    })],
    slots: SlotDefs {
        iter: Some(self_iter),
        next: Some(|_, v| {
            let it: &AliasIterator = v.downcast_ref().expect("the slot belongs to the iterator");
            let Some(alias) = it.alias.take() else { return Ok(None) };
            let (origin, args) = (this(&alias).origin.clone(), this(&alias).args.clone());
            let starred = GenericAlias { origin, args, parameters: ValueCell::empty(), starred: true };
            Ok(Some(Ref::new(starred).into()))
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&GENERIC_ALIAS_ITERATOR)
};

/// The iterator of `alias`.
pub fn new(alias: &Value) -> Value {
    Ref::new(AliasIterator { alias: ValueCell::new(Some(alias.clone())) }).into()
}
