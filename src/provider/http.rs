//! One HTTP client for all back ends: built when first needed, bounded in what it reads.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;

use super::ProviderError;
use crate::secret::Secret;
use crate::text;

/// Largest reply that is read, in bytes.
const MAX_REPLY: usize = 32 * 1024 * 1024;

/// Characters of an error body that are shown.
const SHOWN: usize = 300;

/// Why the client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A file with certificates that cannot be used.
    #[error("cannot use the certificates in {path}: {reason}")]
    Certificates {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// Anything else.
    #[error("cannot prepare HTTPS: {0}")]
    Client(String),
}

/// The shared client.
#[derive(Clone, Debug)]
pub struct Http {
    client: Arc<OnceLock<Result<reqwest::Client, HttpError>>>,
    certificates: Vec<reqwest::Certificate>,
}

impl Http {
    /// Reads the extra certificates, if any; connects to nothing.
    pub fn new(ca_bundle: Option<&std::path::Path>) -> Result<Self, HttpError> {
        let mut certificates = Vec::new();
        if let Some(path) = ca_bundle {
            let wrong =
                |reason: String| HttpError::Certificates { path: crate::source::slashed(path), reason };
            let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
            certificates =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong(error.to_string()))?;
            if certificates.is_empty() {
                return Err(wrong("there is no certificate in it".to_owned()));
            }
        }
        Ok(Self { client: Arc::default(), certificates })
    }

    /// The client itself; it follows no redirect. It is built once, whoever asks first.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn client(&self) -> Result<&reqwest::Client, &HttpError> {
        self.client.get_or_init(|| self.build()).as_ref()
    }

    fn build(&self) -> Result<reqwest::Client, HttpError> {
        // A second installation is refused; the first one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("akit/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(Duration::from_secs(10))
                .pool_idle_timeout(Duration::from_secs(30))
                .tls_certs_merge(self.certificates.clone())
        };
        // A machine without a store of certificates (a container from scratch) uses Mozilla's.
        let built = builder().build().or_else(|_| {
            let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS
                .iter()
                .filter_map(|der| reqwest::Certificate::from_der(der).ok())
                .chain(self.certificates.clone());
            builder().tls_certs_only(roots).build()
        });
        built.map_err(|error| HttpError::Client(causes(&error)))
    }

    /// Posts JSON and reads JSON.
    ///
    /// The key is blanked out of whatever comes back, before anything of it is cut to length: half a
    /// key would pass by later.
    pub(super) async fn post(
        &self,
        url: &str,
        host: &str,
        headers: &[(&'static str, String)],
        key: Option<&Secret>,
        body: &Json,
    ) -> Result<Json, ProviderError> {
        let malformed = |reason: String| ProviderError::Malformed { host: host.to_owned(), reason };
        let client = self.client().map_err(|error| malformed(error.to_string()))?;
        let mut request = client.post(url).json(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let mut response = request.send().await.map_err(|error| broken(host, &error))?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers(), SystemTime::now());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| broken(host, &error))? {
            if bytes.len() + chunk.len() > MAX_REPLY {
                return Err(malformed(format!("the reply has more than {} MiB", MAX_REPLY >> 20)));
            }
            bytes.extend_from_slice(&chunk);
        }
        let scrub = |text: String| match key {
            Some(key) => key.scrub(&text),
            None => text,
        };
        if !(200..300).contains(&status) {
            let body = message_of(&scrub(String::from_utf8_lossy(&bytes).into_owned()));
            return Err(ProviderError::Status { host: host.to_owned(), status, body, retry_after });
        }
        let body = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            malformed(format!("invalid UTF-8 at byte {at}"))
        })?;
        let body = scrub(body);
        serde_json::from_str(&body)
            .map_err(|error| malformed(format!("{error}; it begins \"{}\"", text::excerpt(&body, 120))))
    }
}

