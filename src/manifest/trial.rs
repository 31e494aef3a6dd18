//! One time that a case was asked: a conversation, turn by turn.
//!
//! A single question is a conversation of one turn. Readers ask for answers and verdicts by the accessors, so that
//! they work for both.

use serde::{Deserialize, Serialize};

use super::{Fault, Verdict};
use crate::vocabulary::{Answer, Outcome};

/// One time that a case was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Trial {
    /// 0-based.
    pub index: u32,
    /// Asked again to confirm a failure: not a part of any rate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirmation: bool,
    /// Asked again with all compared cases, because the suite as a whole seemed to do worse; a confirmation, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub second_round: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The turns, in order; none where nothing came back to a single question.
    // A run holds a trial or more for each of its cases: a list that grows makes room for four turns where one is
    // needed.
    #[serde(default, skip_serializing_if = "<[Turn]>::is_empty")]
    #[cfg_attr(test, schemars(with = "Vec<Turn>"))]
    pub turns: Box<[Turn]>,
    /// Why it could not be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Box<Fault>>,
}

/// One message to the application, and what came back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Turn {
    /// What was asked in this turn; empty where it is the prompt of the case.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub asked: String,
    /// The answer; absent where none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// How the answer was judged, a verdict for each expectation of the turn.
    #[serde(default, skip_serializing_if = "<[Verdict]>::is_empty")]
    #[cfg_attr(test, schemars(with = "Vec<Verdict>"))]
    pub verdicts: Box<[Verdict]>,
}

impl Trial {
    /// The first trial of a single question, which asks for the prompt of its case.
    #[must_use]
    pub fn single(outcome: Outcome, answer: Option<Answer>, verdict: Option<Verdict>) -> Self {
        let turn = Turn { asked: String::new(), answer, verdicts: verdict.into_iter().collect() };
        let came = turn.answer.is_some() || !turn.verdicts.is_empty();
        Self {
            index: 0,
            confirmation: false,
            second_round: false,
            outcome,
            score: None,
            turns: came.then_some(turn).into_iter().collect(),
            fault: None,
        }
    }

    /// Every answer, in the order of the turns.
    pub fn answers(&self) -> impl DoubleEndedIterator<Item = &Answer> {
        self.turns.iter().filter_map(|turn| turn.answer.as_ref())
    }

    /// The last answer; of a single question the only one.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        self.answers().next_back()
    }

    /// Every verdict, in the order of the turns.
    pub fn verdicts(&self) -> impl DoubleEndedIterator<Item = &Verdict> {
        self.turns.iter().flat_map(|turn| &turn.verdicts)
    }

    /// The last verdict; of a single question the only one.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdicts().next_back()
    }

    /// Whether an answer of it was read from a record of the cache.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.answers().any(|answer| answer.recorded)
    }

    /// Whether the application was asked, and nothing was read from a file or a record.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.answers().all(|answer| !answer.given && !answer.recorded)
    }

    /// Whether all its answers were given, and none with a time of its own.
    #[must_use]
    pub fn is_undated(&self) -> bool {
        self.answer().is_some() && self.answers().all(|answer| answer.given && !answer.dated)
    }

    /// Whether a verdict of it is a grade between 0 and 1, by a judge or by likeness.
    #[must_use]
    pub fn is_graded(&self) -> bool {
        let mut graded = false;
        for verdict in self.verdicts() {
            verdict.walk(&mut |one| graded |= one.kind.is_graded());
        }
        graded
    }

    /// The verdicts that explain the outcome, those that were not needed left out.
    #[must_use]
    pub fn decisive(&self) -> Vec<&Verdict> {
        let all: Vec<_> = self.verdicts().flat_map(Verdict::decisive).collect();
        let same: Vec<_> = all.iter().copied().filter(|one| one.outcome == self.outcome).collect();
        if same.is_empty() { all } else { same }
    }

    /// Why it came out as it did.
    #[must_use]
    pub fn reason(&self) -> &str {
        if let Some(fault) = &self.fault {
            return &fault.message;
        }
        match self.decisive().first() {
            Some(first) if !first.reason.is_empty() => &first.reason,
            _ => self.outcome.word(),
        }
    }

    /// US dollars spent on the answers and on judging them, as far as they are known; a record costs nothing.
    #[must_use]
    pub fn spent_usd(&self) -> f64 {
        let paid = self.answers().filter(|answer| !answer.recorded);
        // A sum of nothing is -0.
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
    /// The same with an answer in the place of the one to a single question, or without.
    pub fn answer_with(&mut self, answer: Option<Answer>) {
        let verdict = self.verdict().cloned();
        self.turns = Self::single(self.outcome, answer, verdict).turns;
    }

    /// The same with a verdict in the place of the one on a single answer.
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
    fn a_trial_of_one_turn_takes_no_room_for_more() {
        // A run of 100,000 cases holds as many of each.
        assert!(size_of::<Trial>() <= 56, "{}", size_of::<Trial>());
        assert!(size_of::<Turn>() <= 312, "{}", size_of::<Turn>());
        assert!(size_of::<Verdict>() <= 208, "{}", size_of::<Verdict>());
        let text = r#"{"index":0,"outcome":"passed","turns":[{"answer":{"text":"yes"}}]}"#;
        let trial: Trial = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&trial).unwrap(), text);
        assert_eq!(trial.answer().map(|answer| answer.text.as_str()), Some("yes"));
    }

    #[test]
    fn a_question_to_which_nothing_came_has_no_turn() {
        let trial = Trial::single(Outcome::Errored, None, None);
        assert_eq!(serde_json::to_string(&trial).unwrap(), r#"{"index":0,"outcome":"errored"}"#);
        assert!(trial.answer().is_none() && trial.verdict().is_none());
    }

    #[test]
    fn of_several_turns_the_last_answer_counts_and_all_of_them_are_told() {
        let turn = |text: &str, asked: &str, cost_usd| Turn {
            asked: asked.to_owned(),
            answer: Some(Answer { text: text.to_owned(), cost_usd, ..Answer::default() }),
            verdicts: Box::default(),
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
