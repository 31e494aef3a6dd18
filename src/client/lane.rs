//! The state of one endpoint: how many concurrent requests it takes, when the next may be sent, and whether any may.
//!
//! A 429 stops all requests for the requested time and halves the concurrency; every answer raises it by one. If the
//! server is unreachable, one probe at a time tests whether it can be reached again, and nothing else is sent. A
//! gateway error or a dropped connection may be due to a single request: sending stops only after many requests in a
//! row have failed that way.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Turns, MutexGuard as Turn, Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::Patience;
use super::limits::{Bucket, Limits};
use crate::provider::{ProviderError, Reach};
use crate::seed::Root;

/// Number of failed tries in a row, by two requests or more, after which the endpoint is only probed.
const ENOUGH: u32 = 5;
/// How many requests in a row must fail at a gateway before nothing more is sent.
const MANY: usize = 5;
/// Delay before each probe, unless the server asks for more.
const PROBES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
/// The shortest and the longest wait after a 429 without `Retry-After`.
const WAITS: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(20)];
/// Maximum `Retry-After` that is honored, except for a 429.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Refusals in a row before the wait grows: a per-second limit resets within the first few.
const FEW: i32 = 5;

/// How long to wait after this many refusals in a row without `Retry-After`.
pub(super) fn usual_wait(refusals: i32) -> Duration {
    WAITS[0].mul_f64(1.5_f64.powi((refusals - FEW).clamp(0, 40))).min(WAITS[1])
}

/// Adds up to a tenth of the wait, at most a second, so pipelines that were refused together don't retry together.
fn spread(wait: Duration, jitter: u64, question: &str, round: i32) -> Duration {
    let share =
        f64::from(Root(jitter).derive(&["429", question, &round.to_string()])) / f64::from(1_u32 << 31);
    wait.saturating_add((wait / 10).min(Duration::from_secs(1)).mul_f64(share))
}

/// One endpoint, which application and judge share if they use the same one. Requests are served in order.
#[derive(Debug)]
pub(super) struct Lane {
    permits: Arc<Semaphore>,
    /// Lets only the first request with a permit wait for the rate limits.
    turns: Turns<()>,
    /// Lets only the first request wait for budget.
    budget_turn: Turns<()>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Maximum concurrent requests.
    wide: usize,
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    /// Number of withdrawn permits, and how many of them are still in use.
    narrowed: usize,
    owed: usize,
    held_until: Option<Instant>,
    /// When concurrency was last reduced; a 429 to an older request does not reduce it further.
    narrowed_at: Option<Instant>,
    /// How often concurrency was reduced in a row, with no response other than 429 in between.
    rounds: i32,
    health: Health,
    vain: Vain,
}

/// Failed tries since the last answer.
#[derive(Debug, Default)]
struct Vain {
    tries: u32,
    /// When the first of them failed; an answer to an older request does not count.
    since: Option<Instant>,
    /// Their requests, [`MANY`] at most.
    questions: BTreeSet<String>,
    /// Whether all probes failed, too.
    probed: bool,
}

#[derive(Debug, Default)]
enum Health {
    /// No known trouble.
    #[default]
    Well,
    /// Unreachable: how many probes failed, when the next is sent, and whether one is in flight.
    Down { probes: usize, next: Instant, probing: bool },
    /// Nothing more is sent.
    Dead(ProviderError),
}

/// Whether a request may be sent.
enum Gate {
    Open { probe: bool },
    Until(Instant),
    Wait,
}

impl State {
    /// Whether a request with this many tokens may be sent.
    fn gate(&self, now: Instant, tokens: f64) -> Result<Gate, ProviderError> {
        Ok(match &self.health {
            Health::Dead(error) => return Err(error.clone()),
            Health::Down { probing: true, .. } => Gate::Wait,
            Health::Down { next, .. } if *next > now => Gate::Until(*next),
            health => match self.held_until {
                Some(until) if until > now => Gate::Until(until),
                _ => {
                    let wait = |bucket: &Option<Bucket>, amount| bucket.map(|one| one.wait(amount, now));
                    match wait(&self.requests, 1.0).max(wait(&self.tokens, tokens)) {
                        Some(wait) if !wait.is_zero() => Gate::Until(now + wait),
                        _ => Gate::Open { probe: matches!(health, Health::Down { .. }) },
                    }
                }
            },
        })
    }
}

impl Lane {
    /// An endpoint with `wide` concurrent requests.
    pub(super) fn new(wide: usize) -> Self {
        let state = Mutex::new(State { wide, ..State::default() });
        let permits = Arc::new(Semaphore::new(wide));
        Self {
            permits,
            turns: Turns::default(),
            budget_turn: Turns::default(),
            state,
            changed: Notify::new(),
        }
    }

    /// Applies limits from now on; the lower of two values counts.
    pub(super) fn limit(&self, limits: Limits) {
        let mut state = self.state();
        Bucket::narrow(&mut state.requests, limits.requests_per_minute);
        Bucket::narrow(&mut state.tokens, limits.tokens_per_minute);
        let most = limits.concurrency.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        let fewer = state.wide.saturating_sub(most);
        state.wide -= fewer;
        state.owed += fewer - self.permits.forget_permits(fewer);
    }

