//! Cache keys of requests, and reading and writing records.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Deserialize as _;
use serde_json::{Map, Value as Json, json};

use super::{Ask, ClientError, Exchange, ModelClient, Received};
use crate::cache::{Key, Looked, Lookup, Mode};
use crate::canonical::digest;
use crate::manifest::Fault;
use crate::provider::{Completion, Spec};
use crate::text;
use crate::vocabulary::ExchangeKind;

/// Stands for a judge's token limit in cache keys. The limit decides whether there is a verdict but never which one, so
/// records stay valid when it changes.
pub const KEYED_TOKENS: u64 = 1024;

/// Key of the fault in the record of a broken answer.
const FAULT: &str = "fault";

/// The content of a record.
pub(super) struct Found {
    /// The answer, or why there was none.
    pub(super) received: Result<Received, ClientError>,
    /// When it was recorded.
    pub(super) at: String,
    /// Its hash.
    pub(super) hash: String,
}

impl ModelClient {
    /// The cache key of a request: endpoint, parameters and content.
    ///
    /// It contains the root of the seed and not the seed itself, which depends on the case's name: a case may be
    /// renamed.
    pub(super) fn key(&self, ask: &Ask<'_>) -> Key {
        let endpoint = self.provider.endpoint();
        let mut params = Map::new();
        let mut add = |name: &str, value: Option<Json>| {
            if let Some(value) = value {
                params.insert(name.to_owned(), value);
            }
        };
        add("temperature", ask.request.temperature.map(Json::from));
        let tokens = match ask.kind {
            ExchangeKind::Vote | ExchangeKind::Canary => Some(KEYED_TOKENS),
            ExchangeKind::Reply | ExchangeKind::Embedding => ask.request.max_tokens,
        };
        add("max_tokens", tokens.map(Json::from));
        add("reasoning_effort", ask.request.effort.map(Json::from));
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
        if let Some(keyed) = self.provider.keyed(ask.request) {
            // For `http` and `command`, these contain the case's variables, which may be personal.
            let is_personal = ask.seal.is_some() && Spec::is_own(&endpoint.provider);
            parts["options"] = if is_personal { digest(&keyed).into() } else { keyed };
        }
        match ask.version {
            Some(version) => parts["version"] = version.into(),
            None if endpoint.is_usual() => {
                return Key::of(parts).or_former("endpoint", ("host", endpoint.host.as_str().into()));
            }
            None => {}
        }
        Key::of(parts)
    }

    /// Records an answer. Writing a small file is fast, as the OS buffers it; a thread for each would cost more.
    pub(super) fn put(&self, key: &Key, response: Json, latency_ms: u64, at: String) {
        if let Err(error) = self.cache.put(key, response, latency_ms, at) {
            let folder = crate::source::slashed(self.cache.folder());
            self.recording_failed.store(true, Ordering::Relaxed);
            self.warn(format!("cannot record answers in {folder}: {error}; nothing more is recorded"));
        }
    }

    /// Records a broken answer, so a replay reports the same error.
    pub(super) fn put_broken(&self, key: &Key, error: &ClientError, took: Duration) {
        let latency_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let response = json!({ FAULT: error.fault(), "usable": false });
        self.put(key, response, latency_ms, crate::vocabulary::timestamp());
    }

    pub(super) fn read(&self, key: &Key, ask: &Ask<'_>) -> Option<Result<Received, ClientError>> {
        let Found { received, at, hash } = self.record(key, ask)?;
        let looked = Looked {
            purpose: ask.purpose.to_owned(),
            recorded_at: Some(at),
            missing: None,
            redacted: ask.seal.is_some(),
        };
        let is_own = self.cache.has_written(&hash)
            || self.road.journal().is_some_and(|journal| journal.had_asked(&hash));
        if ask.kind == ExchangeKind::Reply && !is_own {
            self.reads_earlier.store(true, Ordering::Relaxed);
        }
        self.cache.note(&hash, looked);
        Some(received)
    }

    /// The record of a key. An unreadable one is reported and ignored; one without a usable answer, such as an
    /// unreadable verdict, is read only in replay.
    pub(super) fn record(&self, key: &Key, ask: &Ask<'_>) -> Option<Found> {
        let record = match self.cache.get(key) {
            Lookup::Hit(record) => record,
            Lookup::Damaged(why) => {
                self.warn(format!("ignored a damaged record: {why}"));
                return None;
            }
            Lookup::Miss | Lookup::Untrusted => return None,
        };
        let (at, hash) = (record.recorded_at.clone(), key.hash_of(&record).to_owned());
        if let Some(fault) = record.response.get(FAULT) {
            // An unreadable fault is not a completion either.
            let fault = Fault::deserialize(fault).ok().filter(|_| self.mode == Mode::Replay)?;
            return Some(Found { received: Err(ClientError::Recorded(fault)), at, hash });
        }
        let read = match record.response {
            // Serde would also accept an array.
            Json::Object(_) => serde_json::from_value::<Completion>(record.response),
            _ => Err(serde::de::Error::custom("it is not an object")),
        };
        match read {
            Ok(completion) if self.mode != Mode::Replay && !ask.usable.0(&completion) => None,
            Ok(completion) => {
                let exchange = Exchange { completion, at: record.recorded_at };
                let received = Ok(Received { exchange, latency_ms: record.latency_ms, recorded: true });
                Some(Found { received, at, hash })
            }
            Err(error) => {
                let why = text::json::trouble(&error);
                self.warn(format!("ignored record {hash}, which is not an answer: {why}"));
                None
            }
        }
    }
}
