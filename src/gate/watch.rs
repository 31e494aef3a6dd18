//! What a guard can detect, computed from its own tests: the pass counts at which its rounds fire, inverted for the
//! loss.

use std::collections::BTreeMap;

use super::guard::{ALONE, SUSPICION, passes};
use super::spread::Suite;
use super::suspicion::THIN;
use crate::stats::{Sum, Tally, choose, moments, quantile, real, shuffled, whole};

/// A detectable loss is detected with this probability: 80%.
const SEEN: f64 = 0.8;

/// Bisection steps in the search for the loss.
const STEPS: usize = 20;

/// The guard that a run will have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Trials per case, at least 1.
    pub(super) repeat: u64,
    /// The guard's level.
    pub(super) level: f64,
    /// Drop of the mean pass rate that does not count.
    pub(super) margin: f64,
    /// Whether a second round is possible.
    pub(super) rounds: Rounds,
}

/// How many rounds the guard has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounds {
    /// The first round decides.
    One,
    /// A second round must confirm the suspicion.
    Two,
}

/// Cases with some pasts, and a guard over them.
pub(super) struct Watch<'a> {
    suite: &'a Suite,
    /// How many cases have each past.
    counts: Vec<(Tally, u64)>,
    plan: Plan,
    /// How many cases there are.
    cases: f64,
    /// The expected mean pass rate.
    mean: f64,
    /// When the guard fires, if no past is thin, so that this does not depend on the answers.
    fixed: Option<Fires>,
}

/// Maximum passes at which the guard's tests fire; −1 if they never do.
#[derive(Clone, Copy, Debug)]
struct Fires {
    /// The first round, or the start of a suspicion.
    first: i64,
    /// Both rounds together.
    both: i64,
    /// The second round alone.
    alone: i64,
}

impl<'a> Watch<'a> {
    /// The guard over cases with these pasts, each with its count.
    pub(super) fn over(
        suite: &'a Suite,
        pasts: impl IntoIterator<Item = (Tally, u64)>,
        plan: Plan,
    ) -> Option<Self> {
        let mut alike: BTreeMap<(u64, u64), u64> = BTreeMap::new();
        for (past, count) in pasts {
            *alike.entry((past.hits, past.of)).or_default() += count;
        }
        let counts: Vec<_> =
            alike.into_iter().map(|((hits, of), count)| (Tally { hits, of }, count)).collect();
        let cases = real(counts.iter().map(|(_, count)| count).sum::<u64>());
        let rate = |past: Tally| match past.share().filter(|_| past.of < THIN) {
            Some(share) => share,
            None => suite.posterior(past).mean(),
        };
        let mean = counts.iter().map(|(past, count)| real(*count) * rate(*past)).sum::<f64>() / cases;
        let thick = counts.iter().all(|(past, _)| past.of >= THIN);
        let watch = Self { suite, counts, plan, cases, mean, fixed: None };
        (cases > 0.0).then(|| Self { fixed: thick.then(|| watch.fires(1.0)), ..watch })
    }

    /// The loss over all cases that is detected four times in five, in points of the mean pass rate, 0 to 1, if every
    /// rate falls by the same factor; `None` if no loss is detected that often.
    pub(super) fn loss(&self) -> Option<f64> {
        if self.sees(0.0) < SEEN {
            return None;
        }
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..STEPS {
            let middle = f64::midpoint(low, high);
            if self.sees(1.0 - middle) >= SEEN { high = middle } else { low = middle }
        }
        Some(high * self.mean)
    }

    /// Whether a loss of this many points is detected four times in five.
    pub(super) fn shows(&self, loss: f64) -> bool {
        self.mean > 0.0 && self.sees(1.0 - (loss / self.mean).min(1.0)) >= SEEN
    }

