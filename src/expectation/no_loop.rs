//! `no_loop`: the application does not give nearly the same answer twice, nor make the same call three times.

use std::collections::{BTreeMap, BTreeSet};

use super::Talk;
use super::{Reading, TYPE, quote, verdict};
use crate::canonical;
use crate::manifest::Verdict;
use crate::source::{Field, Fields};
use crate::stats::real;
use crate::text;
use crate::text::said::folded_lower;
use crate::vocabulary::{VerdictKind, Weaker};

pub(super) const FIELDS: &[Field] = &[TYPE];

/// Minimum number of words of an answer that is compared; short answers are often alike.
const WORDS: usize = 8;
/// Words per shingle.
const SHINGLE: usize = 3;
/// Share of common shingles at which two answers count as the same.
const ALIKE: f64 = 0.8;
/// Number of equal calls that count as a loop.
const CALLS: usize = 3;

/// Expects that nothing repeats.
#[derive(Clone, Debug)]
pub struct NoLoop;

impl NoLoop {
    #[expect(clippy::unnecessary_wraps, reason = "every kind has the same signature")]
    pub(super) fn read(_: &Fields<'_>, _: &mut Reading<'_>) -> Option<Self> {
        Some(Self)
    }

    #[expect(clippy::unused_self, reason = "every kind has the same signature")]
    pub(super) fn judge(&self, talk: &Talk<'_>) -> Verdict {
        let kind = VerdictKind::NoLoop;
        let mut before: Vec<(String, BTreeSet<Vec<String>>)> = Vec::new();
        for turn in &talk.turns {
            let words: Vec<String> = folded_lower(turn.answer.text)
                .split(|c: char| !c.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect();
            if words.len() < WORDS {
                continue;
            }
            let own: BTreeSet<Vec<String>> = words.windows(SHINGLE).map(<[String]>::to_vec).collect();
            let same = before.iter().find(|(_, other)| {
                let common = own.intersection(other).count();
                real(common) >= ALIKE * real(own.len() + other.len() - common)
            });
            if let Some((first, _)) = same {
                let reason = format!("{} says nearly the same as {first}", turn.named());
                let found = verdict(kind, false, 0.0).of_turn(turn.number);
                return Verdict { reason, got: quote(turn.answer.text), ..found };
            }
            before.push((turn.named(), own));
        }
        let mut calls: BTreeMap<String, usize> = BTreeMap::new();
        let all =
            talk.turns.iter().flat_map(|turn| turn.answer.tool_calls.iter().map(move |call| (turn, call)));
        for (turn, call) in all {
            let arguments = canonical::bytes(&call.arguments);
            let count =
                calls.entry(format!("{} {}", call.name, String::from_utf8_lossy(&arguments))).or_default();
            *count += 1;
            if *count == CALLS {
                let name = text::excerpt(&call.name, 60);
                let reason = format!("`{name}` was called {CALLS} times with the same arguments");
                let found = verdict(kind, false, 0.0).of_turn(turn.number);
                return Verdict { reason, got: text::excerpt(&call.line(), 160), ..found };
            }
        }
        if let Some(reason) = talk.hollow() {
            return super::hollow(kind, &reason);
        }
        Verdict { reason: "nothing repeats".to_owned(), ..verdict(kind, true, 1.0) }
    }

    #[expect(clippy::unused_self, reason = "every kind has the same signature")]
    pub(super) fn weaker(&self, _: &Self) -> Vec<Weaker> {
        Vec::new()
    }
}
