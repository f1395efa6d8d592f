//! Calls and returns. A Python function called from Python gets its frame without a native call; so do bound methods and
//! classes whose `__init__` is a Python function.
use krait_bytecode::Word;
use krait_bytecode::opcodes::{FRAME_HEADER, KILL_1};
use krait_object::builtin_types::{OBJECT, TYPE};
use krait_object::native::NativeFn;
use krait_object::refs::Object;
use krait_object::{Args, Dict, List, PyResult, Raised, Ref, Str, Thread, Tuple, Type, Value, type_flag};
use krait_runtime::errors;
use krait_runtime::protocol::{attr, call, iter};
use krait_runtime::types::code::Code;
use krait_runtime::types::descriptor::MethodDescriptor;
use krait_runtime::types::function::{FUNCTION, Function};
use krait_runtime::types::method::Method;
use krait_runtime::types::native_function::{Intrinsic, NativeFunction};
use krait_runtime::well_known::names;

use super::{a, b, c, dies, ok, quick};
use crate::bind::bind;
use crate::cache;
use crate::frames::{SLACK, count_call, detach_object, enter, has_room, publish, too_deep};
use crate::generators;
use crate::regs::{INIT_CALL, Pc, RESUMED, Regs, S, SPECIAL, constant_tuple, word_index};
use crate::safepoint::{after_drop, after_native, go_on};
use crate::trace;
use crate::unwind::fail;

/// A call as its instruction states it, wherever its window has moved to meanwhile.
#[derive(Clone, Copy)]
struct Call<'a> {
    w: Word,
    pc: Pc,
    r: Regs,
    /// The window; its arguments are bound at `window + 4`.
    window: Regs,
    /// Values, keyword values included.
    given: usize,
    names: &'a [Value],
    /// Return address flags.
    flags: u64,
}

impl Call<'_> {
    fn args(&self) -> Regs {
        self.window.up(FRAME_HEADER)
    }
    /// Empties the window.
    fn clear(&self) -> bool {
        self.window.clear(0, FRAME_HEADER + self.given)
    }
}

/// The code of a function that takes exactly `given` positional arguments, ready to be entered.
#[inline(always)]
fn simple_code(function: &Function, given: usize) -> Option<&Object<Code>> {
    let code = function.code.object();
    if code.payload.simple_args as usize == given { Some(code) } else { None }
}
#[inline(always)]
pub fn op_call(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let window = r.up(a(w));
    if let Some(function) = window.get(0).downcast_exact::<Function>()
        && let Some(code) = simple_code(function, b(w))
    {
        return push(th, window, function, code, pc, r, 0);
    }
    if let Some(function) = window.get(0).downcast_exact::<NativeFunction>()
        && !th.vm.tracing.active
    {
        return call_native_function(th, w, pc, r, b(w), function);
    }
    if window.get(0).is_exact(&TYPE) && !th.vm.tracing.active {
        return call_type(th, w, pc, r, b(w));
    }
    call_other(th, w, pc, r, b(w))
}
#[inline(always)]
pub fn op_call_method(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let window = r.up(a(w));
    let given = if window.is_bound(4) {
        b(w) + 1
    } else {
        window.shift(5, 4, b(w));
        b(w)
    };
    if let Some(function) = window.get(0).downcast_exact::<Function>()
        && let Some(code) = simple_code(function, given)
    {
        return push(th, window, function, code, pc, r, 0);
    }
    if let Some(method) = window.get(0).downcast_exact::<MethodDescriptor>()
        && !th.vm.tracing.active
    {
        return call_method_descriptor(th, w, pc, r, given, method);
    }
    call_other(th, w, pc, r, given)
}
pub fn op_call_kw(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    call_slow(th, w, pc, r, r.up(a(w)), b(w), constant_tuple(pc, 0))
}
pub fn op_call_method_kw(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let window = r.up(a(w));
    let given = if window.is_bound(4) {
        b(w) + 1
    } else {
        window.shift(5, 4, b(w));
        b(w)
    };
    call_slow(th, w, pc, r, window, given, constant_tuple(pc, 0))
}

