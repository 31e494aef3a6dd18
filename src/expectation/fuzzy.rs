//! `fuzzy`: the answer is nearly the given text.
//!
//! Similarity is 1 − Levenshtein distance / longer length, in UTF-16 units of the trimmed strings in lower case and plain
//! characters. With `distance`, it is the Levenshtein distance itself, of the strings as they are.

use super::aside::aside;
use super::exact::other_text;
use super::{Candidate, Reading, TYPE, errored, hollow, quote, verdict};
use crate::manifest::Verdict;
use crate::source::{Diagnostic, Field, Fields, Shape};
use crate::stats::real;
use crate::text;
use crate::text::said::folded_lower;
use crate::vocabulary::{Outcome, VerdictKind, WeakeningKind, Weaker};

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required("value", Shape::Text, "Text that the whole answer should resemble."),
    Field::optional("threshold", Shape::Number(0.0, 1.0), "Lowest similarity that passes, 0 to 1 (0.8)."),
    Field::optional(
        "distance",
        Shape::Integer(0),
        "Highest edit distance that passes, in characters, counting case and white space; use it instead of `threshold`.",
    ),
];

/// A string, and how similar to it an answer must be.
#[derive(Clone, Debug)]
pub struct Fuzzy {
    value: String,
    near: Near,
}

/// How similar is similar enough.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Near {
    /// Lowest similarity, 0 to 1, of the trimmed strings in lower case and plain characters.
    Similarity(f64),
    /// Highest distance, in UTF-16 units, of the strings as they are.
    Distance(usize),
}

impl Fuzzy {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let (value, span) = fields.text("value")?;
        let near = match fields.integer("distance") {
            Some(most) => Near::Distance(usize::try_from(most).unwrap_or(usize::MAX)),
            None => Near::Similarity(fields.number("threshold").unwrap_or(0.8)),
        };
        reading.least_score(fields, 0.8);
        if let (Near::Distance(_), Some(node)) = (near, fields.node("threshold")) {
            reading.found.push(
                Diagnostic::error(
                    "wrong-value",
                    reading.file,
                    node.span,
                    "`threshold` and `distance` cannot be combined".to_owned(),
                )
                .help("keep one of the two"),
            );
        }
        Some(Self { value: reading.fill(value, span), near })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        let mut verdict = match self.near {
            Near::Similarity(threshold) => {
                if threshold <= 0.0
                    && let Some(reason) = answer.hollow().or_else(|| answer.blank())
                {
                    return Verdict { threshold: Some(threshold), ..hollow(VerdictKind::Fuzzy, &reason) };
                }
                let Some((_, score)) = compared(&lower(&self.value), &lower(answer.text)) else {
                    return too_long();
                };
                let mut verdict = verdict(VerdictKind::Fuzzy, score >= threshold, score);
                verdict.threshold = Some(threshold);
                verdict.reason =
                    format!("similarity {:.1}%; at least {:.1}% required", score * 100.0, threshold * 100.0);
                verdict
            }
            Near::Distance(most) => {
                let Some((distance, score)) = compared(&units(&self.value), &units(answer.text)) else {
                    return too_long();
                };
                // An empty answer is similar to nothing, however short the text is.
                let silent =
                    text::said::shows_nothing(answer.text) && !text::said::shows_nothing(&self.value);
                let mut verdict = verdict(VerdictKind::Fuzzy, distance <= most && !silent, score);
                verdict.reason = format!("distance {distance}; at most {most} allowed");
                if silent {
                    "the answer is empty".clone_into(&mut verdict.reason);
                }
                verdict
            }
        };
        let passed = verdict.outcome == Outcome::Passed;
        verdict.expected = format!("nearly {}", quote(&self.value));
        if !passed {
            verdict.got = quote(answer.text);
        }
        verdict
    }

    /// Whether an answer that is exactly this text, in any case, is similar enough.
    pub(super) fn is_met_by(&self, whole: &str) -> bool {
        match self.near {
            Near::Similarity(threshold) => {
                compared(&lower(&self.value), &lower(whole)).is_some_and(|(_, score)| score >= threshold)
            }
            // White space counts here, but `exact` accepts any amount around the text.
            Near::Distance(_) => false,
        }
    }

    /// The string that a correct answer contains, or nearly so.
    pub(super) fn texts(&self) -> Vec<&str> {
        vec![&self.value]
    }

    /// Where a new version requires less. A distance and a threshold cannot be compared: one counts edits, the other is
    /// a share of the text.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let (Self { value: old, near: was }, Self { value: new, near: is }) = (self, now);
        let exactly = matches!((was, is), (Near::Distance(_), Near::Distance(_)));
        let text = |text: &str| {
            if exactly { text.to_owned() } else { text::js_trim(&folded_lower(text)).to_owned() }
        };
        let mut found = Vec::new();
        if text(old) != text(new) {
            found.push(other_text(old));
        }
        let lowered = match (was, is) {
            (Near::Similarity(was), Near::Similarity(is)) => {
                (is < was).then(|| ("threshold", format!("the threshold was {was}, now {is}")))
            }
            (Near::Similarity(_), Near::Distance(0)) => None,
            (Near::Similarity(was), Near::Distance(is)) => {
                Some(("distance", format!("the threshold was {was}; now a distance of {is} is allowed")))
            }
            (Near::Distance(was), Near::Similarity(is)) => {
                Some(("threshold", format!("a distance of {was} was allowed; now the threshold is {is}")))
            }
            (Near::Distance(was), Near::Distance(is)) => {
                (is > was).then(|| ("distance", format!("a distance of {was} was allowed, now {is}")))
            }
        };
        found.extend(lowered.map(|(key, message)| Weaker::new(WeakeningKind::ScoreLowered, &[key], message)));
        found
    }
}

/// The UTF-16 units of a folded text.
fn lower(text: &str) -> Vec<u16> {
    units(text::js_trim(&folded_lower(text)))
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Maximum pairs of units to compare. A count, so that a verdict does not depend on the machine.
const PAIRS: usize = 1 << 30;

/// Pairs to compare directly; more of them go through `aside`, so that other tasks can run.
const SOON: usize = 1 << 24;

/// Distance and similarity of two strings; `None` if they are too long to compare.
fn compared(a: &[u16], b: &[u16]) -> Option<(usize, f64)> {
    let longer = a.len().max(b.len());
    if longer == 0 {
        return Some((0, 1.0));
    }
    // A common start or end does not change the distance.
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    let same = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - same], &b[..b.len() - same]);
    let pairs = a.len().saturating_mul(b.len());
    if pairs > PAIRS {
        return None;
    }
    let distance = || rapidfuzz::distance::levenshtein::distance(a.iter().copied(), b.iter().copied());
    let distance = if pairs > SOON { aside(distance) } else { distance() };
    Some((distance, 1.0 - real(distance) / real(longer)))
}

fn too_long() -> Verdict {
    let reason = format!(
        "the answer and `value` are too long to compare (more than {} pairs of characters); check a part with `regex` or `contains`",
        text::number::whole(PAIRS as u64)
    );
    errored(VerdictKind::Fuzzy, reason)
}
