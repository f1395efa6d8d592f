//! The command line and the `PYTHON*` environment, as CPython reads them (`Python/initconfig.c`, `Python/getopt.c`).
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use krait_embed::command::{Source, fill, find_executable};
use krait_embed::{Config, Flags};

pub struct Arguments {
    pub config: Config,
    pub source: Source,
    /// `-i`
    pub inspect: bool,
}

const USAGE: &str = "usage: {} [option] ... [-c cmd | -m mod | file | -] [arg] ...";
const HELP: &str = "Options (and corresponding environment variables):
-b     : issue warnings about converting bytes/bytearray to str and comparing
         bytes/bytearray with str or bytes with int; also PYTHONBYTESWARNING?
         (-bb: issue errors)
-B     : don't write .pyc files on import; also PYTHONDONTWRITEBYTECODE=x
-c cmd : program passed in as string (terminates option list)
-E     : ignore PYTHON* environment variables (such as PYTHONPATH)
-h     : print this help message and exit (also -? or --help)
-i     : inspect interactively after running script; forces a prompt even
         if stdin does not appear to be a terminal; also PYTHONINSPECT=x
-I     : isolate Python from the user's environment (implies -E -P -s)
-m mod : run library module as a script (terminates option list)
-O     : remove assert and __debug__-dependent statements; also PYTHONOPTIMIZE=x
-OO    : do -O changes and also discard docstrings
-P     : don't prepend a potentially unsafe path to sys.path; also
         PYTHONSAFEPATH
-q     : don't print version and copyright messages on interactive startup
-s     : don't add user site directory to sys.path; also PYTHONNOUSERSITE=x
-S     : don't imply 'import site' on initialization
-u     : force the stdout and stderr streams to be unbuffered;
         this option has no effect on stdin; also PYTHONUNBUFFERED=x
-v     : verbose (trace import statements); also PYTHONVERBOSE=x
-V     : print the version number and exit (also --version)
-W arg : warning control (arg is action:message:category:module:lineno)
         also PYTHONWARNINGS=arg
-x     : skip first line of source, allowing use of non-Unix forms of #!cmd
-X opt : set implementation-specific option
file   : program read from script file
-      : program read from stdin (default; interactive mode if a tty)
arg ...: arguments passed to program in sys.argv[1:]";

/// The options read so far.
#[derive(Default)]
struct Reader {
    flags: Flags,
    warn: Vec<String>,
    x: Vec<(String, Option<String>)>,
    unbuffered: bool,
    inspect: bool,
    version: u32,
    program: String,
}

fn usage_error(program: &str, message: &str) -> i32 {
    eprintln!("{message}");
    eprintln!("{}", USAGE.replace("{}", program));
    eprintln!("Try `python -h' for more information.");
    2
}

/// Reads the command line; `Err` is the exit status of `-h`, `-V` and usage errors.
pub fn parse(args: impl Iterator<Item = OsString>) -> Result<Arguments, i32> {
    let all: Vec<OsString> = args.collect();
    let program = all.first().cloned().unwrap_or_else(|| "krait".into());
    let mut r = Reader { program: program.to_string_lossy().into_owned(), ..Reader::default() };
    let mut rest = all.get(1..).unwrap_or_default().iter();
    let mut source = None;
    let mut argv0: OsString = OsString::new();
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
        if let Some(long) = bytes.strip_prefix(b"--") {
            r.long(long, &mut rest)?;
            continue;
        }
        source = r.cluster(&bytes[1..], &mut rest)?;
    }
    if r.version > 0 {
        println!("Python 3.13.0{}", if r.version > 1 { " (Krait 0.1.0) [Rust]" } else { "" });
        return Err(0);
    }
    let source = match source {
        Some(Source::Command(c)) => {
            argv0.push("-c");
            Source::Command(c)
        }
        Some(s) => {
            argv0.push("-m");
            s
        }
        None => match rest.next() {
            None => stdin_source(&r),
            Some(a) if a == "-" => {
                argv0.push("-");
                stdin_source(&r)
            }
            Some(file) => {
                argv0.push(file);
                Source::File(file.into())
            }
        },
    };
    let mut argv = vec![argv0.into_vec()];
    argv.extend(rest.cloned().map(OsString::into_vec));
    Ok(r.finish(&all, argv, source))
}
fn stdin_source(r: &Reader) -> Source {
    use std::io::IsTerminal;
    if std::io::stdin().is_terminal() || r.flags.interactive != 0 { Source::Interactive } else { Source::Stdin }
}

