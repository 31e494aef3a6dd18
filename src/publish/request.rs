//! One request to a forge, and why it failed.
//!
//! Requests are sent one at a time, once, each with its own time limit; the caller decides whether to try again
//! ([`Patience`]).

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use serde_json::Value as Json;

use crate::http::{self, retry_after};
use crate::secret::Secret;
use crate::text;

/// Time limit per request.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);

/// Comments per page, the maximum of GitHub and GitLab.
pub(super) const PER_PAGE: usize = 100;

/// Pages read per change.
pub(super) const MOST_PAGES: u32 = 100;

/// How long to wait if GitHub limits requests without saying for how long.
const UNTOLD_WAIT: Duration = Duration::from_secs(60);

/// Sends a request and reads the response; its body only matters if the request succeeds.
pub(super) async fn ask(
    request: reqwest::RequestBuilder,
    token: &Secret,
) -> Result<(HeaderMap, Vec<u8>), ForgeError> {
    let unclear = |lost: http::Lost| ForgeError::Unclear(token.scrub(&lost.to_string()));
    let received = http::send(request.timeout(TIMEOUT)).await.map_err(unclear)?;
    if (200..300).contains(&received.status) {
        Ok((received.headers, received.body))
    } else {
        Err(ForgeError::of(received.status, &message(&received.body), Some(&received.headers), token))
    }
}

/// The message of a refusal.
fn message(bytes: &[u8]) -> String {
    let json: Json = serde_json::from_slice(bytes).unwrap_or_default();
    let told = ["message", "error"].iter().map(|key| &json[*key]).find(|value| !value.is_null());
    match told {
        Some(Json::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Why a request to the forge failed.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The address or the token is unusable.
    #[error("{0}")]
    Setup(String),
    /// Too many requests.
    #[error("the forge limits requests; try again in {} s", wait.as_secs().max(1))]
    Limited {
        /// How long to wait.
        wait: Duration,
    },
    /// The forge refused, or failed.
    #[error("the forge answered {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its message.
        message: String,
    },
    /// No readable answer: the request may have succeeded.
    #[error("no readable answer from the forge: {0}")]
    Unclear(String),
}

impl ForgeError {
    /// Whether the request may have succeeded nevertheless.
    pub(super) fn unclear(&self) -> bool {
        match self {
            ForgeError::Unclear(_) => true,
            ForgeError::Refused { status, .. } => *status >= 500,
            ForgeError::Setup(_) | ForgeError::Limited { .. } => false,
        }
    }

    /// Whether the token lacks a permission; GitHub and GitLab answer 404 for anything that a token may not see.
    #[must_use]
    pub fn denied(&self) -> bool {
        matches!(self, ForgeError::Refused { status: 401 | 403 | 404, .. })
    }

    /// The error for an unsuccessful response.
    pub(super) fn of(status: u16, message: &str, headers: Option<&HeaderMap>, token: &Secret) -> Self {
        let read = |name: &str| headers?.get(name)?.to_str().ok();
        let now = SystemTime::now();
        let asked = headers.and_then(|headers| retry_after(headers, now));
        let spent = read("x-ratelimit-remaining") == Some("0") || read("ratelimit-remaining") == Some("0");
        // https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
        let limited = status == 429
            || (status == 403 && (asked.is_some() || spent || message.contains("secondary rate limit")));
        if limited {
            let reset = || {
                let at = read("x-ratelimit-reset").or(read("ratelimit-reset")).filter(|_| spent)?;
                let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(at.parse().ok()?))?;
                // The two clocks may differ.
                Some(at.duration_since(now).unwrap_or_default() + Duration::from_secs(1))
            };
            return ForgeError::Limited { wait: asked.or_else(reset).unwrap_or(UNTOLD_WAIT) };
        }
        ForgeError::Refused { status, message: text::excerpt(&token.scrub(message), 200) }
    }
}

/// A comment on the forge.
#[derive(Clone, Debug)]
pub(super) struct Posted {
    pub(super) id: u64,
    /// Name of its author; empty if the account was deleted.
    pub(super) author: String,
    pub(super) body: String,
    /// Its address for people.
    pub(super) place: String,
}

/// An open change and its newest commit.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) number: u64,
    pub(super) commit: String,
}

