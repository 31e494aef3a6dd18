//! Carries out units of work: so many at once, in an order of the seed, with results in the order of the units.
//!
//! Servers slow down, warm up and drift while a run lasts; an order of asking drawn from the seed keeps that
//! from falling on the same cases of each file.

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

/// How long work may take to its end once the road is over.
const REST: Duration = Duration::from_millis(250);

/// What is done with units of work.
pub trait Work: Send + Sync + 'static {
    /// One unit.
    type Unit: Send + Sync + 'static;
    /// What comes of it.
    type Found: Send + 'static;

    /// Whether another unit may be begun.
    fn goes_on(&self, unit: &Self::Unit) -> bool;

    /// Carries a unit out. It is dropped where it waits once the road is over.
    fn carry_out(&self, unit: &Self::Unit) -> impl Future<Output = Self::Found> + Send;

    /// Takes note of a result, which stands among those of all units at this index.
    fn found(&self, index: usize, units: &[Self::Unit], found: &[Option<Self::Found>]);
}

/// What came of a list of units.
pub struct Found<T> {
    /// The results in the order of the units; `None` where the work ended before.
    pub results: Vec<Option<T>>,
    /// Whether a defect of akit ended some of the work.
    pub crashed: bool,
}

struct Pool<W: Work> {
    work: Arc<W>,
    units: Vec<W::Unit>,
    /// Positions of the list in the order in which they are begun.
    order: Vec<usize>,
    next: AtomicUsize,
    found: Mutex<Vec<Option<W::Found>>>,
}

/// Carries out every unit of a list, so many of them at once, until the road is over.
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

/// Waits until what still works is left to itself: it waits for nothing, so it does not hear that the road is over.
async fn left_behind(road: &Road) {
    road.over().await;
    if road.closed() == Some(Ended::Budget) {
        // What was answered is paid for, and is judged.
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
            // What has come is taken before the road is looked at.
            biased;
            result = pool.work.carry_out(unit) => result,
            // Others may have what they need without the road.
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
