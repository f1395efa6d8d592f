//! From a case of the suite to the text of one file: where the case is written, and which files make it whole.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::parse_either;
use super::tree::Statement;
use crate::run::Session;
use crate::suite::repository;
use crate::worker::{Interpreter, run_plain};

#[derive(Deserialize, Debug)]
#[serde(untagged)]
enum Answer {
    Method { files: Vec<(String, PathBuf)>, own: bool, class: String, method: String },
    Doctest(Doctest),
}

/// What a doctest runs.
#[derive(Deserialize, Clone, Debug)]
pub struct Doctest {
    /// Source and wanted output of each.
    pub examples: Vec<(String, String)>,
    /// Names of doctest's option flags.
    pub flags: Vec<String>,
    /// The module whose names they see.
    pub scope: String,
}

/// Where a case is written.
#[derive(Clone, Debug)]
pub enum Place {
    Method(Method),
    Doctest(Doctest),
}

impl Place {
    /// The case's name in a file of its own.
    pub fn id(&self) -> String {
        match self {
            Place::Method(method) => format!("{}.{}", method.class, method.method),
            Place::Doctest(_) => EXAMPLES.to_owned(),
        }
    }
}

/// The function whose docstring holds a doctest's examples.
const EXAMPLES: &str = "examples";

#[derive(Clone, Debug)]
pub struct Method {
    /// Module and file of each class of the case within the suite, base classes first.
    pub files: Vec<(String, PathBuf)>,
    /// The method stands in the last of them.
    pub own: bool,
    pub class: String,
    pub method: String,
}

/// Asks the reference, which can import every module of the suite.
pub fn locate(session: &Session, module: &str, id: &str) -> io::Result<Place> {
    let script = repository().join("conformance/recorder/locate.py");
    let args = [script.display().to_string(), module.to_owned(), id.to_owned()];
    let answer = run_plain(&session.reference.worker, &args, Duration::from_secs(60))?;
    let output = match answer {
        Some((output, Some(0))) => output,
        Some((output, _)) => return Err(io::Error::other(output.trim().to_owned())),
        None => return Err(io::Error::other("the reference does not tell where the case is written")),
    };
    // The module may print while it is imported.
    let starts = ["{\"files\"", "{\"examples\""];
    let json = starts.iter().find_map(|start| output.find(start)).map_or("", |at| &output[at..]);
    Ok(match serde_json::from_str(json).map_err(io::Error::other)? {
        Answer::Method { files, own, class, method } if !method.is_empty() && !files.is_empty() => {
            Place::Method(Method { files, own, class, method })
        }
        Answer::Method { .. } => return Err(io::Error::other("the case is no method of a class of the suite's")),
        Answer::Doctest(doctest) => Place::Doctest(doctest),
    })
}

impl Doctest {
    /// Texts to try: with the module's public names, with all of its names.
    pub fn candidates(&self) -> Vec<String> {
        let flags: Vec<String> = self.flags.iter().map(|name| format!("doctest.{name}")).collect();
        let flags = if flags.is_empty() { "0".to_owned() } else { flags.join(" | ") };
        let with = |import: &str, scope: &str| {
            format!(
                "import doctest\nimport unittest\n{import}\ndef {EXAMPLES}():\n{}\n\
                 def load_tests(loader, tests, pattern):\n    \
                 tests.addTest(doctest.DocTestSuite({scope}optionflags={flags}))\n    return tests\n",
                self.docstring()
            )
        };
        let module = &self.scope;
        if module.is_empty() || module == "__main__" {
            return vec![with("", "")];
        }
        vec![
            with(&format!("from {module} import *\n"), ""),
            with(&format!("import {module}\n"), &format!("globs=dict(vars({module})), ")),
        ]
    }

    /// The examples as a raw docstring, indented; where no quotes will do, as an escaped one.
    fn docstring(&self) -> String {
        let mut text = String::new();
        for (source, want) in &self.examples {
            for (number, line) in source.lines().enumerate() {
                let prompt = if number == 0 { ">>>" } else { "..." };
                text += format!("    {prompt} {line}").trim_end_matches(' ');
                text.push('\n');
            }
            want.lines().for_each(|line| text += &format!("    {line}\n"));
            text.push('\n');
        }
        match ["'''", "\"\"\""].into_iter().find(|quotes| !text.contains(quotes)) {
            Some(quotes) => format!("    r{quotes}\n{text}    {quotes}\n"),
            None => format!("    '''\n{}    '''\n", text.replace('\\', "\\\\").replace("'''", "\\'\\'\\'")),
        }
    }
}

/// Texts to try, the likeliest first: the class's own file, or all files of its bases in one.
pub fn candidates(place: &Place, python: &Interpreter) -> io::Result<Vec<String>> {
    let place = match place {
        Place::Method(method) => method,
        Place::Doctest(doctest) => return Ok(doctest.candidates()),
    };
    let mut texts = Vec::new();
    for (module, path) in &place.files {
        let source = String::from_utf8_lossy(&fs::read(path)?).into_owned();
        texts.push(absolute_imports(&source, module, path.ends_with("__init__.py"), python)?);
    }
    let own = texts.last().cloned().unwrap_or_default();
    let joined = join(place, &texts);
    Ok(match (place.files.len(), place.own) {
        (1, _) => vec![own],
        (_, true) => vec![own, joined],
        (_, false) => vec![joined, own],
    })
}

