//! What one endpoint bears: how many requests at once, when the next may go out, and whether any may.
//!
//! A 429 holds everybody until the time that was asked for and halves what may be under way; every answer lets one more
//! through. Where nobody listens, one request at a time finds out whether that has changed, and then no other is sent. What
//! answers in the place of the server, or hangs up, may do so for one question's sake: that closes the road once it
//! happens to many, and to nobody else in between.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Turns, MutexGuard as Turn, Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::Patience;
use super::limits::{Bucket, Limits};
use crate::provider::{ProviderError, Reach};
use crate::seed::Root;

/// Tries in a row without a connection, of two questions or more, after which it is only probed.
const ENOUGH: u32 = 5;
/// Questions in a row that a gateway must fail before nothing more is sent.
const MANY: usize = 5;
/// How long before each probe, unless a server asks for more.
const PROBES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
/// The shortest and the longest wait after a 429 that names none.
const WAITS: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(20)];
/// Longest wait that a server is granted which does not say 429.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Refusals in a row before a wait grows: a limit by the second begins anew within the first of them.
const FEW: i32 = 5;

/// How long to wait after so many refusals in a row that name no time.
pub(super) fn own_wait(refusals: i32) -> Duration {
    WAITS[0].mul_f64(1.5_f64.powi((refusals - FEW).clamp(0, 40))).min(WAITS[1])
}

/// A wait and up to a tenth of it, at most a second: pipelines that were refused together do not come back together.
fn spread(wait: Duration, jitter: u64, question: &str, round: i32) -> Duration {
    let share =
        f64::from(Root(jitter).derive(&["429", question, &round.to_string()])) / f64::from(1_u32 << 31);
    wait.saturating_add((wait / 10).min(Duration::from_secs(1)).mul_f64(share))
}

/// One endpoint, which target and judge share where they have the same. Whoever comes first is let through first.
#[derive(Debug)]
pub(super) struct Lane {
    permits: Arc<Semaphore>,
    /// Only the first of those who have a permit waits for more than that.
    turns: Turns<()>,
    /// Only the first of those who need money waits for it.
    purse: Turns<()>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Most requests at once.
    wide: usize,
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    /// Permits that are taken away, and those among them that are still in use.
    narrowed: usize,
    owed: usize,
    held_until: Option<Instant>,
    /// When it was narrowed; what was sent before says nothing new.
    narrowed_at: Option<Instant>,
    /// How often it was narrowed since anything else than a 429 came.
    rounds: i32,
    health: Health,
    vain: Vain,
}

/// Tries in vain since somebody was last answered.
#[derive(Debug, Default)]
struct Vain {
    tries: u32,
    /// When the first of them was in vain; an answer to what was sent before says nothing new.
    since: Option<Instant>,
    /// Of which questions, [`MANY`] at most.
    questions: BTreeSet<String>,
    /// Whether every probe was, too.
    probed: bool,
}

#[derive(Debug, Default)]
enum Health {
    /// As far as is known.
    #[default]
    Well,
    /// Nobody listens: so many probes went out in vain, the next goes out then, or is under way.
    Down { probes: usize, next: Instant, probing: bool },
    /// Nothing is sent any more.
    Dead(ProviderError),
}

/// Whether a request may be sent.
enum Gate {
    Open { probe: bool },
    Until(Instant),
    Wait,
}

impl State {
    /// Whether a request of so many tokens may be sent.
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
    /// Nobody has been sent through yet; so many may be at once.
    pub(super) fn new(wide: usize) -> Self {
        let state = Mutex::new(State { wide, ..State::default() });
        let permits = Arc::new(Semaphore::new(wide));
        Self { permits, turns: Turns::default(), purse: Turns::default(), state, changed: Notify::new() }
    }

    /// Bears no more than this from now on; of two figures the smaller holds.
    pub(super) fn limit(&self, limits: Limits) {
        let mut state = self.state();
        Bucket::narrow(&mut state.requests, limits.requests_per_minute);
        Bucket::narrow(&mut state.tokens, limits.tokens_per_minute);
        let most = limits.concurrency.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        let fewer = state.wide.saturating_sub(most);
        state.wide -= fewer;
        state.owed += fewer - self.permits.forget_permits(fewer);
    }

    /// Waits until it is one's turn, in the order of asking.
    pub(super) async fn turn(&self) -> Turn<'_, ()> {
        self.turns.lock().await
    }

    /// Waits until one may look for money, in the order of asking.
    pub(super) async fn purse(&self) -> Turn<'_, ()> {
        self.purse.lock().await
    }

    /// A permit, in the order of asking; `None` never comes, for nobody closes the semaphore.
    pub(super) async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }

    /// Waits until a request of so many tokens may be sent.
    ///
    /// # Errors
    /// The cause, where none ever may.
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

    /// Sends one through if that may be, now; tells whether it is a probe.
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

    /// An answer took other tokens than were booked for it.
    pub(super) fn settle(&self, booked: f64, used: f64) {
        let now = Instant::now();
        if let Some(bucket) = &mut self.state().tokens {
            bucket.take(used - booked, now);
        }
    }

    /// Gives a permit back, unless it was taken away meanwhile. A probe that nobody heard of may be sent again.
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

    /// Somebody listens, and is not too busy; an answer lets one more through.
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

    /// A request that was sent at a time had a 429, as all like it since another time: everybody waits as long as was
    /// asked for, or longer where nobody is answered. Tells how long that is from now on; `None` where it would be
    /// longer than patience, and nobody waits.
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
        // What no clock can tell is longer than anybody waits.
        let asked = error.retry_after().unwrap_or_default();
        let wait = asked.max(own_wait(state.rounds));
        let wait = spread(wait, patience.jitter, question, state.rounds);
        let until = now.checked_add(wait).filter(|until| *until - since <= patience.limited)?;
        let until = state.held_until.map_or(until, |held| held.max(until));
        state.held_until = Some(until);
        Some(until - now)
    }

    /// A request found nobody, or no more than a gateway; `last` where its question would not be tried again. Tells
    /// whether what comes next is up to a probe.
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
                // Each question has had the tries of its own.
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
