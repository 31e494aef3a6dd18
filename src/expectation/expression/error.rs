//! What is wrong with an expression, and what in it may mislead.

use thiserror::Error;

/// An expression cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// What is wrong, in one line.
    pub message: String,
    /// Where, 0-based, in characters of the expression.
    pub offset: usize,
    /// How many characters are meant; 0 is a place between two.
    pub length: usize,
    /// How to mend it.
    pub help: String,
}

impl ExpressionError {
    /// An error at some characters.
    pub(super) fn at(
        offset: usize,
        length: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { message: message.into(), offset, length, help: help.into() }
    }
}

/// An expression can be used, but may not say what was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionWarning {
    /// What may mislead, in one line.
    pub message: String,
    /// Where, 0-based, in characters of the expression.
    pub offset: usize,
    /// How to make it plain.
    pub help: String,
}
