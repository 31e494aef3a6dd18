//! What excuses a failing case: a closed list, based on evidence only.

use serde::{Deserialize, Serialize};

use super::evidence::{CaseEvidence, Relation};
use super::regression::Found;
use super::rule::Rates;
use super::{CaseState, State};
use crate::vocabulary::CaseId;

/// A failing case that does not count against the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Excused {
    /// Name of its scenario.
    pub scenario: String,
    /// Its id.
    pub id: String,
    /// What excuses it.
    #[serde(flatten)]
    pub excuse: Excuse,
}

/// What excuses a failure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Excuse {
    /// Its own past: it is not expected to pass, or it cannot be run again and at least one trial in ten failed before.
    FailedBefore {
        /// Passes in the baseline.
        passes: u64,
        /// Trials in the baseline.
        trials: u64,
    },
    /// Its extra answers are more likely if it is unchanged than if it is broken.
    Cleared {
        /// Extra answers that passed.
        passes: u64,
        /// Extra answers.
        trials: u64,
    },
    /// Its extra answers are not conclusive, and at least one passed.
    Open {
        /// Extra answers that passed, at least 1.
        passes: u64,
        /// Extra answers.
        trials: u64,
        /// How many times more likely they are if the case is broken than if it is unchanged.
        ratio: f64,
    },
    /// It is in quarantine.
    Quarantined,
    /// A configured pass rate covers it, and it has no past to compare with.
    Rate,
}

impl Excused {
    /// The case.
    #[must_use]
    pub fn key(&self) -> CaseId<'_> {
        CaseId::new(&self.scenario, &self.id)
    }
}

impl Excuse {
    /// What excuses a case in this state, in the words of the result line.
    #[must_use]
    pub fn words(&self, state: State) -> &'static str {
        match (self, state) {
            (Self::Quarantined, _) => "in quarantine",
            (Self::Rate, _) => "within the rate",
            (Self::Cleared { .. } | Self::FailedBefore { .. }, State::Flaky) => "flaky",
            (Self::Cleared { .. } | Self::Open { .. }, State::Degraded) => "degraded",
            (Self::FailedBefore { .. }, _) => "as in the baseline",
            (Self::Cleared { .. }, _) => "cleared",
            (Self::Open { .. }, _) => "open",
        }
    }
}

/// How many cases each excuse covers: `3 as in the baseline, 1 flaky`.
pub(super) fn words(excuses: &[Excused], states: &[CaseState]) -> String {
    let mut counts: Vec<(&str, usize)> =
        ["as in the baseline", "flaky", "cleared", "degraded", "open", "in quarantine", "within the rate"]
            .map(|words| (words, 0))
            .to_vec();
    let mut states = states.iter();
    // Both are in the order of the run.
    for one in excuses {
        let Some(state) = states.find(|state| state.key() == one.key()) else { break };
        let words = one.excuse.words(state.state);
        counts.iter_mut().filter(|(known, _)| *known == words).for_each(|(_, count)| *count += 1);
    }
    let used = counts.iter().filter(|(_, count)| *count > 0);
    used.map(|(words, count)| format!("{count} {words}")).collect::<Vec<_>>().join(", ")
}

/// What excuses a case, if it fails and has an excuse.
///
/// `rates` are the minimum pass rates that are met.
pub(super) fn excuse(case: &CaseEvidence<'_>, found: &Found, rates: &Rates<'_>) -> Option<Excuse> {
    if case.now != Some(false) {
        return None;
    }
    if case.quarantine.is_some() {
        return Some(Excuse::Quarantined);
    }
    let rate = rates.excuse(case.result).then_some(Excuse::Rate);
    match *found {
        Found::FailedBefore => {
            Some(Excuse::FailedBefore { passes: case.before.hits, trials: case.before.of })
        }
        Found::Cleared(course) => {
            Some(Excuse::Cleared { passes: course.passes, trials: course.passes + course.failures })
        }
        Found::Open(course) => (course.passes > 0).then_some(Excuse::Open {
            passes: course.passes,
            trials: course.passes + course.failures,
            ratio: course.ratio,
        }),
        Found::NewFailure(_) => rate,
        Found::Nothing if matches!(case.relation, Relation::Alone | Relation::OtherJudge) => rate,
        Found::Nothing | Found::Broken(..) | Found::Unconfirmed | Found::Errored => None,
    }
}
