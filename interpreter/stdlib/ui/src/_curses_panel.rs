//! `_curses_panel`: windows in a deck. CPython: `Modules/_curses_panel.c`.
use krait_libraries::curses::panel::{self as library, Name, Panel};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{function, method};
use krait_object::{
    Args, ClassDef, Locked, Method, ModuleDef, PyResult, Ref, Thread, TypeObject, VTable, Value, ValueCell, type_flag,
};
use krait_runtime::errors::{import_error, raise};
use krait_runtime::exceptions::EXCEPTION;
use krait_runtime::protocol::number;
use krait_runtime::types::{module, weakref};

use crate::_curses::{need_screen, window::of_argument};

pub static MODULE: ModuleDef = ModuleDef {
    functions: FUNCTIONS,
    classes: &[&ERROR_DEF, &DEF],
    init: Some(init),
    ..ModuleDef::new("_curses_panel")
};
static ERROR: TypeObject = TypeObject::builtin_like("error", &EXCEPTION);
static ERROR_DEF: ClassDef = ClassDef { module: "_curses_panel", flags: type_flag::BASE, ..ClassDef::new(&ERROR) };

#[derive(Trace, Payload)]
#[payload(class = PANEL)]
struct CursesPanel {
    #[trace(skip)]
    panel: Panel,
    /// The `window` object.
    window: ValueCell,
    user: ValueCell,
}
static LAYOUT: VTable = VTable::of::<CursesPanel>();
static PANEL: TypeObject = TypeObject::builtin("panel", Some(&OBJECT), &LAYOUT);
static DEF: ClassDef = ClassDef {
    module: "_curses_panel",
    methods: METHODS,
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC | type_flag::WEAKREF,
    ..ClassDef::new(&PANEL)
};

/// Weak references to the panels, by name.
#[derive(Default)]
struct Deck {
    panels: Locked<Vec<(Name, Value)>>,
}
/// The object of a panel.
fn find(th: &Thread, name: Option<Name>) -> Value {
    let Some(name) = name else { return Value::NONE };
    let held = {
        let deck = th.interp.extension::<Deck>();
        let panels = deck.panels.lock();
        panels.iter().rev().find(|(n, _)| *n == name).map(|(_, held)| held.clone())
    };
    held.and_then(|held| weakref::target(&held)).unwrap_or(Value::NONE)
}

fn this<'a>(a: &Args<'a>) -> &'a CursesPanel {
    a.this()
}
fn finished(th: &mut Thread, done: Result<(), i32>, function: &str) -> PyResult<Value> {
    match done {
        Ok(()) => Ok(Value::NONE),
        Err(_) => Err(raise(th, &ERROR, format!("{function}() returned ERR"))),
    }
}

static METHODS: &[Method] = &[
    method("above", "()", "Return the panel above the current panel.", |th, a| Ok(find(th, this(a).panel.above()))),
    method("below", "()", "Return the panel below the current panel.", |th, a| Ok(find(th, this(a).panel.below()))),
    method("bottom", "()", "Push the panel to the bottom of the stack.", |th, a| {
        finished(th, this(a).panel.to_bottom(), "bottom_panel")
    }),
    method("hidden", "()", "Return True if the panel is hidden (not visible), False otherwise.", |_, a| {
        Ok(Value::bool(this(a).panel.is_hidden()))
    }),
    method("hide", "()", "Hide the panel.", |th, a| finished(th, this(a).panel.hide(), "hide_panel")),
    method("move", "(y, x, /)", "Move the panel to the screen coordinates (y, x).", |th, a| {
        let (y, x) = (number::to_i32(th, &a[1])?, number::to_i32(th, &a[2])?);
        finished(th, this(a).panel.relocate(y, x), "move_panel")
    }),
    method("replace", "(win, /)", "Change the window associated with the panel to the window win.", |th, a| {
        let window = of_argument(th, &a[1], "replace")?.clone();
        let done = finished(th, this(a).panel.replace(window), "replace_panel")?;
        this(a).window.set(Some(a[1].clone()));
        Ok(done)
    }),
    method("set_userptr", "(obj, /)", "Set the panel's user pointer to obj.", |_, a| {
        this(a).user.set(Some(a[1].clone()));
        Ok(Value::NONE)
    }),
    method("show", "()", "Display the panel (which might have been hidden).", |th, a| {
        finished(th, this(a).panel.show(), "show_panel")
    }),
    method("top", "()", "Push panel to the top of the stack.", |th, a| {
        finished(th, this(a).panel.to_top(), "top_panel")
    }),
    method("userptr", "()", "Return the user pointer for the panel.", |th, a| match this(a).user.get() {
        Some(user) => Ok(user),
        None => Err(raise(th, &ERROR, "no userptr set")),
    }),
    method("window", "()", "Return the window object associated with the panel.", |_, a| {
        Ok(this(a).window.get().unwrap_or(Value::NONE))
    }),
];
static FUNCTIONS: &[Method] = &[
    function("bottom_panel", "()", "Return the bottom panel in the panel stack.", |th, _| {
        need_screen(th)?;
        Ok(find(th, library::lowest()))
    }),
    function("new_panel", "(win, /)", "Return a panel object, associating it with the given window win.", |th, a| {
        let window = of_argument(th, &a[0], "new_panel")?.clone();
        let Some(panel) = Panel::new(window) else { return Err(raise(th, &ERROR, "curses function returned NULL")) };
        let name = panel.name();
        let made: Value =
            Ref::new(CursesPanel { panel, window: ValueCell::new(Some(a[0].clone())), user: ValueCell::empty() })
                .into();
        let held = weakref::new_plain(&made);
        let deck = th.interp.extension::<Deck>();
        let old = std::mem::take(&mut *deck.panels.lock());
        let mut panels: Vec<(Name, Value)> =
            old.into_iter().filter(|(n, held)| *n != name && weakref::target(held).is_some()).collect();
        panels.push((name, held));
        *deck.panels.lock() = panels;
        Ok(made)
    }),
    function("top_panel", "()", "Return the top panel in the panel stack.", |th, _| {
        need_screen(th)?;
        Ok(find(th, library::highest()))
    }),
    function("update_panels", "()", "Update the virtual screen after changes in the panel stack.", |th, _| {
        need_screen(th)?;
        library::update();
        Ok(Value::NONE)
    }),
];
fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    if !library::is_there() {
        return Err(import_error(th, "the panels of ncurses 6 were not found on this system"));
    }
    let d = module::dict(m);
    d.set_text("version", "2.1");
    d.set_text("__version__", "2.1");
    Ok(())
}
