//! The part of a case that needs no judge.

use std::sync::Arc;

use super::{Case, Lines};
use crate::expectation::Expectation;

impl Case {
    /// This case with only the expectations that need no judge.
    #[must_use]
    pub fn without_judge(&self) -> Self {
        let nothing = || Expectation::nothing(self.expectation.line);
        let mut case = self.clone();
        case.expectation = self.expectation.without_judge().unwrap_or_else(nothing);
        case.always = self.always.iter().filter_map(|rule| rule.without_judge().map(Arc::new)).collect();
        if let Some(Lines::Turns(turns)) = case.dialogue.as_mut().map(|dialogue| &mut dialogue.lines) {
            for turn in turns {
                turn.expectation = turn.expectation.as_ref().and_then(Expectation::without_judge);
            }
        }
        case
    }

    /// Whether anything is expected of its answers.
    #[must_use]
    pub fn expects_anything(&self) -> bool {
        let of_turns = self.dialogue.iter().flat_map(|dialogue| dialogue.expectations());
        let all = of_turns.chain([&self.expectation]).chain(self.always.iter().map(|rule| &rule.expectation));
        all.into_iter().any(|one| !one.is_nothing())
    }
}
