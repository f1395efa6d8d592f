//! Native modules of the family `math`, one file or folder per module.

#![forbid(unsafe_code)]

#[expect(dead_code, reason = "not bound to Python yet")]
mod _struct;
