//! A line of a file of recorded answers.

use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny};
use serde_json::{Value as Json, value::RawValue};

use super::message::{self, MessageError, Said};
use crate::source::json_object;
use crate::text;
use crate::vocabulary::{Usage, told};

/// What a line of recorded answers looks like.
pub const LINE: &str = "write each line as `{\"id\": \"case\", \"reply\": \"text\"}`; see docs/scenario.md";

/// Tokens in akit's format or a server's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "sums and details that servers add are accepted, but not used")]
struct Tokens {
    #[serde(default, rename = "input_tokens", alias = "prompt_tokens")]
    input: u64,
    #[serde(default, rename = "output_tokens", alias = "completion_tokens")]
    output: u64,
    #[serde(rename = "total_tokens")]
    total: Option<IgnoredAny>,
    #[serde(alias = "prompt_tokens_details")]
    input_tokens_details: Option<IgnoredAny>,
    #[serde(alias = "completion_tokens_details")]
    output_tokens_details: Option<IgnoredAny>,
}

/// Tokens from an object; serde alone would also accept a list.
fn tokens<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Usage>, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(from)? else { return Ok(None) };
    let read: Tokens = json_object(raw.get().as_bytes()).map_err(|error| {
        D::Error::custom(format!("`usage` cannot be used: {}", text::json::trouble(&error)))
    })?;
    Ok(Some(Usage { input_tokens: read.input, output_tokens: read.output, ..Usage::default() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "a row of `akit prompts` becomes a valid line once `reply` is added to it")]
pub(super) struct Line {
    /// Missing in conversations from other tools, which are matched by their question.
    pub(super) id: Option<String>,
    pub(super) scenario: Option<String>,
    #[serde(default)]
    pub(super) trial: u32,
    #[serde(default, deserialize_with = "present")]
    pub(super) reply: Option<String>,
    pub(super) tool_calls: Option<Json>,
    /// The application's state; `null` counts as a state.
    #[serde(default, deserialize_with = "told")]
    pub(super) state: Option<Json>,
    pub(super) finish_reason: Option<String>,
    pub(super) model: Option<String>,
    pub(super) latency_ms: Option<f64>,
    pub(super) ttft_ms: Option<f64>,
    #[serde(default, deserialize_with = "tokens")]
    pub(super) usage: Option<Usage>,
    pub(super) cost_usd: Option<f64>,
    /// When it was given, RFC 3339.
    pub(super) at: Option<String>,
    pub(super) prompt: Option<IgnoredAny>,
    /// The conversation with the answer; next to a `reply`, only the question.
    pub(super) messages: Option<Json>,
    pub(super) tools: Option<IgnoredAny>,
}

/// A string that may be missing, but not null.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    String::deserialize(from).map(Some)
}

/// Why a line has no usable answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error("`reply` is missing; write the answer as `reply`, `messages` or `tool_calls`")]
    NoAnswer,
    #[error("`tool_calls` next to `messages`; put the calls into the last message")]
    CallsBesideMessages,
    #[error("`reply` next to `messages` that already have an answer; remove one of them")]
    TwoAnswers,
    #[error(transparent)]
    Message(#[from] MessageError),
}

impl Line {
    /// The answer.
    pub(super) fn said(&mut self) -> Result<Said, LineError> {
        let calls = self.tool_calls.as_ref().map(message::calls).transpose()?;
        match (self.reply.take(), &self.messages, calls) {
            (Some(_), Some(Json::Array(asked)), _) if message::answers(asked).next().is_some() => {
                Err(LineError::TwoAnswers)
            }
            (Some(text), _, calls) => {
                Ok(Said { text, refused: false, tool_calls: calls.unwrap_or_default() })
            }
            (None, Some(_), Some(_)) => Err(LineError::CallsBesideMessages),
            (None, Some(messages), None) => Ok(message::answer(messages)?),
            (None, None, Some(tool_calls)) if !tool_calls.is_empty() => {
                Ok(Said { tool_calls, ..Said::default() })
            }
            (None, None, _) => Err(LineError::NoAnswer),
        }
    }
}
