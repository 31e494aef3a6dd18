//! Why a key has no record: which parts of it the nearest record has otherwise.
//!
//! The folder is read once, on the first miss, and indexed by what was asked. A look for a near record
//! then costs the same however many records there are; only the first few keys whose question nobody
//! recorded are held against every record.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value as Json;

use super::{Cache, Key, Record};
use crate::text;

/// Most records that are indexed.
const MOST: usize = 20_000;

/// Keys that are compared with every record where no record asks the same.
const SEARCHES: usize = 32;

/// Records of one question that are compared, such as trials or models.
const SIBLINGS: usize = 64;

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

/// What is known of the record nearest to a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Nearest {
    /// It was not looked for: enough others were.
    #[default]
    Unknown,
    /// No record of its kind is there.
    Nothing,
    /// In what it differs.
    Differs(Vec<Difference>),
}

impl Nearest {
    /// The same without what stands in the parts: the record may be one that nobody redacted.
    #[must_use]
    pub fn without_texts(self) -> Self {
        let bare = |one: Difference| Difference { recorded: String::new(), wanted: String::new(), ..one };
        match self {
            Nearest::Differs(all) => Nearest::Differs(all.into_iter().map(bare).collect()),
            other => other,
        }
    }
}

impl std::fmt::Display for Nearest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Nearest::Unknown => Ok(()),
            Nearest::Nothing => f.write_str("; nothing of its kind is recorded"),
            Nearest::Differs(differences) => {
                let all: Vec<_> = differences.iter().map(ToString::to_string).collect();
                write!(f, "; the nearest record differs in {}", all.join("; "))
            }
        }
    }
}

/// The records of a folder by what they answer.
#[derive(Debug)]
pub(super) struct Index {
    entries: Vec<Entry>,
    by_question: HashMap<Vec<u8>, Vec<usize>>,
    searches: AtomicUsize,
}

#[derive(Debug)]
struct Entry {
    hash: String,
    record: Record,
}

impl Index {
    fn of(cache: &Cache) -> Self {
        let mut entries = Vec::new();
        let mut by_question: HashMap<_, Vec<usize>> = HashMap::new();
        for (hash, record) in cache.records().take(MOST) {
            if let Some(question) = question(&record.request) {
                by_question.entry(question).or_default().push(entries.len());
            }
            entries.push(Entry { hash, record });
        }
        Self { entries, by_question, searches: AtomicUsize::new(0) }
    }

    fn nearest(&self, key: &Key, wanted: &dyn Fn(&str) -> bool) -> Nearest {
        let kind = key.parts.get("kind");
        let same = question(&key.parts).and_then(|question| self.by_question.get(&question));
        let siblings = same.into_iter().flatten().map(|index| &self.entries[*index]);
        let of = |entry: &&Entry| entry.record.request.get("kind") == kind && wanted(&entry.hash);
        let mut nearest = least(siblings.filter(of).take(SIBLINGS), key);
        if nearest.is_none() {
            if !self.entries.iter().any(|entry| of(&entry)) {
                return Nearest::Nothing;
            }
            if self.searches.fetch_add(1, Ordering::Relaxed) >= SEARCHES {
                return Nearest::Unknown;
            }
            nearest = least(self.entries.iter().filter(of), key);
        }
        nearest.map_or(Nearest::Nothing, |entry| Nearest::Differs(differences(&entry.record, key)))
    }
}

fn least<'a>(entries: impl Iterator<Item = &'a Entry>, key: &Key) -> Option<&'a Entry> {
    let far = |entry: &'a Entry| (distance(&entry.record, key), &entry.record.recorded_at);
    entries.map(|entry| (far(entry), entry)).min_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, entry)| entry)
}

impl Cache {
    /// In what the nearest record of the same kind differs. Reads the folder the first time, which takes a
    /// while: not for a thread that others wait for.
    ///
    /// Near means: the question is the same, few parts differ, and long texts differ late.
    #[must_use]
    pub fn nearest(&self, key: &Key) -> Nearest {
        self.nearest_among(key, &|_| true)
    }

    /// The same among the records whose hash is wanted.
    #[must_use]
    pub fn nearest_among(&self, key: &Key, wanted: &dyn Fn(&str) -> bool) -> Nearest {
        self.index.get_or_init(|| Index::of(self)).nearest(key, wanted)
    }
}

