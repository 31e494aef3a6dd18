//! What the parts of a schema refer to: a part that others refer to is compared for all of them at once.

use serde_json::Value as Json;

use super::NOTES;

/// Keywords below which a schema that accepts less may let more through.
const TURNING: [&str; 3] = ["not", "if", "oneOf"];

/// How the parts of two schemas refer to each other.
pub(super) struct References {
    /// Whether there is no reference.
    pub(super) are_none: bool,
    /// Whether all references are to the schema as a whole or to a definition, so that no other name counts.
    pub(super) are_plain: bool,
    /// Whether more may be let through where a part accepts less: such schemas have to accept the same.
    pub(super) are_entangled: bool,
    /// Whether the definitions are word by word the same.
    pub(super) are_same: bool,
}

impl References {
    pub(super) fn of(before: &Json, now: &Json) -> Self {
        let mut references = Self { are_none: true, are_plain: true, are_entangled: false, are_same: true };
        let defined = |schema: &Json| ["$defs", "definitions"].map(|name| schema.get(name).cloned());
        references.are_same = defined(before) == defined(now);
        for schema in [before, now] {
            references.walk(schema, false, true);
        }
        references.are_entangled |= !references.are_plain;
        references
    }

    /// Whether a keyword refuses nothing.
    pub(super) fn is_note(&self, name: &str) -> bool {
        let names = ["$id", "$anchor", "$dynamicAnchor"];
        NOTES.contains(&name) || (names.contains(&name) && self.are_plain)
    }

    fn walk(&mut self, part: &Json, is_turned: bool, is_root: bool) {
        match part {
            Json::Array(all) => all.iter().for_each(|one| self.walk(one, is_turned, false)),
            Json::Object(keywords) => {
                for (name, value) in keywords {
                    match (name.as_str(), value) {
                        ("$ref", Json::String(target)) => {
                            self.are_none = false;
                            self.are_plain &= is_plain(target);
                            self.are_entangled |= is_turned;
                        }
                        ("$dynamicRef" | "$recursiveRef", Json::String(_)) => self.are_plain = false,
                        // References below it are to what it names.
                        ("$id", Json::String(_)) if !is_root => self.are_plain = false,
                        (name, _) => {
                            let counts = name == "contains" && keywords.contains_key("maxContains");
                            self.walk(value, is_turned || counts || TURNING.contains(&name), false);
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether a reference is to the schema as a whole, or to one of its definitions.
fn is_plain(target: &str) -> bool {
    let definition = |root| target.strip_prefix(root).is_some_and(|name: &str| !name.contains('/'));
    target == "#" || definition("#/$defs/") || definition("#/definitions/")
}
