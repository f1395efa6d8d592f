//! Three-way merge of an expectation file, case by case: what git's line merge cannot do, because neighbours differ.

use std::collections::{BTreeMap, BTreeSet};

use super::{Expected, Line};

pub struct Merged {
    pub text: String,
    pub conflicts: usize,
}

/// Lines by case, in whatever order they stand.
fn lines(text: &str, which: &str) -> Result<BTreeMap<String, Line>, String> {
    let mut found = BTreeMap::new();
    for (number, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let line = Line::parse(text).map_err(|error| format!("{which}, line {}: {error}", number + 1))?;
        found.insert(line.id.clone(), line);
    }
    Ok(found)
}

/// Of each case: the side that changed it; where both did, and neither says that it passes, ours with the weaker claim.
/// That one side says it passes and the other says how it fails now is for a run to decide: a conflict.
pub fn merge(base: &str, ours: &str, theirs: &str) -> Result<Merged, String> {
    let (base, ours, theirs) = (lines(base, "base")?, lines(ours, "ours")?, lines(theirs, "theirs")?);
    let ids: BTreeSet<&String> = base.keys().chain(ours.keys()).chain(theirs.keys()).collect();
    let mut merged = Merged { text: String::new(), conflicts: 0 };
    let show = |line: Option<&Line>| line.map(|line| format!("{line}\n")).unwrap_or_default();
    for id in ids {
        let (old, our, their) = (base.get(id), ours.get(id), theirs.get(id));
        if our == their || their == old {
            merged.text += &show(our);
        } else if our == old {
            merged.text += &show(their);
        } else if let (Some(our), Some(their)) = (our, their) {
            merged.text += &show(Some(&both(our, their)));
        } else {
            merged.conflicts += 1;
            merged.text += &format!("<<<<<<< ours\n{}=======\n{}>>>>>>> theirs\n", show(our), show(their));
        }
    }
    Ok(merged)
}

/// Both sides expect a deviation: a flaky line covers more than a plain one, two flaky ones cover what either does.
fn both(our: &Line, their: &Line) -> Line {
    let note = our.note.clone().or_else(|| their.note.clone());
    let line = match (&our.expected, &their.expected) {
        (Expected::Flaky(one), Expected::Flaky(other)) => {
            let mut statuses = one.clone();
            statuses.extend(other.iter().filter(|status| !one.contains(status)));
            Line {
                expected: Expected::Flaky(statuses),
                until: our.until.clone().max(their.until.clone()),
                ..our.clone()
            }
        }
        (_, Expected::Flaky(_)) => their.clone(),
        _ => our.clone(),
    };
    Line { note, ..line }
}
