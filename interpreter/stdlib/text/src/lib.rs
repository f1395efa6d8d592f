//! Native modules of the family `text`, one file or folder per module.

#![forbid(unsafe_code)]

#[expect(dead_code, reason = "the engine is not bound to Python yet")]
mod _sre;
