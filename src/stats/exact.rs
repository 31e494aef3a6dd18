//! Exact limits of a share.

use super::counts::binomial;
use super::{Interval, Tally, real};

impl Tally {
    /// The exact interval of the share; `None` if there are no tries.
    ///
    /// Clopper & Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
    /// Biometrika 26 (1934), 404–413. It contains the true share at least as often as `level` says, whatever the share
    /// is, and is therefore usually wider than Wilson's interval. Its ends are exactly 0 if there are no hits and
    /// exactly 1 if all tries are hits.
    #[must_use]
    pub fn clopper_pearson(self, level: f64) -> Option<Interval> {
        let each = 0.5 + level / 2.0;
        Some(Interval { low: self.lower_bound(each)?, high: self.upper_bound(each)? })
    }

    /// The share is at most this with confidence `level`; `None` if there are no tries.
    ///
    /// One-sided Clopper–Pearson: the share at which so few hits have the probability α = 1 − level.
    /// No hit in n gives 1 − α^(1/n), which is about 3 / n at 95%: Hanley & Lippman-Hand, "If nothing
    /// goes wrong, is everything all right?", Journal of the American Medical Association 249 (1983),
    /// 1743–1745.
    #[must_use]
    pub fn upper_bound(self, level: f64) -> Option<f64> {
        let alpha = 1.0 - level;
        match self.hits {
            _ if self.of == 0 => None,
            0 => Some(-(alpha.ln() / real(self.of)).exp_m1()),
            hits if hits >= self.of => Some(1.0),
            hits => Some(turn(|share| binomial(self.of, share).tails(hits).at_most > alpha)),
        }
    }

    /// The share is at least this with confidence `level`; `None` if there are no tries.
    ///
    /// One-sided Clopper–Pearson: the share at which so many hits have the probability α = 1 − level;
    /// α^(1/n) when all n are hits.
    #[must_use]
    pub fn lower_bound(self, level: f64) -> Option<f64> {
        let alpha = 1.0 - level;
        match self.hits {
            _ if self.of == 0 => None,
            0 => Some(0.0),
            hits if hits >= self.of => Some((alpha.ln() / real(self.of)).exp()),
            hits => Some(turn(|share| binomial(self.of, share).tails(hits).at_least < alpha)),
        }
    }
}

/// Finds, by bisection, where a condition on the numbers from 0 to 1 changes from true to false.
fn turn(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high || high - low < 1e-14 * high {
            return middle;
        }
        if holds(middle) { low = middle } else { high = middle }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::LEVEL;

    /// Newcombe, Statistics in Medicine 17 (1998), 857–872, table I, method 5, to four digits; further digits and the
    /// last
    /// rows from `proportion_confint(…, method="beta")` of statsmodels 0.15.
    #[test]
    fn clopper_pearson_gives_the_published_intervals() {
        for (hits, of, low, high) in [
            (81, 263, 0.252_736_745_585_271_26, 0.367_621_922_601_351_4),
            (15, 148, 0.057_844_010_083_448_57, 0.161_650_490_349_479),
            (0, 20, 0.0, 0.168_433_470_983_085_34),
            (1, 29, 0.000_872_646_883_579_922, 0.177_644_295_488_722_93),
            (7, 10, 0.347_547_149_940_002_7, 0.933_260_488_822_265_5),
            (10, 10, 0.691_502_892_181_239_2, 1.0),
            (1, 1, 0.025, 1.0),
            (3, 100_000, 6.186_763_958_922_033e-6, 8.767_020_256_636_2e-5),
        ] {
            let found = Tally { hits, of }.clopper_pearson(LEVEL).unwrap();
            assert!((found.low - low).abs() < 1e-11 && (found.high - high).abs() < 1e-11, "{hits}/{of}");
        }
        assert_eq!(Tally::default().clopper_pearson(LEVEL), None);
    }

    /// Hanley & Lippman-Hand's "rule of three"; the digits from `scipy.stats.beta.ppf` of `scipy` 1.17.
    #[test]
    fn zero_failures_bound_the_failure_rate() {
        for (hits, of, low, high) in [
            (0, 30, 0.0, 0.095_033_852_855_304_11),
            (0, 300, 0.0, 0.009_936_081_944_457_708),
            (30, 30, 0.904_966_147_144_695_8, 1.0),
            (2, 50, 0.007_153_719_531_293_804, 0.120_614_155_422_044_12),
            (49, 50, 0.908_601_869_280_302_6, 0.998_974_660_132_767_9),
        ] {
            let tally = Tally { hits, of };
            let found = (tally.lower_bound(LEVEL).unwrap(), tally.upper_bound(LEVEL).unwrap());
            assert!((found.0 - low).abs() < 1e-11 && (found.1 - high).abs() < 1e-11, "{hits}/{of}");
        }
        let clean = Tally { hits: 0, of: 1_000 }.upper_bound(LEVEL).unwrap();
        assert!((clean * 1_000.0 - 3.0).abs() < 0.01, "{clean}");
        assert_eq!((Tally::default().upper_bound(0.9), Tally::default().lower_bound(0.9)), (None, None));
    }

    proptest! {
        #[test]
        fn exact_limits_contain_the_share_and_are_symmetric(of in 1_u64..400, part in 0.0..=1.0_f64) {
            let hits = (0..of).filter(|i| real(*i) < part * real(of)).count() as u64;
            let tally = Tally { hits, of };
            let (exact, share) = (tally.clopper_pearson(LEVEL).unwrap(), tally.share().unwrap());
            prop_assert!(exact.low <= share && share <= exact.high);
            // Near 0 and 1 with large numbers, Wilson's interval is wider, by 4%.
            prop_assert!(exact.width() > 0.95 * tally.wilson(LEVEL).unwrap().width());
            let mirrored = Tally { hits: of - hits, of }.clopper_pearson(LEVEL).unwrap();
            prop_assert!((exact.low + mirrored.high - 1.0).abs() < 1e-12);
        }
    }
}
