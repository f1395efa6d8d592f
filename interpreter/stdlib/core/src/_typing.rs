//! `_typing`: what `typing` takes from native code. The types are in `krait_runtime::types::typing`.
use krait_object::native::function;
use krait_object::{Method, ModuleDef};
use krait_runtime::types::{module, typing};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Primitives and accelerators for the typing module.\n",
    functions: FUNCTIONS,
    init: Some(|th, m| {
        let d = module::dict(m);
        for class in typing::SHOWN {
            d.set_text(&class.name(), class.to_value());
        }
        d.set_text("Generic", typing::generic(th)?);
        d.set_text("NoDefault", typing::no_default());
        Ok(())
    }),
    ..ModuleDef::new("_typing")
};
static FUNCTIONS: &[Method] = &[function("_idfunc", "(x, /)", "", |_, a| Ok(a[0].clone()))];
