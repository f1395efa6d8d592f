//! The `krait` command.
#![forbid(unsafe_code)]

mod arguments;
mod repl;

use krait_embed::command;

fn main() {
    let arguments = match arguments::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(status) => std::process::exit(status),
    };
    let status = command::run(arguments.config, arguments.source, arguments.inspect, repl::run);
    std::process::exit(status);
}
