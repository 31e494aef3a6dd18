//! Suites of other programs as scenario files.
//!
//! Nothing is lost without a word: what has no counterpart is a finding with its place, and stands in the
//! written file as a comment. A case that would demand nothing is a comment too, never a case that passes.

mod assertion;
mod case;
mod code;
mod document;
mod findings;
mod frozen;
mod id;
mod judged;
mod mapping;
mod prompt;
mod provider;
mod schema;
mod suite;
mod talk;
mod template;
mod yaml;

#[cfg(test)]
mod tests;

use std::path::Path;

use crate::source::{Diagnostics, ReadError};

pub use frozen::frozen;
pub use yaml::scalar;

/// The line from which editors know the schema of a scenario file; the schema lies beside the file.
pub const SCHEMA_LINE: &str = "# yaml-language-server: $schema=scenario.schema.json";

/// What an import came to.
#[derive(Debug)]
pub struct Imported {
    /// A scenario file.
    pub text: String,
    /// How many assertions the original has.
    pub assertions: usize,
    /// How many of them stand in the file as expectations.
    pub mapped: usize,
    /// What was not taken over (`not-imported`) or says something else (`imported-differently`).
    pub findings: Diagnostics,
}

/// Why nothing could be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file could not be read.
    #[error("cannot read `{0}`: {1}")]
    Unreadable(String, ReadError),
    /// A file is not YAML; the first part is the place.
    #[error("{0}: this is not YAML: {1}")]
    Syntax(String, String),
    /// The file is no configuration.
    #[error("`{0}` is no promptfoo configuration: it has no keys")]
    NoConfiguration(String),
    /// No case is left; with all that stands in the way.
    #[error("no case of `{0}` could be taken over")]
    NoCase(String, Diagnostics),
}

/// Turns a promptfoo configuration, and the files that it names, into a scenario.
///
/// # Errors
/// When a file cannot be read, or when no case could be taken over.
pub fn promptfoo(path: &Path) -> Result<Imported, ImportError> {
    suite::import(path)
}
