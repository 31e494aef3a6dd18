//! The cases of two suites that policies select from.

use std::collections::BTreeSet;

use super::Named;
use crate::gate::Selector;
use crate::vocabulary::Selection;

/// The cases that policies select from.
#[derive(Clone, Debug, Default)]
pub struct Suites<'a> {
    /// Cases of the suite before.
    pub before: Vec<Named<'a>>,
    /// Cases in both suites, as they were and as they are now. A tag that a case lost is reported at the case, so it is
    /// kept here.
    pub kept: Vec<(Named<'a>, Named<'a>)>,
    /// Whether flags set a rate or a baseline; if so, it is unknown what applies where the files set nothing.
    pub flags_decide: bool,
    /// Whether an expectation needs a judge.
    pub is_judged: bool,
    /// The providers of judges that expectations name, before or now.
    pub judges: BTreeSet<&'a str>,
}

impl<'a> Suites<'a> {
    /// The cases that an old selector selected and no new one selects, under their new names.
    ///
    /// `None` if the old selector selected no case, so that nothing can be compared.
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

/// A value that is equal for selectors with the same meaning.
pub(super) fn selection(selector: &Selector) -> Selection {
    let mut selection = selector.selection();
    selection.tags.sort();
    selection.tags.dedup();
    selection
}
