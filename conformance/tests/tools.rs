//! The pure tools on small data: merge, lint, flake, shards, changed, bisect, minimiser, archive, comparison.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use conformance::bisect::{Found, search};
use conformance::changed::{Touched, touched};
use conformance::commands::shard_of;
use conformance::compare::{compare, from_archive};
use conformance::expectations::{lint, merge::merge, month_after};
use conformance::flake;
use conformance::record::{ModuleResult, Record, Results, Status, append, read_records};
use conformance::report::archive::Archive;
use conformance::repro::minimise::Minimiser;
use conformance::repro::standalone::Doctest;
use conformance::repro::tree;
use conformance::suite::{Selected, Suite};
use conformance::worker::foreign_library;

fn results(cases: &[(&str, Status)]) -> Results {
    let record = |(id, status): &(&str, Status)| Record { id: (*id).to_owned(), status: *status, ..Record::default() };
    Results::from([("test_a".to_owned(), ModuleResult::from_records(cases.iter().map(record).collect()))])
}

#[test]
fn expectation_files_merge_case_by_case() {
    let base = "error A.b\nfail A.a\nfail A.c\n";
    let merged = merge(base, "fail A.a\nfail A.c\n", "error A.b\nfail A.a\nfail A.d\n").expect("lines parse");
    assert_eq!((merged.text.as_str(), merged.conflicts), ("fail A.a\nfail A.d\n", 0));
    let flaky = "flaky A.a pass|fail until=2099-01";
    let merged = merge("fail A.a\n", "error A.a\n", &format!("{flaky}\n")).expect("lines parse");
    assert_eq!((merged.text, merged.conflicts), (format!("{flaky}\n"), 0));
    let merged = merge("fail A.a\n", "", "crash A.a sig=1\n").expect("lines parse");
    assert_eq!(merged.conflicts, 1);
    assert_eq!(merged.text, "<<<<<<< ours\n=======\ncrash A.a sig=1\n>>>>>>> theirs\n");
    assert!(merge("nonsense", "", "").is_err());
}

#[test]
fn every_fault_of_a_file_is_told() {
    let text = "fail A.b\nfail A.a\nfail A.a\nflaky A.c pass until=2026-01\nnonsense A.d\n";
    let reference = &results(&[("A.b", Status::Pass), ("A.a", Status::Skip), ("A.c", Status::Pass)])["test_a"];
    insta::assert_snapshot!(lint::text(text, "2026-06", Some(reference)).join("\n"));
    assert!(lint::text("fail A.b\n", "2026-06", Some(reference)).is_empty());
}

#[test]
fn unstable_cases_become_quarantine_lines() {
    let reference = results(&[("A.a", Status::Pass), ("A.b", Status::Pass), ("A.c", Status::Fail)]);
    let runs = [
        results(&[("A.a", Status::Pass), ("A.b", Status::Fail), ("A.c", Status::Fail)]),
        results(&[("A.a", Status::Timeout), ("A.b", Status::Fail), ("A.c", Status::Pass)]),
        results(&[("A.a", Status::Pass)]),
    ];
    let found = flake::find(&reference, &runs);
    assert_eq!(found.len(), 1);
    let line = found[0].line("2026-11", "abc").to_string();
    assert_eq!(line, "flaky A.a pass|timeout until=2027-02 # seen 2x pass, 1x timeout at abc");
    assert_eq!(month_after("2026-12", 1), "2027-01");
}

#[test]
fn shards_add_up_to_the_whole() {
    let suite = Suite::load().expect("the lists");
    let whole = suite.select(&["all".to_owned()]).expect("all");
    let mut union: BTreeSet<String> = BTreeSet::new();
    let mut total = 0;
    for index in 1..=7 {
        let shard = shard_of(whole.clone(), Some(&format!("{index}/7"))).expect("well written");
        total += shard.len();
        union.extend(shard.into_iter().map(|one: Selected| one.module));
    }
    assert_eq!((total, union.len()), (whole.len(), whole.len()));
    assert!(shard_of(whole, Some("8/7")).is_err());
}

#[test]
fn changed_paths_touch_what_they_can() {
    let paths = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
    let touches = touched(&paths(&["docs/x.md", "interpreter/stdlib/math/src/_decimal/number.rs", "README.md"]));
    assert_eq!(touches, Touched::Modules { native: BTreeSet::from(["_decimal".to_owned()]), suite: BTreeSet::new() });
    let touches = touched(&paths(&["conformance/expectations/test_list.txt"]));
    assert_eq!(touches, Touched::Modules { native: BTreeSet::new(), suite: BTreeSet::from(["test_list".to_owned()]) });
    assert!(matches!(touched(&paths(&["interpreter/vm/src/frame.rs"])), Touched::Everything(_)));
    assert!(matches!(touched(&paths(&["conformance/recorder/recorder.py"])), Touched::Everything(_)));
}

#[test]
fn bisection_finds_the_first_bad_commit() {
    for first in 0..20 {
        let mut asked = 0;
        let found = search(20, |index| {
            asked += 1;
            Ok(if index >= first { Found::Bad } else { Found::Good })
        });
        assert_eq!(found.expect("no error"), [first]);
        assert!(asked <= 5);
    }
    // One that does not build leaves a range.
    let ask = |index| {
        Ok(match index {
            5 => Found::Unknown,
            index if index > 5 => Found::Bad,
            _ => Found::Good,
        })
    };
    assert_eq!(search(10, ask).expect("no error"), [5, 6]);
}