impl Reader {
    fn long(&mut self, name: &[u8], rest: &mut std::slice::Iter<'_, OsString>) -> Result<(), i32> {
        match name {
            b"help" => Err(self.help()),
            b"version" => {
                self.version += 1;
                Ok(())
            }
            b"check-hash-based-pycs" => match rest.next().map(|v| v.as_bytes()) {
                Some(b"default" | b"always" | b"never") => Ok(()),
                Some(_) => Err(usage_error(
                    &self.program,
                    "--check-hash-based-pycs must be one of 'default', 'always', or 'never'",
                )),
                None => Err(usage_error(&self.program, "Argument expected for the --check-hash-based-pycs option")),
            },
            b"help-env" | b"help-xoptions" | b"help-all" => Err(self.help()),
            other => {
                let message = format!("unknown option --{}", String::from_utf8_lossy(other));
                Err(usage_error(&self.program, &message))
            }
        }
    }
    fn help(&self) -> i32 {
        println!("{}\n{HELP}", USAGE.replace("{}", &self.program));
        0
    }
    /// One `-abc` argument; `-c` and `-m` end the options.
    fn cluster(&mut self, letters: &[u8], rest: &mut std::slice::Iter<'_, OsString>) -> Result<Option<Source>, i32> {
        let mut i = 0;
        while i < letters.len() {
            let letter = letters[i];
            i += 1;
            let mut value = |program: &str| -> Result<OsString, i32> {
                if i < letters.len() {
                    let v = OsStr::from_bytes(&letters[i..]).to_owned();
                    i = letters.len();
                    return Ok(v);
                }
                match rest.next() {
                    Some(v) => Ok(v.clone()),
                    None => Err(usage_error(program, &format!("Argument expected for the -{} option", letter as char))),
                }
            };
            let f = &mut self.flags;
            match letter {
                b'c' => return Ok(Some(Source::Command(value(&self.program)?))),
                b'm' => return Ok(Some(Source::Module(value(&self.program)?.to_string_lossy().into_owned()))),
                b'b' => f.bytes_warning += 1,
                b'B' => f.dont_write_bytecode += 1,
                b'd' => f.debug += 1,
                b'E' => f.ignore_environment += 1,
                b'h' | b'?' => return Err(self.help()),
                b'i' => {
                    f.inspect += 1;
                    f.interactive += 1;
                    self.inspect = true;
                }
                b'I' => {
                    f.isolated = 1;
                    f.ignore_environment = 1;
                    f.no_user_site = 1;
                    f.safe_path = true;
                }
                b'O' => f.optimize += 1,
                b'P' => f.safe_path = true,
                b'q' => f.quiet += 1,
                b's' => f.no_user_site += 1,
                b'S' => f.no_site += 1,
                b't' | b'R' | b'x' => {}
                b'u' => self.unbuffered = true,
                b'v' => f.verbose += 1,
                b'V' => self.version += 1,
                b'W' => self.warn.push(value(&self.program)?.to_string_lossy().into_owned()),
                b'X' => {
                    let v = value(&self.program)?.to_string_lossy().into_owned();
                    let (name, value) = match v.split_once('=') {
                        Some((n, v)) => (n.to_owned(), Some(v.to_owned())),
                        None => (v, None),
                    };
                    self.x.push((name, value));
                }
                other => {
                    return Err(usage_error(&self.program, &format!("Unknown option: -{}", other as char)));
                }
            }
        }
        Ok(None)
    }
    fn env(&self, name: &str) -> Option<OsString> {
        if self.flags.ignore_environment != 0 {
            return None;
        }
        std::env::var_os(name).filter(|v| !v.is_empty())
    }
    fn env_number(&self, name: &str) -> i32 {
        match self.env(name) {
            // A value that is no number counts as 1.
            Some(v) => v.to_string_lossy().trim().parse::<i32>().unwrap_or(1).max(0),
            None => 0,
        }
    }
    fn x_option(&self, name: &str) -> Option<Option<&str>> {
        self.x.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_deref())
    }
    fn finish(mut self, all: &[OsString], argv: Vec<Vec<u8>>, source: Source) -> Arguments {
        self.flags.debug = self.flags.debug.max(self.env_number("PYTHONDEBUG"));
        self.flags.optimize = self.flags.optimize.max(self.env_number("PYTHONOPTIMIZE"));
        self.flags.verbose = self.flags.verbose.max(self.env_number("PYTHONVERBOSE"));
        if self.env("PYTHONDONTWRITEBYTECODE").is_some() {
            self.flags.dont_write_bytecode = 1;
        }
        if self.env("PYTHONNOUSERSITE").is_some() {
            self.flags.no_user_site = 1;
        }
        if self.env("PYTHONSAFEPATH").is_some() {
            self.flags.safe_path = true;
        }
        if self.env("PYTHONINSPECT").is_some() {
            self.flags.inspect = 1;
            self.inspect = true;
        }
        if self.env("PYTHONUNBUFFERED").is_some() {
            self.unbuffered = true;
        }
        self.flags.dev_mode = self.x_option("dev").is_some() || self.env("PYTHONDEVMODE").is_some_and(|v| v != "0");
        self.flags.utf8_mode = match self.x_option("utf8") {
            Some(Some("0")) => 0,
            Some(_) => 1,
            None => i32::from(self.env("PYTHONUTF8").is_some_and(|v| v == "1")),
        };
        self.flags.warn_default_encoding = i32::from(
            self.x_option("warn_default_encoding").is_some() || self.env("PYTHONWARNDEFAULTENCODING").is_some(),
        );
        if let Some(digits) = self
            .x_option("int_max_str_digits")
            .flatten()
            .map(str::to_owned)
            .or_else(|| self.env("PYTHONINTMAXSTRDIGITS").map(|v| v.to_string_lossy().into_owned()))
            && let Ok(n) = digits.parse::<i32>()
        {
            self.flags.int_max_str_digits = n;
        }
        let seed = self.env("PYTHONHASHSEED").and_then(|s| s.to_string_lossy().parse::<u32>().ok());
        self.flags.hash_randomization = i32::from(seed != Some(0));
        let mut config = Config {
            executable: find_executable(all.first().map_or(OsStr::new("krait"), |a| a)),
            argv,
            orig_argv: all.iter().cloned().map(OsString::into_vec).collect(),
            hash_seed: seed,
            unbuffered: self.unbuffered,
            ..Config::default()
        };
        if let Some(io) = self.env("PYTHONIOENCODING") {
            let io = io.to_string_lossy().into_owned();
            let (encoding, errors) = io.split_once(':').unwrap_or((&io, ""));
            config.stdio_encoding = Some(encoding.to_owned()).filter(|e| !e.is_empty());
            config.stdio_errors = Some(errors.to_owned()).filter(|e| !e.is_empty());
        }
        let prefix = self.x_option("pycache_prefix").flatten().map(OsString::from);
        config.pycache_prefix = prefix.or_else(|| self.env("PYTHONPYCACHEPREFIX")).map(Into::into);
        if self.flags.dev_mode {
            config.warn_options.push("default".to_owned());
        }
        let from_env = self.env("PYTHONWARNINGS").map(|w| w.to_string_lossy().into_owned()).unwrap_or_default();
        config.warn_options.extend(from_env.split(',').filter(|w| !w.is_empty()).map(str::to_owned));
        config.warn_options.append(&mut self.warn);
        match self.flags.bytes_warning {
            0 => {}
            1 => config.warn_options.push("default::BytesWarning".to_owned()),
            _ => config.warn_options.push("error::BytesWarning".to_owned()),
        }
        config.x_options = std::mem::take(&mut self.x);
        fill(&mut config, self.env("PYTHONPATH").as_deref());
        config.flags = self.flags;
        Arguments { config, source, inspect: self.inspect }
    }
}
