//! One time that a case was asked: the answer, what it cost, or why there is none.

use serde::{Deserialize, Serialize};

use super::{Fault, Verdict};
use crate::vocabulary::{Outcome, Reply};

/// One time that a case was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Trial {
    /// 0-based.
    pub index: u32,
    /// Asked anew to confirm a failure: not a part of any rate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirmation: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// How the answer was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Why it could not be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

impl Trial {
    /// Whether its answer was read from a record of the cache.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| reply.recorded)
    }

    /// The verdicts that explain the outcome, those that were not needed left out.
    #[must_use]
    pub fn culprits(&self) -> Vec<&Verdict> {
        let all = self.verdict.as_ref().map(Verdict::culprits).unwrap_or_default();
        let same: Vec<_> = all.iter().copied().filter(|one| one.outcome == self.outcome).collect();
        if same.is_empty() { all } else { same }
    }

    /// Why it came out as it did.
    #[must_use]
    pub fn reason(&self) -> &str {
        if let Some(fault) = &self.fault {
            return &fault.message;
        }
        match self.culprits().first() {
            Some(first) if !first.reason.is_empty() => &first.reason,
            _ => self.outcome.word(),
        }
    }

    /// US dollars spent on the answer and on judging it, as far as they are known; a record costs nothing.
    #[must_use]
    pub fn spent_usd(&self) -> f64 {
        let reply = self.reply.as_ref().filter(|reply| !reply.recorded);
        let mut spent = reply.and_then(|reply| reply.cost_usd).unwrap_or(0.0);
        if let Some(verdict) = &self.verdict {
            verdict.walk(&mut |one| {
                let grade = one.grade.as_ref().filter(|grade| !grade.recorded);
                spent += grade.and_then(|grade| grade.cost_usd).unwrap_or(0.0);
            });
        }
        spent
    }
}
