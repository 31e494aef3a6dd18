//! The keys of all kinds, and their JSON Schemas.

use serde_json::{Value as Json, json};
use strum::IntoEnumIterator as _;

use super::{NAMED, handoff, not, table, tools};
use crate::source::Field;
use crate::vocabulary::VerdictKind;

/// Every usable key of every kind, such as `contains.values`.
#[must_use]
pub fn keys() -> Vec<String> {
    let kinds = VerdictKind::iter().filter(|kind| *kind != VerdictKind::Custom);
    let keys = kinds.flat_map(|kind| {
        let paths = Field::paths(table(&kind)).into_iter();
        paths.map(move |path| format!("{kind}.{path}")).collect::<Vec<_>>()
    });
    let below = |part: &str, table: &[Field]| {
        Field::paths(table).into_iter().map(|path| format!("{part}.{path}")).collect::<Vec<_>>()
    };
    let calls = below("tools.called", tools::CALL);
    keys.chain(calls).chain(below("tools.called.count", tools::COUNT)).collect()
}

/// The JSON Schemas of keys with a structure of their own, by name.
#[must_use]
pub fn definitions() -> Vec<(&'static str, Json)> {
    tools::schemas().into_iter().chain([("carries", handoff::schema())]).collect()
}

/// The JSON Schema of `always:`: a list of expectations that may have a name.
#[must_use]
pub fn schema_of_rules() -> Json {
    let mut rule = schema();
    for kind in rule["oneOf"].as_array_mut().into_iter().flatten() {
        kind["properties"]["name"] = Field::schema(NAMED)["properties"]["name"].clone();
    }
    json!({ "type": "array", "items": rule })
}

/// The JSON Schema of `expected:`.
#[must_use]
pub fn schema() -> Json {
    let mut kinds: Vec<Json> = VerdictKind::iter()
        .filter(|kind| !matches!(kind, VerdictKind::Custom | VerdictKind::Not))
        .map(|kind| {
            let mut schema = Field::schema(table(&kind));
            schema["properties"]["type"] = json!({ "const": kind });
            schema
        })
        .collect();
    kinds.push(Field::schema(not::FIELDS));
    json!({ "description": "What the answer must be.", "oneOf": kinds })
}
