//! `handoff_kept`: after the handoff to a person, the application stays out of the conversation.

use std::sync::Arc;

use super::Signs;
use crate::expectation::Talk;
use crate::expectation::{Reading, TYPE, errored, quote, verdict};
use crate::manifest::{Fault, Verdict};
use crate::source::{Field, Fields};
use crate::text;
use crate::vocabulary::{EndedBy, ToolCall, VerdictKind, Weaker};

pub(in crate::expectation) const FIELDS: &[Field] = &[TYPE];

/// The application stays out after a handoff.
#[derive(Clone, Debug)]
pub struct HandoffKept {
    signs: Arc<Signs>,
}

impl HandoffKept {
    pub(in crate::expectation) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let Some(signs) = reading.setup.handoff.clone().filter(|signs| signs.shows_done()) else {
            let message = "`handoff_kept` needs `setup.handoff` with `tool` or `state`".to_owned();
            let help =
                "add `setup: { handoff: { tool: transfer_to_human } }`, or `state:` with a JSON pointer";
            reading.refuse("missing-field", fields.span(), message, help);
            return None;
        };
        let ends = |scope: &crate::expectation::Scope| scope.ends.contains(&EndedBy::Handoff);
        if reading.setup.talk.as_ref().is_some_and(ends) {
            let message =
                "the conversation ends with the handoff, so `handoff_kept` has nothing to check".to_owned();
            let help = "remove `handoff` from `ends`, so the customer keeps writing";
            reading.refuse("wrong-value", fields.span(), message, help);
        }
        Some(Self { signs })
    }

    pub(in crate::expectation) fn judge(&self, talk: &Talk<'_>) -> Verdict {
        self.judged(talk).unwrap_or_else(|fault| {
            let reason = fault.message.clone();
            Verdict { fault: Some(Box::new(fault)), ..errored(VerdictKind::HandoffKept, reason) }
        })
    }

    fn judged(&self, talk: &Talk<'_>) -> Result<Verdict, Fault> {
        let kind = VerdictKind::HandoffKept;
        let mut done: Option<String> = None;
        let mut later = 0;
        for turn in &talk.turns {
            let Some(since) = &done else {
                if self.signs.is_done(&turn.answer)? {
                    done = Some(turn.named());
                }
                continue;
            };
            later += 1;
            let fail = |what: String| {
                let reason = format!("{} {what} after the handoff in {since}", turn.named());
                let found = verdict(kind.clone(), false, 0.0).of_turn(turn.number);
                Verdict { reason, got: quote(turn.answer.text), ..found }
            };
            if !turn.answer.tool_calls.is_empty() {
                return Ok(fail(format!("makes {}", ToolCall::summary(turn.answer.tool_calls))));
            }
            for fact in talk.facts {
                let asked = fact.is_asked(turn.answer.text).map_err(|error| {
                    Fault::new(
                        crate::vocabulary::FaultKind::ExpectationError,
                        error.to_string(),
                        "simplify the pattern",
                    )
                })?;
                if asked {
                    return Ok(fail(format!("asks for `{}`", text::excerpt(&fact.name, 60))));
                }
            }
            // An answer that was cut off or filtered is not silence.
            if let Some(why) = turn.answer.incomplete() {
                return Ok(fail(format!("is not silent ({why})")));
            }
            let says_something = turn.answer.text.contains(char::is_alphanumeric);
            if says_something && !self.signs.is_notice(turn.answer.text)? {
                return Ok(fail("answers".to_owned()));
            }
        }
        Ok(match (done, later) {
            (None, _) => {
                Verdict { reason: "there was no handoff to keep".to_owned(), ..verdict(kind, false, 0.0) }
            }
            (Some(since), 0) => {
                let reason = format!(
                    "the conversation ended with the handoff in {since}, so whether it is kept is unknown"
                );
                errored(kind, reason)
            }
            (Some(since), _) => {
                let reason = format!("the application stayed out after the handoff in {since}");
                Verdict { reason, ..verdict(kind, true, 1.0) }
            }
        })
    }

    /// The signs of a handoff are compared with the rest of `setup`.
    #[expect(clippy::unused_self, reason = "every kind has the same signature")]
    pub(in crate::expectation) fn weaker(&self, _: &Self) -> Vec<Weaker> {
        Vec::new()
    }
}
