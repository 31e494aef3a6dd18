//! Pure functions over numbers: intervals, tests, power, agreement and corrected rates.
//!
//! Shares lie from 0 to 1. `level` is the level of confidence, strictly between 0 and 1, such as
//! [`LEVEL`]. Nothing here panics or reads anything; what cannot be known is `None` or an error,
//! never a number that looks like an answer.

mod bootstrap;
mod confusion;
mod counts;
mod exact;
mod fisher;
mod holm;
mod kappa;
mod normal;
mod number;
mod percentile;
mod poisson_binomial;
mod power;
mod prevalence;
mod prior;
mod repeat;
mod sign_flip;

use serde::{Deserialize, Serialize};

pub use bootstrap::{Bootstrap, Clusters};
pub use confusion::Confusion;
pub use fisher::{choose, fisher_lower};
pub use holm::holm;
pub use kappa::Kappa;
pub use normal::quantile;
pub use number::{SLACK, mean, real, whole};
pub use percentile::percentile;
pub use poisson_binomial::poisson_binomial_at_most;
pub use power::{Spread, detectable};
pub use prevalence::corrected;
pub use prior::Prior;
pub use sign_flip::sign_flip;

/// The level of confidence of every interval that akit shows: 95 %.
pub const LEVEL: f64 = 0.95;

/// A closed range that holds a true value with some confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end, not below the lower one.
    pub high: f64,
}

/// How many of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Those that count, at most `of`.
    pub hits: u64,
    /// All of them.
    pub of: u64,
}

impl Interval {
    /// From the lower to the upper end.
    #[must_use]
    pub fn width(self) -> f64 {
        self.high - self.low
    }

    /// The same, cut to a range.
    fn within(self, least: f64, most: f64) -> Self {
        Self { low: self.low.clamp(least, most), high: self.high.clamp(least, most) }
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.hits = self.hits.saturating_add(other.hits);
        self.of = self.of.saturating_add(other.of);
    }
}

impl Tally {
    /// The share of hits, 0 to 1; absent when there is nothing.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.of > 0).then(|| real(self.hits) / real(self.of))
    }

    /// The score interval of the share; absent when there is nothing.
    ///
    /// Wilson, "Probable inference, the law of succession, and statistical inference", Journal of
    /// the American Statistical Association 22 (1927), 209–212; without continuity correction. It
    /// keeps its level for small numbers and at shares of 0 and 1, where share ± 1.96 errors fails.
    #[must_use]
    pub fn wilson(self, level: f64) -> Option<Interval> {
        let (share, n, z) = (self.share()?, real(self.of), two_sided(level));
        let centre = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt() / (1.0 + z * z / n);
        // Exactly 0 and 1 at the ends, where rounding could leave 1e-17.
        let low = if self.hits == 0 { 0.0 } else { centre - half };
        let high = if self.hits == self.of { 1.0 } else { centre + half };
        Some(Interval { low, high }.within(0.0, 1.0))
    }
}

/// How many standard errors a two-sided interval reaches to each side: 1.96 for 0.95.
fn two_sided(level: f64) -> f64 {
    quantile(0.5 + level / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe, Statistics in Medicine 17 (1998), 857–872, table I, method 3, to four digits; the
    /// further digits by `proportion_confint(…, method="wilson")` of statsmodels 0.14.
    #[test]
    fn wilson_gives_the_published_intervals() {
        for (hits, of, low, high) in [
            (81, 263, 0.255_288_519_878_274_2, 0.366_209_576_982_800_04),
            (15, 148, 0.062_386_399_530_736_28, 0.160_487_241_723_308_03),
            (0, 20, 0.0, 0.161_125_158_052_819_4),
            (1, 29, 0.006_113_214_292_762_667, 0.171_755_218_793_204_93),
            (7, 10, 0.396_778_147_461_145_37, 0.892_208_732_593_699_3),
            (10, 10, 0.722_467_200_137_110_6, 1.0),
        ] {
            let found = Tally { hits, of }.wilson(LEVEL).unwrap();
            assert!((found.low - low).abs() < 1e-12 && (found.high - high).abs() < 1e-12, "{hits}/{of}");
        }
        assert_eq!(Tally::default().wilson(LEVEL), None);
    }
}
