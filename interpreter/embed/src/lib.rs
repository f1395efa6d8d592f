//! Krait as a library: a Python 3.13 interpreter inside a Rust program.
//!
//! An [`Interpreter`] is built, then entered with [`Interpreter::python`]; [`Python`] runs source, reaches modules and
//! makes functions, modules and classes out of Rust code. Values are [`Object`]s, which convert from and to Rust types
//! ([`ToPython`], [`FromPython`]). A Python exception arrives as an [`Error`].
//!
//! ```standalone_crate
//! # fn main() -> Result<(), krait_embed::Error> {
//! let mut interpreter = krait_embed::Interpreter::new()?;
//! let mut py = interpreter.python();
//!
//! py.set_global("limit", 10)?;
//! py.run("squares = [n * n for n in range(limit)]")?;
//! let squares: Vec<i64> = py.eval("squares")?.extract(&mut py)?;
//! assert_eq!(squares[9], 81);
//!
//! let error = py.run("int('ten')").unwrap_err();
//! assert!(error.is("ValueError"));
//! assert_eq!(error.to_string(), "ValueError: invalid literal for int() with base 10: 'ten'");
//! # Ok(())
//! # }
//! ```
//!
//! Python calls Rust:
//!
//! ```standalone_crate
//! # fn main() -> Result<(), krait_embed::Error> {
//! # let mut interpreter = krait_embed::Interpreter::new()?;
//! # let mut py = interpreter.python();
//! let hypotenuse = py.function("hypotenuse", |py, args| {
//!     let (a, b): (f64, f64) = (args.get(py, 0)?, args.get(py, 1)?);
//!     Ok(a.hypot(b))
//! });
//! py.set_global("hypotenuse", hypotenuse)?;
//! assert_eq!(py.eval("hypotenuse(3, 4)")?.extract::<f64>(&mut py)?, 5.0);
//! # Ok(())
//! # }
//! ```
//!
//! # Threads and interpreters
//!
//! A process may have several interpreters; each has its own modules, globals, limits and configuration. All of them are
//! made and used on one OS thread, that of the first: making one elsewhere is refused with an error. Python threads that a
//! script starts run, taking turns, while that thread is inside the interpreter.
#![forbid(unsafe_code)]

pub mod command;
mod compile;
mod convert;
mod error;
pub mod interactive;
mod interpreter;
mod limits;
mod native;
mod object;
mod paths;
mod python;
mod script;
mod start;
mod streams;
mod subinterpreters;

pub use convert::{FromPython, ToPython};
pub use error::{Error, Result};
pub use interpreter::{Builder, Interpreter};
pub use krait_object::Thread;
pub use krait_object::allocator::Allocator;
pub use krait_runtime::config::{Config, Flags};
pub use native::{Arguments, Class, Module};
pub use object::Object;
pub use python::Python;
pub use start::{finalize, initialize, new_thread};
