//! The assistant's message in OpenAI's format, in answers and in files of recorded answers.

use super::place::Place as _;
use std::num::NonZeroU32;

use serde::Deserialize;
use serde_json::{Value as Json, value::RawValue};
use strum::EnumString;

use crate::text;
use crate::vocabulary::{ToolCall, Usage};

/// Roles in a conversation.
const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    /// The text, or the text of the refusal if there is no other.
    pub(super) text: String,
    /// Whether it is a refusal.
    pub(super) refused: bool,
    /// The tool calls.
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
    /// A message with an unknown role.
    #[error("message {0} has the role `{1}`; use one of {roles}", roles = text::list(&ROLES))]
    Role(usize, String),
    /// A function's result that names no call.
    #[error("message {0} has the role `tool`, but neither `tool_call_id` nor `name`; add the id of its call")]
    NoCallId(usize),
    /// The answer is missing.
    #[error("`messages` ends with a message from `{0}`; add the assistant's answer as the last message")]
    NoAnswer(String),
    /// More than one question, on a line without an id.
    #[error(
        "`messages` has {0} messages from the user, and the line has no `id`; add the case's `id`, or write only the last answer as `reply`"
    )]
    SeveralTurns(usize),
    /// A message before the first question.
    #[error(
        "message {0} from `{1}` comes before the first question; start the conversation with a message from the user"
    )]
    NothingAsked(usize, String),
    /// A question without an answer.
    #[error("message {0} from the user has no answer; join it with the next one, or remove it")]
    Unanswered(usize),
    /// The answer, or a part of it, cannot be read.
    #[error("the content of message {0} {1}; write a string, or a list of parts with `text`")]
    Unread(usize, Unread),
    /// There is no list of calls.
    #[error(
        "`tool_calls` is not a list of calls; write each as `{{\"name\": \"refund\", \"arguments\": {{…}}}}`"
    )]
    NoCalls,
    /// A call without a name.
    #[error("tool call {0} has no name; write it as `{{\"name\": \"refund\", \"arguments\": {{…}}}}`")]
    NoName(usize),
}

impl MessageError {
    pub(super) fn of(message: usize, unread: Unread) -> Self {
        match unread {
            Unread::NoName(number) => Self::NoName(number),
            unread @ (Unread::Content | Unread::Kind(..) | Unread::Part(..) | Unread::Calls) => {
                Self::Unread(message, unread)
            }
        }
    }
}

/// The kind of a content part, by its type. Any other type is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "snake_case")]
enum PartKind {
    /// Text.
    #[strum(serialize = "text", serialize = "output_text", serialize = "input_text")]
    Text,
    Refusal,
    /// A thought.
    #[strum(
        serialize = "reasoning",
        serialize = "reasoning_text",
        serialize = "reasoning_content",
        serialize = "reasoning.text",
        serialize = "reasoning.summary",
        serialize = "reasoning.encrypted",
        serialize = "thinking",
        serialize = "redacted_thinking",
        serialize = "thought",
        serialize = "summary_text",
        serialize = "analysis"
    )]
    Thought,
    /// A source reference.
    #[strum(serialize = "reference")]
    Source,
}

/// What akit cannot read in a message. The rest of such a message is not judged either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// The content is neither text nor a list.
    #[error("is not text")]
    Content,
    /// A part of an unknown type.
    #[error("has a part {0} of unknown type `{1}`")]
    Kind(usize, String),
    /// A part of a known type that lacks its text.
    #[error("has a part {0} without text: {1}")]
    Part(usize, String),
    /// The calls are not a list.
    #[error("comes with `tool_calls` or a `function_call` that akit cannot read")]
    Calls,
    /// A call without a name.
    #[error("comes with a tool call {0} without a name")]
    NoName(usize),
}

