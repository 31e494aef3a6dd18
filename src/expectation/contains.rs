//! `contains`: all or any of some values stand in the answer, whatever their case and the characters they are set in.

use std::collections::BTreeSet;

use super::reading::trim_lines;
use super::{Candidate, Reading, TYPE, quote, share, verdict};
use crate::manifest::Verdict;
use crate::source::{Diagnostic, Field, Fields, Shape};
use crate::text;
use crate::text::said::folded_lower;
use crate::vocabulary::{VerdictKind, WeakeningKind, Weaker};

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required("values", Shape::Texts, "Texts to look for; upper and lower case are the same."),
    Field::optional("mode", Shape::OneOf(&["all", "any"]), "Whether all values are needed or any one (all)."),
    Field::foreign("ignoreCase", "remove it: upper and lower case are always the same here"),
];

/// Values that must stand in the answer.
#[derive(Clone, Debug)]
pub struct Contains {
    values: Vec<String>,
    any: bool,
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
        Some(Self { values, any })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        let text = folded_lower(answer.text);
        let missing: Vec<_> =
            self.values.iter().filter(|value| !text.contains(&folded_lower(value))).collect();
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
        let (Self { values: old, any: was_any }, Self { values: new, any: is_any }) = (self, now);
        let (old, new) = (needles(old), needles(new));
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
        match (was, is) {
            (false, true) => vec![looser("all values were needed, now one is enough")],
            (false, false) => removed(old.iter().filter(|value| !covered(value)), "no longer needed"),
            (true, true) => {
                let stronger = |value: &&String| old.iter().any(|other| value.contains(other.as_str()));
                added(new.iter().filter(|value| !stronger(value)), "is enough now")
            }
            (true, false) if old.iter().any(covered) => Vec::new(),
            (true, false) => removed(old.iter(), "no longer one of those of which one is needed"),
        }
    }

    /// Whether whoever says this text as a whole says what is demanded.
    pub(super) fn is_met_by(&self, whole: &str) -> bool {
        let (whole, values) = (folded_lower(whole), needles(&self.values));
        let holds = |value: &String| whole.contains(value.as_str());
        if self.any && values.len() != 1 { values.iter().any(holds) } else { values.iter().all(holds) }
    }
}

/// There are no values any more, or were none.
pub(super) fn emptied(message: &str) -> Weaker {
    Weaker::new(WeakeningKind::ValueRemoved, &["values"], message)
}

/// Values as they are looked for, each once.
pub(super) fn needles(values: &[String]) -> BTreeSet<String> {
    values.iter().map(|value| folded_lower(value)).collect()
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
    let whole = |value: &str| trim_lines(value).to_owned();
    let filled = values.map(|(text, span)| {
        let value = reading.fill_with(reading.needle(text, span), span, whole);
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

/// Values cut for a message.
pub(super) fn shown<S: AsRef<str>>(values: &[S]) -> Vec<String> {
    values.iter().map(|value| text::excerpt(value.as_ref(), 60)).collect()
}
