//! A question and its answer, as those who ask see them.

use std::time::Duration;

use serde_json::Value as Json;
use tokio::time::Instant;

use super::hold::Hold;
use super::patience::Patience;
use crate::cache::Nearest;
use crate::manifest::Fault;
use crate::provider::{ChatRequest, Completion, ProviderError};
use crate::seed::Root;
use crate::vocabulary::{ExchangeKind, FaultKind};

/// A question, and what its record is found by.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// What is sent.
    pub request: &'a ChatRequest,
    /// What it is for.
    pub kind: ExchangeKind,
    /// What is asked, as an object: every component of the key beyond endpoint, model and parameters.
    pub content: &'a Json,
    /// Root of the seeds.
    pub root: Root,
    /// The question for people, as in "the reply to suite/case".
    pub purpose: &'a str,
    /// How patiently.
    pub patience: Patience,
    /// What is done to an answer before it is recorded or handed on, where it must not stay as it is.
    /// Then the server's own words in errors are withheld too.
    pub seal: Option<Seal<'a>>,
    /// Version of the application that is asked, where one is named; a part of the key.
    pub version: Option<&'a str>,
    /// What an answer must be to be read from a record instead of asked for. Only a replay reads the others.
    pub usable: Usable<'a>,
    /// Whether records and what an interrupted run noted are passed over: what was said before was said anew. A replay
    /// reads them all the same.
    pub afresh: bool,
    /// How long is waited before it is sent; a record is read at once.
    pub pause: Duration,
    /// Who sees what becomes of each try, where somebody measures.
    pub watch: Option<&'a dyn Watch>,
    /// The money of the conversation that it belongs to.
    pub hold: Option<&'a Hold>,
}

/// Sees what becomes of each question as soon as that is known.
pub trait Watch: Send + Sync + std::fmt::Debug {
    /// A question is about to be sent.
    fn sends(&self);

    /// A question was answered, or given up.
    fn done(&self, done: Done<'_>);
}

/// What became of a question that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Done<'a> {
    /// When it was first sent.
    pub began: Instant,
    /// When it was last sent.
    pub sent: Instant,
    /// How long that took.
    pub took: Duration,
    /// How often it was sent again.
    pub retries: u32,
    /// The answer, or why there is none.
    pub found: Result<&'a Completion, &'a ProviderError>,
}

impl Ask<'_> {
    pub(super) fn sealed(&self, exchange: Exchange) -> Exchange {
        match self.seal {
            Some(Seal(seal)) => Exchange { completion: seal(exchange.completion), ..exchange },
            None => exchange,
        }
    }
}

/// Whether an answer is one that can be used again.
#[derive(Clone, Copy)]
pub struct Usable<'a>(pub &'a (dyn Fn(&Completion) -> bool + Send + Sync));

impl std::fmt::Debug for Usable<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Usable")
    }
}

/// A change to an answer that is the same when made twice.
#[derive(Clone, Copy)]
pub struct Seal<'a>(pub &'a (dyn Fn(Completion) -> Completion + Send + Sync));

impl std::fmt::Debug for Seal<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

/// What came back, and when. The answer in it says how long it took, what it cost and whether it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// What came back.
    pub completion: Completion,
    /// When it was asked, RFC 3339 in UTC.
    pub at: String,
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClientError {
    /// The back end failed, after all tries.
    #[error("{error}{}", after(*.tries))]
    Provider {
        /// The last error.
        error: ProviderError,
        /// How often it was tried.
        tries: u32,
        /// How to fix it.
        help: String,
    },
    /// Nothing is sent to the back end any more, because of what others met there.
    #[error("not asked: {error}")]
    NotAsked {
        /// What they met.
        error: ProviderError,
        /// How to fix it.
        help: String,
    },
    /// Replay, and no record.
    #[error("not in the cache ({folder}): {purpose}{nearest}")]
    CacheMiss {
        /// The folder.
        folder: String,
        /// What was looked for.
        purpose: String,
        /// What is known of the nearest record.
        nearest: Nearest,
    },
    /// Replay, and the record of a broken answer: what was told when it came.
    #[error("{}", .0.message)]
    Recorded(Fault),
    /// Replay, and a record that only the change brings.
    #[error("the record was not read: {0}; only this change brings it")]
    Untrusted(String),
}

fn after(n: u32) -> String {
    if n > 1 { format!(" (after {n} tries)") } else { String::new() }
}

impl ClientError {
    /// Whether there is an answer and it is broken.
    pub(super) fn is_broken_answer(&self) -> bool {
        matches!(self, Self::Provider { error, .. } if error.is_broken_answer())
    }

    /// The error as the manifest shows it.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let (kind, help, cause) = match self {
            Self::Recorded(fault) => return fault.clone(),
            Self::Untrusted(_) => {
                let help = FaultKind::UntrustedRecord.remedy().to_owned();
                (FaultKind::UntrustedRecord, help, "only this change brings the record".to_owned())
            }
            // Without the number of tries: many cases may fail for one cause.
            Self::Provider { error, help, .. } => (error.kind(), help.clone(), error.to_string()),
            Self::NotAsked { error, help } => (error.kind(), help.clone(), self.to_string()),
            Self::CacheMiss { folder, nearest, .. } => (
                FaultKind::CacheMiss,
                "ask once with `--cache record` and a key, then commit the cache".to_owned(),
                format!("not in the cache ({folder}){nearest}"),
            ),
        };
        Fault { kind, message: self.to_string(), help, cause }
    }
}
