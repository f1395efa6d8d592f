//! `_operator`: the operators of Python as functions; `attrgetter` and its kin are in `getters`. CPython:
//! `Modules/_operator.c`.
use krait_object::native::function;
use krait_object::{Args, CmpOp, Method, ModuleDef, PyResult, Str, Thread, Tuple, Value};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::exceptions::TYPE_ERROR;
use krait_runtime::protocol::number::{self, BinaryOp};
use krait_runtime::protocol::{buffer, call, compare, iter, sequence};

mod getters;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Operator interface.\n\nFunctions that correspond to the operators of Python, named after the special\nmethods: operator.add(x, y) is x+y.",
    functions: FUNCTIONS,
    classes: &[&getters::ATTRGETTER_DEF, &getters::ITEMGETTER_DEF, &getters::METHODCALLER_DEF],
    ..ModuleDef::new("_operator")
};

macro_rules! binary {
    ($name:literal, $doc:literal, $op:ident) => {
        function($name, "(a, b, /)", $doc, |th, a| number::binary(th, BinaryOp::$op, &a[0], &a[1]))
    };
}
macro_rules! inplace {
    ($name:literal, $doc:literal, $op:ident) => {
        function($name, "(a, b, /)", $doc, |th, a| number::inplace(th, BinaryOp::$op, &a[0], &a[1]))
    };
}
macro_rules! comparison {
    ($name:literal, $doc:literal, $op:ident) => {
        function($name, "(a, b, /)", $doc, |th, a| compare::compare(th, &a[0], &a[1], CmpOp::$op))
    };
}
macro_rules! unary {
    ($name:literal, $doc:literal, $f:ident) => {
        function($name, "(a, /)", $doc, |th, a| number::$f(th, &a[0]))
    };
}

static FUNCTIONS: &[Method] = &[
    function("truth", "(a, /)", "Return True if a is true, False otherwise.", |th, a| {
        compare::truth(th, &a[0]).map(Value::bool)
    }),
    function("contains", "(a, b, /)", "Same as b in a (note reversed operands).", |th, a| {
        sequence::contains(th, &a[0], &a[1]).map(Value::bool)
    }),
    function("indexOf", "(a, b, /)", "Return the first index of b in a.", index_of),
    function("countOf", "(a, b, /)", "Return the number of items in a which are, or which equal, b.", count_of),
    function("is_", "(a, b, /)", "Same as a is b.", |_, a| Ok(Value::bool(a[0].is(&a[1])))),
    function("is_not", "(a, b, /)", "Same as a is not b.", |_, a| Ok(Value::bool(!a[0].is(&a[1])))),
    function("index", "(a, /)", "Same as a.__index__()", |th, a| {
        krait_runtime::types::slice::bounds::exact_index(th, &a[0])
    }),
    binary!("add", "Same as a + b.", Add),
    binary!("sub", "Same as a - b.", Subtract),
    binary!("mul", "Same as a * b.", Multiply),
    binary!("matmul", "Same as a @ b.", MatrixMultiply),
    binary!("floordiv", "Same as a // b.", FloorDivide),
    binary!("truediv", "Same as a / b.", TrueDivide),
    binary!("mod", "Same as a % b.", Remainder),
    unary!("neg", "Same as -a.", negative),
    unary!("pos", "Same as +a.", positive),
    unary!("abs", "Same as abs(a).", absolute),
    unary!("inv", "Same as ~a.", invert),
    unary!("invert", "Same as ~a.", invert),
    binary!("lshift", "Same as a << b.", Lshift),
    binary!("rshift", "Same as a >> b.", Rshift),
    function("not_", "(a, /)", "Same as not a.", |th, a| compare::truth(th, &a[0]).map(|t| Value::bool(!t))),
    binary!("and_", "Same as a & b.", And),
    binary!("xor", "Same as a ^ b.", Xor),
    binary!("or_", "Same as a | b.", Or),
    inplace!("iadd", "Same as a += b.", Add),
    inplace!("isub", "Same as a -= b.", Subtract),
    inplace!("imul", "Same as a *= b.", Multiply),
    inplace!("imatmul", "Same as a @= b.", MatrixMultiply),
    inplace!("ifloordiv", "Same as a //= b.", FloorDivide),
    inplace!("itruediv", "Same as a /= b.", TrueDivide),
    inplace!("imod", "Same as a %= b.", Remainder),
    inplace!("ilshift", "Same as a <<= b.", Lshift),
    inplace!("irshift", "Same as a >>= b.", Rshift),
    inplace!("iand", "Same as a &= b.", And),
    inplace!("ixor", "Same as a ^= b.", Xor),
    inplace!("ior", "Same as a |= b.", Or),
    function("concat", "(a, b, /)", "Same as a + b, for a and b sequences.", |th, a| {
        sequence::concat(th, &a[0], &a[1])
    }),
    function("iconcat", "(a, b, /)", "Same as a += b, for a and b sequences.", inplace_concat),
    function("getitem", "(a, b, /)", "Same as a[b].", |th, a| sequence::get_item(th, &a[0], &a[1])),
    function("setitem", "(a, b, c, /)", "Same as a[b] = c.", |th, a| {
        sequence::set_item(th, &a[0], &a[1], &a[2])?;
        Ok(Value::NONE)
    }),
    function("delitem", "(a, b, /)", "Same as del a[b].", |th, a| {
        sequence::del_item(th, &a[0], &a[1])?;
        Ok(Value::NONE)
    }),
    binary!("pow", "Same as a ** b.", Power),
    inplace!("ipow", "Same as a **= b.", Power),
    comparison!("eq", "Same as a == b.", Eq),
    comparison!("ne", "Same as a != b.", Ne),
    comparison!("lt", "Same as a < b.", Lt),
    comparison!("le", "Same as a <= b.", Le),
    comparison!("gt", "Same as a > b.", Gt),
    comparison!("ge", "Same as a >= b.", Ge),
    function(
        "_compare_digest",
        "(a, b, /)",
        "Return 'a == b' in time that does not depend on the content.\n\na and b must both be of the same type: str (ASCII only) or any bytes-like object.",
        compare_digest,
    ),
    function(
        "length_hint",
        "(obj, default=0, /)",
        "Return an estimate of the number of items in obj.\n\nThe result is exact if obj has a length; otherwise obj.__length_hint__() is asked, then the default is given.",
        length_hint,
    ),
    function("call", "(obj, /, *args, **kwargs)", "Same as obj(*args, **kwargs).", call_object).raw(),
];

