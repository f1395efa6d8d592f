//! The commands: their arguments, and which function answers each.

mod explore;
mod inspect;
mod maintain;
mod measure;
mod quarantine;
mod reproduce;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::{Args, Parser, Subcommand};

pub use self::explore::snippet_files;
pub use self::measure::shard_of;

use crate::exit;
use crate::run::Sides;
use crate::supervisor::INTERRUPTED;

#[derive(Parser, Debug)]
#[command(
    name = "conformance",
    about = "CPython's test suite on Krait and on a reference CPython, case by case",
    after_help = "From a red gate to a repaired case:\n  conformance gate test_dict            which cases deviate from what is expected\n  \
        conformance show ID --run-again       both sides' outcome and traceback\n  \
        conformance repro ID --minimise       a file of a few lines that shows it\n  \
        conformance eval 'code'               try a line on both sides\n  \
        conformance bless test_dict           enrol what now passes\n\n\
        Exit codes: 0 as wanted; 1 something was found; 2 wrong arguments; 3 the command could not do its work; gate: 10\n\
        new failure, 11 changed crash, 12 unexpected pass, 13 another suite, 14 nothing was run, 15 faulty expectations;\n\
        130 interrupted."
)]
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
    #[command(after_help = "Examples:\n  conformance run                          the language list\n  \
        conformance run test_dict 'test_str*' test_int.IntTestCases.test_basic\n  \
        conformance run all --shard 2/4\n  conformance run all --changed main\n  \
        conformance run --resume latest          after Ctrl-C, kill -9 or a power cut\n  \
        conformance run test_list --subject /usr/bin/pypy3\n\n\
        Exit codes: 0 measured, whatever the outcome; 3 could not; 130 interrupted, go on with --resume.")]
    Run {
        /// Lists, modules, cases, patterns [default: language]
        select: Vec<String>,
        /// Go on with an interrupted run (a name below runs/, or latest)
        #[arg(long)]
        resume: Option<String>,
        /// Every n-th module only, as i/n
        #[arg(long)]
        shard: Option<String>,
        /// Only modules that the changes since the merge base with this branch can touch
        #[arg(long, num_args = 0..=1, default_missing_value = "main", value_name = "BRANCH")]
        changed: Option<String>,
        /// With --changed: only print the modules
        #[arg(long)]
        list: bool,
        /// Print the summary as JSON
        #[arg(long)]
        json: bool,
    },
    /// Measure and compare with the expectations, or judge a recorded run
    #[command(after_help = "Examples:\n  conformance gate                         the language list, as CI does\n  \
        conformance gate test_dict\n  conformance gate --from-run latest --base merge-base --summary pr.md\n\n\
        Exit codes: 0 as expected; 10 new failure; 11 changed crash; 12 unexpected pass; 13 another suite; 14 nothing\n\
        was run; 15 faulty expectation files; 130 interrupted.")]
    Gate {
        /// Lists, modules, cases, patterns [default: language]
        select: Vec<String>,
        /// Judge this run instead of measuring
        #[arg(long)]
        from_run: Option<String>,
        /// An unexpected pass is told but does not fail
        #[arg(long)]
        lenient: bool,
        /// Do not run deviating cases again
        #[arg(long)]
        no_confirm: bool,
        /// Also compare with a run: its name, merge-base, or published (what reports/ holds)
        #[arg(long)]
        base: Option<String>,
        /// Write fixed, broken, changed, new crashes and the scores as Markdown
        #[arg(long)]
        summary: Option<PathBuf>,
        /// Print findings as JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the expectations of these modules from a run
    #[command(after_help = "Examples:\n  conformance bless test_dict\n  \
        conformance bless test_socket --from-run RUN1 --from-run RUN2   what they disagree on stays as it was\n\n\
        Exit code 0: the files say what the run says; 3: not so.")]
    Bless {
        /// Whole modules or lists [default: those of the run]
        select: Vec<String>,
        /// Runs that must agree; the first decides
        #[arg(long, default_value = "latest")]
        from_run: Vec<String>,
        /// First enrolment: cases that were not run may be entered
        #[arg(long)]
        first: bool,
        #[arg(long)]
        json: bool,
    },
    /// What one fix would unblock most
    #[command(after_help = "Examples:\n  conformance triage\n  conformance triage --run RUN --top 100 --json\n\n\
        Exit code 0, whatever the run says.")]
    Triage {
        #[arg(long, default_value = "latest")]
        run: String,
        #[arg(long, default_value_t = 25)]
        top: usize,
        #[arg(long)]
        json: bool,
    },
    /// One case, or every case that matches: both sides' outcome and traceback
    #[command(after_help = "Examples:\n  conformance show test_list.ListTest.test_sort\n  \
        conformance show 'test_list.*sort*' --run-again\n\nExit code 0: shown; 3: no such case.")]
    Show {
        /// A case, a pattern, or a part of a case's name
        id: String,
        #[arg(long, default_value = "latest")]
        run: String,
        /// Run it now on both sides instead of reading a run
        #[arg(long)]
        run_again: bool,
        #[arg(long)]
        json: bool,
    },
    /// A file of its own that shows the failure of one case; with --minimise cut to its core
    #[command(after_help = "Examples:\n  conformance repro test_list.ListTest.test_sort --minimise\n  \
        conformance repro test_dict.DictTest.test_copy --out copy.py\n\n\
        The file is written below runs/repro/ and printed. Doctests are taken out of their module too. Exit code 0: the file shows the failure; 3: none can be made.")]
    Repro {
        /// A case, or a pattern: the first that deviates is taken
        id: String,
        /// Cut it while the subject's signature and the reference's pass both hold
        #[arg(long, visible_alias = "minimize")]
        minimise: bool,
        /// Where the file goes [default: runs/repro/MODULE.CASE.py]
        #[arg(long)]
        out: Option<PathBuf>,
        /// Print what was found as JSON instead of the file
        #[arg(long)]
        json: bool,
    },
    /// What changed between two runs
    #[command(
        after_help = "Examples:\n  conformance diff published latest\n  conformance diff merge-base latest --json\n  \
            conformance diff RUN1 RUN2               two runs of one commit: what is unstable outside of the quarantine\n\n\
            Exit code 0: no case outside of the quarantine differs; 1: some do."
    )]
    Diff {
        /// A run, merge-base, or published
        old: String,
        #[arg(default_value = "latest")]
        new: String,
        #[arg(long)]
        json: bool,
    },
    /// Check the expectation files: unsorted, duplicate, unmatched, expired
    #[command(after_help = "Exit code 0: sound; 15: faults, one a line.")]
    Lint {
        #[arg(long)]
        json: bool,
    },
    /// Merge three versions of an expectation file, case by case; serves as a git merge driver
    #[command(after_help = "Examples:\n  conformance merge base.txt ours.txt theirs.txt --out merged.txt\n  \
        git config merge.expectations.driver 'target/conf/conformance merge %O %A %B'\n\n\
        Exit code 0: merged; 1: conflicts are marked in the result; 3: a line of a file means nothing.")]
    Merge {
        base: PathBuf,
        ours: PathBuf,
        theirs: PathBuf,
        /// Where the result goes [default: OURS]
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Cases whose outcome changes from run to run, as quarantine lines with evidence and expiry
    #[command(after_help = "Examples:\n  conformance flake test_threading --repeat 5\n  \
        conformance flake --from-run RUN1 --from-run RUN2 --write\n\nExit code 0: all stable; 1: unstable cases are listed.")]
    Flake {
        /// Lists, modules, cases, patterns [default: language]
        select: Vec<String>,
        #[arg(long, default_value_t = 5)]
        repeat: usize,
        /// Recorded runs of one commit instead of new ones
        #[arg(long)]
        from_run: Vec<String>,
        /// Enter the lines into the expectation files
        #[arg(long)]
        write: bool,
        #[arg(long)]
        json: bool,
    },
    /// The first commit at which a case deviates; each commit is built once and its binary kept below runs/bisect/
    #[command(after_help = "Examples:\n  conformance bisect test_list.ListTest.test_sort --good v0.1\n  \
        conformance bisect test_int --good HEAD~40 --build 'make && cp build/python \"$OUT\"'\n\n\
        Exit code 0: found; 3: the case does not deviate at the bad end, or nothing leads from the one to the other.")]
    Bisect {
        /// A case, a module or a pattern
        id: String,
        /// A commit at which it does not deviate
        #[arg(long)]
        good: String,
        /// A commit at which it does
        #[arg(long, default_value = "HEAD")]
        bad: String,
        /// Shell command that builds the work tree it runs in and puts the binary at $OUT
        #[arg(long)]
        build: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// API coverage: names and signatures of the library that the subject lacks, by introspection on both sides
    #[command(after_help = "Examples:\n  conformance api\n  conformance api sqlite3 _ssl --signatures\n\n\
        Exit code 0: nothing is missing; 1: something is.")]
    Api {
        /// Modules [default: every public one]
        modules: Vec<String>,
        #[arg(long, default_value_t = 40)]
        top: usize,
        /// Also list differing signatures
        #[arg(long)]
        signatures: bool,
        #[arg(long)]
        json: bool,
    },
    /// Hunt for differences with programs made from a grammar; what differs is cut down
    #[command(after_help = "Examples:\n  conformance fuzz --count 200\n  conformance fuzz --seed 4711 --count 1\n\n\
        Exit code 0: no difference; 1: differences are printed and kept below runs/fuzz/.")]
    Fuzz {
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[arg(long, default_value_t = 100)]
        count: u64,
        /// One JSON object a difference
        #[arg(long)]
        json: bool,
    },
    /// Run the programs of conformance/snippets on both sides and compare output, traceback and end
    #[command(after_help = "Examples:\n  conformance snippets\n  conformance snippets gen --json\n\n\
        Exit code 0: both sides agree; 1: they differ on a program, and the difference is printed.")]
    Snippets {
        /// Part of a name
        #[arg(default_value = "")]
        filter: String,
        #[arg(long)]
        json: bool,
    },
    /// Run a piece of Python on both sides and compare what it prints
    #[command(after_help = "Example:\n  conformance eval 'print([1, 2] * 2); 1 / 0'\n\n\
        Exit code 0: both sides agree; 1: they differ, and the difference is printed.")]
    Eval {
        code: String,
        #[arg(long)]
        json: bool,
    },
    /// Duration of each module against the reference
    #[command(
        after_help = "Example:\n  conformance perf --top 10\n\nOnly cases that both sides pass are counted. It reads a run: \
        nothing is measured anew."
    )]
    Perf {
        #[arg(long, default_value = "latest")]
        run: String,
        #[arg(long, default_value_t = 25)]
        top: usize,
        #[arg(long)]
        json: bool,
    },
    /// Scores of a run: md (standard output), json, junit, badge, html with everything (a folder), or peer
    #[command(after_help = "Examples:\n  conformance report\n  conformance report --format html --out /tmp/site\n  \
        conformance report --format html --peer RustPython=1795-abc   a column for another Python's run\n  \
        conformance report --run 1795-abc --format peer --out reports/peers/RustPython.json   the column, for good")]
    Report {
        #[arg(long, default_value = "latest")]
        run: String,
        #[arg(long, default_value = "md")]
        format: String,
        /// Folder for html [default: reports], file for peer
        #[arg(long)]
        out: Option<PathBuf>,
        /// With html: another Python's run, shown beside, as NAME=RUN
        #[arg(long)]
        peer: Vec<String>,
    },
    /// Is everything in place? The verdict stands on the last line
    #[command(after_help = "Exit code 0: sound; 1: a fault, each on a line that begins with FAULT.")]
    Doctor {
        #[arg(long)]
        json: bool,
    },
    /// Check that the reference is stable and that a run of it as the subject agrees with it
    #[command(after_help = "Example:\n  conformance control test_list test_dict --repeat 3\n\n\
        Exit code 0: every stable case agrees and at most 20 are unstable; 1: not so.")]
    Control {
        /// Lists, modules, cases, patterns [default: language]
        select: Vec<String>,
        /// Fresh runs of the reference, before the one of it as the subject
        #[arg(long, default_value_t = 3)]
        repeat: usize,
        #[arg(long)]
        json: bool,
    },
    /// Collect the cases that the suite marks as CPython's own into cpython-tests/cpython-only.txt
    #[command(after_help = "Examples:\n  conformance marks all\n  conformance marks test_list --without-capi\n\n\
        Exit code 0: written, or listed.")]
    Marks {
        /// Lists or modules [default: language]
        select: Vec<String>,
        /// Only list unmarked cases that do not pass without _testcapi and its kin: candidates for the reviewed list
        #[arg(long)]
        without_capi: bool,
        #[arg(long)]
        json: bool,
    },
    /// Print the pin of the suite found, or write it
    #[command(
        after_help = "Examples:\n  conformance pin\n  conformance pin --write     a new CPython is the measure from now on"
    )]
    Pin {
        /// Into cpython-tests/PIN
        #[arg(long)]
        write: bool,
        #[arg(long)]
        json: bool,
    },
}

