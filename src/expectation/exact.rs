//! `exact`: the answer is the given text, apart from white space at both ends.

use super::{Candidate, Reading, SHOWN, TYPE, quote, verdict};
use crate::manifest::Verdict;
use crate::source::{Field, Fields, Shape};
use crate::text;
use crate::text::said::caseless;
use crate::vocabulary::{VerdictKind, WeakeningKind, Weaker};

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required("value", Shape::Text, "The whole answer; white space at the start and end is ignored."),
    Field::optional("caseSensitive", Shape::Bool, "Whether case matters (true)."),
    Field::foreign("ignoreCase", "use `caseSensitive: false`"),
];

/// The whole answer.
#[derive(Clone, Debug)]
pub struct Exact {
    value: String,
    fold: bool,
}

impl Exact {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let (value, span) = fields.text("value")?;
        let fold = fields.bool("caseSensitive") == Some(false);
        let value = reading.fill(value, span);
        if text::js_trim(&value).is_empty() {
            reading.never_holds(
                span,
                "`value` is empty: only an empty answer matches".to_owned(),
                "set the whole answer",
            );
        }
        Some(Self { value, fold })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        let (wanted, got) = (text::js_trim(&self.value), text::js_trim(answer.text));
        let passed = if self.fold { caseless(wanted) == caseless(got) } else { wanted == got };
        let mut verdict = verdict(VerdictKind::Exact, passed, if passed { 1.0 } else { 0.0 });
        verdict.expected = quote(wanted);
        if passed {
            "the answer matches the expected text".clone_into(&mut verdict.reason);
            return verdict;
        }
        let same = wanted.chars().zip(got.chars()).take_while(|(a, b)| a == b).count();
        let at = got.char_indices().nth(same).map_or(got.len(), |(i, _)| i);
        verdict.reason = if got.is_empty() {
            "the answer is empty".to_owned()
        } else if caseless(wanted) == caseless(got) {
            "the answer differs only in case".to_owned()
        } else if same == 0 {
            "the answer is a different text".to_owned()
        } else if at == got.len() {
            format!("the answer ends after {}, but more is expected", text::count(same, "character"))
        } else if same == wanted.chars().count() {
            format!("the answer continues after the expected text: \"{}\"", text::excerpt(&got[at..], 60))
        } else {
            format!("the answer differs at character {}", same + 1)
        };
        verdict.got = format!("\"{}\"", text::excerpt_around(got, at..at, SHOWN));
        verdict
    }

    /// The string that a correct answer contains.
    pub(super) fn texts(&self) -> Vec<&str> {
        vec![&self.value]
    }

    /// Where a new version requires less.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let (Self { value: old, fold: folded }, Self { value: new, fold }) = (self, now);
        let text = |text: &str| {
            let text = text::js_trim(text);
            if *folded || *fold { caseless(text) } else { text.to_owned() }
        };
        let mut found = Vec::new();
        if text(old) != text(new) {
            found.push(other_text(old));
        }
        if *fold && !folded {
            let message = "case is now ignored";
            found.push(Weaker::new(WeakeningKind::CaseIgnored, &["caseSensitive"], message));
        }
        found
    }

    /// Whether upper and lower case differ.
    pub(super) fn case_sensitive(&self) -> bool {
        !self.fold
    }

    /// The whole answer that is required.
    pub(super) fn whole(&self) -> &str {
        text::js_trim(&self.value)
    }
}

/// The weakening if the expected text was this one and is another now.
pub(super) fn other_text(was: &str) -> Weaker {
    let message = format!("the expected text was `{}`", text::excerpt(was, 60));
    Weaker::new(WeakeningKind::ValueChanged, &["value"], message)
}
