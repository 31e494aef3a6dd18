//! The assistant's message as OpenAI writes it, in the body of an answer and in a file of replies.

use std::num::NonZeroU32;

use serde_json::Value as Json;

use crate::text;
use crate::vocabulary::ToolCall;

/// Who may speak in a conversation.
const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    /// The text; that of a refusal where there is no other.
    pub(super) text: String,
    /// Whether it is a refusal.
    pub(super) refused: bool,
    /// The functions that it asks to have called.
    pub(super) tool_calls: Vec<ToolCall>,
}

/// Why messages or calls in a file cannot be read, and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// There is no list of messages.
    #[error(
        "`messages` is not a list of messages; write each as `{{\"role\": \"assistant\", \"content\": \"…\"}}`"
    )]
    NoMessages,
    /// A message of nobody.
    #[error("message {0} has the role `{1}`; use one of {roles}", roles = text::list(&ROLES))]
    Role(usize, String),
    /// The answer is missing.
    #[error("`messages` ends with a message of `{0}`; add the assistant's answer as the last message")]
    NoAnswer(String),
    /// More was asked than one question.
    #[error(
        "`messages` has {0} messages of the user, and conversations of several turns are not supported yet; \
         write the last answer alone as `reply`"
    )]
    SeveralTurns(usize),
    /// The answer is no text.
    #[error("the content of the last message is no text; write a text, or a list of parts with `text`")]
    Content,
    /// There is no list of calls.
    #[error(
        "`tool_calls` is not a list of calls; write each as `{{\"name\": \"refund\", \"arguments\": {{…}}}}`"
    )]
    NoCalls,
    /// A call of nothing.
    #[error("tool call {0} has no name; write it as `{{\"name\": \"refund\", \"arguments\": {{…}}}}`")]
    NoName(usize),
}

/// What a message says; `None` where its content is no text.
pub(super) fn said(message: &Json) -> Option<Said> {
    let refusal = message.get("refusal").and_then(Json::as_str).filter(|text| !text.is_empty());
    let parts = message.get("content").and_then(Json::as_array);
    let refused_part = parts.into_iter().flatten().find_map(|part| part.get("refusal")?.as_str());
    let refusal = refusal.or(refused_part);
    let text = match message.get("content") {
        Some(Json::String(text)) => text.clone(),
        None | Some(Json::Null) => refusal.unwrap_or_default().to_owned(),
        Some(Json::Array(parts)) => {
            let word = |part: &'_ Json| {
                if is_thought(part) {
                    return None;
                }
                let part = part.get("text").or_else(|| part.get("refusal"))?;
                part.as_str().map(str::to_owned)
            };
            parts.iter().filter_map(word).collect()
        }
        Some(Json::Bool(_) | Json::Number(_) | Json::Object(_)) => return None,
    };
    let listed = message.get("tool_calls").and_then(Json::as_array).into_iter().flatten();
    // The deprecated form of a single call.
    let single = message.get("function_call").filter(|call| call.is_object());
    let tool_calls = listed.chain(single).map(call).collect();
    Some(Said { text, refused: refusal.is_some(), tool_calls })
}

/// Whether a part of a message is what the model thought, not what it said.
fn is_thought(part: &Json) -> bool {
    const KINDS: [&str; 5] = ["reasoning", "thinking", "redacted_thinking", "reasoning_text", "summary_text"];
    let kind = part.get("type").and_then(Json::as_str);
    kind.is_some_and(|kind| KINDS.contains(&kind)) || part.get("thought") == Some(&Json::Bool(true))
}

/// The tokens that a model thought with, of those that it answered with.
pub(super) fn thinking(reply: &Json) -> Option<NonZeroU32> {
    let details = ["/usage/completion_tokens_details", "/usage/output_tokens_details", "/usage"];
    let told = details.into_iter().find_map(|place| reply.pointer(place)?.get("reasoning_tokens")?.as_u64());
    let message = reply.pointer("/choices/0/message");
    let text = |name: &str| message?.get(name)?.as_str().filter(|text| !text.trim().is_empty());
    // Without a count, an answer that is all thoughts has spent what it spent on them.
    let thought = || text("reasoning_content").or_else(|| text("reasoning"));
    let spent = told.or_else(|| thought().and_then(|_| reply.pointer("/usage/completion_tokens")?.as_u64()));
    spent.and_then(|tokens| NonZeroU32::new(u32::try_from(tokens).unwrap_or(u32::MAX)))
}

/// A call as OpenAI writes it, or with name and arguments at the call itself, as akit does.
fn call(call: &Json) -> ToolCall {
    let function = call.get("function").unwrap_or(call);
    let arguments = function.get("arguments").cloned().unwrap_or_default();
    ToolCall {
        id: call.get("id").and_then(Json::as_str).map(str::to_owned),
        name: name(call).unwrap_or("unnamed").to_owned(),
        // Compatible servers send an object where OpenAI sends its text.
        arguments: match arguments.as_str().map(serde_json::from_str) {
            Some(Ok(parsed)) => parsed,
            _ => arguments,
        },
    }
}

