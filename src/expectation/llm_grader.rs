//! `llm_grader`: a judge holds the answer against a rubric.

use super::{Answer, Reading, TYPE, errored, verdict};
use crate::grader::{Bench, GraderError, Judge, Question};
use crate::manifest::{Grade, Verdict};
use crate::provider;
use crate::source::{Field, Fields, Shape};
use crate::text;

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required("rubric", Shape::Name, "What a good answer does, in plain words."),
    Field::optional("threshold", Shape::Number(0.0, 1.0), "Least score, 0 to 1 (0.7)."),
    Field::optional("model", Shape::Name, "Model that judges, instead of the configured grader."),
    Field::optional("provider", Shape::OneOf(&provider::NAMES), "Provider of that model (openai)."),
];

/// A rubric and the score that is needed.
#[derive(Clone, Debug)]
pub struct LlmGrader {
    rubric: String,
    threshold: f64,
    judge: Option<Judge>,
}

impl LlmGrader {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let (rubric, span) = fields.text("rubric")?;
        let provider = fields.string("provider");
        if let (Some(_), None) = (&provider, fields.text("model")) {
            let at = fields.key_span("provider").unwrap_or(fields.span());
            reading.found.push(
                crate::source::Diagnostic::error(
                    "missing-field",
                    reading.file,
                    at,
                    "`provider` of a judge needs its `model`".to_owned(),
                )
                .help("add `model:`, or remove `provider:` to use the configured grader"),
            );
        }
        let judge = fields
            .string("model")
            .map(|model| Judge { provider: provider.unwrap_or_else(|| "openai".to_owned()), model });
        Some(Self {
            rubric: reading.fill(rubric, span),
            threshold: fields.number("threshold").unwrap_or(0.7),
            judge,
        })
    }

    /// The judge that the expectation names, if it names one.
    #[must_use]
    pub fn named(&self) -> Option<&Judge> {
        self.judge.as_ref()
    }

    pub(super) async fn judge(&self, answer: &Answer<'_>, bench: &Bench<'_>) -> Verdict {
        let question = Question { rubric: &self.rubric, answer: answer.text };
        let graded = match bench.graders.find(self.judge.as_ref()) {
            Ok(grader) => grader.grade(question, bench).await,
            Err(missing) => Err(missing),
        };
        match graded {
            Ok(grade) => self.verdict(grade),
            Err(error) => self.failed(&error),
        }
    }

    fn verdict(&self, grade: Grade) -> Verdict {
        let score = median(&grade.votes);
        // Scores lie on a grid of tenths; the slack is far below a step and absorbs 0.85 * 10.
        let passed = score + 1e-9 >= self.threshold;
        let mut verdict = verdict("llm_grader", passed, score);
        verdict.threshold = Some(self.threshold);
        verdict.expected = text::excerpt(self.rubric.trim(), 200);
        verdict.reason = format!(
            "the grader gave {score:.2}, {:.2} is needed: {}",
            self.threshold,
            text::excerpt(&grade.reasoning, 300)
        );
        verdict.grade = Some(grade);
        verdict
    }

    fn failed(&self, error: &GraderError) -> Verdict {
        let mut verdict = errored("llm_grader", error.to_string());
        verdict.threshold = Some(self.threshold);
        verdict.expected = text::excerpt(self.rubric.trim(), 200);
        verdict.fault = Some(error.fault());
        verdict
    }
}

/// The middle vote; of an even number the lower middle one.
fn median(votes: &[f64]) -> f64 {
    let mut sorted = votes.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get((sorted.len().saturating_sub(1)) / 2).copied().unwrap_or(0.0)
}
