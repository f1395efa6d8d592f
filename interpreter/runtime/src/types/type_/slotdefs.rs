//! The pairing of dunder methods and type slots, both ways: `WRAPPERS` make a builtin's slots visible as methods
//! (`wrapper_descriptor`), `GROUPS` make a Python class's methods reachable through slots. In CPython's order
//! (`slotdefs` in `typeobject.c`).
use krait_object::slots::Slots;
use krait_object::{Args, CmpOp, PyResult, SlotDefs, Thread, Type, Value};

use super::dispatch as d;
use crate::errors::type_error;
use crate::protocol::number;

/// A dunder method that calls a slot of the class that owns the descriptor.
pub struct WrapperDef {
    pub name: &'static str,
    pub sig: &'static str,
    pub doc: &'static str,
    /// Arguments after `self`.
    pub min: usize,
    pub max: usize,
    /// Takes any arguments (`__init__`, `__call__`).
    pub variadic: bool,
    pub present: fn(&Slots) -> bool,
    pub call: fn(&mut Thread, &Type, &Args<'_>) -> PyResult<Value>,
}

/// The methods that one slot stands for, and the slot function that calls them.
pub struct Group {
    pub names: &'static [&'static str],
    pub copy: fn(&Slots, &Slots),
    pub same: fn(&Slots, &Slots) -> bool,
    /// Fills the slot with the function that looks the methods up.
    pub generic: fn(&Slots),
    pub clear: fn(&Slots),
}

macro_rules! group {
    ($slot:ident, $generic:expr, $($name:literal),+) => {
        Group {
            names: &[$($name),+],
            copy: |to, from| to.$slot.copy_from(&from.$slot),
            same: |a, b| a.$slot.same(&b.$slot),
            generic: |s| s.fill(&SlotDefs { $slot: Some($generic), ..SlotDefs::EMPTY }),
            clear: |s| s.$slot.set(None),
        }
    };
}
macro_rules! binary_group {
    ($slot:ident, $left:literal, $right:literal) => {
        group!(
            $slot,
            {
                fn generic(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
                    let own = generic as *const () as usize;
                    d::binary(th, a, b, ($left, $right), own, |s| s.$slot.get().map(|f| f as usize))
                }
                generic
            },
            $left,
            $right
        )
    };
}
macro_rules! inplace_group {
    ($slot:ident, $name:literal) => {
        group!($slot, |th, a, b| d::method_1(th, a, $name, b), $name)
    };
}
macro_rules! unary_group {
    ($slot:ident, $name:literal) => {
        group!($slot, |th, a| d::method_0(th, a, $name), $name)
    };
}