/// The arguments of the calls of one function, as they were written; those of several stand one behind the other.
pub(super) fn arguments(message: &Json, function: &str) -> Option<String> {
    let listed = message.get("tool_calls").and_then(Json::as_array).into_iter().flatten();
    let calls = listed.chain(message.get("function_call")).filter(|call| name(call) == Some(function));
    let written = calls.map(|call| match call.get("function").unwrap_or(call).get("arguments") {
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    });
    written.reduce(|all, one| all + &one)
}

fn name(call: &Json) -> Option<&str> {
    call.get("function").unwrap_or(call).get("name").and_then(Json::as_str).filter(|name| !name.is_empty())
}

/// The calls of a list, each of which must have a name.
///
/// # Errors
/// When it is no list, or a call has no name.
pub(super) fn calls(list: &Json) -> Result<Vec<ToolCall>, MessageError> {
    let list = list.as_array().ok_or(MessageError::NoCalls)?;
    if let Some(at) = list.iter().position(|call| name(call).is_none()) {
        return Err(MessageError::NoName(at + 1));
    }
    Ok(list.iter().map(call).collect())
}

/// The answer in a conversation of one question: its last message, which is the assistant's.
///
/// # Errors
/// When it does not end with an answer, or more was asked than one question.
pub(super) fn answer(messages: &Json) -> Result<Said, MessageError> {
    let list = messages.as_array().filter(|list| list.iter().all(Json::is_object));
    let list = list.ok_or(MessageError::NoMessages)?;
    let role = |message: &'_ Json| message.get("role").and_then(Json::as_str).unwrap_or_default().to_owned();
    let roles: Vec<String> = list.iter().map(role).collect();
    if let Some(at) = roles.iter().position(|role| !ROLES.contains(&role.as_str())) {
        return Err(MessageError::Role(at + 1, text::excerpt(&roles[at], 40)));
    }
    let (Some(end), Some(who)) = (list.last(), roles.last()) else { return Err(MessageError::NoMessages) };
    if who != "assistant" {
        return Err(MessageError::NoAnswer(who.clone()));
    }
    let asked = roles.iter().filter(|role| *role == "user").count();
    if asked > 1 {
        return Err(MessageError::SeveralTurns(asked));
    }
    if let Some(listed) = end.get("tool_calls").filter(|listed| !listed.is_null()) {
        calls(listed)?;
    }
    said(end).ok_or(MessageError::Content)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_message_is_the_answer_with_its_calls() {
        let call = json!({ "id": "1", "type": "function", "function": { "name": "refund", "arguments": "{\"n\":1}" } });
        let user = json!({ "role": "user", "content": "hello" });
        let table = [
            (json!({ "content": "hi" }), "hi", false, 0),
            (json!({ "content": null, "tool_calls": [call] }), "", false, 1),
            (json!({ "content": "so", "tool_calls": [call, { "name": "note" }] }), "so", false, 2),
            (
                json!({ "content": [{ "type": "text", "text": "a" }, { "text": "b" }], "tool_calls": null }),
                "ab",
                false,
                0,
            ),
            (json!({ "refusal": "No." }), "No.", true, 0),
            (json!({}), "", false, 0),
        ];
        for (mut last, text, refused, calls) in table {
            last["role"] = "assistant".into();
            let said = answer(&json!([{ "role": "system", "content": "be kind" }, user, last])).unwrap();
            assert_eq!(
                (said.text.as_str(), said.refused, said.tool_calls.len()),
                (text, refused, calls),
                "{last}"
            );
        }
        let said = answer(&json!([{ "role": "assistant", "tool_calls": [call] }])).unwrap();
        assert_eq!(said.tool_calls[0].arguments, json!({ "n": 1 }));
    }

    #[test]
    fn what_is_no_answer_to_one_question_is_named() {
        let user = || json!({ "role": "user", "content": "hello" });
        let end = |last: Json| json!([user(), last]);
        let table = [
            (json!("hello"), MessageError::NoMessages),
            (json!([]), MessageError::NoMessages),
            (json!(["hello"]), MessageError::NoMessages),
            (end(json!({ "content": "hi" })), MessageError::Role(2, String::new())),
            (end(json!({ "role": "bot\n", "content": "hi" })), MessageError::Role(2, "bot⏎".to_owned())),
            (end(json!({ "role": "tool", "content": "hi" })), MessageError::NoAnswer("tool".to_owned())),
            (json!([user()]), MessageError::NoAnswer("user".to_owned())),
            (
                json!([user(), { "role": "assistant", "content": "?" }, user(), { "role": "assistant", "content": "hi" }]),
                MessageError::SeveralTurns(2),
            ),
            (end(json!({ "role": "assistant", "content": 7 })), MessageError::Content),
            (end(json!({ "role": "assistant", "tool_calls": {} })), MessageError::NoCalls),
            (
                end(json!({ "role": "assistant", "tool_calls": [{ "name": "a" }, { "function": {} }] })),
                MessageError::NoName(2),
            ),
        ];
        for (messages, error) in table {
            assert_eq!(answer(&messages).unwrap_err(), error, "{messages}");
        }
    }
}
