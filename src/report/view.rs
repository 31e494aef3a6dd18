//! What a report shows about a case: which facts, in which order and in which words.
//!
//! The format only lays it out: it escapes, cuts, colors and indents. All text here is as untrusted as the model that
//! wrote it.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::gate::State;
use crate::manifest::{Fault, Place, Telling, Trial, Verdict};
use crate::text::number;
use crate::vocabulary::Outcome;

use super::Entry;
use super::calls::{CALL, Calls};
use super::entry::bad;
use super::talk::Talk;

/// Says that a case is proven broken.
pub(super) const BROKEN: &str = "passed in the baseline and fails now";

/// The application's own state, in contrast to the state of a case in the baseline.
pub(super) const STATE: &str = "application state";

/// The label of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label<'a> {
    /// A fact about the whole case, which a heading may already show.
    Heading(&'static str),
    /// A fact about the case or the trial.
    Own(&'static str),
    /// The kind of an expectation or fault, which may contain any text.
    Kind(&'a str),
    /// A detail of the preceding kind.
    Part(&'static str),
    /// Where a conversation broke: `broke at turn 3 of 5`.
    Broke(&'a str),
    /// The answer to the turn where a conversation broke, for formats that do not show the answer anyway.
    Answer,
    /// How much is left out; the value needs no label.
    More,
}

/// A labeled value, never empty.
pub(super) type Fact<'a> = (Label<'a>, Cow<'a, str>);

/// One case, as every report presents it.
#[derive(Debug)]
pub(super) struct View<'a> {
    /// `scenario/id`.
    pub(super) name: String,
    /// The title; empty if the case has none.
    pub(super) title: &'a str,
    /// File and line.
    pub(super) place: String,
    /// What the baseline or the policy says about a case that did not pass; otherwise empty.
    pub(super) state: String,
    /// How many trials passed; empty for a single trial.
    pub(super) trials: String,
    pub(super) asked: &'a str,
    /// The reason in one sentence.
    pub(super) why: Cow<'a, str>,
    /// The trial that explains the result.
    pub(super) trial: TrialView<'a>,
}

/// One trial.
#[derive(Debug, Default)]
pub(super) struct TrialView<'a> {
    /// Why it could not be judged.
    pub(super) fault: Option<&'a Fault>,
    /// The expectations that explain the result.
    pub(super) verdicts: Vec<VerdictView<'a>>,
    pub(super) answer: Option<&'a str>,
    /// The function calls of the answer.
    pub(super) calls: Calls,
    /// The application's own state.
    pub(super) state: Option<&'a Json>,
    /// The conversation, if there is one: answer, calls and state belong to the turn where it broke.
    pub(super) talk: Option<Talk<'a>>,
    /// For example `broke at turn 3 of 5`; empty if no single turn broke it.
    broke: String,
    /// The customer's words in that turn.
    asked: &'a str,
}

/// The verdict of one expectation.
#[derive(Debug)]
pub(super) struct VerdictView<'a> {
    pub(super) verdict: &'a Verdict,
    /// The turn it is about, in a conversation.
    pub(super) place: Option<&'a Place>,
    /// Whether it is about a conversation or a turn of one.
    pub(super) is_of_talk: bool,
    pub(super) kind: &'a str,
    /// The reason without the turn; empty if the verdict has no reason.
    pub(super) reason: Cow<'a, str>,
    /// The score, for example `0.4, 0.7 required`; empty if there is none.
    pub(super) score: String,
    /// Whether the reason repeats the judge's words.
    pub(super) quotes_judge: bool,
}

impl<'a> View<'a> {
    pub(super) fn of(entry: &Entry<'a>) -> Self {
        let case = entry.case;
        // For a case that passed in the end, what matters is why a trial did not.
        let trial = match case.outcome {
            Outcome::Passed => case.trials.iter().find(|trial| bad(trial.outcome)),
            Outcome::Failed | Outcome::Errored | Outcome::Skipped => case.telling(),
        };
        let why = match (case.outcome, trial) {
            (Outcome::Passed, Some(trial)) => trial.reason(),
            _ if !case.reason.is_empty() => case.reason.as_str().into(),
            (Outcome::Skipped, _) => "not asked".into(),
            (_, Some(trial)) => trial.reason(),
            (outcome, None) => outcome.word().into(),
        };
        let trial = trial.map(TrialView::of).unwrap_or_default();
        Self {
            name: entry.name(),
            title: case.name.as_deref().unwrap_or_default(),
            place: case.location.to_string(),
            state: state(entry),
            trials: entry.tally().map_or(String::new(), |(passed, all)| format!("{passed} of {all} passed")),
            asked: if trial.asked.is_empty() { &case.prompt } else { trial.asked },
            why,
            trial,
        }
    }

    /// All facts except the text of the answer, with at most `most` expectations.
    pub(super) fn facts(&self, most: usize) -> Vec<Fact<'_>> {
        let mut facts: Vec<Fact<'_>> = vec![
            (Label::Heading("title"), self.title.into()),
            (Label::Own("at"), self.place.as_str().into()),
            (Label::Heading("state"), self.state.as_str().into()),
            (Label::Own("trials"), self.trials.as_str().into()),
        ];
        // In a conversation, the turn identifies it.
        let asked = if self.trial.asked.is_empty() { self.asked } else { "" };
        facts.push((Label::Own("asked"), asked.into()));
        facts.retain(|(_, value)| !value.is_empty());
        facts.extend(self.trial.facts(most));
        facts
    }
}

