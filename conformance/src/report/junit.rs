//! The run as JUnit XML: a suite per module, a case per case of the denominator; skips of the reference stay out.

use std::fmt::Write as _;

use crate::record::Results;
use crate::score::{Verdict, verdict};
use crate::suite::Suite;
use crate::triage::title;

pub fn xml(suite: &Suite, reference: &Results, subject: &Results) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (module, result) in subject {
        let Some(expected) = reference.get(module) else { continue };
        let _ = writeln!(out, "<testsuite name=\"{}\">", escape(module));
        for id in &expected.order {
            let record = result.cases.get(id);
            let verdict = verdict(&expected.cases[id], record, suite.is_portable(module, id));
            if !verdict.in_denominator() {
                continue;
            }
            let seconds = record.map_or(0.0, |record| record.ms as f64 / 1000.0);
            let (class, name) = id.rsplit_once('.').unwrap_or(("", id));
            let _ = write!(
                out,
                "<testcase classname=\"{}.{}\" name=\"{}\" time=\"{seconds:.3}\"",
                escape(module),
                escape(class),
                escape(name)
            );
            let parts = record.and_then(|record| record.subtests);
            let part_text = parts.map(|parts| format!(" ({} sub-tests passed, {} failed)", parts.passed, parts.failed));
            if verdict == Verdict::Same {
                let _ = match part_text {
                    Some(text) => writeln!(out, "><system-out>{}</system-out></testcase>", escape(text.trim())),
                    None => writeln!(out, "/>"),
                };
                continue;
            }
            let word = record.map_or("absent", |record| record.status.word());
            let what = record.map(title).unwrap_or_default() + &part_text.unwrap_or_default();
            let trace = record.and_then(|record| record.exc.as_ref()).map_or("", |exc| exc.trace.as_str());
            let _ = writeln!(
                out,
                "><failure type=\"{word}\" message=\"{}\">{}</failure></testcase>",
                escape(&what),
                escape(trace)
            );
        }
        out.push_str("</testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(char),
            // XML has no way to write the other control characters.
            char if (char as u32) < 32 => out.push('\u{fffd}'),
            char => out.push(char),
        }
    }
    out
}
