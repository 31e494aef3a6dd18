//! Turns counts into figures, at the end of a load test and while it runs.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::serialization::{Serializer as _, V2Serializer};
use strum::IntoEnumIterator as _;
use tokio::time::Instant;

use super::profile::Amount;
use super::tally::{Count, Kept, OfCase, Times};
use super::visit::Shared;
use super::{Options, digest};
use crate::manifest::{
    CaseUnderLoad, Change, Ended, Escalation, Histograms, Judged, Knees, Lag, Level, LoadUnit, Percentiles,
    Quality, STRESS_SCHEMA, StressConclusion, StressDecision, StressRun, StressSettings,
};
use crate::stats::{Tally, real, whole};
use crate::vocabulary::{ErrorClass, ServiceLevel};

/// Confidence of all intervals.
pub(super) const CONFIDENCE: f64 = 0.95;

/// A limit on a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NamedLimit {
    /// What is limited.
    pub metric: ServiceLevel,
    /// The limit.
    pub limit: f64,
}

/// The figures of a load test, before the judge has graded its sample and limits are compared.
pub struct Found {
    pub(super) run: StressRun,
    pub(super) counts: Vec<Count>,
    /// Latencies from the intended send, corrected for load that is kept in flight.
    pub(super) latencies: Vec<Times>,
    /// For each job, whether only a judge can grade it.
    pub(super) by_judge_alone: Vec<bool>,
    pub(super) expects: bool,
    pub(super) crashed: bool,
}

impl Found {
    pub(super) fn of(shared: &Shared, options: &Options, at: String, ended: Ended, crashed: bool) -> Self {
        let mut state = shared.state();
        let now = Instant::now();
        let (began, timeline) = (state.timeline.began(), state.timeline.ticks(now));
        let counts = std::mem::take(&mut state.levels);
        let reasons = std::mem::take(&mut state.reasons);
        drop(state);
        let latencies: Vec<_> =
            counts.iter().zip(&options.stages).map(|(c, s)| latency(c, s.amount)).collect();
        let expects = shared.judged.iter().any(|[expected, _]| *expected);
        let mut levels = Vec::new();
        for ((count, latency), stage) in counts.iter().zip(&latencies).zip(&options.stages) {
            let first = counts.first().unwrap_or(count);
            levels.push(level(count, first, latency, stage.amount, (began, expects)));
        }
        let jobs = shared.plan.jobs.iter().enumerate().filter(|(_, planned)| planned.skipped.is_none());
        let cases = jobs.map(|(job, planned)| {
            let scenario = &shared.plan.scenarios[planned.scenario];
            let case = &scenario.cases[planned.case];
            let mut sum = OfCase::default();
            for count in &counts {
                let OfCase { n, judged, errored } = count.cases[job];
                sum.n += n;
                sum.judged += judged;
                sum.errored += errored;
            }
            CaseUnderLoad {
                scenario: scenario.name.clone(),
                id: case.id.clone(),
                file: case.location.file.clone(),
                line: case.location.line,
                escalation: case.tags.iter().any(|tag| tag == super::ESCALATION),
                n: sum.n,
                judged: sum.judged.of,
                passed: sum.judged.hits,
                errored: sum.errored,
                reason: reasons.get(job).cloned().flatten().map(|(_, reason)| reason),
            }
        });
        let mut target: Vec<String> = Vec::new();
        for job in shared.plan.jobs.iter().filter_map(|planned| planned.job.as_ref()) {
            let name = job.target.name();
            if !target.contains(&name) {
                target.push(name);
            }
        }
        let run = StressRun {
            schema: STRESS_SCHEMA.to_owned(),
            akit: env!("CARGO_PKG_VERSION").to_owned(),
            at,
            suite: Vec::new(),
            target,
            seed: options.root.0,
            ended,
            duration_ms: u64::try_from((now - began).as_millis()).unwrap_or(u64::MAX),
            settings: StressSettings {
                ramp_up_ms: u64::try_from(options.ramp_up.as_millis()).unwrap_or(u64::MAX),
                most_requests: options.most,
                escalation_share: shared.mix.share(),
                canary: options.canary,
                limits: false,
                budget_usd: None,
                schedule: digest(options.root, &options.stages, options.ramp_up, options.arrivals),
            },
            requests: counts.iter().map(|count| count.requests).sum(),
            cost_usd: counts.iter().filter_map(|count| count.cost_usd).reduce(|sum, cost| sum + cost),
            cross_talk: options.canary.then(|| counts.iter().map(|count| count.crossed).sum()),
            levels,
            knees: Knees::default(),
            slo: Vec::new(),
            cases: cases.collect(),
            timeline,
            notes: shared.plan.notes.clone(),
            decision: StressDecision {
                conclusion: StressConclusion::Error,
                exit_code: 4,
                reasons: Vec::new(),
            },
        };
        let by_judge_alone = shared.judged.iter().map(|[expected, judged]| *judged && !expected).collect();
        Self { run, counts, latencies, by_judge_alone, expects, crashed }
    }

