//! Writes YAML 1.2 that reads back unchanged, for any text.
//!
//! Text that could be read as anything else is in double quotes with escapes; text of several lines is a block if that
//! keeps every character.

use std::fmt::Write as _;

use crate::source::{Node, Value};
use crate::text;

/// Words that are not text in YAML 1.1 or 1.2, in lowercase.
const RESERVED: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// A value to write.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum YamlItem {
    /// Text.
    Text(String),
    /// A number, a boolean or `null`, verbatim.
    Bare(String),
    /// A list.
    List(Vec<YamlItem>),
    /// A mapping, in this order.
    Map(Vec<(String, YamlItem)>),
}

impl YamlItem {
    /// A mapping of these entries.
    pub(super) fn map<const N: usize>(entries: [(&str, YamlItem); N]) -> Self {
        YamlItem::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// Text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        YamlItem::Text(text.into())
    }

    /// A number without redundant digits.
    pub(super) fn number(number: f64) -> Self {
        YamlItem::Bare(format!("{number}"))
    }

    /// The value of a node, without places. Numbers that YAML cannot write plainly become text.
    pub(super) fn of(node: &Node) -> Self {
        match &node.value {
            Value::Null | Value::Waiting => YamlItem::Bare("null".to_owned()),
            Value::Bool(value) => YamlItem::Bare(value.to_string()),
            Value::Integer(value) => YamlItem::Bare(value.to_string()),
            Value::Float(value) if value.is_finite() => YamlItem::Bare(format!("{value:?}")),
            Value::Float(value) => YamlItem::Text(value.to_string()),
            Value::String(value) => YamlItem::Text(value.clone()),
            Value::List(items) => YamlItem::List(items.iter().map(YamlItem::of).collect()),
            Value::Map(entries) => {
                let key = |key: &Node| key.as_str().map_or_else(|| key.to_json().to_string(), str::to_owned);
                YamlItem::Map(entries.iter().map(|(name, value)| (key(name), YamlItem::of(value))).collect())
            }
        }
    }

    /// This value with `change` applied to every string.
    pub(super) fn map_texts(self, change: &mut impl FnMut(&str) -> String) -> Self {
        match self {
            YamlItem::Text(text) => YamlItem::Text(change(&text)),
            YamlItem::Bare(text) => YamlItem::Bare(text),
            YamlItem::List(items) => {
                YamlItem::List(items.into_iter().map(|item| item.map_texts(change)).collect())
            }
            YamlItem::Map(entries) => {
                YamlItem::Map(entries.into_iter().map(|(key, item)| (key, item.map_texts(change))).collect())
            }
        }
    }

    /// The lines of this document, without a final line break.
    pub(super) fn render(&self) -> String {
        let mut out = String::new();
        match self {
            YamlItem::Map(entries) if !entries.is_empty() => map(entries, 0, &mut out),
            YamlItem::List(items) if !items.is_empty() => list(items, 0, &mut out),
            other => value(other, 0, &mut out),
        }
        out.trim_matches('\n').trim_start().to_owned()
    }
}

fn indentation(depth: usize) -> String {
    "  ".repeat(depth)
}

fn map(entries: &[(String, YamlItem)], depth: usize, out: &mut String) {
    for (key, item) in entries {
        out.push('\n');
        out.push_str(&indentation(depth));
        out.push_str(&scalar(key));
        out.push(':');
        value(item, depth + 1, out);
    }
}

fn list(items: &[YamlItem], depth: usize, out: &mut String) {
    for item in items {
        out.push('\n');
        out.push_str(&indentation(depth));
        out.push('-');
        let before = out.len();
        value(item, depth + 1, out);
        // A mapping starts on the line of the dash.
        if matches!(item, YamlItem::Map(entries) if !entries.is_empty()) {
            out.replace_range(before..before + 1 + indentation(depth + 1).len(), " ");
        }
    }
}

