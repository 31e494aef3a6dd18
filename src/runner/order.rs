//! In which order cases are begun.
//!
//! Servers slow down, warm up and drift while a run lasts; an order drawn from the seed keeps that from
//! falling on the same cases of each file. Results keep the order of files all the same.

use rand_core::Rng as _;

use super::OnFailure;
use crate::seed::Root;

/// The order for a number of cases, as 0-based positions, each once.
///
/// A run that stops at the first failure begins in file order, so that "the first" is the reader's;
/// else it is a Fisher–Yates shuffle, and depends on the root and the number alone.
pub(super) fn order(cases: usize, root: Root, on_failure: OnFailure) -> Vec<usize> {
    let mut order: Vec<usize> = (0..cases).collect();
    if on_failure == OnFailure::Stop {
        return order;
    }
    let mut random = root.stream(&["order"]);
    for last in (1..cases).rev() {
        // The high half of the product lies below the bound; its bias is under one in 2^40.
        let drawn = (u128::from(random.next_u64()) * (last as u128 + 1)) >> 64;
        order.swap(last, usize::try_from(drawn).unwrap_or(last));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shuffled(cases: usize, root: u64) -> Vec<usize> {
        order(cases, Root(root), OnFailure::GoOn)
    }

    #[test]
    fn every_case_is_begun_once_in_an_order_of_the_seed() {
        for cases in [0, 1, 2, 3, 100] {
            let mut all = shuffled(cases, 7);
            assert_eq!(all, shuffled(cases, 7));
            all.sort_unstable();
            assert_eq!(all, (0..cases).collect::<Vec<_>>());
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
        assert_eq!(order(5, Root(7), OnFailure::Stop), [0, 1, 2, 3, 4]);
    }
}