/// Enters a frame whose arguments are in place.
#[inline(always)]
fn push(th: &mut Thread, window: Regs, function: &Function, code: &Object<Code>, pc: Pc, r: Regs, flags: u64) -> S {
    window.up(FRAME_HEADER).set_code(code);
    let code = &code.payload;
    if !has_room(th, window, code.nregs as usize + FRAME_HEADER + 2 * SLACK) || count_call(th).is_err() {
        return no_room(th, window, pc, r, flags);
    }
    enter(th, window, function, code, pc.add(1), flags)
}
#[cold]
#[inline(never)]
fn no_room(th: &mut Thread, window: Regs, pc: Pc, r: Regs, flags: u64) -> S {
    publish(th, pc);
    let raised = match th.exc {
        Some(_) => Raised::pending(th),
        None => too_deep(th),
    };
    let nargs = window.up(FRAME_HEADER).code().nargs as usize;
    window.unlend(2);
    window.clear(0, FRAME_HEADER + nargs);
    if flags & INIT_CALL != 0 {
        window.down(1).clear(0, 1);
    }
    fail(th, raised, pc, r)
}

/// Calls what is no function that takes just these arguments. The window is where the instruction says.
#[inline(never)]
fn call_other(th: &mut Thread, w: Word, pc: Pc, r: Regs, given: usize) -> S {
    let window = r.up(a(w));
    let callable = window.get(0);
    if th.vm.tracing.active {
        return call_slow(th, w, pc, r, window, given, &[]);
    }
    if let Some(function) = callable.downcast_exact::<NativeFunction>() {
        return call_native_function(th, w, pc, r, given, function);
    }
    if let Some(method) = callable.downcast_exact::<MethodDescriptor>() {
        return call_method_descriptor(th, w, pc, r, given, method);
    }
    if callable.is_exact(&FUNCTION) {
        return call_function(th, w, pc, r, given);
    }
    if callable.is_exact(&TYPE) {
        return call_type(th, w, pc, r, given);
    }
    call_slow(th, w, pc, r, window, given, &[])
}
#[inline(never)]
fn call_function(th: &mut Thread, w: Word, pc: Pc, r: Regs, given: usize) -> S {
    publish(th, pc);
    call_python(th, Call { w, pc, r, window: r.up(a(w)), given, names: &[], flags: 0 })
}
/// A class without a metaclass of its own.
#[inline(never)]
fn call_type(th: &mut Thread, w: Word, pc: Pc, r: Regs, given: usize) -> S {
    let window = r.up(a(w));
    if let Some(class) = window.get(0).downcast_exact::<Type>() {
        if let Some(init) = cache::init_of(pc, class) {
            publish(th, pc);
            return call_class(th, Call { w, pc, r, window, given, names: &[], flags: 0 }, init);
        }
        if let Some(value) = quick::construct(class, window.slice(FRAME_HEADER, given)) {
            return finish_native(th, w, pc, r, given, value);
        }
    }
    call_slow(th, w, pc, r, window, given, &[])
}
#[inline(always)]
fn call_method_descriptor(th: &mut Thread, w: Word, pc: Pc, r: Regs, given: usize, method: &MethodDescriptor) -> S {
    let args = r.up(a(w) + FRAME_HEADER);
    if method.intrinsic != Intrinsic::None {
        // The item moves.
        if method.intrinsic == Intrinsic::ListAppend
            && given == 2
            && let Some(list) = args.get(0).downcast_exact::<List>()
        {
            match list.try_push(args.moved(1)) {
                Ok(()) => return finish_native(th, w, pc, r, 1, Value::NONE),
                // The native raises the error.
                Err(item) => args.put(1, item),
            }
        }
        if let Some(value) = quick::result(method.intrinsic, args.slice(0, given)) {
            return finish_native(th, w, pc, r, given, value);
        }
    }
    match method.direct(args.slice(0, given)) {
        Some((native, entries)) => call_direct(th, w, pc, r, given, native, entries),
        None => call_slow(th, w, pc, r, r.up(a(w)), given, &[]),
    }
}
#[inline(always)]
fn call_native_function(th: &mut Thread, w: Word, pc: Pc, r: Regs, given: usize, function: &NativeFunction) -> S {
    let args = r.up(a(w) + FRAME_HEADER);
    if function.intrinsic != Intrinsic::None {
        if function.intrinsic == Intrinsic::Len
            && given == 1
            && let Some(n) = quick::length(args.get(0))
        {
            return finish_native(th, w, pc, r, 1, n.into());
        }
        if let Some(value) = quick::result(function.intrinsic, args.slice(0, given)) {
            return finish_native(th, w, pc, r, given, value);
        }
    }
    match function.direct(given) {
        Some((native, None, entries)) => call_direct(th, w, pc, r, given, native, entries),
        Some((native, Some(first), entries)) => call_bound(th, w, pc, r, given, (native, first, entries)),
        None => call_slow(th, w, pc, r, r.up(a(w)), given, &[]),
    }
}
/// A native bound to its first argument.
#[inline(never)]
fn call_bound(
    th: &mut Thread,
    w: Word,
    pc: Pc,
    r: Regs,
    given: usize,
    (native, first, entries): (NativeFn, &Value, usize),
) -> S {
    let window = r.up(a(w));
    // What is not called here must find its arguments as they were.
    if !fits(entries, given + 1) {
        return call_slow(th, w, pc, r, window, given, &[]);
    }
    let (args, first) = (window.up(FRAME_HEADER), first.clone());
    args.shift(0, 1, given);
    args.put(0, first);
    call_direct(th, w, pc, r, given + 1, native, entries)
}
#[inline(never)]
fn call_slow(th: &mut Thread, w: Word, pc: Pc, r: Regs, window: Regs, given: usize, names: &[Value]) -> S {
    publish(th, pc);
    call_any(th, Call { w, pc, r, window, given, names, flags: 0 })
}
/// Whether the arguments that are left out have unbound registers behind the `given` ones.
#[inline(always)]
fn fits(entries: usize, given: usize) -> bool {
    entries <= given + SLACK / 2
}
/// Calls a native with the arguments borrowed from the window. The registers behind the arguments are unbound, so they
/// read as arguments left out; they lie within the slack above the frame.
#[inline(always)]
fn call_direct(th: &mut Thread, w: Word, pc: Pc, r: Regs, given: usize, native: NativeFn, entries: usize) -> S {
    let window = r.up(a(w));
    if !fits(entries, given) {
        return call_slow(th, w, pc, r, window, given, &[]);
    }
    publish(th, pc);
    let result = native(th, &Args::bound(window.up(FRAME_HEADER).options(0, entries)));
    debug_assert!(result.is_ok() || th.exc.is_some(), "an error without an exception");
    match result {
        Ok(value) => finish_native(th, w, pc, r, given, value),
        Err(raised) => {
            window.clear(0, FRAME_HEADER + given);
            fail(th, raised, pc, r)
        }
    }
}
/// Empties the window of a native call and stores what it returned.
#[inline(always)]
fn finish_native(th: &mut Thread, w: Word, pc: Pc, r: Regs, given: usize, value: Value) -> S {
    let window = r.up(a(w));
    window.kill(0);
    for i in 0..given {
        window.kill(FRAME_HEADER + i);
    }
    if let Some(old) = r.replace(c(w), Some(value)) {
        old.release();
    }
    if th.breaker() != 0 {
        return native_returned(th, pc, r);
    }
    S { pc: pc.add(1), r }
}

