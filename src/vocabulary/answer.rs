//! An answer of the application: its text, the calls that it asks for, and what it cost.

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
    /// Functions that the model asked to have called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// What the application told of its own state, such as where a handoff stands; `null` is something told.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "told")]
    pub state: Option<Json>,
    /// Why the model stopped, as the provider said it: `stop`, `length`, `content_filter`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// What that word means where akit does not know it and somebody says so.
    #[serde(default, rename = "stop", skip_serializing_if = "Option::is_none")]
    pub taught: Option<StopReason>,
    /// Tokens that went into thoughts, of an answer that has nothing else and was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<NonZeroU32>,
    /// The model that answered, as the provider said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The provider's mark of the configuration that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
    /// Milliseconds from sending to the whole answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Milliseconds from sending to the first token, where somebody told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<u64>,
    /// The time between its parts, where it came piece by piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timings: Option<Box<Timings>>,
    /// Tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// US dollars, where the configuration has a price for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Read from a record of the cache instead of asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recorded: bool,
    /// Read from a file of answers that somebody else produced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given: bool,
    /// Given with the time at which it was recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dated: bool,
    /// Where the text has the configured `replacement` instead of a marker of removed data, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<Replaced>,
}

/// Whatever is there, `null` as well.
///
/// # Errors
/// Where it is no JSON.
pub fn told<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(from).map(Some)
}

impl Answer {
    /// Why it ended.
    #[must_use]
    pub fn stop(&self) -> StopReason {
        self.taught.unwrap_or_else(|| StopReason::of(self.finish_reason.as_deref()))
    }

    /// The same with another text, and without personal data in what came with it. A stop word that akit knows
    /// holds none.
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

    /// This answer and what followed what its calls returned, as one: all words and calls, and how it ended.
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
            // What was read in part was not asked for.
            recorded: self.recorded || next.recorded,
            state: next.state.or(self.state),
            ..next
        }
    }

    /// Whether it says what another one says: the same text, state and calls, whatever their ids.
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
    /// The mean of these times, in milliseconds.
    pub mean_gap_ms: f64,
}

impl Timings {
    /// Those of two answers as one; what lies between both is no gap.
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

/// A function that a model asked to have called instead of, or besides, saying something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ToolCall {
    /// The provider's id of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name of the function.
    pub name: String,
    /// Its arguments; text where the model wrote no JSON.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub arguments: Json,
    /// What it returned, where it was played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<String>,
}

impl ToolCall {
    /// The same without personal data.
    #[must_use]
    pub fn redacted(self, redactor: &Redactor) -> Self {
        Self {
            id: self.id.map(|id| redactor.text(&id)),
            name: redactor.text(&self.name),
            arguments: redactor.json(&self.arguments),
            returned: self.returned.map(|text| redactor.text(&text)),
        }
    }

    /// Whether both lists ask for the same, in the same order; ids are the provider's and differ.
    #[must_use]
    pub fn are_alike(some: &[Self], others: &[Self]) -> bool {
        let alike = |(one, other): (&Self, &Self)| one.name == other.name && one.arguments == other.arguments;
        some.len() == others.len() && some.iter().zip(others).all(alike)
    }

    /// `refund {"order":"NW-1"}`, on one line; only the name where there are no arguments.
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
    /// Those of them that the server had in its cache.
    #[serde(default, skip_serializing_if = "is_none")]
    pub cached_tokens: u32,
    /// Those of them that it put into its cache.
    #[serde(default, skip_serializing_if = "is_none")]
    pub cache_write_tokens: u32,
    /// Tokens received, thoughts included.
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
