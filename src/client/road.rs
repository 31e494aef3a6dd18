//! What all requests of a run share: concurrency, budget, and when to stop sending.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::lane::Lane;
use super::meter::{Meter, Reserved};
use crate::cache::Journal;
use crate::manifest::Ended;
use crate::provider::ProviderError;

/// The road that every request takes, including those to judges; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Road(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    meter: Meter,
    /// Maximum concurrent requests to one endpoint.
    wide: usize,
    lanes: Mutex<BTreeMap<String, Arc<Lane>>>,
    /// Requests sent and not yet answered.
    in_flight: AtomicUsize,
    state: watch::Sender<State>,
    journal: OnceLock<Journal>,
    /// Whether requests are sent at once, without limits or backoff, whatever happened to other requests.
    is_free: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Why nothing more is sent.
    closed: Option<Ended>,
    /// Whether requests in flight are not awaited.
    over: bool,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            meter: Meter::default(),
            wide: Semaphore::MAX_PERMITS,
            lanes: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            state: watch::channel(State::default()).0,
            journal: OnceLock::new(),
            is_free: false,
        }
    }
}

impl Road {
    /// A road with `wide` concurrent requests per endpoint, at least 1, and a budget in US dollars.
    #[must_use]
    pub fn new(wide: usize, budget: Option<f64>) -> Self {
        let wide = wide.clamp(1, Semaphore::MAX_PERMITS);
        Self(Arc::new(Inner { wide, meter: Meter::new(budget), ..Inner::default() }))
    }

    /// A road for load tests, on which every request is sent at once, whatever happened to other requests. The budget
    /// still applies.
    #[must_use]
    pub fn free() -> Self {
        Self(Arc::new(Inner { is_free: true, ..Inner::default() }))
    }

    /// Sets the budget in US dollars, unless one is set.
    pub fn cap(&self, budget: f64) {
        self.0.meter.cap(budget);
    }

    /// Whether only the budget can delay a request.
    pub(super) fn is_free(&self) -> bool {
        self.0.is_free
    }

    /// Closes the road: nothing more is sent, but answers in flight are awaited. The first reason counts.
    pub fn close(&self, why: Ended) {
        self.0.state.send_if_modified(|state| {
            let first = state.closed.is_none();
            state.closed = state.closed.or(Some(why));
            // A request counts itself before it checks whether it may be sent.
            let idle = self.0.in_flight.load(Ordering::SeqCst) == 0;
            state.over |= idle;
            first || idle
        });
    }

    /// Closes the road without waiting for answers in flight.
    pub fn cut(&self, why: Ended) {
        self.0.state.send_modify(|state| {
            *state = State { closed: state.closed.or(Some(why)), over: true };
        });
    }

    /// Why the road is closed, if it is.
    #[must_use]
    pub fn closed(&self) -> Option<Ended> {
        self.0.state.borrow().closed
    }