/// The text of a refusal that a message has besides its content; empty if it has none.
pub(super) fn refusal_in(message: &Json) -> Option<&str> {
    match message.get("refusal")? {
        Json::Null | Json::Bool(false) => None,
        Json::String(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
        Json::Bool(true) | Json::Number(_) | Json::Array(_) | Json::Object(_) => Some(""),
    }
}

/// Reads a message.
///
/// # Errors
/// If a part is unreadable: it might contain the very text that must not be said.
pub(super) fn said(message: &Json) -> Result<Said, Unread> {
    let mut refusal = refusal_in(message).map(str::to_owned);
    let text = match message.get("content") {
        Some(Json::String(text)) => text.clone(),
        None | Some(Json::Null) => refusal.clone().unwrap_or_default(),
        Some(Json::Array(parts)) => {
            let mut text = String::new();
            for (number, part) in (1..).zip(parts) {
                let (kind, words) = read_part(number, part)?;
                match kind {
                    PartKind::Thought | PartKind::Source => continue,
                    PartKind::Refusal => refusal = Some(words.to_owned()),
                    PartKind::Text => {}
                }
                text.push_str(words);
            }
            text
        }
        Some(Json::Bool(_) | Json::Number(_) | Json::Object(_)) => return Err(Unread::Content),
    };
    let listed = match message.get("tool_calls") {
        None | Some(Json::Null) => &[][..],
        Some(Json::Array(calls)) => calls,
        Some(_) => return Err(Unread::Calls),
    };
    // The deprecated form of a single call.
    let single = message.get("function_call").filter(|call| !call.is_null());
    if single.is_some_and(|call| !call.is_object()) {
        return Err(Unread::Calls);
    }
    if let Some(at) = listed.iter().chain(single).position(|call| name(call).is_none()) {
        return Err(Unread::NoName(at + 1));
    }
    let tool_calls = listed.iter().chain(single).map(call).collect();
    Ok(Said { text, refused: refusal.is_some(), tool_calls })
}

/// The kind of a content part, and its text.
fn read_part(number: usize, part: &Json) -> Result<(PartKind, &str), Unread> {
    let odd = || Unread::Part(number, text::excerpt(&part.to_string(), 60));
    let string = |name: &str| part.get(name).and_then(Json::as_str);
    let kind = match part.get("type") {
        _ if part.get("thought") == Some(&Json::Bool(true)) => PartKind::Thought,
        // Without a type, its members decide.
        None if part.get("refusal").is_some() => PartKind::Refusal,
        None => PartKind::Text,
        Some(Json::String(name)) => {
            name.parse().map_err(|_| Unread::Kind(number, text::excerpt(name, 40)))?
        }
        Some(_) => return Err(odd()),
    };
    let words = match kind {
        PartKind::Thought | PartKind::Source => Some(""),
        PartKind::Refusal => string("refusal").or_else(|| string("text")),
        PartKind::Text => string("text"),
    };
    words.map(|words| (kind, words)).ok_or_else(odd)
}

/// The tokens spent on thinking.
pub(super) fn thinking(reply: &Json) -> Option<NonZeroU32> {
    let details = ["/usage/completion_tokens_details", "/usage/output_tokens_details", "/usage"];
    let counted = details.into_iter().find_map(|place| reply.place(place)?.get("reasoning_tokens")?.as_u64());
    let message = reply.place("/choices/0/message");
    let text = |name: &str| message?.get(name)?.as_str().filter(|text| !text.trim().is_empty());
    // Without a count, an answer that is all thoughts has spent all its tokens on them.
    let thought = || text("reasoning_content").or_else(|| text("reasoning"));
    let spent = counted.or_else(|| thought().and_then(|_| reply.place("/usage/completion_tokens")?.as_u64()));
    spent.and_then(|tokens| NonZeroU32::new(u32::try_from(tokens).unwrap_or(u32::MAX)))
}

/// The tokens spent on thinking in an answer whose content includes thoughts.
pub(super) fn thinking_of(content: &[Json], usage: Option<Usage>) -> Option<NonZeroU32> {
    let kind = |part: &Json| part.get("type")?.as_str()?.parse::<PartKind>().ok();
    let has_thought = content.iter().any(|part| kind(part) == Some(PartKind::Thought));
    let tokens = usage.filter(|_| has_thought)?.output_tokens;
    NonZeroU32::new(u32::try_from(tokens).unwrap_or(u32::MAX))
}

/// Names for a call's arguments; `input` belongs to a custom tool, whose input need not be JSON.
const ARGUMENTS: [&str; 4] = ["arguments", "args", "parameters", "input"];

/// Members of a call other than its arguments.
const BESIDE: [&str; 9] =
    ["name", "id", "call_id", "tool_call_id", "type", "index", "status", "function", "custom"];

/// Reads a call in OpenAI's format, or with name and arguments at the top level, as akit writes it.
fn call(call: &Json) -> ToolCall {
    let function = function(call);
    let given = ARGUMENTS.into_iter().filter_map(|name| Some((name, function.get(name)?)));
    let mut given = given.filter(|(_, value)| !value.is_null());
    let arguments = match (given.next(), given.next()) {
        // Compatible servers send an object where OpenAI sends a JSON string.
        (Some((name, Json::String(text))), None) if name != "input" => {
            serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into())
        }
        (Some((_, arguments)), None) => arguments.clone(),
        // Several arguments, or ones under an unknown name, are ambiguous: kept as text that matches nothing.
        (Some(_), Some(_)) => function.to_string().into(),
        (None, _) => {
            let members = function.as_object().into_iter().flat_map(serde_json::Map::iter);
            let mut others =
                members.filter(|(name, value)| !value.is_null() && !ARGUMENTS.contains(&name.as_str()));
            let is_other = others.any(|(name, _)| !BESIDE.contains(&name.as_str()));
            if is_other { function.to_string().into() } else { Json::Null }
        }
    };
    ToolCall {
        id: call.get("id").and_then(Json::as_str).map(str::to_owned),
        name: name(call).unwrap_or_default().to_owned(),
        arguments,
        returned: None,
    }
}

/// The object that has the call's name.
fn function(call: &Json) -> &Json {
    let within = ["function", "custom"].into_iter().filter_map(|name| call.get(name));
    within.into_iter().find(|within| !within.is_null()).unwrap_or(call)
}

/// The calls of a body with their raw arguments: parsing an object loses the order of its members and any repeated
/// members.
#[derive(Deserialize)]
struct Written {
    choices: Vec<WrittenChoice>,
}

