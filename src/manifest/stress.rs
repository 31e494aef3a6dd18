//! The report of a load test, level by level: the format of `akit stress --json` (`akit.stress/1`).
//!
//! Times are in milliseconds, shares from 0 to 1, rates per second. What was not measured is missing or `null`, never
//! zero.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Ended;
use crate::text::{self, number};
use crate::vocabulary::{ErrorClass, ServiceLevel};

/// The format of a load test.
pub const STRESS_SCHEMA: &str = "akit.stress/1";

/// A load test.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StressRun {
    /// [`STRESS_SCHEMA`].
    pub schema: String,
    /// Version of akit.
    pub akit: String,
    /// When the load began, RFC 3339 in UTC.
    pub at: String,
    /// The paths of the command line, relative to the root of the repository.
    pub suite: Vec<String>,
    /// The application that was asked.
    pub target: Vec<String>,
    /// Seed of the schedule and of everything random.
    pub seed: u64,
    /// How it ended.
    pub ended: Ended,
    /// Milliseconds from the start of the first level to the end.
    pub duration_ms: u64,
    /// The settings of the load.
    pub settings: StressSettings,
    /// Requests that were answered or failed.
    pub requests: u64,
    /// US dollars for the answers and the judge, if the prices are known.
    pub cost_usd: Option<f64>,
    /// The levels, in the order of the stages.
    pub levels: Vec<Level>,
    /// The largest loads the application handled.
    pub knees: Knees,
    /// Conversations in which another conversation's reference turned up; `null` without `--canary`.
    pub cross_talk: Option<u64>,
    /// The limits, for each level.
    pub slo: Vec<Objective>,
    /// The cases, in order.
    pub cases: Vec<CaseUnderLoad>,
    /// What happened over time.
    pub timeline: Vec<Tick>,
    /// What a reader should know before trusting the figures.
    pub notes: Vec<String>,
    /// The decision.
    pub decision: StressDecision,
}

/// The settings of a load.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StressSettings {
    /// Milliseconds in which the first level grew to its load.
    pub ramp_up_ms: u64,
    /// Maximum number of requests; missing if only time ends the test.
    pub most_requests: Option<u64>,
    /// Share of arrivals that are escalations; 0 if no case has the tag.
    pub escalation_share: f64,
    /// Whether each conversation carried its own reference.
    pub canary: bool,
    /// Whether the client's limits, retries and circuit breaker were on (`--limits`).
    pub limits: bool,
    /// Maximum cost in US dollars; missing if there was no budget.
    pub budget_usd: Option<f64>,
    /// SHA-256 of the schedule; missing if load is kept in flight.
    pub schedule: Option<String>,
}

/// The unit of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LoadUnit {
    /// Conversations at once.
    InFlight,
    /// Arrivals per second.
    PerSecond,
}

