//! What happened over time. Steps get longer when there are too many, so that an hour takes no more memory than a
//! minute.

use std::time::Duration;

use tokio::time::Instant;

use super::tally::Sent;
use crate::manifest::Tick;
use crate::stats::{real, whole};

/// Number of steps to keep; at twice as many, they are merged in pairs.
const MOST: usize = 300;
/// Latency classes, each 10% wider than the one before.
const CLASSES: usize = 190;
/// Upper end of the lowest class, in milliseconds.
const LEAST_MS: f64 = 0.1;
const WIDER: f64 = 1.1;

/// What happened in each step of time.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    began: Instant,
    step: Duration,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
struct Step {
    due: u64,
    requests: u64,
    errors: u64,
    judged: u64,
    passed: u64,
    classes: Box<[u32; CLASSES]>,
}

impl Step {
    fn new() -> Self {
        Self { due: 0, requests: 0, errors: 0, judged: 0, passed: 0, classes: Box::new([0; CLASSES]) }
    }

    fn and(&mut self, other: &Self) {
        self.due += other.due;
        self.requests += other.requests;
        self.errors += other.errors;
        self.judged += other.judged;
        self.passed += other.passed;
        for (sum, more) in self.classes.iter_mut().zip(other.classes.iter()) {
            *sum = sum.saturating_add(*more);
        }
    }

    /// The latency that this share of the answers did not exceed.
    fn quantile(&self, share: f64) -> Option<f64> {
        let all: u64 = self.classes.iter().map(|count| u64::from(*count)).sum();
        if all == 0 {
            return None;
        }
        let wanted = (real(all) * share).ceil();
        let mut sum = 0;
        let class = self.classes.iter().position(|count| {
            sum += u64::from(*count);
            real(sum) >= wanted
        })?;
        // The middle of the class.
        Some(LEAST_MS * WIDER.powf(real(class) - 0.5))
    }
}

fn class(latency: Duration) -> usize {
    let ms = latency.as_secs_f64() * 1000.0;
    let class = (ms / LEAST_MS).ln() / WIDER.ln();
    let class = whole(class.ceil().max(0.0)).and_then(|class| usize::try_from(class).ok());
    class.unwrap_or(CLASSES).min(CLASSES - 1)
}

impl Timeline {
    pub(super) fn beginning(began: Instant) -> Self {
        Self { began, step: Duration::from_secs(1), steps: Vec::new() }
    }

    /// When it began.
    pub(super) fn began(&self) -> Instant {
        self.began
    }

    fn at(&mut self, time: Instant) -> Option<&mut Step> {
        loop {
            let since = time.saturating_duration_since(self.began).as_nanos();
            let index = usize::try_from(since / self.step.as_nanos().max(1)).ok()?;
            if index >= 2 * MOST {
                self.steps = self
                    .steps
                    .chunks(2)
                    .map(|pair| {
                        let mut sum = pair[0].clone();
                        pair[1..].iter().for_each(|more| sum.and(more));
                        sum
                    })
                    .collect();
                self.step *= 2;
                continue;
            }
            while self.steps.len() <= index {
                self.steps.push(Step::new());
            }
            return self.steps.get_mut(index);
        }
    }

    pub(super) fn due(&mut self, time: Instant) {
        if let Some(step) = self.at(time) {
            step.due += 1;
        }
    }

    pub(super) fn sent(&mut self, sent: &Sent<'_>) {
        let latency = sent.latency();
        let Some(step) = self.at(sent.at + sent.took) else { return };
        step.requests += 1;
        match sent.found {
            Ok(_) => step.classes[class(latency)] = step.classes[class(latency)].saturating_add(1),
            Err(_) => step.errors += 1,
        }
    }

    /// Counts a conversation that errored although no request failed.
    pub(super) fn failed(&mut self, at: Instant) {
        if let Some(step) = self.at(at) {
            step.errors += 1;
        }
    }

    pub(super) fn judged(&mut self, at: Instant, passed: bool) {
        if let Some(step) = self.at(at) {
            step.judged += 1;
            step.passed += u64::from(passed);
        }
    }

    /// The steps up to this time.
    pub(super) fn ticks(&self, until: Instant) -> Vec<Tick> {
        let long = self.step.as_secs_f64();
        let end = until.saturating_duration_since(self.began).as_secs_f64();
        let tick = |(index, step): (usize, &Step)| {
            let at_s = real(index) * long;
            Tick {
                at_s,
                lasted_s: long.min(end - at_s).max(0.0),
                due: step.due,
                requests: step.requests,
                errors: step.errors,
                p50_ms: step.quantile(0.5),
                p95_ms: step.quantile(0.95),
                judged: step.judged,
                passed: step.passed,
            }
        };
        self.steps.iter().enumerate().map(tick).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Answer;

    #[test]
    fn a_day_takes_no_more_space_than_ten_minutes() {
        let began = Instant::now();
        let mut timeline = Timeline::beginning(began);
        let answer = Answer::default();
        for second in 0..86_400_u32 {
            let sent = began + Duration::from_secs(second.into());
            let took = Duration::from_millis(40);
            timeline.due(sent);
            let one = Sent {
                due: sent,
                began: sent,
                at: sent,
                took,
                retries: 0,
                is_first: true,
                found: Ok(&answer),
            };
            timeline.sent(&one);
        }
        let ticks = timeline.ticks(began + Duration::from_secs(86_400));
        assert!((MOST / 2..=2 * MOST).contains(&ticks.len()), "{}", ticks.len());
        assert_eq!(ticks.iter().map(|tick| tick.requests).sum::<u64>(), 86_400);
        assert!(ticks.iter().all(|tick| tick.p95_ms.is_some_and(|p95| (p95 / 40.0 - 1.0).abs() < 0.06)));
    }

    #[test]
    fn buckets_are_accurate_within_five_percent() {
        for ms in [0.05, 0.1, 0.3, 1.0, 7.7, 99.0, 1_234.0, 60_000.0, 3_000_000.0] {
            let mut step = Step::new();
            step.classes[class(Duration::from_secs_f64(ms / 1000.0))] += 1;
            let found = step.quantile(0.5).unwrap_or_default();
            assert!((found / ms.max(LEAST_MS) - 1.0).abs() < 0.055, "{ms}: {found}");
        }
    }
}
