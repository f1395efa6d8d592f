//! `window`: a window or pad. What is read from the keyboard and from files is in `input`.
mod input;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use krait_libraries::curses::{self as library, Chtype, Window};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{getset, method};
use krait_object::{
    Args, ClassDef, GetSet, Method, PyResult, Ref, Str, Thread, TypeObject, VTable, Value, ValueCell, type_flag,
};
use krait_runtime::errors::type_error;
use krait_runtime::protocol::{attr, compare, number};
use krait_runtime::types::module;
use krait_runtime::world::blocking;

use super::{
    HAS_SCREEN, HAS_TERMINAL, attributes, c_bytes, character, constants, error, finished, i32s, narrow, need_screen,
    pair, text_error,
};

pub use input::read;

#[derive(Trace, Payload)]
#[payload(class = WINDOW)]
pub struct CursesWindow {
    #[trace(skip)]
    pub window: Arc<Window>,
    /// Text is written in this encoding where characters are no wide ones.
    encoding: ValueCell,
}
static LAYOUT: VTable = VTable::of::<CursesWindow>();
static WINDOW: TypeObject = TypeObject::builtin("window", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_curses",
    methods: METHODS,
    getset: ATTRIBUTES,
    flags: type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&WINDOW)
};
static ATTRIBUTES: &[GetSet] = &[getset(
    "encoding",
    "the typecode character used to create the array",
    |_, v| Ok(this(v).encoding.get().unwrap_or_else(|| Value::str("utf-8"))),
    |th, v, new| match new {
        Some(new) if new.downcast_ref::<Str>().is_some() => {
            this(v).encoding.set(Some(new.clone()));
            Ok(())
        }
        Some(_) => Err(type_error(th, "setting encoding to a non-string")),
        None => Err(type_error(th, "encoding may not be deleted")),
    },
)];
fn this(v: &Value) -> &CursesWindow {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn window<'a>(a: &Args<'a>) -> &'a Arc<Window> {
    &a.this::<CursesWindow>().window
}
pub fn wrap(th: &mut Thread, made: Option<Window>) -> PyResult<Value> {
    match made {
        Some(made) => Ok(Ref::new(CursesWindow { window: Arc::new(made), encoding: ValueCell::empty() }).into()),
        None => Err(error(th, "curses function returned NULL")),
    }
}
/// The window of an argument.
pub fn of_argument<'a>(th: &mut Thread, v: &'a Value, function: &str) -> PyResult<&'a Arc<Window>> {
    match v.downcast_ref::<CursesWindow>() {
        Some(w) => Ok(&w.window),
        None => Err(krait_runtime::convert::wrong_type(th, function, "argument 1", "_curses.window", v)),
    }
}

pub fn initscr(th: &mut Thread, _: &Args<'_>) -> PyResult<Value> {
    let first = !HAS_SCREEN.load(Relaxed);
    let made = blocking(th, library::initscr);
    if !first {
        made.as_ref().map(Window::refresh);
        return wrap(th, made);
    }
    HAS_TERMINAL.store(true, Relaxed);
    HAS_SCREEN.store(true, Relaxed);
    let screen = wrap(th, made)?;
    let m = krait_runtime::import::import_module(th, "_curses")?;
    constants::add_lines(&module::dict(&m));
    let [lines, columns] = library::size();
    attr::set_text(th, &m, "LINES", &lines.into())?;
    attr::set_text(th, &m, "COLS", &columns.into())?;
    Ok(screen)
}
pub fn new_pad(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    need_screen(th)?;
    let [lines, columns] = i32s(th, a)?;
    wrap(th, Window::new_pad(lines, columns))
}
pub fn new(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    need_screen(th)?;
    let args = a[0].downcast_ref::<krait_object::Tuple>().map_or_else(Vec::new, |args| args.to_vec());
    let n = numbers(th, "_curses.newwin", &args, &[2, 4])?;
    let at = |i: usize| n.get(i).copied().unwrap_or(0);
    wrap(th, Window::new(at(0), at(1), at(2), at(3)))
}

