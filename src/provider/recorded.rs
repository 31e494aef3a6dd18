//! A conversation in a file of replies, turn by turn.

use serde_json::Value as Json;

use super::end;
use super::message::{self, MessageError};
use crate::vocabulary::Answer;

/// A turn of a recorded conversation.
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// What the customer said.
    pub asked: String,
    /// What was answered: the words and calls of all messages up to the customer's next one.
    pub answer: Answer,
}

/// The turns of messages that end with an answer; of the last one this is known besides its words.
///
/// Instructions before the first turn are passed over. What stands where nobody asked anything is an error: no
/// expectation would see it.
pub(super) fn turns(messages: &Json, last: &Answer) -> Result<Box<[Exchanged]>, MessageError> {
    let list = messages.as_array().map_or(&[][..], Vec::as_slice);
    let mut turns: Vec<(String, Option<Answer>)> = Vec::new();
    for (number, one) in (1..).zip(list) {
        let role = one.get("role").and_then(Json::as_str).unwrap_or_default();
        let said = || message::said(one).map_err(|unread| MessageError::UnreadTurn(number, unread));
        match (role, turns.last_mut()) {
            ("system" | "developer", _) => {}
            ("user", Some((_, None))) => return Err(MessageError::Unanswered(number - 1)),
            ("user", _) => turns.push((said()?.text, None)),
            (_, None) => return Err(MessageError::NothingAsked(number, role.to_owned())),
            ("assistant", Some((_, answer))) => {
                let said = said()?;
                let word = end::of_message(one, None);
                let own = Answer {
                    text: said.text,
                    tool_calls: said.tool_calls,
                    state: one.get("state").cloned(),
                    finish_reason: if said.refused { Some("refusal".to_owned()) } else { word },
                    given: true,
                    dated: last.dated,
                    model: last.model.clone(),
                    ..Answer::default()
                };
                *answer = Some(match answer.take() {
                    Some(earlier) => earlier.and_then(own),
                    None => own,
                });
            }
            // What functions returned is no answer.
            (_, Some(_)) => {}
        }
    }
    let count = turns.len();
    let of = |(at, (asked, answer)): (usize, (String, Option<Answer>))| {
        let answer = answer.ok_or(MessageError::Unanswered(at + 1))?;
        // What the line says beside its messages is about the last answer.
        let answer = if at + 1 < count {
            answer
        } else {
            Answer {
                text: answer.text,
                tool_calls: answer.tool_calls,
                state: last.state.clone().or(answer.state),
                finish_reason: last.finish_reason.clone().or(answer.finish_reason),
                ..last.clone()
            }
        };
        Ok(Exchanged { asked, answer })
    };
    turns.into_iter().enumerate().map(of).collect()
}
