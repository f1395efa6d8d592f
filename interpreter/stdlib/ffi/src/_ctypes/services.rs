//! The functions of the module, and those that Python code calls by their addresses.

use krait_object::native::function;
use krait_object::{Args, Bytes, Dict, Method, PyResult, Str, Thread, Tuple, Type, Value};
use krait_runtime::errors::{system_error, type_error};
use krait_runtime::protocol::{attr, call as protocol, number};

use super::call::{Errno, Returned, with_current};
use super::data::{CData, class_name, container, this};
use super::info::{self, Kind};
use super::parameter::Parameter;
use super::{function as functions, library, memory, pointer};

pub static FUNCTIONS: &[Method] = &[
    function("get_errno", "()", "The thread's private copy of errno.", |th, _| {
        Ok(Value::int(th.extension::<Errno>().0.into()))
    }),
    function("set_errno", "(value, /)", "Set the private copy of errno; the old value.", |th, a| {
        let new = number::to_i32(th, &a[0])?;
        let old = std::mem::replace(&mut th.extension::<Errno>().0, new);
        Ok(Value::int(old.into()))
    }),
    function("POINTER", "(type, /)", "The class of pointers to a type.", |th, a| pointer::type_for(th, &a[0])),
    function("pointer", "(obj, /)", "A pointer to an object.", |th, a| pointer::to(th, &a[0])),
    function("_unpickle", "(typ, state, /)", "For unpickling.", |th, a| {
        let made = attr::call_method(th, &a[0], "__new__", &[a[0].clone()])?;
        let state = a[1].downcast_ref::<Tuple>().map_or_else(Tuple::empty, |state| Tuple::from_slice(state));
        attr::call_method(th, &made, "__setstate__", &[state.into()])?;
        Ok(made)
    }),
    function("buffer_info", "(o, /)", "Format, dimensions and shape of an object's buffer.", buffer_info),
    function("resize", "(obj, size, /)", "Give an object more memory.", |th, a| {
        let Some(data) = a[0].downcast_ref::<CData>() else {
            return Err(type_error(th, "excepted ctypes instance"));
        };
        let smallest = info::of_instance(th, &a[0]).map_or(0, |info| info.size);
        let size = number::to_isize(th, &a[1])?;
        data.resize(th, usize::try_from(size).unwrap_or(0), smallest)?;
        Ok(Value::NONE)
    }),
    function("dlopen", "(name, flag=RTLD_NOW, /)", "Open a shared library.", |th, a| {
        library::open(th, &a[0], a.opt(1))
    }),
    function("dlclose", "(handle, /)", "Close a shared library.", |th, a| library::close(th, &a[0])),
    function("dlsym", "(handle, name, /)", "The address of what a library exports.", |th, a| {
        match library::find(th, &a[0], &a[1])? {
            Ok(address) => Ok((address as u64).into()),
            Err(error) => Err(krait_runtime::errors::raise(th, &krait_runtime::exceptions::OS_ERROR, error)),
        }
    }),
    function("alignment", "(obj, /)", "The alignment of a type or of an object's type.", |th, a| {
        match info::of(th, &a[0]).or_else(|| info::of_instance(th, &a[0])) {
            Some(info) => Ok(info.align.into()),
            None => Err(type_error(th, "no alignment info")),
        }
    }),
    function("sizeof", "(obj, /)", "The size of a type or of an object.", |th, a| {
        if let Some(info) = info::of(th, &a[0]) {
            return Ok(info.size.into());
        }
        match a[0].downcast_ref::<CData>() {
            Some(data) => Ok(data.size().into()),
            None => Err(type_error(th, "this type has no size")),
        }
    }),
    function("byref", "(obj, offset=0, /)", "A light pointer to an object, for a call.", |th, a| {
        if a[0].downcast_ref::<CData>().is_none() {
            let name = a[0].class().name();
            return Err(type_error(th, format!("byref() argument must be a ctypes instance, not '{name}'")));
        }
        let offset = a.opt(1).map_or(Ok(0), |offset| number::index_isize(th, offset))?;
        Ok(Parameter::reference(&a[0], offset))
    }),
    function("addressof", "(obj, /)", "The address of an object's memory.", |th, a| {
        match a[0].downcast_ref::<CData>() {
            Some(data) => Ok((data.address() as u64).into()),
            None => Err(type_error(th, "invalid type")),
        }
    }),
    function("call_function", "(function, arguments, /)", "Call an address.", call_function),
    function("call_cdeclfunction", "(function, arguments, /)", "Call an address.", call_function),
    function("PyObj_FromPtr", "(address, /)", "The object that a pointer stands for.", |th, a| {
        let word = number::to_masked(th, &a[0], 64)? as usize;
        super::simple::object_at(th, word)
    }),
    function("Py_INCREF", "(object, /)", "Count one more reference to the object.", |_, a| {
        std::mem::forget(a[0].clone());
        Ok(a[0].clone())
    }),
    function("Py_DECREF", "(object, /)", "Count one reference to the object less.", |_, a| {
        super::call::release(a[0].bits() as usize);
        Ok(a[0].clone())
    }),
];

