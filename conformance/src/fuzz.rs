//! A hunt for differences: programs made from a grammar, run on both sides, and what differs cut down.

pub mod grammar;

use std::io;

use crate::repro::bench::Bench;
use crate::repro::minimise::Minimiser;
use crate::repro::parse_either;
use crate::run::Session;

pub struct Difference {
    pub seed: u64,
    pub source: String,
    pub reference: String,
    pub subject: String,
}

/// Both sides, kept running.
pub struct Hunt<'a> {
    session: &'a Session,
    reference: Bench,
    subject: Bench,
}

/// What makes two differences one: the kind of answer on each side, without its particulars.
fn shape(text: &str) -> String {
    let last = text.lines().rev().find(|line| !line.starts_with('[')).unwrap_or("");
    let exception = last.split(':').next().filter(|word| word.ends_with("Error") || word.ends_with("Exception"));
    let end = text.lines().last().unwrap_or("");
    format!("{} {end}", exception.unwrap_or("output"))
}

impl<'a> Hunt<'a> {
    pub fn new(session: &'a Session) -> io::Result<Hunt<'a>> {
        let reference = Bench::new(&session.reference.worker, false, 10.0)?;
        let subject = Bench::new(&session.subject, false, 10.0)?;
        Ok(Hunt { session, reference, subject })
    }

    /// What both sides print for a program: output, traceback, how it ended.
    pub fn answers(&mut self, source: &str) -> io::Result<(String, String)> {
        Ok((self.reference.script(source)?, self.subject.script(source)?))
    }

    /// The program of this seed, if the sides differ on it; cut to its core.
    pub fn seed(&mut self, seed: u64) -> io::Result<Option<Difference>> {
        let source = grammar::program(seed);
        let (reference, subject) = self.answers(&source)?;
        if reference == subject {
            return Ok(None);
        }
        let shapes = (shape(&reference), shape(&subject));
        let worker = self.session.reference.worker.clone();
        let parser = |source: &str| parse_either(&worker, source);
        let mut differs = |source: &str| -> io::Result<bool> {
            let (reference, subject) = self.answers(source)?;
            Ok(reference != subject && (shape(&reference), shape(&subject)) == shapes)
        };
        // A difference that comes and goes is no finding: object addresses, timing.
        if !differs(&source)? {
            return Ok(None);
        }
        let mut minimiser = Minimiser::new(&source, &parser, &mut differs);
        minimiser.most = 400;
        minimiser.run()?;
        let source = minimiser.source;
        let (reference, subject) = self.answers(&source)?;
        Ok(Some(Difference { seed, source, reference, subject }))
    }
}