fn broken(host: &str, error: &reqwest::Error) -> ProviderError {
    let (host, reason) = (host.to_owned(), causes(error));
    if error.is_connect() {
        ProviderError::Connect { host, reason }
    } else {
        ProviderError::Broken { host, reason }
    }
}

/// The innermost cause, which says what happened; never the URL, which may hold a key.
fn causes(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    let text = inner.to_string();
    let cut = text.find(" (os error").unwrap_or(text.len());
    text::excerpt(&text[..cut], SHOWN)
}

/// The error object of a body that came with status 200, as the error that it is.
///
/// Gateways send one beside or inside `choices` when a provider fails midway.
pub(super) fn error_within(reply: &Json, host: &str) -> Option<ProviderError> {
    let said = |error: &&Json| !matches!(error, Json::Null | Json::Bool(false)) && error.as_str() != Some("");
    let beside = reply.get("error").filter(said);
    let error = beside.or_else(|| reply.pointer("/choices/0/error").filter(said))?;
    let code = error.get("code").or_else(|| error.get("status"));
    let code = code.and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
    let status = code.and_then(|code| u16::try_from(code).ok()).filter(|code| (400..600).contains(code));
    let body = words_of(error).unwrap_or_else(|| text::excerpt(&error.to_string(), SHOWN));
    Some(ProviderError::Status {
        host: host.to_owned(),
        status: status.unwrap_or(200),
        body,
        retry_after: None,
    })
}

fn words_of(error: &Json) -> Option<String> {
    let words = error.get("message").and_then(Json::as_str).or(error.as_str());
    words.map(|words| text::excerpt(words, SHOWN))
}

/// What an error body says: the provider's `error.message`, else the text without tags.
fn message_of(body: &str) -> String {
    let json: Option<Json> = serde_json::from_str(body).ok();
    if let Some(words) = json.as_ref().and_then(|json| words_of(json.get("error").unwrap_or(json))) {
        return words;
    }
    let mut plain = String::new();
    let mut inside = false;
    for c in body.chars().take(20_000) {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                plain.push(' ');
            }
            c if !inside => plain.push(c),
            _ => {}
        }
    }
    let words: Vec<_> = plain.split_whitespace().collect();
    if words.is_empty() { "(no body)".to_owned() } else { text::excerpt(&words.join(" "), SHOWN) }
}

/// How long a server wants to be left alone: `retry-after-ms`, or `Retry-After` in seconds or as a date.
#[must_use]
pub fn retry_after(headers: &reqwest::header::HeaderMap, now: SystemTime) -> Option<Duration> {
    let read = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(ms) = read("retry-after-ms").and_then(|value| value.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    let value = read("retry-after")?;
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = chrono::DateTime::parse_from_rfc2822(value).ok()?;
    Some(SystemTime::from(date).duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_its_three_forms() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        let table = [
            ("retry-after", "2", Some(2_000)),
            ("retry-after", "0.5", Some(500)),
            ("retry-after-ms", "250", Some(250)),
            ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT", Some(7_000)),
            ("retry-after", "Tue, 06 Nov 1990 08:49:37 GMT", Some(0)),
            ("retry-after", "-1", None),
            ("retry-after", "soon", None),
        ];
        for (name, value, expected) in table {
            let mut headers = reqwest::header::HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            let found = retry_after(&headers, now).map(|wait| wait.as_millis());
            assert_eq!(found, expected, "{name}: {value}");
        }
    }

    #[test]
    fn error_bodies_are_shown_in_their_own_words() {
        let table = [
            (r#"{"error":{"message":"bad key"}}"#, "bad key"),
            (r#"{"error":"nope"}"#, "nope"),
            (r#"{"message":"gone"}"#, "gone"),
            ("<html><body><h1>502 Bad Gateway</h1></body></html>", "502 Bad Gateway"),
            ("", "(no body)"),
        ];
        for (body, expected) in table {
            assert_eq!(message_of(body), expected);
        }
    }
}
