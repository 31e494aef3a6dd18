//! Two runs of the same cases, one trial each.

use serde::{Deserialize, Serialize};

use super::counts::binomial;

/// Cases whose verdict differs between two runs; those that agree say nothing about a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flips {
    /// Cases that passed before and fail now.
    pub losses: u64,
    /// Cases that failed before and pass now.
    pub gains: u64,
}

impl Flips {
    /// How probable so many losses or more are, were a loss and a gain equally likely.
    ///
    /// P(Bin(losses + gains, ½) ≥ losses): the exact, one-sided form of `McNemar`'s test, from "Note on
    /// the sampling error of the difference between correlated proportions or percentages",
    /// Psychometrika 12 (1947), 153–157. 1 where nothing flipped.
    #[must_use]
    pub fn p_worse(self) -> f64 {
        binomial(self.all(), 0.5).tails(self.losses).at_least.clamp(f64::MIN_POSITIVE, 1.0)
    }

    /// How probable a split as uneven, to either side, is by chance alone: twice the smaller tail, at
    /// most 1.
    #[must_use]
    pub fn p_changed(self) -> f64 {
        let swapped = Self { losses: self.gains, gains: self.losses };
        (2.0 * self.p_worse().min(swapped.p_worse())).min(1.0)
    }

    fn all(self) -> u64 {
        self.losses.saturating_add(self.gains)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Media for culturing tuberculosis, 12 to 2, two-sided 0.0129: Armitage & Berry, "Statistical
    /// methods in medical research" (1994), page 127. All digits by exact rational arithmetic;
    /// `mcnemar(…, exact=True)` of statsmodels 0.15 agrees on the two-sided ones.
    #[test]
    fn p_values_are_the_published_ones() {
        for (losses, gains, worse, changed) in [
            (12, 2, 0.006_469_726_562_5, 0.012_939_453_125),
            (2, 12, 0.999_084_472_656_25, 0.012_939_453_125),
            (7, 1, 0.035_156_25, 0.070_312_5),
            (5, 0, 0.031_25, 0.062_5),
            (0, 0, 1.0, 1.0),
            (3, 3, 0.656_25, 1.0),
            (59, 41, 0.044_313_040_057_033_79, 0.088_626_080_114_067_58),
            (120, 80, 0.002_842_577_998_375_152_7, 0.005_685_155_996_750_305_5),
        ] {
            let flips = Flips { losses, gains };
            for (found, expected) in [(flips.p_worse(), worse), (flips.p_changed(), changed)] {
                assert!((found / expected - 1.0).abs() < 1e-12, "{flips:?}: {found} for {expected}");
            }
        }
    }
}
