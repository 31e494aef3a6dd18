//! Why somebody cannot be asked.

use crate::environment::Unset;
use crate::source::Span;

/// Why a case or a judge cannot be asked, and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// What is missing or wrong.
    pub message: String,
    /// How to fix it.
    pub help: String,
    /// The place that stands in the way, where it is not the case.
    pub at: Option<Span>,
}

impl Obstacle {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), at: None }
    }

    /// The same at a place of the scenario's file.
    pub(super) fn at(self, span: Span) -> Self {
        Self { at: Some(span), ..self }
    }

    /// A variable that a part of a file waits for.
    pub(super) fn unset(unset: &Unset) -> Self {
        Self::new(format!("{unset}"), unset.help())
    }
}
