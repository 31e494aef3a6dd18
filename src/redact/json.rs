//! JSON: values are removed from strings, names and numbers; the structure stays.

use serde_json::Value as Json;

use super::{Redactor, credential};

impl Redactor {
    /// The JSON value with every string, name and number redacted.
    #[must_use]
    pub fn json(&self, value: &Json) -> Json {
        let text = self.reply(&value.to_string());
        serde_json::from_str(&text).unwrap_or_else(|_| super::marker("text").into())
    }

    /// Redacts an answer that may be JSON: in JSON, only strings and numbers are replaced, so that its structure stays;
    /// anything else is redacted as plain text.
    #[must_use]
    pub fn reply(&self, text: &str) -> String {
        if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
            return self.text(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut name = String::new();
        while let Some(open) = rest.find('"') {
            self.bare(&rest[..open], &mut name, &mut out);
            let end = closing(&rest[open..]).map_or(rest.len(), |at| open + at + 1);
            let literal = &rest[open..end];
            let said: String = serde_json::from_str(literal).unwrap_or_default();
            let is_name = rest[end..].trim_start().starts_with(':');
            let secret = !is_name && !said.is_empty() && self.is_secret(&name);
            let shown = if secret { super::marker("secrets") } else { self.text(&said) };
            if shown == said {
                out.push_str(literal);
            } else {
                out.push_str(&Json::String(shown).to_string());
            }
            if is_name {
                name = said;
            }
            rest = &rest[end..];
        }
        self.bare(rest, &mut name, &mut out);
        out
    }

    fn is_secret(&self, name: &str) -> bool {
        self.kinds.contains(&super::Kind::Secrets) && credential::names_secret(name)
    }

    /// Redacts what is between strings, after a name: numbers, words and punctuation.
    fn bare(&self, between: &str, name: &mut String, out: &mut String) {
        let number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let mut rest = between;
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit() || matches!(c, '-' | '}')) {
            out.push_str(&rest[..at]);
            let end = rest[at..].find(|c| !number(c)).map_or(rest.len(), |end| at + end).max(at + 1);
            let digits = &rest[at..end];
            let shown = match digits {
                // What follows the end of a mapping has no name.
                "}" => {
                    name.clear();
                    digits.to_owned()
                }
                _ if self.is_secret(name) => super::marker("secrets"),
                _ => self.text(digits),
            };
            out.push_str(&if shown == digits { shown } else { Json::String(shown).to_string() });
            rest = &rest[end..];
        }
        out.push_str(rest);
    }
}

/// The byte of the closing quote of the string that starts here.
fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().enumerate().skip(1).find_map(|(at, byte)| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends.then_some(at)
    })
}
