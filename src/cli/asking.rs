//! Waiting for what is asked over the network, and the signals that end it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::Status;
use crate::client::Road;
use crate::event::{Event, Sink};
use crate::manifest::Ended;

/// How long requests under way may take to be answered after the first signal.
const GRACE: Duration = Duration::from_secs(10);

/// How long what was answered may take on its way to the disk; a name lookup under way is not awaited.
const REST: Duration = Duration::from_millis(300);

/// Carries something out to its end.
pub(super) fn wait<F: Future>(future: F) -> Result<F::Output, Status> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Status::Unjudged.because(format!("cannot start: {error}"), ""))?;
    let done = runtime.block_on(future);
    runtime.shutdown_timeout(REST);
    Ok(done)
}

/// Ctrl-C and SIGTERM close the road. What is under way is awaited for a while, or until the second signal.
pub(super) fn listen(road: &Road, sink: Arc<dyn Sink>) {
    let road = road.clone();
    tokio::spawn(async move {
        let why = signal().await;
        road.close(why);
        let requests = road.under_way();
        if requests > 0 {
            sink.see(Event::Awaiting { why: why.told(), requests, seconds: GRACE.as_secs() });
            let _ = tokio::time::timeout(GRACE, signal()).await;
        }
        road.cut(why);
    });
}

/// Waits for Ctrl-C or SIGTERM; what cannot be listened for never comes.
pub(super) async fn signal() -> Ended {
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
