//! Exact sums of independent counts, by convolution: all terms are positive, so nothing cancels.

use super::real;

/// Smaller probabilities count as 0.
const NOTHING: f64 = 1e-90;

/// The distribution of a sum of independent counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Sum {
    /// The smallest count with a probability.
    first: usize,
    /// The probabilities of that count and the following ones.
    mass: Vec<f64>,
}

impl Sum {
    /// Builds the distribution from independent counts: the probabilities of 0, 1, … of each, and how many such counts
    /// there are.
    pub fn of(parts: impl IntoIterator<Item = (Vec<f64>, usize)>) -> Self {
        let mut sums: Vec<Self> =
            parts.into_iter().map(|(mass, times)| Self { first: 0, mass }.times(times)).collect();
        sums.sort_by_key(|sum| sum.mass.len());
        sums.iter().fold(Self::nothing(), |all, one| all.and(one))
    }

    fn nothing() -> Self {
        Self { first: 0, mass: vec![1.0] }
    }

    fn times(self, times: usize) -> Self {
        if let [miss, hit] = self.mass[..]
            && times > 2
            && miss > 0.0
            && hit > 0.0
        {
            return Self { first: 0, mass: binomial(times, hit / miss) }.trimmed();
        }
        let (mut out, mut power, mut left) = (Self::nothing(), self, times);
        while left > 0 {
            if left % 2 == 1 {
                out = out.and(&power);
            }
            left /= 2;
            if left > 0 {
                power = power.and(&power);
            }
        }
        out
    }

    fn and(&self, other: &Self) -> Self {
        let (short, long) = if self.mass.len() < other.mass.len() { (self, other) } else { (other, self) };
        let mut mass = vec![0.0; short.mass.len() + long.mass.len() - 1];
        for (at, left) in short.mass.iter().enumerate() {
            for (to, right) in mass[at..].iter_mut().zip(&long.mass) {
                *to += left * right;
            }
        }
        Self { first: self.first + other.first, mass }.trimmed()
    }

    /// This distribution without its negligible ends.
    fn trimmed(self) -> Self {
        let Self { first, mut mass } = self;
        let empty = mass.iter().take_while(|mass| **mass < NOTHING).count().min(mass.len() - 1);
        mass.drain(..empty);
        let full = mass.iter().rposition(|mass| *mass >= NOTHING).map_or(1, |last| last + 1);
        mass.truncate(full);
        Self { first: first + empty, mass }
    }

    /// The probability of a sum of at most `count`, 0 to 1.
    #[must_use]
    pub fn at_most(&self, count: i64) -> f64 {
        let Some(last) = usize::try_from(count).ok().and_then(|count| count.checked_sub(self.first)) else {
            return 0.0;
        };
        self.mass.iter().take(last.saturating_add(1)).sum::<f64>().min(1.0)
    }

    /// The largest sum whose cumulative probability is at most `level`; −1 if there is none.
    #[must_use]
    pub fn largest(&self, level: f64) -> i64 {
        let mut below = 0.0;
        let within = self.mass.iter().take_while(|mass| {
            below += **mass;
            below <= level
        });
        i64::try_from(self.first + within.count()).map_or(i64::MAX, |count| count - 1)
    }

    /// Every sum with its probability.
    pub fn each(&self) -> impl Iterator<Item = (i64, f64)> {
        let first = i64::try_from(self.first).unwrap_or(i64::MAX);
        (first..).zip(self.mass.iter().copied())
    }
}

/// The probabilities of 0, 1, … hits in `n` tries with these odds, which are above 0. They are computed relative to the
/// most probable one, so that nothing relevant underflows.
fn binomial(n: usize, odds: f64) -> Vec<f64> {
    let mode =
        super::whole((real(n) + 1.0) * odds / (1.0 + odds)).and_then(|mode| usize::try_from(mode).ok());
    let mode = mode.unwrap_or(n).min(n);
    let mut mass = vec![0.0; n + 1];
    mass[mode] = 1.0;
    for at in mode..n {
        mass[at + 1] = mass[at] * real(n - at) / real(at + 1) * odds;
    }
    for at in (0..mode).rev() {
        mass[at] = mass[at + 1] * real(at + 1) / real(n - at) / odds;
    }
    let all: f64 = mass.iter().sum();
    mass.iter().map(|mass| mass / all).collect()
}

