//! Money: what was spent, what requests on their way may cost, and what may be spent.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

/// Counts US dollars against a limit.
#[derive(Debug, Default)]
pub(super) struct Meter {
    limit: OnceLock<f64>,
    state: Mutex<Spending>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Spending {
    /// By answers that have come.
    spent: f64,
    /// Most that requests on their way may cost.
    reserved: f64,
    /// Requests on their way.
    on_their_way: usize,
}

/// The place of one request in the books; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Reserved<'a> {
    meter: &'a Meter,
    worst: f64,
}

impl Meter {
    /// Counts against a limit, where there is one.
    pub(super) fn new(limit: Option<f64>) -> Self {
        let meter = Self::default();
        if let Some(limit) = limit {
            meter.cap(limit);
        }
        meter
    }

    /// Counts against a limit from now on, where there is none yet.
    pub(super) fn cap(&self, limit: f64) {
        let _ = self.limit.set(limit);
    }

    /// Whether anything is limited at all.
    pub(super) fn limits(&self) -> bool {
        self.limit.get().is_some()
    }

    /// Books what a request costs at most, 0 where nothing is limited. Waits while requests on their way may leave
    /// enough; `None` where they cannot, because there are none.
    pub(super) async fn reserve(&self, worst: f64) -> Option<Reserved<'_>> {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                let fits = self.limit.get().is_none_or(|&limit| {
                    // What may cost anything at all needs something that is left.
                    state.spent < limit && state.spent + state.reserved + worst <= limit
                });
                if fits {
                    state.reserved += worst;
                    state.on_their_way += 1;
                    return Some(Reserved { meter: self, worst });
                }
                if state.on_their_way == 0 {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Counts what an answer cost.
    pub(super) fn spend(&self, cost: f64) {
        self.state().spent += cost;
    }

    fn state(&self) -> MutexGuard<'_, Spending> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        let mut state = self.meter.state();
        state.on_their_way -= 1;
        // Sums of decimal fractions leave a rest.
        state.reserved = if state.on_their_way == 0 { 0.0 } else { state.reserved - self.worst };
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

    /// What can be had at once.
    fn now<F: Future>(future: F) -> Option<F::Output> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(found) => Some(found),
            Poll::Pending => None,
        }
    }

    #[test]
    fn what_is_on_its_way_is_waited_for_and_nothing_is_spent() {
        let meter = Meter::new(Some(1.0));
        let first = now(meter.reserve(0.6)).unwrap().unwrap();
        assert!(now(meter.reserve(0.6)).is_none(), "the first may leave enough");
        let small = now(meter.reserve(0.4)).unwrap().unwrap();
        meter.spend(0.1);
        drop(first);
        let second = now(meter.reserve(0.5)).unwrap().unwrap();
        meter.spend(0.5);
        meter.spend(0.4);
        drop((small, second));
        assert!(now(meter.reserve(0.001)).unwrap().is_none(), "nothing is left, and nothing is on its way");
        assert!(now(meter.reserve(0.0)).unwrap().is_none(), "nobody knows what it costs");
    }

    /// Sixty-four at once, in ten thousand runs: what requests cost is at most what was booked for them, and whoever
    /// does not know what one cost counts that.
    #[test]
    fn no_budget_is_overshot_in_ten_thousand_runs() {
        let (mut used, mut budgets) = (0.0, 0.0);
        for seed in 0..10_000 {
            let mut random = Root(seed).stream(&["meter"]);
            let mut share = || f64::from(random.next_u32()) / f64::from(u32::MAX);
            let (budget, dearest) = (0.01 + share(), 0.001 + share() / 4.0);
            let meter = Meter::new(Some(budget));
            let (mut bill, mut under_way, mut left) = (0.0, Vec::new(), 200);
            loop {
                let worst = dearest * share();
                let may_enter = left > 0 && under_way.len() < 64;
                match may_enter.then(|| now(meter.reserve(worst))) {
                    Some(Some(Some(reserved))) => {
                        under_way.push((reserved, worst));
                        left -= 1;
                        continue;
                    }
                    // Nothing is left, and nothing will be.
                    Some(Some(None)) => break,
                    Some(None) | None => {}
                }
                if under_way.is_empty() {
                    break;
                }
                let (reserved, worst) = under_way.swap_remove(random_below(under_way.len(), share()));
                let cost = match share() {
                    // Refused before it cost anything.
                    one if one < 0.2 => 0.0,
                    // As much as it can: an answer of thoughts alone.
                    one if one < 0.4 => worst,
                    _ => worst * share(),
                };
                bill += cost;
                // Some do not say what it was, and some break off when it is paid for.
                meter.spend(if share() < 0.2 { worst } else { cost });
                drop(reserved);
            }
            assert!(bill <= budget + 1e-9, "seed {seed}: {bill} of {budget}");
            (used, budgets) = (used + bill, budgets + budget);
        }
        assert!(used / budgets > 0.5, "it holds because money is counted, not because none is spent");
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a small number")]
    fn random_below(most: usize, share: f64) -> usize {
        ((crate::stats::real(most) * share) as usize).min(most - 1)
    }

    #[test]
    fn without_a_limit_everything_fits() {
        let meter = Meter::default();
        meter.spend(1e9);
        assert!(now(meter.reserve(1e9)).unwrap().is_some());
    }
}
