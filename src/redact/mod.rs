//! Removes personal data and credentials before anything is stored or shown.
//!
//! Every value is replaced by a marker with its kind, such as `[REDACTED:email]`. Existing markers stay, so redacting a
//! text twice gives the same result as redacting it once. The built-in kinds are handwritten scanners: their time is
//! linear in the text, whatever it contains. If a pattern of the user gives up, the whole text is replaced.

#[cfg(test)]
mod corpus;
mod credential;
mod folded;
mod identity;
mod json;
mod mail;
mod network;
mod number;
#[cfg(test)]
mod tests;
mod vendor;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use strum::{EnumIter, EnumString, IntoEnumIterator as _, IntoStaticStr, VariantNames};

use serde::{Deserialize, Serialize};

use folded::Folded;

/// Maximum number of passes over a string; if values are left after that, the whole string is replaced.
const ROUNDS: usize = 8;

/// Shortest fragment of a value, in characters, that is recognized where an excerpt cuts it.
const FRAGMENT: usize = 3;

/// A built-in kind of value, in order of precedence for values at the same place.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, EnumString, IntoStaticStr, VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// JSON Web Tokens.
    Jwt,
    /// Key ids of Amazon Web Services.
    AwsKey,
    /// Keys with a vendor's prefix.
    ApiKey,
    /// Values after `password=`, `token:` and the like; private keys.
    Secrets,
    /// Private keys only.
    PrivateKey,
    /// Email addresses.
    Email,
    /// International Bank Account Numbers.
    Iban,
    /// Numbers of payment cards.
    CreditCard,
    /// Social Security Numbers of the United States.
    Ssn,
    /// National identification numbers.
    NationalId,
    /// Telephone numbers.
    Phone,
    /// IPv4 addresses.
    Ipv4,
    /// IPv6 addresses.
    Ipv6,
    /// MAC addresses.
    Mac,
}

impl Kind {
    /// The name under `patterns:` and in markers.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// The kinds that are removed by default: all except `ipv4`, which versions look like, and those included in
    /// `secrets`.
    pub fn usual() -> impl Iterator<Item = Self> {
        Self::iter().filter(|kind| !matches!(kind, Self::Ipv4 | Self::PrivateKey))
    }

    /// The kinds that a public page never shows: cards, accounts, keys, passwords and email addresses. Numbers that
    /// only look personal by their groups stay.
    pub fn never_posted() -> impl Iterator<Item = Self> {
        use Kind::{ApiKey, AwsKey, CreditCard, Email, Iban, Jwt, Secrets};
        [Jwt, AwsKey, ApiKey, Secrets, Email, Iban, CreditCard].into_iter()
    }

    /// Every value of this kind, as ranges of bytes; they may overlap.
    fn find(self, text: &str) -> Vec<Range<usize>> {
        match self {
            Self::Jwt => credential::jwt(text),
            Self::AwsKey => credential::aws_key(text),
            Self::ApiKey => credential::api_key(text),
            Self::Secrets => credential::secrets(text),
            Self::PrivateKey => credential::private_key(text),
            Self::Email => mail::email(text),
            Self::Iban => number::iban(text),
            Self::CreditCard => number::card(text),
            Self::Ssn => number::ssn(text),
            Self::Phone => number::phone(text),
            Self::NationalId => identity::national(text),
            Self::Ipv4 => network::ipv4(text),
            Self::Ipv6 => network::ipv6(text),
            Self::Mac => network::mac(text),
        }
    }
}

/// A pattern gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaveUp;

/// A pattern of the user.
pub trait Find: fmt::Debug + Send + Sync {
    /// Every match, as ranges of bytes.
    fn all(&self, text: &str) -> Result<Vec<Range<usize>>, GaveUp>;

    /// The pattern as written.
    fn source(&self) -> &str;
}

/// What is removed, and how it is replaced.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    kinds: Vec<Kind>,
    own: Vec<Arc<dyn Find>>,
}

impl Redactor {
    /// Removes values of these kinds and matches of these patterns.
    #[must_use]
    pub fn new(kinds: impl IntoIterator<Item = Kind>, own: Vec<Arc<dyn Find>>) -> Self {
        let mut kinds: Vec<_> = kinds.into_iter().collect();
        kinds.sort_unstable();
        kinds.dedup();
        Self { kinds, own }
    }

    /// A redactor for the usual kinds.
    #[must_use]
    pub fn usual() -> Self {
        Self::new(Kind::usual(), Vec::new())
    }

