//! The assistant's message as OpenAI writes it, in the body of an answer and in a file of replies.

use super::place::Place as _;
use std::num::NonZeroU32;

use serde::Deserialize;
use serde_json::{Value as Json, value::RawValue};
use strum::EnumString;

use crate::text;
use crate::vocabulary::{ToolCall, Usage};

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
    /// What a function returned, of a call that nobody can tell.
    #[error(
        "message {0} of `tool` has neither `tool_call_id` nor `name`; tell of which call it is the result"
    )]
    NoCallId(usize),
    /// The answer is missing.
    #[error("`messages` ends with a message of `{0}`; add the assistant's answer as the last message")]
    NoAnswer(String),
    /// More was asked than one question, of a line that names no case.
    #[error(
        "`messages` has {0} messages of the user, and the line names no case; add its `id`, or write the last answer \
         alone as `reply`"
    )]
    SeveralTurns(usize),
    /// A message stands where it answers nothing.
    #[error(
        "message {0} is of `{1}`, and nothing was asked before; write a conversation from the customer's first words"
    )]
    NothingAsked(usize, String),
    /// Nobody answered.
    #[error(
        "message {0} of the user has no answer; write the two messages as one, or leave out what nobody answered"
    )]
    Unanswered(usize),
    /// The answer, or a part of it, cannot be read.
    #[error("the content of message {0} {1}; write a text, or a list of parts with `text`")]
    Unread(usize, Unread),
    /// There is no list of calls.
    #[error(
        "`tool_calls` is not a list of calls; write each as `{{\"name\": \"refund\", \"arguments\": {{…}}}}`"
    )]
    NoCalls,
    /// A call of nothing.
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

/// What a part of a content is, by the type that it names. A type that is not here is one that nobody read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "snake_case")]
enum PartKind {
    /// What was said.
    #[strum(serialize = "text", serialize = "output_text", serialize = "input_text")]
    Text,
    /// That nothing will be said.
    Refusal,
    /// What the model thought.
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
    /// Where something that was said comes from.
    #[strum(serialize = "reference")]
    Source,
}

/// What is in a message that akit cannot read, so that nobody judges the rest of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// The content is neither text nor a list.
    #[error("is no text")]
    Content,
    /// A part of an unknown type.
    #[error("has a part {0} of type `{1}`, which akit does not know")]
    Kind(usize, String),
    /// A part of a known type without its text.
    #[error("has a part {0} without text: {1}")]
    Part(usize, String),
    /// The calls are in no list.
    #[error("stands beside `tool_calls` or a `function_call` that akit cannot read")]
    Calls,
    /// A call of nothing.
    #[error("stands beside a tool call {0} without a name")]
    NoName(usize),
}

