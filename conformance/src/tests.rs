//! Unit tests of the pure parts: signatures, selections, expectations, verdicts.

use crate::expectations::{Expectations, Judgement, Line, bless, judge};
use crate::record::{ModuleResult, Record, Status, Subtests};
use crate::score::{Verdict, verdict};
use crate::signature::{find_panic, gist, library_frame, normalise};
use crate::suite::{Suite, matches};

fn case(id: &str, status: Status) -> Record {
    Record { id: id.to_owned(), status, ..Record::default() }
}

fn result(cases: &[(&str, Status)]) -> ModuleResult {
    ModuleResult::from_records(cases.iter().map(|(id, status)| case(id, *status)).collect())
}

#[test]
fn messages_lose_what_varies() {
    assert_eq!(normalise("<f at 0x7f3a12> is 12.5, not in '/tmp/a/b.py'"), "<f at N> is N, not in '/P'");
    assert_eq!(normalise("\nutf8 x2 a/b 1/2"), "utf8 x2 a/b N/N");
}

#[test]
fn a_failed_doctest_says_what_came_out() {
    let head =
        "Failed doctest test for test.test_x\n  File \"/x.py\", line 3, in test_x\n\n-----\nFailed example:\n    f()\n";
    assert_eq!(gist(&format!("{head}Expected:\n    1\nGot:\n    2\n    3\n")), "2");
    let raised = "Exception raised:\n    Traceback (most recent call last):\n    ValueError: no\n";
    assert_eq!(gist(&format!("{head}{raised}")), "ValueError: no");
    assert_eq!(gist(&format!("{head}Expected:\n    1\nGot:\n    2\n{head}{raised}")), "ValueError: no");
    assert_eq!(gist("first\nsecond"), "first");
}

#[test]
fn frames_prefer_the_library() {
    let frames = |list: &[&str]| list.iter().map(|frame| (*frame).to_owned()).collect::<Vec<_>>();
    let suite = "/lib/python3.13/test/test_x.py|test_y|7";
    let unittest = "/lib/python3.13/unittest/case.py|fail|3";
    let library = "/lib/python3.13/json/decoder.py|decode|44";
    assert_eq!(library_frame("ValueError", &frames(&[suite, library])), "json/decoder.py:decode");
    assert_eq!(library_frame("ValueError", &frames(&[suite])), "");
    assert_eq!(library_frame("AssertionError", &frames(&[suite, unittest])), "test/test_x.py:test_y");
}

#[test]
fn panics_are_found_in_output() {
    let text = "noise\nthread 'main' (7) panicked at vm/src/a.rs:1:2:\nwhat\nnote: run with";
    assert_eq!(find_panic(text).as_deref(), Some("vm/src/a.rs:1:2: what"));
    assert_eq!(find_panic("nothing"), None);
}

#[test]
fn patterns() {
    assert!(matches("test_str*", "test_string"));
    assert!(matches("*.test_?", "A.test_x"));
    assert!(!matches("test_str", "test_string"));
}

#[test]
fn selections() {
    let suite = Suite::load().expect("cpython-tests is part of the repository");
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let language = suite.select(&[]).expect("the default");
    assert_eq!(language.len(), suite.lists["language"].len());
    let some = suite.select(&words(&["test_int.A.*", "test_abc", "test_int.B.test_c"])).expect("they exist");
    assert_eq!(some.len(), 2);
    assert!(some[0].wants("A.test_x") && some[0].wants("B.test_c") && !some[0].wants("B.test_d"));
    assert!(some[1].wants("anything"));
    assert!(suite.select(&words(&["test_no_such"])).is_err());
}

#[test]
fn the_reviewed_list_stays_small_and_explained() {
    let suite = Suite::load().expect("cpython-tests is part of the repository");
    assert!(suite.reviewed.len() <= 400);
    let path = crate::suite::repository().join("cpython-tests/implementation-detail.txt");
    let text = std::fs::read_to_string(path).expect("the list exists");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        assert!(line.contains(" # "), "no reason: {line}");
    }
}

