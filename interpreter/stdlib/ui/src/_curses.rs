//! `_curses`: screens of character terminals, on ncurses. Functions of the module are here, windows and constants in the
//! submodules. CPython: `Modules/_cursesmodule.c`.
mod constants;
pub mod window;

use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::Relaxed};

use krait_libraries::curses::{self as library, Character, Chtype, ERR, Mouse};
use krait_object::native::function;
use krait_object::{
    Args, Bytes, ClassDef, Method, ModuleDef, PyResult, Raised, Str, Thread, Tuple, TypeObject, Value, type_flag,
};
use krait_runtime::convert;
use krait_runtime::errors::{self, import_error, overflow_error, raise, type_error, value_error};
use krait_runtime::exceptions::EXCEPTION;
use krait_runtime::protocol::buffer::bytes_like;
use krait_runtime::protocol::{attr, compare, number};
use krait_runtime::types::module;
use krait_runtime::world::blocking;

pub static MODULE: ModuleDef = ModuleDef {
    functions: FUNCTIONS,
    classes: &[&ERROR_DEF, &window::DEF],
    init: Some(init),
    ..ModuleDef::new("_curses")
};
static ERROR: TypeObject = TypeObject::builtin_like("error", &EXCEPTION);
static ERROR_DEF: ClassDef = ClassDef { module: "_curses", flags: type_flag::BASE, ..ClassDef::new(&ERROR) };

/// How far the library is initialized, which is the process's.
static HAS_TERMINAL: AtomicBool = AtomicBool::new(false);
static HAS_SCREEN: AtomicBool = AtomicBool::new(false);
static HAS_COLORS: AtomicBool = AtomicBool::new(false);
/// The time limit of `halfdelay`, in milliseconds; 0 = none.
static HALF_DELAY: AtomicI32 = AtomicI32::new(0);

#[cold]
fn error(th: &mut Thread, message: impl Into<String>) -> Raised {
    raise(th, &ERROR, message)
}
fn need(th: &mut Thread, done: &AtomicBool, message: &str) -> PyResult<()> {
    if done.load(Relaxed) { Ok(()) } else { Err(error(th, message)) }
}
fn need_terminal(th: &mut Thread) -> PyResult<()> {
    need(th, &HAS_TERMINAL, "must call (at least) setupterm() first")
}
pub fn need_screen(th: &mut Thread) -> PyResult<()> {
    need(th, &HAS_SCREEN, "must call initscr() first")
}
fn need_colors(th: &mut Thread) -> PyResult<()> {
    need_screen(th)?;
    need(th, &HAS_COLORS, "must call start_color() first")
}
/// None, or the error that a function of the library reports.
fn finished(th: &mut Thread, code: i32, function: &str) -> PyResult<Value> {
    if code == ERR { Err(error(th, format!("{function}() returned ERR"))) } else { Ok(Value::NONE) }
}

