//! The pass rates of the compared cases, before and now, and the smallest change that they show.

use super::Means;
use super::evidence::{CaseEvidence, Relation};
use crate::baseline::BaselineCase;
use crate::manifest::CaseResult;
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

/// A number, before and now, of each compared case that has it on both sides.
pub(super) fn both(
    cases: &[CaseEvidence<'_>],
    before: impl Fn(&BaselineCase) -> Option<f64>,
    now: impl Fn(&CaseResult) -> Option<f64>,
) -> Vec<(f64, f64)> {
    pairs(cases).filter_map(|case| Some((before(case.stored?)?, now(case.result)?))).collect()
}

impl Means {
    /// `None` without pairs, or if both sides are below `least`.
    pub(super) fn of(pairs: Vec<(f64, f64)>, least: f64) -> Option<Self> {
        let (before, now): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let means = Self { cases: now.len(), baseline: stats::mean(&before)?, now: stats::mean(&now)? };
        Some(means).filter(|means| means.baseline.max(means.now) >= least)
    }
}

/// The pass rates of the compared cases.
pub(super) fn rates(cases: &[CaseEvidence<'_>]) -> Option<Means> {
    Means::of(both(cases, |stored| stored.tally().share(), |case| case.tally().share()), 0.0)
}

/// The smallest difference of the pass rates, now minus before, that is shown with 95% confidence; `None` if nothing
/// can be shown.
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
