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
struct Answer {
    files: Vec<(String, PathBuf)>,
    own: bool,
    class: String,
    method: String,
}

/// Where a case is written.
#[derive(Clone, Debug)]
pub struct Place {
    /// Module and file of each class of the case within the suite, base classes first.
    pub files: Vec<(String, PathBuf)>,
    /// The method stands in the last of them.
    pub own: bool,
    pub class: String,
    pub method: String,
    /// The case's name in a file of its own.
    pub id: String,
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
    let json = output.find("{\"files\"").map_or("", |at| &output[at..]);
    let answer: Answer = serde_json::from_str(json).map_err(io::Error::other)?;
    if answer.method.is_empty() || answer.files.is_empty() {
        return Err(io::Error::other("only cases of unittest can be taken out of their module, and this is a doctest"));
    }
    let id = format!("{}.{}", answer.class, answer.method);
    Ok(Place { files: answer.files, own: answer.own, class: answer.class, method: answer.method, id })
}

/// Texts to try, the likeliest first: the class's own file, or all files of its bases in one.
pub fn candidates(place: &Place, python: &Interpreter) -> io::Result<Vec<String>> {
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
fn join(place: &Place, texts: &[String]) -> String {
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
