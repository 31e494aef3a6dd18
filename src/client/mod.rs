//! Every request to a model goes through this path, in this order: journal and cache, tries, budget, a seat, the
//! provider.
//!
//! Applications and judges both use it, so limits, records and costs apply to both. Each try reserves its own
//! budget and takes its own seat, and keeps neither while waiting for the next try.

mod ask;
mod free;
mod hold;
mod lane;
mod limits;
mod meter;
mod patience;
mod record;
mod road;
mod tries;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value as Json, json};

use crate::cache::{Asked, Cache, Journal, Key, Looked, Lookup, Mode, Nearest, Noted};
use crate::provider::model::{family, is_stand_in};
use crate::provider::{
    ChatRequest, Completion, Endpoint, Origin, Pending, Price, Prices, Provider, Unmetered, Whence,
};
use crate::text;
use crate::text::number::whole;
use crate::vocabulary::{Answer, Usage};
use lane::Lane;
use tokio::time::Instant;
use tries::Account;

pub use ask::{Ask, ClientError, Done, Exchange, Seal, Usable, Watch};
pub use hold::Hold;
pub use limits::Limits;
pub use patience::Patience;
pub use record::KEYED_TOKENS;
pub use road::Road;

/// Bytes per token of an answer that is sent again with the next request.
const WIDEST: u64 = 4;
/// Maximum requests of one conversation in an estimate.
const MOST_IN_A_ROW: u64 = 10_000;

/// A provider with its cache, limits and prices.
#[derive(Debug)]
pub struct ModelClient {
    provider: Arc<dyn Provider>,
    cache: Cache,
    mode: Mode,
    warned: Mutex<BTreeSet<String>>,
    latest: Mutex<Option<String>>,
    /// Families of the models that answered instead of the requested one, by the requested name.
    stand_ins: Mutex<BTreeMap<String, BTreeSet<String>>>,
    asked: AtomicBool,
    /// Whether recording has failed: it is reported once and not tried again.
    recording_failed: AtomicBool,
    /// Whether an answer came from a record that this run did not write.
    reads_earlier: AtomicBool,
    prices: Prices,
    said_by: Whence,
    road: Road,
    lane: Arc<Lane>,
    /// What is known about the account, by model.
    accounts: Mutex<BTreeMap<String, Account>>,
    /// Held by the first metered request, until it is known what the server counts.
    first: tokio::sync::Mutex<()>,
}

/// An answer with its latency and origin.
struct Received {
    exchange: Exchange,
    latency_ms: u64,
    recorded: bool,
}

impl ModelClient {
    /// A client for a provider.
    #[must_use]
    pub fn new(provider: Arc<dyn Provider>, cache: Cache, mode: Mode) -> Self {
        let road = Road::default();
        Self {
            lane: road.lane(&provider.endpoint().address),
            accounts: Mutex::default(),
            first: tokio::sync::Mutex::default(),
            road,
            provider,
            cache,
            mode,
            warned: Mutex::default(),
            latest: Mutex::default(),
            stand_ins: Mutex::default(),
            asked: AtomicBool::new(false),
            recording_failed: AtomicBool::new(false),
            reads_earlier: AtomicBool::new(false),
            prices: Prices::default(),
            said_by: Whence::default(),
        }
    }

    /// This client, with prices.
    #[must_use]
    pub fn priced(self, prices: Prices) -> Self {
        Self { prices, ..self }
    }

    /// The price of a model at this host, if known.
    #[must_use]
    pub fn price(&self, model: &str) -> Option<Price> {
        self.prices.at(&self.endpoint().host, model)
    }

    /// The most a request can cost in US dollars: a token per byte, each at the highest price, and the longest
    /// possible answer.
    ///
    /// # Errors
    /// If price or length is unknown.
    pub fn worst(&self, request: &ChatRequest) -> Result<f64, Unmetered> {
        self.worst_of(&request.model, request.bytes(), request.max_tokens)
    }

