//! Parts of a schema that accept everything: a schema of annotations only, and misspelled keywords and formats.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value as Json;

use super::weaker::is_open;
use crate::expectation::Reading;
use crate::source::{Diagnostic, Node, Span, Value};
use crate::text;

/// Keywords with a schema.
const ONE: &str = "additionalProperties contains contentSchema else if items not propertyNames then unevaluatedItems \
    unevaluatedProperties additionalItems";

/// Keywords with a list of schemas.
const LIST: &str = "allOf anyOf oneOf prefixItems";

/// Keywords with schemas by name.
const NAMED: &str = "$defs definitions dependentSchemas dependencies patternProperties properties";

/// Keywords with something else.
const PLAIN: &str = "$anchor $comment $dynamicAnchor $dynamicRef $id $recursiveAnchor $recursiveRef $ref $schema $vocabulary \
    const contentEncoding contentMediaType default dependentRequired deprecated description enum examples \
    exclusiveMaximum exclusiveMinimum format maxContains maxItems maxLength maxProperties maximum \
    minContains minItems minLength minProperties minimum multipleOf pattern readOnly required title type \
    uniqueItems writeOnly";

/// What the value of a keyword is.
pub(super) enum Content {
    /// A schema, or a list of them.
    Schemas,
    /// Schemas by name.
    Named,
    /// No schema.
    No,
    /// Unknown.
    Unknown,
}

/// What the value of this keyword is.
pub(super) fn content(name: &str) -> Content {
    let is_in = |words: &str| words.split(' ').any(|word| word == name);
    match () {
        () if is_in(ONE) || is_in(LIST) => Content::Schemas,
        () if is_in(NAMED) => Content::Named,
        () if is_in(PLAIN) => Content::No,
        () => Content::Unknown,
    }
}

/// Annotations of other dialects, and words that people use for notes.
const NOTES: &str = "example id note notes nullable";

const FORMATS: &str = "date date-time duration email hostname idn-email idn-hostname ipv4 ipv6 iri iri-reference json-pointer \
    regex relative-json-pointer time uri uri-reference uri-template uuid";

const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// Reports parts that accept everything in the schema at this node.
pub(super) fn check(node: &Node, schema: &Json, reading: &mut Reading<'_>) {
    if accepts_all(schema) {
        let message = "this schema accepts any JSON".to_owned();
        reading.always_holds(
            node.start(),
            message,
            "add what is required, such as `type`, `required` or `properties`",
        );
        return;
    }
    schema_at(node, reading);
}

/// Whether a schema obviously accepts everything.
fn accepts_all(schema: &Json) -> bool {
    is_open(schema)
        || schema.as_object().is_some_and(|keywords| {
            keywords.iter().all(|(name, value)| {
                let list = value.as_array().map_or(&[][..], Vec::as_slice);
                match name.as_str() {
                    "allOf" => list.iter().all(accepts_all),
                    "anyOf" => list.iter().any(accepts_all),
                    "required" => list.is_empty(),
                    "properties" | "patternProperties" => {
                        value.as_object().is_some_and(|named| named.values().all(accepts_all))
                    }
                    "items" | "additionalProperties" | "propertyNames" => accepts_all(value),
                    "$defs" | "definitions" => true,
                    name => is_open(&serde_json::json!({ name: value })),
                }
            })
        })
}

/// The unknown type at this place of a schema, if there is one.
pub(super) fn unknown_type(path: &str, spot: Option<&Node>) -> Option<(Span, String, String)> {
    let keyword = path.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('/');
    let node = spot.filter(|_| keyword.ends_with("/type"))?;
    let listed = std::iter::once(node).chain(node.items());
    let (at, word) =
        listed.filter_map(|one| Some((one.span, one.as_str()?))).find(|(_, word)| !TYPES.contains(word))?;
    let help = text::meant(word, &TYPES, || format!("use one of {}", text::list(&TYPES)));
    Some((at, format!("unknown type `{}`", text::excerpt(word, 60)), help))
}

/// The reference to another document that made a schema unreadable, if there is one.
pub(super) fn foreign_reference(node: &Node, error: &ValidationError<'_>) -> Option<(Span, String, String)> {
    if !matches!(error.kind(), ValidationErrorKind::Referencing(_)) {
        return None;
    }
    let at = reference(node, &error.to_string())?;
    let message = "references to other documents are not allowed".to_owned();
    Some((at, message, "copy what it refers to under `$defs`, and refer to that: `#/$defs/NAME`".to_owned()))
}

/// The first reference to a document that the message names.
fn reference(node: &Node, message: &str) -> Option<Span> {
    let Value::Map(entries) = &node.value else {
        return node.items().iter().find_map(|item| reference(item, message));
    };
    entries.iter().find_map(|(key, value)| match (key.as_str(), value.as_str()) {
        (Some("$ref"), Some(target)) => {
            let document = target.split('#').next().unwrap_or_default();
            (!document.is_empty() && message.contains(document)).then_some(value.span)
        }
        _ => reference(value, message),
    })
}

fn schema_at(node: &Node, reading: &mut Reading<'_>) {
    let Value::Map(entries) = &node.value else { return };
    for (key, value) in entries {
        let Some(name) = key.as_str() else { continue };
        let is_in = |words: &str| words.split(' ').any(|word| word == name);
        if is_in(ONE) {
            schema_at(value, reading);
        } else if is_in(LIST) {
            value.items().iter().for_each(|one| schema_at(one, reading));
            if name == "anyOf" && value.items().iter().any(|one| accepts_all(&one.to_json())) {
                let message = "one of these schemas accepts any JSON, so `anyOf` has no effect".to_owned();
                reading.always_holds(key.span, message, "remove that schema, or add what it requires");
            }
        } else if is_in(NAMED) {
            let Value::Map(named) = &value.value else { continue };
            for (_, one) in named {
                schema_at(one, reading);
            }
        } else if name == "format" {
            format_at(value, reading);
        } else if !is_in(PLAIN) && !is_in(NOTES) {
            let known: Vec<_> =
                [ONE, LIST, NAMED, PLAIN].into_iter().flat_map(|words| words.split(' ')).collect();
            if let Some(near) = text::nearest(name, &known) {
                let message = format!(
                    "`{}` is not a JSON Schema keyword, so it has no effect",
                    text::excerpt(name, 60)
                );
                reading.always_holds(key.span, message, &format!("did you mean `{near}`?"));
            }
        }
    }
}

fn format_at(node: &Node, reading: &mut Reading<'_>) {
    let formats: Vec<_> = FORMATS.split(' ').collect();
    let Some(format) = node.as_str().filter(|format| !formats.contains(format)) else { return };
    let message = format!("unknown format `{}`", text::excerpt(format, 60));
    let help =
        text::meant(format, &formats, || format!("use one of {}, or a `pattern`", text::list(&formats)));
    reading.found.push(Diagnostic::error("unknown-format", reading.file, node.span, message).help(help));
}
