//! ncurses behind safe functions. The library has one state, so that calls are made one at a time; none of them waits for
//! input. What must be initialized first is the caller's to check: without it the functions answer an error.
mod api;
pub mod panel;
mod window;

use std::ffi::{CStr, CString, c_char, c_int};
use std::sync::{Mutex, MutexGuard};

use api::{Api, Cell, api};
pub use api::{Chtype, Mouse};
pub use window::{Key, Window};

pub const ERR: i32 = -1;

/// Whether the system has ncursesw 6.
pub fn is_there() -> bool {
    api().is_some()
}
fn lib() -> &'static Api {
    api().expect("nothing is made of a library that is not there")
}
static ONE: Mutex<()> = Mutex::new(());
fn one() -> MutexGuard<'static, ()> {
    ONE.lock().unwrap_or_else(|e| e.into_inner())
}

/// Functions of numbers.
macro_rules! plain {
    ($($name:ident($($arg:ident: $type:ty),*) $(-> $ret:ty)?;)*) => { $(
        pub fn $name($($arg: $type),*) $(-> $ret)? {
            let _one = one();
            // SAFETY: numbers only; the library checks that its screen is there.
            unsafe { (lib().$name)($($arg),*) }
        }
    )* };
}
plain! {
    endwin() -> i32;
    isendwin() -> bool;
    baudrate() -> i32;
    beep() -> i32;
    flash() -> i32;
    can_change_color() -> bool;
    has_colors() -> bool;
    has_ic() -> bool;
    has_il() -> bool;
    has_key(key: i32) -> i32;
    cbreak() -> i32;
    nocbreak() -> i32;
    echo() -> i32;
    noecho() -> i32;
    nl() -> i32;
    nonl() -> i32;
    raw() -> i32;
    noraw() -> i32;
    qiflush();
    noqiflush();
    start_color() -> i32;
    use_default_colors() -> i32;
    init_extended_pair(pair: i32, foreground: i32, background: i32) -> i32;
    init_extended_color(color: i32, r: i32, g: i32, b: i32) -> i32;
    curs_set(visibility: i32) -> i32;
    def_prog_mode() -> i32;
    def_shell_mode() -> i32;
    reset_prog_mode() -> i32;
    reset_shell_mode() -> i32;
    resetty() -> i32;
    savetty() -> i32;
    delay_output(milliseconds: i32) -> i32;
    doupdate() -> i32;
    filter();
    flushinp() -> i32;
    halfdelay(tenths: i32) -> i32;
    is_term_resized(lines: i32, columns: i32) -> bool;
    resizeterm(lines: i32, columns: i32) -> i32;
    resize_term(lines: i32, columns: i32) -> i32;
    termattrs() -> Chtype;
    mouseinterval(milliseconds: i32) -> i32;
    set_escdelay(milliseconds: i32) -> i32;
    set_tabsize(size: i32) -> i32;
    typeahead(fd: i32) -> i32;
    ungetch(key: i32) -> i32;
    unget_wch(key: i32) -> i32;
    use_env(on: bool);
}

