//! The deck of panels: windows above each other.
use std::ffi::{c_int, c_void};
use std::sync::{Arc, Mutex, OnceLock};

use super::window::Window;
use super::{one, status};

type P = *mut c_void;
type Find = unsafe extern "C" fn(P) -> P;
type Act = unsafe extern "C" fn(P) -> c_int;
type Move = unsafe extern "C" fn(P, c_int, c_int) -> c_int;
type Replace = unsafe extern "C" fn(P, P) -> c_int;
type Update = unsafe extern "C" fn();
struct Api {
    new: Find,
    delete: Act,
    bottom: Act,
    top: Act,
    show: Act,
    hide: Act,
    hidden: Act,
    relocate: Move,
    replace: Replace,
    above: Find,
    below: Find,
    update: Update,
}
fn api() -> Option<&'static Api> {
    static API: OnceLock<Option<Api>> = OnceLock::new();
    API.get_or_init(|| {
        super::api()?;
        // SAFETY: a NUL-terminated name; the library stays loaded for good.
        let handle = unsafe { libc::dlopen(c"libpanelw.so.6".as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if handle.is_null() {
            return None;
        }
        macro_rules! symbol {
            ($name:literal, $type:ty) => {{
                // SAFETY: a NUL-terminated name.
                let symbol = unsafe { libc::dlsym(handle, $name.as_ptr()) };
                if symbol.is_null() {
                    return None;
                }
                // SAFETY: the function of that name in panel 6, whose signature is the field's.
                unsafe { std::mem::transmute::<P, $type>(symbol) }
            }};
        }
        Some(Api {
            new: symbol!(c"new_panel", Find),
            delete: symbol!(c"del_panel", Act),
            bottom: symbol!(c"bottom_panel", Act),
            top: symbol!(c"top_panel", Act),
            show: symbol!(c"show_panel", Act),
            hide: symbol!(c"hide_panel", Act),
            hidden: symbol!(c"panel_hidden", Act),
            relocate: symbol!(c"move_panel", Move),
            replace: symbol!(c"replace_panel", Replace),
            above: symbol!(c"panel_above", Find),
            below: symbol!(c"panel_below", Find),
            update: symbol!(c"update_panels", Update),
        })
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
        unsafe { (lib().delete)(self.raw as P) };
    }
}
/// What names a panel as long as it lives.
pub type Name = usize;

pub fn update() {
    let _one = one();
    // SAFETY: without a screen there is nothing to update.
    unsafe { (lib().update)() }
}
fn name(raw: P) -> Option<Name> {
    (!raw.is_null()).then_some(raw as usize)
}
/// The lowest panel that is shown, and the highest.
pub fn lowest() -> Option<Name> {
    let _one = one();
    // SAFETY: null asks for the end of the deck.
    name(unsafe { (lib().above)(std::ptr::null_mut()) })
}
pub fn highest() -> Option<Name> {
    let _one = one();
    // SAFETY: as above.
    name(unsafe { (lib().below)(std::ptr::null_mut()) })
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
        let raw = name(unsafe { (lib().new)(window.raw()) })?;
        Some(Panel { raw, window: Mutex::new(window) })
    }
    pub fn name(&self) -> Name {
        self.raw
    }
    plain! { to_bottom = bottom; to_top = top; show = show; hide = hide; }
    pub fn is_hidden(&self) -> bool {
        let _one = one();
        // SAFETY: a live panel.
        unsafe { (lib().hidden)(self.raw as P) == 1 }
    }
    pub fn relocate(&self, y: i32, x: i32) -> Result<(), i32> {
        let _one = one();
        // SAFETY: as above.
        status(unsafe { (lib().relocate)(self.raw as P, y, x) })
    }
    pub fn replace(&self, window: Arc<Window>) -> Result<(), i32> {
        let old = {
            let _one = one();
            // SAFETY: a live panel and a live window, which the panel keeps from now on.
            status(unsafe { (lib().replace)(self.raw as P, window.raw()) })?;
            std::mem::replace(&mut *self.window.lock().unwrap_or_else(|e| e.into_inner()), window)
        };
        drop(old);
        Ok(())
    }
    pub fn above(&self) -> Option<Name> {
        let _one = one();
        // SAFETY: a live panel.
        name(unsafe { (lib().above)(self.raw as P) })
    }
    pub fn below(&self) -> Option<Name> {
        let _one = one();
        // SAFETY: as above.
        name(unsafe { (lib().below)(self.raw as P) })
    }
}
