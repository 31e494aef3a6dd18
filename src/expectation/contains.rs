//! `contains`: the answer has all or any of some values, whatever their typography and, unless `caseSensitive` is set,
//! their case.

use std::collections::BTreeSet;

use super::exact::Exact;
use super::reading::trim_lines;
use super::{Candidate, Reading, TYPE, quote, share, verdict};
use crate::manifest::Verdict;
use crate::source::{Diagnostic, Field, Fields, Shape, Span};
use crate::text;
use crate::text::said::{folded, folded_lower};
use crate::vocabulary::{VerdictKind, WeakeningKind, Weaker};

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required("values", Shape::Texts, "Strings to look for."),
    Field::optional(
        "mode",
        Shape::OneOf(&["all", "any"]),
        "`all`: every value must appear. `any`: one is enough. (all)",
    ),
    CASE,
    IGNORE_CASE,
];

pub(super) const CASE: Field = Field::optional("caseSensitive", Shape::Bool, "Whether case matters (false).");

/// The key that other tools have for it.
pub(super) const IGNORE_CASE: Field =
    Field::foreign("ignoreCase", "remove it, or set `caseSensitive: true` if case matters");

/// Values that must be in the answer.
#[derive(Clone, Debug)]
pub struct Contains {
    values: Vec<String>,
    any: bool,
    case_sensitive: bool,
}

impl Contains {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let any = fields.text("mode").is_some_and(|(mode, _)| mode == "any");
        let values = values(fields, reading)?;
        if values.is_empty() {
            let effect = if any { "never passes" } else { "always passes" };
            let span = fields.key_span("values").unwrap_or(fields.span());
            reading.found.push(
                Diagnostic::error(
                    "empty-values",
                    reading.file,
                    span,
                    format!("`values` is empty: this {effect}"),
                )
                .help("add at least one value")
                .warn(),
            );
        }
        Some(Self { values, any, case_sensitive: fields.bool("caseSensitive").unwrap_or_default() })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        let fold = fold(self.case_sensitive);
        let text = fold(answer.text);
        let missing: Vec<_> = self.values.iter().filter(|value| !text.contains(&fold(value))).collect();
        let found = self.values.len() - missing.len();
        let passed = if self.any { found > 0 } else { missing.is_empty() };
        let mut verdict = verdict(VerdictKind::Contains, passed, share(found, self.values.len()));
        let word = if self.any { "any of" } else { "all of" };
        verdict.expected = format!("{word} {}", text::list(&shown(&self.values)));
        verdict.reason = if passed {
            format!("found {found} of {}", text::count(self.values.len(), "value"))
        } else if self.any {
            format!("found none of {}", text::list(&shown(&self.values)))
        } else {
            format!("missing {} of {}: {}", missing.len(), self.values.len(), text::list(&shown(&missing)))
        };
        if !passed {
            verdict.got = quote(answer.text);
        }
        verdict
    }
}

impl Contains {
    /// The strings that a correct answer contains.
    pub(super) fn texts(&self) -> Vec<&str> {
        self.values.iter().map(String::as_str).collect()
    }

