//! What a suite did before, in the form that is committed beside it.

use serde::{Deserialize, Serialize};

/// Stored results of earlier runs.
///
/// Cases are sorted by scenario and id, so that the file merges and reviews line by line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// [`Baseline::SCHEMA`].
    pub schema: String,
    /// The cases.
    pub cases: Vec<BaselineCase>,
}

/// One case of a baseline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineCase {
    /// Name of its scenario.
    pub scenario: String,
    /// Its id.
    pub id: String,
    /// What was asked and expected, as in the manifest.
    pub content_hash: String,
    /// Trials that passed.
    pub passes: u32,
    /// Trials that were judged.
    pub trials: u32,
}

impl Baseline {
    /// The name and version of the wire form.
    pub const SCHEMA: &'static str = "akit.baseline/1";

    /// A baseline without cases.
    #[must_use]
    pub fn empty() -> Self {
        Self { schema: Self::SCHEMA.to_owned(), cases: Vec::new() }
    }

    /// The stored case of this name.
    #[must_use]
    pub fn case(&self, scenario: &str, id: &str) -> Option<&BaselineCase> {
        self.cases
            .binary_search_by(|case| (case.scenario.as_str(), case.id.as_str()).cmp(&(scenario, id)))
            .ok()
            .map(|at| &self.cases[at])
    }
}
