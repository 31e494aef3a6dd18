//! Request headers, and which of their values are secret.

use reqwest::header::{HeaderName, HeaderValue};
use serde_json::Value as Json;

use super::template::Filling;
use super::{Pieces, Reader};
use crate::environment::Environment;
use crate::secret::Secret;
use crate::source::{Node, Value};
use crate::text;

/// A header with `{{NAME}}` in its value.
#[derive(Clone, Debug)]
pub struct OwnHeader {
    name: String,
    value: Pieces,
    /// The secret parts of the value: for `Bearer KEY`, the key.
    secrets: Vec<Secret>,
}

impl OwnHeader {
    /// Fills in environment variables.
    pub(super) fn fill_in(&mut self, environment: &Environment) {
        let written = self.value.written().to_owned();
        let (value, filled) = self.value.filled(environment);
        let is_secret = !is_open(&self.name)
            && (looks_secret(&self.name, value.head()) || (!filled.is_empty() && looks_secret(&written, "")));
        if is_secret {
            let words = value.head().split_whitespace();
            let words = words.filter(|word| !SCHEMES.contains(&word.to_ascii_lowercase().as_str()));
            self.secrets = words.map(Secret::new).chain(filled.iter().map(Secret::new)).collect();
        }
        self.value = value;
    }

    /// The names in its value that are variables of the case.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.value.variables()
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The header to send; `None` if it is invalid.
    pub(super) fn fill(&self, filling: &Filling<'_>) -> Option<(HeaderName, HeaderValue)> {
        let value = HeaderValue::from_str(&self.value.fill(filling, str::to_owned)).ok()?;
        Some((HeaderName::try_from(self.name.as_str()).ok()?, value))
    }

    /// Its secrets.
    pub(super) fn secrets(&self) -> impl Iterator<Item = Secret> {
        self.secrets.iter().cloned()
    }

    /// Whether its value contains one of these names.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.value.has(names)
    }
}

/// Words before a key.
const SCHEMES: [&str; 5] = ["bearer", "basic", "token", "apikey", "api-key"];

/// Whether a header is known to contain no secret.
fn is_open(name: &str) -> bool {
    const OPEN: [&str; 5] = ["accept", "accept-language", "content-type", "prefer", "user-agent"];
    OPEN.iter().any(|open| open.eq_ignore_ascii_case(name))
}

/// Whether a value, split at everything but letters and digits, has a part that is unlikely to be a word.
fn has_key(value: &str) -> bool {
    value.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| Secret::new(part).is_no_word())
}

/// An address or a path for display, without the parts of the path that look like keys.
pub fn without_keys(address: &str) -> String {
    let server = address.find("://").map_or(0, |at| at + 3);
    let path = address[server..].find('/').map_or(address.len(), |at| server + at);
    let parts = address[path..].split('/').map(|part| if has_key(part) { "***" } else { part });
    address[..path].to_owned() + &parts.collect::<Vec<_>>().join("/")
}

/// Whether a value looks like a secret, by its name or by itself.
#[must_use]
pub fn looks_secret(name: &str, value: &str) -> bool {
    const MARKS: [&str; 9] =
        ["auth", "cookie", "credential", "key", "pass", "pwd", "secret", "sign", "token"];
    let name = name.to_ascii_lowercase();
    let has = |is: fn(&u8) -> bool| value.bytes().any(|byte| is(&byte));
    let is_random = value.len() >= 12
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && !has(u8::is_ascii_whitespace);
    is_random || has_key(value) || MARKS.iter().any(|mark| name.contains(mark))
}

/// The secret parts of an address: its credentials, values of its query that are named or look like secrets, and
/// parts of its path that look like secrets.
pub(super) fn secrets_of_address(address: &str) -> Vec<&str> {
    let address = address.split('#').next().unwrap_or_default();
    let behind = address.split_once("://").map_or("", |(_, behind)| behind);
    let (place, query) = behind.split_once('?').unwrap_or((behind, ""));
    let (server, path) = place.split_once('/').unwrap_or((place, ""));
    let whoever = server.rsplit_once('@').map_or("", |(whoever, _)| whoever).split(':');
    let parts = path.split('/').filter(|part| looks_secret("", part));
    let values = query.split('&').filter_map(|pair| pair.split_once('=').or(Some(("", pair))));
    let values = values.filter(|(name, value)| looks_secret(name, value)).map(|(_, value)| value);
    whoever.chain(parts).chain(values).filter(|part| !part.is_empty()).collect()
}

