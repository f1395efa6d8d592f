//! Subjects that lie are found out and named; libraries of the reference are seen in the subject's memory.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use conformance::record::Record;
use conformance::reference::{Reference, recorder_path};
use conformance::supervisor::{Limits, Only, Request, run_module};
use conformance::trust::lies;
use conformance::worker::Interpreter;

fn reference() -> Reference {
    Reference::find("exe").expect("the tests need the reference CPython 3.13")
}

/// CPython with a `sitecustomize` that bends unittest.
fn bent(name: &str, code: &str) -> (Interpreter, PathBuf) {
    let folder = std::env::temp_dir().join(format!("krait-liar-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).expect("writable");
    fs::write(folder.join("sitecustomize.py"), code).expect("writable");
    let program = folder.join("python");
    let python = reference().python;
    let script = format!("#!/bin/sh\nPYTHONPATH={} exec {} \"$@\"\n", folder.display(), python.display());
    fs::write(&program, script).expect("writable");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its owner");
    (Interpreter::new(program), folder)
}

fn told(name: &str, code: &str) -> String {
    let (interpreter, folder) = bent(name, code);
    let lies = lies(&interpreter).expect("it runs").expect("it loads unittest");
    fs::remove_dir_all(folder).expect("nothing holds it");
    lies.join("\n")
}

#[test]
fn the_reference_is_honest() {
    assert_eq!(lies(&Interpreter::new(reference().python)).expect("it runs"), Ok(Vec::new()));
}

#[test]
fn an_assertion_that_never_fails_is_named() {
    let code = "import unittest\nunittest.TestCase.assertEqual = lambda *args, **kwargs: None\n";
    insta::assert_snapshot!(told("equal", code));
}

#[test]
fn a_runner_that_swallows_errors_is_named() {
    let code = "import unittest\n\
        unittest.TestCase._callTestMethod = lambda self, method: exec('try: method()\\nexcept Exception: pass')\n";
    insta::assert_snapshot!(told("swallow", code));
}

fn run(interpreter: &Interpreter, module: &str, case: &str) -> Vec<Record> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/canaries");
    let recorder = recorder_path();
    let limits = Limits::default();
    let only = Only::Cases(BTreeSet::from([case.to_owned()]));
    let request =
        Request { root: Some(&root), only, ..Request::new(interpreter, "canary", module, &recorder, &limits) };
    run_module(&request).expect("the worker starts").expect("nobody interrupts")
}

#[test]
fn a_library_of_the_reference_is_seen() {
    let reference = reference();
    // A link elsewhere to the reference's executable would be seen by itself: only its libraries count here.
    let mut interpreter = Interpreter::new(reference.python.clone());
    interpreter.forbidden_prefix = Some(reference.prefix.join("lib"));
    let records = run(&interpreter, "canary_plain", "Plain.test_passes");
    let reason = records[0].reason.as_deref().unwrap_or("");
    assert!(reason.starts_with("loaded /") && reason.contains(".so"), "{records:?}");
}
