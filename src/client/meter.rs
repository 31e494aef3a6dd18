//! The budget: what is spent, what requests in flight can cost, and what conversations have reserved.
//!
//! Their sum never exceeds the limit. Before its first request, a conversation reserves the most that all of it can
//! cost, and pays each request from that, so that no other request can end it halfway.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

/// Anything smaller is a rounding error.
const REST: f64 = 1e-12;

/// Counts spending in US dollars against a limit.
#[derive(Debug, Default)]
pub(super) struct Meter {
    limit: OnceLock<f64>,
    state: Mutex<Spending>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Spending {
    /// The cost of the answers received.
    spent: f64,
    /// The most that requests in flight can cost.
    reserved: f64,
    /// Requests in flight.
    in_flight: usize,
    /// Reservations of conversations, by number.
    held: BTreeMap<u64, Held>,
    /// Number of conversations so far.
    begun: u64,
}

/// The reservation of a conversation.
#[derive(Debug)]
struct Held {
    left: f64,
    /// How many of its requests wait for more than that amount.
    waiting: usize,
}

/// The reservation of one request; dropping it releases what is left, to its conversation if it has one.
#[derive(Debug)]
pub(super) struct Reserved<'a> {
    meter: &'a Meter,
    worst: f64,
    spent: f64,
    holder: Option<u64>,
}

impl Spending {
    fn fits(&self, limit: Option<f64>, more: f64) -> bool {
        let held: f64 = self.held.values().map(|held| held.left).sum();
        // A request of unknown cost needs at least some remaining budget.
        limit.is_none_or(|limit| self.spent < limit && self.spent + self.reserved + held + more <= limit)
    }

    /// Whether something may still be released.
    fn may_leave(&self) -> bool {
        self.in_flight > 0 || self.held.values().any(|held| held.waiting == 0)
    }
}

impl Meter {
    /// A meter that counts against a limit, if there is one.
    pub(super) fn new(limit: Option<f64>) -> Self {
        let meter = Self::default();
        if let Some(limit) = limit {
            meter.cap(limit);
        }
        meter
    }

    /// Sets the limit, unless one is set.
    pub(super) fn cap(&self, limit: f64) {
        let _ = self.limit.set(limit);
    }

    /// Whether there is a limit.
    pub(super) fn limits(&self) -> bool {
        self.limit.get().is_some()
    }

    /// A number for a new conversation.
    pub(super) fn begin(&self) -> u64 {
        let mut state = self.state();
        state.begun += 1;
        state.begun
    }

