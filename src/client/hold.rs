//! The budget reserved for one conversation: the maximum that the rest of it can cost, from its first live request
//! on.

use std::sync::{Mutex, PoisonError};

use super::lane::Lane;
use super::meter::Aside;
use super::road::Road;

/// The reserved budget of a conversation; dropping it releases what is left.
#[derive(Debug)]
pub struct Hold {
    road: Road,
    number: u64,
    /// The most the rest of the conversation can cost, including the next request, in US dollars.
    rest: Mutex<f64>,
}

impl Hold {
    /// Reserves nothing until the first request is sent: reading records is free.
    pub(super) fn on(road: &Road) -> Self {
        Self { road: road.clone(), number: road.meter().begin(), rest: Mutex::default() }
    }

    /// Sets, before a request, the most the rest of the conversation can cost.
    pub fn needs(&self, usd: f64) {
        *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = usd;
    }

    /// Until the returned guard is dropped, other conversations do not wait for this one, because it may be waiting for
    /// them.
    #[must_use]
    pub fn aside(&self) -> impl Drop + '_ {
        Aside::of(self.road.meter(), self.number)
    }

    /// Reserves what is needed; `false` if the budget does not allow it.
    pub(super) async fn take(&self, lane: &Lane) -> bool {
        let rest = *self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        if self.holder().is_some() {
            return self.road.meter().hold(self.number, rest).await;
        }
        let _turn = lane.budget_turn().await;
        self.road.meter().hold(self.number, rest).await
    }

    /// Its number, if it holds anything.
    pub(super) fn holder(&self) -> Option<u64> {
        self.road.meter().holds(self.number).then_some(self.number)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.road.meter().give_back(self.number);
    }
}
