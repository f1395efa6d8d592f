//! Values, objects, reference counting, types as data, native binding: the first home of unsafe code. Everything above
//! this crate (`runtime`, `stdlib`) is safe Rust on top of what is exported here.
extern crate self as krait_object;

pub mod allocator;
pub mod buffer;
pub mod builtin_types;
pub mod bytes;
mod cell;
mod changes;
pub mod compare;
mod count;
pub mod dealloc;
pub mod dict;
pub mod float;
mod foreign;
pub mod gc;
pub mod hash;
pub mod header;
pub mod heap;
pub mod instance;
pub mod int;
pub mod intern;
pub mod interpreter;
pub mod kept;
pub mod list;
mod lock;
pub mod locked;
pub mod native;
pub mod refs;
mod retired;
pub mod set;
pub mod slots;
pub mod stack;
pub mod str;
mod sync;
pub mod table;
#[cfg(test)]
mod tests;
pub mod thread;
pub mod trace;
pub mod tuple;
pub mod type_object;
pub mod value;
pub mod weakref;
pub mod world;

pub use bytes::Bytes;
pub use dict::Dict;
pub use int::{Int, IntRef};
pub use interpreter::Interpreter;
pub use kept::Kept;
pub use list::List;
pub use locked::{Guard, Locked, ValueCell};
pub use native::{Args, ClassDef, GetSet, Method, ModuleDef};
pub use refs::{Object, Payload, Ref, VTable};
pub use set::{FrozenSet, Set};
pub use slots::{CmpOp, SlotDefs};
pub use str::{Kind, Str, StrBuilder, StrData};
pub use thread::Thread;
pub use trace::{Trace, Tracer};
pub use tuple::Tuple;
pub use type_object::{Name, Type, TypeObject, type_flag};
pub use value::Value;

/// Proof that an exception was raised: it sits in `Thread::exc`. Made by the raise functions of `runtime` only.
#[derive(Debug)]
#[must_use]
pub struct Raised(());
impl Raised {
    /// The exception is already in `th.exc`.
    #[inline(always)]
    pub fn pending(th: &Thread) -> Raised {
        debug_assert!(th.exc.is_some());
        Raised(())
    }
    /// Puts the exception in flight.
    #[inline]
    pub fn set(th: &mut Thread, exception: Value) -> Raised {
        th.exc = Some(exception);
        Raised(())
    }
}
/// `Err` means that the exception is in `Thread::exc`.
pub type PyResult<T> = Result<T, Raised>;
