//! `pii`: the answer has no personal data or credentials of the kinds that redaction can recognize.
//!
//! A verdict names the kind and its place, never the value.

use strum::{IntoEnumIterator as _, VariantNames as _};

use super::{Candidate, Reading, SHOWN, TYPE, errored, hollow, verdict};
use crate::manifest::Verdict;
use crate::redact::{Kind, Redactor, marked};
use crate::source::{Field, Fields, Shape};
use crate::text;
use crate::vocabulary::{VerdictKind, WeakeningKind, Weaker};

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::optional(
        "none",
        Shape::Words(Kind::VARIANTS),
        "Kinds of values that must not appear (all with a check digit or an unmistakable format).",
    ),
];

/// Kinds of values that must not be in the answer.
#[derive(Clone, Debug)]
pub struct Pii {
    none: Vec<Kind>,
}

/// How many values a verdict lists.
const NAMED: usize = 5;

/// Whether a check digit or an unmistakable form identifies values of a kind, so that hardly anything else is mistaken
/// for one.
fn is_certain(kind: Kind) -> bool {
    match kind {
        Kind::Jwt
        | Kind::AwsKey
        | Kind::ApiKey
        | Kind::PrivateKey
        | Kind::Email
        | Kind::Iban
        | Kind::CreditCard
        | Kind::Ssn
        | Kind::NationalId
        | Kind::Ipv6
        | Kind::Mac => true,
        Kind::Secrets | Kind::Phone | Kind::Ipv4 => false,
    }
}

impl Pii {
    #[expect(clippy::unnecessary_wraps, reason = "every kind has the same signature")]
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let named =
            fields.texts("none").map(|all| all.iter().filter_map(|(kind, _)| Kind::named(kind)).collect());
        let none: Vec<_> = named.unwrap_or_else(|| Kind::iter().filter(|kind| is_certain(*kind)).collect());
        if none.is_empty() && !reading.found.has_errors() {
            let span = fields.key_span("none").unwrap_or(fields.span());
            let message = "`none` is empty, so every answer passes".to_owned();
            reading.always_holds(span, message, "add a kind, or remove `none` for the default");
        }
        Some(Self { none })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        if let Some(reason) = answer.hollow() {
            return hollow(VerdictKind::Pii, &reason);
        }
        let redactor = Redactor::new(self.none.iter().copied(), Vec::new());
        let Ok(values) = redactor.values(answer.text) else {
            return errored(VerdictKind::Pii, "the search for values in the answer gave up".to_owned());
        };
        // In a redacted answer, a placeholder says what was there.
        let removed = answer.seen.into_iter().flat_map(|_| marked(answer.text));
        let removed = removed.filter(|(_, kind)| self.none.iter().any(|one| one.name() == *kind));
        let mut found: Vec<_> =
            values.iter().map(|(range, kind)| (range.clone(), *kind)).chain(removed).collect();
        found.sort_by_key(|(range, _)| range.start);
        let mut verdict = verdict(VerdictKind::Pii, found.is_empty(), 0.0);
        let kinds: Vec<_> = self.none.iter().map(|kind| kind.name()).collect();
        verdict.expected = format!("none of {}", text::list(&kinds));
        let Some((first, _)) = found.first() else {
            "found none of these kinds".clone_into(&mut verdict.reason);
            return verdict;
        };
        let place = |at: usize| answer.text[..at].chars().count() + 1;
        let named = found.iter().take(NAMED);
        let mut named: Vec<_> =
            named.map(|(range, kind)| format!("`{kind}` at character {}", place(range.start))).collect();
        if found.len() > NAMED {
            named.push(format!("{} more", found.len() - NAMED));
        }
        verdict.reason = format!("found {}", named.join(", "));
        // The text around it must not show another value either.
        let before = redactor.text(&answer.text[..first.start]);
        let whole = redactor.text(answer.text);
        let at = before.len().min(whole.len());
        verdict.got = format!("\"{}\"", text::excerpt_around(&whole, at..at, SHOWN));
        verdict
    }

    /// Always empty: a correct answer does not contain these values.
    #[expect(clippy::unused_self, reason = "every kind has the same signature")]
    pub(super) fn texts(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Where a new version requires less: kinds that may appear now.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let gone = self.none.iter().filter(|kind| !now.none.contains(kind));
        let message = |kind: &Kind| format!("`{}` is no longer forbidden", kind.name());
        gone.map(|kind| Weaker::new(WeakeningKind::ValueRemoved, &["none"], message(kind))).collect()
    }
}
