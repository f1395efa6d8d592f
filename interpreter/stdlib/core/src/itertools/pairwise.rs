//! `itertools.pairwise`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::{
    Args, ClassDef, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, ValueCell, type_flag,
};
use krait_runtime::protocol::iter;
use krait_runtime::types::iterators::self_iter;

use super::positional;

#[derive(Trace, Payload)]
#[payload(class = PAIRWISE)]
pub struct Pairwise {
    /// Given up at the end.
    iterator: ValueCell,
    /// The item before the next.
    old: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Pairwise>();
pub static PAIRWISE: TypeObject = TypeObject::builtin("pairwise", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "Return an iterator of overlapping pairs taken from the input iterator.\n\n    s -> (s0,s1), (s1,s2), (s2, s3), ...",
    sig: "(iterable, /)",
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&PAIRWISE)
};

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let given = positional(th, cls, &PAIRWISE, args, 1, 1)?;
    let iterator = iter::iter(th, &given[0])?.into();
    Ok(Ref::with_class(Pairwise { iterator, old: ValueCell::empty() }, cls.object()).into())
}

fn finished(s: &Pairwise) {
    s.iterator.set(None);
    s.old.set(None);
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let s: &Pairwise = v.downcast_ref().expect("the slot belongs to pairwise");
    let Some(it) = s.iterator.get() else { return Ok(None) };
    let old = match s.old.get() {
        Some(old) => old,
        None => match iter::next(th, &it) {
            Ok(Some(first)) => {
                s.old.set(Some(first.clone()));
                // A re-entrant call may have run the iterator to its end meanwhile.
                if !s.iterator.is_set() {
                    s.old.set(None);
                    return Ok(None);
                }
                first
            }
            Ok(None) => {
                finished(s);
                return Ok(None);
            }
            Err(e) => {
                finished(s);
                return Err(e);
            }
        },
    };
    match iter::next(th, &it) {
        Ok(Some(new)) => {
            s.old.set(Some(new.clone()));
            Ok(Some(Tuple::of([old, new]).into()))
        }
        Ok(None) => {
            finished(s);
            Ok(None)
        }
        Err(e) => {
            finished(s);
            Err(e)
        }
    }
}
