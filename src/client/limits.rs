//! Configured rate limits of an endpoint, and how they are enforced.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::stats::real;
use crate::text::number::whole;

/// Maximum wait for a bucket, in seconds: its debt comes from the usage that servers report, which may be wrong.
const LONGEST: f64 = 3_600.0;
/// Slack, so a floating-point error never causes a wait.
const REST: f64 = 1e-6;

/// Rate limits of an endpoint; `None` is unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests per minute, at least 1.
    pub requests_per_minute: Option<u64>,
    /// Tokens per minute, sent and received, at least 1.
    pub tokens_per_minute: Option<u64>,
    /// Concurrent requests, at least 1.
    pub concurrency: Option<u64>,
}

impl Limits {
    /// Whether nothing is limited.
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

/// A token bucket that fills continuously and holds one second's worth, at least one. Taking more than it has
/// leaves a debt that is refilled first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    a_second: f64,
    level: f64,
    at: Instant,
}

impl Bucket {
    /// Sets a limit, unless a lower one is set.
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

    /// How long until `amount` may be taken; more than the capacity may be taken once it is full.
    pub(super) fn wait(&self, amount: f64, now: Instant) -> Duration {
        let missing = amount.min(self.a_second.max(1.0)) - self.level(now) - REST;
        Duration::from_secs_f64((missing / self.a_second).clamp(0.0, LONGEST))
    }

    /// Takes an amount; a negative one is given back.
    pub(super) fn take(&mut self, amount: f64, now: Instant) {
        (self.level, self.at) = (self.level(now) - amount, now);
    }
}
