//! What a schema says that demands nothing: a schema of notes alone, and a keyword or a format that is misspelled.

use serde_json::Value as Json;

use super::weaker::is_open;
use crate::expectation::Reading;
use crate::source::{Diagnostic, Node, Value};
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

/// Notes of other dialects, and near words that people use for notes.
const NOTES: &str = "example id note notes nullable";

/// Formats that are checked.
const FORMATS: &str = "date date-time duration email hostname idn-email idn-hostname ipv4 ipv6 iri iri-reference json-pointer \
    regex relative-json-pointer time uri uri-reference uri-template uuid";

/// Tells what demands nothing in a schema, which stands at this node.
pub(super) fn check(node: &Node, schema: &Json, reading: &mut Reading<'_>) {
    if is_open(schema) {
        let message = "this schema accepts every JSON".to_owned();
        reading.always_holds(
            node.start(),
            message,
            "write what must be there: `type`, `required`, `properties`",
        );
    }
    schema_at(node, reading);
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
