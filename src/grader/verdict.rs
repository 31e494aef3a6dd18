//! A judge's reply, read strictly: exactly one JSON object with reasoning and a score on the grid.
//!
//! No first-number-in-the-text, no clamping, no fences: what a judge did not say in the agreed
//! form, it did not say.

use serde::Deserialize;

use crate::text;

/// One verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Why, in the judge's words.
    pub reasoning: String,
    /// 0 to the scale's end.
    pub score: u32,
}

/// Why a reply is no verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Nothing was said.
    #[error("the reply is empty")]
    Empty,
    /// The reply did not end by itself.
    #[error("the reply did not end by itself (finish_reason {0})")]
    Unfinished(String),
    /// Not one JSON object of the agreed form.
    #[error("{reason}; it begins \"{begins}\"")]
    Form {
        /// What is wrong.
        reason: String,
        /// The beginning of the reply.
        begins: String,
    },
    /// A score off the grid.
    #[error("score {score} is not on the scale from 0 to {scale}")]
    OffScale {
        /// What the judge gave.
        score: u64,
        /// Steps of the scale.
        scale: u32,
    },
    /// A score without a reason.
    #[error("there is a score, but no reasoning")]
    NoReasoning,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    reasoning: String,
    score: u64,
}

/// Reads a reply on a scale from 0 to `scale`.
///
/// # Errors
/// Whenever the reply is anything but one verdict.
pub fn parse(reply: &str, finish_reason: Option<&str>, scale: u32) -> Result<Vote, Unreadable> {
    if let Some(reason) =
        finish_reason.filter(|reason| !matches!(*reason, "stop" | "end_turn" | "tool_calls"))
    {
        return Err(Unreadable::Unfinished(text::excerpt(reason, 40)));
    }
    if reply.trim().is_empty() {
        return Err(Unreadable::Empty);
    }
    let wire: Wire = serde_json::from_str(reply).map_err(|error| {
        let words = error.to_string();
        let cut = words.rfind(" at line ").unwrap_or(words.len());
        Unreadable::Form { reason: words[..cut].to_owned(), begins: text::excerpt(reply.trim(), 80) }
    })?;
    if !wire.reasoning.chars().any(char::is_alphanumeric) {
        return Err(Unreadable::NoReasoning);
    }
    match u32::try_from(wire.score) {
        Ok(score) if score <= scale => Ok(Vote { reasoning: wire.reasoning, score }),
        _ => Err(Unreadable::OffScale { score: wire.score, scale }),
    }
}

#[cfg(test)]
#[path = "verdict_table.rs"]
mod table;
