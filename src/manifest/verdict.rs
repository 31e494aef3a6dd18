//! How one answer was judged, expectation by expectation.

use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use super::Fault;
use crate::source::Location;
use crate::vocabulary::{Outcome, Usage, VerdictKind};

/// How one expectation judged one answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdict {
    /// The kind of expectation, as written: `contains`, `llm_grader`, …
    pub kind: VerdictKind,
    /// What it found.
    pub outcome: Outcome,
    /// 0 to 1; absent when it could not judge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The score that was needed, where the kind has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Why, for people: what was missing, or what stood there.
    pub reason: String,
    /// What was expected, in few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub expected: String,
    /// What stood there instead: an excerpt round the spot.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub got: String,
    /// 1-based line of the expectation; 0 when unknown.
    #[serde(default)]
    pub line: u32,
    /// 1-based number of the turn that decided it, where this is a part of the verdict on a whole conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<NonZeroU16>,
    /// Where the rule stands that holds for every answer (`always`), where this is the verdict on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Box<Location>>,
    /// What a judge said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Box<Grade>>,
    /// Why it could not judge, where the cause has a name of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Box<Fault>>,
    /// Why it cannot fail the gate, where it rests on a judge that is not calibrated for it: what it
    /// says is shown, and a failure counts as a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisory: Option<String>,
    /// Whether one of its parts is enough: `operator: or` of a `combined`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub any: bool,
    /// The parts of a `combined` or `not`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Verdict>,
}

impl Verdict {
    /// The same with all below it, decided by this turn; one past the largest number is left out.
    #[must_use]
    pub fn of_turn(mut self, number: u32) -> Self {
        self.turn = u16::try_from(number).ok().and_then(NonZeroU16::new);
        self.parts = self.parts.into_iter().map(|part| part.of_turn(number)).collect();
        self
    }

    /// The outcome that counts: an advisory verdict fails nothing.
    #[must_use]
    pub fn counted(&self) -> Outcome {
        match self.outcome {
            Outcome::Failed if self.advisory.is_some() => Outcome::Passed,
            outcome => outcome,
        }
    }

    /// Whether the answer passes whatever a judge says of it (`Some(true)`) or fails whatever it says
    /// (`Some(false)`); `None` where that hangs on a judge's word.
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
            // One part of the kind that decides is enough; else all must be known.
            _ if parts.clone().any(|part| part == Some(self.any)) => Some(self.any),
            _ => parts.all(|part| part.is_some()).then_some(!self.any),
        }
    }

    /// The outermost verdicts without parts that did not pass, in order: what a reader wants to see.
    #[must_use]
    pub fn decisive(&self) -> Vec<&Verdict> {
        if self.counted() == Outcome::Passed {
            return Vec::new();
        }
        // What failed an inverted expectation is that its part passed; the part itself has no fault.
        // Where no answer is as one must be, the first of them is to blame no more than the others.
        if matches!(self.kind, VerdictKind::Not | VerdictKind::SomeAnswer) && self.outcome == Outcome::Failed
        {
            return vec![self];
        }
        let below: Vec<_> = self.parts.iter().flat_map(Verdict::decisive).collect();
        if below.is_empty() { vec![self] } else { below }
    }

    /// This verdict and all below it.
    pub fn walk<'a>(&'a self, see: &mut impl FnMut(&'a Verdict)) {
        see(self);
        self.parts.iter().for_each(|part| part.walk(see));
    }
}

/// A judge's votes and words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Grade {
    /// The judge: provider, model and endpoint.
    pub grader: String,
    /// The model that judged and the mark of its configuration, as the provider said them.
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
    /// US dollars of all votes, where the configuration has a price for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Milliseconds of all votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Whether every vote was read from a record.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recorded: bool,
}
