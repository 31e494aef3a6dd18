//! What one case is beside the baseline.

use serde::{Deserialize, Serialize};

use crate::manifest::{Baseline, CaseResult, Outcome, Tally};

/// The state of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Passes, and nothing speaks of a change.
    Passed,
    /// Fails, and there is no baseline to compare with.
    Failed,
    /// Passed in the baseline and fails now.
    Broken,
    /// Failed in the baseline and fails now.
    FailingAsBefore,
    /// Failed in the baseline and passes now.
    Fixed,
    /// Not in the baseline.
    New,
    /// In the baseline with another question or expectation.
    Changed,
    /// Could not be judged.
    Errored,
    /// Not asked.
    Skipped,
}

impl State {
    /// The words that people read.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            State::Passed => "passed",
            State::Failed => "failed",
            State::Broken => "broken",
            State::FailingAsBefore => "failing as before",
            State::Fixed => "fixed",
            State::New => "new",
            State::Changed => "changed",
            State::Errored => "errored",
            State::Skipped => "skipped",
        }
    }

    /// The state of a case beside a baseline, if there is one.
    #[must_use]
    pub fn of(case: &CaseResult, baseline: Option<&Baseline>) -> Self {
        let passed = match case.outcome {
            Outcome::Errored => return State::Errored,
            Outcome::Skipped => return State::Skipped,
            Outcome::Passed => true,
            Outcome::Failed => false,
        };
        let Some(baseline) = baseline else {
            return if passed { State::Passed } else { State::Failed };
        };
        let Some(before) = baseline.case(&case.scenario, &case.id) else { return State::New };
        if before.content_hash != case.content_hash {
            return State::Changed;
        }
        // At least four of five is "used to pass"; a case that mostly failed cannot regress.
        let Tally { passes, trials } = before.tally();
        let used_to_pass = trials > 0 && u64::from(passes) * 5 >= u64::from(trials) * 4;
        match (used_to_pass, passed) {
            (true, true) => State::Passed,
            (true, false) => State::Broken,
            (false, true) => State::Fixed,
            (false, false) => State::FailingAsBefore,
        }
    }
}
