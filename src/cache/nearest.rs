//! Why a key has no record: how the nearest record differs.
//!
//! The folder is read once, on the first miss, and indexed by hashes of the question and of the rest. A record that
//! differs in one part, or only in the model or trial, is found at once, however many there are. Only the first few
//! keys without a record of the same question are compared with every record.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value as Json;

use super::{Cache, Key, Record};
use crate::text;

/// Maximum number of records in the index.
const MOST: usize = 20_000;

/// Number of keys without a record of the same question that are compared with the text of every record.
const SEARCHES: usize = 32;

/// Maximum number of comparisons with records of the same question, over all keys; they take half a second.
const COMPARISONS: usize = 4_000_000;

/// Characters of a question kept for a comparison, from its beginning and from its end.
const KEPT: usize = 150;

/// The parts that say who is asked, and which trial it is.
const WHO: [&str; 7] = ["endpoint", "host", "model", "options", "provider", "trial", "version"];

/// Parts that can contain the question: a graded answer, the text of an embedding, or a conversation. The first one
/// present counts.
const QUESTIONS: [&str; 3] = ["answer", "input", "messages"];

/// Start of the name of a part, followed by the number of a turn: the answer that the application remembers from it.
const ANSWER: &str = "the answer at turn ";

/// One part of a key that differs; if both values are empty, they must not be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name, such as `model`, `params.temperature` or `rubric`.
    pub part: String,
    /// The value of the record, cut to one line; empty if it has none.
    pub recorded: String,
    /// The wanted value; empty if there is none.
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

/// What is known about the record nearest to a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Nearest {
    /// Not searched: the limit of searches is reached.
    #[default]
    Unknown,
    /// There is no record of this kind.
    Nothing,
    /// How it differs.
    Differs(Vec<Difference>),
}

impl Nearest {
    /// The difference without the values of the parts, because the record may not be redacted.
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
            Nearest::Nothing => f.write_str("; nothing of this kind is recorded"),
            Nearest::Differs(differences) => {
                let all: Vec<_> = differences.iter().map(ToString::to_string).collect();
                write!(f, "; the nearest record differs in {}", all.join("; "))
            }
        }
    }
}

/// The records of a folder, by what they answer.
#[derive(Debug)]
pub(super) struct Index {
    entries: Vec<Entry>,
    /// By all parts, and by all parts except one (never the question).
    by_rest: HashMap<u64, Vec<usize>>,
    /// By kind and everything except [`WHO`].
    by_content: HashMap<u64, Vec<usize>>,
    /// By kind and question.
    by_question: HashMap<u64, Vec<usize>>,
    searches: AtomicUsize,
    comparisons: AtomicUsize,
}

/// A record without its content.
#[derive(Debug)]
struct Entry {
    hash: String,
    recorded_at: String,
    key_version: u32,
    sums: Sums,
}

/// Hashes of the parts of a key. Their sums do not depend on the order, and a part can be subtracted.
#[derive(Debug, Default)]
struct Sums {
    kind: u64,
    /// Hash of each name, and of the name with its value, sorted by the former.
    parts: Vec<(u64, u64)>,
    whole: u64,
    /// `whole` without one part, for each part other than the question.
    rests: Vec<u64>,
    content: u64,
    question: u64,
    /// The beginning and end of the question.
    asked: (String, String),
}

impl Sums {
    fn of(parts: &Json) -> Self {
        let all = flat(parts);
        let question = QUESTIONS.into_iter().find(|name| all.iter().any(|(part, _)| part == name));
        let kind = hash_of(&parts.get("kind"));
        let mut sums = Self { kind, content: kind, question: kind, ..Self::default() };
        for (name, value) in &all {
            let part = hash_of(&(name, crate::canonical::bytes(value)));
            sums.parts.push((hash_of(name), part));
            sums.whole = sums.whole.wrapping_add(part);
            if !WHO.contains(&name.as_str()) && !name.starts_with("params.") {
                sums.content = sums.content.wrapping_add(part);
            }
            if Some(name.as_str()) == question {
                sums.question = sums.question.wrapping_add(part);
                let text = shown(Some(value));
                let from = text.char_indices().rev().nth(KEPT - 1).map_or(0, |(at, _)| at);
                sums.asked = (text.chars().take(KEPT).collect(), text[from..].to_owned());
            }
        }
        let others = sums.parts.iter().zip(&all).filter(|(_, (name, _))| Some(name.as_str()) != question);
        sums.rests = others.map(|((_, part), _)| sums.whole.wrapping_sub(*part)).collect();
        sums.parts.sort_unstable();
        sums
    }