    /// Where a new version requires less.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let (Self { values: old, any: was_any, .. }, Self { values: new, any: is_any, .. }) = (self, now);
        let sensitive = (self.case_sensitive, now.case_sensitive);
        let (old, new) = (needles(old, sensitive == (true, true)), needles(new, sensitive == (true, true)));
        // With no values, `all` always passes and `any` never does.
        match (old.is_empty(), new.is_empty()) {
            (false, false) => {}
            (true, _) if !was_any => return Vec::new(),
            (_, true) if *is_any => return Vec::new(),
            _ => return vec![emptied("the required values have changed")],
        }
        let (was, is) = lenient((*was_any, &old), (*is_any, &new));
        // A longer value includes the shorter ones.
        let covered = |value: &String| new.iter().any(|other| other.contains(value.as_str()));
        let found = match (was, is) {
            (false, true) => vec![looser("all values were required; now one is enough")],
            (false, false) => removed(old.iter().filter(|value| !covered(value)), "no longer required"),
            (true, true) => {
                let stronger = |value: &&String| old.iter().any(|other| value.contains(other.as_str()));
                added(new.iter().filter(|value| !stronger(value)), "is enough now")
            }
            (true, false) if old.iter().any(covered) => Vec::new(),
            (true, false) => removed(old.iter(), "no longer one of the alternatives"),
        };
        let ignored = (sensitive == (true, false)).then(|| {
            let message = "case is now ignored";
            Weaker::new(WeakeningKind::CaseIgnored, &["caseSensitive"], message)
        });
        found.into_iter().chain(ignored).collect()
    }

    /// Whether an answer that an `exact` accepts has what is required.
    pub(super) fn is_met_by(&self, exact: &Exact) -> bool {
        if self.case_sensitive && !exact.case_sensitive() {
            return false;
        }
        let (whole, values) =
            (fold(self.case_sensitive)(exact.whole()), needles(&self.values, self.case_sensitive));
        let has = |value: &String| whole.contains(value.as_str());
        if self.any && values.len() != 1 { values.iter().any(has) } else { values.iter().all(has) }
    }
}

/// The weakening if the values are gone, or there were none.
pub(super) fn emptied(message: &str) -> Weaker {
    Weaker::new(WeakeningKind::ValueRemoved, &["values"], message)
}

/// Folded values, each once.
pub(super) fn needles(values: &[String], case_sensitive: bool) -> BTreeSet<String> {
    values.iter().map(|value| fold(case_sensitive)(value)).collect()
}

/// How strings are folded for comparison.
pub(super) fn fold(case_sensitive: bool) -> fn(&str) -> String {
    if case_sensitive { folded } else { folded_lower }
}

/// Whether the mode was lenient before, and whether it is now. While there is only one value, the mode makes no
/// difference.
pub(super) fn lenient(before: (bool, &BTreeSet<String>), now: (bool, &BTreeSet<String>)) -> (bool, bool) {
    let of = |(lenient, values): (bool, &BTreeSet<String>)| lenient && values.len() != 1;
    (of(before) || (before.0 == now.0 && of(now)), of(now))
}

pub(super) fn looser(message: &str) -> Weaker {
    Weaker::new(WeakeningKind::ModeLoosened, &["mode"], message)
}

pub(super) fn removed<'v>(values: impl Iterator<Item = &'v String>, why: &str) -> Vec<Weaker> {
    let message = |value: &String| format!("`{}` is {why}", text::excerpt(value, 60));
    values.map(|value| Weaker::new(WeakeningKind::ValueRemoved, &["values"], message(value))).collect()
}

pub(super) fn added<'v>(values: impl Iterator<Item = &'v String>, why: &str) -> Vec<Weaker> {
    let message = |value: &String| format!("`{}` {why}", text::excerpt(value, 60));
    values.map(|value| Weaker::new(WeakeningKind::ValueAdded, &["values"], message(value))).collect()
}

/// The list under `values`, with variables filled in.
pub(super) fn values(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Vec<String>> {
    let values = fields.texts("values")?.into_iter();
    let filled = values.map(|(text, span)| {
        let value = filled(text, span, reading);
        if folded_lower(&value).is_empty() {
            reading.always_holds(span, "every answer contains the empty string".to_owned(), "set a string");
        }
        value
    });
    let mut filled: Vec<_> = filled.collect();
    // It was collected in place, into the larger buffer of strings with spans.
    filled.shrink_to_fit();
    Some(filled)
}

/// A string to look for, with variables filled in.
pub(super) fn filled(text: &str, span: Span, reading: &mut Reading<'_>) -> String {
    reading.fill_with(reading.needle(text, span), span, |value| trim_lines(value).to_owned())
}

/// Values, shortened for a message.
pub(super) fn shown<S: AsRef<str>>(values: &[S]) -> Vec<String> {
    values.iter().map(|value| text::excerpt(value.as_ref(), 60)).collect()
}
