//! Signatures: what makes two failures the same failure.
//!
//! A hash of exception type, message without addresses, paths and numbers, and innermost library frame; for a panic its
//! location and message; for a crash the signal.

use sha2::{Digest, Sha256};

use crate::record::{Exc, Status};

/// First eight hex digits of SHA-256.
pub fn short_hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex(&hash.finalize()[..4])
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The message with what varies from run to run replaced: numbers by `N`, absolute paths by `/P`; its gist only.
pub fn normalise(message: &str) -> String {
    let line = gist(message);
    let mut out = String::with_capacity(line.len());
    let chars: Vec<char> = line.chars().take(300).collect();
    let mut at = 0;
    while at < chars.len() {
        let char = chars[at];
        let word_before = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
        if char.is_ascii_digit() && !word_before {
            out.push('N');
            while at < chars.len() && (chars[at].is_ascii_alphanumeric() || chars[at] == '.') {
                at += 1;
            }
        } else if char == '/' && !word_before && chars.get(at + 1).is_some_and(|next| next.is_alphanumeric()) {
            out.push_str("/P");
            while at < chars.len() && !matches!(chars[at], '\'' | '"' | ' ' | ',' | ')' | ':' | '>') {
                at += 1;
            }
        } else {
            out.push(char);
            at += 1;
        }
    }
    out
}

/// The line of an exception's message that says what went wrong. A failed doctest says so in the last of its failed
/// examples: the exception that was raised, or the first line of what came out instead.
pub fn gist(message: &str) -> &str {
    let filled = |line: &&str| !line.trim().is_empty();
    if !message.starts_with("Failed doctest test for") {
        return message.lines().find(filled).unwrap_or("");
    }
    let got = message.rfind("\nGot:\n").map(|at| at + "\nGot:\n".len());
    let raised = message.rfind("\nException raised:\n");
    let line = match got {
        Some(at) if raised.is_none_or(|raised| raised < at) => message[at..].lines().find(filled),
        _ => message.lines().rev().find(filled),
    };
    line.map_or("", str::trim)
}

/// The frame that names a failure, from the recorder's `path|function|line` list (innermost last): the innermost of the
/// standard library outside `unittest` and the suite; for an assertion, which says little by itself, the suite's own.
pub fn library_frame(exc_type: &str, frames: &[String]) -> String {
    let parts: Vec<(&str, &str)> = frames
        .iter()
        .filter_map(|frame| {
            let mut parts = frame.rsplitn(3, '|');
            let _line = parts.next()?;
            let function = parts.next()?;
            Some((parts.next()?, function))
        })
        .collect();
    let in_suite = |path: &str| path.contains("/test/") || path.contains("/recorder/");
    let name = |(path, function): &(&str, &str)| format!("{}:{function}", tail(path));
    let library = parts.iter().rev().find(|(path, _)| !path.contains("/unittest/") && !in_suite(path));
    if let Some(frame) = library {
        return name(frame);
    }
    if exc_type == "AssertionError" {
        return parts.iter().rev().find(|(path, _)| in_suite(path)).map(name).unwrap_or_default();
    }
    String::new()
}

/// The path below `lib/python3.13`, else the file's name.
fn tail(path: &str) -> &str {
    match path.find("/python3.13/") {
        Some(at) => &path[at + "/python3.13/".len()..],
        None => path.rsplit('/').next().unwrap_or(path),
    }
}

/// Signature of a failed attempt; None for one that did not fail.
pub fn signature(
    status: Status,
    exc: Option<&Exc>,
    panic: Option<&str>,
    signal: Option<i32>,
    reason: Option<&str>,
) -> Option<String> {
    if matches!(status, Status::Pass | Status::Skip | Status::Xfail) {
        return None;
    }
    if let Some(panic) = panic {
        return Some(short_hash(&["panic", &normalise(panic)]));
    }
    if let Some(exc) = exc {
        return Some(short_hash(&[&exc.kind, &normalise(&exc.message), &exc.frame]));
    }
    let signal = signal.map(|signal| signal.to_string()).unwrap_or_default();
    Some(short_hash(&[status.word(), &signal, &normalise(reason.unwrap_or(""))]))
}

/// `location: message` of a Rust panic in what a worker printed.
pub fn find_panic(output: &str) -> Option<String> {
    let mut lines = output.lines();
    while let Some(line) = lines.next() {
        if let Some(at) = line.find(" panicked at ") {
            let place = line[at + " panicked at ".len()..].trim_end_matches(':');
            let message = lines.next().unwrap_or("");
            return Some(format!("{place}: {message}"));
        }
    }
    if output.contains("has overflowed its stack") {
        return Some("native stack overflow".to_owned());
    }
    None
}