/// What the baseline or the policy says about a case that did not pass.
fn state(entry: &Entry<'_>) -> String {
    if !bad(entry.case.outcome) {
        return String::new();
    }
    let word = match (entry.state, entry.blocking) {
        (
            State::Broken
            | State::Cleared
            | State::Open
            | State::Degraded
            | State::Flaky
            | State::Unconfirmed
            | State::Quarantined,
            _,
        ) => entry.state.words(),
        (State::FailingAsBefore, false) => "failing as before, does not block",
        (State::FailingAsBefore, true) => "failing as before",
        (State::New, _) => "new",
        (State::Changed, _) => "changed",
        (State::Failed, false) => "allowed by the policy",
        (State::Failed, true) | (State::Passed | State::Fixed | State::Errored | State::Skipped, _) => {
            return entry.note.to_owned();
        }
    };
    if entry.note.is_empty() { word.to_owned() } else { format!("{word}: {}", entry.note) }
}

impl<'a> TrialView<'a> {
    pub(super) fn of(trial: &'a Trial) -> Self {
        let talk = Talk::of(trial);
        let turn = talk.and_then(|talk| talk.turn());
        let of_talk = |one| VerdictView { is_of_talk: talk.is_some(), ..VerdictView::of_turn(one) };
        let answer = turn.map_or(trial.answer(), |turn| turn.answer.as_ref());
        // If no single turn broke it, the calls of all turns matter.
        let of_all = talk.is_some() && trial.broken_turn().is_none();
        let calls =
            trial.answers().filter(|one| of_all || answer.is_some_and(|answer| std::ptr::eq(*one, answer)));
        let calls = calls.flat_map(|answer| &answer.tool_calls);
        Self {
            fault: trial.fault.as_deref(),
            verdicts: trial.decisive().into_iter().map(of_talk).collect(),
            answer: answer.map(|answer| answer.text.as_str()),
            calls: Calls::of(calls),
            state: answer.and_then(|answer| answer.state.as_ref()),
            broke: talk.map_or(String::new(), |talk| talk.broke()),
            asked: turn.map_or("", |turn| &turn.asked),
            talk,
        }
    }

