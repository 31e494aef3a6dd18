//! One visit: asks a case, judges it and counts the result.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::canary::Canary;
use super::mix::Mix;
use super::tally::{Count, Ended, Reach, Sent};
use super::timeline::Timeline;
use super::{Limits, draw};
use crate::client::{Done, Road, Watch};
use crate::engine::{Arrival, Host};
use crate::expectation::{Candidate, Stage as Handover};
use crate::grader::Graders;
use crate::manifest::Trial;
use crate::provider::ProviderError;
use crate::runner::{self, Load, Plan};
use crate::seed::{Root, RunId};
use crate::text;
use crate::vocabulary::{Answer, Outcome};

/// What all visits share.
pub(super) struct Shared {
    /// The cases, without the expectations that need a judge.
    pub(super) plan: Plan,
    pub(super) graders: Graders,
    /// For each job: whether anything is expected without a judge, and whether a judge grades its answers.
    pub(super) judged: Vec<[bool; 2]>,
    pub(super) root: Root,
    pub(super) run: RunId,
    pub(super) mix: Mix,
    pub(super) canary: Option<Canary>,
    pub(super) limits: Limits,
    pub(super) most: Option<u64>,
    /// US dollars after which nothing more is sent.
    pub(super) cap: Option<f64>,
    pub(super) road: Road,
    pub(super) state: Mutex<State>,
}

/// What changes while the load runs.
#[derive(Debug)]
pub(super) struct State {
    pub(super) levels: Vec<Count>,
    pub(super) timeline: Timeline,
    /// Why each case did not pass: the first reason of its worst result.
    pub(super) reasons: Vec<Option<(Outcome, String)>>,
    /// Visits that have a number, and requests that were or are about to be sent.
    pub(super) numbers: u64,
    pub(super) requests: u64,
    pub(super) in_flight: u64,
    pub(super) stage: usize,
    /// Cost of the answers in US dollars.
    pub(super) cost_usd: f64,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sums up the trial of a visit.
    fn ended<'t>(&self, visit: &Visit<'_>, trial: &'t Trial, is_escalation: bool) -> Ended<'t> {
        let Visit { job, arrival, .. } = *visit;
        let [is_expected, is_judged] = self.judged.get(job).copied().unwrap_or_default();
        let requests = visit.requests();
        let errored = trial.outcome == Outcome::Errored;
        let passed = (is_expected && !errored).then_some(trial.outcome == Outcome::Passed);
        let met = passed == Some(true) && requests.is_within;
        let last = trial.answer();
        let seen = last.map(|answer| Candidate::of_answer(answer, false, None));
        let costs: Vec<_> = trial.answers().map(|answer| answer.cost_usd).collect();
        Ended {
            job,
            number: arrival.number,
            passed,
            fault: errored && !requests.has_failed,
            is_unsent: requests.done == 0,
            errored,
            good: if met { requests.answered.len() as u64 } else { 0 },
            empty: seen.is_some_and(|seen| seen.says_nothing()),
            cut: seen.is_some_and(|seen| seen.is_cut()),
            refused: seen.is_some_and(|seen| seen.is_refused()),
            mark: last.filter(|answer| !answer.text.trim().is_empty()).map(mark),
            escalation: if is_escalation { self.reach(job, trial, visit, &requests) } else { None },
            cost_usd: costs.iter().flatten().copied().reduce(|sum, cost| sum + cost),
            kept: (is_judged && !errored)
                .then(|| (draw(self.root, arrival.stage, arrival.number), &*trial.turns)),
        }
    }

    /// How far a customer who asked for a person got; `None` if the scenario does not define a handoff.
    fn reach(&self, job: usize, trial: &Trial, visit: &Visit<'_>, requests: &Requests) -> Option<Reach> {
        let scenario = &self.plan.scenarios[self.plan.jobs[job].scenario];
        let signs = scenario.signs.as_deref()?;
        let mut reach = Reach::default();
        for (turn, answer) in trial.answers().enumerate() {
            // An unknown state does not count as a handoff.
            let Ok(stage) = signs.handover(&Candidate::of_answer(answer, false, None)) else { continue };
            reach.offered |= stage >= Handover::Offered;
            reach.claimed |= stage >= Handover::Claimed;
            reach.done |= stage >= Handover::Done;
            let least = if signs.shows_done() { Handover::Done } else { Handover::Claimed };
            if stage >= least && reach.available.is_none() {
                let is_one_each = requests.answered.len() == trial.turns.len();
                let at = if is_one_each { requests.answered.get(turn) } else { requests.answered.last() };
                let at = at.copied().unwrap_or_else(Instant::now);
                reach.available = Some(at.saturating_duration_since(visit.arrival.due));
            }
        }
        Some(reach)
    }
}

/// Whether a result is worse than what a case had before: failed is worse than errored, and errored than passed.
fn is_worse(outcome: Outcome, kept: Option<Outcome>) -> bool {
    match outcome {
        Outcome::Failed => kept != Some(Outcome::Failed),
        Outcome::Errored => kept.is_none(),
        Outcome::Passed | Outcome::Skipped => false,
    }
}

/// A hash of an answer's text.
fn mark(answer: &Answer) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(answer.text.trim())
}

/// The requests of a visit so far.
#[derive(Clone, Debug)]
struct Requests {
    /// When each answer was complete.
    answered: Vec<Instant>,
    /// Whether the last one failed.
    has_failed: bool,
    /// How many were answered or abandoned.
    done: u64,
    /// When the pending request should have been sent, if there is one.
    waits: Option<Instant>,
    has_crossed: bool,
    /// Whether all answers were within the limits.
    is_within: bool,
}

/// A visit in progress.
struct Visit<'a> {
    shared: &'a Shared,
    arrival: Arrival,
    job: usize,
    requests: Mutex<Requests>,
}

