//! `_io`: `open` and the module itself; the stream classes are in the folder. CPython: `Modules/_io/_iomodule.c`.
use krait_object::native::function;
use krait_object::{Args, Bytes, Dict, Method, ModuleDef, PyResult, Str, Thread, Tuple, Value, builtin_types::TYPE};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::exceptions::{BLOCKING_IO_ERROR, ENCODING_WARNING, OS_ERROR, RUNTIME_WARNING, VALUE_ERROR};
use krait_runtime::protocol::{attr, call, compare, number};
use krait_runtime::types::module;
use krait_runtime::types::str::units::c_string;
use krait_runtime::{config, convert};

mod arguments;
mod base;
mod buffered;
mod bytesio;
mod fileio;
mod newline;
mod stringio;
mod text;

use arguments::{IoState, chain, text_or_none};

const DEFAULT_BUFFER_SIZE: usize = 8192;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "The stream classes behind the module io.\n\nRaw streams (FileIO) read and write bytes of the operating system's \
          files, buffered streams (BufferedReader,\nBufferedWriter, BufferedRandom, BufferedRWPair) gather such calls, \
          text streams (TextIOWrapper) decode and\nencode on top of them. BytesIO and StringIO are streams in memory. \
          The abstract classes _IOBase, _RawIOBase,\n_BufferedIOBase and _TextIOBase are what they have in common.",
    functions: FUNCTIONS,
    classes: &[
        &base::DEF,
        &base::RAW_DEF,
        &base::BUFFERED_DEF,
        &base::TEXT_DEF,
        &fileio::DEF,
        &buffered::READER_DEF,
        &buffered::WRITER_DEF,
        &buffered::RANDOM_DEF,
        &buffered::pair::DEF,
        &bytesio::DEF,
        &bytesio::BUFFER_DEF,
        &stringio::DEF,
        &newline::DEF,
        &text::DEF,
    ],
    init: Some(init),
    ..ModuleDef::new("_io")
};
static FUNCTIONS: &[Method] = &[
    function(
        "open",
        "(file, mode='r', buffering=-1, encoding=None, errors=None,\n     newline=None, closefd=True, opener=None)",
        "Open file and return a stream.  Raise OSError upon failure.\n\nfile is a path or a file descriptor. mode is one of \
         'r' (read), 'w' (write, emptying the file), 'x' (create) and\n'a' (append), with 'b' for binary or 't' for text \
         and '+' for both reading and writing. buffering 0 switches\nbuffering off (binary only), 1 buffers lines (text \
         only), more is the buffer's size. encoding, errors and newline\nare for text streams, see TextIOWrapper. With \
         closefd=False a descriptor stays open when the stream is closed. opener\nis called with path and flags in place \
         of the system's open.",
        open,
    ),
    function(
        "text_encoding",
        "(encoding, stacklevel=2, /)",
        "A helper function to choose the text encoding.\n\nReturns the encoding unless it is None, else 'locale', or \
         'utf-8' in UTF-8 mode; with an EncodingWarning\nif those were asked for.",
        text_encoding,
    ),
    function("open_code", "(path)", "Opens the provided file with the intent to import the contents.", |th, a| {
        if a[0].downcast_ref::<Str>().is_none() {
            return Err(convert::wrong_type(th, "open_code", "argument 'path'", "str", &a[0]));
        }
        open_file(th, &Opening { mode: "rb", ..Opening::new(&a[0]) })
    }),
];

fn init(th: &mut Thread, me: &Value) -> PyResult<()> {
    let dict = module::dict(me);
    dict.set_text("DEFAULT_BUFFER_SIZE", DEFAULT_BUFFER_SIZE as i64);
    dict.set_text("BlockingIOError", BLOCKING_IO_ERROR.to_value());
    let state = th.interp.extension::<IoState>();
    let class = match state.unsupported.get() {
        Some(class) => class,
        None => {
            let bases = Tuple::of([OS_ERROR.to_value(), VALUE_ERROR.to_value()]);
            let namespace = Dict::new();
            namespace.set_text("__module__", "io");
            let args = [Value::str("UnsupportedOperation"), bases.into(), namespace.into()];
            call::call(th, &TYPE.to_value(), &args)?
        }
    };
    state.unsupported.set(Some(class.clone()));
    dict.set_text("UnsupportedOperation", class);
    Ok(())
}

fn text_encoding(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let level = a.opt(1).map_or(Ok(2), |v| number::to_i32(th, v))?;
    if !a[0].is_none() {
        return Ok(a[0].clone());
    }
    let flags = config::get(th).flags.clone();
    if flags.warn_default_encoding != 0 {
        let level = i64::from(level);
        krait_runtime::warnings::warn(th, &ENCODING_WARNING, "'encoding' argument not specified", level)?;
    }
    Ok(Value::str(if flags.utf8_mode != 0 { "utf-8" } else { "locale" }))
}

