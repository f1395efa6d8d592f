//! The VM's per-thread state: the register stack, which never moves, the frame being executed, and what generators in
//! progress have put aside. Crate `vm` owns the meaning of it all; this crate only stores it and finds it for `Thread`.
//!
//! # The register stack
//!
//! A reserved range of words. Every word is at any safe point a valid `Value` encoding or 0 (unbound): return addresses
//! are stored as immediate ints. Words above the running frame's registers are 0. See `bytecode/src/opcodes.rs` for the
//! layout of windows and frames.
use krait_platform::memory::Reservation;

use crate::value::Value;

/// Reserved for the first thread, bytes of address space.
const FIRST_STACK: usize = 512 << 20;
/// Reserved for each further thread.
const LATER_STACK: usize = 64 << 20;
/// Below this the reservation is given up.
const SMALLEST_STACK: usize = 1 << 20;

/// Owned by crate `vm`; this crate only stores it.
pub struct VmState {
    reservation: Option<Reservation>,
    /// First word of the stack; null until [`VmState::prepare`].
    pub start: *mut u64,
    /// First word that no frame may use.
    pub limit: *mut u64,
    /// `R[0]` of the running frame, null when none runs.
    pub base: *mut u64,
    /// The instruction being executed in the running frame (its first word), published before anything that can run
    /// Python code or raise.
    pub pc: *const u64,
    /// Handled exceptions of the callers of the generators that are running, outermost first.
    pub outer_handled: Vec<Option<Value>>,
    /// Tracing state of crate `vm`.
    pub tracing: Tracing,
    /// Where the other dispatch loop goes on, while the loops are switched.
    pub switch_to: *const u64,
    /// An exception set by another thread, raised at the next safe point.
    pub async_exc: Option<Value>,
    /// What the attribute instructions of all code have learnt, for those that see objects of several classes.
    pub learnt: Learnt,
}

/// Cache words of attribute instructions by access, name, and class and shape of the object.
#[derive(Default)]
pub struct Learnt(Vec<Known>);
#[derive(Clone, Default)]
struct Known {
    /// Address of an interned name, and the access in the bits that addresses do not have.
    name: usize,
    /// State of the class, and shape of the object, or its own state if it is a class.
    state: (u32, u32),
    words: (u64, u64),
}
impl Learnt {
    const SIZE: usize = 1024;

    #[inline(always)]
    fn place(name: usize, (version, shape): (u32, u32)) -> usize {
        let state = (version as usize).wrapping_mul(0x9E37) ^ (shape as usize).wrapping_mul(0x85EB);
        (name >> 4 ^ name >> 13 ^ state) & (Self::SIZE - 1)
    }
    #[inline(always)]
    pub fn get(&self, name: usize, state: (u32, u32)) -> Option<(u64, u64)> {
        let known = self.0.get(Self::place(name, state))?;
        (known.name == name && known.state == state).then_some(known.words)
    }
    pub fn set(&mut self, name: usize, state: (u32, u32), words: (u64, u64)) {
        if self.0.is_empty() {
            self.0.resize(Self::SIZE, Known::default());
        }
        self.0[Self::place(name, state)] = Known { name, state, words };
    }
}

/// `sys.settrace`, `sys.setprofile` and the events of `sys.monitoring` on one thread.
pub struct Tracing {
    pub trace: Option<Value>,
    pub profile: Option<Value>,
    /// A trace or profile function or a tool is running: events are not reported.
    pub inside: u32,
    /// The dispatch loop that looks at events is running.
    pub active: bool,
    /// Number of the event that is being reported.
    pub event: Option<u8>,
    /// Word at which the traced frame goes on: `f_lineno` was assigned to.
    pub jump: Option<u32>,
    /// The instruction that the running frame executed last, in the loop that looks at events.
    pub prev: *const u64,
    /// The instruction that raised what the innermost handler got.
    pub raised: *const u64,
    /// What a generator returned to the `FOR_ITER` or `SEND` that resumed it.
    pub returned: Option<Value>,
}

impl Default for Tracing {
    fn default() -> Tracing {
        Tracing {
            trace: None,
            profile: None,
            inside: 0,
            active: false,
            event: None,
            jump: None,
            prev: std::ptr::null(),
            raised: std::ptr::null(),
            returned: None,
        }
    }
}

impl Default for VmState {
    fn default() -> VmState {
        VmState::new()
    }
}

impl VmState {
    pub fn new() -> VmState {
        VmState {
            reservation: None,
            start: std::ptr::null_mut(),
            limit: std::ptr::null_mut(),
            base: std::ptr::null_mut(),
            pc: std::ptr::null(),
            outer_handled: Vec::new(),
            tracing: Tracing::default(),
            switch_to: std::ptr::null(),
            async_exc: None,
            learnt: Learnt::default(),
        }
    }
    /// Reserves the stack, once. False without address space.
    pub fn prepare(&mut self) -> bool {
        use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
        static FIRST_TAKEN: AtomicBool = AtomicBool::new(false);
        if self.reservation.is_some() {
            return true;
        }
        let mut size = if FIRST_TAKEN.swap(true, Relaxed) { LATER_STACK } else { FIRST_STACK };
        let reservation = loop {
            match Reservation::new(size) {
                Some(r) => break r,
                None if size / 2 < SMALLEST_STACK => return false,
                None => size /= 2,
            }
        };
        self.start = reservation.start().as_ptr().cast();
        self.limit = self.start.wrapping_add(reservation.len() / 8);
        self.reservation = Some(reservation);
        true
    }
}