    /// The report so far.
    pub fn run(&mut self) -> &mut StressRun {
        &mut self.run
    }

    /// The conversations of each level that the judge will grade.
    #[must_use]
    pub fn samples(&self) -> Vec<Vec<Kept>> {
        self.counts.iter().map(Count::sample).collect()
    }

    /// Adds the judge's verdicts on the sample of a level: for each answer its job and whether it passed; `None` if it
    /// could not be judged, which `why` explains. A case that only a judge can grade gets its pass rate from these
    /// verdicts alone.
    pub fn hear(
        &mut self,
        level: usize,
        verdicts: &[(usize, Option<bool>)],
        why: Option<String>,
        cost_usd: Option<f64>,
    ) {
        let Some(of_level) = self.run.levels.get_mut(level) else { return };
        let (mut all, mut alone, mut errored) = (Tally::default(), Tally::default(), 0);
        for (job, passed) in verdicts {
            let Some(passed) = passed else {
                errored += 1;
                continue;
            };
            let one = Tally { hits: (*passed).into(), of: 1 };
            all += one;
            if self.by_judge_alone.get(*job).copied().unwrap_or_default() {
                alone += one;
            }
        }
        let (rate, low, high) = interval(all);
        of_level.judged = Some(Judged { n: all.of, passed: all.hits, rate, low, high, errored, reason: why });
        if let Some(count) = self.counts.get_mut(level) {
            count.quality += alone;
            let (rate, low, high) = interval(count.quality);
            let quality = &mut of_level.quality;
            (quality.n, quality.passed) = (count.quality.of, count.quality.hits);
            (quality.rate, quality.low, quality.high) = (rate, low, high);
        }
        if let Some(cost) = cost_usd {
            *self.run.cost_usd.get_or_insert(0.0) += cost;
        }
    }
}

/// A share and its interval.
pub(super) fn interval(tally: Tally) -> (Option<f64>, Option<f64>, Option<f64>) {
    let range = tally.wilson(CONFIDENCE);
    (tally.share(), range.map(|range| range.low), range.map(|range| range.high))
}

/// Latencies from the intended send. A generator that keeps N requests in flight sends nothing while all of them wait,
/// so the requests that a stall held back are filled in: one for each usual service time.
fn latency(count: &Count, amount: Amount) -> Times {
    match amount {
        Amount::PerSecond(_) => count.latency.clone(),
        Amount::InFlight(_) => Times(count.latency.0.clone_correct(count.service.usual())),
    }
}

fn ms(micros: u64) -> f64 {
    real(micros) / 1000.0
}

pub(super) fn percentiles(times: &Times) -> Percentiles {
    let at = |share: f64| (!times.0.is_empty()).then(|| ms(times.0.value_at_quantile(share)));
    Percentiles {
        p50: at(0.5),
        p90: at(0.9),
        p95: at(0.95),
        p99: at(0.99),
        p999: at(0.999),
        max: (!times.0.is_empty()).then(|| ms(times.0.max())),
    }
}

fn level(
    count: &Count,
    first: &Count,
    latency: &Times,
    amount: Amount,
    (began, expects): (Instant, bool),
) -> Level {
    let some = |times: &Times| (!times.0.is_empty()).then(|| percentiles(times));
    let lasted_s = count.lasted().as_secs_f64();
    let per_second = |many: u64| if lasted_s > 0.0 { real(many) / lasted_s } else { 0.0 };
    let latency_ms = percentiles(latency);
    let lag = percentiles(&count.lag);
    let (rate, low, high) = interval(count.quality);
    let failed: u64 = count.errors.values().sum();
    let (unit, corrected) = match amount {
        Amount::InFlight(_) => (LoadUnit::InFlight, true),
        Amount::PerSecond(_) => (LoadUnit::PerSecond, false),
    };
    let ttft_ms = some(&count.ttft);
    let histograms = Histograms {
        latency: written(latency),
        service: written(&count.service),
        dispatch_lag: written(&count.lag),
        ttft: ttft_ms.map(|_| written(&count.ttft)),
    };
    Level {
        load: amount.number(),
        unit,
        began_s: count.began.map_or(0.0, |at| at.saturating_duration_since(began).as_secs_f64()),
        lasted_s,
        requests: count.requests,
        retries: count.retries,
        rate: per_second(count.requests),
        latency_ms,
        corrected,
        service_ms: percentiles(&count.service),
        ttft_ms,
        gap_ms: some(&count.gaps),
        tokens_per_s: (count.tokens > 0).then(|| per_second(count.tokens)),
        dispatch_lag_ms: Lag { p50: lag.p50, p99: lag.p99, max: lag.max },
        valid: keeps_schedule(&count.lag, latency_ms.p50),
        errors: ErrorClass::iter()
            .map(|class| (class, count.errors.get(&class).copied().unwrap_or_default()))
            .collect::<BTreeMap<_, _>>(),
        error_rate: (count.requests > 0).then(|| real(failed) / real(count.requests)),
        cut_off: count.cut_off,
        quality: Quality {
            n: count.quality.of,
            passed: count.quality.hits,
            rate,
            low,
            high,
            empty: count.empty,
            cut: count.cut,
            refused: count.refused,
            identical: count.identical(),
        },
        judged: None,
        change: (!std::ptr::eq(count, first)).then(|| change(first, count)).flatten(),
        escalation: (count.escalations > 0).then(|| escalation(count)),
        goodput: expects.then(|| per_second(count.good)),
        recovery_ms: None,
        cost_usd: count.cost_usd,
        histograms,
    }
}

