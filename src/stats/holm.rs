//! Correction for multiple tests.

/// The p-values of several tests, adjusted so that comparing each with α keeps the probability of any false alarm at
/// α; in the order given.
///
/// In ascending order, the i-th (from 1) of n becomes the largest of `(n − j + 1) · p_j` for j ≤ i, and at most 1. It
/// does not assume independence. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal
/// of Statistics 6 (1979), 65–70. NaN becomes 1.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let read: Vec<f64> = p_values.iter().map(|p| if p.is_nan() { 1.0 } else { *p }).collect();
    let mut order: Vec<usize> = (0..read.len()).collect();
    order.sort_by(|a, b| read[*a].total_cmp(&read[*b]));
    let mut adjusted = read.clone();
    let (mut left, mut largest) = (super::real(read.len()), 0.0_f64);
    for at in order {
        largest = largest.max(left * read[at]).min(1.0);
        adjusted[at] = largest;
        left -= 1.0;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// From `multipletests(…, method="holm")` of statsmodels 0.15; R's `p.adjust` gives the same.
    #[test]
    fn adjusted_values_match_r() {
        for (raw, expected) in [
            (vec![0.01, 0.02, 0.03, 0.04], vec![0.04, 0.06, 0.06, 0.06]),
            (vec![0.02, 0.01, 0.04, 0.03], vec![0.06, 0.04, 0.06, 0.06]),
            (vec![0.001, 0.8, 0.02, 0.02, 0.3], vec![0.005, 0.8, 0.08, 0.08, 0.6]),
            (
                vec![0.0005, 0.0001, 0.0499, 0.012, 0.0213, 0.7, 0.03],
                vec![0.003, 0.000_7, 0.099_8, 0.06, 0.085_2, 0.7, 0.09],
            ),
            (vec![0.6, 0.7], vec![1.0, 1.0]),
            (vec![0.05], vec![0.05]),
            (vec![], vec![]),
        ] {
            let found = holm(&raw);
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-12, "{raw:?}: {found} for {expected}");
            }
        }
        assert_eq!(holm(&[f64::NAN, 0.01]), [1.0, 0.02]);
    }

    proptest! {
        #[test]
        fn order_is_kept_and_no_value_gets_smaller(raw in prop::collection::vec(0.0..=1.0_f64, 0..40)) {
            let adjusted = holm(&raw);
            for (i, p) in raw.iter().enumerate() {
                prop_assert!(adjusted[i] >= *p && adjusted[i] <= 1.0);
                for (j, q) in raw.iter().enumerate() {
                    prop_assert!(p > q || adjusted[i] <= adjusted[j]);
                }
            }
        }
    }
}
