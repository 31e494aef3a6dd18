//! YAML trees as the comparisons look at them: values by key, and the places of keys.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::source::{Node, SourceFile, Span, SyntaxError, Value};
use crate::text;

/// A file as a tree.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file under the name that findings show.
    pub file: Arc<SourceFile>,
    /// What it says, variables of the environment as they are written.
    pub node: Node,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is not YAML.
    pub fn parse(file: Arc<SourceFile>) -> Result<Self, SyntaxError> {
        let node = Node::parse(&file)?;
        Ok(Self { file, node })
    }
}

/// The value behind keys, one below the other.
pub(super) fn below<'a>(node: &'a Node, keys: &[&str]) -> Option<&'a Node> {
    keys.iter().try_fold(node, |node, key| node.get(key))
}

/// The place of the deepest of these keys that is there; the node's own where none is.
pub(super) fn place(node: &Node, keys: &[&str]) -> Span {
    let mut span = start(node);
    let mut node = Some(node);
    for key in keys {
        let Some(Value::Map(entries)) = node.map(|node| &node.value) else { break };
        let Some((name, value)) = entries.iter().find(|(name, _)| name.as_str() == Some(key)) else { break };
        span = name.span;
        node = Some(value);
    }
    span
}

/// Where a node begins: a mapping at its first key.
pub(super) fn start(node: &Node) -> Span {
    match &node.value {
        Value::Map(entries) => entries.first().map_or(node.span, |(key, _)| key.span),
        _ => node.span,
    }
}

/// The number behind a key.
pub(super) fn number(node: &Node, key: &str) -> Option<f64> {
    node.get(key).and_then(value)
}

/// A node as a number.
#[expect(clippy::cast_precision_loss, reason = "limits and thresholds are small")]
pub(super) fn value(node: &Node) -> Option<f64> {
    match node.value {
        Value::Integer(value) => Some(value as f64),
        Value::Float(value) => Some(value),
        _ => None,
    }
}

/// The text behind a key.
pub(super) fn word<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key)?.as_str()
}

/// Whether a key says `true`.
pub(super) fn is_true(node: &Node, key: &str) -> bool {
    matches!(node.get(key).map(|node| &node.value), Some(Value::Bool(true)))
}

/// The entries of a list; none where it is no list.
pub(super) fn items(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.value) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

/// The entries of a mapping; none where it is no mapping.
pub(super) fn entries(node: Option<&Node>) -> &[(Node, Node)] {
    match node.map(|node| &node.value) {
        Some(Value::Map(entries)) => entries,
        _ => &[],
    }
}

/// The texts of a list.
pub(super) fn words(node: Option<&Node>) -> Vec<String> {
    items(node).iter().filter_map(Node::as_str).map(str::to_owned).collect()
}

/// A value for people.
pub(super) fn shown(value: &Json) -> String {
    match value {
        Json::String(value) => format!("`{}`", text::excerpt(value, 60)),
        Json::Null => "nothing".to_owned(),
        other => format!("`{}`", text::excerpt(&other.to_string(), 60)),
    }
}

/// The same data; whole numbers and others are the same where their values are.
pub(super) fn same(one: &Node, other: &Node) -> bool {
    canonical(one) == canonical(other)
}

/// One text for the same data, whatever the order of its keys.
pub(super) fn canonical(node: &Node) -> Vec<u8> {
    crate::canonical::bytes(&node.to_json())
}
