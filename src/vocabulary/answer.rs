//! An answer of the application: its text, its function calls, and its cost.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::StopReason;
use crate::redact::{Redactor, Replaced};
use crate::text;

/// An answer and what is known about it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Answer {
    /// The text.
    pub text: String,
    /// Functions that the model asked to call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// The state that the application reported, such as that of a handoff; `null` counts as reported.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "told")]
    pub state: Option<Json>,
    /// Why the model stopped, as the provider reported it: `stop`, `length`, `content_filter`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// The meaning of that word, if akit does not know it and the configuration sets it.
    #[serde(default, rename = "stop", skip_serializing_if = "Option::is_none")]
    pub taught: Option<StopReason>,
    /// Tokens spent on thinking, for a truncated answer with nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<NonZeroU32>,
    /// The model that answered, as the provider reported it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The provider's fingerprint of the configuration that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
    /// Milliseconds from sending to the complete answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Milliseconds from sending to the first token, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<u64>,
    /// The time between its parts, if it was streamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timings: Option<Box<Timings>>,
    /// Tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// US dollars, if the configuration has a price for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Read from a record in the cache instead of asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recorded: bool,
    /// Read from a file of recorded answers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given: bool,
    /// Read from a file of recorded answers, with the time of the recording.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dated: bool,
    /// Where the text has the configured `replacement` instead of a redaction marker, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<Replaced>,
}

/// Reads any value, including `null`.
///
/// # Errors
/// If it is not JSON.
pub fn told<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(from).map(Some)
}

impl Answer {
    /// Why it ended.
    #[must_use]
    pub fn stop(&self) -> StopReason {
        self.taught.unwrap_or_else(|| StopReason::of(self.finish_reason.as_deref()))
    }

    /// This answer with another text, and without personal data in its metadata. A stop word that akit knows contains
    /// none.
    #[must_use]
    pub fn redacted(self, text: String, redactor: &Redactor) -> Self {
        let clean = |end: String| match StopReason::of(Some(&end)) {
            StopReason::Unknown => redactor.text(&end),
            _ => end,
        };
        Self {
            text,
            tool_calls: self.tool_calls.into_iter().map(|call| call.redacted(redactor)).collect(),
            state: self.state.map(|state| redactor.json(&state)),
            finish_reason: self.finish_reason.map(clean),
            model: self.model.map(|model| redactor.text(&model)),
            system_fingerprint: self.system_fingerprint.map(|mark| redactor.text(&mark)),
            ..self
        }
    }

    /// Joins this answer and the next one, which was given after the calls of this one returned: all text and calls,
    /// and the stop word of the second.
    #[must_use]
    pub fn and_then(self, next: Self) -> Self {
        let words = [self.text, next.text].into_iter().filter(|text| !text.trim().is_empty());
        let both = |one: Option<u64>, other: Option<u64>| Some(one?.saturating_add(other?));
        Self {
            text: words.collect::<Vec<_>>().join("\n\n"),
            tool_calls: self.tool_calls.into_iter().chain(next.tool_calls).collect(),
            latency_ms: both(self.latency_ms, next.latency_ms),
            ttft_ms: both(self.latency_ms, next.ttft_ms),
            timings: self
                .timings
                .into_iter()
                .chain(next.timings)
                .reduce(|one, next| Box::new(one.and_then(*next))),
            usage: self.usage.zip(next.usage).map(|(mut one, other)| {
                one += other;
                one
            }),
            cost_usd: self.cost_usd.zip(next.cost_usd).map(|(one, other)| one + other),
            // Partial usage would be wrong, so it is left out.
            recorded: self.recorded || next.recorded,
            state: next.state.or(self.state),
            ..next
        }
    }

    /// Whether both answers say the same: their text, state and calls are equal, apart from the ids of calls.
    #[must_use]
    pub fn says_as(&self, other: &Self) -> bool {
        let is_same = self.text == other.text && self.state == other.state;
        is_same && ToolCall::are_alike(&self.tool_calls, &other.tool_calls)
    }
}

