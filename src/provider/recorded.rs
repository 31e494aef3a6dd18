//! A recorded conversation, turn by turn.

use serde_json::Value as Json;

use super::end;
use super::message::{self, MessageError};
use super::{Message, Role};
use crate::vocabulary::Answer;

/// A turn of a recorded conversation.
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// What the customer said.
    pub asked: String,
    /// The answer: text and calls of all messages up to the customer's next one.
    pub answer: Answer,
    /// These messages, with the results of functions between them.
    pub said: Vec<Message>,
}

impl Exchanged {
    /// A turn with a single answer.
    #[must_use]
    pub fn of(asked: String, answer: Answer) -> Self {
        let tool_calls = answer.tool_calls.clone();
        let said = vec![Message { tool_calls, ..Message::new(Role::Assistant, &*answer.text) }];
        Self { asked, answer, said }
    }
}

/// The turns of messages that end with an answer; `last` has the other facts about that answer.
///
/// Instructions are ignored. A message before the first question is an error, because no expectation would see
/// it.
pub(super) fn turns(messages: &Json, last: &Answer) -> Result<Box<[Exchanged]>, MessageError> {
    let all = messages.as_array().map_or(&[][..], Vec::as_slice);
    let mut turns: Vec<(String, Option<Answer>, Vec<Message>)> = Vec::new();
    for (number, one) in (1..).zip(all) {
        let role = one.get("role").and_then(Json::as_str).unwrap_or_default();
        let said = || message::said(one).map_err(|unread| MessageError::of(number, unread));
        match (role, turns.last_mut()) {
            ("system" | "developer", _) => {}
            ("user", Some((_, None, _))) => return Err(MessageError::Unanswered(number - 1)),
            ("user", _) => turns.push((said()?.text, None, Vec::new())),
            (_, None) => return Err(MessageError::NothingAsked(number, role.to_owned())),
            ("assistant", Some((_, answer, heard))) => {
                let said = said()?;
                let word = end::of_messages(std::iter::once(one), None);
                let tool_calls = said.tool_calls.clone();
                heard.push(Message { tool_calls, ..Message::new(Role::Assistant, &*said.text) });
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
            // A function's result is not an answer. A judge may see it; an unreadable one is shown as is.
            (_, Some((.., heard))) => {
                let content = message::said(one).map_or_else(
                    |_| one.get("content").map(Json::to_string).unwrap_or_default(),
                    |said| said.text,
                );
                heard.push(Message::new(Role::Tool, content));
            }
        }
    }
    let count = turns.len();
    let of = |(at, (asked, answer, said)): (usize, (String, Option<Answer>, Vec<Message>))| {
        let answer = answer.ok_or(MessageError::Unanswered(at + 1))?;
        // The line's other keys are about the last answer.
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
        Ok(Exchanged { asked, answer, said })
    };
    turns.into_iter().enumerate().map(of).collect()
}