/// Numbers, as many as one of these counts.
fn numbers(th: &mut Thread, name: &str, args: &[Value], counts: &[usize]) -> PyResult<Vec<i32>> {
    if !counts.contains(&args.len()) {
        let wanted = counts.iter().map(usize::to_string).collect::<Vec<_>>().join(" or ");
        return Err(type_error(th, format!("{name} requires {wanted} arguments")));
    }
    args.iter().map(|v| number::to_i32(th, v)).collect()
}
/// `[y, x,] wanted [, optional]`: the place, if one is given, and the rest.
fn split<'a>(
    th: &mut Thread,
    a: &Args<'a>,
    name: &str,
    wanted: usize,
    optional: usize,
) -> PyResult<(Option<[i32; 2]>, &'a [Value])> {
    let args = &a.pos()[1..];
    if (wanted..=wanted + optional).contains(&args.len()) {
        return Ok((None, args));
    }
    if !(wanted + 2..=wanted + optional + 2).contains(&args.len()) {
        let most = wanted + optional + 2;
        return Err(type_error(th, format!("{name} requires {wanted} to {most} arguments")));
    }
    Ok((Some([number::to_i32(th, &args[0])?, number::to_i32(th, &args[1])?]), &args[2..]))
}
/// Moves the cursor to the place, for a function of that name.
fn go(th: &mut Thread, w: &Window, place: Option<[i32; 2]>, name: &str) -> PyResult<()> {
    let Some([y, x]) = place else { return Ok(()) };
    finished(th, w.move_cursor(y, x), name).map(|_| ())
}
/// As [`split`], and goes to the place.
fn at_place<'a>(th: &mut Thread, a: &Args<'a>, name: &str, wanted: usize, optional: usize) -> PyResult<&'a [Value]> {
    let (place, rest) = split(th, a, name, wanted, optional)?;
    go(th, window(a), place, name)?;
    Ok(rest)
}
fn attributes_or(th: &mut Thread, v: Option<&Value>) -> PyResult<Chtype> {
    v.map_or(Ok(0), |v| attributes(th, v))
}

