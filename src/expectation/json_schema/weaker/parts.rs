//! Parts of a JSON Schema.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

pub(super) type Schema = Map<String, Json>;

/// Annotations: keywords that accept everything.
pub(super) const NOTES: [&str; 9] = [
    "$schema",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// Whether a schema has annotations only, and so accepts everything.
pub(in crate::expectation::json_schema) fn is_open(schema: &Json) -> bool {
    match schema {
        Json::Bool(open) => *open,
        Json::Object(keywords) => keywords.keys().all(|name| NOTES.contains(&name.as_str())),
        _ => false,
    }
}

pub(super) fn items(list: &Json) -> &[Json] {
    list.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn entries(map: &Json) -> impl Iterator<Item = (&String, &Json)> {
    map.as_object().into_iter().flatten()
}

pub(super) fn types(value: &Json) -> BTreeSet<&str> {
    value.as_str().into_iter().chain(items(value).iter().filter_map(Json::as_str)).collect()
}
