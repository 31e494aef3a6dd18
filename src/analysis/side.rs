//! One of the two compared runs, and one case in it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;

use crate::manifest::{CaseResult, RunManifest, Trial};
use crate::stats::{mean, real};
use crate::vocabulary::{Answer, Outcome, ToolCall, Usage};

/// One of the two runs; all figures cover only the compared cases.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Side {
    /// Id of the run.
    pub run_id: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The applications.
    pub answered_by: Vec<String>,
    /// The judges.
    pub judged_by: Vec<String>,
    /// Mean of the cases' shares of passed trials, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass_rate: Option<f64>,
    /// Median latency of the answers, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Mean number of tokens of an answer, sent and received; a mean, so that runs with more trials do not count more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<f64>,
    /// Mean original cost of an answer, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// One case in one run.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Seen<'a> {
    /// Its result.
    pub outcome: Outcome,
    /// Its score, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Trials that passed.
    pub passed: u64,
    /// Trials that were judged.
    pub trials: u64,
    /// Why it did not pass.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub reason: Cow<'a, str>,
    /// The first answer that explains the result; in conversations, the answer to the turn of the pair.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub answer: &'a str,
    /// The functions that this answer calls.
    #[serde(skip_serializing_if = "<[ToolCall]>::is_empty")]
    pub tool_calls: &'a [ToolCall],
    /// Median latency of the answers, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Mean number of tokens of an answer, sent and received; a mean, so that runs with more trials do not count more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<f64>,
    /// Mean original cost of an answer, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

impl Side {
    pub(super) fn of(run: &RunManifest, cases: &[&CaseResult]) -> Self {
        let pass_rate = mean(cases.iter().filter_map(|case| case.tally().share()));
        let replies: Vec<_> = cases.iter().flat_map(|case| replies(case)).collect();
        let named: BTreeSet<_> = cases.iter().map(|case| case.scenario.as_str()).collect();
        let scenarios = || run.scenarios.iter().filter(|one| named.contains(one.name.as_str()));
        let unique = |names: BTreeSet<&String>| names.into_iter().cloned().collect();
        Self {
            run_id: run.run_id.clone(),
            at: run.at.clone(),
            answered_by: unique(scenarios().map(|one| &one.target).collect()),
            judged_by: unique(scenarios().filter_map(|one| one.grader.as_ref()).collect()),
            pass_rate,
            latency_ms: latency(&replies),
            tokens: tokens(&replies),
            cost_usd: cost(&replies),
        }
    }
}

impl<'a> Seen<'a> {
    /// Whether both answers have the same text and equivalent function calls.
    #[must_use]
    pub fn says_as(&self, other: &Self) -> bool {
        self.answer == other.answer && ToolCall::are_alike(self.tool_calls, other.tool_calls)
    }

    /// The case, with its answer to the turn at this 0-based index or to its single question.
    pub(super) fn of(case: &'a CaseResult, turn: Option<usize>) -> Self {
        let replies: Vec<_> = replies(case).collect();
        let tally = case.tally();
        let trial = case.telling();
        let why = match case.outcome {
            Outcome::Passed => "".into(),
            _ if !case.reason.is_empty() => case.reason.as_str().into(),
            _ => trial.map_or("".into(), Trial::reason),
        };
        let answer = trial.and_then(|trial| trial.answer_at(turn));
        Self {
            outcome: case.outcome,
            score: case.score,
            passed: tally.hits,
            trials: tally.of,
            reason: why,
            answer: answer.map_or("", |answer| &answer.text),
            tool_calls: answer.map_or(&[], |answer| &answer.tool_calls),
            latency_ms: latency(&replies),
            tokens: tokens(&replies),
            cost_usd: cost(&replies),
        }
    }
}

/// The answers in regular trials; those in confirmations would bias every figure.
fn replies(case: &CaseResult) -> impl Iterator<Item = &Answer> {
    case.ordinary().flat_map(Trial::answers)
}

fn latency(replies: &[&Answer]) -> Option<u64> {
    let mut known: Vec<_> = replies.iter().filter_map(|reply| reply.latency_ms).collect();
    known.sort_unstable();
    known.get(known.len().saturating_sub(1) / 2).copied()
}

fn tokens(replies: &[&Answer]) -> Option<f64> {
    mean(replies.iter().filter_map(|reply| reply.usage).map(Usage::total).map(real))
}

fn cost(replies: &[&Answer]) -> Option<f64> {
    mean(replies.iter().filter_map(|reply| reply.cost_usd))
}
