//! Confidence in a mean, by resampling its groups.

use std::collections::BTreeMap;

use rand_core::Rng;

use super::{SLACK, real, whole};

/// Means of whole groups resampled with replacement.
///
/// Efron & Tibshirani, "An introduction to the bootstrap" (1993), chapter 13, the percentile method; groups are drawn
/// whole, so values that move together stay together: Davison & Hinkley, "Bootstrap methods and their application"
/// (1997), chapter 3. If all groups have the same mean, all resampled means are equal, too, however few groups there
/// are: resampling shows only differences that were observed.
#[derive(Clone, Debug, PartialEq)]
pub struct Bootstrap {
    /// In ascending order.
    means: Vec<f64>,
}

impl Bootstrap {
    /// Draws that many means; `None` if there are fewer than two groups, which cannot be resampled.
    ///
    /// The result depends only on the values, the order of the groups by name, and the generator.
    pub fn of(clusters: &Clusters, draws: usize, random: &mut impl Rng) -> Option<Self> {
        if clusters.count() < 2 {
            return None;
        }
        let means: Option<Vec<f64>> =
            (0..draws).map(|_| clusters.resampled(|count| below(count, random))).collect();
        let mut means = means?;
        means.sort_by(f64::total_cmp);
        Some(Self { means })
    }

    /// The mean is at least this with confidence `level`: the (draws + 1)·(1 − level)-th mean from below, as in Davison
    /// & Hinkley, chapter 5. `None` if there are too few draws: fewer than 19 at 95%.
    #[must_use]
    pub fn lower_bound(&self, level: f64) -> Option<f64> {
        self.means.get(self.outside(level)?).copied()
    }

    /// How many of the means lie outside a one-sided bound.
    fn outside(&self, level: f64) -> Option<usize> {
        // 2,000 · (1 − 0.9) is 199.99999999999994.
        let rank = (real(self.means.len()) + 1.0) * (1.0 - level) + SLACK;
        usize::try_from(whole(rank)?).ok()?.checked_sub(1)
    }
}

/// A uniform whole number below `count`, up to a bias of 1 part in 2⁶⁴ / count.
///
/// Lemire, "Fast random integer generation in an interval", ACM Transactions on Modeling and Computer Simulation 29
/// (2019), without the rejection step, whose bias is too small for resampling to notice.
fn below(count: u64, random: &mut impl Rng) -> u64 {
    u64::try_from((u128::from(random.next_u64()) * u128::from(count)) >> 64).unwrap_or(0)
}

/// Values of independent groups; within a group they may be correlated.
#[derive(Clone, Debug, PartialEq)]
pub struct Clusters {
    /// Sum and number of each group's values, in the order of the groups' names.
    groups: Vec<(f64, f64)>,
}

impl Clusters {
    /// Values, each with the name of its group. Values are finite.
    pub fn of<Name: Ord>(values: impl IntoIterator<Item = (Name, f64)>) -> Self {
        let mut groups = BTreeMap::new();
        for (name, value) in values {
            let (sum, n) = groups.entry(name).or_insert((0.0, 0.0));
            *sum += value;
            *n += 1.0;
        }
        Self { groups: groups.into_values().collect() }
    }

    /// The number of groups.
    #[must_use]
    pub fn count(&self) -> usize {
        self.groups.len()
    }

    /// The mean of as many groups as there are, each drawn by `pick`, which gets their number and returns an index
    /// below it.
    fn resampled(&self, mut pick: impl FnMut(u64) -> u64) -> Option<f64> {
        let count = self.groups.len() as u64;
        let picked = (0..count).filter_map(|_| self.groups.get(usize::try_from(pick(count)).ok()?));
        mean(picked)
    }
}

fn mean<'a>(groups: impl Iterator<Item = &'a (f64, f64)>) -> Option<f64> {
    let (sum, n) = groups.fold((0.0, 0.0), |(sum, n), group| (sum + group.0, n + group.1));
    (n > 0.0).then(|| sum / n)
}

#[cfg(test)]
mod tests {
    use rand_pcg::Pcg64Mcg;

    use super::*;
    use crate::stats::LEVEL;

    const VALUES: [(&str, f64); 8] =
        [("a", 0.0), ("a", -0.5), ("b", 0.25), ("c", -1.0), ("c", 0.0), ("c", 0.0), ("d", 0.5), ("e", -0.25)];

    fn drawn(draws: usize, seed: u128) -> Bootstrap {
        Bootstrap::of(&Clusters::of(VALUES), draws, &mut Pcg64Mcg::new(seed)).unwrap()
    }

    /// Computed with a second implementation, generator included, in Python with exact fractions.
    #[test]
    fn bounds_match_another_implementation() {
        for (draws, seed, level, low) in [
            (1999, 7, 0.975, -0.3),
            (1999, 42, 0.975, -0.3),
            (999, 3, 0.95, -0.277_777_777_777_777_8),
            (39, 1, 0.975, -0.312_5),
        ] {
            let found = drawn(draws, seed).lower_bound(level).unwrap();
            assert!((found - low).abs() < 1e-12, "{found:?}");
        }
    }

    /// All 5⁵ ways to draw five groups, enumerated: the limit for infinitely many draws.
    #[test]
    fn many_draws_approach_the_exact_bounds() {
        let clusters = Clusters::of(VALUES);
        let mut all: Vec<f64> = (0..5_u64.pow(5))
            .map(|mut way| {
                let next = |_| {
                    let pick = way % 5;
                    way /= 5;
                    pick
                };
                clusters.resampled(next).unwrap()
            })
            .collect();
        all.sort_by(f64::total_cmp);
        let found = drawn(20_000, 7);
        let bound = found.lower_bound(LEVEL).unwrap();
        let share = |bound: f64| real(all.iter().filter(|mean| **mean <= bound).count()) / 3_125.0;
        let (least, most) = (share(bound - 1e-9), share(bound + 1e-9));
        assert!(least - 0.005 < 0.05 && 0.05 < most + 0.005, "{bound}: {least}, {most}");
    }

    #[test]
    fn unknown_bounds_are_none() {
        let one = Clusters::of([("a", 1.0), ("a", 0.0)]);
        assert_eq!(Bootstrap::of(&one, 99, &mut Pcg64Mcg::new(1)), None);
        assert_eq!(drawn(18, 1).lower_bound(LEVEL), None);
        assert!(drawn(19, 1).lower_bound(LEVEL).is_some());
        assert_eq!(drawn(0, 1).lower_bound(LEVEL), None);
        assert_eq!(drawn(500, 3), drawn(500, 3));
        assert_ne!(drawn(500, 3), drawn(500, 4));
    }
}
