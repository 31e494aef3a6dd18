//! Two stored runs side by side, case by case.
//!
//! Cases are matched by scenario and id, and compared if their content hash is the same. No difference is tested here:
//! two runs also differ by chance, and only the gate decides whether a difference is more than chance.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::manifest::{CaseResult, RunManifest};
use crate::stats::SLACK;
use crate::vocabulary::{CaseId, Outcome};
use strum::EnumIter;

use super::{Seen, Side};

/// The name and version of the JSON format.
pub const SCHEMA: &str = "akit.compare/1";

/// The note that every form of a comparison shows.
pub const CLAIM: &str =
    "These differences are not tested: runs also differ by chance. `akit gate` tests them.";

/// How a case changed from one run to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, EnumIter)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Transition {
    /// Passed in the first run and fails in the second.
    NewlyFailing,
    /// Failed in the first run and passes in the second.
    Fixed,
    /// Same result in both runs, but with different shares of passed trials.
    Flipped,
    /// Fails in both runs, with the same share of passed trials.
    BothFailing,
    /// At least one of the runs could not judge the case or did not run it.
    NotJudged,
    /// Its question or expectation differs, so it is not compared.
    Changed,
    /// Passes in both runs.
    BothPassing,
}

impl Transition {
    /// Its name in reports.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Transition::NewlyFailing => "newly failing",
            Transition::Fixed => "fixed",
            Transition::Flipped => "flipped trials",
            Transition::BothFailing => "failing in both",
            Transition::NotJudged => "not judged in both",
            Transition::Changed => "asked differently",
            Transition::BothPassing => "passing in both",
        }
    }

    fn of(base: &CaseResult, head: &CaseResult) -> Self {
        if base.content_hash != head.content_hash {
            return Transition::Changed;
        }
        let share = |case: &CaseResult| case.tally().share().unwrap_or(0.0);
        match (base.outcome, head.outcome) {
            (Outcome::Passed, Outcome::Failed) => Transition::NewlyFailing,
            (Outcome::Failed, Outcome::Passed) => Transition::Fixed,
            (Outcome::Passed, Outcome::Passed) | (Outcome::Failed, Outcome::Failed)
                if (share(base) - share(head)).abs() > SLACK =>
            {
                Transition::Flipped
            }
            (Outcome::Passed, Outcome::Passed) => Transition::BothPassing,
            (Outcome::Failed, Outcome::Failed) => Transition::BothFailing,
            _ => Transition::NotJudged,
        }
    }

    /// Whether both runs judged the same question.
    fn is_judged(self) -> bool {
        !matches!(self, Transition::NotJudged | Transition::Changed)
    }
}

/// A case that both runs have.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pair<'a> {
    /// Name of its scenario.
    pub scenario: &'a str,
    /// Its id.
    pub id: &'a str,
    /// How it changed.
    pub change: Transition,
    /// Trials with the same number but different results.
    pub flips: usize,
    /// In conversations: 1-based number of the first turn that differs, or of the last turn if none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
    /// In the first run.
    pub base: Seen<'a>,
    /// In the second run.
    pub head: Seen<'a>,
    /// The question in the second run; in conversations, the question of that turn.
    #[serde(skip)]
    pub prompt: &'a str,
}

/// Two runs side by side.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Comparison<'a> {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// [`CLAIM`].
    pub claim: &'static str,
    /// Number of cases that both runs judged with the same question; all figures cover only these.
    pub compared: usize,
    /// Pass rate of the second run minus that of the first, -1 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// The first run.
    pub base: Side,
    /// The second run.
    pub head: Side,
    /// Every case that both runs have, in the order of the second run.
    pub cases: Vec<Pair<'a>>,
    /// `scenario/id` of cases that only the first run has.
    pub only_in_base: Vec<String>,
    /// `scenario/id` of cases that only the second run has.
    pub only_in_head: Vec<String>,
}

impl<'a> Comparison<'a> {
    /// Compares two runs; `None` if they have no case in common.
    #[must_use]
    pub fn of(base: &'a RunManifest, head: &'a RunManifest) -> Option<Self> {
        let name = |case: &'a CaseResult| case.key();
        let before: BTreeMap<_, _> = base.cases.iter().rev().map(|case| (name(case), case)).collect();
        let after: BTreeSet<_> = head.cases.iter().map(name).collect();
        let both: Vec<_> =
            head.cases.iter().filter_map(|now| Some((*before.get(&name(now))?, now))).collect();
        if both.is_empty() {
            return None;
        }
        let judged: Vec<_> = both.iter().filter(|(was, now)| Transition::of(was, now).is_judged()).collect();
        let side = |run, pick: fn(&(&'a CaseResult, &'a CaseResult)) -> &'a CaseResult| {
            Side::of(run, &judged.iter().map(|pair| pick(pair)).collect::<Vec<_>>())
        };
        let (was, now) = (side(base, |pair| pair.0), side(head, |pair| pair.1));
        let full = |case: &CaseResult| case.key().to_string();
        Some(Self {
            schema: SCHEMA,
            claim: CLAIM,
            compared: judged.len(),
            difference: was.pass_rate.zip(now.pass_rate).map(|(was, now)| now - was),
            base: was,
            head: now,
            cases: both.iter().map(|(was, now)| Pair::of(was, now)).collect(),
            only_in_base: base.cases.iter().filter(|one| !after.contains(&name(one))).map(full).collect(),
            only_in_head: head
                .cases
                .iter()
                .filter(|one| !before.contains_key(&name(one)))
                .map(full)
                .collect(),
        })
    }

    /// Number of cases with this transition.
    #[must_use]
    pub fn count(&self, change: Transition) -> usize {
        self.cases.iter().filter(|pair| pair.change == change).count()
    }
}

impl<'a> Pair<'a> {
    fn of(base: &'a CaseResult, head: &'a CaseResult) -> Self {
        let outcomes =
            |case: &'a CaseResult| case.ordinary().map(|trial| (trial.index, trial.outcome)).collect();
        let (was, now): (BTreeMap<_, _>, BTreeMap<_, _>) = (outcomes(base), outcomes(head));
        let change = Transition::of(base, head);
        let flips = was.iter().filter(|(index, outcome)| now.get(index).is_some_and(|one| one != *outcome));
        let (before, after) = (base.telling(), head.telling());
        let at = before.zip(after).and_then(|(was, now)| was.differs_at(now));
        let turn = at.and_then(|at| after?.turns.get(at).or(before?.turns.get(at)));
        let asked = turn.map_or("", |turn| turn.asked.as_str());
        Self {
            scenario: &head.scenario,
            id: &head.id,
            change,
            flips: if change == Transition::Changed { 0 } else { flips.count() },
            turn: turn.and_then(|turn| Some(turn.place.as_ref()?.number)),
            base: Seen::of(base, at),
            head: Seen::of(head, at),
            prompt: if asked.is_empty() { &head.prompt } else { asked },
        }
    }

    /// `scenario/id`.
    #[must_use]
    pub fn name(&self) -> String {
        CaseId::new(self.scenario, self.id).to_string()
    }
}
