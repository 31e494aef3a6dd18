//! JSON: values give way inside texts, and the form stays.

use serde_json::Value as Json;

use super::{Redactor, credential};

impl Redactor {
    /// The same JSON with every text and number in it redacted, names aside.
    #[must_use]
    pub fn json(&self, value: &Json) -> Json {
        match value {
            Json::String(text) => self.text(text).into(),
            Json::Array(items) => items.iter().map(|item| self.json(item)).collect(),
            Json::Object(entries) => entries
                .iter()
                .map(|(key, value)| (key.clone(), self.json(value)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Json::Number(number) => {
                let (said, shown) = (number.to_string(), self.text(&number.to_string()));
                if shown == said { value.clone() } else { shown.into() }
            }
            other => other.clone(),
        }
    }

    /// A reply that may be JSON: where it is, only the texts and numbers in it give way, so that it
    /// says the same in the same form; else as any text.
    #[must_use]
    pub fn reply(&self, text: &str) -> String {
        if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
            return self.text(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut name = String::new();
        while let Some(open) = rest.find('"') {
            out.push_str(&self.bare(&rest[..open]));
            let end = closing(&rest[open..]).map_or(rest.len(), |at| open + at + 1);
            let literal = &rest[open..end];
            let said: String = serde_json::from_str(literal).unwrap_or_default();
            let is_name = rest[end..].trim_start().starts_with(':');
            let secret = !is_name && !said.is_empty() && credential::names_secret(&name);
            let shown = if secret && self.kinds.contains(&super::Kind::Secrets) {
                super::marker("secrets")
            } else {
                self.text(&said)
            };
            if shown == said {
                out.push_str(literal);
            } else {
                out.push_str(&Json::String(shown).to_string());
            }
            name = if is_name { said } else { String::new() };
            rest = &rest[end..];
        }
        out.push_str(&self.bare(rest));
        out
    }

    /// What stands between texts: numbers, words and punctuation.
    fn bare(&self, between: &str) -> String {
        let number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let mut out = String::with_capacity(between.len());
        let mut rest = between;
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit() || c == '-') {
            let end = rest[at..].find(|c| !number(c)).map_or(rest.len(), |end| at + end);
            let (digits, shown) = (&rest[at..end], self.text(&rest[at..end]));
            out.push_str(&rest[..at]);
            out.push_str(&if shown == digits { shown } else { Json::String(shown).to_string() });
            rest = &rest[end..];
        }
        out + rest
    }
}

/// The byte of the quote that ends the text that begins here.
fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().enumerate().skip(1).find_map(|(at, byte)| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends.then_some(at)
    })
}
