//! `itertools.batched`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::Sig;
use krait_object::{
    Args, ClassDef, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, ValueCell, type_flag,
};
use krait_runtime::errors::value_error;
use krait_runtime::protocol::{compare, iter, number};
use krait_runtime::types::iterators::self_iter;

#[derive(Trace, Payload)]
#[payload(class = BATCHED)]
pub struct Batched {
    /// Given up at the end.
    iterator: ValueCell,
    size: usize,
    strict: bool,
}
static LAYOUT: VTable = VTable::of::<Batched>();
pub static BATCHED: TypeObject = TypeObject::builtin("batched", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "Batch data into tuples of length n. The last batch may be shorter than n.\n\nLoops over the input iterable and accumulates data into tuples up to size n. The\ninput is consumed lazily, just enough to fill a batch. With strict true, a short\nlast batch raises a ValueError.\n\n    >>> for batch in batched('ABCDEFG', 3):\n    ...     print(batch)\n    ...\n    ('A', 'B', 'C')\n    ('D', 'E', 'F')\n    ('G',)",
    sig: "(iterable, n, *, strict=False)",
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&BATCHED)
};

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(iterable, n, *, strict=False)");
    let b = SIG.bind(th, "batched", "batched", args, 0)?;
    let a = b.args();
    let size = number::to_isize(th, &a[1])?;
    let strict = match a.opt(2) {
        Some(v) => compare::truth(th, v)?,
        None => false,
    };
    if size < 1 {
        return Err(value_error(th, "n must be at least one"));
    }
    let iterator = iter::iter(th, &a[0])?.into();
    Ok(Ref::with_class(Batched { iterator, size: size as usize, strict }, cls.object()).into())
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let s: &Batched = v.downcast_ref().expect("the slot belongs to batched");
    let Some(it) = s.iterator.get() else { return Ok(None) };
    let mut items = Vec::new();
    while items.len() < s.size {
        match iter::next(th, &it) {
            Ok(Some(item)) => items.push(item),
            Ok(None) => {
                s.iterator.set(None);
                if items.is_empty() {
                    return Ok(None);
                }
                if s.strict {
                    return Err(value_error(th, "batched(): incomplete batch"));
                }
                break;
            }
            Err(e) => {
                s.iterator.set(None);
                return Err(e);
            }
        }
    }
    Ok(Some(Tuple::from_vec(items).into()))
}
