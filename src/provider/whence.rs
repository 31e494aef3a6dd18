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
    /// How to fix it, where an own bot is asked: the key that may be wrong, and its place.
    pub(super) fn help_of_own(&self, places: &OwnPlaces, said_by: &Whence) -> Option<String> {
        let (url, body) = (&places.url, &places.body);
        Some(match self {
            Self::Timeout { .. } => format!("raise `--timeout`, or `timeout:` of the case, or check {url}"),
            Self::Connect { .. } => format!("check {url}, and that the server runs"),
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
            | Self::Certificate { .. }
            | Self::Blocked { .. }
            | Self::NoEmbeddings { .. }
            | Self::Unmetered { .. }
            | Self::Misread { .. }
            | Self::Program { .. } => return None,
        })
    }
}