#[test]
fn a_pass_with_fewer_subtests_is_no_parity() {
    let parts = |passed| Some(Subtests { passed, failed: 0, skipped: 0 });
    let reference = Record { subtests: parts(3), ..case("A.t", Status::Pass) };
    let fewer = Record { subtests: parts(2), ..case("A.t", Status::Pass) };
    assert_eq!(verdict(&reference, Some(&fewer), true), Verdict::Worse);
    assert_eq!(verdict(&reference, Some(&fewer), false), Verdict::ImplDetail);
    assert_eq!(verdict(&reference, Some(&reference), true), Verdict::Same);
    assert_eq!(verdict(&case("A.t", Status::Skip), Some(&fewer), true), Verdict::RefSkip);
    assert_eq!(verdict(&case("A.t", Status::Fail), Some(&fewer), true), Verdict::Better);
    assert_eq!(verdict(&reference, None, true), Verdict::Absent);
}

#[test]
fn expectation_lines_round_trip() {
    for text in [
        "fail XMLTests.test_entity sig=9c1f # note",
        "crash ForkTests.test_x os=linux sig=77ab",
        "flaky PoolTests.test_y pass|timeout until=2027-03",
        "error a name with spaces#2",
        "import_error *",
    ] {
        assert_eq!(Line::parse(text).expect(text).to_string(), text);
    }
    for text in ["fail", "fail *", "flaky A.t pass|fail", "flaky A.t maybe until=2027-01", "norun A.t"] {
        assert!(Line::parse(text).is_err(), "{text}");
    }
}

#[test]
fn expectation_files_are_linted() {
    let parse = |text: &str| Expectations::parse(text, "2026-06");
    assert!(parse("fail A.a\nfail A.b\n").is_ok());
    assert!(parse("fail A.b\nfail A.a\n").is_err());
    assert!(parse("fail A.a\nerror A.a\n").is_err());
    assert!(parse("flaky A.a pass|fail until=2026-05\n").is_err());
    let lines = parse("fail A.a\nfail A.gone\n").expect("in order");
    assert_eq!(lines.unmatched(&result(&[("A.a", Status::Pass)])), ["A.gone"]);
}

#[test]
fn judgements() {
    let text = "crash A.crash sig=77ab\nfail A.fail\nflaky A.flaky pass|timeout until=2099-01\n";
    let lines = Expectations::parse(text, "2026-06").expect("in order");
    let judged = |id: &str, status, sig: Option<&str>| {
        let record = Record { sig: sig.map(str::to_owned), ..case(id, status) };
        judge(&lines, id, &case(id, Status::Pass), Some(&record))
    };
    assert_eq!(judged("A.fail", Status::Error, None), Judgement::AsExpected);
    assert_eq!(judged("A.fail", Status::Pass, None), Judgement::UnexpectedPass);
    assert_eq!(judged("A.fail", Status::Crash, None), Judgement::NewFailure);
    assert_eq!(judged("A.crash", Status::Crash, Some("77ab0000")), Judgement::AsExpected);
    assert_eq!(judged("A.crash", Status::Crash, Some("88ab0000")), Judgement::ChangedCrash);
    assert_eq!(judged("A.flaky", Status::Pass, None), Judgement::AsExpected);
    assert_eq!(judged("A.flaky", Status::Timeout, None), Judgement::AsExpected);
    assert_eq!(judged("A.flaky", Status::Fail, None), Judgement::NewFailure);
    assert_eq!(judged("A.other", Status::Fail, None), Judgement::NewFailure);
    let lines = Expectations::parse("import_error *\n", "2026-06").expect("one line");
    let record = case("A.any", Status::Crash);
    assert_eq!(judge(&lines, "A.any", &case("A.any", Status::Pass), Some(&record)), Judgement::AsExpected);
}

#[test]
fn blessing() {
    let reference = result(&[("A.a", Status::Pass), ("A.b", Status::Pass), ("A.c", Status::Skip)]);
    let subject = result(&[("A.a", Status::Fail), ("A.b", Status::NotRun), ("A.c", Status::Fail)]);
    let old = Expectations::default();
    assert_eq!(bless(&old, &reference, &subject, false).text(), "fail A.a\n");
    assert_eq!(bless(&old, &reference, &subject, true).text(), "fail A.a\nnot_run A.b\n");
    let noted = Expectations::parse("error A.a # known\n", "2026-06").expect("one line");
    assert_eq!(bless(&noted, &reference, &subject, false).text(), "error A.a # known\n");
    let nothing = result(&[("A.a", Status::ImportError), ("A.b", Status::ImportError)]);
    assert_eq!(bless(&noted, &reference, &nothing, false).text(), "import_error *\n");
    let all = result(&[("A.a", Status::Pass), ("A.b", Status::Pass)]);
    assert!(bless(&noted, &reference, &all, false).lines.is_empty());
}
