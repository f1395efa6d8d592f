//! The node classes: made from the grammar for each interpreter, on first need. `AST`, their base, is here as well.
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use krait_object::builtin_types::{INT, OBJECT, STR, TYPE};
use krait_object::intern::intern;
use krait_object::native::method;
use krait_object::{Args, Dict, List, Method, PyResult, Ref, Str, Thread, Tuple, Type, Value};
use krait_runtime::errors::type_error;
use krait_runtime::exceptions::DEPRECATION_WARNING;
use krait_runtime::protocol::{attr, compare, iter, repr, sequence};
use krait_runtime::types::generic_alias;
use krait_runtime::types::object::instance_dict;
use krait_runtime::types::type_::new::new_class;
use krait_runtime::types::type_::ready::fix_slots;
use krait_runtime::types::type_::{check_abstract, new_function};
use krait_runtime::types::{descriptor, union_type};
use krait_runtime::warnings;

use super::grammar::{GROUPS, Group, Places, Quantity, fields, rule};

/// A constructor.
pub struct Class {
    pub name: &'static str,
    /// Name of the sum or product type.
    pub group: &'static str,
    pub class: Ref<Type>,
    pub fields: Vec<Ref<Str>>,
}

/// All classes of an interpreter.
pub struct Classes {
    pub base: Ref<Type>,
    /// Sum types and constructors, in the order of the module.
    pub all: Vec<(&'static str, Value)>,
    nodes: HashMap<&'static str, Class>,
    by_address: HashMap<usize, &'static str>,
    /// The shared instances of `Load`, `Add` and their like.
    shared: HashMap<&'static str, Value>,
    pub places: [Ref<Str>; 4],
}

#[derive(Default)]
struct Holder(OnceLock<Arc<Classes>>);

/// The classes, if something has asked for them yet.
pub fn known(th: &Thread) -> Option<Arc<Classes>> {
    th.interp.extension::<Holder>().0.get().cloned()
}
/// The classes.
pub fn get(th: &mut Thread) -> PyResult<Arc<Classes>> {
    let holder = th.interp.extension::<Holder>();
    if let Some(found) = holder.0.get() {
        return Ok(found.clone());
    }
    let made = Arc::new(build(th)?);
    Ok(holder.0.get_or_init(|| made).clone())
}

const PLACES: [&str; 4] = ["lineno", "col_offset", "end_lineno", "end_col_offset"];

fn texts(names: impl IntoIterator<Item = &'static str>) -> Value {
    Tuple::from_vec(names.into_iter().map(|n| intern(n).into()).collect()).into()
}
fn make_class(th: &mut Thread, name: &str, base: &Ref<Type>, dict: &Ref<Dict>) -> PyResult<Ref<Type>> {
    dict.set_text("__module__", intern("ast").to_value());
    let meta = Ref::from_object(&TYPE);
    new_class(th, meta.object(), &intern(name), &Tuple::of([base.to_value()]), dict)
}

fn build(th: &mut Thread) -> PyResult<Classes> {
    let dict = Dict::new();
    for name in ["_fields", "__match_args__", "_attributes"] {
        dict.set_text(name, Tuple::empty().to_value());
    }
    let base = make_class(th, "AST", &Ref::from_object(&OBJECT), &dict)?;
    base.slots.new.set(Some(node_new));
    if let Some(own) = base.dict() {
        own.set_text("__doc__", Value::NONE);
        own.set_text("__new__", new_function(&base));
        for m in METHODS {
            own.set_text(m.name, descriptor::method_descriptor(&base, m));
        }
    }
    base.modified();
    fix_slots(&base);
    let mut out = Classes {
        all: vec![("AST", base.to_value())],
        base,
        nodes: HashMap::new(),
        by_address: HashMap::new(),
        shared: HashMap::new(),
        places: PLACES.map(intern),
    };
    for group in GROUPS {
        add_group(th, &mut out, group)?;
    }
    // Field types name classes that come later in the table.
    for (name, text) in GROUPS.iter().flat_map(|g| g.nodes) {
        let types = field_types(th, &out, text)?;
        if let Some(own) = out.nodes.get(name).and_then(|c| c.class.dict()) {
            own.set_text("_field_types", types.clone());
            own.set_text("__annotations__", types);
        }
    }
    Ok(out)
}

fn add_group(th: &mut Thread, out: &mut Classes, group: &'static Group) -> PyResult<()> {
    let base = out.base.clone();
    let attributes: &[&str] = if group.places == Places::No { &[] } else { &PLACES };
    let dict = Dict::new();
    let own_fields = if group.is_product() { group.nodes[0].1 } else { "" };
    add_fields(&dict, own_fields);
    dict.set_text("_attributes", texts(attributes.iter().copied()));
    dict.set_text("__doc__", Value::str(&group.doc()));
    if group.places == Places::Located {
        dict.set_text("end_lineno", Value::NONE);
        dict.set_text("end_col_offset", Value::NONE);
    }
    let sum = make_class(th, group.name, &base, &dict)?;
    out.all.push((group.name, sum.to_value()));
    if group.is_product() {
        out.note(group.name, group.name, sum, own_fields);
        return Ok(());
    }
    for (name, text) in group.nodes {
        let dict = Dict::new();
        add_fields(&dict, text);
        dict.set_text("__doc__", Value::str(&rule(name, text)));
        let class = make_class(th, name, &sum, &dict)?;
        out.all.push((name, class.to_value()));
        if group.is_simple() {
            out.shared.insert(name, Ref::<()>::with_class((), class.object()).into());
        }
        out.note(name, group.name, class, text);
    }
    Ok(())
}
fn add_fields(dict: &Ref<Dict>, text: &'static str) {
    let names = texts(fields(text).map(|(_, _, name)| name));
    dict.set_text("_fields", names.clone());
    dict.set_text("__match_args__", names);
    for (_, quantity, name) in fields(text) {
        if quantity == Quantity::Optional {
            dict.set_text(name, Value::NONE);
        }
    }
}
fn field_types(th: &mut Thread, out: &Classes, text: &'static str) -> PyResult<Value> {
    let dict = Dict::new();
    for (kind, quantity, name) in fields(text) {
        let class = match kind {
            "identifier" | "string" => STR.to_value(),
            "int" => INT.to_value(),
            "constant" => OBJECT.to_value(),
            _ => out.all.iter().find(|(n, _)| *n == kind).map_or(Value::NONE, |(_, v)| v.clone()),
        };
        let kind = match quantity {
            Quantity::One => class,
            Quantity::Optional => union_type::make(th, &[class, Value::NONE])?,
            Quantity::Many => {
                generic_alias::new(krait_object::builtin_types::LIST.to_value(), Tuple::of([class]).into())
            }
        };
        dict.set_text(name, kind);
    }
    Ok(dict.into())
}

impl Classes {
    fn note(&mut self, name: &'static str, group: &'static str, class: Ref<Type>, text: &'static str) {
        self.by_address.insert(class.address(), name);
        let fields = fields(text).map(|(_, _, name)| intern(name)).collect();
        self.nodes.insert(name, Class { name, group, class, fields });
    }
    /// A constructor.
    pub fn node(&self, name: &str) -> &Class {
        &self.nodes[name]
    }
    /// The shared instance of a constructor without fields.
    pub fn shared(&self, name: &str) -> Value {
        self.shared[name].clone()
    }
    /// The constructor that an object is an instance of.
    pub fn class_of(&self, v: &Value) -> Option<&Class> {
        if let Some(name) = self.by_address.get(&v.class_ref().address()) {
            return self.nodes.get(name);
        }
        let mro = v.class().mro()?;
        mro.iter().find_map(|c| {
            let name = self.by_address.get(&c.downcast_ref::<Type>().and(c.to_ref::<Type>())?.address())?;
            self.nodes.get(name)
        })
    }
    pub fn is_node(&self, v: &Value) -> bool {
        v.is_instance(self.base.object())
    }
}

static METHODS: &[Method] = &[
    method("__init__", "(*args, **kwargs)", "Initialize self.  See help(type(self)) for accurate signature.", init),
    method("__reduce__", "()", "", reduce),
];

/// Arguments are for `__init__`, whatever class overrides what.
fn node_new(th: &mut Thread, class: &Ref<Type>, _: &Args<'_>) -> PyResult<Value> {
    check_abstract(th, class)?;
    Ok(Ref::<()>::with_class((), class.object()).into())
}

fn deprecated(th: &mut Thread, message: String) -> PyResult<()> {
    warnings::warn(th, &DEPRECATION_WARNING, &message, 1)
}

fn init(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let this = &a[0];
    let class = this.class_ref().to_value();
    let name = this.class().name();
    let fields = match attr::get_text_opt(th, &class, "_fields")? {
        Some(v) => iter::collect(th, &v)?,
        None => Vec::new(),
    };
    let args = a[1].to_ref::<Tuple>().unwrap_or_else(Tuple::empty);
    if fields.len() < args.len() {
        let (n, s) = (fields.len(), if fields.len() == 1 { "" } else { "s" });
        return Err(type_error(th, format!("{name} constructor takes at most {n} positional argument{s}")));
    }
    let mut left: Vec<Option<Value>> = fields.iter().cloned().map(Some).collect();
    for (i, v) in args.iter().enumerate() {
        let field = attr::name_argument(th, &fields[i])?;
        attr::set_attr(th, this, &field, Some(v))?;
        left[i] = None;
    }
    for (key, v) in a[2].to_ref::<Dict>().into_iter().flat_map(|d| d.items()) {
        let mut place = None;
        for (i, f) in fields.iter().enumerate() {
            if compare::eq(th, f, &key)? {
                place = Some(i);
                break;
            }
        }
        match place {
            Some(i) => {
                if left[i].take().is_none() {
                    let key = repr::repr(th, &key)?;
                    return Err(type_error(th, format!("{name} got multiple values for argument {key}")));
                }
            }
            None => {
                let attributes = attr::get_text(th, &class, "_attributes")?;
                if !sequence::contains(th, &attributes, &key)? {
                    let key = repr::repr(th, &key)?;
                    let message = format!(
                        "{name}.__init__ got an unexpected keyword argument {key}. Support for arbitrary keyword \
                         arguments is deprecated and will be removed in Python 3.15."
                    );
                    deprecated(th, message)?;
                }
            }
        }
        let key = attr::name_argument(th, &key)?;
        attr::set_attr(th, this, &key, Some(&v))?;
    }
    fill_missing(th, this, &class, left.into_iter().flatten())?;
    Ok(Value::NONE)
}
/// Defaults of the fields that were not given: None by the class attribute, `[]`, `Load()`; a warning for the others.
fn fill_missing(th: &mut Thread, this: &Value, class: &Value, left: impl Iterator<Item = Value>) -> PyResult<()> {
    let name = this.class().name();
    let mut types = None;
    for field in left {
        let types = match &types {
            Some(t) => t,
            None => types.insert(attr::get_text_opt(th, class, "_field_types")?),
        };
        let Some(types) = types.as_ref().and_then(|t| t.to_ref::<Dict>()) else { return Ok(()) };
        let shown = repr::repr(th, &field)?;
        let Some(kind) = types.get(th, &field)? else {
            let message =
                format!("Field {shown} is missing from {name}._field_types. This will become an error in Python 3.15.");
            deprecated(th, message)?;
            continue;
        };
        let field = attr::name_argument(th, &field)?;
        if kind.is_instance(&union_type::UNION) {
            continue;
        }
        let default = if kind.is_exact(&generic_alias::GENERIC_ALIAS) {
            Some(Value::from(List::new(Vec::new())))
        } else {
            let classes = get(th)?;
            let context = classes.all.iter().find(|(n, _)| *n == "expr_context").map(|(_, v)| v.clone());
            context.is_some_and(|c| c.is(&kind)).then(|| classes.shared("Load"))
        };
        match default {
            Some(v) => attr::set_attr(th, this, &field, Some(&v))?,
            None => {
                let message = format!(
                    "{name}.__init__ missing 1 required positional argument: {shown}. This will become an error in \
                     Python 3.15."
                );
                deprecated(th, message)?;
            }
        }
    }
    Ok(())
}

/// Everything is state: fields may refer back to the node. Positional None for the fields keeps the constructor from
/// warning of missing ones.
fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let class = a[0].class_ref().to_value();
    let Some(dict) = instance_dict(&a[0]) else {
        return Ok(Tuple::of([class, Tuple::empty().into()]).into());
    };
    let Some(fields) = attr::get_text_opt(th, &class, "_fields")? else {
        return Ok(Tuple::of([class, Tuple::empty().into(), dict.into()]).into());
    };
    let mut args = Vec::new();
    for field in iter::collect(th, &fields)? {
        if !dict.contains(th, &field)? {
            break;
        }
        args.push(Value::NONE);
    }
    Ok(Tuple::of([class, Tuple::from_vec(args).into(), dict.copy().into()]).into())
}
