//! The cases of two suites, as policies select from them.

use std::collections::BTreeSet;

use super::Named;
use crate::gate::Selector;
use crate::vocabulary::Selection;

/// The cases that policies select from.
#[derive(Clone, Debug, Default)]
pub struct Suites<'a> {
    /// Cases of before.
    pub before: Vec<Named<'a>>,
    /// Those that are left, before and now. A tag that a case lost is told at the case, so here it still has it.
    pub kept: Vec<(Named<'a>, Named<'a>)>,
    /// Whether flags name a rate or a baseline: then it is not known what holds where the files say nothing.
    pub flags_decide: bool,
    /// Whether an expectation needs a judge.
    pub is_judged: bool,
    /// The providers of judges that expectations name, before or now.
    pub judges: BTreeSet<&'a str>,
}

impl<'a> Suites<'a> {
    /// The cases that a selector of before took, and none of now takes, under their names of now.
    ///
    /// `None` where the selector took no case at all, so that nothing can be said.
    pub(super) fn escaped(&self, before: &Selector, now: &[&Selector]) -> Option<Vec<Named<'a>>> {
        if !self.before.iter().any(|case| takes(before, case)) {
            return None;
        }
        let kept = self.kept.iter().filter(|(old, _)| takes(before, old)).map(|(_, new)| *new);
        Some(kept.filter(|new| !now.iter().any(|one| takes(one, new))).collect())
    }
}

pub(super) fn takes(selector: &Selector, case: &Named<'_>) -> bool {
    selector.takes(case.scenario, case.id, case.tags)
}

/// The same for the same selection.
pub(super) fn selection(selector: &Selector) -> Selection {
    let mut selection = selector.selection();
    selection.tags.sort();
    selection.tags.dedup();
    selection
}