const PROGRAM: &str = r#"import os, sys

@decorate
class A(Base, Other):
    """Words."""
    x = 1

    def first(self):
        for number in range(3):
            with open("x") as file:
                # A comment.
                wanted(1, 2, key=3)
        else:
            return 5

    def second(self):
        try:
            other()
        except ValueError:
            pass
"#;

#[test]
fn programs_are_cut_to_what_holds_the_property() {
    let parser = |source: &str| -> io::Result<_> { Ok(tree::parse(source)) };
    let mut holds =
        |source: &str| -> io::Result<bool> { Ok(source.contains("def first") && source.contains("wanted(")) };
    let mut minimiser = Minimiser::new(PROGRAM, &parser, &mut holds);
    minimiser.run().expect("no error");
    assert!(tree::parse(&minimiser.source).is_some());
    insta::assert_snapshot!(minimiser.source);
}

#[test]
fn doctests_are_cut_example_by_example() {
    let example = |source: &str, want: &str| (source.to_owned(), want.to_owned());
    let examples = vec![
        example("x = 1\n", ""),
        example("y = r'\\n'\n", ""),
        example("for _ in range(2):\n    print(x)\n", "1\n1\n"),
        example("wanted(x)\n", "2\n"),
    ];
    let doctest = Doctest { examples, flags: vec!["ELLIPSIS".to_owned()], scope: "json".to_owned() };
    let texts = doctest.candidates();
    let parser = |source: &str| -> io::Result<_> { Ok(tree::parse(source)) };
    for text in &texts {
        assert!(tree::parse(text).is_some(), "{text}");
    }
    let mut holds = |source: &str| -> io::Result<bool> {
        Ok([">>> x = 1", ">>> wanted(x)", "def examples", "def load_tests", "DocTestSuite("]
            .iter()
            .all(|needed| source.contains(needed)))
    };
    let mut minimiser = Minimiser::new(&texts[1], &parser, &mut holds);
    minimiser.run().expect("no error");
    insta::assert_snapshot!(format!("{}\n=====\n{}", texts[0], minimiser.source));
}

#[test]
fn an_archive_keeps_changes_and_finds_the_first_bad_run() {
    let reference = results(&[("A.a", Status::Pass), ("A.b", Status::Pass)]);
    let mut archive = Archive::default();
    for (commit, status) in [("c1", Status::Pass), ("c2", Status::Fail), ("c3", Status::Fail)] {
        archive.add(commit, &reference, &results(&[("A.a", status), ("A.b", Status::Pass)]));
    }
    let packed = archive.pack().expect("memory");
    assert_eq!(Archive::unpack(&packed).expect("what was packed"), archive);
    let history = &archive.cases["test_a"]["A.a"];
    assert_eq!(history, &[(0, "pass".to_owned()), (1, "fail".to_owned())]);
    assert_eq!(archive.first_bad(history), Some("c2"));
    assert_eq!(archive.cases["test_a"]["A.b"].len(), 1);
    for number in 0..70 {
        archive.add(&format!("d{number}"), &reference, &results(&[("A.a", Status::Fail), ("A.b", Status::Pass)]));
    }
    assert_eq!(archive.runs.len(), 60);
    assert_eq!(archive.cases["test_a"]["A.a"], [(0, "fail".to_owned())]);
}

#[test]
fn runs_are_compared_with_a_base() {
    let suite = Suite::default();
    let cases = ["A.a", "A.b", "A.c", "A.d"];
    let with = |statuses: [Status; 4]| results(&cases.iter().copied().zip(statuses).collect::<Vec<_>>());
    let reference = with([Status::Pass; 4]);
    let mut archive = Archive::default();
    archive.add("c1", &reference, &with([Status::Pass, Status::Fail, Status::Fail, Status::Pass]));
    let now = with([Status::Crash, Status::Pass, Status::Error, Status::Pass]);
    let found = compare(&suite, &from_archive(&archive, "c1"), &reference, &now);
    let counts = (found.fixed.len(), found.broken.len(), found.changed.len(), found.new_crashes.len());
    assert_eq!(counts, (1, 1, 1, 1));
    insta::assert_snapshot!(found.markdown());
}

#[test]
fn a_cut_line_costs_itself_only() {
    let path = std::env::temp_dir().join(format!("krait-cut-{}", std::process::id()));
    std::fs::write(&path, "{\"v\": 1, \"run\"").expect("writable");
    let record = Record { id: "A.a".to_owned(), ..Record::default() };
    append(&path, std::slice::from_ref(&record)).expect("writable");
    assert_eq!(read_records(&path).expect("readable"), [record]);
    std::fs::remove_file(path).expect("it was made");
}

#[test]
fn only_libraries_below_the_prefix_are_foreign() {
    let prefix = Path::new("/opt/python");
    let line = |path: &str| format!("7f00-7f01 r-xp 00000000 08:01 1234    {path}");
    assert!(foreign_library(&line("/opt/python/lib/python3.13/lib-dynload/math.cpython-313.so"), prefix).is_some());
    assert!(foreign_library(&line("/opt/python/lib/libpython3.13.so.1.0"), prefix).is_some());
    assert!(foreign_library(&line("/usr/lib/libc.so.6"), prefix).is_none());
    assert!(foreign_library(&line("/opt/python/lib/python3.13/test/data.bin"), prefix).is_none());
    assert!(foreign_library("7f00-7f01 rw-p 00000000 00:00 0", prefix).is_none());
}
