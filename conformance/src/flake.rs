//! What does not come out alike twice: cases with more than one outcome over several runs, as quarantine lines that carry
//! their evidence and expire.

use std::collections::BTreeMap;

use crate::expectations::{Expected, Line, month_after};
use crate::record::{Record, Results, Status};
use crate::score::{Verdict, verdict};

pub struct Flake {
    pub module: String,
    pub id: String,
    /// How often each outcome was seen.
    pub seen: BTreeMap<Status, usize>,
}

/// A pass with fewer sub-tests than the reference is a failure here as everywhere.
fn outcome(reference: &Record, subject: Option<&Record>) -> Status {
    match subject {
        None => Status::NotRun,
        Some(record) if record.status == Status::Pass && verdict(reference, subject, true) != Verdict::Same => {
            Status::Fail
        }
        Some(record) => record.status,
    }
}

/// Cases of the denominator whose outcomes differ between these runs of one subject.
pub fn find(reference: &Results, runs: &[Results]) -> Vec<Flake> {
    let mut found = Vec::new();
    for (module, expected) in reference {
        let results: Vec<_> = runs.iter().filter_map(|run| run.get(module)).collect();
        for id in expected.order.iter().filter(|id| expected.cases[*id].status == Status::Pass) {
            let mut seen: BTreeMap<Status, usize> = BTreeMap::new();
            for result in &results {
                // A run of a selection says nothing of what it left out.
                if let Some(record) = result.cases.get(id) {
                    *seen.entry(outcome(&expected.cases[id], Some(record))).or_default() += 1;
                }
            }
            if seen.len() > 1 {
                found.push(Flake { module: module.clone(), id: id.clone(), seen });
            }
        }
    }
    found
}

impl Flake {
    /// The quarantine line: three months, and what was seen where.
    pub fn line(&self, this_month: &str, commit: &str) -> Line {
        let seen: Vec<String> = self.seen.iter().map(|(status, count)| format!("{count}x {}", status.word())).collect();
        Line {
            expected: Expected::Flaky(self.seen.keys().copied().collect()),
            id: self.id.clone(),
            os: None,
            sig: None,
            until: Some(month_after(this_month, 3)),
            note: Some(format!("seen {} at {commit}", seen.join(", "))),
        }
    }
}
