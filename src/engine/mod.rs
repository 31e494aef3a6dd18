//! Runs units of work: several at once, in an order drawn from the seed, with results in the order of the units.
//!
//! Servers slow down, warm up and drift during a run. A random order keeps that from always affecting the same cases of
//! a file.

mod crew;
mod load;
mod order;

use std::future::{Future, pending};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::client::Road;
use crate::manifest::Ended;

pub use crew::Crew;
pub use load::{Arrival, Host, Pace, Stage, load};
pub use order::Order;

/// How long running work may take to finish once the road is over.
const REST: Duration = Duration::from_millis(250);

/// What to do with units of work.
pub trait Work: Send + Sync + 'static {
    /// One unit.
    type Unit: Send + Sync + 'static;
    /// Its result.
    type Found: Send + 'static;

    /// Whether another unit may start.
    fn goes_on(&self, unit: &Self::Unit) -> bool;

    /// Runs a unit. The future is dropped while it waits, once the road is over.
    fn carry_out(&self, unit: &Self::Unit) -> impl Future<Output = Self::Found> + Send;

    /// Reports a result; `index` is its place among all units.
    fn found(&self, index: usize, units: &[Self::Unit], found: &[Option<Self::Found>]);
}

/// The results of a list of units.
pub struct Found<T> {
    /// The results in the order of the units; `None` if the work ended first.
    pub results: Vec<Option<T>>,
    /// Whether akit crashed in some of the work.
    pub crashed: bool,
}

struct Pool<W: Work> {
    work: Arc<W>,
    units: Vec<W::Unit>,
    /// Positions in the list, in starting order.
    order: Vec<usize>,
    next: AtomicUsize,
    found: Mutex<Vec<Option<W::Found>>>,
}

/// Runs all units of a list, several at once, until the road is over.
pub async fn closed<W: Work>(
    work: Arc<W>,
    units: Vec<W::Unit>,
    order: Order,
    at_once: usize,
    road: &Road,
) -> Found<W::Found> {
    let workers = at_once.clamp(1, units.len().max(1));
    let found = Mutex::new(units.iter().map(|_| None).collect());
    let order = order.of(units.len());
    let pool = Arc::new(Pool { work, units, order, next: AtomicUsize::new(0), found });
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..workers {
        tasks.spawn(run(Arc::clone(&pool), road.clone()));
    }
    let mut crashed = false;
    let all = async {
        while let Some(done) = tasks.join_next().await {
            crashed |= done.is_err();
        }
    };
    tokio::select! {
        () = all => {}
        () = left_behind(road) => {}
    }
    let results = std::mem::take(&mut *pool.found());
    Found { results, crashed }
}

/// Waits until running work is abandoned: work that never waits does not notice that the road is over.
async fn left_behind(road: &Road) {
    road.over().await;
    if road.closed() == Some(Ended::Budget) {
        // An answer that has arrived is paid for, so it is judged.
        pending::<()>().await;
    }
    tokio::time::sleep(REST).await;
}

async fn run<W: Work>(pool: Arc<Pool<W>>, road: Road) {
    loop {
        let turn = pool.next.fetch_add(1, Ordering::Relaxed);
        let Some(&index) = pool.order.get(turn) else { return };
        let unit = &pool.units[index];
        if !road.goes_on() || !pool.work.goes_on(unit) {
            return;
        }
        let result = tokio::select! {
            // Results that are ready are taken before the road is checked.
            biased;
            result = pool.work.carry_out(unit) => result,
            // Other units may not need the road.
            () = road.over() => continue,
        };
        let mut found = pool.found();
        let Some(place) = found.get_mut(index) else { return };
        *place = Some(result);
        pool.work.found(index, &pool.units, &found);
    }
}

impl<W: Work> Pool<W> {
    fn found(&self) -> MutexGuard<'_, Vec<Option<W::Found>>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
