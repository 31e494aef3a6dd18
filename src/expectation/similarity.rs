//! `similarity`: the answer means the same as a text.

use super::{Answer, Reading, TYPE, errored};
use crate::grader::Bench;
use crate::manifest::{Fault, Verdict};
use crate::source::{Field, Fields, Shape};

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required("value", Shape::Text, "The text whose meaning is expected."),
    Field::optional("threshold", Shape::Number(0.0, 1.0), "Least similarity, 0 to 1 (0.75)."),
    Field::optional("mode", Shape::OneOf(&["embedding", "llm"]), "How meaning is compared."),
    Field::optional("model", Shape::Name, "Model that judges in mode `llm`."),
    Field::optional("embeddingModel", Shape::Name, "Model of embeddings in mode `embedding`."),
];

/// A text whose meaning is expected.
#[derive(Clone, Debug)]
pub struct Similarity {
    threshold: f64,
}

impl Similarity {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let (value, span) = fields.text("value")?;
        let _ = reading.fill(value, span);
        Some(Self { threshold: fields.number("threshold").unwrap_or(0.75) })
    }

    #[expect(clippy::unused_async, reason = "it will wait for an embedding or a judge")]
    pub(super) async fn judge(&self, _answer: &Answer<'_>, _bench: &Bench<'_>) -> Verdict {
        let mut verdict = errored("similarity", "this version of akit does not compare meanings".to_owned());
        verdict.threshold = Some(self.threshold);
        verdict.fault = Some(Fault {
            kind: "not-supported".to_owned(),
            message: verdict.reason.clone(),
            help: "say the same with `llm_grader`, or leave the case out with `-t '!tag'`".to_owned(),
        });
        verdict
    }
}
