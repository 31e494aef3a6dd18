//! What is said of a load test, whatever the form.

use crate::manifest::{
    CaseUnderLoad, Ended, Escalation, Level, Objective, Quality, StressConclusion, StressRun,
};
use crate::stats::{real, whole};
use crate::text::{self, number};

/// Stands where nothing was measured.
pub(super) const UNKNOWN: &str = "–";

/// The columns of the table of levels.
pub(super) const COLUMNS: [&str; 9] =
    ["load", "req/s", "p50", "p95", "p99", "errors", "passed (95% CI)", "handoff", "goodput"];

/// A time in as few digits as a reader needs.
#[must_use]
pub fn time(ms: Option<f64>) -> String {
    match ms {
        None => UNKNOWN.to_owned(),
        Some(ms) if ms < 10.0 => format!("{ms:.1} ms"),
        Some(ms) if ms < 10_000.0 => format!("{} ms", number::whole(whole(ms.round()).unwrap_or_default())),
        Some(ms) => format!("{:.1} s", ms / 1000.0),
    }
}

/// A share in percent: only a whole one is 100%, only none at all is 0%.
#[must_use]
pub fn share(share: Option<f64>) -> String {
    share.map_or_else(|| UNKNOWN.to_owned(), |share| number::percent(share).replace(' ', ""))
}

/// So many a second.
pub(super) fn rate(rate: Option<f64>) -> String {
    rate.map_or_else(|| UNKNOWN.to_owned(), |rate| format!("{rate:.1}/s"))
}

/// How many there are of something.
pub(super) fn count(n: u64, noun: &str) -> String {
    text::count(usize::try_from(n).unwrap_or(usize::MAX), noun)
}

/// The word of a decision.
pub(super) fn word(conclusion: StressConclusion) -> String {
    conclusion.word().to_uppercase()
}

/// A name for each level: its load, and its place where another level has the same load.
pub(super) fn names(run: &StressRun) -> Vec<String> {
    let plain: Vec<String> = run.levels.iter().map(Level::name).collect();
    let named = |(at, name): (usize, &String)| {
        let is_alone = plain.iter().filter(|other| *other == name).count() == 1;
        if is_alone { name.clone() } else { format!("{name} (stage {})", at + 1) }
    };
    plain.iter().enumerate().map(named).collect()
}

/// What was sent, to whom, and for how long.
pub(super) fn sent(run: &StressRun) -> String {
    format!(
        "{}, {} in {:.1} s to {}",
        text::count(run.levels.len(), "level"),
        count(run.requests, "request"),
        real(run.duration_ms) / 1000.0,
        text::excerpt(&run.target.join(", "), 200)
    )
}

/// The decision in a sentence.
pub(super) fn summary(run: &StressRun) -> String {
    match (run.decision.reasons.first(), run.decision.conclusion, run.slo.len()) {
        (Some(reason), ..) => reason.clone(),
        (None, StressConclusion::Pass, 0) => "no limits are set, and some answers passed".to_owned(),
        (None, StressConclusion::Pass, _) => "every limit was met".to_owned(),
        (None, StressConclusion::Fail | StressConclusion::Error, _) => "no reason is known".to_owned(),
    }
}

/// How latency is counted.
pub(super) fn explained(run: &StressRun) -> &'static str {
    if run.levels.iter().any(|level| level.corrected) {
        "latency is measured from when a request was due; at a fixed number in flight, it is corrected for requests that \
         a stall held back"
    } else {
        "latency is measured from when a request was due, not from when it was sent"
    }
}

