//! A conversation as expectations see it: what the application answered, and which facts it had been given.
//!
//! None of the customer's words are in it, so no expectation can be met by them.

use std::sync::Arc;

use super::{Candidate, Fact, Reading, Seen, Setup};
use crate::manifest::Place;
use crate::source::Span;
use crate::text;
use crate::vocabulary::{EndedBy, ToolCall};

/// A conversation that has come to its end, with at least one answer.
#[derive(Clone, Debug)]
pub struct Talk<'a> {
    /// The answers, in order.
    pub turns: Vec<Heard<'a>>,
    /// The calls of all answers, in order.
    pub calls: Vec<ToolCall>,
    /// What the customer knows.
    pub facts: &'a [Fact],
    /// What ended it.
    pub ended: EndedBy,
}

/// The answer to one turn.
#[derive(Clone, Debug)]
pub struct Heard<'a> {
    /// 1-based number of the turn.
    pub number: u32,
    /// Its id, where the script gives it one.
    pub id: Option<&'a str>,
    /// What was answered.
    pub answer: Candidate<'a>,
    /// The facts that had been given before, by their places.
    pub given: Vec<usize>,
    /// How many messages stand before the answer.
    pub before: usize,
}

impl Heard<'_> {
    /// `answer 3 (third)`.
    #[must_use]
    pub fn named(&self) -> String {
        format!("answer {}", Place::words(self.number, self.id))
    }
}

impl Talk<'_> {
    /// The conversation as one answer: the last words, and the calls of all.
    #[must_use]
    pub fn candidate<'t>(&'t self, seen: Option<&'t Seen>) -> Candidate<'t> {
        let last = self.turns.last().map_or(Candidate::of(""), |turn| turn.answer);
        Candidate { tool_calls: &self.calls, talk: Some(self), seen, ..last }
    }

    /// The last answer by itself.
    pub(super) fn last(&self) -> Option<&Heard<'_>> {
        self.turns.last()
    }

    /// Why the absence of something in these answers proves nothing.
    pub(super) fn hollow(&self) -> Option<String> {
        self.turns.iter().find_map(|turn| {
            let reason = turn.answer.hollow()?;
            Some(format!("{}: {reason}", turn.named()))
        })
    }
}

/// What an expectation of a conversation may name.
#[derive(Clone, Debug)]
pub struct Scope {
    /// What the customer knows.
    pub facts: Arc<[Fact]>,
    /// The ids of the turns, each with its 1-based number.
    pub turns: Vec<(String, u32)>,
    /// How many turns there are at most.
    pub most: u32,
    /// The ways in which it may end, besides errors.
    pub ends: Vec<EndedBy>,
}

impl Scope {
    /// The number of the turn with an id; reports one that there is not.
    pub(super) fn turn(&self, id: &str, span: Span, reading: &mut Reading<'_>) -> Option<u32> {
        let found = self.turns.iter().find(|(known, _)| known == id).map(|(_, number)| *number);
        if found.is_none() {
            let known: Vec<&str> = self.turns.iter().map(|(id, _)| id.as_str()).collect();
            let help = text::meant(id, &known, || match known.as_slice() {
                [] => "give the turn that is meant an `id:`".to_owned(),
                known => format!("there are {}", text::list(known)),
            });
            reading.refuse(
                "unknown-turn",
                span,
                format!("no turn has the id `{}`", text::excerpt(id, 60)),
                help,
            );
        }
        found
    }

    /// The places of named facts; reports those that there are not.
    pub(super) fn facts(&self, names: &[(&str, Span)], reading: &mut Reading<'_>) -> Vec<usize> {
        let known: Vec<&str> = self.facts.iter().map(|fact| fact.name.as_str()).collect();
        let mut found = Vec::new();
        for (name, span) in names {
            if let Some(at) = known.iter().position(|one| one == name) {
                found.push(at);
                continue;
            }
            let help = text::meant(name, &known, || match known.as_slice() {
                [] => "list it under `facts:`".to_owned(),
                known => format!("there are {}", text::list(known)),
            });
            let message = format!("the customer has no fact `{}`", text::excerpt(name, 60));
            reading.refuse("unknown-fact", *span, message, help);
        }
        found
    }
}

impl Setup {
    /// The same for what is said of one answer.
    #[must_use]
    pub fn of_answers(&self) -> Self {
        Self { talk: None, ..self.clone() }
    }
}