/// Relative imports made absolute: the file leaves its package.
fn absolute_imports(source: &str, module: &str, package: bool, python: &Interpreter) -> io::Result<String> {
    let Some(tree) = parse_either(python, source)? else { return Ok(source.to_owned()) };
    let mut found = Vec::new();
    collect_relative(&tree, &mut found);
    let mut out = source.to_owned();
    for one in found.iter().rev() {
        let parts: Vec<&str> = module.split('.').collect();
        let up = if package { one.level - 1 } else { one.level };
        let base = parts[..parts.len().saturating_sub(up)].join(".");
        let target = if one.name.is_empty() { base } else { format!("{base}.{}", one.name) };
        let text = &source[one.span.0..one.span.1];
        if let Some(rest) = text.find(" import ") {
            out.replace_range(one.span.0..one.span.1, &format!("from {target}{}", &text[rest..]));
        }
    }
    Ok(out)
}

fn collect_relative<'t>(tree: &'t [Statement], found: &mut Vec<&'t Statement>) {
    for one in tree {
        if one.kind == "from" && one.level > 0 {
            found.push(one);
        }
        one.blocks.iter().for_each(|block| collect_relative(block, found));
    }
}

/// The files one behind the other, bases first; `list_tests.CommonTest` becomes the `CommonTest` that now stands above.
fn join(place: &Method, texts: &[String]) -> String {
    let mut futures = BTreeSet::new();
    let mut out = String::new();
    for text in texts {
        for line in text.lines() {
            if line.starts_with("from __future__ import") {
                futures.insert(line.to_owned());
                continue;
            }
            let mut line = line.to_owned();
            if line.starts_with("class ") {
                for (module, _) in &place.files {
                    let name = module.rsplit('.').next().unwrap_or(module);
                    line = line.replace(&format!("({name}."), "(").replace(&format!(", {name}."), ", ");
                }
            }
            // Only the last file's own ending may start the suite.
            if line.starts_with("if __name__ ==") {
                line = "if 0:".to_owned();
            }
            out += &line;
            out.push('\n');
        }
    }
    futures.into_iter().map(|line| line + "\n").collect::<String>() + &out
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_alphanumeric() && char != '_').filter(|word| !word.is_empty())
}

/// A guess of what the case needs: its method, its class's other members that are no tests, and what they name in turn.
pub fn needed(source: &str, tree: &[Statement], class: &str, method: &str) -> String {
    let text = |span: (usize, usize)| &source[span.0..span.1];
    let mut names: BTreeSet<String> = class.split('.').map(str::to_owned).collect();
    names.insert(method.to_owned());
    names.insert("unittest".to_owned());
    let is_other_test = |one: &Statement| one.kind == "def" && one.name.starts_with("test") && one.name != method;
    // Of a class, tests other than the one wanted say nothing about what is needed.
    let body_words = |one: &Statement| -> Vec<String> {
        if one.kind != "class" {
            return words(text(one.span)).map(str::to_owned).collect();
        }
        let members = one.blocks.first().map_or(&[][..], Vec::as_slice);
        let head = members.first().map_or("", |first| text((one.span.0, first.span.0)));
        let kept = members.iter().filter(|member| !is_other_test(member));
        words(head).chain(kept.flat_map(|member| words(text(member.span)))).map(str::to_owned).collect()
    };
    let defined = |one: &Statement| -> Vec<String> {
        match &*one.kind {
            "def" | "class" => vec![one.name.clone()],
            "import" | "from" => words(text(one.span)).map(str::to_owned).collect(),
            _ => text(one.span)
                .lines()
                .flat_map(|line| words(line.split('=').next().unwrap_or(line)))
                .map(str::to_owned)
                .collect(),
        }
    };
    let mut kept: BTreeSet<usize> = BTreeSet::new();
    loop {
        let before = kept.len();
        for (index, one) in tree.iter().enumerate() {
            let future = one.kind == "from" && one.name == "__future__";
            if !kept.contains(&index) && (future || defined(one).iter().any(|name| names.contains(name))) {
                kept.insert(index);
                if !matches!(&*one.kind, "import" | "from") {
                    names.extend(body_words(one));
                }
            }
        }
        if kept.len() == before {
            break;
        }
    }
    let mut out = String::new();
    for index in kept {
        let one = &tree[index];
        let mut at = one.span.0;
        if one.kind == "class" && class.split('.').next() == Some(&one.name) {
            let members = one.blocks.first().map_or(&[][..], Vec::as_slice);
            for member in members.iter().filter(|member| is_other_test(member)) {
                out += &source[at..member.span.0];
                out += "pass";
                at = member.span.1;
            }
        }
        out += &source[at..one.span.1];
        out.push('\n');
    }
    out
}
