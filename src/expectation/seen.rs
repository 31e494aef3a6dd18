//! What expectations found in an answer before it was redacted.
//!
//! Expectations that need no judge see the raw answer once. Their outcomes and scores are kept with
//! the redacted answer, without any of its words; from then on a verdict takes its outcome from here
//! and its words from the redacted answer.

use serde::{Deserialize, Serialize};

use super::{Candidate, Expectation, Expected, errored, quote};
use crate::manifest::Verdict;
use crate::vocabulary::Outcome;

/// The outcomes of an expectation and its parts on a raw answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The outcome, where no judge is needed for it; of `not`, whether the answer proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    /// Those of the parts of a `combined` or `not`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Seen>,
}

impl Expectation {
    /// What this finds in a raw answer without a judge.
    #[must_use]
    pub fn see(&self, answer: &Candidate<'_>) -> Seen {
        match &self.expected {
            Expected::Combined(kind) => {
                Seen::of_parts(kind.parts().iter().map(|part| part.see(answer)).collect())
            }
            Expected::Not(kind) => Seen {
                outcome: answer.hollow().map(|_| Outcome::Failed),
                score: None,
                parts: vec![kind.inner().see(answer)],
            },
            Expected::Plain(kind) => {
                let verdict = kind.judge(answer);
                Seen { outcome: Some(verdict.outcome), score: verdict.score, parts: Vec::new() }
            }
            Expected::Which(kind) => answer.talk.map_or_else(Seen::default, |talk| kind.see(talk)),
            Expected::Whole(kind) => {
                let verdict = answer.talk.map(|talk| kind.judge(talk));
                let score = verdict.as_ref().and_then(|verdict| verdict.score);
                Seen { outcome: verdict.map(|verdict| verdict.outcome), score, parts: Vec::new() }
            }
            Expected::LlmGrader(_) | Expected::Similarity(_) => Seen::default(),
        }
    }
}

impl Seen {
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
        const NOTHING: &Seen = &Seen { outcome: None, score: None, parts: Vec::new() };
        self.parts.get(index).unwrap_or(NOTHING)
    }

    /// The verdict on the raw answer, of the verdict on the redacted one.
    pub(super) fn over(&self, redacted: Verdict, answer: &Candidate<'_>) -> Verdict {
        let Some(outcome) = self.outcome else {
            let reason = "what the raw answer came to was not kept with the redacted one".to_owned();
            return errored(redacted.kind, reason);
        };
        // The words of a verdict fit its outcome and score alone.
        if redacted.outcome == outcome && redacted.score == self.score {
            return redacted;
        }
        let reason = "judged on the answer as it came, before redaction".to_owned();
        Verdict { outcome, score: self.score, reason, got: quote(answer.text), ..redacted }
    }
}
