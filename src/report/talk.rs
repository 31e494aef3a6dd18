//! A conversation in reports: its turns, where it broke, and how it ended.

use std::fmt::Write as _;

use crate::manifest::{Held, Place, Trial, Turn};
use crate::text;
use crate::vocabulary::{EndedBy, Outcome};

use super::calls::{CALL, Calls};

/// A conversation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Talk<'a> {
    pub(super) trial: &'a Trial,
    held: &'a Held,
}

/// One step of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    /// The customer comes back in a new session.
    Session,
    /// Number of turns that were left out.
    LeftOut(u32),
    /// A turn, with its index in the list of turns.
    Said(usize, &'a Turn),
}

impl<'a> Talk<'a> {
    /// The conversation of a trial; `None` for a single question.
    pub(super) fn of(trial: &'a Trial) -> Option<Self> {
        Some(Self { trial, held: trial.conversation.as_deref()? })
    }

    /// For example `broke at turn 3 of 5 (third)`; empty if no single turn broke it.
    pub(super) fn broke(&self) -> String {
        self.trial.broke_at().map_or(String::new(), |at| format!("broke at {at}"))
    }

    /// The turn that readers must see: where it broke, else the last.
    pub(super) fn turn(&self) -> Option<&'a Turn> {
        self.trial.broken_turn().or(self.trial.turns.last())
    }

    /// What is wrong with this turn; `None` if no verdict or fault is about it.
    pub(super) fn mark(&self, turn: &Turn) -> Option<&'static str> {
        let is_same = |other: &Turn| std::ptr::eq(other, turn);
        let is_told = || {
            let decisive = self.trial.decisive();
            self.trial.outcome != Outcome::Passed && decisive.iter().any(|one| one.turn.is_some_and(is_same))
        };
        match self.trial.broken_turn() {
            Some(first) if is_same(first) => Some("broke here"),
            _ if is_told() => Some(self.trial.outcome.word()),
            _ => None,
        }
    }

    /// The steps in order, including those between turns.
    pub(super) fn steps(&self) -> Vec<Step<'a>> {
        let (mut steps, mut before) = (Vec::new(), 0);
        for (at, turn) in self.trial.turns.iter().enumerate() {
            if let Some(place) = &turn.place {
                let gap = place.number.saturating_sub(before + 1);
                steps.extend((gap > 0).then_some(Step::LeftOut(gap)));
                steps.extend(place.new_session.then_some(Step::Session));
                before = place.number;
            }
            steps.push(Step::Said(at, turn));
        }
        steps
    }

    /// For example `ended after turn 4: the script ended`.
    pub(super) fn ended(&self) -> String {
        let why = match &self.held.ended_by {
            EndedBy::Turns => "the script ended",
            EndedBy::Handoff => "a handoff to a person",
            EndedBy::Expectation => "an answer met an expectation under `ends`",
            EndedBy::MaxTurns => "the customer reached `max_turns`",
            EndedBy::Otherwise => "the customer had nothing more to say",
            EndedBy::OffScript => "no rule matched the answer",
            EndedBy::Failure => "a turn failed (`stop_on_failure`)",
            EndedBy::Error => "a question or verdict failed",
            EndedBy::Other(word) => return format!("{}: {}", self.count(), text::excerpt(word, 60)),
        };
        format!("{}: {why}", self.count())
    }

    /// For example `ended after turn 3 of 5`.
    fn count(&self) -> String {
        let last =
            self.trial.turns.last().and_then(|turn| turn.place.as_ref()).map_or(0, |place| place.number);
        match (last, self.held.turns) {
            (0, _) => "ended before the first turn".to_owned(),
            (last, all) if all > last => format!("ended after turn {last} of {all}"),
            (last, _) => format!("ended after turn {last}"),
        }
    }

    /// The conversation as text, with at most this many bytes per value.
    pub(super) fn text(&self, most: usize) -> String {
        let mut out = String::new();
        for step in self.steps() {
            // Writing to a String cannot fail.
            let _ = match step {
                Step::Session => writeln!(out, "-- {NEW_SESSION} --"),
                Step::LeftOut(count) => writeln!(out, "-- {} --", left_out(count)),
                Step::Said(_, turn) => {
                    let mark = self.mark(turn).map_or(String::new(), |mark| format!(" <- {mark}"));
                    let _ = writeln!(out, "{}{mark}", named(turn));
                    let _ = writeln!(out, "customer: {}", text::cut(&turn.asked, most));
                    if let Some(answer) = &turn.answer {
                        let _ = writeln!(out, "application: {}", text::cut(&answer.text, most));
                        let calls = Calls::of(answer.tool_calls.iter());
                        for line in calls.shown.iter().cloned().chain(calls.more()) {
                            let _ = writeln!(out, "  {}: {}", CALL, text::cut(&line, most));
                        }
                    }
                    writeln!(out)
                }
            };
        }
        let _ = writeln!(out, "{}", self.ended());
        out
    }
}

/// Shown between two sessions.
pub(super) const NEW_SESSION: &str = "new session";

/// Shown where turns were left out.
pub(super) fn left_out(count: u32) -> String {
    format!("{} left out: `if` was not met", text::count(count as usize, "turn"))
}

/// For example `turn 3 (third)`.
pub(super) fn named(turn: &Turn) -> String {
    turn.place.as_deref().map(Place::named).map_or("turn".to_owned(), |name| format!("turn {name}"))
}
