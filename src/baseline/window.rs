//! Which runs a baseline keeps: the newest ones.

use chrono::{DateTime, FixedOffset, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::manifest::RunManifest;

/// Maximum runs that are kept.
pub const MOST_RUNS: usize = 20;

/// Days before the newest run after which a run is dropped.
pub const MOST_DAYS: i64 = 30;

/// Runs that are kept regardless of their age.
pub const LEAST_RUNS: usize = 5;

/// A run whose trials are in the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// The run's `run_id`.
    pub id: String,
    /// When it ended, RFC 3339 in UTC, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The commit that was run, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The version of the application, if the run names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether only accepted cases have been added from this run so far.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

impl RunRecord {
    /// A run without trials here yet.
    pub(super) fn of(run: &RunManifest, commit: Option<&str>) -> Self {
        Self {
            id: run.run_id.clone(),
            at: run.at.clone(),
            commit: commit.map(str::to_owned),
            version: run.scenarios.iter().find_map(|scenario| scenario.version.clone()),
            partial: true,
        }
    }

    fn time(&self) -> Option<DateTime<FixedOffset>> {
        DateTime::parse_from_rfc3339(self.at.as_deref()?).ok()
    }
}

/// The 0-based position of a run among the others: by time, or last if it has no time.
pub(super) fn place(runs: &[RunRecord], run: &RunRecord) -> usize {
    let Some(time) = run.time() else { return runs.len() };
    let later = |known: &&RunRecord| known.time().is_some_and(|known| known > time);
    runs.len() - runs.iter().rev().take_while(later).count()
}

/// The 0-based indices of the runs that leave the window, highest first, so that they can be removed one by one.
pub(super) fn outside(runs: &[RunRecord]) -> Vec<usize> {
    let newest = runs.iter().filter_map(RunRecord::time).max();
    let aged = |run: &RunRecord| match (newest, run.time()) {
        (Some(newest), Some(time)) => newest - time > TimeDelta::days(MOST_DAYS),
        _ => false,
    };
    let surplus = runs.len().saturating_sub(MOST_RUNS);
    let mut gone: Vec<usize> = (0..surplus).collect();
    for (index, run) in runs.iter().enumerate().skip(surplus) {
        if runs.len() - gone.len() > LEAST_RUNS && aged(run) {
            gone.push(index);
        }
    }
    gone.reverse();
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs on these days of a year; `None` has no time.
    fn on(days: &[Option<i64>]) -> Vec<RunRecord> {
        let first = DateTime::parse_from_rfc3339("2026-01-01T12:00:00Z").unwrap();
        let at = |day: &Option<i64>| day.map(|day| (first + TimeDelta::days(day)).to_rfc3339());
        days.iter()
            .map(|day| RunRecord {
                id: String::new(),
                at: at(day),
                commit: None,
                version: None,
                partial: false,
            })
            .collect()
    }

    #[test]
    fn at_most_twenty_runs_of_which_five_are_old() {
        let days = |count: i64, step: i64| on(&(0..count).map(|n| Some(n * step)).collect::<Vec<_>>());
        let table = [
            ("nothing", on(&[]), vec![]),
            ("twenty on as many days", days(20, 1), vec![]),
            ("one too many", days(21, 1), vec![0]),
            ("three too many", days(23, 1), vec![2, 1, 0]),
            ("exactly thirty days", days(6, 6), vec![]),
            ("a week apart", days(8, 7), vec![2, 1, 0]),
            ("far apart", days(7, 100), vec![1, 0]),
            ("five, far apart", days(5, 100), vec![]),
            ("too many and too old", days(22, 10), (0..17).rev().collect()),
            ("without a time nothing ages", on(&[None; 20]), vec![]),
            ("without a time, too many", on(&[None; 21]), vec![0]),
            (
                "old ones among others",
                on(&[Some(0), None, Some(1), None, Some(90), Some(91), None]),
                vec![2, 0],
            ),
        ];
        for (name, runs, gone) in table {
            assert_eq!(outside(&runs), gone, "{name}");
        }
    }

    #[test]
    fn a_run_comes_after_all_that_are_not_later() {
        let table = [
            (vec![Some(1), Some(3)], Some(2), 1),
            (vec![Some(1), Some(3)], Some(3), 2),
            (vec![Some(1), Some(3)], Some(0), 0),
            (vec![Some(1), Some(3)], None, 2),
            (vec![Some(3), None], Some(1), 2),
            (vec![None, Some(3)], Some(1), 1),
            (vec![], Some(1), 0),
        ];
        for (runs, run, expected) in table {
            assert_eq!(place(&on(&runs), &on(&[run])[0]), expected, "{runs:?} {run:?}");
        }
    }
}
