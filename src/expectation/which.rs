//! `first_answer`, `last_answer`, `every_answer`, `some_answer` and `answer`: an expectation of these answers of a
//! conversation.

use super::combined::Combined;
use super::{Expectation, Expected, Reading, Seen, TYPE, errored, verdict};
use super::{Heard, Talk};
use crate::grader::Bench;
use crate::manifest::Verdict;
use crate::source::{Field, Fields, Shape};
use crate::text;
use crate::vocabulary::{Outcome, VerdictKind};

const EXPECTED: Field = Field::required("expected", Shape::Part("expected"), "What the answer must be.");

pub(super) const FIELDS: &[Field] = &[TYPE, EXPECTED];

pub(super) const FIELDS_OF_ONE: &[Field] =
    &[TYPE, Field::required("turn", Shape::Name, "The id of the turn."), EXPECTED];

/// Answers of a conversation, and what they must be.
#[derive(Clone, Debug)]
pub struct Which {
    pick: Pick,
    inner: Expectation,
}

/// The answers that it is about.
#[derive(Clone, Debug, PartialEq)]
enum Pick {
    First,
    Last,
    Every,
    Some,
    /// The one to a turn: its id and number.
    One(String, u32),
}

impl Which {
    pub(super) fn read(kind: &VerdictKind, fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let pick = match kind {
            VerdictKind::FirstAnswer => Some(Pick::First),
            VerdictKind::LastAnswer => Some(Pick::Last),
            VerdictKind::EveryAnswer => Some(Pick::Every),
            VerdictKind::SomeAnswer => Some(Pick::Some),
            _ => {
                let (id, span) = fields.text("turn")?;
                let setup = reading.setup;
                let number = setup.talk.as_ref().and_then(|scope| scope.turn(id, span, reading));
                number.map(|number| Pick::One(id.to_owned(), number))
            }
        };
        let setup = reading.setup.of_answers();
        let mut inner = Reading { setup: &setup, found: &mut *reading.found, ..*reading };
        let inner = Expectation::read(fields.node("expected")?, "`expected`", &mut inner)?;
        Some(Self { pick: pick?, inner })
    }

    /// The id of its turn, if that turn did not happen.
    pub(super) fn unsaid(&self, talk: &Talk<'_>) -> Option<&str> {
        match &self.pick {
            Pick::One(id, _) if self.picked(talk).is_empty() => Some(id),
            Pick::One(..) | Pick::First | Pick::Last | Pick::Every | Pick::Some => None,
        }
    }

    /// The same answers with another expectation.
    pub(super) fn with(&self, inner: Expectation) -> Self {
        Self { pick: self.pick.clone(), inner }
    }

    pub(super) fn inner(&self) -> &Expectation {
        &self.inner
    }

    /// Whether both are about the same answers.
    pub(super) fn is_of_same(&self, other: &Self) -> bool {
        self.pick == other.pick
    }

    pub(super) fn kind(&self) -> VerdictKind {
        match self.pick {
            Pick::First => VerdictKind::FirstAnswer,
            Pick::Last => VerdictKind::LastAnswer,
            Pick::Every => VerdictKind::EveryAnswer,
            Pick::Some => VerdictKind::SomeAnswer,
            Pick::One(..) => VerdictKind::Answer,
        }
    }

    fn picked<'t, 'a>(&self, talk: &'t Talk<'a>) -> Vec<&'t Heard<'a>> {
        match &self.pick {
            Pick::First => talk.turns.first().into_iter().collect(),
            Pick::Last => talk.turns.last().into_iter().collect(),
            Pick::Every | Pick::Some => talk.turns.iter().collect(),
            Pick::One(_, number) => talk.turns.iter().filter(|turn| turn.number == *number).collect(),
        }
    }

    pub(super) async fn judge(&self, talk: &Talk<'_>, seen: Option<&Seen>, bench: &Bench<'_>) -> Verdict {
        let picked = self.picked(talk);
        let mut parts = Vec::with_capacity(picked.len());
        for (at, turn) in picked.iter().enumerate() {
            let answer = super::Candidate { seen: seen.map(|seen| seen.part(at)), ..turn.answer };
            let verdict = self.inner.judge(&answer, &bench.until(turn.before)).await;
            let verdict = Verdict { reason: format!("{}: {}", turn.named(), verdict.reason), ..verdict };
            parts.push(verdict.of_turn(turn.number));
        }
        let kind = self.kind();
        if parts.is_empty() {
            // A turn that did not happen has no answer that could pass.
            let reason = match &self.pick {
                Pick::One(id, _) => format!("turn `{}` did not happen", text::excerpt(id, 40)),
                Pick::First | Pick::Last | Pick::Every | Pick::Some => "there is no answer".to_owned(),
            };
            return Verdict { reason, ..verdict(kind, false, 0.0) };
        }
        let joined = Combined::joined(self.pick == Pick::Some, parts);
        let reason = match (joined.outcome, joined.parts.as_slice()) {
            (Outcome::Passed, [only]) => only.reason.clone(),
            (Outcome::Passed, parts) => {
                let met = parts.iter().filter(|part| part.outcome == Outcome::Passed).count();
                format!("{met} of {} passed", text::count(parts.len(), "answer"))
            }
            (_, parts) => {
                let decisive = parts.iter().filter(|part| part.outcome == joined.outcome);
                let reasons: Vec<_> = decisive.map(|part| part.reason.as_str()).collect();
                let more = reasons.len().saturating_sub(3);
                let more = if more > 0 { format!("; and {more} more") } else { String::new() };
                format!("{}{more}", reasons[..reasons.len().min(3)].join("; "))
            }
        };
        let expected = joined.parts.first().map_or_else(String::new, |part| part.expected.clone());
        let got = joined.parts.iter().find(|part| part.outcome == joined.outcome);
        let got = got.map_or_else(String::new, |part| part.got.clone());
        Verdict { kind, reason, expected, got, ..joined }
    }

    pub(super) fn see(&self, talk: &Talk<'_>) -> Seen {
        Seen::of_parts(self.picked(talk).iter().map(|turn| self.inner.see(&turn.answer)).collect())
    }
}

/// The verdict of an expectation of a conversation on a single answer.
pub(super) fn without_talk(kind: VerdictKind) -> Verdict {
    errored(kind, "the expectation is about a conversation, but there is none".to_owned())
}

impl Expectation {
    /// The id of a turn that did not happen although the expectation, or a part of it, is about its answer: a missing
    /// answer must not count as a pass.
    pub(super) fn unsaid(&self, talk: &Talk<'_>) -> Option<&str> {
        match &self.expected {
            Expected::Which(kind) => kind.unsaid(talk),
            Expected::Combined(kind) => kind.parts().iter().find_map(|part| part.unsaid(talk)),
            Expected::Not(kind) => kind.inner().unsaid(talk),
            Expected::Plain(_) | Expected::LlmGrader(_) | Expected::Similarity(_) | Expected::Whole(_) => {
                None
            }
        }
    }
}
