//! The atomics that `count`, `lock` and `cell` are written with. `tests/interleavings.rs` compiles those files against
//! loom's instead, which runs every interleaving of their steps.
pub use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// What a thread does while it waits for another for the `spins`th time.
pub fn relax(spins: u32) {
    if spins.is_multiple_of(64) { std::thread::yield_now() } else { std::hint::spin_loop() }
}
