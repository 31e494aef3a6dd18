//! An answer as expectations see it, why it may not count as one, and a conversation of answers.
//!
//! The customer's words are not in it, so they cannot meet an expectation.

use std::num::NonZeroU32;

use serde_json::Value as Json;

use super::{Fact, Seen};
use crate::manifest::Place;
use crate::text;
use crate::vocabulary::{Answer, EndedBy, StopReason, ToolCall};

/// An answer as expectations see it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The text.
    pub text: &'a str,
    /// The calls that it makes.
    pub tool_calls: &'a [ToolCall],
    /// The application's state, if it reports one.
    pub state: Option<&'a Json>,
    /// Why the model stopped, in the provider's word.
    pub finish_reason: Option<&'a str>,
    /// The meaning of that word, if `stopWords` has it.
    pub taught: Option<StopReason>,
    /// Whether an answer that was cut off may still pass expectations about what it contains.
    pub allow_cut: bool,
    /// Number of tokens, if the model spent all of them on thinking.
    pub thinking: Option<NonZeroU32>,
    /// Milliseconds to the whole answer, if measured.
    pub latency_ms: Option<u64>,
    /// What was found in the raw answer, if this one is redacted.
    pub seen: Option<&'a Seen>,
    /// The conversation, if this candidate stands for all of its answers.
    pub talk: Option<&'a Talk<'a>>,
    /// Whether silence is allowed, because the customer is with a person.
    pub may_be_silent: bool,
}

impl<'a> Candidate<'a> {
    /// An answer that ended normally.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        let (state, finish_reason, taught, thinking, latency_ms, seen) = (None, None, None, None, None, None);
        Self {
            text,
            tool_calls: &[],
            state,
            finish_reason,
            taught,
            allow_cut: false,
            thinking,
            latency_ms,
            seen,
            talk: None,
            may_be_silent: false,
        }
    }

    /// An answer as it was received.
    #[must_use]
    pub fn of_answer(answer: &'a Answer, allow_cut: bool, seen: Option<&'a Seen>) -> Self {
        let Answer { text, tool_calls, state, finish_reason, taught, thinking, latency_ms, .. } = answer;
        let (state, finish_reason) = (state.as_ref(), finish_reason.as_deref());
        let (taught, thinking, latency_ms) = (*taught, *thinking, *latency_ms);
        Self {
            text,
            tool_calls,
            state,
            finish_reason,
            taught,
            allow_cut,
            thinking,
            latency_ms,
            seen,
            talk: None,
            may_be_silent: false,
        }
    }

    /// This answer, for a part of an expectation.
    pub(super) fn part(&self, index: usize) -> Self {
        Self { seen: self.seen.map(|seen| seen.part(index)), ..*self }
    }

    /// Why this answer is hollow, so that the absence of forbidden words does not make it a good answer: it has neither
    /// text nor calls, or it is not complete.
    ///
    /// An answer with calls only is not hollow: it really does not contain the words.
    #[must_use]
    pub fn hollow(&self) -> Option<String> {
        if let Some(talk) = self.talk {
            return talk.hollow();
        }
        let strict = Self { allow_cut: false, ..*self };
        if self.may_be_silent && text::said::shows_nothing(self.text) {
            return strict.incomplete();
        }
        strict.incomplete().or_else(|| self.wordless().filter(|_| self.tool_calls.is_empty()))
    }

    /// Why this text cannot pass a pattern or a limit on numbers: it is empty, whatever the answer calls, or it is less
    /// complete than required.
    #[must_use]
    pub fn blank(&self) -> Option<String> {
        self.incomplete().or_else(|| self.wordless())
    }

    /// Why it is not complete.
    pub(super) fn incomplete(&self) -> Option<String> {
        let Some(tokens) = self.thinking else { return self.unfinished() };
        let tokens = text::count(tokens.get() as usize, "token");
        Some(format!("the model used all {tokens} for thinking; raise `maxTokens`"))
    }

    /// Whether it has neither text nor calls.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        self.tool_calls.is_empty() && text::hollow::says_nothing(self.text)
    }

    /// Why its text says nothing.
    pub(super) fn wordless(&self) -> Option<String> {
        let what = || match self.tool_calls {
            [] if text::said::shows_nothing(self.text) => "is empty".to_owned(),
            [] => "says nothing".to_owned(),
            calls => format!("is only {}", ToolCall::summary(calls)),
        };
        text::hollow::says_nothing(self.text).then(|| format!("the answer {}", what()))
    }

    pub(super) fn stop(&self) -> StopReason {
        self.taught.unwrap_or_else(|| StopReason::of(self.finish_reason))
    }

    /// Whether the model or a filter refused to answer, according to the provider.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.stop(), StopReason::Refused | StopReason::Filtered)
    }

    /// Whether it was cut off at a limit.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.stop() == StopReason::Cut
    }

    /// Why no expectation about text can pass on this answer: it is not complete.
    #[must_use]
    pub fn unfinished(&self) -> Option<String> {
        let what = match self.stop() {
            StopReason::Complete | StopReason::ToolCalls => return None,
            StopReason::Cut if self.allow_cut => return None,
            StopReason::Cut => "the answer was cut off",
            StopReason::Refused | StopReason::Filtered => "the provider refused to answer",
            StopReason::Broken => "the answer ended with an error",
            StopReason::Unknown => "the answer ended for a reason that akit does not know",
        };
        let word = text::excerpt(self.finish_reason.unwrap_or_default(), 40);
        Some(format!("{what} (finish_reason {word})"))
    }
}

/// A finished conversation, with at least one answer.
#[derive(Clone, Debug)]
pub struct Talk<'a> {
    /// The answers, in order.
    pub turns: Vec<Heard<'a>>,
    /// The calls of all answers, in order.
    pub calls: Vec<ToolCall>,
    /// What the customer knows.
    pub facts: &'a [Fact],
    /// How it ended.
    pub ended: EndedBy,
}

/// The answer to one turn.
#[derive(Clone, Debug)]
pub struct Heard<'a> {
    /// 1-based number of the turn.
    pub number: u32,
    /// Its id, if the script gives it one.
    pub id: Option<&'a str>,
    /// The answer.
    pub answer: Candidate<'a>,
    /// The facts given before it, by their index.
    pub given: Vec<usize>,
    /// How many messages come before the answer.
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
    /// The conversation as one answer: the text of the last one, and the calls of all.
    #[must_use]
    pub fn candidate<'t>(&'t self, seen: Option<&'t Seen>) -> Candidate<'t> {
        let last = self.turns.last().map_or(Candidate::of(""), |turn| turn.answer);
        Candidate { tool_calls: &self.calls, talk: Some(self), seen, ..last }
    }

    /// The last answer alone.
    pub(super) fn last(&self) -> Option<&Heard<'_>> {
        self.turns.last()
    }

    /// Why one of these answers is hollow.
    pub(super) fn hollow(&self) -> Option<String> {
        self.turns.iter().find_map(|turn| {
            let reason = turn.answer.hollow()?;
            Some(format!("{}: {reason}", turn.named()))
        })
    }
}
