//! Loops, generators, `await`.
use krait_bytecode::code::flags;
use krait_bytecode::opcodes::KILL_1;
use krait_bytecode::{Op, Word};
use std::sync::atomic::Ordering::Relaxed;

use krait_object::builtin_types::LIST;
use krait_object::{PyResult, Raised, Thread, Value};
use krait_runtime::errors;
use krait_runtime::exceptions::{self as exc, STOP_ASYNC_ITERATION, STOP_ITERATION};
use krait_runtime::protocol::{attr, iter};
use krait_runtime::types::dict::iterators::{ItemIter, next_pair as next_item};
use krait_runtime::types::enumerate::{self, Enumerate};
use krait_runtime::types::generator::{
    self, AsyncGenerator, GENERATOR, Resume, Resumed, async_steps, coroutine, throw::stop_value,
};
use krait_runtime::types::list::iterators::ListIter;
use krait_runtime::types::range::iterators::RangeIter;
use krait_runtime::types::tuple::iterator::TupleIter;
use krait_runtime::types::zip::{self, Zip};

use super::{a, b, c, dies, finish0, finish1, ok};
use crate::frames::{ENTRY_WORDS, entry_return, publish};
use crate::generators;
use crate::regs::{Pc, RESUMED, Regs, S};
use crate::safepoint::{after_drop, safe_point};
use crate::trace;
use crate::unwind::{fail, reraise};

pub fn op_get_iter(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let v = r.get(b(w));
    if v.is_exact(&LIST) {
        let list = r.take_or_clone(b(w), dies(w, KILL_1));
        return finish0(th, a(w), pc, pc, r, ListIter::over(list));
    }
    publish(th, pc);
    if v.class().is_static() {
        // No Python code runs.
        let it = ok!(iter::iter(th, v), th, pc, r);
        return finish1(th, w, pc, pc, r, it);
    }
    let v = v.clone();
    let it = ok!(iter::iter(th, &v), th, pc, r);
    drop(v);
    finish1(th, w, pc, pc, r, it)
}