fn call_any(th: &mut Thread, call: Call<'_>) -> S {
    let callable = call.window.get(0);
    if callable.downcast_exact::<Function>().is_some() {
        return call_python(th, call);
    }
    if let Some(method) = callable.downcast_exact::<Method>()
        && method.function.downcast_exact::<Function>().is_some()
    {
        let (function, instance) = (method.function.clone(), method.instance.clone());
        let old = call.window.replace(0, Some(function));
        call.args().shift(0, 1, call.given);
        call.args().put(0, instance);
        drop(old);
        return call_python(th, Call { given: call.given + 1, ..call });
    }
    if let Some(class) = callable.downcast_exact::<Type>()
        && callable.class().is_same(&TYPE)
        && !(th.vm.tracing.active && trace::reports_calls(th, call.r))
    {
        if call.names.is_empty()
            && let Some(init) = cache::init_of(call.pc, class)
        {
            return call_class(th, call, init);
        }
        if let Some(init) = python_init(callable, class) {
            if call.names.is_empty() {
                cache::fill_init(call.pc, class, &init);
            }
            return call_class(th, call, init);
        }
    }
    if let Some(function) = python_special(callable, &names().call) {
        let instance = call.window.replace(0, Some(function)).unwrap_or(Value::NONE);
        call.args().shift(0, 1, call.given);
        call.args().put(0, instance);
        return call_python(th, Call { given: call.given + 1, ..call });
    }
    call_native(th, call)
}

