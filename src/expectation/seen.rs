//! What expectations found in an answer before it was redacted.
//!
//! Expectations that need no judge see the raw answer once. Their outcomes and scores are kept with
//! the redacted answer, without any of its words; from then on a verdict takes its outcome from here
//! and its words from the redacted answer.

use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use super::{Candidate, errored, quote};
use crate::manifest::Verdict;
use crate::vocabulary::Outcome;

/// The outcomes of an expectation and its parts on a raw answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The outcome, where no judge is needed for it; of `not`, whether the answer proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outcome: Option<Outcome>,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<f64>,
    /// The turn whose answer decided it, where it is about a conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) turn: Option<NonZeroU16>,
    /// Those of the parts of a `combined` or `not`.
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

    /// Whether the raw answer proved nothing to a `not`.
    pub(super) fn hollow(&self) -> bool {
        self.outcome.is_some()
    }

    /// What the part at this place found.
    pub(super) fn part(&self, index: usize) -> &Seen {
        const NOTHING: &Seen = &Seen { outcome: None, score: None, turn: None, parts: Vec::new() };
        self.parts.get(index).unwrap_or(NOTHING)
    }

    /// The verdict on the raw answer, of the verdict on the redacted one.
    pub(super) fn over(&self, redacted: Verdict, answer: &Candidate<'_>) -> Verdict {
        let Some(outcome) = self.outcome else {
            let reason = "what the raw answer came to was not kept with the redacted one".to_owned();
            return errored(redacted.kind, reason);
        };
        // The words of a verdict fit its outcome, its score and its turn alone.
        if redacted.outcome == outcome && redacted.score == self.score && redacted.turn == self.turn {
            return redacted;
        }
        let reason = "judged on the answer as it came, before redaction".to_owned();
        let number = self.turn.map_or(0, |turn| u32::from(turn.get()));
        let turn = answer.talk.and_then(|talk| talk.turns.iter().find(|turn| turn.number == number));
        let (reason, got) = match turn {
            Some(turn) => (format!("{}: {reason}", turn.named()), quote(turn.answer.text)),
            None => (reason, quote(answer.text)),
        };
        Verdict { outcome, score: self.score, reason, got, ..redacted }.of_turn(number)
    }
}
