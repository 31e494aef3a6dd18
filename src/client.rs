//! The one road to a model: cache, then time limit, retries and the back end.
//!
//! Targets and judges alike go this way, so that limits, records and costs hold for both.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use backon::{ExponentialBuilder, Retryable};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value as Json, json};

use crate::cache::{Cache, Difference, Key, Looked, Lookup, Mode};
use crate::manifest::Fault;
use crate::provider::{ChatRequest, Completion, Endpoint, Pending, Prices, Provider, ProviderError};
use crate::seed::Root;

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

/// A question, and what its record is found by.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// What is sent.
    pub request: &'a ChatRequest,
    /// What kind of exchange it is: `reply`, `vote`.
    pub kind: &'static str,
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
}

/// A change to an answer that is the same when made twice.
#[derive(Clone, Copy)]
pub struct Seal<'a>(pub &'a (dyn Fn(Completion) -> Completion + Send + Sync));

impl std::fmt::Debug for Seal<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

impl Ask<'_> {
    fn sealed(&self, exchange: Exchange) -> Exchange {
        match self.seal {
            Some(Seal(seal)) => Exchange { completion: seal(exchange.completion), ..exchange },
            None => exchange,
        }
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
    /// US dollars, where the model's price and the tokens are known.
    pub cost_usd: Option<f64>,
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
    #[error("not in the cache ({folder}): {purpose}{}", changed(.differences))]
    CacheMiss {
        /// The folder.
        folder: String,
        /// What was looked for.
        purpose: String,
        /// What the nearest record has otherwise.
        differences: Vec<Difference>,
    },
}