/// Attributes, or a character with them.
fn attributes(th: &mut Thread, v: &Value) -> PyResult<Chtype> {
    Ok(number::to_i64(th, v)? as Chtype)
}
/// A character: an int, a byte or a `str` of one character.
fn character(th: &mut Thread, v: &Value, attributes: Chtype) -> PyResult<Character> {
    if let Some(s) = v.downcast_ref::<Str>() {
        return match (s.len(), s.get(0)) {
            (1, Some(0)) => Ok(Character::Narrow(attributes)),
            (1, Some(c)) => Ok(Character::Wide(c, attributes)),
            (n, _) => Err(type_error(th, format!("expect bytes or str of length 1, or int, got a str of length {n}"))),
        };
    }
    Ok(Character::Narrow(narrow(th, v)? | attributes))
}
/// As [`character`], for functions that have no wide form.
fn narrow(th: &mut Thread, v: &Value) -> PyResult<Chtype> {
    if let Some(b) = v.downcast_ref::<Bytes>() {
        return match b.as_slice() {
            [c] => Ok((*c).into()),
            other => {
                let n = other.len();
                Err(type_error(th, format!("expect bytes or str of length 1, or int, got a bytes of length {n}")))
            }
        };
    }
    if let Some(s) = v.downcast_ref::<Str>() {
        return match (s.len(), s.get(0)) {
            (1, Some(c)) if c < 128 => Ok(c),
            (1, _) => Err(overflow_error(th, "character doesn't fit in a byte")),
            (n, _) => Err(type_error(th, format!("expect bytes or str of length 1, or int, got a str of length {n}"))),
        };
    }
    let Some(n) = v.as_int_ref() else {
        let given = v.class().name();
        return Err(type_error(th, format!("expect bytes or str of length 1, or int, got {given}")));
    };
    match n.to_i64().map(Chtype::try_from) {
        Some(Ok(c)) => Ok(c),
        _ => Err(overflow_error(th, "byte doesn't fit in chtype")),
    }
}
fn bytes_or_empty(text: Option<CString>) -> Value {
    Bytes::new(text.unwrap_or_default().as_bytes()).into()
}
fn capability(th: &mut Thread, v: &Value, function: &str) -> PyResult<CString> {
    let text = convert::expect_text(th, v, function, "argument")?;
    CString::new(text).map_err(|_| value_error(th, "embedded null character"))
}
fn pair(numbers: [i32; 2]) -> Value {
    Tuple::of(numbers.map(Value::from)).into()
}
fn i32s<const N: usize>(th: &mut Thread, a: &Args<'_>) -> PyResult<[i32; N]> {
    let mut out = [0; N];
    for (i, n) in out.iter_mut().enumerate() {
        *n = number::to_i32(th, &a[i])?;
    }
    Ok(out)
}

/// Functions without parameters: what they need and what they answer.
macro_rules! simple {
    ($name:ident, $need:ident, status) => {
        function(stringify!($name), "()", "See the manual of curses.", |th, _| {
            $need(th)?;
            let code = blocking(th, library::$name);
            finished(th, code, stringify!($name))
        })
    };
    ($name:ident, $need:ident, bool) => {
        function(stringify!($name), "()", "See the manual of curses.", |th, _| {
            $need(th)?;
            Ok(Value::bool(library::$name()))
        })
    };
    ($name:ident, $need:ident, nothing) => {
        function(stringify!($name), "()", "See the manual of curses.", |th, _| {
            $need(th)?;
            library::$name();
            Ok(Value::NONE)
        })
    };
    ($name:ident, $need:ident, number) => {
        function(stringify!($name), "()", "See the manual of curses.", |th, _| {
            $need(th)?;
            Ok(library::$name().into())
        })
    };
}
/// A mode that is switched on or, with a false argument, by another function off.
macro_rules! mode {
    ($name:ident, $off:ident) => {
        function(stringify!($name), "(flag=True, /)", "Switch a mode of the terminal on or off.", |th, a| {
            need_screen(th)?;
            let on = a.opt(0).map_or(Ok(true), |v| compare::truth(th, v))?;
            let code = if on { library::$name() } else { library::$off() };
            if matches!(stringify!($name), "cbreak" | "raw") {
                HALF_DELAY.store(0, Relaxed);
            }
            finished(th, code, if on { stringify!($name) } else { stringify!($off) })
        })
    };
}