    /// Like [`worst`](Self::worst), for a sequence of `requests` that starts with this one: each later one also
    /// contains the previous answer and `more` bytes.
    ///
    /// # Errors
    /// If price or length is unknown.
    pub fn worst_in_a_row(&self, request: &ChatRequest, requests: u64, more: u64) -> Result<f64, Unmetered> {
        let first = self.worst(request)?;
        let model = &request.model;
        let price = self.price(model).ok_or_else(|| Unmetered::NoPrice { model: model.clone() })?;
        let length = request.max_tokens.or(price.longest).unwrap_or_default();
        let grows = length.saturating_mul(WIDEST).saturating_add(more);
        // A request too long to be priced is not sent.
        let bytes = |after: u64| {
            let sent = request.bytes().saturating_add(grows.saturating_mul(after));
            price.holds_to.map_or(sent, |most| sent.min(most))
        };
        let later = (1..requests.min(MOST_IN_A_ROW)).filter_map(|after| price.worst(bytes(after), length));
        Ok(first + later.sum::<f64>())
    }

    fn worst_of(&self, model: &str, sent: u64, received: Option<u64>) -> Result<f64, Unmetered> {
        let price = self.price(model).ok_or_else(|| Unmetered::NoPrice { model: model.to_owned() })?;
        let length = received.or(price.longest);
        let length = length.ok_or_else(|| Unmetered::NoLength { model: model.to_owned() })?;
        let worst = price.worst(sent, length);
        worst.ok_or_else(|| Unmetered::NoPrice { model: format!("{model} with {} bytes", whole(sent)) })
    }

    fn cost(&self, model: &str, usage: Option<Usage>) -> Option<f64> {
        self.price(model)?.cost(usage?)
    }

    /// This client, on a shared road.
    #[must_use]
    pub fn on(self, road: &Road) -> Self {
        let lane = road.lane(&self.endpoint().address);
        Self { road: road.clone(), lane, ..self }
    }

    /// Limits requests to this address, for all clients of it.
    pub fn limit(&self, limits: Limits) {
        self.lane.limit(limits);
    }

    /// This client, with the places that configured the server.
    #[must_use]
    pub fn said_by(self, said_by: Whence) -> Self {
        Self { said_by, ..self }
    }

    /// The budget of a conversation, reserved before its first request.
    #[must_use]
    pub fn hold(&self) -> Hold {
        Hold::on(&self.road)
    }

