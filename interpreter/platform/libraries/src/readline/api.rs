//! The functions and variables of GNU readline 8 that are used, found in the system's library when it is first asked for.
use std::ffi::{c_char, c_int};
use std::sync::OnceLock;

use crate::dynamic::{Seen, api, open};

pub use crate::dynamic::P;

pub type Hook = Option<unsafe extern "C" fn() -> c_int>;
pub type LineHandler = unsafe extern "C" fn(*mut c_char);
pub type Complete = unsafe extern "C" fn(*const c_char, c_int, c_int) -> *mut *mut c_char;
pub type Generate = unsafe extern "C" fn(*const c_char, c_int) -> *mut c_char;
pub type Display = unsafe extern "C" fn(*mut *mut c_char, c_int, c_int);
pub type KeyCommand = unsafe extern "C" fn(c_int, c_int) -> c_int;

/// `HIST_ENTRY`
#[repr(C)]
pub struct Entry {
    pub line: *mut c_char,
    pub timestamp: *mut c_char,
    pub data: P,
}

api! {
    struct Api {
        fn rl_initialize() -> c_int;
        fn rl_variable_bind(*const c_char, *const c_char) -> c_int;
        fn rl_parse_and_bind(*mut c_char) -> c_int;
        fn rl_read_init_file(*const c_char) -> c_int;
        fn rl_bind_key(c_int, KeyCommand) -> c_int;
        fn rl_bind_key_in_map(c_int, KeyCommand, P) -> c_int;
        fn rl_insert(c_int, c_int) -> c_int;
        fn rl_complete(c_int, c_int) -> c_int;
        fn rl_insert_text(*const c_char) -> c_int;
        fn rl_redisplay();
        fn rl_completion_matches(*const c_char, Generate) -> *mut *mut c_char;
        fn rl_callback_handler_install(*const c_char, LineHandler);
        fn rl_callback_handler_remove();
        fn rl_callback_read_char();
        fn rl_callback_sigcleanup();
        fn rl_free_line_state();
        fn rl_cleanup_after_signal();
        fn using_history();
        fn clear_history();
        fn add_history(*const c_char);
        fn history_get(c_int) -> *const Entry;
        fn remove_history(c_int) -> *mut Entry;
        fn replace_history_entry(c_int, *const c_char, P) -> *mut Entry;
        fn free_history_entry(*mut Entry) -> P;
        fn read_history(*const c_char) -> c_int;
        fn write_history(*const c_char) -> c_int;
        fn append_history(c_int, *const c_char) -> c_int;
        fn history_truncate_file(*const c_char, c_int) -> c_int;
        static rl_readline_name: *const c_char;
        static rl_library_version: *const c_char;
        static rl_readline_version: c_int;
        static rl_change_environment: c_int;
        static rl_catch_signals: c_int;
        static rl_line_buffer: *mut c_char;
        static rl_completion_type: c_int;
        static rl_completion_append_character: c_int;
        static rl_completion_suppress_append: c_int;
        static rl_attempted_completion_over: c_int;
        static rl_completer_word_break_characters: *const c_char;
        static rl_startup_hook: Hook;
        static rl_pre_input_hook: Hook;
        static rl_attempted_completion_function: Option<Complete>;
        static rl_completion_display_matches_hook: Option<Display>;
        static history_length: c_int;
        static emacs_meta_keymap: [u8; 16];
    }
}
// SAFETY: functions and addresses; who uses them holds a `Claim`.
unsafe impl Send for Api {}
// SAFETY: as above.
unsafe impl Sync for Api {}

/// The library; `None` where the system has no GNU readline 8.
pub fn api() -> Option<&'static Api> {
    static API: OnceLock<Option<Api>> = OnceLock::new();
    API.get_or_init(|| {
        // SAFETY: the soname of GNU readline 8, whose interface is stable within the major version.
        unsafe { Api::load(open(&[c"libreadline.so.8"], Seen::Alone)?) }
    })
    .as_ref()
}
