//! Compiles every `.py` file under the given paths and verifies the code; `--dis FILE` shows code, `--meta` lists
//! the properties of all code objects.
//!
//! A file that the reference refuses is expected to fail; the failures are printed for comparison.

use std::path::{Path, PathBuf};
use std::time::Instant;

use krait_bytecode::{CodeObject, Const, verify};
use krait_compiler::{CompileOptions, compile};
use krait_syntax::{Mode, ParseOptions, parse};

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| collect(entry, files));
    } else if path.extension().is_some_and(|extension| extension == "py") {
        files.push(path.to_owned());
    }
}

fn verify_all(code: &CodeObject, file: &Path, faults: &mut usize) {
    if let Err((word, msg)) = verify::verify(code) {
        *faults += 1;
        println!("FAULT {}: {} at {word}: {msg}", file.display(), code.qualname);
    }
    for constant in &code.consts {
        if let Const::Code(inner) = constant {
            verify_all(inner, file, faults);
        }
    }
}

/// One line per code object, for comparison with the reference.
fn metadata(code: &CodeObject) {
    let mut lines: Vec<u32> = code.positions.runs().iter().map(|run| run.1.line).filter(|&line| line != 0).collect();
    lines.sort_unstable();
    lines.dedup();
    println!(
        "{}|{}|{}|{}|{}|{:x}|{}|{}|{}|{lines:?}",
        code.qualname,
        code.firstlineno,
        code.argcount,
        code.posonlyargcount,
        code.kwonlyargcount,
        code.flags,
        code.varnames.join(","),
        code.cellvars.join(","),
        code.freevars.join(",")
    );
    for constant in &code.consts {
        if let Const::Code(inner) = constant {
            metadata(inner);
        }
    }
}

fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let show = args.first().is_some_and(|arg| arg == "--dis");
    let meta = args.first().is_some_and(|arg| arg == "--meta");
    if show || meta {
        args.remove(0);
    }
    let mut files = Vec::new();
    args.iter().for_each(|arg| collect(Path::new(arg), &mut files));
    let (mut refused, mut failed, mut faults, mut spent) = (0, 0, 0, 0.0);
    for file in &files {
        let Ok(source) = std::fs::read(file) else { continue };
        let parsed = match parse(&source, &ParseOptions::new(Mode::Exec)) {
            Ok(parsed) => parsed,
            Err(error) => {
                refused += 1;
                println!("PARSE {}: {:?}: {}", file.display(), error.kind, error.msg);
                continue;
            }
        };
        let start = Instant::now();
        let options = CompileOptions { stack_budget: 6 << 20, ..CompileOptions::default() };
        let compiled = compile(&parsed.module, &file.display().to_string(), &options);
        spent += start.elapsed().as_secs_f64();
        match compiled {
            Ok(compiled) if meta => {
                println!("FILE {}", file.display());
                metadata(&compiled.code);
            }
            Ok(compiled) => {
                if show {
                    compiled.warnings.iter().for_each(|warning| println!("warning: {}", warning.msg));
                    println!("{}", compiled.code);
                }
                verify_all(&compiled.code, file, &mut faults);
            }
            Err(error) => {
                failed += 1;
                let line = error.location.map_or(0, |location| location.lineno);
                println!("ERROR {}:{line}: {}", file.display(), error.msg);
            }
        }
    }
    println!(
        "{} files, {refused} refused by the parser, {failed} by the compiler, {faults} faults, {spent:.2} s compiling",
        files.len()
    );
}
