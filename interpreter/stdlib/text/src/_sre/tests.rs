//! The engine against what CPython's `re` found for the same code arrays (`tests/make_cases.py` writes them), and
//! against arrays that no compiler writes.

use super::engine::{Fault, Scratch};
use super::lower::{Invalid, lower};
use super::search::{Bounds, Mode, execute};
use super::text::Text;

struct Case {
    mode: Mode,
    groups: usize,
    bounds: Bounds,
    code: Vec<u32>,
    text: Vec<u32>,
    wanted: String,
}

fn numbers(field: &str) -> Vec<u32> {
    field.split_whitespace().map(|n| n.parse().unwrap()).collect()
}

fn parse(line: &str) -> Case {
    let fields: Vec<&str> = line.split(';').collect();
    let head: Vec<&str> = fields[0].split(' ').collect();
    let at = |i: usize| head[i].parse::<usize>().unwrap();
    let mode = match head[0] {
        "M" => Mode::Match,
        "F" => Mode::FullMatch,
        _ => Mode::Search,
    };
    let bounds = Bounds { start: at(2), end: at(3), must_advance: at(4) != 0 };
    Case {
        mode,
        groups: at(1),
        bounds,
        code: numbers(fields[1]),
        text: numbers(fields[2]),
        wanted: fields[3].to_owned(),
    }
}

fn outcome(case: &Case, text: Text<'_>) -> String {
    let program = lower(&case.code, case.groups).unwrap();
    let mut scratch = Scratch::default();
    let mut steps = 0u32;
    let mut stop = || {
        steps += 1;
        steps > 500
    };
    let mut bounds = case.bounds;
    bounds.start = bounds.start.min(case.text.len());
    match execute(&program, text, bounds, case.mode, &mut scratch, &mut stop) {
        Err(fault) => format!("{fault:?}"),
        Ok(false) => "-".to_owned(),
        Ok(true) => {
            let mut found = format!("{} {} {}", scratch.start, scratch.end, scratch.lastindex);
            if (1..=case.groups).filter_map(|n| scratch.group(n)).any(|(start, end)| start > end) {
                return "!".to_owned();
            }
            for n in 1..=case.groups {
                found += &scratch.group(n).map_or(" -1 -1".to_owned(), |(start, end)| format!(" {start} {end}"));
            }
            found
        }
    }
}

fn check(source: &str) {
    let mut comment = "";
    let mut failures = 0;
    for line in source.lines() {
        if line.starts_with('#') {
            comment = line;
            continue;
        }
        let case = parse(line);
        let narrow: Option<Vec<u8>> = case.text.iter().map(|&c| c.try_into().ok()).collect();
        let medium: Option<Vec<u16>> = case.text.iter().map(|&c| c.try_into().ok()).collect();
        let mut texts = vec![Text::Wide(&case.text)];
        texts.extend(medium.as_deref().map(Text::Medium));
        texts.extend(narrow.as_deref().map(Text::Narrow));
        for text in texts {
            let found = outcome(&case, text);
            // Some random patterns take exponential time, in CPython too.
            if found != case.wanted && found != "Interrupted" {
                failures += 1;
                println!("{comment} {:?}: found {found}, wanted {}", case.mode, case.wanted);
            }
        }
    }
    assert_eq!(failures, 0);
}

#[test]
fn agrees_with_cpython() {
    check(include_str!("tests/cases.txt"));
}

#[test]
fn agrees_with_cpython_on_the_cases_given() {
    if let Some(path) = std::env::var_os("KRAIT_SRE_CASES") {
        check(&std::fs::read_to_string(path).unwrap());
    }
}

#[test]
fn hostile_code_is_refused_or_harmless() {
    let cases: Vec<Case> = include_str!("tests/cases.txt").lines().filter(|l| !l.starts_with('#')).map(parse).collect();
    let mut seed = 1u32;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    for round in 0..20_000 {
        let case = &cases[round % cases.len()];
        let mut code = case.code.clone();
        for _ in 0..=random(3) {
            let at = random(code.len());
            match random(4) {
                0 => code[at] = random(45) as u32,
                1 => code[at] = u32::MAX - random(3) as u32,
                2 => code[at] = code[at].wrapping_add(1),
                _ => code.truncate(at + 1),
            }
        }
        if let Ok(program) = lower(&code, case.groups) {
            let text = case.text.clone();
            let mut asked = 0;
            let mut stop = || {
                asked += 1;
                asked > 3
            };
            let bounds = Bounds { start: 0, end: text.len(), must_advance: false };
            let found = execute(&program, Text::Wide(&text), bounds, case.mode, &mut Scratch::default(), &mut stop);
            assert_ne!(found, Err(Fault::Memory));
        }
    }
}

#[test]
fn empty_and_truncated_code_is_refused() {
    assert_eq!(lower(&[], 0).err(), Some(Invalid));
    assert_eq!(lower(&[16, 97], 0).err(), Some(Invalid));
    assert_eq!(lower(&[17, 5, 1], 0).err(), Some(Invalid));
}

#[test]
fn a_long_repeat_needs_no_native_stack_and_can_be_interrupted() {
    // (?:ab)*c
    let line = "S 0 0 0 0;14 4 0 1 4294967295 23 7 0 4294967295 16 97 16 98 18 16 99 1;;-";
    let case = parse(line);
    let program = lower(&case.code, 0).unwrap();
    let text = b"ab".repeat(200_000);
    let bounds = Bounds { start: 0, end: text.len(), must_advance: false };
    let mut scratch = Scratch::default();
    let found = execute(&program, Text::Narrow(&text), bounds, Mode::Match, &mut scratch, &mut || false);
    assert_eq!(found, Ok(false));
    let found = execute(&program, Text::Narrow(&text), bounds, Mode::Match, &mut scratch, &mut || true);
    assert_eq!(found, Err(Fault::Interrupted));
}