    /// Waits for a turn, first come first served.
    pub(super) async fn turn(&self) -> Turn<'_, ()> {
        self.turns.lock().await
    }

    /// Waits for a turn to reserve budget, first come first served.
    pub(super) async fn budget_turn(&self) -> Turn<'_, ()> {
        self.budget_turn.lock().await
    }

    /// A permit, first come first served; never `None`, because the semaphore is never closed.
    pub(super) async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }

    /// Waits until a request with this many tokens may be sent.
    ///
    /// # Errors
    /// The cause, if nothing more is sent.
    pub(super) async fn opens(&self, tokens: f64) -> Result<(), ProviderError> {
        loop {
            let changed = self.changed.notified();
            let gate = self.state().gate(Instant::now(), tokens)?;
            match gate {
                Gate::Open { .. } => return Ok(()),
                Gate::Wait => changed.await,
                Gate::Until(until) => tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    () = changed => {}
                },
            }
        }
    }

    /// Claims a request if it may be sent now; returns whether it is a probe.
    pub(super) fn claim(&self, tokens: f64) -> Option<bool> {
        let (mut state, now) = (self.state(), Instant::now());
        let Ok(Gate::Open { probe }) = state.gate(now, tokens) else { return None };
        let State { requests, tokens: of_tokens, .. } = &mut *state;
        for (bucket, amount) in [(requests, 1.0), (of_tokens, tokens)] {
            if let Some(bucket) = bucket {
                bucket.take(amount, now);
            }
        }
        if let Health::Down { probing, .. } = &mut state.health {
            *probing = true;
        }
        Some(probe)
    }

    /// Corrects the token count of a request.
    pub(super) fn settle(&self, booked: f64, used: f64) {
        let now = Instant::now();
        if let Some(bucket) = &mut self.state().tokens {
            bucket.take(used - booked, now);
        }
    }

    /// Returns a permit, unless it was withdrawn. A probe without a result may be sent again.
    pub(super) fn leave(&self, permit: OwnedSemaphorePermit, probe: bool) {
        let mut state = self.state();
        if state.owed > 0 {
            state.owed -= 1;
            permit.forget();
        }
        if let (true, Health::Down { probing, .. }) = (probe, &mut state.health) {
            *probing = false;
            self.changed.notify_waiters();
        }
    }

    /// Records that the server responded with something other than 429; an answer raises the concurrency by one.
    pub(super) fn reached(&self, sent: Instant, is_answer: bool) {
        let mut state = self.state();
        self.found_well(&mut state, sent);
        state.rounds = 0;
        if is_answer && state.narrowed > 0 {
            state.narrowed -= 1;
            match state.owed {
                0 => self.permits.add_permits(1),
                _ => state.owed -= 1,
            }
        }
    }

    fn found_well(&self, state: &mut State, sent: Instant) {
        let is_news = state.vain.since.is_none_or(|since| since <= sent);
        if is_news && !matches!(state.health, Health::Dead(_)) {
            (state.health, state.vain) = (Health::Well, Vain::default());
            self.changed.notify_waiters();
        }
    }

    /// Records a 429 to a request sent at `sent`; every request of its account has got one since `since`. All requests
    /// wait as long as the server asks, and longer while nothing is answered. Returns the wait from now; `None` if that
    /// exceeds the patience.
    pub(super) fn refused(
        &self,
        [since, sent]: [Instant; 2],
        error: &ProviderError,
        question: &str,
        patience: Patience,
    ) -> Option<Duration> {
        let now = Instant::now();
        let mut state = self.state();
        self.found_well(&mut state, sent);
        let is_new = state.narrowed_at.is_none_or(|at| at <= sent);
        if is_new {
            let allowed = state.wide.saturating_sub(state.narrowed);
            let fewer = allowed / 2;
            state.narrowed += fewer;
            state.owed += fewer - self.permits.forget_permits(fewer);
            state.narrowed_at = Some(now);
            state.rounds += 1;
        }
        // A time beyond the clock's range exceeds any patience.
        let asked = error.retry_after().unwrap_or_default();
        let wait = asked.max(usual_wait(state.rounds));
        let wait = spread(wait, patience.jitter, question, state.rounds);
        let until = now.checked_add(wait).filter(|until| *until - since <= patience.limited)?;
        let until = state.held_until.map_or(until, |held| held.max(until));
        state.held_until = Some(until);
        Some(until - now)
    }

    /// Records that a request reached no server, or only a gateway; `last` means that it has no retries left. Returns
    /// whether probes decide what happens next.
    pub(super) fn unreached(&self, error: &ProviderError, question: &str, probe: bool, last: bool) -> bool {
        let mut state = self.state();
        let State { health, vain, .. } = &mut *state;
        let (now, is_nobody) = (Instant::now(), error.reach() == Reach::Nobody);
        vain.tries += 1;
        vain.since.get_or_insert(now);
        if vain.questions.len() < MANY {
            vain.questions.insert(question.to_owned());
        }
        let is_many = vain.questions.len() >= MANY;
        let probes = match health {
            Health::Well if vain.probed && !is_nobody => {
                // Each of these requests has used its own tries.
                if is_many {
                    *health = Health::Dead(error.clone());
                }
                return is_many;
            }
            Health::Well => {
                let is_row = vain.tries >= ENOUGH && vain.questions.len() > 1;
                if !is_row && !(last && (is_nobody || vain.tries > 1)) {
                    return false;
                }
                0
            }
            Health::Down { probes, .. } if probe => *probes + 1,
            Health::Down { .. } | Health::Dead(_) => return true,
        };
        let asked = error.retry_after().unwrap_or_default().min(LONGEST_WAIT);
        *health = match PROBES.get(probes) {
            Some(wait) => Health::Down { probes, next: now + asked.max(*wait), probing: false },
            None if is_nobody || is_many => Health::Dead(error.clone()),
            None => {
                vain.probed = true;
                Health::Well
            }
        };
        self.changed.notify_waiters();
        !matches!(health, Health::Well)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
