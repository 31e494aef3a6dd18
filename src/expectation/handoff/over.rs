//! `handoff` in a conversation: which answer hands off, and the deadline for it.

use super::{Found, Handoff};
use crate::expectation::{Heard, Talk};
use crate::expectation::{errored, verdict};
use crate::manifest::{Fault, Verdict};
use crate::vocabulary::{Outcome, VerdictKind};

/// The deadline of the handoff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// The id of the turn, if it is given by id.
    pub(super) id: Option<String>,
    /// 1-based number of the last turn.
    pub(super) turn: u32,
}

impl Due {
    /// Whether an answer is past the deadline: `said` counts the customer's messages up to it, `number` is its turn.
    fn is_past(&self, said: u32, number: u32) -> bool {
        match self.id {
            Some(_) => number > self.turn,
            None => said > self.turn,
        }
    }

    /// The last answer that is not past the deadline.
    fn last<'t, 'a>(&self, talk: &'t Talk<'a>) -> Option<&'t Heard<'a>> {
        let in_time = (1..).zip(&talk.turns).filter(|(said, turn)| !self.is_past(*said, turn.number));
        in_time.last().map(|(_, turn)| turn)
    }
}

impl Handoff {
    /// Judges the answers of a conversation.
    pub(in crate::expectation) fn over(&self, talk: &Talk<'_>) -> Verdict {
        let kind = || VerdictKind::Handoff;
        let mut fault: Option<(String, Fault)> = None;
        let mut latest: Option<Verdict> = None;
        let mut phantom: Option<Verdict> = None;
        for (said, turn) in (1..).zip(&talk.turns) {
            let Found { verdict: found, is_phantom } = match self.judged(&turn.answer) {
                Ok(found) => found,
                Err(why) => {
                    fault.get_or_insert((turn.named(), why));
                    continue;
                }
            };
            let reason = format!("{}: {}", turn.named(), found.reason);
            let found = Verdict { reason, ..found }.of_turn(turn.number);
            let passed = found.outcome == Outcome::Passed;
            if passed == self.never {
                // The first phantom handoff is reported; without one, the last answer.
                if is_phantom {
                    phantom.get_or_insert_with(|| found.clone());
                }
                latest = Some(found);
                continue;
            }
            let Some(due) = self.due.as_ref().filter(|due| due.is_past(said, turn.number)) else {
                return Verdict { expected: self.expected(), ..found };
            };
            if fault.is_some() {
                // An errored answer may have made the handoff in time.
                break;
            }
            let due = match due.last(talk) {
                Some(last) => format!("by {}", last.named()),
                None => format!("before {}", turn.named()),
            };
            let reason = format!("the handoff came too late; it was due {due}: {}", found.reason);
            return Verdict {
                reason,
                expected: self.expected(),
                ..verdict(kind(), false, 0.0).of_turn(turn.number)
            };
        }
        if let Some((named, fault)) = fault {
            let reason = format!("{named}: {}", fault.message);
            let fault = Some(Box::new(fault));
            return Verdict { fault, expected: self.expected(), ..errored(kind(), reason) };
        }
        let last = phantom.unwrap_or_else(|| {
            let last = latest.unwrap_or_else(|| verdict(kind(), self.never, 0.0));
            let Some(due) = &self.due else { return last.of_turn(0) };
            // The last answer gives the reason, even if the handoff was due at an earlier answer.
            let mut numbered = (1..).zip(&talk.turns);
            let is_later = numbered.any(|(said, turn)| due.is_past(said, turn.number));
            let in_time = due.last(talk);
            let by = in_time.map_or_else(|| "in time".to_owned(), |turn| format!("by {}", turn.named()));
            let reason = if is_later { format!("no handoff {by}; {}", last.reason) } else { last.reason };
            Verdict { reason, ..last }.of_turn(in_time.map_or(0, |turn| turn.number))
        });
        Verdict { expected: self.expected(), ..last }
    }

    /// Whether there must be no handoff.
    pub(in crate::expectation) fn is_never(&self) -> bool {
        self.never
    }

    /// Whether any answer may hand off.
    pub(in crate::expectation) fn may_come_late(&self) -> bool {
        !self.never && self.due.is_none()
    }

    /// Whether a later handoff than before is enough.
    pub(super) fn is_due_later(&self, now: &Self) -> bool {
        match (&self.due, &now.due) {
            (Some(was), Some(is)) => is.turn > was.turn,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}