static FUNCTIONS: &[Method] = &[
    simple!(baudrate, need_screen, number),
    simple!(beep, need_screen, status),
    simple!(can_change_color, need_screen, bool),
    mode!(cbreak, nocbreak),
    function("color_content", "(color_number, /)", "The red, green and blue of a color, 0 to 1000.", |th, a| {
        need_colors(th)?;
        let color = number::to_i32(th, &a[0])?;
        match library::color_content(color) {
            Ok(parts) => Ok(Tuple::of(parts.map(Value::from)).into()),
            Err(_) => Err(error(th, "extended_color_content() returned ERR")),
        }
    }),
    function("color_pair", "(pair_number, /)", "The attribute of a color pair.", |th, a| {
        need_colors(th)?;
        Ok((number::to_i32(th, &a[0])? << 8).into())
    }),
    function("curs_set", "(visibility, /)", "Hide the cursor, show it, show it well; what it was.", |th, a| {
        need_screen(th)?;
        let visibility = number::to_i32(th, &a[0])?;
        match library::curs_set(visibility) {
            ERR => Err(error(th, "curs_set() returned ERR")),
            before => Ok(before.into()),
        }
    }),
    simple!(def_prog_mode, need_screen, status),
    simple!(def_shell_mode, need_screen, status),
    function("delay_output", "(ms, /)", "Insert a pause in output.", |th, a| {
        need_screen(th)?;
        let ms = number::to_i32(th, &a[0])?;
        let code = blocking(th, || library::delay_output(ms));
        finished(th, code, "delay_output")
    }),
    simple!(doupdate, need_screen, status),
    mode!(echo, noecho),
    simple!(endwin, need_screen, status),
    function("erasechar", "()", "The user's character that erases a character.", |th, _| {
        need_screen(th)?;
        Ok(Bytes::new(&[library::erasechar()]).into())
    }),
    function("filter", "()", "Use one line of the screen only; before initscr().", |_, _| {
        library::filter();
        Ok(Value::NONE)
    }),
    simple!(flash, need_screen, status),
    simple!(flushinp, need_screen, status),
    function("get_escdelay", "()", "How long to wait after ESC, in milliseconds.", |_, _| {
        Ok(library::escdelay().into())
    }),
    function("get_tabsize", "()", "The columns of a tab.", |_, _| Ok(library::tabsize().into())),
    function("getmouse", "()", "The mouse event that KEY_MOUSE told of: (id, x, y, z, bstate).", |th, _| {
        need_screen(th)?;
        match library::getmouse() {
            Ok(m) => {
                let parts = [i32::from(m.id), m.x, m.y, m.z].map(Value::from).into_iter().chain([m.state.into()]);
                Ok(Tuple::from_vec(parts.collect()).into())
            }
            Err(_) => Err(error(th, "getmouse() returned ERR")),
        }
    }),
    function("getsyx", "()", "Where the virtual screen's cursor is.", |th, _| {
        need_screen(th)?;
        Ok(pair(library::getsyx().unwrap_or([-1, -1])))
    }),
    function("getwin", "(file, /)", "Read a window that putwin() wrote.", window::read),
    function("halfdelay", "(tenths, /)", "As cbreak(), with a time limit.", |th, a| {
        need_screen(th)?;
        let tenths = number::to_i32(th, &a[0])?;
        let done = finished(th, library::halfdelay(tenths), "halfdelay")?;
        HALF_DELAY.store(tenths.saturating_mul(100), Relaxed);
        Ok(done)
    }),
    simple!(has_colors, need_screen, bool),
    function("has_extended_color_support", "()", "Whether there may be more than 256 color pairs.", |_, _| {
        Ok(Value::TRUE)
    }),
    simple!(has_ic, need_screen, bool),
    simple!(has_il, need_screen, bool),
    function("has_key", "(key, /)", "Whether the terminal has a key.", |th, a| {
        need_screen(th)?;
        let key = number::to_i32(th, &a[0])?;
        Ok(Value::bool(library::has_key(key) != 0))
    }),
    function("init_color", "(color_number, r, g, b, /)", "Change a color.", |th, a| {
        need_colors(th)?;
        let [color, r, g, b] = i32s(th, a)?;
        finished(th, library::init_extended_color(color, r, g, b), "init_extended_color")
    }),
    function("init_pair", "(pair_number, fg, bg, /)", "Change a color pair.", |th, a| {
        need_colors(th)?;
        let [number, f, b] = i32s(th, a)?;
        finished(th, library::init_extended_pair(number, f, b), "init_extended_pair")
    }),
    function("initscr", "()", "Initialize the library; the window of the screen.", window::initscr),
    function("intrflush", "(flag, /)", "Whether an interrupt drops output.", |th, a| {
        need_screen(th)?;
        let on = compare::truth(th, &a[0])?;
        finished(th, library::intrflush(on), "intrflush")
    }),
    function("is_term_resized", "(nlines, ncols, /)", "Whether resize_term() would change anything.", |th, a| {
        need_screen(th)?;
        let [lines, columns] = i32s(th, a)?;
        Ok(Value::bool(library::is_term_resized(lines, columns)))
    }),
    simple!(isendwin, need_screen, bool),
    function("keyname", "(key, /)", "The name of a key.", |th, a| {
        need_screen(th)?;
        let key = number::to_i32(th, &a[0])?;
        if key < 0 {
            return Err(value_error(th, "invalid key number"));
        }
        Ok(bytes_or_empty(library::keyname(key)))
    }),
    function("killchar", "()", "The user's character that erases a line.", |th, _| {
        need_screen(th)?;
        Ok(Bytes::new(&[library::killchar()]).into())
    }),
    function("longname", "()", "What the terminal is.", |th, _| {
        need_screen(th)?;
        Ok(bytes_or_empty(library::longname()))
    }),
    function("meta", "(yes, /)", "Whether 8 bits of input are read.", |th, a| {
        need_screen(th)?;
        let on = compare::truth(th, &a[0])?;
        finished(th, library::meta(on), "meta")
    }),
    function("mouseinterval", "(interval, /)", "The longest time of a click, in milliseconds.", |th, a| {
        need_screen(th)?;
        let interval = number::to_i32(th, &a[0])?;
        finished(th, library::mouseinterval(interval), "mouseinterval")
    }),
    function(
        "mousemask",
        "(newmask, /)",
        "Which mouse events are told: those available, those told before.",
        |th, a| {
            need_screen(th)?;
            let mask = number::to_masked(th, &a[0], 32)? as u32;
            let (available, old) = library::mousemask(mask);
            Ok(Tuple::of([available.into(), old.into()]).into())
        },
    ),
    function("napms", "(ms, /)", "Sleep for milliseconds.", |th, a| {
        need_screen(th)?;
        let ms = number::to_i32(th, &a[0])?;
        let time = std::time::Duration::from_millis(u64::try_from(ms).unwrap_or(0));
        blocking(th, || std::thread::sleep(time));
        Ok(Value::int(0))
    }),
    function("newpad", "(nlines, ncols, /)", "A new pad.", window::new_pad),
    function("newwin", "(*args)", "newwin(nlines, ncols, [begin_y=0, begin_x=0])\nA new window.", window::new).hidden(),
    mode!(nl, nonl),
    function("nocbreak", "()", "End cbreak().", |th, _| {
        need_screen(th)?;
        HALF_DELAY.store(0, Relaxed);
        finished(th, library::nocbreak(), "nocbreak")
    }),
    simple!(noecho, need_screen, status),
    simple!(nonl, need_screen, status),
    simple!(noqiflush, need_screen, nothing),
    simple!(noraw, need_screen, status),
    function("pair_content", "(pair_number, /)", "The foreground and background of a color pair.", |th, a| {
        need_colors(th)?;
        let number = number::to_i32(th, &a[0])?;
        match library::pair_content(number) {
            Ok(colors) => Ok(pair(colors)),
            Err(_) => Err(error(th, "extended_pair_content() returned ERR")),
        }
    }),
    function("pair_number", "(attr, /)", "The color pair of an attribute.", |th, a| {
        need_colors(th)?;
        let attributes = number::to_i32(th, &a[0])?;
        Ok(library::pair_of(attributes as Chtype).into())
    }),
    function("putp", "(string, /)", "Send a capability to standard output.", |th, a| {
        let bytes = bytes_like(th, &a[0])?;
        let text = CString::new(bytes).map_err(|_| value_error(th, "embedded null byte"))?;
        finished(th, library::putp(&text), "putp")
    }),
    function("qiflush", "(flag=True, /)", "Whether interrupts drop what is queued.", |th, a| {
        need_screen(th)?;
        if a.opt(0).map_or(Ok(true), |v| compare::truth(th, v))? {
            library::qiflush()
        } else {
            library::noqiflush()
        }
        Ok(Value::NONE)
    }),
    mode!(raw, noraw),
    simple!(reset_prog_mode, need_screen, status),
    simple!(reset_shell_mode, need_screen, status),
    simple!(resetty, need_screen, status),
    function("resize_term", "(nlines, ncols, /)", "Give the screen another size.", |th, a| {
        need_screen(th)?;
        let [lines, columns] = i32s(th, a)?;
        let done = finished(th, library::resize_term(lines, columns), "resize_term")?;
        update_size(th)?;
        Ok(done)
    }),
    function("resizeterm", "(nlines, ncols, /)", "Give the screen the terminal's new size.", |th, a| {
        need_screen(th)?;
        let [lines, columns] = i32s(th, a)?;
        let done = finished(th, library::resizeterm(lines, columns), "resizeterm")?;
        update_size(th)?;
        Ok(done)
    }),
    simple!(savetty, need_screen, status),
    function("set_escdelay", "(ms, /)", "Set how long to wait after ESC.", |th, a| {
        let ms = number::to_i32(th, &a[0])?;
        if ms <= 0 {
            return Err(value_error(th, "ms must be > 0"));
        }
        finished(th, library::set_escdelay(ms), "set_escdelay")
    }),
    function("set_tabsize", "(size, /)", "Set the columns of a tab.", |th, a| {
        let size = number::to_i32(th, &a[0])?;
        if size <= 0 {
            return Err(value_error(th, "size must be > 0"));
        }
        finished(th, library::set_tabsize(size), "set_tabsize")
    }),
    function("setsyx", "(y, x, /)", "Set the virtual screen's cursor.", |th, a| {
        need_screen(th)?;
        let [y, x] = i32s(th, a)?;
        library::setsyx((y != -1 || x != -1).then_some([y, x]));
        Ok(Value::NONE)
    }),
    function("setupterm", "(term=None, fd=-1)", "Initialize the terminal.", set_up),
    function("start_color", "()", "Begin to use colors.", |th, _| {
        need_screen(th)?;
        finished(th, library::start_color(), "start_color")?;
        HAS_COLORS.store(true, Relaxed);
        let [colors, pairs] = library::colors();
        set(th, "COLORS", colors.into())?;
        set(th, "COLOR_PAIRS", pairs.into())?;
        Ok(Value::NONE)
    }),
    simple!(termattrs, need_screen, number),
    function("termname", "()", "The terminal's name.", |th, _| {
        need_screen(th)?;
        Ok(bytes_or_empty(library::termname()))
    }),
    function("tigetflag", "(capname, /)", "A capability that is a flag.", |th, a| {
        need_terminal(th)?;
        let name = capability(th, &a[0], "tigetflag")?;
        Ok(library::tigetflag(&name).into())
    }),
    function("tigetnum", "(capname, /)", "A capability that is a number.", |th, a| {
        need_terminal(th)?;
        let name = capability(th, &a[0], "tigetnum")?;
        Ok(library::tigetnum(&name).into())
    }),
    function("tigetstr", "(capname, /)", "A capability that is a string, or None.", |th, a| {
        need_terminal(th)?;
        let name = capability(th, &a[0], "tigetstr")?;
        Ok(library::tigetstr(&name).map_or(Value::NONE, |s| bytes_or_empty(Some(s))))
    }),
    function(
        "tparm",
        "(str, i1=0, i2=0, i3=0, i4=0, i5=0, i6=0, i7=0, i8=0,\n      i9=0, /)",
        "A capability with its parameters.",
        |th, a| {
            need_terminal(th)?;
            let bytes = bytes_like(th, &a[0])?;
            let text = CString::new(bytes).map_err(|_| value_error(th, "embedded null byte"))?;
            let mut parameters = [0; 9];
            for (i, p) in parameters.iter_mut().enumerate() {
                *p = a.opt(i + 1).map_or(Ok(0), |v| number::to_i32(th, v))?;
            }
            match library::tparm(&text, parameters) {
                Some(text) => Ok(bytes_or_empty(Some(text))),
                None => Err(error(th, "tparm() returned NULL")),
            }
        },
    ),
    function("typeahead", "(fd, /)", "Which file is looked at for typed ahead input; -1: none.", |th, a| {
        need_screen(th)?;
        let fd = number::to_i32(th, &a[0])?;
        finished(th, library::typeahead(fd), "typeahead")
    }),
    function("unctrl", "(ch, /)", "A character in print.", |th, a| {
        need_screen(th)?;
        let c = narrow(th, &a[0])?;
        Ok(bytes_or_empty(library::unctrl(c)))
    }),
    function("unget_wch", "(ch, /)", "Push a character back.", |th, a| {
        need_screen(th)?;
        let key = match a[0].downcast_ref::<Str>() {
            Some(s) if s.len() == 1 => s.get(0).unwrap_or(0) as i32,
            Some(s) => {
                let n = s.len();
                return Err(type_error(th, format!("expect str of length 1 or int, got a str of length {n}")));
            }
            None if a[0].as_int_ref().is_some() => number::to_i32(th, &a[0])?,
            None => {
                let given = a[0].class().name();
                return Err(type_error(th, format!("expect str of length 1 or int, got {given}")));
            }
        };
        finished(th, library::unget_wch(key), "unget_wch")
    }),
    function("ungetch", "(ch, /)", "Push a key back.", |th, a| {
        need_screen(th)?;
        let c = narrow(th, &a[0])?;
        finished(th, library::ungetch(c as i32), "ungetch")
    }),
    function("ungetmouse", "(id, x, y, z, bstate, /)", "Push a mouse event back.", |th, a| {
        need_screen(th)?;
        let [id, x, y, z] = i32s(th, a)?;
        let state = number::to_masked(th, &a[4], 32)? as u32;
        finished(th, library::ungetmouse(Mouse { id: id as i16, x, y, z, state }), "ungetmouse")
    }),
    function("update_lines_cols", "()", "Give LINES and COLS the screen's size.", |th, _| {
        need_screen(th)?;
        update_size(th)?;
        Ok(Value::NONE)
    }),
    function("use_default_colors", "()", "Let -1 be the terminal's own colors.", |th, _| {
        need_colors(th)?;
        finished(th, library::use_default_colors(), "use_default_colors")
    }),
    function("use_env", "(flag, /)", "Whether LINES and COLUMNS count; before initscr().", |th, a| {
        let on = compare::truth(th, &a[0])?;
        library::use_env(on);
        Ok(Value::NONE)
    }),
];

