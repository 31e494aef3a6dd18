//! akit judges the answers of an LLM application and gates its release.
//!
//! Modules stand in rows and use only rows below their own; `tests/layers.rs` holds the table.

pub mod baseline;
pub mod cache;
pub mod canonical;
pub mod client;
pub mod config;
pub mod environment;
pub mod event;
pub mod expectation;
pub mod gate;
pub mod grader;
pub mod history;
pub mod http;
pub mod import;
pub mod manifest;
pub mod provider;
pub mod publish;
pub mod redact;
pub mod report;
pub mod runner;
pub mod scenario;
pub mod secret;
pub mod seed;
pub mod source;
pub mod stats;
pub mod text;
pub mod vocabulary;
pub mod weakening;

pub mod cli;
