//! GNU readline behind safe functions. The library has one state, which a thread [`claim`](try_claim)s for each call; the
//! callbacks of a call run within its claim.
mod api;

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::null;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock};
use std::thread::ThreadId;

use api::{Api, Entry, api};

/// Whether the system has GNU readline 8.
pub fn is_there() -> bool {
    api().is_some()
}
fn lib() -> &'static Api {
    api().expect("nothing is made of a library that is not there")
}

/// What the library calls while a line is read.
pub struct Hooks {
    pub startup: fn() -> i32,
    pub pre_input: fn() -> i32,
    /// Where in the line the word is that is to be completed, in characters.
    pub range: fn(usize, usize),
    /// The completion of this number of a text. `Ok(None)` = no more; `Err` = nobody completes.
    pub complete: fn(&CStr, i32) -> Result<Option<CString>, NoCompleter>,
    /// Shows matches of a text; the number is the length of the longest.
    pub display: fn(&CStr, Vec<CString>, i32),
}
/// There is no completer: the library completes file names.
#[derive(Debug)]
pub struct NoCompleter;
static HOOKS: OnceLock<Hooks> = OnceLock::new();

/// The thread that uses the library and how often it claimed it.
static USER: Mutex<(Option<ThreadId>, usize)> = Mutex::new((None, 0));
static FREE: Condvar = Condvar::new();
fn user() -> MutexGuard<'static, (Option<ThreadId>, usize)> {
    USER.lock().unwrap_or_else(|e| e.into_inner())
}
/// The right to use the library, for one thread at a time; a thread may claim it again.
pub struct Claim(());
fn take(user: &mut (Option<ThreadId>, usize)) -> Option<Claim> {
    let here = std::thread::current().id();
    if user.0.is_some_and(|id| id != here) {
        return None;
    }
    *user = (Some(here), user.1 + 1);
    Some(Claim(()))
}
/// The library, unless another thread uses it.
pub fn try_claim() -> Option<Claim> {
    take(&mut user())
}
/// The library, once it is free.
pub fn claim() -> Claim {
    let mut held = user();
    loop {
        match take(&mut held) {
            Some(claim) => return claim,
            None => held = FREE.wait(held).unwrap_or_else(|e| e.into_inner()),
        }
    }
}
impl Drop for Claim {
    fn drop(&mut self) {
        let mut held = user();
        held.1 -= 1;
        if held.1 == 0 {
            held.0 = None;
            FREE.notify_one();
        }
    }
}

/// A line that is read, as far as it is.
#[derive(Debug)]
pub enum Step {
    More,
    Line(CString),
    End,
}
/// What the library handed over: set by its callback while a claim is held.
static READ: Mutex<Option<Step>> = Mutex::new(None);

unsafe extern "C" fn line_read(line: *mut c_char) {
    let step = if line.is_null() {
        Step::End
    } else {
        // SAFETY: a C string of malloc's memory, which is this side's from now on.
        unsafe {
            let copy = CStr::from_ptr(line).to_owned();
            libc::free(line.cast());
            Step::Line(copy)
        }
    };
    *READ.lock().unwrap_or_else(|e| e.into_inner()) = Some(step);
    // SAFETY: the handler's own call, which the library expects.
    unsafe { (lib().rl_callback_handler_remove)() };
}
unsafe extern "C" fn startup() -> c_int {
    HOOKS.get().map_or(0, |h| (h.startup)())
}
unsafe extern "C" fn pre_input() -> c_int {
    HOOKS.get().map_or(0, |h| (h.pre_input)())
}
unsafe extern "C" fn generate(text: *const c_char, state: c_int) -> *mut c_char {
    let Some(hooks) = HOOKS.get() else { return std::ptr::null_mut() };
    // SAFETY: the library gives a C string.
    let text = unsafe { CStr::from_ptr(text) };
    let found = (hooks.complete)(text, state);
    if found.is_ok() {
        // SAFETY: a variable of the library, used within its call.
        unsafe { *lib().rl_attempted_completion_over = 1 };
    }
    match found {
        // SAFETY: a C string; the library frees the copy.
        Ok(Some(found)) => unsafe { libc::strdup(found.as_ptr()) },
        _ => std::ptr::null_mut(),
    }
}
/// How many characters of text so many bytes are.
fn characters(bytes: &[u8]) -> usize {
    bytes.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}
