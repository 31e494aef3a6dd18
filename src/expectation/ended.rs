//! `ended`: the conversation ended in one of the listed ways.

use super::Talk;
use super::{Reading, TYPE, verdict};
use crate::manifest::Verdict;
use crate::source::{Field, Fields, Shape};
use crate::text;
use crate::vocabulary::{EndedBy, VerdictKind, WeakeningKind, Weaker};

const WAYS: &[&str] = &["turns", "handoff", "expectation", "max_turns", "otherwise"];

pub(super) const FIELDS: &[Field] =
    &[TYPE, Field::required("by", Shape::Words(WAYS), "How the conversation may end.")];

/// How a conversation may end.
#[derive(Clone, Debug)]
pub struct Ended {
    by: Vec<EndedBy>,
}

impl Ended {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let words = fields.texts("by")?;
        let span = fields.key_span("by").unwrap_or(fields.span());
        let ends = reading.setup.talk.as_ref().map(|scope| scope.ends.clone()).unwrap_or_default();
        let by: Vec<EndedBy> = words.iter().map(|(word, _)| EndedBy::of(word)).collect();
        for ((word, span), end) in words.iter().zip(&by) {
            if !ends.contains(end) {
                let known: Vec<&str> = ends.iter().map(EndedBy::word).collect();
                let message = format!("this conversation cannot end by `{word}`");
                reading.refuse("wrong-value", *span, message, format!("use one of {}", text::list(&known)));
            }
        }
        if by.is_empty() {
            reading.refuse(
                "wrong-value",
                span,
                "`by` is empty".to_owned(),
                "add how the conversation may end",
            );
        } else if ends.iter().all(|end| by.contains(end)) {
            let message =
                "`by` lists every way that this conversation can end, so it always passes".to_owned();
            reading.always_holds(span, message, "keep only the acceptable ones");
        }
        Some(Self { by })
    }

    pub(super) fn judge(&self, talk: &Talk<'_>) -> Verdict {
        let passed = self.by.contains(&talk.ended);
        let names: Vec<&str> = self.by.iter().map(EndedBy::word).collect();
        let turns = talk.turns.last().map_or(0, |turn| turn.number);
        let reason = format!("the conversation ended by `{}` after turn {turns}", talk.ended);
        Verdict { reason, expected: names.join(", "), ..verdict(VerdictKind::Ended, passed, 0.0) }
    }

    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        let added = now.by.iter().filter(|end| !self.by.contains(end));
        let weaker = |end: &EndedBy| {
            Weaker::new(WeakeningKind::ValueAdded, &["by"], format!("it may now end by `{end}`"))
        };
        added.map(weaker).collect()
    }
}
