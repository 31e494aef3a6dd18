//! One call to a provider: JSON there, JSON back, and what else came instead.

use std::time::SystemTime;

use reqwest::header::HeaderMap;
use serde_json::Value as Json;

use super::{ProviderError, wait};
use crate::http::{self, Http, Lost};
use crate::secret::Secret;
use crate::text;
use crate::vocabulary::StopReason;

/// Characters of an error body that are shown.
const SHOWN: usize = 300;

/// A body that was read.
#[derive(Debug)]
pub(super) struct Reply {
    /// What it says.
    pub(super) json: Json,
    /// As it was written.
    pub(super) written: String,
}

/// Posts JSON and reads JSON.
///
/// The key is blanked out of whatever comes back, before anything of it is cut to length: half a
/// key would pass by later.
pub(super) async fn post(
    http: &Http,
    url: &str,
    host: &str,
    headers: &[(&'static str, String)],
    key: Option<&Secret>,
    body: &Json,
) -> Result<Reply, ProviderError> {
    let host = || host.to_owned();
    let malformed = |reason: String| ProviderError::Malformed { host: host(), reason };
    let client = http.client().map_err(|error| malformed(error.to_string()))?;
    let request = headers
        .iter()
        .fold(client.post(url).json(body), |request, (name, value)| request.header(*name, value));
    let received = http::send(request).await.map_err(|error| lost(&host(), error))?;
    let scrub = |text: String| match key {
        Some(key) => key.scrub(&text),
        None => text,
    };
    let status = received.status;
    if !(200..300).contains(&status) {
        let whole = scrub(String::from_utf8_lossy(&received.body).into_owned()).into_boxed_str();
        if let Some(word) = serde_json::from_str(&whole).ok().as_ref().and_then(blocked_prompt) {
            return Err(ProviderError::Blocked { host: host(), word });
        }
        let retry_after = wait::named(status, &received.headers, &whole, SystemTime::now());
        let body = message_of(&whole);
        return Err(ProviderError::of_status(&host(), status, body, whole, retry_after));
    }
    let body = String::from_utf8(received.body).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        malformed(format!("invalid UTF-8 at byte {at}"))
    })?;
    let body = scrub(body);
    let body = text::json::mended(&body);
    let read = serde_json::from_str(&body).map_err(|error| {
        let reason = text::json::trouble(&error);
        if body.trim().is_empty() {
            ProviderError::Broken { host: host(), reason: "the body is empty".to_owned() }
        } else if error.is_eof() {
            ProviderError::Broken { host: host(), reason: format!("the body is cut: {reason}") }
        } else {
            malformed(format!("{reason}; it begins \"{}\"", text::excerpt(&body, 120)))
        }
    });
    Ok(Reply { json: read?, written: body.into_owned() })
}

/// Why nothing came back.
pub(super) fn lost(host: &str, lost: Lost) -> ProviderError {
    let host = host.to_owned();
    match lost {
        Lost::Connect(reason) => ProviderError::Connect { host, reason },
        Lost::Certificate(reason) => ProviderError::Certificate { host, reason },
        Lost::Broken(reason) => ProviderError::Broken { host, reason },
        Lost::TooLong => ProviderError::Malformed { host, reason: lost.to_string() },
    }
}

/// The stop word of a prompt that a platform blocked: Azure says so in the error of a 400, Gemini in place of an answer.
pub(super) fn blocked_prompt(body: &Json) -> Option<String> {
    const FILTERED: &str = "content_filter";
    let reason = ["/promptFeedback/blockReason", "/prompt_feedback/block_reason"];
    let reason = reason.into_iter().find_map(|place| body.pointer(place)?.as_str());
    if let Some(word) = reason.filter(|word| !word.ends_with("UNSPECIFIED")) {
        let is_known = StopReason::of(Some(word)) == StopReason::Filtered;
        return Some(if is_known { word } else { FILTERED }.to_owned());
    }
    let places = ["/error/code", "/error/innererror/code", "/code"];
    let codes = places.into_iter().filter_map(|place| body.pointer(place)?.as_str());
    let is_blocked =
        |code: &str| code == FILTERED || code.eq_ignore_ascii_case("ResponsibleAIPolicyViolation");
    codes.into_iter().any(is_blocked).then(|| FILTERED.to_owned())
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
    let code = ["code", "status", "type"].into_iter().find_map(|name| error.get(name));
    let number = code.and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
    let status = number.and_then(|code| u16::try_from(code).ok()).filter(|code| (100..600).contains(code));
    let body = words_of(error).unwrap_or_else(|| text::excerpt(&error.to_string(), SHOWN));
    let named = code.and_then(Json::as_str);
    let status = status.or_else(|| named.map(status_of)).unwrap_or(200);
    let whole = error.to_string().into_boxed_str();
    let retry_after = wait::named(status, &HeaderMap::new(), &whole, SystemTime::now());
    Some(ProviderError::of_status(host, status, body, whole, retry_after))
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
    use serde_json::json;

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
