//! Verdicts and scores: what a pair of records says, and what the sums over it are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::{ModuleResult, Record, Results, Status};
use crate::suite::Suite;

#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Same,
    Worse,
    /// Passes where the reference does not.
    Better,
    /// The subject never reported the case.
    Absent,
    RefBroken,
    RefSkip,
    /// Deviates, but in a case that is CPython's implementation detail: counts in the strict score only.
    ImplDetail,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Same => "same",
            Verdict::Worse => "worse",
            Verdict::Better => "better",
            Verdict::Absent => "absent",
            Verdict::RefBroken => "ref_broken",
            Verdict::RefSkip => "ref_skip",
            Verdict::ImplDetail => "impl_detail",
        }
    }

    pub fn in_denominator(self) -> bool {
        matches!(self, Verdict::Same | Verdict::Worse | Verdict::Absent | Verdict::ImplDetail)
    }
}

pub fn verdict(reference: &Record, subject: Option<&Record>, portable: bool) -> Verdict {
    match reference.status {
        Status::Pass => {}
        Status::Skip => return Verdict::RefSkip,
        _ if subject.is_some_and(|record| record.status == Status::Pass) => return Verdict::Better,
        _ => return Verdict::RefBroken,
    }
    let deviation = if portable { Verdict::Worse } else { Verdict::ImplDetail };
    let Some(subject) = subject else {
        return if portable { Verdict::Absent } else { Verdict::ImplDetail };
    };
    let passed = |record: &Record| record.subtests.map_or(0, |parts| parts.passed);
    if subject.status == Status::Pass && passed(subject) >= passed(reference) { Verdict::Same } else { deviation }
}

/// Of one module.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct ModuleScore {
    /// Cases that the reference passes, and those on which the subject agrees.
    pub cases: usize,
    pub same: usize,
    pub portable_cases: usize,
    pub portable_same: usize,
    pub statuses: BTreeMap<String, usize>,
    pub ladder: String,
    pub subject_ms: u64,
    pub reference_ms: u64,
}

impl ModuleScore {
    /// The subject got through importing it, or skipped it itself.
    pub fn loads(&self) -> bool {
        self.ladder == "runs"
    }

    /// Nothing to pass here: the module is in no mean.
    pub fn is_empty(&self) -> bool {
        self.cases == 0
    }
}

pub fn module_score(suite: &Suite, module: &str, reference: &ModuleResult, subject: &ModuleResult) -> ModuleScore {
    let mut score = ModuleScore {
        ladder: subject.module.as_ref().and_then(|record| record.ladder.clone()).unwrap_or_default(),
        subject_ms: subject.module.as_ref().map_or(0, |record| record.ms),
        reference_ms: reference.module.as_ref().map_or(0, |record| record.ms),
        ..ModuleScore::default()
    };
    for (id, record) in &reference.cases {
        let portable = suite.is_portable(module, id);
        let subject = subject.cases.get(id);
        let verdict = verdict(record, subject, portable);
        if !verdict.in_denominator() {
            continue;
        }
        let word = match subject {
            None => "absent",
            Some(record) if record.status == Status::Pass && verdict != Verdict::Same => "fewer_subtests",
            Some(record) => record.status.word(),
        };
        *score.statuses.entry(word.to_owned()).or_default() += 1;
        score.cases += 1;
        score.same += usize::from(verdict == Verdict::Same);
        score.portable_cases += usize::from(portable);
        score.portable_same += usize::from(portable && verdict == Verdict::Same);
    }
    score
}

/// Three figures over a set of modules.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Figures {
    pub cases: usize,
    pub same: usize,
    /// Case parity, percent.
    pub parity: f64,
    /// Mean over modules, percent.
    pub mean: f64,
    pub modules: usize,
    pub green: usize,
}

#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Scores {
    pub strict: Figures,
    pub portable: Figures,
    pub not_applicable: usize,
    pub not_run: usize,
}

pub fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

fn figures<'a>(pairs: impl Iterator<Item = (usize, usize)> + Clone + 'a) -> Figures {
    let with_cases = pairs.filter(|(_, cases)| *cases > 0);
    let modules = with_cases.clone().count();
    let same = with_cases.clone().map(|(same, _)| same).sum();
    let cases = with_cases.clone().map(|(_, cases)| cases).sum();
    let total: f64 = with_cases.clone().map(|(same, cases)| percent(same, cases)).sum();
    Figures {
        cases,
        same,
        parity: percent(same, cases),
        mean: if modules == 0 { 0.0 } else { total / modules as f64 },
        modules,
        green: with_cases.filter(|(same, cases)| same == cases).count(),
    }
}

pub fn scores<'a>(modules: impl Iterator<Item = &'a ModuleScore>) -> Scores {
    let modules: Vec<&ModuleScore> = modules.collect();
    Scores {
        strict: figures(modules.iter().map(|score| (score.same, score.cases))),
        portable: figures(modules.iter().map(|score| (score.portable_same, score.portable_cases))),
        not_applicable: modules.iter().filter(|score| score.is_empty()).count(),
        not_run: modules.iter().map(|score| score.statuses.get("not_run").copied().unwrap_or(0)).sum(),
    }
}

/// Scores of every module of a run for which the reference has results.
pub fn module_scores(suite: &Suite, reference: &Results, subject: &Results) -> BTreeMap<String, ModuleScore> {
    subject
        .iter()
        .filter_map(|(module, result)| {
            Some((module.clone(), module_score(suite, module, reference.get(module)?, result)))
        })
        .collect()
}
