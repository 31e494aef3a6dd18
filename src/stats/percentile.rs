//! Percentiles of measured values.

use super::{SLACK, real, whole};

/// The smallest value that at least this share of the values does not exceed: 0.95 for p95.
///
/// The nearest-rank method, which always returns a measured value: the ⌈share · n⌉-th in ascending order, and the
/// smallest for a share of 0. Definition 1 of Hyndman & Fan, "Sample quantiles in statistical packages", The American
/// Statistician 50 (1996), 361–365. The values may be in any order. None if there are no values, if one is NaN, or if
/// the share is not within 0..1.
#[must_use]
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&share) || values.iter().any(|value| value.is_nan()) {
        return None;
    }
    // 0.07 · 100 is 7.000000000000001, which is not the eighth.
    let rank = whole((share * real(values.len()) - SLACK).ceil().max(1.0))?;
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(usize::try_from(rank - 1).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The first rows are worked examples of Wikipedia's "Percentile" (nearest rank). All others except 0.07, where
    /// `numpy`
    /// rounds up to the eighth, come from its `quantile(…, method="inverted_cdf")`.
    #[test]
    fn percentiles_match_published_ones() {
        let five = [50.0, 20.0, 15.0, 40.0, 35.0];
        for (share, expected) in
            [(0.05, 15.0), (0.3, 20.0), (0.4, 20.0), (0.5, 35.0), (1.0, 50.0), (0.0, 15.0)]
        {
            assert_eq!(percentile(&five, share), Some(expected), "{share}");
        }
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        for (share, expected) in
            [(0.07, 7.0), (0.1, 10.0), (0.5, 50.0), (0.95, 95.0), (0.99, 99.0), (0.991, 100.0)]
        {
            assert_eq!(percentile(&hundred, share), Some(expected), "{share}");
        }
    }

    #[test]
    fn unknown_percentiles_are_none() {
        assert_eq!([percentile(&[], 0.5), percentile(&[1.0, f64::NAN], 0.5)], [None, None]);
        assert_eq!(
            [percentile(&[1.0], 1.1), percentile(&[1.0], -0.1), percentile(&[1.0], f64::NAN)],
            [None; 3]
        );
        assert_eq!([percentile(&[7.0], 0.0), percentile(&[7.0], 0.99)], [Some(7.0); 2]);
    }

    proptest! {
        #[test]
        fn enough_values_do_not_exceed_it(
            values in prop::collection::vec(-9_i8..9, 1..50),
            share in 0.0..=1.0_f64,
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let found = percentile(&values, share).unwrap();
            let n = real(values.len());
            let up_to = real(values.iter().filter(|value| **value <= found).count());
            let under = values.iter().filter(|value| **value < found).count() as u64;
            prop_assert!(up_to >= share * n - 1e-6 && (under == 0 || real(under) < share * n));
        }
    }
}