/// The figures of one level.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Level {
    /// The load.
    pub load: f64,
    /// Its unit.
    pub unit: LoadUnit,
    /// When it began, in seconds from the start of the test.
    pub began_s: f64,
    /// Seconds from the first send to the last answer.
    pub lasted_s: f64,
    /// Requests that were answered or failed.
    pub requests: u64,
    /// Retries; always 0 without `--limits`. No other figure includes the failed tries before the last one.
    pub retries: u64,
    /// Requests per second.
    pub rate: f64,
    /// From the intended send to the complete answer. If a fixed number is kept in flight, it is corrected for the
    /// requests that a stall held back.
    pub latency_ms: Percentiles,
    /// Whether the latency is corrected.
    pub corrected: bool,
    /// From the actual send to the complete answer.
    pub service_ms: Percentiles,
    /// Time to the first token; missing if answers are not streamed.
    pub ttft_ms: Option<Percentiles>,
    /// Time between the pieces of an answer; each answer counts with its mean.
    pub gap_ms: Option<Percentiles>,
    /// Tokens received per second.
    pub tokens_per_s: Option<f64>,
    /// From the intended send to the actual send.
    pub dispatch_lag_ms: Lag,
    /// Whether the generator kept its schedule; if not, the figures are void.
    pub valid: bool,
    /// Requests without an answer, by class.
    pub errors: BTreeMap<ErrorClass, u64>,
    /// Share of requests without an answer.
    pub error_rate: Option<f64>,
    /// Requests that were still waiting when the test ended; they are not in the figures.
    pub cut_off: u64,
    /// What expectations found in the answers.
    pub quality: Quality,
    /// What the judge found in a sample.
    pub judged: Option<Judged>,
    /// The pass rate compared with the first level, case by case.
    pub change: Option<Change>,
    /// Customers who asked for a person.
    pub escalation: Option<Escalation>,
    /// Answers per second that met the limits and their expectations; missing if nothing is expected.
    pub goodput: Option<f64>,
    /// Milliseconds until this level was fast again, if it has less load than the level before; missing if it never
    /// was.
    pub recovery_ms: Option<u64>,
    /// US dollars, if the price is known.
    pub cost_usd: Option<f64>,
    /// The histograms, so that figures of several generators can be added up.
    pub histograms: Histograms,
}

/// Percentiles; `null` without an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Percentiles {
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// 99.9th percentile.
    pub p999: Option<f64>,
    /// Maximum.
    pub max: Option<f64>,
}

/// How late requests were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Lag {
    /// Median.
    pub p50: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// Maximum.
    pub max: Option<f64>,
}

/// What expectations that need no judge found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Quality {
    /// Conversations that were judged, without errors.
    pub n: u64,
    /// Conversations that met their expectations.
    pub passed: u64,
    /// `passed` divided by `n`.
    pub rate: Option<f64>,
    /// Lower end of the interval of `rate` (Wilson, 95%).
    pub low: Option<f64>,
    /// Upper end of the interval of `rate`.
    pub high: Option<f64>,
    /// Empty answers.
    pub empty: u64,
    /// Answers cut off at the token limit.
    pub cut: u64,
    /// Answers the model refused to give.
    pub refused: u64,
    /// Conversations about different cases that ended with the same answer.
    pub identical: u64,
}

/// The judge's verdicts on a random sample, after the load.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Judged {
    /// Answers with a verdict.
    pub n: u64,
    /// Answers that passed.
    pub passed: u64,
    /// `passed` divided by `n`.
    pub rate: Option<f64>,
    /// Lower end of the interval of `rate` (Wilson, 95%).
    pub low: Option<f64>,
    /// Upper end of the interval of `rate`.
    pub high: Option<f64>,
    /// Answers that could not be judged.
    pub errored: u64,
    /// Why the first errored answer could not be judged.
    pub reason: Option<String>,
}

/// A difference of pass rates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Change {
    /// Mean over the cases that both levels judged, -1 to 1.
    pub rate: f64,
    /// Lower end of the interval of `rate` (95%).
    pub low: f64,
    /// Upper end of the interval of `rate`.
    pub high: f64,
    /// Number of cases that both levels judged.
    pub cases: u64,
}

/// Customers who asked for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Escalation {
    /// Conversations of these customers, including those that ended with an error.
    pub n: u64,
    /// Customers who were offered a person, or got further.
    pub offered: u64,
    /// Customers who were told that a person will help, or got further.
    pub claimed: u64,
    /// Customers who were handed off.
    pub done: u64,
    /// Customers for whom a person was available: `done`, or `claimed` if nothing shows when a handoff is done.
    pub available: u64,
    /// Lower end of the interval of the share of `available` in `n` (Wilson, 95%).
    pub low: Option<f64>,
    /// Upper end of that interval.
    pub high: Option<f64>,
    /// 95th percentile of the time from the intended first send to the answer that made a person available.
    pub p95_ms: Option<f64>,
}

