//! Waiting for what is asked over the network, and the signals that end it.

use std::future::Future;
use std::time::Duration;

use super::Status;
use crate::manifest::Ended;
use crate::runner::Stop;

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

/// Ctrl-C and SIGTERM stop a run.
pub(super) fn listen(stop: &Stop) {
    let stop = stop.clone();
    tokio::spawn(async move { stop.now(signal().await) });
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
