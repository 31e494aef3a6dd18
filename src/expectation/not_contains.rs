//! `not_contains`: values that must not appear, whatever their case unless that is asked for.
//!
//! A gate fails closed: under `all` (the default) and `any` alike no value may appear. The lenient
//! reading, in which only all of them together fail, must be asked for by `mode: not_all`.

use super::contains::{
    CASE, IGNORE_CASE, added, emptied, fold, lenient, looser, needles, removed, shown, values,
};
use super::{Candidate, Reading, SHOWN, TYPE, hollow, share, verdict};
use crate::manifest::Verdict;
use crate::source::{Diagnostic, Field, Fields, Shape};
use crate::text;
use crate::text::said::folded;
use crate::vocabulary::{VerdictKind, WeakeningKind, Weaker};

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required("values", Shape::Texts, "Texts that must not appear."),
    Field::optional(
        "mode",
        Shape::OneOf(&["all", "any", "not_all"]),
        "`all` and `any`: no value may appear. `not_all`: at least one is absent. (all)",
    ),
    CASE,
    IGNORE_CASE,
];

/// Values that must not stand in the answer.
#[derive(Clone, Debug)]
pub struct NotContains {
    values: Vec<String>,
    lenient: bool,
    minds_case: bool,
}

impl NotContains {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let mode = fields.text("mode");
        if let Some(("any", span)) = mode
            && fields.texts("values").is_some_and(|values| values.len() > 1)
        {
            let message = "`mode: any` of `not_contains` is read strictly: no value may appear".to_owned();
            reading.found.push(
                Diagnostic::error("not-contains-any", reading.file, span, message)
                    .help("remove `mode` if that is meant; `mode: not_all` passes while one value is absent")
                    .warn(),
            );
        }
        let values = values(fields, reading)?;
        let span = fields.key_span("values").unwrap_or(fields.span());
        if values.is_empty() {
            let message = "`values` is empty: only an empty answer fails".to_owned();
            reading.found.push(
                Diagnostic::error("empty-values", reading.file, span, message)
                    .help("name at least one value")
                    .warn(),
            );
        }
        let lenient = mode.is_some_and(|(mode, _)| mode == "not_all");
        Some(Self { values, lenient, minds_case: fields.bool("caseSensitive").unwrap_or_default() })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        if let Some(reason) = answer.hollow() {
            return hollow(VerdictKind::NotContains, &reason);
        }
        let text = folded(answer.text);
        let lower = fold(self.minds_case)(answer.text);
        let needles = self.values.iter().map(|value| (value, fold(self.minds_case)(value)));
        let present: Vec<_> = needles
            .filter_map(|(value, needle)| lower.find(&needle).map(|at| (value, at..at + needle.len())))
            .collect();
        let absent = self.values.len() - present.len();
        let passed = if self.lenient { absent > 0 || self.values.is_empty() } else { present.is_empty() };
        let mut verdict = verdict(VerdictKind::NotContains, passed, share(absent, self.values.len()));
        let word = if self.lenient { "not all of" } else { "none of" };
        verdict.expected = format!("{word} {}", text::list(&shown(&self.values)));
        let names: Vec<_> = present.iter().map(|(value, _)| value).collect();
        verdict.reason = match (passed, self.lenient) {
            (true, _) => format!("{absent} of {} absent", text::count(self.values.len(), "value")),
            (false, false) => format!("found {}", text::list(&shown(&names))),
            (false, true) => "found all of the values".to_owned(),
        };
        if let (false, Some((_, range))) = (passed, present.first()) {
            // The range is one of the text in lower case; where lengths are equal it is that of the other, too.
            let shown = if lower.len() == text.len() { &text } else { &lower };
            verdict.got = format!("\"{}\"", text::excerpt_around(shown, range.clone(), SHOWN));
        }
        verdict
    }

    /// Nothing that must not be said is said by a right answer.
    #[expect(clippy::unused_self, reason = "every kind is asked in the same way")]
    pub(super) fn texts(&self) -> Vec<&str> {
        Vec::new()
    }

    /// In what a new version demands less.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let (Self { values: old, lenient: was, .. }, Self { values: new, lenient: is, .. }) = (self, now);
        let minds = (self.minds_case, now.minds_case);
        let (old, new) = (needles(old, minds == (true, true)), needles(new, minds == (true, true)));
        if new.is_empty() && !old.is_empty() {
            return vec![emptied("nothing is forbidden any more")];
        }
        let (was, is) = lenient((*was, &old), (*is, &new));
        // A shorter text forbids the longer ones that hold it.
        let covered = |value: &String| new.iter().any(|other| value.contains(other.as_str()));
        let found = match (was, is) {
            (false, true) => vec![looser("no value was allowed, now only all together fail")],
            (false, false) => removed(old.iter().filter(|value| !covered(value)), "no longer forbidden"),
            (true, true) => {
                let more = new.iter().filter(|value| !old.contains(*value));
                added(more, "must be there as well to fail")
            }
            (true, false) if old.iter().any(covered) => Vec::new(),
            (true, false) => removed(old.iter(), "no longer forbidden"),
        };
        let narrowed = (minds == (false, true)).then(|| {
            let message = "a value was forbidden in any case, now only as it is written";
            Weaker::new(WeakeningKind::ModeLoosened, &["caseSensitive"], message)
        });
        found.into_iter().chain(narrowed).collect()
    }
}
