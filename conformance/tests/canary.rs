//! The real supervisor and recorder over canary modules, with CPython as the subject: each must end as its name says.

use std::path::PathBuf;
use std::time::Duration;

use conformance::record::{Kind, Record};
use conformance::reference::{Reference, recorder_path};
use conformance::supervisor::{Limits, Only, Request, run_module};
use conformance::worker::Interpreter;

fn reference() -> Reference {
    match Reference::find("exe") {
        Ok(reference) => reference,
        Err(error) => panic!("the canaries need the reference CPython 3.13: {error}"),
    }
}

fn limits() -> Limits {
    Limits {
        case_floor: Duration::from_secs(8),
        module_floor: Duration::from_secs(120),
        rss_kb: 200 << 10,
        hangs: 2,
        ..Limits::default()
    }
}

fn run(interpreter: &Interpreter, module: &str, only: Only) -> Vec<Record> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/canaries");
    let recorder = recorder_path();
    let limits = limits();
    let request =
        Request { root: Some(&root), only, ..Request::new(interpreter, "canary", module, &recorder, &limits) };
    run_module(&request).expect("the worker starts").expect("nobody interrupts")
}

/// One line a record, without what varies.
fn lines(records: &[Record]) -> String {
    let mut out = String::new();
    for record in records {
        let mut line = format!("{:12} {}", record.status.word(), record.id);
        if record.kind != Kind::Unittest {
            line += &format!("  [{}]", format!("{:?}", record.kind).to_lowercase());
        }
        if let Some(parts) = record.subtests {
            line += &format!("  sub-tests {}/{}/{}", parts.passed, parts.failed, parts.skipped);
        }
        if let Some(exc) = &record.exc {
            line += &format!("  {}: {}", exc.kind, exc.message);
        }
        for note in [&record.reason, &record.panic].into_iter().flatten() {
            line += &format!("  ({note})");
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}

#[test]
fn plain_outcomes() {
    let records = run(&reference().worker, "canary_plain", Only::All);
    insta::assert_snapshot!(lines(&records));
}

#[test]
fn violent_cases_cost_one_case_each() {
    insta::assert_snapshot!(lines(&run_leaving_nothing("canary_violent")));
}

/// Runs the module, and sees to it that no descendant outlives its worker.
fn run_leaving_nothing(module: &str) -> Vec<Record> {
    let mut reference = reference();
    let mark = format!("{module}{}", std::process::id());
    reference.worker.env.push(("KRAIT_CANARY".to_owned(), mark.clone()));
    let records = run(&reference.worker, module, Only::All);
    assert_eq!(processes_with(&format!("KRAIT_CANARY={mark}")), Vec::<String>::new());
    records
}

/// Processes that carry this test's mark in their environment.
fn processes_with(mark: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("Linux has /proc");
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            std::fs::read(path.join("environ")).is_ok_and(|text| String::from_utf8_lossy(&text).contains(mark))
        })
        .map(|path| path.display().to_string())
        .collect()
}

#[test]
fn after_some_hangs_the_rest_is_not_run() {
    let records = run(&reference().worker, "canary_hangs", Only::All);
    insta::assert_snapshot!(lines(&records));
}

#[test]
fn modules_that_do_not_load() {
    let worker = reference().worker;
    let mut text = lines(&run(&worker, "canary_absent", Only::All));
    text += &lines(&run(&worker, "canary_skipped", Only::All));
    insta::assert_snapshot!(text);
}

#[test]
fn a_closed_record_descriptor_costs_its_case() {
    let records = run(&reference().worker, "canary_closes", Only::All);
    insta::assert_snapshot!(lines(&records));
}

#[test]
fn a_killed_parent_costs_one_case() {
    insta::assert_snapshot!(lines(&run_leaving_nothing("canary_kills")));
}

#[test]
fn only_the_chosen_cases_run() {
    let only = Only::Cases(["Plain.test_passes".to_owned(), "same_name.<locals>.Twice.test_it#2".to_owned()].into());
    let records = run(&reference().worker, "canary_plain", only);
    insta::assert_snapshot!(lines(&records));
}

#[test]
fn a_worker_that_runs_the_reference_is_blamed() {
    let reference = reference();
    let mut interpreter = reference.worker.clone();
    interpreter.forbidden_prefix = Some(reference.prefix);
    let case = "Violent.test_g_leaves_a_process".to_owned();
    let records = run(&interpreter, "canary_violent", Only::Cases([case].into()));
    let reason = records[0].reason.as_deref().unwrap_or("");
    assert!(reason.starts_with("executed /"), "{records:?}");
}

#[test]
fn the_environment_is_fixed() {
    let interpreter = reference().worker;
    let code = "import os, signal, sys, resource\n\
        print(sorted(name for name in os.environ if name.startswith('PYTHON')), os.environ['LANG'], os.environ['TZ'])\n\
        print(oct(os.umask(0)), sys.stdin.read() == '', os.getsid(0) == os.getpid())\n\
        print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, resource.getrlimit(resource.RLIMIT_CORE))";
    let args = ["-c".to_owned(), code.to_owned()];
    let (output, _) = conformance::worker::run_plain(&interpreter, &args, Duration::from_secs(20))
        .expect("it starts")
        .expect("it ends in time");
    assert_eq!(output, "[] C.UTF-8 UTC\n0o22 True True\nTrue (0, 0)\n");
}