    /// How many requests are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.0.in_flight.load(Ordering::SeqCst)
    }

    /// Waits until the road is closed and nothing in flight is awaited.
    pub async fn over(&self) {
        let mut receiver = self.0.state.subscribe();
        // The sender lives as long as `self`, so only closing ends this.
        let _ = receiver.wait_for(|state| state.over).await;
    }

    /// Uses a journal from now on: answers are written to it, and requests already in it are not sent again.
    pub fn keep(&self, journal: Journal) {
        self.0.meter.spend(journal.spent_usd());
        let _ = self.0.journal.set(journal);
    }

    /// Whether more work may start. With the budget used up, answers of an interrupted run can still be judged.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        match self.closed() {
            None => true,
            Some(Ended::Budget) => self.has_answers_left(),
            Some(_) => false,
        }
    }

    /// Whether the journal has answers of an interrupted run that are not used yet.
    #[must_use]
    pub fn has_answers_left(&self) -> bool {
        self.journal().is_some_and(Journal::has_replies_left)
    }

    /// The journal, if any.
    #[must_use]
    pub fn journal(&self) -> Option<&Journal> {
        self.0.journal.get()
    }

    /// The lane of an endpoint, by its address.
    pub(super) fn lane(&self, address: &str) -> Arc<Lane> {
        let mut lanes = self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let all = || Arc::new(Lane::new(self.0.wide));
        Arc::clone(lanes.entry(address.to_owned()).or_insert_with(all))
    }

    /// Whether there is a budget.
    pub(super) fn is_metered(&self) -> bool {
        self.0.meter.limits()
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.0.meter
    }

    /// Starts a request with a reserved budget. On a closed road it waits forever, as [`Self::enter`] does.
    pub(super) async fn pass<'a>(&'a self, reserved: Reserved<'a>) -> InFlight<'a> {
        self.0.in_flight.fetch_add(1, Ordering::SeqCst);
        let entered = InFlight { road: self, reserved, seat: None };
        if self.closed().is_some() {
            drop(entered);
            return pending().await;
        }
        entered
    }

    /// Reserves the most one request can cost, first come first served per lane, except for conversations that hold
    /// enough. `None` if the budget does not allow it.
    ///
    /// This comes before the seat: a conversation with a reserved budget must never wait for one that waits for
    /// budget.
    pub(super) async fn book(&self, lane: &Lane, worst: f64, holder: Option<u64>) -> Option<Reserved<'_>> {
        match holder {
            Some(_) => self.0.meter.reserve(worst, holder).await,
            None if !self.is_metered() => self.0.meter.reserve(worst, None).await,
            None => {
                let _turn = lane.budget_turn().await;
                self.0.meter.reserve(worst, None).await
            }
        }
    }

    /// Takes a seat, then waits for its turn and until the rate limits allow it. On a closed road it waits forever:
    /// [`Road::over`] says when to stop waiting.
    ///
    /// # Errors
    /// The cause, if nothing more is sent on this lane.
    pub(super) async fn enter<'a>(
        &'a self,
        lane: &'a Lane,
        reserved: Reserved<'a>,
        tokens: f64,
    ) -> Result<InFlight<'a>, ProviderError> {
        let Some(permit) = lane.permit().await else { return pending().await };
        let mut seat = Seat { lane, permit: Some(permit), probe: false };
        let _turn = lane.turn().await;
        loop {
            lane.opens(tokens).await?;
            if let Some(probe) = lane.claim(tokens) {
                seat.probe = probe;
                break;
            }
        }
        self.0.in_flight.fetch_add(1, Ordering::SeqCst);
        let entered = InFlight { road: self, reserved, seat: Some(seat) };
        if self.closed().is_some() {
            drop(entered);
            return pending().await;
        }
        Ok(entered)
    }
}

/// A request in flight; dropping it releases its budget and its seat.
#[derive(Debug)]
pub(super) struct InFlight<'a> {
    road: &'a Road,
    reserved: Reserved<'a>,
    /// `None` on a free road.
    seat: Option<Seat<'a>>,
}

impl InFlight<'_> {
    /// Records the cost of its answer.
    pub(super) fn spend(&mut self, cost: f64) {
        self.reserved.spend(cost);
    }

    /// Whether it tests if the server is reachable again.
    pub(super) fn is_probe(&self) -> bool {
        self.seat.as_ref().is_some_and(|seat| seat.probe)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let last = self.road.0.in_flight.fetch_sub(1, Ordering::SeqCst) == 1;
        if last && self.road.closed().is_some() {
            self.road.0.state.send_modify(|state| state.over = true);
        }
    }
}

/// One of a lane's concurrent requests.
#[derive(Debug)]
struct Seat<'a> {
    lane: &'a Lane,
    permit: Option<OwnedSemaphorePermit>,
    probe: bool,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.lane.leave(permit, self.probe);
        }
    }
}
