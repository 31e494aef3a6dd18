//! Values that come in groups, such as the cases of one scenario file.

use std::collections::BTreeMap;

/// Values of independent groups; within a group they may rise and fall together.
#[derive(Clone, Debug, PartialEq)]
pub struct Clusters {
    /// Sum and number of each group's values, in the order of the groups' names.
    groups: Vec<(f64, f64)>,
}

impl Clusters {
    /// Values, each with the name of its group. Values are finite.
    pub fn of<Name: Ord>(values: impl IntoIterator<Item = (Name, f64)>) -> Self {
        let mut groups = BTreeMap::new();
        for (name, value) in values {
            let (sum, n) = groups.entry(name).or_insert((0.0, 0.0));
            *sum += value;
            *n += 1.0;
        }
        Self { groups: groups.into_values().collect() }
    }

    /// How many groups there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.groups.len()
    }

    /// The mean of all values, every value with the same weight; absent when there is none.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        mean(self.groups.iter())
    }

    /// The cluster-robust standard error of the mean; absent below two groups.
    ///
    /// `√(Σ_c (Σ_i (x_ic − mean))²) / n` over groups c, their members i and all n values. Miller, "Adding
    /// error bars to evals: a statistical approach to language model evaluations", arXiv:2411.00640
    /// (2024); Liang & Zeger, "Longitudinal data analysis using generalized linear models", Biometrika
    /// 73 (1986), 13–22. With few groups, say below 30, it is too small: no verdict rests on it.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        let mean = self.mean().filter(|_| self.groups.len() > 1)?;
        let n: f64 = self.groups.iter().map(|(_, n)| n).sum();
        let squares: f64 = self.groups.iter().map(|(sum, n)| (sum - n * mean).powi(2)).sum();
        Some(squares.sqrt() / n)
    }

    /// The mean of as many groups as there are, each of them picked anew by `pick`, which is given
    /// their number and returns one below it.
    pub(super) fn resampled(&self, mut pick: impl FnMut(u64) -> u64) -> Option<f64> {
        let count = self.groups.len() as u64;
        let picked = (0..count).filter_map(|_| self.groups.get(usize::try_from(pick(count)).ok()?));
        mean(picked)
    }
}

fn mean<'a>(groups: impl Iterator<Item = &'a (f64, f64)>) -> Option<f64> {
    let (sum, n) = groups.fold((0.0, 0.0), |(sum, n), group| (sum + group.0, n + group.1));
    (n > 0.0).then(|| sum / n)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `OLS(…).fit(cov_type="cluster", cov_kwds={"groups": …, "use_correction": False})` of
    /// statsmodels 0.15 on a constant alone.
    #[test]
    fn errors_are_those_of_statsmodels() {
        let grouped = [
            ("b", 1.0),
            ("a", 0.0),
            ("a", 0.25),
            ("b", 0.75),
            ("c", 1.0),
            ("c", 0.5),
            ("a", 0.0),
            ("d", -0.5),
        ];
        let alone = grouped.iter().enumerate().map(|(at, (_, value))| (at, *value));
        for (clusters, count, error) in [
            (Clusters::of(grouped), 4, 0.219_863_238_741_723_2),
            (Clusters::of(alone), 8, 0.176_776_695_296_636_87),
        ] {
            assert_eq!((clusters.count(), clusters.mean()), (count, Some(0.375)));
            let found = clusters.standard_error().unwrap();
            assert!((found - error).abs() < 1e-12, "{found} for {error}");
        }
    }

    #[test]
    fn one_group_has_no_error_to_show() {
        let one = Clusters::of([("a", 1.0), ("a", 3.0)]);
        assert_eq!((one.mean(), one.standard_error()), (Some(2.0), None));
        let none = Clusters::of::<&str>([]);
        assert_eq!((none.count(), none.mean(), none.standard_error()), (0, None, None));
        let equal = Clusters::of((0..5).map(|at| (at, 1.0)));
        assert_eq!((equal.mean(), equal.standard_error()), (Some(1.0), Some(0.0)));
    }
}
