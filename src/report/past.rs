//! Earlier runs: their answers, and the trend of the suite.

use std::collections::BTreeMap;

use crate::analysis::Trend;
use crate::gate::Decision;
use crate::history::StoredRun;
use crate::manifest::{CaseResult, RunManifest};
use crate::vocabulary::Outcome;

/// Earlier runs of a suite; empty if none is given.
///
/// Their text comes from models and from files that anyone may have written.
#[derive(Clone, Debug, Default)]
pub struct Past {
    trend: Option<Trend>,
    answers: BTreeMap<(String, String), Before>,
}

/// The answer of an earlier run to a case.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Before {
    /// The first answer that explains the result; for a conversation, the answer to that turn.
    pub(super) text: String,
    /// For a conversation: the first turn that differs from the run of the report, else the last.
    pub(super) turn: Option<usize>,
    /// Passed or failed.
    pub(super) outcome: Outcome,
    /// Whether the question and the expectations were the same.
    pub(super) same_question: bool,
    /// Whether the run of the report has the same answer.
    pub(super) same_answer: bool,
    /// Id of the earlier run.
    pub(super) run_id: String,
    /// When it ended.
    pub(super) at: Option<String>,
    /// The commit it tested.
    pub(super) commit: Option<String>,
    /// Whether its trials are in the baseline; `None` if unknown.
    pub(super) in_baseline: Option<bool>,
}

impl Past {
    /// Relates stored runs to a decided run, which may be one of them.
    ///
    /// The earlier answer to a case comes from the latest earlier run in which the case passed, or else from the latest
    /// one that judged it. Runs with the same question and expectations are preferred.
    #[must_use]
    pub fn of(run: &RunManifest, decision: &Decision, stored: impl IntoIterator<Item = StoredRun>) -> Self {
        let now: BTreeMap<_, _> = run.cases.iter().rev().map(|case| (case.key(), case)).collect();
        let known = decision.compared.as_ref().filter(|compared| !compared.runs.is_empty());
        let mut answers = BTreeMap::new();
        let mut see = |one: &StoredRun| {
            let itself = one.run.run_id == run.run_id && one.run.at == run.at;
            let later = run.at.as_ref().is_some_and(|at| one.run.at.as_ref() > Some(at));
            if itself || later {
                return;
            }
            let in_baseline = known.map(|compared| compared.runs.contains(&one.run.run_id));
            for case in &one.run.cases {
                let Some(same) = now.get(&case.key()) else { continue };
                let Some(before) = Before::of(case, same, &one.run, in_baseline) else { continue };
                let name = (case.scenario.clone(), case.id.clone());
                let known = answers.entry(name).or_insert_with(|| before.clone());
                if before.rank() > known.rank() {
                    *known = before;
                }
            }
        };
        let this = StoredRun {
            file: "this run".to_owned(),
            run: run.clone(),
            conclusion: Some(decision.conclusion.word().to_owned()),
            pass_rate: decision.pass_rate,
        };
        let trend = Trend::of(std::iter::once(this).chain(stored.into_iter().inspect(|one| see(one))));
        Self { trend: Some(trend), answers }
    }

    /// The trend over the runs, including the one of the report.
    pub(super) fn trend(&self) -> Option<&Trend> {
        self.trend.as_ref()
    }

    /// The earlier answer to a case.
    pub(super) fn before(&self, case: &CaseResult) -> Option<&Before> {
        if self.answers.is_empty() {
            return None;
        }
        self.answers.get(&(case.scenario.clone(), case.id.clone()))
    }
}

impl Before {
    fn of(case: &CaseResult, now: &CaseResult, run: &RunManifest, in_baseline: Option<bool>) -> Option<Self> {
        if !matches!(case.outcome, Outcome::Passed | Outcome::Failed) {
            return None;
        }
        let trial = case.telling()?;
        trial.answer()?;
        let turn = now.telling().and_then(|now| now.differs_at(trial));
        // A conversation that had ended by then has no answer.
        let before = trial.answer_at(turn).cloned().unwrap_or_default();
        let now_answered = now.telling().and_then(|trial| trial.answer_at(turn));
        Some(Self {
            same_answer: now_answered.is_some_and(|now| now.says_as(&before)),
            text: before.text,
            turn,
            outcome: case.outcome,
            same_question: case.content_hash == now.content_hash,
            run_id: run.run_id.clone(),
            at: run.at.clone(),
            commit: run.commit.clone(),
            in_baseline,
        })
    }

