//! Matches the cases of two suites.
//!
//! By scenario and id, then by content, so that a renamed case does not count as removed, then by id or prompt, so
//! that a case that was renamed and changed at once is still compared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::{Demands, ScenarioFile};
use crate::config::Named;
use crate::expectation::{LlmGrader, Rule, Written};
use crate::provider::{Message, Role};
use crate::scenario::{Case, Scenario};
use crate::source::Node;
use crate::vocabulary::CaseId;

/// A case for comparison.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paired<'a> {
    /// Its file.
    pub(super) suite: &'a ScenarioFile,
    pub(super) case: &'a Case,
    /// The case as written.
    pub(super) node: &'a Node,
    /// The rules of the configuration.
    rules: &'a [Arc<Rule>],
}

impl<'a> Paired<'a> {
    pub(super) fn scenario(&self) -> &'a Scenario {
        &self.suite.scenario
    }

    pub(super) fn key(&self) -> CaseId<'a> {
        CaseId::new(&self.suite.scenario.name, &self.case.id)
    }

    pub(super) fn name(&self) -> String {
        self.key().to_string()
    }

    /// The case as policies select it.
    pub(super) fn named(&self) -> Named<'a> {
        let CaseId { scenario, id } = self.key();
        Named { scenario, id, tags: &self.case.tags }
    }

    /// The tags of a later version, plus those that it lost.
    pub(super) fn tags_with(&self, now: &Self) -> Vec<String> {
        let all: BTreeSet<&String> = self.case.tags.iter().chain(&now.case.tags).collect();
        all.into_iter().cloned().collect()
    }

    /// What the case itself expects.
    pub(super) fn expected(&self) -> Written<'a> {
        Written::own(&self.case.expectation, self.node.get("expected").unwrap_or(self.node))
    }

    /// The rules for every answer.
    pub(super) fn always(&self) -> Vec<Written<'a>> {
        self.case.standing(self.rules).map(Written::rule).collect()
    }

    /// The judges that it needs.
    pub(super) fn graders(&self) -> Vec<&'a LlmGrader> {
        let rules = self.case.standing(self.rules).map(|rule| &rule.expectation);
        let turns = self.case.dialogue.iter().flat_map(|dialogue| dialogue.expectations());
        let all = std::iter::once(&self.case.expectation).chain(turns).chain(rules);
        all.flat_map(|one| one.graders()).collect()
    }

    /// The question; instructions belong to the application, which is compared separately.
    fn prompt(&self) -> String {
        let asked = match self.case.messages.as_slice() {
            [Message { role: Role::System, .. }, rest @ ..] => rest,
            all => all,
        };
        let talk = self.case.dialogue.as_ref().map(|dialogue| dialogue.texts());
        json!([asked, talk]).to_string()
    }
}

/// The cases of both suites; each old case with its index in `now`.
#[derive(Debug)]
pub(super) struct Pairs<'a> {
    pub(super) before: Vec<Paired<'a>>,
    pub(super) now: Vec<Paired<'a>>,
    /// For each old case, the index of the same case now.
    places: Vec<Option<usize>>,
}

impl<'a> Pairs<'a> {
    pub(super) fn of(before: &'a Demands, now: &'a Demands) -> Self {
        let (before, now) = (cases(before), cases(now));
        let places = vec![None; before.len()];
        let mut pairs = Self { before, now, places };
        let names = |cases: &[Paired<'a>]| cases.iter().map(|case| case.key().scenario).collect();
        let (old, new): (BTreeSet<_>, BTreeSet<_>) = (names(&pairs.before), names(&pairs.now));
        pairs.join(|case| Some(case.key()));
        pairs.join(|case| Some((&case.case.content_hash, &case.case.id)));
        pairs.join(|case| Some(&case.case.content_hash));
        // The scenario has another name, as when a file without `name:` is renamed.
        let moved = |name: &str| old.contains(name) != new.contains(name);
        pairs.join(|case| moved(case.key().scenario).then_some(&case.case.id));
        pairs.join(|case| Some((case.key().scenario, case.prompt())));
        pairs.join(|case| Some(case.prompt()));
        pairs
    }

    /// Matches unmatched cases with the same key, in the order of files.
    fn join<K: Ord>(&mut self, key: impl Fn(&Paired<'a>) -> Option<K>) {
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

    /// Every old case, with the same case now if it still exists.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Paired<'a>, Option<&Paired<'a>>)> {
        self.before.iter().zip(&self.places).map(|(case, place)| (case, place.map(|at| &self.now[at])))
    }

    /// The cases that are in both suites.
    pub(super) fn kept(&self) -> impl Iterator<Item = (&Paired<'a>, &Paired<'a>)> {
        self.all().filter_map(|(before, now)| Some((before, now?)))
    }

    /// The new name of an old case.
    pub(super) fn renamed(&self, key: CaseId<'_>) -> Option<CaseId<'a>> {
        self.kept().find(|(before, _)| before.key() == key).map(|(_, now)| now.key())
    }
}

fn cases(demands: &Demands) -> Vec<Paired<'_>> {
    let rules = demands.config.as_ref().map_or(&[][..], |config| &config.config.always);
    let all = demands
        .scenarios
        .iter()
        .flat_map(|suite| suite.written().map(move |(case, node)| (suite, case, node)));
    all.map(|(suite, case, node)| Paired { suite, case, node, rules }).collect()
}
