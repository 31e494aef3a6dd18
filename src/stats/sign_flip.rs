//! Whether paired differences are more than chance: a test without assumptions about their distribution.

use rand_core::Rng;

use super::real;

/// Up to this many pairs, every combination of signs is counted: 2¹⁶ of them.
const ALL: usize = 16;

/// The probability of a mean difference at least as large by chance, if the differences were spread symmetrically
/// around `margin`: a small p means that their mean is above `margin`.
///
/// The margin is subtracted, and every remainder keeps or flips its sign at random; p is the share of combinations
/// whose sum reaches the observed one. Fisher, "The design of experiments" (1935), section 21. Up to 16 pairs, all
/// combinations count, and the generator is not used; above that, `draws` of them are drawn, and p = (reached + 1) /
/// (draws + 1), never 0: Phipson & Smyth, "Permutation p-values should never be zero", Statistical Applications in
/// Genetics and Molecular Biology 9 (2010), article 39.
///
/// 1 if there are no pairs, or if a difference or the margin is not finite.
pub fn sign_flip(differences: &[f64], margin: f64, draws: u32, random: &mut impl Rng) -> f64 {
    let rest: Vec<f64> = differences.iter().map(|difference| difference - margin).collect();
    if !rest.iter().all(|value| value.is_finite()) {
        return 1.0;
    }
    // The sum reaches the observed one exactly if the flipped values add up to 0 or less; equal sums must not differ
    // by rounding.
    let zero = 1e-12 * rest.iter().map(|value| value.abs()).sum::<f64>();
    if rest.len() <= ALL {
        let mut sums = vec![0.0];
        for value in &rest {
            sums.extend_from_within(..);
            let half = sums.len() / 2;
            sums[half..].iter_mut().for_each(|sum| *sum += value);
        }
        let reached = sums.iter().filter(|sum| **sum <= zero).count();
        return real(reached) / real(sums.len());
    }
    let reached = (0..draws).filter(|_| flipped(&rest, random) <= zero).count();
    (real(reached) + 1.0) / (f64::from(draws) + 1.0)
}

/// The sum of the flipped values.
fn flipped(values: &[f64], random: &mut impl Rng) -> f64 {
    let mut sum = 0.0;
    for some in values.chunks(64) {
        let signs = random.next_u64();
        let changed = some.iter().enumerate().filter(|(at, _)| (signs >> at) & 1 == 1);
        sum += changed.map(|(_, value)| value).sum::<f64>();
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_pcg::Pcg64Mcg;

    use super::*;

    /// Darwin's fifteen pairs of maize, in eighths of an inch: Fisher's own example, section 21, in which 863 of 2¹⁵
    /// combinations reach the sum on one side.
    const MAIZE: [f64; 15] =
        [49.0, -67.0, 8.0, 16.0, 6.0, 23.0, 28.0, 41.0, 14.0, 29.0, 56.0, 24.0, 75.0, 60.0, -48.0];

    fn p(differences: &[f64], margin: f64) -> f64 {
        sign_flip(differences, margin, 20_000, &mut Pcg64Mcg::new(5))
    }

    #[test]
    fn maize_gives_fishers_value() {
        assert_eq!(p(&MAIZE, 0.0).to_bits(), (863.0_f64 / 32_768.0).to_bits());
        let mirrored = MAIZE.map(|value| -value);
        assert!(p(&mirrored, 0.0) > 0.97);
        assert!(p(&MAIZE, 10.0) > p(&MAIZE, 0.0));
    }

    /// From `permutation_test(…, permutation_type="samples", n_resamples=np.inf)` of `scipy` 1.17.
    #[test]
    fn exact_values_match_scipy() {
        for (differences, margin, expected) in [
            (vec![1.0, -2.0, 3.0, 0.5], 0.0, 0.312_5),
            (vec![0.25, 0.5, 0.125, 1.0, -0.125, 0.75], 0.125, 0.093_75),
            (vec![0.11, 0.29, -0.07, 0.43, 0.31, 0.02, -0.13, 0.22, 0.17, 0.08], 0.05, 0.069_335_937_5),
            (vec![1.0, 1.0, 1.0, 1.0, -1.0], 0.0, 0.187_5),
            (vec![0.4], 0.0, 0.5),
        ] {
            let found = p(&differences, margin);
            assert!((found - expected).abs() < 1e-12, "{differences:?}: {found}");
        }
    }

    /// 34 pairs: each of Darwin's twice, and four zeros. Computed by exact counting of integer sums in Python.
    #[test]
    fn drawn_values_approximate_exact_ones() {
        let mut twice = [MAIZE, MAIZE].concat();
        twice.extend([0.0; 4]);
        let drawn = p(&twice, 0.0);
        assert!((drawn - 0.002_561_773_173_511_028_3).abs() < 0.000_6, "{drawn}");
        assert_eq!(p(&twice, 0.0).to_bits(), drawn.to_bits());
        let never = sign_flip(&[1.0; 60], 0.0, 999, &mut Pcg64Mcg::new(1));
        assert_eq!(never.to_bits(), 0.001_f64.to_bits());
    }

    #[test]
    fn no_differences_prove_nothing() {
        for differences in [vec![], vec![f64::NAN; 3], vec![f64::INFINITY; 20], vec![0.0; 5], vec![0.0; 50]] {
            assert_eq!(p(&differences, 0.0).to_bits(), 1.0_f64.to_bits(), "{differences:?}");
        }
        assert_eq!(p(&[1.0; 3], f64::NAN).to_bits(), 1.0_f64.to_bits());
        assert_eq!(p(&[0.1; 5], 0.1).to_bits(), 1.0_f64.to_bits());
    }

    proptest! {
        #[test]
        fn exact_values_match_counting(
            whole in prop::collection::vec(-20_i32..=20, 1..9),
            margin in -3_i32..=3,
        ) {
            let rest: Vec<i32> = whole.iter().map(|value| value - margin).collect();
            let all = 1_u32 << rest.len();
            let signed = |signs: u32| -> i32 {
                let sign = |at: usize| if signs >> at & 1 == 1 { -1 } else { 1 };
                rest.iter().enumerate().map(|(at, value)| sign(at) * value).sum()
            };
            let reached = (0..all).filter(|signs| signed(*signs) >= signed(0)).count();
            let differences: Vec<f64> = whole.iter().map(|value| f64::from(*value)).collect();
            let found = p(&differences, f64::from(margin));
            prop_assert!((found - real(reached) / f64::from(all)).abs() < 1e-12);
        }
    }
}
