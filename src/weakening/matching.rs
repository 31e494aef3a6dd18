//! The cases of two suites, and which of them is which.
//!
//! By scenario and id; else by content, so that renaming is no removal; else by id or prompt, so that a
//! case which was renamed and changed at once is compared all the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::document::{canonical, entries, items, word, words};
use super::{Demands, Document};
use crate::expectation::substitute;
use crate::source::{Node, Span, Value};
use crate::vocabulary::CaseId;

/// A case as the comparisons look at it.
#[derive(Debug)]
pub(super) struct Case<'a> {
    /// Its file.
    pub(super) document: &'a Document,
    /// Its name for selectors.
    pub(super) scenario: String,
    pub(super) id: String,
    /// Tags of scenario and case.
    pub(super) tags: Vec<String>,
    pub(super) node: &'a Node,
    /// Where its id stands.
    pub(super) span: Span,
    /// What is expected, variables filled.
    pub(super) expected: Node,
    prompt: Vec<u8>,
    content: Vec<u8>,
}

impl Case<'_> {
    /// `scenario/id`.
    pub(super) fn name(&self) -> String {
        self.key().to_string()
    }

    fn key(&self) -> CaseId<'_> {
        CaseId::new(&self.scenario, &self.id)
    }
}

/// The cases of both suites; those of before with their place in now.
#[derive(Debug)]
pub(super) struct Pairs<'a> {
    pub(super) before: Vec<Case<'a>>,
    pub(super) now: Vec<Case<'a>>,
    /// For each case of before, the index of the same case in now.
    places: Vec<Option<usize>>,
}

impl<'a> Pairs<'a> {
    pub(super) fn of(before: &'a Demands, now: &'a Demands) -> Self {
        let (before, now) = (cases(&before.scenarios), cases(&now.scenarios));
        let places = vec![None; before.len()];
        let mut pairs = Self { before, now, places };
        pairs.join(|case| Some(case.key()));
        let (old, new) = (names(&pairs.before), names(&pairs.now));
        pairs.join(|case| Some((&case.content, &case.id)));
        pairs.join(|case| Some(&case.content));
        // The scenario has another name, as a file without `name:` that was renamed.
        let moved = |case: &Case<'_>| old.contains(&case.scenario) != new.contains(&case.scenario);
        pairs.join(|case| moved(case).then_some((&case.id, ())));
        pairs.join(|case| Some((&case.scenario, &case.prompt)));
        pairs.join(|case| Some(&case.prompt));
        pairs
    }

    /// Joins cases that are still alone and have the same key, in the order of files.
    fn join<'b, K: Ord>(&'b mut self, key: impl Fn(&'b Case<'a>) -> Option<K>)
    where
        'a: 'b,
    {
        let taken: BTreeSet<usize> = self.places.iter().flatten().copied().collect();
        let mut free: BTreeMap<K, Vec<usize>> = BTreeMap::new();
        for (index, case) in self.now.iter().enumerate().rev().filter(|(index, _)| !taken.contains(index)) {
            if let Some(key) = key(case) {
                free.entry(key).or_default().push(index);
            }
        }
        for (case, place) in self.before.iter().zip(&mut self.places).filter(|(_, place)| place.is_none()) {
            *place = key(case).and_then(|key| free.get_mut(&key)?.pop());
        }
    }

    /// Every case of before, with the same case of now where it is still there.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Case<'a>, Option<&Case<'a>>)> {
        self.before.iter().zip(&self.places).map(|(case, place)| (case, place.map(|at| &self.now[at])))
    }

    /// The cases that are in both suites.
    pub(super) fn kept(&self) -> impl Iterator<Item = (&Case<'a>, &Case<'a>)> {
        self.all().filter_map(|(before, now)| Some((before, now?)))
    }

    /// The name that a case of before has now.
    pub(super) fn renamed(&self, scenario: &str, id: &str) -> Option<String> {
        self.kept().find(|(before, _)| before.key() == CaseId::new(scenario, id)).map(|(_, now)| now.name())
    }
}

fn names(cases: &[Case<'_>]) -> BTreeSet<String> {
    cases.iter().map(|case| case.scenario.clone()).collect()
}

/// The name of a scenario; the file's stem where it has none.
pub(super) fn scenario_name(document: &Document) -> String {
    let stem = || {
        let name = std::path::Path::new(document.file.name()).file_stem();
        name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    };
    word(&document.node, "name").map_or_else(stem, str::to_owned)
}

fn cases(documents: &[Document]) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for document in documents {
        let scenario = scenario_name(document);
        let shared = variables(&document.node);
        for node in items(document.node.get("cases")) {
            let (Some(id), Some(expected)) = (node.get("id"), node.get("expected")) else { continue };
            let mut values = shared.clone();
            values.extend(variables(node));
            let mut tags = words(document.node.get("tags"));
            tags.extend(words(node.get("tags")));
            let mut expected = expected.clone();
            fill(&mut expected, &values);
            let prompt = prompt(node, &values);
            let content = json!({ "prompt": prompt, "expected": expected.to_json() });
            cases.push(Case {
                document,
                scenario: scenario.clone(),
                id: id.as_str().unwrap_or_default().to_owned(),
                tags,
                node,
                span: super::document::place(node, &["id"]),
                expected,
                prompt: crate::canonical::bytes(&prompt),
                content: crate::canonical::bytes(&content),
            });
        }
    }
    cases
}

/// The prompt as a list of messages, variables filled.
fn prompt(case: &Node, values: &BTreeMap<String, String>) -> Json {
    let Some(mut node) = case.get("prompt").cloned() else { return Json::Null };
    fill(&mut node, values);
    match node.as_str() {
        Some(text) => json!([{ "role": "user", "content": text }]),
        None => node.to_json(),
    }
}

fn variables(node: &Node) -> BTreeMap<String, String> {
    let named = entries(node.get("variables")).iter();
    named
        .filter_map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| String::from_utf8_lossy(&canonical(value)).into_owned(), str::to_owned);
            Some((name.as_str()?.to_owned(), text))
        })
        .collect()
}

/// Fills the variables of every text below a node.
fn fill(node: &mut Node, values: &BTreeMap<String, String>) {
    match &mut node.value {
        Value::String(text) => *text = substitute(text, |name| values.get(name).cloned()),
        Value::List(items) => items.iter_mut().for_each(|item| fill(item, values)),
        Value::Map(entries) => entries.iter_mut().for_each(|(_, value)| fill(value, values)),
        _ => {}
    }
}
