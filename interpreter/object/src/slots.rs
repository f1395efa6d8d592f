//! Type slots: the function pointers through which protocols reach a type. One table declares `SlotDefs` (what a builtin
//! class states) and `Slots` (what a type object holds, changeable at run time). The pairing with dunder names is
//! `runtime/src/types/type/slotdefs.rs`.
use std::sync::atomic::{AtomicUsize, Ordering::*};

use crate::native::Args;
use crate::refs::Ref;
use crate::str::Str;
use crate::thread::Thread;
use crate::type_object::Type;
use crate::value::Value;
use crate::{PyResult, buffer::Buffer};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum CmpOp {
    Lt,
    Le,
    Eq,
    Ne,
    Gt,
    Ge,
}
impl CmpOp {
    pub const fn symbol(self) -> &'static str {
        ["<", "<=", "==", "!=", ">", ">="][self as usize]
    }
    /// The operator with its operands swapped.
    pub const fn reflected(self) -> CmpOp {
        match self {
            CmpOp::Lt => CmpOp::Gt,
            CmpOp::Le => CmpOp::Ge,
            CmpOp::Gt => CmpOp::Lt,
            CmpOp::Ge => CmpOp::Le,
            same => same,
        }
    }
    pub fn of(self, order: std::cmp::Ordering) -> bool {
        match self {
            CmpOp::Lt => order.is_lt(),
            CmpOp::Le => order.is_le(),
            CmpOp::Eq => order.is_eq(),
            CmpOp::Ne => order.is_ne(),
            CmpOp::Gt => order.is_gt(),
            CmpOp::Ge => order.is_ge(),
        }
    }
}

