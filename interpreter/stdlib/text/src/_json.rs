//! `_json`: the accelerator behind the package `json`.
//!
//! `text` knows of characters only. CPython counterpart: `Modules/_json.c`.

mod text;
