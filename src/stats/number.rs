//! Conversions between counts and numbers, and the tolerance for equality.

use std::borrow::Borrow;

/// Shares, scores or rates that differ by less than this count as equal. It is far above the rounding error of any sum
/// and far below a step of any scale.
pub const SLACK: f64 = 1e-9;

/// A count as a number; exact below 2⁵³, which no count here reaches.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "nothing here is counted to 2^53")]
pub fn real(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

/// The largest whole number that is not above `number`; `None` below 0, from 2⁵³ on, and for NaN.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
pub fn whole(number: f64) -> Option<u64> {
    (0.0..9_007_199_254_740_992.0).contains(&number).then_some(number as u64)
}

/// The arithmetic mean; `None` if there are no numbers.
#[must_use]
pub fn mean(numbers: impl IntoIterator<Item = impl Borrow<f64>>) -> Option<f64> {
    let numbers = numbers.into_iter();
    let (sum, n) = numbers.fold((0.0, 0_u64), |(sum, n), number| (sum + number.borrow(), n + 1));
    (n > 0).then(|| sum / real(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_counts_and_means_are_none() {
        assert_eq!([-0.5, f64::NAN, 9_007_199_254_740_992.0].map(whole), [None; 3]);
        assert_eq!([0.0, 2.9].map(whole), [Some(0), Some(2)]);
        assert_eq!(mean([0.0; 0]), None);
        assert_eq!(mean([1.0, 2.0, 6.0]), Some(3.0));
        assert!((real(3_usize) - 3.0).abs() < SLACK);
    }
}
