//! What a suite did before, in the form that is committed beside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::stats::Tally;

use super::{Outcome, RunManifest, Trial};

/// Stored results of earlier runs.
///
/// Cases are sorted by scenario and id, so that the file merges and reviews line by line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// [`Baseline::SCHEMA`].
    pub schema: String,
    /// Who answered in the newest run, as [`RunManifest::answered_by`] tells it.
    #[serde(default)]
    pub answered_by: Vec<String>,
    /// The cases.
    pub cases: Vec<BaselineCase>,
}

/// One case of a baseline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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

impl BaselineCase {
    /// Trials that passed, of those that were judged.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally { hits: self.passes.into(), of: self.trials.into() }
    }
}

impl Baseline {
    /// The name and version of the wire form.
    pub const SCHEMA: &'static str = "akit.baseline/1";

    /// A baseline without cases.
    #[must_use]
    pub fn empty() -> Self {
        Self { schema: Self::SCHEMA.to_owned(), answered_by: Vec::new(), cases: Vec::new() }
    }

    /// The stored case of this name.
    #[must_use]
    pub fn case(&self, scenario: &str, id: &str) -> Option<&BaselineCase> {
        self.cases
            .binary_search_by(|case| (case.scenario.as_str(), case.id.as_str()).cmp(&(scenario, id)))
            .ok()
            .map(|at| &self.cases[at])
    }

    /// Adds the judged trials of a run to the tallies.
    ///
    /// A case whose content changed starts anew; an errored or skipped one stays as it was, and so
    /// does one that the run does not know. A trial that hangs on an advisory verdict was let pass
    /// without proof, and is no evidence of anything.
    pub fn add(&mut self, run: &RunManifest) {
        let mut cases: BTreeMap<_, _> = std::mem::take(&mut self.cases)
            .into_iter()
            .map(|case| ((case.scenario.clone(), case.id.clone()), case))
            .collect();
        for case in &run.cases {
            let proven = |trial: &&Trial| trial.verdict.as_ref().is_none_or(|one| one.advisory.is_none());
            let count =
                |outcome| case.ordinary().filter(proven).filter(|trial| trial.outcome == outcome).count();
            let (passes, failures) = (count(Outcome::Passed), count(Outcome::Failed));
            if passes + failures == 0 {
                continue;
            }
            let fresh = BaselineCase {
                scenario: case.scenario.clone(),
                id: case.id.clone(),
                content_hash: case.content_hash.clone(),
                passes: 0,
                trials: 0,
            };
            let name = (case.scenario.clone(), case.id.clone());
            let stored = cases.entry(name).or_insert_with(|| fresh.clone());
            if stored.content_hash != fresh.content_hash {
                *stored = fresh;
            }
            let add = |total: u32, more: usize| total.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
            stored.passes = add(stored.passes, passes);
            stored.trials = add(stored.trials, passes + failures);
        }
        self.cases = cases.into_values().collect();
        self.answered_by = run.answered_by().into_iter().collect();
    }
}
