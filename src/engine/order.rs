//! The order in which units are started.

use rand_core::Rng as _;

use crate::seed::Root;

/// The order in which units are started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As listed, for work that stops at the first failure: users expect "first" to refer to the order in their files.
    AsListed,
    /// Drawn from a seed.
    Drawn(Root),
}

impl Order {
    /// The order of this many units, as 0-based positions.
    ///
    /// If drawn, it is a Fisher–Yates shuffle that depends only on the root and the number.
    #[must_use]
    pub fn of(self, units: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..units).collect();
        let Order::Drawn(root) = self else { return order };
        let mut random = root.stream(&["order"]);
        for last in (1..units).rev() {
            // The high half of the product is below the bound; its bias is less than one in 2^40.
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
    fn every_unit_starts_once_in_an_order_given_by_the_seed() {
        for units in [0, 1, 2, 3, 100] {
            let mut all = shuffled(units, 7);
            assert_eq!(all, shuffled(units, 7));
            all.sort_unstable();
            assert_eq!(all, (0..units).collect::<Vec<_>>());
        }
        assert_ne!(shuffled(100, 7), shuffled(100, 8));
        // Must not change, so that a repeated run has the same order.
        assert_eq!(shuffled(6, 0), [0, 4, 1, 5, 2, 3]);
    }

    #[test]
    fn all_orders_are_equally_likely() {
        let mut seen = std::collections::BTreeMap::new();
        for root in 0..6_000 {
            *seen.entry(shuffled(3, root)).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 6);
        // 1,000 each; five standard deviations are 144.
        assert!(seen.values().all(|count| (856..=1144).contains(count)), "{seen:?}");
    }

    #[test]
    fn as_listed_keeps_file_order() {
        assert_eq!(Order::AsListed.of(5), [0, 1, 2, 3, 4]);
    }
}
