//! How one answer was judged, expectation by expectation.

use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use super::Fault;
use crate::source::Location;
use crate::vocabulary::{Outcome, Usage, VerdictKind};

/// The result of one expectation for one answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdict {
    /// The kind of expectation, as written: `contains`, `llm_grader`, …
    pub kind: VerdictKind,
    /// Its result.
    pub outcome: Outcome,
    /// 0 to 1; missing if it could not be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The score that was needed, if the kind has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Why, for people: what was missing, or what was found.
    pub reason: String,
    /// What was expected, in a few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub expected: String,
    /// What was found instead: an excerpt around the spot.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub got: String,
    /// Line of the expectation, 1-based; 0 if unknown.
    #[serde(default)]
    pub line: u32,
    /// Number of the turn that decided it, 1-based, if this is part of the verdict on a whole conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<NonZeroU16>,
    /// Where the rule for every answer (`always`) is defined, if this is its verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Box<Location>>,
    /// The judge's grade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Box<Grade>>,
    /// Why it could not be judged, if the cause has its own kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Box<Fault>>,
    /// Why it cannot fail the gate, if it depends on a judge that is not calibrated for it: it is shown, but a failure
    /// counts as a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisory: Option<String>,
    /// Whether one passing part is enough: `operator: or` of a `combined`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub any: bool,
    /// The parts of a `combined` or `not`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Verdict>,
}

impl Verdict {
    /// Sets the turn that decided it, for this verdict and all its parts; a number that is too large is dropped.
    #[must_use]
    pub fn of_turn(mut self, number: u32) -> Self {
        self.turn = u16::try_from(number).ok().and_then(NonZeroU16::new);
        self.parts = self.parts.into_iter().map(|part| part.of_turn(number)).collect();
        self
    }

    /// The result that counts: an advisory verdict never fails.
    #[must_use]
    pub fn counted(&self) -> Outcome {
        match self.outcome {
            Outcome::Failed if self.advisory.is_some() => Outcome::Passed,
            outcome => outcome,
        }
    }

    /// Whether the answer passes (`Some(true)`) or fails (`Some(false)`) whatever a judge says; `None` if the judge
    /// decides.
    #[must_use]
    pub fn without_judge(&self) -> Option<bool> {
        let mut parts = self.parts.iter().map(Verdict::without_judge);
        match (self.parts.as_slice(), &self.kind) {
            _ if self.grade.is_some() => None,
            ([], _) => match self.outcome {
                Outcome::Passed => Some(true),
                Outcome::Failed => Some(false),
                Outcome::Errored | Outcome::Skipped => None,
            },
            ([_], VerdictKind::Not) => parts.next().flatten().map(|passed| !passed),
            // With `or`, one passing part is enough; otherwise all must be known.
            _ if parts.clone().any(|part| part == Some(self.any)) => Some(self.any),
            _ => parts.all(|part| part.is_some()).then_some(!self.any),
        }
    }

    /// The innermost verdicts that did not pass, in order, which explain the result to a reader.
    #[must_use]
    pub fn decisive(&self) -> Vec<&Verdict> {
        if self.counted() == Outcome::Passed {
            return Vec::new();
        }
        // A negated expectation failed because its part passed; the part itself is fine.
        // If no answer meets `some_answer`, the first is no more at fault than the others.
        if matches!(self.kind, VerdictKind::Not | VerdictKind::SomeAnswer) && self.outcome == Outcome::Failed
        {
            return vec![self];
        }
        let below: Vec<_> = self.parts.iter().flat_map(Verdict::decisive).collect();
        if below.is_empty() { vec![self] } else { below }
    }

    /// Visits this verdict and all its parts.
    pub fn walk<'a>(&'a self, see: &mut impl FnMut(&'a Verdict)) {
        see(self);
        self.parts.iter().for_each(|part| part.walk(see));
    }
}

/// A judge's votes and reasoning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Grade {
    /// The judge: provider, model and endpoint.
    pub grader: String,
    /// The model that judged and the fingerprint of its configuration, as the provider reports them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The score of each vote, 0 to 1, in order.
    pub votes: Vec<f64>,
    /// Reasoning of the vote that the score comes from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reasoning: String,
    /// Tokens of all votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// US dollars of all votes, if the configuration has a price for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Milliseconds of all votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Whether every vote was read from the cache.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recorded: bool,
}
