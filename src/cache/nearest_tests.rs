//! Which record is the nearest, and how it differs.

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
    for (model, text) in [("m", "How do I pay?"), ("m", "Where is my card?"), ("n", "Where is my card?")] {
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
fn a_remembered_answer_is_named_by_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    let asked = |turns: Json| json!({ "kind": "reply", "messages": ["a", "b", "c"], "held": { "case": "x", "turns": turns } });
    let key = Key::of(asked(json!({ "1": "aa", "2": "bb" })));
    cache.put(&key, json!(1), 1, String::new()).unwrap();
    let nearest = cache.nearest(&Key::of(asked(json!({ "1": "aa", "2": "cc" }))));
    assert_eq!(names(&nearest), ["the answer at turn 2"]);
    assert_eq!(nearest.to_string(), "; the nearest record differs in the answer at turn 2");
}

#[test]
fn an_unwanted_record_is_not_a_neighbor() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    let key = |text: &str| Key::of(parts("m", text, 0.0));
    for text in ["case 7", "case 71"] {
        cache.put(&key(text), json!(1), 1, String::new()).unwrap();
    }
    // The record of case 71 is just as near, but the suite uses it.
    let used = key("case 71").hash().to_owned();
    let found = cache.nearest_among(&key("case 7 edited"), &|hash| hash != used);
    let Nearest::Differs(found) = found else { panic!() };
    assert_eq!(found[0].recorded, "\"[\"case 7\"]\"");
    // If every record is used, one of them is still the nearest.
    let found = cache.nearest_among(&key("case 8"), &|_| false);
    assert_eq!(names(&found), ["messages"]);
}

/// A conversation whose last message is the same in every case.
fn conversation(model: &str, system: &str, n: usize) -> Json {
    let say = |role: &str, content: String| json!({ "role": role, "content": content });
    let mut messages = vec![say("user", format!("Q {n}")), say("assistant", format!("yes {n}"))];
    messages.insert(0, say("system", system.to_owned()));
    messages.push(say("user", "please go on".to_owned()));
    json!({ "kind": "reply", "model": model, "messages": messages, "trial": 0 })
}

fn vote(model: &str, rubric: &str, n: usize) -> Json {
    json!({ "kind": "vote", "model": model, "rubric": rubric, "answer": "yes", "messages": [n] })
}

#[test]
fn a_change_everywhere_is_named_for_each_of_many_similar_keys() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    let many = 3 * SEARCHES;
    for n in 0..many {
        for parts in [conversation("m", "Be kind.", n), vote("m", "polite", n)] {
            cache.put(&Key::of(parts), json!(1), 1, String::new()).unwrap();
        }
    }
    for n in 0..many {
        let mut versioned = conversation("m", "Be kind.", n);
        versioned["version"] = "2".into();
        let mut both = conversation("o", "Be kind.", n);
        both["params"] = json!({ "temperature": 1 });
        let table: [(Json, &[&str]); 7] = [
            (conversation("o", "Be kind.", n), &["model"]),
            (conversation("m", "Be rude.", n), &["system prompt"]),
            (versioned, &["version"]),
            (both, &["model", "params.temperature"]),
            (vote("o", "polite", n), &["model"]),
            (vote("m", "rude", n), &["rubric"]),
            (vote("o", "rude", n), &["model", "rubric"]),
        ];
        for (parts, expected) in table {
            assert_eq!(names(&cache.nearest(&Key::of(parts))), expected, "{n}");
        }
    }
}

#[test]
fn only_some_keys_are_compared_with_every_record() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    for n in 0..3 {
        cache.put(&Key::of(parts("m", &format!("case {n}"), 0.0)), json!(1), 1, String::new()).unwrap();
    }
    let found: Vec<_> =
        (0..SEARCHES + 5).map(|n| cache.nearest(&Key::of(parts("m", &format!("other {n}"), 0.0)))).collect();
    assert!(found[..SEARCHES].iter().all(|one| names(one) == ["messages"]));
    assert!(found[SEARCHES..].iter().all(|one| *one == Nearest::Unknown));
    // One with the same question is still found, and a kind without a record is still recognized.
    assert_eq!(names(&cache.nearest(&Key::of(parts("n", "case 1", 0.0)))), ["model"]);
    assert_eq!(cache.nearest(&Key::of(json!({ "kind": "vote", "answer": "x" }))), Nearest::Nothing);
}

#[test]
fn a_version_1_record_is_compared_by_version_1_parts() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    let former = |model: &str| json!({ "kind": "reply", "host": "h", "model": model, "messages": ["q"] });
    let key = |model: &str| {
        let parts = json!({ "kind": "reply", "endpoint": "https://h/v1", "model": model, "messages": ["q"] });
        Key::of(parts).or_former("endpoint", ("host", json!("h")))
    };
    let old = Key::of_version(KEY_VERSION - 1, former("m"));
    cache.put_version(KEY_VERSION - 1, &old, json!(1), 1, String::new()).unwrap();
    assert_eq!(names(&cache.nearest(&key("n"))), ["model"]);
}
