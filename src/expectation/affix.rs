//! `starts_with` and `ends_with`: the answer starts or ends with a given string, compared as in `contains`.

use super::contains::filled;
use super::exact::other_text;
use super::{Candidate, Reading, TYPE, quote, verdict};
use crate::manifest::Verdict;
use crate::source::{Field, Fields, Shape};
use crate::text;
use crate::text::said::folded_lower;
use crate::vocabulary::{VerdictKind, Weaker};

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required("value", Shape::Text, "Text at the start or end of the answer; case is ignored."),
];

/// A string that the answer must start or end with.
#[derive(Clone, Debug)]
pub struct Affix<const END: bool> {
    value: String,
}

/// How an answer must start.
pub type StartsWith = Affix<false>;

/// How an answer must end.
pub type EndsWith = Affix<true>;

impl<const END: bool> Affix<END> {
    /// Its kind, and the verbs of its reasons.
    const WORDS: (VerdictKind, &str, &str) = if END {
        (VerdictKind::EndsWith, "ends with", "does not end with")
    } else {
        (VerdictKind::StartsWith, "starts with", "does not start with")
    };

    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let (text, span) = fields.text("value")?;
        let value = filled(text, span, reading);
        if needle::<END>(&value).is_empty() {
            let message = "every answer starts and ends with the empty string";
            reading.always_holds(span, message.to_owned(), "set a string");
        }
        Some(Self { value })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        let (kind, does, does_not) = Self::WORDS;
        // The end of an answer that was cut off is unknown.
        if let Some(reason) = if END { answer.hollow() } else { answer.blank() } {
            return Verdict { reason, ..verdict(kind, false, 0.0) };
        }
        let passed = Self::is_at(&needle::<END>(answer.text), &needle::<END>(&self.value));
        let mut verdict = verdict(kind, passed, 0.0);
        verdict.expected = format!("an answer that {does} {}", quote(&self.value));
        verdict.reason =
            format!("the answer {} {}", if passed { does } else { does_not }, quote(&self.value));
        if !passed {
            let text = text::js_trim(answer.text);
            let end = if END { text.len() } else { 0 };
            verdict.got = format!("\"{}\"", text::excerpt_around(text, end..end, super::SHOWN));
        }
        verdict
    }

    /// Whether a string is at that end of another; both are folded.
    fn is_at(whole: &str, value: &str) -> bool {
        if END { whole.ends_with(value) } else { whole.starts_with(value) }
    }

    /// The string that a correct answer contains.
    pub(super) fn texts(&self) -> Vec<&str> {
        vec![&self.value]
    }

    /// Where a new version requires less: it has another string that is not just longer.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let [old, new] = [self, now].map(|one| needle::<END>(&one.value));
        if Self::is_at(&new, &old) { Vec::new() } else { vec![other_text(&self.value)] }
    }
}

/// A string as it is compared, without white space at that end.
fn needle<const END: bool>(text: &str) -> String {
    let text = folded_lower(text);
    if END { text.trim_end() } else { text.trim_start() }.to_owned()
}
