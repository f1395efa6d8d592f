//! Windows and pads.
use std::ffi::{CStr, c_int};
use std::os::fd::AsRawFd;
use std::ptr::null_mut;
use std::sync::Arc;

use super::api::{Chtype, P};
use super::{Character, cell, lib, one, pair_of, status};

/// A window of the library, which ends with this, its parent after it.
pub struct Window {
    raw: usize,
    /// Not the screen itself.
    owned: bool,
    /// Where the memory of a part of a window is.
    parent: Option<Arc<Window>>,
}
impl Drop for Window {
    fn drop(&mut self) {
        if self.owned {
            let _one = one();
            // SAFETY: a window that was made and not deleted.
            unsafe { (lib().delwin)(self.raw()) };
        }
    }
}

/// What was typed.
#[derive(Clone, Copy, Debug)]
pub enum Key {
    /// Nothing in time, or an error.
    None,
    Function(u32),
    Character(u32),
}

/// Methods of numbers.
macro_rules! plain {
    ($($name:ident = $function:ident($($arg:ident: $type:ty),*) $(-> $ret:ty)?;)*) => { impl Window { $(
        pub fn $name(&self $(, $arg: $type)*) $(-> $ret)? {
            let _one = one();
            // SAFETY: a live window, and numbers.
            unsafe { (lib().$function)(self.raw() $(, $arg)*) }
        }
    )* } };
}
plain! {
    attr_set = wattrset(attributes: i32) -> i32;
    background = getbkgd() -> Chtype;
    border = wborder(
        left: Chtype, right: Chtype, top: Chtype, bottom: Chtype,
        top_left: Chtype, top_right: Chtype, bottom_left: Chtype, bottom_right: Chtype
    ) -> i32;
    clear = wclear() -> i32;
    erase = werase() -> i32;
    clear_to_bottom = wclrtobot() -> i32;
    clear_to_end = wclrtoeol() -> i32;
    clear_ok = clearok(on: bool) -> i32;
    idc_ok = idcok(on: bool);
    idl_ok = idlok(on: bool) -> i32;
    immed_ok = immedok(on: bool);
    keypad = keypad(on: bool) -> i32;
    leave_ok = leaveok(on: bool) -> i32;
    no_delay = nodelay(on: bool) -> i32;
    no_timeout = notimeout(on: bool) -> i32;
    scroll_ok = scrollok(on: bool) -> i32;
    sync_ok = syncok(on: bool) -> i32;
    cursor_sync_up = wcursyncup();
    sync_up = wsyncup();
    sync_down = wsyncdown();
    delete_character = wdelch() -> i32;
    insert_delete_lines = winsdelln(n: i32) -> i32;
    move_within_parent = mvderwin(y: i32, x: i32) -> i32;
    move_to = mvwin(y: i32, x: i32) -> i32;
    encloses = wenclose(y: i32, x: i32) -> bool;
    is_pad = is_pad() -> bool;
    delay = wgetdelay() -> i32;
    character = winch() -> Chtype;
    horizontal_line = whline(c: Chtype, n: i32) -> i32;
    vertical_line = wvline(c: Chtype, n: i32) -> i32;
    line_touched = is_linetouched(line: i32) -> bool;
    touched = is_wintouched() -> bool;
    move_cursor = wmove(y: i32, x: i32) -> i32;
    refresh_later = wnoutrefresh() -> i32;
    refresh_pad_later = pnoutrefresh(a: i32, b: i32, c: i32, d: i32, e: i32, f: i32) -> i32;
    refresh = wrefresh() -> i32;
    refresh_pad = prefresh(a: i32, b: i32, c: i32, d: i32, e: i32, f: i32) -> i32;
    redraw_lines = wredrawln(first: i32, n: i32) -> i32;
    resize = wresize(lines: i32, columns: i32) -> i32;
    scroll = wscrl(n: i32) -> i32;
    set_scroll_region = wsetscrreg(top: i32, bottom: i32) -> i32;
    set_timeout = wtimeout(milliseconds: i32);
    touch_lines = wtouchln(first: i32, n: i32, changed: i32) -> i32;
}

