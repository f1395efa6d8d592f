//! Native modules of the family `language`, one file or folder per module.
#![forbid(unsafe_code)]

pub mod _ast;
pub mod _opcode;
pub mod _symtable;
pub mod _tokenize;
pub mod codecs;
mod refusal;

use krait_object::ModuleDef;

/// The modules of this family.
pub static MODULES: &[&ModuleDef] = &[&_ast::MODULE, &_opcode::MODULE, &_symtable::MODULE, &_tokenize::MODULE];
