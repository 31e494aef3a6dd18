//! JSON Schemas: whether one refuses all that another refused.
//!
//! A keyword that is gone, or a limit that moved outwards, lets more through. What cannot be
//! compared, such as another pattern, counts as letting more through.

use std::collections::BTreeSet;

use super::document::{canonical, entries, items, place, same, start, value, words};
use crate::source::{Node, Span, Value};

/// Keywords that refuse nothing.
const NOTES: [&str; 11] = [
    "$schema",
    "$id",
    "$comment",
    "$anchor",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// Keywords behind which another schema stands.
const INNER: [&str; 7] = [
    "items",
    "contains",
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "propertyNames",
    "then",
];

/// Keywords with a schema for each name.
const NAMED: [&str; 5] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

/// In what a schema lets more through than before, each with its place.
pub(super) fn weaker(before: &Node, now: &Node) -> Vec<(Span, String)> {
    let mut found = Vec::new();
    compare(before, now, "", &mut found);
    found
}

fn compare(before: &Node, now: &Node, path: &str, found: &mut Vec<(Span, String)>) {
    match (&before.value, &now.value) {
        // `true` refuses nothing, and `false` refuses all.
        (Value::Bool(true), _) | (_, Value::Bool(false)) => return,
        (Value::Map(_), Value::Map(_)) => {}
        _ if same(before, now) => return,
        _ => {
            return found
                .push((start(now), format!("`{}` accepts more than before", path.trim_start_matches('.'))));
        }
    }
    for (key, old) in entries(Some(before)) {
        let Some(name) = key.as_str().filter(|name| !NOTES.contains(name)) else { continue };
        let path = format!("{path}.{name}");
        match now.get(name) {
            Some(new) => keyword(name, (old, new), (before, now), &path, found),
            None if is_void(name, old) => {}
            None if name == "enum" && one_of(old, now.get("const")) => {}
            None if name == "const" && only(old, now.get("enum")) => {}
            None => found.push((start(now), format!("`{}` is gone", path.trim_start_matches('.')))),
        }
    }
}

/// Whether a keyword refuses nothing anyway.
fn is_void(name: &str, old: &Node) -> bool {
    match &old.value {
        Value::Bool(yes) if name == "uniqueItems" => !yes,
        Value::Bool(yes) if INNER.contains(&name) => *yes,
        Value::List(items) if name == "required" => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        _ => name.starts_with("min") && name != "minimum" && value(old) == Some(0.0),
    }
}

fn one_of(all: &Node, one: Option<&Node>) -> bool {
    one.is_some_and(|one| items(Some(all)).iter().any(|item| same(item, one)))
}

fn only(one: &Node, all: Option<&Node>) -> bool {
    matches!(items(all), [only] if same(only, one))
}

fn keyword(
    name: &str,
    (old, new): (&Node, &Node),
    (before, now): (&Node, &Node),
    path: &str,
    found: &mut Vec<(Span, String)>,
) {
    if INNER.contains(&name) {
        return compare(old, new, path, found);
    }
    let at = place(now, &[name]);
    let mut tell = |message: String| found.push((at, message));
    let shown = path.trim_start_matches('.');
    if NAMED.contains(&name) {
        for (key, schema) in entries(Some(old)) {
            let Some(key) = key.as_str() else { continue };
            match new.get(key) {
                Some(other) => compare(schema, other, &format!("{path}.{key}"), found),
                None if name.ends_with("efs") || name == "definitions" => {}
                None if matches!(
                    now.get("additionalProperties").map(|n| &n.value),
                    Some(Value::Bool(false))
                ) => {}
                None => found.push((at, format!("`{shown}.{key}` is gone"))),
            }
        }
        // Where nothing else was accepted, one more name is one more that is.
        let closed = matches!(before.get("additionalProperties").map(|n| &n.value), Some(Value::Bool(false)));
        if closed && name.ends_with("roperties") {
            for (key, _) in entries(Some(new)) {
                if let Some(key) = key.as_str().filter(|key| old.get(key).is_none()) {
                    found.push((at, format!("`{shown}.{key}` is accepted now")));
                }
            }
        }
        return;
    }
    let limit = |outwards: fn(f64, f64) -> bool| match (value(old), value(new)) {
        (Some(old), Some(new)) => outwards(old, new).then(|| format!("`{shown}` was {old}, it is {new}")),
        _ => (!same(old, new)).then(|| format!("`{shown}` is another one")),
    };
    match name {
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" | "minContains" => {
            limit(|old, new| new < old).into_iter().for_each(tell);
        }
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" | "maxContains" => {
            limit(|old, new| new > old).into_iter().for_each(tell);
        }
        "required" => {
            let left = words(Some(new));
            for gone in words(Some(old)).iter().filter(|one| !left.contains(one)) {
                tell(format!("`{gone}` is no longer required"));
            }
        }
        "type" => {
            let (old, new) = (types(old), types(new));
            let fits = |one: &String| old.contains(one) || (one == "integer" && old.contains("number"));
            if !new.iter().all(fits) {
                tell(format!("`{shown}` accepts more than before"));
            }
        }
        "enum" => {
            if items(Some(new)).iter().any(|item| !one_of(old, Some(item))) {
                tell(format!("`{shown}` accepts more than before"));
            }
        }
        "anyOf" | "allOf" => {
            let keys = |node: &Node| items(Some(node)).iter().map(canonical).collect::<BTreeSet<_>>();
            let (old, new) = (keys(old), keys(new));
            if !(if name == "allOf" { old.is_subset(&new) } else { new.is_subset(&old) }) {
                tell(format!("`{shown}` is another one"));
            }
        }
        "uniqueItems" if matches!(new.value, Value::Bool(true)) => {}
        _ if same(old, new) => {}
        _ => tell(format!("`{shown}` is another one")),
    }
}

fn types(node: &Node) -> BTreeSet<String> {
    node.as_str()
        .map_or_else(|| words(Some(node)).into_iter().collect(), |one| BTreeSet::from([one.to_owned()]))
}
