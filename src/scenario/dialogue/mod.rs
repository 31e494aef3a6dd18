//! What a customer says in a conversation: the turns of a script, or what rules choose based on the application's
//! answers.
//!
//! Both are deterministic and depend only on those answers; no judge chooses a turn or ends a conversation.

mod customer;
mod progress;
mod read;
mod weaker;

use std::sync::Arc;
use std::time::Duration;

use crate::expectation::{Expectation, Fact};
use crate::source::Span;
use crate::vocabulary::EndedBy;

pub use customer::Customer;
pub(super) use customer::REPLY;
pub use progress::{Next, Progress, Say};
pub(super) use read::{CONVERSATION, Read, TURN};

/// Maximum number of messages from a customer.
pub(in crate::scenario) const MOST_TURNS: u64 = 50;

/// What the customer of a case says.
#[derive(Clone, Debug)]
pub struct Dialogue {
    /// What the customer knows.
    pub facts: Arc<[Fact]>,
    /// Whether a turn that fails ends the conversation.
    pub stop_on_failure: bool,
    /// How the customer's lines are chosen.
    pub lines: Lines,
}

/// How the customer's lines are chosen.
#[derive(Clone, Debug)]
pub enum Lines {
    /// One after the other.
    Turns(Vec<Line>),
    /// By rules.
    Customer(Box<Customer>),
}

/// A turn of a script.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its id.
    pub id: Option<String>,
    /// Where it is in the file.
    pub span: Span,
    /// The customer's words.
    text: Vec<Piece>,
    /// What is expected of the answer.
    pub expectation: Option<Expectation>,
    /// The turn is skipped if the last answer does not meet this.
    pub condition: Option<Expectation>,
    /// `if` as written in the file.
    condition_written: serde_json::Value,
    /// Whether it begins another conversation of the same customer.
    pub is_new_session: bool,
    /// How long the customer waits before it.
    pub pause: Option<Duration>,
}

/// A part of what is said.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    /// Literal text.
    Text(String),
    /// What a named group matched in the answer to an earlier turn: the turn's id, and the group's name.
    Group(String, String),
}

impl Dialogue {
    /// The turns of a script; empty for a customer with rules.
    #[must_use]
    pub fn turns(&self) -> &[Line] {
        match &self.lines {
            Lines::Turns(turns) => turns,
            Lines::Customer(_) => &[],
        }
    }

    /// The expectations of its turns.
    pub fn expectations(&self) -> impl Iterator<Item = &Expectation> {
        self.turns().iter().filter_map(|line| line.expectation.as_ref())
    }

    /// Maximum number of messages from the customer.
    #[must_use]
    pub fn most(&self) -> u32 {
        match &self.lines {
            Lines::Turns(turns) => u32::try_from(turns.len()).unwrap_or(u32::MAX),
            Lines::Customer(customer) => customer.max_turns,
        }
    }

    /// What the customer says first, for display.
    #[must_use]
    pub fn opening(&self) -> String {
        match &self.lines {
            Lines::Turns(turns) => turns.first().map_or_else(String::new, Line::written),
            Lines::Customer(customer) => customer.says.clone(),
        }
    }

    /// Everything that the customer can say.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let facts = self.facts.iter().filter_map(|fact| fact.say.clone());
        let own: Vec<String> = match &self.lines {
            Lines::Turns(turns) => turns.iter().map(Line::written).collect(),
            Lines::Customer(customer) => customer.texts().map(str::to_owned).collect(),
        };
        own.into_iter().chain(facts).collect()
    }

    /// Bytes of the longest message of the customer: all facts can be asked for at once.
    #[must_use]
    pub fn longest(&self) -> u64 {
        let facts = self.facts.iter().filter_map(|fact| fact.say.as_ref());
        let facts: usize = facts.map(|say| say.len() + 1).sum();
        self.texts().iter().map(String::len).max().unwrap_or_default().max(facts) as u64
    }

    /// The ways in which it can end.
    fn ends(&self) -> Vec<EndedBy> {
        match &self.lines {
            Lines::Turns(_) => vec![EndedBy::Turns],
            Lines::Customer(customer) => customer.ends(),
        }
    }
}

impl Line {
    /// The turn as written, with the placeholders of groups.
    #[must_use]
    pub fn written(&self) -> String {
        let shown = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Group(turn, name) => format!("{{{{turn.{turn}.{name}}}}}"),
        };
        self.text.iter().map(shown).collect()
    }
}