/// A refusal beside the content: its text, which is empty where it is told without words.
pub(super) fn refusal_in(message: &Json) -> Option<&str> {
    match message.get("refusal")? {
        Json::Null | Json::Bool(false) => None,
        Json::String(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
        Json::Bool(true) | Json::Number(_) | Json::Array(_) | Json::Object(_) => Some(""),
    }
}

/// What a message says.
///
/// # Errors
/// When a part of it cannot be read: what it says might be the very thing that must not be said.
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

/// What a part of a content is, and its words.
fn read_part(number: usize, part: &Json) -> Result<(PartKind, &str), Unread> {
    let odd = || Unread::Part(number, text::excerpt(&part.to_string(), 60));
    let string = |name: &str| part.get(name).and_then(Json::as_str);
    let kind = match part.get("type") {
        _ if part.get("thought") == Some(&Json::Bool(true)) => PartKind::Thought,
        // Without a type, what it holds says what it is.
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

/// The tokens that a model thought with, of those that it answered with.
pub(super) fn thinking(reply: &Json) -> Option<NonZeroU32> {
    let details = ["/usage/completion_tokens_details", "/usage/output_tokens_details", "/usage"];
    let told = details.into_iter().find_map(|place| reply.place(place)?.get("reasoning_tokens")?.as_u64());
    let message = reply.place("/choices/0/message");
    let text = |name: &str| message?.get(name)?.as_str().filter(|text| !text.trim().is_empty());
    // Without a count, an answer that is all thoughts has spent what it spent on them.
    let thought = || text("reasoning_content").or_else(|| text("reasoning"));
    let spent = told.or_else(|| thought().and_then(|_| reply.place("/usage/completion_tokens")?.as_u64()));
    spent.and_then(|tokens| NonZeroU32::new(u32::try_from(tokens).unwrap_or(u32::MAX)))
}

/// The tokens of an answer that has thoughts in its content.
pub(super) fn thinking_of(content: &[Json], usage: Option<Usage>) -> Option<NonZeroU32> {
    let kind = |part: &Json| part.get("type")?.as_str()?.parse::<PartKind>().ok();
    let has_thought = content.iter().any(|part| kind(part) == Some(PartKind::Thought));
    let tokens = usage.filter(|_| has_thought)?.output_tokens;
    NonZeroU32::new(u32::try_from(tokens).unwrap_or(u32::MAX))
}

/// What calls name their arguments, `input` that of a custom tool: text that nobody promised to be JSON.
const ARGUMENTS: [&str; 4] = ["arguments", "args", "parameters", "input"];

/// Members of a call beside its arguments.
const BESIDE: [&str; 9] =
    ["name", "id", "call_id", "tool_call_id", "type", "index", "status", "function", "custom"];

/// A call as OpenAI writes it, or with name and arguments at the call itself, as akit does.
fn call(call: &Json) -> ToolCall {
    let function = function(call);
    let told = ARGUMENTS.into_iter().filter_map(|name| Some((name, function.get(name)?)));
    let mut told = told.filter(|(_, told)| !told.is_null());
    let arguments = match (told.next(), told.next()) {
        // Compatible servers send an object where OpenAI sends its text.
        (Some((name, Json::String(text))), None) if name != "input" => {
            serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into())
        }
        (Some((_, arguments)), None) => arguments.clone(),
        // Which of several it is called with, and what is told by another name, nobody knows: that is text that fits nothing.
        (Some(_), Some(_)) => function.to_string().into(),
        (None, _) => {
            let members = function.as_object().into_iter().flat_map(serde_json::Map::iter);
            let mut others =
                members.filter(|(name, told)| !told.is_null() && !ARGUMENTS.contains(&name.as_str()));
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

/// What a call holds its name in.
fn function(call: &Json) -> &Json {
    let within = ["function", "custom"].into_iter().filter_map(|name| call.get(name));
    within.into_iter().find(|within| !within.is_null()).unwrap_or(call)
}

/// The calls of a body with their arguments as they were written: an object that was read has lost the order of its
/// members, and those that stood there twice.
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

/// The arguments of the calls of one function, as they were written in this choice of the body; those of several stand
/// one behind the other.
pub(super) fn arguments(message: &Json, body: &str, choice: usize, function: &str) -> Option<String> {
    let listed = message.get("tool_calls").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    // Some servers say the same call in both forms.
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

/// The assistant's messages behind the last one of the user, which are one answer: what functions returned stands between
/// them.
pub(super) fn answers(messages: &[Json]) -> impl DoubleEndedIterator<Item = (usize, &Json)> {
    let is_of = |message: &Json, role: &str| message.get("role").and_then(Json::as_str) == Some(role);
    let asked = messages.iter().rposition(|message| is_of(message, "user"));
    let behind = messages.iter().enumerate().skip(asked.map_or(0, |at| at + 1));
    behind.filter(move |(_, message)| is_of(message, "assistant"))
}

/// The answer in a conversation of one question: all that the assistant said and called behind it.
///
/// # Errors
/// When it does not end with an answer.
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
        let told = ["tool_call_id", "name"].into_iter().find_map(|key| message.get(key)?.as_str());
        told.is_some_and(|told| !told.trim().is_empty())
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

/// How often the user speaks.
pub(super) fn asked(messages: &Json) -> usize {
    let is_asked = |message: &&Json| message.get("role").and_then(Json::as_str) == Some("user");
    messages.as_array().map_or(0, |list| list.iter().filter(is_asked).count())
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
