//! `itertools.compress`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, method};
use krait_object::{Args, ClassDef, PyResult, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value, type_flag};
use krait_runtime::protocol::{compare, iter};
use krait_runtime::types::iterators::self_iter;

use super::{reduced, warn_pickle};

#[derive(Trace, Payload)]
#[payload(class = COMPRESS)]
pub struct Compress {
    data: Value,
    selectors: Value,
}
static LAYOUT: VTable = VTable::of::<Compress>();
pub static COMPRESS: TypeObject = TypeObject::builtin("compress", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "Return data elements corresponding to true selector elements.\n\nForms a shorter iterator from selected data elements using the selectors to\nchoose the data elements.",
    sig: "(data, selectors)",
    methods: &[method("__reduce__", "()", "Return state information for pickling.", |th, a| {
        warn_pickle(th)?;
        let s = a.this::<Compress>();
        Ok(reduced(&a[0], [s.data.clone(), s.selectors.clone()]))
    })],
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&COMPRESS)
};

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(data, selectors)");
    let b = SIG.bind(th, "compress", "compress", args, 0)?;
    let a = b.args();
    let data = iter::iter(th, &a[0])?;
    let selectors = iter::iter(th, &a[1])?;
    Ok(Ref::with_class(Compress { data, selectors }, cls.object()).into())
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let s: &Compress = v.downcast_ref().expect("the slot belongs to compress");
    loop {
        // Data first: the selectors are not asked once the data is spent.
        let Some(item) = iter::next(th, &s.data)? else { return Ok(None) };
        let Some(selector) = iter::next(th, &s.selectors)? else { return Ok(None) };
        if compare::truth(th, &selector)? {
            return Ok(Some(item));
        }
    }
}
