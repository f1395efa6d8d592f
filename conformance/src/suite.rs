//! The suite as facts kept in `cpython-tests/`: lists of modules, the pin, and the cases that are CPython's own detail.
//! The suite itself is never copied; it stays in the reference's installation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::record::ModuleResult;
use crate::signature::hex;

pub const LISTS: [&str; 5] = ["language", "library", "network", "system", "internal"];

/// `cpython-tests/`, read.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// Modules of each list, in order, with the number of cases at load.
    pub lists: BTreeMap<String, Vec<(String, usize)>>,
    pub pin: Pin,
    /// `module id` of the cases that the suite marks (`cpython_only` and the like).
    pub marked: BTreeSet<(String, String)>,
    /// Those of the reviewed list.
    pub reviewed: BTreeSet<(String, String)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pin {
    pub version: String,
    pub tree: String,
}

impl Pin {
    pub fn parse(text: &str) -> Pin {
        let field = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
                .map(|value| value.trim().to_owned())
                .unwrap_or_default()
        };
        Pin { version: field("version"), tree: field("tree") }
    }
}

/// The repository's root: the folder above the package, as built.
pub fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

impl Suite {
    pub fn load() -> io::Result<Suite> {
        Suite::load_from(&repository().join("cpython-tests"))
    }

    pub fn load_from(folder: &Path) -> io::Result<Suite> {
        let mut suite = Suite::default();
        for list in LISTS {
            let text = fs::read_to_string(folder.join("lists").join(format!("{list}.txt")))?;
            suite.lists.insert(list.to_owned(), entries(&text).map(module_line).collect());
        }
        suite.pin = Pin::parse(&fs::read_to_string(folder.join("PIN"))?);
        let cases = |name: &str| -> io::Result<BTreeSet<_>> {
            let text = fs::read_to_string(folder.join(name))?;
            Ok(entries(&text).filter_map(case_line).collect())
        };
        suite.marked = cases("cpython-only.txt")?;
        suite.reviewed = cases("implementation-detail.txt")?;
        Ok(suite)
    }

    pub fn is_portable(&self, module: &str, id: &str) -> bool {
        let key = (module.to_owned(), id.to_owned());
        let whole = (module.to_owned(), "*".to_owned());
        !self.marked.contains(&key) && !self.reviewed.contains(&key) && !self.reviewed.contains(&whole)
    }

    pub fn list_of(&self, module: &str) -> &str {
        self.lists
            .iter()
            .find(|(_, modules)| modules.iter().any(|(name, _)| name == module))
            .map_or("other", |(list, _)| list)
    }

    /// For estimates of time: a module's cases, and what it costs to start it.
    pub fn weight(&self, module: &str) -> u64 {
        self.cases_of(module) as u64 + 20
    }

    pub fn cases_of(&self, module: &str) -> usize {
        self.lists.values().flatten().find(|(name, _)| name == module).map_or(0, |(_, cases)| *cases)
    }

    /// Modules and case patterns chosen by SELECT: list names, `all`, module patterns, and `module.case` patterns.
    pub fn select(&self, words: &[String]) -> Result<Vec<Selected>, String> {
        let language = ["language".to_owned()];
        let words = if words.is_empty() { &language[..] } else { words };
        let mut chosen: Vec<Selected> = Vec::new();
        let mut add = |module: &str, pattern: Option<&str>| {
            let at = chosen.iter().position(|selected| selected.module == module).unwrap_or_else(|| {
                let patterns = pattern.map(|_| Vec::new());
                chosen.push(Selected { module: module.to_owned(), patterns });
                chosen.len() - 1
            });
            match (&mut chosen[at].patterns, pattern) {
                (Some(patterns), Some(pattern)) => patterns.push(pattern.to_owned()),
                (patterns, None) => *patterns = None,
                (None, Some(_)) => {}
            }
        };
        for word in words {
            if let Some(modules) = self.lists.get(word) {
                modules.iter().for_each(|(module, _)| add(module, None));
                continue;
            }
            let (module_part, case_part) = match word.split_once('.') {
                Some((module, case)) => (module, Some(case)),
                None => (word.as_str(), None),
            };
            let everything = word == "all";
            let mut found = false;
            for list in LISTS {
                for (module, _) in &self.lists[list] {
                    if everything || matches(module_part, module) {
                        add(module, case_part);
                        found = true;
                    }
                }
            }
            if !found {
                return Err(format!(
                    "nothing is called {word}: a list ({}), all, a module or a case",
                    LISTS.join(", ")
                ));
            }
        }
        Ok(chosen)
    }
}

/// A module, and the patterns of the cases wanted (None: all).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    pub module: String,
    pub patterns: Option<Vec<String>>,
}

impl Selected {
    /// The cases to run, None for the whole module.
    pub fn only(&self, reference: &ModuleResult) -> Option<BTreeSet<String>> {
        self.patterns.is_some().then(|| self.chosen(reference))
    }

    /// Those of the reference's cases that are wanted.
    pub fn chosen(&self, reference: &ModuleResult) -> BTreeSet<String> {
        reference.order.iter().filter(|id| self.wants(id)).cloned().collect()
    }

    pub fn wants(&self, id: &str) -> bool {
        self.patterns.as_ref().is_none_or(|patterns| patterns.iter().any(|pattern| matches(pattern, id)))
    }
}

/// Lines without comments and blanks.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn module_line(line: &str) -> (String, usize) {
    let mut words = line.split_whitespace();
    let module = words.next().unwrap_or("").to_owned();
    (module, words.next().and_then(|count| count.parse().ok()).unwrap_or(0))
}

/// `module id`, with an optional reason behind ` # `; an identifier may hold spaces and `#2`.
fn case_line(line: &str) -> Option<(String, String)> {
    let line = line.split(" # ").next().unwrap_or(line);
    let (module, id) = line.split_once(' ')?;
    Some((module.to_owned(), id.trim().to_owned()))
}

/// Shell-like matching with `*` and `?`.
pub fn matches(pattern: &str, text: &str) -> bool {
    fn go(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|skip| go(rest, &text[skip..])),
            Some((char, rest)) => {
                text.split_first().is_some_and(|(first, tail)| (*char == '?' || char == first) && go(rest, tail))
            }
        }
    }
    go(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
}

/// SHA-256 over the sorted relative paths and contents of `Lib/test`, without bytecode.
pub fn tree_hash(lib: &Path) -> io::Result<String> {
    let root = lib.join("test");
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap_or(&file);
        hash.update(name.as_os_str().as_encoded_bytes());
        hash.update([0]);
        hash.update(Sha256::digest(fs::read(&file)?));
    }
    Ok(hex(&hash.finalize()))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if entry.file_name() != "__pycache__" {
                collect(&entry.path(), files)?;
            }
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}
