//! `similarity`: the answer means the same as a given text, according to embeddings or a judge.
//!
//! With embeddings, the score is the cosine of the two embeddings, or 0 if it is negative. Without a `mode`, embeddings
//! are compared if a model for them is set; if not, the judge decides.

use super::exact::other_text;
use super::llm_grader::{Judges, LlmGrader, lower_score, swapped};
use super::{Candidate, Reading, TYPE, errored, quote, verdict};
use crate::grader::{Bench, Configured, Defaults, Judge};
use crate::manifest::{Fault, Grade, Verdict};
use crate::source::{Field, Fields, Shape};
use crate::text;
use crate::vocabulary::{FaultKind, VerdictKind, Weaker};

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required("value", Shape::Name, "The text whose meaning is expected."),
    Field::optional("threshold", Shape::Number(0.0, 1.0), "Lowest similarity that passes, 0 to 1 (0.75)."),
    Field::optional(
        "mode",
        Shape::OneOf(&["embedding", "llm"]),
        "How meanings are compared (embedding if `embeddingModel` is set, otherwise llm).",
    ),
    Field::optional(
        "model",
        Shape::Name,
        "Model that judges in mode `llm`, from the configured judge's provider, instead of the configured model.",
    ),
    Field::optional("embeddingModel", Shape::Name, "Embedding model, instead of the configured one."),
];

/// A text and how similar in meaning an answer must be.
#[derive(Clone, Debug)]
pub struct Similarity {
    value: String,
    threshold: f64,
    embedding: Option<bool>,
    embedding_model: Option<String>,
    judge: LlmGrader,
}

