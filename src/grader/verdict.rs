//! A judge's answer, read strictly: exactly one JSON object with reasoning and then a score on the grid.
//!
//! No first-number-in-the-text, no clamping, no fences: what a judge did not say in the agreed
//! form, it did not say.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::text;
use crate::vocabulary::StopReason;

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

struct Wire {
    reasoning: String,
    score: u64,
}

/// By hand: a derived reader takes an array for an object, and members in any order. A score that
/// comes before its reasoning was not reasoned about.
impl<'de> Deserialize<'de> for Wire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Wire;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with `reasoning` and `score`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Wire, A::Error> {
                let (mut reasoning, mut score) = (None, None);
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "reasoning" if reasoning.is_none() => reasoning = Some(map.next_value()?),
                        "score" if reasoning.is_none() => {
                            return Err(A::Error::custom("`reasoning` must come before `score`"));
                        }
                        "score" if score.is_none() => score = Some(map.next_value()?),
                        "reasoning" => return Err(A::Error::duplicate_field("reasoning")),
                        "score" => return Err(A::Error::duplicate_field("score")),
                        other => return Err(A::Error::unknown_field(other, &["reasoning", "score"])),
                    }
                }
                Ok(Wire {
                    reasoning: reasoning.ok_or_else(|| A::Error::missing_field("reasoning"))?,
                    score: score.ok_or_else(|| A::Error::missing_field("score"))?,
                })
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// Reads a reply on a scale from 0 to `scale`.
///
/// # Errors
/// Whenever the reply is anything but one verdict.
pub fn parse(reply: &str, finish_reason: Option<&str>, scale: u32) -> Result<Vote, Unreadable> {
    if !StopReason::of(finish_reason).is_whole() {
        return Err(Unreadable::Unfinished(text::excerpt(finish_reason.unwrap_or_default(), 40)));
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