    /// The first thing that explains the trial: the kind of its fault or of an expectation.
    pub(super) fn kind(&self) -> &'a str {
        let fault = self.fault.map(|fault| fault.kind.word());
        fault.or(self.verdicts.first().map(|one| one.kind)).unwrap_or_default()
    }

    /// All facts except the text of the answer, with at most `most` expectations.
    pub(super) fn facts(&self, most: usize) -> Vec<Fact<'_>> {
        let mut facts: Vec<Fact<'_>> = Vec::new();
        let broke = Some(Label::Broke(&self.broke)).filter(|_| !self.broke.is_empty());
        if let Some(fault) = self.fault {
            facts.push((broke.unwrap_or(Label::Kind(fault.kind.word())), fault.message.as_str().into()));
            facts.extend(broke.map(|_| (Label::Part("error"), fault.kind.word().into())));
            facts.push((Label::Own("help"), fault.help.as_str().into()));
        }
        let mut verdicts = self.verdicts.iter().take(most);
        if let (Some(broke), None, Some(first)) = (broke, self.fault, self.verdicts.first()) {
            verdicts.next();
            facts.push((broke, first.why().into()));
            facts.push((Label::Part("expectation"), first.kind.into()));
            facts.extend(first.parts());
        }
        if let Some(talk) = &self.talk {
            facts.push((Label::Own("conversation"), talk.ended().into()));
            facts.push((Label::Own("asked"), self.asked.into()));
            facts.push((Label::Answer, self.answer.unwrap_or_default().into()));
            facts.extend(self.said());
        }
        facts.extend(verdicts.flat_map(VerdictView::facts));
        if self.verdicts.len() > most {
            facts.push((
                Label::More,
                format!("… and {} more", number::size(self.verdicts.len() - most)).into(),
            ));
        }
        if self.talk.is_none() {
            facts.extend(self.said());
        }
        facts.retain(|(_, value)| !value.is_empty());
        facts
    }

    /// The calls of the answer and the state.
    fn said(&self) -> Vec<Fact<'_>> {
        let mut facts: Vec<Fact<'_>> = Vec::new();
        facts.extend(self.calls.shown.iter().map(|call| (Label::Own(CALL), call.into())));
        facts.extend(self.calls.more().map(|words| (Label::More, words.into())));
        facts.extend(self.state.map(|state| (Label::Own(STATE), state.to_string().into())));
        facts
    }
}

impl<'a> VerdictView<'a> {
    pub(super) fn of(verdict: &'a Verdict) -> Self {
        let reason = match &verdict.fault {
            Some(fault) if verdict.reason.is_empty() => format!("{}: {}", fault.kind, fault.message).into(),
            _ => Cow::from(&verdict.reason),
        };
        let said = verdict.grade.as_ref().map_or("", |grade| grade.reasoning.trim());
        Self {
            verdict,
            place: None,
            is_of_talk: false,
            kind: verdict.kind.word(),
            score: score(verdict),
            quotes_judge: !said.is_empty() && reason.contains(said),
            reason,
        }
    }

    /// The verdict on a turn of a conversation, with the turn next to the reason.
    fn of_turn(telling: Telling<'a>) -> Self {
        let view = Self::of(telling.verdict);
        match telling.place() {
            None => view,
            Some(_) if view.verdict.reason.is_empty() => Self { place: telling.place(), ..view },
            Some(place) => Self { place: Some(place), reason: telling.reason().into(), ..view },
        }
    }

    /// The reason, or at least the result.
    fn why(&self) -> &str {
        if self.reason.is_empty() { self.verdict.outcome.word() } else { &self.reason }
    }

