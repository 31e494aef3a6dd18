//! `combined`: all (`and`) or any (`or`) of several expectations pass; they nest.
//!
//! Errors follow three-valued logic: `and` fails as soon as one part fails, and `or` passes as soon as one passes.
//! Otherwise, one errored part makes the whole errored. Advisory parts decide nothing: if no other part decides, the
//! whole is advisory.

use super::{Candidate, Expectation, Reading, TYPE, share, verdict};
use crate::grader::Bench;
use crate::manifest::Verdict;
use crate::source::{Diagnostic, Field, Fields, Shape, Value};
use crate::text;
use crate::vocabulary::{Outcome, VerdictKind};

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required(
        "operator",
        Shape::OneOf(&["and", "or"]),
        "`and`: all parts must pass. `or`: one is enough.",
    ),
    Field::required("expectations", Shape::Part("expectations"), "At least one expectation."),
];

/// Several expectations and how they are joined.
#[derive(Clone, Debug)]
pub struct Combined {
    any: bool,
    parts: Vec<Expectation>,
}

impl Combined {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let node = fields.node("expectations")?;
        let items = match &node.value {
            Value::List(items) if !items.is_empty() => items,
            other => {
                let found = if matches!(other, Value::List(_)) { "an empty list" } else { other.kind() };
                let message = format!("`expectations` must be a list with at least one entry, found {found}");
                reading.found.push(Diagnostic::error("wrong-type", reading.file, node.span, message));
                return None;
            }
        };
        let parts: Vec<_> =
            items.iter().map(|item| Expectation::read(item, "an entry of `expectations`", reading)).collect();
        let (operator, _) = fields.text("operator")?;
        Some(Self { any: operator == "or", parts: parts.into_iter().collect::<Option<_>>()? })
    }

    /// Whether one part is enough.
    pub(super) fn is_any(&self) -> bool {
        self.any
    }

    pub(super) fn parts(&self) -> &[Expectation] {
        &self.parts
    }

    pub(super) async fn judge(&self, answer: &Candidate<'_>, bench: &Bench<'_>) -> Verdict {
        let mut parts = Vec::with_capacity(self.parts.len());
        for (index, part) in self.parts.iter().enumerate() {
            parts.push(part.judge(&answer.part(index), bench).await);
        }
        self.join(parts)
    }

    /// The joined verdict of several.
    pub(super) fn joined(any: bool, parts: Vec<Verdict>) -> Verdict {
        Self { any, parts: Vec::new() }.join(parts)
    }

    /// An `and` of several.
    pub(super) fn of_all(parts: Vec<Expectation>) -> Self {
        Self { any: false, parts }
    }

    /// An expectation that requires nothing.
    pub(super) fn nothing() -> Self {
        Self { any: false, parts: Vec::new() }
    }

    fn join(&self, parts: Vec<Verdict>) -> Verdict {
        let count = |outcome| parts.iter().filter(|part| part.outcome == outcome).count();
        let firm = |outcome| parts.iter().any(|part| part.outcome == outcome && part.advisory.is_none());
        let (passed, errored) = (count(Outcome::Passed), count(Outcome::Errored));
        let said = match (self.any, passed) {
            (true, 0) => Outcome::Failed,
            (false, passed) if passed < parts.len() => Outcome::Failed,
            _ => Outcome::Passed,
        };
        let decisive = if self.any { Outcome::Passed } else { Outcome::Failed };
        let (outcome, advisory) = if firm(decisive) {
            (decisive, None)
        } else if errored > 0 {
            (Outcome::Errored, None)
        } else {
            // No part decides, so the result is that of the advisory parts, if there are any.
            (said, parts.iter().find_map(|part| part.advisory.clone()))
        };
        let scores = parts.iter().filter_map(|part| part.score);
        let score =
            if self.any { scores.fold(0.0, f64::max) } else { scores.sum::<f64>() * share(1, parts.len()) };
        let mut verdict = verdict(VerdictKind::Combined, outcome == Outcome::Passed, score);
        verdict.outcome = outcome;
        verdict.advisory = advisory;
        verdict.score = (outcome != Outcome::Errored).then_some(score);
        verdict.expected = format!(
            "{} of {}",
            if self.any { "any" } else { "all" },
            text::count(parts.len(), "expectation")
        );
        verdict.reason = if outcome == Outcome::Passed {
            format!("{passed} of {} passed", parts.len())
        } else {
            let whole = verdict.advisory.is_some();
            let counts = |part: &&Verdict| part.outcome == outcome && (whole || part.advisory.is_none());
            let reasons = parts.iter().filter(counts);
            reasons.map(|part| format!("{}: {}", part.kind, part.reason)).collect::<Vec<_>>().join("; ")
        };
        verdict.any = self.any;
        verdict.parts = parts;
        verdict
    }
}

/// The verdict of several that must all pass.
pub fn all(parts: Vec<Verdict>) -> Verdict {
    Combined::joined(false, parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{Errored, Failed, Passed};

    fn part(outcome: Outcome, advisory: bool) -> Verdict {
        let mut verdict = verdict(VerdictKind::Contains, outcome == Passed, 0.5);
        verdict.outcome = outcome;
        verdict.advisory = advisory.then(|| "stale".to_owned());
        verdict
    }

    /// A combination is advisory if its result depends on advisory parts. It then reports their verdict but fails
    /// nothing.
    #[test]
    fn advisory_parts_decide_nothing() {
        let kinds = [(Passed, false), (Failed, false), (Errored, false), (Passed, true), (Failed, true)];
        let said = |any: bool, parts: [(Outcome, bool); 3]| {
            let parts = parts.map(|(outcome, advisory)| part(outcome, advisory)).to_vec();
            Combined { any, parts: Vec::new() }.join(parts)
        };
        for any in [false, true] {
            for parts in kinds.iter().flat_map(|a| kinds.iter().flat_map(move |b| kinds.map(|c| [*a, *b, c])))
            {
                let firmly = |word| said(any, parts.map(|(o, a)| (if a { word } else { o }, false))).outcome;
                let found = said(any, parts);
                let believed = said(any, parts.map(|(outcome, _)| (outcome, false))).outcome;
                match (firmly(Passed), firmly(Failed)) {
                    (one, other) if one == other => {
                        assert_eq!((found.outcome, found.advisory), (one, None), "{any} {parts:?}");
                    }
                    (Errored, _) | (_, Errored) => assert_eq!(found.outcome, Errored, "{any} {parts:?}"),
                    _ => {
                        assert_eq!((found.outcome, found.counted()), (believed, Passed), "{any} {parts:?}");
                        assert!(found.advisory.is_some(), "{any} {parts:?}");
                    }
                }
            }
        }
    }
}
