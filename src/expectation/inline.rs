//! `inline`: a small expression about the answer is true.

use super::expression::Expression;
use super::reading::Inside;
use super::{Candidate, Reading, TYPE, errored, quote, unpassable, verdict};
use crate::manifest::Verdict;
use crate::source::{Diagnostic, Field, Fields, Shape};
use crate::text;
use crate::vocabulary::{VerdictKind, WeakeningKind, Weaker};

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required(
        "expression",
        Shape::Name,
        "Such as `length < 200 && response.includes(\"refund\")`; see docs/expectations.md.",
    ),
    Field::optional("value", Shape::Text, "Value of `expected` in the expression."),
];

/// An expression.
#[derive(Clone, Debug)]
pub struct Inline {
    expression: Box<Expression>,
    value: Option<String>,
    shown: String,
}

impl Inline {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let (written, span) = fields.text("expression")?;
        let value = fields.text("value").map(|(value, span)| reading.fill(value, span));
        let expression = match Expression::parse(written) {
            Ok(expression) => expression,
            Err(error) => {
                let at = Inside { text: written, span, offset: error.offset };
                reading.inside("invalid-expression", at, error.message, error.help);
                return None;
            }
        };
        for warning in expression.warnings() {
            let at = Inside { text: written, span, offset: warning.offset };
            reading.warn_inside("ambiguous-expression", at, warning.message.clone(), warning.help.clone());
        }
        if expression.uses_expected() && value.is_none() && fields.node("value").is_none() {
            let message = "the expression uses `expected`, but there is no `value`".to_owned();
            reading.found.push(
                Diagnostic::error("missing-field", reading.file, span, message)
                    .help("add `value:` with the expected text"),
            );
        }
        let expression = expression.map_texts(&mut |text| reading.fill(text, span));
        Some(Self { expression: expression.into(), value, shown: text::excerpt(written, 100) })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        let negative = || self.expression.negative() || self.is_true_of_empty();
        if let Some(verdict) = unpassable(VerdictKind::Inline, answer, negative) {
            return verdict;
        }
        let evaluation = match self.expression.evaluate(answer.text, self.value.as_deref()) {
            Ok(evaluation) => evaluation,
            Err(limit) => return errored(VerdictKind::Inline, format!("`{}`: {limit}", self.shown)),
        };
        let mut verdict = verdict(VerdictKind::Inline, evaluation.passed, evaluation.score);
        verdict.expected = format!("`{}`", self.shown);
        if evaluation.passed {
            "the expression is true".clone_into(&mut verdict.reason);
        } else {
            verdict.reason = evaluation.why.join("; ");
            verdict.got = quote(answer.text);
        }
        verdict
    }

    /// The strings that a correct answer contains.
    pub(super) fn texts(&self) -> Vec<&str> {
        self.value.as_deref().into_iter().chain(self.expression.texts()).collect()
    }

    /// Whether it is true of an empty answer, as upper limits are, so that it does not show that there is an answer.
    fn is_true_of_empty(&self) -> bool {
        self.expression.evaluate("", self.value.as_deref()).is_ok_and(|found| found.passed)
    }

    /// Where a new version requires less.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let Self { expression: old, value: old_value, shown: was } = self;
        let Self { expression: new, value: new_value, shown: _ } = now;
        let mut found = Vec::new();
        if !new.demands(old) {
            let message = format!("the expression was `{was}`");
            found.push(Weaker::new(WeakeningKind::ExpressionChanged, &["expression"], message));
        }
        if old_value != new_value {
            let was = text::excerpt(old_value.as_deref().unwrap_or_default(), 60);
            let message = format!("`value` was `{was}`");
            found.push(Weaker::new(WeakeningKind::ValueChanged, &["value"], message));
        }
        found
    }
}