/// The iterator of a searched argument, with the message of containment tests.
fn searched(th: &mut Thread, v: &Value) -> PyResult<Value> {
    match iter::iter(th, v) {
        Ok(it) => Ok(it),
        Err(e) => {
            if !th.exc.as_ref().is_some_and(|exc| exc.is_instance(&TYPE_ERROR)) {
                return Err(e);
            }
            drop(th.take_exc());
            Err(type_error(th, format!("argument of type '{}' is not iterable", v.class().name())))
        }
    }
}

fn index_of(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = searched(th, &a[0])?;
    let mut n = 0i64;
    while let Some(item) = iter::next(th, &it)? {
        if compare::eq(th, &item, &a[1])? {
            return Ok(Value::int(n));
        }
        n += 1;
    }
    Err(value_error(th, "sequence.index(x): x not in sequence"))
}

fn count_of(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = searched(th, &a[0])?;
    let mut n = 0i64;
    while let Some(item) = iter::next(th, &it)? {
        n += i64::from(compare::eq(th, &item, &a[1])?);
    }
    Ok(Value::int(n))
}

fn inplace_concat(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let slot = a[0].class().slots.sq_inplace_concat.get().or(a[0].class().slots.sq_concat.get());
    if let Some(f) = slot {
        return f(th, &a[0], &a[1]);
    }
    if sequence::is_sequence(&a[0]) && sequence::is_sequence(&a[1]) {
        return number::inplace(th, BinaryOp::Add, &a[0], &a[1]);
    }
    Err(type_error(th, format!("'{}' object can't be concatenated", a[0].class().name())))
}

fn length_hint(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let default = match a.opt(1) {
        Some(v) => number::to_isize(th, v)?,
        None => 0,
    };
    // A negative default comes back as it is; it is no hint.
    const NONE: usize = usize::MAX;
    match iter::length_hint(th, &a[0], NONE)? {
        NONE => Ok(Value::int(default as i64)),
        n => Ok(n.into()),
    }
}

fn call_object(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    match a.pos().first() {
        Some(f) => call::call_args(th, f, &a.skip_first()),
        None => Err(type_error(th, "call expected at least 1 argument, got 0")),
    }
}

/// Looks at every byte whatever it finds.
fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    let differing = b.iter().enumerate().fold(0u8, |acc, (i, y)| {
        let x = if a.len() == b.len() { a[i] } else { *y };
        acc | (x ^ y)
    });
    a.len() == b.len() && std::hint::black_box(differing) == 0
}

fn compare_digest(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if let (Some(x), Some(y)) = (a[0].downcast_ref::<Str>(), a[1].downcast_ref::<Str>()) {
        let (Some(x), Some(y)) = (x.as_ascii(), y.as_ascii()) else {
            return Err(type_error(th, "comparing strings with non-ASCII characters is not supported"));
        };
        return Ok(Value::bool(same_bytes(x.as_bytes(), y.as_bytes())));
    }
    if !buffer::has_buffer(&a[0]) || !buffer::has_buffer(&a[1]) {
        let message = format!(
            "unsupported operand types(s) or combination of types: '{}' and '{}'",
            a[0].class().name(),
            a[1].class().name()
        );
        return Err(type_error(th, message));
    }
    let (x, y) = (buffer::bytes_like(th, &a[0])?, buffer::bytes_like(th, &a[1])?);
    Ok(Value::bool(same_bytes(&x, &y)))
}

/// The items of a tuple argument.
fn items(v: &Value) -> &[Value] {
    v.downcast_ref::<Tuple>().map_or(&[], Tuple::as_slice)
}
