//! API coverage: the public names and signatures of the library's modules on the reference, and which of them the
//! subject lacks, with how many of the suite's and the library's files use each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::run::Session;
use crate::scratch::Scratch;
use crate::suite::repository;
use crate::worker::{Interpreter, run_plain};

/// Kind and signature of each public name; a class's members are `Class.member`.
pub type Names = BTreeMap<String, (String, String)>;

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    begin: Option<String>,
    #[serde(default)]
    module: Option<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    names: Names,
}

/// What one side says of each module: its names, or why it does not import.
pub type Answers = BTreeMap<String, Result<Names, String>>;

/// Modules that print, open windows or belong to other systems when they are imported.
const LEFT_OUT: [&str; 16] = [
    "antigravity",
    "this",
    "idlelib",
    "turtle",
    "turtledemo",
    "__main__",
    "msilib",
    "nt",
    "winreg",
    "winsound",
    "_winapi",
    "msvcrt",
    "_wmi",
    "_overlapped",
    "_osx_support",
    "_scproxy",
];

/// The reference's own list of the library's modules; private ones only when asked for by name.
pub fn module_names(python: &Interpreter) -> io::Result<Vec<String>> {
    let code = "import sys; print(' '.join(sorted(sys.stdlib_module_names)))";
    let answer = run_plain(python, &["-c".to_owned(), code.to_owned()], Duration::from_secs(60))?;
    let text = answer.map(|(text, _)| text).unwrap_or_default();
    let wanted = |name: &&str| !name.starts_with('_') && !LEFT_OUT.contains(name);
    Ok(text.split_whitespace().filter(wanted).map(str::to_owned).collect())
}

/// Asks one side. A module that takes the process down costs itself only.
pub fn ask(interpreter: &Interpreter, modules: &[String]) -> io::Result<Answers> {
    let script = repository().join("conformance/recorder/api.py");
    let mut answers = Answers::new();
    let mut left: Vec<String> = modules.to_vec();
    while !left.is_empty() {
        let scratch = Scratch::new("a")?;
        let list = scratch.path.join("modules");
        fs::write(&list, left.join("\n"))?;
        let args = [script.as_path(), list.as_path()].map(|path: &Path| path.display().to_string());
        let output = run_plain(interpreter, &args, Duration::from_secs(300))?.map(|(text, _)| text).unwrap_or_default();
        let mut open = None;
        for line in output.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
            if let Some(name) = line.begin {
                open = Some(name);
            } else if let Some(name) = line.module {
                open = None;
                answers.insert(name, line.error.map_or(Ok(line.names), Err));
            }
        }
        let before = left.len();
        if let Some(name) = open {
            answers.insert(name, Err("importing it ends the process".to_owned()));
        }
        left.retain(|name| !answers.contains_key(name));
        if left.len() == before {
            let why = output.lines().last().unwrap_or("no answer").to_owned();
            answers.extend(left.drain(..).map(|name| (name, Err(why.clone()))));
        }
    }
    Ok(answers)
}

/// `Class.*` stands for the names that the class does not define itself.
const INHERITED: &str = ".*";

fn inherits(names: &Names, name: &str) -> bool {
    let Some((class, member)) = name.split_once('.') else { return false };
    let list = names.get(&format!("{class}{INHERITED}"));
    list.is_some_and(|(_, members)| members.split(' ').any(|one| one == member))
}

#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct Missing {
    pub name: String,
    pub kind: String,
    pub signature: String,
    /// Files of the suite and of the library that use it.
    pub uses: Vec<String>,
}

#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct Different {
    pub name: String,
    pub reference: String,
    pub subject: String,
}

#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct Coverage {
    pub module: String,
    pub names: usize,
    pub present: usize,
    /// Why it does not import on the subject.
    pub error: Option<String>,
    pub missing: Vec<Missing>,
    pub signatures: Vec<Different>,
    /// Files that import the module.
    pub uses: usize,
}

/// Uses of names, by `module.name`.
pub type Uses = BTreeMap<String, Vec<String>>;

