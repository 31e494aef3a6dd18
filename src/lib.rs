//! akit judges the answers of an LLM application and gates its release.
//!
//! Modules stand in rows and use only rows below their own; `tests/layers.rs` holds the table.

pub mod gate;
pub mod manifest;
pub mod report;
pub mod secret;
pub mod seed;
pub mod source;
pub mod text;
