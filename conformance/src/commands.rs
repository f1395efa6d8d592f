//! The commands: their arguments, and which function answers each.

mod inspect;
mod maintain;
mod measure;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::{Args, Parser, Subcommand};

use crate::run::Sides;
use crate::supervisor::INTERRUPTED;

#[derive(Parser, Debug)]
#[command(name = "conformance", about = "CPython's test suite on Krait and on a reference CPython, case by case")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub sides: SideArguments,
}

#[derive(Args, Debug)]
pub struct SideArguments {
    /// The interpreter that is measured [default: $KRAIT_SUBJECT, else the krait beside this program]
    #[arg(long, global = true)]
    pub subject: Option<PathBuf>,
    /// auto, exe (the command found), exe:PATH or worker:PATH
    #[arg(long, global = true, default_value = "auto")]
    pub reference: String,
    /// Workers at a time [default: one per core]
    #[arg(long, global = true)]
    pub jobs: Option<usize>,
    /// RLIMIT_AS of the subject, in GiB
    #[arg(long, global = true)]
    pub address_space: Option<u64>,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Measure: lists (language, library, network, system, internal, all), modules, cases, patterns
    Run {
        select: Vec<String>,
        /// Go on with an interrupted run (a name below runs/, or latest)
        #[arg(long)]
        resume: Option<String>,
        /// Every n-th module only, as i/n
        #[arg(long)]
        shard: Option<String>,
    },
    /// Measure and compare with the expectations, or judge a recorded run
    Gate {
        select: Vec<String>,
        #[arg(long)]
        from_run: Option<String>,
        /// An unexpected pass is told but does not fail
        #[arg(long)]
        lenient: bool,
        /// Do not run deviating cases again
        #[arg(long)]
        no_confirm: bool,
    },
    /// Write the expectations of these modules from a run
    Bless {
        select: Vec<String>,
        /// Runs that must agree; the first decides
        #[arg(long, default_value = "latest")]
        from_run: Vec<String>,
        /// First enrolment: cases that were not run may be entered
        #[arg(long)]
        first: bool,
    },
    /// What one fix would unblock most
    Triage {
        #[arg(long, default_value = "latest")]
        run: String,
        #[arg(long, default_value_t = 25)]
        top: usize,
        #[arg(long)]
        json: bool,
    },
    /// One case, or every case that matches: both sides' outcome and traceback
    Show {
        id: String,
        #[arg(long, default_value = "latest")]
        run: String,
        /// Run it now on both sides instead of reading a run
        #[arg(long)]
        run_again: bool,
    },
    /// What changed between two runs
    Diff { old: String, new: String },
    /// Run a piece of Python on both sides and compare what it prints
    Eval { code: String },
    /// Duration of each module against the reference
    Perf {
        #[arg(long, default_value = "latest")]
        run: String,
        #[arg(long, default_value_t = 25)]
        top: usize,
    },
    /// Scores of a run: md (standard output), json, junit, badge, or html with everything (a folder)
    Report {
        #[arg(long, default_value = "latest")]
        run: String,
        #[arg(long, default_value = "md")]
        format: String,
        /// Folder for html
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Is everything in place? The verdict stands on the last line
    Doctor,
    /// Check that the reference is stable and that a run of it as the subject agrees with it
    Control {
        select: Vec<String>,
        #[arg(long, default_value_t = 3)]
        repeat: usize,
    },
    /// Collect the cases that the suite marks as CPython's own into cpython-tests/cpython-only.txt
    Marks {
        select: Vec<String>,
        /// Only list unmarked cases that do not pass without _testcapi and its kin: candidates for the reviewed list
        #[arg(long)]
        without_capi: bool,
    },
    /// Print the pin of the suite found, or write it
    Pin {
        #[arg(long)]
        write: bool,
    },
}

pub fn dispatch(arguments: Arguments) -> io::Result<u8> {
    // Ctrl-C ends the workers and keeps what is done; a second one finds the flag already set.
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })
    .map_err(io::Error::other)?;
    let sides = Sides {
        subject: arguments.sides.subject,
        reference: arguments.sides.reference,
        jobs: arguments.sides.jobs,
        address_space_gib: arguments.sides.address_space,
    };
    match arguments.command {
        Command::Run { select, resume, shard } => measure::run(&sides, &select, resume.as_deref(), shard.as_deref()),
        Command::Gate { select, from_run, lenient, no_confirm } => {
            measure::gate(&sides, &select, from_run.as_deref(), lenient, !no_confirm)
        }
        Command::Control { select, repeat } => measure::control(&sides, &select, repeat),
        Command::Eval { code } => measure::eval(&sides, &code),
        Command::Bless { select, from_run, first } => maintain::bless(&sides, &select, &from_run, first),
        Command::Marks { select, without_capi: false } => maintain::marks(&sides, &select),
        Command::Marks { select, without_capi: true } => maintain::capi_candidates(&sides, &select),
        Command::Pin { write } => maintain::pin(&sides, write),
        Command::Doctor => maintain::doctor(&sides),
        Command::Triage { run, top, json } => inspect::triage(&run, top, json),
        Command::Show { id, run, run_again } => inspect::show(&sides, &id, &run, run_again),
        Command::Diff { old, new } => inspect::diff(&old, &new),
        Command::Perf { run, top } => inspect::perf(&run, top),
        Command::Report { run, format, out } => inspect::report(&run, &format, out),
    }
}
