//! The public Rust API: interpreter, builder, conversions, limits.