/// A C string of the library, copied.
///
/// # Safety
/// Null or NUL-terminated.
unsafe fn text(s: *const c_char) -> Option<CString> {
    // SAFETY: the caller's promise.
    (!s.is_null()).then(|| unsafe { CStr::from_ptr(s) }.to_owned())
}
/// Begins: the screen's window. The library ends the process where it cannot.
pub fn initscr() -> Option<Window> {
    let _one = one();
    // SAFETY: the library is loaded; the screen is its own and stays.
    unsafe { Window::of((lib().initscr)(), false, None) }
}
/// The error is 0 or -1 as the library explains; 1 = fine.
pub fn setupterm(term: Option<&CStr>, fd: i32) -> Result<(), i32> {
    let mut error = 0;
    let _one = one();
    // SAFETY: a C string or null, and a place for the error.
    let done = unsafe { (lib().setupterm)(term.map_or(std::ptr::null(), CStr::as_ptr), fd, &mut error) };
    if done == ERR { Err(error) } else { Ok(()) }
}
/// "ncurses 6.4.20221231"
pub fn version() -> CString {
    // SAFETY: a static string.
    unsafe { text((lib().curses_version)()) }.unwrap_or_default()
}
pub fn erasechar() -> u8 {
    let _one = one();
    // SAFETY: there is a terminal.
    unsafe { (lib().erasechar)() as u8 }
}
pub fn killchar() -> u8 {
    let _one = one();
    // SAFETY: there is a terminal.
    unsafe { (lib().killchar)() as u8 }
}
pub fn keyname(key: i32) -> Option<CString> {
    let _one = one();
    // SAFETY: a number; the string is copied.
    unsafe { text((lib().keyname)(key)) }
}
pub fn unctrl(ch: Chtype) -> Option<CString> {
    let _one = one();
    // SAFETY: as above.
    unsafe { text((lib().unctrl)(ch)) }
}
pub fn longname() -> Option<CString> {
    let _one = one();
    // SAFETY: there is a terminal.
    unsafe { text((lib().longname)()) }
}
pub fn termname() -> Option<CString> {
    let _one = one();
    // SAFETY: as above.
    unsafe { text((lib().termname)()) }
}
pub fn tigetflag(name: &CStr) -> i32 {
    let _one = one();
    // SAFETY: a C string.
    unsafe { (lib().tigetflag)(name.as_ptr()) }
}
pub fn tigetnum(name: &CStr) -> i32 {
    let _one = one();
    // SAFETY: as above.
    unsafe { (lib().tigetnum)(name.as_ptr()) }
}
/// `None` where the terminal has not this capability, or the name is none.
pub fn tigetstr(name: &CStr) -> Option<CString> {
    let _one = one();
    // SAFETY: as above; the answer is a string, null or -1.
    unsafe {
        let found = (lib().tigetstr)(name.as_ptr());
        if found as isize == -1 { None } else { text(found) }
    }
}
/// A capability with its parameters, numbers all.
pub fn tparm(capability: &CStr, p: [i32; 9]) -> Option<CString> {
    let _one = one();
    // SAFETY: the function of that name; a C string, and as many numbers as a capability may take.
    unsafe {
        let tparm = std::mem::transmute::<*mut u8, api::Tparm>(lib().tparm);
        let p = p.map(std::ffi::c_long::from);
        text(tparm(capability.as_ptr(), p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8]))
    }
}
pub fn putp(capability: &CStr) -> i32 {
    let _one = one();
    // SAFETY: a C string.
    unsafe { (lib().putp)(capability.as_ptr()) }
}
/// Red, green, blue.
pub fn color_content(color: i32) -> Result<[i32; 3], i32> {
    let (mut r, mut g, mut b) = (0, 0, 0);
    let _one = one();
    // SAFETY: places for numbers.
    let done = unsafe { (lib().extended_color_content)(color, &mut r, &mut g, &mut b) };
    if done == ERR { Err(done) } else { Ok([r, g, b]) }
}
/// Foreground and background.
pub fn pair_content(pair: i32) -> Result<[i32; 2], i32> {
    let (mut f, mut b) = (0, 0);
    let _one = one();
    // SAFETY: as above.
    let done = unsafe { (lib().extended_pair_content)(pair, &mut f, &mut b) };
    if done == ERR { Err(done) } else { Ok([f, b]) }
}
pub fn intrflush(on: bool) -> i32 {
    let _one = one();
    // SAFETY: the window is ignored.
    unsafe { (lib().intrflush)(std::ptr::null_mut(), on) }
}
pub fn meta(on: bool) -> i32 {
    let _one = one();
    // SAFETY: the screen's window or null.
    unsafe { (lib().meta)(*lib().stdscr, on) }
}
pub fn getmouse() -> Result<Mouse, i32> {
    let mut event = Mouse::default();
    let _one = one();
    // SAFETY: a place for an event.
    let done = unsafe { (lib().getmouse)(&mut event) };
    if done == ERR { Err(done) } else { Ok(event) }
}
pub fn ungetmouse(mut event: Mouse) -> i32 {
    let _one = one();
    // SAFETY: an event.
    unsafe { (lib().ungetmouse)(&mut event) }
}
/// The masks that are available and that were set.
pub fn mousemask(new: u32) -> (u32, u32) {
    let mut old = 0;
    let _one = one();
    // SAFETY: a place for the mask.
    (unsafe { (lib().mousemask)(new, &mut old) }, old)
}
/// Lines, columns.
pub fn size() -> [i32; 2] {
    let _one = one();
    // SAFETY: variables of the library.
    unsafe { [*lib().LINES, *lib().COLS] }
}
/// Colours, colour pairs.
pub fn colors() -> [i32; 2] {
    let _one = one();
    // SAFETY: as above.
    unsafe { [*lib().COLORS, *lib().COLOR_PAIRS] }
}
pub fn escdelay() -> i32 {
    // SAFETY: as above.
    unsafe { *lib().ESCDELAY }
}
pub fn tabsize() -> i32 {
    // SAFETY: as above.
    unsafe { *lib().TABSIZE }
}
/// The character that draws what VT100 draws for a letter.
pub fn acs(letter: u8) -> Chtype {
    let _one = one();
    // SAFETY: an index below the table's length.
    unsafe { (*lib().acs_map)[usize::from(letter & 127)] }
}
/// Where the virtual screen's cursor is; `None` = nowhere in particular.
pub fn getsyx() -> Option<[i32; 2]> {
    let _one = one();
    let l = lib();
    // SAFETY: the virtual screen is there once the library began.
    unsafe {
        let screen = *l.newscr;
        (!screen.is_null() && !(l.is_leaveok)(screen)).then(|| [(l.getcury)(screen), (l.getcurx)(screen)])
    }
}
pub fn setsyx(place: Option<[i32; 2]>) {
    let _one = one();
    let l = lib();
    // SAFETY: as above.
    unsafe {
        let screen = *l.newscr;
        if screen.is_null() {
            return;
        }
        (l.leaveok)(screen, place.is_none());
        if let Some([y, x]) = place {
            (l.wmove)(screen, y, x);
        }
    }
}

/// A character to write: in the terminal's encoding with attributes, or wide.
#[derive(Clone, Copy, Debug)]
pub enum Character {
    Narrow(Chtype),
    Wide(u32, Chtype),
}
/// The number of the colour pair within attributes.
pub fn pair_of(attributes: Chtype) -> i32 {
    ((attributes >> 8) & 0xFF) as i32
}
fn cell(c: u32, attributes: Chtype) -> Cell {
    let mut cell = Cell::default();
    let wide = [c, 0];
    let pair = pair_of(attributes) as std::ffi::c_short;
    // SAFETY: a place for a cell and a NUL-terminated wide string of one character.
    unsafe { (lib().setcchar)(&mut cell, wide.as_ptr(), attributes, pair, std::ptr::null()) };
    cell
}
fn status(done: c_int) -> Result<(), i32> {
    if done == ERR { Err(done) } else { Ok(()) }
}
