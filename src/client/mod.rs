//! The one road to a model, in this order: journal and cache, tries, a seat, money, the back end.
//!
//! Targets and judges alike go this way, so that limits, records and costs hold for both. Every try books its own
//! money and takes its own seat; neither is held while somebody waits for the next one.

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
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
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

/// Bytes of a token of an answer, where it is sent again.
const WIDEST: u64 = 4;
/// Requests of one conversation that are counted at most.
const MOST_IN_A_ROW: u64 = 10_000;

/// A back end with its cache and its manners.
#[derive(Debug)]
pub struct ModelClient {
    provider: Arc<dyn Provider>,
    cache: Cache,
    mode: Mode,
    warned: Mutex<BTreeSet<String>>,
    latest: Mutex<Option<String>>,
    /// The families of models that answered instead of the one that was asked for, by its name.
    stand_ins: Mutex<BTreeMap<String, BTreeSet<String>>>,
    asked: AtomicBool,
    /// Whether recording failed once: what is not recorded is told once, and not tried again.
    gave_up: AtomicBool,
    /// Whether a reply was read that this process had not asked for.
    reads_earlier: AtomicBool,
    prices: Prices,
    said_by: Whence,
    road: Road,
    lane: Arc<Lane>,
    /// What is known of the account, by the name of the model.
    accounts: Mutex<BTreeMap<String, Account>>,
    /// Held by a request of which nobody knows what it will be counted as.
    first: tokio::sync::Mutex<()>,
}

/// An answer that was had, and what is not in it.
struct Had {
    exchange: Exchange,
    latency_ms: u64,
    recorded: bool,
}

impl ModelClient {
    /// A client of a back end.
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

    /// The price of a model here, where it is known.
    #[must_use]
    pub fn price(&self, model: &str) -> Option<Price> {
        self.prices.at(&self.endpoint().host, model)
    }

    /// Most US dollars that a request can cost: each of its bytes a token, each token as dear as any, and an answer as
    /// long as it may be.
    ///
    /// # Errors
    /// Where nobody knows.
    pub fn worst(&self, request: &ChatRequest) -> Result<f64, Unmetered> {
        self.worst_of(&request.model, request.bytes(), request.max_tokens)
    }

    /// The same for so many requests in a row, this one first: each has the answer to the one before it in it, and so many
    /// bytes more.
    ///
    /// # Errors
    /// Where nobody knows.
    pub fn worst_in_a_row(&self, request: &ChatRequest, requests: u64, more: u64) -> Result<f64, Unmetered> {
        let first = self.worst(request)?;
        let model = &request.model;
        let price = self.price(model).ok_or_else(|| Unmetered::NoPrice { model: model.clone() })?;
        let length = request.max_tokens.or(price.longest).unwrap_or_default();
        let grows = length.saturating_mul(WIDEST).saturating_add(more);
        // What is too long for a price is not sent.
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

    /// The same, on a road that it shares with others.
    #[must_use]
    pub fn on(self, road: &Road) -> Self {
        let lane = road.lane(&self.endpoint().address);
        Self { road: road.clone(), lane, ..self }
    }

    /// Bears no more than this: it and all others at the same address.
    pub fn limit(&self, limits: Limits) {
        self.lane.limit(limits);
    }

    /// The same, where these said how the server is reached.
    #[must_use]
    pub fn said_by(self, said_by: Whence) -> Self {
        Self { said_by, ..self }
    }

    /// Money for a conversation, which takes it before its first request.
    #[must_use]
    pub fn hold(&self) -> Hold {
        Hold::on(&self.road)
    }

    /// Where requests go.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        self.provider.endpoint()
    }

    /// Whether answers tell when their first token came.
    #[must_use]
    pub fn streams(&self) -> bool {
        self.provider.streams()
    }

