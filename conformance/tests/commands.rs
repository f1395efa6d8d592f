//! The program itself, with CPython as the subject: exit codes, and that a run which was killed goes on where it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use conformance::exit;
use conformance::record::{Kind, read_records};
use conformance::reference::Reference;

/// A folder of runs of this test's own.
struct Runs(PathBuf);

impl Runs {
    fn new(name: &str) -> Runs {
        let folder = std::env::temp_dir().join(format!("krait-runs-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("writable");
        Runs(folder)
    }

    fn command(&self, args: &[&str]) -> Command {
        let python = Reference::find("exe").expect("the tests need the reference CPython 3.13").python;
        let mut command = Command::new(env!("CARGO_BIN_EXE_conformance"));
        command.args(args).args(["--reference", "exe", "--jobs", "1", "--subject"]).arg(python);
        command.env("KRAIT_RUNS", &self.0).stdin(Stdio::null());
        command
    }

    fn output(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("it starts")
    }

    fn code(&self, args: &[&str]) -> u8 {
        let output = self.output(args);
        let code = output.status.code().and_then(|code| u8::try_from(code).ok());
        code.unwrap_or_else(|| panic!("{args:?}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    fn json(&self, args: &[&str]) -> serde_json::Value {
        let output = self.output(args);
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}\n{text}"))
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn exit_codes_are_distinct() {
    let runs = Runs::new("codes");
    assert_eq!(runs.code(&["eval", "print(1)"]), 0);
    // The subject's own path differs from nothing: both sides are the reference. What differs is the process.
    assert_eq!(runs.code(&["eval", "import os; print(os.getpid())"]), exit::FOUND);
    assert_eq!(runs.code(&["eval"]), 2);
    assert_eq!(runs.code(&["run", "test_no_such_module"]), exit::ERROR);
    assert_eq!(runs.code(&["triage", "--run", "no-such-run"]), exit::ERROR);
    assert_eq!(runs.code(&["gate", "test_winreg"]), exit::NOTHING_RUN);
}

#[test]
fn scripts_get_json() {
    let runs = Runs::new("json");
    let doctor = runs.json(&["doctor", "--json"]);
    assert_eq!(doctor["sound"], true, "{doctor}");
    assert_eq!(runs.json(&["pin", "--json"])["version"].as_str().map(|version| &version[..5]), Some("3.13."));
    let control = runs.json(&["control", "test_bool", "--repeat", "2", "--json"]);
    assert_eq!(control["differing"], serde_json::json!([]), "{control}");
    assert!(control["cases"].as_u64().is_some_and(|cases| cases > 20), "{control}");
    let snippets = runs.json(&["snippets", "numbers", "--json"]);
    assert_eq!(snippets[0]["same"], true, "{snippets}");
}

const MODULES: [&str; 4] = ["test_sched", "test_threadsignals", "test_bool", "test_augassign"];

/// Modules whose own record stands in the file, which is the last of a module's, with how often it does.
fn finished(records: &Path) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for record in read_records(records).unwrap_or_default().iter().filter(|record| record.kind == Kind::Module) {
        *found.entry(record.module.clone()).or_default() += 1;
    }
    found
}

/// Scratch folders and locks of the process.
fn scratch_of(pid: u32) -> Vec<PathBuf> {
    let start = format!("kc{pid}-");
    let entries = fs::read_dir(std::env::temp_dir()).expect("readable").flatten();
    entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().contains(&start)).collect()
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let runs = Runs::new("resume");
    let mut child = runs.command(&[&["run"], &MODULES[..]].concat()).stderr(Stdio::null()).spawn().expect("it starts");
    let deadline = Instant::now() + Duration::from_secs(240);
    let records = loop {
        assert!(Instant::now() < deadline, "no module was finished");
        let latest = fs::read_to_string(runs.0.join("latest")).unwrap_or_default();
        let records = runs.0.join(latest.trim()).join("records.jsonl");
        if !latest.is_empty() && !finished(&records).is_empty() {
            break records;
        }
        thread::sleep(Duration::from_millis(20));
    };
    child.kill().expect("it runs");
    child.wait().expect("it was killed");
    let before = finished(&records);
    assert!(before.len() < MODULES.len(), "it was killed too late to say anything");
    // As if it had been writing.
    fs::OpenOptions::new()
        .append(true)
        .open(&records)
        .and_then(|mut file| std::io::Write::write_all(&mut file, b"{\"v\":1,\"run\":\"cut"))
        .expect("writable");
    let summary = runs.json(&["run", "--resume", "latest", "--json"]);
    assert_eq!(summary["meta"]["complete"], true);
    let after = finished(&records);
    assert_eq!(after.len(), MODULES.len());
    assert!(after.values().all(|count| *count == 1), "what was done is done again: {after:?}");
    let strict = &summary["total"]["strict"];
    assert!(strict["cases"].as_u64().is_some_and(|cases| cases > 50), "{strict}");
    assert_eq!(strict["same"], strict["cases"]);
    assert_eq!(scratch_of(child.id()), Vec::<PathBuf>::new(), "the next command sweeps up");
}
