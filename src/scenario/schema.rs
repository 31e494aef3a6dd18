//! The JSON Schema of the format, for editors. It comes from the tables that check files.

use serde_json::{Value as Json, json};

use super::table::{CASE, MESSAGE, SCENARIO};
use crate::expectation;
use crate::source::Field;

/// JSON Schema 2020-12 of a scenario file.
#[must_use]
pub fn schema() -> Json {
    let mut schema = Field::schema(SCENARIO);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "akit scenario".into();
    schema["$defs"] = json!({
        "cases": { "type": "array", "minItems": 1, "items": Field::schema(CASE) },
        "prompt": { "oneOf": [
            { "type": "string" },
            { "type": "array", "minItems": 1, "items": Field::schema(MESSAGE) },
        ] },
        "functions": { "type": "array", "items": { "type": "object" } },
        "expected": expectation::schema(),
        "expectations": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/expected" } },
    });
    schema
}
