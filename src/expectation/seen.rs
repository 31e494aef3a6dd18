//! What expectations found in an answer before it was redacted.
//!
//! Expectations that need no judge see the raw answer once. Their outcomes and scores are stored with the redacted
//! answer, without any of its words. From then on, a verdict takes its outcome from here and its texts from the
//! redacted answer.

use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use crate::manifest::Verdict;
use crate::vocabulary::Outcome;

/// The outcomes of an expectation and its parts on a raw answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The outcome, if it needs no judge; for `not`, present if the answer was hollow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outcome: Option<Outcome>,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<f64>,
    /// The turn whose answer decided it, in a conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) turn: Option<NonZeroU16>,
    /// What was found for the parts of a `combined` or `not`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<Seen>,
}

impl Seen {
    /// What a verdict found.
    pub(super) fn of(verdict: &Verdict) -> Self {
        let Verdict { outcome, score, turn, .. } = verdict;
        Self { outcome: Some(*outcome), score: *score, turn: *turn, parts: Vec::new() }
    }

    /// What several found.
    pub(super) fn of_parts(parts: Vec<Self>) -> Self {
        Self { parts, ..Self::default() }
    }

    /// Whether the raw answer was hollow for a `not`.
    pub(super) fn hollow(&self) -> bool {
        self.outcome.is_some()
    }

    /// What the part at this index found.
    pub(super) fn part(&self, index: usize) -> &Seen {
        const NOTHING: &Seen = &Seen { outcome: None, score: None, turn: None, parts: Vec::new() };
        self.parts.get(index).unwrap_or(NOTHING)
    }
}
