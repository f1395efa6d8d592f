//! Tables that `scripts/generate-cjk` writes.

pub mod cn;
pub mod jp;
pub mod kr;
pub mod tw;