    /// A redactor that also removes what the other one removes.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let kinds = self.kinds.iter().chain(&other.kinds).copied();
        let own = self.own.iter().chain(&other.own).cloned();
        Self::new(kinds, own.collect())
    }

    /// What is removed, by the names in markers: the kinds, and `custom` for patterns of the user.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let own = (!self.own.is_empty()).then_some("custom");
        self.kinds.iter().map(|kind| kind.name()).chain(own)
    }

    /// What this redactor removes but another one does not: kinds by name, patterns as written.
    pub fn beyond<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a str> {
        let kinds = self.kinds.iter().filter(|kind| !other.kinds.contains(kind)).map(|kind| kind.name());
        let known = |own: &str| other.own.iter().any(|one| one.source() == own);
        kinds.chain(self.own.iter().map(|one| one.source()).filter(move |own| !known(own)))
    }

    /// The text with every value replaced by its marker.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for _ in 0..ROUNDS {
            match self.values(&out) {
                Err(GaveUp) => return marker("text"),
                Ok(values) if values.is_empty() => return out,
                Ok(values) => {
                    let mut next = String::with_capacity(out.len());
                    let mut from = 0;
                    for (range, kind) in values {
                        next.push_str(&out[from..range.start]);
                        next.push_str(&marker(kind));
                        from = range.end;
                    }
                    next.push_str(&out[from..]);
                    out = next;
                }
            }
        }
        match self.values(&out) {
            Ok(values) if values.is_empty() => out,
            _ => marker("text"),
        }
    }

    /// Words about a source, without the source's values: they may quote whole values, or fragments that an excerpt cut
    /// off and that no longer look like values.
    #[must_use]
    pub fn words(&self, words: &str, sources: &[String]) -> String {
        self.quoted(sources).map_or_else(|| marker("text"), |values| self.without(words, &values))
    }

    /// The values in sources that words may quote, each with its marker; `None` if a pattern gave up.
    pub fn quoted<S: AsRef<str>>(&self, sources: &[S]) -> Option<Vec<(String, String)>> {
        let mut all = Vec::new();
        for source in sources.iter().map(AsRef::as_ref) {
            let values = self.values(source).ok()?;
            let value = |(range, kind): (Range<usize>, _)| (source[range].to_owned(), marker(kind));
            all.extend(values.into_iter().map(value).filter(|(value, _)| value.chars().count() >= FRAGMENT));
        }
        Some(all)
    }

    /// Words without their own values and without the values that they quote.
    #[must_use]
    pub fn without(&self, words: &str, quoted: &[(String, String)]) -> String {
        let mut out = words.to_owned();
        for (value, marker) in quoted {
            out = out.replace(value, marker);
            out = without_fragments(&out, value, marker);
        }
        self.text(&out)
    }

    /// Every value with its kind, without overlaps and in order.
    ///
    /// # Errors
    /// If a pattern of the user gives up.
    pub fn values(&self, text: &str) -> Result<Vec<(Range<usize>, &'static str)>, GaveUp> {
        let mut found: Vec<(Range<usize>, &'static str)> = Vec::new();
        let folded = Folded::of(text);
        let plain = folded.as_ref().map_or(text, |folded| &folded.text);
        let place =
            |range: Range<usize>| folded.as_ref().map_or(range.clone(), |folded| folded.place(&range));
        // As written, and as displayed.
        let seen = Folded::rendered(plain);
        for kind in &self.kinds {
            found.extend(kind.find(plain).into_iter().map(|range| (place(range), kind.name())));
            if let Some(seen) = &seen {
                let ranges = kind.find(&seen.text).into_iter().map(|range| seen.place(&range));
                found.extend(ranges.map(|range| (place(range), kind.name())));
            }
        }
        for own in &self.own {
            found.extend(own.all(text)?.into_iter().map(|range| (range, "custom")));
        }
        let markers = markers(text);
        let first = |at: usize| markers.partition_point(|marker| marker.end <= at);
        found.retain(|(range, _)| {
            let marker = markers.get(first(range.start));
            !range.is_empty() && !marker.is_some_and(|m| m.start <= range.start && range.end <= m.end)
        });
        for (range, _) in &mut found {
            // A marker is replaced as a whole or not at all.
            let Range { start, end } = range.clone();
            for m in markers[first(start)..].iter().take_while(|m| m.start < end) {
                *range = range.start.min(m.start)..range.end.max(m.end);
            }
        }
        found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut apart: Vec<(Range<usize>, &'static str)> = Vec::new();
        for (range, kind) in found {
            match apart.last_mut() {
                Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
                _ => apart.push((range, kind)),
            }
        }
        Ok(apart)
    }
}

/// The words without a beginning of the value before an ellipsis, and without an end of the value after one.
fn without_fragments(words: &str, value: &str, marker: &str) -> String {
    let mut parts: Vec<String> = words.split('…').map(str::to_owned).collect();
    let last = parts.len() - 1;
    let cuts: Vec<usize> = value.char_indices().map(|(at, _)| at).collect();
    for (index, part) in parts.iter_mut().enumerate() {
        let begins = cuts.iter().skip(FRAGMENT).rev().find(|cut| part.ends_with(&value[..**cut]));
        if let Some(cut) = begins.filter(|_| index < last) {
            part.replace_range(part.len() - cut.., marker);
        }
        let ends = cuts.iter().skip(1).find(|cut| part.starts_with(&value[**cut..]));
        let ends = ends.filter(|cut| value[**cut..].chars().count() >= FRAGMENT);
        if let Some(cut) = ends.filter(|_| index > 0) {
            part.replace_range(..value.len() - cut, marker);
        }
    }
    parts.join("…")
}

/// The replacement for a value of a kind wherever something is recorded, judged or compared.
fn marker(kind: &str) -> String {
    format!("[REDACTED:{kind}]")
}

/// Every marker with its kind, in order.
pub fn marked(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let kind = |range: &Range<usize>| &text[range.start + "[REDACTED:".len()..range.end - 1];
    markers(text).into_iter().map(move |range| (range.clone(), kind(&range)))
}

/// The places of markers, in order.
fn markers(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("[REDACTED:") {
        let rest = &text[at + 10..];
        let word = rest.find(|c: char| !c.is_ascii_lowercase() && !matches!(c, '_' | '0'..='9'));
        if let Some(end) = word.filter(|end| (1..=20).contains(end) && rest[*end..].starts_with(']')) {
            found.push(at..at + 11 + end);
        }
    }
    found
}

/// A place where a report shows the configured replacement instead of a marker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Replaced {
    /// Its first byte in the text, 0-based.
    pub at: usize,
    /// Its length in bytes.
    pub len: usize,
    /// The marker.
    pub marker: String,
}

