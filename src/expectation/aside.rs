//! Work that takes long gives the thread that asks and waits to others meanwhile.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Carries out what may take a part of a second or more: deadlines and signals are heard meanwhile.
pub(super) fn aside<T>(work: impl FnOnce() -> T) -> T {
    let shared = Handle::try_current().is_ok_and(|on| on.runtime_flavor() == RuntimeFlavor::MultiThread);
    if shared { tokio::task::block_in_place(work) } else { work() }
}