/// How much longer to keep trying.
pub(super) struct Patience {
    tries: u32,
    left: Duration,
    step: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        // A comment must not delay a pipeline for more than a few minutes.
        Self { tries: 4, left: Duration::from_secs(150), step: Duration::from_millis(500) }
    }
}

impl Patience {
    /// Waits as long as the forge asks; returns the error if trying again is pointless.
    pub(super) async fn after(&mut self, error: ForgeError) -> Result<(), ForgeError> {
        let wait = match &error {
            ForgeError::Limited { wait } => *wait,
            error if error.unclear() => self.step,
            _ => return Err(error),
        };
        if self.tries == 0 || wait > self.left {
            return Err(error);
        }
        self.tries -= 1;
        self.left = self.left.saturating_sub(wait);
        self.step *= 2;
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Repeats a request until there is an answer; only for requests that may be repeated.
    pub(super) async fn with<T>(
        &mut self,
        ask: impl AsyncFn() -> Result<T, ForgeError>,
    ) -> Result<T, ForgeError> {
        loop {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => self.after(error).await?,
            }
        }
    }
}

/// One segment of a path, with everything but letters, digits, `-`, `_` and `.` as `%XX`.
pub(super) fn part(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&text::hex(&[byte]).to_ascii_uppercase());
        }
    }
    out
}

/// Checks an address: `https://` or `http://`, a host, and optionally a path.
pub(super) fn address(api: &str) -> Result<&str, ForgeError> {
    let rest = api.strip_prefix("https://").or_else(|| api.strip_prefix("http://"));
    let right = rest.is_some_and(|rest| {
        !rest.starts_with(['/', ':'])
            && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-._:/".contains(c))
    });
    if right && !api.ends_with('/') {
        return Ok(api);
    }
    Err(ForgeError::Setup(format!("`{}` is not the address of a forge's API", text::excerpt(api, 80))))
}

/// Checks that a token can be sent in a header.
pub(super) fn usable(token: &Secret) -> Result<(), ForgeError> {
    if token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(ForgeError::Setup(
        "the token contains a character that tokens cannot have, such as a space".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_rate_limit_is_distinguished_from_a_refusal() {
        let token = Secret::new("secret-token");
        let far = format!("{}", u64::MAX);
        let spent = |reset: &str| {
            vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", reset.to_owned())]
        };
        let after = |wait: &str| vec![("retry-after", wait.to_owned())];
        let table = [
            (403, "Resource not accessible by integration", Vec::new(), None),
            (403, "You have exceeded a secondary rate limit", Vec::new(), Some(60)),
            (403, "slow down", after("7"), Some(7)),
            (403, "API rate limit exceeded", spent("5"), Some(1)),
            (403, "x", spent(&far), Some(60)),
            (
                403,
                "x",
                vec![("x-ratelimit-remaining", "10".to_owned()), ("x-ratelimit-reset", "5".to_owned())],
                None,
            ),
            (429, "", after("0"), Some(0)),
            (500, "", Vec::new(), None),
        ];
        for (status, message, pairs, wait) in table {
            let headers = headers(&pairs);
            let found = match ForgeError::of(status, message, Some(&headers), &token) {
                ForgeError::Limited { wait } => Some(wait.as_secs()),
                _ => None,
            };
            assert_eq!(found, wait, "{status} {message} {pairs:?}");
        }
        let error = ForgeError::of(401, "bad secret-token\n::error::x", Some(&headers(&[])), &token);
        assert_eq!(error.to_string(), "the forge answered 401: bad ***⏎::error::x");
        assert!(error.denied() && !error.unclear());
    }

    #[test]
    fn addresses_and_parts_of_paths() {
        for right in ["https://api.github.com", "http://127.0.0.1:80/api/v3"] {
            assert!(address(right).is_ok(), "{right}");
        }
        for wrong in
            ["", "api.github.com", "https://", "https:///x", "https://u@h", "https://h/?q", "https://h/"]
        {
            assert!(address(wrong).is_err(), "{wrong}");
        }
        assert_eq!(part("acme/web ü"), "acme%2Fweb%20%C3%BC");
        assert!(usable(&Secret::new("ghs_x-1")).is_ok());
        assert!(usable(&Secret::new("a\nb")).is_err());
    }
}
