//! One trial of a case: a conversation, turn by turn.
//!
//! A single question is a conversation of one turn. Code that uses the accessors works for both.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Fault, Verdict};
use crate::text;
use crate::vocabulary::{Answer, EndedBy, Outcome};

/// One trial of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Trial {
    /// 0-based.
    pub index: u32,
    /// Whether it was asked again to confirm a failure; it does not count for rates.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirmation: bool,
    /// Whether it was asked again with all compared cases, because the whole suite seemed to do worse; also a
    /// confirmation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub second_round: bool,
    /// Its result.
    pub outcome: Outcome,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The turns, in order; empty if a single question got no answer.
    // A slice, because a run has a trial or more per case, and a growing list reserves room for four turns where one is
    // needed.
    #[serde(default, skip_serializing_if = "<[Turn]>::is_empty")]
    #[cfg_attr(test, schemars(with = "Vec<Turn>"))]
    pub turns: Box<[Turn]>,
    /// Why it could not be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Box<Fault>>,
    /// For a conversation: how it ended, and how it was judged as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Box<Held>>,
}

/// A conversation as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Held {
    /// What ended it.
    pub ended_by: EndedBy,
    /// Number of turns: those of the script, or else those that happened.
    pub turns: u32,
    /// The verdict on the whole; missing if only its turns are judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// One message to the application, and what came back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Turn {
    /// The message of this turn; empty if it is the prompt of the case.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub asked: String,
    /// The answer; missing if none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// The verdicts on the answer, one per expectation of the turn.
    #[serde(default, skip_serializing_if = "<[Verdict]>::is_empty")]
    #[cfg_attr(test, schemars(with = "Vec<Verdict>"))]
    pub verdicts: Box<[Verdict]>,
    /// Its place in the conversation; missing for a single question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Box<Place>>,
}

/// The place of a turn in a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Place {
    /// 1-based number.
    pub number: u32,
    /// Its id, if the script has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The line of the customer's words in the scenario file, 1-based.
    pub line: u32,
    /// Whether the customer comes back in a new session (`session: new`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub new_session: bool,
}

/// A verdict that explains the outcome of a trial.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// What was found.
    pub verdict: &'a Verdict,
    /// The turn it is about; `None` if it is about the whole conversation.
    pub turn: Option<&'a Turn>,
}

impl Place {
    /// For example `3 (third)`.
    #[must_use]
    pub fn named(&self) -> String {
        Self::words(self.number, self.id.as_deref())
    }

    /// Like `named`, but for a number and an id.
    #[must_use]
    pub fn words(number: u32, id: Option<&str>) -> String {
        match id {
            Some(id) => format!("{number} ({})", text::excerpt(id, 40)),
            None => number.to_string(),
        }
    }
}

impl Turn {
    fn number(&self) -> Option<u32> {
        Some(self.place.as_ref()?.number)
    }
}

impl<'a> Telling<'a> {
    /// Its place in a conversation of several turns.
    #[must_use]
    pub fn place(&self) -> Option<&'a Place> {
        self.turn?.place.as_deref()
    }

    /// Why, without the turn that [`Self::at`] already names.
    #[must_use]
    pub fn reason(&self) -> &'a str {
        let reason = self.verdict.reason.as_str();
        let begin = self.place().map(|place| format!("answer {}", place.named()));
        let rest = begin.and_then(|begin| reason.strip_prefix(begin.as_str()));
        let rest = rest.and_then(|rest| rest.strip_prefix(": ").or(rest.strip_prefix(' ')));
        match rest.unwrap_or(reason) {
            "" => self.verdict.outcome.word(),
            reason => reason,
        }
    }
}

impl Trial {
    /// The first trial of a single question, which asks the prompt of its case.
    #[must_use]
    pub fn single(outcome: Outcome, answer: Option<Answer>, verdict: Option<Verdict>) -> Self {
        let turn =
            Turn { asked: String::new(), answer, verdicts: verdict.into_iter().collect(), place: None };
        let came = turn.answer.is_some() || !turn.verdicts.is_empty();
        Self {
            index: 0,
            confirmation: false,
            second_round: false,
            outcome,
            score: None,
            turns: came.then_some(turn).into_iter().collect(),
            fault: None,
            conversation: None,
        }
    }

