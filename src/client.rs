//! The one road to a model: cache, then time limit, retries and the back end.
//!
//! Targets and judges alike go this way, so that limits, records and costs hold for both.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use backon::{ExponentialBuilder, Retryable};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value as Json, json};

use crate::cache::{Cache, Key, Lookup, Mode};
use crate::manifest::Fault;
use crate::provider::{ChatRequest, Completion, Endpoint, Provider, ProviderError};

/// Longest wait between two tries, whatever a server asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How patient a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Longest time for one try.
    pub timeout: Duration,
    /// Further tries after a transient error.
    pub retries: u32,
    /// Seed of the jitter between tries.
    pub jitter: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(60), retries: 2, jitter: 0 }
    }
}

/// An answer and how it was come by.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// The answer.
    pub completion: Completion,
    /// Milliseconds that the answer took when it was asked.
    pub latency_ms: u64,
    /// When it was asked, RFC 3339 in UTC.
    pub at: String,
    /// Whether it was read from a record.
    pub recorded: bool,
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
    },
    /// Replay, and no record.
    #[error("not in the cache ({folder}): {purpose}")]
    CacheMiss {
        /// The folder.
        folder: String,
        /// What was looked for.
        purpose: String,
    },
}

fn after(n: u32) -> String {
    if n > 1 { format!(" (after {n} tries)") } else { String::new() }
}

impl ClientError {
    /// The error as the manifest shows it.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let (kind, help) = match self {
            Self::Provider { error, .. } => (error.kind(), error.help()),
            Self::CacheMiss { .. } => (
                "cache-miss",
                "ask once with `--cache auto` and a key, then commit the cache; what is asked has changed since it was recorded",
            ),
        };
        Fault { kind: kind.to_owned(), message: self.to_string(), help: help.to_owned() }
    }
}

/// A back end with its cache and its manners.
#[derive(Debug)]
pub struct ModelClient {
    provider: Arc<dyn Provider>,
    cache: Cache,
    mode: Mode,
    warned: Mutex<BTreeSet<String>>,
    latest: Mutex<Option<String>>,
    asked: AtomicBool,
}

impl ModelClient {
    /// A client of a back end.
    #[must_use]
    pub fn new(provider: Arc<dyn Provider>, cache: Cache, mode: Mode) -> Self {
        Self {
            provider,
            cache,
            mode,
            warned: Mutex::default(),
            latest: Mutex::default(),
            asked: AtomicBool::new(false),
        }
    }

    /// Where requests go.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        self.provider.endpoint()
    }

    /// What was odd about the cache, each thing once, in alphabetical order.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.warned.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// When the newest answer was given, RFC 3339 in UTC; a record counts as of its recording.
    #[must_use]
    pub fn latest(&self) -> Option<String> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether anything was asked, not only read.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Takes note of an answer's time, and of parameters that the server refused.
    fn noted(&self, exchange: Exchange, model: &str) -> Exchange {
        for parameter in &exchange.completion.params_dropped {
            self.warn(format!(
                "{} does not take `{parameter}` for {model}; it was left out",
                self.endpoint()
            ));
        }
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.as_ref().is_none_or(|latest| *latest < exchange.at) {
            *latest = Some(exchange.at.clone());
        }
        exchange
    }

    fn warn(&self, words: String) {
        self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(words);
    }

    /// The key of a request: where it goes, what it says, and `extra` (trial or vote, template).
    fn key(&self, request: &ChatRequest, extra: &Json) -> Key {
        let endpoint = self.provider.endpoint();
        Key::of(json!({
            "provider": endpoint.provider,
            "host": endpoint.host,
            "request": request,
            "use": extra,
        }))
    }

    /// Asks, or reads what was asked before.
    ///
    /// `extra` tells uses of one request apart; `purpose` names the request in errors.
    pub async fn ask(
        &self,
        request: &ChatRequest,
        extra: &Json,
        purpose: &str,
        patience: Patience,
    ) -> Result<Exchange, ClientError> {
        let key = self.key(request, extra);
        if self.mode.reads() {
            match self.cache.get(&key) {
                Lookup::Hit(record) => match serde_json::from_value(record.response.clone()) {
                    Ok(completion) => {
                        let exchange = Exchange {
                            completion,
                            latency_ms: record.latency_ms,
                            at: record.recorded_at,
                            recorded: true,
                        };
                        return Ok(self.noted(exchange, &request.model));
                    }
                    Err(error) => self.warn(format!("record {} is no completion: {error}", key.hash())),
                },
                Lookup::Damaged(why) => self.warn(format!("a record was passed over: {why}")),
                Lookup::Miss => {}
            }
        }
        if self.mode == Mode::Replay {
            let folder = crate::source::slashed(self.cache.folder());
            return Err(ClientError::CacheMiss { folder, purpose: purpose.to_owned() });
        }
        let exchange = self.live(request, patience).await?;
        if self.mode.writes() {
            let response = json!(exchange.completion);
            let stored = self.cache.put(&key, response, exchange.latency_ms, exchange.at.clone());
            if let Err(error) = stored {
                let folder = crate::source::slashed(self.cache.folder());
                self.warn(format!("an answer could not be recorded in {folder}: {error}"));
            }
        }
        Ok(self.noted(exchange, &request.model))
    }

    async fn live(&self, request: &ChatRequest, patience: Patience) -> Result<Exchange, ClientError> {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(250))
            .with_max_delay(Duration::from_secs(20))
            .with_max_times(patience.retries as usize)
            .with_jitter()
            .with_jitter_seed(patience.jitter);
        self.asked.store(true, Ordering::Relaxed);
        let count = AtomicU32::new(0);
        let host = &self.provider.endpoint().host;
        let once = || async {
            count.fetch_add(1, Ordering::Relaxed);
            let began = Instant::now();
            let answer = tokio::time::timeout(patience.timeout, self.provider.chat(request)).await;
            let late = ProviderError::Timeout { host: host.clone(), after: patience.timeout };
            answer.unwrap_or(Err(late)).map(|completion| (completion, began.elapsed()))
        };
        let (completion, took) = once
            .retry(backoff)
            .when(ProviderError::transient)
            .adjust(|error, wait| {
                let asked = error.retry_after().map(|asked| asked.min(LONGEST_WAIT));
                wait.map(|wait| asked.unwrap_or(wait))
            })
            .await
            .map_err(|error| ClientError::Provider { error, tries: count.load(Ordering::Relaxed) })?;
        let latency_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Ok(Exchange { completion, latency_ms, at: timestamp(SystemTime::now()), recorded: false })
    }
}

/// RFC 3339 in UTC, to the second.
#[must_use]
pub fn timestamp(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests;
