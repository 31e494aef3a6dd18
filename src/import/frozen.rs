//! A conversation of a stored run as the script of a new scenario: the customer's messages are fixed, however they
//! were produced.

use super::yaml::YamlItem;
use crate::environment::literal;
use crate::expectation::Fact;
use crate::manifest::{Trial, Turn};
use crate::source::{Node, Value};
use crate::text;
use crate::vocabulary::VerdictKind;

/// A scenario file with one case.
#[derive(Debug)]
pub struct Frozen {
    /// The file.
    pub text: String,
    /// A sentence for each part of the original that is omitted because it does not apply to this conversation.
    pub left_out: Vec<String>,
}

/// A scenario file with one case whose customer sends the messages of a trial; everything else stays as in `file`.
/// `facts` are the facts of the case.
///
/// `None` if the file has no such case.
#[must_use]
pub fn frozen(file: &Node, id: &str, facts: &[Fact], trial: &Trial) -> Option<Frozen> {
    let is_it = |case: &&Node| case.get("id").and_then(Node::as_str) == Some(id);
    let case = file.get("cases")?.items().iter().find(is_it)?;
    let Value::Map(known) = &case.value else { return None };
    let mut freezing = Freezing::of(facts, trial);
    let turns: Vec<_> = trial.turns.iter().map(|turn| said(turn, case)).collect();
    let expected = case.get("expected").and_then(|expected| freezing.expectation(expected));
    let is_demanded = |turn: &Turn| line(turn, case).is_some_and(|line| line.get("expected").is_some());
    if expected.is_none() && !trial.turns.iter().any(is_demanded) {
        freezing.left_out.push("no expectation is left: add `expected:` to the case".to_owned());
    }
    let (mut turns, mut expected) = (Some(turns), expected);
    let mut entries = Vec::new();
    for (key, value) in known {
        match key.as_str()? {
            "turns" | "customer" => {
                entries.extend(turns.take().map(|turns| ("turns".to_owned(), YamlItem::List(turns))));
                // A customer with rules has its own facts; in a script, they belong to the case.
                entries.extend(value.get("facts").and_then(|facts| freezing.facts(facts)));
            }
            "facts" => entries.extend(freezing.facts(value)),
            "expected" => entries.extend(expected.take().map(|kept| ("expected".to_owned(), kept))),
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
    let text = YamlItem::Map(all.collect()).render() + "\n";
    Some(Frozen { text, left_out: freezing.left_out })
}

/// A turn of the trial, with the other keys that it has in the script of its case.
fn said(turn: &Turn, case: &Node) -> YamlItem {
    // Values are never filled, so braces must not look like a placeholder.
    let words = literal(&turn.asked.replace("{{", "\\{{"));
    let place = turn.place.as_deref();
    let mut entries = Vec::new();
    entries.extend(place.and_then(|place| place.id.clone()).map(|id| ("id".to_owned(), YamlItem::Text(id))));
    entries.push(("user".to_owned(), YamlItem::Text(words)));
    if let Some(line) = line(turn, case) {
        for key in ["expected", "session", "pause"] {
            entries.extend(line.get(key).map(|value| (key.to_owned(), YamlItem::of(value))));
        }
    }
    YamlItem::Map(entries)
}

/// The entry of the script for a turn.
fn line<'a>(turn: &Turn, case: &'a Node) -> Option<&'a Node> {
    let at = usize::try_from(turn.place.as_ref()?.number).ok()?.checked_sub(1)?;
    case.get("turns")?.items().get(at)
}

/// Decides which parts of a case still apply to the conversation.
struct Freezing<'a> {
    /// The facts that were given.
    given: Vec<&'a Fact>,
    /// The names of facts that were not given.
    missing: Vec<&'a str>,
    trial: &'a Trial,
    left_out: Vec<String>,
}

