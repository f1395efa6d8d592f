//! Libraries with a C interface behind safe functions; in the home of unsafe code `platform`, apart from it so that only
//! the families that need one wait for its build.

pub mod curses;
pub mod deflate;
mod dynamic;
pub mod lzma;
pub mod openssl;
pub mod readline;
pub mod sqlite;
pub mod tcl;
