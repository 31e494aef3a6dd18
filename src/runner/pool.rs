//! Runs trials as units of work.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::ask::Load;
use super::plan::Unit;
use super::{OnFailure, Shared, judge};
use crate::engine::{self, Order, Work};
use crate::event::Event;
use crate::manifest::Trial;
use crate::vocabulary::Outcome;

/// Runs trials; those that the run did not get to are `None`. Trials of one case are adjacent in the list.
pub(super) async fn run(shared: &Arc<Shared>, units: Vec<Unit>) -> Vec<Option<Trial>> {
    let order = match shared.options.on_failure {
        OnFailure::Stop => Order::AsListed,
        OnFailure::GoOn => Order::Drawn(shared.options.root),
    };
    let (list, at_once) = (units.clone(), shared.options.concurrency);
    let mut found = engine::closed(Arc::clone(shared), units, order, at_once, &shared.road).await;
    if found.crashed {
        // A crash in akit must not look like a case that was never asked.
        for (result, unit) in found.results.iter_mut().zip(list) {
            result.get_or_insert_with(|| judge::crashed(unit));
        }
    }
    found.results
}

impl Work for Shared {
    type Unit = Unit;
    type Found = Trial;

    fn goes_on(&self, unit: &Unit) -> bool {
        self.options.on_failure == OnFailure::GoOn
            || unit.confirmation
            || !self.failed.load(Ordering::Relaxed)
            // The interrupted run had already started them.
            || self.road.has_answers_left()
    }

    async fn carry_out(&self, unit: &Unit) -> Trial {
        let planned = &self.plan.jobs[unit.job];
        let scenario = &self.plan.scenarios[planned.scenario];
        let root = scenario.root(self.options.root);
        let run = (root, self.options.run);
        let trial = judge::trial(scenario, planned, &self.graders, run, *unit, Load::default()).await;
        if trial.outcome != Outcome::Passed {
            self.failed.store(true, Ordering::Relaxed);
        }
        trial
    }

    /// Reports the case when its last trial is done.
    fn found(&self, index: usize, units: &[Unit], found: &[Option<Trial>]) {
        let unit = units[index];
        let same = |other: &Unit| other.job == unit.job;
        let first = units[..index].iter().rposition(|other| !same(other)).map_or(0, |at| at + 1);
        let trials: Option<Vec<&Trial>> = units[first..]
            .iter()
            .zip(&found[first..])
            .take_while(|(other, _)| same(other))
            .map(|(_, one)| one.as_ref())
            .collect();
        let Some(outcome) = trials.map(|trials| judge::outcome(&trials)) else { return };
        if !unit.confirmation {
            let planned = &self.plan.jobs[unit.job];
            let scenario = &self.plan.scenarios[planned.scenario];
            self.sink.see(Event::Judged {
                scenario: &scenario.name,
                case: &scenario.cases[planned.case].id,
                outcome,
            });
        }
    }
}
