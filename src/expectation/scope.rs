//! What an expectation of a conversation can name.

use std::sync::Arc;

use super::{Fact, Reading, Setup};
use crate::source::Span;
use crate::text;
use crate::vocabulary::EndedBy;

/// What an expectation of a conversation can name.
#[derive(Clone, Debug)]
pub struct Scope {
    /// What the customer knows.
    pub facts: Arc<[Fact]>,
    /// The ids of the turns, each with its 1-based number.
    pub turns: Vec<(String, u32)>,
    /// Maximum turns.
    pub most: u32,
    /// How it may end, apart from errors.
    pub ends: Vec<EndedBy>,
}

impl Scope {
    /// The number of the turn with an id; reports an unknown one.
    pub(super) fn turn(&self, id: &str, span: Span, reading: &mut Reading<'_>) -> Option<u32> {
        let found = self.turns.iter().find(|(known, _)| known == id).map(|(_, number)| *number);
        if found.is_none() {
            let known: Vec<&str> = self.turns.iter().map(|(id, _)| id.as_str()).collect();
            let help = text::meant(id, &known, || match known.as_slice() {
                [] => "add an `id:` to the turn that you mean".to_owned(),
                known => format!("use one of {}", text::list(known)),
            });
            reading.refuse("unknown-turn", span, format!("unknown turn `{}`", text::excerpt(id, 60)), help);
        }
        found
    }

    /// The indexes of named facts; reports unknown ones.
    pub(super) fn facts(&self, names: &[(&str, Span)], reading: &mut Reading<'_>) -> Vec<usize> {
        let known: Vec<&str> = self.facts.iter().map(|fact| fact.name.as_str()).collect();
        let mut found = Vec::new();
        for (name, span) in names {
            if let Some(at) = known.iter().position(|one| one == name) {
                found.push(at);
                continue;
            }
            let help = text::meant(name, &known, || match known.as_slice() {
                [] => "add it under `facts:`".to_owned(),
                known => format!("use one of {}", text::list(known)),
            });
            let message = format!("unknown fact `{}`", text::excerpt(name, 60));
            reading.refuse("unknown-fact", *span, message, help);
        }
        found
    }
}

impl Setup {
    /// This scope, for an expectation of one answer.
    #[must_use]
    pub fn of_answers(&self) -> Self {
        Self { talk: None, ..self.clone() }
    }
}