/// What is asked, without who is asked: the last message, the answer that is graded or the text of an embedding.
fn question(parts: &Json) -> Option<Vec<u8>> {
    let last = || parts.get("messages")?.as_array()?.last();
    let question = parts.get("answer").or_else(|| parts.get("input")).or_else(last)?;
    Some(super::canonical(question))
}

/// Parts that differ, then how unlike they are in permille.
fn distance(record: &Record, key: &Key) -> (usize, usize) {
    let parts = parts(&record.request, key.parts_of(record.key_version));
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
    parts(&record.request, key.parts_of(record.key_version))
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

    use super::super::KEY_VERSION;
    use super::*;

    fn parts(model: &str, text: &str, temperature: f64) -> Json {
        json!({ "kind": "reply", "model": model, "messages": [text], "params": { "temperature": temperature } })
    }

    fn names(nearest: &Nearest) -> Vec<&str> {
        match nearest {
            Nearest::Differs(differences) => differences.iter().map(|one| one.part.as_str()).collect(),
            Nearest::Nothing | Nearest::Unknown => Vec::new(),
        }
    }

    #[test]
    fn the_part_that_changed_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        for (model, text) in [("m", "How do I pay?"), ("m", "Where is my card?"), ("n", "Where is my card?")]
        {
            cache.put(&Key::of(parts(model, text, 0.0)), json!(1), 1, String::new()).unwrap();
        }
        let nearest = |parts: Json| cache.nearest(&Key::of(parts));
        assert_eq!(names(&nearest(parts("m", "Where is my car?", 0.0))), ["messages"]);
        assert_eq!(names(&nearest(parts("o", "How do I pay?", 0.0))), ["model"]);
        assert_eq!(names(&nearest(parts("n", "Where is my card?", 0.5))), ["params.temperature"]);
        assert_eq!(nearest(json!({ "kind": "vote" })), Nearest::Nothing);
        let Nearest::Differs(found) = nearest(parts("m", "How can I pay?", 0.0)) else { panic!() };
        let shown = found[0].to_string();
        assert_eq!(shown, "messages: recorded \"[\"How do I pay?\"]\", now \"[\"How can I pay?\"]\"");
    }

    #[test]
    fn a_record_that_is_not_wanted_is_no_neighbor() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let key = |text: &str| Key::of(parts("m", text, 0.0));
        for text in ["case 7", "case 71"] {
            cache.put(&key(text), json!(1), 1, String::new()).unwrap();
        }
        // The record of case 71 is as near, but the suite uses it.
        let used = key("case 71").hash().to_owned();
        let found = cache.nearest_among(&key("case 7 edited"), &|hash| hash != used);
        let Nearest::Differs(found) = found else { panic!() };
        assert_eq!(found[0].recorded, "\"[\"case 7\"]\"");
    }

    #[test]
    fn only_some_keys_are_compared_with_every_record() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        for n in 0..3 {
            cache.put(&Key::of(parts("m", &format!("case {n}"), 0.0)), json!(1), 1, String::new()).unwrap();
        }
        let found: Vec<_> = (0..SEARCHES + 5)
            .map(|n| cache.nearest(&Key::of(parts("m", &format!("other {n}"), 0.0))))
            .collect();
        assert!(found[..SEARCHES].iter().all(|one| names(one) == ["messages"]));
        assert!(found[SEARCHES..].iter().all(|one| *one == Nearest::Unknown));
        // One with the same question is still found.
        assert_eq!(names(&cache.nearest(&Key::of(parts("n", "case 1", 0.0)))), ["model"]);
    }

    #[test]
    fn a_record_of_version_1_is_compared_by_the_parts_of_then() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let former = |model: &str| json!({ "kind": "reply", "host": "h", "model": model, "messages": ["q"] });
        let key = |model: &str| {
            let parts =
                json!({ "kind": "reply", "endpoint": "https://h/v1", "model": model, "messages": ["q"] });
            Key::of(parts).or_former(former(model))
        };
        let old = Key::of_version(KEY_VERSION - 1, former("m"));
        cache.put_version(KEY_VERSION - 1, &old, json!(1), 1, String::new()).unwrap();
        assert_eq!(names(&cache.nearest(&key("n"))), ["model"]);
    }
}
