//! A vendor's server: one loop for all vendors; the differences are in the [`Dialect`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value as Json};

use super::access::{Access, ConnectError};
use super::call::{Call, error_within};
use super::dialect::{Dialect, Misread, Read};
use super::endpoint::Address;
use super::refusal::{self, Part};
use super::{ChatRequest, Completion, Endpoint, Pending, Provider, ProviderError, message};
use crate::http::Http;
use crate::secret::Secret;
use crate::text;
use crate::vocabulary::{Answer, StopReason, Usage};

/// Headers of the connection, which cannot be configured.
const OF_CONNECTION: [&str; 7] =
    ["content-type", "content-length", "host", "transfer-encoding", "connection", "accept-encoding", "te"];

/// A server that speaks a dialect.
#[derive(Debug)]
pub(super) struct Server {
    http: Http,
    endpoint: Endpoint,
    address: Address,
    access: Access,
    headers: HeaderMap,
    dialect: &'static dyn Dialect,
    /// Parts that the server refused, and without which it then accepted the request, by model; they are not sent
    /// again.
    refused: Mutex<BTreeMap<String, BTreeSet<Part>>>,
    /// Addresses of calls and their display form, by name.
    places: Mutex<BTreeMap<String, (reqwest::Url, String)>>,
}

impl Server {
    /// Prepares a server; connects to nothing.
    pub(super) fn new(
        http: Http,
        access: Access,
        dialect: &'static dyn Dialect,
    ) -> Result<Self, ConnectError> {
        let address = dialect.address(&access)?;
        let endpoint = address.endpoint(&access.provider);
        let headers = headers(dialect, &access)?;
        let body = Json::Object(access.options.extra_body.clone());
        if let Some(own) = dialect.own().iter().find(|own| body.pointer(own).is_some()) {
            return Err(ConnectError::Body(own.trim_start_matches('/').replace('/', ".")));
        }
        Ok(Self {
            http,
            endpoint,
            address,
            access,
            headers,
            dialect,
            refused: Mutex::default(),
            places: Mutex::default(),
        })
    }

    /// Parts known to be refused for a model.
    fn known(&self, model: &str) -> BTreeSet<Part> {
        let mut left = Part::of_family(self.access.options.family.as_deref().unwrap_or(model));
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        left.extend(refused.get(model).into_iter().flatten());
        left
    }

    fn remember(&self, model: &str, left: BTreeSet<Part>) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.entry(model.to_owned()).or_default().extend(left);
    }

    /// All secrets in a request.
    fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let headers = self.access.options.headers.iter().flat_map(|header| &header.secrets);
        self.access.api_key.iter().chain(headers)
    }

    /// Address of a call and its display form, cached.
    fn place(&self, name: &str) -> (reqwest::Url, String) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(name) {
            return place.clone();
        }
        let place = (self.address.call(name), self.address.shown(name));
        places.insert(name.to_owned(), place.clone());
        place
    }

    fn post<'a>(&'a self, url: &reqwest::Url, asked: &'a str, body: &'a Json) -> Call<'a> {
        let secrets = self.secrets().collect();
        Call { http: &self.http, url: url.clone(), asked, headers: &self.headers, secrets, body }
    }

    async fn ask(&self, request: &ChatRequest) -> Result<Completion, ProviderError> {
        let mut left = self.known(&request.model);
        let mut first: Option<ProviderError> = None;
        // A verdict is never streamed.
        let streams = self.access.options.stream && request.output.is_none();
        let deployed = self.access.options.deployment.as_ref();
        let named = deployed.map(|name| ChatRequest { model: name.clone(), ..request.clone() });
        let asking = named.as_ref().unwrap_or(request);
        let name = self.dialect.call(&asking.model, streams);
        let (url, asked) = self.place(&name);
        loop {
            let mut draft = self.dialect.body(asking, &left);
            if streams {
                self.dialect.stream(&mut draft.body, &left);
            }
            add(&mut draft.body, &self.access.options.extra_body);
            let body = Json::Object(draft.body);
            let call = self.post(&url, &asked, &body);
            let reply = if streams { call.streamed(self.dialect).await } else { call.whole().await };
            let reply = reply.and_then(|reply| error_within(&reply.json, &asked).map_or(Ok(reply), Err));
            let function = request.output.as_ref().map(|output| output.name);
            let read = reply.and_then(|reply| {
                let answer = answer(self.dialect.read(&reply, function), &asked)?;
                let is_called = !answer.tool_calls.is_empty();
                let parts = if is_called { self.dialect.parts(&reply.json) } else { Vec::new() };
                Ok((reply.pace.of(answer), parts))
            });
            let error = match read {
                Ok((answer, parts)) => {
                    self.remember(&request.model, left);
                    return Ok(Completion {
                        answer,
                        parts,
                        params_sent: sent(&body),
                        params_dropped: draft.dropped,
                        ..Completion::default()
                    });
                }
                Err(ProviderError::Blocked { word, .. }) => {
                    let answer = Answer { finish_reason: Some(word), ..Answer::default() };
                    return Ok(Completion { answer, ..Completion::default() });
                }
                Err(error) => error,
            };
            // Each iteration leaves one more part out, so the loop ends.
            let named = refusal::named(&error, &body, request.output.is_some());
            match named.or_else(|| refusal::form(&error, &body)).filter(|part| left.insert(*part)) {
                // If the form was not the problem, the first error is reported.
                Some(_) => first = first.or(named.is_none().then_some(error)),
                None => return Err(first.filter(|_| refusal::refused(&error).is_some()).unwrap_or(error)),
            }
        }
    }

    async fn ask_embedding(&self, model: &str, text: &str) -> Result<Completion, ProviderError> {
        let model = self.access.options.embedding_deployment.as_deref().unwrap_or(model);
        let Some((name, body)) = self.dialect.embedding(model, text) else {
            let provider = self.access.provider.clone();
            return Err(ProviderError::NoEmbeddings { provider });
        };
        let (url, asked) = self.place(&name);
        let reply = self.post(&url, &asked, &body).whole().await?;
        if let Some(error) = error_within(&reply.json, &asked) {
            return Err(error);
        }
        let reply = reply.json;
        let malformed = || ProviderError::Malformed {
            host: asked.clone(),
            reason: format!("it has no embedding; it begins {}", text::excerpt(&reply.to_string(), 120)),
        };
        let (values, tokens) = self.dialect.embedded(&reply).ok_or_else(malformed)?;
        #[expect(clippy::cast_possible_truncation, reason = "embeddings are stored in single precision")]
        let embedding: Option<Vec<f32>> =
            values.iter().map(|value| value.as_f64().map(|v| v as f32)).collect();
        let embedding = embedding.filter(|values| !values.is_empty()).ok_or_else(malformed)?;
        let answer = Answer {
            model: reply.get("model").and_then(Json::as_str).map(str::to_owned),
            usage: tokens.map(|tokens| Usage { input_tokens: tokens, ..Usage::default() }),
            ..Answer::default()
        };
        Ok(Completion { answer, embedding, ..Completion::default() })
    }
}

