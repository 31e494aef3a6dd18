//! What all pages have in common: one self-contained file with strict limits on what it may load and run.
//!
//! Each page has a content security policy that allows only akit's inline style and script, both by hash. All values
//! are escaped in one place, [`format`], so that no template can forget it.

use std::fmt::Write as _;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Error, Output, State, UndefinedBehavior, Value, escape_formatter};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::text;

/// The style and script of a page, and the policy that allows them.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Shell {
    policy: String,
    style: String,
    script: String,
    title: &'static str,
    /// Whether the browser lays out only what is in sight.
    many: bool,
    foot: String,
}

impl Shell {
    /// A page with this title and last line.
    pub(in crate::report) fn new(title: &'static str, many: bool, foot: String) -> Self {
        // A checkout may have CRLF. The HTML parser turns it into LF, and the hash is over what the parser sees.
        let style = include_str!("page.css").replace("\r\n", "\n");
        let script = include_str!("page.js").replace("\r\n", "\n");
        let policy = format!(
            "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
            hash(&style),
            hash(&script)
        );
        Self { policy, style, script, title, many, foot }
    }
}

/// Fills a template. Its values are escaped; a misspelled name in it is an error.
pub(in crate::report) fn fill(template: &str, values: impl Serialize) -> Result<String, Error> {
    Ok(trimmed(environment()?.render_named_str("page.html", template, Serde(values))?))
}

/// Marks where a filled template gets more text later; no value contains it.
pub(super) const GAP: char = '\0';

/// A part of a page that is filled many times.
pub(super) struct Part(Environment<'static>);

impl Part {
    /// Reads its template.
    pub(super) fn new(template: &'static str) -> Result<Self, Error> {
        let mut environment = environment()?;
        environment.add_template("part.html", template)?;
        Ok(Self(environment))
    }

    /// Fills it.
    pub(super) fn fill(&self, values: impl Serialize) -> Result<String, Error> {
        Ok(trimmed(self.0.get_template("part.html")?.render(Serde(values))?))
    }
}

/// The text without surrounding white space, and with one line break at the end.
fn trimmed(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    text.push('\n');
    text.trim_start().to_owned()
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).build()?);
    environment.set_formatter(format);
    environment.add_template("frame.html", include_str!("frame.html"))?;
    environment.add_template("parts.html", include_str!("parts.html"))?;
    Ok(environment)
}

fn format(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() => Ok(out.write_str(&escaped(text))?),
        _ => escape_formatter(out, state, value),
    }
}

/// Text for an element or a quoted attribute: no tag, no reference, no control character, nothing that reorders the
/// text around it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text::plain(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// `sha256-…`, as a content security policy names an inline element.
fn hash(text: &str) -> String {
    format!("sha256-{}", text::base64(&Sha256::digest(text.as_bytes())))
}

/// Text that may be cut, and how much of it is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(in crate::report) struct Excerpt {
    /// What is shown.
    pub(in crate::report) text: String,
    /// How many characters are missing; empty if none are.
    pub(in crate::report) more: String,
}

impl Excerpt {
    /// The first `most` characters.
    pub(in crate::report) fn new(all: &str, most: usize) -> Self {
        match all.char_indices().nth(most) {
            None => Self { text: all.to_owned(), more: String::new() },
            Some((end, _)) => {
                Self { text: all[..end].to_owned(), more: text::number::size(all[end..].chars().count()) }
            }
        }
    }
}

/// Names joined by commas.
pub(in crate::report) fn joined<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for name in names {
        let comma = if out.is_empty() { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(out, "{comma}{name}");
    }
    out
}

#[cfg(test)]
impl Shell {
    /// The beginning of a hash, as it is in a policy.
    pub(super) fn first_digits(digest: &[u8]) -> String {
        text::base64(&digest[..3])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_akits_own_markup_is_not() {
        let values = serde_json::json!({ "bad": "<b>&\"'\u{0}\u{202e}\r\n", "own": "<i>" });
        let text = fill("{{ bad }}|{{ own|safe }}|{{ 0.5 }}", values).unwrap();
        assert_eq!(text, "&lt;b&gt;&amp;&quot;&#39;\u{fffd}\u{fffd}\n|<i>|0.5\n");
        assert!(fill("{{ missing }}", ()).is_err());
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let vectors = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (text, encoded) in vectors {
            assert_eq!(text::base64(text.as_bytes()), encoded);
        }
    }

    #[test]
    fn an_excerpt_says_what_is_missing() {
        assert_eq!(Excerpt::new("größe", 5).more, "");
        let cut = Excerpt::new(&"ä".repeat(1_500), 3);
        assert_eq!((cut.text.as_str(), cut.more.as_str()), ("äää", "1,497"));
    }
}
