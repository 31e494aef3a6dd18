//! One case of a run and its trials.

use serde::{Deserialize, Serialize};

use super::Trial;
use crate::source::Location;
use crate::stats;
use crate::vocabulary::{CaseId, Outcome};

/// One case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CaseResult {
    /// Name of its scenario.
    pub scenario: String,
    /// Its id, unique in the scenario.
    pub id: String,
    /// Its title, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Tags of scenario and case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The line of its `id:`.
    pub location: Location,
    /// A hash of what is asked and expected, in 16 hexadecimal digits; reformatting does not change it.
    pub content_hash: String,
    /// Its result.
    pub outcome: Outcome,
    /// 0 to 1; missing if it was not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Why, for people; empty if it passed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The prompt: the last message of the user.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prompt: String,
    /// Its trials.
    pub trials: Vec<Trial>,
    /// Results of earlier attempts of the pipeline at the same commit; missing in the first attempt, and if the case
    /// was not suspected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Earlier>,
}

/// Trials of a case in earlier attempts of a pipeline that count as evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Earlier {
    /// How many passed, at most `trials`.
    pub passes: u32,
    /// How many were judged.
    pub trials: u32,
}

impl Earlier {
    /// As a tally.
    #[must_use]
    pub fn tally(self) -> stats::Tally {
        stats::Tally { hits: self.passes.into(), of: self.trials.into() }
    }
}

impl CaseResult {
    /// The name of the case.
    #[must_use]
    pub fn key(&self) -> CaseId<'_> {
        CaseId::new(&self.scenario, &self.id)
    }

    /// Whether its result follows from its ordinary trials: failed if a trial failed, else passed if one passed,
    /// errored if none was judged, and skipped if none was asked.
    #[must_use]
    pub fn hangs_together(&self) -> bool {
        let said = |outcome| self.ordinary().any(|trial| trial.outcome == outcome);
        let outcome = [Outcome::Failed, Outcome::Passed, Outcome::Errored].into_iter().find(|one| said(*one));
        self.outcome == outcome.unwrap_or(Outcome::Skipped)
    }

    /// The first trial that explains the result.
    #[must_use]
    pub fn telling(&self) -> Option<&Trial> {
        self.trials.iter().find(|trial| trial.outcome == self.outcome).or(self.trials.first())
    }

    /// The trials that count for rates: all but confirmations.
    pub fn ordinary(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| !trial.confirmation)
    }

    /// The trials that were asked again to confirm a failure.
    pub fn confirmations(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| trial.confirmation)
    }

    /// The trials that count as evidence on a failure. The first failure raises the suspicion and does not count; what
    /// comes after it was not selected for failing. If an earlier attempt raised the suspicion, every trial counts
    /// unless it was read from the cache of that attempt.
    pub fn evidence(&self) -> impl Iterator<Item = &Trial> {
        let again = self.earlier.is_some();
        let ordinary = self.ordinary().skip_while(move |trial| !again && trial.outcome != Outcome::Failed);
        let after = ordinary.skip(usize::from(!again));
        let all = after.chain(self.confirmations().filter(|trial| !trial.second_round));
        all.filter(move |trial| !again || trial.is_asked())
    }

    /// The ordinary trials with a judged answer, in order.
    pub fn answers(&self) -> impl Iterator<Item = &Trial> {
        let judged = |trial: &&Trial| matches!(trial.outcome, Outcome::Passed | Outcome::Failed);
        self.ordinary().filter(judged).filter(|trial| trial.answer().is_some())
    }

    /// How many of its judged ordinary trials passed.
    #[must_use]
    pub fn tally(&self) -> stats::Tally {
        let count = |outcome| self.ordinary().filter(|trial| trial.outcome == outcome).count() as u64;
        let (passed, failed) = (count(Outcome::Passed), count(Outcome::Failed));
        match (passed + failed, self.outcome) {
            (0, Outcome::Passed) => stats::Tally { hits: 1, of: 1 },
            (0, Outcome::Failed) => stats::Tally { hits: 0, of: 1 },
            (of, _) => stats::Tally { hits: passed, of },
        }
    }

    /// Whether a judge contributed to its result.
    #[must_use]
    pub fn judged_by_grader(&self) -> bool {
        let mut found = false;
        for verdict in self.trials.iter().flat_map(Trial::verdicts) {
            verdict.walk(&mut |one| found |= one.grade.is_some());
        }
        found
    }

    /// Whether a judge's votes are on both sides of the threshold, in any trial.
    #[must_use]
    pub fn split_votes(&self) -> bool {
        let mut split = false;
        for verdict in self.trials.iter().flat_map(Trial::verdicts) {
            verdict.walk(&mut |one| {
                if let (Some(grade), Some(threshold)) = (&one.grade, one.threshold) {
                    let reached =
                        grade.votes.iter().filter(|vote| **vote + stats::SLACK >= threshold).count();
                    split |= reached > 0 && reached < grade.votes.len();
                }
            });
        }
        split
    }
}