impl Provider for Server {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn sends_key(&self) -> bool {
        self.secrets().next().is_some()
    }

    fn keyed(&self, _: &ChatRequest) -> Option<Json> {
        self.access.options.keyed()
    }

    fn streams(&self) -> bool {
        self.access.options.stream
    }

    fn chat<'a>(&'a self, request: &'a ChatRequest) -> Pending<'a> {
        Box::pin(self.ask(request))
    }

    fn embed<'a>(&'a self, model: &'a str, text: &'a str) -> Pending<'a> {
        Box::pin(self.ask_embedding(model, text))
    }
}

/// Converts a parsed response to an answer.
fn answer(read: Result<Read, Misread>, asked: &str) -> Result<Answer, ProviderError> {
    let host = || asked.to_owned();
    let read = read.map_err(|misread| match misread {
        Misread::Blocked(word) => ProviderError::Blocked { host: host(), word },
        Misread::Malformed(reason) => ProviderError::Malformed { host: host(), reason },
    })?;
    let Read { said, verdict, finish, thinking, usage, model, fingerprint } = read;
    let stop = StopReason::of(finish.as_deref());
    if stop == StopReason::Broken {
        let word = text::excerpt(finish.as_deref().unwrap_or_default(), 40);
        return Err(ProviderError::Ended { host: host(), word });
    }
    if stop == StopReason::ToolCalls && verdict.is_none() && said.tool_calls.is_empty() && !said.refused {
        let word = text::excerpt(finish.as_deref().unwrap_or_default(), 40);
        let reason = format!("it ended with `{word}`, but has no call");
        return Err(ProviderError::Malformed { host: host(), reason });
    }
    // A verdict in a call counts whatever text comes with it.
    let message::Said { text, refused, tool_calls } = said;
    let is_verdict = verdict.is_some();
    let text = verdict.unwrap_or(text);
    let spent = stop == StopReason::Cut && text::said::shows_nothing(&text);
    Ok(Answer {
        thinking: thinking.filter(|_| spent),
        text,
        tool_calls: if is_verdict { Vec::new() } else { tool_calls },
        finish_reason: if refused { Some("refusal".to_owned()) } else { finish },
        model,
        system_fingerprint: fingerprint,
        usage,
        ..Answer::default()
    })
}

/// All headers; configured ones override the dialect's.
fn headers(dialect: &dyn Dialect, access: &Access) -> Result<HeaderMap, ConnectError> {
    let mut headers = HeaderMap::new();
    let organization = access.organization.clone().map(|name| ("openai-organization", name));
    for (name, value) in dialect.headers(access.api_key.as_ref()).into_iter().chain(organization) {
        let mut value = HeaderValue::try_from(value).map_err(|_| ConnectError::Header(name.to_owned()))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    for header in &access.options.headers {
        let wrong = || ConnectError::Header(header.name.clone());
        let name = HeaderName::try_from(&header.name).map_err(|_| wrong())?;
        let value = header.value.as_ref().map(Secret::expose).unwrap_or_default();
        let mut value = HeaderValue::try_from(value).map_err(|_| wrong())?;
        value.set_sensitive(true);
        if OF_CONNECTION.contains(&name.as_str()) {
            return Err(wrong());
        }
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Adds missing members, recursively.
fn add(body: &mut Map<String, Json>, extra: &Map<String, Json>) {
    for (name, value) in extra {
        match (body.get_mut(name), value) {
            (None, _) => drop(body.insert(name.clone(), value.clone())),
            (Some(Json::Object(inner)), Json::Object(more)) => add(inner, more),
            // akit's own keys take precedence.
            (Some(_), _) => {}
        }
    }
}

/// The parameters in a body: everything but the content. Of a schema, only the type is included.
fn sent(body: &Json) -> BTreeMap<String, Json> {
    const ASKED: [&str; 8] =
        ["model", "messages", "tools", "system", "systemInstruction", "contents", "input", "instructions"];
    let mut found = BTreeMap::new();
    for (name, value) in body.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            (name, _) if ASKED.contains(&name) => {}
            ("generationConfig", inner) => found.extend(sent(inner)),
            (_, value) => {
                let kind = value.get("type").filter(|_| value.is_object());
                found.insert(name.clone(), kind.unwrap_or(value).clone());
            }
        }
    }
    found
}
