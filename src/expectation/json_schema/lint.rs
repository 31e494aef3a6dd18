//! What a schema says that demands nothing: a schema of notes alone, and a keyword or a format that is misspelled.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value as Json;

use super::weaker::is_open;
use crate::expectation::Reading;
use crate::source::{Diagnostic, Node, Span, Value};
use crate::text;

/// Keywords that hold a schema.
const ONE: &str = "additionalProperties contains contentSchema else if items not propertyNames then unevaluatedItems \
    unevaluatedProperties additionalItems";

/// Keywords that hold a list of schemas.
const LIST: &str = "allOf anyOf oneOf prefixItems";

/// Keywords that hold schemas by name.
const NAMED: &str = "$defs definitions dependentSchemas dependencies patternProperties properties";

/// Keywords that hold something else.
const PLAIN: &str = "$anchor $comment $dynamicAnchor $dynamicRef $id $recursiveAnchor $recursiveRef $ref $schema $vocabulary \
    const contentEncoding contentMediaType default dependentRequired deprecated description enum examples \
    exclusiveMaximum exclusiveMinimum format maxContains maxItems maxLength maxProperties maximum \
    minContains minItems minLength minProperties minimum multipleOf pattern readOnly required title type \
    uniqueItems writeOnly";

/// What a keyword holds.
pub(super) enum Holds {
    /// A schema, or a list of them.
    Schemas,
    /// Schemas by name.
    Named,
    /// None.
    No,
    /// Nobody knows.
    Unknown,
}

/// What the keyword of a name holds.
pub(super) fn holds(name: &str) -> Holds {
    let is_in = |words: &str| words.split(' ').any(|word| word == name);
    match () {
        () if is_in(ONE) || is_in(LIST) => Holds::Schemas,
        () if is_in(NAMED) => Holds::Named,
        () if is_in(PLAIN) => Holds::No,
        () => Holds::Unknown,
    }
}

/// Notes of other dialects, and near words that people use for notes.
const NOTES: &str = "example id note notes nullable";

/// Formats that are checked.
const FORMATS: &str = "date date-time duration email hostname idn-email idn-hostname ipv4 ipv6 iri iri-reference json-pointer \
    regex relative-json-pointer time uri uri-reference uri-template uuid";

/// Types of JSON.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// Tells what demands nothing in a schema, which stands at this node.
pub(super) fn check(node: &Node, schema: &Json, reading: &mut Reading<'_>) {
    if accepts_all(schema) {
        let message = "this schema accepts every JSON".to_owned();
        reading.always_holds(
            node.start(),
            message,
            "write what must be there: `type`, `required`, `properties`",
        );
        return;
    }
    schema_at(node, reading);
}

/// Whether a schema refuses nothing, as far as that is seen at once.
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

/// A word that is no type, at this place of a schema.
pub(super) fn unknown_type(path: &str, spot: Option<&Node>) -> Option<(Span, String, String)> {
    let keyword = path.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('/');
    let node = spot.filter(|_| keyword.ends_with("/type"))?;
    let listed = std::iter::once(node).chain(node.items());
    let (at, word) =
        listed.filter_map(|one| Some((one.span, one.as_str()?))).find(|(_, word)| !TYPES.contains(word))?;
    let help = text::meant(word, &TYPES, || format!("there are {}", text::list(&TYPES)));
    Some((at, format!("unknown type `{}`", text::excerpt(word, 60)), help))
}

/// The reference to another document that a schema could not be read for.
pub(super) fn foreign_reference(node: &Node, error: &ValidationError<'_>) -> Option<(Span, String, String)> {
    if !matches!(error.kind(), ValidationErrorKind::Referencing(_)) {
        return None;
    }
    let told = error.to_string();
    let at = reference(node, &told)?;
    let message = "references to other documents are refused".to_owned();
    Some((at, message, "write what it refers to under `$defs`, and refer to that: `#/$defs/NAME`".to_owned()))
}

/// The first reference to a document that is named there.
fn reference(node: &Node, told: &str) -> Option<Span> {
    let Value::Map(entries) = &node.value else {
        return node.items().iter().find_map(|item| reference(item, told));
    };
    entries.iter().find_map(|(key, value)| match (key.as_str(), value.as_str()) {
        (Some("$ref"), Some(target)) => {
            let document = target.split('#').next().unwrap_or_default();
            (!document.is_empty() && told.contains(document)).then_some(value.span)
        }
        _ => reference(value, told),
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
                let message =
                    "one of these schemas accepts every JSON, so `anyOf` demands nothing".to_owned();
                reading.always_holds(key.span, message, "remove that schema, or write what it demands");
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
                let message =
                    format!("`{}` is no keyword of JSON Schema: it demands nothing", text::excerpt(name, 60));
                reading.always_holds(key.span, message, &format!("did you mean `{near}`?"));
            }
        }
    }
}

fn format_at(node: &Node, reading: &mut Reading<'_>) {
    let formats: Vec<_> = FORMATS.split(' ').collect();
    let Some(format) = node.as_str().filter(|format| !formats.contains(format)) else { return };
    let message = format!("unknown format `{}`", text::excerpt(format, 60));
    let help = text::meant(format, &formats, || {
        format!("there are {}; others are said with `pattern`", text::list(&formats))
    });
    reading.found.push(Diagnostic::error("unknown-format", reading.file, node.span, message).help(help));
}
