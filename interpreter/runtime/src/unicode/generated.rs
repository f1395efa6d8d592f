//! Tables that `scripts/generate-unicode` writes; never edited by hand.

#[rustfmt::skip]
pub mod case;
#[rustfmt::skip]
pub mod names;
#[rustfmt::skip]
pub mod normalization;
#[rustfmt::skip]
pub mod properties;
#[rustfmt::skip]
pub mod version_3_2;