    /// What was odd about the cache, each thing once, in alphabetical order.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.warned.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Whether the application remembers what was said before, and is sent the newest message alone.
    #[must_use]
    pub fn is_stateful(&self) -> bool {
        self.provider.is_stateful()
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

    /// An answer as it is handed on, with its time, its price, and whether it was recorded. Takes note of parameters
    /// that the server refused.
    fn noted(&self, had: Had, model: &str) -> Exchange {
        let Exchange { completion, at } = had.exchange;
        for parameter in &completion.params_dropped {
            self.warn(format!(
                "{} does not take `{parameter}` for {model}; it was left out",
                self.endpoint()
            ));
        }
        let stand_in = completion.answer.model.as_deref().filter(|answered| is_stand_in(model, answered));
        if let Some(answered) = stand_in {
            let answered = text::excerpt(answered, 60);
            self.warn(format!(
                "answered-by: {} was asked for {model} and {answered} answered; its cost is unknown, and its results \
                 are not compared with those of {model}",
                self.endpoint()
            ));
            let mut stand_ins = self.stand_ins.lock().unwrap_or_else(PoisonError::into_inner);
            stand_ins.entry(model.to_owned()).or_default().insert(family(&answered));
        }
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.as_ref().is_none_or(|latest| *latest < at) {
            *latest = Some(at.clone());
        }
        // What a record says of these beside its answer is not asked.
        let answer = Answer {
            latency_ms: Some(had.latency_ms),
            cost_usd: if stand_in.is_some() { None } else { self.cost(model, completion.answer.usage) },
            recorded: had.recorded,
            given: false,
            dated: false,
            replaced: Vec::new(),
            ..completion.answer
        };
        Exchange { completion: Completion { answer, ..completion }, at }
    }

    /// The families of the models that answered instead of this one, joined by `+`; empty where none did.
    #[must_use]
    pub fn stand_ins(&self, model: &str) -> String {
        let stand_ins = self.stand_ins.lock().unwrap_or_else(PoisonError::into_inner);
        let families = stand_ins.get(model).into_iter().flatten().cloned();
        families.collect::<Vec<_>>().join("+")
    }

    /// What is said where a key goes to another machine for all on the way to read.
    #[must_use]
    pub fn exposes_key(&self) -> Option<String> {
        let Endpoint { host, address, .. } = self.provider.endpoint();
        let own = Origin::of(address).is_none_or(|origin| origin.is_loopback());
        let exposed = address.starts_with("http:") && !own && self.provider.sends_key() && !self.replays();
        exposed.then(|| {
            format!("the key for {host} is sent over plain http, which everyone on the way can read")
        })
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

    /// What decides an answer of this back end beside what every request has.
    #[must_use]
    pub fn keyed(&self, request: &ChatRequest) -> Option<Json> {
        self.provider.keyed(request)
    }

    /// Whether asking would read a record instead.
    #[must_use]
    pub fn recorded(&self, ask: &Ask<'_>) -> bool {
        let key = self.key(ask);
        let is_noted = self.road.journal().is_some_and(|journal| journal.holds(&asked(&key, ask)));
        is_noted || (self.mode.reads() && self.record(&key, ask).is_some())
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
        let model = &ask.request.model;
        if self.is_unheard() {
            if !ask.pause.is_zero() {
                tokio::time::sleep(ask.pause).await;
            }
            return Ok(self.noted(self.asked_once(send, ask).await?, model));
        }
        let key = self.key(ask);
        let afresh = ask.afresh && self.mode != Mode::Replay;
        if !afresh && let Some(had) = self.resumed(&key, ask) {
            return Ok(self.noted(had, model));
        }
        if !afresh
            && self.mode.reads()
            && let Some(had) = self.read(&key, ask)
        {
            let had = had?;
            let exchange = ask.sealed(had.exchange);
            return Ok(self.noted(Had { exchange, ..had }, model));
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
        let had = self.asked_and_recorded(&key, send, ask).await?;
        Ok(self.noted(had, model))
    }

    /// Whether nothing is read or kept, so that nobody needs to know what an answer would be found by.
    #[must_use]
    pub fn is_unheard(&self) -> bool {
        self.mode == Mode::Off && self.road.journal().is_none()
    }

    /// What an interrupted run was answered. It is as good as asked now: it was paid for by this run.
    fn resumed(&self, key: &Key, ask: &Ask<'_>) -> Option<Had> {
        let Noted { latency_ms, at, response, .. } = self.road.journal()?.take(&asked(key, ask))?;
        let completion: Completion = serde_json::from_value(response.clone()).ok()?;
        if self.mode.writes() && !self.gave_up.load(Ordering::Relaxed) {
            // Whoever was killed between noting and recording has no record of it, or an older one.
            let stored = self.cache.get(key);
            if !matches!(&stored, Lookup::Hit(record) if record.recorded_at >= at) {
                self.put(key, response, latency_ms, at.clone());
            }
        }
        self.asked.store(true, Ordering::Relaxed);
        let exchange = ask.sealed(Exchange { completion, at });
        Some(Had { exchange, latency_ms, recorded: false })
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
            let found = self.record(&key, ask).ok_or_else(missing)?;
            return Ok(self.noted(found.had?, &ask.request.model));
        }
        let had = match self.resumed(&key, ask) {
            Some(had) => had,
            None => self.asked_and_recorded(&key, || self.provider.chat(ask.request), ask).await?,
        };
        Ok(self.noted(had, &ask.request.model))
    }

    async fn asked_and_recorded<'a>(
        &'a self,
        key: &Key,
        send: impl Fn() -> Pending<'a>,
        ask: &Ask<'_>,
    ) -> Result<Had, ClientError> {
        let began = Instant::now();
        let asked_once = self.asked_once(send, ask).await;
        let journal = self.road.journal();
        let records = self.mode.writes() && !self.gave_up.load(Ordering::Relaxed);
        if let Err(error) = &asked_once
            && error.is_broken_answer()
            && records
        {
            self.put_broken(key, error, began.elapsed());
        }
        let had = asked_once?;
        if journal.is_none() && !records {
            return Ok(had);
        }
        let (mut response, at) = (json!(had.exchange.completion), &had.exchange.at);
        if !ask.usable.0(&had.exchange.completion) {
            response["usable"] = false.into();
        }
        // First, so that an answer which was recorded is known to be this run's.
        if let Some(journal) = journal {
            let (asked, at, response) = (asked(key, ask), at.clone(), response.clone());
            let noted = Noted { asked, latency_ms: had.latency_ms, at, response };
            self.tell_gap(journal, journal.note(&noted));
        }
        if records {
            self.put(key, response, had.latency_ms, at.clone());
        }
        Ok(had)
    }

    fn tell_gap(&self, journal: &Journal, written: std::io::Result<()>) {
        if let Err(error) = written {
            let path = crate::source::slashed(journal.path());
            self.warn(format!(
                "had this run been interrupted, `--resume` could not finish it: cannot write {path}: {error}"
            ));
        }
    }

    /// A live answer as it may be kept and shown, in every cache mode.
    async fn asked_once<'a>(
        &'a self,
        send: impl Fn() -> Pending<'a>,
        ask: &Ask<'_>,
    ) -> Result<Had, ClientError> {
        match (self.live(send, ask).await, ask.seal) {
            (Ok(had), _) => Ok(Had { exchange: ask.sealed(had.exchange), ..had }),
            // Those that another question met are not its own to show either.
            (Err(ClientError::NotAsked { error, help }), Some(_)) => {
                Err(ClientError::NotAsked { error: error.withheld(), help })
            }
            (Err(error), _) => Err(error),
        }
    }
}

/// What a journal knows a question by.
fn asked(key: &Key, ask: &Ask<'_>) -> Asked {
    Asked {
        kind: ask.kind,
        key: key.hash().to_owned(),
        purpose: ask.purpose.to_owned(),
        seed: ask.request.seed,
    }
}

/// RFC 3339 in UTC, to the second.
#[must_use]
pub fn timestamp(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod budget_tests;
#[cfg(test)]
mod limits_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tries_tests;