/// Sets what is known only with a terminal, in this module and in `curses`.
fn set(th: &mut Thread, name: &str, value: Value) -> PyResult<()> {
    for module in ["_curses", "curses"] {
        let module = krait_runtime::import::import_module(th, module)?;
        attr::set_text(th, &module, name, &value)?;
    }
    Ok(())
}
fn update_size(th: &mut Thread) -> PyResult<()> {
    let [lines, columns] = library::size();
    set(th, "LINES", lines.into())?;
    set(th, "COLS", columns.into())
}
fn set_up(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let term = match a.opt_not_none(0) {
        Some(v) if v.downcast_ref::<Str>().is_some() => Some(capability(th, v, "setupterm")?),
        Some(v) => return Err(convert::wrong_type(th, "setupterm", "argument 1", "str or None", v)),
        None => None,
    };
    let mut fd = a.opt(1).map_or(Ok(-1), |v| number::to_i32(th, v))?;
    if fd == -1 {
        let out = krait_runtime::functions::io::sys_attr(th, "stdout")?.filter(|v| !v.is_none());
        let Some(out) = out else { return Err(error(th, "lost sys.stdout")) };
        let number = attr::call_method(th, &out, "fileno", &[])?;
        fd = number::to_i32(th, &number)?;
    }
    if HAS_TERMINAL.load(Relaxed) {
        return Ok(Value::NONE);
    }
    match library::setupterm(term.as_deref(), fd) {
        Ok(()) => {
            HAS_TERMINAL.store(true, Relaxed);
            Ok(Value::NONE)
        }
        Err(0) => Err(error(th, "setupterm: could not find terminal")),
        Err(-1) => Err(error(th, "setupterm: could not find terminfo database")),
        Err(_) => Err(error(th, "setupterm: unknown error")),
    }
}

fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    if !library::is_there() {
        return Err(import_error(th, "ncurses 6 was not found on this system"));
    }
    let d = module::dict(m);
    constants::add(&d);
    d.set_text("version", Bytes::new(b"2.2"));
    d.set_text("__version__", Bytes::new(b"2.2"));
    d.set_text("ncurses_version", constants::version(th));
    Ok(())
}
/// A text argument for bytes of the terminal, without NUL.
fn c_bytes(th: &mut Thread, bytes: &[u8]) -> PyResult<CString> {
    CString::new(bytes).map_err(|_| value_error(th, "embedded null character"))
}
/// The library's version as three numbers.
fn version_numbers() -> Vec<i64> {
    let text: &CStr = &library::version();
    let text = text.to_string_lossy();
    let numbers = text.rsplit(' ').next().unwrap_or_default().split('.');
    numbers.filter_map(|n| n.parse().ok()).collect()
}
fn text_error(th: &mut Thread, s: &krait_object::Ref<Str>) -> Raised {
    errors::surrogates_not_allowed(th, s)
}
