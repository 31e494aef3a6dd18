//! What the gate will be able to detect, computed before anything is sent, with the same tests as in a run.

use std::collections::BTreeMap;

use super::guard;
use super::spread::Suite;
use super::suspicion::{Suspicion, THIN};
use super::watch::{Plan, Rounds, Watch};
use super::{Policy, limits};
use crate::stats::{Tally, real};

/// Maximum cases that a plan proposes.
const MOST_CASES: u64 = 20_000;

/// Cases of a suite, each with its trials in a baseline.
pub struct Forecast<'a> {
    suite: Suite,
    /// How many cases have each past.
    pasts: Vec<(Tally, u64)>,
    policy: &'a Policy,
    /// Number of tags with their own guards, which share the level.
    tags: usize,
}

/// What it takes to detect one case that breaks permanently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// This many failed extra trials.
    Proven(u64),
    /// With a thin baseline, this many failed extra trials in a row; `None` if no number is enough.
    Thin(Option<u64>),
    /// It cannot be detected: the case is not expected to pass.
    Failing,
}

impl<'a> Forecast<'a> {
    /// The forecast for cases with these pasts, each with one trial or more, and this many tags with at least
    /// [`super::TAG_CASES`] cases.
    #[must_use]
    pub fn of(pasts: impl IntoIterator<Item = Tally>, tags: usize, policy: &'a Policy) -> Self {
        let mut alike: BTreeMap<(u64, u64), u64> = BTreeMap::new();
        for past in pasts {
            *alike.entry((past.hits, past.of)).or_default() += 1;
        }
        let pasts: Vec<_> =
            alike.into_iter().map(|((hits, of), count)| (Tally { hits, of }, count)).collect();
        let each = pasts.iter().flat_map(|(past, count)| (0..*count).map(|_| *past));
        Self { suite: Suite::fit(each), pasts, policy, tags }
    }

    fn cases(&self) -> u64 {
        self.pasts.iter().map(|(_, count)| count).sum()
    }

    /// Share of verdicts of one trial that differ between two unchanged runs, 0 to 0.5; `None` without cases.
    #[must_use]
    pub fn noise(&self) -> Option<f64> {
        let one = |past: Tally| {
            let rates = self.suite.own(Some(past));
            rates.rates().map(|(weight, rate)| weight * 2.0 * rate * (1.0 - rate)).sum::<f64>()
        };
        let sum: f64 = self.pasts.iter().map(|(past, count)| real(*count) * one(*past)).sum();
        (self.cases() > 0).then(|| sum / real(self.cases()))
    }

    /// The guard over this many cases like these, each asked `repeat` times.
    fn watch(&self, cases: u64, repeat: u64) -> Option<Watch<'_>> {
        let (all, mut before) = (self.cases(), 0);
        let scaled = self.pasts.iter().scan(0, |given, (past, count)| {
            before += count;
            let upto = before * cases / all.max(1);
            let own = upto - *given;
            *given = upto;
            Some((*past, own))
        });
        let plan =
            Plan { repeat, level: guard::level(self.tags), margin: self.policy.margin, rounds: Rounds::Two };
        Watch::over(&self.suite, scaled.filter(|(_, own)| *own > 0).collect::<Vec<_>>(), plan)
    }

    /// The smallest loss over this many cases like these that is detected four times in five, in points of the mean
    /// pass rate, 0 to 1.
    #[must_use]
    pub fn loss(&self, cases: u64, repeat: u64) -> Option<f64> {
        self.watch(cases, repeat)?.loss()
    }

    /// Whether a loss over this many cases like these is detected four times in five.
    #[must_use]
    pub fn shows(&self, loss: f64, cases: u64, repeat: u64) -> bool {
        self.watch(cases, repeat).is_some_and(|watch| watch.shows(loss))
    }

    /// How many cases like these, each run once, it takes to detect a loss; `None` if even 20,000 are not enough.
    #[must_use]
    pub fn cases_needed(&self, loss: f64) -> Option<u64> {
        let (mut low, mut high) = (0, 1);
        while !self.shows(loss, high, 1) {
            if high >= MOST_CASES {
                return None;
            }
            (low, high) = (high, (2 * high).min(MOST_CASES));
        }
        while low + 1 < high {
            let middle = u64::midpoint(low, high);
            if self.shows(loss, middle, 1) { high = middle } else { low = middle }
        }
        Some(high)
    }

    /// How many known cases an unchanged run is expected to run again, with `repeat` trials of each case.
    #[must_use]
    pub fn unlucky(&self, repeat: u64) -> f64 {
        self.expected(repeat)
            .map(|(_, count, lost)| count * lost.iter().map(|(weight, _)| weight).sum::<f64>())
            .sum()
    }

    /// How many extra trials an unchanged run is expected to need.
    #[must_use]
    pub fn fresh(&self, repeat: u64, family: usize) -> f64 {
        let one = |past| Suspicion::of(&self.suite, Some(past), family, limits(self.policy));
        self.expected(repeat).map(|(past, count, lost)| count * one(past).asks(&lost)).sum()
    }

    /// The cases that are expected to pass, each with its rates and the probability that it has the rate and fails.
    fn expected(&self, repeat: u64) -> impl Iterator<Item = (Tally, f64, Vec<(f64, f64)>)> {
        let power = i32::try_from(repeat).unwrap_or(i32::MAX);
        let known = self.pasts.iter().filter(|(past, _)| self.suite.expects(*past));
        known.map(move |(past, count)| {
            let rates = self.suite.own(Some(*past));
            let lost =
                rates.rates().map(|(weight, rate)| (weight * (1.0 - rate.powi(power)), rate)).collect();
            (*past, real(*count), lost)
        })
    }

    /// What it takes to detect that one case with this past breaks permanently, as one of `family` suspects.
    #[must_use]
    pub fn sight(&self, past: Tally, family: usize) -> Sight {
        if !self.suite.expects(past) {
            return Sight::Failing;
        }
        let needed = Suspicion::of(&self.suite, Some(past), family, limits(self.policy)).failures_needed();
        match needed {
            Some(needed) if past.of >= THIN => Sight::Proven(needed),
            needed => Sight::Thin(needed),
        }
    }
}