/// The cells of a level, in the order of [`COLUMNS`]. The load comes first; a void level says so last.
pub(super) fn row(level: &Level) -> [String; 9] {
    let figures = &level.latency_ms;
    [
        level.name(),
        format!("{:.1}", level.rate),
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

/// The share of customers for whom the way to a person was open.
pub(super) fn available(one: &Escalation) -> Option<f64> {
    (one.n > 0).then(|| real(one.available) / real(one.n))
}

/// Requests without an answer.
pub(super) fn failed(level: &Level) -> u64 {
    level.errors.values().sum()
}

/// `timeout 12, rate_limited 3`; empty where there is none.
pub(super) fn errors(level: &Level) -> String {
    let some = level.errors.iter().filter(|(_, count)| **count > 0);
    let told = some.map(|(class, count)| format!("{} {}", class.word(), number::whole(*count)));
    told.collect::<Vec<_>>().join(", ")
}

/// What is not in the table of levels.
pub(super) fn details(level: &Level) -> Vec<String> {
    let mut told = Vec::new();
    let errors = errors(level);
    if !errors.is_empty() {
        told.push(format!("errors: {errors}"));
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
        told.push(format!("answers: {}", odd.join(", ")));
    }
    let (measured, corrected) = (level.service_ms, level.latency_ms);
    let differs = |one: Option<f64>, other: Option<f64>| {
        one.zip(other).is_some_and(|(measured, corrected)| corrected > measured * 1.1 + 1.0)
    };
    if level.corrected && (differs(measured.p95, corrected.p95) || differs(measured.p99, corrected.p99)) {
        told.push(format!("uncorrected: p95 {}, p99 {}", time(measured.p95), time(measured.p99)));
    }
    if let Some(first) = level.ttft_ms {
        let tokens = level.tokens_per_s.map(|rate| format!("; {rate:.0} tokens/s")).unwrap_or_default();
        told.push(format!("first token: p50 {}, p95 {}{tokens}", time(first.p50), time(first.p95)));
    }
    if let Some(one) = level.escalation {
        told.push(format!(
            "handoff: available to {} of {} (offered {}, claimed {}, done {}); p95 {}",
            number::whole(one.available),
            number::whole(one.n),
            number::whole(one.offered),
            number::whole(one.claimed),
            number::whole(one.done),
            time(one.p95_ms)
        ));
    }
    told.extend(judged(level).map(|judged| format!("judge: {judged}")));
    if let Some(change) = level.change.filter(|change| change.low > 0.0 || change.high < 0.0) {
        told.push(format!(
            "pass rate {} points from the first level (95% CI {:+.1} to {:+.1}, {})",
            points(change.rate),
            change.low * 100.0,
            change.high * 100.0,
            count(change.cases, "case")
        ));
    }
    if let Some(recovery) = level.recovery_ms {
        told.push(format!("recovered from the level before after {}", time(Some(real(recovery)))));
    }
    if level.cut_off > 0 {
        told.push(format!("unanswered at the end, in no figure: {}", count(level.cut_off, "request")));
    }
    told
}

/// A difference of shares.
pub(super) fn points(change: f64) -> String {
    format!("{:+.1}", change * 100.0)
}

/// What the judge says of the sample.
pub(super) fn judged(level: &Level) -> Option<String> {
    let judged = level.judged?;
    let errored = match judged.errored {
        0 => String::new(),
        errored => format!(", {} errored", number::whole(errored)),
    };
    Some(format!("{} of {} passed{errored}", number::whole(judged.passed), count(judged.n, "sampled answer")))
}

/// Whether loads can be compared: there are several, and all count the same.
pub(super) fn is_comparable(run: &StressRun) -> bool {
    run.levels.len() > 1 && run.levels.windows(2).all(|pair| pair[0].unit == pair[1].unit)
}

/// The highest loads that held: of latency and errors, and of quality; nothing where loads cannot be compared.
pub(super) fn knees(run: &StressRun) -> Option<[String; 2]> {
    let named = |load: Option<f64>| {
        let level = run.levels.iter().find(|level| Some(level.load) == load);
        level.map_or_else(|| "none".to_owned(), Level::name)
    };
    is_comparable(run).then(|| [named(run.knees.latency), named(run.knees.quality)])
}

/// Whether a limit was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is met.
    Met,
    /// It is missed.
    Missed,
    /// Nothing was measured, or what was is the generator's own.
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

/// A limit and what was measured, in a sentence.
pub(super) fn objective(run: &StressRun, one: &Objective) -> String {
    let (metric, limit) = (one.metric.word(), one.metric.shown(one.limit));
    match (Standing::of(run, one), one.measured) {
        (Standing::Missed, Some(value)) if one.metric.is_met(value, one.limit) => format!(
            "{metric} is {} over the answers; with the requests that were still waiting at the end, it exceeds the limit of \
             {limit}",
            one.metric.shown(value)
        ),
        _ => format!("{metric}: {} (limit {limit})", measured(run, one)),
    }
}

/// The cases that did not always pass, in order.
pub(super) fn bad(run: &StressRun) -> impl Iterator<Item = &CaseUnderLoad> {
    run.cases.iter().filter(|case| case.reason.is_some() || case.errored > 0 || case.passed < case.judged)
}

/// How often a case did not pass.
pub(super) fn tally(case: &CaseUnderLoad) -> String {
    let failed = case.judged.saturating_sub(case.passed);
    let mut told = Vec::new();
    if failed > 0 {
        told.push(format!("{} of {} failed", number::whole(failed), number::whole(case.judged)));
    }
    if case.errored > 0 || told.is_empty() {
        told.push(format!("{} of {} errored", number::whole(case.errored), number::whole(case.n)));
    }
    told.join(", ")
}

/// How the test ended, where that was not at its end.
pub(super) fn ended(run: &StressRun) -> Option<&'static str> {
    match run.ended {
        Ended::Complete | Ended::FailFast => None,
        Ended::Interrupted | Ended::Terminated | Ended::Budget | Ended::Deadline => Some(run.ended.told()),
    }
}
