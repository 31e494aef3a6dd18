//! How many of many unlike tries succeed.

/// A probability below this is nothing; it keeps the work to the counts that can happen at all.
const NOTHING: f64 = 1e-60;

/// P(X ≤ `count`), X the number of successes in independent tries with these probabilities, each 0 to
/// 1.
///
/// By adding one try after the other to the exact distribution, up to `count`: Barlow & Heidtmann,
/// "Computing k-out-of-n system reliability", IEEE Transactions on Reliability 33 (1984), 322–323.
/// Counts that cannot happen to within 1e-60 are left out, so the work grows with n^1.5, and results
/// below about 1e-50 are too small. Values outside of 0..1 count as the nearer end, and one that is not
/// a number as 0.
#[must_use]
pub fn poisson_binomial_at_most(probabilities: &[f64], count: usize) -> f64 {
    if count >= probabilities.len() {
        return 1.0;
    }
    // exact[j] is the probability of `least` + j successes so far; more than `count` are not kept.
    let mut exact = std::collections::VecDeque::from([1.0]);
    let mut least = 0;
    for probability in probabilities {
        let hit = if *probability > 0.0 { probability.min(1.0) } else { 0.0 };
        let mut carried = 0.0;
        for one in &mut exact {
            let moved = *one * hit;
            *one = *one * (1.0 - hit) + carried;
            carried = moved;
        }
        if least + exact.len() <= count && carried > NOTHING {
            exact.push_back(carried);
        }
        while exact.front().is_some_and(|one| *one < NOTHING) {
            exact.pop_front();
            least += 1;
        }
    }
    // A sum of nothing would be −0.
    exact.iter().fold(0.0, |sum, one| sum + one).min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::{counts::binomial, real};

    /// The i-th of many unlike probabilities, between 0.5 and 1.
    fn unlike(n: u32) -> Vec<f64> {
        (0..n).map(|i| 1.0 - f64::from(i * 7 % 64) / 128.0).collect()
    }

    /// By exact rational arithmetic.
    #[test]
    fn values_are_those_of_exact_sums() {
        for (n, count, expected) in [
            (5, 2, 0.007_533_758_878_707_886),
            (20, 15, 0.572_970_394_913_264_5),
            (64, 40, 0.010_195_543_660_555_856),
            (300, 220, 0.205_106_336_878_632_86),
            (300, 150, 1.495_916_322_076_345_1e-24),
            (300, 299, 1.0),
        ] {
            let found = poisson_binomial_at_most(&unlike(n), count);
            assert!((found / expected - 1.0).abs() < 1e-11, "{n}, {count}: {found}");
        }
    }

    #[test]
    fn sure_things_are_sure() {
        assert_eq!(poisson_binomial_at_most(&[], 0).to_bits(), 1.0_f64.to_bits());
        assert_eq!(poisson_binomial_at_most(&[1.0, 0.0, 1.0], 1).to_bits(), 0.0_f64.to_bits());
        assert_eq!(poisson_binomial_at_most(&[1.0, 0.0, 1.0], 2).to_bits(), 1.0_f64.to_bits());
        assert_eq!(poisson_binomial_at_most(&[f64::NAN, -1.0, 2.0], 1).to_bits(), 1.0_f64.to_bits());
        assert_eq!(poisson_binomial_at_most(&[0.5; 3], 7).to_bits(), 1.0_f64.to_bits());
    }

    proptest! {
        #[test]
        fn equal_probabilities_give_the_binomial(
            n in 1_u64..300,
            chance in 0.001..0.999_f64,
            part in 0.0..1.0_f64,
        ) {
            let count = (0..n).filter(|i| real(*i + 1) < part * real(n)).count();
            let expected = binomial(n, chance).tails(count as u64).at_most;
            let found = poisson_binomial_at_most(&vec![chance; usize::try_from(n).unwrap()], count);
            prop_assert!((found - expected).abs() < 1e-11, "{found} for {expected}");
        }

        #[test]
        fn more_counts_are_more_probable(rates in prop::collection::vec(0.0..=1.0_f64, 1..60)) {
            let all: Vec<f64> =
                (0..=rates.len()).map(|count| poisson_binomial_at_most(&rates, count)).collect();
            prop_assert!(all.windows(2).all(|pair| pair[0] <= pair[1] + 1e-12));
            let none: f64 = rates.iter().map(|rate| 1.0 - rate).product();
            prop_assert!((all[0] - none).abs() < 1e-12);
        }
    }
}
