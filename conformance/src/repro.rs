//! `repro`: a case of the suite as a file that stands alone and shows the failure, and the same cut to its core.
//!
//! The file is a module of unittest's: both sides run it through the recorder, so that its signature compares with the
//! suite's. What holds while it is cut: the subject's signature, and the reference's pass.

pub mod bench;
pub mod minimise;
pub mod standalone;
pub mod tree;

use std::io;
use std::path::{Path, PathBuf};

use self::bench::Bench;
use self::standalone::Place;
use crate::record::{Record, Status};
use crate::run::Session;
use crate::score::{Verdict, verdict};
use crate::signature::normalise;
use crate::worker::Interpreter;

/// Both sides, ready to run standalone files.
pub struct Pair {
    pub subject: Bench,
    pub reference: Bench,
}

impl Pair {
    /// A case that took `reference_ms` there is soon given up here, unless hanging is what it does.
    pub fn new(session: &Session, reference_ms: u64, support: bool) -> io::Result<Pair> {
        let seconds = (reference_ms as f64 / 100.0).max(5.0);
        Ok(Pair {
            subject: Bench::new(&session.subject, support, seconds)?,
            reference: Bench::new(&session.reference.worker, support, seconds)?,
        })
    }
}

/// What must stay while a file is cut.
#[derive(Clone, Debug)]
pub struct Trait {
    pub status: Status,
    pub sig: Option<String>,
    pub what: String,
}

impl Trait {
    pub fn of(record: &Record) -> Trait {
        Trait { status: record.status, sig: record.sig.clone(), what: crate::triage::title(record) }
    }

    fn shown_by(&self, subject: &Record, reference: &Record) -> bool {
        let deviates = verdict(reference, Some(subject), true) == Verdict::Worse;
        deviates && subject.status == self.status && subject.sig == self.sig
    }
}

/// The same failure in another file: frames differ there, exception and message do not.
fn alike(one: &Record, other: &Record) -> bool {
    let words = |record: &Record| {
        let exc = record.exc.as_ref().map(|exc| (exc.kind.clone(), normalise(&exc.message)));
        (record.status, exc, record.signal, record.panic.as_deref().map(normalise))
    };
    words(one) == words(other)
}

pub struct Repro {
    pub source: String,
    /// Within the file, as unittest names it.
    pub id: String,
    /// unittest can be told to run it by that name.
    pub named: bool,
    pub shows: Trait,
    pub attempts: usize,
}

/// Both sides on one file; the trait when the subject deviates and the reference passes.
fn shows(pair: &mut Pair, source: &str, id: &str) -> io::Result<Option<(Record, Trait)>> {
    let Some(subject) = pair.subject.run(source, id)? else { return Ok(None) };
    if subject.status == Status::Pass && subject.subtests.is_none() {
        return Ok(None);
    }
    let Some(reference) = pair.reference.run(source, id)? else { return Ok(None) };
    let shown = Trait::of(&subject);
    Ok(shown.shown_by(&subject, &reference).then_some((subject, shown)))
}

/// Makes the file; cuts it when told to. `failure` is the case's record in the suite.
pub fn make(
    session: &Session,
    module: &str,
    failure: &Record,
    reference_ms: u64,
    cut: bool,
    tell: &mut dyn FnMut(usize, &str),
) -> io::Result<Repro> {
    let place = standalone::locate(session, module, &failure.id)?;
    let id = place.id();
    let texts = standalone::candidates(&place, &session.reference.worker)?;
    let support = texts.iter().any(|text| text.contains("support"));
    let mut pair = Pair::new(session, reference_ms, support)?;
    let mut best: Option<(String, Trait)> = None;
    for source in texts {
        match shows(&mut pair, &source, &id)? {
            Some((record, shown)) if alike(&record, failure) => {
                best = Some((source, shown));
                break;
            }
            Some((_, shown)) if best.is_none() => best = Some((source, shown)),
            _ => {}
        }
    }
    let Some((source, shown)) = best else {
        return Err(io::Error::other(format!(
            "{module}.{} does not fail in a file of its own: it needs its module, or what ran before it \
             (`conformance show ID --run-again` runs it alone within its module)",
            failure.id
        )));
    };
    let named = matches!(place, Place::Method(_)) && !id.contains("<locals>");
    let mut repro = Repro { source, id, named, shows: shown, attempts: 0 };
    if cut {
        cut_down(session, &mut pair, &place, &mut repro, tell)?;
    }
    Ok(repro)
}

fn cut_down(
    session: &Session,
    pair: &mut Pair,
    place: &Place,
    repro: &mut Repro,
    tell: &mut dyn FnMut(usize, &str),
) -> io::Result<()> {
    let id = repro.id.clone();
    let wanted = repro.shows.clone();
    let mut count = 0;
    let mut holds = |source: &str| -> io::Result<bool> {
        count += 1;
        let subject = pair.subject.run(source, &id)?;
        let Some(subject) = subject.filter(|record| record.status == wanted.status && record.sig == wanted.sig) else {
            return Ok(false);
        };
        let Some(reference) = pair.reference.run(source, &id)? else { return Ok(false) };
        let holds = wanted.shown_by(&subject, &reference);
        if holds {
            tell(count, source);
        }
        Ok(holds)
    };
    let parser = |source: &str| parse_either(&session.reference.worker, source);
    let guess = match (place, parser(&repro.source)?) {
        (Place::Method(place), Some(tree)) => {
            Some(standalone::needed(&repro.source, &tree, &place.class, &place.method))
        }
        _ => None,
    };
    let mut minimiser = minimise::Minimiser::new(&repro.source, &parser, &mut holds);
    if let Some(guess) = guess {
        minimiser.offer(&guess)?;
    }
    minimiser.run()?;
    repro.attempts = minimiser.attempts;
    repro.source = minimiser.source;
    Ok(())
}

/// `rustpython-parser` first; where it refuses, the reference's `ast`.
pub fn parse_either(python: &Interpreter, source: &str) -> io::Result<Option<Vec<tree::Statement>>> {
    match tree::parse(source) {
        Some(tree) => Ok(Some(tree)),
        None => tree::parse_by_reference(python, source),
    }
}

/// The file as written to disk: what it shows, how to run it, the source, and unittest's main.
pub fn file_text(repro: &Repro, module: &str, failure: &str) -> String {
    let mut text = format!("# {module}.{failure}: {} on the subject, passes on CPython 3.13.\n", repro.shows.what);
    text += "# Run it with either interpreter: it exits with 0 where the case passes.\n";
    text += repro.source.trim_end();
    text += "\n";
    if !repro.source.contains("import unittest\n") && !repro.source.contains("import unittest,") {
        text = text.replacen("passes.\n", "passes.\nimport unittest\n", 1);
    }
    let target = repro.id.split('#').next().unwrap_or(&repro.id);
    let argv = if repro.named { format!("argv=[\"repro\", \"{target}\"]") } else { String::new() };
    text += &format!("\nif __name__ == \"__main__\":\n    unittest.main({argv})\n");
    text
}

/// `runs/repro/MODULE.CASE.py`
pub fn default_path(runs: &Path, module: &str, id: &str) -> PathBuf {
    let safe = |char: char| if char.is_alphanumeric() || "._-".contains(char) { char } else { '_' };
    let name: String = format!("{module}.{id}").chars().map(safe).collect();
    runs.join("repro").join(format!("{name}.py"))
}
