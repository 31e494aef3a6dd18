//! Why no answer came, and what that tells of the server.

use std::time::Duration;

use super::Unmetered;
use crate::vocabulary::{ErrorClass, FaultKind};

/// Why no answer came.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ProviderError {
    /// Nobody listens there.
    #[error("cannot connect to {host}: {reason}")]
    Connect {
        /// Host.
        host: String,
        /// In the system's words.
        reason: String,
    },
    /// The name of the host is unknown.
    #[error("cannot connect to {host}: {reason}")]
    Name {
        /// Host.
        host: String,
        /// In the system's words.
        reason: String,
    },
    /// The server does not speak TLS as it must.
    #[error("cannot connect to {host} over TLS: {reason}")]
    Tls {
        /// Host.
        host: String,
        /// In the library's words.
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
    /// Whether there is an answer and it is broken, which a replay tells again; the others are about the road to it,
    /// the account, or what was asked.
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

    /// Stable kebab-case kind, for manifests and JUnit.
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

    /// Whether the request may have been answered and paid for all the same.
    #[must_use]
    pub fn may_cost(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::Name { .. }
            | Self::Tls { .. }
            | Self::Certificate { .. }
            | Self::NoEmbeddings { .. } => false,
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

    /// All that it says, with all that the server said, for whoever looks for something in it.
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

    /// What it tells of the server, beside the one request.
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
