//! `fuzzy`: the answer is nearly this text.
//!
//! Similarity is 1 − Levenshtein distance / longer length, over UTF-16 units of the trimmed texts
//! in lower case and plain characters. With `distance` it is the Levenshtein distance itself, over the
//! texts as they are.

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
    Field::required("value", Shape::Text, "The text that the answer should resemble as a whole."),
    Field::optional("threshold", Shape::Number(0.0, 1.0), "Least similarity, 0 to 1 (0.8)."),
    Field::optional(
        "distance",
        Shape::Integer(0),
        "Most letters to add, leave out or replace, case and white space counted; in the place of `threshold`.",
    ),
];

/// A text and how near an answer must be.
#[derive(Clone, Debug)]
pub struct Fuzzy {
    value: String,
    near: Near,
}

/// How near is near enough.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Near {
    /// Least similarity, 0 to 1, of the trimmed texts in lower case and plain characters.
    Similarity(f64),
    /// Largest distance, in UTF-16 units, of the texts as they are.
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
                    "`threshold` and `distance` exclude each other".to_owned(),
                )
                .help("keep the one that is meant"),
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
                    format!("similarity {:.1}%, {:.1}% is needed", score * 100.0, threshold * 100.0);
                verdict
            }
            Near::Distance(most) => {
                let Some((distance, score)) = compared(&units(&self.value), &units(answer.text)) else {
                    return too_long();
                };
                // An answer that says nothing is near to nothing, however short the text is.
                let silent =
                    text::said::shows_nothing(answer.text) && !text::said::shows_nothing(&self.value);
                let mut verdict = verdict(VerdictKind::Fuzzy, distance <= most && !silent, score);
                verdict.reason = format!("distance {distance}, at most {most} is allowed");
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

    /// Whether whoever says this text as a whole, in whatever case, is near enough.
    pub(super) fn is_met_by(&self, whole: &str) -> bool {
        match self.near {
            Near::Similarity(threshold) => {
                compared(&lower(&self.value), &lower(whole)).is_some_and(|(_, score)| score >= threshold)
            }
            // White space counts, and `exact` accepts any around the text.
            Near::Distance(_) => false,
        }
    }

    /// The texts that a right answer says.
    pub(super) fn texts(&self) -> Vec<&str> {
        vec![&self.value]
    }

    /// In what a new version demands less. A distance counts edits, and a threshold the share of the text that is
    /// alike.
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
                (is < was).then(|| ("threshold", format!("a score of {was} was needed, now {is}")))
            }
            (Near::Similarity(_), Near::Distance(0)) => None,
            (Near::Similarity(was), Near::Distance(is)) => {
                Some(("distance", format!("a score of {was} was needed, now a distance of {is} is allowed")))
            }
            (Near::Distance(was), Near::Similarity(is)) => {
                Some(("threshold", format!("a distance of {was} was allowed, now a score of {is} is enough")))
            }
            (Near::Distance(was), Near::Distance(is)) => {
                (is > was).then(|| ("distance", format!("a distance of {was} was allowed, now {is}")))
            }
        };
        found.extend(lowered.map(|(key, message)| Weaker::new(WeakeningKind::ScoreLowered, &[key], message)));
        found
    }
}

/// The units of a text in lower case, in plain characters.
fn lower(text: &str) -> Vec<u16> {
    units(text::js_trim(&folded_lower(text)))
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Pairs of units that are compared at most. They are counted, so that a verdict does not hang on the machine.
const PAIRS: usize = 1 << 30;

/// Pairs that are compared where the judging begins.
const SOON: usize = 1 << 24;

/// Distance and similarity of two texts; `None` where they are too long to be compared.
fn compared(a: &[u16], b: &[u16]) -> Option<(usize, f64)> {
    let longer = a.len().max(b.len());
    if longer == 0 {
        return Some((0, 1.0));
    }
    // What both begin and end with changes nothing and costs nothing.
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
        "answer and `value` are too long to be compared: more than {} pairs of characters; \
         compare less with `regex` or `contains`",
        text::number::whole(PAIRS as u64)
    );
    errored(VerdictKind::Fuzzy, reason)
}