    /// The reason, or at least the result, after its turn.
    pub(super) fn message(&self) -> Cow<'_, str> {
        match self.place {
            Some(place) => format!("turn {}: {}", place.named(), self.why()).into(),
            None => self.why().into(),
        }
    }

    /// The expectation and its details.
    fn facts(&self) -> Vec<Fact<'_>> {
        let mut facts = vec![(Label::Kind(self.kind), self.message())];
        facts.extend(self.parts());
        facts
    }

    /// The details of an expectation.
    fn parts(&self) -> Vec<Fact<'_>> {
        let mut facts: Vec<Fact<'_>> = vec![
            (Label::Part("expected"), self.verdict.expected.as_str().into()),
            (Label::Part("got"), self.verdict.got.as_str().into()),
            (Label::Part("score"), self.score.as_str().into()),
        ];
        if let Some(grade) = &self.verdict.grade {
            let split = grade.votes.windows(2).any(|pair| (pair[0] - pair[1]).abs() > 0.0);
            facts.push((Label::Part("judge"), grade.grader.as_str().into()));
            // A single vote is the same as the score.
            facts.extend(split.then(|| (Label::Part("votes"), votes(&grade.votes).into())));
            let reasoning = (Label::Part("reasoning"), grade.reasoning.as_str().into());
            facts.extend((!self.quotes_judge).then_some(reasoning));
        }
        facts
    }
}

/// The votes, for example `0.2, 0.8, 0.4`.
pub(super) fn votes(votes: &[f64]) -> String {
    votes.iter().map(|vote| number::score(*vote)).collect::<Vec<_>>().join(", ")
}

/// The score, for example `0.4, 0.7 required`; empty if there is none.
pub(super) fn score(verdict: &Verdict) -> String {
    match (verdict.score, verdict.threshold) {
        (None, _) => String::new(),
        (Some(score), Some(limit)) => {
            let (score, limit) = number::scores(score, limit);
            format!("{score}, {limit} required")
        }
        (Some(score), None) => number::score(score),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Policy;
    use crate::manifest::Grade;
    use crate::report::fixture::{Fixture, case, trial, verdict};
    use crate::vocabulary::{FaultKind, VerdictKind};

    /// The facts of a failed case whose only trial has this verdict, one per line.
    fn facts(found: Verdict, most: usize) -> String {
        let trials = vec![trial(0, Outcome::Failed, Some(found), "Soon.")];
        let one = case("support", "a", Outcome::Failed, trials);
        let fixture = Fixture::of(vec![one], &Policy::default());
        let entry = fixture.report().with(Outcome::Failed)[0];
        let view = View::of(&entry);
        let line = |(label, value): Fact<'_>| match label {
            Label::Heading(label) | Label::Own(label) | Label::Kind(label) => format!("{label}: {value}\n"),
            Label::Part(label) => format!("  {label}: {value}\n"),
            Label::Answer | Label::Broke(_) => unreachable!(),
            Label::More => format!("{value}\n"),
        };
        view.facts(most).into_iter().map(line).collect()
    }

    #[test]
    fn the_judges_reasoning_is_not_repeated_if_the_reason_quotes_it() {
        let mut found = verdict(VerdictKind::LlmGrader, "0.20, 0.90 is needed: no one is offered");
        let reasoning = "no one is offered".to_owned();
        found.grade = Some(Box::new(Grade {
            grader: "j".to_owned(),
            model: None,
            votes: vec![0.2; 3],
            reasoning,
            usage: None,
            cost_usd: None,
            latency_ms: None,
            recorded: false,
        }));
        insta::assert_snapshot!(facts(found.clone(), 5), @r"
        at: evals/support.yaml:3
        asked: How long do I have to send it back?
        llm_grader: 0.20, 0.90 is needed: no one is offered
          expected: 30 days
          score: 0
          judge: j
        ");
        found.reason = "too low".to_owned();
        assert!(facts(found, 5).ends_with("  judge: j\n  reasoning: no one is offered\n"));
    }

    #[test]
    fn left_out_parts_are_counted_and_a_fault_replaces_a_missing_reason() {
        let mut all = verdict(VerdictKind::Combined, "");
        all.parts = (0..5).map(|_| verdict(VerdictKind::Contains, "")).collect();
        all.parts[0].fault = Some(Box::new(Fault::new(FaultKind::Timeout, "no answer".to_owned(), "")));
        let shown = facts(all, 2);
        assert!(
            shown.contains("contains: timeout: no answer\n") && shown.contains("contains: failed\n"),
            "{shown}"
        );
        assert!(shown.ends_with("… and 3 more\n"), "{shown}");
    }
}
