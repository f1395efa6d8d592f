//! Every fault of the expectation files at once: unsorted, duplicate, expired, malformed, of no known module, and lines
//! whose case the reference does not pass.

use std::fs;
use std::io;
use std::path::Path;

use super::{Expected, Line};
use crate::record::{ModuleResult, Status};
use crate::suite::{LISTS, Suite};

/// The quarantine holds no more than this.
pub const MOST_FLAKY: usize = 150;

/// Faults of one file's text; `reference` adds the check that every line has its case.
pub fn text(text: &str, this_month: &str, reference: Option<&ModuleResult>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut last = String::new();
    for (number, line) in text.lines().enumerate() {
        let at = number + 1;
        let line = match Line::parse(line) {
            Ok(line) => line,
            Err(error) => {
                faults.push(format!("{at}: {error}"));
                continue;
            }
        };
        if line.id == last {
            faults.push(format!("{at}: {} stands twice", line.id));
        } else if line.id < last {
            faults.push(format!("{at}: {} is out of order", line.id));
        }
        if line.until.as_deref().is_some_and(|until| until < this_month) {
            faults.push(format!("{at}: {} has expired", line.id));
        }
        if matches!(&line.expected, Expected::Flaky(statuses) if statuses.len() < 2) {
            faults.push(format!("{at}: {} is called flaky with one outcome only", line.id));
        }
        let passes = |result: &ModuleResult| result.cases.get(&line.id).is_some_and(|case| case.status == Status::Pass);
        if line.id != "*" && reference.is_some_and(|result| !passes(result)) {
            faults.push(format!("{at}: the reference does not pass {}", line.id));
        }
        last = line.id;
    }
    faults
}

/// Faults of the whole folder, each as `FILE:LINE: what`.
pub fn folder(
    folder: &Path,
    suite: &Suite,
    this_month: &str,
    reference: impl Fn(&str) -> Option<ModuleResult>,
) -> io::Result<Vec<String>> {
    let mut faults = Vec::new();
    let mut flaky = 0;
    let mut names: Vec<String> =
        fs::read_dir(folder)?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    for name in names {
        let known = |module: &str| LISTS.iter().any(|list| suite.lists[*list].iter().any(|(name, _)| name == module));
        let Some(module) = name.strip_suffix(".txt").filter(|module| known(module)) else {
            faults.push(format!("{name}: no module of the suite is called so"));
            continue;
        };
        let content = fs::read_to_string(folder.join(&name))?;
        flaky += content.lines().filter(|line| line.starts_with("flaky ")).count();
        if content.is_empty() {
            faults.push(format!("{name}: is empty; a module without deviations has no file"));
        }
        faults.extend(
            text(&content, this_month, reference(module).as_ref()).iter().map(|fault| format!("{name}:{fault}")),
        );
    }
    if flaky > MOST_FLAKY {
        faults.push(format!("{flaky} flaky lines: the quarantine holds at most {MOST_FLAKY}"));
    }
    Ok(faults)
}
