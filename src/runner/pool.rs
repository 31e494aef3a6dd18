//! Workers that share a list of trials; results stand in its order whatever finishes first.
//!
//! Servers slow down, warm up and drift while a run lasts; an order of asking drawn from the seed keeps that
//! from falling on the same cases of each file.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rand_core::Rng as _;

use super::plan::{Target, Unit};
use super::{OnFailure, Shared, judge};
use crate::event::Event;
use crate::manifest::{Ended, Trial};
use crate::seed::Root;
use crate::vocabulary::Outcome;

struct Pool {
    shared: Arc<Shared>,
    units: Vec<Unit>,
    /// Positions of the list in the order in which they are begun.
    order: Vec<usize>,
    next: AtomicUsize,
    results: Mutex<Vec<Option<Trial>>>,
}

/// Carries out trials, `concurrency` of them at once. `None` where the run stopped before.
///
/// Trials of one case stand side by side in the list.
pub(super) async fn run(shared: &Arc<Shared>, units: Vec<Unit>) -> Vec<Option<Trial>> {
    let workers = shared.options.concurrency.clamp(1, units.len().max(1));
    let pool = Arc::new(Pool {
        shared: Arc::clone(shared),
        order: order(units.len(), shared.options.root, shared.options.on_failure),
        next: AtomicUsize::new(0),
        results: Mutex::new(vec![None; units.len()]),
        units,
    });
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..workers {
        tasks.spawn(work(Arc::clone(&pool)));
    }
    let mut crashed = false;
    while let Some(done) = tasks.join_next().await {
        crashed |= done.is_err();
    }
    let mut results = std::mem::take(&mut *pool.results.lock().unwrap_or_else(PoisonError::into_inner));
    if crashed {
        // A defect in akit must not look like a case that nobody asked for.
        for (result, unit) in results.iter_mut().zip(&pool.units) {
            result.get_or_insert_with(|| judge::crashed(*unit));
        }
    }
    results
}

async fn work(pool: Arc<Pool>) {
    let shared = &pool.shared;
    loop {
        let turn = pool.next.fetch_add(1, Ordering::Relaxed);
        let Some(&index) = pool.order.get(turn) else { return };
        let unit = pool.units[index];
        let planned = &shared.plan.jobs[unit.job];
        if shared.stop.reason().is_some() {
            return;
        }
        if shared.options.on_failure == OnFailure::Stop
            && !unit.confirmation
            && shared.failed.load(Ordering::Relaxed)
        {
            return;
        }
        let scenario = &shared.plan.scenarios[planned.scenario];
        let root = scenario.root(shared.options.root);
        let trial = tokio::select! {
            biased;
            () = shared.stop.wait() => return,
            trial = judge::trial(scenario, planned, &shared.graders, root, unit) => trial,
        };
        if trial.outcome != Outcome::Passed {
            shared.failed.store(true, Ordering::Relaxed);
        }
        if !matches!(planned.job.as_ref().map(|job| &job.target), Some(Target::Replies(_))) {
            pool.spend(trial.spent_usd());
        }
        pool.store(index, trial);
    }
}

impl Pool {
    /// Keeps a trial, and tells the case when it was the last of its trials.
    fn store(&self, index: usize, trial: Trial) {
        let unit = self.units[index];
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        results[index] = Some(trial);
        let same = |other: &Unit| other.job == unit.job;
        let first = self.units[..index].iter().rposition(|other| !same(other)).map_or(0, |at| at + 1);
        let trials: Option<Vec<&Trial>> = self.units[first..]
            .iter()
            .zip(&results[first..])
            .take_while(|(other, _)| same(other))
            .map(|(_, one)| one.as_ref())
            .collect();
        let Some(outcome) = trials.map(|trials| judge::outcome(&trials)) else { return };
        drop(results);
        if !unit.confirmation {
            let planned = &self.shared.plan.jobs[unit.job];
            let scenario = &self.shared.plan.scenarios[planned.scenario];
            self.shared.sink.see(Event::Judged {
                scenario: &scenario.name,
                case: &scenario.cases[planned.case].id,
                outcome,
            });
        }
    }

    /// Counts what was spent; nothing further is begun when it is more than may be.
    fn spend(&self, cost: f64) {
        let Some(budget) = self.shared.options.budget else { return };
        let mut spent = self.shared.spent.lock().unwrap_or_else(PoisonError::into_inner);
        *spent += cost;
        if *spent > budget {
            self.shared.stop.now(Ended::Budget);
        }
    }
}

/// The order for a number of cases, as 0-based positions, each once.
///
/// A run that stops at the first failure begins in file order, so that "the first" is the reader's;
/// else it is a Fisher–Yates shuffle, and depends on the root and the number alone.
fn order(cases: usize, root: Root, on_failure: OnFailure) -> Vec<usize> {
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
