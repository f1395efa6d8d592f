//! `Tcl_Obj`: a value of Tcl of a type that Python has not.
use krait_libraries::tcl::{Home, Obj};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::getter;
use krait_object::{
    ClassDef, GetSet, PyResult, Ref, SlotDefs, Thread, TypeObject, VTable, Value, ValueCell, type_flag,
};
use krait_runtime::errors::runtime_error;
use krait_runtime::protocol::repr;

use super::convert::text_of;

#[derive(Trace, Payload)]
#[payload(class = TCL_OBJ)]
pub struct TclObj {
    #[trace(skip)]
    pub obj: Home<Obj>,
    /// The text, once it was asked for.
    string: ValueCell,
}
static LAYOUT: VTable = VTable::of::<TclObj>();
static TCL_OBJ: TypeObject = TypeObject::builtin("Tcl_Obj", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_tkinter",
    getset: ATTRIBUTES,
    slots: SlotDefs {
        str: Some(|th, v| this(v).text(th)),
        repr: Some(|th, v| {
            let text = this(v).text(th)?;
            let (name, shown) = (this(v).type_name(th)?, repr::repr(th, &text)?);
            Ok(Value::str(&format!("<{name} object: {}>", shown.to_string_lossy())))
        }),
        compare: Some(|th, a, b, op| {
            let (Some(x), Some(y)) = (a.downcast_ref::<TclObj>(), b.downcast_ref::<TclObj>()) else {
                return Ok(Value::NOT_IMPLEMENTED);
            };
            let order =
                if a.is(b) { std::cmp::Ordering::Equal } else { x.here(th)?.as_text().cmp(y.here(th)?.as_text()) };
            Ok(Value::bool(op.of(order)))
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&TCL_OBJ)
};
static ATTRIBUTES: &[GetSet] = &[
    getter("typename", "name of the Tcl type", |th, v| Ok(Value::str(&this(v).type_name(th)?))),
    getter("string", "the value as text", |th, v| {
        if let Some(text) = this(v).string.get() {
            return Ok(text);
        }
        let text = this(v).text(th)?;
        Ok(this(v).string.get_or_set(text))
    }),
];
fn this(v: &Value) -> &TclObj {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

impl TclObj {
    pub fn of(obj: Obj) -> Value {
        Ref::new(TclObj { obj: Home::new(obj), string: ValueCell::empty() }).into()
    }
    /// The value, on its thread.
    pub fn here(&self, th: &mut Thread) -> PyResult<&Obj> {
        self.obj.here().ok_or_else(|| runtime_error(th, "Calling Tcl from different apartment"))
    }
    fn text(&self, th: &mut Thread) -> PyResult<Value> {
        match self.string.get() {
            Some(text) => Ok(text),
            None => Ok(text_of(self.here(th)?.as_text())),
        }
    }
    fn type_name(&self, th: &mut Thread) -> PyResult<String> {
        let name = self.here(th)?.type_name();
        Ok(name.map_or_else(String::new, |name| name.to_string_lossy().into_owned()))
    }
}