unsafe extern "C" fn complete(text: *const c_char, start: c_int, end: c_int) -> *mut *mut c_char {
    // SAFETY: variables of the library, used within its call; the line is a C string and the places are in it.
    unsafe {
        *lib().rl_completion_append_character = 0;
        *lib().rl_completion_suppress_append = 0;
        let line = CStr::from_ptr(*lib().rl_line_buffer).to_bytes();
        let place = |at: c_int| usize::try_from(at).unwrap_or(0).min(line.len());
        let (start, end) = (place(start), place(end).max(place(start)));
        let first = characters(&line[..start]);
        if let Some(hooks) = HOOKS.get() {
            (hooks.range)(first, first + characters(&line[start..end]));
        }
        (lib().rl_completion_matches)(text, generate)
    }
}
unsafe extern "C" fn display(matches: *mut *mut c_char, n: c_int, longest: c_int) {
    let Some(hooks) = HOOKS.get() else { return };
    // SAFETY: the library gives the text and behind it as many matches, C strings all.
    let (text, matches) = unsafe {
        let at = |i: usize| CStr::from_ptr(*matches.add(i));
        (at(0), (1..=usize::try_from(n).unwrap_or(0)).map(|i| at(i).to_owned()).collect())
    };
    (hooks.display)(text, matches, longest);
}

/// What ends a word for the completer: everything but letters, digits, `_` and `.`.
const DELIMITERS: &CStr = c" \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?";

fn errno(code: c_int) -> Result<(), i32> {
    if code == 0 { Ok(()) } else { Err(code) }
}
fn pointer(text: Option<&CStr>) -> *const c_char {
    text.map_or(null(), CStr::as_ptr)
}
/// The line of an entry that the library gave up, which is freed.
fn free(entry: *mut Entry) -> bool {
    if entry.is_null() {
        return false;
    }
    // SAFETY: an entry that is no longer in the history; its data is malloc's or null.
    unsafe { libc::free((lib().free_history_entry)(entry)) };
    true
}

