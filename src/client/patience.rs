//! How long a question waits.

use std::time::Duration;

/// How patient a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Longest time for one try.
    pub timeout: Duration,
    /// Further tries after a transient error, but for 429.
    pub retries: u32,
    /// Longest time that a question waits because of 429, and that an endpoint answers nobody because of it.
    pub limited: Duration,
    /// Seed of the jitter between tries.
    pub jitter: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(60), retries: 2, limited: Duration::from_secs(300), jitter: 0 }
    }
}
