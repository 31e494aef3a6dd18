//! What one case is beside the baseline.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

use super::evidence::{CaseEvidence, Relation};
use super::regression::{self, Confirmation};
use crate::stats::SLACK;
use crate::vocabulary::{CaseId, Outcome};

/// The state of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumIter, IntoStaticStr)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum State {
    /// Passes, and nothing speaks of a change.
    Passed,
    /// Fails, and there is no baseline to compare with.
    Failed,
    /// Passed in the baseline, fails now, and fresh trials confirm it.
    Broken,
    /// Passed in the baseline, fails now and in most fresh trials, without a proof.
    Suspect,
    /// Passes at times: in the baseline, or in fresh trials.
    Flaky,
    /// Passed in the baseline, fails now, and fresh trials could not be had.
    Unconfirmed,
    /// Failed in the baseline and fails now.
    FailingAsBefore,
    /// Failed in the baseline and passes now.
    Fixed,
    /// Not in the baseline.
    New,
    /// In the baseline with another question or expectation.
    Changed,
    /// Fails, as its quarantine says.
    Quarantined,
    /// Could not be judged.
    Errored,
    /// Not asked.
    Skipped,
}

/// One case as the gate sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CaseState {
    /// Name of its scenario.
    pub scenario: String,
    /// Its id.
    pub id: String,
    /// What it is beside the baseline.
    pub state: State,
    /// Whether it stands against a pass.
    pub blocking: bool,
    /// What the state rests on, for people: fresh trials, the baseline's tally, a quarantine.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl CaseState {
    /// The case.
    #[must_use]
    pub fn key(&self) -> CaseId<'_> {
        CaseId::new(&self.scenario, &self.id)
    }
}

impl State {
    /// Its word in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// The words that people read.
    #[must_use]
    pub fn words(self) -> &'static str {
        if self == Self::FailingAsBefore { "failing as before" } else { self.word() }
    }

    /// What docs/gate.md says of it: where it stood in the baseline, what it does now, and whether that is against a pass.
    #[must_use]
    pub fn facts(self) -> [&'static str; 3] {
        match self {
            State::Passed => ["passed", "passes", "no"],
            State::Failed => ["there is none", "fails", "yes"],
            State::Broken => ["passed", "fails, and fresh trials confirm it", "yes"],
            State::Suspect => ["passed", "fails, and most fresh trials fail; no proof", "no"],
            State::Flaky => ["passed at times", "passes at times", "with `fail_on: [flaky]`"],
            State::Unconfirmed => {
                ["passed", "fails; fresh trials could not be had", "INCONCLUSIVE, or as `unconfirmed` says"]
            }
            State::FailingAsBefore => ["failed", "fails", "no"],
            State::Fixed => ["failed", "passes", "no"],
            State::New => ["not there", "passes or fails", "if it fails"],
            State::Changed => ["there, with another prompt or expectation", "passes or fails", "if it fails"],
            State::Quarantined => ["", "fails, as its quarantine says", "no"],
            State::Errored => ["", "could not be judged", "above `max_error_rate`"],
            State::Skipped => ["", "not asked", "no"],
        }
    }

    /// The state that an outcome has by itself.
    #[must_use]
    pub fn alone(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => State::Passed,
            Outcome::Failed => State::Failed,
            Outcome::Errored => State::Errored,
            Outcome::Skipped => State::Skipped,
        }
    }

    /// The state of a case, with what its fresh trials say where it was asked again.
    pub(super) fn of(case: &CaseEvidence<'_>, finding: Option<Confirmation>) -> Self {
        let alone = Self::alone(case.result.outcome);
        let Some(passes) = case.now else { return alone };
        if case.quarantine.is_some() && !passes {
            return State::Quarantined;
        }
        match case.relation {
            Relation::Alone | Relation::OtherJudge if super::metric::disagrees(case.result) => {
                return State::Flaky;
            }
            Relation::Alone | Relation::OtherJudge => return alone,
            Relation::New => return State::New,
            Relation::Changed => return State::Changed,
            Relation::Known => {}
        }
        let before = case.before.share().unwrap_or(0.0) + SLACK;
        let used_to_pass = before >= super::regression::USED_TO_PASS;
        match finding {
            Some(Confirmation::Broken(_)) => State::Broken,
            Some(Confirmation::Suspect) => State::Suspect,
            Some(Confirmation::Flaky) => State::Flaky,
            // One answer that fails tells no more than the past does, which has failures of its own.
            Some(Confirmation::Unconfirmed)
                if case.fresh.of == 0 && case.fresh_errors == 0 && regression::has_failed(case.before) =>
            {
                State::Flaky
            }
            Some(Confirmation::Unconfirmed) => State::Unconfirmed,
            None if passes && used_to_pass => State::Passed,
            None if before > 1.0 - super::regression::USED_TO_PASS + 2e-9 => State::Flaky,
            None if passes => State::Fixed,
            None => State::FailingAsBefore,
        }
    }
}
