//! `pii`: no personal data and no credentials stand in the answer, of the kinds that redaction knows.
//!
//! A verdict says which kind stands where, and never the value.

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
        "Kinds of values that must not appear (all that a check digit or their form tells).",
    ),
];

/// Values that must not stand in the answer.
#[derive(Clone, Debug)]
pub struct Pii {
    none: Vec<Kind>,
}

/// Values that a verdict names.
const NAMED: usize = 5;

/// Whether a check digit or a form like no other tells values of a kind, so that hardly anything else is taken for one.
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
    #[expect(clippy::unnecessary_wraps, reason = "every kind is read in the same way")]
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let named =
            fields.texts("none").map(|all| all.iter().filter_map(|(kind, _)| Kind::named(kind)).collect());
        let none: Vec<_> = named.unwrap_or_else(|| Kind::iter().filter(|kind| is_certain(*kind)).collect());
        if none.is_empty() && !reading.found.has_errors() {
            let span = fields.key_span("none").unwrap_or(fields.span());
            let message = "`none` names no kind of value: this always holds".to_owned();
            reading.always_holds(span, message, "name a kind, or remove `none`");
        }
        Some(Self { none })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        if let Some(reason) = answer.hollow() {
            return hollow(VerdictKind::Pii, &reason);
        }
        let redactor = Redactor::new(self.none.iter().copied(), Vec::new());
        let Ok(values) = redactor.values(answer.text) else {
            return errored(VerdictKind::Pii, "the answer could not be looked through".to_owned());
        };
        // In a redacted answer a marker tells what was there.
        let removed = answer.seen.into_iter().flat_map(|_| marked(answer.text));
        let removed = removed.filter(|(_, kind)| self.none.iter().any(|one| one.name() == *kind));
        let mut found: Vec<_> =
            values.iter().map(|(range, kind)| (range.clone(), *kind)).chain(removed).collect();
        found.sort_by_key(|(range, _)| range.start);
        let mut verdict = verdict(VerdictKind::Pii, found.is_empty(), 0.0);
        let kinds: Vec<_> = self.none.iter().map(|kind| kind.name()).collect();
        verdict.expected = format!("none of {}", text::list(&kinds));
        let Some((first, _)) = found.first() else {
            "found none of them".clone_into(&mut verdict.reason);
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
        // What stands around it holds no other value either.
        let before = redactor.text(&answer.text[..first.start]);
        let whole = redactor.text(answer.text);
        let at = before.len().min(whole.len());
        verdict.got = format!("\"{}\"", text::excerpt_around(&whole, at..at, SHOWN));
        verdict
    }

    /// Nothing that must not be said is said by a right answer.
    #[expect(clippy::unused_self, reason = "every kind is asked in the same way")]
    pub(super) fn texts(&self) -> Vec<&str> {
        Vec::new()
    }

    /// In what a new version demands less: kinds that may stand there now.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let gone = self.none.iter().filter(|kind| !now.none.contains(kind));
        let message = |kind: &Kind| format!("`{}` is no longer forbidden", kind.name());
        gone.map(|kind| Weaker::new(WeakeningKind::ValueRemoved, &["none"], message(kind))).collect()
    }
}
