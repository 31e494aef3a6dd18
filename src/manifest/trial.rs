//! One time that a case was asked: the answer, what it cost, or why there is none.

use serde::{Deserialize, Serialize};

use super::{Outcome, Verdict};
use crate::vocabulary::ToolCall;

/// One time that a case was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Trial {
    /// 0-based.
    pub index: u32,
    /// Asked anew to confirm a failure: not a part of any rate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirmation: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// How the answer was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Why it could not be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// An answer and what is known about it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reply {
    /// The text.
    pub text: String,
    /// Functions that the model asked to have called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// Why the model stopped, as the provider said it: `stop`, `length`, `content_filter`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
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
}

/// Tokens of one or more exchanges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Usage {
    /// Tokens sent.
    #[serde(default, alias = "prompt_tokens")]
    pub input_tokens: u64,
    /// Tokens received.
    #[serde(default, alias = "completion_tokens")]
    pub output_tokens: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
    }
}

impl Usage {
    /// Sent and received together.
    #[must_use]
    pub fn total(self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

/// Why a trial could not be judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fault {
    /// Stable kebab-case kind: `timeout`, `connect`, `rate-limited`, `cache-miss`, `judge-unreadable`, …
    pub kind: String,
    /// What happened.
    pub message: String,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// The message without what is about this case alone, where many cases may have one cause.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cause: String,
}

impl Fault {
    /// A fault of one case.
    #[must_use]
    pub fn new(kind: &str, message: String, help: &str) -> Self {
        Self { kind: kind.to_owned(), message, help: help.to_owned(), cause: String::new() }
    }
}

impl Trial {
    /// US dollars spent on the answer and on judging it, as far as they are known; a record costs nothing.
    #[must_use]
    pub fn spent_usd(&self) -> f64 {
        let reply = self.reply.as_ref().filter(|reply| !reply.recorded);
        let mut spent = reply.and_then(|reply| reply.cost_usd).unwrap_or(0.0);
        if let Some(verdict) = &self.verdict {
            verdict.walk(&mut |one| {
                let grade = one.grade.as_ref().filter(|grade| !grade.recorded);
                spent += grade.and_then(|grade| grade.cost_usd).unwrap_or(0.0);
            });
        }
        spent
    }
}
