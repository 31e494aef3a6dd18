//! Grading a sample of answers after a load.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::prepare::Suite;
use super::progress::{Detail, Progress};
use super::{Status, asking, terminal};
use crate::client::Road;
use crate::manifest::{Ended, RunManifest};
use crate::provider::{Exchanged, Replies};
use crate::runner::{OnFailure, Options, Plan, Runner};
use crate::seed::RunId;
use crate::stress::{Found, Kept};
use crate::text;
use crate::vocabulary::{CaseId, Outcome};

/// Answers graded at once.
const AT_ONCE: usize = 8;

/// Grades the sample of each level. If that fails, the figures of the load are kept.
pub(super) fn hear(found: &mut Found, suite: &mut Suite, plan: &Plan, budget: Option<f64>) {
    let samples = found.samples();
    let answers: usize = samples.iter().map(Vec::len).sum();
    if answers == 0 {
        return;
    }
    terminal::say(&format!("the judge grades {}", text::count(answers, "sampled answer")));
    // The load's spending counts.
    let spent = found.run().cost_usd.unwrap_or_default();
    suite.settings.road = Road::new(AT_ONCE, budget.map(|budget| (budget - spent).max(0.0)));
    let mut rows: BTreeMap<usize, Vec<(usize, Kept)>> = BTreeMap::new();
    for (level, sample) in samples.into_iter().enumerate() {
        for kept in sample {
            rows.entry(kept.job).or_default().push((level, kept));
        }
    }
    let run = judged(suite, plan, &rows).unwrap_or_default();
    for level in 0..found.run().levels.len() {
        let (mut verdicts, mut why, mut cost) = (Vec::new(), None, None);
        for (job, row) in &rows {
            let trials = run.as_ref().and_then(|run| {
                let of = case(plan, *job);
                run.cases.iter().find(|case| of == CaseId::new(&case.scenario, &case.id))
            });
            for (at, _) in row.iter().enumerate().filter(|(_, (of, _))| *of == level) {
                let trial =
                    trials.and_then(|case| case.trials.iter().find(|trial| trial.index as usize == at));
                verdicts.push((*job, trial.and_then(|trial| verdict(trial.outcome))));
                if let Some(trial) = trial.filter(|trial| trial.outcome == Outcome::Failed)
                    && let of = case(plan, *job)
                    && let mut cases = found.run().cases.iter_mut()
                    && let Some(failed) = cases.find(|one| of == CaseId::new(&one.scenario, &one.id))
                {
                    failed.reason.get_or_insert_with(|| text::excerpt(&trial.reason(), 300));
                }
                if let Some(trial) = trial.filter(|trial| why.is_none() && trial.outcome == Outcome::Errored)
                {
                    why = Some(text::excerpt(&trial.reason(), 300));
                }
                let usd = trial.map_or(0.0, crate::manifest::Trial::spent_usd);
                if usd > 0.0 {
                    *cost.get_or_insert(0.0) += usd;
                }
            }
        }
        if !verdicts.is_empty() {
            found.hear(level, &verdicts, why, cost);
        }
    }
    if let Some(run) = run.filter(|run| run.ended != Ended::Complete) {
        found.run().ended = run.ended;
    }
}

fn verdict(outcome: Outcome) -> Option<bool> {
    match outcome {
        Outcome::Passed => Some(true),
        Outcome::Failed => Some(false),
        Outcome::Errored | Outcome::Skipped => None,
    }
}

fn case(plan: &Plan, job: usize) -> CaseId<'_> {
    let planned = &plan.jobs[job];
    let scenario = &plan.scenarios[planned.scenario];
    CaseId::new(&scenario.name, &scenario.cases[planned.case].id)
}

/// Judges conversations: for each job, those in its row, in order.
fn judged(
    suite: &Suite,
    plan: &Plan,
    rows: &BTreeMap<usize, Vec<(usize, Kept)>>,
) -> Result<Option<RunManifest>, Status> {
    let wanted: BTreeSet<_> = rows.keys().map(|job| case(plan, *job)).collect();
    let most = rows.values().map(Vec::len).max().unwrap_or_default();
    let said = |kept: &Kept| {
        let turns = kept.turns.iter();
        let said = turns.filter_map(|turn| Some(Exchanged::of(turn.asked.clone(), turn.answer.clone()?)));
        said.collect::<Vec<_>>()
    };
    let replies = rows.iter().map(|(job, row)| {
        let planned = &plan.jobs[*job];
        let scenario = &plan.scenarios[planned.scenario];
        let id = scenario.cases[planned.case].id.as_str();
        (scenario.name.as_str(), id, row.iter().map(|(_, kept)| said(kept)).collect())
    });
    let (plan, graders) = suite.over(Replies::of("the sample", replies), &wanted)?;
    let options = Options {
        concurrency: AT_ONCE,
        repeat: u32::try_from(most).unwrap_or(u32::MAX),
        on_failure: OnFailure::GoOn,
        root: suite.root(),
        run: RunId::default(),
        at: None,
    };
    let road = suite.settings.road.clone();
    let sink = Arc::new(Progress::new(Detail::Nothing));
    let run = asking::wait(async {
        let listening = asking::listen_for(&road, Arc::<Progress>::clone(&sink), std::time::Duration::ZERO);
        let run = Runner::new(plan, graders, options, sink, road.clone()).run().await;
        listening.writes();
        run
    })?;
    Ok(Some(run))
}
