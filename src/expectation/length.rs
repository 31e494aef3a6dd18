//! `length`: the number of characters, words or sentences of the answer, counted by Unicode's rules (UAX #29).

use std::ops::RangeInclusive;

use unicode_segmentation::UnicodeSegmentation as _;

use super::{Candidate, Reading, TYPE, quote, unpassable, verdict};
use crate::manifest::Verdict;
use crate::source::{Diagnostic, Field, Fields, Shape, Value};
use crate::text;
use crate::text::said::ignorable;
use crate::vocabulary::{VerdictKind, WeakeningKind, Weaker};

const LIMITS: &[Field] = &[
    Field::optional("min", Shape::Integer(0), "Lowest number."),
    Field::optional("max", Shape::Integer(0), "Highest number."),
];

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::optional("characters", Shape::Object(LIMITS), "Number of characters, as a reader counts them."),
    Field::optional("words", Shape::Object(LIMITS), "Number of words."),
    Field::optional("sentences", Shape::Object(LIMITS), "Number of sentences."),
];

type Count = fn(&str) -> usize;

/// What is counted: its key, its name in the singular, and how. Invisible characters do not count.
const UNITS: [(&str, &str, Count); 3] = [
    ("characters", "character", |text| {
        text.graphemes(true).filter(|one| !one.chars().all(ignorable)).count()
    }),
    ("words", "word", |text| text.unicode_words().count()),
    ("sentences", "sentence", |text| text.unicode_sentences().count()),
];

/// Limits on the length of an answer, one for each unit; a unit without limits allows any number.
#[derive(Clone, Debug)]
pub struct Length {
    limits: [RangeInclusive<u64>; UNITS.len()],
}

const ANY: RangeInclusive<u64> = 0..=u64::MAX;

impl Length {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let (mut limits, mut sound) = ([ANY; UNITS.len()], true);
        let mut report = |code, span, message: String, help: &str| {
            sound = false;
            reading.found.push(Diagnostic::error(code, reading.file, span, message).help(help));
        };
        for ((key, ..), limit) in UNITS.iter().zip(&mut limits) {
            let Some(unit) = fields.object(key) else { continue };
            let span = fields.key_span(key).unwrap_or(fields.span());
            let (min, max) = (unit.integer("min"), unit.integer("max"));
            *limit = min.unwrap_or(0)..=max.unwrap_or(u64::MAX);
            if matches!(fields.node(key).map(|node| &node.value), Some(Value::Map(limits)) if limits.is_empty())
            {
                report("missing-field", span, format!("`{key}` needs `min` or `max`"), "add `max:`");
            } else if limit.is_empty() {
                let (at, message) = (unit.key_span("max"), "`max` is less than `min`, so no answer can pass");
                report("wrong-value", at.unwrap_or(span), message.to_owned(), "set `max` to at least `min`");
            }
        }
        if fields.is_only("type") {
            let message = "`length` needs `characters`, `words` or `sentences`".to_owned();
            report("missing-field", fields.span(), message, "add a limit, such as `words: { max: 80 }`");
        } else if limits.iter().all(|limit| *limit == ANY) && !reading.found.has_errors() {
            let message = "these limits allow any length, so every answer passes".to_owned();
            reading.always_holds(fields.span(), message, "raise `min`, or add `max`");
        }
        sound.then_some(Self { limits })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        // The missing rest of an answer could exceed an upper limit.
        let is_upper = || self.limits.iter().any(|limit| *limit.end() < u64::MAX);
        if let Some(verdict) = unpassable(VerdictKind::Length, answer, is_upper) {
            return verdict;
        }
        let text = text::js_trim(answer.text);
        let (mut counts, mut wanted, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
        for ((_, one, count), limit) in UNITS.iter().zip(&self.limits).filter(|(_, limit)| **limit != ANY) {
            let (count, required) = (count(text), required(limit, one));
            let said = text::count(count, one);
            if !limit.contains(&(count as u64)) {
                wrong.push(format!("{said}; {required} expected"));
            }
            wanted.push(required);
            counts.push(said);
        }
        let mut verdict = verdict(VerdictKind::Length, wrong.is_empty(), 0.0);
        verdict.expected = wanted.join(", ");
        verdict.reason = if wrong.is_empty() { counts.join(", ") } else { wrong.join("; ") };
        if !wrong.is_empty() {
            verdict.got = quote(answer.text);
        }
        verdict
    }

    /// Always empty: a length has no fixed text.
    #[expect(clippy::unused_self, reason = "every kind has the same signature")]
    pub(super) fn texts(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Where a new version requires less.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let mut found = Vec::new();
        for ((key, one, _), (old, new)) in UNITS.iter().zip(self.limits.iter().zip(&now.limits)) {
            let mut less = |limit: &str| {
                let message = format!("the limit was {}", required(old, one));
                found.push(Weaker::new(WeakeningKind::LimitLoosened, &[*key, limit], message));
            };
            if new.start() < old.start() {
                less("min");
            }
            if new.end() > old.end() {
                less("max");
            }
        }
        found
    }
}

/// `at most 80 words`.
fn required(limit: &RangeInclusive<u64>, one: &str) -> String {
    let counted = |number: &u64| text::count(usize::try_from(*number).unwrap_or(usize::MAX), one);
    match (limit.start(), limit.end()) {
        (min, &u64::MAX) => format!("at least {}", counted(min)),
        (0, max) => format!("at most {}", counted(max)),
        (min, max) if min == max => format!("exactly {}", counted(min)),
        (min, max) => format!("{} to {}", text::number::whole(*min), counted(max)),
    }
}
