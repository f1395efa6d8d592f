//! The command line, as CPython reads it (`Python/getopt.c`, `Python/initconfig.c`). Variables and what options mean are in
//! `settings`.
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use krait_embed::command::Source;
use krait_embed::{Config, Flags};

mod help;
mod settings;

pub struct Arguments {
    pub config: Config,
    pub source: Source,
}

/// The options read so far.
#[derive(Default)]
struct Reader {
    flags: Flags,
    warn: Vec<String>,
    x: Vec<(String, Option<String>)>,
    unbuffered: bool,
    /// `-R`: whatever `PYTHONHASHSEED` says.
    random_hashes: bool,
    skip_first_line: bool,
    check_hash_based_pycs: String,
    version: u32,
    help: bool,
    program: String,
}

type Rest<'a> = std::slice::Iter<'a, OsString>;

fn usage_error(program: &str, message: &str) -> i32 {
    eprintln!("{message}");
    eprintln!("{}", help::USAGE.replace("{}", program));
    eprintln!("Try `python -h' for more information.");
    2
}
/// Text for standard output; that nobody can read it is no error.
fn print(text: &str) -> i32 {
    drop(std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()));
    0
}

/// Reads the command line; `Err` is the exit status of `-h`, `-V` and of errors.
pub fn parse(args: impl Iterator<Item = OsString>) -> Result<Arguments, i32> {
    let all: Vec<OsString> = args.collect();
    let program = all.first().cloned().unwrap_or_else(|| "krait".into());
    let mut r = Reader { program: program.to_string_lossy().into_owned(), ..Reader::default() };
    let mut rest = all.get(1..).unwrap_or_default().iter();
    let mut source = None;
    while source.is_none() {
        let Some(arg) = rest.as_slice().first() else { break };
        let bytes = arg.as_bytes();
        if bytes == b"-" || !bytes.starts_with(b"-") {
            break;
        }
        rest.next();
        if bytes == b"--" {
            break;
        }
        match bytes.strip_prefix(b"--") {
            Some(long) => r.long(long, &mut rest)?,
            None => source = r.cluster(&bytes[1..], &mut rest)?,
        }
    }
    r.before()?;
    if r.help {
        return Err(print(&help::usage(&r.program)));
    }
    if r.version > 0 {
        return Err(print(&format!("Python 3.13.0{}\n", if r.version > 1 { " (Krait 0.1.0) [Rust]" } else { "" })));
    }
    let mut argv0 = OsString::new();
    let source = match source {
        Some(s) => {
            argv0.push(if matches!(s, Source::Command(_)) { "-c" } else { "-m" });
            s
        }
        None => match rest.next() {
            None => Source::Stdin,
            Some(a) => {
                argv0.push(a);
                if a == "-" { Source::Stdin } else { Source::File(a.into()) }
            }
        },
    };
    let mut argv = vec![argv0.into_vec()];
    argv.extend(rest.cloned().map(OsString::into_vec));
    r.finish(&all, argv, source)
}

impl Reader {
    fn long(&mut self, name: &[u8], rest: &mut Rest<'_>) -> Result<(), i32> {
        match name {
            b"help" => self.help = true,
            b"version" => self.version += 1,
            b"help-env" => return Err(print(&help::environment())),
            b"help-xoptions" => return Err(print(&help::x_options())),
            b"help-all" => return Err(print(&help::all(&self.program))),
            b"check-hash-based-pycs" => {
                let message = match rest.next().map(|v| v.to_string_lossy()) {
                    Some(v) if ["default", "always", "never"].contains(&&*v) => {
                        self.check_hash_based_pycs = v.into_owned();
                        return Ok(());
                    }
                    Some(_) => "--check-hash-based-pycs must be one of 'default', 'always', or 'never'",
                    None => "Argument expected for the --check-hash-based-pycs options",
                };
                return Err(usage_error(&self.program, message));
            }
            other => {
                let message = format!("unknown option --{}", String::from_utf8_lossy(other));
                return Err(usage_error(&self.program, &message));
            }
        }
        Ok(())
    }
    /// One `-abc` argument; `-c` and `-m` end the options.
    fn cluster(&mut self, letters: &[u8], rest: &mut Rest<'_>) -> Result<Option<Source>, i32> {
        for (i, &letter) in letters.iter().enumerate() {
            if !b"cmWX".contains(&letter) {
                self.letter(letter)?;
                continue;
            }
            let value = match (&letters[i + 1..], rest.as_slice().first()) {
                ([], Some(next)) => {
                    rest.next();
                    next.clone()
                }
                ([], None) => {
                    let message = format!("Argument expected for the -{} option", letter as char);
                    return Err(usage_error(&self.program, &message));
                }
                (attached, _) => OsStr::from_bytes(attached).to_owned(),
            };
            match letter {
                b'c' => return Ok(Some(Source::Command(value))),
                b'm' => return Ok(Some(Source::Module(value))),
                b'W' => self.warn.push(value.to_string_lossy().into_owned()),
                _ => {
                    let text = value.to_string_lossy();
                    self.x.push(match text.split_once('=') {
                        Some((name, v)) => (name.to_owned(), Some(v.to_owned())),
                        None => (text.into_owned(), None),
                    });
                }
            }
            break;
        }
        Ok(None)
    }
    /// An option without a value.
    fn letter(&mut self, letter: u8) -> Result<(), i32> {
        let f = &mut self.flags;
        match letter {
            b'b' => f.bytes_warning += 1,
            b'B' => f.dont_write_bytecode = 1,
            b'd' => f.debug = 1,
            b'E' => f.ignore_environment = 1,
            b'h' | b'?' => self.help = true,
            b'i' => (f.inspect, f.interactive) = (1, 1),
            b'I' => {
                (f.isolated, f.ignore_environment, f.no_user_site) = (1, 1, 1);
                f.safe_path = true;
            }
            b'O' => f.optimize += 1,
            b'P' => f.safe_path = true,
            b'q' => f.quiet = 1,
            b'R' => self.random_hashes = true,
            b's' => f.no_user_site = 1,
            b'S' => f.no_site = 1,
            b't' => {}
            b'u' => self.unbuffered = true,
            b'v' => f.verbose += 1,
            b'V' => self.version += 1,
            b'x' => self.skip_first_line = true,
            b'J' => return Err(usage_error(&self.program, "-J is reserved for Jython")),
            other => {
                let message = format!("Unknown option: -{}", other as char);
                return Err(usage_error(&self.program, &message));
            }
        }
        Ok(())
    }
}
