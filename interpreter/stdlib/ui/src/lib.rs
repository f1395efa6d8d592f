//! Native modules of the family `ui`: what people see and type, on libraries that are found when a module is imported.
#![forbid(unsafe_code)]

mod _curses;
mod _curses_panel;
mod _tkinter;
mod readline;

use krait_object::ModuleDef;

/// The modules of this family.
pub static MODULES: &[&ModuleDef] = &[&_curses::MODULE, &_curses_panel::MODULE, &_tkinter::MODULE, &readline::MODULE];
