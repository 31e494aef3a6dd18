//! What an expectation finds in a raw answer. It is stored with the redacted answer, and decides later verdicts.

use super::{Candidate, Expectation, Expected, Seen, errored, quote};
use crate::manifest::Verdict;
use crate::vocabulary::Outcome;

impl Expectation {
    /// What it finds in a raw answer, without a judge.
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

impl Seen {
    /// The verdict on the raw answer, from the verdict on the redacted one.
    pub(super) fn over(&self, redacted: Verdict, answer: &Candidate<'_>) -> Verdict {
        let Some(outcome) = self.outcome else {
            let reason = "the redacted answer was stored without the result for the raw one".to_owned();
            return errored(redacted.kind, reason);
        };
        // The words of the redacted verdict only fit its own outcome, score and turn.
        if redacted.outcome == outcome && redacted.score == self.score && redacted.turn == self.turn {
            return redacted;
        }
        let reason = "judged on the raw answer, before redaction".to_owned();
        let number = self.turn.map_or(0, |turn| u32::from(turn.get()));
        let turn = answer.talk.and_then(|talk| talk.turns.iter().find(|turn| turn.number == number));
        let (reason, got) = match turn {
            Some(turn) => (format!("{}: {reason}", turn.named()), quote(turn.answer.text)),
            None => (reason, quote(answer.text)),
        };
        Verdict { outcome, score: self.score, reason, got, ..redacted }.of_turn(number)
    }
}
