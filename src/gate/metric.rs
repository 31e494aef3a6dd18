//! What thresholds are about: one number for some cases of a run.
//!
//! A case that could not be judged is in no metric but the error rate. Confirmations are in none but
//! the flaky rate, and in what is spent: they are asked only of cases that failed, and would bend every mean.

use crate::manifest::{CaseResult, Trial};
use crate::stats;
use crate::vocabulary::{Outcome, Reply};

/// A metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Mean of the cases' shares of passed trials, 0 to 1.
    PassRate,
    /// Share of cases that could not be judged, 0 to 1.
    ErrorRate,
    /// Mean of the cases' scores, 0 to 1.
    ScoreMean,
    /// The score that nine of ten cases reach, 0 to 1.
    ScoreP10,
    /// A percentile of the application's latencies, in milliseconds; 50, 95 or 99.
    Latency(u8),
    /// 95th percentile of the time to the first token, in milliseconds.
    FirstToken,
    /// Tokens of the application, sent and received.
    Tokens,
    /// Cost of the application's answers, in US dollars.
    Cost,
    /// Cost of judging, in US dollars.
    JudgeCost,
    /// Share of judged cases whose trials disagree, 0 to 1.
    FlakyRate,
    /// Share of cases with a judge whose votes lie on both sides of their threshold, 0 to 1.
    SplitVoteRate,
    /// Pass rate of the cases with this tag, 0 to 1: `escalation_recall`.
    Recall(String),
}

/// A measured metric, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// A number in the metric's unit, and over how many of what it was taken: `12 of 14 cases`.
    Number(f64, String),
    /// No case was selected, or none of them could be judged.
    NoCase,
    /// Nobody told what the metric needs, such as prices or tokens.
    Unknown,
}

impl Metric {
    /// Names that stand for themselves.
    pub const NAMES: [&'static str; 13] = [
        "pass_rate",
        "error_rate",
        "score_mean",
        "score_p10",
        "latency_p50_ms",
        "latency_p95_ms",
        "latency_p99_ms",
        "ttft_p95_ms",
        "tokens",
        "cost_usd",
        "judge_cost_usd",
        "flaky_rate",
        "split_vote_rate",
    ];

