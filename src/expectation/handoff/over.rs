//! `handoff` of a conversation: in which answer it is done, and by when it must be.

use super::{Handoff, Stage};
use crate::expectation::talk::Talk;
use crate::expectation::{errored, verdict};
use crate::manifest::{Fault, Place, Verdict};
use crate::vocabulary::VerdictKind;

/// By when a handoff must have come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// The id of the turn, where that is named.
    pub(super) id: Option<String>,
    /// 1-based number of the last turn.
    pub(super) turn: u32,
}

impl Due {
    fn shown(&self) -> String {
        format!("answer {}", Place::words(self.turn, self.id.as_deref()))
    }
}

impl Handoff {
    /// Holds the answers of a conversation against it.
    pub(in crate::expectation) fn over(&self, talk: &Talk<'_>) -> Verdict {
        let kind = || VerdictKind::Handoff;
        let mut fault: Option<(String, Fault)> = None;
        let mut telling: Option<Verdict> = None;
        for turn in &talk.turns {
            let found = match self.judged(&turn.answer) {
                Ok(found) => Verdict { reason: format!("{}: {}", turn.named(), found.reason), ..found }
                    .of_turn(turn.number),
                Err(why) => {
                    fault.get_or_insert((turn.named(), why));
                    continue;
                }
            };
            let passed = found.outcome == crate::vocabulary::Outcome::Passed;
            if passed == self.never {
                // The first that hands over wins, and the last that must not loses.
                telling = Some(found);
                continue;
            }
            if self.never {
                return Verdict { expected: self.expected(), ..found };
            }
            let late = self.due.as_ref().filter(|due| turn.number > due.turn);
            let found = match late {
                None => found,
                Some(due) => Verdict {
                    reason: format!(
                        "the handoff came too late, it was due by {}: {}",
                        due.shown(),
                        found.reason
                    ),
                    ..verdict(kind(), false, 0.0).of_turn(turn.number)
                },
            };
            return Verdict { expected: self.expected(), ..found };
        }
        if let Some((named, fault)) = fault {
            let reason = format!("{named}: {}", fault.message);
            let fault = Some(Box::new(fault));
            return Verdict { fault, expected: self.expected(), ..errored(kind(), reason) };
        }
        let phantom = talk.turns.iter().find_map(|turn| {
            let found = self.judged(&turn.answer).ok()?;
            let told = || (turn.number, format!("{}: {}", turn.named(), found.reason));
            found.reason.starts_with("phantom").then(told)
        });
        let last = telling.unwrap_or_else(|| verdict(kind(), self.never, 0.0));
        let (number, reason) = phantom.filter(|_| !self.never).unwrap_or_else(|| match &self.due {
            // The last answer says why, and an earlier one is where it was due.
            Some(due) if talk.turns.iter().any(|turn| turn.number > due.turn) => {
                (due.turn, format!("none by {}; {}", due.shown(), last.reason))
            }
            Some(due) => (due.turn, last.reason.clone()),
            None => (0, last.reason.clone()),
        });
        Verdict { reason, expected: self.expected(), ..last }.of_turn(number)
    }

    /// Whether one later than before is enough.
    pub(super) fn is_due_later(&self, now: &Self) -> bool {
        match (&self.due, &now.due) {
            (Some(was), Some(is)) => is.turn > was.turn,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}

impl Stage {
    /// Whether the customer is with a person now.
    pub(super) fn is_done(self) -> bool {
        match self {
            Self::Done => true,
            Self::None | Self::Offered | Self::Claimed => false,
        }
    }
}
