//! Members of JSON by a fixed path.

use serde_json::Value as Json;

/// Finds a member by a path such as `/choices/0/message`.
///
/// A JSON pointer without escapes, which no fixed path needs: handling escapes would cost more than reading the rest of
/// a short answer.
pub(super) trait Place {
    /// The value at the path, if any.
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
