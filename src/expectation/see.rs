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
            Expected::Not(kind) => {
                let parts = Seen::of_parts(vec![kind.inner().see(answer)]);
                Seen { outcome: answer.hollow().map(|_| Outcome::Failed), ..parts }
            }
            Expected::Plain(kind) => Seen::of(&kind.judge(answer)),
            Expected::Which(kind) => answer.talk.map_or_else(Seen::default, |talk| kind.see(talk)),
            Expected::Whole(kind) => {
                answer.talk.map_or_else(Seen::default, |talk| Seen::of(&kind.judge(talk)))
            }
            Expected::LlmGrader(_) | Expected::Similarity(_) => Seen::default(),
        }
    }
}
