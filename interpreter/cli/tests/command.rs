//! The command on good and bad input, against what `command/record.py` recorded from CPython.
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

static EXPECTED: &[u8] = include_bytes!("command/expected.txt");

#[derive(Default)]
struct Case {
    name: String,
    /// Key and value of each line, unescaped.
    lines: Vec<(String, Vec<u8>)>,
}
impl Case {
    fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.lines.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_slice())
    }
    fn text(&self, key: &str) -> Option<String> {
        let lines: Vec<String> = self.all(key).map(|v| String::from_utf8_lossy(v).into_owned()).collect();
        if lines.is_empty() { None } else { Some(lines.join("\n")) }
    }
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.iter().copied();
    while let Some(b) = bytes.next() {
        out.push(match b {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b'0') => 0,
                other => other.unwrap_or(b'\\'),
            },
            b => b,
        });
    }
    out
}
fn cases() -> Vec<Case> {
    let mut all: Vec<Case> = Vec::new();
    for line in EXPECTED.split(|&b| b == b'\n').filter(|l| !l.is_empty() && !l.starts_with(b"#")) {
        let at = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
        let key = String::from_utf8_lossy(&line[..at]).into_owned();
        let raw = line.get(at + 1..).unwrap_or_default();
        if key == "case" {
            all.push(Case { name: String::from_utf8_lossy(raw).into_owned(), lines: Vec::new() });
        } else if let Some(case) = all.last_mut() {
            let shown = ["out", "err", "last", "outlast"].contains(&key.as_str());
            case.lines.push((key, if shown { raw.to_vec() } else { unescape(raw) }));
        }
    }
    all
}
fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}
fn escape(text: &str) -> Vec<String> {
    let shown = |l: &str| l.replace('\\', "\\\\").replace('\r', "\\r").replace('\0', "\\0");
    text.split('\n').map(shown).collect()
}

/// What differs, if anything.
fn run(case: &Case, here: &Path) -> Result<(), String> {
    let program = env!("CARGO_BIN_EXE_krait");
    let fail = |e: std::io::Error| e.to_string();
    std::fs::create_dir_all(here).map_err(fail)?;
    for folder in case.all("folder") {
        std::fs::create_dir(here.join(path(folder))).map_err(fail)?;
    }
    for file in case.all("file") {
        let at = file.iter().position(|&b| b == b' ').unwrap_or(file.len());
        std::fs::write(here.join(path(&file[..at])), file.get(at + 1..).unwrap_or_default()).map_err(fail)?;
    }
    let mut script = "exec \"$0\" \"$@\"".to_owned();
    for (key, target) in [("closed", "&-"), ("full", "/dev/full")] {
        for n in case.all(key) {
            script += &format!(" {}>{target}", String::from_utf8_lossy(n));
        }
    }
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).arg(program).args(case.all("arg").map(path)).current_dir(here);
    let kept: Vec<_> = std::env::vars_os().filter(|(k, _)| k == "PATH" || k == "HOME" || k == "KRAIT_HOME").collect();
    command.env_clear().envs(kept).env("LANG", "C.UTF-8");
    for variable in case.all("env") {
        let text = String::from_utf8_lossy(variable).into_owned();
        let (name, value) = text.split_once(' ').unwrap_or((&text, ""));
        command.env(name, value);
    }
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(fail)?;
    if let Some(mut stdin) = child.stdin.take() {
        // The program need not read it.
        drop(stdin.write_all(case.all("stdin").next().unwrap_or_default()));
    }
    let done = child.wait_with_output().map_err(fail)?;
    let status = done.status.code().unwrap_or_else(|| -done.status.signal().unwrap_or(0));
    let mut wrong = String::new();
    if Some(status.to_string()) != case.text("status") {
        wrong += &format!("  status {status}, not {}\n", case.text("status").unwrap_or_default());
    }
    for (key, last, data) in [("out", "outlast", &done.stdout), ("err", "last", &done.stderr)] {
        let text = String::from_utf8_lossy(data).replace(program, "PROGRAM").replace(&*here.to_string_lossy(), "HERE");
        let lines = escape(&text);
        let (got, wanted) = match case.text(last) {
            Some(wanted) => (lines.iter().rfind(|l| !l.is_empty()).cloned().unwrap_or_default(), wanted),
            None => (lines.join("\n"), case.text(key).unwrap_or_default()),
        };
        if got != wanted {
            wrong += &format!("  {key}:\n{got}\n  not:\n{wanted}\n");
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

#[test]
fn as_recorded() {
    let root = std::env::temp_dir().join(format!("krait-command-{}", std::process::id()));
    std::fs::create_dir_all(&root).expect("a folder for the cases");
    let root = root.canonicalize().expect("the folder just made");
    let all = cases();
    assert!(all.len() > 50, "the recording holds the cases");
    let mut failed = Vec::new();
    for (i, case) in all.iter().enumerate() {
        if let Err(wrong) = run(case, &root.join(i.to_string())) {
            failed.push(format!("{}\n{wrong}", case.name));
        }
    }
    drop(std::fs::remove_dir_all(&root));
    assert!(failed.is_empty(), "{} of {} differ:\n{}", failed.len(), all.len(), failed.join("\n"));
}
