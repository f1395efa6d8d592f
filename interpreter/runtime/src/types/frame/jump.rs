//! Assignment to `f_lineno`: which instructions a line begins with. Whether the jump is possible is the VM's to say.
//! CPython: `frame_lineno_set_impl`.
use krait_object::{PyResult, Ref, Thread};

use super::Frame;
use crate::errors;
use crate::hooks;

/// Goes on at the first instruction of `line` (or of the next line that has code).
pub(super) fn jump_to_line(th: &mut Thread, frame: &Ref<Frame>, line: i64) -> PyResult<()> {
    if frame.trace.get().is_none() {
        return Err(errors::value_error(th, "f_lineno can only be set by a trace function"));
    }
    let code = &frame.code;
    if line < code.bytecode.firstlineno as i64 {
        return Err(errors::value_error(th, format!("line {line} comes before the current code block")));
    }
    let runs = code.bytecode.positions.runs();
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
