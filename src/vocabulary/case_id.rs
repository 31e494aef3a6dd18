//! The name of a case within a run.

use std::fmt;

/// Identifies a case by its scenario and by its id, which is unique in the scenario. Displayed as `scenario/id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId<'a> {
    /// Name of the scenario.
    pub scenario: &'a str,
    /// Id in the scenario.
    pub id: &'a str,
}

impl<'a> CaseId<'a> {
    /// The case of this scenario and id.
    #[must_use]
    pub fn new(scenario: &'a str, id: &'a str) -> Self {
        Self { scenario, id }
    }
}

impl fmt::Display for CaseId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.scenario, self.id)
    }
}
