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
