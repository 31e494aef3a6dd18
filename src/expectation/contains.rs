//! `contains`: all or any of some values stand in the answer, whatever the characters they are set in and, unless it is
//! asked for, their case.

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
    Field::required("values", Shape::Texts, "Texts to look for."),
    Field::optional("mode", Shape::OneOf(&["all", "any"]), "Whether all values are needed or any one (all)."),
    CASE,
    IGNORE_CASE,
];

/// The key that says whether upper and lower case differ.
pub(super) const CASE: Field =
    Field::optional("caseSensitive", Shape::Bool, "Whether upper and lower case differ (false).");

/// What others write for it.
pub(super) const IGNORE_CASE: Field = Field::foreign(
    "ignoreCase",
    "remove it, or write `caseSensitive: true` where upper and lower case differ",
);

/// Values that must stand in the answer.
#[derive(Clone, Debug)]
pub struct Contains {
    values: Vec<String>,
    any: bool,
    minds_case: bool,
}

impl Contains {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let any = fields.text("mode").is_some_and(|(mode, _)| mode == "any");
        let values = values(fields, reading)?;
        if values.is_empty() {
            let effect = if any { "can never hold" } else { "always holds" };
            let span = fields.key_span("values").unwrap_or(fields.span());
            reading.found.push(
                Diagnostic::error(
                    "empty-values",
                    reading.file,
                    span,
                    format!("`values` is empty: it {effect}"),
                )
                .help("name at least one value")
                .warn(),
            );
        }
        Some(Self { values, any, minds_case: fields.bool("caseSensitive").unwrap_or_default() })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        let fold = fold(self.minds_case);
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
    /// The texts that a right answer says.
    pub(super) fn texts(&self) -> Vec<&str> {
        self.values.iter().map(String::as_str).collect()
    }

    /// In what a new version demands less.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let (Self { values: old, any: was_any, .. }, Self { values: new, any: is_any, .. }) = (self, now);
        let minds = (self.minds_case, now.minds_case);
        let (old, new) = (needles(old, minds == (true, true)), needles(new, minds == (true, true)));
        // Of no values, all are there, and not one.
        match (old.is_empty(), new.is_empty()) {
            (false, false) => {}
            (true, _) if !was_any => return Vec::new(),
            (_, true) if *is_any => return Vec::new(),
            _ => return vec![emptied("what must be there is another thing than before")],
        }
        let (was, is) = lenient((*was_any, &old), (*is_any, &new));
        // A longer text holds the shorter ones in it.
        let covered = |value: &String| new.iter().any(|other| other.contains(value.as_str()));
        let found = match (was, is) {
            (false, true) => vec![looser("all values were needed, now one is enough")],
            (false, false) => removed(old.iter().filter(|value| !covered(value)), "no longer needed"),
            (true, true) => {
                let stronger = |value: &&String| old.iter().any(|other| value.contains(other.as_str()));
                added(new.iter().filter(|value| !stronger(value)), "is enough now")
            }
            (true, false) if old.iter().any(covered) => Vec::new(),
            (true, false) => removed(old.iter(), "no longer one of those of which one is needed"),
        };
        let ignored = (minds == (true, false)).then(|| {
            let message = "upper and lower case no longer differ";
            Weaker::new(WeakeningKind::CaseIgnored, &["caseSensitive"], message)
        });
        found.into_iter().chain(ignored).collect()
    }

    /// Whether whoever says another text as a whole says what is demanded.
    pub(super) fn is_met_by(&self, exact: &Exact) -> bool {
        if self.minds_case && !exact.minds_case() {
            return false;
        }
        let (whole, values) = (fold(self.minds_case)(exact.whole()), needles(&self.values, self.minds_case));
        let holds = |value: &String| whole.contains(value.as_str());
        if self.any && values.len() != 1 { values.iter().any(holds) } else { values.iter().all(holds) }
    }
}

/// There are no values any more, or were none.
pub(super) fn emptied(message: &str) -> Weaker {
    Weaker::new(WeakeningKind::ValueRemoved, &["values"], message)
}

/// Values as they are looked for, each once.
pub(super) fn needles(values: &[String], minds_case: bool) -> BTreeSet<String> {
    values.iter().map(|value| fold(minds_case)(value)).collect()
}

/// How texts are made comparable.
pub(super) fn fold(minds_case: bool) -> fn(&str) -> String {
    if minds_case { folded } else { folded_lower }
}

/// Whether the lenient mode held before and holds now. Of one value it makes no difference until there are more.
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

/// The list under `values`, with variables filled.
pub(super) fn values(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Vec<String>> {
    let values = fields.texts("values")?.into_iter();
    let filled = values.map(|(text, span)| {
        let value = filled(text, span, reading);
        if folded_lower(&value).is_empty() {
            reading.always_holds(span, "an empty text is in every answer".to_owned(), "name a text");
        }
        value
    });
    let mut filled: Vec<_> = filled.collect();
    // It was collected into the room of the texts with their places.
    filled.shrink_to_fit();
    Some(filled)
}

/// A text that is looked for, with variables filled.
pub(super) fn filled(text: &str, span: Span, reading: &mut Reading<'_>) -> String {
    reading.fill_with(reading.needle(text, span), span, |value| trim_lines(value).to_owned())
}

/// Values cut for a message.
pub(super) fn shown<S: AsRef<str>>(values: &[S]) -> Vec<String> {
    values.iter().map(|value| text::excerpt(value.as_ref(), 60)).collect()
}