impl Replaced {
    /// The text with its markers restored; unchanged if the place does not match.
    #[must_use]
    pub fn undo(all: &[Self], text: &str) -> String {
        let mut out = text.to_owned();
        for one in all.iter().rev() {
            let range = one.at..one.at.saturating_add(one.len);
            if out.get(range.clone()).is_some() {
                out.replace_range(range, &one.marker);
            }
        }
        out
    }
}

/// What is removed from a case.
#[derive(Clone, Debug)]
pub struct Redaction {
    /// What is removed.
    pub redactor: Redactor,
    /// What is covered besides verdicts and errors.
    pub cover: Cover,
    /// Shown in reports in place of markers. A judge never sees it, since its author could otherwise put words into the
    /// application's mouth.
    pub replacement: Option<String>,
}

/// What redaction covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover {
    /// Prompts and answers.
    Both,
    /// Prompts only.
    Prompts,
    /// Answers only.
    Replies,
}

impl Redaction {
    /// This redaction, extended to what another redactor removes, in prompts and answers.
    #[must_use]
    pub fn and(&self, other: &Redactor) -> Self {
        Self { redactor: self.redactor.and(other), cover: Cover::Both, ..self.clone() }
    }

    /// A redacted text as shown in reports.
    #[must_use]
    pub fn shown(&self, text: &str) -> String {
        self.replaced(text).0
    }

    /// Like `shown`, but also returns the places of the replacement.
    #[must_use]
    pub fn replaced(&self, text: &str) -> (String, Vec<Replaced>) {
        let Some(replacement) = &self.replacement else { return (text.to_owned(), Vec::new()) };
        let (mut out, mut from, mut all) = (String::new(), 0, Vec::new());
        for range in markers(text) {
            out.push_str(&text[from..range.start]);
            all.push(Replaced {
                at: out.len(),
                len: replacement.len(),
                marker: text[range.clone()].to_owned(),
            });
            out.push_str(replacement);
            from = range.end;
        }
        out.push_str(&text[from..]);
        (out, all)
    }

    /// The redactor for prompts.
    #[must_use]
    pub fn prompts(&self) -> Option<&Redactor> {
        (self.cover != Cover::Replies).then_some(&self.redactor)
    }

    /// The redactor for answers.
    #[must_use]
    pub fn replies(&self) -> Option<&Redactor> {
        (self.cover != Cover::Prompts).then_some(&self.redactor)
    }
}

/// The redaction setting of a file.
#[derive(Clone, Debug, Default)]
pub enum RedactionChoice {
    /// Not set.
    #[default]
    Unsaid,
    /// Off.
    Off,
    /// On.
    On(Arc<Redaction>),
}

impl RedactionChoice {
    /// This setting, or the other if this one is not set.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        if matches!(self, Self::Unsaid) { other.clone() } else { self.clone() }
    }

    /// What is removed now that was not before, in a sentence.
    #[must_use]
    pub fn widened(&self, now: &Self) -> Option<String> {
        let new = now.on()?;
        let Some(old) = self.on() else {
            return Some(
                "nothing was removed from prompts and answers; now a marker replaces some values".into(),
            );
        };
        if let Some(more) = new.redactor.beyond(&old.redactor).next() {
            return Some(format!("one more kind of value is redacted: `{more}`"));
        }
        let wider = |what: fn(&Redaction) -> Option<&Redactor>| what(new).is_some() && what(old).is_none();
        let texts = [("prompts", wider(Redaction::prompts)), ("answers", wider(Redaction::replies))];
        let (texts, _) = texts.into_iter().find(|(_, is_wider)| *is_wider)?;
        Some(format!("values are now also redacted in {texts}"))
    }

    /// What is removed, if anything is.
    #[must_use]
    pub fn on(&self) -> Option<&Redaction> {
        match self {
            Self::On(redaction) => Some(redaction),
            Self::Unsaid | Self::Off => None,
        }
    }
}
