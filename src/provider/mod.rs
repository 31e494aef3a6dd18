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
mod floats;
mod foreign;
mod google;
mod message;
mod mistral;
pub mod model;
mod openai;
mod origin;
mod own;
mod price;
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
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::vocabulary::{Answer, FaultKind, ToolCall};
use refusal::Part;
use strum::{EnumString, VariantNames};

pub use access::{Access, Api, ConnectError, Header, Options};
pub use azure::resource as azure_resource;
pub use endpoint::Endpoint;
pub use foreign::Whom;
pub use origin::Origin;
pub use own::{COMMAND, HEADERS, HTTP, OWN, Own, OwnCommand, OwnHttp, Told, looks_secret, place};
pub use price::{MOST, Price, Prices};
pub use replies::{LINE, Replies, RepliesError, Unused};
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
}

impl Message {
    /// A message of nothing but words.
    #[must_use]
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into(), tool_calls: Vec::new(), tool_call_id: None }
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

    /// Whether it tells when the first token of an answer came.
    fn streams(&self) -> bool {
        false
    }

    /// Sends one request once. Dropping the future aborts the request.
    fn chat<'a>(&'a self, request: &'a ChatRequest) -> Pending<'a>;

    /// Asks for the embedding of a text.
    fn embed<'a>(&'a self, model: &'a str, text: &'a str) -> Pending<'a>;
}

/// Why no answer came.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ProviderError {
    /// Nobody listens there, or the name is unknown.
    #[error("cannot connect to {host}: {reason}")]
    Connect {
        /// Host.
        host: String,
        /// In the system's words.
        reason: String,
    },
    /// The server's certificate is not trusted.
    #[error("the certificate of {host} is not trusted: {reason}")]
    Certificate {
        /// Host.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The platform refused the prompt: an answer, for whoever asks about refusals.
    #[error("{host} blocked the prompt ({word})")]
    Blocked {
        /// Host.
        host: String,
        /// Its word for it.
        word: String,
    },
    /// The connection broke.
    #[error("the connection to {host} broke: {reason}")]
    Broken {
        /// Host.
        host: String,
        /// In the library's words.
        reason: String,
        /// Whether an answer had begun: an HTTP 200 whose body is cut or empty.
        answered: bool,
    },
    /// The answer ended with an error instead of by itself.
    #[error("{host} ended its answer with an error (finish_reason {word})")]
    Ended {
        /// Host.
        host: String,
        /// The finish reason, cut to length.
        word: String,
    },
    /// No answer in time.
    #[error("no answer from {host} within {} ms", .after.as_millis())]
    Timeout {
        /// Host.
        host: String,
        /// The limit.
        after: Duration,
    },
    /// An HTTP status that is not 2xx, or an error object inside a 200.
    #[error("{host} answered {status}: {body}")]
    Status {
        /// Host.
        host: String,
        /// Status; of an error object its `code` from 100 to 599, and 200 where it has none.
        status: u16,
        /// The provider's message, or an excerpt of the body.
        body: String,
        /// The whole body, in which refused parameters are looked for; shown to nobody.
        whole: Box<str>,
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
        /// Whether it says that the account has no money left.
        unpaid: bool,
        /// Whether it came in the place of an answer: an error object inside an HTTP 200.
        answered: bool,
    },
    /// The vendor has no embeddings.
    #[error("akit knows no embeddings of provider `{provider}`")]
    NoEmbeddings {
        /// Its name.
        provider: String,
    },
    /// A body that is not what the interface promises.
    #[error("{host} answered something else than a completion: {reason}")]
    Malformed {
        /// Host.
        host: String,
        /// What is wrong, with an excerpt.
        reason: String,
    },
    /// A budget cannot be kept there.
    #[error("{host} cannot be asked within `--budget`: {why}")]
    Unmetered {
        /// Host.
        host: String,
        /// Why not.
        why: Unmetered,
    },
    /// What an own bot said cannot be read in the way that the configuration says.
    #[error("the answer of {host} cannot be read: {reason}")]
    Misread {
        /// Its address, or the program.
        host: String,
        /// What is wrong, with an excerpt.
        reason: String,
        /// The key to change.
        help: String,
    },
    /// A program failed.
    #[error("{name} failed: {reason}")]
    Program {
        /// Its name.
        name: String,
        /// How, with what it complained of.
        reason: String,
        /// Whether it ran at all.
        started: bool,
        /// The key to change.
        help: String,
    },
}

