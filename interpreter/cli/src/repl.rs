//! The interactive loop.
use std::io::{BufRead, Write};

use krait_embed::Thread;
use krait_embed::interactive::{Outcome, Session};

/// Reads and runs statements until the end of input; returns the exit status.
pub fn run(th: &mut Thread) -> i32 {
    let mut session = Session::new(th);
    let stdin = std::io::stdin();
    let mut pending = String::new();
    loop {
        let prompt = session.prompt(th, !pending.is_empty());
        eprint!("{prompt}");
        drop(std::io::stderr().flush());
        let mut line = String::new();
        match stdin.lock().read_line(&mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        pending.push_str(&line);
        match session.feed(th, &pending) {
            Outcome::Incomplete => {}
            Outcome::Done => pending.clear(),
            Outcome::Exit(status) => return status,
        }
    }
    eprintln!();
    0
}
