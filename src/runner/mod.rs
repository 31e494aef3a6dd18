//! Runs a plan: starts cases in an order drawn from the seed, asks, judges, and returns results in the order of files
//! and positions, no matter which case finishes first.

mod ask;
mod dialogue;
mod epoch;
mod fault;
mod forecast;
mod judge;
mod live;
mod plan;
mod pool;
mod redaction;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use sha2::{Digest, Sha256};

use crate::client::Road;
use crate::event::{Event, Sink};
use crate::grader::Graders;
use crate::manifest::{CaseResult, Ended, RunManifest, SCHEMA, ScenarioRun, Trial};
use crate::seed::{Root, RunId};
use crate::text;

use plan::Unit;

pub use ask::Load;
pub use forecast::{Asked, Forecast, Purpose};
pub use plan::{Job, Plan, Planned, Target};

/// How to carry out a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Maximum number of cases in progress, at least 1. The number of parallel requests is up to the road.
    pub concurrency: usize,
    /// Trials per case, at least 1; for recorded answers, as many as there are.
    pub repeat: u32,
    /// What to do at the first case that does not pass.
    pub on_failure: OnFailure,
    /// Root of all seeds, except those of scenarios with their own.
    pub root: Root,
    /// Distinguishes this run from all others, for applications that remember.
    pub run: RunId,
    /// When the run ended; if not set, the time of its newest answer.
    pub at: Option<String>,
}

/// What to do at the first case that does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Continue with the others.
    GoOn,
    /// Start no further case.
    Stop,
}

/// A case that is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    /// Index in the plan's jobs, 0-based; the run's cases have the same order.
    pub case: usize,
    /// Number of further trials, at least 1.
    pub trials: u32,
}

/// Asks and judges one case once, as part of a load. `job` is its index in the plan's jobs; `number` distinguishes the
/// visits of a case.
pub async fn visit(
    plan: &Plan,
    graders: &Graders,
    (root, run): (Root, RunId),
    (job, number): (usize, u32),
    load: Load<'_>,
) -> Trial {
    let planned = &plan.jobs[job];
    let scenario = &plan.scenarios[planned.scenario];
    let unit = Unit { job, trial: number, confirmation: false };
    judge::trial(scenario, planned, graders, (scenario.root(root), run), unit, load).await
}

/// Carries out a plan.
pub struct Runner {
    shared: Arc<Shared>,
}

/// Shared by all workers.
struct Shared {
    plan: Plan,
    graders: Graders,
    options: Options,
    sink: Arc<dyn Sink>,
    road: Road,
    failed: AtomicBool,
    began: Instant,
}

impl Runner {
    /// A runner that is ready to start; the clock of the run starts here. The clients must use the same road.
    #[must_use]
    pub fn new(plan: Plan, graders: Graders, options: Options, sink: Arc<dyn Sink>, road: Road) -> Self {
        let (failed, began) = (AtomicBool::new(false), Instant::now());
        Self { shared: Arc::new(Shared { plan, graders, options, sink, road, failed, began }) }
    }

    /// Asks and judges. The manifest has every case of the plan, judged or skipped.
    pub async fn run(&self) -> RunManifest {
        let shared = &self.shared;
        shared.sink.see(Event::Started { cases: shared.plan.asked() });
        let mut units = Vec::new();
        for (job, planned) in shared.plan.jobs.iter().enumerate() {
            let trials = 0..planned.trials(&shared.plan, shared.options.repeat);
            units.extend(trials.map(|trial| Unit { job, trial, confirmation: false }));
        }
        let mut trials = pool::run(shared, units.clone()).await;
        let mut ended = shared.road.closed().unwrap_or(Ended::FailFast);
        if trials.iter().all(Option::is_some) {
            ended = Ended::Complete;
        }
        self.told_to_stop();
        shared.sink.see(Event::Finished);
        let why = match ended {
            Ended::FailFast => "not asked: an earlier case did not pass (`--fail-fast`)",
            Ended::Budget => "not judged: the budget ended the run first",
            Ended::Deadline => "not judged: the deadline ended the run first",
            _ => "not judged: the run was interrupted first",
        };
        let mut wanted = vec![0; shared.plan.jobs.len()];
        for unit in &units {
            wanted[unit.job] += 1;
        }
        // A list that grows reserves room for four trials, and most cases have one.
        let mut found: Vec<Vec<Trial>> = wanted.into_iter().map(Vec::with_capacity).collect();
        for (unit, trial) in units.iter().zip(&mut trials) {
            found[unit.job].extend(trial.take());
        }
        let cases = shared.plan.jobs.iter().zip(found).map(|(planned, trials)| {
            let scenario = &shared.plan.scenarios[planned.scenario];
            if trials.is_empty() {
                let reason = planned.skipped.clone().unwrap_or_else(|| why.to_owned());
                judge::skipped(scenario, planned, reason)
            } else {
                judge::case(scenario, planned, trials)
            }
        });
        let mut run = self.manifest(cases.collect(), ended);
        self.seal(&mut run);
        run
    }

