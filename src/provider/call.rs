//! One call to a provider: JSON there, JSON back, and what else came instead.

use std::time::{Instant, SystemTime};

use reqwest::header::HeaderMap;
use serde_json::{Value as Json, json};

use super::dialect::{Dialect, Piece, Reply};
use super::stream::Events;
use super::{ProviderError, blocked, wait};
use crate::http::{self, Http, Incoming, Lost};
use crate::secret::Secret;
use crate::text;

/// Characters of an error body that are shown.
const SHOWN: usize = 300;

/// A request in JSON for a reply in JSON.
pub(super) struct Call<'a> {
    /// The way to the network.
    pub(super) http: &'a Http,
    /// Where it goes.
    pub(super) url: String,
    /// The same for people.
    pub(super) asked: &'a str,
    /// What goes along.
    pub(super) headers: &'a HeaderMap,
    /// What is blanked out of whatever comes back, before anything of it is cut to length: half a key would pass by
    /// later.
    pub(super) secrets: Vec<&'a Secret>,
    /// What is asked.
    pub(super) body: &'a Json,
}

impl Call<'_> {
    /// Posts it and reads the whole reply.
    pub(super) async fn whole(&self) -> Result<Reply, ProviderError> {
        let mut incoming = self.open().await?;
        let body = self.rest(&mut incoming).await?;
        self.reply(&incoming, body)
    }

    /// Posts it and puts the reply together from its pieces; a server that answers as a whole is read as one.
    pub(super) async fn streamed(&self, dialect: &dyn Dialect) -> Result<Reply, ProviderError> {
        let began = Instant::now();
        let mut incoming = self.open().await?;
        let kind = incoming.headers.get("content-type").and_then(|kind| kind.to_str().ok());
        if !(200..300).contains(&incoming.status) || !kind.is_some_and(|kind| kind.contains("event-stream")) {
            let body = self.rest(&mut incoming).await?;
            return self.reply(&incoming, body);
        }
        let (mut events, mut whole, mut bytes) = (Events::default(), Json::Null, Vec::new());
        let (mut first, mut ended) = (None, false);
        loop {
            let more = incoming.more(&mut bytes).await.map_err(|lost| self.lost(lost))?;
            let found = if more { events.take(&bytes) } else { events.end() };
            bytes.clear();
            for data in found {
                if data.trim() == "[DONE]" {
                    ended = true;
                    continue;
                }
                let data = self.scrub(data);
                let piece: Json = serde_json::from_str(&text::json::mended(&data)).map_err(|error| {
                    let reason = text::json::trouble(&error);
                    if error.is_eof() {
                        self.broken(format!("a piece of the answer is cut: {reason}"))
                    } else {
                        self.malformed(format!("{reason}; a piece begins \"{}\"", text::excerpt(&data, 120)))
                    }
                })?;
                // An error that is the piece itself.
                let is_error = piece.get("type").is_some_and(|kind| kind == "error");
                let error = if is_error && piece.get("error").is_none() {
                    error_within(&json!({ "error": piece }), self.asked)
                } else {
                    error_within(&piece, self.asked)
                };
                if let Some(error) = error {
                    return Err(error);
                }
                match dialect.piece(&mut whole, piece) {
                    Piece::Silent => {}
                    Piece::Token => first = first.or_else(|| Some(began.elapsed())),
                    Piece::End => ended = true,
                }
            }
            if !more {
                break;
            }
        }
        if !ended {
            return Err(self.broken("the answer stopped before its end".to_owned()));
        }
        // A key may come in pieces, too.
        let written = self.scrub(whole.to_string());
        let json = serde_json::from_str(&written).map_err(|error| self.malformed(error.to_string()))?;
        let first = first.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        Ok(Reply { json, written, first_token_ms: first })
    }

    async fn open(&self) -> Result<Incoming, ProviderError> {
        let client = self.http.client(&self.url).map_err(|error| self.malformed(error.to_string()))?;
        let request = client.post(&self.url).json(self.body).headers(self.headers.clone());
        http::open(request).await.map_err(|lost| self.lost(lost))
    }

    async fn rest(&self, incoming: &mut Incoming) -> Result<Vec<u8>, ProviderError> {
        let mut body = Vec::new();
        while incoming.more(&mut body).await.map_err(|lost| self.lost(lost))? {}
        Ok(body)
    }

    /// What a whole body says.
    fn reply(&self, incoming: &Incoming, body: Vec<u8>) -> Result<Reply, ProviderError> {
        let host = || self.asked.to_owned();
        let status = incoming.status;
        if !(200..300).contains(&status) {
            let whole = self.scrub(String::from_utf8_lossy(&body).into_owned()).into_boxed_str();
            if let Some(word) = serde_json::from_str(&whole).ok().as_ref().and_then(blocked::prompt) {
                return Err(ProviderError::Blocked { host: host(), word });
            }
            let retry_after = wait::named(status, &incoming.headers, &whole, SystemTime::now());
            let body = message_of(&whole);
            return Err(ProviderError::of_status(self.asked, status, body, whole, retry_after));
        }
        let body = String::from_utf8(body).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            self.malformed(format!("invalid UTF-8 at byte {at}"))
        })?;
        let body = self.scrub(body);
        let body = text::json::mended(&body);
        let read = serde_json::from_str(&body).map_err(|error| {
            let reason = text::json::trouble(&error);
            if body.trim().is_empty() {
                self.broken("the body is empty".to_owned())
            } else if error.is_eof() {
                self.broken(format!("the body is cut: {reason}"))
            } else {
                self.malformed(format!("{reason}; it begins \"{}\"", text::excerpt(&body, 120)))
            }
        });
        Ok(Reply { json: read?, written: body.into_owned(), first_token_ms: None })
    }

    fn scrub(&self, text: String) -> String {
        self.secrets.iter().fold(text, |text, secret| secret.scrub(&text))
    }

    fn malformed(&self, reason: String) -> ProviderError {
        ProviderError::Malformed { host: self.asked.to_owned(), reason }
    }

    /// An answer that stopped before its end.
    fn broken(&self, reason: String) -> ProviderError {
        ProviderError::Broken { host: self.asked.to_owned(), reason, answered: true }
    }

    fn lost(&self, error: Lost) -> ProviderError {
        lost(self.asked, error)
    }
}

