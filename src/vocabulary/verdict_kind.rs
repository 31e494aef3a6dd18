//! The kinds of expectation, as written under `type:`, and so of verdicts.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// A kind of expectation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum VerdictKind {
    /// All or any of several hold.
    Combined,
    /// All or any of some texts are in the answer.
    Contains,
    /// A JavaScript function, which is refused.
    Custom,
    /// The answer ends with this text.
    EndsWith,
    /// The answer is this text.
    Exact,
    /// The answer is nearly this text.
    Fuzzy,
    /// The customer is handed over to a person.
    Handoff,
    /// Some functions are called, and others are not.
    Tools,
    /// A small expression holds.
    Inline,
    /// The answer refuses what was asked.
    IsRefusal,
    /// The answer is JSON that obeys a schema.
    JsonSchema,
    /// The answer is in a language.
    Language,
    /// The whole answer came in time.
    Latency,
    /// The answer has so many characters, words or sentences.
    Length,
    /// A judge gives enough.
    LlmGrader,
    /// None of some texts is in the answer.
    NotContains,
    /// No personal data or credentials are in the answer.
    Pii,
    /// A pattern matches somewhere.
    Regex,
    /// The answer means the same as a text.
    Similarity,
    /// The answer begins with this text.
    StartsWith,
    /// Another expectation does not hold.
    Not,
    /// A kind of a newer version.
    #[strum(disabled)]
    Other(String),
}

super::word::open!(VerdictKind);

impl VerdictKind {
    /// Whether its score says how good an answer is, and not only whether it passes.
    #[must_use]
    pub fn is_graded(&self) -> bool {
        match self {
            Self::LlmGrader | Self::Fuzzy | Self::Similarity => true,
            Self::Combined
            | Self::Contains
            | Self::Custom
            | Self::EndsWith
            | Self::Exact
            | Self::Handoff
            | Self::Tools
            | Self::Inline
            | Self::IsRefusal
            | Self::JsonSchema
            | Self::Language
            | Self::Latency
            | Self::Length
            | Self::NotContains
            | Self::Pii
            | Self::Regex
            | Self::StartsWith
            | Self::Not
            | Self::Other(_) => false,
        }
    }
}
