//! What a load test found, level by level: the form of `akit stress --json` (`akit.stress/1`).
//!
//! Times in milliseconds, shares from 0 to 1, rates per second. What was not measured is absent or `null`, never zero.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Ended;
use crate::vocabulary::{ErrorClass, ServiceLevel};

/// The form of a load test.
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
    /// What was named on the command line, from the root of the repository.
    pub suite: Vec<String>,
    /// Who was asked.
    pub target: Vec<String>,
    /// Root of the schedule and of all seeds.
    pub seed: u64,
    /// How it ended.
    pub ended: Ended,
    /// From the first stage to the end.
    pub duration_ms: u64,
    /// How the load was made.
    pub settings: StressSettings,
    /// Requests that were answered or failed.
    pub requests: u64,
    /// US dollars for the answers and the judge, where prices are known.
    pub cost_usd: Option<f64>,
    /// The levels, in the order of the stages.
    pub levels: Vec<Level>,
    /// The largest loads that still held.
    pub knees: Knees,
    /// Conversations in which the reference of another one turned up; `null` without `--canary`.
    pub cross_talk: Option<u64>,
    /// Limits, for each level.
    pub slo: Vec<Objective>,
    /// The cases, in order.
    pub cases: Vec<CaseUnderLoad>,
    /// What happened in each step of time.
    pub timeline: Vec<Tick>,
    /// Things to know about it.
    pub notes: Vec<String>,
    /// What follows for a pipeline.
    pub decision: StressDecision,
}

/// How a load was made.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StressSettings {
    /// Milliseconds over which the first stage grew to its load.
    pub ramp_up_ms: u64,
    /// Most requests; absent where time alone ends it.
    pub most_requests: Option<u64>,
    /// Share of arrivals that are escalations; 0 where no case has the tag.
    pub escalation_share: f64,
    /// Whether each conversation carried a reference of its own.
    pub canary: bool,
    /// Whether limits, retries and the brake of the client held.
    pub limits: bool,
    /// Most US dollars; absent where nobody counts.
    pub budget_usd: Option<f64>,
    /// SHA-256 over the times of the schedule; absent where load is kept in flight.
    pub schedule: Option<String>,
}

/// What is counted as load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LoadUnit {
    /// Visits at once.
    InFlight,
    /// Arrivals a second.
    PerSecond,
}

/// What was found at one stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Level {
    /// How much came.
    pub load: f64,
    /// What that counts.
    pub unit: LoadUnit,
    /// Seconds from the beginning of the test.
    pub began_s: f64,
    /// How long it lasted, from the first send to the last answer.
    pub lasted_s: f64,
    /// Requests that were answered or failed.
    pub requests: u64,
    /// How often one was sent again; none but with `--limits`. Tries in vain before the last are in no other figure.
    pub retries: u64,
    /// Requests that were sent a second.
    pub rate: f64,
    /// From the intended send to the whole answer. Of a load that is kept in flight it is corrected for what was not sent
    /// while the server did not answer.
    pub latency_ms: Percentiles,
    /// Whether that is corrected.
    pub corrected: bool,
    /// From the send to the whole answer.
    pub service_ms: Percentiles,
    /// To the first token; absent where answers do not come piece by piece.
    pub ttft_ms: Option<Percentiles>,
    /// Between the pieces of an answer: the mean of each answer.
    pub gap_ms: Option<Percentiles>,
    /// Tokens received a second.
    pub tokens_per_s: Option<f64>,
    /// From the intended send to the send.
    pub dispatch_lag_ms: Lag,
    /// Whether the generator kept its schedule.
    pub valid: bool,
    /// Requests without an answer, by class.
    pub errors: BTreeMap<ErrorClass, u64>,
    /// The share of them.
    pub error_rate: Option<f64>,
    /// Requests that were still under way at the end, and are in no figure.
    pub cut_off: u64,
    /// What the answers were worth.
    pub quality: Quality,
    /// What the judge said of a sample.
    pub judged: Option<Judged>,
    /// Pass rate against that of the first level, case by case.
    pub change: Option<Change>,
    /// What became of those who asked for a person.
    pub escalation: Option<Escalation>,
    /// Answers a second that met the limits and their expectations; absent where nothing is expected.
    pub goodput: Option<f64>,
    /// Milliseconds until a level below the one before it was as quick again; absent where that did not happen.
    pub recovery_ms: Option<u64>,
    /// US dollars, where the price is known.
    pub cost_usd: Option<f64>,
    /// The histograms, so that those of several generators can be added up.
    pub histograms: Histograms,
}

/// Percentiles; `null` where there is no answer.
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
    /// The time that 999 of 1,000 took at most.
    pub p999: Option<f64>,
    /// The longest.
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
    /// The longest.
    pub max: Option<f64>,
}

