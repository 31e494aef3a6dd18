//! What the arguments of a call must be: members with equal values, or a JSON Schema.
//!
//! `type: object` marks a schema. A mapping with other keywords of a schema but without it is refused as ambiguous:
//! read as members, it would match no call, as if the call had never been made.

use serde_json::{Map, Value as Json};

use super::Reading;
use super::json_schema::{JsonSchema, order};
use crate::source::Node;
use crate::text;
use crate::vocabulary::{WeakeningKind, Weaker};

/// Keywords that only a schema has.
const KEYWORDS: [&str; 8] =
    ["$ref", "$schema", "additionalProperties", "allOf", "anyOf", "oneOf", "patternProperties", "properties"];

/// What arguments must be.
#[derive(Clone, Debug)]
pub enum Arguments {
    /// These members with these values; others do not matter.
    Members(Map<String, Json>),
    /// Whatever conforms to a schema.
    Schema(JsonSchema),
}

/// Whether arguments are as required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// As required.
    Met,
    /// Not as required: how they differ.
    Other(String),
    /// Unknown, because they are not a JSON object.
    Unread,
}

impl Arguments {
    /// Reads the value of the key `key`.
    pub fn read(key: &str, node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        let written = node.to_json();
        if written.get("type").and_then(Json::as_str) == Some("object") {
            return JsonSchema::of(node, reading).map(Self::Schema);
        }
        let Json::Object(members) = reading.fill_json(&written, node.span) else { return None };
        if let Some(keyword) = KEYWORDS.into_iter().find(|keyword| members.contains_key(*keyword)) {
            let message = format!("`{key}` has `{keyword}`: is it a JSON Schema?");
            let help = format!(
                "add `type: object` if it is; if `{keyword}` is an argument, write a schema: `type: object, \
                 properties: {{ {keyword}: {{ const: … }} }}`"
            );
            reading.refuse("wrong-value", node.start(), message, help);
        } else if members.is_empty() {
            let message = format!("`{key}` is empty, so any arguments match");
            reading.always_holds(node.start(), message, &format!("remove `{key}`, or name an argument"));
        }
        Some(Self::Members(members))
    }

    /// Compares the arguments of a call; a call without arguments counts as one with an empty object.
    #[must_use]
    pub fn fit(&self, arguments: &Json) -> Fit {
        let none = Json::Object(Map::new());
        let given = match arguments {
            Json::Null => &none,
            Json::Object(_) => arguments,
            Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => return Fit::Unread,
        };
        let other = match self {
            Self::Schema(schema) => schema.problem(given),
            Self::Members(members) => members.iter().find_map(|(name, wanted)| {
                let shown_name = text::excerpt(name, 60);
                match given.get(name) {
                    Some(value) if alike(wanted, value) => None,
                    Some(value) => Some(format!("`{shown_name}` is {}, not {}", shown(value), shown(wanted))),
                    None => Some(format!("`{shown_name}` is missing")),
                }
            }),
        };
        other.map_or(Fit::Met, Fit::Other)
    }

    /// Where a new version requires less; keys begin at the arguments.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        match (self, now) {
            (Self::Schema(old), Self::Schema(new)) => old.loosened(new),
            (Self::Members(old), Self::Members(new)) => {
                let lost =
                    old.iter().filter(|(name, value)| new.get(*name).is_none_or(|is| !alike(value, is)));
                let weaker = |(name, value): (&String, &Json)| {
                    let message = format!("`{}` had to be {}", text::excerpt(name, 60), shown(value));
                    Weaker::new(WeakeningKind::ValueRemoved, &[name], message)
                };
                lost.map(weaker).collect()
            }
            (Self::Members(_), Self::Schema(_)) | (Self::Schema(_), Self::Members(_)) => {
                let message = "the arguments changed from members to a JSON Schema, or back";
                vec![Weaker::new(WeakeningKind::ValueChanged, &[""; 0], message)]
            }
        }
    }

    /// What is required, for people.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Members(members) => shown(&Json::Object(members.clone())),
            Self::Schema(_) => "an object that conforms to a schema".to_owned(),
        }
    }

    /// Whether both require the same.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        self.weaker(other).is_empty() && other.weaker(self).is_empty()
    }
}

/// A value in a message.
fn shown(value: &Json) -> String {
    text::excerpt(&value.to_string(), 60)
}

/// Whether both are the same value; 1 equals 1.0.
pub(super) fn alike(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(_), Json::Number(_)) => {
            one == other || order(one, other).is_some_and(std::cmp::Ordering::is_eq)
        }
        (Json::Array(some), Json::Array(others)) => {
            some.len() == others.len() && some.iter().zip(others).all(|(one, other)| alike(one, other))
        }
        (Json::Object(some), Json::Object(others)) => {
            let is_there =
                |(name, value): (&String, &Json)| others.get(name).is_some_and(|is| alike(value, is));
            some.len() == others.len() && some.iter().all(is_there)
        }
        _ => one == other,
    }
}
