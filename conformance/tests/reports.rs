//! Snapshots of what the harness writes, on a recorded pair of runs.

use std::fs;
use std::path::{Path, PathBuf};

use conformance::exit;
use conformance::gate;
use conformance::record::{Meta, Results, read_results};
use conformance::report::{self, Summary, archive, junit, markdown};
use conformance::suite::Suite;
use conformance::triage;

fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded").join(name)
}

fn load() -> (Suite, Results, Results) {
    let suite = Suite::load_from(&recorded("suite")).expect("recorded lists");
    let reference = read_results(&recorded("reference.jsonl")).expect("recorded reference");
    let subject = read_results(&recorded("subject.jsonl")).expect("recorded run");
    (suite, reference, subject)
}

fn summary(suite: &Suite, reference: &Results, subject: &Results) -> Summary {
    let meta = Meta {
        run: "recorded".to_owned(),
        subject_version: "Krait 0.1".to_owned(),
        reference: "3.13.0".to_owned(),
        commit: "abc".to_owned(),
        suite_is_pinned: true,
        complete: true,
        ..Meta::default()
    };
    Summary::new(suite, meta, reference, subject)
}

#[test]
fn markdown_summary() {
    let (suite, reference, subject) = load();
    insta::assert_snapshot!(markdown::summary(&summary(&suite, &reference, &subject)));
}

#[test]
fn triage_clusters() {
    let (suite, reference, subject) = load();
    insta::assert_snapshot!(triage::text(&triage::clusters(&suite, &reference, &subject), 10));
}

#[test]
fn gate_output() {
    let (_, reference, subject) = load();
    let outcome = gate::check(&recorded("expectations"), &reference, &subject, |_, _| true);
    insta::assert_snapshot!(gate::text(&outcome, 20));
    assert_eq!(outcome.exit_code(false), exit::NEW_FAILURE);
}

#[test]
fn junit_xml() {
    let (suite, reference, subject) = load();
    insta::assert_snapshot!(junit::xml(&suite, &reference, &subject));
}

#[test]
fn every_report_is_written() {
    let (suite, reference, subject) = load();
    let folder = std::env::temp_dir().join(format!("krait-report-{}", std::process::id()));
    let summary = summary(&suite, &reference, &subject);
    report::write_all(&folder, &suite, &summary, &reference, &subject, &report::Extras::default())
        .expect("the folder is writable");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("it was made")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let cases = archive::Archive::load(&folder).expect("it was written");
    assert_eq!(cases.runs, ["abc"]);
    assert_eq!(cases.cases.values().map(std::collections::BTreeMap::len).sum::<usize>(), 8);
    assert_eq!(cases.cases["test_beta"]["B.test_one"], [(0, "import_error".to_owned())]);
    fs::remove_dir_all(&folder).expect("nothing holds it");
    assert_eq!(
        names,
        [
            "badge.json",
            "by-module.md",
            "cases",
            "data.js",
            "history.csv",
            "history.jsonl",
            "index.html",
            "latest.json",
            "overview.js",
            "page.js",
            "style.css",
            "summary.md",
            "views.js"
        ]
    );
}