impl Window {
    /// # Safety
    /// Null or a live window, which is the answer's if it is owned.
    pub(super) unsafe fn of(raw: P, owned: bool, parent: Option<Arc<Window>>) -> Option<Window> {
        (!raw.is_null()).then_some(Window { raw: raw as usize, owned, parent })
    }
    pub(super) fn raw(&self) -> P {
        self.raw as P
    }
    pub fn new(lines: i32, columns: i32, y: i32, x: i32) -> Option<Window> {
        let _one = one();
        // SAFETY: numbers; a new window or null.
        unsafe { Window::of((lib().newwin)(lines, columns, y, x), true, None) }
    }
    pub fn new_pad(lines: i32, columns: i32) -> Option<Window> {
        let _one = one();
        // SAFETY: as above.
        unsafe { Window::of((lib().newpad)(lines, columns), true, None) }
    }
    /// A window as [`save`](Self::save) wrote it.
    pub fn read(file: &std::fs::File) -> Option<Window> {
        let file = c_file(file, c"rb")?;
        let _one = one();
        // SAFETY: an open file, closed afterwards; a new window or null.
        unsafe {
            let made = Window::of((lib().getwin)(file), true, None);
            libc::fclose(file);
            made
        }
    }
    pub fn save(&self, file: &std::fs::File) -> Result<(), i32> {
        let Some(file) = c_file(file, c"wb+") else { return Err(super::ERR) };
        let _one = one();
        // SAFETY: a live window and an open file, closed afterwards.
        unsafe {
            let done = (lib().putwin)(self.raw(), file);
            libc::fclose(file);
            status(done)
        }
    }
    /// A part of this window, by its place in the window or on the screen.
    pub fn part(self: &Arc<Self>, [lines, columns, y, x]: [i32; 4], relative: bool) -> Option<Window> {
        let _one = one();
        let l = lib();
        // SAFETY: a live window, which the part keeps; a new window or null.
        unsafe {
            let make = match ((l.is_pad)(self.raw()), relative) {
                (true, false) => l.subpad,
                (_, true) => l.derwin,
                (false, false) => l.subwin,
            };
            Window::of(make(self.raw(), lines, columns, y, x), true, Some(self.clone()))
        }
    }
    pub fn parent(&self) -> Option<&Arc<Window>> {
        self.parent.as_ref()
    }
    /// Row and column: of the window, of its size, of a part within its parent, of the cursor.
    pub fn begin(&self) -> [i32; 2] {
        let _one = one();
        // SAFETY: a live window, here and below.
        unsafe { [(lib().getbegy)(self.raw()), (lib().getbegx)(self.raw())] }
    }
    pub fn size(&self) -> [i32; 2] {
        let _one = one();
        // SAFETY: as above.
        unsafe { [(lib().getmaxy)(self.raw()), (lib().getmaxx)(self.raw())] }
    }
    pub fn within_parent(&self) -> [i32; 2] {
        let _one = one();
        // SAFETY: as above.
        unsafe { [(lib().getpary)(self.raw()), (lib().getparx)(self.raw())] }
    }
    pub fn cursor(&self) -> [i32; 2] {
        let _one = one();
        // SAFETY: as above.
        unsafe { [(lib().getcury)(self.raw()), (lib().getcurx)(self.raw())] }
    }
    /// The attributes that are written with, colour pair included.
    pub fn attributes(&self) -> Chtype {
        let (mut attributes, mut pair) = (0, 0);
        let _one = one();
        // SAFETY: a live window and places for numbers.
        unsafe { (lib().wattr_get)(self.raw(), &mut attributes, &mut pair, null_mut()) };
        attributes
    }
    pub fn attr_on(&self, attributes: Chtype) -> i32 {
        let _one = one();
        // SAFETY: a live window, here and below.
        unsafe { (lib().wattr_on)(self.raw(), attributes, null_mut()) }
    }
    pub fn attr_off(&self, attributes: Chtype) -> i32 {
        let _one = one();
        // SAFETY: as above.
        unsafe { (lib().wattr_off)(self.raw(), attributes, null_mut()) }
    }
    pub fn change_attributes(&self, n: i32, attributes: Chtype) -> i32 {
        let pair = pair_of(attributes) as std::ffi::c_short;
        let _one = one();
        // SAFETY: as above.
        unsafe { (lib().wchgat)(self.raw(), n, attributes, pair, std::ptr::null()) }
    }
    pub fn add(&self, c: Character) -> i32 {
        let _one = one();
        // SAFETY: a live window and a cell.
        unsafe {
            match c {
                Character::Narrow(c) => (lib().waddch)(self.raw(), c),
                Character::Wide(c, attributes) => (lib().wadd_wch)(self.raw(), &cell(c, attributes)),
            }
        }
    }
    pub fn echo(&self, c: Character) -> i32 {
        let _one = one();
        // SAFETY: as above. Pads have a function of their own, which does the same from a part that was shown.
        unsafe {
            match c {
                Character::Narrow(c) => (lib().wechochar)(self.raw(), c),
                Character::Wide(c, attributes) => (lib().wecho_wchar)(self.raw(), &cell(c, attributes)),
            }
        }
    }
    pub fn set_background(&self, c: Character) -> i32 {
        let _one = one();
        // SAFETY: as above.
        unsafe {
            match c {
                Character::Narrow(c) => (lib().wbkgd)(self.raw(), c),
                Character::Wide(c, attributes) => (lib().wbkgrnd)(self.raw(), &cell(c, attributes)),
            }
        }
    }
    pub fn set_background_only(&self, c: Character) {
        let _one = one();
        // SAFETY: as above.
        unsafe {
            match c {
                Character::Narrow(c) => (lib().wbkgdset)(self.raw(), c),
                Character::Wide(c, attributes) => (lib().wbkgrndset)(self.raw(), &cell(c, attributes)),
            }
        }
    }
    pub fn insert(&self, c: Chtype) -> i32 {
        let _one = one();
        // SAFETY: a live window.
        unsafe { (lib().winsch)(self.raw(), c) }
    }
    /// At most `n` of the bytes, all if negative.
    pub fn add_bytes(&self, text: &CStr, n: i32) -> i32 {
        let _one = one();
        // SAFETY: a live window and a C string.
        unsafe { (lib().waddnstr)(self.raw(), text.as_ptr(), n) }
    }
    pub fn insert_bytes(&self, text: &CStr, n: i32) -> i32 {
        let _one = one();
        // SAFETY: as above.
        unsafe { (lib().winsnstr)(self.raw(), text.as_ptr(), n) }
    }
    /// At most `n` of the characters, all if negative.
    pub fn add_text(&self, text: &[u32], n: i32) -> i32 {
        let text: Vec<u32> = text.iter().copied().chain([0]).collect();
        let _one = one();
        // SAFETY: a live window and a NUL-terminated wide string.
        unsafe { (lib().waddnwstr)(self.raw(), text.as_ptr(), n) }
    }
    pub fn insert_text(&self, text: &[u32], n: i32) -> i32 {
        let text: Vec<u32> = text.iter().copied().chain([0]).collect();
        let _one = one();
        // SAFETY: as above.
        unsafe { (lib().wins_nwstr)(self.raw(), text.as_ptr(), n) }
    }
    /// The characters from the cursor to the end of the line, at most `n` of them, without attributes.
    pub fn line(&self, n: usize) -> Vec<u8> {
        let mut out = vec![0u8; n + 1];
        let _one = one();
        // SAFETY: a live window and room for as many characters and an end.
        let done = unsafe { (lib().winnstr)(self.raw(), out.as_mut_ptr().cast(), n as c_int) };
        out.truncate(usize::try_from(done).unwrap_or(0).min(n));
        out.split(|&b| b == 0).next().unwrap_or_default().to_vec()
    }
    /// A line of at most so many bytes, edited; waits for its end.
    pub fn read_line(&self, n: usize) -> Vec<u8> {
        let mut out = vec![0u8; n + 1];
        let _one = one();
        // SAFETY: a live window and room for as many characters and an end.
        let done = unsafe { (lib().wgetnstr)(self.raw(), out.as_mut_ptr().cast(), n as c_int) };
        if done == super::ERR {
            return Vec::new();
        }
        out.split(|&b| b == 0).next().unwrap_or_default().to_vec()
    }
    /// What was typed so far as a key of the keyboard, -1 without any.
    pub fn key(&self) -> i32 {
        self.at_once(|raw| {
            // SAFETY: a live window.
            unsafe { (lib().wgetch)(raw) }
        })
    }
    /// As [`key`](Self::key), with wide characters.
    pub fn wide_key(&self) -> Key {
        let mut c = 0;
        // SAFETY: a live window and a place for the character.
        match self.at_once(|raw| unsafe { (lib().wget_wch)(raw, &mut c) }) {
            super::ERR => Key::None,
            FUNCTION_KEY => Key::Function(c),
            _ => Key::Character(c),
        }
    }
    /// Reads without waiting, whatever the window's timeout is.
    fn at_once(&self, read: impl FnOnce(P) -> i32) -> i32 {
        let _one = one();
        // SAFETY: a live window.
        unsafe {
            let delay = (lib().wgetdelay)(self.raw());
            (lib().wtimeout)(self.raw(), 0);
            let answer = read(self.raw());
            (lib().wtimeout)(self.raw(), delay);
            answer
        }
    }
    /// Copies to another window, over what is there or only what is no blank.
    pub fn copy_to(&self, other: &Window, over: bool) -> i32 {
        let _one = one();
        // SAFETY: live windows.
        unsafe {
            if over { (lib().overwrite)(self.raw(), other.raw()) } else { (lib().overlay)(self.raw(), other.raw()) }
        }
    }
    /// As [`copy_to`](Self::copy_to) for a part: where from; where to, and how far.
    pub fn copy_part_to(&self, other: &Window, from: [i32; 2], to: [i32; 4], over: bool) -> i32 {
        let _one = one();
        // SAFETY: live windows and numbers.
        unsafe {
            let [y, x] = from;
            let [first_y, first_x, last_y, last_x] = to;
            (lib().copywin)(self.raw(), other.raw(), y, x, first_y, first_x, last_y, last_x, c_int::from(!over))
        }
    }
}
const FUNCTION_KEY: i32 = 0o400;

/// A C file over a copy of the descriptor.
fn c_file(file: &std::fs::File, mode: &CStr) -> Option<*mut libc::FILE> {
    // SAFETY: an open descriptor and a C string; the file owns the copy.
    unsafe {
        let fd = libc::dup(file.as_raw_fd());
        let file = libc::fdopen(fd, mode.as_ptr());
        (!file.is_null()).then_some(file)
    }
}
