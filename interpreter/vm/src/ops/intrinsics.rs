//! `CALL_INTRINSIC_1` and `CALL_INTRINSIC_2`.
use krait_bytecode::Word;
use krait_bytecode::opcodes::{Intrinsic1, Intrinsic2};
use krait_object::{Dict, PyResult, Raised, Thread, Tuple, Value};
use krait_runtime::errors;
use krait_runtime::exceptions::{RUNTIME_ERROR, STOP_ASYNC_ITERATION, STOP_ITERATION};
use krait_runtime::protocol::{call, number};
use krait_runtime::types::function::Function;
use krait_runtime::types::generator::async_steps;
use krait_runtime::types::typing;
use krait_runtime::well_known::names;

use super::{a, b, c, finish0, finish1, groups, import, ok};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};

pub fn op_call_intrinsic_1(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let v = r.get(b(w)).clone();
    let value = ok!(intrinsic_1(th, c(w) as u8, &v, r), th, pc, r);
    drop(v);
    finish1(th, w, pc, pc, r, value)
}
pub fn op_call_intrinsic_2(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (x, y) = (r.moved(b(w)), r.moved(b(w) + 1));
    let value = ok!(intrinsic_2(th, c(w) as u8, &x, &y), th, pc, r);
    drop((x, y));
    finish0(th, a(w), pc, pc, r, value)
}

fn intrinsic_1(th: &mut Thread, number: u8, v: &Value, r: Regs) -> PyResult<Value> {
    const PRINT: u8 = Intrinsic1::Print as u8;
    const IMPORT_STAR: u8 = Intrinsic1::ImportStar as u8;
    const STOP_ITERATION_ERROR: u8 = Intrinsic1::StopIterationError as u8;
    const ASYNC_GEN_WRAP: u8 = Intrinsic1::AsyncGenWrap as u8;
    const UNARY_POSITIVE: u8 = Intrinsic1::UnaryPositive as u8;
    const TYPE_VAR: u8 = Intrinsic1::TypeVar as u8;
    const PARAM_SPEC: u8 = Intrinsic1::ParamSpec as u8;
    const TYPE_VAR_TUPLE: u8 = Intrinsic1::TypeVarTuple as u8;
    const SUBSCRIPT_GENERIC: u8 = Intrinsic1::SubscriptGeneric as u8;
    const TYPE_ALIAS: u8 = Intrinsic1::TypeAlias as u8;
    match number {
        PRINT => print(th, v),
        IMPORT_STAR => match r.namespace() {
            Some(namespace) => import::import_star(th, v, &namespace).map(|()| Value::NONE),
            None => Err(errors::system_error(th, "no locals found during 'import *'")),
        },
        STOP_ITERATION_ERROR => Ok(stop_iteration_error(th, v, r)),
        ASYNC_GEN_WRAP => Ok(async_steps::wrap(v.clone())),
        UNARY_POSITIVE => number::positive(th, v),
        TYPE_VAR => Ok(typing::make_type_var(v)),
        PARAM_SPEC => Ok(typing::make_param_spec(v)),
        TYPE_VAR_TUPLE => Ok(typing::make_type_var_tuple(v)),
        SUBSCRIPT_GENERIC => typing::subscript_generic(th, v),
        TYPE_ALIAS => type_alias(th, v),
        _ => Err(errors::system_error(th, "unknown intrinsic")),
    }
}

/// `sys.displayhook(v)`.
fn print(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let sys = th.interp.sys.get().and_then(|s| s.to_ref::<Dict>());
    match sys.and_then(|s| s.get_str(&names().displayhook)) {
        Some(hook) => call::call(th, &hook, std::slice::from_ref(v)),
        None => Err(errors::runtime_error(th, "lost sys.displayhook")),
    }
}

/// PEP 479. What is not a StopIteration (or StopAsyncIteration in an asynchronous generator) passes.
fn stop_iteration_error(th: &mut Thread, exception: &Value, r: Regs) -> Value {
    use krait_bytecode::code::flags;
    let flags = r.code().flags;
    let message = if exception.is_instance(&STOP_ITERATION) {
        if flags & flags::ASYNC_GENERATOR != 0 {
            "async generator raised StopIteration"
        } else if flags & flags::COROUTINE != 0 {
            "coroutine raised StopIteration"
        } else {
            "generator raised StopIteration"
        }
    } else if flags & flags::ASYNC_GENERATOR != 0 && exception.is_instance(&STOP_ASYNC_ITERATION) {
        "async generator raised StopAsyncIteration"
    } else {
        return exception.clone();
    };
    let _: Raised = errors::raise(th, &RUNTIME_ERROR, message);
    let made = th.exc.take().unwrap_or(Value::NONE);
    errors::chain(&made, exception);
    made
}

fn type_alias(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let Some(parts) = v.to_ref::<Tuple>() else { return Err(errors::system_error(th, "bad type alias")) };
    typing::make_type_alias(th, &parts)
}

fn intrinsic_2(th: &mut Thread, number: u8, x: &Value, y: &Value) -> PyResult<Value> {
    const PREP_RERAISE_STAR: u8 = Intrinsic2::PrepReraiseStar as u8;
    const WITH_BOUND: u8 = Intrinsic2::TypeVarWithBound as u8;
    const WITH_CONSTRAINTS: u8 = Intrinsic2::TypeVarWithConstraints as u8;
    const SET_TYPE_PARAMS: u8 = Intrinsic2::SetFunctionTypeParams as u8;
    const SET_DEFAULT: u8 = Intrinsic2::SetTypeParamDefault as u8;
    match number {
        PREP_RERAISE_STAR => groups::prepare_reraise(th, x, y),
        WITH_BOUND => Ok(typing::make_type_var_with_bound(x, y)),
        WITH_CONSTRAINTS => Ok(typing::make_type_var_with_constraints(x, y)),
        SET_TYPE_PARAMS => {
            if let Some(function) = x.downcast_ref::<Function>() {
                function.type_params.set(Some(y.clone()));
            }
            Ok(x.clone())
        }
        SET_DEFAULT => typing::set_default(th, x, y),
        _ => Err(errors::system_error(th, "unknown intrinsic")),
    }
}