/// The time between the parts of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Timings {
    /// How many parts, at least two.
    pub parts: u32,
    /// The longest time between two of them, in milliseconds.
    pub largest_gap_ms: u64,
    /// The mean time between them, in milliseconds.
    pub mean_gap_ms: f64,
}

impl Timings {
    /// The timings of two answers that are joined; the time between the answers is not a gap.
    fn and_then(self, next: Self) -> Self {
        let gaps = |one: Self| f64::from(one.parts.saturating_sub(1));
        let sum = self.mean_gap_ms * gaps(self) + next.mean_gap_ms * gaps(next);
        Self {
            parts: self.parts.saturating_add(next.parts),
            largest_gap_ms: self.largest_gap_ms.max(next.largest_gap_ms),
            mean_gap_ms: sum / (gaps(self) + gaps(next)).max(1.0),
        }
    }
}

/// A function that a model asked to call, instead of or besides text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ToolCall {
    /// The provider's id of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name of the function.
    pub name: String,
    /// Its arguments; text if the model did not write JSON.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub arguments: Json,
    /// What it returned, if it was simulated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<String>,
}

impl ToolCall {
    /// This call without personal data.
    #[must_use]
    pub fn redacted(self, redactor: &Redactor) -> Self {
        Self {
            id: self.id.map(|id| redactor.text(&id)),
            name: redactor.text(&self.name),
            arguments: redactor.json(&self.arguments),
            returned: self.returned.map(|text| redactor.text(&text)),
        }
    }

    /// Whether both lists make the same calls in the same order; ids are ignored, because the provider assigns them.
    #[must_use]
    pub fn are_alike(some: &[Self], others: &[Self]) -> bool {
        let alike = |(one, other): (&Self, &Self)| one.name == other.name && one.arguments == other.arguments;
        some.len() == others.len() && some.iter().zip(others).all(alike)
    }

    /// `refund {"order":"NW-1"}`, on one line; only the name if there are no arguments.
    #[must_use]
    pub fn line(&self) -> String {
        match &self.arguments {
            Json::Null => self.name.clone(),
            arguments => format!("{} {arguments}", self.name),
        }
    }

    /// `2 tool calls (refund, transfer_to_human)`.
    #[must_use]
    pub fn summary(calls: &[Self]) -> String {
        const SHOWN: usize = 5;
        let names: Vec<_> = calls.iter().take(SHOWN).map(|call| text::excerpt(&call.name, 60)).collect();
        let more = if calls.len() > SHOWN { ", …" } else { "" };
        format!("{} ({}{more})", text::count(calls.len(), "tool call"), names.join(", "))
    }
}

/// Tokens of one or more exchanges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[expect(clippy::struct_field_names, reason = "they are the names of the wire")]
pub struct Usage {
    /// Tokens sent, cached ones included.
    #[serde(default, alias = "prompt_tokens")]
    pub input_tokens: u64,
    /// Input tokens read from the server's cache.
    #[serde(default, skip_serializing_if = "is_none")]
    pub cached_tokens: u32,
    /// Input tokens written to the server's cache.
    #[serde(default, skip_serializing_if = "is_none")]
    pub cache_write_tokens: u32,
    /// Tokens received, thinking included.
    #[serde(default, alias = "completion_tokens")]
    pub output_tokens: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks in this way")]
fn is_none(tokens: &u32) -> bool {
    *tokens == 0
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        let Self { input_tokens, cached_tokens, cache_write_tokens, output_tokens } = other;
        for (sum, more) in [(&mut self.input_tokens, input_tokens), (&mut self.output_tokens, output_tokens)]
        {
            *sum = sum.saturating_add(more);
        }
        for (sum, more) in
            [(&mut self.cached_tokens, cached_tokens), (&mut self.cache_write_tokens, cache_write_tokens)]
        {
            *sum = sum.saturating_add(more);
        }
    }
}

impl Usage {
    /// Sent and received together.
    #[must_use]
    pub fn total(self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}