    /// Reserves the most the rest of a conversation can cost. The first call waits while others may release enough, and
    /// returns whether the budget was reserved; later calls release a surplus, and reserve what is missing only if it
    /// is free.
    pub(super) async fn hold(&self, holder: u64, rest: f64) -> bool {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                let left = state.held.get(&holder).map(|held| held.left);
                let fits = state.fits(self.limit.get().copied(), rest - left.unwrap_or_default());
                if fits || left.is_some_and(|left| rest <= left) {
                    state.held.insert(holder, Held { left: rest, waiting: 0 });
                    drop(state);
                    self.changed.notify_waiters();
                    return true;
                }
                if left.is_some() {
                    return true;
                }
                if !state.may_leave() {
                    return false;
                }
            }
            changed.await;
        }
    }

    /// Releases what a conversation has reserved.
    pub(super) fn give_back(&self, holder: u64) {
        if self.state().held.remove(&holder).is_some() {
            self.changed.notify_waiters();
        }
    }

    /// Whether a conversation has a reservation.
    pub(super) fn holds(&self, holder: u64) -> bool {
        self.state().held.contains_key(&holder)
    }

    /// While a conversation waits for others, they do not wait for it.
    pub(super) fn steps_aside(&self, holder: u64, is_aside: bool) {
        if let Some(held) = self.state().held.get_mut(&holder) {
            held.waiting = if is_aside { held.waiting + 1 } else { held.waiting.saturating_sub(1) };
        }
        self.changed.notify_waiters();
    }

    /// Reserves the most a request can cost, 0 without a limit, first from its conversation's reservation. Waits
    /// while others may release enough; `None` if none can.
    pub(super) async fn reserve(&self, worst: f64, holder: Option<u64>) -> Option<Reserved<'_>> {
        let mut waiting = None;
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                let holder = holder.filter(|holder| state.held.contains_key(holder));
                let left = holder.and_then(|holder| state.held.get(&holder)).map_or(0.0, |held| held.left);
                let more = worst - left;
                if (holder.is_some() && more < REST) || state.fits(self.limit.get().copied(), more.max(0.0)) {
                    if let Some(held) = holder.and_then(|holder| state.held.get_mut(&holder)) {
                        held.left = (left - worst).max(0.0);
                    }
                    state.reserved += worst;
                    state.in_flight += 1;
                    drop(state);
                    return Some(Reserved { meter: self, worst, spent: 0.0, holder });
                }
                if let (None, Some(holder)) = (&waiting, holder) {
                    drop(state);
                    waiting = Some(Aside::of(self, holder));
                    state = self.state();
                }
                if !state.may_leave() {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Records a cost that was not reserved.
    pub(super) fn spend(&self, cost: f64) {
        self.state().spent += cost;
    }

    fn state(&self) -> MutexGuard<'_, Spending> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks a conversation that waits for others, until dropped.
#[derive(Debug)]
pub(super) struct Aside<'a> {
    meter: &'a Meter,
    holder: u64,
}

impl<'a> Aside<'a> {
    pub(super) fn of(meter: &'a Meter, holder: u64) -> Self {
        meter.steps_aside(holder, true);
        Self { meter, holder }
    }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        self.meter.steps_aside(self.holder, false);
    }
}

