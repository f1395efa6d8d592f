//! The VM's per-thread state: the register stack, which never moves, and the frame being executed.

/// Owned by crate `vm`; this crate only stores it.
#[derive(Default)]
pub struct VmState {}

impl VmState {
    pub fn new() -> VmState {
        VmState::default()
    }
}
