//! Strict parsing of a judge's answer: exactly one JSON object with reasoning and then a score on the scale.
//!
//! It never picks the first number in a string and never clamps a score. Thoughts before the object, a code fence
//! around it and an exact repetition are unambiguous and allowed; any other text is an error.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{error::Category, value::RawValue};

use crate::text;
use crate::vocabulary::StopReason;

/// One verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// The judge's reasoning, in its own words.
    pub reasoning: String,
    /// The score, from 0 to the top of the scale.
    pub score: u32,
}

/// Why a judge's answer is not a verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It was cut off at the token limit.
    #[error("it was cut off (finish_reason {0})")]
    Cut(String),
    /// It was refused, filtered or broken off.
    #[error("it is incomplete (finish_reason {0})")]
    Unfinished(String),
    /// It ended for an unknown reason.
    #[error("it ended for an unknown reason (finish_reason {0})")]
    UnknownEnd(String),
    /// Not one JSON object of the required form.
    #[error("{reason}; it begins \"{begins}\"")]
    Form {
        /// What is wrong.
        reason: &'static str,
        /// The beginning of the answer.
        begins: String,
    },
    /// A score that is not a whole number on the scale.
    #[error("the score is {score}; expected a whole number from 0 to {scale}")]
    OffScale {
        /// The score as the judge wrote it.
        score: String,
        /// The highest score on the scale.
        scale: u32,
    },
    /// A score without reasoning.
    #[error("it has a score, but no reasoning")]
    NoReasoning,
}

/// The members of an object in order and as written; repeated ones are kept.
struct Members(Vec<(String, Box<RawValue>)>);

/// Written by hand: a derived implementation also accepts an array, and members in any order.
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
    /// The reasoning and the score, or what is wrong. A score that comes before its reasoning is rejected, since it was
    /// given without reasoning.
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
            _ => return Err("it repeats a member"),
        }
        let mut values = self.0.iter().map(|(_, value)| value.get());
        let (reasoning, score) = (values.next().unwrap_or_default(), values.next().unwrap_or_default());
        match serde_json::from_str(reasoning) {
            Ok(reasoning) if score.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                Ok((reasoning, score))
            }
            Ok(_) => Err("`score` is not a number"),
            Err(_) => Err("`reasoning` is not a string"),
        }
    }
}

/// A JSON number as an exact whole number, if it is one: rounding would raise a score.
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

/// The error for an answer of any other form.
const NOT_ONE: &str = "it is not exactly one JSON object";

/// Parses an answer on a scale from 0 to `scale`.
///
/// # Errors
/// If the answer is anything but one verdict.
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

/// The answer without a leading thinking block and without the code fence around the rest.
fn bare(reply: &str) -> &str {
    let reply = reply.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
    // A closing tag inside a verdict, or after a fence, does not end a thinking block.
    let may_think = !reply.starts_with(['{', '`', '~']);
    let rest = text::said::behind_thoughts(reply).filter(|_| may_think).unwrap_or(reply).trim();
    let rest = rest.strip_suffix("<|return|>").unwrap_or(rest).trim();
    ['`', '~'].into_iter().find_map(|mark| within_fence(rest, mark)).unwrap_or(rest)
}

/// The content of a code fence made of this mark, if the fence is tagged `json` or has no tag. The closing fence has at
/// least as many marks as the opening one; content with a second fence in it fails later because it is not JSON.
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
