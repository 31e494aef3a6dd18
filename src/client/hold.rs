//! Money that one conversation holds: what the rest of it can cost, from its first request that is sent on.

use std::sync::{Mutex, PoisonError};

use super::lane::Lane;
use super::meter::Aside;
use super::road::Road;

/// The money of a conversation; what is left of it is given back when it is dropped.
#[derive(Debug)]
pub struct Hold {
    road: Road,
    number: u64,
    /// Most US dollars that the rest of the conversation costs, the next request among it.
    rest: Mutex<f64>,
}

impl Hold {
    /// Nothing is held before the first request is sent: what is read from records costs nothing.
    pub(super) fn on(road: &Road) -> Self {
        Self { road: road.clone(), number: road.meter().begin(), rest: Mutex::default() }
    }

    /// Says what the rest of the conversation costs at most, before a request of it.
    pub fn needs(&self, usd: f64) {
        *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = usd;
    }

    /// Nobody waits for this conversation until the answer is dropped: it may be waiting for them.
    #[must_use]
    pub fn aside(&self) -> impl Drop + '_ {
        Aside::of(self.road.meter(), self.number)
    }

    /// Takes what is needed; tells whether it was to be had.
    pub(super) async fn take(&self, lane: &Lane) -> bool {
        let rest = *self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        if self.holder().is_some() {
            return self.road.meter().hold(self.number, rest).await;
        }
        let _turn = lane.purse().await;
        self.road.meter().hold(self.number, rest).await
    }

    /// By which number it holds anything, if it does.
    pub(super) fn holder(&self) -> Option<u64> {
        self.road.meter().holds(self.number).then_some(self.number)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.road.meter().give_back(self.number);
    }
}
