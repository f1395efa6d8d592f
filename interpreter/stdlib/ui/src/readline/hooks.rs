//! What the library calls while a line is read. Errors of Python's functions are dropped: nobody could handle them.
use std::ffi::{CStr, CString};
use std::sync::atomic::Ordering::Relaxed;

use krait_libraries::readline::{Hooks, NoCompleter};
use krait_object::{List, PyResult, Thread, Value, ValueCell};
use krait_runtime::errors;
use krait_runtime::protocol::{call, number};
use krait_runtime::world::back;

use super::{State, decode, encode};

pub const HOOKS: Hooks = Hooks {
    startup: || hook(|s| &s.startup),
    pre_input: || hook(|s| &s.pre_input),
    range: |first, end| {
        let clip = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        back(|th| {
            let state = th.interp.extension::<State>();
            state.first.store(clip(first), Relaxed);
            state.end.store(clip(end), Relaxed);
        });
    },
    complete,
    display,
};

fn or_drop<T>(th: &mut Thread, result: PyResult<T>) -> Option<T> {
    result.map_err(|raised| drop(errors::take(th, raised))).ok()
}
fn hook(cell: fn(&State) -> &ValueCell) -> i32 {
    let answered = back(|th| {
        let f = cell(&th.interp.extension::<State>()).get()?;
        let answered = call::call(th, &f, &[]).and_then(|v| if v.is_none() { Ok(0) } else { number::to_i32(th, &v) });
        or_drop(th, answered)
    });
    answered.flatten().unwrap_or(0)
}
fn complete(text: &CStr, state: i32) -> Result<Option<CString>, NoCompleter> {
    let answered = back(|th| {
        let f = th.interp.extension::<State>().completer.get().ok_or(NoCompleter)?;
        let answered = call::call(th, &f, &[decode(text), state.into()]);
        let answered = answered.and_then(|v| if v.is_none() { Ok(None) } else { encode(th, &v).map(Some) });
        Ok(or_drop(th, answered).flatten())
    });
    answered.unwrap_or(Err(NoCompleter))
}
fn display(text: &CStr, matches: Vec<CString>, longest: i32) {
    back(|th| {
        let Some(f) = th.interp.extension::<State>().display.get() else { return };
        let matches: Vec<Value> = matches.iter().map(|m| decode(m)).collect();
        let args = [decode(text), List::new(matches).into(), longest.into()];
        let answered = call::call(th, &f, &args);
        or_drop(th, answered);
    });
}