    /// The earlier answer with the highest rank is shown.
    fn rank(&self) -> (bool, bool, &Option<String>) {
        (self.same_question, self.outcome == Outcome::Passed, &self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Policy;
    use crate::manifest::Trial;
    use crate::report::fixture::{Fixture, case, trial};

    fn trials(outcome: Outcome, answer: &str) -> Vec<Trial> {
        vec![trial(0, outcome, None, answer)]
    }

    /// A stored run of one case on a day.
    fn stored(day: &str, outcome: Outcome, answer: &str) -> StoredRun {
        let fixture =
            Fixture::of(vec![case("support", "a", outcome, trials(outcome, answer))], &Policy::default());
        let run = RunManifest { run_id: format!("run-{day}"), at: Some(day.to_owned()), ..fixture.run };
        StoredRun { file: format!("{day}.json"), run, conclusion: None, pass_rate: None }
    }

    fn now() -> Fixture {
        let (outcome, answer) = (Outcome::Failed, "Never.");
        let mut fixture =
            Fixture::of(vec![case("support", "a", outcome, trials(outcome, answer))], &Policy::default());
        fixture.run.at = Some("2025-06".to_owned());
        fixture
    }

    fn before(stored: Vec<StoredRun>) -> Option<(String, Outcome)> {
        let now = now();
        let past = Past::of(&now.run, &now.decision, stored);
        past.before(&now.run.cases[0]).map(|one| (one.run_id.clone(), one.outcome))
    }

    #[test]
    fn a_case_is_shown_with_its_latest_earlier_pass() {
        let (ok, bad) = (Outcome::Passed, Outcome::Failed);
        let all = || {
            vec![
                stored("2025-03", ok, "30 days"),
                stored("2025-01", ok, "a month"),
                stored("2025-05", bad, "no idea"),
                stored("2025-09", ok, "later than this run"),
            ]
        };
        assert_eq!(before(all()), Some(("run-2025-03".to_owned(), ok)));
        assert_eq!(before(all().into_iter().rev().collect()), Some(("run-2025-03".to_owned(), ok)));
        let bad = all().into_iter().filter(|one| one.run.cases[0].outcome == bad).collect();
        assert_eq!(before(bad), Some(("run-2025-05".to_owned(), Outcome::Failed)));
        assert_eq!(before(vec![stored("2025-05", Outcome::Errored, "")]), None);
        assert_eq!(before(Vec::new()), None);
    }

    #[test]
    fn the_run_itself_is_not_an_earlier_one_and_counts_once() {
        let now = now();
        let this =
            || StoredRun { file: "x".to_owned(), run: now.run.clone(), conclusion: None, pass_rate: None };
        let past =
            Past::of(&now.run, &now.decision, [this(), stored("2025-01", Outcome::Passed, "x"), this()]);
        assert_eq!(past.before(&now.run.cases[0]).unwrap().run_id, "run-2025-01");
        let runs = &past.trend().unwrap().runs;
        assert_eq!(
            runs.iter().map(|run| run.file.as_str()).collect::<Vec<_>>(),
            ["2025-01.json", "this run"]
        );
        assert_eq!(runs[1].conclusion.as_deref(), Some("FAIL"));
    }

    #[test]
    fn an_answer_to_the_same_question_is_preferred_to_a_pass_of_another() {
        let (ok, bad) = (Outcome::Passed, Outcome::Failed);
        let mut other = stored("2025-05", ok, "30 days");
        other.run.cases[0].content_hash = "other".to_owned();
        assert_eq!(before(vec![other.clone()]), Some(("run-2025-05".to_owned(), ok)));
        assert_eq!(before(vec![other, stored("2025-01", bad, "no")]), Some(("run-2025-01".to_owned(), bad)));
    }
}
