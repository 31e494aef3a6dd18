//! How long a request may take.

use std::time::Duration;

/// Timeout and retries of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Timeout of one try.
    pub timeout: Duration,
    /// Retries after a transient error other than 429.
    pub retries: u32,
    /// Maximum time a request waits because of 429, and maximum time an endpoint may answer everything with 429.
    pub limited: Duration,
    /// Seed of the jitter between tries.
    pub jitter: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(60), retries: 2, limited: Duration::from_secs(300), jitter: 0 }
    }
}
