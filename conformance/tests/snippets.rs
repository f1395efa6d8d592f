//! The corpus of small programs: what the reference answers, as snapshots; `$KRAIT_SUBJECT`, where it is set, must answer
//! the same. `conformance snippets` compares both sides as they are.

use std::fs;
use std::path::PathBuf;

use conformance::commands::snippet_files;
use conformance::fuzz::grammar;
use conformance::gate::text_diff;
use conformance::reference::Reference;
use conformance::repro::bench::Bench;
use conformance::repro::tree;
use conformance::worker::Interpreter;

#[test]
fn the_corpus_on_the_reference_and_on_the_subject() {
    let reference = Reference::find("exe").expect("the tests need the reference CPython 3.13");
    let mut theirs = Bench::new(&reference.worker, false, 20.0).expect("a scratch folder");
    let subject = std::env::var_os("KRAIT_SUBJECT").map(|path| Interpreter::new(PathBuf::from(path)));
    let mut ours = subject.map(|subject| Bench::new(&subject, false, 20.0).expect("a scratch folder"));
    for path in snippet_files().expect("the corpus") {
        let source = fs::read_to_string(&path).expect("readable");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let answer = theirs.script(&source).expect("the reference answers");
        if let Some(ours) = &mut ours {
            let subject = ours.script(&source).expect("the subject answers");
            assert!(answer == subject, "{name}\n{}", text_diff(&answer, &subject));
        }
        insta::assert_snapshot!(name, answer);
    }
}

#[test]
fn generated_programs_are_python_and_the_same_for_a_seed() {
    for seed in 0..50 {
        let program = grammar::program(seed);
        assert_eq!(program, grammar::program(seed));
        assert!(tree::parse(&program).is_some(), "seed {seed}:\n{program}");
    }
    assert_ne!(grammar::program(1), grammar::program(2));
}