impl Similarity {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let (value, span) = fields.text("value")?;
        let value = reading.fill(value, span);
        let threshold = fields.number("threshold").unwrap_or(0.75);
        reading.least_score(fields, 0.75);
        let judge = fields.string("model").map(Judge::of_configured);
        let judge = LlmGrader::same_meaning(&value, threshold, judge);
        let embedding = fields.text("mode").map(|(mode, _)| mode == "embedding");
        Some(Self { value, threshold, embedding, embedding_model: fields.string("embeddingModel"), judge })
    }

    /// The judge; its server also computes the embeddings.
    pub(super) fn grader(&self) -> &LlmGrader {
        &self.judge
    }

    pub(super) async fn judge(&self, answer: &Candidate<'_>, bench: &Bench<'_>) -> Verdict {
        if let Some(reason) = answer.hollow().or_else(|| answer.blank()) {
            let threshold = Some(self.threshold);
            return Verdict { threshold, reason, ..verdict(VerdictKind::Similarity, false, 0.0) };
        }
        match (self.embedding, self.embedding_model(bench.graders.defaults())) {
            (_, Some(model)) => self.embedded(answer, model, bench).await,
            (Some(false) | None, None) => self.judge.judge(answer, bench).await,
            (Some(true), None) => {
                let mut verdict = errored(VerdictKind::Similarity, "no embedding model set".to_owned());
                let help = "add `embeddingModel:`, or `grader: { embeddingModel: … }` in akit.yaml";
                verdict.fault = Some(Box::new(Fault::new(FaultKind::NoGrader, verdict.reason.clone(), help)));
                verdict
            }
        }
    }

    /// The embedding model, if embeddings are compared.
    pub(super) fn embedding_model<'a>(&'a self, defaults: &'a Defaults) -> Option<&'a str> {
        let model = self.embedding_model.as_deref().or(defaults.embedding_model.as_deref());
        model.filter(|_| self.embedding != Some(false))
    }

    /// The text whose meaning is expected.
    pub(super) fn value(&self) -> &str {
        &self.value
    }

    /// Where a new version requires less.
    pub(super) fn weaker(&self, now: &Self, judges: Judges<'_>) -> Vec<Weaker> {
        let Self { value, threshold, embedding, embedding_model, judge } = self;
        let mut found = Vec::new();
        if text::js_trim(value) != text::js_trim(&now.value) {
            found.push(other_text(value));
        }
        found.extend(lower_score(*threshold, now.threshold));
        let configured = |judge: &Configured| judge.defaults.embedding_model.clone();
        let was = embedding_model.clone().or_else(|| configured(judges.before));
        let is = now.embedding_model.clone().or_else(|| configured(judges.now));
        if *embedding != now.embedding {
            let mode = |said: Option<bool>, model: &Option<String>| {
                if said.unwrap_or(model.is_some()) { "embedding" } else { "llm" }
            };
            found.extend(swapped(&["mode"], mode(*embedding, &was), mode(now.embedding, &is)));
        }
        if *embedding_model != now.embedding_model {
            found.extend(swapped(&["embeddingModel"], was, is));
        }
        found.extend(judges.swapped(judge.named(), now.judge.named()));
        found
    }

    async fn embedded(&self, answer: &Candidate<'_>, model: &str, bench: &Bench<'_>) -> Verdict {
        match self.cosine(answer, model, bench).await {
            Ok((score, grade)) => {
                let passed = score >= self.threshold;
                let mut verdict = verdict(VerdictKind::Similarity, passed, score);
                verdict.threshold = Some(self.threshold);
                verdict.expected = format!("the meaning of {}", quote(&self.value));
                verdict.reason = format!(
                    "similarity {:.1}%; at least {:.1}% required",
                    score * 100.0,
                    self.threshold * 100.0
                );
                if !passed {
                    verdict.got = quote(answer.text);
                }
                verdict.grade = Some(Box::new(grade));
                verdict
            }
            Err(fault) => {
                let mut verdict = errored(VerdictKind::Similarity, fault.message.clone());
                verdict.threshold = Some(self.threshold);
                verdict.fault = Some(Box::new(fault));
                verdict
            }
        }
    }

    async fn cosine(
        &self,
        answer: &Candidate<'_>,
        model: &str,
        bench: &Bench<'_>,
    ) -> Result<(f64, Grade), Fault> {
        let grader = bench.graders.find(self.judge.named()).map_err(|error| error.fault())?;
        let ask = async |text: &str| grader.embed(model, text, bench).await.map_err(|error| error.fault());
        let (wanted, got) = (ask(&bench.redacted(&self.value)).await?, ask(answer.text).await?);
        let (one, other) = (&wanted.completion.embedding, &got.completion.embedding);
        if one.len() != other.len() {
            let message = format!(
                "{model} returned embeddings of different lengths: {} and {}",
                one.len(),
                other.len()
            );
            let help = "get both again with `--cache refresh`; the model behind this name has changed";
            return Err(Fault::new(FaultKind::ExpectationError, message, help));
        }
        let Some(score) = cosine(one, other) else {
            let message = format!("{model} returned an embedding of zeros, or one with an invalid number");
            let help = "try again with `--cache refresh`, or set another `embeddingModel`";
            return Err(Fault::new(FaultKind::ExpectationError, message, help));
        };
        let (wanted, got) = (wanted.completion.answer, got.completion.answer);
        let mut usage = wanted.usage.unwrap_or_default();
        usage += got.usage.unwrap_or_default();
        let grade = Grade {
            grader: format!("{model} ({})", grader.client().endpoint()),
            model: got.model,
            votes: vec![score],
            reasoning: String::new(),
            usage: Some(usage),
            cost_usd: wanted.cost_usd.zip(got.cost_usd).map(|(one, other)| one + other),
            latency_ms: wanted.latency_ms.zip(got.latency_ms).map(|(one, other)| one.saturating_add(other)),
            recorded: wanted.recorded && got.recorded,
        };
        Ok((score, grade))
    }
}

/// The cosine of two vectors of the same length, or 0 if it is negative; `None` if one of them has no direction.
fn cosine(a: &[f32], b: &[f32]) -> Option<f64> {
    let dot =
        |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    let length = (dot(a, a) * dot(b, b)).sqrt();
    (length.is_finite() && length > 0.0).then(|| (dot(a, b) / length).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines() {
        for (a, b, expected) in [
            (&[1.0, 0.0][..], &[2.0, 0.0][..], 1.0),
            (&[1.0, 0.0], &[0.0, 3.0], 0.0),
            (&[1.0, 0.0], &[-1.0, 0.0], 0.0),
            (&[3.0, 4.0], &[4.0, 3.0], 0.96),
            (&[f32::MAX, 0.0], &[f32::MIN_POSITIVE, 0.0], 1.0),
        ] {
            assert!((cosine(a, b).unwrap() - expected).abs() < 1e-9, "{a:?} {b:?}");
        }
        for odd in [[0.0, 0.0], [f32::INFINITY, 1.0], [f32::NAN, 1.0], [-0.0, 0.0]] {
            assert_eq!((cosine(&odd, &[1.0, 0.0]), cosine(&[1.0, 0.0], &odd)), (None, None), "{odd:?}");
        }
    }
}