    /// The probability that the guard fires if every rate is `keep` times what it was.
    fn sees(&self, keep: f64) -> f64 {
        let fires = self.fixed.unwrap_or_else(|| self.fires(keep));
        let now = Sum::of(self.parts(self.plan.repeat, keep));
        if !self.has_two() || fires.first < 0 {
            return now.at_most(fires.first);
        }
        // The second round is like the first, with one answer per case.
        let mut below = vec![0.0];
        let all = whole(self.cases).and_then(|n| i64::try_from(n).ok()).unwrap_or(i64::MAX);
        let mut sum = 0.0;
        let mut masses = now.each().peekable();
        for count in 0..=all {
            sum += masses.next_if(|(at, _)| *at == count).map_or(0.0, |(_, mass)| mass);
            below.push(sum);
        }
        let at_most =
            |count: i64| usize::try_from(count + 1).map_or(0.0, |at| below[at.min(below.len() - 1)]);
        let seen = now.each().take_while(|(passed, _)| *passed <= fires.first);
        seen.map(|(passed, mass)| mass * at_most(fires.alone.min(fires.both - passed))).sum()
    }

    /// Whether a second round confirms a suspicion.
    fn has_two(&self) -> bool {
        self.plan.rounds == Rounds::Two && self.plan.repeat == 1
    }

    /// When the guard fires if every rate is `keep` times what it was.
    fn fires(&self, keep: f64) -> Fires {
        let Plan { repeat, level, .. } = self.plan;
        let first = self.most(repeat, keep, if self.has_two() { SUSPICION * level } else { level });
        let first = first.min(self.over_margin(repeat));
        if !self.has_two() {
            return Fires { first, both: first, alone: first };
        }
        let both = self.most(2, keep, level).min(self.over_margin(2));
        Fires { first, both, alone: self.most(1, keep, ALONE) }
    }

    /// Maximum passes, with `drawn` answers per case, at which a test at this level fires; −1 if it never does.
    fn most(&self, drawn: u64, keep: f64, level: f64) -> i64 {
        if self.counts.iter().all(|(past, _)| past.of >= THIN) {
            return Sum::of(self.parts(drawn, 1.0)).largest(level);
        }
        // With thin pasts, the limit depends on the answers: compute it for the expected answers, with a normal
        // approximation.
        let (mut centre, mut spread, mut expected, mut moves) = (0.0, 0.0, 0.0, 0.0);
        for (past, count) in &self.counts {
            let (count, now) = (real(*count), self.passes(*past, drawn, keep));
            expected += count * moments(&now).0;
            if past.of >= THIN {
                let (mean, variance) = moments(&self.passes(*past, drawn, 1.0));
                centre += count * mean;
                spread += count * variance;
                continue;
            }
            moves += count * real(drawn) / real(past.of + drawn) / self.cases;
            for (passed, chance) in (0..).zip(now) {
                let (mean, variance) = moments(&shuffled(past.hits + passed, past.of + drawn, drawn));
                centre += count * chance * mean;
                spread += count * chance * variance;
            }
        }
        let limit = expected + (centre + quantile(level) * spread.sqrt() - 0.5 - expected) / (1.0 - moves);
        floor(limit)
    }

    /// Maximum passes at which the drop exceeds the margin.
    fn over_margin(&self, drawn: u64) -> i64 {
        -floor(-((self.mean - self.plan.margin) * self.cases * real(drawn) - 1e-9)) - 1
    }

    fn parts(&self, drawn: u64, keep: f64) -> Vec<(Vec<f64>, usize)> {
        let part = |(past, count): &(Tally, u64)| {
            (self.passes(*past, drawn, keep), usize::try_from(*count).unwrap_or(usize::MAX))
        };
        self.counts.iter().map(part).collect()
    }

    /// The probability of 0, 1, … passes in `drawn` answers. A thin past gives a rate that is shrunk toward the
    /// suite's.
    fn passes(&self, past: Tally, drawn: u64, keep: f64) -> Vec<f64> {
        if past.of >= THIN {
            return passes(self.suite, past, drawn, keep);
        }
        let rate = (real(past.hits) + self.suite.mean) / (real(past.of) + 1.0) * keep;
        let (power, n) = (|n: u64| i32::try_from(n).unwrap_or(i32::MAX), drawn);
        (0..=n).map(|x| choose(n, x) * rate.powi(power(x)) * (1.0 - rate).powi(power(n - x))).collect()
    }
}

/// The largest whole number that is not above `number`.
fn floor(number: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a number of answers")]
    let whole = number.floor() as i64;
    whole
}
