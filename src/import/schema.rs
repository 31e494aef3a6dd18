//! Assertions about JSON, and the schemas in them.

use std::sync::Arc;

use super::assertion::{Assertion, Refusal, all, regex};
use super::document::Excerpt;
use super::yaml::YamlItem;
use crate::source::{Node, SourceFile, Value};

/// Keywords of JSON Schema that promptfoo's validator takes otherwise: name, whether it is one with a text or
/// with a mapping only, and what differs.
const OTHER_SCHEMA: [(&str, Keyword, &str); 3] = [
    ("format", Keyword::Text, "akit checks no `format`; a `pattern` does"),
    (
        "dependencies",
        Keyword::Map,
        "akit checks no `dependencies`; `dependentRequired` and `dependentSchemas` do",
    ),
    ("nullable", Keyword::Bool, "JSON Schema knows no `nullable`; write `type: [string, \"null\"]`"),
];

/// What stands behind a keyword; anything else there is a property of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keyword {
    Text,
    Map,
    Bool,
}

/// The schema under `value`, or one that everything obeys.
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
            .map_err(|error| Refusal::new(error.to_string(), "put the schema into the file"))?,
        Some(text) => read(text).ok_or_else(|| Refusal::new("the schema is no YAML", "mend it"))?,
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
        _ => Err(Refusal::new("its schema is no mapping", "write a JSON Schema")),
    }
}

/// JSON somewhere in the answer.
pub(super) fn contained(assertion: &Assertion<'_>, near: &mut Vec<String>) -> Result<YamlItem, Refusal> {
    if assertion.inverse {
        return Err(Refusal::new(
            "akit looks for JSON in the first fenced block or the whole answer only",
            "`regex` with `not` finds what must not stand in the answer",
        ));
    }
    near.push("the JSON is the first fenced block or the whole answer, not any piece of it".to_owned());
    // promptfoo looks for objects alone.
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

/// Data whose texts are taken as they are; promptfoo fills no variables in them.
pub(super) fn without_templates(part: &Excerpt) -> Result<YamlItem, Refusal> {
    let mut braces = false;
    let item = YamlItem::of(&part.node).map_texts(&mut |text| {
        braces |= text.contains("{{");
        crate::environment::literal(text)
    });
    if braces {
        return Err(Refusal::new("it has double braces inside of data", "write the value out"));
    }
    Ok(item)
}

/// The answer has no fenced block, in which akit would look for JSON and promptfoo does not.
pub(super) fn no_fence() -> YamlItem {
    regex("^(?![\\s\\S]*```)[\\s\\S]".to_owned())
}

/// The whole answer is JSON that obeys a schema; `json_schema` alone takes a fenced block too.
pub(super) fn bare_json(schema: YamlItem) -> YamlItem {
    // A schema that says nothing looks like a slip; what is meant is any JSON at all.
    let kinds = ["array", "boolean", "null", "number", "object", "string"].map(YamlItem::text);
    let any = || YamlItem::map([("type", YamlItem::List(kinds.to_vec()))]);
    let schema = if schema == YamlItem::Map(Vec::new()) { any() } else { schema };
    all(vec![no_fence(), YamlItem::map([("type", YamlItem::text("json_schema")), ("schema", schema)])])
}
