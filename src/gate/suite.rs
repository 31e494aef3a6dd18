//! The pass rates of the compared cases, before and now, and the change that they show at least.

use super::PassRates;
use super::evidence::{CaseEvidence, Relation};
use crate::seed::Root;
use crate::stats::{self, Bootstrap, Clusters};

/// With this many scenario files, whole files are resampled; with fewer, cases.
const FILES: usize = 10;

/// Draws of the bootstrap.
const DRAWS: usize = 1_999;

/// Cases that can be compared: known, judged in the same way, not in quarantine.
pub(super) fn pairs<'c, 'a>(cases: &'c [CaseEvidence<'a>]) -> impl Iterator<Item = &'c CaseEvidence<'a>> {
    cases
        .iter()
        .filter(|case| case.relation == Relation::Known && case.before.of > 0)
        .filter(|case| case.quarantine.is_none())
        .filter(|case| case.now.is_some())
}

/// The pass rates of the compared cases.
pub(super) fn rates(cases: &[CaseEvidence<'_>]) -> Option<PassRates> {
    let both = |case: &CaseEvidence<'_>| Some((case.before.share()?, case.result.tally().share()?));
    let (before, now): (Vec<f64>, Vec<f64>) = pairs(cases).filter_map(both).unzip();
    Some(PassRates { cases: now.len(), baseline: stats::mean(&before)?, now: stats::mean(&now)? })
}

/// The smallest difference of the pass rates, now minus before, that is shown with 95% confidence; none if nothing can
/// be shown.
pub(super) fn shown(cases: &[CaseEvidence<'_>]) -> Option<f64> {
    let pairs: Vec<_> = pairs(cases).collect();
    let files: std::collections::BTreeSet<_> =
        pairs.iter().map(|case| case.result.location.file.as_str()).collect();
    let by_file = files.len() >= FILES;
    let clusters = Clusters::of(pairs.iter().enumerate().filter_map(|(index, case)| {
        let difference = case.result.tally().share()? - case.before.share()?;
        let name = if by_file { (case.result.location.file.as_str(), 0) } else { ("", index) };
        Some((name, difference))
    }));
    // A suite without any difference has no loss, so it passes like any other.
    let mut random = Root(0).stream(&["non-inferiority"]);
    Bootstrap::of(&clusters, DRAWS, &mut random)?.lower_bound(stats::LEVEL)
}
