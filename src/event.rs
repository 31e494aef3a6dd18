//! What an engine says while it works. Owned by neither engines nor those who listen.

use crate::vocabulary::Outcome;

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Work begins on this many cases.
    Started {
        /// How many.
        cases: usize,
    },
    /// Cases that fail are asked again, to confirm or clear them.
    Confirming {
        /// How many.
        cases: usize,
    },
    /// A case was judged.
    Judged {
        /// Name of its scenario.
        scenario: &'a str,
        /// Its id.
        case: &'a str,
        /// What became of it.
        outcome: Outcome,
    },
    /// Nothing more is sent, and answers under way are awaited for a while.
    Awaiting {
        /// In a word: what made it stop.
        why: &'a str,
        /// How many requests are under way.
        requests: usize,
        /// For how long, in seconds.
        seconds: u64,
    },
    /// Nothing more is sent, and nothing is awaited.
    Stopping {
        /// In a word: what made it stop.
        why: &'a str,
    },
    /// Work has ended.
    Finished,
}

/// Somebody who listens; called from several tasks at once, and must not block.
pub trait Sink: Send + Sync {
    /// Takes note.
    fn see(&self, event: Event<'_>);
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Sink for Silent {
    fn see(&self, _: Event<'_>) {}
}