/// The value after a key or a dash.
fn value(item: &YamlItem, depth: usize, out: &mut String) {
    match item {
        YamlItem::Map(entries) if !entries.is_empty() => map(entries, depth, out),
        YamlItem::List(items) if !items.is_empty() => list(items, depth, out),
        YamlItem::Map(_) => out.push_str(" {}"),
        YamlItem::List(_) => out.push_str(" []"),
        YamlItem::Bare(text) => {
            out.push(' ');
            out.push_str(text);
        }
        YamlItem::Text(text) if fits_block(text) && depth > 0 => {
            out.push_str(if text.ends_with('\n') { " |" } else { " |-" });
            for line in text.trim_end_matches('\n').split('\n') {
                out.push('\n');
                if !line.is_empty() {
                    out.push_str(&indentation(depth));
                    out.push_str(line);
                }
            }
        }
        YamlItem::Text(text) => {
            out.push(' ');
            out.push_str(&scalar(text));
        }
    }
}

/// Whether a block keeps every character of a string.
fn fits_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let plain = |c: char| c == '\n' || (text::inert(c) && !is_break(c));
    body.contains('\n')
        && !body.ends_with('\n')
        && body.starts_with(|c: char| !c.is_whitespace())
        && body.chars().all(plain)
        && body.lines().all(|line| !line.ends_with(' ') && (line.is_empty() || !line.trim().is_empty()))
}

/// Line breaks of other standards, and the byte-order mark.
fn is_break(c: char) -> bool {
    matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Text as a one-line YAML scalar, quoted if needed.
#[must_use]
pub fn scalar(text: &str) -> String {
    let simple = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || " _./-".contains(c))
        && !text.ends_with(' ')
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str());
    if simple { text.to_owned() } else { quoted(text) }
}

/// A JSON string is also a YAML one, once characters that would break or hide a line are escaped.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for c in serde_json::Value::from(text).to_string().chars() {
        // Writing to a string cannot fail.
        let _ = match u32::from(c) {
            _ if text::inert(c) && !is_break(c) => out.write_char(c),
            code @ ..=0xffff => write!(out, "\\u{code:04x}"),
            code => write!(out, "\\U{code:08x}"),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::SourceFile;

    fn read(text: &str) -> YamlItem {
        YamlItem::of(
            &Node::parse(&SourceFile::from_text("x.yaml", &format!("{text}\n")))
                .unwrap_or_else(|error| panic!("{error}\n{text}")),
        )
    }

    #[test]
    fn a_tree_is_easy_to_read() {
        let item = YamlItem::map([
            ("id", YamlItem::text("late return")),
            ("prompt", YamlItem::text("One.\n\n  Two: #3")),
            (
                "expected",
                YamlItem::map([(
                    "values",
                    YamlItem::List(vec![YamlItem::text("yes"), YamlItem::text("30 days")]),
                )]),
            ),
            (
                "parts",
                YamlItem::List(vec![YamlItem::map([
                    ("a", YamlItem::number(0.75)),
                    ("b", YamlItem::Map(vec![])),
                ])]),
            ),
        ]);
        insta::assert_snapshot!(item.render(), @r#"
        id: late return
        prompt: |-
          One.

            Two: #3
        expected:
          values:
            - "yes"
            - "30 days"
        parts:
          - a: 0.75
            b: {}
        "#);
        assert_eq!(read(&item.render()), item);
    }

    fn hostile() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[-:#&*!|>'\"%@`{}\\[\\],? \t\r\n\\\\=~.$a0]{0,12}",
            "(true|no|null|~|1e3|0x1f|2020-01-01|- a|a: b|# c|---|\\.\\.\\.|<<)\n?",
            "[ a\n\u{85}\u{2028}\u{feff}\u{0}\u{7f}]{0,8}",
        ]
        // Neither our files nor promptfoo's can contain these directly.
        .prop_map(|text| text.replace('\u{0}', ""))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn every_text_reads_back_unchanged(key in hostile(), one in hostile(), two in hostile()) {
            let item = YamlItem::map([
                ("list", YamlItem::List(vec![YamlItem::Text(one.clone()), YamlItem::map([("in", YamlItem::Text(two.clone()))])])),
                ("text", YamlItem::Text(two)),
                (&format!("k{key}"), YamlItem::Text(one)),
            ]);
            prop_assert_eq!(read(&item.render()), item);
        }
    }
}
