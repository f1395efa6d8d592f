//! `_testlimitedcapi`: access to items through the sequence slots and attributes by the bytes of their names,
//! and calls, as far as
//! tests of the language use it. What tests CPython's C API itself is absent.
use krait_object::builtin_types::OBJECT;
use krait_object::intern::intern;
use krait_object::native::function;
use krait_object::{ClassDef, Method, ModuleDef, PyResult, SlotDefs, Thread, TypeObject, Value};
use krait_runtime::errors::{take, type_error, unicode_decode_error};
use krait_runtime::protocol::{attr, buffer, call, number};

pub static MODULE: ModuleDef =
    ModuleDef { functions: FUNCTIONS, classes: &[&CALLED_DEF], ..ModuleDef::new("_testlimitedcapi") };

static CALLED: TypeObject = TypeObject::builtin_like("LimitedVectorCallClass", &OBJECT);
static CALLED_DEF: ClassDef = ClassDef {
    module: "_testlimitedcapi",
    slots: SlotDefs { call: Some(|_, _, _| Ok(Value::str("vectorcall called"))), ..SlotDefs::EMPTY },
    ..ClassDef::new(&CALLED)
};

static FUNCTIONS: &[Method] = &[
    function("sequence_getitem", "(seq, index, /)", "An item, through the sequence slot.", |th, a| {
        let i = number::index_isize(th, &a[1])?;
        let slot = a[0].class().slots.sq_item.get();
        match slot {
            Some(f) => {
                let i = from_end(th, &a[0], i)?;
                f(th, &a[0], i)
            }
            None => Err(refused(th, &a[0], "indexing")),
        }
    }),
    function("sequence_setitem", "(seq, index, value, /)", "Stores through the sequence slot.", |th, a| {
        let i = number::index_isize(th, &a[1])?;
        store(th, &a[0], i, Some(&a[2]))
    }),
    function("sequence_delitem", "(seq, index, /)", "Deletes through the sequence slot.", |th, a| {
        let i = number::index_isize(th, &a[1])?;
        store(th, &a[0], i, None)
    }),
    function(
        "object_hasattrstring",
        "(obj, name, /)",
        "Whether there is such an attribute; errors are passed over.",
        |th, a| {
            let name = name_of_bytes(th, &a[1])?;
            match attr::get_attr_opt(th, &a[0], &intern(&name)) {
                Ok(found) => Ok(Value::int(i64::from(found.is_some()))),
                Err(raised) => {
                    drop(take(th, raised));
                    Ok(Value::int(0))
                }
            }
        },
    ),
    function("call_vectorcall", "(callable, /)", "callable('foo', baz='bar')", |th, a| {
        call::call_kw(th, &a[0], &[Value::str("foo"), Value::str("bar")], &[Value::str("baz")])
    }),
    function("call_vectorcall_method", "(obj, /)", "obj.f('foo', baz='bar')", |th, a| {
        let method = attr::get_text(th, &a[0], "f")?;
        call::call_kw(th, &method, &[Value::str("foo"), Value::str("bar")], &[Value::str("baz")])
    }),
];

fn name_of_bytes(th: &mut Thread, v: &Value) -> PyResult<String> {
    let bytes = buffer::bytes_like(th, v)?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        unicode_decode_error(th, "utf-8", v.clone(), at, at + 1, "invalid start byte")
    })
}
/// Negative indices count from the end where the type has a length.
fn from_end(th: &mut Thread, o: &Value, i: isize) -> PyResult<isize> {
    let len = o.class().slots.sq_len.get();
    match len {
        Some(len) if i < 0 => Ok(i + len(th, o)? as isize),
        _ => Ok(i),
    }
}
fn store(th: &mut Thread, o: &Value, i: isize, value: Option<&Value>) -> PyResult<Value> {
    let slot = o.class().slots.sq_set_item.get();
    match slot {
        Some(f) => {
            let i = from_end(th, o, i)?;
            f(th, o, i, value).map(|()| Value::int(0))
        }
        None => Err(refused(th, o, if value.is_some() { "item assignment" } else { "item deletion" })),
    }
}
fn refused(th: &mut Thread, o: &Value, what: &str) -> krait_object::Raised {
    let class = o.class().name();
    type_error(th, format!("'{class}' object does not support {what}"))
}
