//! `regex`: a JavaScript regex matches somewhere in the answer.

use super::pattern::{Groups, Pattern, RegexText};
use super::reading::{Inside, trim_lines};
use super::{Candidate, Reading, TYPE, errored, quote, unpassable, verdict};
use crate::manifest::Verdict;
use crate::source::{Field, Fields, Shape};
use crate::text;
use crate::vocabulary::{VerdictKind, WeakeningKind, Weaker};

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required("pattern", Shape::Text, "A JavaScript regex, without slashes."),
    Field::optional("flags", Shape::Text, "Any of `i`, `m`, `s`, `u`, `g`, `y`."),
];

/// A pattern.
#[derive(Clone, Debug)]
pub struct Regex {
    pattern: Pattern,
    /// Its named groups, if any: a later turn can use what they match.
    groups: Option<Box<Groups>>,
    shown: String,
}

impl Regex {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let (written, span) = fields.text("pattern")?;
        let (flags, flags_span) = fields.text("flags").unwrap_or(("", span));
        let written = reading.needle(written, span);
        let source = reading.fill_with(written, span, |value| escape(trim_lines(value)));
        match reading.patterns.compile(&source, flags) {
            Ok(pattern) => {
                if Pattern::looks_delimited(written) {
                    reading.warn_inside(
                        "delimited-pattern",
                        Inside { text: written, span, offset: 0 },
                        "the slashes are part of the pattern".to_owned(),
                        "remove the slashes, and move the letters after them to `flags:`".to_owned(),
                    );
                }
                if always_matches(&pattern) {
                    let message = "this pattern matches every answer".to_owned();
                    reading.always_holds(
                        span,
                        message,
                        "match text that must be there; use `^…$` to match the whole answer",
                    );
                }
                let slash = if flags.is_empty() { String::new() } else { format!(" (flags {flags})") };
                let shown = format!("`{}`{slash}", text::excerpt(&source, 100));
                let groups = Groups::of(&source, flags).map(Box::new);
                Some(Self { pattern, groups, shown })
            }
            Err(error) => {
                let (text, span) = match error.part {
                    RegexText::Pattern => (written, span),
                    RegexText::Flags => (flags, flags_span),
                };
                let at = Inside { text, span, offset: error.offset };
                reading.inside(
                    "invalid-regex",
                    at,
                    format!("invalid pattern: {}", error.message),
                    error.help,
                );
                None
            }
        }
    }

    /// Its named groups.
    pub(super) fn groups(&self) -> Option<&Groups> {
        self.groups.as_deref()
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        // A pattern that matches the empty string does not show that there is an answer.
        let negative = || self.pattern.negative() || matches!(self.pattern.find(""), Ok(Some(_)));
        if let Some(verdict) = unpassable(VerdictKind::Regex, answer, negative) {
            return verdict;
        }
        let found = match self.pattern.find(answer.text) {
            Ok(found) => found,
            Err(error) => return errored(VerdictKind::Regex, format!("pattern {}: {error}", self.shown)),
        };
        let mut verdict =
            verdict(VerdictKind::Regex, found.is_some(), if found.is_some() { 1.0 } else { 0.0 });
        verdict.expected = format!("a match of {}", self.shown);
        if let Some(range) = found {
            verdict.reason = format!("matched \"{}\"", text::excerpt(&answer.text[range], 80));
        } else {
            verdict.reason = format!("no match of {} in the answer", self.shown);
            verdict.got = quote(answer.text);
        }
        verdict
    }

    /// The string that a correct answer contains, if the pattern is a plain string.
    pub(super) fn texts(&self) -> Vec<&str> {
        let source = self.pattern.source();
        if escape(source) == source { vec![source] } else { Vec::new() }
    }

    /// Where a new version requires less: any other pattern, because what it matches cannot be compared.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let (Self { pattern: old, groups: _, shown: was }, Self { pattern: new, groups: _, shown: _ }) =
            (self, now);
        if old == new {
            return Vec::new();
        }
        let key = if old.source() == new.source() { "flags" } else { "pattern" };
        vec![Weaker::new(WeakeningKind::PatternChanged, &[key], format!("the pattern was {was}"))]
    }
}

/// Whether a pattern matches every string. It must match the empty one and have no negative lookaround. If it depends on
/// what is around the match, it must also match each ASCII character by itself, and all characters of the BMP in a row.
fn always_matches(pattern: &Pattern) -> bool {
    let matches = |text: &str| matches!(pattern.find(text), Ok(Some(_)));
    let source = pattern.source().replace("(?:", "(");
    let has = |signs: &[&str]| signs.iter().any(|sign| source.contains(sign));
    if !matches("") || has(&["(?!", "(?<!"]) {
        return false;
    }
    !has(&["^", "$", "(?", "\\b", "\\B"])
        || ('\0'..='\u{7f}').all(|c| matches(c.encode_utf8(&mut [0; 4])))
            && matches(&('\0'..='\u{ffff}').collect::<String>())
}

/// A variable's value as a pattern that matches itself.
fn escape(value: &str) -> String {
    let mut out = String::new();
    for c in value.chars() {
        if r"\^$.|?*+()[]{}/".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