    /// The first turn that went wrong in a conversation that did not pass: one that a verdict is about, or else the
    /// last turn if something could not be asked.
    #[must_use]
    pub fn broken_turn(&self) -> Option<&Turn> {
        self.conversation.as_ref().filter(|_| self.outcome != Outcome::Passed)?;
        match self.decisive().iter().find(|one| one.verdict.counted() == self.outcome) {
            Some(telling) => telling.turn,
            None => self.turns.last().filter(|_| self.fault.is_some()),
        }
    }

    /// Where it broke, for example `turn 3 of 5 (third)`.
    #[must_use]
    pub fn broke_at(&self) -> Option<String> {
        let place = self.broken_turn()?.place.as_ref()?;
        let id = place.id.as_ref().map(|id| format!(" ({})", text::excerpt(id, 40))).unwrap_or_default();
        let of = self.conversation.as_ref().map_or(0, |held| held.turns).max(place.number);
        Some(format!("turn {} of {of}{id}", place.number))
    }

    /// The first turn at which this conversation and another differ, else the last; `None` for single questions.
    #[must_use]
    pub fn differs_at(&self, other: &Self) -> Option<usize> {
        self.conversation.as_ref().or(other.conversation.as_ref())?;
        let is_same = |(one, other): (&Turn, &Turn)| match (&one.answer, &other.answer) {
            (Some(answer), Some(now)) => one.asked == other.asked && answer.says_as(now),
            (None, None) => one.asked == other.asked,
            _ => false,
        };
        let same = self.turns.iter().zip(&other.turns).take_while(|pair| is_same(*pair)).count();
        Some(same.min(self.turns.len().max(other.turns.len()).saturating_sub(1)))
    }

    /// The answer of this turn, else the last.
    #[must_use]
    pub fn answer_at(&self, turn: Option<usize>) -> Option<&Answer> {
        match turn {
            Some(at) => self.turns.get(at)?.answer.as_ref(),
            None => self.answer(),
        }
    }

    /// All answers, in the order of the turns.
    pub fn answers(&self) -> impl DoubleEndedIterator<Item = &Answer> {
        self.turns.iter().filter_map(|turn| turn.answer.as_ref())
    }

    /// The last answer; for a single question, the only one.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        self.answers().next_back()
    }

    /// All verdicts, in the order of the turns.
    pub fn verdicts(&self) -> impl DoubleEndedIterator<Item = &Verdict> {
        let whole = self.conversation.iter().filter_map(|held| held.verdict.as_ref());
        self.turns.iter().flat_map(|turn| &turn.verdicts).chain(whole)
    }

    /// The last verdict; for a single question, the only one.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdicts().next_back()
    }

    /// Whether one of its answers was read from the cache.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.answers().any(|answer| answer.recorded)
    }

    /// Whether the application was asked live, and nothing was read from a file or the cache.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.answers().all(|answer| !answer.given && !answer.recorded)
    }

    /// Whether all its answers were given without a time.
    #[must_use]
    pub fn is_undated(&self) -> bool {
        self.answer().is_some() && self.answers().all(|answer| answer.given && !answer.dated)
    }

    /// Whether one of its verdicts is a grade between 0 and 1, by a judge or by similarity.
    #[must_use]
    pub fn is_graded(&self) -> bool {
        let mut graded = false;
        for verdict in self.verdicts() {
            verdict.walk(&mut |one| graded |= one.kind.is_graded());
        }
        graded
    }

    /// The verdicts that explain the result, without those that were not needed. Earlier turns come first; verdicts
    /// that are not about a single turn come last.
    #[must_use]
    pub fn decisive(&self) -> Vec<Telling<'_>> {
        let of_turns = self.turns.iter().flat_map(|turn| {
            let below = turn.verdicts.iter().flat_map(Verdict::decisive);
            below.map(move |verdict| Telling { verdict, turn: Some(turn) })
        });
        let whole = self.conversation.iter().filter_map(|held| held.verdict.as_ref());
        let whole = whole.flat_map(Verdict::decisive).map(|verdict| {
            let number = verdict.turn.map(|number| u32::from(number.get()));
            let turn = self.turns.iter().find(|turn| number.is_some() && turn.number() == number);
            Telling { verdict, turn }
        });
        let all: Vec<_> = of_turns.chain(whole).collect();
        let mut same: Vec<_> =
            all.iter().copied().filter(|one| one.verdict.outcome == self.outcome).collect();
        if same.is_empty() {
            same = all;
        }
        same.sort_by_key(|one| one.turn.map_or(u32::MAX, |turn| turn.number().unwrap_or_default()));
        same
    }

    /// Why it has this result; for a conversation, also where it broke.
    #[must_use]
    pub fn reason(&self) -> Cow<'_, str> {
        let decisive = self.decisive();
        let why = match (&self.fault, decisive.first()) {
            (Some(fault), _) => &fault.message,
            (None, Some(first)) => first.reason(),
            (None, None) => self.outcome.word(),
        };
        if self.conversation.is_none() {
            return why.into();
        }
        let at = self.broke_at().map(|at| format!("broke at {at}: ")).unwrap_or_default();
        let more = decisive.len().saturating_sub(1);
        let more =
            if more > 0 && self.fault.is_none() { format!("; and {more} more") } else { String::new() };
        format!("{at}{why}{more}").into()
    }

    /// US dollars spent on its answers and on judging them, as far as the costs are known; what comes from the cache
    /// costs nothing.
    #[must_use]
    pub fn spent_usd(&self) -> f64 {
        let paid = self.answers().filter(|answer| !answer.recorded);
        // An empty sum is -0.
        let mut spent = 0.0 + paid.filter_map(|answer| answer.cost_usd).sum::<f64>();
        for verdict in self.verdicts() {
            verdict.walk(&mut |one| {
                let grade = one.grade.as_ref().filter(|grade| !grade.recorded);
                spent += grade.and_then(|grade| grade.cost_usd).unwrap_or(0.0);
            });
        }
        spent
    }
}

