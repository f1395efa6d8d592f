//! The deck of panels: windows above each other.
use std::ffi::c_int;
use std::sync::{Arc, Mutex, OnceLock};

use super::window::Window;
use super::{one, status};
use crate::dynamic::{P, Seen, api, open};

api! {
    struct Api {
        fn new_panel(P) -> P;
        fn del_panel(P) -> c_int;
        fn bottom_panel(P) -> c_int;
        fn top_panel(P) -> c_int;
        fn show_panel(P) -> c_int;
        fn hide_panel(P) -> c_int;
        fn panel_hidden(P) -> c_int;
        fn move_panel(P, c_int, c_int) -> c_int;
        fn replace_panel(P, P) -> c_int;
        fn panel_above(P) -> P;
        fn panel_below(P) -> P;
        fn update_panels();
    }
}
fn api() -> Option<&'static Api> {
    static API: OnceLock<Option<Api>> = OnceLock::new();
    API.get_or_init(|| {
        super::api()?;
        // SAFETY: the soname of the panels of ncurses 6, whose interface is stable within the major version.
        unsafe { Api::load(open(&[c"libpanelw.so.6"], Seen::Alone)?) }
    })
    .as_ref()
}
fn lib() -> &'static Api {
    api().expect("nothing is made of a library that is not there")
}
/// Whether the system has panelw 6.
pub fn is_there() -> bool {
    api().is_some()
}

/// A panel, whose window lives as long as it does.
pub struct Panel {
    raw: usize,
    window: Mutex<Arc<Window>>,
}
impl Drop for Panel {
    fn drop(&mut self) {
        let _one = one();
        // SAFETY: a panel that was made and not deleted.
        unsafe { (lib().del_panel)(self.raw as P) };
    }
}
/// What names a panel as long as it lives.
pub type Name = usize;

pub fn update() {
    let _one = one();
    // SAFETY: without a screen there is nothing to update.
    unsafe { (lib().update_panels)() }
}
fn name(raw: P) -> Option<Name> {
    (!raw.is_null()).then_some(raw as usize)
}
/// The lowest panel that is shown, and the highest.
pub fn lowest() -> Option<Name> {
    let _one = one();
    // SAFETY: null asks for the end of the deck.
    name(unsafe { (lib().panel_above)(std::ptr::null_mut()) })
}
pub fn highest() -> Option<Name> {
    let _one = one();
    // SAFETY: as above.
    name(unsafe { (lib().panel_below)(std::ptr::null_mut()) })
}

macro_rules! plain {
    ($($method:ident = $field:ident;)*) => { $(
        pub fn $method(&self) -> Result<(), i32> {
            let _one = one();
            // SAFETY: a live panel.
            status(unsafe { (lib().$field)(self.raw as P) })
        }
    )* };
}
impl Panel {
    pub fn new(window: Arc<Window>) -> Option<Panel> {
        let _one = one();
        // SAFETY: a live window, which the panel keeps.
        let raw = name(unsafe { (lib().new_panel)(window.raw()) })?;
        Some(Panel { raw, window: Mutex::new(window) })
    }
    pub fn name(&self) -> Name {
        self.raw
    }
    plain! { to_bottom = bottom_panel; to_top = top_panel; show = show_panel; hide = hide_panel; }
    pub fn is_hidden(&self) -> bool {
        let _one = one();
        // SAFETY: a live panel.
        unsafe { (lib().panel_hidden)(self.raw as P) == 1 }
    }
    pub fn relocate(&self, y: i32, x: i32) -> Result<(), i32> {
        let _one = one();
        // SAFETY: as above.
        status(unsafe { (lib().move_panel)(self.raw as P, y, x) })
    }
    pub fn replace(&self, window: Arc<Window>) -> Result<(), i32> {
        let old = {
            let _one = one();
            // SAFETY: a live panel and a live window, which the panel keeps from now on.
            status(unsafe { (lib().replace_panel)(self.raw as P, window.raw()) })?;
            std::mem::replace(&mut *self.window.lock().unwrap_or_else(|e| e.into_inner()), window)
        };
        drop(old);
        Ok(())
    }
    pub fn above(&self) -> Option<Name> {
        let _one = one();
        // SAFETY: a live panel.
        name(unsafe { (lib().panel_above)(self.raw as P) })
    }
    pub fn below(&self) -> Option<Name> {
        let _one = one();
        // SAFETY: as above.
        name(unsafe { (lib().panel_below)(self.raw as P) })
    }
}
