//! JSON pointers (RFC 6901) into a response: `*` is every item of a list, `-` the last one, and `>WHO` those after
//! the last one whose `role` or `type` is `WHO`.

use std::fmt;

use serde_json::Value as Json;

/// A pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    written: String,
    steps: Vec<String>,
}

impl Pointer {
    /// Parses a pointer; the error is the pointer that was probably meant.
    pub(super) fn parse(written: &str) -> Result<Self, String> {
        let steps = match written.strip_prefix('/') {
            Some(rest) => rest.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect(),
            None if written.is_empty() => Vec::new(),
            None => return Err(meant(written)),
        };
        Ok(Self { written: written.to_owned(), steps })
    }

    /// Everything it points to, without nulls.
    pub(super) fn find<'a>(&self, json: &'a Json) -> Vec<&'a Json> {
        let mut found = self.all(json);
        found.retain(|json| !json.is_null());
        found
    }

    /// Whether it points to anything, including null.
    pub(super) fn leads(&self, json: &Json) -> bool {
        !self.all(json).is_empty()
    }

    fn all<'a>(&self, json: &'a Json) -> Vec<&'a Json> {
        let mut found = vec![json];
        for step in &self.steps {
            found = found.into_iter().flat_map(|json| below(json, step)).collect();
        }
        found
    }

    /// The first value it points to.
    pub(super) fn first<'a>(&self, json: &'a Json) -> Option<&'a Json> {
        self.find(json).into_iter().next()
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

fn below<'a>(json: &'a Json, step: &str) -> Vec<&'a Json> {
    match json {
        Json::Array(items) if step == "*" => items.iter().collect(),
        Json::Array(items) if step == "-" => items.last().into_iter().collect(),
        Json::Array(items) if step.starts_with('>') => {
            let is_of = |item: &Json| ["role", "type"].iter().any(|key| item[key] == step[1..]);
            items[items.iter().rposition(is_of).map_or(0, |at| at + 1)..].iter().collect()
        }
        Json::Array(items) => step.parse().ok().and_then(|at: usize| items.get(at)).into_iter().collect(),
        Json::Object(entries) => entries.get(step).into_iter().collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Vec::new(),
    }
}

/// Converts a path in another notation, such as `json.choices[0].text` or `$.answer`.
fn meant(path: &str) -> String {
    let path = path.trim();
    let path = ["json", "output", "$"].iter().find_map(|root| path.strip_prefix(root)).unwrap_or(path);
    let steps: Vec<_> = path.split(['.', '[', ']', '"', '\'']).filter(|step| !step.is_empty()).collect();
    format!("/{}", steps.join("/"))
}

/// Pointers to the strings in a response, at most `most`.
pub(super) fn texts(json: &Json, most: usize) -> Vec<String> {
    places(json, most, 1, &|_, value| value.as_str().is_some_and(|text| !text.is_empty()))
}

/// Pointers to the values in a response for which `is(key, value)` is true: at most `most`, and only in the first
/// `items` of a list.
pub(super) fn places(
    json: &Json,
    most: usize,
    items: usize,
    is: &dyn Fn(&str, &Json) -> bool,
) -> Vec<String> {
    struct Walk<'a> {
        path: Vec<String>,
        found: Vec<String>,
        most: usize,
        items: usize,
        is: &'a dyn Fn(&str, &Json) -> bool,
    }
    impl Walk<'_> {
        fn at(&mut self, key: &str, json: &Json) {
            if self.found.len() == self.most || self.path.len() > 16 {
                return;
            }
            if (self.is)(key, json) {
                self.found.push(format!("/{}", self.path.join("/")));
                return;
            }
            let below: Vec<(String, &Json)> = match json {
                Json::Object(entries) => entries.iter().map(|(key, value)| (key.clone(), value)).collect(),
                Json::Array(list) => {
                    list.iter().take(self.items).enumerate().map(|(at, one)| (at.to_string(), one)).collect()
                }
                Json::String(_) | Json::Null | Json::Bool(_) | Json::Number(_) => Vec::new(),
            };
            for (step, value) in below {
                self.path.push(step.replace('~', "~0").replace('/', "~1"));
                self.at(if json.is_array() { key } else { &step }, value);
                self.path.pop();
            }
        }
    }
    let mut walk = Walk { path: Vec::new(), found: Vec::new(), most, items, is };
    walk.at("", json);
    walk.found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pointer_finds_exactly_its_value() {
        let json = json!({ "a": [{ "b": 1 }, { "b": null }, { "b": [2, 3] }], "x/y": { "~": "t", "-": 4, "*": 5 }, "": 6,
            "m": [{ "role": "user", "n": 1 }, { "role": "user", "n": 2 }, { "type": "human", "n": 3 }, { "n": 4 }] });
        let table = [
            ("/a/0/b", json!([1])),
            ("/a/1/b", json!([])),
            ("/a/*/b", json!([1, [2, 3]])),
            ("/a/*/b/*", json!([2, 3])),
            ("/a/-/b/-", json!([3])),
            ("/a/7", json!([])),
            ("/a/b", json!([])),
            ("/x~1y/~0", json!(["t"])),
            ("/x~1y/-", json!([4])),
            ("/x~1y/*", json!([5])),
            ("/", json!([6])),
            ("/a/0/b/c", json!([])),
            ("/m/>user/n", json!([3, 4])),
            ("/m/>human/n", json!([4])),
            ("/m/>nobody/n", json!([1, 2, 3, 4])),
            ("/x~1y/>user", json!([])),
        ];
        for (written, expected) in table {
            assert_eq!(json!(Pointer::parse(written).unwrap().find(&json)), expected, "{written}");
        }
        assert_eq!(Pointer::parse("").unwrap().find(&json), [&json]);
        for (path, pointer) in
            [("json.a[0].b", "/a/0/b"), ("$.answer", "/answer"), ("answer", "/answer"), ("a['b']", "/a/b")]
        {
            assert_eq!(Pointer::parse(path).unwrap_err(), pointer);
        }
        // The reported places are valid pointers.
        for place in texts(&json!({ "a": [{ "b/c": "x" }], "~": { "d": "y" }, "n": 1 }), 9) {
            let found = Pointer::parse(&place).unwrap();
            assert!(found.first(&json!({ "a": [{ "b/c": "x" }], "~": { "d": "y" } })).is_some(), "{place}");
        }
    }
}
