//! Workers that share a list of trials; results stand in its order whatever finishes first.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::plan::{Target, Unit};
use super::{OnFailure, Shared, judge, order};
use crate::event::Event;
use crate::manifest::{Ended, Trial};
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
        order: order::order(units.len(), shared.options.root, shared.options.on_failure),
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