/// Calls a Python function whose arguments must be bound.
fn call_python(th: &mut Thread, call: Call<'_>) -> S {
    // The window holds it, and it keeps its code.
    let Some(function) = call.window.get(0).downcast_exact::<Function>() else { return call_native(th, call) };
    let held = function.code.object();
    let code = &held.payload;
    if !has_room(th, call.window, code.nregs as usize + call.given + FRAME_HEADER + 2 * SLACK) {
        let raised = too_deep(th);
        call.clear();
        return give_up(th, call, raised);
    }
    if let Err(raised) = bind(th, function, code, call.args(), call.given, call.names) {
        call.window.clear(0, 1);
        return give_up(th, call, raised);
    }
    if code.is_generator() {
        let object = generators::create(th, call.window, code);
        return finish_call(th, call, object);
    }
    push(th, call.window, function, held, call.pc, call.r, call.flags)
}
#[cold]
fn give_up(th: &mut Thread, call: Call<'_>, raised: Raised) -> S {
    if call.flags & INIT_CALL != 0 {
        call.window.down(1).clear(0, 1);
    }
    fail(th, raised, call.pc, call.r)
}

/// The window is empty; stores the result.
fn finish_call(th: &mut Thread, call: Call<'_>, result: Value) -> S {
    let result = if call.flags & INIT_CALL != 0 {
        // A generator function as `__init__`: what it returned is not None.
        let message = format!("__init__() should return None, not '{}'", result.class().name());
        let raised = errors::type_error(th, message);
        drop(result);
        return give_up(th, call, raised);
    } else {
        result
    };
    let old = call.r.replace(c(call.w), Some(result));
    let freed = old.is_some_and(Value::release);
    after_drop(th, call.pc, freed);
    S { pc: call.pc.add(1), r: call.r }
}

/// Calls through the type's slot, with the arguments borrowed from the window.
fn call_native(th: &mut Thread, call: Call<'_>) -> S {
    let callable = call.window.get(0);
    let args = Args::new(call.args().slice(0, call.given), call.names);
    let result = if th.vm.tracing.active {
        trace::native_call_args(th, call.r, callable, &args)
    } else {
        call::call_args(th, callable, &args)
    };
    match result {
        Ok(value) => {
            // The window of a bound method's call has moved by its `self`.
            call.clear();
            finish_native(th, call.w, call.pc, call.r, 0, value)
        }
        Err(raised) => {
            call.clear();
            fail(th, raised, call.pc, call.r)
        }
    }
}
#[cold]
#[inline(never)]
fn native_returned(th: &mut Thread, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    ok!(after_native(th), th, pc, r);
    go_on(th, pc.add(1), r)
}

/// `__init__` of a class whose instances are made by `object.__new__` and initialised by a Python function.
fn python_init(callable: &Value, class: &Type) -> Option<Value> {
    if !class.slots.new.same(&OBJECT.slots.new) || class.has_flag(type_flag::ABSTRACT) {
        return None;
    }
    if class.solid().is_none_or(|solid| !solid.is_same(&OBJECT))
        || callable.bits() == std::ptr::from_ref(&OBJECT) as u64
    {
        return None;
    }
    class.lookup(&names().init).filter(|init| init.downcast_exact::<Function>().is_some())
}
/// Makes the instance and enters `__init__` one register higher; the instance stays below the window.
fn call_class(th: &mut Thread, call: Call<'_>, init: Value) -> S {
    let Some(class) = call.window.get(0).to_ref::<Type>() else { return call_native(th, call) };
    let instance: Value = Ref::<()>::with_class((), class.object()).into();
    call.args().shift(0, 2, call.given);
    let window = call.window.up(1);
    window.put(FRAME_HEADER, instance.clone());
    window.put(0, init);
    let old = call.window.replace(0, Some(instance));
    drop(old);
    let given = call.given + 1;
    if call.names.is_empty()
        && let Some(function) = window.get(0).downcast_exact::<Function>()
        && let Some(code) = simple_code(function, given)
    {
        return push(th, window, function, code, call.pc, call.r, INIT_CALL);
    }
    call_python(th, Call { window, given, flags: INIT_CALL, ..call })
}

