//! Why an answer ended, from the words of providers.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, EnumMessage, EnumString, IntoStaticStr};

/// Why an answer ended.
///
/// Only an answer that ended by itself or with a tool call is complete. A word that is not in the table is
/// [`StopReason::Unknown`]: a vendor that adds one must not turn a broken answer into a pass.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    EnumIter,
    EnumMessage,
    EnumString,
    IntoStaticStr,
    Serialize,
    Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum StopReason {
    /// Whole: it ended by itself.
    Complete,
    /// Whole: it calls a tool.
    ToolCalls,
    /// Cut at a limit on tokens or on the context.
    Cut,
    /// Refused by the model.
    Refused,
    /// Refused by a filter of the platform.
    Filtered,
    /// Broken by an error: asked for again, then errored.
    Broken,
    /// Unknown: errored, and the word is named.
    Unknown,
}

/// The words of each reason, in lowercase and with `_` for `-`.
const WORDS: [(StopReason, &[&str]); 6] = [
    (
        StopReason::Complete,
        &["", "stop", "end_turn", "stop_sequence", "eos", "eos_token", "complete", "completed"],
    ),
    (StopReason::ToolCalls, &["tool_calls", "tool_use", "tool_call", "function_call"]),
    (
        StopReason::Cut,
        &[
            "length",
            "max_tokens",
            "max_output_tokens",
            "model_length",
            "model_context_window_exceeded",
            "incomplete",
            "pause_turn",
        ],
    ),
    (StopReason::Refused, &["refusal"]),
    (
        StopReason::Filtered,
        &[
            "content_filter",
            "content_filtered",
            "safety",
            "recitation",
            "blocklist",
            "prohibited_content",
            "spii",
            "language",
            "model_armor",
            "image_safety",
            "image_prohibited_content",
            "image_recitation",
            "guardrail_intervened",
            "sensitive",
        ],
    ),
    (
        StopReason::Broken,
        &[
            "error",
            "failed",
            "timeout",
            "abort",
            "cancelled",
            "network_error",
            "malformed_function_call",
            "malformed_response",
            "unexpected_tool_call",
            "too_many_tool_calls",
            "missing_thought_signature",
        ],
    ),
];

impl StopReason {
    /// The reason for a provider's word; without a word, the answer ended by itself.
    ///
    /// Case does not matter, and `-` and `_` are the same.
    #[must_use]
    pub fn of(word: Option<&str>) -> Self {
        let folded = folded(word.unwrap_or_default());
        let known = WORDS.iter().find(|(_, words)| words.contains(&folded.as_str()));
        known.map_or(Self::Unknown, |(reason, _)| *reason)
    }

    /// The words that mean it, in lowercase and with `_` for `-`; empty for [`StopReason::Unknown`], which is every
    /// other word.
    #[must_use]
    pub fn words(self) -> &'static [&'static str] {
        WORDS.iter().find(|(reason, _)| *reason == self).map_or(&[], |(_, words)| words)
    }

    /// Whether the text is complete.
    #[must_use]
    pub fn is_whole(self) -> bool {
        match self {
            Self::Complete | Self::ToolCalls => true,
            Self::Cut | Self::Refused | Self::Filtered | Self::Broken | Self::Unknown => false,
        }
    }

    /// Whether there is an answer to judge: a complete or truncated one, or a refusal.
    #[must_use]
    pub fn is_answer(self) -> bool {
        match self {
            Self::Complete | Self::ToolCalls | Self::Cut | Self::Refused | Self::Filtered => true,
            Self::Broken | Self::Unknown => false,
        }
    }
}

/// A word in the form used for lookup.
pub(super) fn folded(word: &str) -> String {
    word.to_ascii_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_recognized_in_any_case_and_with_any_dashes() {
        let table = [
            (StopReason::Complete, "stop STOP end-turn COMPLETE"),
            (StopReason::ToolCalls, "tool_use TOOL_CALL tool-calls"),
            (StopReason::Cut, "length MAX_TOKENS max-tokens"),
            (StopReason::Refused, "refusal REFUSAL"),
            (StopReason::Filtered, "SAFETY content-filter PROHIBITED_CONTENT"),
            (StopReason::Broken, "ERROR TIMEOUT MALFORMED_FUNCTION_CALL"),
            // Lookalike letters, and Unicode that folds to a known word.
            (
                StopReason::Unknown,
                "stopped end.turn other malformed_jane.doe@example.com null 0 st\u{f6}p \u{ff53}top \u{405}TOP bloc\u{212a}list",
            ),
        ];
        for (reason, words) in table {
            for word in words.split_whitespace() {
                assert_eq!(StopReason::of(Some(word)), reason, "{word}");
            }
        }
        assert_eq!([None, Some("")].map(StopReason::of), [StopReason::Complete; 2]);
        assert_eq!([" stop", "stop\n"].map(|word| StopReason::of(Some(word))), [StopReason::Unknown; 2]);
    }
}
