//! What all requests of a run share: how many may be under way, what they may cost, and when the road closes.

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

/// The road that every request takes, judges' included; clones are the same road.
#[derive(Clone, Debug, Default)]
pub struct Road(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    meter: Meter,
    /// Most requests at once to one endpoint.
    wide: usize,
    lanes: Mutex<BTreeMap<String, Arc<Lane>>>,
    /// Requests that were sent and not answered yet.
    under_way: AtomicUsize,
    state: watch::Sender<State>,
    journal: OnceLock<Journal>,
    /// Whether requests go out as they come: no limits, no brake, nothing learned from errors.
    is_free: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Why nothing more is sent.
    closed: Option<Ended>,
    /// Whether nothing can come any more that is worth waiting for.
    over: bool,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            meter: Meter::default(),
            wide: Semaphore::MAX_PERMITS,
            lanes: Mutex::default(),
            under_way: AtomicUsize::new(0),
            state: watch::channel(State::default()).0,
            journal: OnceLock::new(),
            is_free: false,
        }
    }
}

impl Road {
    /// A road on which so many requests at once go to one endpoint, at least 1, and so many US dollars are spent at
    /// most.
    #[must_use]
    pub fn new(wide: usize, budget: Option<f64>) -> Self {
        let wide = wide.clamp(1, Semaphore::MAX_PERMITS);
        Self(Arc::new(Inner { wide, meter: Meter::new(budget), ..Inner::default() }))
    }

    /// A road on which every request is sent when it comes, whatever became of others: a load is what a server gets, not
    /// what it bears. The money counts all the same.
    #[must_use]
    pub fn free() -> Self {
        Self(Arc::new(Inner { is_free: true, ..Inner::default() }))
    }

    /// Spends no more than so many US dollars from now on, where nothing else was said before.
    pub fn cap(&self, budget: f64) {
        self.0.meter.cap(budget);
    }

    /// Whether nothing but money holds a request back.
    pub(super) fn is_free(&self) -> bool {
        self.0.is_free
    }

    /// Closes the road: nothing more is sent, and what is under way may still arrive. The first reason counts.
    pub fn close(&self, why: Ended) {
        self.0.state.send_if_modified(|state| {
            let first = state.closed.is_none();
            state.closed = state.closed.or(Some(why));
            // A request that is just about to be sent counts itself before it looks whether it may.
            let idle = self.0.under_way.load(Ordering::SeqCst) == 0;
            state.over |= idle;
            first || idle
        });
    }

    /// The same, and what is under way is not awaited.
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

    /// How many requests are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.0.under_way.load(Ordering::SeqCst)
    }

    /// Waits until the road is closed and nothing is awaited on it any more.
    pub async fn over(&self) {
        let mut receiver = self.0.state.subscribe();
        // The sender lives as long as `self`, so this ends by a closing alone.
        let _ = receiver.wait_for(|state| state.over).await;
    }

    /// From now on answers are noted in a journal, and those in it are not asked for: they were paid for.
    pub fn keep(&self, journal: Journal) {
        self.0.meter.spend(journal.spent_usd());
        let _ = self.0.journal.set(journal);
    }

    /// Whether another unit of work may be begun. Where the money is gone, what an interrupted run was answered can
    /// still be judged.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        match self.closed() {
            None => true,
            Some(Ended::Budget) => self.has_answers_left(),
            Some(_) => false,
        }
    }

    /// Whether an interrupted run was given replies that nobody has looked at yet.
    #[must_use]
    pub fn has_answers_left(&self) -> bool {
        self.journal().is_some_and(Journal::has_replies_left)
    }

    /// What notes answers, if anything does.
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

    /// Whether money is counted.
    pub(super) fn is_metered(&self) -> bool {
        self.0.meter.limits()
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.0.meter
    }

    /// Lets a request go that is paid for. Where the road is closed, it waits for ever, as [`Self::enter`] does.
    pub(super) async fn pass<'a>(&'a self, reserved: Reserved<'a>) -> UnderWay<'a> {
        self.0.under_way.fetch_add(1, Ordering::SeqCst);
        let entered = UnderWay { road: self, reserved, seat: None };
        if self.closed().is_some() {
            drop(entered);
            return pending().await;
        }
        entered
    }

    /// Books what one request costs at most; whoever comes first to a lane is paid for first, but for those who hold
    /// enough. Nothing where there is no money left.
    ///
    /// No seat is taken before: a conversation that holds money must never wait for one that waits for money.
    pub(super) async fn book(&self, lane: &Lane, worst: f64, holder: Option<u64>) -> Option<Reserved<'_>> {
        match holder {
            Some(_) => self.0.meter.reserve(worst, holder).await,
            None if !self.is_metered() => self.0.meter.reserve(worst, None).await,
            None => {
                let _turn = lane.purse().await;
                self.0.meter.reserve(worst, None).await
            }
        }
    }

    /// Takes a seat, and waits for its turn and until the lane bears so many tokens more. Where the road is closed, it
    /// waits for ever: [`Road::over`] says when to stop waiting.
    ///
    /// # Errors
    /// The cause, where nothing is sent on this lane any more.
    pub(super) async fn enter<'a>(
        &'a self,
        lane: &'a Lane,
        reserved: Reserved<'a>,
        tokens: f64,
    ) -> Result<UnderWay<'a>, ProviderError> {
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
        self.0.under_way.fetch_add(1, Ordering::SeqCst);
        let entered = UnderWay { road: self, reserved, seat: Some(seat) };
        if self.closed().is_some() {
            drop(entered);
            return pending().await;
        }
        Ok(entered)
    }
}

/// A request under way; its money and its seat are free again when this is dropped.
#[derive(Debug)]
pub(super) struct UnderWay<'a> {
    road: &'a Road,
    reserved: Reserved<'a>,
    /// None where no lane is taken.
    seat: Option<Seat<'a>>,
}

impl UnderWay<'_> {
    /// Counts what its answer cost.
    pub(super) fn spend(&mut self, cost: f64) {
        self.reserved.spend(cost);
    }

    /// Whether it finds out if anybody listens.
    pub(super) fn is_probe(&self) -> bool {
        self.seat.as_ref().is_some_and(|seat| seat.probe)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let last = self.road.0.under_way.fetch_sub(1, Ordering::SeqCst) == 1;
        if last && self.road.closed().is_some() {
            self.road.0.state.send_modify(|state| state.over = true);
        }
    }
}

/// A place on a lane.
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