pub fn op_call_ex(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let window = r.up(a(w));
    let (positional, keywords) = (window.moved(4), if b(w) == 1 { window.take(5) } else { None });
    let positional = ok!(star_args(th, window.get(0), positional), th, pc, r);
    if window.get(0).downcast_exact::<Function>().is_some() {
        let n = positional.len() + keywords.as_ref().and_then(|k| k.downcast_ref::<Dict>()).map_or(0, |d| d.len());
        if !has_room(th, window, n + FRAME_HEADER + 4 * SLACK) {
            let raised = too_deep(th);
            return fail(th, raised, pc, r);
        }
        let (kw_names, kw_values) = ok!(star_kwargs(th, window.get(0), keywords.as_ref()), th, pc, r);
        let args = window.up(FRAME_HEADER);
        let given = positional.len() + kw_values.len();
        for (i, v) in positional.iter().cloned().chain(kw_values).enumerate() {
            args.put(i, v);
        }
        drop((positional, keywords));
        return call_python(th, Call { w, pc, r, window, given, names: &kw_names, flags: 0 });
    }
    let callable = window.get(0).clone();
    let (names, values) = ok!(star_kwargs(th, &callable, keywords.as_ref()), th, pc, r);
    let mut all = positional.to_vec();
    all.extend(values);
    let args = Args::new(&all, &names);
    let native = th.vm.tracing.active && !is_python_method(&callable);
    let result =
        if native { trace::native_call_args(th, r, &callable, &args) } else { call::call_args(th, &callable, &args) };
    let value = ok!(result, th, pc, r);
    drop(all);
    drop((callable, positional, keywords));
    window.clear(0, 1);
    let old = r.replace(c(w), Some(value));
    drop(old);
    if th.breaker() != 0 {
        return native_returned(th, pc, r);
    }
    S { pc: pc.add(1), r }
}
fn is_python_method(callable: &Value) -> bool {
    callable.downcast_exact::<Method>().is_some_and(|m| m.function.downcast_exact::<Function>().is_some())
}
fn star_args(th: &mut Thread, callable: &Value, positional: Value) -> PyResult<Ref<Tuple>> {
    if let Some(tuple) = positional.to_ref::<Tuple>() {
        return Ok(tuple);
    }
    if positional.class().slots.iter.get().is_none() && !krait_runtime::protocol::sequence::is_sequence(&positional) {
        let what = function_text(th, callable)?;
        let message = format!("{what} argument after * must be an iterable, not {}", positional.class().name());
        return Err(errors::type_error(th, message));
    }
    Ok(Tuple::from_vec(iter::collect(th, &positional)?))
}
fn star_kwargs(th: &mut Thread, callable: &Value, keywords: Option<&Value>) -> PyResult<(Vec<Value>, Vec<Value>)> {
    let Some(keywords) = keywords else { return Ok((Vec::new(), Vec::new())) };
    let Some(dict) = keywords.to_ref::<Dict>() else {
        let what = function_text(th, callable)?;
        let message = format!("{what} argument after ** must be a mapping, not {}", keywords.class().name());
        return Err(errors::type_error(th, message));
    };
    let (names, values): (Vec<Value>, Vec<Value>) = dict.items().into_iter().unzip();
    if names.iter().any(|n| n.downcast_ref::<Str>().is_none()) {
        return Err(errors::type_error(th, "keywords must be strings"));
    }
    Ok((names, values))
}
/// How messages about a call's arguments name the callable: `module.qualname()`, as `_PyObject_FunctionStr`.
pub fn function_text(th: &mut Thread, callable: &Value) -> PyResult<String> {
    let Some(qualname) = attr::get_text_opt(th, callable, "__qualname__")? else {
        return krait_runtime::protocol::repr::str(th, callable).map(|s| s.to_string_lossy().into_owned());
    };
    let qualname = krait_runtime::protocol::repr::str(th, &qualname)?.to_string_lossy().into_owned();
    let module = attr::get_text_opt(th, callable, "__module__")?;
    match module.and_then(|m| m.to_ref::<Str>()).map(|m| m.to_string_lossy().into_owned()) {
        Some(module) if module != "builtins" => Ok(format!("{module}.{qualname}()")),
        _ => Ok(format!("{qualname}()")),
    }
}

