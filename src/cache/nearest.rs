//! Why a key has no record: which parts of it the nearest record has otherwise.

use serde_json::Value as Json;

use super::{Cache, Key, Record};
use crate::text;

/// Most records that are looked through for a near one.
const MOST: usize = 20_000;

/// One part of a key that differs; where both texts are empty, they are not to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name, such as `model`, `params.temperature` or `rubric`.
    pub part: String,
    /// What the record has, cut to one line; empty when it has nothing there.
    pub recorded: String,
    /// What is looked for; empty when there is nothing.
    pub wanted: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.recorded.is_empty() && self.wanted.is_empty() {
            return f.write_str(&self.part);
        }
        let word = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
        write!(f, "{}: recorded {}, now {}", self.part, word(&self.recorded), word(&self.wanted))
    }
}

impl Cache {
    /// The parts in which the nearest record of the same kind differs; empty when there is none.
    ///
    /// Near means: few parts differ, and long texts differ late. What names the trial or vote
    /// counts less than what was asked.
    #[must_use]
    pub fn nearest(&self, key: &Key) -> Vec<Difference> {
        let kind = key.parts.get("kind");
        let records = self.shelved().take(MOST).filter_map(|shelved| shelved.record);
        let near = records
            .filter(|record| record.request.get("kind") == kind)
            .map(|record| (distance(&record.request, &key.parts), record))
            .min_by(|(a, x), (b, y)| (a, &x.recorded_at).cmp(&(b, &y.recorded_at)));
        near.map(|(_, record)| differences(&record, key)).unwrap_or_default()
    }
}

/// Parts that differ, then how unlike they are in permille.
fn distance(recorded: &Json, wanted: &Json) -> (usize, usize) {
    let parts = parts(recorded, wanted);
    let unlike = parts.iter().map(|(_, a, b)| unlikeness(*a, *b)).sum();
    (parts.len(), unlike)
}

fn unlikeness(a: Option<&Json>, b: Option<&Json>) -> usize {
    let (a, b) = (shown(a), shown(b));
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let tail = a.chars().rev().zip(b.chars().rev()).take_while(|(a, b)| a == b).count();
    let longer = a.chars().count().max(b.chars().count()).max(1);
    1000 - (same + tail).min(longer) * 1000 / longer
}

fn shown(value: Option<&Json>) -> String {
    match value {
        None => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The top-level parts that differ; those of `params` one by one.
fn parts<'a>(recorded: &'a Json, wanted: &'a Json) -> Vec<(String, Option<&'a Json>, Option<&'a Json>)> {
    let mut found = Vec::new();
    let names = |value: &'a Json| value.as_object().into_iter().flat_map(|map| map.keys());
    let mut all: Vec<_> = names(recorded).chain(names(wanted)).collect();
    all.sort();
    all.dedup();
    for name in all {
        let (a, b) = (recorded.get(name), wanted.get(name));
        if a == b {
            continue;
        }
        match (a, b) {
            (Some(a @ Json::Object(_)), Some(b @ Json::Object(_))) if name == "params" => {
                found.extend(parts(a, b).into_iter().map(|(part, a, b)| (format!("params.{part}"), a, b)));
            }
            _ => found.push((name.clone(), a, b)),
        }
    }
    found
}

fn differences(record: &Record, key: &Key) -> Vec<Difference> {
    parts(&record.request, &key.parts)
        .into_iter()
        .map(|(part, recorded, wanted)| {
            let (recorded, wanted) = (shown(recorded), shown(wanted));
            let at = recorded.char_indices().zip(wanted.chars()).find(|((_, a), b)| a != b);
            let at = at.map_or(recorded.len().min(wanted.len()), |((at, _), _)| at);
            Difference { part, recorded: window(&recorded, at), wanted: window(&wanted, at) }
        })
        .collect()
}

/// A text round the first difference, in quotes.
fn window(text: &str, at: usize) -> String {
    if text.is_empty() { String::new() } else { format!("\"{}\"", text::excerpt_around(text, at..at, 60)) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_part_that_changed_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let parts = |model: &str, text: &str, temperature: f64| json!({ "kind": "reply", "model": model, "messages": [text], "params": { "temperature": temperature } });
        for (model, text) in [("m", "How do I pay?"), ("m", "Where is my card?"), ("n", "Where is my card?")]
        {
            cache.put(&Key::of(parts(model, text, 0.0)), json!(1), 1, String::new()).unwrap();
        }
        let names = |parts: Json| -> Vec<String> {
            cache.nearest(&Key::of(parts)).into_iter().map(|difference| difference.part).collect()
        };
        assert_eq!(names(parts("m", "Where is my car?", 0.0)), ["messages"]);
        assert_eq!(names(parts("o", "How do I pay?", 0.0)), ["model"]);
        assert_eq!(names(parts("n", "Where is my card?", 0.5)), ["params.temperature"]);
        assert_eq!(names(json!({ "kind": "vote" })), [""; 0]);
        let shown = cache.nearest(&Key::of(parts("m", "How can I pay?", 0.0)))[0].to_string();
        assert_eq!(shown, "messages: recorded \"[\"How do I pay?\"]\", now \"[\"How can I pay?\"]\"");
    }
}