/// What changed since the nearest record was made.
fn changed(differences: &[Difference]) -> String {
    if differences.is_empty() {
        return "; nothing of its kind is recorded".to_owned();
    }
    let all: Vec<_> = differences.iter().map(ToString::to_string).collect();
    format!("; the nearest record differs in {}", all.join("; "))
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
            Self::CacheMiss { .. } => {
                ("cache-miss", "ask once with `--cache record` and a key, then commit the cache")
            }
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
    prices: Prices,
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
            prices: Prices::default(),
        }
    }

    /// The same, with prices.
    #[must_use]
    pub fn priced(self, prices: Prices) -> Self {
        Self { prices, ..self }
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
        let cost_usd = self.prices.cost(model, exchange.completion.usage);
        Exchange { cost_usd, ..exchange }
    }

    fn warn(&self, words: String) {
        self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(words);
    }

    /// The key of a request: where it goes, with which parameters, and what is asked.
    ///
    /// A seed counts as its root: derived seeds tell cases apart by name, and a case may be renamed.
    fn key(&self, ask: &Ask<'_>) -> Key {
        let endpoint = self.provider.endpoint();
        let mut params = Map::new();
        let mut add = |name: &str, value: Option<Json>| {
            if let Some(value) = value {
                params.insert(name.to_owned(), value);
            }
        };
        add("temperature", ask.request.temperature.map(Json::from));
        add("max_tokens", ask.request.max_tokens.map(Json::from));
        add("seed", ask.request.seed.map(|_| ask.root.0.into()));
        let mut parts = json!({
            "kind": ask.kind,
            "provider": endpoint.provider,
            "host": endpoint.host,
            "model": ask.request.model,
            "params": params,
        });
        if let (Json::Object(parts), Json::Object(content)) = (&mut parts, ask.content.clone()) {
            parts.extend(content);
        }
        Key::of(parts)
    }

    /// Whether asking would read a record instead.
    #[must_use]
    pub fn recorded(&self, ask: &Ask<'_>) -> bool {
        self.mode.reads() && matches!(self.cache.get(&self.key(ask)), Lookup::Hit(_))
    }

    /// Asks, or reads what was asked before.
    pub async fn ask(&self, ask: &Ask<'_>) -> Result<Exchange, ClientError> {
        self.exchange(ask, || self.provider.chat(ask.request)).await
    }

    /// Asks for the embedding of a text, or reads it.
    pub async fn embed(&self, ask: &Ask<'_>, text: &str) -> Result<Exchange, ClientError> {
        self.exchange(ask, || self.provider.embed(&ask.request.model, text)).await
    }

    async fn exchange<'a>(
        &'a self,
        ask: &Ask<'_>,
        send: impl Fn() -> Pending<'a>,
    ) -> Result<Exchange, ClientError> {
        if self.mode == Mode::Off {
            let exchange = self.live(send, ask.patience).await?;
            return Ok(self.noted(exchange, &ask.request.model));
        }
        let key = self.key(ask);
        if self.mode.reads()
            && let Some(exchange) = self.read(&key, ask)
        {
            return Ok(self.noted(ask.sealed(exchange), &ask.request.model));
        }
        if self.mode == Mode::Replay {
            let mut differences = self.cache.nearest(&key);
            if ask.seal.is_some() {
                // The nearest record may be one that nobody redacted.
                for one in &mut differences {
                    (one.recorded, one.wanted) = (String::new(), String::new());
                }
            }
            let purpose = ask.purpose.to_owned();
            let looked =
                Looked { purpose: purpose.clone(), recorded_at: None, differences: differences.clone() };
            self.cache.note(&key, looked);
            let folder = crate::source::slashed(self.cache.folder());
            return Err(ClientError::CacheMiss { folder, purpose, differences });
        }
        let exchange = self.asked_and_recorded(&key, send, ask).await?;
        Ok(self.noted(exchange, &ask.request.model))
    }

    /// Asks whatever the cache holds: for questions about the judge itself. In replay it reads.
    pub async fn ask_afresh(&self, ask: &Ask<'_>) -> Result<Exchange, ClientError> {
        let key = self.key(ask);
        if self.mode == Mode::Replay {
            let missing = || ClientError::CacheMiss {
                folder: crate::source::slashed(self.cache.folder()),
                purpose: ask.purpose.to_owned(),
                differences: Vec::new(),
            };
            return self.record(&key).ok_or_else(missing);
        }
        self.asked_and_recorded(&key, || self.provider.chat(ask.request), ask).await
    }

    async fn asked_and_recorded<'a>(
        &'a self,
        key: &Key,
        send: impl Fn() -> Pending<'a>,
        ask: &Ask<'_>,
    ) -> Result<Exchange, ClientError> {
        let exchange = match (self.live(send, ask.patience).await, ask.seal) {
            (Ok(exchange), _) => ask.sealed(exchange),
            (Err(ClientError::Provider { error, tries }), Some(_)) => {
                return Err(ClientError::Provider { error: error.withheld(), tries });
            }
            (Err(error), _) => return Err(error),
        };
        if self.mode.writes() {
            let (cache, key, response) = (self.cache.clone(), key.clone(), json!(exchange.completion));
            let (latency_ms, at) = (exchange.latency_ms, exchange.at.clone());
            // A synced write waits for the disk; other cases need not wait with it.
            let put = move || cache.put(&key, response, latency_ms, at);
            let stored = tokio::task::spawn_blocking(put).await.unwrap_or_else(|lost| Err(lost.into()));
            if let Err(error) = stored {
                let folder = crate::source::slashed(self.cache.folder());
                self.warn(format!("an answer could not be recorded in {folder}: {error}"));
            }
        }
        Ok(exchange)
    }

    fn read(&self, key: &Key, ask: &Ask<'_>) -> Option<Exchange> {
        let exchange = self.record(key)?;
        let looked = Looked {
            purpose: ask.purpose.to_owned(),
            recorded_at: Some(exchange.at.clone()),
            differences: Vec::new(),
        };
        self.cache.note(key, looked);
        Some(exchange)
    }

    /// The record of a key; one that cannot be used is told and counts as none.
    fn record(&self, key: &Key) -> Option<Exchange> {
        let record = match self.cache.get(key) {
            Lookup::Hit(record) => record,
            Lookup::Damaged(why) => {
                self.warn(format!("a record was passed over: {why}"));
                return None;
            }
            Lookup::Miss => return None,
        };
        match serde_json::from_value(record.response) {
            Ok(completion) => Some(Exchange {
                completion,
                latency_ms: record.latency_ms,
                at: record.recorded_at,
                cost_usd: None,
                recorded: true,
            }),
            Err(error) => {
                self.warn(format!("record {} is no completion: {error}", key.hash()));
                None
            }
        }
    }

    async fn live<'a>(
        &'a self,
        send: impl Fn() -> Pending<'a>,
        patience: Patience,
    ) -> Result<Exchange, ClientError> {
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
            let answer = tokio::time::timeout(patience.timeout, send()).await;
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
        Ok(Exchange {
            completion,
            latency_ms,
            at: timestamp(SystemTime::now()),
            cost_usd: None,
            recorded: false,
        })
    }
}

/// RFC 3339 in UTC, to the second.
#[must_use]
pub fn timestamp(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests;
