//! Whether the suite as a whole does worse than its baseline: many small losses, none of them a proof
//! by itself.

use super::evidence::{CaseEvidence, Relation};
use super::{PassRates, Policy};
use crate::seed::Root;
use crate::stats::{self, Bootstrap, Clusters, Prior, SLACK, Tally, real};

/// An unchanged suite is called worse with at most about this probability.
const GUARD: f64 = 0.01;

/// Below so many trials a case, its pass rate cannot be predicted.
pub const PREDICTABLE: u64 = 3;

/// From so many scenario files on, they are drawn again whole; below, cases are.
const FILES: usize = 10;

/// Draws of the bootstrap.
const DRAWS: usize = 1_999;

/// A drop of the whole suite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Drop {
    /// Mean pass rate that the baseline lets expect, 0 to 1.
    pub(super) expected: f64,
    /// Pass rate of the first trials now, 0 to 1.
    pub(super) seen: f64,
    /// How probable so few passes are in an unchanged suite.
    pub(super) p: f64,
    /// Cases that were compared.
    pub(super) cases: usize,
}

/// Cases that can be compared: known, judged in the same way, not in quarantine.
pub(super) fn pairs<'c, 'a>(
    cases: &'c [CaseEvidence<'a>],
) -> impl Iterator<Item = (&'c CaseEvidence<'a>, bool)> {
    cases
        .iter()
        .filter(|case| case.relation == Relation::Known && case.before.of > 0)
        .filter(|case| case.quarantine.is_none())
        .filter_map(|case| Some((case, case.first?)))
}

/// The pass rates of the compared cases.
pub(super) fn rates(cases: &[CaseEvidence<'_>]) -> Option<PassRates> {
    let both =
        |(case, _): (&CaseEvidence<'_>, bool)| Some((case.before.share()?, case.result.tally().share()?));
    let (before, now): (Vec<f64>, Vec<f64>) = pairs(cases).filter_map(both).unzip();
    Some(PassRates { cases: now.len(), baseline: stats::mean(&before)?, now: stats::mean(&now)? })
}

/// The drop of the suite, if it is larger than chance and than the margin.
pub(super) fn drop(cases: &[CaseEvidence<'_>], policy: &Policy) -> Option<Drop> {
    let pairs: Vec<_> = pairs(cases).collect();
    let passed = pairs.iter().filter(|(_, now)| *now).count();
    let n = pairs.len();
    if n == 0 {
        return None;
    }
    let seen = real(passed) / real(n);
    let mut trials: Vec<_> = pairs.iter().map(|(case, _)| case.before.of).collect();
    trials.sort_unstable();
    let (expected, p) = if trials[n / 2] >= PREDICTABLE {
        let before: Vec<Tally> = pairs.iter().map(|(case, _)| case.before).collect();
        let prior = Prior::fit(&before)?;
        let predicted: Vec<f64> = before.iter().map(|tally| prior.predict(*tally)).collect();
        (stats::mean(&predicted)?, stats::poisson_binomial_at_most(&predicted, passed))
    } else {
        // Were nothing changed, each of a case's trials, then and now, would be as likely to be the one that
        // was asked now. With one trial then, this is McNemar's exact test.
        let alike = |(case, now): &(&CaseEvidence<'_>, bool)| {
            let (hits, of) = (case.before.hits + u64::from(*now), case.before.of + 1);
            Tally { hits, of }.share()
        };
        let shares: Vec<f64> = pairs.iter().filter_map(|(case, _)| case.before.share()).collect();
        let exchanged: Vec<f64> = pairs.iter().filter_map(alike).collect();
        (stats::mean(&shares)?, stats::poisson_binomial_at_most(&exchanged, passed))
    };
    (p <= GUARD && expected - seen > policy.margin + SLACK).then_some(Drop { expected, seen, p, cases: n })
}

/// The least difference of the pass rates, now less before, that is shown with 95 % confidence;
/// absent where nothing can be shown.
pub(super) fn shown(cases: &[CaseEvidence<'_>]) -> Option<f64> {
    let pairs: Vec<_> = pairs(cases).collect();
    let files: std::collections::BTreeSet<_> =
        pairs.iter().map(|(case, _)| case.result.location.file.as_str()).collect();
    let by_file = files.len() >= FILES;
    let clusters = Clusters::of(pairs.iter().enumerate().filter_map(|(index, (case, now))| {
        let difference = f64::from(u8::from(*now)) - case.before.share()?;
        let name = if by_file { (case.result.location.file.as_str(), 0) } else { ("", index) };
        Some((name, difference))
    }));
    // A suite without one difference shows no less than any other can: it has no loss at all.
    let mut random = Root(0).stream(&["non-inferiority"]);
    Bootstrap::of(&clusters, DRAWS, &mut random)?.lower_bound(stats::LEVEL)
}
