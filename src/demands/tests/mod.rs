//! Tables of changes: the weakenings of each and their lines, and changes that weaken nothing.

mod always;
mod conversations;
mod expectations;
mod files;
mod limits;
mod nothing;
mod policies;
mod targets;

use std::collections::BTreeSet;
use strum::IntoEnumIterator;

use super::*;
use crate::vocabulary::WeakeningKind;

/// The suite that the tables change.
pub(super) const SUITE: &str = "\
name: s
tags: [safety]
cases:
  - id: a
    prompt: How?
    expected: { type: contains, values: [yes, sure] }
  - id: b
    prompt: Why?
    tags: [fraud]
    expected:
      type: exact
      value: so
";

pub(super) fn demands(files: &[(&str, &str)]) -> Demands {
    Demands::of(files, &Environment::default())
}

/// `kind file:line` of every weakening.
pub(super) fn weakenings(before: &[(&str, &str)], now: &[(&str, &str)]) -> Vec<String> {
    let found = compare(&demands(before), &demands(now));
    found.iter().map(|one| format!("{} {}", one.kind, one.location)).collect()
}

#[test]
fn every_kind_has_one_id_and_a_test() {
    // Lost histories are reported by the gate, which knows them.
    let told_here = WeakeningKind::iter().filter(|kind| *kind != WeakeningKind::HistoryReset);
    let ids: BTreeSet<_> = told_here.map(|kind| kind.to_string()).collect();
    let texts = [
        include_str!("conversations.rs"),
        include_str!("expectations.rs"),
        include_str!("files.rs"),
        include_str!("limits.rs"),
        include_str!("policies.rs"),
        include_str!("targets.rs"),
    ];
    for id in ids {
        let there = texts.iter().any(|text| text.contains(&format!("\"{id} ")));
        assert!(there, "no test reports {id}");
    }
}
