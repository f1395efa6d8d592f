//! What `-h`, `--help-env`, `--help-xoptions` and `--help-all` print. One option or variable a row; the rows are Python's, the
//! words are ours.
use std::fmt::Write as _;

pub const USAGE: &str = "usage: {} [option] ... [-c cmd | -m mod | file | -] [arg] ...";

/// Option, equivalent variable ("" = none), what it does.
static OPTIONS: &[(&str, &str, &str)] = &[
    ("-b", "", "warn about str(bytes) and comparisons of bytes with str or int (-bb: raise errors)"),
    ("-B", "PYTHONDONTWRITEBYTECODE=x", "do not write .pyc files"),
    ("-c cmd", "", "run the text cmd as a program (ends the options)"),
    ("-d", "PYTHONDEBUG=x", "parser debugging; of no effect here"),
    ("-E", "", "ignore all PYTHON* variables"),
    ("-h", "", "print this help and exit (also -? or --help)"),
    ("-i", "PYTHONINSPECT=x", "go on interactively after the program; prompt even if stdin is no terminal"),
    ("-I", "", "isolated from the user's environment (implies -E, -P and -s)"),
    ("-m mod", "", "run the module mod as a program (ends the options)"),
    ("-O", "PYTHONOPTIMIZE=x", "leave out assert and code that depends on __debug__; .pyc files get .opt-1"),
    ("-OO", "", "as -O, and leave out docstrings; .pyc files get .opt-2"),
    ("-P", "PYTHONSAFEPATH=x", "do not put a potentially unsafe folder in front of sys.path"),
    ("-q", "", "no version and copyright message when interactive"),
    ("-s", "PYTHONNOUSERSITE=x", "leave the user's site folder out of sys.path"),
    ("-S", "", "do not import site"),
    ("-u", "PYTHONUNBUFFERED=x", "stdout and stderr without buffers"),
    ("-v", "PYTHONVERBOSE=x", "trace imports; twice for more"),
    ("-V", "", "print the version and exit (also --version); twice for more"),
    ("-W arg", "PYTHONWARNINGS=arg", "warning filter, action:message:category:module:lineno"),
    ("-x", "", "skip the first line of the program"),
    ("-X opt", "", "option of the implementation, see --help-xoptions"),
];
static LONG: &[(&str, &str)] = &[
    ("--check-hash-based-pycs always|default|never", "when .pyc files with a source hash are checked"),
    ("--help-env", "print help about the variables and exit"),
    ("--help-xoptions", "print help about the -X options and exit"),
    ("--help-all", "print all help and exit"),
];
static ARGUMENTS: &[(&str, &str)] = &[
    ("file", "run this program"),
    ("-", "read the program from stdin (the default; interactive on a terminal)"),
    ("arg ...", "what the program finds in sys.argv[1:]"),
];
static ENVIRONMENT: &[(&str, &str)] = &[
    ("KRAIT_HOME", "where the pure-Python standard library is"),
    ("PYTHON_BASIC_REPL", "if set, no line editing when interactive"),
    ("PYTHON_COLORS", "1: colour the output, 0: do not"),
    ("PYTHON_CPU_COUNT", "what os.cpu_count() returns (-X cpu_count)"),
    ("PYTHON_FROZEN_MODULES", "on or off (-X frozen_modules)"),
    ("PYTHON_GIL", "1: threads take turns (-X gil)"),
    ("PYTHON_HISTORY", "the file of the interactive history"),
    ("PYTHONBREAKPOINT", "what breakpoint() calls; 0: nothing"),
    ("PYTHONDEVMODE", "development mode (-X dev)"),
    ("PYTHONFAULTHANDLER", "traceback on fatal errors (-X faulthandler)"),
    ("PYTHONHASHSEED", "random, or the seed of the hashes of str and bytes"),
    ("PYTHONHOME", "alternate prefix, or prefix:exec_prefix"),
    ("PYTHONINTMAXSTRDIGITS", "limit of int<->str conversions (-X int_max_str_digits)"),
    ("PYTHONIOENCODING", "encoding[:errors] of stdin, stdout and stderr"),
    ("PYTHONNODEBUGRANGES", "no columns in code objects (-X no_debug_ranges)"),
    ("PYTHONPATH", "folders in front of the default search path"),
    ("PYTHONPLATLIBDIR", "what sys.platlibdir is"),
    ("PYTHONPROFILEIMPORTTIME", "time imports (-X importtime)"),
    ("PYTHONPYCACHEPREFIX", "the root of .pyc files (-X pycache_prefix)"),
    ("PYTHONSTARTUP", "program run first when interactive"),
    ("PYTHONTRACEMALLOC", "trace allocations (-X tracemalloc)"),
    ("PYTHONUTF8", "1: UTF-8 mode (-X utf8)"),
    ("PYTHONWARNDEFAULTENCODING", "EncodingWarning for encoding=None (-X warn_default_encoding)"),
];
static X_OPTIONS: &[(&str, &str)] = &[
    ("-X cpu_count=N", "what os.cpu_count() returns; default: the machine's number"),
    ("-X dev", "development mode"),
    ("-X faulthandler", "traceback on fatal errors"),
    ("-X frozen_modules=on|off", "whether start-up modules come from the cache"),
    ("-X gil=1", "threads take turns"),
    ("-X importtime", "time imports"),
    ("-X int_max_str_digits=N", "limit of int<->str conversions; 0: none"),
    ("-X no_debug_ranges", "no columns in code objects"),
    ("-X pycache_prefix=PATH", "the root of .pyc files"),
    ("-X tracemalloc[=N]", "trace allocations, with N frames each"),
    ("-X utf8[=0|1]", "UTF-8 mode"),
    ("-X warn_default_encoding", "EncodingWarning for encoding=None"),
];

