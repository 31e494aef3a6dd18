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

use crate::cache::{Cache, Key, Looked, Lookup, Mode, Nearest};
use crate::manifest::Fault;
use crate::provider::{ChatRequest, Completion, Endpoint, Pending, Prices, Provider, ProviderError, Whence};
use crate::seed::Root;
use crate::vocabulary::{ExchangeKind, FaultKind};

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
}

fn after(n: u32) -> String {
    if n > 1 { format!(" (after {n} tries)") } else { String::new() }
}

impl ClientError {
    /// The error as the manifest shows it.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let (kind, help, cause) = match self {
            Self::Provider { error, help, .. } => (error.kind(), help.clone(), String::new()),
            Self::CacheMiss { folder, nearest, .. } => (
                FaultKind::CacheMiss,
                "ask once with `--cache record` and a key, then commit the cache".to_owned(),
                format!("not in the cache ({folder}){nearest}"),
            ),
        };
        Fault { kind, message: self.to_string(), help, cause }
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
    /// Whether recording failed once: what is not recorded is told once, and not tried again.
    gave_up: AtomicBool,
    /// Whether a reply was read that this process had not asked for.
    reads_earlier: AtomicBool,
    prices: Prices,
    said_by: Whence,
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
            gave_up: AtomicBool::new(false),
            reads_earlier: AtomicBool::new(false),
            prices: Prices::default(),
            said_by: Whence::default(),
        }
    }

    /// The same, with prices.
    #[must_use]
    pub fn priced(self, prices: Prices) -> Self {
        Self { prices, ..self }
    }

    /// The same, where these said how the server is reached.
    #[must_use]
    pub fn said_by(self, said_by: Whence) -> Self {
        Self { said_by, ..self }
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

    /// Whether answers are only ever read from records.
    #[must_use]
    pub fn replays(&self) -> bool {
        self.mode == Mode::Replay
    }

    /// Whether a reply was read that somebody had asked for earlier.
    #[must_use]
    pub fn reads_earlier_replies(&self) -> bool {
        self.reads_earlier.load(Ordering::Relaxed)
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
            "model": ask.request.model,
            "params": params,
        });
        if let (Json::Object(parts), Json::Object(content)) = (&mut parts, ask.content.clone()) {
            parts.extend(content);
        }
        parts["endpoint"] = endpoint.address.as_str().into();
        match ask.version {
            Some(version) => parts["version"] = version.into(),
            None if endpoint.is_usual() => {
                return Key::of(parts).or_former("endpoint", ("host", endpoint.host.as_str().into()));
            }
            None => {}
        }
        Key::of(parts)
    }

    /// Whether asking would read a record instead.
    #[must_use]
    pub fn recorded(&self, ask: &Ask<'_>) -> bool {
        self.mode.reads() && self.record(&self.key(ask), ask).is_some()
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
            let exchange = self.asked_once(send, ask).await?;
            return Ok(self.noted(exchange, &ask.request.model));
        }
        let key = self.key(ask);
        if self.mode.reads()
            && let Some(exchange) = self.read(&key, ask)
        {
            return Ok(self.noted(ask.sealed(exchange), &ask.request.model));
        }
        if self.mode == Mode::Replay {
            let mut nearest = self.nearest(&key).await;
            if ask.seal.is_some() {
                nearest = nearest.without_texts();
            }
            let purpose = ask.purpose.to_owned();
            let looked = Looked {
                purpose: purpose.clone(),
                recorded_at: None,
                missing: Some(key.clone()),
                redacted: ask.seal.is_some(),
            };
            self.cache.note(key.hash(), looked);
            let folder = crate::source::slashed(self.cache.folder());
            return Err(ClientError::CacheMiss { folder, purpose, nearest });
        }
        let exchange = self.asked_and_recorded(&key, send, ask).await?;
        Ok(self.noted(exchange, &ask.request.model))
    }

    /// What is recorded in place of a key, found off the threads that others wait for.
    async fn nearest(&self, key: &Key) -> Nearest {
        if !self.cache.explains() {
            return Nearest::Unknown;
        }
        let (cache, key) = (self.cache.clone(), key.clone());
        tokio::task::spawn_blocking(move || cache.nearest(&key)).await.unwrap_or_default()
    }

    /// Asks whatever the cache holds: for questions about the judge itself. In replay it reads.
    pub async fn ask_afresh(&self, ask: &Ask<'_>) -> Result<Exchange, ClientError> {
        let key = self.key(ask);
        if self.mode == Mode::Replay {
            let missing = || ClientError::CacheMiss {
                folder: crate::source::slashed(self.cache.folder()),
                purpose: ask.purpose.to_owned(),
                nearest: Nearest::Unknown,
            };
            return self.record(&key, ask).map(|(exchange, _)| exchange).ok_or_else(missing);
        }
        self.asked_and_recorded(&key, || self.provider.chat(ask.request), ask).await
    }

    async fn asked_and_recorded<'a>(
        &'a self,
        key: &Key,
        send: impl Fn() -> Pending<'a>,
        ask: &Ask<'_>,
    ) -> Result<Exchange, ClientError> {
        let exchange = self.asked_once(send, ask).await?;
        if self.mode.writes() && !self.gave_up.load(Ordering::Relaxed) {
            // The system takes a small file at once and brings it to the disk later; a thread for each would cost more.
            let (response, at) = (json!(exchange.completion), exchange.at.clone());
            let stored = self.cache.put(key, response, exchange.latency_ms, at);
            if let Err(error) = stored {
                let folder = crate::source::slashed(self.cache.folder());
                self.gave_up.store(true, Ordering::Relaxed);
                self.warn(format!("answers could not be recorded in {folder} from some point on: {error}"));
            }
        }
        Ok(exchange)
    }

    /// A live answer as it may be kept and shown, in every cache mode.
    async fn asked_once<'a>(
        &'a self,
        send: impl Fn() -> Pending<'a>,
        ask: &Ask<'_>,
    ) -> Result<Exchange, ClientError> {
        match (self.live(send, ask.patience).await, ask.seal) {
            (Ok(exchange), _) => Ok(ask.sealed(exchange)),
            (Err(ClientError::Provider { error, tries, help }), Some(_)) => {
                Err(ClientError::Provider { error: error.withheld(), tries, help })
            }
            (Err(error), _) => Err(error),
        }
    }

    fn read(&self, key: &Key, ask: &Ask<'_>) -> Option<Exchange> {
        let (exchange, hash) = self.record(key, ask)?;
        let looked = Looked {
            purpose: ask.purpose.to_owned(),
            recorded_at: Some(exchange.at.clone()),
            missing: None,
            redacted: ask.seal.is_some(),
        };
        if ask.kind == ExchangeKind::Reply && !self.cache.has_written(&hash) {
            self.reads_earlier.store(true, Ordering::Relaxed);
        }
        self.cache.note(&hash, looked);
        Some(exchange)
    }

    /// The record of a key with its hash. One that cannot be read is reported and counts as none; one that
    /// holds no usable answer, such as an unreadable verdict, is left to a replay.
    fn record(&self, key: &Key, ask: &Ask<'_>) -> Option<(Exchange, String)> {
        let record = match self.cache.get(key) {
            Lookup::Hit(record) => record,
            Lookup::Damaged(why) => {
                self.warn(format!("a record was passed over: {why}"));
                return None;
            }
            Lookup::Miss => return None,
        };
        let hash = key.hash_of(&record).to_owned();
        let read = match record.response {
            // An array would be read member by member.
            Json::Object(_) => serde_json::from_value::<Completion>(record.response),
            _ => Err(serde::de::Error::custom("it is not an object")),
        };
        match read {
            Ok(completion) if self.mode != Mode::Replay && !ask.usable.0(&completion) => None,
            Ok(completion) => {
                let (latency_ms, at) = (record.latency_ms, record.recorded_at);
                Some((Exchange { completion, latency_ms, at, cost_usd: None, recorded: true }, hash))
            }
            Err(error) => {
                self.warn(format!("record {hash} is no completion: {error}"));
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
            .map_err(|error| {
                let (help, tries) = (error.help(&self.said_by), count.load(Ordering::Relaxed));
                ClientError::Provider { error, tries, help }
            })?;
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