    /// Number of parts that differ.
    fn distance(&self, other: &Self) -> usize {
        let (mut a, mut b) = (self.parts.iter().peekable(), other.parts.iter().peekable());
        let mut differ = 0;
        loop {
            match (a.peek(), b.peek()) {
                (None, None) => return differ,
                (Some(one), Some(two)) if one.0 == two.0 => {
                    differ += usize::from(one.1 != two.1);
                    a.next();
                    b.next();
                }
                (Some(one), two) if two.is_none_or(|two| one.0 < two.0) => {
                    differ += 1;
                    a.next();
                }
                _ => {
                    differ += 1;
                    b.next();
                }
            }
        }
    }

    /// How different the questions are, in thousandths.
    fn unlikeness(&self, other: &Self) -> usize {
        let same = |a: &str, b: &str| a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
        let back =
            |a: &str, b: &str| a.chars().rev().zip(b.chars().rev()).take_while(|(a, b)| a == b).count();
        let (a, b) = (&self.asked, &other.asked);
        let longer = a.0.chars().count().max(b.0.chars().count()).max(1);
        1000 - (same(&a.0, &b.0) + back(&a.1, &b.1)).min(longer) * 1000 / longer
    }
}

fn hash_of(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Index {
    fn of(cache: &Cache) -> Self {
        let mut index = Self {
            entries: Vec::new(),
            by_rest: HashMap::new(),
            by_content: HashMap::new(),
            by_question: HashMap::new(),
            searches: AtomicUsize::new(0),
            comparisons: AtomicUsize::new(0),
        };
        for (hash, record) in cache.records().take(MOST) {
            let at = index.entries.len();
            let sums = Sums::of(&record.request);
            for rest in sums.rests.iter().chain([&sums.whole]) {
                index.by_rest.entry(*rest).or_default().push(at);
            }
            index.by_content.entry(sums.content).or_default().push(at);
            index.by_question.entry(sums.question).or_default().push(at);
            let Record { recorded_at, key_version, .. } = record;
            index.entries.push(Entry { hash, recorded_at, key_version, sums });
        }
        index
    }

    fn nearest(&self, key: &Key, preferred: &dyn Fn(&str) -> bool) -> Option<Result<&Entry, Nearest>> {
        let sums: Vec<_> = key.versions().map(|(version, parts)| (version, Sums::of(parts))).collect();
        let all = |_: &str| true;
        let preferred: [&dyn Fn(&str) -> bool; 2] = [preferred, &all];
        for wanted in preferred {
            let found = self.alike(&sums, wanted);
            if found.is_some() {
                return found.map(Ok);
            }
        }
        let kind = |entry: &&Entry| sums.iter().any(|(_, sums)| sums.kind == entry.sums.kind);
        self.entries.iter().find(kind)?;
        if self.searches.fetch_add(1, Ordering::Relaxed) >= SEARCHES {
            return Some(Err(Nearest::Unknown));
        }
        let far = |entry: &Entry| {
            let sums = sums.iter().filter(|(version, _)| *version == entry.key_version);
            sums.map(|(_, sums)| (sums.distance(&entry.sums), sums.unlikeness(&entry.sums))).min()
        };
        preferred.into_iter().find_map(|wanted| {
            let of = self.entries.iter().filter(kind).filter(|entry| wanted(&entry.hash));
            let near = of.filter_map(|entry| Some(((far(entry)?, &entry.recorded_at), entry)));
            near.min_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, entry)| Ok(entry))
        })
    }

    /// The newest record that differs in one part, or else the nearest one that differs only in model or trial, or else
    /// the nearest one of the same question.
    fn alike(&self, sums: &[(u32, Sums)], wanted: &dyn Fn(&str) -> bool) -> Option<&Entry> {
        let named = |at: &&usize| wanted(&self.entries[**at].hash);
        let rests = || {
            let keys = sums.iter().flat_map(|(_, sums)| sums.rests.iter().chain([&sums.whole]));
            keys.filter_map(|rest| self.by_rest.get(rest)).flatten().filter(named)
        };
        if let Some(at) = rests().max_by_key(|at| &self.entries[**at].recorded_at) {
            return Some(&self.entries[*at]);
        }
        let like = |sums: &Sums| [self.by_content.get(&sums.content), self.by_question.get(&sums.question)];
        (0..2).find_map(|by| {
            let near = sums.iter().flat_map(|(version, sums)| {
                let own = like(sums)[by].into_iter().flatten().map(|at| &self.entries[*at]);
                let own = own.filter(move |entry| entry.key_version == *version);
                let free = |_: &&Entry| self.comparisons.fetch_add(1, Ordering::Relaxed) < COMPARISONS;
                own.take_while(free).map(move |entry| (sums.distance(&entry.sums), entry))
            });
            let near = near.filter(|(_, entry)| wanted(&entry.hash));
            near.min_by_key(|(far, entry)| (*far, &entry.recorded_at)).map(|(_, entry)| entry)
        })
    }
}