/// `type(cls, args)` up to and without `__init__`: `cls` is the class asked for.
pub type NewFn = fn(&mut Thread, &Ref<Type>, &Args<'_>) -> PyResult<Value>;
pub type InitFn = fn(&mut Thread, &Value, &Args<'_>) -> PyResult<()>;
pub type CallFn = fn(&mut Thread, &Value, &Args<'_>) -> PyResult<Value>;
pub type UnaryFn = fn(&mut Thread, &Value) -> PyResult<Value>;
/// Either operand may be the type's own; `NotImplemented` passes on.
pub type BinaryFn = fn(&mut Thread, &Value, &Value) -> PyResult<Value>;
pub type TernaryFn = fn(&mut Thread, &Value, &Value, &Value) -> PyResult<Value>;
pub type HashFn = fn(&mut Thread, &Value) -> PyResult<i64>;
pub type LenFn = fn(&mut Thread, &Value) -> PyResult<usize>;
pub type BoolFn = fn(&mut Thread, &Value) -> PyResult<bool>;
/// A miss is `Ok(None)`: no exception is built for it.
pub type GetAttrFn = fn(&mut Thread, &Value, &Ref<Str>) -> PyResult<Option<Value>>;
/// `None` deletes.
pub type SetAttrFn = fn(&mut Thread, &Value, &Ref<Str>, Option<&Value>) -> PyResult<()>;
pub type CompareFn = fn(&mut Thread, &Value, &Value, CmpOp) -> PyResult<Value>;
/// `Ok(None)` is exhaustion.
pub type NextFn = fn(&mut Thread, &Value) -> PyResult<Option<Value>>;
/// Descriptor, instance (or none), owner class (or none).
pub type DescrGetFn = fn(&mut Thread, &Value, Option<&Value>, Option<&Value>) -> PyResult<Value>;
pub type DescrSetFn = fn(&mut Thread, &Value, &Value, Option<&Value>) -> PyResult<()>;
pub type ItemFn = fn(&mut Thread, &Value, isize) -> PyResult<Value>;
pub type SetItemFn = fn(&mut Thread, &Value, isize, Option<&Value>) -> PyResult<()>;
pub type SetSubscriptFn = fn(&mut Thread, &Value, &Value, Option<&Value>) -> PyResult<()>;
pub type ContainsFn = fn(&mut Thread, &Value, &Value) -> PyResult<bool>;
pub type RepeatFn = fn(&mut Thread, &Value, isize) -> PyResult<Value>;
pub type FinalizeFn = fn(&mut Thread, &Value);
/// The exporter, and the memoryview of what is given back.
pub type ReleaseFn = fn(&mut Thread, &Value, &Value) -> PyResult<()>;
/// Flags as in `buffer::flags`.
pub type BufferFn = fn(&mut Thread, &Value, u32) -> PyResult<Buffer>;

/// A slot of a type object: a function pointer or nothing, replaced atomically.
pub struct SlotCell<F> {
    bits: AtomicUsize,
    kind: std::marker::PhantomData<F>,
}
// SAFETY: the cell holds a plain function pointer.
unsafe impl<F: Copy + Send> Sync for SlotCell<F> {}

impl<F: Copy> SlotCell<F> {
    pub const fn empty() -> Self {
        SlotCell { bits: AtomicUsize::new(0), kind: std::marker::PhantomData }
    }
    #[inline(always)]
    pub fn get(&self) -> Option<F> {
        const { assert!(size_of::<F>() == size_of::<usize>()) };
        let bits = self.bits.load(Relaxed);
        // SAFETY: `F` is a function pointer type (see the table below) and `bits` came from one in `set`.
        if bits == 0 { None } else { Some(unsafe { std::mem::transmute_copy::<usize, F>(&bits) }) }
    }
    pub fn set(&self, f: Option<F>) {
        // SAFETY: as in `get`; a function pointer is one word.
        let bits = f.map_or(0, |f| unsafe { std::mem::transmute_copy::<F, usize>(&f) });
        self.bits.store(bits, Release);
    }
    pub fn is_set(&self) -> bool {
        self.bits.load(Relaxed) != 0
    }
    pub fn inherit(&self, base: &Self) {
        if !self.is_set() {
            self.bits.store(base.bits.load(Relaxed), Release);
        }
    }
    /// Copies the other cell's content, empty or not.
    pub fn copy_from(&self, other: &Self) {
        self.bits.store(other.bits.load(Relaxed), Release);
    }
    /// Whether both hold the same function (or nothing).
    pub fn same(&self, other: &Self) -> bool {
        self.bits.load(Relaxed) == other.bits.load(Relaxed)
    }
}

macro_rules! slots {
    ($($(#[$doc:meta])* $name:ident: $ty:ty,)*) => {
        /// What a builtin class states; all empty by default: `SlotDefs { repr: Some(f), ..SlotDefs::EMPTY }`.
        #[derive(Clone, Copy)]
        pub struct SlotDefs { $($(#[$doc])* pub $name: Option<$ty>,)* }
        impl SlotDefs { pub const EMPTY: SlotDefs = SlotDefs { $($name: None,)* }; }
        /// What a type object holds.
        pub struct Slots { $($(#[$doc])* pub $name: SlotCell<$ty>,)* }
        impl Slots {
            pub const fn empty() -> Slots { Slots { $($name: SlotCell::empty(),)* } }
            /// Fills every slot that the class states.
            pub fn fill(&self, defs: &SlotDefs) { $(if defs.$name.is_some() { self.$name.set(defs.$name); })* }
            /// Fills every empty slot from the base.
            pub fn inherit_all(&self, base: &Slots) { $(self.$name.inherit(&base.$name);)* }
        }
    };
}

slots! {
    new: NewFn,
    init: InitFn,
    call: CallFn,
    repr: UnaryFn,
    str: UnaryFn,
    hash: HashFn,
    getattr: GetAttrFn,
    setattr: SetAttrFn,
    compare: CompareFn,
    iter: UnaryFn,
    next: NextFn,
    descr_get: DescrGetFn,
    descr_set: DescrSetFn,
    finalize: FinalizeFn,
    buffer: BufferFn,
    release_buffer: ReleaseFn,
    await_: UnaryFn,
    aiter: UnaryFn,
    anext: UnaryFn,
    add: BinaryFn,
    subtract: BinaryFn,
    multiply: BinaryFn,
    remainder: BinaryFn,
    divmod: BinaryFn,
    /// base, exponent, modulus or None
    power: TernaryFn,
    negative: UnaryFn,
    positive: UnaryFn,
    absolute: UnaryFn,
    bool: BoolFn,
    invert: UnaryFn,
    lshift: BinaryFn,
    rshift: BinaryFn,
    and: BinaryFn,
    xor: BinaryFn,
    or: BinaryFn,
    int: UnaryFn,
    float: UnaryFn,
    inplace_add: BinaryFn,
    inplace_subtract: BinaryFn,
    inplace_multiply: BinaryFn,
    inplace_remainder: BinaryFn,
    inplace_power: TernaryFn,
    inplace_lshift: BinaryFn,
    inplace_rshift: BinaryFn,
    inplace_and: BinaryFn,
    inplace_xor: BinaryFn,
    inplace_or: BinaryFn,
    floor_divide: BinaryFn,
    true_divide: BinaryFn,
    inplace_floor_divide: BinaryFn,
    inplace_true_divide: BinaryFn,
    index: UnaryFn,
    matrix_multiply: BinaryFn,
    inplace_matrix_multiply: BinaryFn,
    sq_len: LenFn,
    sq_concat: BinaryFn,
    sq_repeat: RepeatFn,
    sq_item: ItemFn,
    sq_set_item: SetItemFn,
    contains: ContainsFn,
    sq_inplace_concat: BinaryFn,
    sq_inplace_repeat: RepeatFn,
    mp_len: LenFn,
    subscript: BinaryFn,
    set_subscript: SetSubscriptFn,
}
