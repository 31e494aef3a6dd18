//! Why there is no answer, and what that shows about the server.

use std::time::Duration;

use super::Unmetered;
use crate::vocabulary::{ErrorClass, FaultKind};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ProviderError {
    /// The server is unreachable.
    #[error("cannot connect to {host}: {reason}")]
    Connect {
        /// Host.
        host: String,
        /// The system's message.
        reason: String,
    },
    /// The name of the host is unknown.
    #[error("cannot connect to {host}: {reason}")]
    Name {
        /// Host.
        host: String,
        /// The system's message.
        reason: String,
    },
    /// The TLS handshake failed.
    #[error("cannot connect to {host} over TLS: {reason}")]
    Tls {
        /// Host.
        host: String,
        /// The library's message.
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
    /// The platform blocked the prompt; for expectations of refusals this is an answer.
    #[error("{host} blocked the prompt ({word})")]
    Blocked {
        /// Host.
        host: String,
        /// The provider's word for it.
        word: String,
    },
    /// The connection broke.
    #[error("the connection to {host} broke: {reason}")]
    Broken {
        /// Host.
        host: String,
        /// The library's message.
        reason: String,
        /// Whether an answer had started: an HTTP 200 with a cut-off or empty body.
        answered: bool,
    },
    /// The answer ended with an error.
    #[error("{host} ended its answer with an error (finish_reason {word})")]
    Ended {
        /// Host.
        host: String,
        /// The finish reason, shortened.
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
    /// An HTTP status other than 2xx, or an error object inside a 200.
    #[error("{host} answered {status}: {body}")]
    Status {
        /// Host.
        host: String,
        /// The status; for an error object, its `code` if that is from 100 to 599, or else 200.
        status: u16,
        /// The provider's message, or an excerpt of the body.
        body: String,
        /// The whole body, to find refused parameters in; never shown.
        whole: Box<str>,
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
        /// Whether the account has no credit left.
        unpaid: bool,
        /// Whether it came instead of an answer: an error object inside an HTTP 200.
        answered: bool,
    },
    /// The vendor has no embeddings.
    #[error("provider `{provider}` has no embeddings")]
    NoEmbeddings {
        /// Its name.
        provider: String,
    },
    /// A body that does not match the API.
    #[error("{host} sent something other than an answer: {reason}")]
    Malformed {
        /// Host.
        host: String,
        /// What is wrong, with an excerpt.
        reason: String,
    },
    /// The budget cannot be enforced there.
    #[error("`--budget` cannot be enforced for {host}: {why}")]
    Unmetered {
        /// Host.
        host: String,
        /// Why not.
        why: Unmetered,
    },
    /// The answer of an `http` or `command` application does not match the configuration.
    #[error("cannot read the answer of {host}: {reason}")]
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
        /// How, with its error output.
        reason: String,
        /// Whether it was started.
        started: bool,
        /// The key to change.
        help: String,
    },
}

impl ProviderError {
    /// Whether the answer itself is broken, so that a replay fails in the same way; other errors are about the
    /// connection, the account or the request.
    #[must_use]
    pub fn is_broken_answer(&self) -> bool {
        match self {
            Self::Ended { .. } => true,
            Self::Broken { answered, .. } => *answered,
            Self::Status { answered, .. } => *answered && self.transient() && self.reach() == Reach::Server,
            Self::Connect { .. }
            | Self::Name { .. }
            | Self::Tls { .. }
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

    /// The kind, stable, for stored runs and JUnit.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Connect { .. } | Self::Name { .. } | Self::Tls { .. } | Self::Certificate { .. } => {
                FaultKind::Connect
            }
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
            Self::Connect { .. }
            | Self::Name { .. }
            | Self::Tls { .. }
            | Self::Broken { .. }
            | Self::Ended { .. }
            | Self::Timeout { .. } => true,
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

    /// Whether the request may have been answered and charged nevertheless.
    #[must_use]
    pub fn may_cost(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::Name { .. }
            | Self::Tls { .. }
            | Self::Certificate { .. }
            | Self::NoEmbeddings { .. } => false,
            Self::Program { started, .. } => *started,
            // An error status is not charged; an error inside a 200 may follow an answer.
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

    /// The full message with the whole body of the response, for searches.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Status { whole, .. } => format!("{self} {whole}"),
            other => other.to_string(),
        }
    }

    /// Its class in a load test.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Connect { .. } => ErrorClass::Connect,
            Self::Name { .. } => ErrorClass::Dns,
            Self::Tls { .. } | Self::Certificate { .. } => ErrorClass::Tls,
            Self::Timeout { .. } => ErrorClass::Timeout,
            Self::Status { status: 429, .. } => ErrorClass::RateLimited,
            Self::Status { status: 400..=499, .. } => ErrorClass::ClientError,
            Self::Status { status: 200..=299 | 500..=599, .. } | Self::Ended { .. } => {
                ErrorClass::ServerError
            }
            Self::Program { started, .. } => {
                if *started {
                    ErrorClass::ServerError
                } else {
                    ErrorClass::Connect
                }
            }
            Self::Broken { .. } => ErrorClass::StreamCut,
            Self::Malformed { .. } | Self::Misread { .. } => ErrorClass::Malformed,
            Self::Status { .. }
            | Self::Blocked { .. }
            | Self::NoEmbeddings { .. }
            | Self::Unmetered { .. } => ErrorClass::Unexpected,
        }
    }

    /// What it shows about the server.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match self {
            Self::Connect { .. } | Self::Name { .. } | Self::Tls { .. } | Self::Certificate { .. } => {
                Reach::Nobody
            }
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
            // 520 to 524 are Cloudflare's.
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

    /// Whether the account is the cause: its key, its permissions or its credit.
    pub(super) fn is_of_account(&self) -> bool {
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

    /// This error without the server's own text, which may repeat what it was sent.
    #[must_use]
    pub fn withheld(self) -> Self {
        let words = || "(text withheld: redaction is on)".to_owned();
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
}

/// What an error shows about the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It is unreachable.
    Nobody,
    /// It may or may not have been reached.
    Unclear,
    /// Something in front of it answered or closed the connection: it may be down, or fail only for this request.
    Gateway,
    /// It works.
    Server,
    /// It asks for fewer requests.
    Busy,
    /// It rejects every request with this key.
    Account,
}