/// The headers as written, for the cache key: an environment variable counts by its name, because keys are rotated and
/// a replay has none. A value that may still be a key counts by its digest.
pub(super) fn keyed(headers: &[OwnHeader]) -> String {
    let value = |header: &OwnHeader| {
        let written = header.value.written();
        if is_open(&header.name) { written.into() } else { crate::canonical::digest(&written.into()).into() }
    };
    let all = headers.iter().map(|header| (header.name.to_ascii_lowercase(), value(header)));
    Json::Object(all.collect()).to_string()
}

/// Reads headers and reports errors.
pub(super) fn read(reader: &mut Reader<'_, '_>, node: &Node) -> Option<Vec<OwnHeader>> {
    let Value::Map(entries) = &node.value else { return None };
    let mut all = Vec::new();
    for (key, value) in entries {
        let name = key.as_str().unwrap_or_default();
        let span = value.span;
        if HeaderName::try_from(name).is_err() {
            reader.wrong(
                key.span,
                format!("`{}` is not a valid header name", text::excerpt(name, 60)),
                "use letters, digits and `-`",
            );
            continue;
        }
        let written = match &value.value {
            Value::String(text) => text.clone(),
            Value::Integer(_) | Value::Float(_) | Value::Bool(_) => value.to_json().to_string(),
            other => {
                reader.wrong(
                    span,
                    format!("a header must be a string, found {}", other.kind()),
                    "put it in quotes",
                );
                continue;
            }
        };
        let pieces =
            Pieces::parse(written.trim()).and_then(|pieces| match HeaderValue::from_str(pieces.head()) {
                _ if pieces.has(&["messages"]) => {
                    Err("`{{messages}}` is a list and cannot be part of a string".to_owned())
                }
                Ok(_) => Ok(pieces),
                Err(_) => Err("it contains a line break or another invalid character".to_owned()),
            });
        match pieces {
            Ok(value) => {
                all.push(OwnHeader { name: name.to_owned(), value, secrets: Vec::new() });
            }
            Err(trouble) => reader.wrong(
                span,
                format!("header `{name}`: {trouble}"),
                "write it on one line, and names as `{{name}}`",
            ),
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::secrets_of_address;

    #[test]
    fn secret_parts_of_an_address_are_not_shown() {
        let table: [(&str, &[&str]); 18] = [
            ("https://bot.example/abcdefghijklmnopqrstuvwx/chat", &["abcdefghijklmnopqrstuvwx"]),
            ("https://bot.example/a1b2c3d4/chat", &["a1b2c3d4"]),
            ("https://bot.example/chat?s=qwertyuiopasdfghj", &["qwertyuiopasdfghj"]),
            ("https://bot.example/x-abcdefghijklmnopqrst", &["x-abcdefghijklmnopqrst"]),
            ("https://bot.example/customer-service/conversations_and_messages?lang=de-AT", &[]),
            ("https://bot.example/v2/sessions/2024-10-01", &[]),
            ("https://bot.example/chat", &[]),
            ("https://bot.example/?key=abc", &["abc"]),
            ("https://bot.example?u=ann&access_token=abc&lang=de", &["abc"]),
            ("https://bot.example/chat?sig=a1b2c3d4e5f6g7", &["a1b2c3d4e5f6g7"]),
            ("https://bot.example/chat?a1b2c3d4e5f6g7", &["a1b2c3d4e5f6g7"]),
            ("https://ann:pass@bot.example/chat", &["ann", "pass"]),
            ("https://t0k3n@bot.example", &["t0k3n"]),
            ("https://bot.example/bot123456:AAH-abcdef/send", &["bot123456:AAH-abcdef"]),
            ("https://hooks.example/services/T0/B0/x1y2z3x1y2z3", &["x1y2z3x1y2z3"]),
            ("https://bot.example/v1/conversations/messages", &[]),
            ("https://bot.example/?u=1#key=a1b2c3d4e5f6", &[]),
            ("https://bot.example:8443/api/v2?q=two+words", &[]),
        ];
        for (address, secrets) in table {
            assert_eq!(secrets_of_address(address), secrets, "{address}");
        }
    }
}