impl Reserved<'_> {
    /// Records the cost of its answer.
    pub(super) fn spend(&mut self, cost: f64) {
        self.meter.spend(cost);
        self.spent += cost;
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        let mut state = self.meter.state();
        state.in_flight -= 1;
        // Sums of decimal fractions leave rounding errors.
        state.reserved = if state.in_flight == 0 { 0.0 } else { state.reserved - self.worst };
        if let Some(held) = self.holder.and_then(|holder| state.held.get_mut(&holder)) {
            held.left += (self.worst - self.spent).max(0.0);
        }
        drop(state);
        if self.meter.limits() {
            self.meter.changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use rand_core::Rng as _;

    use super::*;
    use crate::seed::Root;

    /// The result, if it is available immediately.
    fn now<F: Future>(future: F) -> Option<F::Output> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(found) => Some(found),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_reservation_waits_for_those_in_flight() {
        let meter = Meter::new(Some(1.0));
        let first = now(meter.reserve(0.6, None)).unwrap().unwrap();
        assert!(now(meter.reserve(0.6, None)).is_none(), "the first reservation may still release enough");
        let small = now(meter.reserve(0.4, None)).unwrap().unwrap();
        meter.spend(0.1);
        drop(first);
        let second = now(meter.reserve(0.5, None)).unwrap().unwrap();
        meter.spend(0.5);
        meter.spend(0.4);
        drop((small, second));
        assert!(
            now(meter.reserve(0.001, None)).unwrap().is_none(),
            "nothing is left, and nothing is in flight"
        );
        assert!(now(meter.reserve(0.0, None)).unwrap().is_none(), "the request's cost is unknown");
    }

    /// 64 requests at once, in 10,000 runs: a request costs at most its reservation, which is also charged if its
    /// cost is
    /// unknown.
    #[test]
    fn no_budget_is_exceeded_in_ten_thousand_runs() {
        let (mut used, mut budgets) = (0.0, 0.0);
        for seed in 0..10_000 {
            let mut random = Root(seed).stream(&["meter"]);
            let mut share = || f64::from(random.next_u32()) / f64::from(u32::MAX);
            let (budget, highest) = (0.01 + share(), 0.001 + share() / 4.0);
            let meter = Meter::new(Some(budget));
            let (mut bill, mut in_flight, mut left) = (0.0, Vec::new(), 200);
            loop {
                let worst = highest * share();
                let may_enter = left > 0 && in_flight.len() < 64;
                match may_enter.then(|| now(meter.reserve(worst, None))) {
                    Some(Some(Some(reserved))) => {
                        in_flight.push((reserved, worst));
                        left -= 1;
                        continue;
                    }
                    // Nothing is left or will be released.
                    Some(Some(None)) => break,
                    Some(None) | None => {}
                }
                if in_flight.is_empty() {
                    break;
                }
                let (reserved, worst) = in_flight.swap_remove(random_below(in_flight.len(), share()));
                let cost = match share() {
                    // Refused before it cost anything.
                    one if one < 0.2 => 0.0,
                    // The worst case: an answer of reasoning only.
                    one if one < 0.4 => worst,
                    _ => worst * share(),
                };
                bill += cost;
                // Some report no usage, and some break off after they are charged.
                meter.spend(if share() < 0.2 { worst } else { cost });
                drop(reserved);
            }
            assert!(bill <= budget + 1e-9, "seed {seed}: {bill} of {budget}");
            (used, budgets) = (used + bill, budgets + budget);
        }
        assert!(
            used / budgets > 0.5,
            "the budget is kept because costs are counted, not because nothing is spent"
        );
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a small number")]
    fn random_below(most: usize, share: f64) -> usize {
        ((crate::stats::real(most) * share) as usize).min(most - 1)
    }

    #[test]
    fn without_a_limit_everything_fits() {
        let meter = Meter::default();
        meter.spend(1e9);
        assert!(now(meter.reserve(1e9, None)).unwrap().is_some());
    }

    #[test]
    fn a_conversation_is_paid_from_what_it_holds() {
        let meter = Meter::new(Some(1.0));
        let [one, two] = [meter.begin(), meter.begin()];
        assert_eq!(now(meter.hold(one, 0.7)), Some(true));
        assert_eq!(now(meter.hold(two, 0.4)), None, "the first request may still release enough");
        assert!(now(meter.reserve(0.4, None)).is_none());
        let mut first = now(meter.reserve(0.3, Some(one))).unwrap().unwrap();
        first.spend(0.1);
        drop(first);
        // It has 0.6 left, and the rest needs 0.5.
        assert_eq!(now(meter.hold(one, 0.5)), Some(true));
        assert_eq!(now(meter.hold(two, 0.4)), Some(true), "the first request's surplus must be released");
        // It needs more than it has and nothing is free, but the other conversation may release some.
        assert!(now(meter.reserve(0.6, Some(one))).is_none());
        meter.give_back(two);
        let second = now(meter.reserve(0.6, Some(one))).unwrap().unwrap();
        drop(second);
        meter.give_back(one);
        assert_eq!(now(meter.hold(two, 0.9)), Some(true), "everything unspent must be released");
        assert!(!meter.holds(one) && meter.holds(two));
    }

    #[test]
    fn conversations_that_wait_for_each_other_do_not_wait_forever() {
        let meter = Meter::new(Some(1.0));
        let [one, two] = [meter.begin(), meter.begin()];
        assert_eq!([one, two].map(|holder| now(meter.hold(holder, 0.5))), [Some(true), Some(true)]);
        let mut waits = pin!(meter.reserve(0.6, Some(one)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(
            waits.as_mut().poll(&mut context).is_pending(),
            "the other conversation may still release it"
        );
        assert!(
            now(meter.reserve(0.6, Some(two))).unwrap().is_none(),
            "no other conversation can release anything"
        );
        // Nor does one that waits for something else.
        let aside = Aside::of(&meter, two);
        assert!(now(meter.reserve(0.1, None)).unwrap().is_none());
        drop(aside);
        assert!(now(meter.reserve(0.1, None)).is_none());
    }
}
