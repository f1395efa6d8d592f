//! `CFuncPtr`: foreign functions as objects. CPython: `PyCFuncPtr_*` of `_ctypes.c`.

use krait_object::native::getset;
use krait_object::{
    Args, ClassDef, GetSet, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject, Value, ValueCell, type_flag,
};
use krait_runtime::errors::{self, attribute_error, type_error, value_error};
use krait_runtime::protocol::{attr, call as protocol, number, repr, sequence};

use super::call::{self, Returned};
use super::callback::Thunk;
use super::data::{CDATA, CData, class_name, keep, this};
use super::info::{self, Info, Kind};
use super::meta::{self, FUNCTION_META, class_attr};
use super::parameter::{self, Argument};
use super::{argument_error, library, memory};

pub static FUNCTION: TypeObject = TypeObject::builtin_of("CFuncPtr", &CDATA, &FUNCTION_META);
pub static DEF: ClassDef = ClassDef {
    module: "_ctypes",
    doc: "Function Pointer",
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        init: Some(|_, _, _| Ok(())),
        call: Some(call_function),
        repr: Some(|_, v| Ok(Value::from(format!("<{} object at {:#x}>", v.class().name(), v.bits())))),
        bool: Some(|_, v| Ok(this(v).pointer() != 0)),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::IMMUTABLE,
    ..ClassDef::new(&FUNCTION)
};
static GETSET: &[GetSet] = &[
    getset(
        "errcheck",
        "a function to check for errors",
        |_, v| Ok(shown(&this(v).errcheck)),
        |th, v, value| {
            let value = value.filter(|value| !value.is_none());
            if value.is_some_and(|value| !protocol::is_callable(value)) {
                return Err(type_error(th, "the errcheck attribute must be callable"));
            }
            this(v).errcheck.set(value.cloned());
            Ok(())
        },
    ),
    getset("restype", "specify the result type", restype, |th, v, value| {
        if let Some(value) = value {
            check_restype(th, value, "restype")?;
        }
        this(v).restype.set(value.cloned());
        Ok(())
    }),
    getset("argtypes", "specify the argument types", argtypes, |th, v, value| {
        let value = value.filter(|value| !value.is_none());
        let checked = value.map(|value| check_argtypes(th, value)).transpose()?;
        this(v).argtypes.set(checked);
        Ok(())
    }),
];

/// `CTYPES_MAX_ARGCOUNT`
pub const MOST_ARGUMENTS: usize = 1024;

fn shown(cell: &ValueCell) -> Value {
    cell.get().unwrap_or(Value::NONE)
}

fn restype(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let own = this(v).restype.get();
    Ok(own.or_else(|| info::of_instance(th, v)?.restype.clone()).unwrap_or(Value::NONE))
}

fn argtypes(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let own = this(v).argtypes.get();
    Ok(own.or_else(|| info::of_instance(th, v)?.argtypes.clone()).unwrap_or(Value::NONE))
}

fn check_restype(th: &mut Thread, value: &Value, name: &str) -> PyResult<()> {
    if value.is_none() || info::of(th, value).is_some() || protocol::is_callable(value) {
        return Ok(());
    }
    Err(type_error(th, format!("{name} must be a type, a callable, or None")))
}

/// The declared types as a tuple of objects that have `from_param`.
fn check_argtypes(th: &mut Thread, value: &Value) -> PyResult<Value> {
    let items = sequence::to_items(th, value, "_argtypes_ must be a sequence of types")?;
    if items.len() > MOST_ARGUMENTS {
        let message = format!("_argtypes_ has too many arguments ({}), maximum is {MOST_ARGUMENTS}", items.len());
        return Err(argument_error(th, &message));
    }
    for (index, item) in items.iter().enumerate() {
        let number = index + 1;
        if attr::get_text_opt(th, item, "from_param")?.is_none() {
            return Err(type_error(th, format!("item {number} in _argtypes_ has no from_param method")));
        }
        let Some(info) = info::of(th, item) else { continue };
        if info.kind == Kind::Union {
            let message = format!("item {number} in _argtypes_ passes a union by value, which is unsupported.");
            return Err(type_error(th, message));
        }
        if info.kind == Kind::Structure && info.has_bitfield {
            let message = format!(
                "item {number} in _argtypes_ passes a struct/union with a bitfield by value, which is unsupported."
            );
            return Err(type_error(th, message));
        }
    }
    Ok(Tuple::from_vec(items).into())
}

