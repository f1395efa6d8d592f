//! The standard descriptors as the process got them: Rust's own start-up opens `/dev/null` where one of them is closed,
//! before `main` runs, so a function that runs earlier still looks.
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// A bit for each of 0, 1, 2 that was closed.
static CLOSED: AtomicU8 = AtomicU8::new(0);

extern "C" fn look() {
    for fd in 0..3 {
        // SAFETY: numbers only.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } == -1 {
            CLOSED.fetch_or(1 << fd, Relaxed);
        }
    }
}
// SAFETY: the dynamic linker calls the functions of this section, in which nothing but the C library is used.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

/// Undoes what Rust's start-up did that Python programs can tell: closes again what was closed, and gives the signals of
/// memory faults their default actions back. Called once, before other descriptors are opened.
pub fn restore() {
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        let _ = crate::signal::set_action(signal, crate::signal::Action::Default);
    }
    for fd in 0..3 {
        if CLOSED.load(Relaxed) & 1 << fd != 0 {
            let _ = crate::fd::close(fd);
        }
    }
}
