//! Derive macros for object payloads.