pub fn init_class(th: &mut Thread, class: &Value, args: &Args<'_>) -> PyResult<()> {
    meta::check_init(th, class, args)?;
    let mut info = Info::new(Kind::Function, 8, 8);
    info.format = "X{}".into();
    info.length = 1;
    let flags = class_attr(class, "_flags_").filter(|flags| flags.as_int_ref().is_some());
    let Some(flags) = flags else {
        return Err(type_error(th, "class must define _flags_ which must be an integer"));
    };
    info.function_flags = number::to_masked(th, &flags, 32)? as u32;
    if let Some(types) = class_attr(class, "_argtypes_") {
        info.argtypes = Some(check_argtypes(th, &types)?);
    }
    if let Some(result) = class_attr(class, "_restype_") {
        check_restype(th, &result, "_restype_")?;
        info.restype = Some(result);
    }
    info::set(th, class, info);
    Ok(())
}

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let made = CData::owned(th, class)?;
    let [first, rest @ ..] = args.pos() else { return Ok(made) };
    let address = if let Some(parts) = first.downcast_ref::<Tuple>() {
        if let Some(flags) = rest.first().filter(|flags| !flags.is_none()) {
            check_paramflags(th, &made, flags)?;
            this(&made).paramflags.set(Some(flags.clone()));
        }
        exported(th, &made, parts)?
    } else if first.as_int_ref().is_some() {
        number::to_masked(th, first, 64)? as usize
    } else if protocol::is_callable(first) {
        let types = argtypes(th, &made)?;
        if types.is_none() {
            return Err(type_error(th, "cannot construct instance of this class: no argtypes"));
        }
        let types = sequence::to_items(th, &types, "argtypes must be a sequence")?;
        let returned = callback_result(th, &made)?;
        let thunk = Thunk::make(th, first, types, returned)?;
        let address = thunk.entry();
        keep(th, &made, 0, thunk.into())?;
        address
    } else {
        return Err(type_error(th, "argument must be callable or integer function address"));
    };
    memory::store(this(&made).address(), &address.to_ne_bytes());
    Ok(made)
}

fn callback_result(th: &mut Thread, v: &Value) -> PyResult<Returned> {
    let result = restype(th, v)?;
    if result.is_none() {
        return Ok(Returned::Nothing);
    }
    match info::of(th, &result) {
        Some(info) if info.kind == Kind::Simple => Ok(Returned::Class(result)),
        _ => Err(type_error(th, "invalid result type for callback function")),
    }
}

/// `(name, library)`
fn exported(th: &mut Thread, v: &Value, parts: &Tuple) -> PyResult<usize> {
    let [name, dll] = parts.as_slice() else {
        return Err(type_error(th, format!("_FuncPtr() argument 1 must be 2-item tuple, not {}", parts.len())));
    };
    let handle = attr::get_text(th, dll, "_handle")?;
    if handle.as_int_ref().is_none() {
        return Err(type_error(th, "the _handle attribute of the second argument must be an integer"));
    }
    let address = match library::find(th, &handle, name)? {
        Ok(address) => address,
        Err(error) => return Err(attribute_error(th, error)),
    };
    keep(th, v, 0, dll.clone())?;
    Ok(address)
}

/// The three parts of a parameter's description: flag, name, default.
fn flag_parts(th: &mut Thread, item: &Value) -> PyResult<(u32, Option<Value>, Option<Value>)> {
    const WANTED: &str = "paramflags must be a sequence of (int [,string [,value]]) tuples";
    let Some(parts) = item.downcast_ref::<Tuple>().filter(|parts| (1..=3).contains(&parts.len())) else {
        return Err(type_error(th, WANTED));
    };
    let name = parts.get(1).filter(|name| !name.is_none());
    if parts[0].as_int_ref().is_none() || name.is_some_and(|name| name.downcast_ref::<Str>().is_none()) {
        return Err(type_error(th, WANTED));
    }
    Ok((number::to_masked(th, &parts[0], 32)? as u32, name.cloned(), parts.get(2).cloned()))
}

