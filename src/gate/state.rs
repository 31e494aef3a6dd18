//! The state of a case compared with the baseline.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

use super::evidence::{CaseEvidence, Relation};
use super::regression::Found;
use crate::stats::{SLACK, Tally};
use crate::vocabulary::{CaseId, Outcome};

/// The state of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumIter, IntoStaticStr)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum State {
    /// Passes, with no sign of a change.
    Passed,
    /// Fails, and there is no baseline to compare with.
    Failed,
    /// Expected to pass, fails now, and extra trials prove that its rate fell; or it was judged before, and no trial
    /// of it could be judged now.
    Broken,
    /// Expected to pass, fails now, and its extra trials clear it.
    Cleared,
    /// Expected to pass, fails now, and its extra trials are not conclusive.
    #[serde(alias = "suspect")]
    Open,
    /// Never failed in the baseline, and at least half of its answers fail now, without proof.
    Degraded,
    /// Passed and failed in the baseline.
    Flaky,
    /// Expected to pass, fails now, and no extra trial was possible.
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
    /// Its state compared with the baseline.
    pub state: State,
    /// Whether it blocks a pass.
    pub blocking: bool,
    /// What the state is based on, in words: extra trials, the baseline's tally, a quarantine.
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
    /// Its name in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// Its name in reports.
    #[must_use]
    pub fn words(self) -> &'static str {
        if self == Self::FailingAsBefore { "failing as before" } else { self.word() }
    }

    /// Its row in docs/gate.md: how it did in the baseline, what it does now, and whether that blocks a pass.
    #[must_use]
    pub fn facts(self) -> [&'static str; 3] {
        match self {
            State::Passed => ["passed", "passes", "no"],
            State::Failed => ["no baseline", "fails", "yes"],
            State::Broken => ["passed", "fails, and extra trials prove that its rate fell", "yes"],
            State::Cleared => {
                ["passed every time", "fails, and extra trials clear it", "with `fail_on: [flaky]`"]
            }
            State::Open => [
                "passed",
                "fails; extra trials are not conclusive",
                "INCONCLUSIVE if no extra trial passed, or if it came close to being proven broken",
            ],
            State::Degraded => [
                "passed every time",
                "at least half of its answers fail, two or more; no proof",
                "as for cleared and open cases",
            ],
            State::Flaky => ["passed sometimes", "passes sometimes", "with `fail_on: [flaky]`"],
            State::Unconfirmed => {
                ["passed", "fails; no extra trial was possible", "INCONCLUSIVE, or as `unconfirmed` says"]
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

    /// Whether the trials leave open if the case is broken.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, State::Unconfirmed | State::Open)
    }

    /// The state of a case without a baseline.
    #[must_use]
    pub fn alone(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => State::Passed,
            Outcome::Failed => State::Failed,
            Outcome::Errored => State::Errored,
            Outcome::Skipped => State::Skipped,
        }
    }

    /// The state of a case, including its extra trials if it was asked again.
    pub(super) fn of(case: &CaseEvidence<'_>, found: &Found) -> Self {
        let alone = Self::alone(case.result.outcome);
        let Some(passes) = case.now else {
            return match found {
                Found::Broken(..) | Found::Errored => State::Broken,
                Found::Open(_) => State::Open,
                Found::Unconfirmed => State::Unconfirmed,
                Found::Nothing | Found::FailedBefore | Found::Cleared(_) | Found::NewFailure(_) => alone,
            };
        };
        if case.quarantine.is_some() && !passes {
            return State::Quarantined;
        }
        match case.relation {
            Relation::Alone | Relation::OtherJudge => return alone,
            Relation::New => return State::New,
            Relation::Changed => return State::Changed,
            Relation::Known => {}
        }
        let before = case.before.share().unwrap_or(0.0) + SLACK;
        match found {
            Found::Broken(..) | Found::Errored | Found::NewFailure(_) => State::Broken,
            Found::Open(course) if course.passes == 0 => State::Open,
            Found::Cleared(_) | Found::Open(_) if case.is_degraded() => State::Degraded,
            Found::Open(_) => State::Open,
            Found::Cleared(_) if case.before.hits < case.before.of => State::Flaky,
            Found::Cleared(_) => State::Cleared,
            Found::Unconfirmed => State::Unconfirmed,
            // It was expected to pass, and nothing could be asked.
            Found::FailedBefore if before >= 0.5 => State::Flaky,
            Found::Nothing if passes && before >= USED_TO_PASS => State::Passed,
            Found::Nothing if before > 1.0 - USED_TO_PASS + 2e-9 => State::Flaky,
            Found::Nothing if passes => State::Fixed,
            Found::FailedBefore | Found::Nothing => State::FailingAsBefore,
        }
    }
}

/// A case that used to pass passed at least this share of its trials, 0 to 1.
const USED_TO_PASS: f64 = 0.8;

/// Whether a case with this baseline tally passed there: at least four of five trials did.
#[must_use]
pub fn used_to_pass(before: Tally) -> bool {
    before.share().is_some_and(|share| share + SLACK >= USED_TO_PASS)
}
