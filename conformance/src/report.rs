//! Reports: one summary of a run, written as Markdown, JSON, a badge, JUnit and a page that opens from disk.

pub mod archive;
pub mod html;
pub mod junit;
pub mod markdown;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::record::{Meta, Results};
use crate::score::{ModuleScore, Scores, module_scores, scores};
use crate::suite::Suite;

/// All that the reports show of a run, save the single cases.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct Summary {
    pub meta: Meta,
    pub total: Scores,
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
        Summary { meta, total: scores(modules.values()), lists, modules, list_of }
    }
}

/// Writes every form of the report into the folder.
pub fn write_all(
    folder: &Path,
    suite: &Suite,
    summary: &Summary,
    reference: &Results,
    subject: &Results,
) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let json = serde_json::to_string_pretty(summary).map_err(io::Error::other)?;
    std::fs::write(folder.join("latest.json"), json + "\n")?;
    std::fs::write(folder.join("badge.json"), badge(summary) + "\n")?;
    std::fs::write(folder.join("summary.md"), markdown::summary(summary))?;
    std::fs::write(folder.join("cases.gz"), archive::pack_cases(reference, subject)?)?;
    let history = archive::add_to_history(&folder.join("history.jsonl"), summary)?;
    html::write(folder, suite, summary, &history, reference, subject)
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
