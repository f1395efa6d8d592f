//! `marshal`: code objects only for now.
use krait_bytecode::marshal as stored;
use krait_object::native::function;
use krait_object::{Bytes, Method, ModuleDef, Thread, Value};
use krait_runtime::errors::{not_implemented_error, value_error};
use krait_runtime::protocol::buffer;
use krait_runtime::types::code::Code;

pub static MODULE: ModuleDef = ModuleDef { functions: FUNCTIONS, ..ModuleDef::new("marshal") };

static FUNCTIONS: &[Method] = &[
    function("dumps", "(value, version=4, /, *, allow_code=True)", "", |th: &mut Thread, a| {
        match a[0].downcast_ref::<Code>() {
            Some(c) => Ok(Bytes::new(&stored::dump(&c.bytecode)).into()),
            None => Err(not_implemented_error(th, "marshal of other types than code")),
        }
    }),
    function("loads", "(bytes, /, *, allow_code=True)", "", |th: &mut Thread, a| {
        let data = buffer::bytes_like(th, &a[0])?;
        match krait_runtime::frozen::code_from(th, &data) {
            Some(code) => code.map(Value::from),
            None => Err(value_error(th, "bad marshal data (unknown type code)")),
        }
    }),
];
