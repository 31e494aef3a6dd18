//! Pure functions over numbers: intervals, tests, power, agreement and corrected rates.
//!
//! Shares are from 0 to 1. `level` is the confidence level, strictly between 0 and 1, such as [`LEVEL`]. Nothing here
//! panics or does any I/O; what cannot be known is `None` or an error, never a number that looks like a result.

mod bootstrap;
mod confusion;
mod counts;
mod exact;
mod holm;
mod kappa;
mod normal;
mod number;
mod percentile;
mod prevalence;
mod sign_flip;
mod sum;

use serde::{Deserialize, Serialize};

pub use bootstrap::{Bootstrap, Clusters};
pub use confusion::Confusion;
pub use holm::holm;
pub use kappa::Kappa;
pub use normal::quantile;
pub use number::{SLACK, mean, real, whole};
pub use percentile::percentile;
pub use prevalence::corrected;
pub use sign_flip::sign_flip;
pub use sum::{Sum, choose, moments, shuffled};

/// The confidence level of every interval that akit shows: 95%.
pub const LEVEL: f64 = 0.95;

/// A closed range that contains a true value with some confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end, not below the lower one.
    pub high: f64,
}

/// A number of hits among a number of tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Hits, at most `of`.
    pub hits: u64,
    /// Tries.
    pub of: u64,
}

impl Interval {
    /// From the lower to the upper end.
    #[must_use]
    pub fn width(self) -> f64 {
        self.high - self.low
    }

    /// This interval, clamped to a range.
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
    /// The share of hits, 0 to 1; `None` if there are no tries.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.of > 0).then(|| real(self.hits) / real(self.of))
    }

    /// The score interval of the share; `None` if there are no tries.
    ///
    /// Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    /// Statistical Association 22 (1927), 209–212; without continuity correction. It stays accurate for small numbers
    /// and at shares of 0 and 1, where share ± 1.96 errors fails.
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

/// How many standard errors a two-sided interval extends to each side: 1.96 for 0.95.
fn two_sided(level: f64) -> f64 {
    quantile(0.5 + level / 2.0)
}

impl Tally {
    /// pass@k: the probability that at least one of k further trials passes, estimated without bias.
    ///
    /// 1 − C(n − c, k) / C(n, k) with c passes in n trials. Chen et al., "Evaluating large language models trained on
    /// code", arXiv:2107.03374 (2021), equation 1. None if k is 0 or above the number of trials; over a suite it is
    /// the mean over the cases.
    #[must_use]
    pub fn pass_at_k(self, k: u64) -> Option<f64> {
        let failed = Self { hits: self.of.saturating_sub(self.hits), of: self.of };
        failed.pass_hat_k(k).map(|none| 1.0 - none)
    }

    /// pass^k: the probability that all of k further trials pass, estimated without bias.
    ///
    /// C(c, k) / C(n, k) with c passes in n trials. Yao et al., "τ-bench: a benchmark for tool-agent-user interaction
    /// in real-world domains", arXiv:2406.12045 (2024). None if k is 0 or above the number of trials; over a suite it
    /// is the mean over the cases.
    #[must_use]
    pub fn pass_hat_k(self, k: u64) -> Option<f64> {
        if k == 0 || k > self.of {
            return None;
        }
        let hits = self.hits.min(self.of);
        // Beyond the last pass a factor is 0, and so is the rest.
        Some((0..k.min(hits + 1)).map(|i| real(hits - i.min(hits)) / real(self.of - i)).product())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe, Statistics in Medicine 17 (1998), 857–872, table I, method 3, to four digits; further digits from
    /// `proportion_confint(…, method="wilson")` of statsmodels 0.14.
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

    /// Passes in four trials of the first 25 airline tasks of τ-bench, from the published historical trajectories of
    /// gpt-4o
    /// (Yao et al.).
    const AIRLINE: [u64; 25] = [0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 4, 2, 0, 2, 1, 1, 4, 0, 4, 3, 0, 0, 4];

    fn mean(one: impl Fn(Tally) -> Option<f64>) -> f64 {
        AIRLINE.iter().map(|hits| one(Tally { hits: *hits, of: 4 }).unwrap()).sum::<f64>() / 25.0
    }

    /// Computed with exact rational arithmetic.
    #[test]
    fn airline_tasks_give_their_known_rates() {
        for (k, all, any) in [
            (1, 0.31, 0.31),
            (2, 0.193_333_333_333_333_33, 0.426_666_666_666_666_7),
            (3, 0.17, 0.52),
            (4, 0.16, 0.6),
        ] {
            assert!((mean(|tally| tally.pass_hat_k(k)) - all).abs() < 1e-12, "pass^{k}");
            assert!((mean(|tally| tally.pass_at_k(k)) - any).abs() < 1e-12, "pass@{k}");
        }
    }

    #[test]
    fn rates_at_the_edges() {
        let some = Tally { hits: 3, of: 10 };
        assert_eq!(
            [some.pass_at_k(0), some.pass_hat_k(0), some.pass_at_k(11), some.pass_hat_k(11)],
            [None; 4]
        );
        assert_eq!((some.pass_at_k(8), some.pass_hat_k(4)), (Some(1.0), Some(0.0)));
        assert!((some.pass_at_k(1).unwrap() - 0.3).abs() < 1e-12);
        let all = Tally { hits: 5, of: 5 };
        assert_eq!((all.pass_at_k(5), all.pass_hat_k(5)), (Some(1.0), Some(1.0)));
        assert_eq!(Tally::default().pass_hat_k(1), None);
    }
}
