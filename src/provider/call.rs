//! One call to a provider: JSON out, JSON back, or an error.

use std::time::{Instant, SystemTime};

use reqwest::header::HeaderMap;
use serde_json::{Value as Json, json};

use super::dialect::{Dialect, Piece, Reply};
use super::end::says_something;
use super::stream::{Events, Pace};
use super::{ProviderError, blocked, wait};
use crate::http::{self, Http, Incoming, Lost};
use crate::secret::Secret;
use crate::text;

/// Number of characters shown of an error body.
const SHOWN: usize = 300;

/// A JSON request.
pub(super) struct Call<'a> {
    /// The HTTP client.
    pub(super) http: &'a Http,
    /// Where it goes.
    pub(super) url: reqwest::Url,
    /// The address for display.
    pub(super) asked: &'a str,
    /// Its headers.
    pub(super) headers: &'a HeaderMap,
    /// Secrets to remove from the response before any excerpt is taken: half a key would not be found later.
    pub(super) secrets: Vec<&'a Secret>,
    /// The request body.
    pub(super) body: &'a Json,
}

impl Call<'_> {
    /// Sends it and reads the whole response.
    pub(super) async fn whole(&self) -> Result<Reply, ProviderError> {
        let mut incoming = self.open().await?;
        let body = self.rest(&mut incoming).await?;
        self.reply(&incoming, body)
    }

    /// Sends it and assembles the answer from a stream; a server that does not stream is read as usual.
    pub(super) async fn streamed(&self, dialect: &dyn Dialect) -> Result<Reply, ProviderError> {
        let began = Instant::now();
        let mut incoming = self.open().await?;
        let kind = incoming.headers.get("content-type").and_then(|kind| kind.to_str().ok());
        if !(200..300).contains(&incoming.status) || !kind.is_some_and(|kind| kind.contains("event-stream")) {
            let body = self.rest(&mut incoming).await?;
            return self.reply(&incoming, body);
        }
        let (mut events, mut whole, mut bytes) = (Events::default(), Json::Null, Vec::new());
        let (mut pace, mut ended) = (Pace::default(), false);
        loop {
            let more = incoming.more(&mut bytes).await.map_err(|lost| self.lost(lost))?;
            let found = if more { events.take(&bytes) } else { events.end() };
            let found = found.map_err(|error| match error.utf8_error().error_len() {
                None if !more => self.broken("an event of the stream is cut off".to_owned()),
                _ => self.malformed("invalid UTF-8 in the stream".to_owned()),
            })?;
            bytes.clear();
            for event in found {
                let is_error = event.is("error");
                let (data, _) = Secret::hide(self.secrets.iter().copied(), &event.data);
                if is_error {
                    return Err(self.event_of_error(&data));
                }
                // Other events have their type in their data.
                if data.is_empty() {
                    continue;
                }
                // The stream ends here, but the answer may be incomplete.
                if data.trim() == "[DONE]" {
                    continue;
                }
                let piece: Json = serde_json::from_str(&text::json::mended(&data)).map_err(|error| {
                    let reason = text::json::trouble(&error);
                    if error.is_eof() {
                        self.broken(format!("an event of the stream is cut off: {reason}"))
                    } else {
                        self.malformed(format!("{reason}; an event begins \"{}\"", text::excerpt(&data, 120)))
                    }
                })?;
                if let Some(error) = error_within(&piece, self.asked) {
                    return Err(error);
                }
                match dialect.piece(&mut whole, piece) {
                    Piece::Silent => {}
                    Piece::Token => pace.part(began.elapsed()),
                    Piece::End => ended = true,
                    Piece::Odd => {
                        let reason = format!("unknown event \"{}\" in the stream", text::excerpt(&data, 120));
                        return Err(self.malformed(reason));
                    }
                }
            }
            if !more {
                break;
            }
        }
        if !ended {
            return Err(self.broken("the stream stopped before the end of the answer".to_owned()));
        }
        // A key may be split across events.
        let (written, _) = Secret::hide(self.secrets.iter().copied(), &whole.to_string());
        let json = serde_json::from_str(&written).map_err(|error| self.malformed(error.to_string()))?;
        Ok(Reply { json, written, pace })
    }

    fn event_of_error(&self, data: &str) -> ProviderError {
        let read: Json = serde_json::from_str(&text::json::mended(data)).unwrap_or_else(|_| data.into());
        let own = read.get("error").filter(|error| says_something(error)).unwrap_or(&read);
        let error = error_within(&json!({ "error": own }), self.asked);
        error.unwrap_or_else(|| self.broken("the stream has an error without a message".to_owned()))
    }

    async fn open(&self) -> Result<Incoming, ProviderError> {
        let client = self.http.client_at(&self.url).map_err(|error| self.malformed(error.to_string()))?;
        let request = client.post(self.url.clone()).json(self.body).headers(self.headers.clone());
        http::open(request).await.map_err(|lost| self.lost(lost))
    }

    async fn rest(&self, incoming: &mut Incoming) -> Result<Vec<u8>, ProviderError> {
        let mut body = Vec::new();
        while incoming.more(&mut body).await.map_err(|lost| self.lost(lost))? {}
        Ok(body)
    }

    /// Reads a complete body.
    fn reply(&self, incoming: &Incoming, body: Vec<u8>) -> Result<Reply, ProviderError> {
        let host = || self.asked.to_owned();
        let status = incoming.status;
        if !(200..300).contains(&status) {
            let whole = self.scrub(String::from_utf8_lossy(&body).into_owned()).into_boxed_str();
            if let Some(word) =
                serde_json::from_str(&whole).ok().and_then(|body| blocked::prompt(&body, status))
            {
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
        let (body, _) = Secret::hide(self.secrets.iter().copied(), &body);
        let body = text::json::mended(&body);
        let read = serde_json::from_str(&body).map_err(|error| {
            let reason = text::json::trouble(&error);
            if body.trim().is_empty() {
                self.broken("the body is empty".to_owned())
            } else if error.is_eof() {
                self.broken(format!("the body is cut off: {reason}"))
            } else {
                self.malformed(format!("{reason}; it begins \"{}\"", text::excerpt(&body, 120)))
            }
        });
        Ok(Reply { json: read?, written: body.into_owned(), pace: Pace::default() })
    }

    fn scrub(&self, text: String) -> String {
        self.secrets.iter().fold(text, |text, secret| secret.scrub(&text))
    }

    fn malformed(&self, reason: String) -> ProviderError {
        ProviderError::Malformed { host: self.asked.to_owned(), reason }
    }

    /// The error for an incomplete answer.
    fn broken(&self, reason: String) -> ProviderError {
        ProviderError::Broken { host: self.asked.to_owned(), reason, answered: true }
    }

    fn lost(&self, error: Lost) -> ProviderError {
        lost(self.asked, error)
    }
}

/// The error for a failed connection.
pub(super) fn lost(host: &str, lost: Lost) -> ProviderError {
    let host = host.to_owned();
    match lost {
        Lost::Connect(reason) => ProviderError::Connect { host, reason },
        Lost::Name(reason) => ProviderError::Name { host, reason },
        Lost::Tls(reason) => ProviderError::Tls { host, reason },
        Lost::Certificate(reason) => ProviderError::Certificate { host, reason },
        Lost::Broken(reason) => ProviderError::Broken { host, reason, answered: false },
        Lost::TooLong => ProviderError::Malformed { host, reason: lost.to_string() },
    }
}

/// The error inside a body with status 200.
///
/// If a provider fails midway, gateways send an error instead of an answer: next to `choices`, inside a choice, or
/// inside the message of a choice. Empty values (null, zero, blank) and a reported success next to choices are not
/// errors.
pub(super) fn error_within(reply: &Json, host: &str) -> Option<ProviderError> {
    error_beside(reply, host, false)
}

/// Like [`error_within`], but for a body that may have an answer outside of `choices`.
pub(super) fn error_beside(reply: &Json, host: &str, is_answered: bool) -> Option<ProviderError> {
    let choices = reply.get("choices").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let is_answered = is_answered || !choices.is_empty();
    let messages = choices.iter().filter_map(|choice| choice.get("message"));
    let places = std::iter::once(reply).chain(choices).chain(messages);
    let named = places.flat_map(|place| ["error", "errors"].into_iter().filter_map(|name| place.get(name)));
    let is_itself =
        ["object", "type"].into_iter().any(|name| reply.get(name).is_some_and(|kind| kind == "error"));
    let error = named
        .chain(is_itself.then_some(reply))
        // The first of a list counts.
        .flat_map(|error| error.as_array().map_or(std::slice::from_ref(error), Vec::as_slice))
        .find(|error| says_something(error) && (!is_answered || !is_success(error)))?;
    let status = ["code", "status", "type"].into_iter().find_map(|name| status_of(error.get(name)?));
    let status = status.unwrap_or(200);
    if let Some(word) = blocked::prompt(&json!({ "error": error }), status) {
        return Some(ProviderError::Blocked { host: host.to_owned(), word });
    }
    let body = words_of(error).unwrap_or_else(|| text::excerpt(&error.to_string(), SHOWN));
    let whole = error.to_string().into_boxed_str();
    let retry_after = wait::named(status, &HeaderMap::new(), &whole, SystemTime::now());
    let mut error = ProviderError::of_status(host, status, body, whole, retry_after);
    if let ProviderError::Status { answered, .. } = &mut error {
        *answered = true;
    }
    Some(error)
}

/// Whether an error object reports success: `{"code": 0, "message": "success"}`.
fn is_success(error: &Json) -> bool {
    const WORDS: [&str; 5] = ["none", "ok", "success", "no error", "null"];
    if let Json::String(word) = error {
        return WORDS.contains(&word.trim().to_ascii_lowercase().as_str());
    }
    let Json::Object(members) = error else { return false };
    members.contains_key("code")
        && members.iter().all(|(name, value)| match name.as_str() {
            "message" | "msg" => value.as_str().is_some_and(|text| {
                ["", "ok", "success"].contains(&text.trim().to_ascii_lowercase().as_str())
            }),
            _ => !says_something(value),
        })
}

/// The HTTP status of an error's code, or the one that matches its name, such as `invalid_api_key`; `None` if
/// unknown.
fn status_of(code: &Json) -> Option<u16> {
    const WORDS: [(&str, u16); 16] = [
        ("ratelimit", 429),
        ("quota", 429),
        ("exhausted", 429),
        ("toomany", 429),
        ("overloaded", 503),
        ("unavailable", 503),
        ("timeout", 504),
        ("deadline", 504),
        ("internal", 500),
        ("servererror", 500),
        ("apikey", 401),
        ("auth", 401),
        ("permission", 403),
        ("notfound", 404),
        ("invalid", 400),
        ("contextlength", 400),
    ];
    let number = code.as_u64().or_else(|| code.as_str()?.trim().parse().ok());
    let number = number.and_then(|code| u16::try_from(code).ok()).filter(|code| (100..600).contains(code));
    number.or_else(|| {
        let name = code.as_str()?.to_ascii_lowercase().replace(['_', '-', ' '], "");
        WORDS.iter().find(|(word, _)| name.contains(word)).map(|(_, status)| *status)
    })
}

fn words_of(error: &Json) -> Option<String> {
    let words = error.get("message").and_then(Json::as_str).or(error.as_str());
    words.map(|words| text::excerpt(words, SHOWN))
}

/// The message of an error body: the provider's `error.message`, or the text without tags.
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
            (json!({ "code": "mystery", "type": "invalid_request_error" }), Some(400)),
            (json!({ "code": null, "type": "invalid_request_error", "param": "seed" }), Some(400)),
            (json!({ "code": "", "type": "authentication_error" }), Some(401)),
            (json!({ "code": null, "type": "rate_limit_error" }), Some(429)),
            (json!({ "code": null, "status": "", "type": "overloaded_error" }), Some(503)),
            (json!({ "code": 0, "type": "InternalServerError" }), Some(500)),
            (json!({ "code": 7, "status": "UNAVAILABLE" }), Some(503)),
            (json!({ "code": 0, "message": "failed" }), Some(200)),
            (json!({ "message": "success" }), Some(200)),
            (json!({ "code": 0, "message": "success" }), None),
            (json!({ "code": 0, "message": "OK", "data": null }), None),
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
        assert_eq!(status(json!({ "choices": [{}, { "error": { "code": 502 } }] })), Some(502));
        // In place of an answer.
        assert_eq!(status(json!({ "object": "error", "message": "x", "code": 500 })), Some(500));
        assert_eq!(status(json!({ "type": "error", "code": "server_error", "message": "x" })), Some(500));
        assert_eq!(status(json!({ "error": { "code": 0, "message": "success" } })), Some(200));
    }

    #[test]
    fn error_bodies_are_shown_by_their_message() {
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
