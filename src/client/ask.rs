//! Requests to a model and what comes back, for callers of the client.

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

/// A request, and what identifies it in the cache.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// What is sent.
    pub request: &'a ChatRequest,
    /// What it is for.
    pub kind: ExchangeKind,
    /// The content of the cache key beyond endpoint, model and parameters, as an object.
    pub content: &'a Json,
    /// Root of its seed.
    pub root: Root,
    /// The request's name in messages, such as "the judge's verdict on suite/case".
    pub purpose: &'a str,
    /// Timeout and retries.
    pub patience: Patience,
    /// Redacts an answer before it is recorded or returned. With it, the server's own text in errors is withheld,
    /// too.
    pub seal: Option<Seal<'a>>,
    /// The application's version, if named; part of the key.
    pub version: Option<&'a str>,
    /// Whether a recorded answer is used instead of sending the request. A replay uses any record.
    pub usable: Usable<'a>,
    /// Whether to ignore records and the journal, because the conversation so far is new. A replay reads them anyway.
    pub afresh: bool,
    /// Delay before it is sent; a record is read at once.
    pub pause: Duration,
    /// Observer of the request, for measurements.
    pub watch: Option<&'a dyn Watch>,
    /// The reserved budget of its conversation.
    pub hold: Option<&'a Hold>,
}

/// Observes requests.
pub trait Watch: Send + Sync + std::fmt::Debug {
    /// A request is about to be sent.
    fn sends(&self);

    /// A request was answered or abandoned.
    fn done(&self, done: Done<'_>);
}

/// The result of a request that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Done<'a> {
    /// When it was first sent.
    pub began: Instant,
    /// When it was last sent.
    pub sent: Instant,
    /// How long the last try took.
    pub took: Duration,
    /// How often it was retried.
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

/// Whether an answer can be used from a record.
#[derive(Clone, Copy)]
pub struct Usable<'a>(pub &'a (dyn Fn(&Completion) -> bool + Send + Sync));

impl std::fmt::Debug for Usable<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Usable")
    }
}

/// An idempotent change to an answer.
#[derive(Clone, Copy)]
pub struct Seal<'a>(pub &'a (dyn Fn(Completion) -> Completion + Send + Sync));

impl std::fmt::Debug for Seal<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

/// What came back, and when. The answer includes its latency, its cost and whether it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// What came back.
    pub completion: Completion,
    /// When it was sent, RFC 3339 in UTC.
    pub at: String,
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClientError {
    /// The provider failed in every try.
    #[error("{error}{}", after(*.tries))]
    Provider {
        /// The last error.
        error: ProviderError,
        /// Number of tries.
        tries: u32,
        /// How to fix it.
        help: String,
    },
    /// Nothing more is sent to the provider, because another request failed with this error.
    #[error("not asked: {error}")]
    NotAsked {
        /// That error.
        error: ProviderError,
        /// How to fix it.
        help: String,
    },
    /// A replay found no record.
    #[error("not in the cache ({folder}): {purpose}{nearest}")]
    CacheMiss {
        /// The folder.
        folder: String,
        /// What was looked for.
        purpose: String,
        /// The nearest record, if known.
        nearest: Nearest,
    },
    /// A replay found a broken answer: the error is the one it caused when it was live.
    #[error("{}", .0.message)]
    Recorded(Fault),
    /// A replay found only a record that the change under review adds.
    #[error("record not read: {0}; only this change adds it")]
    Untrusted(String),
}

fn after(n: u32) -> String {
    if n > 1 { format!(" (after {n} tries)") } else { String::new() }
}

impl ClientError {
    /// Whether there is an answer, but a broken one.
    pub(super) fn is_broken_answer(&self) -> bool {
        matches!(self, Self::Provider { error, .. } if error.is_broken_answer())
    }

    /// The error as the run stores it.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let (kind, help, cause) = match self {
            Self::Recorded(fault) => return fault.clone(),
            Self::Untrusted(_) => {
                let help = FaultKind::UntrustedRecord.remedy().to_owned();
                (FaultKind::UntrustedRecord, help, "only this change adds the record".to_owned())
            }
            // The cause leaves out the number of tries, so that cases with the same cause are grouped.
            Self::Provider { error, help, .. } => (error.kind(), help.clone(), error.to_string()),
            Self::NotAsked { error, help } => (error.kind(), help.clone(), self.to_string()),
            Self::CacheMiss { folder, nearest, .. } => (
                FaultKind::CacheMiss,
                "run once with `--cache record` and a key, then commit the cache".to_owned(),
                format!("not in the cache ({folder}){nearest}"),
            ),
        };
        Fault { kind, message: self.to_string(), help, cause }
    }
}
