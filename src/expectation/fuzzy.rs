//! `fuzzy`: the answer is nearly this text.
//!
//! Similarity is 1 − Levenshtein distance / longer length, over UTF-16 units of the trimmed texts
//! in lower case, as the reference counts it.

use super::{Answer, Reading, TYPE, quote, verdict};
use crate::manifest::Verdict;
use crate::source::{Field, Fields, Shape};
use crate::text;

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required("value", Shape::Text, "The text that the answer should resemble as a whole."),
    Field::optional("threshold", Shape::Number(0.0, 1.0), "Least similarity, 0 to 1 (0.8)."),
];

/// A text and how near an answer must be.
#[derive(Clone, Debug)]
pub struct Fuzzy {
    value: String,
    threshold: f64,
}

impl Fuzzy {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let (value, span) = fields.text("value")?;
        let threshold = fields.number("threshold").unwrap_or(0.8);
        Some(Self { value: reading.fill(value, span), threshold })
    }

    pub(super) fn judge(&self, answer: &Answer<'_>) -> Verdict {
        let score = similarity(&self.value, answer.text);
        let passed = score >= self.threshold;
        let mut verdict = verdict("fuzzy", passed, score);
        verdict.threshold = Some(self.threshold);
        verdict.expected = format!("nearly {}", quote(&self.value));
        verdict.reason =
            format!("similarity {:.1} %, {:.1} % is needed", score * 100.0, self.threshold * 100.0);
        if !passed {
            verdict.got = quote(answer.text);
        }
        verdict
    }
}

#[expect(clippy::cast_precision_loss, reason = "texts are far shorter than 2^52 units")]
fn similarity(a: &str, b: &str) -> f64 {
    let units = |text: &str| -> Vec<u16> { text::js_trim(&text.to_lowercase()).encode_utf16().collect() };
    let (a, b) = (units(a), units(b));
    let longer = a.len().max(b.len());
    if longer == 0 {
        return 1.0;
    }
    let distance = rapidfuzz::distance::levenshtein::distance(a.iter().copied(), b.iter().copied());
    1.0 - distance as f64 / longer as f64
}
