//! The functions and variables of ncurses 6 with wide characters that are used, found in the system's libraries when they
//! are first asked for.
use std::ffi::{c_char, c_int, c_short, c_uint, c_void};
use std::sync::OnceLock;

use crate::dynamic::{Seen, api, open};

pub use crate::dynamic::P;

pub type Chtype = c_uint;
type Wide = c_uint;
/// `cchar_t`: attributes, up to five characters, an extended colour.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Cell {
    attributes: Chtype,
    characters: [Wide; 5],
    colour: c_int,
}
/// `MEVENT`
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Mouse {
    pub id: c_short,
    pub x: c_int,
    pub y: c_int,
    pub z: c_int,
    pub state: c_uint,
}

/// `tparm`, which takes as many parameters as the capability wants.
pub type Tparm = unsafe extern "C" fn(*const c_char, ...) -> *const c_char;

api! {
    struct Api {
        fn initscr() -> P;
        fn endwin() -> c_int;
        fn isendwin() -> bool;
        fn setupterm(*const c_char, c_int, *mut c_int) -> c_int;
        fn curses_version() -> *const c_char;
        fn baudrate() -> c_int;
        fn beep() -> c_int;
        fn flash() -> c_int;
        fn can_change_color() -> bool;
        fn has_colors() -> bool;
        fn has_ic() -> bool;
        fn has_il() -> bool;
        fn has_key(c_int) -> c_int;
        fn cbreak() -> c_int;
        fn nocbreak() -> c_int;
        fn echo() -> c_int;
        fn noecho() -> c_int;
        fn nl() -> c_int;
        fn nonl() -> c_int;
        fn raw() -> c_int;
        fn noraw() -> c_int;
        fn qiflush();
        fn noqiflush();
        fn start_color() -> c_int;
        fn use_default_colors() -> c_int;
        fn init_extended_pair(c_int, c_int, c_int) -> c_int;
        fn init_extended_color(c_int, c_int, c_int, c_int) -> c_int;
        fn extended_color_content(c_int, *mut c_int, *mut c_int, *mut c_int) -> c_int;
        fn extended_pair_content(c_int, *mut c_int, *mut c_int) -> c_int;
        fn curs_set(c_int) -> c_int;
        fn def_prog_mode() -> c_int;
        fn def_shell_mode() -> c_int;
        fn reset_prog_mode() -> c_int;
        fn reset_shell_mode() -> c_int;
        fn resetty() -> c_int;
        fn savetty() -> c_int;
        fn delay_output(c_int) -> c_int;
        fn doupdate() -> c_int;
        fn erasechar() -> c_char;
        fn killchar() -> c_char;
        fn filter();
        fn flushinp() -> c_int;
        fn halfdelay(c_int) -> c_int;
        fn intrflush(P, bool) -> c_int;
        fn is_term_resized(c_int, c_int) -> bool;
        fn resizeterm(c_int, c_int) -> c_int;
        fn resize_term(c_int, c_int) -> c_int;
        fn keyname(c_int) -> *const c_char;
        fn longname() -> *const c_char;
        fn termname() -> *const c_char;
        fn termattrs() -> Chtype;
        fn meta(P, bool) -> c_int;
        fn getmouse(*mut Mouse) -> c_int;
        fn ungetmouse(*mut Mouse) -> c_int;
        fn mouseinterval(c_int) -> c_int;
        fn mousemask(c_uint, *mut c_uint) -> c_uint;
        fn newpad(c_int, c_int) -> P;
        fn newwin(c_int, c_int, c_int, c_int) -> P;
        fn getwin(*mut libc::FILE) -> P;
        fn putwin(P, *mut libc::FILE) -> c_int;
        fn delwin(P) -> c_int;
        fn putp(*const c_char) -> c_int;
        fn set_escdelay(c_int) -> c_int;
        fn set_tabsize(c_int) -> c_int;
        fn tigetflag(*const c_char) -> c_int;
        fn tigetnum(*const c_char) -> c_int;
        fn tigetstr(*const c_char) -> *const c_char;
        fn typeahead(c_int) -> c_int;
        fn unctrl(Chtype) -> *const c_char;
        fn ungetch(c_int) -> c_int;
        fn unget_wch(c_int) -> c_int;
        fn use_env(bool);
        fn setcchar(*mut Cell, *const Wide, Chtype, c_short, *const c_void) -> c_int;
        fn waddch(P, Chtype) -> c_int;
        fn wadd_wch(P, *const Cell) -> c_int;
        fn waddnstr(P, *const c_char, c_int) -> c_int;
        fn waddnwstr(P, *const Wide, c_int) -> c_int;
        fn winsnstr(P, *const c_char, c_int) -> c_int;
        fn wins_nwstr(P, *const Wide, c_int) -> c_int;
        fn wechochar(P, Chtype) -> c_int;
        fn wecho_wchar(P, *const Cell) -> c_int;
        fn winsch(P, Chtype) -> c_int;
        fn wattr_on(P, Chtype, P) -> c_int;
        fn wattr_off(P, Chtype, P) -> c_int;
        fn wattrset(P, c_int) -> c_int;
        fn wattr_get(P, *mut Chtype, *mut c_short, P) -> c_int;
        fn wchgat(P, c_int, Chtype, c_short, *const c_void) -> c_int;
        fn wbkgd(P, Chtype) -> c_int;
        fn wbkgrnd(P, *const Cell) -> c_int;
        fn wbkgdset(P, Chtype);
        fn wbkgrndset(P, *const Cell);
        fn getbkgd(P) -> Chtype;
        fn wborder(P, Chtype, Chtype, Chtype, Chtype, Chtype, Chtype, Chtype, Chtype) -> c_int;
        fn wclear(P) -> c_int;
        fn werase(P) -> c_int;
        fn wclrtobot(P) -> c_int;
        fn wclrtoeol(P) -> c_int;
        fn clearok(P, bool) -> c_int;
        fn idcok(P, bool);
        fn idlok(P, bool) -> c_int;
        fn immedok(P, bool);
        fn keypad(P, bool) -> c_int;
        fn leaveok(P, bool) -> c_int;
        fn nodelay(P, bool) -> c_int;
        fn notimeout(P, bool) -> c_int;
        fn scrollok(P, bool) -> c_int;
        fn syncok(P, bool) -> c_int;
        fn wcursyncup(P);
        fn wsyncup(P);
        fn wsyncdown(P);
        fn wdelch(P) -> c_int;
        fn winsdelln(P, c_int) -> c_int;
        fn derwin(P, c_int, c_int, c_int, c_int) -> P;
        fn subwin(P, c_int, c_int, c_int, c_int) -> P;
        fn subpad(P, c_int, c_int, c_int, c_int) -> P;
        fn mvderwin(P, c_int, c_int) -> c_int;
        fn mvwin(P, c_int, c_int) -> c_int;
        fn wenclose(P, c_int, c_int) -> bool;
        fn getbegy(P) -> c_int;
        fn getbegx(P) -> c_int;
        fn getmaxy(P) -> c_int;
        fn getmaxx(P) -> c_int;
        fn getpary(P) -> c_int;
        fn getparx(P) -> c_int;
        fn getcury(P) -> c_int;
        fn getcurx(P) -> c_int;
        fn is_pad(P) -> bool;
        fn is_leaveok(P) -> bool;
        fn wgetdelay(P) -> c_int;
        fn wgetch(P) -> c_int;
        fn wget_wch(P, *mut c_uint) -> c_int;
        fn wgetnstr(P, *mut c_char, c_int) -> c_int;
        fn winch(P) -> Chtype;
        fn winnstr(P, *mut c_char, c_int) -> c_int;
        fn whline(P, Chtype, c_int) -> c_int;
        fn wvline(P, Chtype, c_int) -> c_int;
        fn is_linetouched(P, c_int) -> bool;
        fn is_wintouched(P) -> bool;
        fn wmove(P, c_int, c_int) -> c_int;
        fn wnoutrefresh(P) -> c_int;
        fn pnoutrefresh(P, c_int, c_int, c_int, c_int, c_int, c_int) -> c_int;
        fn overlay(P, P) -> c_int;
        fn overwrite(P, P) -> c_int;
        fn copywin(P, P, c_int, c_int, c_int, c_int, c_int, c_int, c_int) -> c_int;
        fn wredrawln(P, c_int, c_int) -> c_int;
        fn wrefresh(P) -> c_int;
        fn prefresh(P, c_int, c_int, c_int, c_int, c_int, c_int) -> c_int;
        fn wresize(P, c_int, c_int) -> c_int;
        fn wscrl(P, c_int) -> c_int;
        fn wsetscrreg(P, c_int, c_int) -> c_int;
        fn wtimeout(P, c_int);
        fn wtouchln(P, c_int, c_int, c_int) -> c_int;
        static stdscr: P;
        static tparm: u8;
        static newscr: P;
        static LINES: c_int;
        static COLS: c_int;
        static COLORS: c_int;
        static COLOR_PAIRS: c_int;
        static ESCDELAY: c_int;
        static TABSIZE: c_int;
        static acs_map: [Chtype; 128];
    }
}
// SAFETY: functions and addresses; who uses them holds a `Claim`.
unsafe impl Send for Api {}
// SAFETY: as above.
unsafe impl Sync for Api {}

/// The library; `None` where the system has no ncursesw 6.
pub fn api() -> Option<&'static Api> {
    static API: OnceLock<Option<Api>> = OnceLock::new();
    API.get_or_init(|| {
        // SAFETY: the soname of ncurses 6 with wide characters, whose interface is stable within the major version.
        unsafe { Api::load(open(&[c"libncursesw.so.6"], Seen::Alone)?) }
    })
    .as_ref()
}
