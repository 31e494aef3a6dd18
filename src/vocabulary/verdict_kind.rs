//! The kinds of expectations, as written under `type:`; verdicts have the same kinds.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// A kind of expectation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum VerdictKind {
    /// An expectation is met by the answer to one turn.
    Answer,
    /// All or any of several expectations are met.
    Combined,
    /// All or any of several strings are in the answer.
    Contains,
    /// A JavaScript function, which is refused.
    Custom,
    /// The conversation ended in one of these ways.
    Ended,
    /// The answer ends with this text.
    EndsWith,
    /// An expectation is met by every answer of a conversation.
    EveryAnswer,
    /// The answer is this text.
    Exact,
    /// An expectation is met by the first answer.
    FirstAnswer,
    /// The answer is nearly this text.
    Fuzzy,
    /// The customer is handed over to a person.
    Handoff,
    /// After a handoff the application stays out of the conversation.
    HandoffKept,
    /// Some functions are called, and others are not.
    Tools,
    /// A small expression is true.
    Inline,
    /// The answer refuses what was asked.
    IsRefusal,
    /// What the customer gave is repeated as it was given.
    Keeps,
    /// The answer is JSON that obeys a schema.
    JsonSchema,
    /// The answer is in a language.
    Language,
    /// An expectation is met by the last answer.
    LastAnswer,
    /// The whole answer came within a time limit.
    Latency,
    /// The number of characters, words or sentences in the answer is within limits.
    Length,
    /// A judge's score reaches the threshold.
    LlmGrader,
    /// No answer and no call is repeated.
    NoLoop,
    /// Nothing is asked that the customer has given.
    NoReask,
    /// None of several strings is in the answer.
    NotContains,
    /// No personal data or credentials are in the answer.
    Pii,
    /// A pattern matches somewhere in the answer.
    Regex,
    /// The answer means the same as a given text.
    Similarity,
    /// An expectation is met by at least one answer.
    SomeAnswer,
    /// The answer begins with this text.
    StartsWith,
    /// Another expectation is not met.
    Not,
    /// A kind of a newer version.
    #[strum(disabled)]
    Other(String),
}

super::word::open!(VerdictKind);

impl VerdictKind {
    /// Whether its score rates how good an answer is, not only whether it passes.
    #[must_use]
    pub fn is_graded(&self) -> bool {
        match self {
            Self::LlmGrader | Self::Fuzzy | Self::Similarity => true,
            Self::Answer
            | Self::Combined
            | Self::Contains
            | Self::Custom
            | Self::Ended
            | Self::EndsWith
            | Self::EveryAnswer
            | Self::Exact
            | Self::FirstAnswer
            | Self::Handoff
            | Self::HandoffKept
            | Self::Tools
            | Self::Inline
            | Self::IsRefusal
            | Self::JsonSchema
            | Self::Keeps
            | Self::Language
            | Self::LastAnswer
            | Self::Latency
            | Self::Length
            | Self::NoLoop
            | Self::NoReask
            | Self::NotContains
            | Self::Pii
            | Self::Regex
            | Self::SomeAnswer
            | Self::StartsWith
            | Self::Not
            | Self::Other(_) => false,
        }
    }

    /// What it can apply to.
    #[must_use]
    pub fn about(&self) -> About {
        match self {
            Self::Combined | Self::Not | Self::LlmGrader | Self::Handoff | Self::Tools => About::Both,
            Self::Answer
            | Self::Ended
            | Self::EveryAnswer
            | Self::FirstAnswer
            | Self::HandoffKept
            | Self::Keeps
            | Self::LastAnswer
            | Self::NoLoop
            | Self::NoReask
            | Self::SomeAnswer => About::Conversation,
            Self::Contains
            | Self::Custom
            | Self::EndsWith
            | Self::Exact
            | Self::Fuzzy
            | Self::Inline
            | Self::IsRefusal
            | Self::JsonSchema
            | Self::Language
            | Self::Latency
            | Self::Length
            | Self::NotContains
            | Self::Pii
            | Self::Regex
            | Self::Similarity
            | Self::StartsWith
            | Self::Other(_) => About::Answer,
        }
    }
}

/// What an expectation can apply to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// One answer.
    Answer,
    /// A conversation.
    Conversation,
    /// Either.
    Both,
}
