//! `combined`: all (`and`) or any (`or`) of several expectations hold; they nest.
//!
//! Errors follow three-valued logic: `and` fails as soon as one part fails, `or` passes as soon as
//! one passes; otherwise one errored part makes the whole errored.

use super::{Answer, Expectation, Reading, TYPE, share, verdict};
use crate::grader::Bench;
use crate::manifest::{Outcome, Verdict};
use crate::source::{Diagnostic, Field, Fields, Shape, Value};
use crate::text;

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required("operator", Shape::OneOf(&["and", "or"]), "Whether all parts must hold or any one."),
    Field::required("expectations", Shape::Part("expectations"), "The parts, at least one."),
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
                let message = format!("`expectations` is a list with at least one entry, found {found}");
                reading.found.push(Diagnostic::error("wrong-type", reading.file, node.span, message));
                return None;
            }
        };
        let parts: Vec<_> =
            items.iter().map(|item| Expectation::read(item, "an entry of `expectations`", reading)).collect();
        let (operator, _) = fields.text("operator")?;
        Some(Self { any: operator == "or", parts: parts.into_iter().collect::<Option<_>>()? })
    }

    pub(super) fn parts(&self) -> &[Expectation] {
        &self.parts
    }

    pub(super) async fn judge(&self, answer: &Answer<'_>, bench: &Bench<'_>) -> Verdict {
        let mut parts = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            parts.push(part.judge(answer, bench).await);
        }
        self.join(parts)
    }

    fn join(&self, parts: Vec<Verdict>) -> Verdict {
        let count = |outcome| parts.iter().filter(|part| part.outcome == outcome).count();
        let (passed, failed, errored) =
            (count(Outcome::Passed), count(Outcome::Failed), count(Outcome::Errored));
        let outcome = match self.any {
            false if failed > 0 => Outcome::Failed,
            true if passed > 0 => Outcome::Passed,
            _ if errored > 0 => Outcome::Errored,
            any => {
                if any {
                    Outcome::Failed
                } else {
                    Outcome::Passed
                }
            }
        };
        let scores = parts.iter().filter_map(|part| part.score);
        let score =
            if self.any { scores.fold(0.0, f64::max) } else { scores.sum::<f64>() * share(1, parts.len()) };
        let mut verdict = verdict("combined", outcome == Outcome::Passed, score);
        verdict.outcome = outcome;
        verdict.score = (outcome != Outcome::Errored).then_some(score);
        verdict.expected = format!(
            "{} of {}",
            if self.any { "any" } else { "all" },
            text::count(parts.len(), "expectation")
        );
        verdict.reason = if outcome == Outcome::Passed {
            format!("{passed} of {} hold", parts.len())
        } else {
            let against =
                if errored > 0 && outcome == Outcome::Errored { Outcome::Errored } else { Outcome::Failed };
            let reasons = parts.iter().filter(|part| part.outcome == against);
            reasons.map(|part| format!("{}: {}", part.kind, part.reason)).collect::<Vec<_>>().join("; ")
        };
        verdict.parts = parts;
        verdict
    }
}
