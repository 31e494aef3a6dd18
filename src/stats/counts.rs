//! Tails of a distribution over counts, as sums of positive terms.
//!
//! Every weight is relative to the most probable count, so nothing overflows, nothing cancels, and no logarithm or
//! gamma function loses digits: tails are accurate to about 1 part in 10¹².

use super::{real, whole};

/// Weights below this share of the largest count as 0.
const NOTHING: f64 = 1e-300;

/// A distribution over the counts `least..=most` that rises up to `mode` and falls after it.
pub(super) struct Counts<Ratio> {
    least: u64,
    most: u64,
    mode: u64,
    /// P(j + 1) / P(j) for a count j.
    ratio: Ratio,
}

/// The tails on both sides of a count; both include it.
pub(super) struct Tails {
    /// P(X ≤ x).
    pub(super) at_most: f64,
    /// P(X ≥ x).
    pub(super) at_least: f64,
}

impl<Ratio: Fn(u64) -> f64> Counts<Ratio> {
    /// The two tails of a count.
    pub(super) fn tails(&self, count: u64) -> Tails {
        let [mut below, mut at, mut above] = [0.0; 3];
        let mut add = |other: u64, weight: f64| match other.cmp(&count) {
            std::cmp::Ordering::Less => below += weight,
            std::cmp::Ordering::Equal => at += weight,
            std::cmp::Ordering::Greater => above += weight,
        };
        let mut weight = 1.0;
        for other in self.mode..=self.most {
            add(other, weight);
            weight *= (self.ratio)(other);
            if weight < NOTHING {
                break;
            }
        }
        let mut weight = 1.0;
        for other in (self.least..self.mode).rev() {
            weight /= (self.ratio)(other);
            if weight < NOTHING {
                break;
            }
            add(other, weight);
        }
        let all = below + at + above;
        Tails { at_most: (below + at) / all, at_least: (at + above) / all }
    }
}

/// Hits in `n` independent tries that succeed with probability `chance`, strictly between 0 and 1.
pub(super) fn binomial(n: u64, chance: f64) -> Counts<impl Fn(u64) -> f64> {
    let odds = chance / (1.0 - chance);
    let mode = whole((real(n) + 1.0) * chance).unwrap_or(n).min(n);
    let ratio = move |j: u64| real(n - j) / real(j + 1) * odds;
    Counts { least: 0, most: n, mode, ratio }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with exact rational arithmetic, and for large n with mpmath 1.3 at 40 digits.
    #[test]
    fn tails_are_exact_to_many_digits() {
        for (n, chance, count, at_most, at_least) in [
            (10, 0.5, 3, 0.171_875, 0.945_312_5),
            (8, 0.25, 0, 0.100_112_915_039_062_5, 1.0),
            (8, 0.25, 8, 1.0, 1.525_878_906_25e-5),
            (40, 0.875, 30, 0.022_717_622_172_091_6, 0.991_655_915_815_496_4),
            (3, 0.999, 1, 2.998_000_000_000_005_4e-6, 0.999_999_999),
            (1000, 0.03125, 60, 0.999_998_983_926_487_2, 2.076_355_785_015_247e-6),
            (100_000, 0.95, 94_800, 0.001_995_480_069_652_857, 0.998_093_344_809_656_5),
            (1_000_000, 0.5, 498_000, 3.180_466_875_041_244_4e-5, 0.999_968_462_988_065_4),
        ] {
            let found = binomial(n, chance).tails(count);
            for (found, expected) in [(found.at_most, at_most), (found.at_least, at_least)] {
                assert!((found / expected - 1.0).abs() < 1e-11, "{n}, {chance}, {count}: {found}");
            }
        }
    }
}
