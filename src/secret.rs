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

    /// The text with every occurrence of the value replaced by `***`.
    ///
    /// Values under six characters are left alone: they would blank out ordinary words.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        if self.0.len() < 6 { text.to_owned() } else { text.replace(&self.0, "***") }
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
    fn a_secret_prints_stars() {
        let key = Secret::new("sk-live-1234");
        assert_eq!(format!("{key} {key:?}"), "*** ***");
        assert_eq!(key.scrub("bad key sk-live-1234!"), "bad key ***!");
    }
}
