//! No public name that CPython's `dir()` shows of a builtin or of a type that the interpreter makes itself is missing, and
//! none is too many. `scripts/public_names.py` prints them; `public_names.txt` is the reference's answer.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

type Names = BTreeMap<String, BTreeSet<String>>;

fn names(text: &str) -> Names {
    text.lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(label, names)| (label.to_owned(), names.split(' ').map(str::to_owned).collect()))
        .collect()
}

#[test]
fn public_names_are_those_of_cpython() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let recorded = std::fs::read_to_string(root.join("interpreter/cli/tests/public_names.txt"));
    let expected = names(&recorded.expect("the reference's answer is checked in"));
    let output = Command::new(env!("CARGO_BIN_EXE_krait"))
        .args(["-S", "-W", "ignore"])
        .arg(root.join("scripts/public_names.py"))
        .output()
        .expect("krait runs");
    let shown = names(&String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut wrong = String::new();
    for (label, want) in &expected {
        let have = shown.get(label).cloned().unwrap_or_default();
        let missing: Vec<_> = want.difference(&have).collect();
        let extra: Vec<_> = have.difference(want).collect();
        if !missing.is_empty() || !extra.is_empty() {
            wrong += &format!("{label}: missing {missing:?}, too many {extra:?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
