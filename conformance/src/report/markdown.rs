//! The summary as Markdown, for a pull request or a terminal.

use std::fmt::Write as _;

use super::{Peer, Summary};
use crate::record::Meta;
use crate::score::{Figures, Scores, percent};

pub fn summary(summary: &Summary) -> String {
    let mut out = String::new();
    let meta = &summary.meta;
    let _ = writeln!(out, "# Conformance\n");
    let _ = writeln!(out, "Subject: {} at {}. Reference: {}.", meta.subject_version, meta.commit, meta.reference);
    if !meta.suite_is_pinned {
        let _ = writeln!(out, "\n**The suite is not the pinned one: these figures compare with no other run's.**");
    }
    if !meta.complete {
        let _ = writeln!(out, "\n**The run is not complete.**");
    }
    let _ = writeln!(out, "\n{}", table(summary));
    if let Some(text) = cpu(meta) {
        let _ = writeln!(out, "{text}\n");
    }
    let not_run = summary.total.not_run;
    if not_run > 0 {
        let share = percent(not_run, summary.total.strict.cases);
        let _ = writeln!(out, "{not_run} cases ({share:.1} %) were not run; they count as deviations.\n");
    }
    let _ = writeln!(out, "## Modules\n");
    let _ = writeln!(out, "| module | list | cases | same | portable | not the same |");
    let _ = writeln!(out, "| --- | --- | ---: | ---: | ---: | --- |");
    for (module, score) in &summary.modules {
        let list = &summary.list_of[module];
        if score.is_empty() {
            let _ = writeln!(out, "| {module} | {list} | 0 | | n/a | |");
            continue;
        }
        let portable = if score.portable_cases == 0 {
            "n/a".to_owned()
        } else {
            format!("{:.1} %", percent(score.portable_same, score.portable_cases))
        };
        let others: Vec<String> = score
            .statuses
            .iter()
            .filter(|(status, _)| *status != "pass")
            .map(|(status, count)| format!("{status} {count}"))
            .collect();
        let _ = writeln!(
            out,
            "| {module} | {list} | {} | {} | {portable} | {} |",
            score.cases,
            score.same,
            others.join(", ")
        );
    }
    out
}

/// Who used the CPU, where the run has counted it.
pub fn cpu(meta: &Meta) -> Option<String> {
    let whole = meta.supervisor_cpu + meta.workers_cpu;
    (meta.workers_cpu > 0.0).then(|| {
        format!(
            "CPU time {whole:.0} s within {} s: the supervisor's own {:.1} s ({:.1} %), the recorder's {:.1} s ({:.1} %).",
            meta.seconds,
            meta.supervisor_cpu,
            meta.supervisor_cpu * 100.0 / whole,
            meta.recorder_cpu,
            meta.recorder_cpu * 100.0 / whole
        )
    })
}

/// Modules, those with most left to do first, each with the peers' parity; stamped with commit, suite and machine.
pub fn by_module(summary: &Summary, peers: &[Peer]) -> String {
    let meta = &summary.meta;
    let mut out = format!(
        "# By module\n\nCommit {}, suite {} ({}), machine {}.\n\n",
        meta.commit,
        &meta.pin[..meta.pin.len().min(12)],
        if meta.suite_is_pinned { "pinned" } else { "not the pinned one" },
        if meta.machine.is_empty() { "unknown" } else { &meta.machine }
    );
    out += "| module | cases | left | strict | portable |";
    peers.iter().for_each(|peer| out += &format!(" {} |", peer.name));
    out += "\n| --- | ---: | ---: | ---: | ---: |";
    peers.iter().for_each(|_| out += " ---: |");
    out.push('\n');
    let share = |same: usize, cases: usize| {
        if cases == 0 { "n/a".to_owned() } else { format!("{:.1} %", percent(same, cases)) }
    };
    let mut modules: Vec<_> = summary.modules.iter().filter(|(_, score)| !score.is_empty()).collect();
    modules.sort_by_key(|(module, score)| (std::cmp::Reverse(score.cases - score.same), (*module).clone()));
    for (module, score) in modules {
        let _ = write!(
            out,
            "| {module} | {} | {} | {} | {} |",
            score.cases,
            score.cases - score.same,
            share(score.same, score.cases),
            share(score.portable_same, score.portable_cases)
        );
        for peer in peers {
            let theirs = peer.modules.get(module).map_or(String::new(), |score| share(score.same, score.cases));
            let _ = write!(out, " {theirs} |");
        }
        out.push('\n');
    }
    out
}

/// The three scores of both denominators, per list and in all.
pub fn table(summary: &Summary) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "| | cases | portable parity | module mean | green | strict parity | module mean | green |");
    let _ = writeln!(out, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    if summary.lists.len() > 1 {
        for (list, scores) in &summary.lists {
            let _ = writeln!(out, "{}", row(list, scores));
        }
    }
    let _ = writeln!(out, "{}", row("**all of the run**", &summary.total));
    out
}

fn row(name: &str, scores: &Scores) -> String {
    let figures = |figures: &Figures| {
        format!(
            "{:.1} % ({} of {}) | {:.1} % | {} of {}",
            figures.parity, figures.same, figures.cases, figures.mean, figures.green, figures.modules
        )
    };
    format!("| {name} | {} | {} | {} |", scores.strict.cases, figures(&scores.portable), figures(&scores.strict))
}
