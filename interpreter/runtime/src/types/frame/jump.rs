//! Assignment to `f_lineno`: which instruction to go on at. CPython: `frame_lineno_set_impl`.
use krait_object::{PyResult, Ref, Thread};

use super::Frame;
use crate::errors;
use crate::hooks;

/// Goes on at the first instruction of `line` (or of the next line that has code).
pub(super) fn jump_to_line(th: &mut Thread, frame: &Ref<Frame>, line: i64) -> PyResult<()> {
    let code = &frame.code;
    if line < code.bytecode.firstlineno as i64 {
        let message = format!("line {line} comes before the current code block");
        return Err(errors::value_error(th, message));
    }
    let runs = code.bytecode.positions.runs();
    let wanted = runs.iter().filter(|(_, p)| p.line as i64 >= line).map(|(_, p)| p.line).min();
    let Some(wanted) = wanted else {
        let message = format!("line {line} comes after the current code block");
        return Err(errors::value_error(th, message));
    };
    let depth_at = |word: u32| code.bytecode.handler_at(word).map(|e| (e.handler, e.depth));
    let here = depth_at(frame.word(th));
    let mut starts = Vec::new();
    let mut previous = 0;
    for (start, position) in runs {
        if position.line == wanted && previous != wanted {
            starts.push(*start);
        }
        previous = position.line;
    }
    let target = starts.iter().copied().find(|&w| depth_at(w) == here).or_else(|| starts.first().copied());
    match target {
        Some(word) if (hooks::vm().frame_jump)(th, frame, word) => Ok(()),
        _ => Err(errors::value_error(th, "can only jump from a 'line' trace event")),
    }
}
