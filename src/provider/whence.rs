//! Where a server's address and key are configured, for help texts.

use super::ProviderError;

/// Where a server's address and key are configured, for help texts.
#[derive(Clone, Debug, Default)]
pub struct Whence {
    /// Source of the address.
    pub address: String,
    /// Source of the key.
    pub key: String,
    /// Where the request of an `http` or `command` application is configured.
    pub own: Option<OwnPlaces>,
}

/// Where the request of an `http` or `command` application is configured: keys with their places.
#[derive(Clone, Debug, Default)]
pub struct OwnPlaces {
    /// The address, or the program.
    pub url: String,
    /// What is sent.
    pub body: String,
}

impl ProviderError {
    /// How to fix it, given where the server is configured.
    #[must_use]
    pub fn help(&self, said_by: &Whence, model: &str) -> String {
        if let Some(help) = said_by.own.as_ref().and_then(|places| self.help_of_own(places, said_by)) {
            return help;
        }
        let words = match self {
            Self::Misread { help, .. } | Self::Program { help, .. } => return help.clone(),
            Self::Tls { .. } => {
                "check whether the address should be `http://`, and whether a proxy is in front of the server"
            }
            Self::Connect { .. } | Self::Name { .. } => {
                return format!(
                    "check the address (from {}) and that the server is running",
                    said_by.address
                );
            }
            Self::Certificate { .. } => {
                "pass your organization's certificates with `--ca-bundle FILE` or in SSL_CERT_FILE"
            }
            Self::Blocked { .. } => "change the prompt to one that the platform does not block",
            Self::NoEmbeddings { .. } => {
                "choose a judge with embeddings (openai, azure-openai, google, mistral, ollama) under `grader:`, or set \
                `mode: llm`"
            }
            Self::Broken { .. } => "the server closed the connection; check its log",
            Self::Ended { .. } => "the provider failed while answering; check its log",
            Self::Timeout { .. } => "raise `--timeout`, or `timeout:` in the case",
            Self::Status { status: 100..=299, .. } => {
                "the provider sent this error inside an HTTP 200; check its log"
            }
            Self::Status { status: 401 | 403, .. } => {
                return format!("check the key (from {}) and its permissions", said_by.key);
            }
            Self::Status { status: 300..=399, .. } => {
                "set the final address; redirects are not followed, because they would leak the key"
            }
            Self::Status { status: 404, .. } => {
                return format!("check the address (from {}) and the model `{model}`", said_by.address);
            }
            error if error.is_of_account() => {
                return format!("check the account's plan and balance (key from {})", said_by.key);
            }
            Self::Status { status: 429, retry_after: Some(asked), .. } if asked.as_secs() >= 60 => {
                return format!(
                    "the server asks to wait {} s; raise `--patience` above that, or run later",
                    asked.as_secs()
                );
            }
            Self::Status { status: 429, .. } => "lower `-c`, or raise `--patience`",
            Self::Status { status: 400..=499, .. } => "change what the provider does not accept",
            Self::Status { .. } => "the provider has a problem; try again later, or raise `--retries`",
            Self::Unmetered { why, .. } => return why.help(),
            Self::Malformed { .. } => {
                return format!(
                    "check the address of the provider's API (from {}); that of an OpenAI-compatible server usually ends in `/v1`",
                    said_by.address
                );
            }
        };
        words.to_owned()
    }

    /// Like `help`, but for an `http` or `command` application: names the key to check, with its place.
    fn help_of_own(&self, places: &OwnPlaces, said_by: &Whence) -> Option<String> {
        let (url, body) = (&places.url, &places.body);
        Some(match self {
            Self::Timeout { .. } => format!("raise `--timeout`, or `timeout:` in the case, or check {url}"),
            Self::Connect { .. } | Self::Name { .. } => {
                format!("check {url}, and that the server is running")
            }
            Self::Broken { .. } | Self::Ended { .. } => format!("check the bot's log at {url}"),
            Self::Malformed { .. } => format!("check {url}"),
            Self::Status { status: 401 | 403, .. } => {
                format!("check the key (from {}), or `auth` and `headers` next to {url}", said_by.key)
            }
            Self::Status { status: 300..=399, .. } => {
                format!(
                    "set {url} to the final address; redirects are not followed, because they would leak keys"
                )
            }
            Self::Status { status: 404 | 405, .. } => format!("check {url}, and `method`"),
            Self::Status { status: 400..=428 | 430..=499, .. } => format!("check the request: {body}"),
            Self::Status { status: 0..=299 | 500.., .. } => {
                format!("check the bot's log at {url}; try again later, or raise `--retries`")
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