#[inline(always)]
pub fn op_for_iter(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if th.breaker() != 0 {
        return for_iter_safe(th, w, pc, r);
    }
    for_iter(th, w, pc, r)
}
#[inline(always)]
fn for_iter(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let iterator = r.get(a(w));
    if let Some(range) = iterator.downcast_exact::<RangeIter>() {
        let left = range.left.load(Relaxed);
        if left <= 0 {
            return exhausted(th, w, pc, r);
        }
        let item = range.next.load(Relaxed);
        range.next.store(item.wrapping_add(range.step), Relaxed);
        range.left.store(left - 1, Relaxed);
        return finish0(th, b(w), pc, pc.offset(w.sc() as isize), r, Value::int(item));
    }
    if let Some(it) = iterator.downcast_exact::<ListIter>() {
        if let Some(item) = it.step() {
            return finish0(th, b(w), pc, pc.offset(w.sc() as isize), r, item);
        }
        return for_slot(th, w, pc, r);
    }
    if iterator.is_exact(&GENERATOR) {
        return for_generator(th, w, pc, r);
    }
    for_iter_other(th, w, pc, r)
}
#[inline(never)]
fn for_iter_other(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let iterator = r.get(a(w));
    if let Some(it) = iterator.downcast_exact::<TupleIter>() {
        let index = it.index.load(Relaxed);
        if let Some(item) = it.tuple.tuple_item(index) {
            it.index.store(index + 1, Relaxed);
            return finish0(th, b(w), pc, pc.offset(w.sc() as isize), r, item);
        }
    } else if takes_pairs(th, w, pc) {
        return for_pair(th, w, pc, r);
    }
    for_slot(th, w, pc, r)
}
/// Whether what the step gives is unpacked into two at once.
#[inline(always)]
fn takes_pairs(th: &Thread, w: Word, pc: Pc) -> bool {
    let unpack = pc.offset(w.sc() as isize).word();
    unpack.op_byte() == Op::UNPACK_SEQUENCE as u8
        && c(unpack) == 2
        && b(unpack) == b(w)
        && dies(unpack, KILL_1)
        && !th.vm.tracing.active
}
/// A step of an iterator over pairs whose pair is unpacked at once ([`takes_pairs`]): both instructions, without making the tuple.
#[inline(never)]
fn for_pair(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let iterator = r.get(a(w));
    let pair = if let Some(it) = iterator.downcast_exact::<Enumerate>() {
        it.step()
    } else if let Some(it) = iterator.downcast_exact::<ItemIter>() {
        it.step()
    } else if let Some(it) = iterator.downcast_exact::<Zip>() {
        it.step()
    } else {
        return for_slot(th, w, pc, r);
    };
    match pair {
        Some(pair) => finish_pair(th, w, pc, r, pair),
        None => for_pair_slow(th, w, pc, r),
    }
}
#[inline(never)]
fn for_pair_slow(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let iterator = r.get(a(w));
    let result = if let Some(it) = iterator.downcast_exact::<Enumerate>() {
        enumerate::next_pair(th, it)
    } else if let Some(it) = iterator.downcast_exact::<ItemIter>() {
        next_item(th, it)
    } else if let Some(it) = iterator.downcast_exact::<Zip>()
        && let Some(result) = zip::next_pair(th, it)
    {
        result
    } else {
        return for_slot(th, w, pc, r);
    };
    match result {
        Ok(Some(pair)) => finish_pair(th, w, pc, r, pair),
        Ok(None) => exhausted(th, w, pc, r),
        Err(raised) => for_iter_failed(th, raised, w, pc, r),
    }
}
/// Both items into the registers that the instruction after the step unpacks the pair to.
#[inline(always)]
fn finish_pair(th: &mut Thread, w: Word, pc: Pc, r: Regs, [first, second]: [Value; 2]) -> S {
    let body = pc.offset(w.sc() as isize);
    let to = a(body.word());
    let mut freed = r.kill(b(w));
    freed |= r.replace(to, Some(first)).is_some_and(Value::release);
    freed |= r.replace(to + 1, Some(second)).is_some_and(Value::release);
    after_drop(th, pc, freed);
    S { pc: body.add(1), r }
}
#[inline(never)]
fn for_generator(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    match generators::resume_inline(th, Value::NONE, pc, r) {
        Ok(s) => s,
        Err(_) => for_slot(th, w, pc, r),
    }
}
#[inline(never)]
fn for_slot(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let iterator = r.get(a(w));
    let next = iterator.class().slots.next.get();
    let result = match next {
        Some(next) => next(th, iterator),
        None => not_an_iterator(th, iterator),
    };
    match result {
        Ok(Some(item)) => finish0(th, b(w), pc, pc.offset(w.sc() as isize), r, item),
        Ok(None) => exhausted(th, w, pc, r),
        Err(raised) => for_iter_failed(th, raised, w, pc, r),
    }
}
/// A safe point, and only then the step: with the loops switched, the instruction runs again in the other one.
#[cold]
#[inline(never)]
fn for_iter_safe(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let s = safe_point(th, pc, pc.back(1), r);
    if s.pc == pc.back(1) { for_iter(th, w, pc, r) } else { s }
}
#[cold]
fn not_an_iterator(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    Err(errors::type_error(th, format!("'{}' object is not an iterator", v.class().name())))
}
fn exhausted(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let freed = r.kill(a(w));
    after_drop(th, pc, freed);
    S { pc, r }
}
#[cold]
#[inline(never)]
fn for_iter_failed(th: &mut Thread, raised: Raised, w: Word, pc: Pc, r: Regs) -> S {
    if th.vm.tracing.active {
        trace::iteration_stopped(th, r, pc);
    }
    match errors::catch(th, raised, &STOP_ITERATION) {
        Ok(_) => exhausted(th, w, pc, r),
        Err(raised) => fail(th, raised, pc, r),
    }
}

/// Hands the value to whoever resumed the generator; that copies the registers out.
pub fn op_yield(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    // An operand that is the destination too has no kill bit; at or above the height it is not live any more.
    let value = r.take_or_clone(b(w), dies(w, KILL_1) || b(w) >= c(w));
    let (ret, flags) = r.return_pc();
    if flags & RESUMED != 0 {
        return generators::yielded(th, r, pc, ret, value);
    }
    let e = r.down(ENTRY_WORDS);
    e.put(0, value);
    S { pc: entry_return(), r: e }
}
pub fn op_get_yield_from_iter(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let v = r.get(b(w)).clone();
    let in_coroutine = r.code().flags & (flags::COROUTINE | flags::ITERABLE_COROUTINE) != 0;
    let it = ok!(coroutine::yield_from_iter(th, &v, in_coroutine), th, pc, r);
    drop(v);
    finish1(th, w, pc, pc, r, it)
}