/// Whether requests were sent on time: 99 of 100 within 5 ms, or within a tenth of the median latency. With 10 to 99
/// requests, one may be late, because the 99th percentile of fewer than a hundred values is their maximum.
fn keeps_schedule(lag: &Times, latency_p50: Option<f64>) -> bool {
    let most = latency_p50.map_or(5.0, |p50| (p50 / 10.0).max(5.0));
    let all = lag.0.len();
    let late = all - lag.0.count_between(0, whole(most * 1000.0).unwrap_or(u64::MAX));
    late <= (all / 100).max(u64::from(all >= 10))
}

fn escalation(count: &Count) -> Escalation {
    let available = count.available.0.len();
    let (_, low, high) = interval(Tally { hits: available, of: count.escalations });
    Escalation {
        n: count.escalations,
        offered: count.offered,
        claimed: count.claimed,
        done: count.done,
        available,
        low,
        high,
        p95_ms: percentiles(&count.available).p95,
    }
}

/// The mean difference of pass rates over the cases that both levels judged.
///
/// The variance of each case is that of the difference of two proportions, with one pass and one failure added to each
/// (Agresti and Caffo, "Simple and effective confidence intervals for proportions", The American Statistician 54
/// (2000), 280–288).
fn change(first: &Count, now: &Count) -> Option<Change> {
    let both: Vec<_> = first.judged().intersection(&now.judged()).copied().collect();
    let cases = both.len() as u64;
    if cases == 0 {
        return None;
    }
    let (mut sum, mut variance) = (0.0, 0.0);
    for job in both {
        let of = |count: &Count| {
            let Tally { hits, of } = count.cases[job].judged;
            let (share, padded) = (real(hits) / real(of), real(hits + 1) / real(of + 2));
            (share, padded * (1.0 - padded) / real(of + 2))
        };
        let ((before, v), (after, w)) = (of(first), of(now));
        sum += after - before;
        variance += v + w;
    }
    let (rate, half) = (sum / real(cases), 1.96 * variance.sqrt() / real(cases));
    Some(Change { rate, low: (rate - half).max(-1.0), high: (rate + half).min(1.0), cases })
}

fn written(times: &Times) -> String {
    let mut bytes = Vec::new();
    match V2Serializer::new().serialize(&times.0, &mut bytes) {
        Ok(_) => BASE64.encode(bytes),
        // Writing to memory cannot fail.
        Err(_) => String::new(),
    }
}

/// What to show while a load test runs.
#[derive(Clone, Copy, Debug)]
pub struct Glance {
    /// 0-based.
    pub stage: usize,
    /// Conversations in progress.
    pub in_flight: u64,
    /// Requests that have ended, over all levels.
    pub requests: u64,
    /// Requests that failed, over all levels.
    pub errors: u64,
    /// Of this stage: median and 95th percentile of the latency from the intended send, in milliseconds.
    pub latency_ms: [Option<f64>; 2],
    /// Of this stage: the share of conversations that met their expectations.
    pub pass_rate: Option<f64>,
}

impl Glance {
    pub(super) fn of(shared: &Shared) -> Self {
        let state = shared.state();
        let now = state.levels.get(state.stage);
        let latency = now.map(|level| percentiles(&level.latency)).unwrap_or_default();
        Self {
            stage: state.stage,
            in_flight: state.in_flight,
            requests: state.levels.iter().map(|level| level.requests).sum(),
            errors: state.levels.iter().flat_map(|level| level.errors.values()).sum(),
            latency_ms: [latency.p50, latency.p95],
            pass_rate: now.and_then(|level| level.quality.share()),
        }
    }
}
