//! A judge's answer, read strictly: exactly one JSON object with reasoning and then a score on the grid.
//!
//! No first-number-in-the-text, no clamping: what a judge did not say in the agreed form, it did not say. Thoughts before
//! the object and a fence around it leave no doubt about what was said; nothing else may stand beside it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Number, Value as Json, error::Category};

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
    /// The reply was cut at a limit on tokens.
    #[error("the reply was cut (finish_reason {0})")]
    Cut(String),
    /// The reply did not end by itself.
    #[error("the reply did not end by itself (finish_reason {0})")]
    Unfinished(String),
    /// Not one JSON object of the agreed form.
    #[error("{reason}; it begins \"{begins}\"")]
    Form {
        /// What is wrong.
        reason: &'static str,
        /// The beginning of the reply.
        begins: String,
    },
    /// A score off the grid.
    #[error("the score is {score}; expected a whole number from 0 to {scale}")]
    OffScale {
        /// What the judge gave.
        score: Number,
        /// Steps of the scale.
        scale: u32,
    },
    /// A score without a reason.
    #[error("there is a score, but no reasoning")]
    NoReasoning,
}

/// The members of an object in their order, a repeated one twice.
struct Members(Vec<(String, Json)>);

/// By hand: a derived reader takes an array for an object, and members in any order.
impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

impl Members {
    /// Reasoning and score, or what is wrong. A score that comes before its reasoning was not reasoned about.
    fn verdict(self) -> Result<(String, Number), &'static str> {
        let names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        match names.as_slice() {
            ["reasoning", "score"] => {}
            ["score", "reasoning"] => return Err("`score` comes before `reasoning`"),
            names if names.iter().any(|name| !["reasoning", "score"].contains(name)) => {
                return Err("it has a member that is neither `reasoning` nor `score`");
            }
            names if !names.contains(&"reasoning") => return Err("`reasoning` is missing"),
            names if !names.contains(&"score") => return Err("`score` is missing"),
            _ => return Err("a member stands there twice"),
        }
        let mut values = self.0.into_iter().map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(Json::String(reasoning)), Some(Json::Number(score))) => Ok((reasoning, score)),
            (Some(Json::String(_)), _) => Err("`score` is not a number"),
            _ => Err("`reasoning` is not a text"),
        }
    }
}

/// Reads a reply on a scale from 0 to `scale`.
///
/// # Errors
/// Whenever the reply is anything but one verdict.
pub fn parse(reply: &str, finish_reason: Option<&str>, scale: u32) -> Result<Vote, Unreadable> {
    let word = || text::excerpt(finish_reason.unwrap_or_default(), 40);
    match StopReason::of(finish_reason) {
        StopReason::Complete | StopReason::ToolCalls => {}
        StopReason::Cut => return Err(Unreadable::Cut(word())),
        StopReason::Refused | StopReason::Filtered | StopReason::Broken | StopReason::Unknown => {
            return Err(Unreadable::Unfinished(word()));
        }
    }
    if reply.trim().is_empty() {
        return Err(Unreadable::Empty);
    }
    let form = |reason| Unreadable::Form { reason, begins: text::excerpt(reply.trim(), 80) };
    let members = serde_json::from_str::<Members>(bare(reply)).map_err(|error| match error.classify() {
        Category::Eof => form("it ends in the middle of its JSON"),
        Category::Io | Category::Syntax | Category::Data => form("it is not exactly one JSON object"),
    })?;
    let (reasoning, score) = members.verdict().map_err(form)?;
    if !reasoning.chars().any(char::is_alphanumeric) {
        return Err(Unreadable::NoReasoning);
    }
    match (0..=scale).find(|step| score.as_f64() == Some(f64::from(*step))) {
        Some(score) => Ok(Vote { reasoning, score }),
        None => Err(Unreadable::OffScale { score, scale }),
    }
}

/// A reply without the thoughts that it begins with, and without the fence around the rest.
fn bare(reply: &str) -> &str {
    let thinks = reply.trim_start().starts_with("<think");
    let rest = text::said::behind_thoughts(reply).filter(|_| thinks).unwrap_or(reply).trim();
    let fenced = rest.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    let inside = fenced.and_then(|fenced| fenced.split_once('\n')).filter(|(mark, inside)| {
        let mark = mark.trim();
        (mark.is_empty() || mark.eq_ignore_ascii_case("json")) && !inside.contains("```")
    });
    inside.map_or(rest, |(_, inside)| inside.trim())
}

#[cfg(test)]
#[path = "verdict_table.rs"]
mod table;
