//! Whether the scores fell, if every judged case has a graded score: a small loss in every case pushes only a few below
//! their thresholds.

use super::evidence::CaseEvidence;
use super::finding::{Finding, Findings};
use super::{Category, Means, probability, suite};
use crate::manifest::Trial;
use crate::seed::Root;
use crate::stats;
use crate::text;
use crate::vocabulary::FindingId;

/// The probability of reporting lower scores for an unchanged suite.
const LEVEL: f64 = 0.01;

/// Draws of the sign-flip test, above 16 pairs.
const DRAWS: u32 = 9_999;

/// The scores of the compared cases, before and now; empty unless every judged case has a graded score.
pub(super) fn both(cases: &[CaseEvidence<'_>]) -> Vec<(f64, f64)> {
    let graded = |case: &CaseEvidence<'_>| case.result.ordinary().any(Trial::is_graded);
    if !cases.iter().filter(|case| case.now.is_some()).all(graded) {
        return Vec::new();
    }
    suite::both(cases, |stored| Some(stored.score?.mean), |case| case.score)
}

/// A paired one-sided sign-flip test of each case's mean score, before minus now.
pub(super) fn fell(cases: &[CaseEvidence<'_>], log: &mut Findings<'_>) {
    let both = both(cases);
    let losses: Vec<f64> = both.iter().map(|(before, now)| before - now).collect();
    let name = FindingId::ScoreRegression;
    let p = stats::sign_flip(&losses, 0.0, DRAWS, &mut Root(0).stream(&[name.word()]));
    let Some(Means { baseline: before, now, .. }) = Means::of(both, 0.0) else { return };
    if p <= LEVEL {
        let message = format!(
            "the scores fell: {now:.2} on average over {}, {before:.2} in the baseline ({})",
            text::count(losses.len(), "compared case"),
            probability(p)
        );
        let finding = Finding {
            measured: Some(now),
            limit: Some(before),
            p_value: Some(p),
            ..Finding::new(name, message)
        };
        log.raise(Category::Score, finding);
    }
}
