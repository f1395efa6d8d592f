//! The `conformance` command: argument parsing; the work is in the library.

use std::process::ExitCode;

use clap::Parser;
use conformance::commands::{self, Arguments};
use conformance::exit;

fn main() -> ExitCode {
    match commands::dispatch(Arguments::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::from(exit::ERROR)
        }
    }
}
