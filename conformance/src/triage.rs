//! What to fix next: failures clustered by signature, ranked by the cases that one fix would unblock.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use crate::record::{Record, Results, Status};
use crate::score::{Verdict, verdict};
use crate::signature::{gist, normalise, short_hash};
use crate::suite::Suite;

#[derive(Clone, Debug, Serialize)]
pub struct Cluster {
    pub sig: String,
    pub status: String,
    /// What one sees: exception and message, or the panic, or the signal.
    pub title: String,
    pub frame: String,
    pub cases: usize,
    pub portable: usize,
    pub modules: Vec<String>,
    pub example: String,
    /// A missing module or attribute: it comes first, because nothing behind it can be seen.
    pub missing: bool,
    /// How far bare imports get, for what does not load.
    pub ladder: String,
}

pub fn clusters(suite: &Suite, reference: &Results, subject: &Results) -> Vec<Cluster> {
    let mut found: BTreeMap<String, (Cluster, BTreeSet<String>)> = BTreeMap::new();
    for (module, result) in subject {
        let Some(expected) = reference.get(module) else { continue };
        for (id, record) in &result.cases {
            let Some(reference) = expected.cases.get(id) else { continue };
            let portable = suite.is_portable(module, id);
            let verdict = verdict(reference, Some(record), portable);
            if !matches!(verdict, Verdict::Worse | Verdict::ImplDetail) {
                continue;
            }
            // Skips have no signature: what they say parts them.
            let unsigned = || match &record.reason {
                Some(reason) => short_hash(&[record.status.word(), &normalise(reason)]),
                None => record.status.word().to_owned(),
            };
            let sig = record.sig.clone().unwrap_or_else(unsigned);
            let (cluster, modules) = found.entry(sig.clone()).or_insert_with(|| {
                let ladder = result.module.as_ref().filter(|module| module.status == Status::ImportError);
                let cluster = Cluster {
                    sig,
                    status: record.status.word().to_owned(),
                    title: title(record),
                    frame: record.exc.as_ref().map(|exc| exc.frame.clone()).unwrap_or_default(),
                    cases: 0,
                    portable: 0,
                    modules: Vec::new(),
                    example: format!("{module}.{id}"),
                    missing: is_missing(record),
                    ladder: ladder.and_then(|module| module.ladder.clone()).unwrap_or_default(),
                };
                (cluster, BTreeSet::new())
            });
            cluster.cases += 1;
            cluster.portable += usize::from(portable);
            modules.insert(module.clone());
        }
    }
    let mut clusters: Vec<Cluster> = found
        .into_values()
        .map(|(cluster, modules)| Cluster { modules: modules.into_iter().collect(), ..cluster })
        .collect();
    clusters.sort_by_key(|cluster| {
        let weight = cluster.portable * if cluster.missing { 2 } else { 1 };
        (std::cmp::Reverse((weight, cluster.cases)), cluster.sig.clone())
    });
    clusters
}

/// One line for what went wrong.
pub fn title(record: &Record) -> String {
    if let Some(panic) = &record.panic {
        return format!("panic at {panic}");
    }
    if record.status == Status::Pass {
        return "passes fewer sub-tests than the reference".to_owned();
    }
    let text = match &record.exc {
        Some(exc) => format!("{}: {}", exc.kind, gist(&exc.message)),
        None => record.reason.clone().unwrap_or_else(|| "no reason given".to_owned()),
    };
    clip(&text, 150)
}

pub fn clip(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn is_missing(record: &Record) -> bool {
    record.exc.as_ref().is_some_and(|exc| match exc.kind.as_str() {
        "ModuleNotFoundError" | "ImportError" | "NotImplementedError" => true,
        "AttributeError" => exc.message.contains("has no attribute"),
        "NameError" => exc.message.contains("is not defined"),
        _ => false,
    })
}

/// The clusters as text, largest first.
pub fn text(clusters: &[Cluster], top: usize) -> String {
    let mut out = String::new();
    if clusters.is_empty() {
        return "nothing deviates\n".to_owned();
    }
    for cluster in clusters.iter().take(top) {
        let missing = if cluster.missing { " missing" } else { "" };
        let _ = writeln!(
            out,
            "{:>6} cases  {}  {}{missing}  {}",
            cluster.portable, cluster.sig, cluster.status, cluster.title
        );
        let frame = if cluster.frame.is_empty() { String::new() } else { format!("in {}, ", cluster.frame) };
        let ladder =
            if cluster.ladder.is_empty() { String::new() } else { format!(", bare import: {}", cluster.ladder) };
        let _ = writeln!(
            out,
            "              {frame}{} module{} ({}){ladder}, e.g. {}",
            cluster.modules.len(),
            if cluster.modules.len() == 1 { "" } else { "s" },
            clip(&cluster.modules.join(" "), 80),
            cluster.example
        );
    }
    if clusters.len() > top {
        let _ = writeln!(out, "… and {} more clusters (--top N)", clusters.len() - top);
    }
    out
}
