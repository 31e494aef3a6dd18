//! Cases -> ordered results: begins them in an order of the seed, asks, judges, and keeps the order of
//! files and positions whatever begins or finishes first.

mod judge;
mod order;
mod plan;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::event::{Event, Sink};
use crate::grader::Graders;
use crate::manifest::{CaseResult, Ended, Outcome, RunManifest, SCHEMA, ScenarioRun};
use crate::seed::Root;
use crate::text;

pub use plan::{Job, Plan, Planned, Target};

/// How a run is carried out.
#[derive(Clone, Debug)]
pub struct Options {
    /// Most cases under way at once, at least 1.
    pub concurrency: usize,
    /// What happens at the first case that does not pass.
    pub on_failure: OnFailure,
    /// Root of all seeds but those of scenarios that name their own.
    pub root: Root,
    /// When the run is said to have ended, instead of the newest answer's time.
    pub at: Option<String>,
}

/// What happens at the first case that does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The others are judged all the same.
    GoOn,
    /// No further case is begun.
    Stop,
}

/// Tells a run to stop, from a signal handler or a test.
#[derive(Clone, Debug)]
pub struct Stop {
    sender: Arc<watch::Sender<Option<Ended>>>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { sender: Arc::new(watch::channel(None).0) }
    }
}

impl Stop {
    /// Stops: nothing more is sent, and answers under way are dropped. The first reason counts.
    pub fn now(&self, why: Ended) {
        self.sender.send_if_modified(|state| {
            let first = state.is_none();
            if first {
                *state = Some(why);
            }
            first
        });
    }

    /// Why it was told to stop, if it was.
    #[must_use]
    pub fn reason(&self) -> Option<Ended> {
        *self.sender.borrow()
    }

    async fn wait(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as `self`, so this ends by a stop alone.
        let _ = receiver.wait_for(Option::is_some).await;
    }
}

/// What all workers share.
struct Shared {
    plan: Plan,
    graders: Graders,
    options: Options,
    sink: Arc<dyn Sink>,
    stop: Stop,
    /// Positions of the plan in the order in which they are begun.
    order: Vec<usize>,
    next: AtomicUsize,
    failed: AtomicBool,
    results: Mutex<Vec<Option<CaseResult>>>,
}

/// Runs a plan. The manifest has every case of it, judged or skipped.
pub async fn run(
    plan: Plan,
    graders: Graders,
    options: Options,
    sink: Arc<dyn Sink>,
    stop: Stop,
) -> RunManifest {
    let began = Instant::now();
    let jobs = plan.jobs.len();
    sink.see(Event::Started { cases: plan.asked() });
    let order = order::order(jobs, options.root, options.on_failure);
    let shared = Arc::new(Shared {
        plan,
        graders,
        options,
        sink,
        stop,
        order,
        next: AtomicUsize::new(0),
        failed: AtomicBool::new(false),
        results: Mutex::new(vec![None; jobs]),
    });
    let workers = shared.options.concurrency.clamp(1, jobs.max(1));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..workers {
        tasks.spawn(work(Arc::clone(&shared)));
    }
    let mut crashed = false;
    while let Some(done) = tasks.join_next().await {
        crashed |= done.is_err();
    }
    let mut results = std::mem::take(&mut *shared.results.lock().unwrap_or_else(PoisonError::into_inner));
    if crashed {
        // A defect in akit must not look like a case that nobody asked for.
        for (result, planned) in results.iter_mut().zip(&shared.plan.jobs) {
            if result.is_none() && planned.skipped.is_none() {
                *result = Some(judge::crashed(&shared.plan.scenarios[planned.scenario], planned));
            }
        }
    }
    if let Some(why) = shared.stop.reason() {
        let why = if why == Ended::Terminated { "terminated" } else { "interrupted" };
        shared.sink.see(Event::Stopping { why });
    }
    shared.sink.see(Event::Finished);
    manifest(&shared, results, began)
}

async fn work(shared: Arc<Shared>) {
    loop {
        let turn = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(&index) = shared.order.get(turn) else { return };
        let planned = &shared.plan.jobs[index];
        if shared.stop.reason().is_some() {
            return;
        }
        if planned.skipped.is_some() {
            continue;
        }
        if shared.options.on_failure == OnFailure::Stop && shared.failed.load(Ordering::Relaxed) {
            return;
        }
        let scenario = &shared.plan.scenarios[planned.scenario];
        let root = scenario.root(shared.options.root);
        let judged = tokio::select! {
            biased;
            () = shared.stop.wait() => return,
            judged = judge::case(scenario, planned, &shared.graders, root) => judged,
        };
        if judged.outcome != Outcome::Passed {
            shared.failed.store(true, Ordering::Relaxed);
        }
        shared.sink.see(Event::Judged {
            scenario: &judged.scenario,
            case: &judged.id,
            outcome: judged.outcome,
        });
        shared.results.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(judged);
    }
}

fn manifest(shared: &Shared, results: Vec<Option<CaseResult>>, began: Instant) -> RunManifest {
    let plan = &shared.plan;
    let stopped_early = results.iter().zip(&plan.jobs).any(|(r, job)| r.is_none() && job.skipped.is_none());
    let ended = match shared.stop.reason() {
        Some(why) if stopped_early => why,
        _ if stopped_early => Ended::FailFast,
        _ => Ended::Complete,
    };
    let why = match ended {
        Ended::FailFast => "not asked: an earlier case did not pass (`--fail-fast`)",
        _ => "not judged: the run was interrupted before",
    };
    let cases: Vec<_> = results
        .into_iter()
        .zip(&plan.jobs)
        .map(|(result, planned)| {
            result.unwrap_or_else(|| {
                let reason = planned.skipped.clone().unwrap_or_else(|| why.to_owned());
                judge::skipped(&plan.scenarios[planned.scenario], planned, reason)
            })
        })
        .collect();
    let scenarios = plan.scenarios.iter().enumerate().map(|(index, scenario)| ScenarioRun {
        name: scenario.name.clone(),
        file: scenario.file.name().to_owned(),
        seed: scenario.seed,
        target: plan.target_of(index),
        grader: plan.grader_of(index, &shared.graders),
    });
    let clients: Vec<_> =
        plan.clients().map(Arc::as_ref).chain(shared.graders.all().map(|grader| grader.client())).collect();
    let mut notes = plan.notes.clone();
    for warning in clients.iter().flat_map(|client| client.warnings()) {
        if !notes.contains(&warning) {
            notes.push(warning);
        }
    }
    notes.extend(shared.graders.binding().into_iter().flat_map(|binding| binding.notes(&cases)));
    let mut run = RunManifest {
        schema: SCHEMA.to_owned(),
        akit: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: String::new(),
        at: shared.options.at.clone().or_else(|| clients.iter().filter_map(|client| client.latest()).max()),
        seed: shared.options.root.0,
        ended,
        duration_ms: 0,
        scenarios: scenarios.collect(),
        cases,
        notes,
    };
    run.duration_ms = if clients.iter().any(|client| client.asked()) {
        u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
    } else {
        run.recorded_ms()
    };
    run.run_id = run_id(&run);
    run
}

/// 16 hexadecimal digits over everything that the run found.
fn run_id(run: &RunManifest) -> String {
    // A manifest has text keys and finite numbers, so it can always be written.
    let bytes = serde_json::to_vec(run).unwrap_or_default();
    text::hex(&Sha256::digest(bytes)[..8])
}
