//! What an expectation finds in a raw answer, to be kept with the redacted one.

use super::{Candidate, Expectation, Expected, Seen};
use crate::vocabulary::Outcome;

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