    /// The metric of this name; `TAG_recall` for any tag.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "pass_rate" => Self::PassRate,
            "error_rate" => Self::ErrorRate,
            "score_mean" => Self::ScoreMean,
            "score_p10" => Self::ScoreP10,
            "latency_p50_ms" => Self::Latency(50),
            "latency_p95_ms" => Self::Latency(95),
            "latency_p99_ms" => Self::Latency(99),
            "ttft_p95_ms" => Self::FirstToken,
            "tokens" => Self::Tokens,
            "cost_usd" => Self::Cost,
            "judge_cost_usd" => Self::JudgeCost,
            "flaky_rate" => Self::FlakyRate,
            "split_vote_rate" => Self::SplitVoteRate,
            other => Self::Recall(other.strip_suffix("_recall").filter(|tag| !tag.is_empty())?.to_owned()),
        })
    }

    /// The name, as in the policy.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::PassRate => "pass_rate".to_owned(),
            Self::ErrorRate => "error_rate".to_owned(),
            Self::ScoreMean => "score_mean".to_owned(),
            Self::ScoreP10 => "score_p10".to_owned(),
            Self::Latency(percent) => format!("latency_p{percent}_ms"),
            Self::FirstToken => "ttft_p95_ms".to_owned(),
            Self::Tokens => "tokens".to_owned(),
            Self::Cost => "cost_usd".to_owned(),
            Self::JudgeCost => "judge_cost_usd".to_owned(),
            Self::FlakyRate => "flaky_rate".to_owned(),
            Self::SplitVoteRate => "split_vote_rate".to_owned(),
            Self::Recall(tag) => format!("{tag}_recall"),
        }
    }

    /// Whether it is a limit on what is spent.
    pub(super) fn is_spending(&self) -> bool {
        matches!(self, Self::Cost | Self::JudgeCost | Self::Tokens)
    }

    /// Whether its values lie from 0 to 1.
    #[must_use]
    pub fn is_share(&self) -> bool {
        match self {
            Self::PassRate
            | Self::Recall(_)
            | Self::ErrorRate
            | Self::ScoreMean
            | Self::ScoreP10
            | Self::FlakyRate
            | Self::SplitVoteRate => true,
            Self::Latency(_) | Self::FirstToken | Self::Tokens | Self::Cost | Self::JudgeCost => false,
        }
    }

    /// A value of the metric for people, with its unit.
    #[must_use]
    pub fn words(&self, value: f64) -> String {
        match self {
            Self::PassRate | Self::ErrorRate | Self::FlakyRate | Self::SplitVoteRate | Self::Recall(_) => {
                format!("{:.1} %", value * 100.0)
            }
            Self::ScoreMean | Self::ScoreP10 => format!("{value:.3}"),
            Self::Latency(_) | Self::FirstToken => format!("{value:.0} ms"),
            Self::Tokens => format!("{value:.0}"),
            Self::Cost | Self::JudgeCost => format!("{value:.4} USD"),
        }
    }

    /// Takes the metric of some cases.
    #[must_use]
    pub fn measure(&self, cases: &[&CaseResult]) -> Measured {
        match self {
            Self::PassRate | Self::Recall(_) => pass_rate(cases),
            Self::ErrorRate => error_rate(cases),
            Self::ScoreMean => {
                let scores = scores(cases);
                mean(&scores).map_or(Measured::NoCase, |mean| over(mean, scores.len(), "score"))
            }
            Self::ScoreP10 => percentile(&scores(cases), 0.10, "score"),
            Self::Latency(percent) => times(cases, f64::from(*percent) / 100.0, |reply| reply.latency_ms),
            Self::FirstToken => times(cases, 0.95, |reply| reply.ttft_ms),
            Self::Tokens => sum(
                paid(cases)
                    .filter_map(|trial| trial.reply.as_ref())
                    .map(|reply| reply.usage.map(|usage| real(usage.total()))),
                "answer",
            ),
            Self::Cost => sum(
                paid(cases).filter_map(|trial| trial.reply.as_ref()).map(|reply| reply.cost_usd),
                "answer",
            ),
            Self::JudgeCost => judge_cost(cases),
            Self::FlakyRate => share(judged(cases), disagrees),
            Self::SplitVoteRate => {
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

/// All trials: confirmations are paid for like the others.
fn paid<'a>(cases: &'a [&'a CaseResult]) -> impl Iterator<Item = &'a Trial> {
    cases.iter().flat_map(|case| &case.trials)
}

/// A percentile of times that are told with the answers; unknown where none is.
fn times(cases: &[&CaseResult], share: f64, time: impl Fn(&Reply) -> Option<u64>) -> Measured {
    let known: Vec<f64> = trials(cases).filter_map(|trial| time(trial.reply.as_ref()?)).map(real).collect();
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
    for verdict in paid(cases).filter_map(|trial| trial.verdict.as_ref()) {
        verdict.walk(&mut |one| costs.extend(one.grade.as_ref().map(|grade| grade.cost_usd)));
    }
    sum(costs.into_iter(), "verdict")
}

/// A sum of which every part must be known: half a cost is no cost.
fn sum(parts: impl Iterator<Item = Option<f64>>, what: &str) -> Measured {
    let (mut total, mut n) = (0.0, 0);
    for part in parts {
        let Some(part) = part else { return Measured::Unknown };
        total += part;
        n += 1;
    }
    if n == 0 { Measured::NoCase } else { over(total, n, what) }
}

fn mean(values: &[f64]) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "no suite has 2^52 cases")]
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
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
    #[expect(clippy::cast_precision_loss, reason = "no suite has 2^52 cases")]
    if all == 0 {
        Measured::NoCase
    } else {
        Measured::Number(hits as f64 / all as f64, format!("{hits} of {all}"))
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
fn real(n: u64) -> f64 {
    n as f64
}
