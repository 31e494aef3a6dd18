//! Selectors of a policy, held against the cases of both suites.

use std::collections::BTreeSet;

use super::Document;
use super::document::{below, items, word, words};
use super::matching::{Case, Pairs};
use crate::gate::{Pattern, Selector};
use crate::source::Node;
use crate::vocabulary::Metric;

/// The selector of a mapping with `tags`, `scenario` and `case`, or of a text that is a glob; what
/// is no glob selects by nothing.
pub(super) fn selector(node: &Node) -> Selector {
    let pattern = |text: &str| Pattern::parse(text).ok();
    if let Some(glob) = node.as_str() {
        return Selector { case: pattern(glob), ..Selector::default() };
    }
    Selector {
        case: word(node, "case").and_then(pattern),
        scenario: word(node, "scenario").and_then(pattern),
        tags: words(node.get("tags")),
    }
}

/// The same text for the same selection.
pub(super) fn text(selector: &Selector) -> String {
    let mut tags = selector.tags.clone();
    tags.sort();
    tags.dedup();
    let glob = |pattern: &Option<Pattern>| pattern.as_ref().map(|pattern| pattern.text().to_owned());
    format!("{tags:?} {:?} {:?}", glob(&selector.scenario), glob(&selector.case))
}

pub(super) fn takes(selector: &Selector, case: &Case<'_>) -> bool {
    selector.takes(&case.scenario, &case.id, &case.tags)
}

/// The cases that a selector of before took, and none of now takes; both under their names of then.
///
/// `None` where the selector took no case at all, so that nothing can be said.
pub(super) fn escaped<'p, 'a>(
    pairs: &'p Pairs<'a>,
    before: &Selector,
    now: &[Selector],
) -> Option<Vec<&'p Case<'a>>> {
    if !pairs.before.iter().any(|case| takes(before, case)) {
        return None;
    }
    let kept = pairs.kept().filter(|(old, _)| takes(before, old));
    Some(kept.filter(|(_, new)| !now.iter().any(|one| takes(one, new))).map(|(_, new)| new).collect())
}

/// The tags by which a policy selects.
pub(super) fn named_tags(config: Option<&Document>) -> BTreeSet<String> {
    let Some(gate) = config.and_then(|config| config.node.get("gate")) else { return BTreeSet::new() };
    let thresholds = items(gate.get("thresholds"));
    let recalls = thresholds.iter().filter_map(|one| match Metric::parse(word(one, "metric")?)? {
        Metric::Recall(tag) => Some(tag),
        _ => None,
    });
    let listed = thresholds.iter().chain(items(below(gate, &["critical"])));
    listed.flat_map(|one| words(one.get("tags"))).chain(recalls).collect()
}
