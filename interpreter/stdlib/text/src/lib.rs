//! Native modules of the family `text`, one file or folder per module.

#![forbid(unsafe_code)]

#[expect(dead_code, reason = "not bound to Python yet")]
mod _csv;
#[expect(dead_code, reason = "not bound to Python yet")]
mod _json;
#[expect(dead_code, reason = "not bound to Python yet")]
mod _sre;
#[expect(dead_code, reason = "not bound to Python yet")]
mod binascii;