pub fn cover(reference: &Answers, subject: &Answers, uses: &Uses) -> Vec<Coverage> {
    let mut found = Vec::new();
    for (module, answer) in reference {
        let Ok(names) = answer else { continue };
        let used = |name: &str| uses.get(&format!("{module}.{name}")).cloned().unwrap_or_default();
        let mut one = Coverage {
            module: module.clone(),
            names: names.keys().filter(|name| !name.ends_with(INHERITED)).count(),
            uses: uses.get(module).map_or(0, Vec::len),
            ..Coverage::default()
        };
        match subject.get(module) {
            Some(Ok(ours)) => {
                for (name, (kind, signature)) in names.iter().filter(|(name, _)| !name.ends_with(INHERITED)) {
                    match ours.get(name) {
                        None if inherits(ours, name) => one.present += 1,
                        None => one.missing.push(Missing {
                            name: name.clone(),
                            kind: kind.clone(),
                            signature: signature.clone(),
                            uses: used(name),
                        }),
                        Some((_, subject)) => {
                            one.present += 1;
                            // What the reference does not tell is no measure.
                            if !signature.is_empty() && subject != signature {
                                one.signatures.push(Different {
                                    name: name.clone(),
                                    reference: signature.clone(),
                                    subject: subject.clone(),
                                });
                            }
                        }
                    }
                }
                // Members of a class that is missing as a whole say nothing more.
                let whole: BTreeSet<String> = one.missing.iter().map(|missing| missing.name.clone()).collect();
                one.missing
                    .retain(|missing| missing.name.split_once('.').is_none_or(|(class, _)| !whole.contains(class)));
                one.missing.sort_by_key(|missing| (std::cmp::Reverse(missing.uses.len()), missing.name.clone()));
            }
            Some(Err(error)) => one.error = Some(error.clone()),
            None => one.error = Some("not asked".to_owned()),
        }
        found.push(one);
    }
    found.sort_by_key(|one| (one.error.is_none(), std::cmp::Reverse(one.missing.len()), one.module.clone()));
    found
}

/// The reference's answers and the suite's uses, kept beside its cached results: they change with the pin only.
pub fn measure(session: &Session, modules: &[String]) -> io::Result<Vec<Coverage>> {
    let all = if modules.is_empty() { module_names(&session.reference.worker)? } else { modules.to_vec() };
    let folder = crate::run::runs_folder().join("reference").join(&session.cache.key);
    let cached = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let mut reference: Answers =
        cached("api.json").and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let unknown: Vec<String> = all.iter().filter(|name| !reference.contains_key(*name)).cloned().collect();
    if !unknown.is_empty() {
        reference.extend(ask(&session.reference.worker, &unknown)?);
        fs::write(folder.join("api.json"), serde_json::to_string(&reference).map_err(io::Error::other)?)?;
    }
    reference.retain(|name, _| all.contains(name));
    let uses: Uses = match cached("uses.json").and_then(|text| serde_json::from_str(&text).ok()) {
        Some(uses) => uses,
        None => {
            eprintln!("reading what the suite and the library use (once per pin)…");
            let script = repository().join("conformance/recorder/uses.py");
            let args = [script.display().to_string(), session.reference.lib.display().to_string()];
            let answer = run_plain(&session.reference.worker, &args, Duration::from_secs(900))?;
            let text = answer.map(|(text, _)| text).unwrap_or_default();
            let uses = serde_json::from_str(&text).map_err(io::Error::other)?;
            fs::write(folder.join("uses.json"), text)?;
            uses
        }
    };
    let subject = ask(&session.subject, &reference.keys().cloned().collect::<Vec<_>>())?;
    Ok(cover(&reference, &subject, &uses))
}

pub fn text(found: &[Coverage], top: usize, details: bool) -> String {
    let mut out = String::new();
    let (names, present): (usize, usize) =
        (found.iter().map(|one| one.names).sum(), found.iter().map(|one| one.present).sum());
    for one in found.iter().filter(|one| one.error.is_some()) {
        let _ = writeln!(out, "{:24} does not import: {}", one.module, one.error.as_deref().unwrap_or(""));
    }
    let mut missing: Vec<(&str, &Missing)> =
        found.iter().flat_map(|one| one.missing.iter().map(|missing| (&*one.module, missing))).collect();
    missing.sort_by_key(|(module, missing)| (std::cmp::Reverse(missing.uses.len()), *module, &missing.name));
    for (module, missing) in missing.iter().take(top) {
        let uses = match missing.uses.as_slice() {
            [] => String::new(),
            uses => format!("  used by {}: {}", uses.len(), crate::triage::clip(&uses.join(" "), 60)),
        };
        let _ = writeln!(out, "missing    {module}.{}{}  ({}){uses}", missing.name, missing.signature, missing.kind);
    }
    if missing.len() > top {
        let _ = writeln!(out, "… and {} more missing names (--top N)", missing.len() - top);
    }
    let differing: usize = found.iter().map(|one| one.signatures.len()).sum();
    if details {
        for one in found {
            for different in &one.signatures {
                let name = format!("{}.{}", one.module, different.name);
                let _ = writeln!(out, "signature  {name}{} here {}", different.reference, different.subject);
            }
        }
    }
    let modules = found.iter().filter(|one| one.error.is_none()).count();
    let _ = writeln!(
        out,
        "{modules} of {} modules import; {present} of {names} names present ({:.1} %); {differing} signatures differ",
        found.len(),
        crate::score::percent(present, names)
    );
    out
}