/// `method(ch[, attr])` at the cursor or a place.
fn write_character(
    th: &mut Thread,
    a: &Args<'_>,
    name: &str,
    write: fn(&Window, library::Character) -> i32,
) -> PyResult<Value> {
    let (place, rest) = split(th, a, name, 1, 1)?;
    let attributes = attributes_or(th, rest.get(1))?;
    let c = character(th, &rest[0], attributes)?;
    let name = if matches!(c, library::Character::Wide(..)) { "add_wch" } else { name };
    go(th, window(a), place, name)?;
    finished(th, write(window(a), c), name)
}
/// `method(str[, n][, attr])` at the cursor or a place.
fn write_text(th: &mut Thread, a: &Args<'_>, name: &str, counted: bool, insert: bool) -> PyResult<Value> {
    let (place, rest) = split(th, a, name, if counted { 2 } else { 1 }, 1)?;
    // Errors name the library's function.
    let name = match (rest[0].downcast_ref::<Str>().is_some(), insert, counted) {
        (false, ..) => name,
        (true, true, _) => "insn_wstr",
        (true, false, true) => "addnwstr",
        (true, false, false) => "addwstr",
    };
    go(th, window(a), place, name)?;
    let n = if counted { number::to_i32(th, &rest[1])? } else { -1 };
    let w = window(a);
    let before = match rest.get(if counted { 2 } else { 1 }) {
        Some(v) => {
            let new = attributes(th, v)?;
            let before = w.attributes();
            w.attr_set(new as i32);
            Some(before)
        }
        None => None,
    };
    let code = match rest[0].to_ref::<Str>() {
        Some(s) => {
            let points: Vec<u32> = s.iter().collect();
            if points.contains(&0) {
                return Err(krait_runtime::errors::value_error(th, "embedded null character"));
            }
            if points.iter().any(|&c| char::from_u32(c).is_none()) {
                return Err(text_error(th, &s));
            }
            if insert { w.insert_text(&points, n) } else { w.add_text(&points, n) }
        }
        None => {
            let Some(bytes) = rest[0].downcast_ref::<krait_object::Bytes>() else {
                let given = rest[0].class().name();
                return Err(type_error(th, format!("expect bytes or str, got {given}")));
            };
            let text = c_bytes(th, bytes)?;
            if insert { w.insert_bytes(&text, n) } else { w.add_bytes(&text, n) }
        }
    };
    if let Some(before) = before {
        w.attr_set(before as i32);
    }
    finished(th, code, name)
}
/// `method(ch, n[, attr])` at the cursor or a place.
fn draw_line(th: &mut Thread, a: &Args<'_>, name: &str, draw: fn(&Window, Chtype, i32) -> i32) -> PyResult<Value> {
    let rest = at_place(th, a, name, 2, 1)?;
    let attributes = attributes_or(th, rest.get(2))?;
    let (c, n) = (narrow(th, &rest[0])?, number::to_i32(th, &rest[1])?);
    finished(th, draw(window(a), c | attributes, n), name)
}
fn change_attributes(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let rest = at_place(th, a, "chgat", 1, 1)?;
    let (n, attr) = match rest {
        [n, attr] => (number::to_i32(th, n)?, attr),
        _ => (-1, &rest[0]),
    };
    let new = attributes(th, attr)?;
    let w = window(a);
    let [y, x] = w.cursor();
    let code = w.change_attributes(n, new);
    if a.pos().len() > 3 {
        w.move_cursor(y, x);
        w.touch_lines(y, 1, 1);
    }
    finished(th, code, "wchgat")
}
fn border(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mut sides = [0; 8];
    for (i, side) in sides.iter_mut().enumerate() {
        *side = a.opt(i + 1).map_or(Ok(0), |v| narrow(th, v))?;
    }
    let [l, r, t, b, tl, tr, bl, br] = sides;
    finished(th, window(a).border(l, r, t, b, tl, tr, bl, br), "wborder")
}
fn draw_box(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (vertical, horizontal) = match &a.pos()[1..] {
        [] => (0, 0),
        [v, h] => (narrow(th, v)?, narrow(th, h)?),
        _ => return Err(type_error(th, "verch,horch required")),
    };
    window(a).border(vertical, vertical, horizontal, horizontal, 0, 0, 0, 0);
    Ok(Value::NONE)
}
fn part(th: &mut Thread, a: &Args<'_>, name: &str, relative: bool) -> PyResult<Value> {
    let n = numbers(th, name, &a.pos()[1..], &[2, 4])?;
    let place = match *n.as_slice() {
        [lines, columns, y, x] => [lines, columns, y, x],
        [y, x] => [0, 0, y, x],
        _ => [0; 4],
    };
    let made = window(a).part(place, relative);
    wrap(th, made)
}
/// `refresh` and `noutrefresh`: pads are told which part goes where.
fn show(
    th: &mut Thread,
    a: &Args<'_>,
    name: &str,
    window_only: fn(&Window) -> i32,
    pad: fn(&Window, i32, i32, i32, i32, i32, i32) -> i32,
) -> PyResult<Value> {
    let (w, args) = (window(a), &a.pos()[1..]);
    if w.is_pad() {
        if args.len() != 6 {
            return Err(error(th, format!("{name}() for a pad requires 6 arguments")));
        }
        let n = numbers(th, name, args, &[6])?;
        let code = blocking(th, || pad(w, n[0], n[1], n[2], n[3], n[4], n[5]));
        return finished(th, code, if name == "refresh" { "prefresh" } else { "pnoutrefresh" });
    }
    if !args.is_empty() {
        return Err(type_error(th, format!("{name}() takes no arguments ({} given)", args.len())));
    }
    let code = blocking(th, || window_only(w));
    finished(th, code, if name == "refresh" { "wrefresh" } else { "wnoutrefresh" })
}
fn copy(th: &mut Thread, a: &Args<'_>, name: &str, over: bool) -> PyResult<Value> {
    let args = &a.pos()[1..];
    let other = match args.first() {
        Some(v) => of_argument(th, v, name)?,
        None => return Err(type_error(th, format!("{name} requires one or seven arguments"))),
    };
    let code = match args.len() {
        1 => window(a).copy_to(other, over),
        _ => {
            let n = numbers(th, name, &args[1..], &[6])?;
            window(a).copy_part_to(other, [n[0], n[1]], [n[2], n[3], n[4], n[5]], over)
        }
    };
    finished(th, code, name)
}

