//! Runs visits at a given pace while a stage lasts: a fixed number at once, or at scheduled times.
//!
//! Workers are kept from stage to stage, so that the number of visits never exceeds that of the stage, except for those
//! left from a larger stage. A separate thread keeps the schedule, because timers of the runtime have a resolution of a
//! millisecond.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::Crew;

/// A visitor.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Its number over all stages, 0-based.
    pub number: u64,
    /// The stage in which it was due.
    pub stage: usize,
    /// When it should have arrived.
    pub due: Instant,
}

/// Serves visitors.
pub trait Host: Send + Sync + 'static {
    /// The number of the next visitor; `None` if no more may arrive.
    fn next(&self) -> Option<u64>;

    /// Serves one visitor. The future is dropped while it waits, once the time is over.
    fn serve(&self, arrival: Arrival) -> impl Future<Output = ()> + Send;

    /// A visitor was due but never served, because no place became free before the end.
    fn missed(&self, arrival: Arrival);

    /// A stage begins.
    fn begin(&self, stage: usize, at: Instant);
}

/// When visitors arrive.
pub enum Pace {
    /// This many at once, reached only after a ramp of this duration.
    InFlight(usize, Duration),
    /// At times counted from the start of the stage, in order.
    At(Box<dyn Iterator<Item = Duration> + Send>),
}

/// A part of a load.
pub struct Stage {
    /// When visitors arrive.
    pub pace: Pace,
    /// How long it lasts; `None` if only the number of visits ends it.
    pub lasts: Option<Duration>,
}

/// What workers do now.
#[derive(Clone, Copy, Debug)]
enum Now {
    /// The first `workers` of them work in this stage, all of them only after the ramp.
    Work { stage: usize, workers: usize, began: Instant, ramp: Duration },
    /// They wait.
    Rest,
    /// All of them stop.
    Over,
}

impl Now {
    /// Tells the workers, unless the load is over because a worker found that no more visitors may arrive.
    fn is_told(self, tell: &watch::Sender<Self>) -> bool {
        tell.send_if_modified(|now| {
            let goes_on = !matches!(now, Self::Over);
            if goes_on {
                *now = self;
            }
            goes_on
        })
    }
}

/// Runs the stages until no more visitors may arrive, the time is over, or `stop` completes. Visits in progress are
/// dropped at the end of the time or at a stop, and awaited when no more may arrive. At most `most` visits of a
/// schedule are in progress; the others wait. Returns whether akit crashed in one of them.
pub async fn load<H: Host>(
    host: Arc<H>,
    stages: Vec<Stage>,
    most: usize,
    crew: &Crew,
    stop: impl Future<Output = ()>,
) -> bool {
    let mut visits = JoinSet::new();
    let mut crashed = false;
    let (tell, now) = watch::channel(Now::Rest);
    let seats = Arc::new(Semaphore::new(most));
    let all = async {
        let mut begins = Instant::now();
        let mut workers = 0;
        for (index, stage) in stages.into_iter().enumerate() {
            let next = match stage.pace {
                Pace::InFlight(workers, ramp) => Now::Work { stage: index, workers, began: begins, ramp },
                Pace::At(_) => Now::Rest,
            };
            if !next.is_told(&tell) {
                all_of(&mut visits, &mut crashed).await;
                break;
            }
            host.begin(index, begins);
            let ends = stage.lasts.map(|lasts| begins + lasts);
            match stage.pace {
                Pace::InFlight(many, _) => {
                    for worker in workers..many {
                        let work = work(Arc::clone(&host), worker, tell.clone(), now.clone());
                        visits.spawn_on(work, &crew.member(worker));
                    }
                    workers = workers.max(many);
                    tokio::select! {
                        () = until(ends) => {}
                        () = all_of(&mut visits, &mut crashed) => break,
                    }
                }
                Pace::At(times) => {
                    let (clock, mut times) = Clock::start(times, begins, ends);
                    let is_over = loop {
                        let due = tokio::select! {
                            due = times.recv() => due,
                            Some(done) = visits.join_next(), if !visits.is_empty() => {
                                crashed |= done.is_err();
                                continue;
                            }
                        };
                        let Some(due) = due else { break false };
                        let Some(number) = host.next() else { break true };
                        let arrival = Arrival { number, stage: index, due };
                        let (host, seats) = (Arc::clone(&host), Arc::clone(&seats));
                        let waits = Waits { host, arrival, has_begun: false };
                        let visit = async move {
                            let _seat = seats.acquire_owned().await;
                            waits.begin().serve(arrival).await;
                        };
                        visits.spawn_on(visit, &crew.member(usize::try_from(number).unwrap_or_default()));
                    };
                    drop(clock);
                    if is_over {
                        tell.send_replace(Now::Over);
                        all_of(&mut visits, &mut crashed).await;
                        break;
                    }
                    until(ends).await;
                }
            }
            begins = ends.unwrap_or_else(Instant::now);
        }
        tell.send_replace(Now::Over);
    };
    tokio::select! {
        () = all => {}
        () = stop => {}
    }
    visits.shutdown().await;
    crashed
}

