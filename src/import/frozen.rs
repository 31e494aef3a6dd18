//! A conversation of a stored run as the script of a new scenario: what a customer said is fixed, whatever made them say it.

use super::yaml::YamlItem;
use crate::environment::literal;
use crate::manifest::{Trial, Turn};
use crate::source::{Node, Value};

/// A scenario file with one case that says what was said in a trial; everything else stands as it did in its file.
///
/// `None` where the file has no such case.
#[must_use]
pub fn frozen(file: &Node, id: &str, trial: &Trial) -> Option<String> {
    let is_it = |case: &&Node| case.get("id").and_then(Node::as_str) == Some(id);
    let case = file.get("cases")?.items().iter().find(is_it)?;
    let mut entries = Vec::new();
    let Value::Map(known) = &case.value else { return None };
    for (key, value) in known {
        match key.as_str()? {
            "turns" | "customer" => {
                let turns = trial.turns.iter().map(|turn| said(turn, case)).collect();
                entries.push(("turns".to_owned(), YamlItem::List(turns)));
                // The facts of a customer by rules stand at the case of a script.
                entries.extend(value.get("facts").map(|facts| ("facts".to_owned(), YamlItem::of(facts))));
            }
            "expected" => entries.extend(without_ends(value).map(|kept| ("expected".to_owned(), kept))),
            key => entries.push((key.to_owned(), YamlItem::of(value))),
        }
    }
    let Value::Map(known) = &file.value else { return None };
    let all = known.iter().map(|(key, value)| {
        let key = key.as_str().unwrap_or_default().to_owned();
        let value = if key == "cases" {
            YamlItem::List(vec![YamlItem::Map(std::mem::take(&mut entries))])
        } else {
            YamlItem::of(value)
        };
        (key, value)
    });
    Some(YamlItem::Map(all.collect()).render() + "\n")
}

/// A turn that was said, with what the script of its case had beside it.
fn said(turn: &Turn, case: &Node) -> YamlItem {
    // A value is never filled, so braces must not look like a name.
    let words = literal(&turn.asked.replace("{{", "\\{{"));
    let place = turn.place.as_deref();
    let mut entries = Vec::new();
    entries.extend(place.and_then(|place| place.id.clone()).map(|id| ("id".to_owned(), YamlItem::Text(id))));
    entries.push(("user".to_owned(), YamlItem::Text(words)));
    let lines = case.get("turns").map(Node::items).unwrap_or_default();
    let is_it = |line: &&Node| {
        line.get("user").is_some_and(|user| place.is_some_and(|place| place.line == user.span.line))
    };
    if let Some(line) = lines.iter().find(is_it) {
        for key in ["expected", "session", "pause"] {
            entries.extend(line.get(key).map(|value| (key.to_owned(), YamlItem::of(value))));
        }
    }
    YamlItem::Map(entries)
}

/// An expectation without what it says of the end: a script ends where it ends.
fn without_ends(node: &Node) -> Option<YamlItem> {
    let Value::Map(entries) = &node.value else { return Some(YamlItem::of(node)) };
    if node.get("type").and_then(Node::as_str) == Some("ended") {
        return None;
    }
    let mut kept = Vec::new();
    for (key, value) in entries {
        let key = key.as_str().unwrap_or_default().to_owned();
        let value = match key.as_str() {
            "expectations" => {
                let parts: Vec<_> = value.items().iter().filter_map(without_ends).collect();
                if parts.is_empty() {
                    return None;
                }
                YamlItem::List(parts)
            }
            "not" => without_ends(value)?,
            _ => YamlItem::of(value),
        };
        kept.push((key, value));
    }
    Some(YamlItem::Map(kept))
}