/// The number of ways to choose k of n; exact up to 2⁵³, infinite above 10³⁰⁸.
#[must_use]
pub fn choose(n: u64, k: u64) -> f64 {
    if k > n {
        return 0.0;
    }
    let k = k.min(n - k);
    let mut ways = 1.0;
    for i in 1..=k {
        // Multiply before dividing, so that every step is a whole number.
        ways = ways * real(n - k + i) / real(i);
        if ways == f64::INFINITY {
            break;
        }
    }
    ways
}

/// The probabilities of 0, 1, … hits among `drawn` answers that are drawn at random from `all`, of which `hits` are
/// hits.
#[must_use]
pub fn shuffled(hits: u64, all: u64, drawn: u64) -> Vec<f64> {
    let ways = |x: u64| match (drawn.checked_sub(x), hits.checked_sub(x)) {
        (Some(missed), Some(_)) if missed <= all - hits => choose(hits, x) * choose(all - hits, missed),
        _ => 0.0,
    };
    (0..=drawn).map(|x| ways(x) / choose(all, drawn)).collect()
}

/// The mean and variance of a distribution over the counts 0, 1, ….
#[must_use]
pub fn moments(mass: &[f64]) -> (f64, f64) {
    let mean: f64 = mass.iter().enumerate().map(|(x, p)| p * real(x)).sum();
    (mean, mass.iter().enumerate().map(|(x, p)| p * (real(x) - mean).powi(2)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_and_truncated_only_at_negligible_tails() {
        let dice = Sum::of([(vec![0.5, 0.5], 3), (vec![0.25, 0.75], 1)]);
        let found: Vec<f64> = (-1..=4).map(|count| dice.at_most(count)).collect();
        let expected = [0.0, 1.0 / 32.0, 7.0 / 32.0, 19.0 / 32.0, 29.0 / 32.0, 1.0];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{found:?}");
        assert_eq!(
            [dice.largest(0.03), dice.largest(0.04), dice.largest(0.6), dice.largest(1.0)],
            [-1, 0, 2, 4]
        );
        assert!((Sum::of([(vec![0.9, 0.1], 20)]).at_most(0) - 0.9_f64.powi(20)).abs() < 1e-15);
        // A sum of many binomials with truncated tails.
        let many = Sum::of([(vec![0.05, 0.95], 5_000)]);
        assert!(many.mass.len() < 1_000 && (many.at_most(5_000) - 1.0).abs() < 1e-12);
        assert!((many.each().map(|(x, p)| p * real(x.unsigned_abs())).sum::<f64>() - 4_750.0).abs() < 1e-6);
        assert!(Sum::of([]).at_most(0) >= 1.0);
    }

    #[test]
    fn answers_in_any_order_are_distributed_fairly() {
        assert_eq!(shuffled(1, 2, 1), [0.5, 0.5]);
        assert_eq!(shuffled(0, 2, 1), [1.0, 0.0]);
        let three = shuffled(2, 5, 3);
        assert!(three.iter().zip([0.1, 0.6, 0.3, 0.0]).all(|(a, b)| (a - b).abs() < 1e-15), "{three:?}");
        assert!((moments(&three).0 - 1.2).abs() < 1e-12 && (moments(&three).1 - 0.36).abs() < 1e-12);
    }

    #[test]
    fn counts_of_ways_are_whole_numbers() {
        for (n, k, ways) in [
            (3, 4, 0.0),
            (0, 0, 1.0),
            (7, 7, 1.0),
            (9, 4, 126.0),
            (52, 5, 2_598_960.0),
            (40, 20, 137_846_528_820.0),
        ] {
            assert_eq!(choose(n, k).to_bits(), f64::to_bits(ways), "{n}, {k}");
        }
        assert!(choose(u64::MAX, u64::MAX / 2).is_infinite());
    }
}