fn check_paramflags(th: &mut Thread, v: &Value, flags: &Value) -> PyResult<()> {
    let types = argtypes(th, v)?;
    let Some(flags) = flags.downcast_ref::<Tuple>() else {
        return Err(type_error(th, "paramflags must be a tuple or None"));
    };
    let types = types.downcast_ref::<Tuple>().map_or_else(Vec::new, |types| types.to_vec());
    if flags.len() != types.len() {
        return Err(value_error(th, "paramflags must have the same length as argtypes"));
    }
    for (index, (item, class)) in flags.iter().zip(&types).enumerate() {
        let (flag, ..) = flag_parts(th, item)?;
        match flag & 7 {
            0 | 1 | 3 | 4 | 5 => {}
            2 => {
                let info = info::of(th, class);
                let points = info.is_some_and(|info| {
                    matches!(info.kind, Kind::Pointer | Kind::Array)
                        || info.kind == Kind::Simple && matches!(info.code, 'z' | 'Z' | 'P')
                });
                if !points {
                    let name = class_name(class);
                    let message = format!("'out' parameter {} must be a pointer type, not {name}", index + 1);
                    return Err(type_error(th, message));
                }
            }
            other => return Err(type_error(th, format!("paramflag value {other} not supported"))),
        }
    }
    Ok(())
}

/// What a call is made with, and which of it are outputs.
struct CallArguments {
    all: Vec<Value>,
    /// Output parameters; true for those that are inputs too.
    outputs: Vec<(usize, bool)>,
}

fn collect(th: &mut Thread, v: &Value, types: Option<&Tuple>, args: &Args<'_>) -> PyResult<CallArguments> {
    let flags = this(v).paramflags.get();
    let (Some(types), Some(flags)) = (types.filter(|types| !types.is_empty()), flags) else {
        return Ok(CallArguments { all: args.pos().to_vec(), outputs: Vec::new() });
    };
    let flags = flags.downcast_ref::<Tuple>().map_or_else(Vec::new, |flags| flags.to_vec());
    let mut made = CallArguments { all: Vec::new(), outputs: Vec::new() };
    let mut used = 0;
    for (index, (class, item)) in types.iter().zip(&flags).enumerate() {
        let (flag, name, default) = flag_parts(th, item)?;
        match flag & 7 {
            5 => made.all.push(default.unwrap_or(Value::int(0))),
            2 => {
                if let Some(default) = default {
                    made.all.push(default);
                } else {
                    let info = info::required(th, class)?;
                    let target = if info.kind == Kind::Array { Some(class.clone()) } else { info.item.clone() };
                    match target.filter(|target| target.downcast_ref::<Type>().is_some()) {
                        Some(target) => made.all.push(protocol::call(th, &target, &[])?),
                        None => {
                            let name = class_name(class);
                            let message = format!("{name} 'out' parameter must be passed as default value");
                            return Err(type_error(th, message));
                        }
                    }
                }
                made.outputs.push((index, false));
            }
            flag => {
                if flag == 3 {
                    made.outputs.push((index, true));
                }
                made.all.push(input(th, args, &mut used, name, default)?);
            }
        }
    }
    let given = args.pos().len() + args.kw().count();
    if given != used {
        return Err(type_error(th, format!("call takes exactly {used} arguments ({given} given)")));
    }
    Ok(made)
}