    /// Where requests go.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        self.provider.endpoint()
    }

    /// Whether answers are streamed, so the time of the first token is known.
    #[must_use]
    pub fn streams(&self) -> bool {
        self.provider.streams()
    }

    /// Warnings, each once, in alphabetical order.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.warned.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Whether the application keeps the conversation and gets only the newest message.
    #[must_use]
    pub fn is_stateful(&self) -> bool {
        self.provider.is_stateful()
    }

    /// When the newest answer was given, RFC 3339 in UTC; for a recorded one, when it was recorded.
    #[must_use]
    pub fn latest(&self) -> Option<String> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether anything was sent, not only read from records.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Completes an answer with its latency, its cost and whether it was recorded; warns about parameters that the
    /// server refused.
    fn noted(&self, received: Received, model: &str) -> Exchange {
        let Exchange { completion, at } = received.exchange;
        for parameter in &completion.params_dropped {
            self.warn(format!(
                "{} does not accept `{parameter}` for {model}; akit left it out",
                self.endpoint()
            ));
        }
        let stand_in = completion.answer.model.as_deref().filter(|answered| is_stand_in(model, answered));
        if let Some(answered) = stand_in {
            let answered = text::excerpt(answered, 60);
            self.warn(format!(
                "answered-by: {answered} answered at {} instead of {model}; its cost is unknown, and its \
                     results are not compared with those of {model}",
                self.endpoint()
            ));
            let mut stand_ins = self.stand_ins.lock().unwrap_or_else(PoisonError::into_inner);
            stand_ins.entry(model.to_owned()).or_default().insert(family(&answered));
        }
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.as_ref().is_none_or(|latest| *latest < at) {
            *latest = Some(at.clone());
        }
        // These never come from a record.
        let answer = Answer {
            latency_ms: Some(received.latency_ms),
            cost_usd: if stand_in.is_some() { None } else { self.cost(model, completion.answer.usage) },
            recorded: received.recorded,
            given: false,
            dated: false,
            replaced: Vec::new(),
            ..completion.answer
        };
        Exchange { completion: Completion { answer, ..completion }, at }
    }

    /// The families of the models that answered instead of this one, joined by `+`; empty if none did.
    #[must_use]
    pub fn stand_ins(&self, model: &str) -> String {
        let stand_ins = self.stand_ins.lock().unwrap_or_else(PoisonError::into_inner);
        let families = stand_ins.get(model).into_iter().flatten().cloned();
        families.collect::<Vec<_>>().join("+")
    }

    /// A warning if a key is sent unencrypted to another machine.
    #[must_use]
    pub fn exposes_key(&self) -> Option<String> {
        let Endpoint { host, address, .. } = self.provider.endpoint();
        let own = Origin::of(address).is_none_or(|origin| origin.is_loopback());
        let exposed = address.starts_with("http:") && !own && self.provider.sends_key() && !self.replays();
        exposed.then(|| {
            format!("the key for {host} is sent over plain http, which anyone on the network can read")
        })
    }

    fn warn(&self, words: String) {
        self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(words);
    }

    /// Whether answers are only read from records.
    #[must_use]
    pub fn replays(&self) -> bool {
        self.mode == Mode::Replay
    }

    /// Whether an answer came from a record of an earlier run.
    #[must_use]
    pub fn reads_earlier_replies(&self) -> bool {
        self.reads_earlier.load(Ordering::Relaxed)
    }

    /// Provider-specific parts of a request's cache key.
    #[must_use]
    pub fn keyed(&self, request: &ChatRequest) -> Option<Json> {
        self.provider.keyed(request)
    }

    /// Whether the answer would come from a record.
    #[must_use]
    pub fn recorded(&self, ask: &Ask<'_>) -> bool {
        let key = self.key(ask);
        let is_noted = self.road.journal().is_some_and(|journal| journal.holds(&asked(&key, ask)));
        is_noted || (self.mode.reads() && self.record(&key, ask).is_some())
    }

    /// Sends a request, or reads its recorded answer.
    pub async fn ask(&self, ask: &Ask<'_>) -> Result<Exchange, ClientError> {
        self.exchange(ask, || self.provider.chat(ask.request)).await
    }

    /// Gets the embedding of a string from the provider or a record.
    pub async fn embed(&self, ask: &Ask<'_>, text: &str) -> Result<Exchange, ClientError> {
        self.exchange(ask, || self.provider.embed(&ask.request.model, text)).await
    }

    async fn exchange<'a>(
        &'a self,
        ask: &Ask<'_>,
        send: impl Fn() -> Pending<'a>,
    ) -> Result<Exchange, ClientError> {
        let model = &ask.request.model;
        if self.is_unheard() {
            if !ask.pause.is_zero() {
                tokio::time::sleep(ask.pause).await;
            }
            return Ok(self.noted(self.asked_once(send, ask).await?, model));
        }
        let key = self.key(ask);
        let afresh = ask.afresh && self.mode != Mode::Replay;
        if !afresh && let Some(received) = self.resumed(&key, ask) {
            return Ok(self.noted(received, model));
        }
        if !afresh
            && self.mode.reads()
            && let Some(received) = self.read(&key, ask)
        {
            let received = received?;
            let exchange = ask.sealed(received.exchange);
            return Ok(self.noted(Received { exchange, ..received }, model));
        }
        if self.mode == Mode::Replay {
            if matches!(self.cache.get(&key), Lookup::Untrusted) {
                return Err(ClientError::Untrusted(ask.purpose.to_owned()));
            }
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
        if !ask.pause.is_zero() {
            tokio::time::sleep(ask.pause).await;
        }
        let received = self.asked_and_recorded(&key, send, ask).await?;
        Ok(self.noted(received, model))
    }

    /// Whether nothing is read or recorded, so no cache key is needed.
    #[must_use]
    pub fn is_unheard(&self) -> bool {
        self.mode == Mode::Off && self.road.journal().is_none()
    }

    /// An answer from the interrupted run. It counts as live: this run has paid for it.
    fn resumed(&self, key: &Key, ask: &Ask<'_>) -> Option<Received> {
        let Noted { latency_ms, at, response, .. } = self.road.journal()?.take(&asked(key, ask))?;
        let completion: Completion = serde_json::from_value(response.clone()).ok()?;
        if self.mode.writes() && !self.recording_failed.load(Ordering::Relaxed) {
            // A run that was killed after it wrote the journal, but before it wrote the cache, left no record of it, or
            // an older one.
            let stored = self.cache.get(key);
            if !matches!(&stored, Lookup::Hit(record) if record.recorded_at >= at) {
                self.put(key, response, latency_ms, at.clone());
            }
        }
        self.asked.store(true, Ordering::Relaxed);
        let exchange = ask.sealed(Exchange { completion, at });
        Some(Received { exchange, latency_ms, recorded: false })
    }

    /// The record nearest to a missing key, searched on a blocking thread.
    async fn nearest(&self, key: &Key) -> Nearest {
        if !self.cache.explains() {
            return Nearest::Unknown;
        }
        let (cache, key) = (self.cache.clone(), key.clone());
        tokio::task::spawn_blocking(move || cache.nearest(&key)).await.unwrap_or_default()
    }

    /// Sends a request even if it is recorded, to test the judge itself. In replay it reads the record.
    pub async fn ask_afresh(&self, ask: &Ask<'_>) -> Result<Exchange, ClientError> {
        let key = self.key(ask);
        if self.mode == Mode::Replay {
            let missing = || ClientError::CacheMiss {
                folder: crate::source::slashed(self.cache.folder()),
                purpose: ask.purpose.to_owned(),
                nearest: Nearest::Unknown,
            };
            let found = self.record(&key, ask).ok_or_else(missing)?;
            return Ok(self.noted(found.received?, &ask.request.model));
        }
        let received = match self.resumed(&key, ask) {
            Some(received) => received,
            None => self.asked_and_recorded(&key, || self.provider.chat(ask.request), ask).await?,
        };
        Ok(self.noted(received, &ask.request.model))
    }

    async fn asked_and_recorded<'a>(
        &'a self,
        key: &Key,
        send: impl Fn() -> Pending<'a>,
        ask: &Ask<'_>,
    ) -> Result<Received, ClientError> {
        let began = Instant::now();
        let asked_once = self.asked_once(send, ask).await;
        let journal = self.road.journal();
        let records = self.mode.writes() && !self.recording_failed.load(Ordering::Relaxed);
        if let Err(error) = &asked_once
            && error.is_broken_answer()
            && records
        {
            self.put_broken(key, error, began.elapsed());
        }
        let received = asked_once?;
        if journal.is_none() && !records {
            return Ok(received);
        }
        let (mut response, at) = (json!(received.exchange.completion), &received.exchange.at);
        if !ask.usable.0(&received.exchange.completion) {
            response["usable"] = false.into();
        }
        // The journal is written first, so that a recorded answer is known to be this run's.
        if let Some(journal) = journal {
            let (asked, at, response) = (asked(key, ask), at.clone(), response.clone());
            let noted = Noted { asked, latency_ms: received.latency_ms, at, response };
            self.warn_unwritten(journal, journal.note(&noted));
        }
        if records {
            self.put(key, response, received.latency_ms, at.clone());
        }
        Ok(received)
    }

    fn warn_unwritten(&self, journal: &Journal, written: std::io::Result<()>) {
        if let Err(error) = written {
            let path = crate::source::slashed(journal.path());
            self.warn(format!(
                "cannot write {path}: {error}; if this run is interrupted, `--resume` cannot continue it"
            ));
        }
    }

    /// A live answer, redacted as it may be recorded and shown.
    async fn asked_once<'a>(
        &'a self,
        send: impl Fn() -> Pending<'a>,
        ask: &Ask<'_>,
    ) -> Result<Received, ClientError> {
        match (self.live(send, ask).await, ask.seal) {
            (Ok(received), _) => Ok(Received { exchange: ask.sealed(received.exchange), ..received }),
            // The error came from another request, so its text is withheld, too.
            (Err(ClientError::NotAsked { error, help }), Some(_)) => {
                Err(ClientError::NotAsked { error: error.withheld(), help })
            }
            (Err(error), _) => Err(error),
        }
    }
}

/// Identifies a request in the journal.
fn asked(key: &Key, ask: &Ask<'_>) -> Asked {
    Asked {
        kind: ask.kind,
        key: key.hash().to_owned(),
        purpose: ask.purpose.to_owned(),
        seed: ask.request.seed,
    }
}

#[cfg(test)]
mod budget_tests;
#[cfg(test)]
mod limits_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tries_tests;