impl std::fmt::Debug for Visit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visit").field("arrival", &self.arrival).finish_non_exhaustive()
    }
}

impl<'a> Visit<'a> {
    fn begin(shared: &'a Shared, arrival: Arrival, job: usize) -> Self {
        let requests = Requests {
            answered: Vec::new(),
            has_failed: false,
            done: 0,
            waits: None,
            has_crossed: false,
            is_within: true,
        };
        let mut state = shared.state();
        state.in_flight += 1;
        state.timeline.due(arrival.due);
        drop(state);
        Self { shared, arrival, job, requests: Mutex::new(requests) }
    }

    /// Counts the result of the visit.
    fn end(self, trial: &Trial, is_escalation: bool) {
        let shared = self.shared;
        let ended = shared.ended(&self, trial, is_escalation);
        let mut state = shared.state();
        let State { levels, timeline, reasons, cost_usd, .. } = &mut *state;
        if let Some(passed) = ended.passed {
            timeline.judged(Instant::now(), passed);
        }
        if ended.fault {
            timeline.failed(Instant::now());
        }
        let level = &mut levels[self.arrival.stage];
        level.ended(&ended);
        if let (Some(cap), Some(cost)) = (shared.cap, ended.cost_usd) {
            *cost_usd += cost;
            if *cost_usd >= cap {
                shared.road.close(crate::manifest::Ended::Budget);
            }
        }
        if let Some(kept) = reasons.get_mut(self.job)
            && is_worse(trial.outcome, kept.as_ref().map(|(kept, _)| *kept))
        {
            *kept = Some((trial.outcome, text::excerpt(&trial.reason(), 300)));
        }
    }

    fn requests(&self) -> Requests {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Watch for Visit<'_> {
    fn sends(&self) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let since = if requests.done == 0 { self.arrival.due } else { Instant::now() };
        requests.waits.get_or_insert(since);
    }

    fn done(&self, Done { began, sent, took, retries, found }: Done<'_>) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = requests.done == 0;
        requests.done += 1;
        let due = if is_first { self.arrival.due } else { began };
        let canary = self.shared.canary.as_ref().filter(|_| !requests.has_crossed);
        // The raw answer: redaction would hide the reference.
        let crossed = canary.is_some_and(|canary| match found {
            Ok(completion) => canary.crossed(self.arrival.number, &completion.answer),
            Err(error) => canary.crossed_in(self.arrival.number, &error.words()),
        });
        let found = found.map(|completion| &completion.answer).map_err(ProviderError::class);
        let one = Sent { due, began, at: sent, took, retries, is_first, found };
        let Limits { latency, ttft } = self.shared.limits;
        let is_slow = latency.is_some_and(|most| one.latency() > most);
        let is_late = ttft.is_some_and(|most| {
            let first = found.ok().and_then(|answer| answer.ttft_ms).map(Duration::from_millis);
            first.is_none_or(|first| first > most)
        });
        requests.is_within &= !is_slow && !is_late;
        requests.has_failed = found.is_err();
        requests.waits = None;
        if found.is_ok() {
            requests.answered.push(sent + took);
        }
        requests.has_crossed |= crossed;
        drop(requests);
        let mut state = self.shared.state();
        let State { levels, timeline, requests, .. } = &mut *state;
        if !is_first {
            *requests += 1;
        }
        timeline.sent(&one);
        let level = &mut levels[self.arrival.stage];
        level.crossed += u64::from(crossed);
        level.sent(&one);
    }
}

/// A request that is dropped while waiting was cut off, and is not in the figures.
impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let waits = self.requests().waits;
        let is_escalation = self.shared.mix.job(self.arrival.number).is_some_and(|(_, is)| is);
        let mut state = self.shared.state();
        state.in_flight -= 1;
        if let Some(since) = waits {
            let level = &mut state.levels[self.arrival.stage];
            level.cut_off += 1;
            level.waited.add(since.elapsed());
            level.cut_at = Some(Instant::now());
            if is_escalation {
                level.waited_for_person.add(since.elapsed());
            }
        }
    }
}

impl Host for Shared {
    fn next(&self) -> Option<u64> {
        if self.road.closed().is_some() {
            return None;
        }
        let mut state = self.state();
        if self.most.is_some_and(|most| state.requests >= most) {
            return None;
        }
        state.requests += 1;
        state.numbers += 1;
        Some(state.numbers - 1)
    }

    fn begin(&self, stage: usize, at: Instant) {
        let mut now = self.state();
        now.stage = stage;
        now.levels[stage].began = Some(at);
        if let Some(before) = stage.checked_sub(1).and_then(|before| now.levels.get_mut(before)) {
            before.until = Some(at);
        }
        if stage == 0 {
            now.timeline = Timeline::beginning(at);
        }
    }

    fn missed(&self, arrival: Arrival) {
        // It is at least this late.
        self.state().levels[arrival.stage].lag.add(arrival.due.elapsed());
    }

    async fn serve(&self, arrival: Arrival) {
        let Some((job, is_escalation)) = self.mix.job(arrival.number) else { return };
        let visit = Visit::begin(self, arrival, job);
        let mark = self.canary.as_ref().map(|canary| canary.reference(arrival.number));
        let mark = mark.map(|reference| format!("\n\n(My reference: {reference})"));
        let load = Load { watch: Some(&visit), mark: mark.as_deref() };
        // Ids of conversations are derived from a u32; no run has that many visits.
        let number = u32::try_from(arrival.number).unwrap_or(u32::MAX);
        let trial =
            runner::visit(&self.plan, &self.graders, (self.root, self.run), (job, number), load).await;
        visit.end(&trial, is_escalation);
    }
}