pub static GROUPS: &[Group] = &[
    group!(getattr, d::getattr, "__getattribute__", "__getattr__"),
    group!(setattr, d::setattr, "__setattr__", "__delattr__"),
    group!(repr, d::repr, "__repr__"),
    group!(hash, d::hash, "__hash__"),
    group!(call, d::call, "__call__"),
    group!(str, d::str, "__str__"),
    group!(compare, d::compare, "__lt__", "__le__", "__eq__", "__ne__", "__gt__", "__ge__"),
    group!(iter, d::iter, "__iter__"),
    group!(next, d::next, "__next__"),
    group!(descr_get, d::descr_get, "__get__"),
    group!(descr_set, d::descr_set, "__set__", "__delete__"),
    group!(init, d::init, "__init__"),
    group!(new, d::new, "__new__"),
    group!(finalize, d::finalize, "__del__"),
    group!(buffer, d::buffer, "__buffer__"),
    group!(release_buffer, d::release_buffer, "__release_buffer__"),
    unary_group!(await_, "__await__"),
    unary_group!(aiter, "__aiter__"),
    unary_group!(anext, "__anext__"),
    binary_group!(add, "__add__", "__radd__"),
    binary_group!(subtract, "__sub__", "__rsub__"),
    binary_group!(multiply, "__mul__", "__rmul__"),
    binary_group!(remainder, "__mod__", "__rmod__"),
    binary_group!(divmod, "__divmod__", "__rdivmod__"),
    group!(power, d::power, "__pow__", "__rpow__"),
    unary_group!(negative, "__neg__"),
    unary_group!(positive, "__pos__"),
    unary_group!(absolute, "__abs__"),
    group!(bool, d::bool, "__bool__"),
    unary_group!(invert, "__invert__"),
    binary_group!(lshift, "__lshift__", "__rlshift__"),
    binary_group!(rshift, "__rshift__", "__rrshift__"),
    binary_group!(and, "__and__", "__rand__"),
    binary_group!(xor, "__xor__", "__rxor__"),
    binary_group!(or, "__or__", "__ror__"),
    unary_group!(int, "__int__"),
    unary_group!(float, "__float__"),
    inplace_group!(inplace_add, "__iadd__"),
    inplace_group!(inplace_subtract, "__isub__"),
    inplace_group!(inplace_multiply, "__imul__"),
    inplace_group!(inplace_remainder, "__imod__"),
    group!(inplace_power, |th, a, b, _| d::method_1(th, a, "__ipow__", b), "__ipow__"),
    inplace_group!(inplace_lshift, "__ilshift__"),
    inplace_group!(inplace_rshift, "__irshift__"),
    inplace_group!(inplace_and, "__iand__"),
    inplace_group!(inplace_xor, "__ixor__"),
    inplace_group!(inplace_or, "__ior__"),
    binary_group!(floor_divide, "__floordiv__", "__rfloordiv__"),
    binary_group!(true_divide, "__truediv__", "__rtruediv__"),
    inplace_group!(inplace_floor_divide, "__ifloordiv__"),
    inplace_group!(inplace_true_divide, "__itruediv__"),
    unary_group!(index, "__index__"),
    binary_group!(matrix_multiply, "__matmul__", "__rmatmul__"),
    inplace_group!(inplace_matrix_multiply, "__imatmul__"),
    group!(mp_len, d::len, "__len__"),
    group!(subscript, |th, a, b| d::method_1(th, a, "__getitem__", b), "__getitem__"),
    group!(set_subscript, d::set_subscript, "__setitem__", "__delitem__"),
    group!(sq_len, d::len, "__len__"),
    group!(sq_item, |th, a, i| d::method_1(th, a, "__getitem__", &Value::from(i as i64)), "__getitem__"),
    group!(sq_set_item, |th, a, i, v| d::set_subscript(th, a, &Value::from(i as i64), v), "__setitem__", "__delitem__"),
    group!(contains, d::contains, "__contains__"),
];

fn slot<F>(f: Option<F>) -> F {
    f.expect("a wrapper exists only for a slot that its class fills")
}

macro_rules! wrapper {
    ($name:literal, $slot:ident, $sig:literal, $min:literal, $max:literal, $doc:expr, |$th:ident, $f:ident, $a:ident| $body:expr) => {
        WrapperDef {
            name: $name,
            sig: $sig,
            doc: $doc,
            min: $min,
            max: $max,
            variadic: false,
            present: |s| s.$slot.is_set(),
            call: |$th, owner, $a| {
                let $f = slot(owner.slots.$slot.get());
                $body
            },
        }
    };
}
macro_rules! wrap_binary {
    ($left:literal, $right:literal, $slot:ident, $symbol:literal) => {
        [
            wrapper!($left, $slot, "(value, /)", 1, 1, concat!("Return self", $symbol, "value."), |th, f, a| f(
                th, &a[0], &a[1]
            )),
            wrapper!($right, $slot, "(value, /)", 1, 1, concat!("Return value", $symbol, "self."), |th, f, a| f(
                th, &a[1], &a[0]
            )),
        ]
    };
}
macro_rules! wrap_inplace {
    ($name:literal, $slot:ident, $symbol:literal) => {
        wrapper!($name, $slot, "(value, /)", 1, 1, concat!("Return self", $symbol, "value."), |th, f, a| f(
            th, &a[0], &a[1]
        ))
    };
}
macro_rules! wrap_unary {
    ($name:literal, $slot:ident, $doc:literal) => {
        wrapper!($name, $slot, "()", 0, 0, $doc, |th, f, a| f(th, &a[0]))
    };
}
macro_rules! wrap_compare {
    ($name:literal, $op:ident, $symbol:literal) => {
        wrapper!($name, compare, "(value, /)", 1, 1, concat!("Return self", $symbol, "value."), |th, f, a| f(
            th,
            &a[0],
            &a[1],
            CmpOp::$op
        ))
    };
}