impl Claim {
    /// Puts the library into the state that Python wants; what it calls from now on.
    pub fn set_up(&self, hooks: Hooks, output_is_terminal: bool) {
        if HOOKS.set(hooks).is_err() {
            return;
        }
        let l = lib();
        // SAFETY: the claim is this thread's; names and texts are statics. The locale is put back as it was, which the
        // library's start changes.
        unsafe {
            let locale = libc::setlocale(libc::LC_CTYPE, null());
            let locale = (!locale.is_null()).then(|| CStr::from_ptr(locale).to_owned());
            *l.rl_readline_name = c"python".as_ptr();
            *l.rl_change_environment = 0;
            *l.rl_catch_signals = 0;
            (l.clear_history)();
            (l.using_history)();
            (l.rl_bind_key)(c_int::from(b'\t'), l.rl_insert);
            (l.rl_bind_key_in_map)(c_int::from(b'\t'), l.rl_complete, l.emacs_meta_keymap.cast());
            (l.rl_bind_key_in_map)(0x1B, l.rl_complete, l.emacs_meta_keymap.cast());
            *l.rl_startup_hook = Some(startup);
            *l.rl_pre_input_hook = Some(pre_input);
            *l.rl_attempted_completion_function = Some(complete);
            *l.rl_completer_word_break_characters = DELIMITERS.as_ptr();
            if !output_is_terminal {
                // Or the library tells whatever reads the output to switch 8 bits on.
                (l.rl_variable_bind)(c"enable-meta-key".as_ptr(), c"off".as_ptr());
            }
            (l.rl_initialize)();
            if let Some(locale) = locale {
                libc::setlocale(libc::LC_CTYPE, locale.as_ptr());
            }
        }
        self.no_bracketed_paste();
    }
    /// Pasted text is read as if it were typed, whatever a configuration says.
    fn no_bracketed_paste(&self) {
        // SAFETY: the claim is this thread's.
        unsafe { (lib().rl_variable_bind)(c"enable-bracketed-paste".as_ptr(), c"off".as_ptr()) };
    }
    pub fn version(&self) -> (i32, String) {
        // SAFETY: variables that nothing changes.
        unsafe {
            (*lib().rl_readline_version, CStr::from_ptr(*lib().rl_library_version).to_string_lossy().into_owned())
        }
    }
    pub fn parse_and_bind(&self, line: CString) {
        let mut line = line.into_bytes_with_nul();
        // SAFETY: a C string that the library may write to and does not make longer.
        unsafe { (lib().rl_parse_and_bind)(line.as_mut_ptr().cast()) };
    }
    /// The error is an errno, here and below.
    pub fn read_init_file(&self, path: Option<&CStr>) -> Result<(), i32> {
        // SAFETY: a C string or null.
        errno(unsafe { (lib().rl_read_init_file)(pointer(path)) })?;
        self.no_bracketed_paste();
        Ok(())
    }
    pub fn read_history(&self, path: Option<&CStr>) -> Result<(), i32> {
        // SAFETY: as above.
        errno(unsafe { (lib().read_history)(pointer(path)) })
    }
    /// Keeps the last `most` lines in the file, if given.
    pub fn write_history(&self, path: Option<&CStr>, most: Option<i32>) -> Result<(), i32> {
        // SAFETY: as above.
        errno(unsafe { (lib().write_history)(pointer(path)) })?;
        self.truncate(path, most);
        Ok(())
    }
    pub fn append_history(&self, n: i32, path: Option<&CStr>, most: Option<i32>) -> Result<(), i32> {
        // SAFETY: as above.
        errno(unsafe { (lib().append_history)(n, pointer(path)) })?;
        self.truncate(path, most);
        Ok(())
    }
    fn truncate(&self, path: Option<&CStr>, most: Option<i32>) {
        if let Some(most) = most {
            // SAFETY: as above. A file that stays too long is no error: what was to be written is.
            unsafe { (lib().history_truncate_file)(pointer(path), most) };
        }
    }
    pub fn clear_history(&self) {
        // SAFETY: the claim is this thread's, here and below.
        unsafe { (lib().clear_history)() }
    }
    pub fn add_history(&self, line: &CStr) {
        // SAFETY: a C string, which is copied.
        unsafe { (lib().add_history)(line.as_ptr()) }
    }
    pub fn history_length(&self) -> i32 {
        // SAFETY: a variable of the library.
        unsafe { *lib().history_length }
    }
    /// The line of this number, from 1.
    pub fn history_item(&self, index: i32) -> Option<CString> {
        // SAFETY: null or an entry, whose line is copied at once.
        unsafe {
            let entry = (lib().history_get)(index);
            (!entry.is_null() && !(*entry).line.is_null()).then(|| CStr::from_ptr((*entry).line).to_owned())
        }
    }
    /// Whether there was such a line, counted from 0.
    pub fn remove_history_item(&self, at: i32) -> bool {
        // SAFETY: a number; the entry is no longer the library's.
        free(unsafe { (lib().remove_history)(at) })
    }
    pub fn replace_history_item(&self, at: i32, line: &CStr) -> bool {
        // SAFETY: as above; the line is copied.
        free(unsafe { (lib().replace_history_entry)(at, line.as_ptr(), std::ptr::null_mut()) })
    }
    pub fn completion_type(&self) -> i32 {
        // SAFETY: a variable of the library.
        unsafe { *lib().rl_completion_type }
    }
    pub fn delimiters(&self) -> CString {
        // SAFETY: a C string that this module set.
        unsafe { CStr::from_ptr(*lib().rl_completer_word_break_characters).to_owned() }
    }
    pub fn set_delimiters(&self, text: CString) {
        // The library has what it was given for as long as it likes.
        let text: &'static CStr = Box::leak(text.into_boxed_c_str());
        // SAFETY: a C string for good.
        unsafe { *lib().rl_completer_word_break_characters = text.as_ptr() }
    }
    pub fn line_buffer(&self) -> CString {
        // SAFETY: null or a C string, copied at once.
        unsafe {
            let line = *lib().rl_line_buffer;
            if line.is_null() { CString::default() } else { CStr::from_ptr(line).to_owned() }
        }
    }
    pub fn insert_text(&self, text: &CStr) {
        // SAFETY: a C string, which is copied.
        unsafe { (lib().rl_insert_text)(text.as_ptr()) };
    }
    pub fn redisplay(&self) {
        // SAFETY: the library is initialized.
        unsafe { (lib().rl_redisplay)() }
    }
    /// Whether matches are shown by `Hooks::display` or by the library.
    pub fn show_matches(&self, by_hook: bool) {
        // SAFETY: a variable of the library.
        unsafe { *lib().rl_completion_display_matches_hook = by_hook.then_some(display as api::Display) }
    }

    /// Shows a prompt and begins to read a line from standard input.
    pub fn begin(&self, prompt: &CStr) {
        *READ.lock().unwrap_or_else(|e| e.into_inner()) = None;
        // SAFETY: a C string, which is copied.
        unsafe { (lib().rl_callback_handler_install)(prompt.as_ptr(), line_read) }
    }
    /// Reads what was typed.
    pub fn step(&self) -> Step {
        // SAFETY: a handler is installed.
        unsafe { (lib().rl_callback_read_char)() };
        READ.lock().unwrap_or_else(|e| e.into_inner()).take().unwrap_or(Step::More)
    }
    /// Gives the line up.
    pub fn abandon(&self) {
        // SAFETY: a handler is installed, which goes away.
        unsafe {
            (lib().rl_free_line_state)();
            (lib().rl_callback_sigcleanup)();
            (lib().rl_cleanup_after_signal)();
            (lib().rl_callback_handler_remove)();
        }
    }
}
