//! One request to a forge, and why it was not answered.
//!
//! One request at a time, each with its own time limit, nothing sent twice: whoever calls decides
//! whether to try again ([`Patience`]).

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use serde_json::Value as Json;

use crate::http::{self, retry_after};
use crate::secret::Secret;
use crate::text;

/// Longest time for one request.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);

/// Comments that are listed at once, the most that GitHub and GitLab give.
pub(super) const PER_PAGE: usize = 100;

/// Pages that are read of one change.
pub(super) const MOST_PAGES: u32 = 100;

/// How long GitHub wants to be left alone where it does not say so.
const UNTOLD_WAIT: Duration = Duration::from_secs(60);

/// Sends a request and reads what comes back; the body is of interest only where the forge did what it was asked.
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

/// What a refusal says.
fn message(bytes: &[u8]) -> String {
    let json: Json = serde_json::from_slice(bytes).unwrap_or_default();
    let told = ["message", "error"].iter().map(|key| &json[*key]).find(|value| !value.is_null());
    match told {
        Some(Json::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Why the forge did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// Nothing can be asked with this address or token.
    #[error("{0}")]
    Setup(String),
    /// Too many requests.
    #[error("the forge wants to be asked again in {} s", wait.as_secs().max(1))]
    Limited {
        /// How long to wait.
        wait: Duration,
    },
    /// It said no, or could not.
    #[error("the forge answers {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its words.
        message: String,
    },
    /// No answer, or none that can be read: what was asked may have been done.
    #[error("no answer from the forge that can be read: {0}")]
    Unclear(String),
}

impl ForgeError {
    /// Whether what was asked may have been done all the same.
    pub(super) fn unclear(&self) -> bool {
        match self {
            ForgeError::Unclear(_) => true,
            ForgeError::Refused { status, .. } => *status >= 500,
            ForgeError::Setup(_) | ForgeError::Limited { .. } => false,
        }
    }

    /// Whether the token may not do this; GitHub and GitLab hide with 404 what a token may not see.
    #[must_use]
    pub fn denied(&self) -> bool {
        matches!(self, ForgeError::Refused { status: 401 | 403 | 404, .. })
    }

    /// What an answer that is no success says.
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
                // The clocks need not agree.
                Some(at.duration_since(now).unwrap_or_default() + Duration::from_secs(1))
            };
            return ForgeError::Limited { wait: asked.or_else(reset).unwrap_or(UNTOLD_WAIT) };
        }
        ForgeError::Refused { status, message: text::excerpt(&token.scrub(message), 200) }
    }
}

/// A comment as the forge has it.
#[derive(Clone, Debug)]
pub(super) struct Posted {
    pub(super) id: u64,
    /// Name of who wrote it; empty where the account is gone.
    pub(super) author: String,
    pub(super) body: String,
    /// Where people find it.
    pub(super) place: String,
}

/// An open change and its newest commit.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) number: u64,
    pub(super) commit: String,
}

/// How much longer it is worth to try.
pub(super) struct Patience {
    tries: u32,
    left: Duration,
    step: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        // A comment must not hold up a pipeline for longer than a few minutes.
        Self { tries: 4, left: Duration::from_secs(150), step: Duration::from_millis(500) }
    }
}

impl Patience {
    /// Waits as the forge wants; answers with the error where trying again is of no use.
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

    /// Asks until there is an answer; only for what may be done twice.
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

/// One part of a path: everything but letters, digits, `-`, `_` and `.` as `%XX`.
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

/// Holds an address to `https://` or `http://`, a host, and perhaps a path.
pub(super) fn address(api: &str) -> Result<&str, ForgeError> {
    let rest = api.strip_prefix("https://").or_else(|| api.strip_prefix("http://"));
    let right = rest.is_some_and(|rest| {
        !rest.starts_with(['/', ':'])
            && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-._:/".contains(c))
    });
    if right && !api.ends_with('/') {
        return Ok(api);
    }
    Err(ForgeError::Setup(format!("`{}` is no address of a forge's API", text::excerpt(api, 80))))
}

/// Holds a token to what can stand in a header.
pub(super) fn usable(token: &Secret) -> Result<(), ForgeError> {
    if token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(ForgeError::Setup("the token has characters that are not allowed in one, such as a space".to_owned()))
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
        assert_eq!(error.to_string(), "the forge answers 401: bad ***⏎::error::x");
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
