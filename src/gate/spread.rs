//! How pass rates are distributed over a suite, and what that says about the rate of one case.
//!
//! The rates form a grid. Their frequencies are learned from the pasts of all cases (60 steps of expectation
//! maximization, with a prior of five imagined cases spread evenly). The rate of a case is estimated from its past and
//! the suite, mixed with the estimate from its past alone, so that an unusual suite cannot dominate.

use std::collections::BTreeMap;

use crate::stats::{Tally, real};

/// The rates that a case may have.
const GRID: [f64; 22] = [
    0.005, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9,
    0.95, 0.97, 0.995,
];

/// Uniform weight of each rate.
const EVEN: f64 = 1.0 / 22.0;

/// Steps of the fit.
const STEPS: usize = 60;

/// Weight of the uniform prior, in cases.
const IMAGINED: f64 = 5.0;

/// The probability of each rate of the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread([f64; GRID.len()]);

/// The rates of a suite.
#[derive(Clone, Debug)]
pub(super) struct Suite {
    weights: Spread,
    /// Estimates for cases with each past.
    known: BTreeMap<(u64, u64), Known>,
    /// Mean pass rate of all past trials, by Laplace's rule.
    pub(super) mean: f64,
}

/// Estimates for cases with one past.
#[derive(Clone, Copy, Debug)]
struct Known {
    posterior: Spread,
    own: Spread,
    mean: f64,
}

impl Spread {
    const FLAT: Self = Self([EVEN; GRID.len()]);

    /// The expected pass rate.
    pub(super) fn mean(&self) -> f64 {
        self.rates().map(|(weight, rate)| weight * rate).sum()
    }

    /// The probability of these passes and failures in one given order, if every rate is `keep` times what it was.
    pub(super) fn chance(&self, passes: i32, failures: i32, keep: f64) -> f64 {
        let one = |(weight, rate): (f64, f64)| {
            weight * (rate * keep).powi(passes) * (1.0 - rate * keep).powi(failures)
        };
        self.rates().map(one).sum()
    }

    /// Each weight with its rate, lowest rate first.
    pub(super) fn rates(&self) -> impl Iterator<Item = (f64, f64)> {
        self.0.into_iter().zip(GRID)
    }

    /// The weights updated with the likelihood of a past at each rate.
    fn after(&self, likelihood: &[f64; GRID.len()]) -> Self {
        let mut both = self.0;
        both.iter_mut().zip(likelihood).for_each(|(weight, likely)| *weight *= likely);
        let sum: f64 = both.iter().sum();
        Self(both.map(|weight| weight / sum))
    }
}

impl Spread {
    /// Estimates for a case whose past has this likelihood at each rate, in a suite with these rates.
    fn known(&self, past: Tally, likelihood: &[f64; GRID.len()]) -> Known {
        let (posterior, alone) = (self.after(likelihood), Spread::FLAT.after(likelihood));
        let (mut own, n) = (posterior, real(past.of));
        own.0.iter_mut().zip(alone.0).for_each(|(both, alone)| *both = (1.0 - 1.0 / n) * *both + alone / n);
        Known { posterior, own, mean: own.mean() }
    }
}

/// The likelihood of a past at each rate, relative to the highest.
fn likelihood(past: Tally) -> [f64; GRID.len()] {
    let (hits, misses) = (real(past.hits), real(past.of - past.hits));
    // In logarithms, so that ten thousand trials do not underflow.
    let logs = GRID.map(|rate| hits * rate.ln() + misses * (-rate).ln_1p());
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    logs.map(|log| (log - most).exp())
}

impl Suite {
    /// Learns from the pasts of the cases, each with one trial or more.
    pub(super) fn fit(pasts: impl IntoIterator<Item = Tally>) -> Self {
        let mut alike: BTreeMap<(u64, u64), u64> = BTreeMap::new();
        let mut sum = Tally::default();
        for past in pasts {
            *alike.entry((past.hits, past.of)).or_default() += 1;
            sum += past;
        }
        let cases: u64 = alike.values().sum();
        let known: Vec<_> = alike
            .iter()
            .map(|((hits, of), count)| (likelihood(Tally { hits: *hits, of: *of }), real(*count)))
            .collect();
        let mut weights = Spread::FLAT;
        for _ in 0..if known.is_empty() { 0 } else { STEPS } {
            let mut next = Spread::FLAT.0.map(|share| share * IMAGINED);
            for (likely, count) in &known {
                let after = weights.after(likely);
                next.iter_mut().zip(after.0).for_each(|(all, one)| *all += count * one);
            }
            weights = Spread(next.map(|weight| weight / (real(cases) + IMAGINED)));
        }
        let known = alike
            .into_keys()
            .zip(known)
            .map(|((hits, of), (likely, _))| ((hits, of), weights.known(Tally { hits, of }, &likely)))
            .collect();
        Self { weights, known, mean: (real(sum.hits) + 1.0) / (real(sum.of) + 2.0) }
    }

    fn of(&self, past: Tally) -> Known {
        let known = self.known.get(&(past.hits, past.of)).copied();
        known.unwrap_or_else(|| self.weights.known(past, &likelihood(past)))
    }

    /// The rates of a case, given its past and the suite.
    pub(super) fn posterior(&self, past: Tally) -> Spread {
        self.of(past).posterior
    }

    /// Like [`posterior`](Self::posterior), mixed with the estimate from the past alone, which weighs as much as one
    /// trial. A case without a past has the suite's rates.
    pub(super) fn own(&self, past: Option<Tally>) -> Spread {
        past.filter(|past| past.of > 0).map_or(self.weights, |past| self.of(past).own)
    }

    /// Whether a case with this past is expected to pass at least half the time.
    pub(super) fn expects(&self, past: Tally) -> bool {
        self.of(past).mean >= 0.5
    }
}