impl Cache {
    /// How the nearest record of the same kind differs. The first call reads the folder, which is slow, so do not call
    /// it on a worker thread of the async runtime.
    ///
    /// A record is near if only one part differs, if only model or trial differ, or if the question is the same;
    /// otherwise, if few parts differ and the question begins and ends similarly.
    #[must_use]
    pub fn nearest(&self, key: &Key) -> Nearest {
        self.nearest_among(key, &|_| true)
    }

    /// Like [`nearest`](Self::nearest), but among equally near records, those with a preferred hash come first.
    #[must_use]
    pub fn nearest_among(&self, key: &Key, preferred: &dyn Fn(&str) -> bool) -> Nearest {
        let entry = match self.index.get_or_init(|| Index::of(self)).nearest(key, preferred) {
            None => return Nearest::Nothing,
            Some(Err(unknown)) => return unknown,
            Some(Ok(entry)) => entry,
        };
        // It existed when the folder was read.
        self.record(&entry.hash)
            .map_or(Nearest::Unknown, |record| Nearest::Differs(differences(&record, key)))
    }
}

fn shown(value: Option<&Json>) -> String {
    match value {
        None => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The parts of a key, sorted by name: those of `params` one by one, and a system prompt separate from the
/// conversation.
fn flat(parts: &Json) -> Vec<(String, Json)> {
    let mut found = Vec::new();
    for (name, value) in parts.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            ("params" | "options", Json::Object(inner)) => {
                found.extend(inner.iter().map(|(key, value)| (format!("{name}.{key}"), value.clone())));
            }
            // The marks of what an application remembers mean nothing to readers.
            ("held", Json::Object(held)) => {
                found.extend(held.get("case").map(|case| (name.clone(), case.clone())));
                let turns = held.get("turns").and_then(Json::as_object).into_iter().flatten();
                found.extend(turns.map(|(turn, mark)| (format!("{ANSWER}{turn}"), mark.clone())));
            }
            ("messages", Json::Array(messages)) if is_system(messages.first()) => {
                found.push(("system prompt".to_owned(), messages[0]["content"].clone()));
                found.push((name.clone(), messages[1..].into()));
            }
            _ => found.push((name.clone(), value.clone())),
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

fn is_system(message: Option<&Json>) -> bool {
    message.is_some_and(|message| message["role"] == "system" && message["content"].is_string())
}

fn differences(record: &Record, key: &Key) -> Vec<Difference> {
    let (recorded, wanted) = (flat(&record.request), flat(key.parts_of(record.key_version)));
    let mut names: Vec<_> = recorded.iter().chain(&wanted).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    let value = |all: &[(String, Json)], name: &String| {
        shown(all.iter().find(|(part, _)| part == name).map(|(_, value)| value))
    };
    let pairs = names.into_iter().map(|name| (name, value(&recorded, name), value(&wanted, name)));
    pairs
        .filter(|(_, recorded, wanted)| recorded != wanted)
        .map(|(part, recorded, wanted)| {
            if part.starts_with(ANSWER) {
                return Difference { part: part.clone(), recorded: String::new(), wanted: String::new() };
            }
            let at = recorded.char_indices().zip(wanted.chars()).find(|((_, a), b)| a != b);
            let at = at.map_or(recorded.len().min(wanted.len()), |((at, _), _)| at);
            let (recorded, wanted) = (window(&recorded, at), window(&wanted, at));
            Difference { part: part.clone(), recorded, wanted }
        })
        .collect()
}

/// A quoted excerpt around the first difference.
fn window(text: &str, at: usize) -> String {
    if text.is_empty() { String::new() } else { format!("\"{}\"", text::excerpt_around(text, at..at, 60)) }
}

#[cfg(test)]
#[path = "nearest_tests.rs"]
mod tests;
