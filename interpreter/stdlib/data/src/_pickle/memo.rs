//! `Pickler.memo` and `Unpickler.memo`: views of the memos.
use krait_macros::{Payload, Trace};
use krait_object::native::method;
use krait_object::{
    ClassDef, Dict, Method, Ref, Tuple, TypeObject, VTable, Value,
    builtin_types::{DICT, OBJECT},
    type_flag,
};

use super::pickler::Pickler;
use super::unpickler::Unpickler;

#[derive(Trace, Payload)]
#[payload(class = PICKLER_MEMO)]
struct PicklerMemo {
    owner: Ref<Pickler>,
}
#[derive(Trace, Payload)]
#[payload(class = UNPICKLER_MEMO)]
struct UnpicklerMemo {
    owner: Ref<Unpickler>,
}
static PICKLER_LAYOUT: VTable = VTable::of::<PicklerMemo>();
static UNPICKLER_LAYOUT: VTable = VTable::of::<UnpicklerMemo>();
static PICKLER_MEMO: TypeObject = TypeObject::builtin("PicklerMemoProxy", Some(&OBJECT), &PICKLER_LAYOUT);
static UNPICKLER_MEMO: TypeObject = TypeObject::builtin("UnpicklerMemoProxy", Some(&OBJECT), &UNPICKLER_LAYOUT);

const FLAGS: u32 = type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC;
pub static PICKLER_DEF: ClassDef =
    ClassDef { module: "_pickle", methods: PICKLER_METHODS, flags: FLAGS, ..ClassDef::new(&PICKLER_MEMO) };
pub static UNPICKLER_DEF: ClassDef =
    ClassDef { module: "_pickle", methods: UNPICKLER_METHODS, flags: FLAGS, ..ClassDef::new(&UNPICKLER_MEMO) };

fn reduced(d: Ref<Dict>) -> Value {
    Tuple::of([DICT.to_value(), Tuple::of([d.into()]).into()]).into()
}
static PICKLER_METHODS: &[Method] = &[
    method("clear", "()", "Remove all items from memo.", |_, a| {
        a.this::<PicklerMemo>().owner.clear_memo();
        Ok(Value::NONE)
    }),
    method("copy", "()", "Copy the memo to a new object.", |th, a| {
        a.this::<PicklerMemo>().owner.memo_dict(th).map(Value::from)
    }),
    method("__reduce__", "()", "Implement pickle support.", |th, a| {
        a.this::<PicklerMemo>().owner.memo_dict(th).map(reduced)
    }),
];
static UNPICKLER_METHODS: &[Method] = &[
    method("clear", "()", "Remove all items from memo.", |_, a| {
        a.this::<UnpicklerMemo>().owner.memo.lock().clear();
        Ok(Value::NONE)
    }),
    method("copy", "()", "Copy the memo to a new object.", |th, a| {
        a.this::<UnpicklerMemo>().owner.memo_dict(th).map(Value::from)
    }),
    method("__reduce__", "()", "Implement pickling support.", |th, a| {
        a.this::<UnpicklerMemo>().owner.memo_dict(th).map(reduced)
    }),
];
pub fn pickler_proxy(v: &Value) -> Value {
    match v.to_ref::<Pickler>() {
        Some(owner) => Ref::new(PicklerMemo { owner }).into(),
        None => Value::NONE,
    }
}
pub fn unpickler_proxy(v: &Value) -> Value {
    match v.to_ref::<Unpickler>() {
        Some(owner) => Ref::new(UnpicklerMemo { owner }).into(),
        None => Value::NONE,
    }
}
pub fn proxied_pickler(v: &Value) -> Option<Ref<Pickler>> {
    v.downcast_ref::<PicklerMemo>().map(|m| m.owner.clone())
}
pub fn proxied_unpickler(v: &Value) -> Option<Ref<Unpickler>> {
    v.downcast_ref::<UnpicklerMemo>().map(|m| m.owner.clone())
}
