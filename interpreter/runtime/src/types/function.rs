//! Python functions. How they run is `vm`; how their attributes work is `function/attributes.rs`.
//! CPython: `Objects/funcobject.c`.
use krait_macros::{Payload, Trace};
use krait_object::{
    Args, ClassDef, Dict, Kept, PyResult, Ref, SlotDefs, Str, Thread, Tuple, TypeObject, VTable, Value, ValueCell,
    builtin_types::OBJECT, type_flag,
};

mod attributes;

use crate::hooks;
use crate::types::code::Code;
use crate::types::method::Method;
use crate::types::module::{self, Module};
use crate::well_known::names;

#[derive(Trace, Payload)]
#[payload(class = FUNCTION)]
pub struct Function {
    /// What a frame runs: it borrows its code from the function that it owns.
    pub code: Kept<Code>,
    pub globals: Ref<Dict>,
    /// The builtins that the function's frames use: a dict as a rule, any mapping at worst.
    pub builtins: Value,
    /// A tuple, or empty.
    pub defaults: ValueCell,
    /// A dict, or empty.
    pub kwdefaults: ValueCell,
    /// A tuple of cells, or empty.
    pub closure: ValueCell,
    pub name: ValueCell,
    pub qualname: ValueCell,
    pub module: ValueCell,
    /// Empty: what the code has, which is not read before it is asked for.
    pub doc: ValueCell,
    /// A dict, a tuple of names and values in turn, or empty.
    pub annotations: ValueCell,
    pub type_params: ValueCell,
    pub dict: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Function>();
pub static FUNCTION: TypeObject = TypeObject::builtin("function", Some(&OBJECT), &LAYOUT);

impl Function {
    /// A function of `code` with the builtins that `globals` names.
    pub fn new(th: &mut Thread, code: &Ref<Code>, globals: &Ref<Dict>, closure: Option<Ref<Tuple>>) -> Ref<Function> {
        let builtins = builtins_of(th, globals);
        Self::with_builtins(code, globals, builtins, closure)
    }
    pub fn with_builtins(
        code: &Ref<Code>,
        globals: &Ref<Dict>,
        builtins: Value,
        closure: Option<Ref<Tuple>>,
    ) -> Ref<Function> {
        Ref::new(Function {
            code: Kept::new(code.clone()),
            globals: globals.clone(),
            builtins,
            defaults: ValueCell::empty(),
            kwdefaults: ValueCell::empty(),
            closure: ValueCell::new(closure.map(Into::into)),
            name: code.name.to_value().into(),
            qualname: code.qualname.to_value().into(),
            module: ValueCell::new(globals.get_str(&names().name)),
            doc: ValueCell::empty(),
            annotations: ValueCell::empty(),
            type_params: ValueCell::empty(),
            dict: ValueCell::empty(),
        })
    }
    /// A function for running `code` as a module, class body or `exec` does: nobody sees it.
    pub fn for_frame(
        code: &Ref<Code>,
        globals: &Ref<Dict>,
        builtins: Value,
        closure: Option<Ref<Tuple>>,
    ) -> Ref<Function> {
        Ref::new(Function {
            code: Kept::new(code.clone()),
            globals: globals.clone(),
            builtins,
            defaults: ValueCell::empty(),
            kwdefaults: ValueCell::empty(),
            closure: ValueCell::new(closure.map(Into::into)),
            name: ValueCell::empty(),
            qualname: ValueCell::empty(),
            module: ValueCell::empty(),
            doc: ValueCell::empty(),
            annotations: ValueCell::empty(),
            type_params: ValueCell::empty(),
            dict: ValueCell::empty(),
        })
    }
    pub fn code(&self) -> Ref<Code> {
        self.code.to_ref()
    }
    pub fn closure(&self) -> Option<Ref<Tuple>> {
        self.closure.get().and_then(|c| c.downcast().ok())
    }
    /// `__doc__`, which the function refers to from then on.
    pub fn doc(&self) -> Value {
        self.doc.get().unwrap_or_else(|| self.doc.get_or_set(self.code.get().doc()))
    }
    /// `__module__`
    pub fn module_name(&self) -> Option<Value> {
        self.module.get().or_else(|| self.globals.get_str(&names().name))
    }
    /// The text of `__qualname__`, as messages show it.
    pub fn display_name(&self) -> String {
        match self.qualname.get().or_else(|| self.name.get()).and_then(|n| n.to_ref::<Str>()) {
            Some(n) => n.to_string_lossy().into_owned(),
            None => self.code().qualname.to_string_lossy().into_owned(),
        }
    }
}

/// The builtins that code with these globals uses: `__builtins__` (a module's namespace or a mapping), else those of the
/// running frame, else the interpreter's.
pub fn builtins_of(th: &mut Thread, globals: &Ref<Dict>) -> Value {
    match globals.get_text("__builtins__") {
        Some(b) if b.downcast_ref::<Module>().is_some() => module::dict(&b).into(),
        Some(b) => b,
        None => (hooks::vm().current_builtins)(th)
            .or_else(|| th.interp.builtins.get())
            .unwrap_or_else(|| Dict::new().into()),
    }
}

pub static DEF: ClassDef = ClassDef {
    doc: "A Python function.",
    sig: "(code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)",
    getset: attributes::GETSET,
    slots: SlotDefs {
        new: Some(attributes::new),
        call: Some(call),
        repr: Some(repr),
        descr_get: Some(descr_get),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::WEAKREF | type_flag::METHOD_DESCRIPTOR,
    dict_cell: Some(|v| v.downcast_ref::<Function>().map(|f| &f.dict)),
    ..ClassDef::new(&FUNCTION)
};

fn call(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    (hooks::vm().call_function)(th, v, args)
}
fn repr(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let name = v.downcast_ref::<Function>().map(Function::display_name).unwrap_or_default();
    Ok(format!("<function {name} at {:#x}>", v.id()).into())
}
fn descr_get(_: &mut Thread, v: &Value, instance: Option<&Value>, _: Option<&Value>) -> PyResult<Value> {
    match instance {
        Some(instance) => Ok(Method::new(v.clone(), instance.clone()).into()),
        None => Ok(v.clone()),
    }
}
