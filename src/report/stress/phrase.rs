//! Figures and sentences that all reports of a load test share.

use crate::manifest::{
    CaseUnderLoad, Ended, Escalation, Level, Objective, Quality, StressConclusion, StressRun,
};
use crate::stats::real;
use crate::text::{self, number};

/// Shown when nothing was measured.
pub(super) const UNKNOWN: &str = "–";

/// The columns of the table of levels.
pub(super) const COLUMNS: [&str; 9] =
    ["load", "req/s", "p50", "p95", "p99", "errors", "passed (95% CI)", "handoff", "goodput"];

/// A time with as few digits as a reader needs.
#[must_use]
pub fn time(ms: Option<f64>) -> String {
    match ms {
        None => UNKNOWN.to_owned(),
        Some(ms) if ms < 10.0 => format!("{ms:.1} ms"),
        Some(ms) if ms < 10_000.0 => format!("{} ms", number::figure(ms.round())),
        Some(ms) => format!("{:.1} s", ms / 1000.0),
    }
}

/// A share in percent; only a share of 1 is shown as 100%, and only a share of 0 as 0%.
#[must_use]
pub fn share(share: Option<f64>) -> String {
    share.map_or_else(|| UNKNOWN.to_owned(), |share| number::percent(share).replace(' ', ""))
}

/// A rate per second.
pub(super) fn rate(rate: Option<f64>) -> String {
    rate.map_or_else(|| UNKNOWN.to_owned(), |rate| format!("{}/s", number::figure(rate)))
}

/// A number and its noun.
pub(super) fn count(n: u64, noun: &str) -> String {
    text::count(usize::try_from(n).unwrap_or(usize::MAX), noun)
}

/// The word of a decision.
pub(super) fn word(conclusion: StressConclusion) -> String {
    conclusion.word().to_uppercase()
}

/// What was sent where, and for how long.
pub(super) fn sent(run: &StressRun) -> String {
    format!(
        "{}, {} in {} s to {}",
        text::count(run.levels.len(), "level"),
        count(run.requests, "request"),
        number::figure(real(run.duration_ms) / 1000.0),
        text::excerpt(&run.target.join(", "), 200)
    )
}

/// The decision in a sentence.
pub(super) fn summary(run: &StressRun) -> String {
    match (run.decision.reasons.first(), run.decision.conclusion, run.slo.len()) {
        (Some(reason), ..) => reason.clone(),
        (None, StressConclusion::Pass, 0) => "no limit is set, and some answers passed".to_owned(),
        (None, StressConclusion::Pass, _) => "every limit was met".to_owned(),
        (None, StressConclusion::Fail | StressConclusion::Error, _) => "the reason is unknown".to_owned(),
    }
}

/// How latency is measured.
pub(super) fn explained(run: &StressRun) -> &'static str {
    if run.levels.iter().any(|level| level.corrected) {
        "latency is measured from when a request was due; at a fixed number in flight, it includes the requests that a \
         stall held back"
    } else {
        "latency is measured from when a request was due, not from when it was sent"
    }
}

/// The cells of a level, in the order of [`COLUMNS`]. The load comes first; the last cell of a void level says
/// "void".
pub(super) fn row(level: &Level) -> [String; 9] {
    let figures = &level.latency_ms;
    [
        level.shown(),
        number::figure(level.rate),
        time(figures.p50),
        time(figures.p95),
        time(figures.p99),
        share(level.error_rate),
        passed(&level.quality),
        share(level.escalation.and_then(|one| available(&one))),
        if level.valid { rate(level.goodput) } else { "void".to_owned() },
    ]
}

/// A pass rate with its interval.
pub(super) fn passed(quality: &Quality) -> String {
    ranged(quality.rate, quality.low, quality.high)
}

