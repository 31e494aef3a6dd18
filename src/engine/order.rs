//! The order in which units are begun.

use rand_core::Rng as _;

use crate::seed::Root;

/// In which order units are begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they are listed, for work that stops at the first failure: "the first" is the reader's.
    AsListed,
    /// Drawn from a seed.
    Drawn(Root),
}

impl Order {
    /// The order for a number of units, as 0-based positions, each once.
    ///
    /// One that is drawn is a Fisher–Yates shuffle, and depends on the root and the number alone.
    #[must_use]
    pub fn of(self, units: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..units).collect();
        let Order::Drawn(root) = self else { return order };
        let mut random = root.stream(&["order"]);
        for last in (1..units).rev() {
            // The high half of the product lies below the bound; its bias is under one in 2^40.
            let drawn = (u128::from(random.next_u64()) * (last as u128 + 1)) >> 64;
            order.swap(last, usize::try_from(drawn).unwrap_or(last));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shuffled(units: usize, root: u64) -> Vec<usize> {
        Order::Drawn(Root(root)).of(units)
    }

    #[test]
    fn every_unit_is_begun_once_in_an_order_of_the_seed() {
        for units in [0, 1, 2, 3, 100] {
            let mut all = shuffled(units, 7);
            assert_eq!(all, shuffled(units, 7));
            all.sort_unstable();
            assert_eq!(all, (0..units).collect::<Vec<_>>());
        }
        assert_ne!(shuffled(100, 7), shuffled(100, 8));
        // Never changes: a run is begun again as it was.
        assert_eq!(shuffled(6, 0), [0, 4, 1, 5, 2, 3]);
    }

    #[test]
    fn every_order_is_as_likely_as_another() {
        let mut seen = std::collections::BTreeMap::new();
        for root in 0..6_000 {
            *seen.entry(shuffled(3, root)).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 6);
        // 1,000 each; five standard deviations are 144.
        assert!(seen.values().all(|count| (856..=1144).contains(count)), "{seen:?}");
    }

    #[test]
    fn the_first_failure_is_the_first_of_the_file() {
        assert_eq!(Order::AsListed.of(5), [0, 1, 2, 3, 4]);
    }
}
