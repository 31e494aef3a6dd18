//! Providers: one trait, one file per provider.
//!
//! A provider sends one request once. Caching, timeouts and retries are up to the client.

mod access;
mod anthropic;
mod azure;
mod blocked;
mod call;
mod chat;
mod compatible;
mod dialect;
mod end;
mod endpoint;
mod error;
mod floats;
mod foreign;
mod google;
mod line;
mod message;
mod mistral;
pub mod model;
mod openai;
mod origin;
mod own;
mod place;
mod price;
mod recorded;
mod refusal;
mod replies;
mod responses;
mod server;
mod shutdown;
mod spec;
mod stream;
mod table;
mod unmetered;
mod usage;
mod wait;
mod whence;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::vocabulary::{Answer, ToolCall};
use refusal::Part;
use strum::{EnumString, VariantNames};

pub use access::{Access, Api, ConnectError, Header, Options};
pub use azure::resource as azure_resource;
pub use endpoint::Endpoint;
pub use error::{ProviderError, Reach};
pub use foreign::Whom;
pub use line::LINE;
pub use origin::Origin;
pub use own::{COMMAND, HEADERS, HTTP, OWN, Own, OwnCommand, OwnHttp, Told, looks_secret, place};
pub use price::{MOST, Price, Prices};
pub use recorded::Exchanged;
pub use replies::{Replies, RepliesError, Unused};
pub use shutdown::{ending_models, shutdown};
pub use spec::{Means, Spec, Vendor};
pub use table::{AZURE_OPENAI as AZURE, DEFAULT, LIKES, NAMES, OFFERED, REPLIES};
pub use unmetered::Unmetered;
pub use whence::{OwnPlaces, Whence};

/// Who speaks in a conversation.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, EnumString, VariantNames,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Role {
    /// Instructions.
    System,
    /// Instructions to a reasoning model.
    Developer,
    /// The customer.
    User,
    /// The application.
    Assistant,
    /// What a function returned.
    Tool,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
    /// Tool calls that the application requested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// Id of the call, for a function's result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    /// The answer's parts in the provider's own form, sent back instead of text and calls; they include thoughts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Json>,
}

impl Message {
    /// A message that is only text.
    #[must_use]
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into(), tool_calls: Vec::new(), tool_call_id: None, parts: Vec::new() }
    }
}

/// The conversation a request belongs to, for stateful applications. Not part of the cache key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    /// Its id, unique for every trial of every run.
    pub id: String,
    /// 0-based number of the trial.
    pub trial: u32,
    /// 1-based number of the turn.
    pub turn: u32,
    /// The session id from the application's first answer.
    pub session: Option<String>,
}

/// A JSON Schema for the answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutputSchema {
    /// Its name, `[a-z_]+`.
    pub name: &'static str,
    /// The schema.
    pub schema: Json,
    /// Whether to use the next form, because the answer in the first form that the server accepts was unreadable.
    #[serde(skip)]
    pub next_form: bool,
}

/// A request for an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ChatRequest {
    /// Model, as the provider names it.
    pub model: String,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Token limit of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// 31 bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u32>,
    /// Reasoning effort, if set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<&'static str>,
    /// Functions that the model may call, as written under `setup.functions`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Json>,
    /// Schema of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputSchema>,
    /// The conversation it belongs to.
    #[serde(skip)]
    pub conversation: Conversation,
    /// The variables of the case, for request templates.
    #[serde(skip)]
    pub variables: Arc<BTreeMap<String, String>>,
}

impl ChatRequest {
    /// Tokens of a typical answer.
    const USUAL_ANSWER: u64 = 500;

    /// The request's size in bytes, which is at least the number of its tokens: a token has at least one byte, and what
    /// a server adds to each message is shorter than the JSON around it.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        serde_json::to_vec(self).map_or(u64::MAX, |bytes| bytes.len() as u64)
    }

    /// The expected tokens of the answer.
    #[must_use]
    pub fn likely_answer(&self) -> u64 {
        self.max_tokens.map_or(Self::USUAL_ANSWER, |most| most.min(Self::USUAL_ANSWER))
    }

    /// The tokens to reserve under a token limit: a quarter of the request's bytes, plus the answer's limit.
    #[must_use]
    pub fn booked_tokens(&self) -> u64 {
        (self.bytes() / 4).saturating_add(self.max_tokens.unwrap_or(Self::USUAL_ANSWER))
    }
}

/// What came back. In a record it is under `response`, with the answer's fields inlined.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The answer; its text may be empty.
    #[serde(flatten)]
    pub answer: Answer,
    /// The embedding, if one was requested.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "floats")]
    pub embedding: Vec<f32>,
    /// The session id from the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The parts of an answer that must be sent back unchanged, before the results of its calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Json>,
    /// What expectations found in the raw text, if the answer is redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Json>,
    /// Parameters that were sent, with their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params_sent: BTreeMap<String, Json>,
    /// Parameters that were left out because the provider refuses them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params_dropped: Vec<String>,
}

impl Completion {
    /// Whether the server accepted the token limit, if one was sent.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        let limits = [Part::MaxTokens, Part::MaxCompletionTokens, Part::MaxOutputTokens];
        !self.params_dropped.iter().any(|name| limits.iter().any(|part| part.name() == name))
    }
}

/// A future that a provider returns.
pub type Pending<'a> = Pin<Box<dyn Future<Output = Result<Completion, ProviderError>> + Send + 'a>>;

/// A provider.
pub trait Provider: Send + Sync + fmt::Debug {
    /// Where requests go.
    fn endpoint(&self) -> &Endpoint;

    /// Whether requests carry a key.
    fn sends_key(&self) -> bool {
        false
    }

    /// Anything else that affects the answer beyond address, model, parameters and messages, for the cache key.
    /// Contains no secrets.
    fn keyed(&self, _request: &ChatRequest) -> Option<Json> {
        None
    }

    /// Whether it keeps the conversation and gets only the newest message.
    fn is_stateful(&self) -> bool {
        false
    }

    /// Whether it reports when the first token of an answer arrived.
    fn streams(&self) -> bool {
        false
    }

    /// Sends one request once. Dropping the future aborts the request.
    fn chat<'a>(&'a self, request: &'a ChatRequest) -> Pending<'a>;

    /// Requests the embedding of a string.
    fn embed<'a>(&'a self, model: &'a str, text: &'a str) -> Pending<'a>;
}