/// A share with its interval.
pub(super) fn ranged(rate: Option<f64>, low: Option<f64>, high: Option<f64>) -> String {
    match low.zip(high) {
        Some((low, high)) => {
            let low = share(Some(low));
            format!("{} ({}–{})", share(rate), low.trim_end_matches('%'), share(Some(high)))
        }
        None => share(rate),
    }
}

/// The share of customers for whom a person was available.
pub(super) fn available(one: &Escalation) -> Option<f64> {
    (one.n > 0).then(|| real(one.available) / real(one.n))
}

/// Requests without an answer.
pub(super) fn failed(level: &Level) -> u64 {
    level.errors.values().sum()
}

/// For example `timeout 12, rate_limited 3`; empty without errors.
pub(super) fn errors(level: &Level) -> String {
    let some = level.errors.iter().filter(|(_, count)| **count > 0);
    let parts = some.map(|(class, count)| format!("{} {}", class.word(), number::whole(*count)));
    parts.collect::<Vec<_>>().join(", ")
}

/// The figures that are not in the table of levels.
pub(super) fn details(level: &Level) -> Vec<String> {
    let mut parts = Vec::new();
    let errors = errors(level);
    if !errors.is_empty() {
        parts.push(format!("errors: {errors}"));
    }
    let quality = &level.quality;
    let odd: Vec<String> = [
        ("empty", quality.empty),
        ("cut off at the token limit", quality.cut),
        ("refused", quality.refused),
        ("identical for different cases", quality.identical),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(what, count)| format!("{} {what}", number::whole(count)))
    .collect();
    if !odd.is_empty() {
        parts.push(format!("answers: {}", odd.join(", ")));
    }
    let (measured, corrected) = (level.service_ms, level.latency_ms);
    let differs = |one: Option<f64>, other: Option<f64>| {
        one.zip(other).is_some_and(|(measured, corrected)| corrected > measured * 1.1 + 1.0)
    };
    if level.corrected && (differs(measured.p95, corrected.p95) || differs(measured.p99, corrected.p99)) {
        parts.push(format!("uncorrected: p95 {}, p99 {}", time(measured.p95), time(measured.p99)));
    }
    if let Some(first) = level.ttft_ms {
        let tokens = level
            .tokens_per_s
            .map(|rate| format!("; {} tokens/s", number::figure(rate.round())))
            .unwrap_or_default();
        parts.push(format!("first token: p50 {}, p95 {}{tokens}", time(first.p50), time(first.p95)));
    }
    if let Some(one) = level.escalation {
        parts.push(format!(
            "handoff: available to {} of {} (offered {}, claimed {}, done {}); p95 {}",
            number::whole(one.available),
            number::whole(one.n),
            number::whole(one.offered),
            number::whole(one.claimed),
            number::whole(one.done),
            time(one.p95_ms)
        ));
    }
    parts.extend(judged(level).map(|judged| format!("judge: {judged}")));
    if let Some(reason) = level.judged.as_ref().and_then(|judged| judged.reason.as_ref()) {
        parts.push(format!("not judged: {}", text::excerpt(reason, 200)));
    }
    if let Some(change) = level.change.filter(|change| change.low > 0.0 || change.high < 0.0) {
        parts.push(format!(
            "pass rate: {} points from the first level (95% CI {:+.1} to {:+.1}, {})",
            points(change.rate),
            change.low * 100.0,
            change.high * 100.0,
            count(change.cases, "case")
        ));
    }
    if let Some(recovery) = level.recovery_ms {
        parts.push(format!("recovered from the previous level after {}", time(Some(real(recovery)))));
    }
    if level.cut_off > 0 {
        parts.push(format!(
            "unanswered at the end, and not in the figures: {}",
            count(level.cut_off, "request")
        ));
    }
    parts
}

/// A difference of shares, in points.
pub(super) fn points(change: f64) -> String {
    format!("{:+.1}", change * 100.0)
}

