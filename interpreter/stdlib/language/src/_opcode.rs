//! `_opcode`: facts about Krait's opcodes, from the one table in `krait_bytecode`.
use krait_bytecode::opcodes::{Extra, OPCODES, OpInfo, Operand};
use krait_object::native::function;
use krait_object::{Args, List, Method, ModuleDef, PyResult, Thread, Tuple, Value};
use krait_runtime::errors::value_error;
use krait_runtime::protocol::number;
use krait_runtime::types::module;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Opcode support module.",
    functions: FUNCTIONS,
    init: Some(|_, m| {
        module::dict(m).set_text("ENABLE_SPECIALIZATION", Value::int(0));
        Ok(())
    }),
    ..ModuleDef::new("_opcode")
};

static FUNCTIONS: &[Method] = &[
    function(
        "stack_effect",
        "(opcode, oparg=None, /, *, jump=None)",
        "Compute the stack effect of the opcode.",
        stack_effect,
    ),
    function("is_valid", "(opcode)", "Return True if opcode is valid, False otherwise.", |th, a| {
        Ok(Value::bool(is_known(number::to_i32(th, &a[0])?)))
    }),
    function("has_arg", "(opcode)", "Return True if the opcode uses its oparg, False otherwise.", |th, a| {
        test(th, a, |i| i.operands.iter().any(|o| *o != Operand::None) || !i.extras.is_empty())
    }),
    function("has_const", "(opcode)", "Return True if the opcode accesses a constant, False otherwise.", |th, a| {
        test(th, a, |i| i.extras.contains(&Extra::Const))
    }),
    function(
        "has_name",
        "(opcode)",
        "Return True if the opcode accesses an attribute by name, False otherwise.",
        |th, a| test(th, a, |i| i.extras.contains(&Extra::Name) || i.operands.contains(&Operand::Name)),
    ),
    function("has_jump", "(opcode)", "Return True if the opcode has a jump target, False otherwise.", |th, a| {
        test(th, a, |i| i.operands.contains(&Operand::Jump))
    }),
    function(
        "has_free",
        "(opcode)",
        "Return True if the opcode accesses a free variable, False otherwise.",
        |th, a| test(th, a, |i| i.name.ends_with("_DEREF") || i.name == "MAKE_CELL"),
    ),
    function(
        "has_local",
        "(opcode)",
        "Return True if the opcode accesses a local variable, False otherwise.",
        |th, a| test(th, a, |i| matches!(i.name, "MOVE" | "CHECK_BOUND" | "DELETE_FAST" | "CLEAR")),
    ),
    function("has_exc", "(opcode)", "Return True if the opcode sets an exception handler, False otherwise.", |_, _| {
        Ok(Value::FALSE)
    }),
    function("get_specialization_stats", "()", "Return the specialization stats", |_, _| Ok(Value::NONE)),
    function(
        "get_nb_ops",
        "()",
        "Return array of symbols of binary ops.\n\nIndexed by the BINARY_OP oparg value.",
        |_, _| {
            let rows = NB_OPS.iter().map(|(name, symbol)| Tuple::of([Value::str(name), Value::str(symbol)]).into());
            Ok(List::new(rows.collect()).into())
        },
    ),
    function("get_intrinsic1_descs", "()", "Return a list of names of the unary intrinsics.", |_, _| {
        Ok(names(INTRINSICS_1))
    }),
    function("get_intrinsic2_descs", "()", "Return a list of names of the binary intrinsics.", |_, _| {
        Ok(names(INTRINSICS_2))
    }),
    function(
        "get_executor",
        "(code, offset)",
        "Return the executor object at offset in code if exists, None otherwise.",
        |_, _| Ok(Value::NONE),
    ),
    function("_reserved", "()", "Names of CPython's opcodes that Krait's bytecode has no use for.", |_, _| {
        Ok(names(RESERVED))
    }),
    function(
        "_table",
        "()",
        "Rows of the opcode table: name, operand kinds, kinds of the extra words, meaning.",
        |_, _| Ok(List::new(OPCODES.iter().map(row).collect()).into()),
    ),
];

/// CPython's opcodes without a counterpart here. Their names have the numbers after the table's, so that tools which look
/// them up (`opcode.opmap["EXTENDED_ARG"]`) can compare with them; no code object contains one.
const RESERVED: &[&str] = &[
    "EXTENDED_ARG",
    "POP_TOP",
    "PUSH_NULL",
    "COPY",
    "SWAP",
    "COPY_FREE_VARS",
    "LOAD_FAST",
    "LOAD_FAST_CHECK",
    "LOAD_FAST_AND_CLEAR",
    "LOAD_FAST_LOAD_FAST",
    "STORE_FAST",
    "STORE_FAST_LOAD_FAST",
    "STORE_FAST_STORE_FAST",
    "STORE_FAST_MAYBE_NULL",
    "LOAD_CLOSURE",
    "LOAD_SUPER_METHOD",
    "LOAD_ZERO_SUPER_ATTR",
    "LOAD_ZERO_SUPER_METHOD",
    "BINARY_OP",
    "COMPARE_OP",
    "CONTAINS_OP",
    "IS_OP",
    "TO_BOOL",
    "BUILD_CONST_KEY_MAP",
    "CHECK_EXC_MATCH",
    "END_FOR",
    "END_SEND",
    "EXIT_INIT_CHECK",
    "INTERPRETER_EXIT",
    "ENTER_EXECUTOR",
    "RETURN_GENERATOR",
    "RETURN_CONST",
    "JUMP",
    "JUMP_NO_INTERRUPT",
    "JUMP_BACKWARD_NO_INTERRUPT",
    "POP_JUMP_IF_TRUE",
    "POP_JUMP_IF_FALSE",
    "POP_JUMP_IF_NONE",
    "POP_JUMP_IF_NOT_NONE",
    "POP_BLOCK",
    "SETUP_CLEANUP",
    "SETUP_FINALLY",
    "SETUP_WITH",
];