/// One row: a name column, the words broken at 79 columns.
fn row(out: &mut String, name: &str, indent: usize, words: &str) {
    let head = format!("{name:<w$}: ", w = indent - 2);
    let mut line = head.clone();
    if head.len() > indent {
        let _ = writeln!(out, "{}", head.trim_end());
        line = " ".repeat(indent);
    }
    for word in words.split(' ') {
        if line.len() + word.len() > 79 {
            let _ = writeln!(out, "{}", line.trim_end());
            line = " ".repeat(indent);
        }
        line.push_str(word);
        line.push(' ');
    }
    let _ = writeln!(out, "{}", line.trim_end());
}
/// `-h`
pub fn usage(program: &str) -> String {
    let mut out = USAGE.replace("{}", program) + "\nOptions (and corresponding environment variables):\n";
    for (name, variable, words) in OPTIONS {
        let also = if variable.is_empty() { String::new() } else { format!("; also {variable}") };
        row(&mut out, name, 9, &format!("{words}{also}"));
    }
    for (name, words) in LONG {
        row(&mut out, name, 9, words);
    }
    out.push_str("\nArguments:\n");
    for (name, words) in ARGUMENTS {
        row(&mut out, name, 9, words);
    }
    out
}
/// `--help-env`
pub fn environment() -> String {
    let mut out = "Environment variables that change behavior:\n".to_owned();
    for (name, words) in ENVIRONMENT {
        row(&mut out, name, 18, words);
    }
    for (name, variable, _) in OPTIONS.iter().filter(|o| !o.1.is_empty()) {
        let variable = variable.split('=').next().unwrap_or_default();
        row(&mut out, variable, 18, &format!("as {name}"));
    }
    out
}
/// `--help-xoptions`
pub fn x_options() -> String {
    let mut out = "The following implementation-specific options are available:\n".to_owned();
    for (name, words) in X_OPTIONS {
        row(&mut out, name, 9, words);
    }
    out
}
/// `--help-all`
pub fn all(program: &str) -> String {
    format!("{}\n{}\n{}", usage(program), environment(), x_options())
}