/// What answers were worth, by expectations that need no judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Quality {
    /// Conversations that were judged, errors never.
    pub n: u64,
    /// Those that met their expectations.
    pub passed: u64,
    /// Their share.
    pub rate: Option<f64>,
    /// Lower end of its interval (Wilson, 95%).
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Answers that say nothing.
    pub empty: u64,
    /// Answers that were cut off.
    pub cut: u64,
    /// Answers that were refused.
    pub refused: u64,
    /// Conversations that ended with one and the same answer, though they were about different cases.
    pub identical: u64,
}

/// What a judge said of a seeded sample, after the load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Judged {
    /// Answers that have a verdict.
    pub n: u64,
    /// Those that passed.
    pub passed: u64,
    /// Their share.
    pub rate: Option<f64>,
    /// Lower end of its interval (Wilson, 95%).
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Answers that could not be judged.
    pub errored: u64,
}

/// A difference of pass rates, case by case.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Change {
    /// Mean over the cases that both levels judged, -1 to 1.
    pub rate: f64,
    /// Lower end of its interval (95%).
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// How many cases.
    pub cases: u64,
}

/// What became of those who asked for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Escalation {
    /// Conversations, those that ended with an error included.
    pub n: u64,
    /// Those that were offered a person, or more.
    pub offered: u64,
    /// Those that were told that it happens, or more.
    pub claimed: u64,
    /// Those that were handed over.
    pub done: u64,
    /// Those for whom the way to a person was open: `done`, or `claimed` where nothing shows that it is done.
    pub available: u64,
    /// Lower end of the interval of that share (Wilson, 95%).
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// 95th percentile of the time from the intended first send to that answer.
    pub p95_ms: Option<f64>,
}

/// Histograms (`HdrHistogram` V2, base64), in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Histograms {
    /// From the intended send to the whole answer.
    pub latency: String,
    /// From the send to the whole answer.
    pub service: String,
    /// From the intended send to the send.
    pub dispatch_lag: String,
    /// To the first token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft: Option<String>,
}

/// The largest loads that still held; absent where the first did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Knees {
    /// Errors and latency.
    pub latency: Option<f64>,
    /// Pass rate and the way to a person.
    pub quality: Option<f64>,
}

/// A limit at a level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Objective {
    /// 0-based.
    pub level: usize,
    /// What is limited.
    pub metric: ServiceLevel,
    /// The limit.
    pub limit: f64,
    /// What was measured.
    pub measured: Option<f64>,
    /// Whether it is on the right side; `null` where nothing was measured.
    pub met: Option<bool>,
}

/// A case of a load.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CaseUnderLoad {
    /// Scenario.
    pub scenario: String,
    /// Id.
    pub id: String,
    /// Its file, from the root of the repository.
    pub file: String,
    /// 1-based line.
    pub line: u32,
    /// Whether it is an escalation.
    pub escalation: bool,
    /// Conversations that ended, with a verdict or an error.
    pub n: u64,
    /// Those that were judged.
    pub judged: u64,
    /// Those that met their expectations.
    pub passed: u64,
    /// Those that ended with an error.
    pub errored: u64,
    /// Why the first one that did not pass did not.
    pub reason: Option<String>,
}

/// A step of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tick {
    /// Seconds from the beginning of the test to its end.
    pub at_s: f64,
    /// How long it is.
    pub lasted_s: f64,
    /// Conversations that were due in it.
    pub due: u64,
    /// Requests that ended in it.
    pub requests: u64,
    /// Those that failed.
    pub errors: u64,
    /// Median of the latency from the intended send, within 5%.
    pub p50_ms: Option<f64>,
    /// 95th percentile of it, within 5%.
    pub p95_ms: Option<f64>,
    /// Conversations that were judged.
    pub judged: u64,
    /// Those that passed.
    pub passed: u64,
}

/// What follows for a pipeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StressDecision {
    /// `pass`, `fail` or `error`.
    pub conclusion: StressConclusion,
    /// The exit code.
    pub exit_code: u8,
    /// Why, the gravest first.
    pub reasons: Vec<String>,
}

/// What a load test comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum StressConclusion {
    /// All limits hold.
    Pass,
    /// One does not.
    Fail,
    /// Nobody can say.
    Error,
}

impl StressConclusion {
    /// Its word, as reports and pipelines have it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

impl Level {
    /// Its load as people read it.
    #[must_use]
    pub fn name(&self) -> String {
        match self.unit {
            LoadUnit::InFlight => format!("{} in flight", self.load),
            LoadUnit::PerSecond => format!("{}/s", self.load),
        }
    }
}
