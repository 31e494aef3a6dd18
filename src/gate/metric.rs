//! Metrics for thresholds: one number over some cases of a run.
//!
//! A case that could not be judged counts only in the error rate. Confirmations count only in the flaky rate and in
//! costs: they are run only for cases that failed, so they would bias every mean.

use super::Policy;
use crate::manifest::{CaseResult, Trial};
use crate::stats::{self, SLACK, mean, real};
use crate::vocabulary::{Answer, Metric, Outcome};

/// A measured metric, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// A number in the metric's unit, and what it was taken over: `12 of 14 cases`.
    Number(f64, String),
    /// No case was selected, or none of them could be judged.
    NoCase,
    /// The data for the metric is missing, such as prices or tokens.
    Unknown,
}

/// Which side of the limit a number must be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Least,
    Most,
}

impl Measured {
    /// A metric of some cases, for comparison with a limit: with a base, the worse of the value over all cases and the
    /// value over the base's cases, so that added cases cannot outweigh failures.
    pub(super) fn against(bound: Bound, metric: &Metric, cases: &[&CaseResult], policy: &Policy) -> Self {
        let all = Self::of(metric, cases);
        let Some(base) = &policy.of_base else { return all };
        let is_old = |case: &&CaseResult| base.contains(&(case.scenario.clone(), case.id.clone()));
        let old: Vec<_> = cases.iter().copied().filter(is_old).collect();
        let is_worse = |old: f64, all: f64| match bound {
            Bound::Least => old + SLACK < all,
            Bound::Most => old > all + SLACK,
        };
        match (Self::of(metric, &old), all) {
            (Self::Number(old, of), Self::Number(all, over)) if is_worse(old, all) => {
                Self::Number(old, format!("{of} over the base's cases, {over} with the added ones"))
            }
            (_, all) => all,
        }
    }

    /// A metric of some cases.
    #[must_use]
    pub fn of(metric: &Metric, cases: &[&CaseResult]) -> Self {
        match metric {
            Metric::PassRate | Metric::Recall(_) => pass_rate(cases),
            Metric::ErrorRate => error_rate(cases),
            Metric::ScoreMean => {
                let scores = scores(cases);
                mean(&scores).map_or(Measured::NoCase, |mean| over(mean, scores.len(), "score"))
            }
            Metric::ScoreP10 => percentile(&scores(cases), 0.10, "score"),
            Metric::LatencyP50 => times(cases, 0.50, |reply| reply.latency_ms),
            Metric::LatencyP95 => times(cases, 0.95, |reply| reply.latency_ms),
            Metric::LatencyP99 => times(cases, 0.99, |reply| reply.latency_ms),
            Metric::FirstToken => times(cases, 0.95, |reply| reply.ttft_ms),
            Metric::Tokens => sum(
                paid(cases)
                    .flat_map(Trial::answers)
                    .map(|reply| reply.usage.map(|usage| real(usage.total()))),
                "answer",
            ),
            Metric::Cost => sum(paid(cases).flat_map(Trial::answers).map(|reply| reply.cost_usd), "answer"),
            Metric::JudgeCost => judge_cost(cases),
            Metric::Other(_) => Self::Unknown,
            Metric::FlakyRate => share(judged(cases), disagrees),
            Metric::SplitVoteRate => {
                share(cases.iter().copied().filter(|case| case.judged_by_grader()), CaseResult::split_votes)
            }
        }
    }
}

/// Whether judged trials of a case disagree, confirmations included.
pub(super) fn disagrees(case: &CaseResult) -> bool {
    let said = |outcome| case.trials.iter().any(|trial| trial.outcome == outcome);
    said(Outcome::Passed) && said(Outcome::Failed)
}

fn pass_rate(cases: &[&CaseResult]) -> Measured {
    let shares: Vec<_> = cases.iter().filter_map(|case| case.tally().share()).collect();
    let Some(mean) = mean(&shares) else { return Measured::NoCase };
    let trials: u64 = cases.iter().map(|case| case.tally().of).sum();
    let whole = shares.iter().filter(|share| **share >= 1.0).count();
    let n = shares.len();
    Measured::Number(
        mean,
        if trials == n as u64 {
            format!("{whole} of {n}")
        } else {
            format!("mean of {n} cases, {trials} trials")
        },
    )
}

fn error_rate(cases: &[&CaseResult]) -> Measured {
    share(cases.iter().copied().filter(|case| case.outcome != Outcome::Skipped), |case| {
        case.outcome == Outcome::Errored
    })
}

fn judged<'a>(cases: &[&'a CaseResult]) -> impl Iterator<Item = &'a CaseResult> {
    cases.iter().copied().filter(|case| matches!(case.outcome, Outcome::Passed | Outcome::Failed))
}

fn trials<'a>(cases: &'a [&'a CaseResult]) -> impl Iterator<Item = &'a Trial> {
    cases.iter().flat_map(|case| case.ordinary())
}

/// All trials, including confirmations, which cost money, too.
fn paid<'a>(cases: &'a [&'a CaseResult]) -> impl Iterator<Item = &'a Trial> {
    cases.iter().flat_map(|case| &case.trials)
}

/// A percentile of a time that answers come with; unknown if no answer has it.
fn times(cases: &[&CaseResult], share: f64, time: impl Fn(&Answer) -> Option<u64>) -> Measured {
    let known: Vec<f64> = trials(cases).flat_map(Trial::answers).filter_map(time).map(real).collect();
    match percentile(&known, share, "answer") {
        Measured::NoCase if trials(cases).next().is_some() => Measured::Unknown,
        measured => measured,
    }
}

fn scores(cases: &[&CaseResult]) -> Vec<f64> {
    judged(cases).filter_map(|case| case.score).collect()
}

fn judge_cost(cases: &[&CaseResult]) -> Measured {
    let mut costs = Vec::new();
    for verdict in paid(cases).flat_map(Trial::verdicts) {
        verdict.walk(&mut |one| costs.extend(one.grade.as_ref().map(|grade| grade.cost_usd)));
    }
    sum(costs.into_iter(), "verdict")
}

/// A sum whose parts must all be known: a partial sum would look too low.
fn sum(parts: impl Iterator<Item = Option<f64>>, what: &str) -> Measured {
    let (mut total, mut n) = (0.0, 0);
    for part in parts {
        let Some(part) = part else { return Measured::Unknown };
        total += part;
        n += 1;
    }
    if n == 0 { Measured::NoCase } else { over(total, n, what) }
}

fn percentile(values: &[f64], share: f64, what: &str) -> Measured {
    let n = values.len();
    stats::percentile(values, share).map_or(Measured::NoCase, |value| over(value, n, what))
}

fn over(value: f64, n: usize, what: &str) -> Measured {
    Measured::Number(value, crate::text::count(n, what))
}

fn share<'a>(cases: impl Iterator<Item = &'a CaseResult>, counts: impl Fn(&CaseResult) -> bool) -> Measured {
    let (mut hits, mut all) = (0_usize, 0_usize);
    for case in cases {
        all += 1;
        hits += usize::from(counts(case));
    }
    if all == 0 {
        Measured::NoCase
    } else {
        Measured::Number(real(hits) / real(all), format!("{hits} of {all}"))
    }
}
