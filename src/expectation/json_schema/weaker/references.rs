//! References within a schema: a part that others refer to is compared once for all of them.

use serde_json::Value as Json;

use super::parts::NOTES;

/// Keywords below which a stricter schema may make the whole accept more.
const TURNING: [&str; 3] = ["not", "if", "oneOf"];

/// What references point to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Targets {
    /// There are no references.
    None,
    /// Only the whole schema and its definitions, so other names do not matter.
    Definitions,
    /// Any part, by its place or name.
    Any,
}

/// How the parts of two schemas refer to each other.
pub(super) struct References {
    pub(super) targets: Targets,
    /// Whether the whole may accept more if a part accepts less: such schemas must accept the same.
    pub(super) are_entangled: bool,
    /// Whether the definitions are identical.
    pub(super) are_same: bool,
}

impl References {
    pub(super) fn of(before: &Json, now: &Json) -> Self {
        let mut references = Self { targets: Targets::None, are_entangled: false, are_same: true };
        let defined = |schema: &Json| ["$defs", "definitions"].map(|name| schema.get(name).cloned());
        references.are_same = defined(before) == defined(now);
        for schema in [before, now] {
            references.walk(schema, false, true);
        }
        references.are_entangled |= references.targets == Targets::Any;
        references
    }

    /// Whether a keyword accepts everything.
    pub(super) fn is_note(&self, name: &str) -> bool {
        let names = ["$id", "$anchor", "$dynamicAnchor"];
        NOTES.contains(&name) || (names.contains(&name) && self.targets < Targets::Any)
    }

    fn walk(&mut self, part: &Json, is_turned: bool, is_root: bool) {
        match part {
            Json::Array(all) => all.iter().for_each(|one| self.walk(one, is_turned, false)),
            Json::Object(keywords) => {
                for (name, value) in keywords {
                    match (name.as_str(), value) {
                        ("$ref", Json::String(target)) => {
                            let plain = is_plain(target);
                            let target = if plain { Targets::Definitions } else { Targets::Any };
                            self.targets = self.targets.max(target);
                            self.are_entangled |= is_turned;
                        }
                        ("$dynamicRef" | "$recursiveRef", Json::String(_)) => self.targets = Targets::Any,
                        // References below it point into what it names.
                        ("$id", Json::String(_)) if !is_root => self.targets = Targets::Any,
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

/// Whether a reference points to the whole schema, or to one of its definitions.
fn is_plain(target: &str) -> bool {
    let definition = |root| target.strip_prefix(root).is_some_and(|name: &str| !name.contains('/'));
    target == "#" || definition("#/$defs/") || definition("#/definitions/")
}
