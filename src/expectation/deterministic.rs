//! The part of an expectation that needs no judge.

use super::combined::Combined;
use super::{Expectation, Expected, Rule};

impl Expectation {
    /// The part of the expectation that an answer must meet whatever a judge says; an answer that fails it fails the
    /// whole. `None` if only a judge can decide.
    ///
    /// If a judge decides one of several alternatives, the others cannot fail the whole, and a part of a `not` decides
    /// nothing either.
    #[must_use]
    pub fn without_judge(&self) -> Option<Self> {
        if self.graders().is_empty() {
            return Some(self.clone());
        }
        let expected = match &self.expected {
            Expected::Combined(kind) if !kind.is_any() => {
                let parts: Vec<_> = kind.parts().iter().filter_map(Self::without_judge).collect();
                (!parts.is_empty()).then(|| Expected::Combined(Combined::of_all(parts)))
            }
            Expected::Which(kind) => {
                let inner = kind.inner().without_judge();
                inner.map(|inner| Expected::Which(Box::new(kind.with(inner))))
            }
            Expected::Combined(_)
            | Expected::LlmGrader(_)
            | Expected::Similarity(_)
            | Expected::Not(_)
            | Expected::Plain(_)
            | Expected::Whole(_) => None,
        };
        expected.map(|expected| Self { line: self.line, expected })
    }
}

impl Rule {
    /// The part of the rule that needs no judge.
    #[must_use]
    pub fn without_judge(&self) -> Option<Self> {
        let expectation = self.expectation.without_judge()?;
        Some(Self { expectation, ..self.clone() })
    }
}
