//! A judge's answer, read strictly: exactly one JSON object with reasoning and then a score on the grid.
//!
//! No first-number-in-the-text, no clamping: what a judge did not say in the agreed form, it did not say. Thoughts before
//! the object, a fence around it and the same object once more leave no doubt about what was said; nothing else may stand
//! beside it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{error::Category, value::RawValue};

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
    /// The reply ended for a reason that nobody knows.
    #[error("the reply ended for a reason that akit does not know (finish_reason {0})")]
    UnknownEnd(String),
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
        score: String,
        /// Steps of the scale.
        scale: u32,
    },
    /// A score without a reason.
    #[error("there is a score, but no reasoning")]
    NoReasoning,
}

/// The members of an object in their order and as they were written, a repeated one twice.
struct Members(Vec<(String, Box<RawValue>)>);

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
    fn verdict(&self) -> Result<(String, &str), &'static str> {
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
        let mut values = self.0.iter().map(|(_, value)| value.get());
        let (reasoning, score) = (values.next().unwrap_or_default(), values.next().unwrap_or_default());
        match serde_json::from_str(reasoning) {
            Ok(reasoning) if score.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                Ok((reasoning, score))
            }
            Ok(_) => Err("`score` is not a number"),
            Err(_) => Err("`reasoning` is not a text"),
        }
    }
}

/// A number of JSON as the whole number that it is, to the last of its digits: rounding would raise a score.
fn whole(number: &str) -> Option<u32> {
    let (number, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (before, behind) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{before}{behind}");
    let digits = digits.trim_start_matches('-').trim_start_matches('0');
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() {
        return Some(0);
    }
    let shift = exponent.parse::<i64>().ok()? - i64::try_from(behind.len()).ok()?
        + i64::try_from(digits.len() - kept.len()).ok()?;
    let zeros = usize::try_from(shift).ok().filter(|zeros| *zeros < 10)?;
    (!number.starts_with('-')).then(|| format!("{kept}{}", "0".repeat(zeros)).parse().ok())?
}

/// What is wrong with a reply of another form.
const NOT_ONE: &str = "it is not exactly one JSON object";

/// Reads a reply on a scale from 0 to `scale`.
///
/// # Errors
/// Whenever the reply is anything but one verdict.
pub fn parse(reply: &str, finish_reason: Option<&str>, scale: u32) -> Result<Vote, Unreadable> {
    let word = || text::excerpt(finish_reason.unwrap_or_default(), 40);
    match StopReason::of(finish_reason) {
        StopReason::Complete | StopReason::ToolCalls => {}
        StopReason::Cut => return Err(Unreadable::Cut(word())),
        StopReason::Refused | StopReason::Filtered | StopReason::Broken => {
            return Err(Unreadable::Unfinished(word()));
        }
        StopReason::Unknown => return Err(Unreadable::UnknownEnd(word())),
    }
    if reply.trim().is_empty() {
        return Err(Unreadable::Empty);
    }
    let form = |reason| Unreadable::Form { reason, begins: text::excerpt(reply.trim(), 80) };
    let listed =
        serde_json::Deserializer::from_str(bare(reply)).into_iter().collect::<Result<Vec<Members>, _>>();
    let listed = listed.map_err(|error| match error.classify() {
        Category::Eof => form("it ends in the middle of its JSON"),
        Category::Io | Category::Syntax | Category::Data => form(NOT_ONE),
    })?;
    let verdicts = listed.iter().map(Members::verdict).collect::<Result<Vec<_>, _>>().map_err(form)?;
    // Some models make the same call twice.
    let [(reasoning, score), again @ ..] = verdicts.as_slice() else { return Err(form(NOT_ONE)) };
    if again.iter().any(|(other, mark)| (other, mark) != (reasoning, score)) {
        return Err(form(NOT_ONE));
    }
    if !reasoning.chars().any(char::is_alphanumeric) {
        return Err(Unreadable::NoReasoning);
    }
    match whole(score).filter(|score| *score <= scale) {
        Some(score) => Ok(Vote { reasoning: reasoning.clone(), score }),
        None => Err(Unreadable::OffScale { score: text::excerpt(score, 40), scale }),
    }
}

/// A reply without the thoughts that it begins with, and without the fence around the rest.
fn bare(reply: &str) -> &str {
    let reply = reply.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
    // What a verdict says within itself, or behind a fence, ends no thoughts.
    let may_think = !reply.starts_with(['{', '`', '~']);
    let rest = text::said::behind_thoughts(reply).filter(|_| may_think).unwrap_or(reply).trim();
    let rest = rest.strip_suffix("<|return|>").unwrap_or(rest).trim();
    ['`', '~'].into_iter().find_map(|mark| within_fence(rest, mark)).unwrap_or(rest)
}

/// What a fence of this mark holds, where it is JSON's or nobody's. It ends with as many marks as it begins with, or
/// more; a second fence in it is no JSON.
fn within_fence(text: &str, mark: char) -> Option<&str> {
    let opened = text.trim_start_matches(mark);
    let inside = opened.trim_end_matches(mark);
    let (begins, ends) = (text.len() - opened.len(), opened.len() - inside.len());
    if begins < 3 || ends < begins {
        return None;
    }
    let inside = inside.trim();
    let is_marked = inside.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("json"));
    Some(if is_marked { inside[4..].trim() } else { inside })
}

#[cfg(test)]
#[path = "verdict_table.rs"]
mod table;
