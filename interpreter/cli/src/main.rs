//! The `krait` command.
#![forbid(unsafe_code)]

mod arguments;
mod repl;

use krait_embed::{Allocator, command};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() {
    command::start_process();
    let status = match arguments::parse(std::env::args_os()) {
        Ok(arguments) => command::run(arguments.config, arguments.source, repl::open),
        Err(status) => status,
    };
    std::process::exit(status);
}