/// A visitor who waits for a free place.
struct Waits<H: Host> {
    host: Arc<H>,
    arrival: Arrival,
    has_begun: bool,
}

impl<H: Host> Waits<H> {
    fn begin(mut self) -> Arc<H> {
        self.has_begun = true;
        Arc::clone(&self.host)
    }
}

impl<H: Host> Drop for Waits<H> {
    fn drop(&mut self) {
        if !self.has_begun {
            self.host.missed(self.arrival);
        }
    }
}

/// Waits until a time, or forever if there is none.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Waits until all visits are done; no more may arrive.
async fn all_of(visits: &mut JoinSet<()>, crashed: &mut bool) {
    while let Some(done) = visits.join_next().await {
        *crashed |= done.is_err();
    }
}

async fn work<H: Host>(host: Arc<H>, worker: usize, tell: watch::Sender<Now>, mut now: watch::Receiver<Now>) {
    let mut free = Instant::now();
    loop {
        let is = *now.borrow_and_update();
        let (stage, begins) = match is {
            Now::Over => return,
            Now::Work { stage, workers, began, ramp } if worker < workers => {
                (stage, began + share(ramp, worker, workers))
            }
            Now::Work { .. } | Now::Rest => {
                if now.changed().await.is_err() {
                    return;
                }
                continue;
            }
        };
        if begins > Instant::now() {
            tokio::select! {
                () = sleep_until(begins) => {}
                _ = now.changed() => continue,
            }
            // A worker that starts was not late before.
            free = Instant::now();
        }
        let Some(number) = host.next() else {
            // Without this, resting workers would wait for the end of the stage.
            tell.send_replace(Now::Over);
            return;
        };
        host.serve(Arrival { number, stage, due: free.max(begins) }).await;
        free = Instant::now();
    }
}

/// The share of a ramp after which one of several workers starts.
fn share(ramp: Duration, worker: usize, workers: usize) -> Duration {
    let part = u32::try_from(worker).unwrap_or(u32::MAX);
    ramp / u32::try_from(workers).unwrap_or(u32::MAX).max(1) * part
}

/// Signals each time of a schedule when it is due. Stops when it is dropped.
struct Clock {
    stopped: Arc<(Mutex<bool>, Condvar)>,
}

impl Clock {
    /// Starts the thread that keeps time.
    fn start(
        times: impl Iterator<Item = Duration> + Send + 'static,
        begins: Instant,
        ends: Option<Instant>,
    ) -> (Self, mpsc::UnboundedReceiver<Instant>) {
        let (tell, due) = mpsc::unbounded_channel();
        let stopped = Arc::new((Mutex::new(false), Condvar::new()));
        let shared = Arc::clone(&stopped);
        std::thread::spawn(move || {
            let (lock, bell) = &*shared;
            for time in times {
                let at = begins + time;
                if ends.is_some_and(|ends| at >= ends) {
                    return;
                }
                let mut is_stopped = lock.lock().unwrap_or_else(PoisonError::into_inner);
                loop {
                    let left = at.saturating_duration_since(Instant::now());
                    if *is_stopped || left.is_zero() {
                        break;
                    }
                    is_stopped =
                        bell.wait_timeout(is_stopped, left).unwrap_or_else(PoisonError::into_inner).0;
                }
                if *is_stopped || tell.send(at).is_err() {
                    return;
                }
            }
        });
        (Self { stopped }, due)
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let (lock, bell) = &*self.stopped;
        *lock.lock().unwrap_or_else(PoisonError::into_inner) = true;
        bell.notify_all();
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
