//! Imports suites of other programs as scenario files.
//!
//! Nothing is lost silently: a part without an equivalent is a finding with its place, and a comment in the written
//! file. A case that would check nothing becomes a comment, too, never a case that passes.

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

/// The line that tells editors where the schema of a scenario file is: next to the file.
pub const SCHEMA_LINE: &str = "# yaml-language-server: $schema=scenario.schema.json";

/// The result of an import.
#[derive(Debug)]
pub struct Imported {
    /// A scenario file.
    pub text: String,
    /// How many assertions the original has.
    pub assertions: usize,
    /// How many of them became expectations.
    pub mapped: usize,
    /// What was not imported (`not-imported`) or means something else (`imported-differently`).
    pub findings: Diagnostics,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file could not be read.
    #[error("cannot read `{0}`: {1}")]
    Unreadable(String, ReadError),
    /// A file is not YAML; the first part is the place.
    #[error("{0}: invalid YAML: {1}")]
    Syntax(String, String),
    /// The file is not a configuration.
    #[error("`{0}` is not a promptfoo configuration: it has no keys")]
    NoConfiguration(String),
    /// No case could be imported; contains all findings.
    #[error("no case of `{0}` could be imported")]
    NoCase(String, Diagnostics),
}

/// Converts a promptfoo configuration, and the files it names, into a scenario.
///
/// # Errors
/// If a file cannot be read, or no case could be imported.
pub fn promptfoo(path: &Path) -> Result<Imported, ImportError> {
    suite::import(path)
}
