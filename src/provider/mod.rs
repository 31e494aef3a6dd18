//! Back ends that answer: one trait, one file per back end.
//!
//! A back end sends one request once. Caching, timeouts and retries are the client's.

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
    /// Functions that the application asked to have called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// Of what a function returned: the id of its call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    /// What the application wants back as it came, in place of words and calls: its thoughts are among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Json>,
}

impl Message {
    /// A message of nothing but words.
    #[must_use]
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into(), tool_calls: Vec::new(), tool_call_id: None, parts: Vec::new() }
    }
}

/// Where a request stands among others, for applications that remember. No part of the key of its record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    /// Its id, another one for every trial of every run.
    pub id: String,
    /// 0-based number of the trial.
    pub trial: u32,
    /// 1-based number of the turn.
    pub turn: u32,
    /// What the application gave in its first answer to be known again by.
    pub session: Option<String>,
}

/// A JSON Schema that the reply must obey.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutputSchema {
    /// Its name, `[a-z_]+`.
    pub name: &'static str,
    /// The schema.
    pub schema: Json,
    /// Whether a reply in the first form that the server takes could not be read: the next one is asked for.
    #[serde(skip)]
    pub next_form: bool,
}

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ChatRequest {
    /// Model by the provider's name.
    pub model: String,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Most tokens of the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// 31 bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u32>,
    /// How much a model reasons, where that is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<&'static str>,
    /// Functions that the model may call, as written under `setup.functions`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Json>,
    /// Shape of the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputSchema>,
    /// Where it stands in a conversation.
    #[serde(skip)]
    pub conversation: Conversation,
    /// The variables of the case, for applications whose requests have places for them.
    #[serde(skip)]
    pub variables: Arc<BTreeMap<String, String>>,
}

impl ChatRequest {
    /// Tokens of a usual answer.
    const USUAL_ANSWER: u64 = 500;

    /// The bytes of everything that is asked: more than its tokens, for none is shorter than a byte, and what a server
    /// adds to each message is shorter than the JSON round it.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        serde_json::to_vec(self).map_or(u64::MAX, |bytes| bytes.len() as u64)
    }

    /// The tokens that its answer will probably have.
    #[must_use]
    pub fn likely_answer(&self) -> u64 {
        self.max_tokens.map_or(Self::USUAL_ANSWER, |most| most.min(Self::USUAL_ANSWER))
    }

    /// The tokens that are booked for it where they are limited: a quarter of its bytes, and all that the answer may have.
    #[must_use]
    pub fn booked_tokens(&self) -> u64 {
        (self.bytes() / 4).saturating_add(self.max_tokens.unwrap_or(Self::USUAL_ANSWER))
    }
}

/// What came back. A record holds it under `response`, the fields of the answer beside the others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The answer; its text is empty when the model said nothing.
    #[serde(flatten)]
    pub answer: Answer,
    /// The embedding, where one was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "floats")]
    pub embedding: Vec<f32>,
    /// What the application gave to be known again by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The parts of an answer that is wanted back as it came before the results of its calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Json>,
    /// What expectations found in the raw text, where this one is redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Json>,
    /// Parameters that went along, with their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params_sent: BTreeMap<String, Json>,
    /// Parameters that the provider refused and that were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params_dropped: Vec<String>,
}

impl Completion {
    /// Whether the server took the limit on the tokens of its answer, if one was sent.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        let limits = [Part::MaxTokens, Part::MaxCompletionTokens, Part::MaxOutputTokens];
        !self.params_dropped.iter().any(|name| limits.iter().any(|part| part.name() == name))
    }
}

/// A future that a back end returns.
pub type Pending<'a> = Pin<Box<dyn Future<Output = Result<Completion, ProviderError>> + Send + 'a>>;

/// A back end.
pub trait Provider: Send + Sync + fmt::Debug {
    /// Where requests go.
    fn endpoint(&self) -> &Endpoint;

    /// Whether requests carry a key.
    fn sends_key(&self) -> bool {
        false
    }

    /// What decides the answer beside address, model, parameters and messages: a part of the key of each record. No secret
    /// is in it.
    fn keyed(&self, _request: &ChatRequest) -> Option<Json> {
        None
    }

    /// Whether it remembers what was said before, and is sent the newest message alone.
    fn is_stateful(&self) -> bool {
        false
    }

    /// Whether it tells when the first token of an answer came.
    fn streams(&self) -> bool {
        false
    }

    /// Sends one request once. Dropping the future aborts the request.
    fn chat<'a>(&'a self, request: &'a ChatRequest) -> Pending<'a>;

    /// Asks for the embedding of a text.
    fn embed<'a>(&'a self, model: &'a str, text: &'a str) -> Pending<'a>;
}
