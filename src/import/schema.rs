//! Assertions about JSON, and the schemas in them.

use std::sync::Arc;

use super::assertion::{Assertion, Refusal, all, regex};
use super::document::Excerpt;
use super::yaml::YamlItem;
use crate::source::{Node, SourceFile, Value};

/// JSON Schema keywords that promptfoo's validator treats differently: the name, the type its value must have to be
/// that keyword, and the difference.
const OTHER_SCHEMA: [(&str, Keyword, &str); 3] = [
    ("format", Keyword::Text, "akit does not check `format`; use `pattern`"),
    (
        "dependencies",
        Keyword::Map,
        "akit does not check `dependencies`; use `dependentRequired` and `dependentSchemas`",
    ),
    ("nullable", Keyword::Bool, "JSON Schema has no `nullable`; use `type: [string, \"null\"]`"),
];

/// The type of a keyword's value; with a value of any other type, the key is the name of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keyword {
    Text,
    Map,
    Bool,
}

/// The schema under `value`, or one that accepts everything.
pub(super) fn of(assertion: &Assertion<'_>, near: &mut Vec<String>) -> Result<YamlItem, Refusal> {
    let Some(value) = assertion.part.get("value").filter(|value| !matches!(value.node.value, Value::Null))
    else {
        return Ok(YamlItem::Map(Vec::new()));
    };
    let read = |text: &str| {
        let file = SourceFile::from_text("schema", text);
        let node = Node::parse(&file).ok()?;
        Some(Excerpt { node, file: Arc::new(file) })
    };
    let value = match value.node.as_str() {
        Some(name) if name.starts_with("file://") => assertion
            .folder
            .document(name)
            .map_err(|error| Refusal::new(error.to_string(), "move the schema into the suite"))?,
        Some(text) => read(text).ok_or_else(|| Refusal::new("the schema is not valid YAML", "fix it"))?,
        None => value,
    };
    for (key, text, what) in OTHER_SCHEMA {
        if has_keyword(&value.node, key, text) {
            near.push(what.to_owned());
        }
    }
    match value.node.value {
        Value::Map(_) => without_templates(&value),
        Value::Bool(true) => Ok(YamlItem::Map(Vec::new())),
        _ => Err(Refusal::new("its schema is not a mapping", "use a JSON Schema")),
    }
}

/// JSON somewhere in the answer.
pub(super) fn contained(assertion: &Assertion<'_>, near: &mut Vec<String>) -> Result<YamlItem, Refusal> {
    if assertion.inverse {
        return Err(Refusal::new(
            "akit only looks for JSON in the first fenced block or the whole answer",
            "use `not` with a `regex` for what the answer must not contain",
        ));
    }
    near.push("the JSON is the first fenced block or the whole answer, not any piece of it".to_owned());
    // promptfoo only looks for objects.
    let object = YamlItem::map([("type", YamlItem::text("object"))]);
    let schema = self::of(assertion, near)?;
    let of = |schema| YamlItem::map([("type", YamlItem::text("json_schema")), ("schema", schema)]);
    if schema == YamlItem::Map(Vec::new()) {
        return Ok(of(object));
    }
    Ok(all(vec![of(object), of(schema)]))
}

/// Whether a schema uses a keyword anywhere.
fn has_keyword(node: &Node, key: &str, kind: Keyword) -> bool {
    let used = |value: &Node| match value.value {
        Value::String(_) => kind == Keyword::Text,
        Value::Map(_) => kind == Keyword::Map,
        Value::Bool(_) => kind == Keyword::Bool,
        _ => false,
    };
    match &node.value {
        Value::List(items) => items.iter().any(|item| has_keyword(item, key, kind)),
        Value::Map(entries) => entries
            .iter()
            .any(|(name, value)| name.as_str() == Some(key) && used(value) || has_keyword(value, key, kind)),
        _ => false,
    }
}

/// Data whose strings are literal, since promptfoo fills no variables in them.
pub(super) fn without_templates(part: &Excerpt) -> Result<YamlItem, Refusal> {
    let mut braces = false;
    let item = YamlItem::of(&part.node).map_texts(&mut |text| {
        braces |= text.contains("{{");
        crate::environment::literal(text)
    });
    if braces {
        return Err(Refusal::new("its data contains double braces", "write the value out"));
    }
    Ok(item)
}

/// Expects that the answer has no fenced block, in which akit would look for JSON but promptfoo would not.
pub(super) fn no_fence() -> YamlItem {
    regex("^(?![\\s\\S]*```)[\\s\\S]".to_owned())
}

/// Expects that the whole answer is JSON that matches a schema; `json_schema` alone also accepts a fenced block.
pub(super) fn bare_json(schema: YamlItem) -> YamlItem {
    // An empty schema looks like a mistake; what is meant is any JSON.
    let kinds = ["array", "boolean", "null", "number", "object", "string"].map(YamlItem::text);
    let any = || YamlItem::map([("type", YamlItem::List(kinds.to_vec()))]);
    let schema = if schema == YamlItem::Map(Vec::new()) { any() } else { schema };
    all(vec![no_fence(), YamlItem::map([("type", YamlItem::text("json_schema")), ("schema", schema)])])
}
