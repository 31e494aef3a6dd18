//! Load tests: sends a suite at a pace that is fixed in advance, and counts level by level what the application does.
//!
//! Latency is measured from the time at which a request should have been sent. If the generator cannot keep its
//! schedule, its figures are void. Memory does not grow with the number of requests.

mod canary;
mod decision;
mod finding;
mod mix;
mod overdue;
mod profile;
mod schedule;
mod tally;
mod timeline;
mod visit;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::client::Road;
use crate::engine;
use crate::grader::Graders;
use crate::manifest::Ended;
use crate::runner::Plan;
use crate::seed::{Root, RunId};

use canary::Canary;
use mix::Mix;
use tally::Count;
use timeline::Timeline;
use visit::{Shared, State};

pub use finding::{Found, Glance, NamedLimit};
pub use profile::{Amount, Arrivals, MOST, Stage, Stages, rate, seconds};
pub use schedule::digest;
pub use tally::Kept;

/// The tag of cases that ask for a person.
pub const ESCALATION: &str = "escalation";

/// How to make the load.
#[derive(Clone, Debug)]
pub struct Options {
    /// The stages, at least one.
    pub stages: Vec<Stage>,
    /// How long the first stage takes to reach its load.
    pub ramp_up: Duration,
    /// How arrivals of a rate are spaced.
    pub arrivals: Arrivals,
    /// Maximum number of requests; a conversation in progress still runs to its end.
    pub most: Option<u64>,
    /// US dollars after which nothing more is sent; what is in flight then is still paid for.
    pub cap: Option<f64>,
    /// Share of visits that are escalations, 0 to 1, if a case has that tag.
    pub escalation_share: f64,
    /// Whether each conversation carries its own reference, to find cross-talk.
    pub canary: bool,
    /// Maximum number of answers per level that a judge grades afterwards.
    pub judge_sample: usize,
    /// How long a single answer may take to count as good.
    pub limits: Limits,
    /// Maximum number of visits of a rate in flight at once; further ones wait, which shows as dispatch lag.
    pub most_in_flight: usize,
    /// Root of all seeds.
    pub root: Root,
}

/// How long a single answer may take.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// From the intended send to the whole answer.
    pub latency: Option<Duration>,
    /// To the first token.
    pub ttft: Option<Duration>,
}

/// A load test that can be watched while it runs.
#[derive(Clone)]
pub struct Stress {
    shared: Arc<Shared>,
    options: Options,
}

impl Stress {
    /// A load test that is ready to start.
    #[must_use]
    pub fn new(plan: &Plan, options: Options, road: Road) -> Self {
        let asked = || plan.jobs.iter().enumerate().filter(|(_, planned)| planned.skipped.is_none());
        let case = |job: usize| {
            let planned = &plan.jobs[job];
            &plan.scenarios[planned.scenario].cases[planned.case]
        };
        let escalates = |job: usize| case(job).tags.iter().any(|tag| tag == ESCALATION);
        let (escalations, usual) = asked().map(|(job, _)| job).partition(|job| escalates(*job));
        let mut load = plan.clone();
        for scenario in &mut load.scenarios {
            scenario.cases.iter_mut().for_each(|case| *case = case.without_judge());
        }
        let judged = load.jobs.iter().enumerate().map(|(job, planned)| {
            let kept = &load.scenarios[planned.scenario].cases[planned.case];
            [kept.expects_anything(), !case(job).graders().is_empty()]
        });
        let judged: Vec<_> = judged.collect();
        let run = RunId::fresh();
        let levels = options.stages.iter().map(|_| Count::of(load.jobs.len(), options.judge_sample));
        let state = State {
            levels: levels.collect(),
            timeline: Timeline::beginning(Instant::now()),
            reasons: vec![None; load.jobs.len()],
            numbers: 0,
            requests: 0,
            in_flight: 0,
            stage: 0,
            cost_usd: 0.0,
        };
        let shared = Shared {
            judged,
            mix: Mix::of(usual, escalations, options.escalation_share, options.root),
            canary: options.canary.then(|| Canary::of(run.conversation(&["canary"]))),
            plan: load,
            graders: Graders::default(),
            root: options.root,
            run,
            limits: options.limits,
            most: options.most,
            cap: options.cap,
            road,
            state: Mutex::new(state),
        };
        Self { shared: Arc::new(shared), options }
    }

    /// Runs the load until it is over or the road is closed.
    pub async fn run(&self) -> Found {
        let at = crate::vocabulary::timestamp();
        let Options { ramp_up, arrivals, root, .. } = self.options;
        let stages = self.options.stages.iter().enumerate().map(|(index, stage)| {
            let ramp = if index == 0 { ramp_up } else { Duration::ZERO };
            let pace = match stage.amount {
                Amount::InFlight(many) => {
                    engine::Pace::InFlight(usize::try_from(many).unwrap_or(usize::MAX), ramp)
                }
                Amount::PerSecond(rate) => {
                    engine::Pace::At(Box::new(schedule::Schedule::of(root, index, rate, ramp, arrivals)))
                }
            };
            engine::Stage { pace, lasts: stage.lasts }
        });
        let host = Arc::clone(&self.shared);
        let crew = engine::Crew::muster();
        let most = self.options.most_in_flight;
        let crashed = engine::load(host, stages.collect(), most, &crew, self.stop()).await;
        let ended = self.shared.road.closed().unwrap_or(Ended::Complete);
        Found::of(&self.shared, &self.options, at, ended, crashed)
    }

    /// What to show while it runs.
    #[must_use]
    pub fn glance(&self) -> Glance {
        Glance::of(&self.shared)
    }

    /// Waits until the road is closed.
    async fn stop(&self) {
        let road = self.shared.road.clone();
        road.over().await;
    }
}

/// The rank of a visit in the draw of the judge's sample; it depends only on the seed and the visit.
fn draw(root: Root, level: usize, number: u64) -> u64 {
    // SplitMix64, Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
    let mut z = root.0 ^ (level as u64).rotate_left(48) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