fn input(
    th: &mut Thread,
    args: &Args<'_>,
    used: &mut usize,
    name: Option<Value>,
    default: Option<Value>,
) -> PyResult<Value> {
    if let Some(value) = args.pos().get(*used) {
        *used += 1;
        return Ok(value.clone());
    }
    if let Some(name) = name.as_ref().and_then(|name| name.downcast_ref::<Str>())
        && let Some(value) = args.kw_get(&name.to_string_lossy())
    {
        *used += 1;
        return Ok(value.clone());
    }
    if let Some(default) = default {
        return Ok(default);
    }
    match name {
        Some(name) => {
            let name = repr::str(th, &name)?.to_string_lossy().into_owned();
            Err(type_error(th, format!("required argument '{name}' missing")))
        }
        None => Err(type_error(th, "not enough arguments")),
    }
}

fn call_function(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    let info = info::required(th, &v.class_ref().to_value())?;
    let types = argtypes(th, v)?;
    let types = types.to_ref::<Tuple>();
    let result = restype(th, v)?;
    let collected = collect(th, v, types.as_deref(), args)?;
    if let Some(types) = &types
        && types.len() > collected.all.len()
    {
        let (wanted, given) = (types.len(), collected.all.len());
        let plural = if wanted == 1 { "" } else { "s" };
        return Err(type_error(th, format!("this function takes at least {wanted} argument{plural} ({given} given)")));
    }
    let returned = returned_by(th, &result);
    let address = this(v).pointer();
    if address == 0 {
        return Err(value_error(th, "attempt to call a NULL function pointer"));
    }
    let flags = info.function_flags;
    let value = call_address(th, address, &collected.all, types.as_deref(), &returned, flags)?;
    let value = match this(v).errcheck.get() {
        Some(check) => {
            let all: Value = Tuple::from_slice(&collected.all).into();
            let checked = protocol::call(th, &check, &[value, v.clone(), all.clone()])?;
            if !checked.is(&all) {
                return Ok(checked);
            }
            checked
        }
        None => value,
    };
    outputs(th, value, &collected)
}

fn outputs(th: &mut Thread, value: Value, collected: &CallArguments) -> PyResult<Value> {
    if collected.outputs.is_empty() {
        return Ok(value);
    }
    let mut all = Vec::new();
    for &(index, both) in &collected.outputs {
        let held = &collected.all[index];
        all.push(if both { held.clone() } else { attr::call_method(th, held, "__ctypes_from_outparam__", &[])? });
    }
    match <[Value; 1]>::try_from(all) {
        Ok([one]) => Ok(one),
        Err(all) => Ok(Tuple::from_vec(all).into()),
    }
}

pub fn returned_by(th: &Thread, result: &Value) -> Returned {
    if result.is_none() {
        Returned::Nothing
    } else if info::of(th, result).is_some() {
        Returned::Class(result.clone())
    } else {
        Returned::Callable(result.clone())
    }
}

/// Calls an address with converted arguments.
pub fn call_address(
    th: &mut Thread,
    address: usize,
    all: &[Value],
    types: Option<&Tuple>,
    returned: &Returned,
    flags: u32,
) -> PyResult<Value> {
    if all.len() > MOST_ARGUMENTS {
        let message = format!("too many arguments ({}), maximum is {MOST_ARGUMENTS}", all.len());
        return Err(argument_error(th, &message));
    }
    let mut arguments = Vec::with_capacity(all.len());
    for (index, value) in all.iter().enumerate() {
        let class = types.and_then(|types| types.get(index));
        match argument(th, class, value, index + 1) {
            Ok(argument) => arguments.push(argument),
            Err(raised) => {
                let error = errors::take(th, raised);
                let text = repr::str(th, &error)?.to_string_lossy().into_owned();
                let kind = error.class().name();
                return Err(argument_error(th, &format!("argument {}: {kind}: {text}", index + 1)));
            }
        }
    }
    let fixed = types.map(|types| types.len()).filter(|&fixed| fixed > 0);
    call::run(th, address, &arguments, returned, fixed, flags)
}

fn argument(th: &mut Thread, class: Option<&Value>, value: &Value, index: usize) -> PyResult<Argument> {
    let Some(class) = class else { return parameter::convert(th, value, index) };
    let converted = attr::call_method(th, class, "from_param", &[value.clone()])?;
    let mut argument = parameter::convert(th, &converted, index)?;
    argument.kept.push(converted);
    Ok(argument)
}
