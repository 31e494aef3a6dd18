//! Runs long computations without blocking the thread that sends requests and waits.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs work that may take a noticeable fraction of a second, while deadlines and signals are still handled.
pub(super) fn aside<T>(work: impl FnOnce() -> T) -> T {
    let shared = Handle::try_current().is_ok_and(|on| on.runtime_flavor() == RuntimeFlavor::MultiThread);
    if shared { tokio::task::block_in_place(work) } else { work() }
}
