//! Does the subject tell the truth? A module of cases whose outcomes are known is run before anything is measured: a
//! subject whose assertions never fail, or whose runner swallows errors, is found out and named.

use std::io;

use crate::record::{ModuleResult, Status};
use crate::run::Session;
use crate::suite::repository;
use crate::supervisor::{Limits, Request, run_module};
use crate::worker::Interpreter;

/// In `recorder/`: each case's name says how it must end, `test_WHAT_must_STATUS`.
pub const MODULE: &str = "truth";

/// What the subject says wrongly: one line a lie; empty when it is honest. Err when it cannot run the module at all.
pub fn lies(interpreter: &Interpreter) -> io::Result<Result<Vec<String>, String>> {
    let root = repository().join("conformance/recorder");
    let recorder = crate::reference::recorder_path();
    let limits = Limits::default();
    let request = Request { root: Some(&root), ..Request::new(interpreter, "truth", MODULE, &recorder, &limits) };
    let Some(records) = run_module(&request)? else { return Ok(Err("interrupted".to_owned())) };
    let result = ModuleResult::from_records(records);
    if result.cases.is_empty() {
        let why = result.module.as_ref().map(crate::triage::title).unwrap_or_default();
        return Ok(Err(why));
    }
    Ok(Ok(judge(&result)))
}

pub fn judge(result: &ModuleResult) -> Vec<String> {
    let mut lies = Vec::new();
    for (id, record) in &result.cases {
        let Some((what, due)) = id.rsplit_once("_must_") else { continue };
        let Some(due) = Status::parse(due) else { continue };
        let parts = record.subtests.map_or((0, 0), |parts| (parts.passed, parts.failed));
        let subtests_due = what.contains("subtests").then_some((3, 1));
        if record.status != due || subtests_due.is_some_and(|due| due != parts) {
            let what = what.rsplit('.').next().unwrap_or(what).trim_start_matches("test_").replace('_', " ");
            lies.push(format!("{what}: must be {}, is told to be {}", due.word(), record.status.word()));
        }
    }
    lies
}

/// Before a run: refuses a subject that lies. One that cannot load unittest yet has nothing to lie with.
pub fn require_honest(session: &Session) -> io::Result<()> {
    match lies(&session.subject)? {
        Ok(lies) if !lies.is_empty() => Err(io::Error::other(format!(
            "the subject {} does not tell the truth, nothing it reports can be believed:\n  {}",
            session.subject.program.display(),
            lies.join("\n  ")
        ))),
        _ => Ok(()),
    }
}
