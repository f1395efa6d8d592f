//! Functions, modules and classes that are written in Rust.
use std::any::Any;
use std::sync::{Arc, Mutex};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::getter;
use krait_object::{
    Args, ClassDef, Dict, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::protocol::call;
use krait_runtime::types::{method, module, type_};
use krait_runtime::{errors, functions, import};

use crate::convert::{FromPython, ToPython};
use crate::error::{Error, Result};
use crate::object::Object;
use crate::python::Python;

type Body = dyn Fn(&mut Thread, &Args<'_>) -> PyResult<Value> + Send + Sync;

/// A closure as a Python function.
#[derive(Trace, Payload)]
#[payload(class = RUST_FUNCTION)]
struct RustFunction {
    #[trace(skip)]
    name: String,
    #[trace(skip)]
    body: Box<Body>,
}
/// A Rust value as a Python object.
#[derive(Trace, Payload)]
#[payload(class = RUST_OBJECT)]
struct RustObject {
    #[trace(skip)]
    data: Mutex<Box<dyn Any + Send>>,
}
static FUNCTION_LAYOUT: VTable = VTable::of::<RustFunction>();
static RUST_FUNCTION: TypeObject = TypeObject::builtin("rust_function", Some(&OBJECT), &FUNCTION_LAYOUT);
static OBJECT_LAYOUT: VTable = VTable::of::<RustObject>();
static RUST_OBJECT: TypeObject = TypeObject::builtin("rust_object", Some(&OBJECT), &OBJECT_LAYOUT);

static FUNCTION_DEF: ClassDef = ClassDef {
    module: "krait",
    getset: &[
        getter("__name__", "", |_, v| Ok(Value::str(&function(v).name))),
        getter("__qualname__", "", |_, v| Ok(Value::str(&function(v).name))),
    ],
    slots: SlotDefs {
        call: Some(|th, v, args| (function(v).body)(th, args)),
        repr: Some(|_, v| Ok(Value::from(format!("<rust function {}>", function(v).name)))),
        descr_get: Some(|_, v, instance, _| match instance {
            Some(instance) => Ok(method::Method::new(v.clone(), instance.clone()).into()),
            None => Ok(v.clone()),
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::METHOD_DESCRIPTOR,
    ..ClassDef::new(&RUST_FUNCTION)
};
static OBJECT_DEF: ClassDef = ClassDef {
    module: "krait",
    doc: "The base of classes that are written in Rust.",
    flags: type_flag::BASE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&RUST_OBJECT)
};

/// Readies the two classes in an interpreter.
pub fn ready(th: &mut Thread) {
    for def in [&FUNCTION_DEF, &OBJECT_DEF] {
        type_::ready::ready_class(th, def);
    }
}
fn function(v: &Value) -> &RustFunction {
    v.downcast_ref().expect("the slot belongs to the class")
}
fn new_function(name: &str, body: impl Fn(&mut Thread, &Args<'_>) -> PyResult<Value> + Send + Sync + 'static) -> Value {
    Ref::new(RustFunction { name: name.to_owned(), body: Box::new(body) }).into()
}

/// What Python calls a Rust function with.
pub struct Arguments {
    positional: Vec<Object>,
    named: Vec<(String, Object)>,
}
impl Arguments {
    /// Without the first `skip` positional arguments.
    fn new(args: &Args<'_>, skip: usize) -> Arguments {
        let name =
            |key: &Value| key.downcast_ref::<Str>().map(|k| k.to_string_lossy().into_owned()).unwrap_or_default();
        Arguments {
            positional: args.pos().iter().skip(skip).cloned().map(Object::new).collect(),
            named: args.kw().map(|(key, value)| (name(key), Object::new(value.clone()))).collect(),
        }
    }
    /// The number of positional arguments.
    pub fn len(&self) -> usize {
        self.positional.len()
    }
    pub fn is_empty(&self) -> bool {
        self.positional.is_empty()
    }
    /// A positional argument; TypeError where it is missing or of another type.
    pub fn get<T: FromPython>(&self, py: &mut Python<'_>, index: usize) -> Result<T> {
        match self.positional.get(index) {
            Some(value) => value.extract(py),
            None => Err(Error::raise("TypeError", format!("missing required argument (pos {})", index + 1))),
        }
    }
    /// A keyword argument, if given.
    pub fn named<T: FromPython>(&self, py: &mut Python<'_>, name: &str) -> Result<Option<T>> {
        self.named.iter().find(|(n, _)| n == name).map(|(_, value)| value.extract(py)).transpose()
    }
    /// All positional arguments.
    pub fn all(&self) -> &[Object] {
        &self.positional
    }
}

fn finish<R: ToPython>(th: &mut Thread, run: impl FnOnce(&mut Python<'_>) -> Result<R>) -> PyResult<Value> {
    let mut py = Python::nested(th);
    match run(&mut py).and_then(|made| made.to_python(&mut py)) {
        Ok(made) => Ok(made.value),
        Err(error) => Err(error.put(th)),
    }
}

impl Python<'_> {
    /// A Python function that calls the closure.
    pub fn function<R: ToPython>(
        &mut self,
        name: &str,
        body: impl Fn(&mut Python<'_>, &Arguments) -> Result<R> + Send + Sync + 'static,
    ) -> Object {
        Object::new(free_function(name, body))
    }
    /// Makes a module importable.
    ///
    /// ```standalone_crate
    /// # fn main() -> Result<(), krait_embed::Error> {
    /// # let mut interpreter = krait_embed::Interpreter::new()?;
    /// # let mut py = interpreter.python();
    /// use krait_embed::{Class, Module};
    ///
    /// struct Counter(i64);
    /// let counter = Class::new("Counter", |py, args| Ok(Counter(args.get(py, 0)?)))
    ///     .method("step", |counter: &mut Counter, py, args| {
    ///         counter.0 += args.named(py, "by")?.unwrap_or(1);
    ///         Ok(counter.0)
    ///     })
    ///     .getter("value", |counter, _| Ok(counter.0));
    /// py.add_module(Module::new("counting").class(counter).constant("START", 10))?;
    ///
    /// py.run("from counting import Counter, START\nc = Counter(START)\nc.step()\nc.step(by=4)")?;
    /// assert_eq!(py.eval("c.value")?.extract::<i64>(&mut py)?, 15);
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_module(&mut self, definition: Module) -> Result<Object> {
        self.guarded(|th| {
            let made = module::new(&definition.name, definition.doc.map_or(Value::NONE, |d| Value::str(&d)));
            let names = module::dict(&made);
            for add in definition.parts {
                let (name, value) = add(th, &definition.name)?;
                names.set_text(&name, value);
            }
            let modules = import::modules(th)?;
            krait_runtime::protocol::sequence::set_item(th, &modules, &Value::str(&definition.name), &made)?;
            Ok(made)
        })
        .map(Object::new)
    }
}
fn free_function<R: ToPython>(
    name: &str,
    body: impl Fn(&mut Python<'_>, &Arguments) -> Result<R> + Send + Sync + 'static,
) -> Value {
    new_function(name, move |th, args| {
        let arguments = Arguments::new(args, 0);
        finish(th, |py| body(py, &arguments))
    })
}

type Part = Box<dyn FnOnce(&mut Thread, &str) -> PyResult<(String, Value)>>;

/// A module written in Rust, see [`Python::add_module`].
pub struct Module {
    name: String,
    doc: Option<String>,
    parts: Vec<Part>,
}
impl Module {
    pub fn new(name: &str) -> Module {
        Module { name: name.to_owned(), doc: None, parts: Vec::new() }
    }
    pub fn doc(mut self, text: &str) -> Module {
        self.doc = Some(text.to_owned());
        self
    }
    pub fn function<R: ToPython>(
        mut self,
        name: &str,
        body: impl Fn(&mut Python<'_>, &Arguments) -> Result<R> + Send + Sync + 'static,
    ) -> Module {
        let made = (name.to_owned(), free_function(name, body));
        self.parts.push(Box::new(move |_, _| Ok(made)));
        self
    }
    pub fn constant(mut self, name: &str, value: impl ToPython + 'static) -> Module {
        let name = name.to_owned();
        self.parts.push(Box::new(move |th, _| finish(th, |_| Ok(value)).map(|value| (name, value))));
        self
    }
    pub fn class<T: Any + Send>(mut self, class: Class<T>) -> Module {
        self.parts.push(Box::new(move |th, module| {
            let name = class.name.clone();
            class.make(th, module).map(|made| (name, made))
        }));
        self
    }
}

/// A class written in Rust: its instances hold a `T`. Python code may derive from it.
pub struct Class<T> {
    name: String,
    doc: Option<String>,
    attributes: Vec<(String, Value, bool)>,
    instance: std::marker::PhantomData<fn() -> T>,
}
impl<T: Any + Send> Class<T> {
    /// `new` makes the Rust value from the arguments of the class.
    pub fn new(name: &str, new: impl Fn(&mut Python<'_>, &Arguments) -> Result<T> + Send + Sync + 'static) -> Class<T> {
        let make = new_function("__new__", move |th, args| {
            let Some(class) = args.pos().first().and_then(|c| c.to_ref::<Type>()) else {
                return Err(errors::type_error(th, "__new__() needs a class"));
            };
            let arguments = Arguments::new(args, 1);
            let made = new(&mut Python::nested(th), &arguments);
            match made {
                Ok(data) if class.object().has_layout_of(&RUST_OBJECT) => {
                    Ok(Ref::with_class(RustObject { data: Mutex::new(Box::new(data)) }, class.object()).into())
                }
                Ok(_) => Err(errors::type_error(th, "__new__() needs a class that is written in Rust")),
                Err(error) => Err(error.put(th)),
            }
        });
        let attributes = vec![("__new__".to_owned(), make, false)];
        Class { name: name.to_owned(), doc: None, attributes, instance: std::marker::PhantomData }
    }
    pub fn doc(mut self, text: &str) -> Class<T> {
        self.doc = Some(text.to_owned());
        self
    }
    /// A method; special names work too (`__len__`, `__add__`). RuntimeError where the object is in use already, by a
    /// method that called back into Python.
    pub fn method<R: ToPython>(
        mut self,
        name: &str,
        body: impl Fn(&mut T, &mut Python<'_>, &Arguments) -> Result<R> + Send + Sync + 'static,
    ) -> Class<T> {
        self.attributes.push((name.to_owned(), instance_function(name, body), false));
        self
    }
    /// A computed attribute.
    pub fn getter<R: ToPython>(
        mut self,
        name: &str,
        body: impl Fn(&T, &mut Python<'_>) -> Result<R> + Send + Sync + 'static,
    ) -> Class<T> {
        let get = instance_function(name, move |this: &mut T, py, _| body(this, py));
        self.attributes.push((name.to_owned(), get, true));
        self
    }
    fn make(self, th: &mut Thread, module: &str) -> PyResult<Value> {
        let names = Dict::new();
        names.set_text("__module__", Value::str(module));
        if let Some(doc) = &self.doc {
            names.set_text("__doc__", Value::str(doc));
        }
        let property = functions::builtin(th, "property")?;
        let static_method = functions::builtin(th, "staticmethod")?;
        for (name, value, computed) in self.attributes {
            let value = match (computed, name.as_str()) {
                (true, _) => call::call(th, &property, &[value])?,
                (false, "__new__") => call::call(th, &static_method, &[value])?,
                (false, _) => value,
            };
            names.set_text(&name, value);
        }
        let bases = Tuple::from_slice(&[RUST_OBJECT.to_value()]);
        let type_ = functions::builtin(th, "type")?;
        call::call(th, &type_, &[Value::str(&self.name), bases.into(), names.into()])
    }
}
fn instance_function<T: Any + Send, R: ToPython>(
    name: &str,
    body: impl Fn(&mut T, &mut Python<'_>, &Arguments) -> Result<R> + Send + Sync + 'static,
) -> Value {
    let (shown, body) = (name.to_owned(), Arc::new(body));
    new_function(name, move |th, args| {
        let this = args.pos().first().cloned();
        let arguments = Arguments::new(args, 1);
        let Some(object) = this.as_ref().and_then(|t| t.downcast_ref::<RustObject>()) else {
            return Err(errors::type_error(th, format!("{shown}() needs an instance of its class")));
        };
        let Ok(mut data) = object.data.try_lock() else {
            return Err(errors::raise(th, &krait_runtime::exceptions::RUNTIME_ERROR, "the object is in use"));
        };
        let Some(this) = data.downcast_mut::<T>() else {
            return Err(errors::type_error(th, format!("{shown}() needs an instance of its class")));
        };
        finish(th, |py| body(this, py, &arguments))
    })
}