/// The judge's verdicts on the sample.
pub(super) fn judged(level: &Level) -> Option<String> {
    let judged = level.judged.as_ref()?;
    let errored = match judged.errored {
        0 => String::new(),
        errored => format!(", {} errored", number::whole(errored)),
    };
    Some(format!("{} of {} passed{errored}", number::whole(judged.passed), count(judged.n, "sampled answer")))
}

/// Whether loads can be compared: there are several, all in the same unit.
pub(super) fn is_comparable(run: &StressRun) -> bool {
    run.levels.len() > 1 && run.levels.windows(2).all(|pair| pair[0].unit == pair[1].unit)
}

/// The largest loads handled: one by latency and errors, and one by quality; `None` if loads cannot be compared.
pub(super) fn knees(run: &StressRun) -> Option<[String; 2]> {
    let named = |load: Option<f64>| {
        let level = run.levels.iter().find(|level| Some(level.load) == load);
        level.map_or_else(|| "none".to_owned(), Level::shown)
    };
    is_comparable(run).then(|| [named(run.knees.latency), named(run.knees.quality)])
}

/// Whether a limit was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The limit was met.
    Met,
    /// The limit was missed.
    Missed,
    /// Nothing was measured, or the level is void.
    Unknown,
}

impl Standing {
    pub(super) fn of(run: &StressRun, one: &Objective) -> Self {
        match one.met {
            _ if is_void(run, one) => Self::Unknown,
            Some(true) => Self::Met,
            Some(false) => Self::Missed,
            None => Self::Unknown,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Unknown => "unknown",
        }
    }
}

fn is_void(run: &StressRun, one: &Objective) -> bool {
    run.levels.get(one.level).is_some_and(|level| !level.valid)
}

/// What was measured, as people read it.
pub(super) fn measured(run: &StressRun, one: &Objective) -> String {
    let void = if is_void(run, one) { ", void" } else { "" };
    one.measured
        .map_or_else(|| "not measured".to_owned(), |value| format!("{}{void}", one.metric.shown(value)))
}

/// What was measured, with its limit.
pub(super) fn limited(run: &StressRun, one: &Objective) -> String {
    let Some(value) = one.measured else {
        return format!("not measured (limit {})", one.metric.shown(one.limit));
    };
    let [value, limit] = one.metric.beside(value, one.limit);
    let void = if is_void(run, one) { ", void" } else { "" };
    format!("{value}{void} (limit {limit})")
}

/// A limit and what was measured, in a sentence.
pub(super) fn objective(run: &StressRun, one: &Objective) -> String {
    let metric = one.metric.word();
    match (Standing::of(run, one), one.measured) {
        (Standing::Missed, Some(value)) if one.metric.is_met(value, one.limit) => format!(
            "{metric} is {} over the answers; with the requests that were still waiting at the end, it exceeds the limit of \
             {}",
            one.metric.shown(value),
            one.metric.shown(one.limit)
        ),
        _ => format!("{metric}: {}", limited(run, one)),
    }
}

/// The cases that did not always pass, in order.
pub(super) fn bad(run: &StressRun) -> impl Iterator<Item = &CaseUnderLoad> {
    run.cases.iter().filter(|case| case.reason.is_some() || case.errored > 0 || case.passed < case.judged)
}

/// How often a case did not pass.
pub(super) fn tally(case: &CaseUnderLoad) -> String {
    let failed = case.judged.saturating_sub(case.passed);
    let mut parts = Vec::new();
    if failed > 0 {
        parts.push(format!("{} of {} failed", number::whole(failed), number::whole(case.judged)));
    }
    if case.errored > 0 || parts.is_empty() {
        parts.push(format!("{} of {} errored", number::whole(case.errored), number::whole(case.n)));
    }
    parts.join(", ")
}

/// How the test ended, if it ended early.
pub(super) fn ended(run: &StressRun) -> Option<&'static str> {
    match run.ended {
        Ended::Complete | Ended::FailFast => None,
        Ended::Interrupted | Ended::Terminated | Ended::Budget | Ended::Deadline => Some(run.ended.told()),
    }
}