/// Why nothing came back.
pub(super) fn lost(host: &str, lost: Lost) -> ProviderError {
    let host = host.to_owned();
    match lost {
        Lost::Connect(reason) => ProviderError::Connect { host, reason },
        Lost::Certificate(reason) => ProviderError::Certificate { host, reason },
        Lost::Broken(reason) => ProviderError::Broken { host, reason, answered: false },
        Lost::TooLong => ProviderError::Malformed { host, reason: lost.to_string() },
    }
}

/// The error of a body that came with status 200, as the error that it is.
///
/// Gateways send one beside `choices`, inside a choice or inside its message when a provider fails midway.
/// One that says nothing (null, empty, zero) is none.
pub(super) fn error_within(reply: &Json, host: &str) -> Option<ProviderError> {
    let places = ["/error", "/errors", "/choices/0/error", "/choices/0/errors", "/choices/0/message/error"];
    let error =
        places.into_iter().filter_map(|place| reply.pointer(place)).find(|error| says_something(error))?;
    // The first of a list stands for all.
    let error =
        error.as_array().and_then(|list| list.iter().find(|one| says_something(one))).unwrap_or(error);
    if let Some(word) = blocked::prompt(&json!({ "error": error })) {
        return Some(ProviderError::Blocked { host: host.to_owned(), word });
    }
    let code = ["code", "status", "type"].into_iter().find_map(|name| error.get(name));
    let number = code.and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
    let status = number.and_then(|code| u16::try_from(code).ok()).filter(|code| (100..600).contains(code));
    let body = words_of(error).unwrap_or_else(|| text::excerpt(&error.to_string(), SHOWN));
    let named = code.and_then(Json::as_str);
    let status = status.or_else(|| named.map(status_of)).unwrap_or(200);
    let whole = error.to_string().into_boxed_str();
    let retry_after = wait::named(status, &HeaderMap::new(), &whole, SystemTime::now());
    let mut error = ProviderError::of_status(host, status, body, whole, retry_after);
    if let ProviderError::Status { answered, .. } = &mut error {
        *answered = true;
    }
    Some(error)
}

fn says_something(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => false,
        Json::Bool(true) => true,
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::String(text) => !text.trim().is_empty(),
        Json::Array(items) => items.iter().any(says_something),
        Json::Object(entries) => entries.values().any(says_something),
    }
}

/// The HTTP status that goes with an error's name, such as `invalid_api_key`; 200 where the name says nothing
/// of it.
fn status_of(name: &str) -> u16 {
    const WORDS: [(&str, u16); 14] = [
        ("rate_limit", 429),
        ("quota", 429),
        ("too_many", 429),
        ("overloaded", 503),
        ("unavailable", 503),
        ("timeout", 504),
        ("internal", 500),
        ("server_error", 500),
        ("api_key", 401),
        ("auth", 401),
        ("permission", 403),
        ("not_found", 404),
        ("invalid", 400),
        ("context_length", 400),
    ];
    let name = name.to_ascii_lowercase();
    WORDS.iter().find(|(word, _)| name.contains(word)).map_or(200, |(_, status)| *status)
}

fn words_of(error: &Json) -> Option<String> {
    let words = error.get("message").and_then(Json::as_str).or(error.as_str());
    words.map(|words| text::excerpt(words, SHOWN))
}

/// What an error body says: the provider's `error.message`, else the text without tags.
pub(super) fn message_of(body: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_inside_a_success_is_that_error() {
        let status = |reply: Json| match error_within(&reply, "h") {
            Some(ProviderError::Status { status, .. }) => Some(status),
            Some(other) => panic!("{other}"),
            None => None,
        };
        let errors = [
            (json!({ "code": 502, "message": "x" }), Some(502)),
            (json!({ "code": "503" }), Some(503)),
            (json!({ "code": 7, "message": "x" }), Some(200)),
            (json!({ "code": "invalid_api_key" }), Some(401)),
            (json!({ "type": "overloaded_error" }), Some(503)),
            (json!({ "code": "model_not_found" }), Some(404)),
            (json!({ "code": "mystery" }), Some(200)),
            (json!("model failed"), Some(200)),
            (json!(true), Some(200)),
            (json!(["x"]), Some(200)),
            (json!(null), None),
            (json!(false), None),
            (json!(""), None),
            (json!(0), None),
            (json!([]), None),
            (json!({}), None),
            (json!({ "code": 0, "message": "", "details": [{}] }), None),
        ];
        for (error, expected) in errors {
            assert_eq!(status(json!({ "error": error, "choices": [{}] })), expected, "{error}");
            assert_eq!(status(json!({ "choices": [{ "error": error }] })), expected, "{error}");
            assert_eq!(status(json!({ "errors": [null, error], "choices": [{}] })), expected, "{error}");
            assert_eq!(
                status(json!({ "choices": [{ "message": { "error": error } }] })),
                expected,
                "{error}"
            );
        }
        assert_eq!(status(json!({ "choices": [{ "message": { "content": "an error" } }] })), None);
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
