//! Values that must never be shown.

use std::fmt;

/// Text that `Debug` and `Display` print as `***`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the value is unlikely to be a word in an answer: `refunds` is one, even if someone uses it as a key.
    #[must_use]
    pub fn is_no_word(&self) -> bool {
        let has = |is: fn(&u8) -> bool| self.0.bytes().any(|byte| is(&byte));
        let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
        self.0.len() >= if is_mixed { 8 } else { 16 } && !has(u8::is_ascii_whitespace)
    }

    /// The text with every occurrence of the value replaced by `***`.
    ///
    /// Values under six characters stay: replacing them would blank out ordinary words.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        if self.0.len() < 6 { text.to_owned() } else { text.replace(&self.0, "***") }
    }
}

impl Secret {
    /// The text without any of these secrets, for display.
    #[must_use]
    pub fn scrub_all<'a>(secrets: impl IntoIterator<Item = &'a Self>, text: &str) -> String {
        secrets.into_iter().fold(text.to_owned(), |text, secret| secret.scrub(&text))
    }

    /// The text of an answer without those secrets that are unlikely to be words, and whether it contained any.
    #[must_use]
    pub fn hide<'a>(secrets: impl IntoIterator<Item = &'a Self>, text: &str) -> (String, bool) {
        let keys = secrets.into_iter().filter(|secret| secret.is_no_word());
        let hidden = Self::scrub_all(keys, text);
        let is_other = hidden != text;
        (hidden, is_other)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_words_of_an_answer_are_not_keys() {
        for (value, is_key) in [
            ("refunds", false),
            ("antidisestablish", true),
            ("hunter2", false),
            ("pw12345678", true),
            ("1234567890", false),
            ("sk-live-1234", true),
            ("two words of 2024", false),
        ] {
            assert_eq!(Secret::new(value).is_no_word(), is_key, "{value}");
        }
    }

    #[test]
    fn a_secret_prints_stars() {
        let key = Secret::new("sk-live-1234");
        assert_eq!(format!("{key} {key:?}"), "*** ***");
        assert_eq!(key.scrub("bad key sk-live-1234!"), "bad key ***!");
    }
}
