//! Progress events of the engines, in a module of their own so that engines and listeners do not depend on each other.

use crate::vocabulary::Outcome;

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Work starts on this many cases.
    Started {
        /// Number of cases.
        cases: usize,
    },
    /// Failed cases are run again, to confirm or clear them.
    Confirming {
        /// Number of cases.
        cases: usize,
    },
    /// A case was judged.
    Judged {
        /// Name of its scenario.
        scenario: &'a str,
        /// Its id.
        case: &'a str,
        /// Its result.
        outcome: Outcome,
    },
    /// Nothing more is sent; answers in progress are awaited for a while.
    Awaiting {
        /// What stopped it, in a word.
        why: &'a str,
        /// Number of requests in progress.
        requests: usize,
        /// For how long, in seconds.
        seconds: u64,
    },
    /// Nothing more is sent or awaited.
    Stopping {
        /// What stopped it, in a word.
        why: &'a str,
    },
    /// Work has ended.
    Finished,
}

/// A listener; called from several tasks at once, and must not block.
pub trait Sink: Send + Sync {
    /// Handles an event.
    fn see(&self, event: Event<'_>);
}

/// Ignores all events.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Sink for Silent {
    fn see(&self, _: Event<'_>) {}
}
