//! What is wrong with a pattern, and when matching gives up.

use thiserror::Error;

/// The two texts that make a regular expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The pattern.
    Pattern,
    /// The flags.
    Flags,
}

/// A pattern, or its flags, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct PatternError {
    /// What is wrong, in one line.
    pub message: String,
    /// Which of the two texts is wrong.
    pub part: Part,
    /// Where in that text, 0-based, in characters.
    pub offset: usize,
    /// How to mend it.
    pub help: String,
}

impl PatternError {
    /// An error at an offset in the pattern.
    pub(super) fn at(offset: usize, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), part: Part::Pattern, offset, help: help.into() }
    }

    /// An error at an offset in the flags.
    pub(super) fn in_flags(offset: usize, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { part: Part::Flags, ..Self::at(offset, message, help) }
    }
}

/// A search came to no end: whether the text matches is not known.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SearchError {
    /// It took too many steps.
    #[error("pattern {pattern} gave up after {steps} steps without an answer; make it less ambiguous")]
    LimitExceeded {
        /// The pattern between slashes, cut when long.
        pattern: String,
        /// How many steps it was given.
        steps: usize,
    },
    /// The engine refuses a pattern that was taken for right when it was read.
    #[error("pattern {pattern} cannot be searched for: {why}")]
    Refused {
        /// The pattern between slashes, cut when long.
        pattern: String,
        /// Why, as it should have been said then.
        #[source]
        why: PatternError,
    },
}
