//! Who said how a server is reached, for people who have to fix it.

use super::ProviderError;

/// Who said how a server is reached, for people who have to fix it.
#[derive(Clone, Debug, Default)]
pub struct Whence {
    /// The address.
    pub address: String,
    /// The key.
    pub key: String,
    /// Where the request of an own bot is written.
    pub own: Option<OwnPlaces>,
}

/// Where the request of an own bot is written: the keys with their places, for people.
#[derive(Clone, Debug, Default)]
pub struct OwnPlaces {
    /// The address, or the program.
    pub url: String,
    /// What is sent.
    pub body: String,
}

impl ProviderError {
    /// How to fix it, where these said how the server is reached.
    #[must_use]
    pub fn help(&self, said_by: &Whence, model: &str) -> String {
        if let Some(help) = said_by.own.as_ref().and_then(|places| self.help_of_own(places, said_by)) {
            return help;
        }
        let words = match self {
            Self::Misread { help, .. } | Self::Program { help, .. } => return help.clone(),
            Self::Tls { .. } => {
                "see whether the address is one of `http://`, or what stands before the server"
            }
            Self::Connect { .. } | Self::Name { .. } => {
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

    /// How to fix it, where an own bot is asked: the key that may be wrong, and its place.
    fn help_of_own(&self, places: &OwnPlaces, said_by: &Whence) -> Option<String> {
        let (url, body) = (&places.url, &places.body);
        Some(match self {
            Self::Timeout { .. } => format!("raise `--timeout`, or `timeout:` of the case, or check {url}"),
            Self::Connect { .. } | Self::Name { .. } => format!("check {url}, and that the server runs"),
            Self::Broken { .. } | Self::Ended { .. } => format!("see the log of the bot at {url}"),
            Self::Malformed { .. } => format!("check {url}"),
            Self::Status { status: 401 | 403, .. } => {
                format!("check the key (from {}), or `auth` and `headers` beside {url}", said_by.key)
            }
            Self::Status { status: 300..=399, .. } => {
                format!(
                    "write the address that answers by itself into {url}: redirects are not followed, for they would take keys along"
                )
            }
            Self::Status { status: 404 | 405, .. } => format!("check {url}, and `method`"),
            Self::Status { status: 400..=428 | 430..=499, .. } => format!("check what is sent: {body}"),
            Self::Status { status: 0..=299 | 500.., .. } => {
                format!("see the log of the bot at {url}; try again later or raise `--retries`")
            }
            Self::Status { status: 429, .. }
            | Self::Tls { .. }
            | Self::Certificate { .. }
            | Self::Blocked { .. }
            | Self::NoEmbeddings { .. }
            | Self::Unmetered { .. }
            | Self::Misread { .. }
            | Self::Program { .. } => return None,
        })
    }
}
