//! Runs network requests, and handles the signals that stop them.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::Status;
use crate::client::Road;
use crate::event::{Event, Sink};
use crate::manifest::Ended;
use crate::process;

/// How long to wait for requests in flight after the first signal.
const GRACE: Duration = Duration::from_secs(10);

/// How long received answers may take to reach the disk; a pending name lookup is not awaited.
const REST: Duration = Duration::from_millis(300);

/// Runs a future to its end.
pub(super) fn wait<F: Future>(future: F) -> Result<F::Output, Status> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Status::Unjudged.because(format!("cannot start: {error}"), ""))?;
    let done = runtime.block_on(future);
    runtime.shutdown_timeout(REST);
    Ok(done)
}

/// Whether a listener handles signals and finishes what is in flight.
static IS_HEARD: AtomicBool = AtomicBool::new(false);

/// Without a listener a signal ends akit at once, with the programs it started: each has its own process group,
/// which Ctrl-C in a terminal does not reach.
pub(super) fn guard() {
    thread::spawn(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        let why = runtime.block_on(signal());
        if !IS_HEARD.load(Ordering::SeqCst) {
            end(why);
        }
    });
}

/// A listener for signals from now on.
pub(super) async fn heard() -> Ended {
    let listens = async {
        IS_HEARD.store(true, Ordering::SeqCst);
        std::future::pending().await
    };
    // In this order no signal is lost between the two listeners.
    tokio::select! {
        biased;
        why = signal() => why,
        why = listens => why,
    }
}

/// Handles signals while requests are sent; afterwards a signal ends akit at once.
#[must_use]
pub(super) struct Listening {
    phase: Arc<Mutex<Phase>>,
}

/// What a signal stops.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Sending requests.
    Asking,
    /// akit itself, while it writes reports.
    Writing,
    /// Nothing: another listener handles it.
    Left,
}

impl Listening {
    /// From now on only reports are written.
    pub(super) fn writes(&self) {
        enter(&self.phase, Phase::Writing);
    }

    /// From now on another listener handles signals.
    pub(super) fn leave(self) {
        enter(&self.phase, Phase::Left);
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if *phase == Phase::Asking {
            *phase = Phase::Writing;
        }
    }
}

fn enter(phase: &Mutex<Phase>, next: Phase) {
    *phase.lock().unwrap_or_else(PoisonError::into_inner) = next;
}

/// Ctrl-C and SIGTERM close the road. Requests in flight are awaited for a while, or until the second signal. A third
/// signal, or one while reports are written, does not wait for the reports.
pub(super) fn listen(road: &Road, sink: Arc<dyn Sink>) -> Listening {
    listen_for(road, sink, GRACE)
}

/// Like [`listen`], but with its own grace period for requests in flight.
pub(super) fn listen_for(road: &Road, sink: Arc<dyn Sink>, grace: Duration) -> Listening {
    let (road, phase) = (road.clone(), Arc::new(Mutex::new(Phase::Asking)));
    let now = Arc::clone(&phase);
    // On a thread of its own, because requests end before the process does.
    thread::spawn(move || {
        // Without it, signals have their default effect: they end the process.
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        let is = |phase| *now.lock().unwrap_or_else(PoisonError::into_inner) == phase;
        runtime.block_on(async {
            let mut why = heard().await;
            if is(Phase::Asking) {
                road.close(why);
                let requests = road.in_flight();
                if requests > 0 && !grace.is_zero() {
                    sink.see(Event::Awaiting { why: why.told(), requests, seconds: grace.as_secs() });
                    let _ = tokio::time::timeout(grace, signal()).await;
                }
                road.cut(why);
                why = signal().await;
            }
            if !is(Phase::Left) {
                end(why);
            }
        });
    });
    Listening { phase }
}

/// Ends the process at once. Files get their names once they are complete, so none is left half-written.
#[expect(clippy::exit, reason = "a second signal while reports are written skips the reports")]
fn end(why: Ended) {
    process::end_all();
    std::process::exit(Status::stopped(why).code().into());
}

/// Waits for Ctrl-C or SIGTERM; waits forever if it cannot listen for them.
async fn signal() -> Ended {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupt => Ended::Interrupted,
        () = terminate() => Ended::Terminated,
    }
}

#[cfg(unix)]
async fn terminate() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminate() {
    std::future::pending().await
}
