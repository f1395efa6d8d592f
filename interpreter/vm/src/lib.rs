//! Dispatch, frames, calls, unwinding, generators, inline caches, tracing.