pub fn constants() -> [(&'static str, u64); 14] {
    [
        ("FUNCFLAG_CDECL", 1),
        ("FUNCFLAG_PYTHONAPI", 4),
        ("FUNCFLAG_USE_ERRNO", 8),
        ("FUNCFLAG_USE_LASTERROR", 16),
        ("RTLD_LOCAL", libc::RTLD_LOCAL as u64),
        ("RTLD_GLOBAL", libc::RTLD_GLOBAL as u64),
        ("CTYPES_MAX_ARGCOUNT", functions::MOST_ARGUMENTS as u64),
        ("SIZEOF_TIME_T", 8),
        ("_memmove_addr", libc::memmove as *const () as u64),
        ("_memset_addr", libc::memset as *const () as u64),
        ("_string_at_addr", string_at as *const () as u64),
        ("_wstring_at_addr", wstring_at as *const () as u64),
        ("_cast_addr", cast as *const () as u64),
        ("TYPEFLAG_ISPOINTER", 0x100),
    ]
}

fn buffer_info(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(info) = info::of(th, &a[0]).or_else(|| info::of_instance(th, &a[0])) else {
        return Err(type_error(th, "not a ctypes type or object"));
    };
    let shape: Vec<Value> = info.shape.iter().map(|&n| Value::from(n)).collect();
    let dimensions = shape.len();
    Ok(Tuple::of([Value::str(&info.format), dimensions.into(), Tuple::from_vec(shape).into()]).into())
}

fn call_function(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let address = number::to_masked(th, &a[0], 64)? as usize;
    let Some(arguments) = a[1].to_ref::<Tuple>() else { return Err(type_error(th, "arguments must be a tuple")) };
    let ctypes = krait_runtime::import::import_module(th, "ctypes")?;
    let int = attr::get_text(th, &ctypes, "c_int")?;
    functions::call_address(th, address, &arguments, None, &Returned::Class(int), 0)
}

/// The bits of a result for Python, which owns it; 0 with an exception set.
fn answer(result: PyResult<Value>) -> u64 {
    result.map_or(0, Value::into_bits)
}

/// `string_at(address, size)`; a negative size is up to the NUL.
extern "C" fn string_at(address: usize, size: libc::c_int) -> u64 {
    if size < -1 {
        return negative("PyBytes_FromStringAndSize");
    }
    let bytes = match usize::try_from(size) {
        Ok(size) => memory::load(address, size),
        Err(_) => memory::c_string(address),
    };
    answer(Ok(Bytes::new(&bytes).into()))
}

/// A size that is no size.
fn negative(function: &str) -> u64 {
    with_current(|th| answer(Err(system_error(th, format!("Negative size passed to {function}"))))).unwrap_or(0)
}

extern "C" fn wstring_at(address: usize, size: libc::c_int) -> u64 {
    if size < -1 {
        return negative("PyUnicode_New");
    }
    let points = memory::wide_string(address, usize::try_from(size).ok());
    answer(Ok(Str::from_points(&points).into()))
}

/// `cast(address, source, class)`
extern "C" fn cast(address: usize, source: u64, class: u64) -> u64 {
    with_current(|th| {
        let made = super::simple::object_at(th, source as usize).and_then(|source| {
            let class = super::simple::object_at(th, class as usize)?;
            cast_to(th, address, &source, &class)
        });
        answer(made)
    })
    .unwrap_or(0)
}

fn cast_to(th: &mut Thread, address: usize, source: &Value, class: &Value) -> PyResult<Value> {
    let points = info::of(th, class).is_some_and(|info| {
        matches!(info.kind, Kind::Pointer | Kind::Function)
            || info.kind == Kind::Simple && matches!(info.code, 'P' | 'z' | 'Z' | 'O')
    });
    if !points {
        let name = match class.downcast_ref::<Type>() {
            Some(_) => class_name(class),
            None => class.class().name().to_string(),
        };
        return Err(type_error(th, format!("cast() argument 2 must be a pointer, not {name}")));
    }
    let made = protocol::call(th, class, &[])?;
    if source.downcast_ref::<CData>().is_some() {
        container(source);
        let held = this(source).objects.get().filter(|held| !held.is_none());
        let held = held.unwrap_or_else(|| Dict::new().into());
        this(source).objects.set(Some(held.clone()));
        if let Some(dict) = held.downcast_ref::<Dict>() {
            dict.set(th, Value::from(source.bits()), source.clone())?;
        }
        this(&made).objects.set(Some(held));
    }
    memory::store(this(&made).address(), &address.to_ne_bytes());
    Ok(made)
}
