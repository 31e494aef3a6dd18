//! In what a JSON Schema lets more through than another: keyword by keyword. What cannot be shown to refuse as
//! much as before is named.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::vocabulary::{WeakeningKind, Weaker};

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

/// In what a schema demands less than before; keys begin at the schema.
pub(super) fn weaker(before: &Json, now: &Json) -> Vec<Weaker> {
    let mut comparison = SchemaComparison { keys: Vec::new(), found: Vec::new() };
    comparison.schemas(before, now);
    comparison.found
}

struct SchemaComparison {
    /// The keys that lead to the schemas under comparison.
    keys: Vec<String>,
    found: Vec<Weaker>,
}

impl SchemaComparison {
    /// Something at the schema, or at one of its keywords.
    fn tell(&mut self, keyword: Option<&str>, message: String) {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).chain(keyword).collect();
        self.found.push(Weaker::new(WeakeningKind::SchemaLoosened, &keys, message));
    }

    /// Where a keyword stands, for people.
    fn path(&self, keyword: &str) -> String {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).chain([keyword]).collect();
        keys.join(".")
    }

    fn below(&mut self, keys: &[&str], before: &Json, now: &Json) {
        let depth = self.keys.len();
        self.keys.extend(keys.iter().map(|key| (*key).to_owned()));
        self.schemas(before, now);
        self.keys.truncate(depth);
    }

    fn schemas(&mut self, before: &Json, now: &Json) {
        let (old, new) = match (before, now) {
            // `true` refuses nothing, and `false` refuses all.
            (Json::Bool(true), _) | (_, Json::Bool(false)) => return,
            (Json::Object(old), Json::Object(new)) => (old, new),
            _ if before == now => return,
            _ => return self.tell(None, format!("`{}` accepts more than before", self.keys.join("."))),
        };
        for (name, old) in old.iter().filter(|(name, _)| !NOTES.contains(&name.as_str())) {
            match new.get(name) {
                Some(new) => self.keyword(name, (old, new), (before, now)),
                None if is_void(name, old) => {}
                None if name == "enum" && new.get("const").is_some_and(|one| items(old).contains(one)) => {}
                None if name == "const" && new.get("enum").is_some_and(|all| items(all) == [old.clone()]) => {
                }
                None => self.tell(None, format!("`{}` is gone", self.path(name))),
            }
        }
    }

    fn keyword(&mut self, name: &str, (old, new): (&Json, &Json), (before, now): (&Json, &Json)) {
        if INNER.contains(&name) {
            return self.below(&[name], old, new);
        }
        if NAMED.contains(&name) {
            return self.named(name, (old, new), (before, now));
        }
        let shown = self.path(name);
        let mut message = None;
        match name {
            "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" | "minContains" => {
                message = outwards(&shown, old, new, |old, new| new < old);
            }
            "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" | "maxContains" => {
                message = outwards(&shown, old, new, |old, new| new > old);
            }
            "required" => {
                for gone in items(old).iter().filter(|one| !items(new).contains(one)) {
                    let gone = gone.as_str().unwrap_or_default();
                    self.tell(Some(name), format!("`{gone}` is no longer required"));
                }
            }
            "type" => {
                let (old, new) = (types(old), types(new));
                let fits = |one: &&str| old.contains(one) || (*one == "integer" && old.contains("number"));
                message = (!new.iter().all(fits)).then(|| format!("`{shown}` accepts more than before"));
            }
            "enum" => {
                let more = items(new).iter().any(|item| !items(old).contains(item));
                message = more.then(|| format!("`{shown}` accepts more than before"));
            }
            "anyOf" | "allOf" => {
                let (old, new) = (items(old), items(new));
                let (all, some) = if name == "allOf" { (new, old) } else { (old, new) };
                let kept = some.iter().all(|one| all.contains(one));
                message = (!kept).then(|| format!("`{shown}` is another one"));
            }
            "uniqueItems" if *new == Json::Bool(true) => {}
            _ => message = (old != new).then(|| format!("`{shown}` is another one")),
        }
        if let Some(message) = message {
            self.tell(Some(name), message);
        }
    }

    /// A keyword with a schema for each name.
    fn named(&mut self, name: &str, (old, new): (&Json, &Json), (before, now): (&Json, &Json)) {
        let closed = |schema: &Json| schema.get("additionalProperties") == Some(&Json::Bool(false));
        for (key, schema) in entries(old) {
            match new.get(key) {
                Some(other) => self.below(&[name, key], schema, other),
                None if name.ends_with("efs") || name == "definitions" || closed(now) => {}
                None => self.tell(Some(name), format!("`{}.{key}` is gone", self.path(name))),
            }
        }
        // Where nothing else was accepted, one more name is one more that is.
        if closed(before) && name.ends_with("roperties") {
            for (key, _) in entries(new).filter(|(key, _)| old.get(key).is_none()) {
                self.tell(Some(name), format!("`{}.{key}` is accepted now", self.path(name)));
            }
        }
    }
}

fn items(list: &Json) -> &[Json] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn entries(map: &Json) -> impl Iterator<Item = (&String, &Json)> {
    map.as_object().into_iter().flatten()
}

fn types(value: &Json) -> BTreeSet<&str> {
    value.as_str().into_iter().chain(items(value).iter().filter_map(Json::as_str)).collect()
}

/// Whether a keyword refuses nothing anyway.
fn is_void(name: &str, old: &Json) -> bool {
    match old {
        Json::Bool(yes) if name == "uniqueItems" => !yes,
        Json::Bool(yes) if INNER.contains(&name) => *yes,
        Json::Array(items) if name == "required" => items.is_empty(),
        Json::Object(entries) => entries.is_empty(),
        _ => name.starts_with("min") && name != "minimum" && old.as_f64() == Some(0.0),
    }
}

/// What is said of a limit that moved the wrong way.
fn outwards(shown: &str, old: &Json, new: &Json, wrong: fn(f64, f64) -> bool) -> Option<String> {
    match (old.as_f64(), new.as_f64()) {
        (Some(was), Some(is)) => wrong(was, is).then(|| format!("`{shown}` was {was}, it is {is}")),
        _ => (old != new).then(|| format!("`{shown}` is another one")),
    }
}
