//! Reads snippets separated by NUL bytes from standard input and prints what compiling each gives, one line each:
//! `ok`, or `line:offset:end_line:end_offset message`, then warnings. For comparison with the reference.

use std::io::Read;

use krait_bytecode::{CodeObject, Const, verify};
use krait_compiler::{CompileOptions, compile};
use krait_syntax::{Location, Mode, ParseOptions, parse};

fn place(location: Option<&Location>) -> String {
    match location {
        Some(at) => format!("{}:{}:{:?}:{:?}", at.lineno, at.offset, at.end_lineno, at.end_offset),
        None => "none".to_owned(),
    }
}

fn faults(code: &CodeObject) -> Vec<String> {
    let mut found: Vec<String> =
        verify::verify(code).err().map(|(at, msg)| format!("{} {at} {msg}", code.qualname)).into_iter().collect();
    for constant in &code.consts {
        if let Const::Code(inner) = constant {
            found.extend(faults(inner));
        }
    }
    found
}

fn main() {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).expect("standard input is readable");
    for snippet in input.split(|&byte| byte == 0) {
        let parsed = match parse(snippet, &ParseOptions::new(Mode::Exec)) {
            Ok(parsed) => parsed,
            Err(error) => {
                println!("{} {}", place(error.location.as_ref()), error.msg);
                continue;
            }
        };
        match compile(&parsed.module, "<snippet>", &CompileOptions::default()) {
            Ok(compiled) => {
                let warnings: Vec<String> = compiled
                    .warnings
                    .iter()
                    .map(|warning| format!(" | {} {}", warning.location.lineno, warning.msg))
                    .collect();
                println!("ok{}{}", warnings.concat(), faults(&compiled.code).concat());
            }
            Err(error) => println!("{} {}", place(error.location.as_ref()), error.msg),
        }
    }
}