#[inline(always)]
pub fn op_return(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let value = r.take_or_clone(a(w), dies(w, KILL_1));
    leave(th, w, pc, r, value)
}
#[inline(always)]
pub fn op_return_none(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    leave(th, w, pc, r, Value::NONE)
}
/// Leaves the frame with a result.
#[inline(always)]
fn leave(th: &mut Thread, w: Word, pc: Pc, r: Regs, value: Value) -> S {
    let header = r.header();
    if header.is_bound(3) {
        detach_object(r, word_index(r.code(), pc.back(1)));
    }
    let mut freed = r.clear(0, b(w));
    let (ret, flags) = r.return_pc();
    if flags & RESUMED != 0 {
        return generators::returned(th, r, ret, value);
    }
    freed |= r.clear_header();
    th.depth -= 1;
    if flags & SPECIAL != 0 {
        return leave_special(th, header, ret, value);
    }
    let call = ret.back(2).word();
    let below = header.down(a(call));
    if flags != 0 {
        return leave_init(th, header, below.down(1), call, ret, value);
    }
    th.vm.base = below.0;
    if let Some(old) = below.replace(c(call), Some(value)) {
        freed |= old.release();
    }
    if freed && th.has_pending() {
        return finalise(th, ret, below);
    }
    S { pc: ret, r: below }
}
/// Calls a Python function with one or two arguments for the instruction at `pc`, which is no call and whose value the
/// result is ([`leave_special`]): a frame above the running one. `None` where it does not take just these, or there is no
/// room.
#[inline]
pub fn enter_special<const N: usize>(th: &mut Thread, callee: Value, args: [&Value; N], pc: Pc, r: Regs) -> Option<S> {
    let held = simple_code(callee.downcast_exact::<Function>()?, N)?;
    if th.vm.tracing.active {
        return None;
    }
    let below = r.up(r.code().nregs as usize + SLACK);
    let nregs = held.payload.nregs as usize;
    if !has_room(th, below, 1 + FRAME_HEADER + nregs + 2 * SLACK) || count_call(th).is_err() {
        // The other path raises the error.
        drop(th.exc.take());
        return None;
    }
    below.put(0, Value::small_int_unchecked(r.0 as i64));
    let window = below.up(1);
    window.up(FRAME_HEADER).set_code(held);
    for (i, arg) in args.into_iter().enumerate() {
        window.put(FRAME_HEADER + i, arg.clone());
    }
    window.put(0, callee);
    let callee = window.up(FRAME_HEADER);
    Some(enter(th, window, callee.function(), callee.code(), pc, SPECIAL))
}
/// The Python function that a class written in Python has for a special method.
#[inline]
pub fn python_special(object: &Value, name: &Ref<Str>) -> Option<Value> {
    let class = object.class();
    if !class.has_flag(type_flag::HEAP) {
        return None;
    }
    class.lookup(name).filter(|found| found.downcast_exact::<Function>().is_some())
}
/// Takes what [`enter_special`] put below the window, which is empty; the frame that called.
pub fn end_special(th: &mut Thread, window: Regs) -> Regs {
    let base = window.down(1).take(0).and_then(|v| v.as_int()).unwrap_or(0);
    let below = Regs(base as *mut u64);
    th.vm.base = below.0;
    below
}
#[inline(never)]
fn leave_special(th: &mut Thread, window: Regs, ret: Pc, value: Value) -> S {
    let below = end_special(th, window);
    super::special::returned(th, ret.back(1).word(), ret, below, value)
}
#[cold]
#[inline(never)]
fn finalise(th: &mut Thread, ret: Pc, below: Regs) -> S {
    if ret != crate::frames::entry_return() {
        publish(th, ret.back(1));
        th.run_pending();
    }
    S { pc: ret, r: below }
}
/// The frame was the `__init__` of a new instance, which is below the window.
#[inline(never)]
fn leave_init(th: &mut Thread, window: Regs, below: Regs, call: Word, ret: Pc, value: Value) -> S {
    th.vm.base = below.0;
    let instance = window.down(1).moved(0);
    if !value.is_none() {
        publish(th, ret.back(1));
        let message = format!("__init__() should return None, not '{}'", value.class().name());
        let raised = errors::type_error(th, message);
        drop((instance, value));
        return fail(th, raised, ret.back(1), below);
    }
    if let Some(old) = below.replace(c(call), Some(instance)) {
        let freed = old.release();
        after_drop(th, ret.back(1), freed);
    }
    S { pc: ret, r: below }
}