static BINARY: &[[WrapperDef; 2]] = &[
    wrap_binary!("__add__", "__radd__", add, "+"),
    wrap_binary!("__sub__", "__rsub__", subtract, "-"),
    wrap_binary!("__mul__", "__rmul__", multiply, "*"),
    wrap_binary!("__mod__", "__rmod__", remainder, "%"),
    wrap_binary!("__divmod__", "__rdivmod__", divmod, " divmod "),
    wrap_binary!("__lshift__", "__rlshift__", lshift, "<<"),
    wrap_binary!("__rshift__", "__rrshift__", rshift, ">>"),
    wrap_binary!("__and__", "__rand__", and, "&"),
    wrap_binary!("__xor__", "__rxor__", xor, "^"),
    wrap_binary!("__or__", "__ror__", or, "|"),
    wrap_binary!("__floordiv__", "__rfloordiv__", floor_divide, "//"),
    wrap_binary!("__truediv__", "__rtruediv__", true_divide, "/"),
    wrap_binary!("__matmul__", "__rmatmul__", matrix_multiply, "@"),
];

static REST: &[WrapperDef] = &[
    wrapper!("__getattribute__", getattr, "(name, /)", 1, 1, "Return getattr(self, name).", |th, f, a| {
        let name = crate::protocol::attr::name_argument(th, &a[1])?;
        match f(th, &a[0], &name)? {
            Some(v) => Ok(v),
            None => Err(crate::protocol::attr::missing(th, &a[0], &name)),
        }
    }),
    wrapper!("__setattr__", setattr, "(name, value, /)", 2, 2, "Implement setattr(self, name, value).", |th, f, a| {
        let name = crate::protocol::attr::name_argument(th, &a[1])?;
        super::check_setattr_owner(th, &a[0], "__setattr__", f)?;
        f(th, &a[0], &name, Some(&a[2])).map(Value::from)
    }),
    wrapper!("__delattr__", setattr, "(name, /)", 1, 1, "Implement delattr(self, name).", |th, f, a| {
        let name = crate::protocol::attr::name_argument(th, &a[1])?;
        super::check_setattr_owner(th, &a[0], "__delattr__", f)?;
        f(th, &a[0], &name, None).map(Value::from)
    }),
    wrap_unary!("__repr__", repr, "Return repr(self)."),
    wrapper!("__hash__", hash, "()", 0, 0, "Return hash(self).", |th, f, a| f(th, &a[0]).map(Value::int)),
    WrapperDef {
        name: "__call__",
        sig: "(*args, **kwargs)",
        doc: "Call self as a function.",
        min: 0,
        max: usize::MAX,
        variadic: true,
        present: |s| s.call.is_set(),
        call: |th, owner, a| slot(owner.slots.call.get())(th, &a[0], &a.skip_first()),
    },
    wrap_unary!("__str__", str, "Return str(self)."),
    wrap_compare!("__lt__", Lt, "<"),
    wrap_compare!("__le__", Le, "<="),
    wrap_compare!("__eq__", Eq, "=="),
    wrap_compare!("__ne__", Ne, "!="),
    wrap_compare!("__gt__", Gt, ">"),
    wrap_compare!("__ge__", Ge, ">="),
    wrap_unary!("__iter__", iter, "Implement iter(self)."),
    wrapper!("__next__", next, "()", 0, 0, "Implement next(self).", |th, f, a| match f(th, &a[0])? {
        Some(v) => Ok(v),
        None => Err(crate::errors::stop_iteration(th, None)),
    }),
    wrapper!(
        "__get__",
        descr_get,
        "(instance, owner=None, /)",
        1,
        2,
        "Return an attribute of instance, which is of type owner.",
        |th, f, a| {
            let object = Some(&a[1]).filter(|v| !v.is_none());
            let class = a.opt_not_none(2);
            if object.is_none() && class.is_none() {
                return Err(type_error(th, "__get__(None, None) is invalid"));
            }
            f(th, &a[0], object, class)
        }
    ),
    wrapper!(
        "__set__",
        descr_set,
        "(instance, value, /)",
        2,
        2,
        "Set an attribute of instance to value.",
        |th, f, a| f(th, &a[0], &a[1], Some(&a[2])).map(Value::from)
    ),
    wrapper!("__delete__", descr_set, "(instance, /)", 1, 1, "Delete an attribute of instance.", |th, f, a| {
        f(th, &a[0], &a[1], None).map(Value::from)
    }),
    WrapperDef {
        name: "__init__",
        sig: "(*args, **kwargs)",
        doc: "Initialize self.  See help(type(self)) for accurate signature.",
        min: 0,
        max: usize::MAX,
        variadic: true,
        present: |s| s.init.is_set(),
        call: |th, owner, a| slot(owner.slots.init.get())(th, &a[0], &a.skip_first()).map(Value::from),
    },
    wrapper!("__del__", finalize, "()", 0, 0, "Called when the instance is about to be destroyed.", |th, f, a| {
        f(th, &a[0]);
        Ok(Value::NONE)
    }),
    wrapper!(
        "__buffer__",
        buffer,
        "(flags, /)",
        1,
        1,
        "Return a buffer object that exposes the underlying memory of the object.",
        |th, f, a| {
            let flags = number::to_i32(th, &a[1])? as u32;
            let exported = f(th, &a[0], flags)?;
            crate::types::memoryview::of_exported(th, &a[0], exported, flags)
        }
    ),
    wrapper!(
        "__release_buffer__",
        release_buffer,
        "(buffer, /)",
        1,
        1,
        "Release the buffer object that exposes the underlying memory of the object.",
        |th, f, a| f(th, &a[0], &a[1]).map(Value::from)
    ),
    wrap_unary!("__await__", await_, "Return an iterator to be used in await expression."),
    wrap_unary!("__aiter__", aiter, "Return an awaitable, that resolves in asynchronous iterator."),
    wrap_unary!("__anext__", anext, "Return a value or raise StopAsyncIteration."),
    wrapper!("__pow__", power, "(value, mod=None, /)", 1, 2, "Return pow(self, value, mod).", |th, f, a| {
        f(th, &a[0], &a[1], a.opt(2).unwrap_or(&Value::NONE))
    }),
    wrapper!("__rpow__", power, "(value, mod=None, /)", 1, 2, "Return pow(value, self, mod).", |th, f, a| {
        f(th, &a[1], &a[0], a.opt(2).unwrap_or(&Value::NONE))
    }),
    wrap_unary!("__neg__", negative, "-self"),
    wrap_unary!("__pos__", positive, "+self"),
    wrap_unary!("__abs__", absolute, "abs(self)"),
    wrapper!("__bool__", bool, "()", 0, 0, "True if self else False", |th, f, a| f(th, &a[0]).map(Value::bool)),
    wrap_unary!("__invert__", invert, "~self"),
    wrap_unary!("__int__", int, "int(self)"),
    wrap_unary!("__float__", float, "float(self)"),
    wrap_inplace!("__iadd__", inplace_add, "+="),
    wrap_inplace!("__isub__", inplace_subtract, "-="),
    wrap_inplace!("__imul__", inplace_multiply, "*="),
    wrap_inplace!("__imod__", inplace_remainder, "%="),
    wrapper!("__ipow__", inplace_power, "(value, /)", 1, 1, "Return self**=value.", |th, f, a| f(
        th,
        &a[0],
        &a[1],
        &Value::NONE
    )),
    wrap_inplace!("__ilshift__", inplace_lshift, "<<="),
    wrap_inplace!("__irshift__", inplace_rshift, ">>="),
    wrap_inplace!("__iand__", inplace_and, "&="),
    wrap_inplace!("__ixor__", inplace_xor, "^="),
    wrap_inplace!("__ior__", inplace_or, "|="),
    wrap_inplace!("__ifloordiv__", inplace_floor_divide, "//="),
    wrap_inplace!("__itruediv__", inplace_true_divide, "/="),
    wrap_unary!(
        "__index__",
        index,
        "Return self converted to an integer, if self is suitable for use as an index into a list."
    ),
    wrap_inplace!("__imatmul__", inplace_matrix_multiply, "@="),
    wrapper!("__len__", mp_len, "()", 0, 0, "Return len(self).", |th, f, a| f(th, &a[0]).map(Value::from)),
    wrapper!("__getitem__", subscript, "(key, /)", 1, 1, "Return self[key].", |th, f, a| f(th, &a[0], &a[1])),
    wrapper!("__setitem__", set_subscript, "(key, value, /)", 2, 2, "Set self[key] to value.", |th, f, a| {
        f(th, &a[0], &a[1], Some(&a[2])).map(Value::from)
    }),
    wrapper!("__delitem__", set_subscript, "(key, /)", 1, 1, "Delete self[key].", |th, f, a| {
        f(th, &a[0], &a[1], None).map(Value::from)
    }),
    wrapper!("__len__", sq_len, "()", 0, 0, "Return len(self).", |th, f, a| f(th, &a[0]).map(Value::from)),
    wrapper!("__add__", sq_concat, "(value, /)", 1, 1, "Return self+value.", |th, f, a| f(th, &a[0], &a[1])),
    wrapper!("__mul__", sq_repeat, "(value, /)", 1, 1, "Return self*value.", |th, f, a| {
        let n = number::index_isize(th, &a[1])?;
        f(th, &a[0], n)
    }),
    wrapper!("__rmul__", sq_repeat, "(value, /)", 1, 1, "Return value*self.", |th, f, a| {
        let n = number::index_isize(th, &a[1])?;
        f(th, &a[0], n)
    }),
    wrapper!("__getitem__", sq_item, "(key, /)", 1, 1, "Return self[key].", |th, f, a| {
        let i = item_index(th, &a[0], &a[1])?;
        f(th, &a[0], i)
    }),
    wrapper!("__setitem__", sq_set_item, "(key, value, /)", 2, 2, "Set self[key] to value.", |th, f, a| {
        let i = item_index(th, &a[0], &a[1])?;
        f(th, &a[0], i, Some(&a[2])).map(Value::from)
    }),
    wrapper!("__delitem__", sq_set_item, "(key, /)", 1, 1, "Delete self[key].", |th, f, a| {
        let i = item_index(th, &a[0], &a[1])?;
        f(th, &a[0], i, None).map(Value::from)
    }),
    wrapper!("__contains__", contains, "(key, /)", 1, 1, "Return bool(key in self).", |th, f, a| {
        f(th, &a[0], &a[1]).map(Value::bool)
    }),
    wrapper!("__iadd__", sq_inplace_concat, "(value, /)", 1, 1, "Implement self+=value.", |th, f, a| f(
        th, &a[0], &a[1]
    )),
    wrapper!("__imul__", sq_inplace_repeat, "(value, /)", 1, 1, "Implement self*=value.", |th, f, a| {
        let n = number::index_isize(th, &a[1])?;
        f(th, &a[0], n)
    }),
];

/// Indices from the end count back from the length.
fn item_index(th: &mut Thread, o: &Value, key: &Value) -> PyResult<isize> {
    let i = number::index_isize(th, key)?;
    let len = o.class().slots.sq_len.get();
    match len {
        Some(len) if i < 0 => Ok(i + len(th, o)? as isize),
        _ => Ok(i),
    }
}

/// All wrappers; a name that comes twice belongs to the first slot that the class fills.
pub fn wrappers() -> impl Iterator<Item = &'static WrapperDef> {
    BINARY.iter().flatten().chain(REST)
}