impl ProviderError {
    /// A status with the server's message, all of its body, and how long it asks to wait.
    pub(crate) fn of_status(
        host: &str,
        status: u16,
        body: String,
        whole: Box<str>,
        retry_after: Option<Duration>,
    ) -> Self {
        let unpaid = refusal::is_unpaid(status, &whole, &body, retry_after.is_some());
        Self::Status { host: host.to_owned(), status, body, whole, retry_after, unpaid, answered: false }
    }

    /// Whether there is an answer and it is broken, which a replay tells again; the others are about the road to it,
    /// the account, or what was asked.
    #[must_use]
    pub fn is_broken_answer(&self) -> bool {
        match self {
            Self::Ended { .. } => true,
            Self::Broken { answered, .. } => *answered,
            Self::Status { answered, .. } => *answered && self.transient() && self.reach() == Reach::Server,
            Self::Connect { .. }
            | Self::Certificate { .. }
            | Self::Blocked { .. }
            | Self::Timeout { .. }
            | Self::Unmetered { .. }
            | Self::NoEmbeddings { .. }
            | Self::Malformed { .. }
            | Self::Misread { .. }
            | Self::Program { .. } => false,
        }
    }

    /// Stable kebab-case kind, for manifests and JUnit.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Connect { .. } | Self::Certificate { .. } => FaultKind::Connect,
            Self::Broken { .. } => FaultKind::ConnectionBroken,
            Self::Ended { .. } => FaultKind::BrokenAnswer,
            Self::Timeout { .. } => FaultKind::Timeout,
            Self::Status { status: 401 | 403, .. } => FaultKind::Unauthorized,
            error if error.is_of_account() => FaultKind::Unauthorized,
            Self::Status { status: 429, .. } => FaultKind::RateLimited,
            Self::Status { status: 300..=399, .. } => FaultKind::Redirected,
            Self::Blocked { .. } | Self::NoEmbeddings { .. } | Self::Status { status: 400..=499, .. } => {
                FaultKind::RefusedRequest
            }
            Self::Status { .. } => FaultKind::ProviderDown,
            Self::Malformed { .. } => FaultKind::MalformedReply,
            Self::Unmetered { .. } => FaultKind::Unmetered,
            Self::Misread { .. } => FaultKind::MalformedAnswer,
            Self::Program { .. } => FaultKind::CommandFailed,
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn transient(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Broken { .. } | Self::Ended { .. } | Self::Timeout { .. } => true,
            Self::Malformed { .. }
            | Self::Certificate { .. }
            | Self::Blocked { .. }
            | Self::Unmetered { .. }
            | Self::NoEmbeddings { .. }
            | Self::Misread { .. }
            | Self::Program { .. } => false,
            error if error.is_of_account() => false,
            Self::Status { status, .. } => matches!(status, 100..=299 | 408 | 409 | 425 | 429 | 500..=599),
        }
    }

    /// Whether the request may have been answered and paid for all the same.
    #[must_use]
    pub fn may_cost(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Certificate { .. } | Self::NoEmbeddings { .. } => false,
            Self::Program { started, .. } => *started,
            // An error in place of an answer is none that is paid for; one inside a 200 may come behind an answer.
            Self::Status { status, .. } => matches!(status, 100..=299),
            Self::Blocked { .. }
            | Self::Broken { .. }
            | Self::Ended { .. }
            | Self::Timeout { .. }
            | Self::Malformed { .. }
            | Self::Misread { .. }
            | Self::Unmetered { .. } => true,
        }
    }

    /// What it tells of the server, beside the one request.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match self {
            Self::Connect { .. } | Self::Certificate { .. } => Reach::Nobody,
            Self::Timeout { .. } => Reach::Unclear,
            Self::Broken { answered, .. } => {
                if *answered {
                    Reach::Unclear
                } else {
                    Reach::Gateway
                }
            }
            error if error.is_of_account() => Reach::Account,
            Self::Status { status: 429, .. } => Reach::Busy,
            // The last five are those of Cloudflare.
            Self::Status { status: 502..=504 | 520..=524, answered: false, .. } => Reach::Gateway,
            Self::Blocked { .. }
            | Self::NoEmbeddings { .. }
            | Self::Ended { .. }
            | Self::Status { .. }
            | Self::Malformed { .. }
            | Self::Unmetered { .. }
            | Self::Misread { .. }
            | Self::Program { .. } => Reach::Server,
        }
    }

    /// Whether the account is at fault: its key, its rights, or that there is no money left.
    fn is_of_account(&self) -> bool {
        match self {
            Self::Status { status: 401..=403, .. } => true,
            Self::Status { unpaid, .. } => *unpaid,
            _ => false,
        }
    }

    /// How long the provider asks to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The same without the server's own words, which may repeat what it was sent.
    #[must_use]
    pub fn withheld(self) -> Self {
        let words = || "(its words are withheld: redaction is on)".to_owned();
        match self {
            Self::Status { host, status, retry_after, unpaid, answered, .. } => {
                let (body, whole) = (words(), Box::default());
                Self::Status { host, status, body, whole, retry_after, unpaid, answered }
            }
            Self::Malformed { host, .. } => Self::Malformed { host, reason: words() },
            Self::Misread { host, .. } => Self::Misread { host, reason: words(), help: words() },
            Self::Program { name, help, started, .. } => {
                Self::Program { name, reason: words(), started, help }
            }
            other => other,
        }
    }

    /// How to fix it, where these said how the server is reached.
    #[must_use]
    pub fn help(&self, said_by: &Whence, model: &str) -> String {
        if let Some(help) = said_by.own.as_ref().and_then(|places| self.help_of_own(places, said_by)) {
            return help;
        }
        let words = match self {
            Self::Misread { help, .. } | Self::Program { help, .. } => return help.clone(),
            Self::Connect { .. } => {
                return format!("check the address (from {}) and that the server runs", said_by.address);
            }
            Self::Certificate { .. } => {
                "name your organization's certificates with `--ca-bundle FILE`, or in SSL_CERT_FILE"
            }
            Self::Blocked { .. } => "ask for something that the platform lets pass",
            Self::NoEmbeddings { .. } => {
                "name a judge that has embeddings (openai, azure-openai, google, mistral, ollama) under `grader:`, \
                 or write `mode: llm`"
            }
            Self::Broken { .. } => "the server closed the connection; look into its log",
            Self::Ended { .. } => "the provider failed while it answered; its log says why",
            Self::Timeout { .. } => "raise `--timeout`, or `timeout:` of the case",
            Self::Status { status: 100..=299, .. } => {
                "the provider sent this error inside an HTTP 200; its log says more"
            }
            Self::Status { status: 401 | 403, .. } => {
                return format!("check the key (from {}) and its rights", said_by.key);
            }
            Self::Status { status: 300..=399, .. } => {
                "name the address that answers by itself: redirects are not followed, for they would take the key along"
            }
            Self::Status { status: 404, .. } => {
                return format!("check the address (from {}) and the model `{model}`", said_by.address);
            }
            error if error.is_of_account() => {
                return format!("look at the plan and the balance of the account (key from {})", said_by.key);
            }
            Self::Status { status: 429, retry_after: Some(asked), .. } if asked.as_secs() >= 60 => {
                return format!(
                    "it asks to be left alone for {} s: raise `--patience` above that, or run later",
                    asked.as_secs()
                );
            }
            Self::Status { status: 429, .. } => "lower `-c`, or raise `--patience`",
            Self::Status { status: 400..=499, .. } => "the provider names what it does not accept",
            Self::Status { .. } => "the provider is in trouble; try again later or raise `--retries`",
            Self::Unmetered { why, .. } => return why.help(),
            Self::Malformed { .. } => {
                return format!(
                    "is this an address of this provider's interface (from {})? That of an OpenAI-compatible server \
                     usually ends in `/v1`",
                    said_by.address
                );
            }
        };
        words.to_owned()
    }
}

/// What an error tells of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nobody listens there who can be talked to.
    Nobody,
    /// It was reached, or it was not.
    Unclear,
    /// Something in front of it answered, or hung up: it may be gone, or fail at this one question.
    Gateway,
    /// It works.
    Server,
    /// It wants to be asked less.
    Busy,
    /// It serves nobody who asks with this key.
    Account,
}
