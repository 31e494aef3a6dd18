//! A YAML (or JSON) document as a small tree in which every key and value has its place.
//!
//! Scalars follow the core schema of YAML 1.2: `yes`, `on` and `no` are strings, `<<` is an ordinary key, and duplicate
//! keys are kept so that the reader can point at each of them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;

use super::{SourceFile, Span};

/// Deepest nesting of lists and mappings that is read.
pub const MAX_DEPTH: usize = 128;

/// A value and its place in the document.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Its place. The place of an alias is where it is used, not where its anchor was defined.
    pub span: Span,
}

/// The value of a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number, including whole numbers past `i64`.
    Float(f64),
    /// Text.
    String(String),
    /// Text with an unset environment variable, in a section that may not be used: it passes every check until it is
    /// used.
    Waiting,
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the document, including duplicate keys.
    Map(Vec<(Node, Node)>),
}

impl Value {
    /// The kind of value for messages, with its article.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Integer(_) | Value::Float(_) => "a number",
            Value::String(_) | Value::Waiting => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

impl Node {
    /// Reads the one document of `source`.
    ///
    /// # Errors
    /// Syntax errors, several documents, an alias bomb, nesting past [`MAX_DEPTH`]; each with the place where the
    /// parser stopped, if known.
    pub fn parse(source: &SourceFile) -> Result<Node, SyntaxError> {
        let Parsed(mut node) =
            serde_yaml::from_str_with_options(source.text(), options()).map_err(|error| {
                let at = error.location().filter(|at| at.line() > 0);
                SyntaxError {
                    message: words(&error),
                    span: at.map_or_else(Span::default, |at| within(span_of(&at), source)),
                }
            })?;
        node.keep_within(source);
        Ok(node)
    }

    /// Cuts the parser's places to the lines of the file.
    fn keep_within(&mut self, source: &SourceFile) {
        self.span = within(self.span, source);
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.keep_within(source)),
            Value::Map(entries) => {
                for (key, value) in entries {
                    key.keep_within(source);
                    value.keep_within(source);
                }
            }
            _ => {}
        }
    }

    /// The number, whole or not, if this is one.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "limits, thresholds and weights are small")]
    pub fn number(&self) -> Option<f64> {
        match self.value {
            Value::Integer(value) => Some(value as f64),
            Value::Float(value) => Some(value),
            Value::Null
            | Value::Bool(_)
            | Value::String(_)
            | Value::Waiting
            | Value::List(_)
            | Value::Map(_) => None,
        }
    }

    /// The string, if this is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value of the first entry with this key, if this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => {
                entries.iter().find(|(k, _)| k.as_str() == Some(key)).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Takes the list out of the first entry with this key; empty if there is no list.
    #[must_use]
    pub fn take_items(&mut self, key: &str) -> Vec<Node> {
        let Value::Map(entries) = &mut self.value else { return Vec::new() };
        let found = entries.iter_mut().find(|(name, _)| name.as_str() == Some(key)).map(|(_, value)| value);
        match found {
            Some(Node { value: Value::List(items), .. }) => std::mem::take(items),
            _ => Vec::new(),
        }
    }

    /// The entries of a list; empty if it is not a list.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The start of the value; for a mapping, the start of its first key.
    #[must_use]
    pub fn start(&self) -> Span {
        match &self.value {
            Value::Map(entries) => entries.first().map_or(self.span, |(key, _)| key.span),
            _ => self.span,
        }
    }

    /// The place of the deepest of these nested keys that exists; its own start if none does. Entries of a list are
    /// numbered from 0.
    #[must_use]
    pub fn place<K: AsRef<str>>(&self, keys: &[K]) -> Span {
        let (mut span, mut node) = (self.start(), self);
        for key in keys {
            let key = key.as_ref();
            let next = match &node.value {
                Value::Map(entries) => {
                    let entry = entries.iter().find(|(name, _)| name.as_str() == Some(key));
                    entry.map(|(name, value)| (name.span, value))
                }
                Value::List(items) => {
                    let item = key.parse().ok().and_then(|at: usize| items.get(at));
                    item.map(|item| (item.start(), item))
                }
                _ => None,
            };
            let Some((at, value)) = next else { break };
            (span, node) = (at, value);
        }
        span
    }

    /// The value as JSON, without places. Keys that are not text become their JSON text.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null | Value::Waiting => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Integer(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::String(value) => value.as_str().into(),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .map(|(key, value)| {
                    let name = match key.as_str() {
                        Some(text) => text.to_owned(),
                        None => key.to_json().to_string(),
                    };
                    (name, value.to_json())
                })
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

/// Why a document could not be read at all.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// What is wrong.
    pub message: String,
    /// Its place; line 0 if unknown.
    pub span: Span,
}

fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        strict_booleans: true,
        duplicate_keys: serde_yaml::DuplicateKeyPolicy::PassThrough,
        merge_keys: serde_yaml::MergeKeyPolicy::AsOrdinary,
        with_snippet: false,
        non_finite_float_policy: serde_yaml::NonFiniteFloatPolicy::PassThrough,
        budget: serde_yaml::budget! {
            max_depth: MAX_DEPTH,
            // 50,000 cases in one file are about five million nodes.
            max_nodes: 50_000_000,
            max_events: 100_000_000,
            max_total_scalar_bytes: 256 * 1024 * 1024,
            max_documents: 1,
            // One expectation can serve every case of a file: the cost of aliases is bounded by the number of nodes
            // they copy, not by how often they are used.
            max_aliases: 1_000_000,
            enforce_alias_anchor_ratio: false,
            // Beyond this, nested anchors are a bomb.
            max_recorded_anchor_events: 200_000,
        },
    }
}

/// The parser's message without its position, which is shown as a snippet.
fn words(error: &serde_yaml::Error) -> String {
    let full = error.without_snippet().to_string();
    let text = full.lines().next().unwrap_or_default();
    // The library's names for its limits mean nothing to a reader.
    let limits = [
        ("Documents {", "a second document starts here"),
        ("Depth {", "it is nested too deeply"),
        ("recursion limit", "it is nested too deeply"),
        ("recursive references", "an alias is inside its own anchor"),
        ("alias replay limit", "it is too large once its aliases are expanded"),
        ("budget breached", "it is too large once its aliases are expanded"),
    ];
    if let Some((_, plain)) = limits.iter().find(|(own, _)| text.contains(own)) {
        return (*plain).to_owned();
    }
    let lower = text.to_lowercase();
    // The parser escapes what cannot be seen.
    match lower.split_once("unexpected character: `").and_then(|(_, rest)| rest.chars().next()) {
        None | Some('\\') => {}
        Some('`') => return "text cannot start with a backtick; put it in quotes".to_owned(),
        Some(sign) => return format!("text cannot start with `{sign}`; put it in quotes"),
    }
    let known = TROUBLES.iter().find(|(own, _)| lower.contains(own)).map(|(_, plain)| *plain);
    known.unwrap_or("this is not valid after what comes before it").to_owned()
}

/// Messages of the parser for invalid YAML, each with a clearer replacement; the first match wins.
const TROUBLES: [(&str, &str); 23] = [
    ("unexpected character", "a control character, which YAML does not allow"),
    ("tab", "a tab where only spaces are allowed"),
    ("unclosed quote", "a quote is never closed"),
    ("quoted scalar, found", "`\\` in double quotes starts an unknown escape"),
    ("escape", "an unknown escape"),
    ("quoted scalar", "text right after a closing quote, or quoted text that is not indented"),
    ("document indicator", "a quote is not closed before the document ends"),
    ("unclosed bracket", "a bracket is never closed"),
    ("misplaced bracket", "a closing bracket without an opening one"),
    ("flow", "a comma is missing between brackets, or a bracket is never closed"),
    ("unexpected eof", "the file ends in the middle of something"),
    ("anchor", "an alias (`*name`) has no anchor (`&name`) above it"),
    ("mapping values are not allowed", "a `: ` where no value can start"),
    ("':'", "a `:` is missing, or is where no value can start"),
    ("simple key", "this line is not `key: value`"),
    ("expected key", "this line is not `key: value`, or is not indented like the lines above it"),
    ("mapping keys", "a key where none can start"),
    ("indent", "this line is not indented like the lines above it"),
    ("'-'", "a `-` where no list can start"),
    ("sequence", "a `-` where no list can start"),
    ("directive", "a line that starts with `%` needs quotes"),
    ("tag", "`!` starts a tag; put text that starts with it in quotes"),
    ("comment", "a comment's `#` needs a space before it, and cannot be inside text"),
];

fn within(span: Span, source: &SourceFile) -> Span {
    source.clamp(span.line, span.column, span.length)
}

fn span_of(at: &serde_yaml::Location) -> Span {
    let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    Span { line: number(at.line()), column: number(at.column()), length: number(at.span().len()) }
}

/// A node as the parser delivers it.
struct Parsed(Node);

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self(Node { value, span: span_of(&referenced) }))
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "a number past i64 is kept as a float")]
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Parsed(item)) = seq.next_element()? {
            items.push(item);
        }
        // A growing list reserves twice its size, at least four: that would be half the memory of a long document.
        items.shrink_to_fit();
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((Parsed(key), Parsed(value))) = map.next_entry()? {
            entries.push((key, value));
        }
        entries.shrink_to_fit();
        Ok(Value::Map(entries))
    }
}