/// `BINARY_OP` is not an opcode here; the names serve tools that list them.
const NB_OPS: &[(&str, &str)] = &[
    ("NB_ADD", "+"),
    ("NB_AND", "&"),
    ("NB_FLOOR_DIVIDE", "//"),
    ("NB_LSHIFT", "<<"),
    ("NB_MATRIX_MULTIPLY", "@"),
    ("NB_MULTIPLY", "*"),
    ("NB_REMAINDER", "%"),
    ("NB_OR", "|"),
    ("NB_POWER", "**"),
    ("NB_RSHIFT", ">>"),
    ("NB_SUBTRACT", "-"),
    ("NB_TRUE_DIVIDE", "/"),
    ("NB_XOR", "^"),
    ("NB_INPLACE_ADD", "+="),
    ("NB_INPLACE_AND", "&="),
    ("NB_INPLACE_FLOOR_DIVIDE", "//="),
    ("NB_INPLACE_LSHIFT", "<<="),
    ("NB_INPLACE_MATRIX_MULTIPLY", "@="),
    ("NB_INPLACE_MULTIPLY", "*="),
    ("NB_INPLACE_REMAINDER", "%="),
    ("NB_INPLACE_OR", "|="),
    ("NB_INPLACE_POWER", "**="),
    ("NB_INPLACE_RSHIFT", ">>="),
    ("NB_INPLACE_SUBTRACT", "-="),
    ("NB_INPLACE_TRUE_DIVIDE", "/="),
    ("NB_INPLACE_XOR", "^="),
];
const INTRINSICS_1: &[&str] = &[
    "INTRINSIC_1_INVALID",
    "INTRINSIC_PRINT",
    "INTRINSIC_IMPORT_STAR",
    "INTRINSIC_STOPITERATION_ERROR",
    "INTRINSIC_ASYNC_GEN_WRAP",
    "INTRINSIC_UNARY_POSITIVE",
    "INTRINSIC_LIST_TO_TUPLE",
    "INTRINSIC_TYPEVAR",
    "INTRINSIC_PARAMSPEC",
    "INTRINSIC_TYPEVARTUPLE",
    "INTRINSIC_SUBSCRIPT_GENERIC",
    "INTRINSIC_TYPEALIAS",
];
const INTRINSICS_2: &[&str] = &[
    "INTRINSIC_2_INVALID",
    "INTRINSIC_PREP_RERAISE_STAR",
    "INTRINSIC_TYPEVAR_WITH_BOUND",
    "INTRINSIC_TYPEVAR_WITH_CONSTRAINTS",
    "INTRINSIC_SET_FUNCTION_TYPE_PARAMS",
    "INTRINSIC_SET_TYPEPARAM_DEFAULT",
];

fn names(all: &[&str]) -> Value {
    List::new(all.iter().map(|n| Value::str(n)).collect()).into()
}
fn row(i: &OpInfo) -> Value {
    let operands = Tuple::new(i.operands.map(|o| Value::str(&format!("{o:?}"))));
    let extras = Tuple::from_vec(i.extras.iter().map(|e| Value::str(&format!("{e:?}"))).collect());
    Tuple::of([Value::str(i.name), operands.into(), extras.into(), Value::str(i.meaning)]).into()
}
fn is_known(op: i32) -> bool {
    usize::try_from(op).is_ok_and(|op| op < OPCODES.len() + RESERVED.len())
}
fn info(th: &mut Thread, a: &Args<'_>) -> PyResult<Option<&'static OpInfo>> {
    let op = number::to_i32(th, &a[0])?;
    Ok(usize::try_from(op).ok().and_then(|op| OPCODES.get(op)))
}
fn test(th: &mut Thread, a: &Args<'_>, f: impl Fn(&OpInfo) -> bool) -> PyResult<Value> {
    Ok(Value::bool(info(th, a)?.is_some_and(f)))
}
/// A register machine has no stack, so nothing moves it; what can be checked is checked.
fn stack_effect(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let op = number::to_i32(th, &a[0])?;
    if let Some(oparg) = a.opt_not_none(1) {
        number::to_i32(th, oparg)?;
    }
    if let Some(jump) = a.opt_not_none(2)
        && jump.as_bool().is_none()
    {
        return Err(value_error(th, "stack_effect: jump must be False, True or None"));
    }
    if !is_known(op) {
        return Err(value_error(th, "invalid opcode or oparg"));
    }
    Ok(Value::int(0))
}