/// Histograms (`HdrHistogram` V2, base64), in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Histograms {
    /// From the intended send to the complete answer.
    pub latency: String,
    /// From the actual send to the complete answer.
    pub service: String,
    /// From the intended send to the actual send.
    pub dispatch_lag: String,
    /// Time to the first token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft: Option<String>,
}

/// The largest loads the application handled; missing if it did not handle the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Knees {
    /// In latency and errors.
    pub latency: Option<f64>,
    /// In pass rate and handoffs.
    pub quality: Option<f64>,
}

/// A limit at one level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Objective {
    /// The level, 0-based.
    pub level: usize,
    /// The limited metric.
    pub metric: ServiceLevel,
    /// The limit.
    pub limit: f64,
    /// What was measured.
    pub measured: Option<f64>,
    /// Whether the limit was met; `null` if nothing was measured.
    pub met: Option<bool>,
}

/// A case under load.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CaseUnderLoad {
    /// Name of its scenario.
    pub scenario: String,
    /// Its id.
    pub id: String,
    /// Its file, relative to the root of the repository.
    pub file: String,
    /// Its line, 1-based.
    pub line: u32,
    /// Whether it is tagged `escalation`.
    pub escalation: bool,
    /// Conversations that ended, with a result or an error.
    pub n: u64,
    /// Conversations that were judged.
    pub judged: u64,
    /// Conversations that met their expectations.
    pub passed: u64,
    /// Conversations that ended with an error.
    pub errored: u64,
    /// Why it did not pass: the first reason of its worst result; failed is worse than errored.
    pub reason: Option<String>,
}

/// A step of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tick {
    /// When it begins, in seconds from the start of the test.
    pub at_s: f64,
    /// Its length in seconds.
    pub lasted_s: f64,
    /// Conversations that were due.
    pub due: u64,
    /// Requests that ended.
    pub requests: u64,
    /// Requests that failed.
    pub errors: u64,
    /// Median latency from the intended send, within 5%.
    pub p50_ms: Option<f64>,
    /// 95th percentile of that latency, within 5%.
    pub p95_ms: Option<f64>,
    /// Conversations that were judged.
    pub judged: u64,
    /// Conversations that passed.
    pub passed: u64,
}

/// The decision.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StressDecision {
    /// `pass`, `fail` or `error`.
    pub conclusion: StressConclusion,
    /// The exit code.
    pub exit_code: u8,
    /// Why, the worst first.
    pub reasons: Vec<String>,
}

/// How a load test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum StressConclusion {
    /// Every limit was met.
    Pass,
    /// A limit was missed, or nothing passed.
    Fail,
    /// The test shows nothing: void, unanswered, or ended early.
    Error,
}

impl StressConclusion {
    /// The word that reports and pipelines read.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

impl StressRun {
    /// What cross-talk was found, if any.
    #[must_use]
    pub fn crossed(&self) -> Option<String> {
        let crossed = self.cross_talk.filter(|crossed| *crossed > 0)?;
        let many = text::count(usize::try_from(crossed).unwrap_or(usize::MAX), "conversation");
        Some(format!("another conversation's reference turned up in {many}"))
    }

    /// A name for each level: its load, with its stage if another level has the same load.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let plain: Vec<String> = self.levels.iter().map(Level::shown).collect();
        let named = |(at, name): (usize, &String)| {
            let is_alone = plain.iter().filter(|other| *other == name).count() == 1;
            if is_alone { name.clone() } else { format!("{name} (stage {})", at + 1) }
        };
        plain.iter().enumerate().map(named).collect()
    }
}

impl Level {
    /// Its load for people; [`StressRun::names`] distinguishes levels of equal load.
    #[must_use]
    pub fn shown(&self) -> String {
        let load = number::exact(self.load);
        match self.unit {
            LoadUnit::InFlight => format!("{load} in flight"),
            LoadUnit::PerSecond => format!("{load}/s"),
        }
    }
}