/// A method of a flag.
macro_rules! flag {
    ($name:literal, $function:ident) => {
        method($name, "(flag, /)", "See the manual of curses.", |th, a| {
            let on = compare::truth(th, &a[1])?;
            finished(th, window(a).$function(on), $name)
        })
        .hidden()
    };
    ($name:literal, $function:ident, nothing) => {
        method($name, "(flag, /)", "See the manual of curses.", |th, a| {
            let on = compare::truth(th, &a[1])?;
            window(a).$function(on);
            Ok(Value::NONE)
        })
        .hidden()
    };
}
/// A method without parameters.
macro_rules! simple {
    ($name:literal, $function:ident $(($($arg:expr),*))?) => {
        method($name, "()", "See the manual of curses.", |th, a| {
            finished(th, window(a).$function($($($arg),*)?), $name)
        })
    };
    ($name:literal, $function:ident, nothing) => {
        method($name, "()", "See the manual of curses.", |_, a| {
            window(a).$function();
            Ok(Value::NONE)
        })
    };
    ($name:literal, $function:ident, pair) => {
        method($name, "()", "A row and a column.", |_, a| Ok(pair(window(a).$function())))
    };
}
/// A method of numbers, as many as in the pattern.
macro_rules! numeric {
    ($name:literal, $sig:literal, $function:ident, [$($n:ident),*]) => {
        method($name, $sig, "See the manual of curses.", |th, a| {
            let [$($n),*] = i32s(th, &a.skip_first())?;
            finished(th, window(a).$function($($n),*), $name)
        })
    };
}
macro_rules! variadic {
    ($name:literal, $function:expr) => {
        method($name, "", "See the manual of curses.", $function)
    };
}
static METHODS: &[Method] = &[
    variadic!("addch", |th, a| write_character(th, a, "addch", Window::add)),
    variadic!("addnstr", |th, a| write_text(th, a, "addnstr", true, false)),
    variadic!("addstr", |th, a| write_text(th, a, "addstr", false, false)),
    method("attroff", "(attr, /)", "Take attributes off what is written.", |th, a| {
        let attributes = attributes(th, &a[1])?;
        finished(th, window(a).attr_off(attributes), "wattroff")
    }),
    method("attron", "(attr, /)", "Add attributes to what is written.", |th, a| {
        let attributes = attributes(th, &a[1])?;
        finished(th, window(a).attr_on(attributes), "wattron")
    }),
    method("attrset", "(attr, /)", "Set the attributes of what is written.", |th, a| {
        let attributes = attributes(th, &a[1])?;
        finished(th, window(a).attr_set(attributes as i32), "wattrset")
    }),
    method("bkgd", "(ch, attr=_curses.A_NORMAL, /)", "Set the background.", |th, a| {
        let attributes = attributes_or(th, a.opt(2))?;
        let c = character(th, &a[1], attributes)?;
        finished(th, window(a).set_background(c), "bkgd")
    }),
    variadic!("chgat", change_attributes),
    method(
        "bkgdset",
        "(ch, attr=_curses.A_NORMAL, /)",
        "Set the background of what is written from now on.",
        |th, a| {
            let attributes = attributes_or(th, a.opt(2))?;
            let c = character(th, &a[1], attributes)?;
            window(a).set_background_only(c);
            Ok(Value::NONE)
        },
    ),
    method(
        "border",
        "(ls=_curses.ACS_VLINE, rs=_curses.ACS_VLINE,\n       ts=_curses.ACS_HLINE, bs=_curses.ACS_HLINE,\n       tl=_curses.ACS_ULCORNER, tr=_curses.ACS_URCORNER,\n       bl=_curses.ACS_LLCORNER, br=_curses.ACS_LRCORNER, /)",
        "Draw a border.",
        border,
    ),
    variadic!("box", draw_box),
    simple!("clear", clear),
    flag!("clearok", clear_ok),
    simple!("clrtobot", clear_to_bottom),
    simple!("clrtoeol", clear_to_end),
    simple!("cursyncup", cursor_sync_up, nothing),
    variadic!("delch", |th, a| {
        at_place(th, a, "delch", 0, 0)?;
        finished(th, window(a).delete_character(), "wdelch")
    }),
    simple!("deleteln", insert_delete_lines(-1)),
    variadic!("derwin", |th, a| part(th, a, "derwin", true)),
    method("echochar", "(ch, attr=_curses.A_NORMAL, /)", "Add a character and refresh.", |th, a| {
        let attributes = attributes_or(th, a.opt(2))?;
        let c = character(th, &a[1], attributes)?;
        finished(th, window(a).echo(c), "echochar")
    }),
    method("enclose", "(y, x, /)", "Whether a place of the screen is in the window.", |th, a| {
        let [y, x] = i32s(th, &a.skip_first())?;
        Ok(Value::bool(window(a).encloses(y, x)))
    }),
    simple!("erase", erase),
    simple!("getbegyx", begin, pair),
    method("getbkgd", "()", "The background.", |_, a| Ok(window(a).background().into())),
    variadic!("getch", input::getch),
    variadic!("getkey", input::getkey),
    variadic!("get_wch", input::get_wch),
    simple!("getmaxyx", size, pair),
    simple!("getparyx", within_parent, pair),
    variadic!("getstr", input::getstr),
    simple!("getyx", cursor, pair),
    variadic!("hline", |th, a| draw_line(th, a, "hline", Window::horizontal_line)),
    flag!("idcok", idc_ok, nothing),
    flag!("idlok", idl_ok),
    flag!("immedok", immed_ok, nothing),
    variadic!("inch", |th, a| {
        at_place(th, a, "inch", 0, 0)?;
        Ok(window(a).character().into())
    }),
    variadic!("insch", |th, a| {
        let rest = at_place(th, a, "insch", 1, 1)?;
        let attributes = attributes_or(th, rest.get(1))?;
        let c = narrow(th, &rest[0])?;
        finished(th, window(a).insert(c | attributes), "insch")
    }),
    numeric!("insdelln", "(nlines, /)", insert_delete_lines, [n]).hidden(),
    simple!("insertln", insert_delete_lines(1)),
    variadic!("insnstr", |th, a| write_text(th, a, "insnstr", true, true)),
    variadic!("insstr", |th, a| write_text(th, a, "insstr", false, true)),
    variadic!("instr", input::instr),
    method("is_linetouched", "(line, /)", "Whether a line changed since the last refresh.", |th, a| {
        let line = number::to_i32(th, &a[1])?;
        let [lines, _] = window(a).size();
        if !(0..lines).contains(&line) {
            return Err(type_error(th, "is_linetouched: line number outside of boundaries"));
        }
        Ok(Value::bool(window(a).line_touched(line)))
    }),
    method("is_wintouched", "()", "Whether the window changed since the last refresh.", |_, a| {
        Ok(Value::bool(window(a).touched()))
    }),
    flag!("keypad", keypad),
    flag!("leaveok", leave_ok),
    numeric!("move", "(y, x, /)", move_cursor, [y, x]).hidden(),
    numeric!("mvderwin", "(y, x, /)", move_within_parent, [y, x]).hidden(),
    numeric!("mvwin", "(y, x, /)", move_to, [y, x]).hidden(),
    flag!("nodelay", no_delay),
    flag!("notimeout", no_timeout),
    variadic!("noutrefresh", |th, a| { show(th, a, "noutrefresh", Window::refresh_later, Window::refresh_pad_later) }),
    variadic!("overlay", |th, a| copy(th, a, "overlay", false)),
    variadic!("overwrite", |th, a| copy(th, a, "overwrite", true)),
    method("putwin", "(file, /)", "Write the window to a file.", input::write),
    numeric!("redrawln", "(beg, num, /)", redraw_lines, [first, n]),
    method("redrawwin", "()", "Have all lines drawn anew.", |th, a| {
        let [lines, _] = window(a).size();
        finished(th, window(a).redraw_lines(0, lines), "redrawwin")
    }),
    variadic!("refresh", |th, a| show(th, a, "refresh", Window::refresh, Window::refresh_pad)),
    numeric!("resize", "(nlines, ncols, /)", resize, [lines, columns]).hidden(),
    variadic!("scroll", |th, a| {
        let n = numbers(th, "scroll", &a.pos()[1..], &[0, 1])?;
        finished(th, window(a).scroll(n.first().copied().unwrap_or(1)), "scroll")
    }),
    flag!("scrollok", scroll_ok),
    numeric!("setscrreg", "(top, bottom, /)", set_scroll_region, [top, bottom]),
    method("standend", "()", "Write plain from now on.", |th, a| finished(th, window(a).attr_set(0), "wstandend")),
    method("standout", "()", "Write in standout from now on.", |th, a| {
        finished(th, window(a).attr_on(1 << 16), "wstandout")
    }),
    variadic!("subpad", |th, a| part(th, a, "subpad", false)),
    variadic!("subwin", |th, a| part(th, a, "subwin", false)),
    simple!("syncdown", sync_down, nothing),
    flag!("syncok", sync_ok),
    simple!("syncup", sync_up, nothing),
    method("timeout", "(delay, /)", "How long reading waits, in milliseconds; negative: for ever.", |th, a| {
        let delay = number::to_i32(th, &a[1])?;
        window(a).set_timeout(delay);
        Ok(Value::NONE)
    })
    .hidden(),
    variadic!("touchline", |th, a| {
        let n = numbers(th, "touchline", &a.pos()[1..], &[2, 3])?;
        let changed = n.get(2).is_none_or(|&c| c != 0);
        finished(th, window(a).touch_lines(n[0], n[1], changed.into()), "touchline")
    }),
    method("touchwin", "()", "Take the whole window for changed.", |th, a| {
        let [lines, _] = window(a).size();
        finished(th, window(a).touch_lines(0, lines, 1), "touchwin")
    }),
    method("untouchwin", "()", "Take nothing in the window for changed.", |th, a| {
        let [lines, _] = window(a).size();
        finished(th, window(a).touch_lines(0, lines, 0), "untouchwin")
    }),
    variadic!("vline", |th, a| draw_line(th, a, "vline", Window::vertical_line)),
];
