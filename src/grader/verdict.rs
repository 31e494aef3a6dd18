//! A judge's reply, read strictly: exactly one JSON object with reasoning and a score on the grid.
//!
//! No first-number-in-the-text, no clamping, no fences: what a judge did not say in the agreed
//! form, it did not say.

use serde::Deserialize;

use super::SCALE;
use crate::text;

/// One verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Why, in the judge's words.
    pub reasoning: String,
    /// 0 to [`SCALE`].
    pub score: u32,
}

impl Vote {
    /// The score as a share of the scale, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        f64::from(self.score) / f64::from(SCALE)
    }
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
    #[error("score {0} is not on the scale from 0 to {SCALE}")]
    OffScale(u64),
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

/// Reads a reply.
///
/// # Errors
/// Whenever the reply is anything but one verdict.
pub fn parse(reply: &str, finish_reason: Option<&str>) -> Result<Vote, Unreadable> {
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
    if wire.reasoning.trim().is_empty() {
        return Err(Unreadable::NoReasoning);
    }
    match u32::try_from(wire.score) {
        Ok(score) if score <= SCALE => Ok(Vote { reasoning: wire.reasoning, score }),
        _ => Err(Unreadable::OffScale(wire.score)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_agreed_form_is_a_verdict() {
        let good = [
            (r#"{"reasoning":"kind","score":9}"#, 9),
            ("  {\"reasoning\": \"x\", \"score\": 0}\n", 0),
            (r#"{"score":10,"reasoning":"x"}"#, 10),
        ];
        for (reply, score) in good {
            assert_eq!(parse(reply, Some("stop")).unwrap().score, score, "{reply}");
        }
        let bad = [
            "",
            "9",
            "Score: 9",
            "{\"score\":9}",
            "{\"reasoning\":\"x\",\"score\":9.0}",
            "{\"reasoning\":\"x\",\"score\":\"9\"}",
            "{\"reasoning\":\"x\",\"score\":true}",
            "{\"reasoning\":\"x\",\"score\":null}",
            "{\"reasoning\":\"x\",\"score\":[9]}",
            "{\"reasoning\":\"x\",\"score\":-1}",
            "{\"reasoning\":\"x\",\"score\":11}",
            "{\"reasoning\":\"x\",\"score\":99999999999999999999}",
            "{\"reasoning\":\"x\",\"score\":NaN}",
            "{\"reasoning\":\"x\",\"score\":9,\"score\":10}",
            "{\"reasoning\":\"x\",\"score\":9,\"passed\":true}",
            "{\"reasoning\":\" \",\"score\":9}",
            "{\"reasoning\":\"x\",\"score\":9}{\"reasoning\":\"x\",\"score\":9}",
            "Sure! {\"reasoning\":\"x\",\"score\":9}",
            "{\"reasoning\":\"x\",\"score\":9} done",
            "```json\n{\"reasoning\":\"x\",\"score\":9}\n```",
            "<think>hm</think>{\"reasoning\":\"x\",\"score\":9}",
            "[{\"reasoning\":\"x\",\"score\":9}]",
            "{\"reasoning\":\"x\",\"sco",
            "{\"Reasoning\":\"x\",\"Score\":9}",
            "I cannot help with that.",
            "\u{feff}{\"reasoning\":\"x\",\"score\":9}",
        ];
        for reply in bad {
            assert!(parse(reply, Some("stop")).is_err(), "{reply}");
        }
        for reason in ["length", "content_filter", "refusal"] {
            assert!(parse(good[0].0, Some(reason)).is_err(), "{reason}");
        }
    }
}