impl<'a> Freezing<'a> {
    fn of(facts: &'a [Fact], trial: &'a Trial) -> Self {
        let is_given = |fact: &&Fact| trial.turns.iter().any(|turn| fact.is_given_by(&turn.asked));
        let (given, missing): (Vec<_>, Vec<_>) = facts.iter().partition(is_given);
        let missing: Vec<&str> = missing.into_iter().map(|fact| fact.name.as_str()).collect();
        let omitted = |name: &&str| {
            format!("fact `{}` was never given, so its checks were removed", text::excerpt(name, 60))
        };
        let left_out = missing.iter().map(omitted).collect();
        Self { given, missing, trial, left_out }
    }

    fn is_missing(&self, name: &Node) -> bool {
        name.as_str().is_some_and(|name| self.missing.contains(&name))
    }

    /// The facts that were given.
    fn facts(&self, facts: &Node) -> Option<(String, YamlItem)> {
        let is_given = |fact: &&Node| !fact.get("name").is_some_and(|name| self.is_missing(name));
        let given: Vec<_> = facts.items().iter().filter(is_given).map(YamlItem::of).collect();
        (!given.is_empty()).then(|| ("facts".to_owned(), YamlItem::List(given)))
    }

    /// An expectation without its parts about what was not said, and about the end, which the script fixes.
    fn expectation(&mut self, node: &Node) -> Option<YamlItem> {
        let Value::Map(entries) = &node.value else { return Some(YamlItem::of(node)) };
        let word = node.get("type").and_then(Node::as_str).unwrap_or_default();
        let kind = word.parse::<VerdictKind>().ok();
        if kind == Some(VerdictKind::Ended) {
            return None;
        }
        if let Some(id) = ["turn", "by"].into_iter().find_map(|key| node.get(key)?.as_str())
            && !self.is_said(id)
        {
            let id = text::excerpt(id, 60);
            self.left_out.push(format!("`{word}` refers to turn `{id}`, which was not said"));
            return None;
        }
        let is_keeps = kind == Some(VerdictKind::Keeps);
        if is_keeps || kind == Some(VerdictKind::NoReask) {
            let listed = node.get("facts").map(Node::items);
            let is_meant = |fact: &&Fact| match listed {
                Some(names) => names.iter().any(|name| name.as_str() == Some(&fact.name)),
                None => !is_keeps || (fact.has_shape() && fact.value.is_some()),
            };
            if !self.given.iter().copied().any(|fact| is_meant(&fact)) {
                self.left_out.push(format!("`{word}` refers to facts that were never given"));
                return None;
            }
        }
        let mut kept = Vec::new();
        for (key, value) in entries {
            let key = key.as_str().unwrap_or_default().to_owned();
            let value = match key.as_str() {
                "expectations" => {
                    let parts: Vec<_> =
                        value.items().iter().filter_map(|part| self.expectation(part)).collect();
                    if parts.is_empty() {
                        return None;
                    }
                    YamlItem::List(parts)
                }
                "not" => self.expectation(value)?,
                "facts" | "carries" => {
                    let names: Vec<_> = value.items().iter().filter(|name| !self.is_missing(name)).collect();
                    if names.is_empty() {
                        continue;
                    }
                    YamlItem::List(names.into_iter().map(YamlItem::of).collect())
                }
                // Past the end of the script, it limits nothing.
                "within" if self.is_no_limit(value) => continue,
                _ => YamlItem::of(value),
            };
            kept.push((key, value));
        }
        Some(YamlItem::Map(kept))
    }

    fn is_no_limit(&self, within: &Node) -> bool {
        let Value::Integer(most) = within.value else { return false };
        usize::try_from(most).is_ok_and(|most| most >= self.trial.turns.len())
    }

    fn is_said(&self, id: &str) -> bool {
        let mut places = self.trial.turns.iter().filter_map(|turn| turn.place.as_deref());
        places.any(|place| place.id.as_deref() == Some(id))
    }
}
