//! Native modules of the family `net`, one file or folder per module.
#![forbid(unsafe_code)]

pub mod _asyncio;
pub mod _socket;
pub mod constants;

use krait_object::ModuleDef;

/// The modules of this family.
pub static MODULES: &[&ModuleDef] = &[&_asyncio::MODULE, &_socket::MODULE];
