//! Numbers collected over runs, stored compactly.
//!
//! They cover every counted trial since the case last started over, including runs that left the window. Each figure
//! keeps six significant digits, so that the file stays small.

use serde::{Deserialize, Serialize};

/// A mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "(u32, f64)"))]
#[serde(from = "(u32, f64)", into = "(u32, f64)")]
pub struct Mean {
    /// Number of values.
    pub n: u32,
    /// Their mean.
    pub mean: f64,
}

/// A mean and the spread around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "(u32, f64, f64)"))]
#[serde(from = "(u32, f64, f64)", into = "(u32, f64, f64)")]
pub struct Spread {
    /// Number of values.
    pub n: u32,
    /// Their mean.
    pub mean: f64,
    /// The sum of their squared distances from the mean.
    pub m2: f64,
}

impl Mean {
    /// Adds values; `None` stays `None` if there are no values.
    pub(super) fn gather(stored: &mut Option<Self>, values: impl IntoIterator<Item = f64>) {
        let mut spread = None;
        if let Some(Self { n, mean }) = *stored {
            spread = Some(Spread { n, mean, m2: 0.0 });
        }
        Spread::gather(&mut spread, values);
        *stored = spread.map(|Spread { n, mean, .. }| Self { n, mean });
    }
}

impl Spread {
    /// The variance of the values, with n − 1 in the denominator; `None` for fewer than two values.
    #[must_use]
    pub fn variance(self) -> Option<f64> {
        (self.n > 1).then(|| self.m2 / f64::from(self.n - 1))
    }

    /// Adds values by Welford's method (Technometrics 4, 1962); `None` stays `None` if there are no values.
    pub(super) fn gather(stored: &mut Option<Self>, values: impl IntoIterator<Item = f64>) {
        for value in values.into_iter().filter(|value| value.is_finite()) {
            let spread = stored.get_or_insert_default();
            spread.n = spread.n.saturating_add(1);
            let before = value - spread.mean;
            spread.mean += before / f64::from(spread.n);
            spread.m2 += before * (value - spread.mean);
        }
        if let Some(spread) = stored {
            (spread.mean, spread.m2) = (short(spread.mean), short(spread.m2));
        }
    }
}

/// Rounds to six significant digits.
fn short(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

impl From<(u32, f64)> for Mean {
    fn from((n, mean): (u32, f64)) -> Self {
        Self { n, mean }
    }
}

impl From<Mean> for (u32, f64) {
    fn from(mean: Mean) -> Self {
        (mean.n, mean.mean)
    }
}

impl From<(u32, f64, f64)> for Spread {
    fn from((n, mean, m2): (u32, f64, f64)) -> Self {
        Self { n, mean, m2 }
    }
}

impl From<Spread> for (u32, f64, f64) {
    fn from(spread: Spread) -> Self {
        (spread.n, spread.mean, spread.m2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_added_in_parts_give_the_mean_and_variance_of_all() {
        let mut spread = None;
        Spread::gather(&mut spread, []);
        assert_eq!(spread, None);
        Spread::gather(&mut spread, [2.0, 4.0, 4.0]);
        Spread::gather(&mut spread, [4.0, 5.0, 5.0, 7.0, 9.0]);
        let spread = spread.unwrap();
        assert!((spread.mean - 5.0).abs() < 1e-5, "{spread:?}");
        assert!((spread.variance().unwrap() - 32.0 / 7.0).abs() < 1e-4, "{spread:?}");
        assert_eq!(Spread { n: 1, mean: 1.0, m2: 0.0 }.variance(), None);

        let mut mean = None;
        Mean::gather(&mut mean, [1.0, 2.0]);
        Mean::gather(&mut mean, [1.0, f64::NAN]);
        assert_eq!(mean, Some(Mean { n: 3, mean: 1.33333 }));
        assert_eq!(serde_json::to_string(&mean).unwrap(), "[3,1.33333]");
    }
}
