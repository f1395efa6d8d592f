//! Assignment to `f_lineno`: which instructions a line begins with. Whether the jump is possible is the VM's to say.
//! CPython: `frame_lineno_set_impl`.
use krait_object::{PyResult, Ref, Thread};

use super::Frame;
use crate::errors;
use crate::hooks;
use crate::monitoring::Event;

/// Goes on at the first instruction of `line` (or of the next line that has code).
pub(super) fn jump_to_line(th: &mut Thread, frame: &Ref<Frame>, line: i64) -> PyResult<()> {
    check_event(th)?;
    let code = &frame.code;
    if line < code.bytecode().firstlineno as i64 {
        return Err(errors::value_error(th, format!("line {line} comes before the current code block")));
    }
    let runs = code.bytecode().positions.runs();
    let wanted = runs.iter().filter(|(_, p)| p.line as i64 >= line && p.line != 0).map(|(_, p)| p.line).min();
    let Some(wanted) = wanted else {
        return Err(errors::value_error(th, format!("line {line} comes after the current code block")));
    };
    let mut starts = Vec::new();
    let mut previous = 0;
    for (start, position) in runs {
        if position.line == wanted && previous != wanted {
            starts.push(*start);
        }
        previous = position.line;
    }
    (hooks::vm().frame_jump)(th, frame, &starts)
}

/// Jumps are for the events that are about to execute a line, and for suspended generators.
fn check_event(th: &mut Thread) -> PyResult<()> {
    const START: u8 = Event::PyStart as u8;
    const RESUME: u8 = Event::PyResume as u8;
    const LINE: u8 = Event::Line as u8;
    const JUMP: u8 = Event::Jump as u8;
    const BRANCH: u8 = Event::Branch as u8;
    const YIELD: u8 = Event::PyYield as u8;
    const CALL: u8 = Event::Call as u8;
    const C_RETURN: u8 = Event::CReturn as u8;
    let problem = match th.vm.tracing.event {
        None => "f_lineno can only be set in a trace function",
        Some(LINE | JUMP | BRANCH | YIELD) => return Ok(()),
        Some(START | RESUME) => "can't jump from the 'call' trace event of a new frame",
        Some(CALL | C_RETURN) => "can't jump during a call",
        Some(_) => "can only jump from a 'line' trace event",
    };
    Err(errors::value_error(th, problem))
}
