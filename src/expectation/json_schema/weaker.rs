//! Where a JSON Schema accepts more than another.
//!
//! An empty result proves that the old schema accepts whatever the new one accepts. Keywords that depend on each other
//! (`properties` and `additionalProperties`, `items` and `prefixItems`, `contains` and `minContains`) are compared
//! together. Whatever cannot be shown to reject as much as before is reported.

mod limits;
mod parts;
mod references;

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::vocabulary::{WeakeningKind, Weaker};
use parts::{Schema, entries, items, types};

pub(in crate::expectation) use limits::order;
pub(super) use parts::is_open;
use references::{References, Targets};

/// Keywords whose schemas apply to the same value, and so decide what is left for `unevaluated…`.
const IN_PLACE: [&str; 8] = ["$ref", "allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas"];

const TRUE: &Json = &Json::Bool(true);

/// Where a schema requires less than before; keys begin at the schema.
pub(super) fn weaker(before: &Json, now: &Json) -> Vec<Weaker> {
    let references = References::of(before, now);
    let mut comparison = SchemaComparison::new(&references, false);
    if references.are_entangled {
        comparison.equal(&[], before, now);
    } else {
        comparison.schemas(before, now);
    }
    comparison.found
}

struct SchemaComparison<'a> {
    references: &'a References,
    /// Whether the caller also compares the other way around, so that comparisons of nested parts need not.
    is_half: bool,
    /// The keys that lead to the compared schemas.
    keys: Vec<String>,
    found: Vec<Weaker>,
}

/// The schema for the members of a value that have no schema of their own.
struct Members<'a> {
    keyword: &'static str,
    rest: &'a Json,
    /// Whether schemas of [`IN_PLACE`] may exempt members from it.
    is_partial: bool,
}

impl<'a> Members<'a> {
    /// The schema that applies to any such member, whatever other schemas say.
    fn all(&self) -> &'a Json {
        if self.is_partial { TRUE } else { self.rest }
    }
}

impl<'a> SchemaComparison<'a> {
    fn new(references: &'a References, is_half: bool) -> Self {
        Self { references, is_half, keys: Vec::new(), found: Vec::new() }
    }

