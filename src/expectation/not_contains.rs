//! `not_contains`: values that must not appear, in any case unless `caseSensitive` is set.
//!
//! A gate fails closed: with `all` (the default) and `any` alike, no value may appear. For the lenient meaning, where
//! the answer fails only if all values appear, set `mode: not_all`.

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
    Field::required("values", Shape::Texts, "Strings that must not appear."),
    Field::optional(
        "mode",
        Shape::OneOf(&["all", "any", "not_all"]),
        "`all` and `any`: no value may appear. `not_all`: at least one is missing. (all)",
    ),
    CASE,
    IGNORE_CASE,
];

/// Values that must not be in the answer.
#[derive(Clone, Debug)]
pub struct NotContains {
    values: Vec<String>,
    lenient: bool,
    case_sensitive: bool,
}

impl NotContains {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let mode = fields.text("mode");
        if let Some(("any", span)) = mode
            && fields.texts("values").is_some_and(|values| values.len() > 1)
        {
            let message = "`mode: any` of `not_contains` is strict: no value may appear".to_owned();
            reading.found.push(
                Diagnostic::error("not-contains-any", reading.file, span, message)
                    .help("remove `mode`, or use `mode: not_all` to pass while one value is missing")
                    .warn(),
            );
        }
        let values = values(fields, reading)?;
        let span = fields.key_span("values").unwrap_or(fields.span());
        if values.is_empty() {
            let message = "`values` is empty: only a hollow answer fails".to_owned();
            reading.found.push(
                Diagnostic::error("empty-values", reading.file, span, message)
                    .help("add at least one value")
                    .warn(),
            );
        }
        let lenient = mode.is_some_and(|(mode, _)| mode == "not_all");
        Some(Self { values, lenient, case_sensitive: fields.bool("caseSensitive").unwrap_or_default() })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        if let Some(reason) = answer.hollow() {
            return hollow(VerdictKind::NotContains, &reason);
        }
        let text = folded(answer.text);
        let lower = fold(self.case_sensitive)(answer.text);
        let needles = self.values.iter().map(|value| (value, fold(self.case_sensitive)(value)));
        let present: Vec<_> = needles
            .filter_map(|(value, needle)| lower.find(&needle).map(|at| (value, at..at + needle.len())))
            .collect();
        let missing = self.values.len() - present.len();
        let passed = if self.lenient { missing > 0 || self.values.is_empty() } else { present.is_empty() };
        let mut verdict = verdict(VerdictKind::NotContains, passed, share(missing, self.values.len()));
        let word = if self.lenient { "not all of" } else { "none of" };
        verdict.expected = format!("{word} {}", text::list(&shown(&self.values)));
        let names: Vec<_> = present.iter().map(|(value, _)| value).collect();
        verdict.reason = match (passed, self.lenient) {
            (true, _) => {
                format!("{missing} of {} missing, as required", text::count(self.values.len(), "value"))
            }
            (false, false) => format!("found {}", text::list(&shown(&names))),
            (false, true) => "found all values".to_owned(),
        };
        if let (false, Some((_, range))) = (passed, present.first()) {
            // The range refers to the folded text; if both texts have the same length, it also fits the original.
            let shown = if lower.len() == text.len() { &text } else { &lower };
            verdict.got = format!("\"{}\"", text::excerpt_around(shown, range.clone(), SHOWN));
        }
        verdict
    }

    /// Always empty: a correct answer does not contain these values.
    #[expect(clippy::unused_self, reason = "every kind has the same signature")]
    pub(super) fn texts(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Where a new version requires less.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let (Self { values: old, lenient: was, .. }, Self { values: new, lenient: is, .. }) = (self, now);
        let sensitive = (self.case_sensitive, now.case_sensitive);
        let (old, new) = (needles(old, sensitive == (true, true)), needles(new, sensitive == (true, true)));
        if new.is_empty() && !old.is_empty() {
            return vec![emptied("nothing is forbidden now")];
        }
        let (was, is) = lenient((*was, &old), (*is, &new));
        // A shorter value also forbids the longer ones that include it.
        let covered = |value: &String| new.iter().any(|other| value.contains(other.as_str()));
        let found = match (was, is) {
            (false, true) => vec![looser("any value failed; now only all of them together")],
            (false, false) => removed(old.iter().filter(|value| !covered(value)), "no longer forbidden"),
            (true, true) => {
                let more = new.iter().filter(|value| !old.contains(*value));
                added(more, "must now appear as well for the answer to fail")
            }
            (true, false) if old.iter().any(covered) => Vec::new(),
            (true, false) => removed(old.iter(), "no longer forbidden"),
        };
        let narrowed = (sensitive == (false, true)).then(|| {
            let message = "case was ignored; now only the exact spelling is forbidden";
            Weaker::new(WeakeningKind::ModeLoosened, &["caseSensitive"], message)
        });
        found.into_iter().chain(narrowed).collect()
    }
}
