//! Builtin types and functions, protocols, exceptions, import, native binding.
