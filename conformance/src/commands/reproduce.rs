//! `repro`: the command around `crate::repro`.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Instant;

use crate::commands::measure::measure_again;
use crate::repro;
use crate::run::{Session, Sides, runs_folder};
use crate::score::{Verdict, verdict};

/// The case is measured anew on the subject: what is reproduced is what the subject does now.
pub fn repro(sides: &Sides, id: &str, minimise: bool, out: Option<PathBuf>, json: bool) -> io::Result<u8> {
    let session = Session::open(sides)?;
    let selected = session.suite.select(&[id.to_owned()]).map_err(io::Error::other)?;
    let (reference, subject) = measure_again(&session, &selected)?;
    let mut failing = Vec::new();
    for (module, result) in &subject {
        for (case, record) in &result.cases {
            let before = &reference[module].cases[case];
            if verdict(before, Some(record), true) == Verdict::Worse {
                failing.push((module.clone(), record.clone(), before.ms));
            }
        }
    }
    let (module, failure, reference_ms) = match failing.as_slice() {
        [] => return Err(io::Error::other(format!("{id} deviates in no case now: there is nothing to reproduce"))),
        [one] => one.clone(),
        [one, ..] => {
            eprintln!("{} cases of {id} deviate; taking {}.{}", failing.len(), one.0, one.1.id);
            one.clone()
        }
    };
    let began = Instant::now();
    let terminal = io::stderr().is_terminal();
    let mut told = Instant::now();
    let mut tell = |count: usize, source: &str| {
        if terminal {
            eprint!("\r{count} attempts, {} lines left   ", source.lines().count());
        } else if told.elapsed().as_secs() >= 5 {
            told = Instant::now();
            eprintln!("{count} attempts, {} lines left", source.lines().count());
        }
    };
    let made = repro::make(&session, &module, &failure, reference_ms, minimise, &mut tell)?;
    if terminal && minimise {
        eprintln!();
    }
    let text = repro::file_text(&made, &module, &failure.id);
    let path = out.unwrap_or_else(|| repro::default_path(&runs_folder(), &module, &failure.id));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, &text)?;
    let lines = text.lines().count();
    if json {
        let report = serde_json::json!({
            "case": format!("{module}.{}", failure.id), "file": path, "lines": lines, "attempts": made.attempts,
            "status": made.shows.status.word(), "sig": made.shows.sig, "what": made.shows.what,
            "seconds": began.elapsed().as_secs(),
        });
        println!("{report}");
        return Ok(0);
    }
    if minimise {
        println!("{text}");
        eprintln!("{lines} lines after {} attempts in {} s", made.attempts, began.elapsed().as_secs());
    }
    println!("{}", path.display());
    Ok(0)
}