pub fn dispatch(arguments: Arguments) -> io::Result<u8> {
    // Ctrl-C ends the workers and keeps what is done; a second one finds the flag already set.
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(exit::INTERRUPTED));
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
        Command::Run { select, resume, shard, changed, list, json } => {
            let options = measure::RunOptions { resume, shard, changed, list, json };
            measure::run(&sides, &select, &options)
        }
        Command::Gate { select, from_run, lenient, no_confirm, base, summary, json } => {
            let options = measure::GateOptions { from_run, lenient, confirm: !no_confirm, base, summary, json };
            measure::gate(&sides, &select, &options)
        }
        Command::Control { select, repeat, json } => measure::control(&sides, &select, repeat, json),
        Command::Eval { code, json } => measure::eval(&sides, &code, json),
        Command::Bless { select, from_run, first, json } => maintain::bless(&sides, &select, &from_run, first, json),
        Command::Marks { select, without_capi: false, json } => maintain::marks(&sides, &select, json),
        Command::Marks { select, without_capi: true, json } => maintain::capi_candidates(&sides, &select, json),
        Command::Pin { write, json } => maintain::pin(&sides, write, json),
        Command::Doctor { json } => maintain::doctor(&sides, json),
        Command::Triage { run, top, json } => inspect::triage(&run, top, json),
        Command::Show { id, run, run_again, json } => inspect::show(&sides, &id, &run, run_again, json),
        Command::Repro { id, minimise, out, json } => reproduce::repro(&sides, &id, minimise, out, json),
        Command::Diff { old, new, json } => inspect::diff(&old, &new, json),
        Command::Lint { json } => quarantine::lint(&sides, json),
        Command::Merge { base, ours, theirs, out } => quarantine::merge(&base, &ours, &theirs, out.as_deref()),
        Command::Flake { select, repeat, from_run, write, json } => {
            quarantine::flake(&sides, &select, repeat, &from_run, write, json)
        }
        Command::Bisect { id, good, bad, build, json } => explore::bisect(&sides, &id, &good, &bad, build, json),
        Command::Api { modules, top, signatures, json } => explore::api(&sides, &modules, top, signatures, json),
        Command::Fuzz { seed, count, json } => explore::fuzz(&sides, seed, count, json),
        Command::Snippets { filter, json } => explore::snippets(&sides, &filter, json),
        Command::Perf { run, top, json } => inspect::perf(&run, top, json),
        Command::Report { run, format, out, peer } => inspect::report(&run, &format, out, &peer),
    }
}