pub fn op_send(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let value = r.moved(b(w));
    let value = match generators::resume_inline(th, value, pc, r) {
        Ok(s) => return s,
        Err(value) => value,
    };
    let receiver = r.get(a(w)).clone();
    match ok!(send(th, &receiver, value, pc, r), th, pc, r) {
        Resumed::Yield(v) => {
            drop(receiver);
            finish0(th, b(w), pc, pc, r, v)
        }
        Resumed::Return(v) => {
            drop(receiver);
            r.replace(b(w), Some(v));
            let freed = r.kill(a(w));
            after_drop(th, pc, freed);
            S { pc: pc.offset(w.sc() as isize), r }
        }
    }
}
fn send(th: &mut Thread, receiver: &Value, value: Value, pc: Pc, r: Regs) -> PyResult<Resumed> {
    if generator::of(receiver).is_some() && receiver.downcast_exact::<AsyncGenerator>().is_none() {
        return generator::resume(th, receiver, Resume::Send(value));
    }
    let next = receiver.class().slots.next.get();
    let result = match next {
        // The slot would drop the value of StopIteration.
        Some(_) if value.is_none() && receiver.class().has_flag(krait_object::type_flag::HEAP) => {
            attr::call_special_opt(th, receiver, "__next__", &[])
        }
        Some(next) if value.is_none() => next(th, receiver),
        _ => attr::call_method(th, receiver, "send", &[value]).map(Some),
    };
    match result {
        Ok(Some(v)) => Ok(Resumed::Yield(v)),
        Ok(None) => Ok(Resumed::Return(Value::NONE)),
        Err(raised) => {
            if th.vm.tracing.active {
                trace::iteration_stopped(th, r, pc);
            }
            let stop = errors::catch(th, raised, &STOP_ITERATION)?;
            Ok(Resumed::Return(stop_value(&stop)))
        }
    }
}
pub fn op_cleanup_throw(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let exception = r.moved(b(w));
    if exception.is_instance(&STOP_ITERATION) {
        return finish0(th, a(w), pc, pc, r, stop_value(&exception));
    }
    let raised = Raised::set(th, exception);
    reraise(th, raised, pc, r)
}

pub fn op_get_awaitable(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let v = r.get(b(w)).clone();
    let it = ok!(coroutine::get_awaitable(th, &v, w.c()), th, pc, r);
    drop(v);
    finish1(th, w, pc, pc, r, it)
}
pub fn op_get_aiter(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let v = r.get(b(w)).clone();
    let it = ok!(async_iterator(th, &v), th, pc, r);
    drop(v);
    finish1(th, w, pc, pc, r, it)
}
fn async_iterator(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let slot = v.class().slots.aiter.get();
    let Some(slot) = slot else {
        let message = format!("'async for' requires an object with __aiter__ method, got {}", v.class().name());
        return Err(errors::type_error(th, message));
    };
    let it = slot(th, v)?;
    if it.class().slots.anext.get().is_none() {
        let message = format!(
            "'async for' received an object from __aiter__ that does not implement __anext__: {}",
            it.class().name()
        );
        return Err(errors::type_error(th, message));
    }
    Ok(it)
}
pub fn op_get_anext(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let v = r.get(b(w)).clone();
    let awaitable = ok!(next_awaitable(th, &v), th, pc, r);
    drop(v);
    finish0(th, a(w), pc, pc, r, awaitable)
}
fn next_awaitable(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let slot = v.class().slots.anext.get();
    let Some(slot) = slot else {
        let message = format!("'async for' requires an iterator with __anext__ method, got {}", v.class().name());
        return Err(errors::type_error(th, message));
    };
    let awaitable = slot(th, v)?;
    if v.downcast_exact::<AsyncGenerator>().is_some() {
        return Ok(awaitable);
    }
    match coroutine::awaitable_iter(th, &awaitable) {
        Ok(it) => Ok(it),
        Err(raised) => {
            let message =
                format!("'async for' received an invalid object from __anext__: {}", awaitable.class().name());
            Err(errors::raise_from_current(th, raised, &exc::TYPE_ERROR, message))
        }
    }
}
pub fn op_end_async_for(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let exception = r.moved(b(w));
    if exception.is_instance(&STOP_ASYNC_ITERATION) {
        drop(exception);
        let freed = r.kill(a(w));
        after_drop(th, pc, freed);
        return S { pc, r };
    }
    let raised = Raised::set(th, exception);
    reraise(th, raised, pc, r)
}
pub fn op_async_gen_wrap(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let value = r.take_or_clone(b(w), dies(w, KILL_1));
    finish0(th, a(w), pc, pc, r, async_steps::wrap(value))
}