#[derive(Deserialize)]
struct WrittenChoice {
    message: WrittenMessage,
}

#[derive(Deserialize)]
struct WrittenMessage {
    tool_calls: Option<Vec<WrittenCall>>,
    function_call: Option<WrittenCall>,
}

#[derive(Deserialize)]
struct WrittenCall {
    function: Option<Box<WrittenCall>>,
    arguments: Option<Box<RawValue>>,
}

impl WrittenCall {
    fn arguments(self) -> Option<Box<RawValue>> {
        self.function.map_or(self.arguments, |function| function.arguments)
    }
}

/// The raw arguments of one function's calls in this choice of the body, concatenated.
pub(super) fn arguments(message: &Json, body: &str, choice: usize, function: &str) -> Option<String> {
    let listed = message.get("tool_calls").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    // Some servers send the same call in both forms.
    let single = message.get("function_call").filter(|single| match listed {
        [call] => call.get("function") != Some(single),
        _ => true,
    });
    let mut written = serde_json::from_str::<Written>(body).ok().into_iter().flat_map(|body| {
        let message = body.choices.into_iter().nth(choice).map(|choice| choice.message);
        let (listed, single) = message.map_or((None, None), |one| (one.tool_calls, one.function_call));
        listed.unwrap_or_default().into_iter().chain(single).map(WrittenCall::arguments)
    });
    let calls = listed.iter().chain(single).map(|call| (call, written.next().flatten()));
    let calls = calls.filter(|(call, _)| name(call) == Some(function));
    let texts = calls.map(|(call, raw)| match call.get("function").unwrap_or(call).get("arguments") {
        Some(Json::String(text)) => text.clone(),
        _ => raw.map_or_else(String::new, |raw| raw.get().to_owned()),
    });
    texts.reduce(|all, one| all + &one)
}

fn name(call: &Json) -> Option<&str> {
    function(call).get("name").and_then(Json::as_str).filter(|name| !name.trim().is_empty())
}

/// Reads a list of calls.
///
/// # Errors
/// If it is not a list, or a call has no name.
pub(super) fn calls(list: &Json) -> Result<Vec<ToolCall>, MessageError> {
    let list = list.as_array().ok_or(MessageError::NoCalls)?;
    if let Some(at) = list.iter().position(|call| name(call).is_none()) {
        return Err(MessageError::NoName(at + 1));
    }
    Ok(list.iter().map(call).collect())
}

/// The assistant's messages after the user's last one. Together they are one answer; results of functions may come
/// between them.
pub(super) fn answers(messages: &[Json]) -> impl DoubleEndedIterator<Item = (usize, &Json)> {
    let is_of = |message: &Json, role: &str| message.get("role").and_then(Json::as_str) == Some(role);
    let asked = messages.iter().rposition(|message| is_of(message, "user"));
    let behind = messages.iter().enumerate().skip(asked.map_or(0, |at| at + 1));
    behind.filter(move |(_, message)| is_of(message, "assistant"))
}

/// The answer of a conversation with one question: all text and calls of the assistant after it.
///
/// # Errors
/// If the conversation does not end with an answer.
pub(super) fn answer(messages: &Json) -> Result<Said, MessageError> {
    let list = messages.as_array().filter(|list| list.iter().all(Json::is_object));
    let list = list.ok_or(MessageError::NoMessages)?;
    let role = |message: &'_ Json| message.get("role").and_then(Json::as_str).unwrap_or_default().to_owned();
    let roles: Vec<String> = list.iter().map(role).collect();
    if let Some(at) = roles.iter().position(|role| !ROLES.contains(&role.as_str())) {
        return Err(MessageError::Role(at + 1, text::excerpt(&roles[at], 40)));
    }
    let Some(who) = roles.last() else { return Err(MessageError::NoMessages) };
    if who != "assistant" {
        return Err(MessageError::NoAnswer(who.clone()));
    }
    let is_of_call = |message: &Json| {
        let named = ["tool_call_id", "name"].into_iter().find_map(|key| message.get(key)?.as_str());
        named.is_some_and(|name| !name.trim().is_empty())
    };
    if let Some(at) = list.iter().zip(&roles).position(|(one, role)| role == "tool" && !is_of_call(one)) {
        return Err(MessageError::NoCallId(at + 1));
    }
    let mut all = Said::default();
    for (at, message) in answers(list) {
        if let Some(listed) = message.get("tool_calls").filter(|listed| !listed.is_null()) {
            calls(listed)?;
        }
        let more = said(message).map_err(|unread| MessageError::of(at + 1, unread))?;
        all.refused |= more.refused;
        all.tool_calls.extend(more.tool_calls);
        if !all.text.trim().is_empty() && !more.text.trim().is_empty() {
            all.text.push_str("\n\n");
        }
        all.text.push_str(&more.text);
    }
    Ok(all)
}

/// Number of the user's messages.
pub(super) fn asked(messages: &Json) -> usize {
    let is_asked = |message: &&Json| message.get("role").and_then(Json::as_str) == Some("user");
    messages.as_array().map_or(0, |list| list.iter().filter(is_asked).count())
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