    /// Asks some cases of a run again and adds the trials to it as confirmations, which do not change results. Returns
    /// the cases that got fewer trials than wanted.
    pub async fn again(&self, run: &mut RunManifest, wanted: &[Again]) -> BTreeSet<usize> {
        let shared = &self.shared;
        shared.sink.see(Event::Confirming { cases: wanted.len() });
        let mut units = Vec::new();
        for one in wanted {
            let known = run.cases[one.case].trials.iter().map(|trial| trial.index + 1).max().unwrap_or(0);
            let trials = known..known.saturating_add(one.trials);
            units.extend(trials.map(|trial| Unit { job: one.case, trial, confirmation: true }));
        }
        let trials = pool::run(shared, units.clone()).await;
        self.told_to_stop();
        shared.sink.see(Event::Finished);
        let mut short = BTreeSet::new();
        for (unit, trial) in units.iter().zip(trials) {
            match trial.filter(|trial| !judge::was_not_there(trial)) {
                Some(trial) => run.cases[unit.job].trials.push(trial),
                None => drop(short.insert(unit.job)),
            }
        }
        if let Some(why) = shared.road.closed()
            && !short.is_empty()
        {
            run.ended = why;
        }
        self.seal(run);
        short
    }

    fn told_to_stop(&self) {
        if let Some(why) = self.shared.road.closed() {
            self.shared.sink.see(Event::Stopping { why: why.told() });
        }
    }

    fn manifest(&self, cases: Vec<CaseResult>, ended: Ended) -> RunManifest {
        let shared = &self.shared;
        let plan = &shared.plan;
        let scenarios = plan.scenarios.iter().enumerate().map(|(index, scenario)| ScenarioRun {
            name: scenario.name.clone(),
            file: scenario.file.name().to_owned(),
            seed: scenario.seed,
            target: plan.target_of(index),
            version: plan.version_of(index),
            unidentified: false,
            grader: plan.grader_of(index, &shared.graders),
            target_hash: plan.target_hash(index),
            grader_hash: plan.grader_hash(index, &shared.graders),
        });
        RunManifest {
            schema: SCHEMA.to_owned(),
            akit: env!("CARGO_PKG_VERSION").to_owned(),
            run_id: String::new(),
            at: None,
            commit: None,
            suite: Vec::new(),
            seed: shared.options.root.0,
            ended,
            duration_ms: 0,
            scenarios: scenarios.collect(),
            cases,
            redacted: plan.redacted(),
            notes: Vec::new(),
        }
    }

    /// Sets the notes, times and identity of a run, which depend on every question that was asked.
    fn seal(&self, run: &mut RunManifest) {
        let shared = &self.shared;
        let graders = shared.graders.all().map(|grader| grader.client());
        let clients: Vec<_> = shared.plan.clients().map(Arc::as_ref).chain(graders).collect();
        run.notes.clone_from(&shared.plan.notes);
        for warning in clients.iter().flat_map(|client| client.warnings()) {
            if !run.notes.contains(&warning) {
                run.notes.push(warning);
            }
        }
        for (index, scenario) in run.scenarios.iter_mut().enumerate() {
            // Recomputed each time: a run is sealed again after its failures were confirmed.
            let (plan, graders) = (&shared.plan, &shared.graders);
            let [answered, judged] = plan.stand_ins(index, graders);
            (scenario.target_hash, scenario.target) =
                epoch::stood_in(plan.target_hash(index), plan.target_of(index), &answered);
            if let (Some(mark), Some(name)) =
                (plan.grader_hash(index, graders), plan.grader_of(index, graders))
            {
                let (mark, name) = epoch::stood_in(mark, name, &judged);
                (scenario.grader_hash, scenario.grader) = (Some(mark), Some(name));
            }
            let mut own = run.cases.iter().filter(|case| case.scenario == scenario.name);
            let recorded = own.any(|case| case.answers().any(Trial::is_recorded));
            scenario.unidentified = recorded && shared.plan.is_unidentified(index);
        }
        let binding = shared.graders.binding();
        run.notes.extend(binding.into_iter().flat_map(|binding| binding.notes(&run.cases)));
        let latest = || clients.iter().filter_map(|client| client.latest()).max();
        run.at = shared.options.at.clone().or_else(latest);
        run.duration_ms = if clients.iter().any(|client| client.asked()) {
            u64::try_from(shared.began.elapsed().as_millis()).unwrap_or(u64::MAX)
        } else {
            run.recorded_ms()
        };
        run.run_id = run_id(run);
    }
}

/// A hash of what was asked, answered and found, each part prefixed by its length: 16 hexadecimal digits.
///
/// It does not cover the JSON of the manifest: serializing that again would take longer than everything else at the end
/// of a run.
fn run_id(run: &RunManifest) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(run.akit.as_bytes());
    part(run.at.as_deref().unwrap_or_default().as_bytes());
    part(&run.seed.to_be_bytes());
    part(&run.duration_ms.to_be_bytes());
    for scenario in &run.scenarios {
        part(scenario.target_hash.as_bytes());
        part(scenario.grader_hash.as_deref().unwrap_or_default().as_bytes());
    }
    for case in &run.cases {
        for text in [&case.scenario, &case.id, &case.content_hash, &case.reason] {
            part(text.as_bytes());
        }
        part(case.outcome.word().as_bytes());
        for trial in &case.trials {
            part(&trial.index.to_be_bytes());
            part(&[u8::from(trial.confirmation)]);
            part(trial.outcome.word().as_bytes());
            part(&trial.score.map_or([0; 8], f64::to_be_bytes));
            for reply in trial.answers() {
                part(reply.text.as_bytes());
                part(&reply.latency_ms.unwrap_or_default().to_be_bytes());
                part(&[u8::from(reply.recorded)]);
                reply.tool_calls.iter().for_each(|call| part(call.line().as_bytes()));
                reply.state.iter().for_each(|state| part(state.to_string().as_bytes()));
            }
        }
    }
    text::hex(&hash.finalize()[..8])
}
