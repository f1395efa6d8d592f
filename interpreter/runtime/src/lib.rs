//! Builtin types and functions, protocols, exceptions, import, native binding.

#![forbid(unsafe_code)]

pub mod audit;
pub mod codecs;
pub mod config;
pub mod convert;
pub mod errors;
pub mod exceptions;
pub mod frames;
pub mod frozen;
pub mod functions;
pub mod hooks;
pub mod import;
pub mod import_lock;
pub mod interpreters;
pub mod monitoring;
pub mod numtext;
pub mod protocol;
pub mod safepoint;
pub mod seconds;
pub mod signals;
pub mod start;
pub mod suggestions;
pub mod text;
pub mod tracing;
pub mod types;
pub mod unicode;
pub mod warnings;
pub mod well_known;
pub mod world;
