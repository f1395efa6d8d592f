//! Dispatch, frames, calls, unwinding, generators, inline caches, tracing.
//!
//! A home of unsafe code in `regs.rs` (raw words as values), `crash.rs` and `dispatch.rs` (the loop) only; everything else is written
//! against the register interface of `regs.rs`.
#![deny(unsafe_code)]

mod bind;
#[expect(unsafe_code, reason = "see the file's header")]
mod cache;
#[expect(unsafe_code, reason = "see the file's header")]
mod crash;
#[expect(unsafe_code, reason = "see the file's header")]
mod dispatch;
mod frames;
mod generators;
mod hooks;
mod jump;
mod monitor;
mod ops;
#[expect(unsafe_code, reason = "see the file's header")]
mod regs;
mod safepoint;
mod trace;
mod unwind;

pub use frames::eval_code;
pub use hooks::install;
