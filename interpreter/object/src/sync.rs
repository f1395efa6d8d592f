//! The atomics that `count`, `lock`, `cell` and `changes` are written with. `tests/interleavings.rs` compiles those files against
//! loom's instead, which runs every interleaving of their steps.
pub use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering, fence};

/// What a thread does while it waits for another for the `spins`th time.
pub fn relax(spins: u32) {
    if spins.is_multiple_of(64) { std::thread::yield_now() } else { std::hint::spin_loop() }
}
/// How often a thread leaves a lock that it fights for to the one that held it last and is not seen to use it again; and how
/// often altogether.
pub const PATIENCE: u32 = 2;
pub const LONGEST: u32 = 16;
/// Lets another thread work undisturbed for a microsecond or so.
pub fn leave_alone() {
    for _ in 0..48 {
        std::hint::spin_loop();
    }
}
/// Behind a sequentially consistent read-modify-write: what is read after it is read after everybody can see it. On x86 the
/// instruction itself is that barrier.
#[inline(always)]
pub fn full_barrier() {
    #[cfg(target_arch = "x86_64")]
    std::sync::atomic::compiler_fence(Ordering::SeqCst);
    #[cfg(not(target_arch = "x86_64"))]
    std::sync::atomic::fence(Ordering::SeqCst);
}
/// Keeps a write and the read after it in order, for those who pass a [`heavy_barrier`] in between their own.
#[inline(always)]
pub fn light_barrier() {
    if krait_platform::thread::has_heavy_barrier() {
        std::sync::atomic::compiler_fence(Ordering::SeqCst);
    } else {
        std::sync::atomic::fence(Ordering::SeqCst);
    }
}
/// Has every thread of the process pass a barrier.
pub fn heavy_barrier() {
    krait_platform::thread::heavy_barrier();
}
