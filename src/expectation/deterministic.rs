//! What of an expectation is known without a judge.

use super::combined::Combined;
use super::{Expectation, Expected, Rule};

impl Expectation {
    /// What an answer must be whatever a judge says: who fails it fails the whole. Nothing where a judge alone can tell.
    ///
    /// One of several alternatives is enough, so where a judge decides one of them, none of the others says anything; and
    /// what must not hold is not known by a part of it.
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
    /// The same, as far as it is known without a judge.
    #[must_use]
    pub fn without_judge(&self) -> Option<Self> {
        let expectation = self.expectation.without_judge()?;
        Some(Self { expectation, ..self.clone() })
    }
}
