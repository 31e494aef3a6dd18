//! Did a case get worse? An exact test of few trials against few.

use super::counts::hypergeometric;
use super::{Tally, real};

/// How probable it is that chance alone leaves the trials of `now` as few hits or fewer, had they the
/// same chance of a hit as those of `before`: above 0, at most 1.
///
/// With x of m now and s of n before, p = Σ_{j ≤ x} C(s + x, j) · C(n − s + m − x, m − j) / C(n + m, m).
/// Fisher's exact test, its lower tail: Fisher, "The logic of inductive inference", Journal of the
/// Royal Statistical Society 98 (1935), 39–82. Where either tally is empty nothing is proven: p = 1.
/// A tally with more hits than trials counts as all hits.
#[must_use]
pub fn fisher_lower(now: Tally, before: Tally) -> f64 {
    let [now, before] = [now, before].map(|tally| Tally { hits: tally.hits.min(tally.of), ..tally });
    // A p-value of exactly 0 would claim a proof.
    hypergeometric(now, before).tails(now.hits).at_most.clamp(f64::MIN_POSITIVE, 1.0)
}

/// In how many ways k of n can be chosen; exact up to 2⁵³, infinite above 10³⁰⁸.
#[must_use]
pub fn choose(n: u64, k: u64) -> f64 {
    if k > n {
        return 0.0;
    }
    let k = k.min(n - k);
    let mut ways = 1.0;
    for i in 1..=k {
        // Multiplied before it is divided, since only then every step is a whole number.
        ways = ways * real(n - k + i) / real(i);
        if ways == f64::INFINITY {
            break;
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tally(hits: u64, of: u64) -> Tally {
        Tally { hits, of }
    }

    /// The first two are the examples of `fisher.test` in R: Fisher's tea tasting, 17 / 70 (seen from
    /// the cups that she got wrong), and criminal twins, p = 0.0004652. All digits by exact rational
    /// arithmetic; `scipy` 1.17's `fisher_exact(…, alternative="less")` agrees.
    #[test]
    fn fisher_gives_the_published_values() {
        for (now, before, p) in [
            ((1, 4), (3, 4), 0.242_857_142_857_142_85),
            ((2, 17), (10, 13), 0.000_465_180_943_362_905_03),
            ((0, 4), (5, 5), 0.007_936_507_936_507_936),
            ((1, 4), (9, 10), 0.040_959_040_959_040_96),
            ((0, 4), (4, 5), 0.039_682_539_682_539_68),
            ((3, 8), (58, 60), 0.000_103_985_387_482_512_86),
            ((40, 100), (90, 100), 2.516_554_848_155_795_8e-14),
            ((300, 2000), (4900, 9000), 1.820_021_636_199_578e-245),
        ] {
            let (now, before) = (tally(now.0, now.1), tally(before.0, before.1));
            let found = fisher_lower(now, before);
            assert!((found / p - 1.0).abs() < 1e-11, "{now:?} {before:?}: {found}");
        }
    }

    #[test]
    fn a_perfect_baseline_bounds_what_trials_can_prove() {
        for (before, trials, one_in) in [
            (5, 4, 126.0),
            (10, 4, 1001.0),
            (20, 2, 231.0),
            (3, 3, 20.0),
            (1, 4, 5.0),
            (20, 20, 137_846_528_820.0),
        ] {
            let found = fisher_lower(tally(0, trials), tally(before, before));
            assert!((found * one_in - 1.0).abs() < 1e-12, "{before}, {trials}: {found}");
            assert_eq!(choose(before + trials, trials).to_bits(), f64::to_bits(one_in));
        }
        assert!(fisher_lower(tally(0, 4), tally(4, 5)) > fisher_lower(tally(0, 4), tally(5, 5)));
        for (n, k, ways) in [(3, 4, 0.0), (0, 0, 1.0), (7, 7, 1.0), (52, 5, 2_598_960.0)] {
            assert_eq!(choose(n, k).to_bits(), f64::to_bits(ways), "{n}, {k}");
        }
        assert!(choose(u64::MAX, u64::MAX / 2).is_infinite());
    }

    #[test]
    fn nothing_is_proven_by_nothing() {
        for (now, before) in
            [((0, 0), (9, 9)), ((0, 4), (0, 0)), ((4, 4), (9, 9)), ((0, 4), (0, 9)), ((9, 4), (3, 2))]
        {
            let found = fisher_lower(tally(now.0, now.1), tally(before.0, before.1));
            assert!((found - 1.0).abs() < 1e-12, "{now:?} {before:?}: {found}");
        }
        let far = fisher_lower(tally(0, 100_000), tally(100_000, 100_000));
        assert!(far > 0.0 && far < 1e-290, "{far}");
    }

    proptest! {
        #[test]
        fn p_lies_in_its_range_and_rises_with_the_hits(
            m in 1_u64..40,
            n in 1_u64..60,
            part in 0.0..=1.0_f64,
        ) {
            let before = tally((0..n).filter(|i| real(*i) < part * real(n)).count() as u64, n);
            let mut last = 0.0;
            for hits in 0..=m {
                let p = fisher_lower(tally(hits, m), before);
                prop_assert!(p > 0.0 && p <= 1.0, "{hits} of {m}, {before:?}: {p}");
                prop_assert!(p >= last * (1.0 - 1e-12), "{hits} of {m}, {before:?}: {p} after {last}");
                last = p;
            }
            prop_assert!(fisher_lower(tally(0, m), before) >= (1.0 - 1e-12) / choose(n + m, m));
        }
    }
}