/// What `open` was asked for.
struct Opening<'a> {
    file: &'a Value,
    mode: &'a str,
    buffering: i32,
    encoding: Option<String>,
    errors: Option<String>,
    newline: Option<String>,
    closefd: bool,
    opener: Value,
}
impl<'a> Opening<'a> {
    fn new(file: &'a Value) -> Opening<'a> {
        Opening {
            file,
            mode: "r",
            buffering: -1,
            encoding: None,
            errors: None,
            newline: None,
            closefd: true,
            opener: Value::NONE,
        }
    }
}
fn open(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mode = match a.opt(1) {
        None => "r".to_owned(),
        Some(m) => c_string(th, m, "open() argument 'mode'")?,
    };
    let opening = Opening {
        file: &a[0],
        mode: &mode,
        buffering: a.opt(2).map_or(Ok(-1), |b| number::to_i32(th, b))?,
        encoding: text_or_none(th, a.opt(3), "open", "encoding")?,
        errors: text_or_none(th, a.opt(4), "open", "errors")?,
        newline: text_or_none(th, a.opt(5), "open", "newline")?,
        closefd: a.opt(6).map_or(Ok(true), |c| compare::truth(th, c))?,
        opener: a.opt(7).cloned().unwrap_or(Value::NONE),
    };
    open_file(th, &opening)
}

/// The parts of a mode string.
#[derive(Default)]
struct Mode {
    creating: bool,
    reading: bool,
    writing: bool,
    appending: bool,
    updating: bool,
    text: bool,
    binary: bool,
}
fn parse_mode(th: &mut Thread, text: &str) -> PyResult<Mode> {
    let mut m = Mode::default();
    for (i, c) in text.char_indices() {
        let part = match c {
            'x' => &mut m.creating,
            'r' => &mut m.reading,
            'w' => &mut m.writing,
            'a' => &mut m.appending,
            '+' => &mut m.updating,
            't' => &mut m.text,
            'b' => &mut m.binary,
            _ => return Err(value_error(th, format!("invalid mode: '{text}'"))),
        };
        *part = true;
        if text[i + 1..].contains(c) {
            return Err(value_error(th, format!("invalid mode: '{text}'")));
        }
    }
    Ok(m)
}
fn check_mode(th: &mut Thread, m: &Mode, o: &Opening<'_>) -> PyResult<()> {
    let message = if m.text && m.binary {
        "can't have text and binary mode at once"
    } else if [m.creating, m.reading, m.writing, m.appending].into_iter().filter(|&b| b).count() > 1 {
        "must have exactly one of create/read/write/append mode"
    } else if m.binary && o.encoding.is_some() {
        "binary mode doesn't take an encoding argument"
    } else if m.binary && o.errors.is_some() {
        "binary mode doesn't take an errors argument"
    } else if m.binary && o.newline.is_some() {
        "binary mode doesn't take a newline argument"
    } else {
        return Ok(());
    };
    Err(value_error(th, message))
}
fn open_file(th: &mut Thread, o: &Opening<'_>) -> PyResult<Value> {
    let file = if o.file.as_int_ref().is_some() || number::has_index(o.file) || o.file.to_f64().is_some() {
        o.file.clone()
    } else {
        convert::fspath(th, o.file)?
    };
    if file.as_int_ref().is_none()
        && file.downcast_ref::<Str>().is_none()
        && file.downcast_ref::<Bytes>().is_none()
        && !number::has_index(&file)
        && file.to_f64().is_none()
    {
        return Err(type_error(th, "invalid file"));
    }
    let m = parse_mode(th, o.mode)?;
    let mut raw_mode = String::new();
    for (set, c) in [(m.creating, 'x'), (m.reading, 'r'), (m.writing, 'w'), (m.appending, 'a'), (m.updating, '+')] {
        if set {
            raw_mode.push(c);
        }
    }
    check_mode(th, &m, o)?;
    if m.binary && o.buffering == 1 {
        let message =
            "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used";
        krait_runtime::warnings::warn(th, &RUNTIME_WARNING, message, 1)?;
    }
    let args = [file, Value::str(&raw_mode), Value::bool(o.closefd), o.opener.clone()];
    let raw = call::call(th, &fileio::FILE_IO.to_value(), &args)?;
    let mut result = raw.clone();
    match layers(th, o, &m, &raw, &mut result) {
        Ok(()) => Ok(result),
        failed => {
            let failed = failed.map(Value::from);
            chain(th, failed, |th| attr::call_method(th, &result, "close", &[]))
        }
    }
}
/// Puts the buffer and the text layer on a raw stream. `result` is the topmost layer so far.
fn layers(th: &mut Thread, o: &Opening<'_>, m: &Mode, raw: &Value, result: &mut Value) -> PyResult<()> {
    let mut buffering = i64::from(o.buffering);
    let is_tty = buffering < 0 && arguments::ask(th, raw, "isatty")?;
    let line_buffering = buffering == 1 || is_tty;
    if line_buffering {
        buffering = -1;
    }
    if buffering < 0 {
        let size = attr::get_text(th, raw, "_blksize")?;
        buffering = number::to_i64(th, &size)?;
    }
    if buffering < 0 {
        return Err(value_error(th, "invalid buffering size"));
    }
    if buffering == 0 {
        if !m.binary {
            return Err(value_error(th, "can't have unbuffered text I/O"));
        }
        return Ok(());
    }
    let class = if m.updating {
        &buffered::BUFFERED_RANDOM
    } else if m.creating || m.writing || m.appending {
        &buffered::BUFFERED_WRITER
    } else if m.reading {
        &buffered::BUFFERED_READER
    } else {
        return Err(value_error(th, format!("unknown mode: '{}'", o.mode)));
    };
    *result = call::call(th, &class.to_value(), &[raw.clone(), Value::from(buffering)])?;
    if m.binary {
        return Ok(());
    }
    let optional = |text: &Option<String>| Value::from(text.as_deref());
    let args =
        [result.clone(), optional(&o.encoding), optional(&o.errors), optional(&o.newline), Value::bool(line_buffering)];
    *result = call::call(th, &text::TEXT_IO_WRAPPER.to_value(), &args)?;
    attr::set_text(th, result, "mode", &Value::str(o.mode))
}
