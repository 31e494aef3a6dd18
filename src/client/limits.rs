//! What an endpoint is said to bear, and how that is kept.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::stats::real;
use crate::text::number::whole;

/// Longest time until a bucket is looked at again: its debts are what servers say they used.
const LONGEST: f64 = 3_600.0;
/// What floating sums lose must not make anybody wait.
const REST: f64 = 1e-6;

/// What an endpoint is said to bear. What is absent is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests in a minute, at least 1.
    pub requests_per_minute: Option<u64>,
    /// Tokens in a minute, sent and received, at least 1.
    pub tokens_per_minute: Option<u64>,
    /// Requests at once, at least 1.
    pub concurrency: Option<u64>,
}

impl Limits {
    /// Whether they limit nothing.
    #[must_use]
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (self.requests_per_minute, "requests per minute"),
            (self.tokens_per_minute, "tokens per minute"),
            (self.concurrency, "at once"),
        ];
        let said = all.iter().filter_map(|(figure, unit)| Some(format!("{} {unit}", whole((*figure)?))));
        f.write_str(&said.collect::<Vec<_>>().join(", "))
    }
}

/// An allowance that grows by the second and holds one second's worth, at least one. What is taken beyond it is a debt
/// that grows back first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    a_second: f64,
    level: f64,
    at: Instant,
}

impl Bucket {
    /// Sets a limit, unless a smaller one is set.
    pub(super) fn narrow(bucket: &mut Option<Self>, a_minute: Option<u64>) {
        let Some(a_minute) = a_minute else { return };
        let a_second = real(a_minute) / 60.0;
        if bucket.is_none_or(|bucket| a_second < bucket.a_second) {
            *bucket = Some(Self { a_second, level: a_second.max(1.0), at: Instant::now() });
        }
    }

    fn level(&self, now: Instant) -> f64 {
        (self.level + (now - self.at).as_secs_f64() * self.a_second).min(self.a_second.max(1.0))
    }

    /// How long until so much may be taken; more than it holds may be taken once it is full.
    pub(super) fn wait(&self, amount: f64, now: Instant) -> Duration {
        let missing = amount.min(self.a_second.max(1.0)) - self.level(now) - REST;
        Duration::from_secs_f64((missing / self.a_second).clamp(0.0, LONGEST))
    }

    /// Takes so much, or gives it back where it is less than nothing.
    pub(super) fn take(&mut self, amount: f64, now: Instant) {
        (self.level, self.at) = (self.level(now) - amount, now);
    }
}
