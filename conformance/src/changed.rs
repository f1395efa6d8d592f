//! Which modules of the suite a change can touch: from changed paths to native modules, and from those to the test
//! modules whose imports, followed through the library, reach them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::suite::{Selected, repository};

/// What a set of changed paths means for a selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touched {
    /// The mechanism itself, or what every test module imports.
    Everything(String),
    /// Native modules and test modules by name.
    Modules { native: BTreeSet<String>, suite: BTreeSet<String> },
}

/// Folders whose files can change no outcome.
const HARMLESS: [&str; 5] = ["docs/", "reports/", "conformance/src/", "conformance/tests/", ".ci/"];

/// Where a change can reach every module.
const MECHANISM: [&str; 4] = ["interpreter/", "conformance/recorder/", "Cargo.", "cpython-tests/"];

fn is_code(path: &str) -> bool {
    path.contains(".rs") && !HARMLESS.iter().any(|folder| path.starts_with(folder))
}

pub fn touched(paths: &[String]) -> Touched {
    let (mut native, mut suite) = (BTreeSet::new(), BTreeSet::new());
    for path in paths {
        if let Some(rest) = path.strip_prefix("interpreter/stdlib/") {
            // CRATE/src/MODULE.rs or CRATE/src/MODULE/…; a crate's own files serve all of its modules.
            let inner = rest.split_once("/src/").map(|(_, inner)| inner);
            let name = inner.and_then(|inner| inner.split('/').next()).map(|name| name.trim_end_matches(".rs"));
            match name {
                Some("lib" | "tests") | None => return Touched::Everything(path.clone()),
                Some(name) => native.insert(name.to_owned()),
            };
        } else if let Some(rest) = path.strip_prefix("conformance/expectations/") {
            suite.insert(rest.trim_end_matches(".txt").to_owned());
        } else if MECHANISM.iter().any(|start| path.starts_with(start)) || is_code(path) {
            return Touched::Everything(path.clone());
        }
    }
    Touched::Modules { native, suite }
}

/// Paths that differ from the merge base with `since`, committed or not.
pub fn changed_paths(since: &str) -> io::Result<Vec<String>> {
    let git = |args: &[&str]| -> io::Result<String> {
        let output = Command::new("git").arg("-C").arg(repository()).args(args).output()?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
        }
    };
    let base = git(&["merge-base", since, "HEAD"])?;
    let mut text = git(&["diff", "--name-only", base.trim()])?;
    text += &git(&["ls-files", "--others", "--exclude-standard"])?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// Names that a Python source imports, by its lines; conditional imports count.
fn imports(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in source.lines().map(str::trim_start) {
        if let Some(rest) = line.strip_prefix("from ") {
            let mut halves = rest.splitn(2, " import ");
            let (module, names) = (halves.next().unwrap_or("").trim(), halves.next().unwrap_or(""));
            if module.starts_with('.') {
                continue;
            }
            found.insert(module.to_owned());
            let names = names.split([',', '(', ')']).map(|name| name.split_whitespace().next().unwrap_or(""));
            found.extend(names.filter(|name| !name.is_empty()).map(|name| format!("{module}.{name}")));
        } else if let Some(rest) = line.strip_prefix("import ") {
            let names = rest.split(',').map(|name| name.split_whitespace().next().unwrap_or(""));
            found.extend(names.filter(|name| !name.is_empty()).map(str::to_owned));
        } else if let Some(at) = line.find("import_module(").or_else(|| line.find("import_fresh_module(")) {
            found.extend(line[at..].split(['\'', '"']).skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

/// Imports of the library's modules, read as they are asked for.
pub struct Imports {
    lib: PathBuf,
    direct: BTreeMap<String, BTreeSet<String>>,
}

impl Imports {
    pub fn new(lib: &Path) -> Imports {
        Imports { lib: lib.to_path_buf(), direct: BTreeMap::new() }
    }

    fn sources(&self, module: &str) -> Vec<PathBuf> {
        let path = self.lib.join(module.replace('.', "/"));
        let file = path.with_extension("py");
        if file.exists() {
            return vec![file];
        }
        let Ok(entries) = fs::read_dir(&path) else { return Vec::new() };
        let files = entries.flatten().map(|entry| entry.path());
        files.filter(|path| path.extension().is_some_and(|extension| extension == "py")).collect()
    }

    fn direct(&mut self, module: &str) -> BTreeSet<String> {
        if let Some(known) = self.direct.get(module) {
            return known.clone();
        }
        let mut found = BTreeSet::new();
        for path in self.sources(module) {
            found.extend(imports(&String::from_utf8_lossy(&fs::read(path).unwrap_or_default())));
        }
        self.direct.insert(module.to_owned(), found.clone());
        found
    }

    /// Everything that importing these modules can import.
    pub fn closure(&mut self, start: &[&str]) -> BTreeSet<String> {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut todo: Vec<String> = start.iter().map(|name| (*name).to_owned()).collect();
        while let Some(module) = todo.pop() {
            if seen.insert(module.clone()) {
                todo.extend(self.direct(&module).into_iter().filter(|name| !seen.contains(name)));
            }
        }
        seen
    }
}

/// Keeps of a selection what the change can touch, and says why when that is everything.
pub fn narrow(selected: Vec<Selected>, touched: &Touched, lib: &Path) -> (Vec<Selected>, Option<String>) {
    let (native, suite) = match touched {
        Touched::Everything(why) => return (selected, Some(why.clone())),
        Touched::Modules { native, suite } => (native, suite),
    };
    let mut imports = Imports::new(lib);
    let always = imports.closure(&["unittest", "test.support", "traceback", "warnings", "site", "os", "io", "doctest"]);
    // What unittest's own imports reach, every module reaches, mostly without using it: only direct importers are run.
    let keep = |module: &str, imports: &mut Imports| {
        if suite.contains(module) {
            return true;
        }
        let named = imports.closure(&[&format!("test.{module}")]);
        native.iter().any(|name| {
            let stem = name.trim_start_matches('_');
            let direct = || module.trim_start_matches("test_").trim_start_matches('_') == stem;
            direct() || named.contains(name) && (!always.contains(name) || near(imports, module, name))
        })
    };
    let kept = selected.into_iter().filter(|one| keep(&one.module, &mut imports)).collect();
    (kept, None)
}

/// Within two steps: the module imports it, or imports a library module that does.
fn near(imports: &mut Imports, module: &str, name: &str) -> bool {
    let direct = imports.direct(&format!("test.{module}"));
    direct.contains(name) || direct.iter().any(|step| step != "unittest" && imports.direct(step).contains(name))
}
