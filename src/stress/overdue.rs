//! Requests that are missing from the figures: they failed, or were cut off after waiting longer than any answer took.
//!
//! Without them, a server that stops answering would look fast, because its slowest answers never arrive.

use super::finding::Found;
use super::tally::Times;
use crate::manifest::LoadUnit;
use crate::stats::{real, whole};

/// A request is overdue only if it waited this many times as long as the longest answer took.
const TIMES: u64 = 3;
/// A request is overdue only if it waited at least this long, in microseconds.
const LEAST: u64 = 1_000_000;

fn above(times: &Times, micros: u64) -> u64 {
    times.0.len() - times.0.count_between(0, micros)
}

impl Found {
    fn late(&self, level: usize) -> u64 {
        self.counts[level].latency.0.max().saturating_mul(TIMES).max(LEAST)
    }

    /// Requests that were cut off at the end although they were overdue.
    pub(super) fn overdue(&self, level: usize) -> u64 {
        above(&self.counts[level].waited, self.late(level))
    }

    /// The overdue requests that asked for a person.
    pub(super) fn overdue_escalations(&self, level: usize) -> u64 {
        above(&self.counts[level].waited_for_person, self.late(level))
    }

    /// The number of requests that had no answer within this limit, if they alone push the 95th percentile above it.
    /// For load that is kept in flight, each counts for all the requests it held back.
    pub(super) fn waited(&self, level: usize, limit_ms: f64) -> Option<u64> {
        let limit = whole(limit_ms * 1000.0)?;
        let count = &self.counts[level];
        let usual = count.service.usual();
        let stands_for = |times: &Times| match self.run.levels[level].unit {
            LoadUnit::InFlight => above(&Times(times.0.clone_correct(usual)), limit),
            LoadUnit::PerSecond => above(times, limit),
        };
        let (known, without) =
            (&self.latencies[level], above(&count.waited, limit) + above(&count.lost, limit));
        let slow = stands_for(&count.waited) + stands_for(&count.lost);
        (without > 0 && real(above(known, limit) + slow) > 0.05 * real(known.0.len() + slow))
            .then_some(without)
    }

    /// Whether overdue requests alone push the 95th percentile of the time to the first token, which they never got,
    /// above this limit.
    pub(super) fn waits_for_token(&self, level: usize, limit_ms: f64) -> bool {
        let (ttft, overdue) = (&self.counts[level].ttft, self.overdue(level));
        let late = whole(limit_ms * 1000.0).map_or(0, |limit| above(ttft, limit));
        overdue > 0 && real(late + overdue) > 0.05 * real(ttft.0.len() + overdue)
    }

    /// Whether so many requests are overdue that the server has stopped answering.
    pub(super) fn has_stopped(&self, level: usize) -> bool {
        let (figures, overdue) = (&self.run.levels[level], real(self.overdue(level)));
        overdue > 0.0
            && match figures.unit {
                LoadUnit::InFlight => overdue * 2.0 >= figures.load,
                LoadUnit::PerSecond => overdue >= 0.05 * (real(figures.requests) + overdue),
            }
    }
}
