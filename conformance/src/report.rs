//! Reports: one summary of a run, written as Markdown, JSON, a badge, JUnit and a page that opens from disk.

pub mod archive;
pub mod html;
pub mod junit;
pub mod markdown;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::api::Coverage;
use crate::compare;
use crate::record::{Meta, Results};
use crate::score::{ModuleScore, Scores, module_scores, scores};
use crate::suite::Suite;

/// All that the reports show of a run, save the single cases.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct Summary {
    pub meta: Meta,
    pub total: Scores,
    /// Over the modules that the subject can load.
    #[serde(default)]
    pub loaded: Scores,
    /// Per list of the suite.
    pub lists: BTreeMap<String, Scores>,
    pub modules: BTreeMap<String, ModuleScore>,
    /// List that each module stands in.
    pub list_of: BTreeMap<String, String>,
}

impl Summary {
    pub fn new(suite: &Suite, meta: Meta, reference: &Results, subject: &Results) -> Summary {
        let modules = module_scores(suite, reference, subject);
        let list_of: BTreeMap<String, String> =
            modules.keys().map(|module| (module.clone(), suite.list_of(module).to_owned())).collect();
        let mut lists = BTreeMap::new();
        for list in list_of.values() {
            let members = modules.iter().filter(|(module, _)| list_of[*module] == *list).map(|(_, score)| score);
            lists.entry(list.clone()).or_insert_with(|| scores(members));
        }
        let loaded = scores(modules.values().filter(|score| score.loads()));
        Summary { meta, total: scores(modules.values()), loaded, lists, modules, list_of }
    }
}

/// Another Python's run of the same suite, shown beside. Kept below `reports/peers/`, one file each.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct Peer {
    pub name: String,
    /// What it says of itself.
    pub version: String,
    pub started: u64,
    pub pin: String,
    pub machine: String,
    /// The run came to its end; otherwise the figures are of the modules that it got to.
    #[serde(default)]
    pub complete: bool,
    pub total: Scores,
    /// Over the modules that it can load.
    pub loaded: Scores,
    pub modules: BTreeMap<String, ModuleScore>,
}

impl Peer {
    pub fn new(name: &str, summary: Summary) -> Peer {
        let Summary { meta, total, loaded, modules, .. } = summary;
        let Meta { subject_version: version, started, pin, machine, complete, .. } = meta;
        Peer { name: name.to_owned(), version, started, pin, machine, complete, total, loaded, modules }
    }

    /// Those of the folder, by name.
    pub fn load_all(folder: &Path) -> io::Result<Vec<Peer>> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        let read = |path: &std::path::PathBuf| -> io::Result<Peer> {
            let wrong = |error| io::Error::other(format!("{}: {error}", path.display()));
            serde_json::from_str(&std::fs::read_to_string(path)?).map_err(wrong)
        };
        paths.iter().map(read).collect()
    }

    /// A line for the head, and one a module: a new run's changes can be read.
    pub fn store(&self, path: &Path) -> io::Result<()> {
        let head = Peer { modules: BTreeMap::new(), ..self.clone() };
        let head = serde_json::to_string(&head).map_err(io::Error::other)?;
        let mut text = head.trim_end_matches("\"modules\":{}}").to_owned() + "\"modules\":{";
        for (number, (module, score)) in self.modules.iter().enumerate() {
            let score = serde_json::to_string(score).map_err(io::Error::other)?;
            text += &format!("{}\n\"{module}\":{score}", if number == 0 { "" } else { "," });
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text + "\n}}\n")
    }
}

/// What the dashboard shows beyond the run itself.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    pub peers: Vec<Peer>,
    pub api: Vec<Coverage>,
}

/// Writes every form of the report into the folder; what is published there already becomes the base of the run diff.
pub fn write_all(
    folder: &Path,
    suite: &Suite,
    summary: &Summary,
    reference: &Results,
    subject: &Results,
    extras: &Extras,
) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let json = serde_json::to_string_pretty(summary).map_err(io::Error::other)?;
    std::fs::write(folder.join("latest.json"), json + "\n")?;
    std::fs::write(folder.join("badge.json"), badge(summary) + "\n")?;
    std::fs::write(folder.join("summary.md"), markdown::summary(summary))?;
    std::fs::write(folder.join("by-module.md"), markdown::by_module(summary, &extras.peers))?;
    let mut cases = archive::Archive::load(folder)?;
    let base = cases.runs.last().map(|commit| compare::from_archive(&cases, commit));
    let history = archive::add_to_history(&folder.join("history.jsonl"), summary)?;
    std::fs::write(folder.join("history.csv"), archive::csv(&history))?;
    let change = base.map(|base| compare::compare(suite, &base, reference, subject));
    // A run that is published again is no new point.
    if cases.runs.last() != Some(&summary.meta.commit) {
        cases.add(&summary.meta.commit, reference, subject);
        std::fs::write(folder.join("cases"), cases.pack()?)?;
    }
    let page = html::Page { suite, summary, history: &history, reference, subject, extras, cases: &cases, change };
    html::write(folder, &page)
}

/// The shape that badge services read.
pub fn badge(summary: &Summary) -> String {
    let parity = summary.total.portable.parity;
    let color = match parity {
        95.0.. => "brightgreen",
        75.0.. => "green",
        50.0.. => "yellow",
        _ => "orange",
    };
    let message = format!("{parity:.1} %");
    serde_json::json!({ "schemaVersion": 1, "label": "CPython suite", "message": message, "color": color }).to_string()
}