#[cfg(test)]
impl Trial {
    /// Replaces or removes the answer to a single question.
    pub fn answer_with(&mut self, answer: Option<Answer>) {
        let verdict = self.verdict().cloned();
        self.turns = Self::single(self.outcome, answer, verdict).turns;
    }

    /// Replaces the verdict on a single answer.
    pub fn judge_with(&mut self, verdict: Verdict) {
        let answer = self.answer().cloned();
        self.turns = Self::single(self.outcome, answer, Some(verdict)).turns;
    }

    /// The last answer, to be changed.
    pub fn answer_mut(&mut self) -> Option<&mut Answer> {
        self.turns.last_mut()?.answer.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_of_one_turn_takes_no_space_for_more() {
        // A run of 100,000 cases holds at least as many trials in memory.
        assert!(size_of::<Trial>() <= 64, "{}", size_of::<Trial>());
        assert!(size_of::<Turn>() <= 320, "{}", size_of::<Turn>());
        assert!(size_of::<Verdict>() <= 208, "{}", size_of::<Verdict>());
        let text = r#"{"index":0,"outcome":"passed","turns":[{"answer":{"text":"yes"}}]}"#;
        let trial: Trial = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&trial).unwrap(), text);
        assert_eq!(trial.answer().map(|answer| answer.text.as_str()), Some("yes"));
    }

    #[test]
    fn a_question_without_an_answer_has_no_turn() {
        let trial = Trial::single(Outcome::Errored, None, None);
        assert_eq!(serde_json::to_string(&trial).unwrap(), r#"{"index":0,"outcome":"errored"}"#);
        assert!(trial.answer().is_none() && trial.verdict().is_none());
    }

    #[test]
    fn the_last_of_several_turns_counts_and_all_are_reported() {
        let turn = |text: &str, asked: &str, cost_usd| Turn {
            asked: asked.to_owned(),
            answer: Some(Answer { text: text.to_owned(), cost_usd, ..Answer::default() }),
            verdicts: Box::default(),
            place: None,
        };
        let mut trial = Trial::single(Outcome::Errored, None, None);
        let unanswered = Turn { asked: "third".to_owned(), ..Turn::default() };
        trial.turns =
            Box::new([turn("one", "first", Some(0.5)), turn("two", "second", Some(0.25)), unanswered]);
        assert_eq!(trial.answer().map(|answer| answer.text.as_str()), Some("two"));
        assert_eq!(trial.answers().count(), 2);
        assert!((trial.spent_usd() - 0.75).abs() < 1e-9);
        let read: Trial = serde_json::from_str(&serde_json::to_string(&trial).unwrap()).unwrap();
        assert_eq!(read, trial);
    }
}
