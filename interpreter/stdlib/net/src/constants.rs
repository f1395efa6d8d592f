//! The integer constants of `_socket`, generated.
pub mod socket;