    /// Reports a weakening at the schema, or at one of its keywords.
    fn report(&mut self, keyword: Option<&str>, message: String) {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).chain(keyword).collect();
        self.found.push(Weaker::new(WeakeningKind::SchemaLoosened, &keys, message));
    }

    /// The path of a keyword, for people.
    fn path(&self, keyword: &str) -> String {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).chain([keyword]).collect();
        keys.join(".")
    }

    fn removed(&mut self, keyword: &str) {
        self.report(None, format!("`{}` was removed", self.path(keyword)));
    }

    fn below(&mut self, keys: &[&str], before: &Json, now: &Json) {
        let depth = self.keys.len();
        self.keys.extend(keys.iter().map(|key| (*key).to_owned()));
        self.schemas(before, now);
        self.keys.truncate(depth);
    }

    /// Whether one schema rejects everything that another rejects.
    fn refuses(&self, now: &Json, before: &Json) -> bool {
        let mut probe = Self::new(self.references, self.is_half);
        probe.schemas(before, now);
        probe.found.is_empty()
    }

    /// Compares schemas that must accept the same.
    fn equal(&mut self, keys: &[&str], before: &Json, now: &Json) {
        let (half, known) = (std::mem::replace(&mut self.is_half, true), self.found.len());
        self.below(keys, before, now);
        if !half && self.found.len() == known && !self.refuses(before, now) {
            let (place, path) = (self.keys.len(), [self.keys.clone(), owned(keys)].concat().join("."));
            self.keys.extend(owned(keys));
            let message = if path.is_empty() {
                "definitions that other parts refer to have changed".to_owned()
            } else {
                format!("`{path}` has changed")
            };
            self.report(None, message);
            self.keys.truncate(place);
        }
        self.is_half = half;
    }

    fn schemas(&mut self, before: &Json, now: &Json) {
        let (old, new) = match (before, now) {
            // `true` accepts everything, and `false` nothing.
            (Json::Bool(true), _) | (_, Json::Bool(false)) => return,
            (Json::Object(old), Json::Object(new)) => (old, new),
            _ if before == now || is_open(before) => return,
            _ => return self.report(None, format!("`{}` accepts more than before", self.keys.join("."))),
        };
        let listed = limits::values(new).filter(|_| self.references.targets == Targets::None);
        if listed.is_some_and(|values| limits::all_valid(before, &values)) {
            return;
        }
        let references = self.references;
        for (name, old_value) in old.iter().filter(|(name, _)| !references.is_note(name)) {
            match name.as_str() {
                "properties"
                | "patternProperties"
                | "additionalProperties"
                | "unevaluatedProperties"
                | "prefixItems"
                | "items"
                | "unevaluatedItems"
                | "contains"
                | "minContains"
                | "maxContains"
                | "if"
                | "then"
                | "else" => {}
                "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum" => {
                    if !limits::bound(name, old_value, new) {
                        self.moved(name, old_value, new);
                    }
                }
                "const" | "enum" => {
                    if !limits::values(new).is_some_and(|values| limits::all_in(&values, old)) {
                        self.more(name, new);
                    }
                }
                _ => match new.get(name) {
                    Some(new_value) => self.keyword(name, old_value, new_value),
                    None if limits::is_void(name, old_value) => {}
                    None => self.removed(name),
                },
            }
        }
        self.properties(old, new);
        self.list_items(old, new);
        self.contained(old, new);
        self.conditional(old, new);
    }

    /// Reports a keyword that accepts more, or was removed.
    fn more(&mut self, name: &str, new: &Schema) {
        match new.get(name) {
            Some(_) => self.report(Some(name), format!("`{}` accepts more than before", self.path(name))),
            None => self.removed(name),
        }
    }

    /// Reports a limit that is wider, or was removed.
    fn moved(&mut self, name: &str, was: &Json, new: &Schema) {
        match new.get(name) {
            Some(is) => self.report(Some(name), format!("`{}` was {was}, now {is}", self.path(name))),
            None => self.removed(name),
        }
    }

    fn keyword(&mut self, name: &str, old: &Json, new: &Json) {
        let shown = self.path(name);
        let is_as_strict = match name {
            "minLength" | "minItems" | "minProperties" => {
                limits::order(new, old).is_some_and(Ordering::is_ge)
            }
            "maxLength" | "maxItems" | "maxProperties" => {
                limits::order(new, old).is_some_and(Ordering::is_le)
            }
            "multipleOf" => limits::is_multiple(new, old),
            "uniqueItems" => *old == Json::Bool(false) || *new == Json::Bool(true),
            "propertyNames" => return self.below(&[name], old, new),
            "$defs" | "definitions" | "dependentSchemas" => {
                for (key, schema) in entries(old) {
                    match new.get(key) {
                        Some(other) => self.below(&[name, key], schema, other),
                        None if name != "dependentSchemas" || is_open(schema) => {}
                        None => self.report(Some(name), format!("`{shown}.{key}` was removed")),
                    }
                }
                return;
            }
            "required" => return self.required(&[name], items(old), items(new)),
            "dependentRequired" => {
                for (key, needed) in entries(old) {
                    self.required(&[name, key], items(needed), new.get(key).map_or(&[], items));
                }
                return;
            }
            "type" => {
                let (old, new) = (types(old), types(new));
                let fits = |one: &&str| old.contains(one) || (*one == "integer" && old.contains("number"));
                new.iter().all(fits)
            }
            "allOf" => items(old).iter().all(|one| items(new).iter().any(|other| self.refuses(other, one))),
            "anyOf" => items(new).iter().all(|one| items(old).iter().any(|other| self.refuses(one, other))),
            "oneOf" if items(old).len() == items(new).len() => {
                for (at, (old, new)) in items(old).iter().zip(items(new)).enumerate() {
                    self.equal(&[name, &at.to_string()], old, new);
                }
                return;
            }
            "not" => self.refuses(old, new),
            _ => old == new,
        };
        if !is_as_strict {
            let message = match (name, old, new) {
                ("type" | "anyOf", ..) => format!("`{shown}` accepts more than before"),
                (_, Json::Number(was), Json::Number(is)) => format!("`{shown}` was {was}, now {is}"),
                _ => format!("`{shown}` has changed"),
            };
            self.report(Some(name), message);
        }
    }

    fn required(&mut self, keys: &[&str], old: &[Json], new: &[Json]) {
        let depth = self.keys.len();
        self.keys.extend(owned(keys));
        for lost in old.iter().filter(|one| !new.contains(one)).filter_map(Json::as_str) {
            self.report(None, format!("`{lost}` is no longer required"));
        }
        self.keys.truncate(depth);
    }

    /// The schema for what no other keyword covers.
    ///
    /// `unevaluated…` also exempts what schemas of [`IN_PLACE`] cover; if these have changed, nothing is known about
    /// it.
    fn rest<'s>(
        &self,
        [additional, unevaluated]: [&'static str; 2],
        schema: &'s Schema,
        before: Option<&Schema>,
    ) -> Members<'s> {
        let in_place =
            || IN_PLACE.into_iter().chain((unevaluated == "unevaluatedItems").then_some("contains"));
        let is_partial = in_place().any(|name| schema.contains_key(name));
        let is_same = before.is_none_or(|before| {
            in_place().all(|name| schema.get(name) == before.get(name))
                && (self.references.are_same || !is_partial)
        });
        match (schema.get(additional), schema.get(unevaluated)) {
            (Some(rest), _) => Members { keyword: additional, rest, is_partial: false },
            (None, Some(rest)) if is_same => Members { keyword: unevaluated, rest, is_partial },
            (None, _) => Members { keyword: additional, rest: TRUE, is_partial: false },
        }
    }

    /// Compares the schemas for all other members of a value.
    fn others(&mut self, old: &Members<'_>, new: &Members<'_>, schema: &Schema) {
        if old.keyword == new.keyword && schema.contains_key(new.keyword) {
            self.below(&[new.keyword], old.rest, new.rest);
        } else if !self.refuses(new.all(), old.rest) {
            match schema.get(old.keyword) {
                Some(_) => {
                    let message =
                        format!("`{}` exempts different members than before", self.path(old.keyword));
                    self.report(Some(old.keyword), message);
                }
                None => self.removed(old.keyword),
            }
        }
    }

    /// Compares the schema of a member that only one side names with the other side's schema for all other members.
    fn one_sided(&mut self, keyword: &str, key: &str, (old, new): (&Json, &Json), is_new: bool) {
        if !self.refuses(new, old) {
            let what = if !is_new {
                "was removed"
            } else if *old == Json::Bool(false) {
                "is accepted now"
            } else {
                "accepts more than before"
            };
            self.report(Some(keyword), format!("`{}.{key}` {what}", self.path(keyword)));
        }
    }

    fn properties(&mut self, old: &Schema, new: &Schema) {
        const REST: [&str; 2] = ["additionalProperties", "unevaluatedProperties"];
        let (was, is) = (self.rest(REST, old, None), self.rest(REST, new, Some(old)));
        let nothing = Json::Null;
        let keyed = |schema: &'_ Schema, name: &str| schema.get(name).cloned().unwrap_or(nothing.clone());
        let [before, now] = [old, new].map(|schema| keyed(schema, "properties"));
        let [patterns, matched] = [old, new].map(|schema| keyed(schema, "patternProperties"));
        // A pattern may exempt any name from the rest.
        let rest = if entries(&matched).next().is_some() { TRUE } else { is.all() };
        let names: BTreeSet<&String> = entries(&before).chain(entries(&now)).map(|(key, _)| key).collect();
        for key in names {
            match (before.get(key), now.get(key)) {
                (Some(one), Some(other)) => self.below(&["properties", key], one, other),
                (Some(one), None) => self.one_sided("properties", key, (one, rest), false),
                (None, other) => {
                    self.one_sided("properties", key, (was.rest, other.unwrap_or(TRUE)), true);
                }
            }
        }
        for (pattern, schema) in entries(&patterns) {
            match matched.get(pattern) {
                Some(other) => self.below(&["patternProperties", pattern], schema, other),
                None => self.one_sided("patternProperties", pattern, (schema, TRUE), false),
            }
        }
        for (pattern, schema) in entries(&matched).filter(|(pattern, _)| patterns.get(pattern).is_none()) {
            self.one_sided("patternProperties", pattern, (was.rest, schema), true);
        }
        self.others(&was, &is, new);
    }

    fn list_items(&mut self, old: &Schema, new: &Schema) {
        const REST: [&str; 2] = ["items", "unevaluatedItems"];
        let (was, is) = (self.rest(REST, old, None), self.rest(REST, new, Some(old)));
        let prefix =
            |schema: &'_ Schema| schema.get("prefixItems").map_or(Vec::new(), |all| items(all).to_vec());
        let (before, now) = (prefix(old), prefix(new));
        for at in 0..before.len().max(now.len()) {
            let key = at.to_string();
            match (before.get(at), now.get(at)) {
                (Some(one), Some(other)) => self.below(&["prefixItems", &key], one, other),
                (Some(one), None) => self.one_sided("prefixItems", &key, (one, is.all()), false),
                (None, other) => {
                    self.one_sided("prefixItems", &key, (was.rest, other.unwrap_or(TRUE)), true);
                }
            }
        }
        self.others(&was, &is, new);
    }

    /// Compares `contains`, and how many matches are required or allowed.
    fn contained(&mut self, old: &Schema, new: &Schema) {
        let Some(schema) = old.get("contains") else { return };
        let one = Json::from(1);
        let least = |schema: &'_ Schema| schema.get("minContains").unwrap_or(&one).clone();
        let (was, is) = (least(old), least(new));
        let most = old.get("maxContains");
        let Some(other) = new.get("contains") else {
            if most.is_some() || !limits::is_zero(&was) {
                self.removed("contains");
            }
            return;
        };
        if !limits::is_zero(&was) {
            self.below(&["contains"], schema, other);
            if !limits::order(&is, &was).is_some_and(Ordering::is_ge) {
                self.report(
                    Some("minContains"),
                    format!("`{}` was {was}, now {is}", self.path("minContains")),
                );
            }
        }
        if let Some(most) = most {
            if !new.get("maxContains").and_then(|is| limits::order(is, most)).is_some_and(Ordering::is_le) {
                self.moved("maxContains", most, new);
            }
            self.equal(&["contains"], schema, other);
        }
    }

    fn conditional(&mut self, old: &Schema, new: &Schema) {
        let Some(condition) = old.get("if") else { return };
        let branches = ["then", "else"].map(|name| (name, old.get(name).unwrap_or(TRUE)));
        let mut demanding = branches.into_iter().filter(|(_, schema)| !is_open(schema)).peekable();
        if demanding.peek().is_none() {
            return;
        }
        let Some(other) = new.get("if") else { return self.removed("if") };
        self.equal(&["if"], condition, other);
        for (name, schema) in demanding {
            match new.get(name) {
                Some(other) => self.below(&[name], schema, other),
                None => self.removed(name),
            }
        }
    }
}

fn owned(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

#[cfg(test)]
mod tests;
