//! Members of JSON by a path that is fixed.

use serde_json::Value as Json;

/// Finds a member by a path such as `/choices/0/message`.
///
/// A JSON pointer without its escapes, which no fixed path has: to look for them costs more than all else that is read of a
/// short answer.
pub(super) trait Place {
    /// What stands there, if anything does.
    fn place(&self, path: &str) -> Option<&Json>;
}

impl Place for Json {
    fn place(&self, path: &str) -> Option<&Json> {
        if path.is_empty() {
            return Some(self);
        }
        path.strip_prefix('/')?.split('/').try_fold(self, |found, name| match found {
            Json::Object(members) => members.get(name),
            Json::Array(items) => items.get(name.parse::<usize>().ok()?),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
        })
    }
}
